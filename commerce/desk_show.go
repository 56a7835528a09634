package commerce

import (
	"maps"
	"slices"
	"time"

	"hawker/internal/chat"
)

func (d *Desk) touchShow(s *Show) {
	old := *s
	old.Lineup.Items = append([]Item(nil), s.Lineup.Items...)
	d.undo(func() { *s = old })
	d.plan.showed[s.ID] = true
}

// setShow keeps what the desk alone knows: the pause, when the show began and ended, and the item on air unless the new
// lineup lacks it. A show that may not be as asked for is refused, so that the database need not refuse the whole batch.
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
	if s.Lineup.OnAir == 0 && s.Lineup.Item(old.Lineup.OnAir) != nil {
		s.Lineup.OnAir = old.Lineup.OnAir
	}
	if s.State == ShowLive && old.State != ShowLive {
		s.Started = d.plan.at
		d.write(Begun, s.ID, Fact{})
		d.tell(Outcome{What: Begun, Show: s.ID, Title: s.Title})
	}
	if s.State == ShowEnded && old.State == ShowLive {
		s.Ended = d.plan.at
		if s.Paused { // the clocks of its holds run on from here
			d.thaw(s)
		}
		d.write(Over, s.ID, Fact{})
		d.tell(Outcome{What: Over, Show: s.ID, Title: s.Title})
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
	s := d.shows[r.Show]
	if s == nil || s.Lineup.OnAir == r.Number {
		return
	}
	it := s.Lineup.Item(r.Number)
	if it == nil && r.Number != 0 {
		return
	}
	d.touchShow(s)
	s.Lineup.OnAir = r.Number
	o := Outcome{What: Aired, Show: s.ID, Number: r.Number}
	if it != nil {
		o.Title = it.Product.Title
		o.Price = it.PriceOf(&it.Product.Variants[0])
	}
	d.write(Aired, s.ID, Fact{Number: r.Number})
	d.tell(o)
}

func (d *Desk) gate(r Gate) {
	s := d.shows[r.Show]
	if s == nil {
		return
	}
	if r.Number != 0 {
		it := s.Lineup.Item(r.Number)
		if it == nil || it.Closed == r.Closed {
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
	if s.Paused == r.Closed {
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
	d.tell(Outcome{What: Gated, Show: s.ID, Number: r.Number})
}

// thaw ends a pause: the ends of holds whose checkout was not opened move by its length.
func (d *Desk) thaw(s *Show) {
	by := d.plan.at.Sub(s.PausedAt)
	s.Paused, s.PausedAt = false, time.Time{}
	for _, h := range d.holds {
		if h.Show == s.ID && h.State == StateHeld && !h.Opened {
			d.touch(h)
			h.Due, h.Expires = h.Due.Add(by), h.Expires.Add(by)
			d.schedule(h)
		}
	}
}

// bind joins a viewer to a person, with all they hold and wait for.
func (d *Desk) bind(r Bind) {
	v := identity(r.Viewer)
	if r.Person == "" || d.Person(v) == r.Person {
		return
	}
	put(d, d.person, v, r.Person)
	for _, id := range slices.Sorted(maps.Keys(d.holds)) {
		h := d.holds[id]
		if identity(h.Viewer) != v {
			continue
		}
		if h.State == StateHeld || h.State == StatePaid {
			d.unclaim(h)
			k := personShow{r.Person, h.Show}
			putIDs(d, d.claimed, k, with(d.claimed[k], h.ID))
		}
		d.touch(h)
		h.Person = r.Person
	}
	for _, id := range slices.Sorted(maps.Keys(d.places)) {
		p := d.places[id]
		if identity(p.Viewer) != v || p.State != PlaceWaiting {
			continue
		}
		from, to := personShow{p.Person, p.Show}, personShow{r.Person, p.Show}
		putIDs(d, d.waits, from, without(d.waits[from], p.ID))
		putIDs(d, d.waits, to, with(d.waits[to], p.ID))
		d.touchPlace(p)
		p.Person = r.Person
	}
	r.At = d.plan.at
	d.plan.batch.Bindings = append(d.plan.batch.Bindings, r)
}
