package shopifysim_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"hawker/connectors/shopify/shopifysim"
)

func start(t testing.TB, o shopifysim.Options) *shopifysim.Sim {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := shopifysim.New(o)
	t.Cleanup(s.Close)
	s.Start(l)
	return s
}

// browser walks through a store's pages.
type browser struct {
	t    *testing.T
	s    *shopifysim.Sim
	h    http.Client
	at   string // the path it ended at
	code int
	text string
	doc  *html.Node
}

func visit(t *testing.T, s *shopifysim.Sim) *browser {
	b := &browser{t: t, s: s}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	b.h.Transport = tr
	return b
}

func (b *browser) do(req *http.Request, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.h.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at, b.code, b.text = resp.Request.URL.Path, resp.StatusCode, string(body)
	if b.doc, err = html.Parse(strings.NewReader(b.text)); err != nil {
		b.t.Fatal(err)
	}
	csp := resp.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'") || strings.Contains(csp, "script") {
		b.t.Errorf("%s: Content-Security-Policy is %q", b.at, csp)
	}
	b.lawful()
}

func (b *browser) get(path string) *browser {
	b.t.Helper()
	b.do(http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.s.URL()+strings.TrimPrefix(path, b.s.URL()), nil))
	return b
}

// send sends the page's form, filled in as it is but for change.
func (b *browser) send(change map[string]string) *browser {
	b.t.Helper()
	form := b.one("form")
	v := url.Values{}
	for _, in := range find(form, "input") {
		if attr(in, "type") != "radio" {
			v.Set(attr(in, "name"), attr(in, "value"))
		}
	}
	for k, x := range change {
		v.Set(k, x)
	}
	to := b.s.URL() + attr(form, "action")
	if attr(form, "method") == "get" {
		b.do(http.NewRequestWithContext(b.t.Context(), http.MethodGet, to+"?"+v.Encode(), nil))
		return b
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, to, strings.NewReader(v.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	b.do(req, err)
	return b
}

func find(n *html.Node, tag string) []*html.Node {
	var out []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag {
			out = append(out, d)
		}
	}
	return out
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func words(n *html.Node) string {
	var s strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "style" {
			s.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(s.String()), " ")
}

func (b *browser) one(tag string) *html.Node {
	b.t.Helper()
	all := find(b.doc, tag)
	if len(all) != 1 {
		b.t.Fatalf("%s has %d <%s>; want one", b.at, len(all), tag)
	}
	return all[0]
}

func (b *browser) says(code int, parts ...string) *browser {
	b.t.Helper()
	if b.code != code {
		b.t.Errorf("%s: status %d; want %d", b.at, b.code, code)
	}
	said := words(b.doc)
	for _, p := range parts {
		if !strings.Contains(said, p) {
			b.t.Errorf("%s does not say %q: %s", b.at, p, said)
		}
	}
	return b
}

// lawful checks what every page of the shop must have.
func (b *browser) lawful() {
	b.t.Helper()
	if title := words(b.one("title")); !strings.Contains(title, " · ") {
		b.t.Errorf("%s: title is %q", b.at, title)
	}
	if b.one("h1"); attr(b.one("html"), "lang") != "en" || attr(b.one("main"), "id") != "main" {
		b.t.Errorf("%s: no language, or nothing to skip to", b.at)
	}
	if !strings.Contains(words(b.doc), "Practice shop. Nothing is charged") {
		b.t.Errorf("%s does not say that it is for practice", b.at)
	}
	if !strings.Contains(b.text, "color-scheme: light dark") || !strings.Contains(b.text, `content="width=device-width, initial-scale=1"`) {
		b.t.Errorf("%s is not made for dark or for small screens", b.at)
	}
	if n := len(find(b.doc, "script")); n != 0 {
		b.t.Errorf("%s has %d scripts", b.at, n)
	}
	ids := map[string]bool{}
	for n := range b.doc.Descendants() {
		if id := attr(n, "id"); n.Type == html.ElementNode && id != "" {
			if ids[id] {
				b.t.Errorf("%s: two elements are %q", b.at, id)
			}
			ids[id] = true
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(a.Val, "javascript:") {
				b.t.Errorf("%s: %s=%q", b.at, a.Key, a.Val)
			}
		}
	}
	labels := map[string]bool{}
	for _, l := range find(b.doc, "label") {
		labels[attr(l, "for")] = true
	}
	for _, in := range find(b.doc, "input") {
		wrapped := false
		for p := range in.Ancestors() {
			wrapped = wrapped || p.Data == "label"
		}
		if attr(in, "type") != "hidden" && !wrapped && (attr(in, "id") == "" || !labels[attr(in, "id")]) {
			b.t.Errorf("%s: input %q has no label", b.at, attr(in, "name"))
		}
	}
	for _, img := range find(b.doc, "img") {
		if !has(img, "alt") || attr(img, "width") == "" || attr(img, "height") == "" {
			b.t.Errorf("%s: picture %s has no alt or size", b.at, attr(img, "src"))
		}
	}
	for n := range b.doc.Descendants() {
		if by := attr(n, "aria-labelledby"); by != "" && !ids[by] {
			b.t.Errorf("%s: %q names nothing", b.at, by)
		}
	}
}

// draftOf asks the API for a draft and returns its id and the page to pay it at.
func draftOf(t *testing.T, s *shopifysim.Sim, input map[string]any) shopifysim.Draft {
	t.Helper()
	out := ask(t, s, `mutation($in: DraftOrderInput!) { draftOrderCreate(input: $in) { draftOrder { id } userErrors { message } } }`,
		map[string]any{"in": input})
	created, _ := out.Data["draftOrderCreate"].(map[string]any)
	d, ok := created["draftOrder"].(map[string]any)
	if !ok {
		t.Fatalf("no draft: %+v", out)
	}
	for _, x := range s.Drafts() {
		if x.ID == d["id"] {
			return x
		}
	}
	t.Fatalf("the store does not have draft %v", d["id"])
	return shopifysim.Draft{}
}

func TestShopperBuys(t *testing.T) {
	s := start(t, shopifysim.Options{})
	b := visit(t, s)
	b.get("/").says(200, "Ana's Ceramics", "All pieces", "Speckled Mug", "from €22.00", "Moon Vase", "€120.00")
	b.get("/products/breakfast-bowl").says(200, "Breakfast Bowl", "Wide and low", "Choose one", "Oat", "Sea", "Buy it now")
	sea := strings.TrimPrefix(s.VariantID("BOWL-SEA"), "gid://shopify/ProductVariant/")
	b.send(map[string]string{"variant": sea}).says(200, "Checkout", "Your order", "Breakfast Bowl", "Sea", "1 piece", "€24.00", "Pay now")
	page := b.at
	if !strings.HasPrefix(page, "/checkouts/") {
		t.Errorf("the checkout is at %s", page)
	}
	b.send(map[string]string{"first": `<b>"Kim"`, "city": "Ulm"}).
		says(200, `Thank you, <b>"Kim"!`, "Order #1001", "Ulm", "Breakfast Bowl", "Sea", "€24.00")
	if b.at != page+"/thank-you" || len(find(b.one("h1"), "b")) != 0 {
		t.Errorf("ended at %s", b.at)
	}
	if got := s.Orders(); len(got) != 1 || got[0].Total != "24.00" || got[0].Status != "paid" {
		t.Errorf("orders = %+v", got)
	}
	b.get(page).says(200, "Thank you") // going back does not pay twice
	if n := len(s.Orders()); b.at != page+"/thank-you" || n != 1 {
		t.Errorf("ended at %s with %d orders", b.at, n)
	}
	b.get("/products/studio-mug").send(nil).says(200, "Studio Mug", "Pay now · €19.00")
}

func TestPaidTwiceInTwoTabs(t *testing.T) {
	s := start(t, shopifysim.Options{})
	mug := s.VariantID("MUG-1")
	d := draftOf(t, s, map[string]any{"lineItems": []any{
		map[string]any{"variantId": mug, "quantity": 2, "priceOverride": map[string]any{"amount": "15.50", "currencyCode": "EUR"}},
	}})
	one, two := visit(t, s), visit(t, s)
	one.get(d.InvoiceURL).says(200, "2 pieces, €15.50 each", "was €38.00", "now €31.00", "Pay now · €31.00")
	two.get(d.InvoiceURL).says(200, "Pay now")
	if one.at == two.at {
		t.Error("two openings of an invoice are one checkout")
	}
	tab := two.at
	one.send(nil).says(200, "Thank you, Robin!", "Order #1001")
	two.send(nil).says(200, "Thank you, Robin!", "Order #1001")
	visit(t, s).get(tab).says(200, "Order #1001")
	visit(t, s).get(d.InvoiceURL).says(200, "Order #1001")
	if n := len(s.Orders()); n != 1 {
		t.Errorf("%d orders; want 1", n)
	}
}

// Who types a code sees the new total before paying; what does not apply is said, and the rest of the form stays.
func TestShopperHasACode(t *testing.T) {
	s := start(t, shopifysim.Options{})
	code := func(code string, value map[string]any) {
		ask(t, s, `mutation($d: DiscountCodeBasicInput!) { discountCodeBasicCreate(basicCodeDiscount: $d) { codeDiscountNode { id } userErrors { message } } }`,
			map[string]any{"d": map[string]any{
				"title": "Thanks", "code": code, "startsAt": "2026-01-01T00:00:00Z", "usageLimit": 1, "appliesOncePerCustomer": true,
				"context": map[string]any{"all": "ALL"}, "customerGets": map[string]any{"items": map[string]any{"all": true}, "value": value},
			}})
	}
	code("TENOFF", map[string]any{"percentage": 0.1})
	code("FIVE", map[string]any{"discountAmount": map[string]any{"amount": "5.00", "appliesOnEachItem": false}})
	mug := strings.TrimPrefix(s.VariantID("MUG-1"), "gid://shopify/ProductVariant/")
	b, late := visit(t, s), visit(t, s)
	late.get("/cart/"+mug+":2?discount=TENOFF").says(200, "Discount TENOFF", "−€3.80", "Pay now · €34.20")
	b.get("/cart/"+mug+":1?discount=NONE").says(200, "Pay now · €19.00")
	b.send(map[string]string{"discount": "wrong", "city": "Ulm"}).says(409, "Enter a valid discount code.", "Pay now · €19.00")
	b.send(map[string]string{"discount": "tenoff", "city": "Ulm"}).says(200, "Discount TENOFF", "−€1.90", "Pay now · €17.10")
	if n := len(s.Orders()); n != 0 {
		t.Fatalf("%d orders before the buyer agreed to the total", n)
	}
	b.send(nil).says(200, "Thank you", "Discount TENOFF", "−€1.90", "€17.10", "Ulm")
	late.send(nil).says(409, "This discount code was used already.", "Pay now · €38.00").send(nil).says(200, "Thank you", "€38.00")
	b.get("/cart/"+mug+":1?discount=FIVE").says(200, "Pay now · €14.00").send(map[string]string{"discount": ""}).says(200, "Pay now · €19.00")
	orders := s.Orders()
	if len(orders) != 2 || orders[0].Total != "17.10" || orders[1].Total != "38.00" {
		t.Errorf("orders = %+v", orders)
	}
	for _, allow := range []bool{false, true} {
		d := draftOf(t, s, map[string]any{
			"allowDiscountCodesInCheckout": allow, "lineItems": []any{map[string]any{"variantId": s.VariantID("MUG-1"), "quantity": 1}},
		})
		b.get(d.InvoiceURL).says(200, "Pay now · €19.00")
		if got := strings.Contains(words(b.doc), "Discount code"); got != allow {
			t.Errorf("a code can be typed: %v; want %v", got, allow)
		}
		if !allow {
			b.send(map[string]string{"discount": "FIVE"}).says(409, "Pay now · €19.00")
			continue
		}
		b.send(map[string]string{"discount": "FIVE"}).says(200, "Pay now · €14.00").send(nil).says(200, "Thank you", "€14.00")
	}
}

func TestShopperIsLate(t *testing.T) {
	s := start(t, shopifysim.Options{})
	b := visit(t, s)
	vase := strings.TrimPrefix(s.VariantID("VASE-1"), "gid://shopify/ProductVariant/")
	b.get("/cart/"+vase+":3").says(200, "Pay now")
	page := b.at
	if _, err := s.BuyOnline("VASE-1", 1); err != nil {
		t.Fatal(err)
	}
	b.send(nil).says(409, "Somebody was faster.", "Not enough of Moon Vase is left.", "You were not charged.", "Sold out")
	if len(find(b.doc, "form")) != 0 {
		t.Error("what is sold out can be paid")
	}
	b.get(page).says(200, "Somebody was faster.", "Check the shelf again")
	if err := s.SetStock("VASE-1", 3); err != nil {
		t.Fatal(err)
	}
	b.get(page).says(200, "Pay now").send(nil).says(200, "Thank you")
	b.get("/products/moon-vase").says(200, "Sold out for now.")
	b.get("/").says(200, "Sold out")

	d := draftOf(t, s, map[string]any{"lineItems": []any{map[string]any{"variantId": s.VariantID("MUG-1"), "quantity": 1}}})
	b.get(d.InvoiceURL).says(200, "Pay now")
	page = b.at
	other := visit(t, s).get(page)
	ask(t, s, `mutation($id: ID!) { draftOrderDelete(input: {id: $id}) { deletedId userErrors { message } } }`, map[string]any{"id": d.ID})
	b.get(page).says(410, "This checkout is over")
	other.send(nil).says(410, "This checkout is over", "Ask the shop for a new link.")
	b.get(d.InvoiceURL).says(404, "This invoice is no longer open")
}

func TestNowhere(t *testing.T) {
	s := start(t, shopifysim.Options{})
	b := visit(t, s)
	for _, path := range []string{"/x", "/products/x", "/buy", "/buy?variant=x", "/checkouts/x/thank-you", "/pictures", "/admin"} {
		b.get(path).says(404, "Page not found", "See all pieces")
	}
	for _, cart := range []string{"/cart/1:1", "/cart/x", "/cart/:", "/cart/,", "/cart/44000000002:0", "/cart/44000000002:-1", "/buy?variant=7"} {
		b.get(cart).says(404, "This cart is empty")
	}
	b.get("/checkouts/x").says(410, "This checkout is over")
	if _, err := s.PayCart("/cart/1:1"); err == nil {
		t.Error("an empty cart was paid")
	}
	if _, err := s.BuyOnline("NONE", 1); err == nil || errors.Is(err, shopifysim.ErrSoldOut) {
		t.Errorf("what is not sold was bought: %v", err)
	}
}

// Whatever a merchant writes into the catalogue is shown and never run.
func TestWildCatalogue(t *testing.T) {
	const wild = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	s := start(t, shopifysim.Options{Name: wild, Products: []shopifysim.Product{
		{Title: wild, Text: wild, Shape: wild, Glaze: `red" onload="alert(1)`, Options: []string{wild}, Variants: []shopifysim.Variant{
			{SKU: "A", Options: []string{wild}, Price: "1.00", Stock: 1}, {SKU: "B", Options: []string{"b"}, Price: "1.00"},
		}},
		{Title: strings.Repeat("Verylongword", 20), Variants: []shopifysim.Variant{{SKU: "C", Price: "123456.70", Endless: true}}},
	}})
	b := visit(t, s)
	b.get("/").says(200, wild)
	link := find(b.one("ul"), "a")[0]
	b.get(attr(link, "href")).says(200, wild)
	b.send(map[string]string{"variant": strings.TrimPrefix(s.VariantID("A"), "gid://shopify/ProductVariant/")}).says(200, wild, "Pay now")
	b.send(map[string]string{"first": wild, "email": wild}).says(200, "Thank you, "+wild)
	visit(t, start(t, shopifysim.Options{Products: []shopifysim.Product{}})).get("/").says(200, "The shelf is empty today.")
}

func TestPictures(t *testing.T) {
	s := start(t, shopifysim.Options{})
	b := visit(t, s).get("/")
	paths := []string{"/mark.svg"}
	for _, img := range find(b.doc, "img") {
		paths = append(paths, attr(img, "src"))
	}
	seen := map[string]bool{}
	for _, path := range paths {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := b.h.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("%s: %d, %v", path, resp.StatusCode, err)
		}
		if seen[string(body)] {
			t.Errorf("%s looks like another", path)
		}
		seen[string(body)] = true
		for d := xml.NewDecoder(strings.NewReader(string(body))); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", path, err)
				break
			}
		}
	}
	if len(paths) != 8 {
		t.Errorf("%d pictures; want one for each of 7 pieces and the shop's", len(paths)-1)
	}
}
