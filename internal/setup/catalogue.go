package setup

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb"
)

// newID makes an ID above all that the plan made before: what is made in one millisecond keeps the file's order.
func (p *plan) newID() commerce.ID {
	p.lastID = max(commerce.NewID(time.Now()), p.lastID+1)
	return p.lastID
}

// money reads a price in the merchant's currency.
func (p *plan) money(v val[string]) commerce.Money {
	if v.v == "" {
		return commerce.Money{}
	}
	m, err := commerce.ParseMoney(v.v, p.merchant.Currency)
	if err != nil {
		p.fault(v.at, "%v", err)
	}
	return m
}

// planProducts compares the products of a store of the merchant's own. They are known by the sku of their variants.
func (p *plan) planProducts(context.Context) error {
	p.products = slices.Clone(p.w.products)
	if p.f.store == nil {
		return nil
	}
	for i := range p.f.store.products {
		f := &p.f.store.products[i]
		at, two := -1, false
		for _, v := range f.variants {
			j := slices.IndexFunc(p.products, func(x commerce.Product) bool { return x.Store == "" && variantOf(&x, v.sku.v) != nil })
			if two = two || j >= 0 && at >= 0 && j != at; two {
				p.fault(v.sku.at, "sku %s belongs to %q, and another one here to %q", v.sku.v, p.products[j].Title, p.products[at].Title)
				break
			}
			if j >= 0 {
				at = j
			}
		}
		if two {
			continue
		}
		var old commerce.Product
		if at >= 0 {
			old = p.products[at]
		}
		now := p.product(f, old)
		if at >= 0 {
			p.products[at] = now
		} else {
			p.products = append(p.products, now)
		}
		if !sameProduct(&now, &old) {
			p.changed = append(p.changed, now)
		}
	}
	return nil
}

// product is old with what the file says.
func (p *plan) product(f *product, old commerce.Product) commerce.Product {
	now := commerce.Product{ID: old.ID, Title: f.title.v, Image: f.image.or(old.Image)}
	if now.ID == 0 {
		now.ID = p.newID()
	}
	for _, o := range f.options {
		now.Options = append(now.Options, o.v)
	}
	if now.Tags = old.Tags; f.tagged {
		now.Tags = nil
		for _, t := range f.tags {
			now.Tags = append(now.Tags, t.v)
		}
	}
	var want []commerce.Variant
	for i := range f.variants {
		v := &f.variants[i]
		x := commerce.Variant{SKU: v.sku.v, Options: v.options, Price: p.money(v.price)}
		known := variantOf(&old, x.SKU)
		if known != nil {
			x.ID = known.ID
		} else {
			x.ID = p.newID()
		}
		want = append(want, x)
		p.planStock(v.stock, x.SKU, x.ID, known == nil)
	}
	now.Variants = merge(old.Variants, want, func(v commerce.Variant) string { return v.SKU })
	for _, v := range now.Variants {
		if len(v.Options) != len(now.Options) {
			p.fault(f.at, "variant %s has %d options, the product now %d; list it too", v.SKU, len(v.Options), len(now.Options))
		}
	}
	return now
}

// planStock sets stock where the file's figure is new; what was sold since the last apply is not put back.
func (p *plan) planStock(n val[int], sku string, id commerce.ID, made bool) {
	if !n.set() {
		return
	}
	m := mark{Sum: strconv.Itoa(n.v)}
	if made || p.marks[stockMark(sku)].Sum != m.Sum {
		p.stock = append(p.stock, stockOf{id, sku, int64(n.v)})
	}
	p.marks[stockMark(sku)] = m
}

func variantOf(x *commerce.Product, sku string) *commerce.Variant {
	for i := range x.Variants {
		if x.Variants[i].SKU == sku {
			return &x.Variants[i]
		}
	}
	return nil
}

func sameProduct(a, b *commerce.Product) bool {
	return a.ID == b.ID && a.Title == b.Title && a.Image == b.Image && a.Store == b.Store && slices.Equal(a.Options, b.Options) && slices.Equal(a.Tags, b.Tags) &&
		slices.EqualFunc(a.Variants, b.Variants, func(x, y commerce.Variant) bool {
			return x.ID == y.ID && x.SKU == y.SKU && slices.Equal(x.Options, y.Options) && x.Price == y.Price && x.Store == y.Store && x.Inventory == y.Inventory
		})
}

// catalogue finds products for a lineup, asking the store once for what is not known here.
type catalogue struct {
	p     *plan
	asked bool
	store []commerce.Product
}

// find gives the product that an item names. The variant with the very sku counts first; else "TEE" finds the product whose
// variants are TEE-S, TEE-M and so on.
func (c *catalogue) find(ctx context.Context, it *item) (*commerce.Product, error) {
	for {
		for _, fits := range []func(*commerce.Product) bool{
			func(x *commerce.Product) bool { return it.product.v != "" && x.Store == it.product.v },
			func(x *commerce.Product) bool { return it.sku.v != "" && variantOf(x, it.sku.v) != nil },
			func(x *commerce.Product) bool { return it.sku.v != "" && allBegin(x, it.sku.v+"-") },
		} {
			if x, many := c.only(fits); many {
				c.p.fault(it.sku.at, "several products have sku %s; name one by product:", it.sku.v)
				return nil, nil
			} else if x != nil {
				return x, nil
			}
		}
		if more, err := c.ask(ctx, it); !more || err != nil {
			return nil, err
		}
	}
}

func allBegin(x *commerce.Product, prefix string) bool {
	return len(x.Variants) > 0 && !slices.ContainsFunc(x.Variants, func(v commerce.Variant) bool { return !strings.HasPrefix(v.SKU, prefix) })
}

// only finds the one product that fits; many when there are two.
func (c *catalogue) only(fits func(*commerce.Product) bool) (found *commerce.Product, many bool) {
	for i := range c.p.products {
		if x := &c.p.products[i]; fits(x) {
			if found != nil {
				return nil, true
			}
			found = x
		}
	}
	return found, false
}

// ask reads the store's catalogue and puts what an item names among the products; more when it found something.
func (c *catalogue) ask(ctx context.Context, it *item) (more bool, err error) {
	p := c.p
	st := p.storeNow()
	name, at := "product with sku "+it.sku.v, it.sku.at
	if it.product.set() {
		name, at = "product "+it.product.v, it.product.at
	}
	switch {
	case st.Kind == "":
		p.hint(at, "write store:, or connect one in the dashboard", "there is no store, so no %s", name)
		return false, nil
	case st.Kind != "shopify":
		p.hint(at, "list it in products:", "there is no %s", name)
		return false, nil
	case p.s.Catalogue == nil:
		p.fault(at, "there is no %s", name)
		return false, nil
	}
	if !c.asked && len(p.faults) == 0 { // a file with a fault does not trouble the store
		if c.store, err = p.s.Catalogue(ctx, p.merchant.ID, st); err != nil {
			return false, fmt.Errorf("read the products of %s: %w", st.Shop, err)
		}
		c.asked = true
	}
	if !c.asked {
		return false, nil
	}
	for _, x := range c.store {
		fits := it.product.v != "" && x.Store == it.product.v || it.sku.v != "" && (variantOf(&x, it.sku.v) != nil || allBegin(&x, it.sku.v+"-"))
		if !fits || slices.ContainsFunc(p.products, func(y commerce.Product) bool { return y.Store == x.Store && y.Store != "" }) {
			continue
		}
		x.ID = p.newID()
		x.Variants = slices.Clone(x.Variants)
		for i := range x.Variants {
			x.Variants[i].ID = p.newID()
			if cur := x.Variants[i].Price.Currency; cur != p.merchant.Currency {
				p.fault(at, "the store sells in %s, the merchant's currency is %s", cur, p.merchant.Currency)
				return false, nil
			}
		}
		p.products, p.changed, more = append(p.products, x), append(p.changed, x), true
	}
	if !more {
		p.fault(at, "the store has no %s", name)
	}
	return more, nil
}

// planShows looks at what shows name: products, channels, keys, and each other.
func (p *plan) planShows(ctx context.Context) error {
	c := &catalogue{p: p}
	for i := range p.f.shows {
		f := &p.f.shows[i]
		merchant, _, err := p.s.DB.ShowNamed(ctx, f.name.v)
		switch {
		case err == nil && merchant != p.merchant.ID:
			p.fault(f.name.at, "another merchant has a show named %s", f.name.v)
		case err != nil && !sqldb.IsNotFound(err):
			return err
		}
		old := p.stored(f.name.v)
		if old != nil && old.State == commerce.ShowEnded {
			p.note("show %s is over and stays as it was; give a new one another name", f.name.v)
			p.over[f.name.v] = true
			continue
		}
		for j := range f.lineup {
			if err := p.planItem(ctx, c, f, &f.lineup[j], old); err != nil {
				return err
			}
		}
		for _, ch := range f.channels {
			if !slices.ContainsFunc(p.w.channels, func(x sqldb.Channel) bool { return x.Channel == ch.v }) &&
				!slices.ContainsFunc(p.f.channels, func(x channel) bool { return x.id == ch.v }) {
				p.hint(ch.at, "list it under channels:", "channel %s is not known", ch.v)
			}
		}
		if err := p.planKeys(ctx, f, old); err != nil {
			return err
		}
	}
	p.clashes()
	return nil
}

func (p *plan) stored(show string) *commerce.Show {
	for i := range p.w.shows {
		if p.w.shows[i].Name == show {
			return &p.w.shows[i]
		}
	}
	return nil
}

func (p *plan) planItem(ctx context.Context, c *catalogue, f *show, it *item, old *commerce.Show) error {
	holds := f.holds.v
	if holds == "" && old != nil {
		holds = string(old.Holds)
	}
	if holds == "" {
		holds = string(p.storeNow().Holds)
	}
	if it.price.set() && holds == string(commerce.HoldsLink) && p.storeNow().Kind == "shopify" {
		p.fault(it.price.at, "with holds: link the store's own price is paid; leave price out or use draft")
	}
	p.money(it.price)
	var x *commerce.Product
	if it.sku.set() || it.product.set() {
		var err error
		if x, err = c.find(ctx, it); err != nil || x == nil {
			return err
		}
	} else if old != nil {
		if o := old.Lineup.Item(it.number.v); o != nil {
			i := slices.IndexFunc(p.products, func(y commerce.Product) bool { return y.ID == o.Product.ID })
			if i >= 0 {
				x = &p.products[i]
			}
		}
	}
	if x == nil {
		p.fault(it.at, "item %d is new in show %s and needs sku", it.number.v, f.name.v)
		return nil
	}
	p.items[it] = x.ID
	if it.keep.set() {
		p.planKept(it.keep, x)
	}
	switch {
	case !it.stock.set():
	case x.Store != "":
		p.fault(it.stock.at, "the store counts the stock of %q; change it there", x.Title)
	case len(x.Variants) > 1:
		p.fault(it.stock.at, "%q has %d variants; write stock at each of them under products:", x.Title, len(x.Variants))
	default:
		made := !slices.ContainsFunc(p.w.products, func(y commerce.Product) bool { return y.ID == x.ID })
		p.planStock(it.stock, x.Variants[0].SKU, x.Variants[0].ID, made)
	}
	return nil
}

// planKeys reads stream keys.
func (p *plan) planKeys(ctx context.Context, f *show, old *commerce.Show) error {
	if in := f.ingest; in != nil {
		values, fresh := p.secrets(in, ingestMark(f.name.v))
		key := values["key_env"]
		if old != nil && !fresh {
			if _, err := p.s.DB.IngestOf(ctx, p.merchant.ID, old.ID); sqldb.IsNotFound(err) {
				fresh = true
			} else if err != nil {
				return err
			}
		}
		switch {
		case values == nil:
			if old == nil || fresh {
				p.note("show %s has no stream key yet: make one in the dashboard", f.name.v)
			}
		case key == "": // the fault is noted
		case len(key) < 8 || strings.ContainsAny(key, " \t\r\n/?#"):
			p.fault(in.named("key_env").at, "the stream key in %s wants 8 characters or more, without blanks and / ? #", in.named("key_env").v)
		default:
			merchant, id, err := p.s.DB.ShowOfKey(ctx, key)
			if err != nil && !sqldb.IsNotFound(err) {
				return err
			}
			taken := err == nil && (merchant != p.merchant.ID || old == nil || id != old.ID)
			for _, other := range p.f.shows {
				taken = taken || other.ingest != nil && other.ingest != in && p.keys[other.ingest] == key
			}
			if taken {
				p.fault(in.named("key_env").at, "the stream key in %s belongs to another show", in.named("key_env").v)
			}
			p.keys[in] = ""
			if fresh || old == nil {
				p.keys[in] = key
			}
		}
	}
	for i := range f.destinations {
		d := &f.destinations[i]
		if values, fresh := p.secrets(&d.secrets, destinationMark(f.name.v, d.name.v)); fresh || old == nil {
			p.keys[&d.secrets] = values["key_env"]
		}
	}
	return nil
}

// clashes reports channels that would be in two live shows at once.
func (p *plan) clashes() {
	type busy struct {
		name string
		at   Pos
	}
	by := map[chat.Channel]busy{}
	for i := range p.w.shows {
		if s := &p.w.shows[i]; s.State == commerce.ShowLive && !slices.ContainsFunc(p.f.shows, func(f show) bool { return f.name.v == s.Name && f.channels != nil }) {
			for _, c := range s.Channels {
				by[c] = busy{name: s.Name}
			}
		}
	}
	for i := range p.f.shows {
		f := &p.f.shows[i]
		old := p.stored(f.name.v)
		if p.over[f.name.v] || old == nil && !f.live.v || old != nil && old.State != commerce.ShowLive {
			continue
		}
		for _, c := range f.channels {
			if b, ok := by[c.v]; ok && b.name != f.name.v {
				p.hint(c.at, "end the other show first", "channel %s is in show %s, which is live", c.v, b.name)
				continue
			}
			by[c.v] = busy{f.name.v, c.at}
		}
	}
}
