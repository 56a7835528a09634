package commerce

import (
	"maps"
	"slices"
	"time"

	"hawker/commerce/guard"
	"hawker/internal/chat"
)

// grant is what a person is given of a wish.
type grant struct {
	pieces int
	state  HoldState
	span   time.Duration // for how long
}

// grant says how many of n pieces more a person may be given now, as stock and guard allow.
//
// Where an item is first paid, first served, where the person let too many holds end unpaid, and where the guard keeps all
// that is free for others, pieces are only offered (StateOffered): they can be paid at once as long as they are there, and
// nothing is set aside. So nobody who means to pay is kept away from a piece that lies there, and who does not can keep none
// from others. Of offers a person gets as many pieces as there are, however many others are offered the same.
func (d *Desk) grant(w wish, s *Show, it *Item, block string, n int) grant {
	st := d.stockOf(w.variant)
	g := grant{pieces: st.Take(n), state: StateHeld, span: s.HoldTime(it)}
	if s.Standing() {
		g.span = MaxHold - SeeAnswer
	}
	if g.pieces == 0 {
		return g
	}
	only := it.FirstPaid || d.unpaid(w.person, s)
	if share := s.Guard.Percent(); !only && share < 100 && !st.Endless {
		may, scarce := d.watch.Allow(guard.Ask{Show: s.ID, Variant: w.variant, Person: w.person, Block: block, Free: st.Free(), Share: share, Now: d.plan.at})
		only = may == 0
		if scarce && !only && !s.Standing() {
			g.span = max(MinHold, g.span/2)
		}
		if int64(g.pieces) > may && !only {
			g.pieces = int(may)
			if d.looks.At(w.variant).IsZero() {
				d.look(w.variant, d.plan.at.Add(lookAgain))
			}
		}
	}
	if only {
		g.state = StateOffered
		have := 0
		holds, _ := d.mine(w)
		for _, h := range holds {
			if h.State == StateOffered {
				have += h.Quantity
			}
		}
		g.pieces = max(0, st.Take(n+have)-have)
	}
	return g
}

// Payable is how many pieces of a hold can be paid now: all that are set aside, and of an offer what is still there for
// everybody. Nothing new is sold while the stock of a store was not read for too long, or from a backup.
func (d *Desk) Payable(hold ID, now time.Time) int {
	h := d.holds[hold]
	switch {
	case h == nil || !h.Open():
		return 0
	case h.State == StateHeld:
		return h.Quantity
	}
	st := d.stock[h.Variant]
	if st == nil || st.Stale(now) || !d.restored.IsZero() {
		return 0
	}
	return st.Take(h.Quantity)
}

// dropGone ends the offers of a wish when nothing is left to pay of it: who asks again waits for what comes back.
func (d *Desk) dropGone(w wish) {
	if d.stockOf(w.variant).Free() != 0 {
		return
	}
	holds, _ := d.mine(w)
	for _, h := range holds {
		if h.State == StateOffered {
			d.end(h, StateExpired, "")
		}
	}
}

// room is how many pieces of an item more a person may have, by the item's cap and the show's, and the cap that leaves less;
// 0 when there is none. It is negative when a cap was lowered, or persons joined.
func (d *Desk) room(person string, s *Show, it *Item) (more, limit int) {
	if it.Cap > 0 {
		more, limit = it.Cap-d.counted(person, s.ID, it.Number), it.Cap
	}
	if s.Cap > 0 {
		if n := s.Cap - d.counted(person, s.ID, 0); limit == 0 || n < more {
			more, limit = n, s.Cap
		}
	}
	return more, limit
}

// counted is how many pieces of an item, or with number 0 of all items, a person holds, is offered or paid in a show.
func (d *Desk) counted(person string, show ID, number int) int {
	n := 0
	for _, id := range d.claimed[personShow{person, show}] {
		if h := d.holds[id]; number == 0 || h.Number == number {
			n += h.Quantity
		}
	}
	return n
}

// heldOr is the reason for pieces that a person has of a wish: why, or Offered when nothing of them is set aside.
func (d *Desk) heldOr(why Reason, w wish) Reason {
	holds, _ := d.mine(w)
	for _, h := range holds {
		if h.State == StateHeld {
			return why
		}
	}
	if len(holds) > 0 {
		return Offered
	}
	return why
}

// unpaid reports whether a person let so many holds end unpaid lately, and paid for nothing since, that they are only offered
// pieces. An offer that ended took nothing from anybody and does not count.
func (d *Desk) unpaid(person string, s *Show) bool {
	most := s.Guard.Unpaid
	if most == 0 {
		most = DefaultUnpaid
	}
	ids := d.history[person]
	if most < 0 || len(ids) < most {
		return false
	}
	var paid time.Time
	for _, id := range ids {
		if h := d.holds[id]; h.State == StatePaid && d.paidAt(h).After(paid) {
			paid = d.paidAt(h)
		}
	}
	n, old := 0, d.plan.at.Add(-UnpaidWithin)
	for _, id := range ids {
		if h := d.holds[id]; h.State == StateExpired && !h.Offer() && h.Expires.After(old) && h.Expires.After(paid) {
			n++
		}
	}
	return n >= most
}

// paidAt is about when a hold was paid, by the store's clock.
func (d *Desk) paidAt(h *Hold) time.Time {
	if o := d.orders[h.Order]; o != nil {
		return o.Created
	}
	return h.Decided
}

// record notes a hold that ended unpaid or was paid with its person.
func (d *Desk) record(h *Hold) {
	if _, ok := slices.BinarySearch(d.history[h.Person], h.ID); !ok {
		putIDs(d, d.history, h.Person, with(d.history[h.Person], h.ID))
	}
}

// payer notes that a hold was paid: its person is proven, and may be given at once what the guard kept.
func (d *Desk) payer(h *Hold) {
	d.record(h)
	d.prove(h.Person)
}

func (d *Desk) prove(person string) {
	undo := d.watch.Prove(person)
	if undo == nil {
		return
	}
	d.undo(undo)
	for id := range d.shows {
		for _, p := range d.waits[personShow{person, id}] {
			d.plan.again = append(d.plan.again, d.places[p].Variant)
		}
	}
}

// serveAgain serves the lines in which a request left something to do.
func (d *Desk) serveAgain() {
	variants := d.plan.again
	d.plan.again = nil
	slices.Sort(variants)
	for _, v := range slices.Compact(variants) {
		d.promote(v)
	}
}

// Seen notes that a viewer is present in a show: said something, or has its page open. Trusted says that somebody vouches for
// them (see Ask.Trusted). It is part of no plan: what is taken back leaves it.
func (d *Desk) Seen(show ID, v chat.Viewer, trusted bool, at time.Time) {
	person := d.Person(v)
	if trusted {
		d.watch.Prove(person)
	}
	if s := d.shows[show]; s != nil && s.State == ShowLive {
		d.watch.Seen(show, person, at)
	}
}

// look sets when a variant's line is looked at again; the zero time for not at all.
func (d *Desk) look(v ID, at time.Time) {
	before := d.looks.Set(v, at)
	d.undo(func() { d.looks.Set(v, before) })
}

// burn notes a hold that ends unpaid with the guard, where its pieces are scarce and its owner is not proven.
func (d *Desk) burn(h *Hold) {
	s := d.shows[h.Show]
	if h.State != StateHeld || s == nil || s.State != ShowLive || s.Guard.Percent() >= 100 || d.stockOf(h.Variant).Endless {
		return
	}
	_, scarce := d.watch.Allow(guard.Ask{Show: h.Show, Variant: h.Variant, Person: h.Person, Free: d.stockOf(h.Variant).Free(), Share: s.Guard.Percent(), Now: d.plan.at})
	if scarce {
		d.watch.Burn(h.Show, h.Variant, h.Quantity)
		d.undo(func() { d.watch.Burn(h.Show, h.Variant, -h.Quantity) })
	}
}

// tally counts n pieces more of a held hold with the guard.
func (d *Desk) tally(h *Hold, n int) {
	v, person, block := h.Variant, h.Person, d.blocks[h.ID]
	d.watch.Hold(v, person, block, n)
	d.undo(func() { d.watch.Hold(v, person, block, -n) })
}

// has counts one hold more or fewer, held or paid, with the guard.
func (d *Desk) has(h *Hold, by int) {
	v, person := h.Variant, h.Person
	d.watch.Has(v, person, by)
	d.undo(func() { d.watch.Has(v, person, -by) })
}

// enlist notes a hold with the clock, the guard and its person's history.
func (d *Desk) enlist(h *Hold) {
	if h.Open() {
		d.due.Set(h.ID, d.wakes(h))
	}
	if h.State == StateHeld {
		d.watch.Hold(h.Variant, h.Person, d.blocks[h.ID], h.Quantity)
	}
	if h.State == StateHeld || h.State == StatePaid {
		d.watch.Has(h.Variant, h.Person, 1)
	}
	if h.State == StateExpired || h.Order != "" {
		d.history[h.Person] = with(d.history[h.Person], h.ID)
	}
}

// delist is enlist taken back, for an open hold.
func (d *Desk) delist(h *Hold) {
	d.due.Set(h.ID, time.Time{})
	if h.State == StateHeld {
		d.watch.Hold(h.Variant, h.Person, d.blocks[h.ID], -h.Quantity)
		d.watch.Has(h.Variant, h.Person, -1)
	}
}

// Restored is when the data came from a backup, and nothing has been sold since; zero when all is well.
func (d *Desk) Restored() time.Time { return d.restored }

// reopen lets the merchant sell again after a restore.
func (d *Desk) reopen(r Reopen) {
	old := d.restored
	if old.IsZero() {
		return
	}
	d.undo(func() { d.restored = old })
	d.restored = time.Time{}
	d.plan.batch.Reopened = true
	d.write(Reopened, 0, Fact{By: r.By})
	d.tell(Outcome{What: Reopened})
	for _, v := range slices.Sorted(maps.Keys(d.lines)) {
		d.promote(v)
	}
}
