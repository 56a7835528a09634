package commerce

import (
	"maps"
	"slices"

	"hawker/commerce/stock"
)

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
	sure := rd.At.Add(-stock.ContainedAfter)
	var maybe int64 // pieces made so close to the reading that it may lack them or not
	for _, id := range d.inDraft[rd.Variant] {
		h := d.holds[id]
		if h.DraftAt.Before(sure) {
			d.touch(h)
			d.notInDraft(h)
			h.Contained = true
			d.move(rd.Variant, -int64(h.Quantity), 0)
		} else {
			maybe += int64(h.Quantity)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.taking[rd.Variant])) {
		// Its last change counts, not its making: pieces may have been added since.
		if o := d.orders[id]; o.Updated.Before(sure) {
			d.touchOrder(o)
			d.take(o, rd.Variant, 0)
		} else {
			maybe += o.Took[rd.Variant]
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
	if d.again(r.Key) {
		return
	}
	st := d.stockOf(r.Variant)
	before := *st
	if r.Available != nil || r.Add != 0 || r.Safety != nil {
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
	}
	if before == *st {
		d.nothing(r.Key)
		return
	}
	d.write("stock", 0, Fact{}, r.Variant)
	d.once(Outcome{What: Restocked, Variant: r.Variant, Left: st.Free()}, r.Key, keptStock)
	d.promote(r.Variant)
}

// once tells what a command of the host did, and keeps it under its key, if it has one, so that it is not done again.
func (d *Desk) once(o Outcome, k Key, kind string) {
	if k.Message != "" {
		o.Key, o.Reason = k, Changed
		d.keep(o, kind)
	}
	d.tell(o)
}

// nothing answers a command of the host that found nothing to do. Its repeats find the same for as long as memory lasts.
func (d *Desk) nothing(k Key) {
	if k.Message != "" {
		d.tell(Outcome{Reason: NothingHeld, Key: k})
	}
}
