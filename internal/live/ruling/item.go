package ruling

import (
	"strings"

	"hawker/commerce"
	"hawker/rules/facts"
)

// What rules are told of items. A back-test tells them the same of its own desk.

// Item fills in the item of a show that something is about, or the one on air, and how it stands with it. h is what happened, nil
// for a line.
func Item(f *facts.Facts, d *commerce.Desk, s *commerce.Show, a *About, h *Happening) {
	number := a.Number
	if number == 0 {
		number = s.Lineup.OnAir
	}
	it := s.Lineup.Item(number)
	if it == nil {
		return
	}
	f.Item = facts.Item{Number: number, Title: it.Product.Title, Tags: it.Product.Tags}
	v := it.Variant(a.Variant)
	if v != nil {
		f.Item.Variant = v.Label()
	} else if len(it.Product.Variants) > 0 {
		v = &it.Product.Variants[0]
	}
	if v != nil {
		f.Item.Price = it.PriceOf(v)
	}
	f.Stock = StockOf(d, it)
	if h != nil {
		h.Known(f)
	}
}

// Known fills in what the happening itself says of the item.
func (h *Happening) Known(f *facts.Facts) {
	if h.Title != "" {
		f.Item.Number, f.Item.Title, f.Item.Variant, f.Item.Price = h.Number, h.Title, h.Label, h.Price
	}
	if h.Stock {
		f.Stock.Known, f.Stock.Left, f.Stock.Before = true, h.Left, h.Before
	}
}

// onSaleMost is how many items are said to be on sale.
const onSaleMost = 5

// OnSale is what a show sells just now, as word puts each item: what is on air first.
func OnSale(d *commerce.Desk, s *commerce.Show, word func(*commerce.ItemView) string) string {
	var out []string
	for _, onAir := range []bool{true, false} {
		for i := range s.Lineup.Items {
			it := &s.Lineup.Items[i]
			if it.Closed || (it.Number == s.Lineup.OnAir) != onAir || len(out) == onSaleMost {
				continue
			}
			st := StockOf(d, it)
			if st.Left == 0 {
				continue
			}
			v := commerce.ItemView{Item: *it, Free: st.Left, Held: st.Held}
			if len(it.Product.Variants) > 0 {
				v.Stock = []commerce.VariantView{{Price: it.PriceOf(&it.Product.Variants[0])}}
			}
			out = append(out, word(&v))
		}
	}
	return strings.Join(out, " · ")
}

// StockOf is how it stands with all variants of an item. Left is -1 when there is no end of one of them.
func StockOf(d *commerce.Desk, it *commerce.Item) facts.Stock {
	st := facts.Stock{Known: true}
	for i := range it.Product.Variants {
		row, ok := d.Stock(it.Product.Variants[i].ID)
		if !ok {
			continue
		}
		st.Held, st.Sold = st.Held+row.Held, st.Sold+row.Sold
		if n := row.Free(); n < 0 || st.Left < 0 {
			st.Left = -1
		} else {
			st.Left += n
		}
	}
	st.Before = st.Left
	return st
}
