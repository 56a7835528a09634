package commerce

import (
	"cmp"
	"slices"
	"time"

	"hawker/internal/chat"
)

// sameLine is how soon a second equal claim of a viewer counts as the same one (product rule).
const sameLine = 3 * time.Second

// again answers a key that was decided before; false when it is new.
func (d *Desk) again(k Key) bool {
	if k.Message == "" {
		return false
	}
	var o Outcome
	if old, ok := d.decided.Get(k); ok && old.whole != nil {
		o = *old.whole
	} else if ok {
		o = *d.recall(Decision{Key: k, Kind: "claim", Show: old.show, Number: old.number, Variant: old.variant, Quantity: old.wanted, Reason: old.reason})
	} else if i, ok := d.plan.answered(k); ok {
		o = d.plan.outcomes[i]
	} else if i, ok := d.flying.answered(k); ok {
		o = d.flying.outcomes[i]
	} else {
		return false
	}
	o.Repeat = true
	d.tell(o)
	return true
}

// outcome starts the answer to a viewer's request.
func outcome(a Ask, number int) Outcome {
	return Outcome{What: Claimed, Key: a.Key, Show: a.Show, Number: number, Viewer: a.Viewer, Answer: a.Answer}
}

func (d *Desk) refuse(o Outcome, why Reason) {
	o.Reason = why
	d.tell(o)
}

// selling finds the show when it sells; on false the refusal has been told. Data from a backup sell nothing more (more) until
// somebody who compared them with the store opened the sale again.
func (d *Desk) selling(o *Outcome, more bool) (*Show, bool) {
	s := d.shows[o.Show]
	switch {
	case s == nil || s.State == ShowPlanned:
		d.refuse(*o, NotOnSale)
	case s.State == ShowEnded:
		d.refuse(*o, Ended)
	case s.Paused, more && !d.restored.IsZero():
		d.refuse(*o, Paused)
	default:
		o.PayOnce = s.PayOnce
		return s, true
	}
	return nil, false
}

// offered finds an item that is for sale; on false the refusal has been told.
func (d *Desk) offered(o *Outcome, s *Show, number int, early bool) (*Item, bool) {
	it := s.Lineup.Item(number)
	if it == nil {
		d.refuse(*o, UnknownItem)
		return nil, false
	}
	o.Title = it.Product.Title
	if it.Closed && !early {
		d.refuse(*o, NotOnSale)
		return nil, false
	}
	return it, true
}

// pick finds the variant meant; on false the refusal has been told.
func (d *Desk) pick(o *Outcome, it *Item, want ID) (*Variant, bool) {
	if want == 0 && len(it.Product.Variants) == 1 {
		want = it.Product.Variants[0].ID
	}
	v := it.Variant(want)
	if v == nil {
		d.choose(o, it)
		return nil, false
	}
	o.Variant, o.Label, o.Price = v.ID, v.Label(), it.PriceOf(v)
	return v, true
}

// choose asks which variant is meant, of those that can be had.
func (d *Desk) choose(o *Outcome, it *Item) {
	why := SoldOut
	for i := range it.Product.Variants {
		v := &it.Product.Variants[i]
		if d.Free(v.ID) == 0 {
			continue
		}
		why = NeedsVariant
		if l := v.Label(); l != "" {
			o.Choices = append(o.Choices, l)
		}
	}
	if why == NeedsVariant {
		d.page(o)
	}
	d.refuse(*o, why)
}

// page makes the viewer's page for an answer that asks: it links there, to choose.
func (d *Desk) page(o *Outcome) {
	if o.Viewer.ID != "" {
		o.Receipt = d.receipt(o.Show, o.Viewer)
	}
}

func (d *Desk) claim(c Claim) {
	if d.again(c.Key) {
		return
	}
	o := outcome(c.Ask, c.Number)
	o.Wanted = c.Quantity
	if c.Edited {
		d.unsay(c)
	}
	s, ok := d.selling(&o, true)
	if !ok {
		return
	}
	if it := s.Lineup.Item(c.Number); c.Unclear != "" && (c.Unclear != NeedsVariant || it == nil) {
		if it != nil {
			o.Title = it.Product.Title
		}
		if c.Unclear == NeedsItem || c.Unclear == NeedsVariant {
			d.page(&o)
		}
		d.refuse(o, c.Unclear)
		return
	}
	it, ok := d.offered(&o, s, c.Number, c.Early)
	if !ok {
		return
	}
	if c.Unclear == NeedsVariant {
		d.choose(&o, it)
		return
	}
	v, ok := d.pick(&o, it, c.Variant)
	if !ok {
		return
	}
	if c.Quantity < 1 {
		d.refuse(o, Chat)
		return
	}
	if d.stockOf(v.ID).Stale(d.plan.at) {
		d.refuse(o, Paused)
		return
	}
	w := wish{d.Person(c.Viewer), s.ID, it.Number, v.ID}
	if c.Trusted {
		d.prove(w.person)
	}
	d.dropGone(w)
	d.stand(&o, w)
	if a, ok := d.last[w]; ok && a.quantity == c.Quantity && a.add == c.Add && d.plan.at.Sub(a.at) < sameLine {
		o.Reason, o.Left = Duplicate, d.stockOf(v.ID).Free()
		d.keep(o, "claim")
		d.tell(o)
		return
	}
	target := c.Quantity
	if c.Add {
		target += o.Holding + o.Waiting
	}
	if d.reach(&o, c, s, it, v, w, target) {
		put(d, d.last, w, asked{c.Quantity, c.Add, d.plan.at})
		d.forgetAsked()
	}
}

// forgetAsked keeps the last claims from piling up: past a bound, those that no new line can equal any more go.
func (d *Desk) forgetAsked() {
	if len(d.last) <= d.lastMost {
		return
	}
	for w, a := range d.last {
		if d.plan.at.Sub(a.at) >= sameLine {
			delete(d.last, w)
		}
	}
	d.lastMost = 2*len(d.last) + 1024
}

// change moves the whole amount that a person wants of a variant, what waits in line included.
func (d *Desk) change(c Change) {
	if d.again(c.Key) {
		return
	}
	o := outcome(c.Ask, c.Number)
	s, ok := d.selling(&o, c.Delta > 0)
	if !ok {
		return
	}
	it, ok := d.offered(&o, s, c.Number, false)
	if !ok {
		return
	}
	person := d.Person(c.Viewer)
	mine := d.wishes(person, s.ID, it.Number, c.Variant)
	if len(mine) == 0 {
		d.refuse(o, NothingHeld)
		return
	}
	if len(mine) > 1 {
		for _, w := range mine {
			if v := it.Variant(w.variant); v != nil {
				o.Choices = append(o.Choices, v.Label())
			}
		}
		d.page(&o)
		d.refuse(o, NeedsVariant)
		return
	}
	w := mine[0]
	v, ok := d.pick(&o, it, w.variant)
	if !ok {
		return
	}
	if c.Delta > 0 && d.stockOf(v.ID).Stale(d.plan.at) {
		d.refuse(o, Paused)
		return
	}
	d.stand(&o, w)
	target := o.Holding + o.Waiting + c.Delta
	if c.Delta > 0 {
		d.dropGone(w)
		d.stand(&o, w)
	}
	o.Wanted = max(target, 0)
	if target < 1 {
		d.giveAll(&o, w)
		return
	}
	d.reach(&o, Claim{Ask: c.Ask, Wait: true}, s, it, v, w, target)
}

// wishes are the variants of an item that a person holds or waits for; with variant, that one alone.
func (d *Desk) wishes(person string, show ID, number int, variant ID) []wish {
	var out []wish
	add := func(n int, v ID) {
		w := wish{person, show, number, v}
		if n == number && (variant == 0 || v == variant) && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	k := personShow{person, show}
	for _, id := range d.claimed[k] {
		if h := d.holds[id]; h.Open() {
			add(h.Number, h.Variant)
		}
	}
	for _, id := range d.waits[k] {
		add(d.places[id].Number, d.places[id].Variant)
	}
	return out
}

// mine are a person's open holds of a wish, oldest first, and their pieces.
func (d *Desk) mine(w wish) (holds []*Hold, pieces int) {
	for _, id := range d.claimed[personShow{w.person, w.show}] {
		if h := d.holds[id]; h.Open() && h.Number == w.number && h.Variant == w.variant {
			holds = append(holds, h)
			pieces += h.Quantity
		}
	}
	return holds, pieces
}

// stand says in o what the person has of a wish now.
func (d *Desk) stand(o *Outcome, w wish) {
	holds, pieces := d.mine(w)
	o.Holding, o.Offers, o.Waiting, o.Place = pieces, 0, 0, 0
	for _, h := range holds {
		o.Offers += h.offers()
	}
	if len(holds) > 0 {
		o.Hold, o.Receipt, o.Due = holds[0].ID, holds[0].Receipt, holds[0].Due
	}
	for _, id := range d.waits[personShow{w.person, w.show}] {
		p := d.places[id]
		if p.Number != w.number || p.Variant != w.variant {
			continue
		}
		if o.Waiting += p.Quantity; o.Place == 0 {
			o.Place = d.position(p)
		}
		if o.Receipt == 0 {
			o.Receipt = p.Receipt
		}
	}
}

// reach brings what a person holds of a variant to target pieces, as far as caps, stock and guard allow; the rest waits. It
// reports false when it refused. o says what the person has.
func (d *Desk) reach(o *Outcome, c Claim, s *Show, it *Item, v *Variant, w wish, target int) bool {
	have := o.Holding
	more, limit := d.room(w.person, s, it)
	o.Cap = limit
	if target == have {
		d.leaveLine(w)
		o.Reason, o.Waiting, o.Place, o.Left = d.heldOr(Held, w), 0, 0, d.stockOf(v.ID).Free()
		d.keep(*o, "claim")
		d.tell(*o)
		return true
	}
	capped := false
	if limit > 0 {
		if room := max(0, more+have); target > room {
			target, capped = room, true
		}
	}
	if capped && target <= have {
		d.refuse(*o, Capped)
		return false
	}
	if target < have {
		d.shrink(o, c.Key, w, have-target)
		return true
	}
	st := d.stockOf(v.ID)
	g := d.grant(w, s, it, c.Block, target-have)
	got := g.pieces
	rest := target - have - got
	offer := g.state == StateOffered
	if offer { // who is offered what there is need not wait for it
		rest = 0
	}
	if got == 0 && have+o.Waiting == 0 && !c.Wait && d.openOf[v.ID] == 0 && st.Free() == 0 { // nobody holds any, so none will come back
		d.refuse(*o, SoldOut)
		return false
	}
	if got > 0 {
		d.grow(o, c, it, v, w, g)
	}
	if rest > 0 {
		d.line(o, c, it, v, w, rest)
	} else {
		d.leaveLine(w)
		o.Waiting, o.Place = 0, 0
	}
	switch {
	case offer:
		o.Reason = Offered
	case got == 0:
		o.Reason = Waitlisted
	case rest > 0 || capped:
		o.Reason = PartlyHeld
	default:
		o.Reason = Held
	}
	o.Left = st.Free()
	d.keep(*o, "claim")
	d.tell(*o)
	return true
}

// grow gives a viewer more pieces, in a hold there is or in a new one. An existing hold keeps its clock: asking again does
// not buy time. A hold whose draft order was made is left alone (the store would unlink the open checkout): the added
// pieces are a hold of their own. So are held pieces beside offered ones.
func (d *Desk) grow(o *Outcome, c Claim, it *Item, v *Variant, w wish, g grant) {
	var h *Hold
	holds, _ := d.mine(w)
	for _, x := range holds {
		if x.Draft == "" && x.State == g.state {
			h = x
		}
	}
	if h != nil {
		d.resize(h, g.pieces)
	} else {
		h = d.makeHold(c.Ask, it, v, g)
	}
	o.Hold, o.Receipt, o.Due = h.ID, h.Receipt, h.Due
	o.Holding += g.pieces
	if g.state == StateOffered {
		o.Offers += g.pieces
	}
	d.write(What(g.state), h.Show, Fact{Viewer: viewerKey(c.Viewer), Number: it.Number, Quantity: h.Quantity, Hold: h.ID}, v.ID)
}

// resize changes the amount of an open hold by n pieces.
func (d *Desk) resize(h *Hold, n int) {
	d.touch(h)
	h.Quantity += n
	if h.State == StateHeld {
		d.tally(h, n)
		d.move(h.Variant, int64(n), 0)
	}
}

// makeHold gives a viewer pieces as granted, for the whole time that show, item and guard leave them.
func (d *Desk) makeHold(a Ask, it *Item, v *Variant, g grant) *Hold {
	due := d.plan.at.Add(SeeAnswer + g.span)
	expires := due.Add(Grace)
	if g.state == StateOffered {
		expires = due
	}
	return d.hold(Hold{
		Show: a.Show, Number: it.Number, Variant: v.ID, Viewer: a.Viewer, Person: d.Person(a.Viewer), Receipt: d.receipt(a.Show, a.Viewer), Quantity: g.pieces,
		Price: it.PriceOf(v), State: g.state, Claim: a.Key, Decided: d.plan.at, Due: due, Expires: expires,
	}, a.Block)
}

// hold opens a hold as given, under a new id; an anonymous browser of the address block asked for it.
func (d *Desk) hold(x Hold, block string) *Hold {
	h := &x
	h.ID = d.newID()
	if block != "" {
		put(d, d.blocks, h.ID, block)
	}
	k, m := personShow{h.Person, h.Show}, message{h.Claim.Platform, h.Claim.Message}
	claimed, asked, page, show := d.claimed[k], d.byMessage[m], d.byReceipt[h.Receipt], d.ofShow[h.Show]
	d.addHold(h)
	d.undo(func() {
		d.delist(h)
		delete(d.holds, h.ID)
		restore(d.claimed, k, claimed)
		restore(d.byMessage, m, asked)
		restore(d.byReceipt, h.Receipt, page)
		restore(d.ofShow, h.Show, show)
		if h.State != StateHeld {
			return
		}
		if d.openOf[h.Variant]--; d.openOf[h.Variant] == 0 {
			delete(d.openOf, h.Variant)
		}
	})
	d.plan.batch.NewHolds[h.ID] = true
	if h.State == StateHeld {
		d.move(h.Variant, int64(h.Quantity), 0)
	}
	return h
}

// receipt is the viewer's page for the show, made when there is none.
func (d *Desk) receipt(show ID, v chat.Viewer) ID {
	k := showViewer{show, identity(v)}
	if id, ok := d.receiptOf[k]; ok {
		return id
	}
	r := &Receipt{ID: d.newID(), Show: show, Viewer: v}
	d.addReceipt(r)
	d.undo(func() { delete(d.receipts, r.ID); delete(d.receiptOf, k) })
	d.plan.batch.Receipts = append(d.plan.batch.Receipts, *r)
	return r.ID
}

// shrink gives n pieces of a wish back: of the newest hold first, and last of those whose checkout was made.
func (d *Desk) shrink(o *Outcome, k Key, w wish, n int) {
	holds, pieces := d.mine(w)
	slices.Reverse(holds)
	slices.SortStableFunc(holds, func(a, b *Hold) int { return cmp.Compare(min(len(a.Draft), 1), min(len(b.Draft), 1)) })
	target := pieces - n
	for _, h := range holds {
		switch {
		case n == 0:
		case n >= h.Quantity:
			n -= h.Quantity
			d.end(h, StatePassed, "")
		case h.Draft == "":
			d.resize(h, -n)
			d.write("changed", h.Show, Fact{Viewer: viewerKey(h.Viewer), Number: h.Number, Quantity: h.Quantity, Hold: h.ID}, h.Variant)
			n = 0
		default:
			d.remake(h, h.Quantity-n)
			n = 0
		}
	}
	d.forget(w)
	d.leaveLine(w)
	d.stand(o, w)
	o.Reason, o.Holding = Changed, target
	d.keep(*o, "change")
	told := len(d.plan.outcomes)
	d.tell(*o)
	d.promote(w.variant)
	d.plan.outcomes[told].Left = d.stockOf(w.variant).Free()
}

// remake ends a hold whose draft order reserves and shows the old amount, and holds fewer pieces anew, until the same
// time: they need a checkout of their own. What the store's figure lacks because of the draft comes back with the
// draft's end; the pieces that stay this viewer's are counted at once, so that nobody else is given them.
func (d *Desk) remake(h *Hold, pieces int) {
	n, block := *h, d.blocks[h.ID]
	d.end(h, StatePassed, "")
	if n.Contained {
		d.setStockRow(n.Variant, func(s *Stock) { s.Available += int64(pieces) })
	}
	n.Quantity, n.Draft, n.Checkout, n.DraftAt, n.Contained = pieces, "", "", time.Time{}, false
	x := d.hold(n, block)
	d.write(What(x.State), x.Show, Fact{Viewer: viewerKey(x.Viewer), Number: x.Number, Quantity: x.Quantity, Hold: x.ID}, x.Variant)
}

// giveAll gives back what a person holds and waits for of a wish.
func (d *Desk) giveAll(o *Outcome, w wish) {
	holds, _ := d.mine(w)
	d.leaveLine(w)
	for _, h := range holds {
		d.end(h, StatePassed, "")
	}
	d.forget(w)
	o.Reason, o.Holding, o.Offers, o.Waiting, o.Place = Passed, 0, 0, 0, 0
	d.keep(*o, "change")
	told := len(d.plan.outcomes)
	d.tell(*o)
	d.promote(w.variant)
	d.plan.outcomes[told].Left = d.stockOf(w.variant).Free()
}

// forget makes the next claim of a wish a new one, however equal to the last.
func (d *Desk) forget(w wish) {
	if _, ok := d.last[w]; ok {
		put(d, d.last, w, asked{})
	}
}

func viewerKey(v chat.Viewer) string { return string(v.Platform) + "/" + v.ID }

// keep stores a decision.
func (d *Desk) keep(o Outcome, kind string) {
	if o.Key.Message == "" {
		return
	}
	if b := d.plan.batch; b.Decisions == nil {
		b.Decisions = make([]Decision, 0, cap(d.plan.outcomes))
	}
	d.plan.batch.Decisions = append(d.plan.batch.Decisions, Decision{
		Key: o.Key, Show: o.Show, Viewer: o.Viewer, Kind: kind, Number: o.Number, Variant: o.Variant, Quantity: o.Wanted, Reason: o.Reason,
		Hold: o.Hold, At: d.plan.at,
	})
}
