package commerce

import (
	"container/heap"
	"slices"
	"time"

	"hawker/internal/chat"
)

// sameLine is how soon a second equal claim of a viewer counts as the same one (product rule).
const sameLine = 3 * time.Second

// again answers a key that was decided before; false when it is new.
func (d *Desk) again(k Key) bool {
	if k.Message == "" {
		return false
	}
	if old, ok := d.decided[k]; ok {
		o := old.out
		o.Repeat = true
		d.tell(o)
		return true
	}
	for i := range d.plan.outcomes {
		if o := d.plan.outcomes[i]; o.Key == k && o.What == Claimed {
			o.Repeat = true
			d.tell(o)
			return true
		}
	}
	return false
}

// outcome starts the answer to a viewer's request.
func outcome(a Ask, number int) Outcome {
	return Outcome{What: Claimed, Key: a.Key, Show: a.Show, Number: number, Viewer: a.Viewer, Answer: a.Answer}
}

func (d *Desk) refuse(o Outcome, why Reason) {
	o.Reason = why
	d.tell(o)
}

// open checks that the show sells and finds the item; on false the refusal has been told.
func (d *Desk) open(o *Outcome, number int) (*Show, *Item, bool) {
	s := d.shows[o.Show]
	switch {
	case s == nil || s.State == ShowPlanned:
		d.refuse(*o, NotOnSale)
		return nil, nil, false
	case s.State == ShowEnded:
		d.refuse(*o, Ended)
		return nil, nil, false
	case s.Paused:
		d.refuse(*o, Paused)
		return nil, nil, false
	}
	it := s.Lineup.Item(number)
	if it == nil {
		d.refuse(*o, UnknownItem)
		return nil, nil, false
	}
	o.Title = it.Product.Title
	if it.Closed {
		d.refuse(*o, NotOnSale)
		return nil, nil, false
	}
	return s, it, true
}

// pick finds the variant meant; on false the refusal has been told.
func (d *Desk) pick(o *Outcome, it *Item, want ID) (*Variant, bool) {
	if want == 0 && len(it.Product.Variants) == 1 {
		want = it.Product.Variants[0].ID
	}
	v := it.Variant(want)
	if v == nil {
		for i := range it.Product.Variants {
			if s := d.stock[it.Product.Variants[i].ID]; s != nil && s.Free() != 0 {
				o.Choices = append(o.Choices, it.Product.Variants[i].Label())
			}
		}
		if len(o.Choices) == 0 {
			d.refuse(*o, SoldOut)
		} else {
			d.refuse(*o, NeedsVariant)
		}
		return nil, false
	}
	o.Variant, o.Label, o.Price = v.ID, v.Label(), it.PriceOf(v)
	return v, true
}

func (d *Desk) claim(c Claim) {
	if d.again(c.Key) {
		return
	}
	o := outcome(c.Ask, c.Number)
	o.Wanted = c.Quantity
	if c.Unclear != "" {
		if it := d.item(c.Show, c.Number); it != nil {
			o.Title = it.Product.Title
			if c.Unclear == NeedsVariant {
				d.pick(&o, it, 0)
				return
			}
		}
		d.refuse(o, c.Unclear)
		return
	}
	s, it, ok := d.open(&o, c.Number)
	if !ok {
		return
	}
	v, ok := d.pick(&o, it, c.Variant)
	if !ok {
		return
	}
	if c.Quantity < 1 {
		d.refuse(o, Chat)
		return
	}
	if d.stockOf(v.ID).stale(d.plan.at) {
		d.refuse(o, Paused)
		return
	}
	own := d.own(d.Person(c.Viewer), s.ID, it.Number, v.ID)
	target := c.Quantity
	if c.Add && own != nil {
		target += own.Quantity
	}
	d.reach(&o, c, s, it, v, own, target)
}

func (d *Desk) change(c Change) {
	if d.again(c.Key) {
		return
	}
	o := outcome(c.Ask, c.Number)
	s, it, ok := d.open(&o, c.Number)
	if !ok {
		return
	}
	person := d.Person(c.Viewer)
	var own *Hold
	for _, id := range d.claimed[personItem{person, s.ID, it.Number}] {
		if h := d.holds[id]; h.State == StateHeld && (c.Variant == 0 || h.Variant == c.Variant) {
			if own != nil {
				d.pick(&o, it, 0)
				return
			}
			own = h
		}
	}
	if own == nil {
		d.refuse(o, NothingHeld)
		return
	}
	v, ok := d.pick(&o, it, own.Variant)
	if !ok {
		return
	}
	if own.Quantity+c.Delta < 1 {
		d.giveBack(&o, own, StatePassed, Passed)
		return
	}
	cl := Claim{Ask: c.Ask, Number: c.Number, Variant: v.ID, Quantity: own.Quantity + c.Delta}
	d.reach(&o, cl, s, it, v, own, own.Quantity+c.Delta)
}

// own is the open hold of a person on a variant of an item, nil when there is none.
func (d *Desk) own(person string, show ID, number int, variant ID) *Hold {
	for _, id := range d.claimed[personItem{person, show, number}] {
		if h := d.holds[id]; h.State == StateHeld && h.Variant == variant {
			return h
		}
	}
	return nil
}

// reach brings what a person holds of a variant to target pieces, as far as cap and stock allow; the rest waits.
func (d *Desk) reach(o *Outcome, c Claim, s *Show, it *Item, v *Variant, own *Hold, target int) {
	now, person := d.plan.at, d.Person(c.Viewer)
	have := 0
	if own != nil {
		have = own.Quantity
		o.Hold, o.Receipt, o.Due = own.ID, own.Receipt, own.Due
	}
	o.Holding, o.Cap = have, it.Cap
	if own != nil && target == have {
		o.Reason = Held
		if now.Sub(own.Decided) < sameLine {
			o.Reason = Duplicate
		}
		o.Left = d.stockOf(v.ID).Free()
		d.keep(*o, c, "claim")
		d.tell(*o)
		return
	}
	capped := false
	if it.Cap > 0 {
		if room := it.Cap - d.counted(person, s.ID, it.Number) + have; target > room {
			target, capped = room, true
		}
	}
	if target <= have && capped {
		d.refuse(*o, Capped)
		return
	}
	if target < have {
		d.shrink(o, c, own, target)
		return
	}
	st := d.stockOf(v.ID)
	got := 0
	if !c.Wait {
		got = st.take(target - have)
	}
	rest := target - have - got
	if got > 0 {
		own = d.grow(o, c, s, it, v, own, got)
		o.Holding = own.Quantity
	}
	if rest > 0 {
		d.line(o, c, it, v, rest)
	} else {
		d.leaveLine(person, s.ID, v.ID)
	}
	switch {
	case got == 0 && o.Waiting == 0:
		o.Reason = SoldOut
	case got == 0:
		o.Reason = Waitlisted
	case rest > 0 || capped:
		o.Reason = PartlyHeld
	default:
		o.Reason = Held
	}
	o.Left = st.Free()
	if o.Reason != SoldOut {
		d.keep(*o, c, "claim")
	}
	d.tell(*o)
}

// counted is how many pieces of an item a person holds or paid in a show.
func (d *Desk) counted(person string, show ID, number int) int {
	n := 0
	for _, id := range d.claimed[personItem{person, show, number}] {
		if h := d.holds[id]; h.State == StateHeld || h.State == StatePaid {
			n += h.Quantity
		}
	}
	return n
}

// grow holds n more pieces for a viewer, in the hold there is or in a new one. An existing hold keeps its clock: asking
// again does not buy time.
func (d *Desk) grow(o *Outcome, c Claim, s *Show, it *Item, v *Variant, own *Hold, n int) *Hold {
	if own != nil && own.Draft == "" {
		d.touch(own)
		own.Quantity += n
		d.move(v.ID, int64(n), 0)
	} else {
		// A hold whose draft order was made is left alone (the store would unlink the open checkout): the added pieces are a hold of
		// their own.
		own = d.makeHold(c.Ask, it, v, n, s.holdTime(it))
	}
	o.Hold, o.Receipt, o.Due = own.ID, own.Receipt, own.Due
	d.write("held", s.ID, Fact{
		Key: &c.Key, Viewer: viewerKey(c.Viewer), Number: it.Number, Quantity: own.Quantity, Hold: own.ID,
	}, v.ID)
	return own
}

func (d *Desk) makeHold(a Ask, it *Item, v *Variant, n int, last time.Duration) *Hold {
	now := d.plan.at
	h := &Hold{
		ID: d.freshID(func(id ID) bool { _, taken := d.holds[id]; return taken }), Show: a.Show, Number: it.Number, Variant: v.ID,
		Viewer: a.Viewer, Person: d.Person(a.Viewer), Receipt: d.receipt(a.Show, a.Viewer), Quantity: n, Price: it.PriceOf(v),
		State: StateHeld, Claim: a.Key, Decided: now, Due: now.Add(SeeAnswer + last), Expires: now.Add(SeeAnswer + last + Grace),
	}
	d.addHold(h)
	k := personItem{h.Person, h.Show, h.Number}
	d.undo(func() {
		delete(d.holds, h.ID)
		delete(d.byClaim, h.Claim)
		d.claimed[k] = without(d.claimed[k], h.ID)
	})
	d.plan.touched[h.ID], d.plan.batch.NewHolds[h.ID] = true, true
	d.move(v.ID, int64(n), 0)
	return h
}

func (d *Desk) freshID(taken func(ID) bool) ID {
	id := NewID(d.plan.at)
	for taken(id) {
		id = NewID(d.plan.at)
	}
	return id
}

// receipt is the viewer's page for the show, made when there is none.
func (d *Desk) receipt(show ID, v chat.Viewer) ID {
	k := showViewer{show, identity(v)}
	if id, ok := d.receiptOf[k]; ok {
		return id
	}
	r := &Receipt{ID: d.freshID(func(id ID) bool { _, taken := d.receipts[id]; return taken }), Show: show, Viewer: v}
	d.addReceipt(r)
	d.undo(func() { delete(d.receipts, r.ID); delete(d.receiptOf, k) })
	d.plan.batch.Receipts = append(d.plan.batch.Receipts, *r)
	d.plan.batch.Viewers = append(d.plan.batch.Viewers, v)
	return r.ID
}

// shrink gives part of a hold back.
func (d *Desk) shrink(o *Outcome, c Claim, own *Hold, target int) {
	if own.Draft != "" {
		// The draft order reserves and shows the old amount; a smaller one needs a checkout of its own.
		d.giveBack(nil, own, StatePassed, Passed)
		s := d.shows[own.Show]
		it := s.Lineup.Item(own.Number)
		d.reach(o, c, s, it, it.Variant(own.Variant), nil, target)
		return
	}
	d.touch(own)
	n := own.Quantity - target
	own.Quantity = target
	if !own.Contained {
		d.move(own.Variant, -int64(n), 0)
	}
	d.write("changed", own.Show, Fact{Key: &c.Key, Viewer: viewerKey(c.Viewer), Number: own.Number, Quantity: target, Hold: own.ID}, own.Variant)
	o.Reason, o.Holding = Changed, target
	d.keep(*o, c, "change")
	d.tell(*o)
	d.promote(own.Variant)
	d.plan.outcomes[len(d.plan.outcomes)-1].Left = d.stockOf(own.Variant).Free()
}

func (d *Desk) pass(p Pass) {
	if d.again(p.Key) {
		return
	}
	o := outcome(p.Ask, p.Number)
	person := d.Person(p.Viewer)
	var mine []*Hold
	for _, h := range d.openHolds(person, p.Show) {
		if p.Hold != 0 && h.ID != p.Hold || p.Number != 0 && h.Number != p.Number || p.Variant != 0 && h.Variant != p.Variant {
			continue
		}
		mine = append(mine, h)
	}
	left := 0
	if p.Hold == 0 {
		for _, id := range d.waitingOf(person, p.Show) {
			pl := d.places[id]
			if (p.Number == 0 || pl.Number == p.Number) && (p.Variant == 0 || pl.Variant == p.Variant) {
				o.Number = pl.Number
				d.dropPlace(pl, PlaceLeft)
				left++
			}
		}
	}
	if len(mine) == 0 && left == 0 {
		d.refuse(o, NothingHeld)
		return
	}
	for _, h := range mine {
		o.Number, o.Variant, o.Hold, o.Receipt = h.Number, h.Variant, h.ID, h.Receipt
		if it := d.item(h.Show, h.Number); it != nil {
			o.Title = it.Product.Title
		}
	}
	o.Reason, o.Wanted = Passed, len(mine)+left
	d.keep(o, Claim{Ask: p.Ask, Number: o.Number, Variant: o.Variant}, "pass")
	d.tell(o)
	for _, h := range mine {
		d.giveBack(nil, h, StatePassed, Passed)
	}
}

// openHolds are a person's open holds of a show, oldest first.
func (d *Desk) openHolds(person string, show ID) []*Hold {
	var out []*Hold
	s := d.shows[show]
	if s == nil {
		return nil
	}
	for i := range s.Lineup.Items {
		for _, id := range d.claimed[personItem{person, show, s.Lineup.Items[i].Number}] {
			if h := d.holds[id]; h.State == StateHeld {
				out = append(out, h)
			}
		}
	}
	slices.SortFunc(out, func(a, b *Hold) int { return a.Decided.Compare(b.Decided) })
	return out
}

// giveBack ends a hold without payment; its pieces go to the next in line. With o, that is the answer told.
func (d *Desk) giveBack(o *Outcome, h *Hold, state HoldState, why Reason) {
	d.touch(h)
	h.State = state
	k := personItem{h.Person, h.Show, h.Number}
	d.setClaimed(k, without(d.claimed[k], h.ID))
	if !h.Contained {
		d.move(h.Variant, -int64(h.Quantity), 0)
	} else {
		d.stockOf(h.Variant)
	}
	d.write(What(state), h.Show, Fact{Viewer: viewerKey(h.Viewer), Number: h.Number, Quantity: h.Quantity, Hold: h.ID, State: string(state)}, h.Variant)
	if o != nil {
		o.Reason, o.Holding, o.Hold, o.Receipt = why, 0, h.ID, h.Receipt
		if o.Key.Message != "" {
			d.keep(*o, Claim{Ask: Ask{Key: o.Key, Show: o.Show, Viewer: o.Viewer}, Number: h.Number, Variant: h.Variant}, "change")
		}
		d.tell(*o)
	}
	d.promote(h.Variant)
}

func (d *Desk) setClaimed(k personItem, to []ID) {
	old := d.claimed[k]
	d.undo(func() { d.claimed[k] = old })
	d.claimed[k] = to
}

// without is ids less one, in a new slice so that an undo finds the old one untouched.
func without(ids []ID, id ID) []ID {
	out := make([]ID, 0, len(ids))
	for _, x := range ids {
		if x != id {
			out = append(out, x)
		}
	}
	return out
}

func viewerKey(v chat.Viewer) string { return string(v.Platform) + "/" + v.ID }

// keep stores a decision.
func (d *Desk) keep(o Outcome, c Claim, kind string) {
	if c.Key.Message == "" {
		return
	}
	d.plan.batch.Decisions = append(d.plan.batch.Decisions, Decision{
		Key: c.Key, Show: c.Show, Viewer: c.Viewer, Kind: kind, Number: o.Number, Variant: o.Variant, Quantity: o.Wanted, Reason: o.Reason,
		Hold: o.Hold, At: d.plan.at,
	})
}

// schedule puts a hold's new end into the order of ends.
func (d *Desk) schedule(h *Hold) { heap.Push(&d.due, dueAt{h.Expires, h.ID}) }
