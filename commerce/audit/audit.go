// Package audit replays a merchant's ledger and proves from it alone what a till promises: that no entry was changed, left
// out or put in, that each message was decided once, that no more was ever held and sold than there was, and that each hold
// was opened once and ended once. It names the first entry that breaks one of these.
//
// What the ledger cannot tell (whether the rows of the database say the same as its last word) is for who has the
// database; the methods of Replay say what the ledger knows.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"hawker/commerce"
)

// Broken is the first entry of a ledger that is not as it must be.
type Broken struct {
	Seq  int64
	What string // of the promises: chain, decision, stock, hold, form
	Why  string // a sentence without its final stop
}

func (b *Broken) Error() string { return fmt.Sprintf("ledger entry %d: %s", b.Seq, b.Why) }

// Report is what a replay proved.
type Report struct {
	Entries int64
	// Decisions are messages, buttons and forms that were decided, each once; Unnamed are entries that name a message and
	// not what was decided (written by an older version).
	Decisions, Unnamed int64
	// Holds were opened, Offers too (first paid, first served); Open are those of both that have not ended.
	Holds, Offers, Open             int64
	Expired, Passed, Released, Paid int64
	Late                            int64 // paid after they had ended
	Orders, Undone                  int64
	Promoted                        int64
	Checked                         int64 // stock figures for which held + sold <= available + short was checked
	Variants                        int64
	From, To                        time.Time // of the first and the last entry; zero when there is none
	Last                            int64     // seq
	Hash                            [sha256.Size]byte
}

// Hold is what the ledger knows of a hold.
type Hold struct {
	State    commerce.HoldState
	Quantity int // at its end, or what its order pays of it
	Variant  commerce.ID
	Seq      int64 // of the entry that opened it
	// Unsure says that an entry of an older version may tell of it without naming it: its order did, or will.
	Unsure bool
}

// Replay takes a ledger in, entry by entry from the first. It keeps the open holds, one small value for each ended one and
// 17 bytes for each decided message, and nothing else. Make it by New.
type Replay struct {
	report  Report
	named   time.Time             // of the first entry that names what was decided
	decided map[fingerprint]uint8 // place in reasons
	reasons []commerce.Reason
	stock   map[commerce.ID]commerce.StockFact
	holds   map[commerce.ID]*hold // open ones
	ended   map[commerce.ID]ended
	places  map[commerce.ID]bool
	orders  map[string]*order // settled ones
	pieces  map[commerce.ID]counted
	old     old
}

// old is what entries leave open that an older version wrote: those of an order named only the first of its holds, and a place
// could leave the line in the midst of a settlement, before the entry of that.
type old struct {
	loose map[commerce.ID]bool // variants of which an order may have settled holds that its entry does not name
	doubt *Broken              // an entry that is wrong unless the next that is of no place leaving is such a settlement
}

// fingerprint stands for a Key: 16 bytes of SHA-256 keep millions apart.
type fingerprint [16]byte

type hold struct {
	variant  commerce.ID
	quantity int
	seq      int64
	offered  bool // sets nothing aside
	drafted  bool // the store's figure may lack its pieces
}

type ended struct {
	state    commerce.HoldState
	quantity int
	variant  commerce.ID
	seq      int64 // of the entry that opened it
	// maybe says that it is paid unless the order that paid it gave it back: its entry, of an older version, does not say so.
	maybe bool
}

// order is an order that was paid, with the holds that it pays; old says that an entry of an older version told of it, so that
// there may be more of them.
type order struct {
	holds []commerce.ID
	old   bool
}

// counted are the pieces of a variant's open holds, and of those among them that cannot be in the store's figure.
type counted struct{ all, firm int64 }

// most is more than any shop has of anything; what is above it is no amount.
const most = 1 << 40

// maxReasons is more words than any version has for what can become of a line.
const maxReasons = 200

// New makes a Replay that waits for entry 1.
func New() *Replay {
	return &Replay{
		decided: map[fingerprint]uint8{}, stock: map[commerce.ID]commerce.StockFact{}, holds: map[commerce.ID]*hold{},
		ended: map[commerce.ID]ended{}, places: map[commerce.ID]bool{}, orders: map[string]*order{}, pieces: map[commerce.ID]counted{},
		old: old{loose: map[commerce.ID]bool{}},
	}
}

// Add takes the next entry in. Its error is a *Broken; after one the replay is over.
func (r *Replay) Add(e commerce.Entry) error {
	broken := func(what, why string, v ...any) *Broken { return &Broken{e.Seq, what, fmt.Sprintf(why, v...)} }
	switch {
	case e.Seq != r.report.Last+1:
		return broken("chain", "it follows entry %d; %s", r.report.Last, gap(r.report.Last, e.Seq))
	case e.Prev != r.report.Hash:
		return broken("chain", "it does not name the hash of the entry before it: one of the two was changed or exchanged")
	case e.Hash != e.Chain():
		return broken("chain", "it is not what was hashed: it was changed after it was written")
	}
	var f commerce.Fact
	if err := json.Unmarshal(e.Body, &f); err != nil {
		return broken("form", "its body cannot be read: %v", err)
	}
	if f.Key != nil && f.Reason == "" {
		r.report.Unnamed++
	}
	if f.Key != nil && f.Reason != "" {
		k := print16(*f.Key)
		if was, twice := r.decided[k]; twice {
			return broken("decision", "message %s is decided a second time: %s, and before %s", f.Key, f.Reason, r.reasons[was])
		}
		i := slices.Index(r.reasons, commerce.Reason(f.Reason))
		if i < 0 && len(r.reasons) > maxReasons {
			return broken("form", "%q is no reason", f.Reason)
		} else if i < 0 {
			i = len(r.reasons)
			r.reasons = append(r.reasons, commerce.Reason(f.Reason))
		}
		r.decided[k] = uint8(i)
		r.report.Decisions++
		if r.named.IsZero() {
			r.named = e.At
		}
	}
	if r.old.doubt != nil && e.Kind != "left" {
		if e.Kind != string(commerce.Settled) || len(f.Holds) > 0 {
			return r.old.doubt
		}
		r.old.doubt = nil
	}
	before := map[commerce.ID]commerce.StockFact{}
	for _, s := range f.Stock {
		if why := oversold(s); why != "" {
			return broken("stock", "variant %s: %s", s.Variant, why)
		}
		before[s.Variant] = r.stock[s.Variant]
		r.stock[s.Variant] = s
		r.report.Checked++
	}
	if why := r.follow(e, &f, before); why != "" {
		return broken("hold", "%s", why)
	}
	for _, s := range f.Stock {
		n := r.pieces[s.Variant]
		switch {
		case s.Held > n.all:
			return broken("stock", "variant %s: %d pieces are held, and the holds that are open have %d", s.Variant, s.Held, n.all)
		case s.Held < n.firm && !r.old.loose[s.Variant]:
			err := broken("stock", "variant %s: %d pieces are held, and the open holds whose pieces the store has not set aside have %d", s.Variant, s.Held, n.firm)
			if e.Kind != "left" {
				return err
			}
			if r.old.doubt == nil {
				r.old.doubt = err
			}
		}
	}
	if r.report.Entries == 0 {
		r.report.From = e.At
	}
	r.report.Entries++
	r.report.To, r.report.Last, r.report.Hash = e.At, e.Seq, e.Hash
	return nil
}

func gap(last, seq int64) string {
	if seq > last+1 {
		return fmt.Sprintf("%d in between are missing", seq-last-1)
	}
	return "it is out of order"
}

// oversold says what is wrong with a stock figure, or nothing.
func oversold(s commerce.StockFact) string {
	for _, n := range []int64{s.Available, s.Held, s.Sold, s.Short} {
		if n < 0 || n > most {
			return fmt.Sprintf("an amount of %d pieces cannot be", n)
		}
	}
	if !s.Endless && s.Held+s.Sold > s.Available+s.Short {
		return fmt.Sprintf("oversold: %d held and %d sold are more than %d available and %d short", s.Held, s.Sold, s.Available, s.Short)
	}
	return ""
}

// follow keeps the lives of holds; it says what is wrong, or nothing. before are the stock figures that the entry changes.
func (r *Replay) follow(e commerce.Entry, f *commerce.Fact, before map[commerce.ID]commerce.StockFact) string {
	if f.Place != 0 && (e.Kind == "left" || e.Kind == string(commerce.Promoted)) && !r.places[f.Place] {
		return fmt.Sprintf("place %s leaves the line and was never in it", f.Place)
	}
	switch e.Kind {
	case "waitlisted":
		r.places[f.Place] = true
	case "left":
		delete(r.places, f.Place)
	case "held", "offered", string(commerce.Promoted):
		return r.open(e, f, before)
	case "changed", "opened", "drafted", "undrafted", string(commerce.Extended), string(commerce.Reminded):
		return r.change(e.Kind, f)
	case string(commerce.StateExpired), string(commerce.StatePassed), string(commerce.StateReleased):
		return r.end(commerce.HoldState(e.Kind), f)
	case string(commerce.Settled):
		return r.settle(f)
	case string(commerce.Edited):
		return r.edit(f, false)
	case string(commerce.Undone):
		r.report.Undone++
		return r.edit(f, true)
	}
	return ""
}

func (r *Replay) open(e commerce.Entry, f *commerce.Fact, before map[commerce.ID]commerce.StockFact) string {
	if f.Hold == 0 { // it tells of a place, or of a decision alone
		return ""
	}
	if x, over := r.ended[f.Hold]; over {
		return fmt.Sprintf("hold %s is opened again; it ended before (%s)", f.Hold, x.state)
	}
	if f.Quantity < 1 || f.Quantity > most {
		return fmt.Sprintf("hold %s has %d pieces", f.Hold, f.Quantity)
	}
	h := r.holds[f.Hold]
	if h == nil {
		h = &hold{seq: e.Seq, offered: e.Kind == "offered" || f.State == string(commerce.StateOffered)}
		if len(f.Stock) > 0 {
			h.variant = f.Stock[0].Variant
			if e.Kind == string(commerce.Promoted) && f.Stock[0].Held == before[h.variant].Held { // an older version does not say that it is an offer
				h.offered = true
			}
		}
		r.holds[f.Hold] = h
		if h.offered {
			r.report.Offers++
		} else {
			r.report.Holds++
		}
	}
	if e.Kind == string(commerce.Promoted) {
		r.report.Promoted++
	}
	r.set(h, f.Quantity, h.drafted)
	return ""
}

// set gives a hold its amount.
func (r *Replay) set(h *hold, quantity int, drafted bool) {
	if !h.offered {
		n := r.pieces[h.variant]
		n.all += int64(quantity - h.quantity)
		if !h.drafted {
			n.firm -= int64(h.quantity)
		}
		if !drafted {
			n.firm += int64(quantity)
		}
		r.pieces[h.variant] = n
	}
	h.quantity, h.drafted = quantity, drafted
}

func (r *Replay) change(kind string, f *commerce.Fact) string {
	if f.Hold == 0 {
		return ""
	}
	h := r.holds[f.Hold]
	if h == nil {
		return r.notOpen(f.Hold, kind)
	}
	switch kind {
	case "changed":
		if f.Quantity < 1 || f.Quantity > most {
			return fmt.Sprintf("hold %s has %d pieces", f.Hold, f.Quantity)
		}
		r.set(h, f.Quantity, h.drafted)
	case "drafted", "undrafted":
		r.set(h, h.quantity, kind == "drafted")
	}
	return ""
}

func (r *Replay) notOpen(id commerce.ID, kind string) string {
	if x, over := r.ended[id]; over {
		return fmt.Sprintf("hold %s is %s and ended before (%s)", id, kind, x.state)
	}
	return fmt.Sprintf("hold %s is %s and was never opened", id, kind)
}

func (r *Replay) end(state commerce.HoldState, f *commerce.Fact) string {
	if f.Hold == 0 {
		return ""
	}
	if r.holds[f.Hold] == nil {
		return r.notOpen(f.Hold, string(state))
	}
	r.over(f.Hold, state)
	switch state {
	case commerce.StateExpired:
		r.report.Expired++
	case commerce.StatePassed:
		r.report.Passed++
	default:
		r.report.Released++
	}
	return ""
}

// over ends an open hold.
func (r *Replay) over(id commerce.ID, state commerce.HoldState) {
	h := r.holds[id]
	n := h.quantity
	r.set(h, 0, h.drafted)
	delete(r.holds, id)
	r.ended[id] = ended{state: state, quantity: n, variant: h.variant, seq: h.seq}
}

// settle takes a payment in. An entry of an older version names only the first of the holds that it paid: its variants are
// watched no further from below.
func (r *Replay) settle(f *commerce.Fact) string {
	o := r.orders[f.Order]
	if o == nil {
		o = &order{}
		r.orders[f.Order] = o
		r.report.Orders++
	}
	holds := f.Holds
	if len(holds) == 0 && f.Hold != 0 {
		o.old, holds = true, []commerce.HoldFact{{Hold: f.Hold}}
		for _, s := range f.Stock {
			r.old.loose[s.Variant] = true
		}
	}
	for _, h := range holds {
		if h.Quantity < 0 || h.Quantity > most || h.Quantity == 0 && !o.old {
			return fmt.Sprintf("order %s pays %d pieces of hold %s", f.Order, h.Quantity, h.Hold)
		}
		if r.holds[h.Hold] != nil {
			r.over(h.Hold, commerce.StatePaid)
		} else {
			x, known := r.ended[h.Hold]
			switch {
			case !known:
				return fmt.Sprintf("order %s pays hold %s, which was never opened", f.Order, h.Hold)
			case x.state == commerce.StatePaid && !x.maybe:
				return fmt.Sprintf("order %s pays hold %s, which is paid already", f.Order, h.Hold)
			}
			r.report.Late++
		}
		x := r.ended[h.Hold]
		x.state, x.quantity, x.maybe = commerce.StatePaid, h.Quantity, false
		r.ended[h.Hold] = x
		r.report.Paid++
		if !slices.Contains(o.holds, h.Hold) {
			o.holds = append(o.holds, h.Hold)
		}
	}
	return ""
}

// edit takes in that an order pays fewer pieces of its holds, or, undone, nothing any more.
func (r *Replay) edit(f *commerce.Fact, undone bool) string {
	o := r.orders[f.Order]
	if o == nil { // one that was never paid
		o = &order{}
	}
	for _, h := range f.Holds {
		if o.old && r.holds[h.Hold] != nil { // the entry that paid it did not name it
			r.over(h.Hold, commerce.StatePaid)
		}
		x := r.ended[h.Hold]
		switch {
		case x.state != commerce.StatePaid && !o.old || x.state == "":
			return fmt.Sprintf("order %s pays less of hold %s, which it has not paid", f.Order, h.Hold)
		case h.Quantity < 0 || h.Quantity > 0 && (undone || h.Quantity >= x.quantity && !o.old):
			return fmt.Sprintf("order %s pays %d pieces of hold %s, of which it paid %d", f.Order, h.Quantity, h.Hold, x.quantity)
		case h.Quantity == 0:
			x.state = commerce.StateReleased
			o.holds = slices.DeleteFunc(o.holds, func(id commerce.ID) bool { return id == h.Hold })
		default:
			x.quantity = h.Quantity
		}
		r.ended[h.Hold] = x
	}
	for _, id := range o.holds {
		switch x := r.ended[id]; {
		case x.state != commerce.StatePaid:
			continue
		case undone && o.old:
			x.state = commerce.StateReleased
			r.ended[id] = x
		case o.old && len(f.Holds) == 0: // a new entry names all but those that the till has forgotten
			x.maybe = true
			r.ended[id] = x
		}
	}
	return ""
}

// Report is what was proved so far.
func (r *Replay) Report() Report {
	p := r.report
	p.Open, p.Variants = int64(len(r.holds)), int64(len(r.stock))
	return p
}

// Stock is the ledger's last word on every variant it names.
func (r *Replay) Stock() map[commerce.ID]commerce.StockFact { return r.stock }

// Hold is the ledger's last word on a hold; false when it names none of that id.
func (r *Replay) Hold(id commerce.ID) (Hold, bool) {
	if h := r.holds[id]; h != nil {
		state := commerce.StateHeld
		if h.offered {
			state = commerce.StateOffered
		}
		return Hold{state, h.quantity, h.variant, h.seq, r.old.loose[h.variant]}, true
	}
	x, ok := r.ended[id]
	return Hold{x.state, x.quantity, x.variant, x.seq, r.old.loose[x.variant]}, ok
}

// Settled reports whether the ledger has a payment of an order.
func (r *Replay) Settled(order string) bool { _, ok := r.orders[order]; return ok }

// Decided is what the ledger says was decided under a key; false when no entry says so.
func (r *Replay) Decided(k commerce.Key) (commerce.Reason, bool) {
	i, ok := r.decided[print16(k)]
	if !ok {
		return "", false
	}
	return r.reasons[i], true
}

// NamedSince is the time of the first entry that names what was decided: decisions since then must all be named. Zero when
// no entry does.
func (r *Replay) NamedSince() time.Time { return r.named }

func print16(k commerce.Key) fingerprint {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", k.Platform, k.Message, k.Part))
	return fingerprint(sum[:16])
}

// compact reports whether a body is JSON on one line, as every ledger writes it.
func compact(body []byte) bool { return json.Valid(body) && !bytes.ContainsAny(body, "\n\r") }

func hexHash(h [sha256.Size]byte) string { return hex.EncodeToString(h[:]) }
