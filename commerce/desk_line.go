package commerce

import "slices"

// line puts a viewer in line for n pieces of a variant, or changes the place there is: asking again keeps it.
func (d *Desk) line(o *Outcome, c Claim, it *Item, v *Variant, w wish, n int) {
	var p *Place
	for _, id := range d.waits[personShow{w.person, w.show}] {
		x := d.places[id]
		if x.Number != w.number || x.Variant != w.variant {
			continue
		}
		if p != nil { // two viewers in line became one person
			d.dropPlace(x, PlaceLeft)
			continue
		}
		p = x
	}
	switch {
	case p == nil:
		p = d.makePlace(c.Ask, it, v, n)
	case p.Quantity == n:
		o.Waiting, o.Place, o.Receipt = n, d.position(p), p.Receipt
		return
	default:
		d.touchPlace(p)
		p.Quantity = n
	}
	o.Waiting, o.Place, o.Receipt = n, d.position(p), p.Receipt
	d.write("waitlisted", p.Show, Fact{Viewer: viewerKey(c.Viewer), Number: it.Number, Quantity: n, Place: p.ID}, v.ID)
}

func (d *Desk) makePlace(a Ask, it *Item, v *Variant, n int) *Place {
	p := &Place{
		ID: d.newID(), Show: a.Show, Number: it.Number, Variant: v.ID, Viewer: a.Viewer, Person: d.Person(a.Viewer), Receipt: d.receipt(a.Show, a.Viewer),
		Quantity: n, Price: it.PriceOf(v), Answer: a.Answer, Since: d.plan.at, State: PlaceWaiting, Claim: a.Key,
	}
	d.places[p.ID] = p
	d.undo(func() { delete(d.places, p.ID) })
	d.plan.placed[p.ID], d.plan.batch.NewPlaces[p.ID] = true, true
	if a.Block != "" {
		put(d, d.blocks, p.ID, a.Block)
	}
	k, m := personShow{p.Person, p.Show}, message{p.Claim.Platform, p.Claim.Message}
	putIDs(d, d.lines, v.ID, with(d.lines[v.ID], p.ID))
	putIDs(d, d.waits, k, with(d.waits[k], p.ID))
	putIDs(d, d.byMessage, m, with(d.byMessage[m], p.ID))
	return p
}

func (d *Desk) touchPlace(p *Place) {
	old := *p
	d.undo(func() { *p = old })
	d.plan.placed[p.ID] = true
}

// position is where a place stands in its line, from 1.
func (d *Desk) position(p *Place) int {
	at, _ := slices.BinarySearch(d.lines[p.Variant], p.ID)
	return at + 1
}

// leaveLine takes a person out of line for a wish, because all they want of it is held.
func (d *Desk) leaveLine(w wish) {
	for _, id := range d.waits[personShow{w.person, w.show}] {
		if p := d.places[id]; p.Number == w.number && p.Variant == w.variant {
			d.dropPlace(p, PlaceLeft)
		}
	}
}

// dropPlace takes a place out of line unserved.
func (d *Desk) dropPlace(p *Place, state PlaceState) {
	d.unline(p, state)
	d.forget(wish{p.Person, p.Show, p.Number, p.Variant})
	d.stockOf(p.Variant)
	d.write("left", p.Show, Fact{Viewer: viewerKey(p.Viewer), Number: p.Number, Quantity: p.Quantity, Place: p.ID, State: string(state)}, p.Variant)
}

// unline ends a place.
func (d *Desk) unline(p *Place, state PlaceState) {
	d.touchPlace(p)
	p.State = state
	if d.blocks[p.ID] != "" {
		put(d, d.blocks, p.ID, "")
	}
	k := personShow{p.Person, p.Show}
	putIDs(d, d.lines, p.Variant, without(d.lines[p.Variant], p.ID))
	putIDs(d, d.waits, k, without(d.waits[k], p.ID))
}

// promote gives free pieces of a variant to the first in line, in the same plan that freed them, so that the shelf never
// shows them as free in between. Places of shows that are paused, ended or closed keep waiting, and so do all until data from a
// backup sell again. Who asked for more than is free gets what there is and stays first in line for the rest; nobody gets more
// than the caps let them have. A place whose pieces are only offered (see Desk.grant) ends in an offer of what there is, which
// takes nothing from those behind it.
func (d *Desk) promote(variant ID) {
	st := d.stockOf(variant)
	for _, id := range d.lines[variant] {
		if st.Take(1) == 0 || !d.restored.IsZero() {
			return
		}
		p := d.places[id]
		if it := d.item(p.Show, p.Number); it != nil && !it.Closed && !d.shows[p.Show].Paused {
			d.promotePlace(p, it)
		}
	}
}

// promotePlace gives a place what is free of its variant and its person may have; false when that is nothing.
func (d *Desk) promotePlace(p *Place, it *Item) bool {
	s, v := d.shows[p.Show], it.Variant(p.Variant)
	if v == nil || s.State != ShowLive {
		return false
	}
	more, limit := d.room(p.Person, s, it)
	want := p.Quantity
	if limit > 0 {
		want = min(want, more)
	}
	if want < 1 { // they got all they may have meanwhile, in another size perhaps
		d.dropPlace(p, PlaceLeft)
		return false
	}
	g := d.grant(wish{p.Person, p.Show, p.Number, p.Variant}, s, it, d.blocks[p.ID], want)
	if g.pieces > 0 {
		d.serve(p, it, v, want, limit, g)
	}
	return g.pieces > 0
}

// promoteViewer serves a viewer's places at once.
func (d *Desk) promoteViewer(r Promote) {
	if d.again(r.Key) {
		return
	}
	o := outcome(r.Ask, r.Number)
	for _, id := range d.waits[personShow{d.Person(r.Viewer), r.Show}] {
		p := d.places[id]
		free := d.restored.IsZero() && d.stockOf(p.Variant).Take(1) > 0
		if it := d.item(p.Show, p.Number); free && it != nil && (r.Number == 0 || p.Number == r.Number) && d.promotePlace(p, it) {
			o.Number, o.Variant, o.Receipt, o.Reason = p.Number, p.Variant, p.Receipt, Changed
		}
	}
	if o.Reason == "" {
		d.refuse(o, NothingHeld)
		return
	}
	d.keep(o, "promote")
	d.tell(o)
}

// serve gives a place some of the pieces it may have.
func (d *Desk) serve(p *Place, it *Item, v *Variant, want, limit int, g grant) {
	n := g.pieces
	h := d.makeHold(Ask{Key: p.Claim, Show: p.Show, Viewer: p.Viewer, Answer: p.Answer, Block: d.blocks[p.ID]}, it, v, g)
	h.Price = p.Price
	f := Fact{Viewer: viewerKey(p.Viewer), Number: p.Number, Quantity: n, Hold: h.ID, Place: p.ID}
	if h.State == StateOffered {
		f.State = string(h.State)
	}
	d.write(Promoted, p.Show, f, v.ID)
	o := Outcome{
		What: Promoted, Reason: Held, Show: p.Show, Number: p.Number, Title: it.Product.Title, Variant: v.ID, Label: v.Label(), Wanted: p.Quantity,
		Holding: n, Waiting: want - n, Cap: limit, Price: h.Price, Hold: h.ID, Receipt: h.Receipt, Due: h.Due, Viewer: p.Viewer, Answer: p.Answer,
		Left: d.stockOf(v.ID).Free(), PayOnce: d.shows[p.Show].PayOnce,
	}
	switch {
	case g.state == StateOffered:
		o.Reason, o.Offers, o.Waiting = Offered, n, 0
		d.unline(p, PlacePromoted)
	case n == want:
		d.unline(p, PlacePromoted)
	default:
		d.touchPlace(p)
		p.Quantity = want - n
		o.Place, o.Reason = d.position(p), PartlyHeld
	}
	d.tell(o)
}
