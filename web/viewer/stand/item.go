package stand

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"hawker/commerce"
	"hawker/internal/lang"
	"hawker/web/viewer/words"
)

// plenty is from how many pieces on their number is not told (product rule: stock words).
const plenty = 10

// mostAtOnce is the largest amount that the room offers in one tap; more goes by the chat.
const mostAtOnce = 5

// Item is an item as the room and the overlay show it.
type Item struct {
	Number              int
	Title, Image, Price string
	OnAir, One          bool
	Left, State         string // its stock in words, and the pill for it
	Waiting             string // how many are in line; empty when nobody is
	Sizes               []Size
	Amounts             []int  // to choose from; empty when one is all
	Claimable           bool   // something of it can be claimed now
	Terms               string // what is to be known before it is claimed: a cap, or that nothing is set aside
}

// Size is a variant to tap on.
type Size struct {
	Pick, Label, Left, State string
	// Free means that a tap gets it; Line that a tap gets a place in line. Neither: nothing can be had.
	Free, Line, Wait bool
}

// Rows are the rows of a show's shelf, in its order.
func (s *Stand) Rows(w *words.Words) []Item {
	out := make([]Item, 0, len(s.Items))
	for i := range s.Items {
		out = append(out, s.item(&s.Items[i], w))
	}
	return out
}

func (s *Stand) item(it *commerce.ItemView, w *words.Words) Item {
	show := &s.Show
	row := Item{
		Number: it.Number, Title: it.Product.Title, Image: it.Product.Image, Price: priceOf(it), OnAir: it.Number == show.Lineup.OnAir && show.State != commerce.ShowEnded,
		One: len(it.Stock) == 1,
	}
	selling := show.State == commerce.ShowLive && !show.Paused && !it.Closed && s.Restored.IsZero()
	stale := len(it.Stock) > 0
	for i := range it.Stock {
		v := &it.Stock[i]
		x := Size{Pick: Pick(it.Number, v.Variant.ID), Label: v.Variant.Label()}
		x.Left, x.State = left(v.Free, v.Held, w)
		if x.Label == "" {
			x.Label = it.Product.Title
		}
		if selling && !v.Stale {
			x.Free, x.Line, x.Wait = v.Free != 0, v.Free == 0, v.Free == 0 && v.Held == 0
		}
		stale = stale && v.Stale
		row.Claimable = row.Claimable || x.Free || x.Line
		row.Sizes = append(row.Sizes, x)
	}
	row.Left, row.State = left(it.Free, it.Held, w)
	switch {
	case it.Closed:
		row.Left, row.State = w.NotForSale, "gone"
	case stale && show.State == commerce.ShowLive:
		row.Left, row.State = w.Moment, "waiting" // the store's stock is not known just now
	}
	if it.Waiting > 0 {
		row.Waiting = lang.Fill(w.InLineOf, "n", strconv.Itoa(it.Waiting))
	}
	if it.FirstPaid {
		row.Terms = w.FirstPaid
	}
	if it.Cap > 0 && it.Cap < plenty {
		if row.Terms != "" {
			row.Terms += " · "
		}
		row.Terms += lang.Fill(w.Each, "n", strconv.Itoa(it.Cap))
	}
	most := mostAtOnce
	if it.Cap > 0 {
		most = min(most, it.Cap)
	}
	if show.Cap > 0 {
		most = min(most, show.Cap)
	}
	for n := 1; n <= most && most > 1; n++ {
		row.Amounts = append(row.Amounts, n)
	}
	return row
}

// left is what is left, in the words of the product's rule. Held pieces are told apart from sold ones.
func left(free, held int64, w *words.Words) (word, state string) {
	switch {
	case free == 0 && held > 0:
		return w.AllHeld, "waiting"
	case free == 0:
		return w.GoneOut, "gone"
	case free > 0 && free <= plenty:
		return lang.Fill(w.LeftNumber, "n", strconv.FormatInt(free, 10)), "good few"
	}
	return w.InStock, "good"
}

// priceOf is an item's price, from the lowest to the highest where its variants differ.
func priceOf(it *commerce.ItemView) string {
	prices := map[commerce.Money]bool{}
	for i := range it.Stock {
		prices[it.Stock[i].Price] = true
	}
	if len(prices) == 0 {
		return ""
	}
	all := slices.SortedFunc(maps.Keys(prices), func(a, b commerce.Money) int { return cmp.Compare(a.Minor, b.Minor) })
	if len(all) == 1 {
		return all[0].String()
	}
	return all[0].String() + " – " + all[len(all)-1].String()
}

// Pick names an item and its variant as buttons do.
func Pick(number int, variant commerce.ID) string {
	return strconv.Itoa(number) + ":" + variant.String()
}
