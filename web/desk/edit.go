package desk

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb"
	"hawker/rules"
	"hawker/web/desk/span"
	"hawker/web/ui"
)

// linesMax bounds a lineup.
const linesMax = 500

// editPage is the form of a show. It keeps what was typed, also what is wrong.
type editPage struct {
	ID                          commerce.ID // 0 for a new show
	State                       commerce.ShowState
	Version                     string // of the show that the form was filled from
	Title, Name, Hold, Holds    string
	PayOnce, Cap, Share, Unpaid string
	Styles                      []styleForm
	Channels                    []channelChoice
	Lines                       []lineForm
	Products                    []productChoice
	Wrong                       map[string]string // by field
	Currency, Public            string
	ShopStore                   bool     // a store stands behind the merchant
	HasKey                      bool     // its encoder has a stream key
	Ways                        []string // where its video goes, by name
	Meanwhile                   []string // what differs from the show that somebody else saved while this form was open

	posted []string // the channels as posted
}

type channelChoice struct {
	Value, Platform, Name string
	On                    bool
}

type lineForm struct {
	Product, Number, Code, Price, Cap, Hold, First, Wrong string
	Products                                              []productChoice // shared with the page
}

type productChoice struct{ Value, Text string }

// itemCode is what a second name of an item may be; one of digits alone would be a number.
var itemCode = regexp.MustCompile(`^[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*$`)

// addressName is what /live/NAME may be.
var addressName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$`)

func (d *Desk) newShow(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	p := formFrom(&commerce.Show{Holds: commerce.HoldsDraft})
	if err := d.fill(r.Context(), v, p, nil); err != nil {
		return err
	}
	for i := range p.Channels { // most shows listen to all there is
		p.Channels[i].On = true
	}
	return d.render(w, r, v, "edit", "New show", ui.Frame{}, p)
}

func (d *Desk) editShow(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	p, err := d.formOf(r, v)
	if err != nil {
		return err
	}
	return d.render(w, r, v, "edit", p.Title, ui.Frame{}, p)
}

// formOf is the form of the show in the address, as stored.
func (d *Desk) formOf(r *http.Request, v *Visitor) (*editPage, error) {
	id, err := showID(r)
	if err != nil {
		return nil, err
	}
	s, err := d.find(r.Context(), v, id)
	if err != nil {
		return nil, err
	}
	p := formFrom(s)
	return p, d.fill(r.Context(), v, p, s.Channels)
}

// formFrom is the form of a show as it is stored, with an empty line for one more item.
func formFrom(s *commerce.Show) *editPage {
	p := &editPage{
		ID: s.ID, State: s.State, Title: s.Title, Name: s.Name, Hold: span.Text(or(s.Hold, commerce.DefaultHold)), Holds: string(s.Holds), PayOnce: "0", Cap: piecesText(s.Cap),
		Styles: stylesOf(s.Lineup.Styles), Share: strconv.Itoa(min(cmp.Or(s.Guard.Share, commerce.DefaultShare), 100)), Unpaid: strconv.Itoa(max(cmp.Or(s.Guard.Unpaid, commerce.DefaultUnpaid), 0)),
	}
	if s.PayOnce > 0 {
		p.PayOnce = span.Text(s.PayOnce)
	}
	if s.ID != 0 {
		p.Version = version(s)
	}
	for i := range s.Lineup.Items {
		it := &s.Lineup.Items[i]
		l := lineForm{Product: it.Product.ID.String(), Number: strconv.Itoa(it.Number), Code: it.Code, Cap: piecesText(it.Cap)}
		if it.Price.Minor > 0 {
			l.Price = it.Price.Decimal()
		}
		if it.Hold > 0 {
			l.Hold = span.Text(it.Hold)
		}
		if it.FirstPaid {
			l.First = "1"
		}
		p.Lines = append(p.Lines, l)
	}
	p.Lines = append(p.Lines, lineForm{})
	return p
}

// piecesText is a cap, empty when there is none.
func piecesText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// fill adds what can be chosen, and for a show that exists its video.
func (d *Desk) fill(ctx context.Context, v *Visitor, p *editPage, on []chat.Channel) error {
	p.Currency, p.Public = v.Merchant.Currency, d.Kit.Public()
	channels, err := d.DB.Channels(ctx, v.Merchant.ID)
	if err != nil {
		return err
	}
	for _, c := range channels {
		choice := channelChoice{Value: c.String(), Platform: c.Platform.Title(), Name: c.Name}
		for _, x := range on {
			choice.On = choice.On || x == c.Channel
		}
		p.Channels = append(p.Channels, choice)
	}
	products, err := d.DB.Products(ctx, v.Merchant.ID)
	if err != nil {
		return err
	}
	for i := range products {
		text := products[i].Title
		if len(products[i].Variants) > 0 {
			text += " · " + products[i].Variants[0].Price.String()
		}
		if n := len(products[i].Variants); n > 1 {
			text += " · " + strconv.Itoa(n) + " variants"
		}
		p.Products = append(p.Products, productChoice{products[i].ID.String(), text})
	}
	for i := range p.Lines {
		p.Lines[i].Products = p.Products
	}
	store, err := d.DB.Store(ctx, v.Merchant.ID)
	if err != nil && !sqldb.IsNotFound(err) {
		return err
	}
	p.ShopStore = store.Kind == "shopify"
	if p.ID == 0 {
		return nil
	}
	d.previews(ctx, v, p)
	_, err = d.DB.IngestOf(ctx, v.Merchant.ID, p.ID)
	if err != nil && !sqldb.IsNotFound(err) {
		return err
	}
	p.HasKey = err == nil
	all, err := d.DB.Destinations(ctx, v.Merchant.ID, p.ID)
	for i := range all {
		p.Ways = append(p.Ways, all[i].Name)
	}
	return err
}

// saveShow makes or changes a show.
func (d *Desk) saveShow(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	turn := d.turns.of(v.Merchant.ID)
	turn.Lock()
	defer turn.Unlock()
	s := &commerce.Show{State: commerce.ShowPlanned}
	if r.PathValue("id") != "" {
		id, err := showID(r)
		if err != nil {
			return err
		}
		if s, err = d.find(r.Context(), v, id); err != nil {
			return err
		}
	}
	stored := *s
	p := typed(r, s)
	products, err := d.DB.Products(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	if err := d.read(r.Context(), v, p, s, products); err != nil {
		return err
	}
	f := ui.Frame{}
	switch {
	case len(p.Wrong) > 0:
		f = ui.Frame{Status: http.StatusUnprocessableEntity, Trouble: "Not saved yet: something in the form needs another look."}
	case s.ID != 0 && r.PostForm.Get("version") != version(&stored):
		// What was typed stays. The form has now seen the stored show, so that saving it again is meant.
		if what := differences(s, &stored); len(what) > 0 {
			f = ui.Frame{Status: http.StatusConflict, Trouble: "Not saved yet: somebody else changed this show meanwhile."}
			p.Version, p.Meanwhile = version(&stored), what
		}
	}
	again := func(f ui.Frame) error {
		if err := d.fill(r.Context(), v, p, s.Channels); err != nil {
			return err
		}
		return d.render(w, r, v, "edit", "Show", f, p)
	}
	if f.Status != 0 {
		return again(f)
	}
	said := "saved"
	if s.ID == 0 {
		s.ID, said = commerce.NewID(time.Now()), "made"
	}
	if s.State == commerce.ShowLive {
		err = d.mayStart(r.Context(), v, s)
	}
	if err == nil {
		err = d.put(r.Context(), v, s)
	}
	if err != nil {
		if status, sentence, known := ui.Explain(err); known { // what was typed is not lost
			return again(ui.Frame{Status: status, Trouble: "Not saved yet. " + sentence})
		}
		return err
	}
	to := "/shows/" + s.ID.String()
	if said == "made" { // the video is set up next
		to += "/edit"
	}
	http.Redirect(w, r, to+"?said="+said, http.StatusSeeOther)
	return nil
}

// put puts a show in place. What is on air is left to the desk, which knows what the host did this moment.
func (d *Desk) put(ctx context.Context, v *Visitor, s *commerce.Show) error {
	s.Lineup.OnAir = 0
	_, err := d.Hub.Ask(ctx, v.Merchant.ID, commerce.Key{}, commerce.SetShow{Show: *s})
	return err
}

// typed is the form as typed.
func typed(r *http.Request, s *commerce.Show) *editPage {
	f := r.PostForm
	field := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	p := &editPage{
		ID: s.ID, State: s.State, Title: field("title"), Name: strings.ToLower(field("name")), Hold: field("hold"), Holds: f.Get("holds"), PayOnce: field("pay_once"), Cap: field("cap_show"),
		Share: field("share"), Unpaid: field("unpaid"), Version: f.Get("version"), Wrong: map[string]string{}, posted: f["channel"],
		Styles: stylesOf(commerce.Styles{Boutique: f.Has(boutique), Plus: f.Has(plus), NumberOnly: f.Has(numberOnly)}),
	}
	at := func(name string, i int) string {
		if i < len(f[name]) {
			return strings.TrimSpace(f[name][i])
		}
		return ""
	}
	for i := range min(len(f["product"]), linesMax) {
		p.Lines = append(p.Lines, lineForm{
			Product: at("product", i), Number: at("number", i), Code: at("code", i), Price: at("price", i), Cap: at("cap", i), Hold: at("item_hold", i), First: at("first", i),
		})
	}
	return p
}

// read turns the form into the show; what cannot be used is told in p.Wrong.
func (d *Desk) read(ctx context.Context, v *Visitor, p *editPage, s *commerce.Show, products []commerce.Product) error {
	if s.Title = p.Title; p.Title == "" || len([]rune(p.Title)) > 80 {
		p.Wrong["title"] = "A show needs a title of at most 80 letters."
	}
	if p.Name == "" {
		p.Name = slug(p.Title)
	}
	s.Name = p.Name
	if !addressName.MatchString(p.Name) {
		p.Wrong["name"] = "Use small letters, digits and hyphens, for example spring-sale."
	} else if _, other, err := d.DB.ShowNamed(ctx, p.Name); err == nil && other != s.ID {
		p.Wrong["name"] = "Another show has this address. Choose a different one."
	} else if err != nil && !sqldb.IsNotFound(err) {
		return err
	}
	var wrong string
	if s.Hold, wrong = holdTime(p.Hold); wrong != "" {
		p.Wrong["hold"] = wrong
	}
	p.terms(s)
	switch s.Holds = commerce.StoreHolds(p.Holds); s.Holds {
	case commerce.HoldsDraft, commerce.HoldsLink:
	default:
		s.Holds = commerce.HoldsDraft
	}
	s.Lineup.Styles = commerce.Styles{Boutique: p.Styles[0].On, Plus: p.Styles[1].On, NumberOnly: p.Styles[2].On}
	return d.readLines(ctx, v, p, s, products)
}

func (d *Desk) readLines(ctx context.Context, v *Visitor, p *editPage, s *commerce.Show, products []commerce.Product) error {
	old := s.Lineup.Items
	s.Lineup.Items = nil
	used := map[int]bool{}
	for i := range p.Lines {
		if n, err := strconv.Atoi(p.Lines[i].Number); err == nil && p.Lines[i].Product != "" {
			used[n] = true
		}
	}
	seen, codes := map[int]bool{}, map[string]bool{}
	for i := range p.Lines {
		l := &p.Lines[i]
		if l.Product == "" {
			continue
		}
		it, wrong := itemFrom(l, v.Merchant.Currency, products, old, used)
		if wrong == "" && seen[it.Number] {
			wrong = "Number " + l.Number + " is there twice."
		}
		if code := rules.Fold(it.Code); wrong == "" && code != "" {
			if codes[code] {
				wrong = "Code " + it.Code + " is there twice."
			}
			codes[code] = true
		}
		if wrong == "" && s.Holds == commerce.HoldsLink && it.Price.Minor > 0 {
			wrong = "A price of its own needs store holds by draft order: a cart link cannot carry it."
		}
		if wrong != "" {
			l.Wrong, p.Wrong["lineup"] = wrong, "An item needs another look."
			continue
		}
		seen[it.Number] = true
		s.Lineup.Items = append(s.Lineup.Items, it)
	}
	known, err := d.DB.Channels(ctx, v.Merchant.ID)
	if err != nil {
		return err
	}
	// The names as posted, in the order of the merchant's channels, so that nobody listens to a stranger's chat.
	s.Channels = nil
	for _, c := range known {
		for _, value := range p.posted {
			if value == c.String() {
				s.Channels = append(s.Channels, c.Channel)
			}
		}
	}
	return nil
}

// itemFrom reads one line of the lineup. It keeps what the form does not show of an item that was there before.
func itemFrom(l *lineForm, currency string, products []commerce.Product, old []commerce.Item, used map[int]bool) (it commerce.Item, wrong string) {
	for i := range products {
		if products[i].ID.String() == l.Product {
			it.Product = products[i]
		}
	}
	if len(it.Product.Variants) == 0 {
		return it, "This product cannot be sold: it has no variant."
	}
	if l.Number == "" {
		n := 1
		for used[n] {
			n++
		}
		used[n] = true
		l.Number = strconv.Itoa(n)
	}
	n, err := strconv.Atoi(l.Number)
	if err != nil || n < 1 || n > 9999 {
		return it, "The number is 1 to 9999."
	}
	for i := range old {
		if old[i].Number == n && old[i].Product.ID == it.Product.ID {
			it.Closed = old[i].Closed
		}
	}
	it.Number = n
	if it.Code = l.Code; it.Code != "" && (len(it.Code) > 20 || !itemCode.MatchString(it.Code)) {
		return it, "The code is letters and digits, such as A1, at most 20 of them and not digits alone."
	}
	if l.Price != "" {
		m, err := commerce.ParseMoney(strings.ReplaceAll(l.Price, ",", "."), currency)
		if err != nil || m.Minor <= 0 {
			return it, "The price is an amount such as 19.90, or empty for the store's."
		}
		it.Price = m
	}
	if l.Cap != "" {
		if it.Cap, err = strconv.Atoi(l.Cap); err != nil || it.Cap < 1 || it.Cap > 9999 {
			return it, "The cap is a number of pieces for each person, or empty for none."
		}
	}
	it.FirstPaid = l.First == "1"
	if l.Hold != "" {
		it.Hold, wrong = holdTime(l.Hold)
	}
	if wrong != "" {
		return it, "Hold time: " + wrong
	}
	return it, ""
}

// slug makes an address name of a title.
func slug(title string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(title) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := b.String()
	return strings.Trim(s[:min(len(s), 40)], "-")
}

// Blank is an empty line with the same choices.
func (l lineForm) Blank() lineForm { return lineForm{Products: l.Products} }
