package shop

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed pages
var pageFiles embed.FS

func loadPages() *template.Template { return template.Must(template.ParseFS(pageFiles, "pages/*")) }

// checkout is a page where somebody is about to pay.
type checkout struct {
	token  string
	lines  []*line
	attrs  []Attribute
	draft  *draft
	code   string // a discount that applied when it was typed
	opened time.Time
}

func orderOf(d *draft, b Buyer) *order {
	return &order{source: "shopify_draft_order", buyer: b, lines: slices.Clone(d.lines), attrs: d.attrs, draft: d}
}

func (c *checkout) order(b Buyer) *order {
	if c.draft != nil {
		o := orderOf(c.draft, b)
		o.code = c.code
		return o
	}
	o := &order{source: "web", buyer: b, attrs: c.attrs, code: c.code}
	for _, l := range c.lines {
		o.lines = append(o.lines, &line{v: l.v, quantity: l.quantity, price: l.price})
	}
	return o
}

// maxCheckouts bounds the memory of open checkouts; the oldest go first.
const maxCheckouts = 10_000

// open remembers a checkout. Call with mu held.
func (s *Shop) open(c *checkout) {
	if len(s.checkouts) >= maxCheckouts {
		var oldest *checkout
		for _, o := range s.checkouts {
			if oldest == nil || o.opened.Before(oldest.opened) {
				oldest = o
			}
		}
		delete(s.checkouts, oldest.token)
		delete(s.paid, oldest.token)
	}
	c.token, c.opened = secret(""), time.Now()
	s.checkouts[c.token] = c
}

// cart reads the path and query of a cart permalink: VARIANT:QTY,VARIANT:QTY?attributes[k]=v. Call with mu held.
func (s *Shop) cart(lines, query string) (*checkout, error) {
	c := &checkout{}
	for part := range strings.SplitSeq(lines, ",") {
		id, qty, _ := strings.Cut(part, ":")
		n, err := strconv.ParseInt(id, 10, 64)
		q, err2 := strconv.ParseInt(qty, 10, 64)
		v := s.variants[n]
		if err != nil || err2 != nil || v == nil || q < 1 || q > 999 || len(c.lines) >= 500 {
			return nil, errNoCart
		}
		c.lines = append(c.lines, &line{v: v, quantity: q, price: v.price})
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errNoCart
	}
	for k, vs := range values {
		if name, ok := strings.CutPrefix(k, "attributes["); ok && strings.HasSuffix(name, "]") && len(vs) > 0 {
			c.attrs = append(c.attrs, Attribute{strings.TrimSuffix(name, "]"), vs[0]})
		}
	}
	s.enter(c, values.Get("discount"))
	slices.SortFunc(c.attrs, func(a, b Attribute) int { return strings.Compare(a.Key, b.Key) })
	return c, nil
}

// view is what every page shows.
type view struct {
	Title, Store string
	Products     []productView
	Product      productView
	Checkout     checkoutView
	Order        string
	Buyer        Buyer
	Problem      string
}

type productView struct {
	Title, Text, Handle, Picture, From string
	Several, SoldOut                   bool
	Variants                           []variantView
}

type variantView struct {
	ID      int64
	Label   string
	Price   string
	SoldOut bool
}

type checkoutView struct {
	Token, Total string
	Lines        []lineView
	Pieces       int64
	SoldOut      []string
	// Code is the discount that applies, Off what it takes off; Codes says that one may be typed, Wrong why the last one did
	// not apply.
	Code, Off, Wrong string
	Codes            bool
}

type lineView struct {
	Title, Label, Picture, Price, Was, Each string
	Quantity                                int64
	SoldOut                                 bool
}

// show writes an amount for people.
func (s *Shop) show(n int64) string {
	switch s.o.Currency {
	case "EUR":
		return "€" + price(n)
	case "USD":
		return "$" + price(n)
	case "GBP":
		return "£" + price(n)
	}
	return price(n) + " " + s.o.Currency
}

func (s *Shop) productView(p *product) productView {
	v := productView{Title: p.Title, Text: p.Text, Handle: p.handle, Picture: "/pictures/" + p.handle + ".svg", SoldOut: true}
	low, high := int64(-1), int64(0)
	for _, w := range p.variants {
		if low < 0 || w.price < low {
			low = w.price
		}
		high = max(high, w.price)
		v.SoldOut = v.SoldOut && !w.left(1)
		v.Variants = append(v.Variants, variantView{w.id, w.label(), s.show(w.price), !w.left(1)})
	}
	v.From, v.Several = s.show(max(low, 0)), high > low
	return v
}

func (s *Shop) checkoutView(c *checkout) checkoutView {
	out := checkoutView{Token: c.token}
	lines := c.lines
	if c.draft != nil {
		lines = c.draft.lines
	}
	need := map[*variant]int64{}
	var total int64
	for _, l := range lines {
		total += l.price * l.quantity
		out.Pieces += l.quantity
		w := lineView{
			Title: l.v.of.Title, Label: l.v.label(), Picture: "/pictures/" + l.v.of.handle + ".svg", Price: s.show(l.price * l.quantity),
			Quantity: l.quantity, Each: s.show(l.price),
		}
		if l.price != l.v.price {
			w.Was = s.show(l.v.price * l.quantity)
		}
		if !l.reserved {
			need[l.v] += l.quantity
			w.SoldOut = !l.v.left(need[l.v])
		}
		if w.SoldOut {
			out.SoldOut = append(out.SoldOut, strings.TrimSuffix(w.Title+" ("+w.Label+")", " ()"))
		}
		out.Lines = append(out.Lines, w)
	}
	out.Codes = c.draft == nil || c.draft.codes
	if c.code != "" {
		off, why := s.worth(c.code, total, "")
		if out.Wrong = why; why == "" {
			out.Code, out.Off = c.code, s.show(off)
			total -= off
		}
	}
	out.Total = s.show(total)
	return out
}

func (s *Shop) render(w http.ResponseWriter, status int, name string, v view) {
	v.Store = s.o.Name
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, v); err != nil {
		http.Error(w, "page not made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'; "+
		"frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

const backOnTheShelf = "The pieces went back on the shelf. Ask the shop for a new link."

func (s *Shop) serveNowhere(w http.ResponseWriter, _ *http.Request) {
	s.render(w, http.StatusNotFound, "nowhere.html", view{Title: "Page not found"})
}

func (s *Shop) serveFront(w http.ResponseWriter, _ *http.Request) {
	v := view{Title: "All pieces"}
	s.mu.Lock()
	s.lapse(time.Now())
	for _, p := range s.products {
		v.Products = append(v.Products, s.productView(p))
	}
	s.mu.Unlock()
	s.render(w, http.StatusOK, "front.html", v)
}

func (s *Shop) serveProduct(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.lapse(time.Now())
	p := s.productByHandle(r.PathValue("handle"))
	if p == nil {
		s.mu.Unlock()
		s.serveNowhere(w, r)
		return
	}
	v := view{Title: p.Title, Product: s.productView(p)}
	s.mu.Unlock()
	s.render(w, http.StatusOK, "product.html", v)
}

// serveBuy turns a product page's form into a cart link.
func (s *Shop) serveBuy(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.FormValue("variant"), 10, 64)
	if err != nil {
		s.serveNowhere(w, r)
		return
	}
	http.Redirect(w, r, "/cart/"+strconv.FormatInt(id, 10)+":1", http.StatusFound)
}

func (s *Shop) serveCart(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	c, err := s.cart(r.PathValue("lines"), r.URL.RawQuery)
	if err == nil {
		s.open(c)
	}
	s.mu.Unlock()
	if err != nil {
		s.render(w, http.StatusNotFound, "nowhere.html", view{Title: "This cart is empty", Problem: "The link names something that is not sold here."})
		return
	}
	http.Redirect(w, r, "/checkouts/"+c.token, http.StatusFound)
}

func (s *Shop) serveInvoice(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	i := slices.IndexFunc(s.drafts, func(d *draft) bool { return d.token == r.PathValue("token") })
	to := ""
	if i >= 0 {
		d := s.drafts[i]
		c := &checkout{draft: d, attrs: d.attrs}
		s.open(c)
		to = "/checkouts/" + c.token
		if s.settled(c) {
			to += "/thank-you"
		}
	}
	s.mu.Unlock()
	if to == "" {
		s.render(w, http.StatusNotFound, "nowhere.html", view{Title: "This invoice is no longer open", Problem: backOnTheShelf})
		return
	}
	http.Redirect(w, r, to, http.StatusFound)
}

func (s *Shop) serveCheckout(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.lapse(time.Now())
	c := s.checkouts[r.PathValue("token")]
	if c == nil || !s.payable(c) {
		s.mu.Unlock()
		s.render(w, http.StatusGone, "nowhere.html", view{Title: "This checkout is over", Problem: backOnTheShelf})
		return
	}
	if s.settled(c) {
		s.mu.Unlock()
		http.Redirect(w, r, "/checkouts/"+c.token+"/thank-you", http.StatusSeeOther)
		return
	}
	v := view{Title: "Checkout", Checkout: s.checkoutView(c), Buyer: somebody()}
	s.mu.Unlock()
	s.render(w, http.StatusOK, "checkout.html", v)
}

// payable reports whether the draft behind a checkout is still there. Call with mu held.
func (s *Shop) payable(c *checkout) bool {
	return c.draft == nil || slices.Contains(s.drafts, c.draft)
}

// settled reports whether a checkout was paid, here or in another one of the same draft. Call with mu held.
func (s *Shop) settled(c *checkout) bool {
	if c.draft != nil && c.draft.order != nil {
		s.paid[c.token] = c.draft.order.id
	}
	_, done := s.paid[c.token]
	return done
}

func (s *Shop) servePay(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "form not read", http.StatusBadRequest)
		return
	}
	f := r.PostForm.Get
	b := Buyer{First: f("first"), Last: f("last"), Email: f("email"), Street: f("street"), Zip: f("zip"), City: f("city"), Country: f("country")}
	s.mu.Lock()
	c := s.checkouts[r.PathValue("token")]
	if c == nil || !s.payable(c) {
		s.mu.Unlock()
		s.serveCheckout(w, r)
		return
	}
	if !s.settled(c) {
		if f("discount") != c.code && r.PostForm.Has("discount") { // who types a code sees the new total before paying
			s.retype(w, c, b, s.enter(c, f("discount")), http.StatusOK)
			return
		}
		o := c.order(b)
		err := s.sell(o)
		if no := (*notApplied)(nil); errors.As(err, &no) {
			c.code = ""
			s.retype(w, c, b, no.why, http.StatusConflict)
			return
		}
		if errors.Is(err, ErrSoldOut) {
			v := view{Title: "Checkout", Checkout: s.checkoutView(c), Buyer: b}
			s.mu.Unlock()
			s.render(w, http.StatusConflict, "checkout.html", v)
			return
		}
		s.paid[c.token] = o.id
	}
	s.mu.Unlock()
	http.Redirect(w, r, "/checkouts/"+c.token+"/thank-you", http.StatusSeeOther)
}

// retype shows a checkout again after its discount changed, and lets go of mu.
func (s *Shop) retype(w http.ResponseWriter, c *checkout, b Buyer, wrong string, status int) {
	v := view{Title: "Checkout", Checkout: s.checkoutView(c), Buyer: b}
	if wrong != "" {
		v.Checkout.Wrong, status = wrong, http.StatusConflict
	}
	s.mu.Unlock()
	s.render(w, status, "checkout.html", v)
}

func (s *Shop) serveThanks(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	o := s.order(gid("Order", s.paid[r.PathValue("token")]))
	if o == nil {
		s.mu.Unlock()
		s.serveNowhere(w, r)
		return
	}
	c := &checkout{}
	for _, l := range o.lines {
		c.lines = append(c.lines, &line{v: l.v, quantity: l.quantity, price: l.price})
	}
	v := view{Title: "Thank you", Order: o.name, Checkout: s.checkoutView(c), Buyer: o.buyer}
	if o.code != "" {
		v.Checkout.Code, v.Checkout.Off, v.Checkout.Total = o.code, s.show(o.off()), s.show(o.total())
	}
	v.Checkout.SoldOut = nil
	for i := range v.Checkout.Lines {
		v.Checkout.Lines[i].SoldOut = false
	}
	s.mu.Unlock()
	s.render(w, http.StatusOK, "thanks.html", v)
}
