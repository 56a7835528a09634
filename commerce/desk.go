package commerce

import (
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"hawker/internal/chat"
)

// decidedFor is how long a decision stays in memory, to answer repeats without asking the database. It covers the
// 10 minutes in which a platform redelivers (Twitch EventSub, "Handling duplicate events").
const decidedFor = 10 * time.Minute

// Desk is one merchant's till in memory. One goroutine owns it; it is not safe for two.
type Desk struct {
	Merchant ID

	epoch, seq int64
	lastEntry  int64
	lastHash   [sha256.Size]byte

	shows    map[ID]*Show
	stock    map[ID]*Stock
	holds    map[ID]*Hold
	receipts map[ID]*Receipt
	places   map[ID]*Place
	orders   map[string]*OrderRow
	person   map[chat.Viewer]string // joined viewers only; keyed with an empty name

	receiptOf map[showViewer]ID
	claimed   map[personShow][]ID // holds of a person in a show, open and paid, oldest first
	lines     map[ID][]ID         // places by variant, first in line first
	waits     map[personShow][]ID // places of a person in a show, oldest first
	openOf    map[ID]int          // open holds by variant
	byMessage map[message][]ID    // holds and places by the message that asked for them
	last      map[wish]asked
	lastMost  int // entries of last at which old ones go
	decided   map[Key]decided
	fifo      []decidedAt
	due       dueHeap
	marks     map[chat.Channel]time.Time
	lastID    ID

	plan *planning
}

type showViewer struct {
	show   ID
	viewer chat.Viewer
}

type personShow struct {
	person string
	show   ID
}

// wish is what a person wants pieces of.
type wish struct {
	person  string
	show    ID
	number  int
	variant ID
}

// asked is the last claim that a wish was given something for; the same again within sameLine counts once.
type asked struct {
	quantity int
	add      bool
	at       time.Time
}

// message is a Key without its part.
type message struct {
	platform chat.Platform
	id       string
}

type decided struct{ out Outcome }

type decidedAt struct {
	key Key
	at  time.Time
}

// identity is a viewer without the name, as maps key it.
func identity(v chat.Viewer) chat.Viewer { return chat.Viewer{Platform: v.Platform, ID: v.ID} }

// NewDesk takes over what a Ledger loaded.
func NewDesk(merchant ID, st State) *Desk {
	d := &Desk{
		Merchant: merchant, epoch: st.Epoch, seq: st.Seq, lastEntry: st.LastEntry, lastHash: st.LastHash, lastID: st.LastPlace,
		shows: map[ID]*Show{}, stock: map[ID]*Stock{}, holds: map[ID]*Hold{}, receipts: map[ID]*Receipt{}, places: map[ID]*Place{},
		orders: map[string]*OrderRow{}, person: map[chat.Viewer]string{}, receiptOf: map[showViewer]ID{}, claimed: map[personShow][]ID{},
		lines: map[ID][]ID{}, waits: map[personShow][]ID{}, openOf: map[ID]int{}, byMessage: map[message][]ID{}, last: map[wish]asked{}, decided: map[Key]decided{},
		marks: map[chat.Channel]time.Time{},
	}
	for i := range st.Shows {
		d.shows[st.Shows[i].ID] = &st.Shows[i]
	}
	for i := range st.Stock {
		d.stock[st.Stock[i].Variant] = &st.Stock[i]
	}
	for i := range st.Receipts {
		d.addReceipt(&st.Receipts[i])
	}
	for i := range st.Joined {
		d.person[identity(st.Joined[i].Viewer)] = st.Joined[i].Person
	}
	for i := range st.Holds {
		d.addHold(&st.Holds[i])
	}
	for i := range st.Places {
		p := &st.Places[i]
		d.places[p.ID] = p
		d.lines[p.Variant] = append(d.lines[p.Variant], p.ID)
		k, m := personShow{p.Person, p.Show}, message{p.Claim.Platform, p.Claim.Message}
		d.waits[k], d.byMessage[m] = with(d.waits[k], p.ID), with(d.byMessage[m], p.ID)
		d.lastID = max(d.lastID, p.ID)
	}
	for i := range st.Orders {
		d.orders[st.Orders[i].Store] = &st.Orders[i]
	}
	for _, r := range st.Recent {
		d.remember(d.recall(r), r.At)
	}
	for c, t := range st.Watermarks {
		d.marks[c] = t
	}
	return d
}

// Known tells the Desk a decision that memory forgot and the database has, after ErrRepeated.
func (d *Desk) Known(r Decision, now time.Time) { d.remember(d.recall(r), now) }

// recall makes a stored decision the answer it was, as far as it can be told from what is stored.
func (d *Desk) recall(r Decision) Outcome {
	o := Outcome{
		What: Claimed, Reason: r.Reason, Key: r.Key, Show: r.Show, Number: r.Number, Variant: r.Variant, Wanted: r.Quantity,
		Hold: r.Hold, Viewer: r.Viewer, Receipt: d.ReceiptOf(r.Show, r.Viewer),
	}
	if it := d.item(r.Show, r.Number); it != nil {
		o.Title, o.Cap = it.Product.Title, it.Cap
		if v := it.Variant(r.Variant); v != nil {
			o.Label, o.Price = v.Label(), it.PriceOf(v)
		}
	}
	if h := d.holds[r.Hold]; h != nil && h.State == StateHeld {
		o.Holding, o.Receipt, o.Due, o.Price = h.Quantity, h.Receipt, h.Due, h.Price
	}
	return o
}

func (d *Desk) remember(o Outcome, at time.Time) {
	if o.Key.Message == "" {
		return
	}
	if _, ok := d.decided[o.Key]; !ok {
		d.fifo = append(d.fifo, decidedAt{o.Key, at})
	}
	d.decided[o.Key] = decided{o}
	old := at.Add(-decidedFor)
	n := 0
	for n < len(d.fifo) && d.fifo[n].at.Before(old) {
		delete(d.decided, d.fifo[n].key)
		n++
	}
	d.fifo = d.fifo[n:]
}

func (d *Desk) addHold(h *Hold) {
	d.holds[h.ID] = h
	d.lastID = max(d.lastID, h.ID)
	if h.Claim.Message != "" {
		m := message{h.Claim.Platform, h.Claim.Message}
		d.byMessage[m] = with(d.byMessage[m], h.ID)
	}
	k := personShow{h.Person, h.Show}
	if h.State == StateHeld || h.State == StatePaid {
		d.claimed[k] = with(d.claimed[k], h.ID)
	}
	if h.State == StateHeld {
		d.openOf[h.Variant]++
		heap.Push(&d.due, dueAt{h.Expires, h.ID})
	}
}

func (d *Desk) addReceipt(r *Receipt) {
	d.lastID = max(d.lastID, r.ID)
	d.receipts[r.ID] = r
	d.receiptOf[showViewer{r.Show, identity(r.Viewer)}] = r.ID
}

// Person is whom a viewer's claims count for: the person joined to, else the viewer alone.
func (d *Desk) Person(v chat.Viewer) string {
	if p, ok := d.person[identity(v)]; ok {
		return p
	}
	return string(v.Platform) + ":" + v.ID
}

// planning is a plan under way: what it changed and how to take it back.
type planning struct {
	at       time.Time
	batch    *Batch
	outcomes []Outcome
	keys     map[Key]int // which of outcomes answered a key first
	undo     []func()
	touched  map[ID]bool // holds
	placed   map[ID]bool
	stocked  map[ID]*StockChange
	order    []ID // of stocked, as first touched
	showed   map[ID]bool
	ordered  map[string]bool
	undrawn  []*Hold // that ended unpaid in the request under way, and had a draft
}

// Plan decides the requests in their order at time now, in memory. The batch it returns must be committed through a
// Ledger and then confirmed by Commit, or taken back by Rollback, before the next Plan.
func (d *Desk) Plan(now time.Time, reqs []Request) (*Batch, []Outcome) {
	d.plan = &planning{
		at:    now,
		batch: &Batch{Merchant: d.Merchant, Epoch: d.epoch, Seq: d.seq, At: now, NewHolds: map[ID]bool{}, NewPlaces: map[ID]bool{}, NewShows: map[ID]bool{}},
		keys:  map[Key]int{}, touched: map[ID]bool{}, placed: map[ID]bool{}, stocked: map[ID]*StockChange{}, showed: map[ID]bool{}, ordered: map[string]bool{},
	}
	for _, r := range reqs {
		d.decide(r)
		d.undraft()
	}
	return d.seal(), d.plan.outcomes
}

func (d *Desk) decide(r Request) {
	switch r := r.(type) {
	case Claim:
		d.claim(r)
	case Pass:
		d.pass(r)
	case Change:
		d.change(r)
	case Retract:
		d.retract(r)
	case Release:
		d.release(r)
	case Expire:
		d.expire()
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
	for id := range p.touched {
		b.Holds = append(b.Holds, *d.holds[id])
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
		b.Stock = append(b.Stock, *c)
	}
	for id := range p.showed {
		s := *d.shows[id]
		s.Lineup.Items = slices.Clone(s.Lineup.Items) // the desk changes its own in place
		b.Shows = append(b.Shows, s)
	}
	slices.SortFunc(b.Shows, func(a, c Show) int { return cmp.Compare(a.ID, c.ID) })
	for id := range p.ordered {
		b.Orders = append(b.Orders, *d.orders[id])
	}
	slices.SortFunc(b.Orders, func(a, c OrderRow) int { return cmp.Compare(a.Store, c.Store) })
	return b
}

// Commit confirms the plan after its batch became durable.
func (d *Desk) Commit() {
	p := d.plan
	if p == nil {
		return
	}
	d.seq = p.batch.Seq + 1
	for _, o := range p.outcomes {
		if o.What == Claimed && !o.Repeat {
			d.remember(o, p.at)
		}
	}
	d.plan = nil
}

// CommitNothing confirms a plan that changed nothing, so that no batch was written and the fence stands where it stood.
func (d *Desk) CommitNothing() {
	seq := d.seq
	d.Commit()
	d.seq = seq
}

// Rollback takes the plan back, as if it had never been made.
func (d *Desk) Rollback() {
	if d.plan == nil {
		return
	}
	u := d.plan.undo
	for i := len(u) - 1; i >= 0; i-- {
		u[i]()
	}
	d.plan = nil
	d.due = d.due[:0] // the plan took ends out and put others in
	for _, h := range d.holds {
		if h.State == StateHeld {
			d.due = append(d.due, dueAt{h.Expires, h.ID})
		}
	}
	heap.Init(&d.due)
}

func (d *Desk) undo(f func()) { d.plan.undo = append(d.plan.undo, f) }

func (d *Desk) tell(o Outcome) {
	if _, told := d.plan.keys[o.Key]; o.What == Claimed && o.Key.Message != "" && !told {
		d.plan.keys[o.Key] = len(d.plan.outcomes)
	}
	d.plan.outcomes = append(d.plan.outcomes, o)
}

// write adds a ledger row.
func (d *Desk) write(kind What, show ID, f Fact, variants ...ID) {
	for _, v := range variants {
		s := d.stock[v]
		f.Stock = append(f.Stock, StockFact{v, s.Available, s.Held, s.Sold, s.Short, s.Endless})
	}
	body, err := json.Marshal(f)
	if err != nil { // Fact holds only strings and numbers
		panic(err)
	}
	seq, hash := d.lastEntry, d.lastHash
	d.undo(func() { d.lastEntry, d.lastHash = seq, hash })
	e := Entry{Seq: seq + 1, At: d.plan.at, Show: show, Kind: string(kind), Body: body, Prev: hash}
	e.Hash = e.Chain()
	d.lastEntry, d.lastHash = e.Seq, e.Hash
	d.plan.batch.Entries = append(d.plan.batch.Entries, e)
}

// stockOf is the stock row of a variant, made empty when there is none.
func (d *Desk) stockOf(v ID) *Stock {
	s, ok := d.stock[v]
	if !ok {
		s = &Stock{Variant: v}
		d.stock[v] = s
		d.undo(func() { delete(d.stock, v) })
		d.changeOf(v).Set = true
	}
	return s
}

func (d *Desk) changeOf(v ID) *StockChange {
	c, ok := d.plan.stocked[v]
	if !ok {
		c = &StockChange{Variant: v}
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
	d.undo(func() { s.Held -= held; s.Sold -= sold })
}

// setStockRow sets the parts of a stock row that only readings and the merchant write.
func (d *Desk) setStockRow(v ID, set func(*Stock)) {
	s := d.stockOf(v)
	old := *s
	d.undo(func() {
		s.Available, s.Short, s.Safety, s.Endless, s.Read, s.Seen = old.Available, old.Short, old.Safety, old.Endless, old.Read, old.Seen
	})
	set(s)
	d.changeOf(v).Set = true
}

// touch notes that a hold changes and keeps its former state.
func (d *Desk) touch(h *Hold) {
	old := *h
	d.undo(func() { *h = old })
	d.plan.touched[h.ID] = true
}

// put sets an entry of one of the desk's indexes, or removes it where v is nothing, and notes how it was.
func put[K, V comparable](d *Desk, m map[K]V, k K, v V) {
	old := m[k]
	var none V
	set := func(v V) {
		if v == none {
			delete(m, k)
		} else {
			m[k] = v
		}
	}
	d.undo(func() { set(old) })
	set(v)
}

// putIDs is put for lists, which are never changed in place.
func putIDs[K comparable](d *Desk, m map[K][]ID, k K, ids []ID) {
	old := m[k]
	d.undo(func() { restore(m, k, old) })
	restore(m, k, ids)
}

func restore[K comparable](m map[K][]ID, k K, ids []ID) {
	if len(ids) == 0 {
		delete(m, k)
	} else {
		m[k] = ids
	}
}

// with is ids and one more, oldest first. The part of the array that the old slice shows stays as it is, for an undo.
func with(ids []ID, id ID) []ID {
	at, _ := slices.BinarySearch(ids, id)
	if at == len(ids) {
		return append(ids, id)
	}
	return slices.Insert(ids[:len(ids):len(ids)], at, id)
}

// without is ids less one; the old slice stays as it is.
func without(ids []ID, id ID) []ID {
	at, ok := slices.BinarySearch(ids, id)
	switch {
	case !ok:
		return ids
	case at == 0:
		return ids[1:]
	}
	return append(ids[:at:at], ids[at+1:]...)
}

// newID makes an ID that is greater than any before, so that rows read back in order of their ids stand in the order in
// which they were decided.
func (d *Desk) newID() ID {
	d.lastID = max(NewID(d.plan.at), d.lastID+1)
	return d.lastID
}

// item finds the item of a show, nil when it has none under the number.
func (d *Desk) item(show ID, number int) *Item {
	if s := d.shows[show]; s != nil {
		return s.Lineup.Item(number)
	}
	return nil
}

// dueHeap orders open holds by the time they end. Entries of holds that changed since are skipped when they come up.
type dueHeap []dueAt

type dueAt struct {
	at   time.Time
	hold ID
}

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].hold < h[j].hold
}
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is part of heap.Interface.
func (h *dueHeap) Push(x any) { *h = append(*h, x.(dueAt)) }

// Pop is part of heap.Interface.
func (h *dueHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// NextDue is when the next hold may end; false when none is open.
func (d *Desk) NextDue() (time.Time, bool) {
	for len(d.due) > 0 {
		if h := d.holds[d.due[0].hold]; h != nil && h.State == StateHeld && h.Expires.Equal(d.due[0].at) && !d.frozen(h) {
			return d.due[0].at, true
		}
		heap.Pop(&d.due)
	}
	return time.Time{}, false
}

// frozen reports whether a hold's clock stands still: its show is paused and its checkout was not opened.
func (d *Desk) frozen(h *Hold) bool {
	s := d.shows[h.Show]
	return s != nil && s.Paused && !h.Opened
}
