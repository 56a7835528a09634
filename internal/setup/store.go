package setup

import (
	"net/url"
	"slices"
	"strings"

	"hawker/internal/plain"
)

type store struct {
	at                          Pos
	kind, shop, clientID, holds val[string]
	secrets
	products []product
}

type product struct {
	at                Pos
	sku, title, image val[string]
	options, tags     []val[string]
	variants          []variant
	listed            bool // variants stand in the file; else it has one
	tagged            bool // tags stand in the file; else they stay
}

type variant struct {
	at      Pos
	sku     val[string]
	options []string
	price   val[string]
	stock   val[int]
}

func (f *File) readStore(o *object) {
	defer o.close()
	o.need("kind")
	s := &store{at: o.at, kind: o.choice("kind", "shopify", "own")}
	s.shop = o.match("shop", shopForm, "the store's own host name, such as demo.myshopify.com")
	s.clientID = o.text("client_id", 100)
	s.holds = readHolds(o)
	s.secrets = f.readSecrets(o, "token_env", "refresh_env", "client_secret_env", "webhook_secret_env")
	list := o.list("products")
	for _, n := range list {
		s.readProduct(o.r.object(n, "a product"))
	}
	f.store = s
	switch s.kind.v {
	case "shopify":
		o.need("shop")
		if len(list) > 0 {
			o.r.fault(o.by["products"].At, "a Shopify store has its own products; only kind: own lists them here")
		}
		app := s.clientID.set() && s.named("client_secret_env").set()
		if !app && !s.named("token_env").set() && !s.connected.set() {
			o.r.hint(o.at, "or client_id and client_secret_env of the store's own app, or connected: true when it was connected in the dashboard",
				"store needs token_env")
		}
	case "own":
		for _, k := range []string{"shop", "client_id", "token_env", "refresh_env", "client_secret_env", "webhook_secret_env", "connected"} {
			if o.by[k] != nil {
				o.r.fault(o.by[k].At, "%s is for kind: shopify", k)
			}
		}
	}
}

// readHolds reads how stock is set aside in the store.
func readHolds(o *object) val[string] {
	h := o.choice("holds", "draft", "link", "allotment")
	if h.v == "allotment" {
		o.r.fault(h.at, "allotment is not built yet; use draft or link")
	}
	return h
}

func (s *store) readProduct(o *object) {
	defer o.close()
	o.need("title")
	p := product{at: o.at, sku: o.text("sku", 80), title: o.text("title", 120), image: o.text("image", 2000), options: o.words("options"), tags: o.words("tags")}
	if i := p.image; i.v != "" {
		if u, err := url.Parse(i.v); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			o.r.fault(i.at, "image is %q; want an address such as https://example.com/mug.jpg", plain.Cut(i.v))
		}
	}
	price, stock := o.price("price"), o.number("stock", 0, maxStock)
	if len(p.options) > 3 {
		o.r.fault(p.options[3].at, "a product has at most 3 options")
	}
	list := o.list("variants")
	p.listed, p.tagged = o.by["variants"] != nil, o.by["tags"] != nil
	if !p.listed {
		o.need("sku", "price")
		if len(p.options) > 0 {
			o.r.fault(o.at, "%s has options and no variants", o.what)
		}
		p.variants = []variant{{at: o.at, sku: p.sku, price: price, stock: stock}}
	} else if stock.set() {
		o.r.fault(stock.at, "stock stands at each variant where a product lists variants")
	}
	for _, n := range list {
		p.readVariant(o.r.object(n, "a variant"), price)
	}
	for _, v := range p.variants {
		if line := s.line(v.sku.v); line > 0 {
			o.r.fault(v.sku.at, "sku %s stands in line %d already", v.sku.v, line)
		}
	}
	s.products = append(s.products, p)
}

// line is where a sku stands among the products read so far, 0 for nowhere.
func (s *store) line(sku string) int {
	for i := range s.products {
		for _, w := range s.products[i].variants {
			if sku != "" && w.sku.v == sku {
				return w.sku.at.Line
			}
		}
	}
	return 0
}

// maxStock is how many pieces of one variant a file may say.
const maxStock = 1_000_000

func (p *product) readVariant(o *object, price val[string]) {
	defer o.close()
	v := variant{at: o.at, sku: o.text("sku", 80), price: o.price("price"), stock: o.number("stock", 0, maxStock)}
	options := o.words("options")
	for _, w := range options {
		v.options = append(v.options, w.v)
	}
	if !v.price.set() {
		v.price = price
	}
	if !v.price.set() {
		o.need("price")
	}
	if !v.sku.set() && p.sku.v != "" && len(options) > 0 { // TEE and M make TEE-M
		v.sku = val[string]{p.sku.v + "-" + strings.Join(v.options, "-"), o.at}
	}
	if !v.sku.set() {
		o.need("sku")
	}
	if len(options) != len(p.options) && o.ok {
		o.r.fault(o.at, "a variant has one value for each option: %d here, %d in the product's options", len(options), len(p.options))
	}
	for _, w := range p.variants {
		switch {
		case v.sku.v != "" && v.sku.v == w.sku.v:
			o.r.fault(v.sku.at, "sku %s stands in line %d already", v.sku.v, w.sku.at.Line)
		case slices.Equal(v.options, w.options) && o.ok:
			o.r.fault(o.at, "the variant in line %d has the same options", w.at.Line)
		}
	}
	p.variants = append(p.variants, v)
}
