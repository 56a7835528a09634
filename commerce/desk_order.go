package commerce

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"hawker/internal/chat"
)

// containedAfter is how much later than an order or draft a reading must be to contain it for certain. Both times are
// the store's own clock.
const containedAfter = 5 * time.Second

// settles orders states that come with the same time stamp: a later one in this list is the newer truth.
func settles(s OrderState) int {
	return slices.Index([]OrderState{OrderPending, OrderPaid, OrderRefunded, OrderCancelled}, s)
}

// paid takes in an order as the store has it now. Webhooks repeat, overtake each other and are lost, so only a newer
// state changes anything, and a payment settles its holds once.
func (d *Desk) paid(r Paid) {
	o := r.Order
	row := d.orders[o.Store]
	undone := row != nil && (row.State == OrderRefunded || row.State == OrderCancelled)
	if row != nil {
		if o.Updated.Before(row.Updated) || o.Updated.Equal(row.Updated) && settles(o.State) <= settles(row.State) {
			return
		}
		if row.State == o.State { // an edit of something that concerns no promise of ours
			d.touchOrder(row)
			row.Order = o
			return
		}
		d.touchOrder(row)
		row.Order = o
	} else {
		row = &OrderRow{Order: o, Took: map[ID]int64{}}
		d.orders[o.Store] = row
		d.undo(func() { delete(d.orders, o.Store) })
		d.plan.ordered[o.Store] = true
	}
	switch o.State {
	case OrderPaid:
		if !row.Paid {
			d.settle(row, r.Variants)
		}
	case OrderRefunded, OrderCancelled:
		if row.Paid && !undone {
			d.undoOrder(row)
		}
	}
}

// touchOrder notes that an order changes and keeps its former state; its map is the new state's own.
func (d *Desk) touchOrder(row *OrderRow) {
	old := *row
	d.undo(func() { *row = old })
	if row.Took = maps.Clone(row.Took); row.Took == nil {
		row.Took = map[ID]int64{}
	}
	d.plan.ordered[row.Store] = true
}

// contains reports whether the stock figure read for a variant lacks what was made in the store at time t.
func (s *Stock) contains(t time.Time) bool {
	return !s.Read.IsZero() && t.Add(containedAfter).Before(s.Read)
}

// settle turns a payment into paid holds. What was bought is read from the order's lines: a buyer can edit attributes
// and amounts.
func (d *Desk) settle(row *OrderRow, variants map[string]ID) {
	row.Paid = true
	need := map[ID]int{}
	var order []ID
	for _, l := range row.Lines {
		v, ok := variants[l.Variant]
		if !ok || l.Quantity <= 0 {
			continue
		}
		if _, seen := need[v]; !seen {
			order = append(order, v)
		}
		need[v] += l.Quantity
	}
	out := Outcome{What: Settled, Reason: Held, Order: row.Name, Total: row.Total, Answer: chat.Answer{}}
	var titles []string
	for _, h := range d.holdsOf(row) {
		q := min(need[h.Variant], h.Quantity)
		if q == 0 || h.State == StatePaid {
			continue
		}
		need[h.Variant] -= q
		late := h.State != StateHeld
		got := d.settleHold(row, h, q)
		row.Show, row.Viewer = h.Show, h.Viewer
		if late {
			row.Late = true
		}
		row.Unfilled += q - got
		one := d.about(Settled, h)
		if out.Hold == 0 {
			out.Show, out.Number, out.Variant, out.Label, out.Viewer, out.Hold, out.Receipt = h.Show, h.Number, h.Variant, one.Label, h.Viewer, h.ID, h.Receipt
		}
		out.Wanted += q
		if !slices.Contains(titles, one.Title) {
			titles = append(titles, one.Title)
		}
	}
	for _, v := range order {
		d.sellOutside(row, v, need[v])
	}
	d.write(Settled, row.Show, Fact{Order: row.Store, Total: &row.Total, Quantity: out.Wanted, Viewer: viewerKeyOrNone(row.Viewer), Hold: out.Hold}, order...)
	if out.Hold == 0 {
		return
	}
	out.Title = strings.Join(titles, " + ")
	if row.Late {
		out.What = Late
	}
	if row.Unfilled > 0 {
		out.What = Unfilled
	}
	d.tell(out)
	for _, v := range order { // what was held and not bought is free, and so is what the figure lacked already
		d.promote(v)
	}
}

func viewerKeyOrNone(v chat.Viewer) string {
	if v.ID == "" {
		return ""
	}
	return viewerKey(v)
}

// holdsOf are the holds an order pays: by its attributes, then by its draft; open ones first.
func (d *Desk) holdsOf(row *OrderRow) []*Hold {
	var out []*Hold
	for _, id := range row.Holds {
		if h := d.holds[id]; h != nil && !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	if row.Draft != "" && len(out) == 0 {
		for _, h := range d.holds {
			if h.Draft == row.Draft {
				out = append(out, h)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *Hold) int {
		rank := func(h *Hold) int {
			if h.State == StateHeld {
				return 0
			}
			return 1
		}
		if r := rank(a) - rank(b); r != 0 {
			return r
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return out
}

// settleHold pays q pieces of a hold and returns how many of them are there. A hold that ended before still takes what is
// free; nothing is oversold to be kind.
func (d *Desk) settleHold(row *OrderRow, h *Hold, q int) (got int) {
	st := d.stockOf(h.Variant)
	inFigure := !st.contains(row.Created) // the figure still counts these pieces as available
	d.touch(h)
	h.Order = row.Store
	if h.State != StateHeld {
		got = q
		if inFigure {
			got = st.take(q)
			d.move(h.Variant, 0, int64(got))
			row.Took[h.Variant] += int64(got)
		}
		h.State, h.Late, h.Quantity = StatePaid, true, q
		k := personShow{h.Person, h.Show}
		putIDs(d, d.claimed, k, with(d.claimed[k], h.ID))
		d.leaveLine(wish{h.Person, h.Show, h.Number, h.Variant})
		return got
	}
	d.closed(h)
	if !h.Contained {
		sold := int64(q)
		if !inFigure {
			sold = 0
		}
		d.move(h.Variant, -int64(h.Quantity), sold)
		if sold > 0 {
			row.Took[h.Variant] += sold
		}
	}
	h.State, h.Quantity = StatePaid, q
	return q
}

// sellOutside counts pieces that were bought without a hold (from the shop's own pages). The store has sold them already;
// where there are fewer free than that, the next reading says so.
func (d *Desk) sellOutside(row *OrderRow, v ID, n int) {
	st := d.stockOf(v)
	if n <= 0 || st.contains(row.Created) || st.Endless {
		return
	}
	n = st.take(n)
	d.move(v, 0, int64(n))
	row.Took[v] += int64(n)
}

// undoOrder takes an order back that the store cancelled or refunded: its pieces are free again, and its holds count for
// no cap any more.
func (d *Desk) undoOrder(row *OrderRow) {
	for _, h := range d.holdsOf(row) {
		if h.State == StatePaid && h.Order == row.Store {
			d.touch(h)
			h.State = StateReleased
			d.unclaim(h)
		}
	}
	var vs []ID
	for v, n := range row.Took {
		vs = append(vs, v)
		if n > 0 {
			d.move(v, 0, -n)
		}
	}
	slices.Sort(vs)
	row.Took = map[ID]int64{}
	d.write(Undone, row.Show, Fact{Order: row.Store, State: string(row.State)}, vs...)
	d.tell(Outcome{What: Undone, Show: row.Show, Order: row.Name, Total: row.Total, Viewer: row.Viewer})
	for _, v := range vs {
		d.promote(v)
	}
}
