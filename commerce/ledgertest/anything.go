package ledgertest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"hawker/commerce"
	"hawker/internal/chat"
)

// anything is any request that a desk takes.
func (w *world) anything(t *rapid.T) commerce.Request {
	show := rapid.SampledFrom([]commerce.ID{spring, spring, spring, autumn}).Draw(t, "show")
	variant := rapid.SampledFrom([]commerce.ID{mug, mug, small, medium}).Draw(t, "variant")
	item := items[variant]
	if show == autumn {
		variant, item = mug, 9
	}
	ask := w.ask(t, show)
	ask.Trusted = one(t, "trusted", 0, 1) == 0
	if one(t, "room", 0, 3) == 0 {
		ask.Key.Platform, ask.Viewer.Platform, ask.Block = chat.Room, chat.Room, "192.0.2.0/24"
	}
	yes := func(label string) bool { return one(t, label, 0, 2) == 0 }
	ago := func() time.Time { return w.now.Add(-time.Duration(one(t, "ago", 0, 9)) * time.Second) }
	switch one(t, "kind", 0, 35) {
	case 14:
		return commerce.Pass{Ask: ask, Number: item * one(t, "all", 0, 1), Hold: []commerce.ID{0, w.someHold(t, commerce.StateHeld)}[one(t, "one", 0, 1)]}
	case 15, 16:
		return commerce.Change{Ask: ask, Number: item, Variant: variant, Delta: one(t, "delta", -3, 3)}
	case 17:
		return commerce.Retract{Message: ask.Key.Platform, ID: fmt.Sprint(one(t, "id", 1, w.n)), ByMod: yes("mod")}
	case 18:
		return commerce.Release{Hold: w.someHold(t, commerce.StateHeld)}
	case 19:
		return commerce.Opened{Holds: []commerce.ID{w.someHold(t, commerce.StateHeld)}}
	case 20, 21:
		return commerce.Drafted{Holds: []commerce.ID{w.someHold(t, commerce.StateHeld)}, Draft: fmt.Sprint("D", w.n), URL: "https://shop.example/d", Created: ago()}
	case 22, 23, 24:
		return w.anyOrder(t)
	case 25, 26:
		return commerce.Read{Readings: []commerce.Reading{{Variant: variant, Available: int64(one(t, "available", -1, 6)), At: ago(), Endless: one(t, "endless", 0, 9) == 0}}}
	case 27:
		n := int64(one(t, "n", -2, 4))
		if yes("safety") {
			n = max(n, 0)
			return commerce.SetStock{Variant: variant, Safety: &n}
		}
		if yes("set") {
			return commerce.SetStock{Variant: variant, Available: &n}
		}
		return commerce.SetStock{Variant: variant, Add: n}
	case 28:
		return commerce.Gate{Show: show, Number: item * one(t, "item", 0, 1), Closed: yes("closed")}
	case 29:
		return w.anyShow(t, show)
	case 30, 31:
		return commerce.Bind{Viewer: ask.Viewer, Person: rapid.SampledFrom([]string{"anna", "bo", ""}).Draw(t, "person")}
	case 32:
		return commerce.Unheard{Holds: []commerce.ID{w.someHold(t, commerce.StateHeld)}}
	case 33:
		return commerce.Air{Show: show, Number: item}
	case 34:
		return commerce.Expire{}
	case 35:
		return commerce.Promote{Ask: ask, Number: item * one(t, "all", 0, 1)}
	}
	c := commerce.Claim{Ask: ask, Number: item, Variant: variant, Quantity: one(t, "quantity", 1, 4), Add: yes("add"), Wait: yes("wait"), Early: yes("early")}
	if yes("edit") && len(w.asked) > 0 { // of a line that was there, or of one that was nothing
		k := keyOf(rapid.SampledFrom(w.asked).Draw(t, "edited"))
		c.Edited, c.Key = true, commerce.Key{Platform: k.Platform, Message: k.Message, Part: 1000 + w.n}
	}
	return c
}

// anyOrder is a new order for some holds of any state, with lines that may differ from them, or news of an old one.
func (w *world) anyOrder(t *rapid.T) commerce.Request {
	state := rapid.SampledFrom([]commerce.OrderState{
		commerce.OrderPending, commerce.OrderPaid, commerce.OrderPaid, commerce.OrderPaid, commerce.OrderRefunded, commerce.OrderCancelled,
	}).Draw(t, "state")
	at := w.now.Add(-time.Duration(one(t, "ago", 0, 9)) * time.Second)
	if len(w.orders) > 0 && rapid.Bool().Draw(t, "old") {
		o := &w.orders[one(t, "order", 0, len(w.orders)-1)]
		o.State, o.Updated = state, at
		if len(o.Lines) > 0 && one(t, "edit", 0, 2) == 0 { // the merchant edits it in the store
			o.Lines = append([]commerce.OrderLine(nil), o.Lines...)
			o.Lines[0].Quantity = one(t, "pieces", 0, 3)
		}
		return commerce.Paid{Order: *o, Variants: variants()}
	}
	w.n++
	o := commerce.Order{Store: fmt.Sprint("O", w.n), Name: "#", State: state, Created: at, Updated: at}
	for i := range w.rows.Holds {
		h := &w.rows.Holds[i]
		if one(t, "pays", 0, 3) > 0 {
			continue
		}
		if h.Draft != "" && rapid.Bool().Draw(t, "draft") {
			o.Draft = h.Draft
		} else {
			o.Holds = append(o.Holds, h.ID)
		}
		o.Lines = append(o.Lines, commerce.OrderLine{Variant: storeID(h.Variant), Quantity: max(1, h.Quantity+one(t, "differs", -1, 1)), Price: eur(100)})
	}
	if one(t, "other", 0, 3) == 0 {
		o.Lines = append(o.Lines, commerce.OrderLine{Variant: "gid/mug", Quantity: one(t, "more", 1, 2), Price: eur(100)})
	}
	w.orders = append(w.orders, o)
	return commerce.Paid{Order: o, Variants: variants()}
}

// anyShow is a show with a random change: its state, a cap, an item that is first paid first served, an item less.
func (w *world) anyShow(t *rapid.T, id commerce.ID) commerce.Request {
	s := w.show(id, one(t, "unguarded", 0, 1) == 0)
	s.State = rapid.SampledFrom([]commerce.ShowState{commerce.ShowLive, commerce.ShowLive, commerce.ShowEnded, commerce.ShowPlanned}).Draw(t, "state")
	s.Lineup.Items[0].Cap = one(t, "cap", 0, 3)
	s.Cap = one(t, "all", 0, 1) * one(t, "show cap", 1, 5)
	s.Lineup.Items[0].FirstPaid = one(t, "first paid", 0, 3) == 0
	if one(t, "drop", 0, 4) == 0 {
		s.Lineup.Items = s.Lineup.Items[1:]
	}
	if one(t, "pay once", 0, 4) == 0 {
		s.PayOnce = 24 * time.Hour
	}
	if one(t, "clash", 0, 4) == 0 {
		s.Channels = []chat.Channel{twitch("1")}
	}
	return commerce.SetShow{Show: s}
}
