package commerce

func (d *Desk) touchShow(s *Show) {
	old := *s
	old.Lineup.Items = append([]Item(nil), s.Lineup.Items...)
	d.undo(func() { *s = old })
	d.plan.showed[s.ID] = true
}

// SetShow keeps what the desk alone knows: the pause, and the item on air unless the new lineup lacks it.
func (d *Desk) setShow(r SetShow) {
	n := r.Show
	s := d.shows[n.ID]
	if s == nil {
		s = &Show{ID: n.ID}
		d.shows[n.ID] = s
		d.undo(func() { delete(d.shows, n.ID) })
		d.plan.batch.NewShows[n.ID] = true
		d.plan.showed[n.ID] = true
	} else {
		d.touchShow(s)
	}
	was := s.State
	paused, at, air := s.Paused, s.PausedAt, s.Lineup.OnAir
	*s = n
	s.Paused, s.PausedAt = paused, at
	if s.Lineup.OnAir == 0 && s.Lineup.Item(air) != nil {
		s.Lineup.OnAir = air
	}
	if s.State == ShowLive && was != ShowLive {
		s.Started = d.plan.at
		d.write(Begun, s.ID, Fact{})
		d.tell(Outcome{What: Begun, Show: s.ID, Title: s.Title})
	}
	if s.State == ShowEnded && was == ShowLive {
		s.Ended = d.plan.at
		if s.Paused { // the clocks of its holds run on from here
			d.thaw(s)
		}
		d.write(Over, s.ID, Fact{})
		d.tell(Outcome{What: Over, Show: s.ID, Title: s.Title})
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
	for i := range s.Lineup.Items {
		for j := range s.Lineup.Items[i].Product.Variants {
			d.promote(s.Lineup.Items[i].Product.Variants[j].ID)
		}
	}
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
	s.Paused = false
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
	old := d.Person(v)
	if old == r.Person {
		return
	}
	was, had := d.person[v]
	d.person[v] = r.Person
	d.undo(func() {
		if had {
			d.person[v] = was
		} else {
			delete(d.person, v)
		}
	})
	for _, h := range d.holds {
		if identity(h.Viewer) != v || h.State != StateHeld && h.State != StatePaid {
			continue
		}
		from, to := personItem{h.Person, h.Show, h.Number}, personItem{r.Person, h.Show, h.Number}
		d.setClaimed(from, without(d.claimed[from], h.ID))
		d.setClaimed(to, append(without(d.claimed[to], h.ID), h.ID))
		d.touch(h)
		h.Person = r.Person
	}
	for _, p := range d.places {
		if identity(p.Viewer) == v && p.State == PlaceWaiting {
			d.touchPlace(p)
			p.Person = r.Person
		}
	}
	d.plan.batch.Bindings = append(d.plan.batch.Bindings, r)
}
