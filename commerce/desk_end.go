package commerce

import (
	"time"
)

// authorRetracts is how long after a claim its author can undo it by deleting the message (product rule).
const authorRetracts = 10 * time.Second

func (d *Desk) pass(p Pass) {
	if d.again(p.Key) {
		return
	}
	o := outcome(p.Ask, p.Number)
	k := personShow{d.Person(p.Viewer), p.Show}
	var mine []*Hold
	for _, id := range d.claimed[k] {
		h := d.holds[id]
		if !h.Open() || p.Hold != 0 && h.ID != p.Hold || p.Number != 0 && h.Number != p.Number || p.Variant != 0 && h.Variant != p.Variant {
			continue
		}
		mine = append(mine, h)
	}
	left := 0
	for _, id := range d.waits[k] {
		pl := d.places[id]
		if p.Hold == 0 && (p.Number == 0 || pl.Number == p.Number) && (p.Variant == 0 || pl.Variant == p.Variant) {
			o.Number, o.Variant, o.Receipt = pl.Number, pl.Variant, pl.Receipt
			d.dropPlace(pl, PlaceLeft)
			left++
		}
	}
	if len(mine) == 0 && left == 0 {
		d.refuse(o, NothingHeld)
		return
	}
	for _, h := range mine {
		o.Number, o.Variant, o.Hold, o.Receipt = h.Number, h.Variant, h.ID, h.Receipt
	}
	if it := d.item(o.Show, o.Number); it != nil {
		o.Title = it.Product.Title
		if v := it.Variant(o.Variant); v != nil {
			o.Label = v.Label()
		}
	}
	o.Reason, o.Wanted = Passed, len(mine)+left
	d.keep(o, "pass")
	d.tell(o)
	for _, h := range mine {
		d.giveBack(h, StatePassed, "")
	}
}

// giveBack ends a hold without payment; its pieces go to the next in line.
func (d *Desk) giveBack(h *Hold, state HoldState, by string) {
	d.end(h, state, by)
	d.promote(h.Variant)
}

// end ends a hold without payment and leaves its pieces free.
func (d *Desk) end(h *Hold, state HoldState, by string) {
	d.touch(h)
	d.unclaim(h)
	d.closed(h)
	held := h.State == StateHeld
	if held {
		d.has(h, -1)
	}
	h.State = state
	if state == StateExpired {
		d.record(h)
	}
	if h.Draft != "" {
		d.plan.undrawn = append(d.plan.undrawn, h)
	}
	if held && !h.Contained {
		d.move(h.Variant, -int64(h.Quantity), 0)
	} else {
		d.stockOf(h.Variant)
	}
	d.write(What(state), h.Show, Fact{Viewer: viewerKey(h.Viewer), Number: h.Number, Quantity: h.Quantity, Hold: h.ID, State: string(state), By: by}, h.Variant)
}

// closed counts a hold as open no longer; its state is still the one it was open in.
func (d *Desk) closed(h *Hold) {
	if h.State == StateHeld {
		put(d, d.openOf, h.Variant, d.openOf[h.Variant]-1)
		d.tally(h, -h.Quantity)
	}
	d.notInDraft(h)
	d.wake(h, time.Time{})
	if d.telling[h.ID] {
		put(d, d.telling, h.ID, false)
	}
	if d.blocks[h.ID] != "" {
		put(d, d.blocks, h.ID, "")
	}
	d.forget(wish{h.Person, h.Show, h.Number, h.Variant})
}

// unclaim takes a hold out of what its person claimed, for the cap.
func (d *Desk) unclaim(h *Hold) {
	k := personShow{h.Person, h.Show}
	putIDs(d, d.claimed, k, without(d.claimed[k], h.ID))
}

// about starts an outcome that concerns a hold and answers nobody's line.
func (d *Desk) about(w What, h *Hold) Outcome {
	o := Outcome{
		What: w, Show: h.Show, Number: h.Number, Variant: h.Variant, Wanted: h.Quantity, Price: h.Price, Hold: h.ID, Receipt: h.Receipt,
		Viewer: h.Viewer, Due: h.Due,
	}
	if h.State == StateOffered {
		o.Reason = Offered
	}
	if s := d.shows[h.Show]; s != nil {
		o.PayOnce = s.PayOnce
	}
	if it := d.item(h.Show, h.Number); it != nil {
		o.Title = it.Product.Title
		if v := it.Variant(h.Variant); v != nil {
			o.Label = v.Label()
		}
	}
	return o
}

func (d *Desk) release(r Release) {
	if d.again(r.Key) {
		return
	}
	h := d.holds[r.Hold]
	if h == nil || !h.Open() {
		d.nothing(r.Key)
		return
	}
	d.once(d.about(Released, h), r.Key, keptRelease)
	d.giveBack(h, StateReleased, r.By)
}

func (d *Desk) retract(r Retract) {
	by := "author"
	if r.ByMod {
		by = "moderator"
	}
	may := func(at time.Time) bool { return r.ByMod || d.plan.at.Sub(at) <= authorRetracts }
	d.takeBack(d.byMessage[message{r.Message, r.ID}], by, func(p *Place) bool { return may(p.Since) }, func(h *Hold) bool { return may(h.Decided) })
}

// takeBack ends those places and holds that a message asked for. Whoever takes it back wants no more of it: the place in line
// goes first, so that it is not given the pieces.
func (d *Desk) takeBack(asked []ID, by string, place func(*Place) bool, hold func(*Hold) bool) {
	for _, id := range asked {
		if p := d.places[id]; p != nil && p.State == PlaceWaiting && place(p) {
			d.dropPlace(p, PlaceLeft)
		}
	}
	for _, id := range asked {
		if h := d.holds[id]; h != nil && h.Open() && hold(h) {
			d.tell(d.about(Released, h))
			d.giveBack(h, StateReleased, by)
		}
	}
}

// unsay gives back what an earlier text of a message was given, where the text that stands now does not ask for it: holds and
// places young enough to be taken back by their author.
func (d *Desk) unsay(c Claim) {
	variant := c.Variant
	if it := d.item(c.Show, c.Number); it != nil && variant == 0 && len(it.Product.Variants) == 1 {
		variant = it.Product.Variants[0].ID
	}
	other := func(show ID, number int, v ID, at time.Time) bool {
		return (show != c.Show || number != c.Number || v != variant) && d.plan.at.Sub(at) <= authorRetracts
	}
	d.takeBack(d.byMessage[message{c.Key.Platform, c.Key.Message}], "author",
		func(p *Place) bool { return other(p.Show, p.Number, p.Variant, p.Since) },
		func(h *Hold) bool { return other(h.Show, h.Number, h.Variant, h.Decided) })
}

// drafted notes a draft for all its holds or for none: with a hold that ended while the store made it, it would sell what
// nobody holds. Who made it lets such a draft go.
func (d *Desk) drafted(r Drafted) {
	if r.Draft == "" {
		for _, id := range r.Holds {
			if h := d.holds[id]; h != nil && h.Open() && h.Draft != "" {
				d.loseDraft(h)
			}
		}
		return
	}
	if d.draftPaid(r) {
		return
	}
	for _, id := range r.Holds {
		if h := d.holds[id]; h == nil || !h.Open() || h.Draft != "" && h.Draft != r.Draft { // two drafts of one hold would both be paid
			return
		}
	}
	for _, id := range r.Holds {
		h := d.holds[id]
		d.setDraft(h, r.Draft, r.URL, r.Created)
		d.write("drafted", h.Show, Fact{Hold: h.ID, Number: h.Number, Quantity: h.Quantity, Order: r.Draft})
	}
}

// undraft takes the draft from the open holds that shared it with one that ended unpaid. A draft is never changed, and whoever
// paid it now would pay for what was given back: it goes, and what is still held needs a checkout of its own. What the
// store's figure lacks because of the draft comes back with its end and is this viewer's at once (see remake).
func (d *Desk) undraft() {
	for _, ended := range d.plan.undrawn {
		for _, id := range d.byDraft[ended.Draft] { // also of who was the same person once
			if h := d.holds[id]; h.Open() && h.Draft == ended.Draft {
				d.loseDraft(h)
			}
		}
	}
	d.plan.undrawn = nil
}

// loseDraft leaves a hold without the draft that it had.
func (d *Desk) loseDraft(h *Hold) {
	draft := h.Draft
	d.touch(h)
	if h.State == StateHeld && h.Contained {
		d.setStockRow(h.Variant, func(s *Stock) { s.Available += int64(h.Quantity) })
		d.move(h.Variant, int64(h.Quantity), 0)
	}
	d.setDraft(h, "", "", time.Time{})
	if h.Open() {
		d.stockOf(h.Variant)
		d.write("undrafted", h.Show, Fact{Hold: h.ID, Number: h.Number, Quantity: h.Quantity, Order: draft}, h.Variant)
	}
}
