package commerce

import (
	"cmp"
	"slices"
	"time"

	"hawker/commerce/clock"
	"hawker/commerce/ledger"
	"hawker/commerce/undo"
)

// planning is a plan under way: what it changed and how to take it back.
type planning struct {
	at       time.Time
	sure     bool // of the time: holds may end
	batch    *Batch
	outcomes []Outcome
	keys     map[Key]int // which of outcomes answered a key first
	log      undo.Log
	was      []Hold      // holds as they were, for the log
	touched  map[ID]bool // holds that were there before
	placed   map[ID]bool
	stocked  map[ID]*stockEdit
	order    []ID // of stocked, as first touched
	showed   map[ID]bool
	ordered  map[string]bool
	undrawn  []*Hold     // that ended unpaid in the request under way, and had a draft
	again    []ID        // variants whose lines are served when the request under way is done
	page     ledger.Page // of the request under way
	kept     int         // how many of the batch's decisions stand in entries
	most     int         // requests in one plan, while this was used again
	// clock and head are the desk's as they were.
	clock clock.Clock
	head  ledger.Head
}

// answered is which outcome of a plan answered a key.
func (p *planning) answered(k Key) (at int, ok bool) {
	if p == nil {
		return 0, false
	}
	at, ok = p.keys[k]
	return at, ok
}

// stockEdit is what a plan does to a stock row, and the row as it was; made when there was none.
type stockEdit struct {
	StockChange
	was  Stock
	made bool
}

// Begin starts a plan of about n requests, Add decides more of them, and Seal ends it: Plan in steps, for who does not know
// yet all that will be asked. Everything is decided as at time now.
func (d *Desk) Begin(now time.Time, n int) {
	p := d.spare
	if p == nil || p.most > 8*n+64 { // to clear much for little costs more than to make it anew
		p = &planning{
			keys: make(map[Key]int, n), touched: make(map[ID]bool, n), placed: map[ID]bool{}, stocked: map[ID]*stockEdit{}, showed: map[ID]bool{}, ordered: map[string]bool{},
		}
	} else {
		clear(p.keys)
		clear(p.touched)
		clear(p.placed)
		clear(p.stocked)
		clear(p.showed)
		clear(p.ordered)
		clear(p.was)
		p.log.Clear()
	}
	next, at, sure := d.clock.Read(now)
	seq := d.seq
	if d.flying = d.plan; d.flying != nil {
		seq++
	}
	*p = planning{
		at: at, sure: sure, clock: d.clock, head: d.head, outcomes: make([]Outcome, 0, n),
		batch: &Batch{Merchant: d.Merchant, Epoch: d.epoch, Seq: seq, At: at, NewHolds: make(map[ID]bool, n), NewPlaces: map[ID]bool{}, NewShows: map[ID]bool{}},
		keys:  p.keys, touched: p.touched, placed: p.placed, stocked: p.stocked, showed: p.showed, ordered: p.ordered,
		log: p.log, was: p.was[:0], order: p.order[:0], page: p.page, most: max(p.most, n),
	}
	p.page.Room(n)
	d.clock, d.plan, d.spare = next, p, nil
}

// Plan decides the requests in their order at time now, in memory. The batch it returns must be committed through a
// Ledger and then confirmed by Commit, or taken back by Rollback. Time does not run back from plan to plan, and while the
// clock is in doubt (package clock) no hold ends.
//
// A second plan may be made while the first one's batch is on its way to the Ledger, a third not before the first was
// confirmed. Whoever is not sure of the first one's fate must not commit the second: its fence stands on the first.
func (d *Desk) Plan(now time.Time, reqs []Request) (*Batch, []Outcome) {
	d.Begin(now, len(reqs))
	d.Add(reqs...)
	return d.Seal()
}

// Add decides requests in their order and returns the outcomes that they added.
func (d *Desk) Add(reqs ...Request) []Outcome {
	from := len(d.plan.outcomes)
	for _, r := range reqs {
		d.decide(r)
		d.undraft()
		d.serveAgain()
		d.enter()
	}
	return d.plan.outcomes[from:]
}

// Nothing reports whether nothing of the plan under way has to be stored so far.
func (d *Desk) Nothing() bool {
	p := d.plan
	return len(p.touched)+len(p.stocked)+len(p.placed)+len(p.showed)+len(p.ordered) == 0 && p.batch.Empty()
}

// Seal ends a plan.
func (d *Desk) Seal() (*Batch, []Outcome) { return d.seal(), d.plan.outcomes }

func (d *Desk) decide(r Request) {
	switch r := r.(type) {
	case Claim:
		d.claim(r)
	case Pass:
		d.pass(r)
	case Promote:
		d.promoteViewer(r)
	case Change:
		d.change(r)
	case Retract:
		d.retract(r)
	case Release:
		d.release(r)
	case Expire:
		if d.plan.sure {
			d.expire()
		}
	case Unheard:
		d.unheard(r)
	case Reopen:
		d.reopen(r)
	case Opened:
		d.opened(r)
	case Drafted:
		d.drafted(r)
	case Paid:
		d.paid(r)
	case Read:
		d.read(r)
	case SetStock:
		d.setStock(r)
	case Air:
		d.air(r)
	case Gate:
		d.gate(r)
	case SetShow:
		d.setShow(r)
	case Bind:
		d.bind(r)
	}
}

// seal gathers the rows that the plan touched, each once, in its last state and in an order that does not depend on chance.
func (d *Desk) seal() *Batch {
	p, b := d.plan, d.plan.batch
	b.Holds = make([]Hold, 0, len(b.NewHolds)+len(p.touched))
	for id := range b.NewHolds {
		b.Holds = append(b.Holds, *d.holds[id])
	}
	for id := range p.touched {
		if !b.NewHolds[id] {
			b.Holds = append(b.Holds, *d.holds[id])
		}
	}
	slices.SortFunc(b.Holds, func(a, c Hold) int { return cmp.Compare(a.ID, c.ID) })
	for id := range p.placed {
		b.Places = append(b.Places, *d.places[id])
	}
	slices.SortFunc(b.Places, func(a, c Place) int { return cmp.Compare(a.ID, c.ID) })
	for _, v := range p.order {
		c := p.stocked[v]
		if c.Held == 0 && c.Sold == 0 && !c.Set {
			continue
		}
		c.To = *d.stock[v]
		b.Stock = append(b.Stock, c.StockChange)
	}
	for id := range p.showed {
		b.Shows = append(b.Shows, d.shows[id].Copy()) // the desk changes its own in place
	}
	slices.SortFunc(b.Shows, func(a, c Show) int { return cmp.Compare(a.ID, c.ID) })
	for id := range p.ordered {
		b.Orders = append(b.Orders, *d.orders[id])
	}
	slices.SortFunc(b.Orders, func(a, c OrderRow) int { return cmp.Compare(a.Store, c.Store) })
	return b
}

// Commit confirms the older plan after its batch became durable.
func (d *Desk) Commit() {
	p := d.flying
	if d.flying = nil; p == nil {
		p, d.plan = d.plan, nil
	}
	if p == nil {
		return
	}
	d.seq = p.batch.Seq + 1
	for i := range p.outcomes {
		if !p.outcomes[i].Repeat {
			d.remember(&p.outcomes[i], p.at)
		}
		if o := &p.outcomes[i]; o.What == Over {
			d.watch.Over(o.Show)
		}
	}
	for i := range p.batch.Holds { // in order of their ids, the new ones last
		if id := p.batch.Holds[i].ID; id > d.newest {
			d.aging, d.newest = append(d.aging, id), id
		}
	}
	d.forgetOld(p)
	d.spare = p
}

// closedFor is how long holds that ended stay in memory, for payments that come late and for their viewers' pages.
const closedFor = 30 * 24 * time.Hour

// forgetOld lets go of what nothing asks for any more: places that were served or left, and a few old holds with each plan. While
// another plan is under way holds stay: to take that back puts lists as they were, with the old ones in them.
func (d *Desk) forgetOld(p *planning) {
	for id := range p.placed {
		if d.plan != nil && d.plan.placed[id] { // it may be taken back
			continue
		}
		if x := d.places[id]; x.State != PlaceWaiting {
			m := message{x.Claim.Platform, x.Claim.Message}
			restore(d.byMessage, m, without(d.byMessage[m], id))
			delete(d.places, id)
		}
	}
	for range min(64, len(d.aging)) {
		h := d.holds[d.aging[0]]
		if p.at.Sub(h.Decided) <= closedFor || d.plan != nil {
			return
		}
		if d.aging = d.aging[1:]; h.Open() {
			d.aging = append(d.aging, h.ID) // its turn comes again
		} else {
			d.forgetHold(h)
		}
	}
}

// forgetHold takes a hold that ended out of all that finds holds.
func (d *Desk) forgetHold(h *Hold) {
	k, m := personShow{h.Person, h.Show}, message{h.Claim.Platform, h.Claim.Message}
	delete(d.holds, h.ID)
	if h.State == StatePaid {
		d.watch.Has(h.Variant, h.Person, -1)
	}
	restore(d.ofShow, h.Show, without(d.ofShow[h.Show], h.ID))
	restore(d.byMessage, m, without(d.byMessage[m], h.ID))
	restore(d.claimed, k, without(d.claimed[k], h.ID))
	restore(d.byDraft, h.Draft, without(d.byDraft[h.Draft], h.ID))
	restore(d.byReceipt, h.Receipt, without(d.byReceipt[h.Receipt], h.ID))
	restore(d.history, h.Person, without(d.history[h.Person], h.ID))
	delete(d.blocks, h.ID)
}

// CommitNothing confirms a plan that changed nothing, so that no batch was written and the fence stands where it stood.
func (d *Desk) CommitNothing() {
	seq := d.seq
	d.Commit()
	d.seq = seq
}

// Rollback takes back what was planned and not confirmed, the newer plan first, as if it had never been made.
func (d *Desk) Rollback() {
	d.back(d.plan)
	d.back(d.flying)
	d.plan, d.flying = nil, nil
}

func (d *Desk) back(p *planning) {
	if p == nil {
		return
	}
	p.log.Back()
	for v, e := range p.stocked {
		if e.made {
			delete(d.stock, v)
		} else {
			*d.stock[v] = e.was
		}
	}
	d.head, d.clock, d.spare = p.head, p.clock, p
}

func (d *Desk) undo(f func()) { d.plan.log.Add(f) }

func (d *Desk) tell(o Outcome) {
	p := d.plan
	if o.Key.Message != "" {
		if _, told := p.keys[o.Key]; !told {
			p.keys[o.Key] = len(p.outcomes)
		}
	}
	p.outcomes = append(p.outcomes, o)
}

// write adds a ledger row, with the variants as they stand now.
func (d *Desk) write(kind What, show ID, f Fact, variants ...ID) {
	var room [4]StockFact
	stock := room[:0]
	for _, v := range variants {
		s := d.stock[v]
		stock = append(stock, StockFact{Variant: v, Available: s.Available, Held: s.Held, Sold: s.Sold, Short: s.Short, Endless: s.Endless})
	}
	d.plan.page.Write(string(kind), show, f, stock...)
}

// enter chains what the request under way wrote. Each decision that it kept is named in one entry.
func (d *Desk) enter() {
	p := d.plan
	for ; p.kept < len(p.batch.Decisions); p.kept++ {
		k := &p.batch.Decisions[p.kept]
		p.page.Name(&ledger.Decided{Key: k.Key, Reason: k.Reason, Viewer: k.Viewer, Show: k.Show, Number: k.Number, Quantity: k.Quantity})
	}
	if p.batch.Entries == nil && p.page.Len() > 0 {
		p.batch.Entries = make([]Entry, 0, cap(p.outcomes))
	}
	d.head, p.batch.Entries = p.page.Chain(d.head, p.at, p.batch.Entries)
}

// stockOf is the stock row of a variant, made empty when there is none.
func (d *Desk) stockOf(v ID) *Stock {
	s, ok := d.stock[v]
	if !ok {
		s = &Stock{Variant: v}
		d.stock[v] = s
		c := d.changeOf(v)
		c.made, c.Set = true, true
	}
	return s
}

// changeOf is what the plan does to a stock row that is there. Ask for it before the row changes.
func (d *Desk) changeOf(v ID) *stockEdit {
	c, ok := d.plan.stocked[v]
	if !ok {
		c = &stockEdit{StockChange: StockChange{Variant: v}, was: *d.stock[v]}
		d.plan.stocked[v] = c
		d.plan.order = append(d.plan.order, v)
	}
	return c
}

// move changes held and sold of a variant.
func (d *Desk) move(v ID, held, sold int64) {
	s := d.stockOf(v)
	c := d.changeOf(v)
	s.Held += held
	s.Sold += sold
	c.Held += held
	c.Sold += sold
}

// setStockRow sets the parts of a stock row that only readings and the merchant write.
func (d *Desk) setStockRow(v ID, set func(*Stock)) {
	s := d.stockOf(v)
	d.changeOf(v).Set = true
	set(s)
}

// touch notes that a hold changes and keeps its former state.
func (d *Desk) touch(h *Hold) {
	p := d.plan
	at := len(p.was)
	p.was = append(p.was, *h)
	d.undo(func() { *h = p.was[at] })
	p.touched[h.ID] = true
}

// put sets an entry of one of the desk's indexes, or removes it where v is nothing, and notes how it was; putIDs is put for
// lists.
func put[K, V comparable](d *Desk, m map[K]V, k K, v V) { undo.Put(&d.plan.log, m, k, v) }

func putIDs[K comparable, T cmp.Ordered](d *Desk, m map[K][]T, k K, ids []T) {
	undo.List(&d.plan.log, m, k, ids)
}

func restore[K comparable, T cmp.Ordered](m map[K][]T, k K, ids []T) { undo.SetList(m, k, ids) }

func with[T cmp.Ordered](ids []T, id T) []T { return undo.With(ids, id) }

func without[T cmp.Ordered](ids []T, id T) []T { return undo.Without(ids, id) }
