package commerce

import (
	"time"

	"hawker/commerce/clock"
	"hawker/commerce/due"
	"hawker/commerce/guard"
	"hawker/commerce/ledger"
	"hawker/commerce/person"
	"hawker/commerce/recent"
	"hawker/commerce/undo"
	"hawker/internal/chat"
)

// decidedFor is how long a decision stays in memory, to answer repeats without asking the database. It covers the
// 10 minutes in which a platform redelivers (Twitch EventSub, "Handling duplicate events").
const decidedFor = 10 * time.Minute

// Desk is one merchant's till in memory. One goroutine owns it; it is not safe for two.
type Desk struct {
	Merchant ID

	epoch, seq int64
	head       ledger.Head

	shows    map[ID]*Show
	stock    map[ID]*Stock
	holds    map[ID]*Hold
	receipts map[ID]*Receipt
	places   map[ID]*Place
	orders   map[string]*OrderRow
	people   person.Book

	receiptOf map[showViewer]ID
	claimed   map[personShow][]ID    // holds of a person in a show, open and paid, oldest first
	lines     map[ID][]ID            // places by variant, first in line first
	waits     map[personShow][]ID    // places of a person in a show, oldest first
	openOf    map[ID]int             // open holds by variant
	byMessage map[message][]ID       // holds and places by the message that asked for them
	ofShow    map[ID][]ID            // holds by show, oldest first
	byDraft   map[string][]ID        // holds by the draft that is or was theirs
	inDraft   map[ID][]ID            // by variant: open holds with a draft that the figure read from the store does not lack yet
	drafts    map[string]string      // orders by the draft they were made from
	taking    map[ID]map[string]bool // by variant: orders that took pieces which the figure read from the store does not lack yet
	aging     []ID                   // holds, oldest first, so that old ones can go
	newest    ID                     // the last that came into aging
	last      map[wish]asked
	lastMost  int // entries of last at which old ones go
	decided   *recent.Memory[answered]
	clock     clock.Clock
	due       due.Queue[ID]   // open holds, by when they want something of the clock
	looks     due.Queue[ID]   // variants, by when the line is looked at again for whom the guard let wait
	history   map[string][]ID // holds of a person that ended unpaid or were paid, oldest first
	byReceipt map[ID][]ID     // holds, oldest first
	watch     *guard.Watch
	blocks    map[ID]string // address blocks of the anonymous browsers that holds and places are of; lost with the process
	telling   map[ID]bool   // holds of which an answer is on its way
	restored  time.Time     // not zero: the data came from a backup, and selling was not opened since
	marks     map[chat.Channel]time.Time
	lastID    ID

	plan   *planning // the newest that was not confirmed
	flying *planning // the one before it, whose batch is on its way
	spare  *planning // one that is over, for its room
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

// answered is what is kept of an answer: the whole, or as little as repeats a refusal that was said openly and is not said again.
type answered struct {
	whole          *Outcome
	show, variant  ID
	number, wanted int
	reason         Reason
}

// identity is a viewer without the name, as maps key it.
func identity(v chat.Viewer) chat.Viewer { return chat.Viewer{Platform: v.Platform, ID: v.ID} }

// NewDesk takes over what a Ledger loaded.
func NewDesk(merchant ID, st State) *Desk {
	d := &Desk{
		Merchant: merchant, epoch: st.Epoch, seq: st.Seq, head: ledger.Head{Seq: st.LastEntry, Hash: st.LastHash}, lastID: st.LastPlace,
		shows: map[ID]*Show{}, stock: map[ID]*Stock{}, holds: map[ID]*Hold{}, receipts: map[ID]*Receipt{}, places: map[ID]*Place{},
		orders: map[string]*OrderRow{}, receiptOf: map[showViewer]ID{}, claimed: map[personShow][]ID{},
		lines: map[ID][]ID{}, waits: map[personShow][]ID{}, openOf: map[ID]int{}, byMessage: map[message][]ID{}, last: map[wish]asked{}, decided: recent.New[answered](decidedFor),
		ofShow: map[ID][]ID{}, byDraft: map[string][]ID{}, inDraft: map[ID][]ID{}, drafts: map[string]string{}, taking: map[ID]map[string]bool{},
		marks: map[chat.Channel]time.Time{}, history: map[string][]ID{}, byReceipt: map[ID][]ID{}, watch: guard.New(st.Payers), blocks: map[ID]string{},
		telling: map[ID]bool{}, restored: st.Restored,
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
		if st.Joined[i].Person != "" {
			d.people.Join(&undo.Log{}, st.Joined[i].Viewer, st.Joined[i].Person)
		}
	}
	for i := range st.Holds {
		d.addHold(&st.Holds[i])
		d.aging, d.newest = append(d.aging, st.Holds[i].ID), st.Holds[i].ID
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
		d.addOrder(&st.Orders[i])
	}
	for _, r := range st.Recent {
		d.remember(d.recall(r), r.At)
	}
	for v := range d.lines { // whom the guard let wait is known no more
		d.looks.Set(v, time.Unix(0, 0))
	}
	for c, t := range st.Watermarks {
		d.marks[c] = t
	}
	return d
}

// Known tells the Desk a decision that memory forgot and the database has, after ErrRepeated.
func (d *Desk) Known(r Decision, now time.Time) { d.remember(d.recall(r), now) }

// recall makes a stored decision the answer it was, as far as it can be told from what is stored.
func (d *Desk) recall(r Decision) *Outcome {
	o := &Outcome{
		What: told(r.Kind), Reason: r.Reason, Key: r.Key, Show: r.Show, Number: r.Number, Variant: r.Variant, Wanted: r.Quantity,
		Hold: r.Hold, Viewer: r.Viewer, Receipt: d.ReceiptOf(r.Show, r.Viewer),
	}
	if it := d.item(r.Show, r.Number); it != nil {
		o.Title, o.Cap = it.Product.Title, it.Cap
		if v := it.Variant(r.Variant); v != nil {
			o.Label, o.Price = v.Label(), it.PriceOf(v)
		}
	}
	if s := d.shows[r.Show]; s != nil {
		o.PayOnce = s.PayOnce
	}
	if h := d.holds[r.Hold]; h != nil && h.Open() {
		o.Holding, o.Offers, o.Receipt, o.Due, o.Price = h.Quantity, h.offers(), h.Receipt, h.Due, h.Price
	}
	return o
}

// told is what the answer to a decision of a kind tells.
func told(kind string) What {
	switch kind {
	case keptRelease:
		return Released
	case keptStock:
		return Restocked
	case keptAir:
		return Aired
	case keptGate:
		return Gated
	}
	return Claimed
}

// Kinds of decisions of the host, as stored.
const (
	keptRelease = "release"
	keptStock   = "stock"
	keptAir     = "air"
	keptGate    = "gate"
)

// remember keeps an answer for its repeats.
func (d *Desk) remember(o *Outcome, at time.Time) {
	if o.Key.Message == "" {
		return
	}
	a := answered{whole: o}
	if o.What == Claimed && o.Hold == 0 && o.Receipt == 0 && o.Holding == 0 && o.Waiting == 0 && !o.Answer.Private() {
		a = answered{nil, o.Show, o.Variant, o.Number, o.Wanted, o.Reason}
	}
	d.decided.Put(o.Key, a, at)
}

func (d *Desk) addHold(h *Hold) {
	d.holds[h.ID] = h
	d.lastID = max(d.lastID, h.ID)
	d.ofShow[h.Show] = with(d.ofShow[h.Show], h.ID)
	if h.Draft != "" {
		d.byDraft[h.Draft] = with(d.byDraft[h.Draft], h.ID)
		if h.State == StateHeld && !h.Contained {
			d.inDraft[h.Variant] = with(d.inDraft[h.Variant], h.ID)
		}
	}
	if h.Claim.Message != "" {
		m := message{h.Claim.Platform, h.Claim.Message}
		d.byMessage[m] = with(d.byMessage[m], h.ID)
	}
	k := personShow{h.Person, h.Show}
	if h.Open() || h.State == StatePaid {
		d.claimed[k] = with(d.claimed[k], h.ID)
	}
	if h.State == StateHeld {
		d.openOf[h.Variant]++
	}
	d.byReceipt[h.Receipt] = with(d.byReceipt[h.Receipt], h.ID)
	d.enlist(h)
}

// setDraft notes the draft that reserves a hold's pieces from now on; an empty one that none does.
func (d *Desk) setDraft(h *Hold, draft, checkout string, made time.Time) {
	d.touch(h)
	d.notInDraft(h)
	if h.Draft != "" {
		putIDs(d, d.byDraft, h.Draft, without(d.byDraft[h.Draft], h.ID))
	}
	h.Draft, h.Checkout, h.DraftAt = draft, checkout, made
	h.Contained = h.Contained && draft != "" // the figure lacks the pieces because of the draft before, which this one replaces
	if draft != "" {
		putIDs(d, d.byDraft, draft, with(d.byDraft[draft], h.ID))
		if h.State == StateHeld && !h.Contained {
			putIDs(d, d.inDraft, h.Variant, with(d.inDraft[h.Variant], h.ID))
		}
	}
}

// notInDraft takes a hold out of those whose draft the store's figure does not lack yet: it does now, or the hold ended.
func (d *Desk) notInDraft(h *Hold) {
	if h.Draft != "" {
		putIDs(d, d.inDraft, h.Variant, without(d.inDraft[h.Variant], h.ID))
	}
}

func (d *Desk) addReceipt(r *Receipt) {
	d.lastID = max(d.lastID, r.ID)
	d.receipts[r.ID] = r
	d.receiptOf[showViewer{r.Show, identity(r.Viewer)}] = r.ID
}

// Person is whom a viewer's claims count for: the person joined to, else the viewer alone.
func (d *Desk) Person(v chat.Viewer) string { return d.people.Of(v) }

// newID makes an ID that is greater than any before, so that rows read back in order of their ids stand in the order in
// which they were decided. Those of one millisecond lie apart by chance: a buyer who may write a hold's id into a cart should
// not know the next one.
func (d *Desk) newID() ID {
	id := NewID(d.plan.at)
	if id <= d.lastID {
		id = d.lastID + 1 + id&0xfff
	}
	d.lastID = id
	return id
}

// item finds the item of a show, nil when it has none under the number.
func (d *Desk) item(show ID, number int) *Item {
	if s := d.shows[show]; s != nil {
		return s.Lineup.Item(number)
	}
	return nil
}
