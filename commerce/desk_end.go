package commerce

import (
	"container/heap"
	"time"
)

// authorRetracts is how long after a claim its author can undo it by deleting the message (product rule).
const authorRetracts = 10 * time.Second

// expire lets go of the holds whose time has come, by the order of their ends.
func (d *Desk) expire() {
	now := d.plan.at
	for len(d.due) > 0 && !d.due[0].at.After(now) {
		x := heap.Pop(&d.due).(dueAt)
		h := d.holds[x.hold]
		if h == nil || h.State != StateHeld || !h.Expires.Equal(x.at) || d.frozen(h) {
			continue
		}
		d.tell(d.about(Expired, h))
		d.giveBack(h, StateExpired, "")
	}
}

// about starts an outcome that concerns a hold and answers nobody's line.
func (d *Desk) about(w What, h *Hold) Outcome {
	o := Outcome{
		What: w, Show: h.Show, Number: h.Number, Variant: h.Variant, Wanted: h.Quantity, Price: h.Price, Hold: h.ID, Receipt: h.Receipt,
		Viewer: h.Viewer, Due: h.Due,
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
	h := d.holds[r.Hold]
	if h == nil || h.State != StateHeld {
		return
	}
	d.tell(d.about(Released, h))
	d.giveBack(h, StateReleased, r.By)
}

func (d *Desk) retract(r Retract) {
	by := "author"
	if r.ByMod {
		by = "moderator"
	}
	asked := d.byMessage[message{r.Message, r.ID}]
	// Whoever takes the message back wants no more of it: the place in line goes first, so that it is not given the pieces.
	for _, id := range asked {
		if p := d.places[id]; p != nil && p.State == PlaceWaiting && (r.ByMod || d.plan.at.Sub(p.Since) <= authorRetracts) {
			d.dropPlace(p, PlaceLeft)
		}
	}
	for _, id := range asked {
		if h := d.holds[id]; h != nil && h.State == StateHeld && (r.ByMod || d.plan.at.Sub(h.Decided) <= authorRetracts) {
			d.tell(d.about(Released, h))
			d.giveBack(h, StateReleased, by)
		}
	}
}

func (d *Desk) opened(r Opened) {
	now := d.plan.at
	for _, id := range r.Holds {
		h := d.holds[id]
		if h == nil || h.State != StateHeld || h.Opened {
			continue
		}
		more := CheckoutExtra
		if s := d.shows[h.Show]; s != nil && s.Paused {
			more += now.Sub(s.PausedAt) // the clock stood still until now and runs from here
		}
		d.touch(h)
		h.Opened = true
		h.Due, h.Expires = h.Due.Add(more), h.Expires.Add(more)
		d.schedule(h)
		d.write("opened", h.Show, Fact{Hold: h.ID, Number: h.Number, Quantity: h.Quantity})
	}
}

// drafted notes a draft for all its holds or for none: with a hold that ended while the store made it, it would sell what
// nobody holds. Who made it lets such a draft go.
func (d *Desk) drafted(r Drafted) {
	for _, id := range r.Holds {
		if h := d.holds[id]; h == nil || h.State != StateHeld {
			return
		}
	}
	for _, id := range r.Holds {
		h := d.holds[id]
		d.touch(h)
		h.Draft, h.Checkout, h.DraftAt = r.Draft, r.URL, r.Created
		d.write("drafted", h.Show, Fact{Hold: h.ID, Number: h.Number, Quantity: h.Quantity, Order: r.Draft})
	}
}

// undraft takes the draft from the open holds that shared it with one that ended unpaid. A draft is never changed, and whoever
// paid it now would pay for what was given back: it goes, and what is still held needs a checkout of its own. What the
// store's figure lacks because of the draft comes back with its end and is this viewer's at once (see remake).
func (d *Desk) undraft() {
	for _, ended := range d.plan.undrawn {
		for _, id := range d.claimed[personShow{ended.Person, ended.Show}] {
			h := d.holds[id]
			if h.State != StateHeld || h.Draft != ended.Draft {
				continue
			}
			d.touch(h)
			if h.Contained {
				d.setStockRow(h.Variant, func(s *Stock) { s.Available += int64(h.Quantity) })
				d.move(h.Variant, int64(h.Quantity), 0)
			}
			h.Draft, h.Checkout, h.DraftAt, h.Contained = "", "", time.Time{}, false
			d.write("undrafted", h.Show, Fact{Hold: h.ID, Number: h.Number, Quantity: h.Quantity, Order: ended.Draft}, h.Variant)
		}
	}
	d.plan.undrawn = nil
}
