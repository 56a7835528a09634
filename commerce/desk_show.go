package commerce

import (
	"maps"
	"slices"

	"hawker/internal/chat"
)

func (d *Desk) touchShow(s *Show) {
	old := s.Copy()
	d.undo(func() { *s = old })
	d.plan.showed[s.ID] = true
}

// setShow keeps what the desk alone knows: the pause, when the show began and ended, the item on air unless the new lineup
// lacks it, and which items the host took off sale: whoever made the new lineup may have read the old one before that. A show that may not be as asked for is refused, so that the database need not refuse the whole batch.
func (d *Desk) setShow(r SetShow) {
	n := r.Show
	if other := d.clash(&n); other != nil {
		d.tell(Outcome{What: Refused, Show: n.ID, Title: other.Title})
		return
	}
	s := d.shows[n.ID]
	if s == nil {
		s = &Show{ID: n.ID}
		put(d, d.shows, n.ID, s)
		d.plan.batch.NewShows[n.ID] = true
		d.plan.showed[n.ID] = true
	} else {
		d.touchShow(s)
	}
	old := *s
	*s = n
	s.Paused, s.PausedAt, s.Started, s.Ended = old.Paused, old.PausedAt, old.Started, old.Ended
	s.Lineup.Items = slices.Clone(n.Lineup.Items) // the desk changes them in place
	for i := range s.Lineup.Items {
		it := &s.Lineup.Items[i]
		if was := old.Lineup.Item(it.Number); was != nil && was.Product.ID == it.Product.ID {
			it.Closed = was.Closed
		}
	}
	if s.Lineup.OnAir == 0 && s.Lineup.Item(old.Lineup.OnAir) != nil {
		s.Lineup.OnAir = old.Lineup.OnAir
	}
	if s.State == ShowLive && old.State != ShowLive {
		s.Started = d.plan.at
		d.write(Begun, s.ID, Fact{})
		d.tell(Outcome{What: Begun, Show: s.ID, Title: s.Title})
	}
	if old.State == ShowLive && s.State != ShowLive && s.Paused { // the clocks of its holds run on from here
		d.thaw(s)
	}
	if s.State == ShowEnded && old.State == ShowLive {
		s.Ended = d.plan.at
		d.write(Over, s.ID, Fact{})
		d.tell(Outcome{What: Over, Show: s.ID, Title: s.Title})
	}
	if was := old.Standing(); was != s.Standing() && old.State != "" || s.State == ShowEnded && old.State == ShowLive && s.PayOnce > 0 {
		d.reclock(s)
	}
	d.promoteAll(s)
}

// clash is another show that a show cannot be beside: one of its name, or a live one with one of its channels; nil when
// there is none.
func (d *Desk) clash(n *Show) *Show {
	for _, id := range slices.Sorted(maps.Keys(d.shows)) {
		s := d.shows[id]
		if id == n.ID {
			continue
		}
		both := n.State == ShowLive && s.State == ShowLive
		if s.Name == n.Name || both && slices.ContainsFunc(n.Channels, func(c chat.Channel) bool { return slices.Contains(s.Channels, c) }) {
			return s
		}
	}
	return nil
}

// promoteAll serves the lines of everything a show sells.
func (d *Desk) promoteAll(s *Show) {
	for i := range s.Lineup.Items {
		for j := range s.Lineup.Items[i].Product.Variants {
			if v := s.Lineup.Items[i].Product.Variants[j].ID; len(d.lines[v]) > 0 {
				d.promote(v)
			}
		}
	}
}

func (d *Desk) air(r Air) {
	if d.again(r.Key) {
		return
	}
	s := d.shows[r.Show]
	if s == nil || s.Lineup.OnAir == r.Number || r.Number != 0 && s.Lineup.Item(r.Number) == nil {
		d.nothing(r.Key)
		return
	}
	it := s.Lineup.Item(r.Number)
	d.touchShow(s)
	s.Lineup.OnAir = r.Number
	o := Outcome{What: Aired, Show: s.ID, Number: r.Number}
	if it != nil {
		o.Title = it.Product.Title
		o.Price = it.PriceOf(&it.Product.Variants[0])
	}
	d.write(Aired, s.ID, Fact{Number: r.Number})
	d.once(o, r.Key, keptAir)
}

func (d *Desk) gate(r Gate) {
	if d.again(r.Key) {
		return
	}
	s := d.shows[r.Show]
	if s == nil {
		d.nothing(r.Key)
		return
	}
	if r.Number != 0 {
		it := s.Lineup.Item(r.Number)
		if it == nil || it.Closed == r.Closed {
			d.nothing(r.Key)
			return
		}
		d.touchShow(s)
		it.Closed = r.Closed
		d.writeGate(s, r)
		if !r.Closed {
			for i := range it.Product.Variants {
				d.promote(it.Product.Variants[i].ID)
			}
		}
		return
	}
	if s.Paused == r.Closed || r.Closed && s.State == ShowEnded { // what is over needs no pause, and its holds must end
		d.nothing(r.Key)
		return
	}
	d.touchShow(s)
	if r.Closed {
		s.Paused, s.PausedAt = true, d.plan.at
		d.writeGate(s, r)
		return
	}
	d.thaw(s)
	d.writeGate(s, r)
	d.promoteAll(s)
}

func (d *Desk) writeGate(s *Show, r Gate) {
	state := "open"
	if r.Closed {
		state = "closed"
	}
	d.write(Gated, s.ID, Fact{Number: r.Number, State: state})
	d.once(Outcome{What: Gated, Show: s.ID, Number: r.Number}, r.Key, keptGate)
}

// bind joins a viewer to a person, or parts them from it, with all they hold and wait for. What the viewer did counts for the
// person then, and for nobody else.
func (d *Desk) bind(r Bind) {
	v := identity(r.Viewer)
	from := d.Person(v)
	own := !d.people.Joined(v)
	d.people.Join(&d.plan.log, v, r.Person)
	to := d.Person(v)
	if to == from {
		return
	}
	paid := own && d.watch.Proven(from)
	for _, show := range slices.Sorted(maps.Keys(d.shows)) {
		if page, ok := d.receiptOf[showViewer{show, v}]; ok {
			for _, id := range d.byReceipt[page] {
				h := d.holds[id]
				paid = paid || h.State == StatePaid
				d.rebind(h, to)
			}
		}
		old, new := personShow{from, show}, personShow{to, show}
		for _, id := range d.waits[old] {
			p := d.places[id]
			if identity(p.Viewer) != v {
				continue
			}
			putIDs(d, d.waits, old, without(d.waits[old], p.ID))
			putIDs(d, d.waits, new, with(d.waits[new], p.ID))
			d.touchPlace(p)
			p.Person = to
		}
	}
	if paid {
		d.prove(to)
		if !own {
			d.doubt(from)
		}
	}
	r.At = d.plan.at
	d.plan.batch.Bindings = append(d.plan.batch.Bindings, r)
}

// doubt makes a person whom a payer left not proven any more, unless somebody who stays has paid.
func (d *Desk) doubt(person string) {
	for _, id := range d.history[person] {
		if d.holds[id].State == StatePaid {
			return
		}
	}
	var held []*Hold
	for show := range d.shows {
		for _, id := range d.claimed[personShow{person, show}] {
			if h := d.holds[id]; h.State == StateHeld {
				held = append(held, h)
				d.tally(h, -h.Quantity)
			}
		}
	}
	if undo := d.watch.Doubt(person); undo != nil {
		d.undo(undo)
	}
	for _, h := range held {
		d.tally(h, h.Quantity)
	}
}

// rebind makes a hold another person's, for caps, guard and history.
func (d *Desk) rebind(h *Hold, to string) {
	d.touch(h)
	if _, ok := slices.BinarySearch(d.history[h.Person], h.ID); ok {
		putIDs(d, d.history, h.Person, without(d.history[h.Person], h.ID))
		putIDs(d, d.history, to, with(d.history[to], h.ID))
	}
	held, has := h.State == StateHeld, h.State == StateHeld || h.State == StatePaid
	if h.Open() || has {
		d.unclaim(h)
		k := personShow{to, h.Show}
		putIDs(d, d.claimed, k, with(d.claimed[k], h.ID))
	}
	if held {
		d.tally(h, -h.Quantity)
	}
	if has {
		d.has(h, -1)
	}
	h.Person = to
	if held {
		d.tally(h, h.Quantity)
	}
	if has {
		d.has(h, 1)
	}
}
