package commerce

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"hawker/internal/chat"
)

// Errors of a Ledger. After ErrFenced this Desk rules no more: another took the merchant over; drop it and load again.
// ErrRepeated means that a key of the batch had been decided in a former life that memory forgot: nothing was written;
// tell the Desk the stored outcome by Known and plan again. ErrUnknown means the commit's fate is not known: load
// again before anything is promised.
var (
	ErrFenced   = errors.New("another node serves this merchant now")
	ErrRepeated = errors.New("decided before")
	ErrUnknown  = errors.New("it is not known whether the commit arrived")
)

// Ledger makes batches durable. Commit writes all or nothing, in one transaction, with a disk sync, behind the fence.
type Ledger interface {
	Load(ctx context.Context, merchant ID) (State, error)
	Commit(ctx context.Context, b *Batch) error
}

// Decision is a claim as stored: what was asked and what became of it.
type Decision struct {
	Key      Key
	Show     ID
	Viewer   chat.Viewer
	Kind     string // claim, pass, change
	Number   int
	Variant  ID
	Quantity int
	Reason   Reason
	Hold     ID
	At       time.Time
}

// Effect is something to do in the world because of a decision: say an answer, shout out. It is stored with the
// decision and done after it.
type Effect struct {
	ID       ID
	Kind     string
	Body     json.RawMessage
	NotAfter time.Time // later it matters to nobody
}

// StockChange is what a batch does to one stock row. Held and Sold are differences, so that two writers collide in the
// database's constraint instead of overwriting each other; the others are set when Set is.
type StockChange struct {
	Variant    ID
	Held, Sold int64
	Set        bool
	To         Stock
}

// Batch is everything one plan changes.
type Batch struct {
	Merchant ID
	// Epoch and Seq are the fence: the stored pair must be (Epoch, Seq) and becomes (Epoch, Seq+1).
	Epoch, Seq int64
	At         time.Time
	Decisions  []Decision
	Holds      []Hold
	NewHolds   map[ID]bool
	Receipts   []Receipt
	Places     []Place
	NewPlaces  map[ID]bool
	Stock      []StockChange
	Shows      []Show // only rows whose state, pause or item on air changed
	NewShows   map[ID]bool
	Orders     []OrderRow
	Viewers    []chat.Viewer
	Bindings   []Bind
	Effects    []Effect
	Done       []ID // effects done since the last batch
	Watermarks map[chat.Channel]time.Time
	Inbox      []string // ids of webhooks settled by this batch
	Reopened   bool     // the merchant sells again after a restore
	Entries    []Entry
}

// Empty reports whether there is nothing to write.
func (b *Batch) Empty() bool {
	return len(b.Decisions) == 0 && len(b.Holds) == 0 && len(b.Places) == 0 && len(b.Stock) == 0 && len(b.Shows) == 0 &&
		len(b.Orders) == 0 && len(b.Bindings) == 0 && len(b.Effects) == 0 && len(b.Done) == 0 && len(b.Inbox) == 0 && len(b.Entries) == 0 && !b.Reopened
}

// OrderRow is an order as we keep it.
type OrderRow struct {
	Order
	Show ID
	// Took are the pieces that this order took from our stock figure, by variant, while the figure contained them.
	Took map[ID]int64
	// Unfilled is the number of pieces that were paid and are not there; Late that it paid an expired hold.
	Unfilled int
	Late     bool
	Paid     bool // has been paid at some time
	Viewer   chat.Viewer
}

// Entry is one row of the ledger, chained by hash.
type Entry struct {
	Seq  int64
	At   time.Time
	Show ID
	Kind string
	Body json.RawMessage
	Prev [sha256.Size]byte
	Hash [sha256.Size]byte
}

// EntryVersion is the version of the body's form and of the chain rule.
const EntryVersion = 1

// Chain computes the entry's hash: SHA-256 over the former hash (32 bytes), then
// "seq\nat_ms\nshow_id\nkind\nversion\n" in decimal, then the body's bytes.
func (e *Entry) Chain() [sha256.Size]byte {
	buf := make([]byte, 0, 128+len(e.Body))
	buf = append(buf, e.Prev[:]...)
	buf = strconv.AppendInt(buf, e.Seq, 10)
	buf = append(buf, '\n')
	buf = strconv.AppendInt(buf, e.At.UnixMilli(), 10)
	buf = append(buf, '\n')
	buf = strconv.AppendInt(buf, int64(e.Show), 10)
	buf = append(buf, '\n')
	buf = append(buf, e.Kind...)
	buf = append(buf, '\n')
	buf = strconv.AppendInt(buf, EntryVersion, 10)
	buf = append(buf, '\n')
	buf = append(buf, e.Body...)
	return sha256.Sum256(buf)
}

// Verify checks that entries follow one another without a gap and that each hash is that of its entry, beginning at the
// hash from of the entry before the first. The zero hash is the beginning of the ledger. The error names the first
// entry that is wrong.
func Verify(entries []Entry, from [sha256.Size]byte) error {
	var before int64
	if len(entries) > 0 && from != ([sha256.Size]byte{}) {
		before = entries[0].Seq - 1
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Seq != before+1:
			return fmt.Errorf("ledger entry %d follows %d", e.Seq, before)
		case e.Prev != from:
			return fmt.Errorf("ledger entry %d: it does not name the hash of the entry before it", e.Seq)
		case e.Hash != e.Chain():
			return fmt.Errorf("ledger entry %d: it is not what was hashed", e.Seq)
		}
		before, from = e.Seq, e.Hash
	}
	return nil
}

// Fact is the body of a ledger row. It names people by platform and id only; names and texts live where they can be
// erased.
type Fact struct {
	Key      *Key        `json:"key,omitempty"`
	Viewer   string      `json:"viewer,omitempty"` // platform/id
	Reason   Reason      `json:"reason,omitempty"`
	Number   int         `json:"item,omitempty"`
	Quantity int         `json:"quantity,omitempty"`
	Hold     ID          `json:"hold,omitzero"`
	Place    ID          `json:"place,omitzero"`
	State    string      `json:"state,omitempty"`
	Order    string      `json:"order,omitempty"`
	Total    *Money      `json:"total,omitempty"`
	By       string      `json:"by,omitempty"`
	Stock    []StockFact `json:"stock,omitempty"`
}

// StockFact is a stock row after the entry.
type StockFact struct {
	Variant   ID    `json:"variant"`
	Available int64 `json:"available"`
	Held      int64 `json:"held"`
	Sold      int64 `json:"sold"`
	Short     int64 `json:"short,omitempty"`
	Endless   bool  `json:"endless,omitempty"`
}

// State is what a Ledger has of a merchant when a Desk takes it over. Taking over raises epoch and seq, so that the
// former owner's next batch is void.
type State struct {
	Epoch, Seq int64
	LastEntry  int64
	LastHash   [sha256.Size]byte
	Shows      []Show
	Stock      []Stock
	Holds      []Hold // open ones, and closed ones of the last 30 days
	Receipts   []Receipt
	Places     []Place // waiting, oldest first
	LastPlace  ID      // the greatest id of any place, waiting or not: ids go on from it though the clock was set back
	Orders     []OrderRow
	Joined     []Bind
	Recent     []Decision // of the last 10 minutes
	Payers     []string   // persons who paid for something at any time
	Restored   time.Time  // when the data came from a backup and selling has not been opened since; zero when all is well
	Effects    []Effect   // stored and not done
	Watermarks map[chat.Channel]time.Time
}
