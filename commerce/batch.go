package commerce

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"hawker/commerce/ledger"
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
	Kind     string // claim, pass, change; of the host: release, stock, air, gate
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
	return len(b.Decisions) == 0 && len(b.Holds) == 0 && len(b.Receipts) == 0 && len(b.Places) == 0 && len(b.Stock) == 0 && len(b.Shows) == 0 &&
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

// The ledger's form is package ledger's.
type (
	// Entry is one row of the ledger, chained by hash.
	Entry = ledger.Entry
	// Fact is the body of a ledger row; package ledger says which kind has which fields.
	Fact = ledger.Fact
	// HoldFact is a hold with the pieces of it that an order pays.
	HoldFact = ledger.HoldFact
	// StockFact is a stock row after the entry.
	StockFact = ledger.StockFact
)

// EntryVersion is the version of the body's form and of the chain rule.
const EntryVersion = ledger.Version

// Verify checks a chain of entries; see ledger.Verify.
func Verify(entries []Entry, from [sha256.Size]byte) error { return ledger.Verify(entries, from) }

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
