package commerce

import "time"

// atOnce is how much one plan does of what time asks for, so that a batch stays small when 100,000 holds end together.
const atOnce = 2000

// A reminder comes ReminderBefore the end that people see, or where the hold is shorter than ReminderOf times that, at the
// last part of its time (product rule: 2 min, or 20 % of a hold under 10 min).
const (
	ReminderBefore = 2 * time.Minute
	ReminderOf     = 5
)

// lookAgain is how soon a line is looked at again in which somebody waits for pieces that the guard keeps for others: who is
// present changes without any request.
const lookAgain = 15 * time.Second

// NextDue is when Expire has something to do next: a hold ends or its owner is to be reminded, or a line is to be looked at
// again. False when nothing is open. While the clock is in doubt that is not before the doubt can end.
func (d *Desk) NextDue() (time.Time, bool) {
	for {
		id, at, ok := d.due.First()
		if h := d.holds[id]; ok && d.frozen(h) {
			d.wake(h, time.Time{}) // when its clock runs on, it gets its place back
			continue
		}
		if _, look, waits := d.looks.First(); waits && (!ok || look.Before(at)) {
			at, ok = look, true
		}
		if doubt := d.clock.Until(); ok && doubt.After(at) {
			at = doubt
		}
		return at, ok
	}
}

// frozen reports whether a hold's clock stands still because its show is paused and its checkout was not opened.
func (d *Desk) frozen(h *Hold) bool {
	s := d.shows[h.Show]
	return s != nil && s.Paused && !h.Opened
}

// wakes is when an open hold wants something of the clock.
func (d *Desk) wakes(h *Hold) time.Time {
	if s := d.shows[h.Show]; h.Reminded || s != nil && s.Standing() {
		return h.Expires
	}
	return h.Due.Add(-min(ReminderBefore, (h.Due.Sub(h.Decided)-SeeAnswer)/ReminderOf))
}

// wake puts a hold into the order of what is due next; the zero time takes it out.
func (d *Desk) wake(h *Hold, at time.Time) {
	before := d.due.Set(h.ID, at)
	if d.plan != nil {
		d.undo(func() { d.due.Set(h.ID, before) })
	}
}

// schedule notes that a hold's times changed.
func (d *Desk) schedule(h *Hold) { d.wake(h, d.wakes(h)) }

// expire does what is due, in order, and no more than a batch should.
func (d *Desk) expire() {
	now := d.plan.at
	for range atOnce {
		id, at, ok := d.due.First()
		if !ok || at.After(now) {
			break
		}
		switch h := d.holds[id]; {
		case d.frozen(h):
			d.wake(h, time.Time{})
		case now.Before(h.Expires):
			d.remind(h)
		case h.State == StateHeld && !h.Extended && (h.Unheard || d.telling[h.ID]):
			d.extend(h)
		default:
			d.lapse(h)
		}
	}
	for range atOnce {
		v, at, ok := d.looks.First()
		if !ok || at.After(now) {
			break
		}
		if at.Unix() == 0 { // set by NewDesk, which does not know yet who is there
			d.look(v, now.Add(lookAgain))
			continue
		}
		d.look(v, time.Time{})
		d.promote(v)
	}
}

// remind tells the owner of a hold, once, that it ends soon. One that was late for it, because nobody ran the till, is not
// reminded of an end that was.
func (d *Desk) remind(h *Hold) {
	d.touch(h)
	h.Reminded = true
	d.schedule(h)
	if d.plan.at.Before(h.Due) {
		d.write(Reminded, h.Show, Fact{Viewer: viewerKey(h.Viewer), Number: h.Number, Quantity: h.Quantity, Hold: h.ID})
		d.tell(d.about(Reminded, h))
	}
}

// lapse lets a hold go whose time has come. An offer had nothing set aside: pages are told that it is over, nobody else.
func (d *Desk) lapse(h *Hold) {
	d.tell(d.about(Expired, h))
	d.burn(h)
	d.end(h, StateExpired, "")
	d.promote(h.Variant)
}

// Telling notes that an answer about a hold is on its way to its owner, Told that it was said where they see it. What is
// still on its way when the hold ends was not heard.
func (d *Desk) Telling(hold ID) {
	if h := d.holds[hold]; h != nil && h.Open() {
		d.telling[hold] = true
	}
}

// Told is the end of Telling.
func (d *Desk) Told(hold ID) { delete(d.telling, hold) }

// unheard notes that the owners of holds could not be told of them.
func (d *Desk) unheard(r Unheard) {
	for _, id := range r.Holds {
		if h := d.holds[id]; h != nil && h.State == StateHeld && !h.Extended && !h.Unheard {
			d.touch(h)
			h.Unheard = true
		}
	}
}

// extend gives a hold its time once more, from now, because its owner was told nothing of it that they could see. So its
// reminder comes once more, too.
func (d *Desk) extend(h *Hold) {
	d.touch(h)
	h.Extended, h.Unheard, h.Reminded = true, false, false
	span := DefaultHold
	if s := d.shows[h.Show]; s != nil {
		if span = s.HoldTime(s.Lineup.Item(h.Number)); s.PayOnce > 0 {
			span = s.PayOnce
		}
	}
	d.until(h, d.plan.at.Add(SeeAnswer+span))
	if d.telling[h.ID] {
		put(d, d.telling, h.ID, false)
	}
	d.write(Extended, h.Show, Fact{Viewer: viewerKey(h.Viewer), Number: h.Number, Quantity: h.Quantity, Hold: h.ID})
	o := d.about(Extended, h)
	o.Reason, o.Holding, o.Left = Held, h.Quantity, d.stockOf(h.Variant).Free()
	d.tell(o)
}

// until sets the end of a hold; it has been touched.
func (d *Desk) until(h *Hold, due time.Time) {
	if h.Due, h.Expires = due, due; h.State == StateHeld {
		h.Expires = due.Add(Grace)
	}
	d.schedule(h)
}

func (d *Desk) opened(r Opened) {
	now := d.plan.at
	for _, id := range r.Holds {
		h := d.holds[id]
		if h == nil || !h.Open() {
			continue
		}
		if n := d.Payable(id, now); h.Draft == "" && n > 0 && n < h.Quantity { // an offer of what is there still
			d.resize(h, n-h.Quantity)
			d.write("changed", h.Show, Fact{Viewer: viewerKey(h.Viewer), Number: h.Number, Quantity: n, Hold: h.ID}, h.Variant)
		}
		if h.Opened {
			continue
		}
		more, s := CheckoutExtra, d.shows[h.Show]
		if s != nil && s.Paused {
			more += now.Sub(s.PausedAt) // the clock stood still until now and runs from here
		}
		d.touch(h)
		if h.Opened = true; s != nil && s.Standing() {
			more = 0 // its end comes with the end of the show
		}
		d.until(h, h.Due.Add(more))
		d.write("opened", h.Show, Fact{Hold: h.ID, Number: h.Number, Quantity: h.Quantity})
	}
}

// thaw ends a pause: the ends of holds whose checkout was not opened move by its length.
func (d *Desk) thaw(s *Show) {
	by := d.plan.at.Sub(s.PausedAt)
	s.Paused, s.PausedAt = false, time.Time{}
	for _, id := range d.ofShow[s.ID] {
		h := d.holds[id]
		switch {
		case !h.Open():
		case h.Opened:
		case s.Standing():
			d.schedule(h)
		default:
			d.touch(h)
			d.until(h, h.Due.Add(by))
		}
	}
}

// reclock sets the ends of all open holds of a show when it begins or ceases to be paid once, or is over and they are to be
// paid now. While their clocks stand still MaxHold lets go of them, so that nothing is set aside for ever.
func (d *Desk) reclock(s *Show) {
	for _, id := range d.ofShow[s.ID] {
		h := d.holds[id]
		if !h.Open() {
			continue
		}
		d.touch(h)
		h.Reminded = false // of another end
		switch {
		case s.Standing():
			d.until(h, h.Decided.Add(MaxHold))
		case s.State == ShowEnded && s.PayOnce > 0:
			d.until(h, d.plan.at.Add(SeeAnswer+s.PayOnce))
		default:
			d.until(h, d.plan.at.Add(SeeAnswer+s.HoldTime(s.Lineup.Item(h.Number))))
		}
	}
}
