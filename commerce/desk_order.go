package commerce

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"hawker/internal/chat"
)

// paid takes in an order as the store has it now. Webhooks repeat, overtake each other and are lost, so only a newer
// state changes anything, and a payment settles its holds once.
func (d *Desk) paid(r Paid) {
	o := r.Order
	row := d.orders[o.Store]
	if row == nil {
		row = &OrderRow{Order: o, Took: map[ID]int64{}}
		put(d, d.orders, o.Store, row)
		d.plan.ordered[o.Store] = true
		d.ofDraft(row)
		if o.State == OrderPaid {
			d.settle(row, r.Variants)
		}
		return
	}
	if row.Draft == "" && o.Draft != "" { // told behind the order itself: which draft it was
		d.touchOrder(row)
		row.Draft = o.Draft
		d.ofDraft(row)
		d.match(row, r.Variants)
	}
	was := row.Order
	if o.Older(&was) {
		return
	}
	o.Draft = was.Draft
	if row.Paid { // what it paid for, whatever somebody makes of its attributes since
		o.Holds = was.Holds
	}
	over := was.State.Over()
	if was.State.After(o.State) { // that is how an order's life ends; nothing brings it back
		o.State = was.State
	}
	d.touchOrder(row)
	row.Order = o
	switch {
	case over, !row.Paid && o.State != OrderPaid:
	case !row.Paid:
		d.settle(row, r.Variants)
	case o.State.Over():
		d.undoOrder(row)
	default: // paid, or with a rest to pay because of what was added
		d.edit(row, was.Lines, r.Variants)
	}
}

// addOrder puts an order into all that finds orders.
func (d *Desk) addOrder(row *OrderRow) {
	d.orders[row.Store] = row
	if d.firstOf(row) {
		d.drafts[row.Draft] = row.Store
	}
	for v, n := range row.Took {
		if n > 0 {
			d.takes(v, row.Store, true)
		}
	}
}

// ofDraft notes which draft an order was made from.
func (d *Desk) ofDraft(row *OrderRow) {
	if d.firstOf(row) {
		put(d, d.drafts, row.Draft, row.Store)
	}
}

// firstOf reports whether an order is the one that is found by its draft. A draft becomes one order; where a store says
// otherwise, it is the same one of them after a restart.
func (d *Desk) firstOf(row *OrderRow) bool {
	other, there := d.drafts[row.Draft]
	return row.Draft != "" && (!there || row.Store < other)
}

// take notes that an order took n pieces from our figure of a variant, n in all.
func (d *Desk) take(row *OrderRow, v ID, n int64) {
	d.move(v, 0, n-row.Took[v])
	if n > 0 {
		row.Took[v] = n
	} else {
		delete(row.Took, v)
	}
	was := d.taking[v][row.Store]
	d.undo(func() { d.takes(v, row.Store, was) })
	d.takes(v, row.Store, n > 0)
}

// takes notes whether an order takes pieces from our figure of a variant.
func (d *Desk) takes(v ID, order string, yes bool) {
	of := d.taking[v]
	switch {
	case yes && of == nil:
		d.taking[v] = map[string]bool{order: true}
	case yes:
		of[order] = true
	default:
		if delete(of, order); len(of) == 0 {
			delete(d.taking, v)
		}
	}
}

// match settles a payment anew that came before it was known which draft, and so which holds, it was for.
func (d *Desk) match(row *OrderRow, variants map[string]ID) {
	mine := func(h *Hold) bool { return h.State == StatePaid && h.Order == row.Store }
	if holds := d.holdsOf(row); !row.Paid || row.State.Over() || len(holds) == 0 || slices.ContainsFunc(holds, mine) {
		return
	}
	variants = d.variantsOf(row.Lines, variants)
	_, order := row.Lines.Pieces(variants)
	for _, v := range order { // as bought without a hold
		d.take(row, v, 0)
	}
	d.settle(row, variants)
}

// draftPaid notes a draft whose order came before it, whatever became of its holds, and settles them. False when no such order
// came.
func (d *Desk) draftPaid(r Drafted) bool {
	row := d.orders[d.drafts[r.Draft]]
	if row == nil || !row.Paid && !row.State.Over() {
		return false
	}
	if row.State.Over() { // nobody can pay by this draft any more: the holds need another
		return true
	}
	for _, id := range r.Holds {
		if h := d.holds[id]; h != nil && h.State != StatePaid {
			d.setDraft(h, r.Draft, r.URL, r.Created)
		}
	}
	d.touchOrder(row)
	d.match(row, nil)
	for _, id := range r.Holds {
		if h := d.holds[id]; h != nil && h.State != StatePaid { // the order has nothing of it, and nobody can pay by this draft any more
			d.loseDraft(h)
		}
	}
	return true
}

// variantsOf finds our variants of an order's lines: as given, else in what the shows sell.
func (d *Desk) variantsOf(lines OrderLines, given map[string]ID) map[string]ID {
	out := maps.Clone(given)
	if out == nil {
		out = map[string]ID{}
	}
	for _, s := range d.shows {
		for i := range s.Lineup.Items {
			for _, v := range s.Lineup.Items[i].Product.Variants {
				if v.Store != "" && out[v.Store] == 0 && slices.ContainsFunc(lines, func(l OrderLine) bool { return l.Variant == v.Store }) {
					out[v.Store] = v.ID
				}
			}
		}
	}
	return out
}

// edit brings what a paid order takes to what its lines say now: it was edited in the store, or paid back in part. Pieces
// added are sold; pieces removed are free, those first that no hold was for.
func (d *Desk) edit(row *OrderRow, was OrderLines, variants map[string]ID) {
	variants = d.variantsOf(append(slices.Clone(was), row.Lines...), variants)
	before, order := was.Pieces(variants)
	after, added := row.Lines.Pieces(variants)
	var changed []ID
	var cut []HoldFact
	for _, v := range append(order, added...) {
		if before[v] == after[v] || slices.Contains(changed, v) {
			continue
		}
		changed = append(changed, v)
		if after[v] > before[v] {
			d.sellOutside(row, v, after[v]-before[v], row.Updated)
		} else {
			cut = append(cut, d.remove(row, v, before[v]-after[v], after[v])...)
		}
	}
	if len(changed) == 0 {
		return
	}
	total := row.Total
	d.write(Edited, row.Show, Fact{Viewer: viewerKeyOrNone(row.Viewer), Holds: cut, Order: row.Store, Total: &total}, changed...)
	d.tell(Outcome{What: Edited, Show: row.Show, Order: row.Name, Total: row.Total, Viewer: row.Viewer})
	for _, v := range changed {
		d.promote(v)
	}
}

// remove takes n pieces of a variant off an order, which leaves rest. It returns the holds that it pays less of.
func (d *Desk) remove(row *OrderRow, v ID, n, rest int) (less []HoldFact) {
	d.stockOf(v)
	held := 0
	holds := slices.DeleteFunc(d.holdsOf(row), func(h *Hold) bool { return h.State != StatePaid || h.Order != row.Store || h.Variant != v })
	for _, h := range holds {
		held += h.Quantity
	}
	slices.Reverse(holds) // the newest first
	for _, h := range holds {
		cut := min(h.Quantity, held-rest)
		if cut <= 0 {
			break
		}
		if held -= cut; cut == h.Quantity {
			d.unpay(h)
			less = append(less, HoldFact{Hold: h.ID})
		} else {
			d.touch(h)
			h.Quantity -= cut
			less = append(less, HoldFact{Hold: h.ID, Quantity: h.Quantity})
		}
	}
	back := max(0, row.Took[v]-int64(rest))
	if back > 0 {
		d.take(row, v, row.Took[v]-back)
	}
	if !d.stockOf(v).Contains(row.Created) { // what was not taken was not there
		row.Unfilled -= min(row.Unfilled, n-int(back))
	}
	return less
}

// unpay takes a paid hold's payment back: it counts for no cap any more.
func (d *Desk) unpay(h *Hold) {
	d.touch(h)
	h.State = StateReleased
	d.unclaim(h)
	d.has(h, -1)
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

// settle turns a payment into paid holds. What was bought is read from the order's lines: a buyer can edit attributes
// and amounts.
func (d *Desk) settle(row *OrderRow, variants map[string]ID) {
	row.Paid = true
	need, order := row.Lines.Pieces(variants)
	out := Outcome{What: Settled, Reason: Held, Order: row.Name, Total: row.Total, Answer: chat.Answer{}}
	var titles []string
	var paid []HoldFact
	var served []wish
	for _, h := range d.holdsOf(row) {
		q := min(need[h.Variant], h.Quantity)
		if q == 0 || h.State == StatePaid {
			continue
		}
		need[h.Variant] -= q
		late := !h.Open()
		got := d.settleHold(row, h, q)
		paid = append(paid, HoldFact{Hold: h.ID, Quantity: q})
		row.Show, row.Viewer = h.Show, h.Viewer
		if late {
			row.Late = true
			served = append(served, wish{h.Person, h.Show, h.Number, h.Variant})
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
		d.sellOutside(row, v, need[v], row.Created)
	}
	total := row.Total
	d.write(Settled, row.Show, Fact{Order: row.Store, Total: &total, Quantity: out.Wanted, Viewer: viewerKeyOrNone(row.Viewer), Hold: out.Hold, Holds: paid}, order...)
	if out.Hold == 0 {
		return
	}
	for _, w := range served { // who paid late waits no more
		d.leaveLine(w)
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
		for _, id := range d.byDraft[row.Draft] {
			out = append(out, d.holds[id])
		}
	}
	slices.SortStableFunc(out, func(a, b *Hold) int {
		rank := func(h *Hold) int {
			if h.Open() {
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
	inFigure := !st.Contains(row.Created) // the figure still counts these pieces as available
	d.touch(h)
	h.Order = row.Store
	if h.State != StateHeld {
		got = q
		if inFigure {
			got = st.Take(q)
			d.take(row, h.Variant, row.Took[h.Variant]+int64(got))
		}
		if late := !h.Open(); late {
			h.Late = true
			k := personShow{h.Person, h.Show}
			putIDs(d, d.claimed, k, with(d.claimed[k], h.ID))
		} else { // an offer, of which nothing was set aside
			d.closed(h)
		}
		h.State, h.Quantity = StatePaid, q
		d.has(h, 1)
		d.payer(h)
		return got
	}
	d.closed(h)
	if !h.Contained {
		d.move(h.Variant, -int64(h.Quantity), 0)
		if inFigure {
			d.take(row, h.Variant, row.Took[h.Variant]+int64(q))
		}
	}
	h.State, h.Quantity = StatePaid, q
	d.payer(h)
	return q
}

// sellOutside counts pieces that were bought, at a time of the store's clock, without a hold (from the shop's own pages). The
// store has sold them already; where there are fewer free than that, the next reading says so.
func (d *Desk) sellOutside(row *OrderRow, v ID, n int, at time.Time) {
	st := d.stockOf(v)
	if n <= 0 || st.Contains(at) || st.Endless {
		return
	}
	if n = st.Take(n); n > 0 {
		d.take(row, v, row.Took[v]+int64(n))
	}
}

// undoOrder takes an order back that the store cancelled or refunded: its pieces are free again, and its holds count for
// no cap any more.
func (d *Desk) undoOrder(row *OrderRow) {
	var unpaid []HoldFact
	for _, h := range d.holdsOf(row) {
		if h.State == StatePaid && h.Order == row.Store {
			d.unpay(h)
			unpaid = append(unpaid, HoldFact{Hold: h.ID})
		}
	}
	vs := slices.Sorted(maps.Keys(row.Took))
	for _, v := range vs {
		d.take(row, v, 0)
	}
	d.write(Undone, row.Show, Fact{Holds: unpaid, Order: row.Store, State: string(row.State)}, vs...)
	d.tell(Outcome{What: Undone, Show: row.Show, Order: row.Name, Total: row.Total, Viewer: row.Viewer})
	for _, v := range vs {
		d.promote(v)
	}
}
