package wording

import (
	"cmp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/lang"
)

// How much of a list one answer has room for.
const (
	shopMost = 5
	mineMost = 4
)

// inStock is from how many pieces on the number is not told (product rule: stock words).
const inStock = 10

// fit puts as many parts into a list as limit code points have room for beside the link, at least one, so that the link is never
// what is cut off; 0 or less is no limit.
func fit(form string, parts []string, after string, limit int) string {
	for {
		text := lang.Fill(form, "list", strings.Join(parts, "; ")) + after
		if limit <= 0 || len(parts) == 1 || utf8.RuneCountInString(text)-len("{link}") <= limit {
			return text
		}
		parts = parts[:len(parts)-1]
	}
}

// Mine lists what a viewer holds, waits for and paid; {link} in it is where that is paid, or told more of. It fits in limit code points
// beside the link.
func (t *Teller) Mine(v *commerce.ReceiptView, now time.Time, limit int) string {
	l := t.Lang
	after := l.Details
	var parts []string
	for _, h := range v.Holds {
		if !h.Open() || len(parts) == mineMost {
			continue
		}
		form := l.MeHold
		if !t.PayOnce || h.State == commerce.StateOffered {
			after = l.Pay
		}
		switch {
		case h.State == commerce.StateOffered:
			form = l.MeOffered
		case t.PayOnce:
			form = l.MeOnce
		case h.Frozen:
			form = l.MeFrozen
		}
		o := commerce.Outcome{Title: h.Title, Label: h.Label}
		parts = append(parts, lang.Fill(form, "n", strconv.Itoa(h.Number), "what", what(&o, h.Quantity, Short), "time", l.Span(heldFor(h.Due, now))))
	}
	for _, p := range v.Places {
		if len(parts) == mineMost {
			break
		}
		o := commerce.Outcome{Title: p.Title, Label: p.Label}
		parts = append(parts, lang.Fill(l.MePlace, "n", strconv.Itoa(p.Number), "what", what(&o, p.Quantity, Short), "place", strconv.Itoa(p.Position)))
	}
	for _, h := range v.Holds {
		if h.State == commerce.StatePaid && len(parts) < mineMost {
			o := commerce.Outcome{Title: h.Title, Label: h.Label}
			parts = append(parts, lang.Fill(l.MePaid, "n", strconv.Itoa(h.Number), "what", what(&o, h.Quantity, Short)))
		}
	}
	if len(parts) == 0 {
		return l.CartEmpty
	}
	return fit(l.Me, parts, after, limit)
}

// Shop lists what is on sale, the item on air first; {link} in it is the show's page. It fits in limit code points beside
// the link.
func (t *Teller) Shop(v *commerce.ShowView, limit int) string {
	l := t.Lang
	var parts []string
	add := func(onAir bool) {
		for i := range v.Items {
			it := &v.Items[i]
			if !it.Closed && (it.Number == v.Show.Lineup.OnAir) == onAir && len(parts) < shopMost {
				parts = append(parts, t.Item(it))
			}
		}
	}
	add(true)
	add(false)
	if len(parts) == 0 {
		return l.ShopEmpty
	}
	return fit(l.Shop, parts, " {link}", limit)
}

// Item is an item with its price and how many are left.
func (t *Teller) Item(it *commerce.ItemView) string {
	l := t.Lang
	left := l.InStock
	switch {
	case it.Free == 0 && it.Held > 0:
		left = l.AllHeld
	case it.Free == 0:
		left = l.Reasons[commerce.SoldOut]
	case it.Free > 0 && it.Free <= inStock:
		left = lang.Fill(l.LeftNumber, "n", strconv.FormatInt(it.Free, 10))
	}
	price := it.Price
	for i := range it.Stock {
		price = cmp.Or(price, it.Stock[i].Price)
	}
	return lang.Fill(l.ItemLine, "n", strconv.Itoa(it.Number), "item", shorten(it.Product.Title, Short), "price", price.String(), "left", left)
}
