package commerce

// line puts a viewer in line for n pieces of a variant, or changes the place there is.
func (d *Desk) line(o *Outcome, c Claim, it *Item, v *Variant, n int) {
	person := d.Person(c.Viewer)
	for i, id := range d.lines[v.ID] {
		if p := d.places[id]; p.Person == person && p.Show == c.Show && p.Number == it.Number {
			d.touchPlace(p)
			p.Quantity = n
			o.Waiting, o.Place, o.Receipt = n, i+1, p.Receipt
			return
		}
	}
	p := &Place{
		ID: d.freshID(func(id ID) bool { _, taken := d.places[id]; return taken }), Show: c.Show, Number: it.Number, Variant: v.ID,
		Viewer: c.Viewer, Person: person, Receipt: d.receipt(c.Show, c.Viewer), Quantity: n, Price: it.PriceOf(v), Answer: c.Answer,
		Since: d.plan.at, State: PlaceWaiting, Claim: c.Key,
	}
	d.places[p.ID] = p
	d.setLine(v.ID, append(d.lines[v.ID][:len(d.lines[v.ID]):len(d.lines[v.ID])], p.ID))
	d.undo(func() { delete(d.places, p.ID) })
	d.plan.placed[p.ID], d.plan.batch.NewPlaces[p.ID] = true, true
	d.stockOf(v.ID)
	d.write("waitlisted", c.Show, Fact{Key: &c.Key, Viewer: viewerKey(c.Viewer), Number: it.Number, Quantity: n, Place: p.ID}, v.ID)
	o.Waiting, o.Place, o.Receipt = n, len(d.lines[v.ID]), p.Receipt
}

func (d *Desk) touchPlace(p *Place) {
	old := *p
	d.undo(func() { *p = old })
	d.plan.placed[p.ID] = true
}

func (d *Desk) setLine(v ID, to []ID) {
	old := d.lines[v]
	d.undo(func() { d.lines[v] = old })
	d.lines[v] = to
}

// waitingOf are the places a person has in a show.
func (d *Desk) waitingOf(person string, show ID) []ID {
	var out []ID
	s := d.shows[show]
	if s == nil {
		return nil
	}
	for i := range s.Lineup.Items {
		for j := range s.Lineup.Items[i].Product.Variants {
			for _, id := range d.lines[s.Lineup.Items[i].Product.Variants[j].ID] {
				if p := d.places[id]; p.Person == person && p.Show == show && p.Number == s.Lineup.Items[i].Number {
					out = append(out, id)
				}
			}
		}
	}
	return out
}

// leaveLine takes a person out of the line of a variant, because all they want is held.
func (d *Desk) leaveLine(person string, show, variant ID) {
	for _, id := range d.lines[variant] {
		if p := d.places[id]; p.Person == person && p.Show == show {
			d.dropPlace(p, PlaceLeft)
			return
		}
	}
}

func (d *Desk) dropPlace(p *Place, state PlaceState) {
	d.touchPlace(p)
	p.State = state
	d.setLine(p.Variant, without(d.lines[p.Variant], p.ID))
	d.stockOf(p.Variant)
	d.write("left", p.Show, Fact{Viewer: viewerKey(p.Viewer), Number: p.Number, Quantity: p.Quantity, Place: p.ID, State: string(state)}, p.Variant)
}

// promote gives free pieces of a variant to the first in line, in the same plan that freed them, so that the shelf never
// shows them as free in between. Places of shows that are paused, ended or closed keep waiting. Who asked for more than is
// free gets what there is and stays first in line for the rest.
func (d *Desk) promote(variant ID) {
	st := d.stockOf(variant)
	for _, id := range append([]ID(nil), d.lines[variant]...) {
		p := d.places[id]
		s := d.shows[p.Show]
		if s == nil || s.State != ShowLive || s.Paused {
			continue
		}
		it := s.Lineup.Item(p.Number)
		if it == nil || it.Closed {
			continue
		}
		v := it.Variant(variant)
		n := st.take(p.Quantity)
		if v == nil || n == 0 {
			if n == 0 {
				return
			}
			continue
		}
		a := Ask{Key: Key{}, Show: p.Show, Viewer: p.Viewer, Answer: p.Answer}
		h := d.makeHold(a, it, v, n, s.holdTime(it))
		h.Price = p.Price
		d.write(Promoted, p.Show, Fact{Viewer: viewerKey(p.Viewer), Number: p.Number, Quantity: n, Hold: h.ID, Place: p.ID}, variant)
		o := Outcome{
			What: Promoted, Reason: Held, Show: p.Show, Number: p.Number, Title: it.Product.Title, Variant: variant, Label: v.Label(), Wanted: p.Quantity,
			Holding: n, Waiting: p.Quantity - n, Price: h.Price, Hold: h.ID, Receipt: h.Receipt, Due: h.Due, Viewer: p.Viewer, Answer: p.Answer, Left: st.Free(),
		}
		if n == p.Quantity {
			d.touchPlace(p)
			p.State = PlacePromoted
			d.setLine(variant, without(d.lines[variant], id))
		} else {
			d.touchPlace(p)
			p.Quantity -= n
			o.Place, o.Reason = 1, PartlyHeld
		}
		d.tell(o)
	}
}
