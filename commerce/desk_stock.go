package commerce

import "time"

// read takes in what the store says of stock. The store's figure replaces ours; holds and orders that it lacks already
// are counted no more.
func (d *Desk) read(r Read) {
	for _, rd := range r.Readings {
		d.readOne(rd)
	}
}

func (d *Desk) readOne(rd Reading) {
	st := d.stockOf(rd.Variant)
	if !rd.At.After(st.Read) { // an older answer that came late
		return
	}
	before := *st
	sure := rd.At.Add(-containedAfter)
	var maybe int64 // pieces made so close to the reading that it may lack them or not
	for _, h := range d.holds {
		if h.Variant != rd.Variant || h.State != StateHeld || h.Draft == "" || h.Contained {
			continue
		}
		if h.DraftAt.Before(sure) {
			d.touch(h)
			h.Contained = true
			d.move(rd.Variant, -int64(h.Quantity), 0)
		} else {
			maybe += int64(h.Quantity)
		}
	}
	for _, o := range d.orders {
		n := o.Took[rd.Variant]
		if n == 0 {
			continue
		}
		if o.Created.Before(sure) {
			d.touchOrder(o)
			d.move(rd.Variant, 0, -n)
			took := map[ID]int64{}
			for v, k := range o.Took {
				if v != rd.Variant {
					took[v] = k
				}
			}
			o.Took = took
		} else {
			maybe += n
		}
	}
	short := max(0, st.Held+st.Sold-rd.Available)
	// Pieces of ours that the store took off a moment ago are no shortage; the next reading settles it.
	ours := min(short, maybe)
	d.setStockRow(rd.Variant, func(s *Stock) {
		s.Available, s.Short, s.Endless, s.Read, s.Seen = max(0, rd.Available)+ours, short-ours, rd.Endless, rd.At, d.plan.at
		if s.Endless {
			s.Available, s.Short = max(s.Available, s.Held+s.Sold), 0
		}
	})
	now := *st
	if now.Available == before.Available && now.Held == before.Held && now.Sold == before.Sold && now.Short == before.Short && now.Endless == before.Endless {
		return // only the time of reading moved; that is no entry
	}
	d.write("reading", 0, Fact{}, rd.Variant)
	switch {
	case now.Short > 0 && before.Short != now.Short:
		d.tell(Outcome{What: ShortOf, Variant: rd.Variant, Wanted: int(now.Short)})
	case now.Free() != before.Free():
		d.tell(Outcome{What: Restocked, Variant: rd.Variant, Left: now.Free()})
	}
	d.promote(rd.Variant)
}

func (d *Desk) setStock(r SetStock) {
	st := d.stockOf(r.Variant)
	if r.Available == nil && r.Add == 0 && r.Safety == nil {
		return
	}
	before := *st
	d.setStockRow(r.Variant, func(s *Stock) {
		if r.Available != nil {
			s.Available = max(0, *r.Available) + s.Sold
		}
		s.Available += r.Add
		// What is promised stays promised: the figure does not fall below it.
		s.Available = max(s.Available, s.Held+s.Sold-s.Short, 0)
		if r.Safety != nil {
			s.Safety = max(0, *r.Safety)
		}
	})
	if before == *st {
		return
	}
	d.write("stock", 0, Fact{}, r.Variant)
	d.tell(Outcome{What: Restocked, Variant: r.Variant, Left: st.Free()})
	d.promote(r.Variant)
}

// stale reports whether the stock of a store's variant was not read for too long to sell it.
func (s *Stock) stale(now time.Time) bool {
	return !s.Read.IsZero() && now.Sub(s.Seen) > StaleAfter
}

// StaleAfter is how old a reading of the store may get before its items pause (product rule: no blind sales).
const StaleAfter = 2 * time.Minute
