// Package ledger is the form of a merchant's ledger: entries chained by SHA-256, each with a fact as its body. Whoever has
// the entries can verify them with nothing else. The package keeps no entries and knows no database.
//
// # The chain
//
// See Entry.Chain. The first entry follows the zero hash.
//
// # The facts
//
// A body is one JSON object. All ids are strings in decimal; people are "platform/id", never by name; amounts are integers
// in the minor unit of their currency. A field that is empty is left out.
//
//	kind         what happened                                        fields
//	held         pieces were set aside, or more of them               viewer item quantity(all of the hold) hold stock
//	offered      a place to pay first, nothing set aside              viewer item quantity hold stock
//	waitlisted   a place in line was taken or changed                 viewer item quantity(all of the place) place stock
//	left         a place in line ended unserved                       viewer item quantity place state stock
//	promoted     a place in line became a hold                        viewer item quantity(of the hold) hold place state(offered, where nothing is set aside) stock
//	changed      a hold has fewer pieces                              viewer item quantity(all of the hold) hold stock
//	passed       a hold was given back by its viewer                  viewer item quantity hold state stock
//	released     a hold was taken back                                viewer item quantity hold state by stock
//	expired      a hold ended unpaid                                  viewer item quantity hold state stock
//	reminder     a hold ends soon                                     viewer item quantity hold
//	extended     a hold got its time once more                        viewer item quantity hold
//	opened       the checkout of a hold was opened                    item quantity hold
//	drafted      the store reserves a hold's pieces                   item quantity hold order(the draft)
//	undrafted    it does no longer, the hold stands                   item quantity hold order(the draft) stock
//	paid         an order was paid, or was found to be for holds      viewer quantity(of its holds) hold(the first) holds order total stock
//	edited       a paid order takes other pieces than before          viewer holds(that changed) order total stock
//	undone       an order was cancelled or paid back                  holds(that it had paid, now with none) order state stock
//	reading      the store told its stock                             stock
//	stock        the merchant changed it                              stock
//	aired        an item went on air, or with none off it             item
//	gated        an item (item) or the show was opened or closed      item state(open or closed)
//	started      a show began
//	ended        a show ended
//	reopened     the merchant sells again after a restore             by
//	decided      a decision that wrote no other entry                 viewer item quantity
//
// Other kinds tell of the house and change no pieces.
//
// Field key, with reason, stands in exactly one entry for each decision that is kept: what a line, a button or a form was
// answered with. So a key that stands twice is a message decided twice. Field viewer is then the one who asked, unless the
// entry tells of somebody else's hold.
//
// Field holds names all holds of which an order pays other pieces than before, with the pieces that it pays now: none takes the
// payment back. Entries that older versions wrote lack it, and the state of a promotion.
//
// Field stock is how the named variants stand after the entry. At each entry and for each variant that is not endless
//
//	held + sold <= available + short
//
// and what the last entry that names a variant says is how it stands; one that no entry names has nothing.
package ledger

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"hawker/commerce/id"
	"hawker/commerce/money"
	"hawker/internal/chat"
)

// Key names one decision for ever: everything a line, button, form or webhook decides is decided once under its key,
// however often and wherever it is delivered. Part counts the claims of one message, from 0.
type Key struct {
	Platform chat.Platform `json:"platform"`
	Message  string        `json:"message"`
	Part     int           `json:"part,omitempty"`
}

func (k Key) String() string { return fmt.Sprintf("%s/%s/%d", k.Platform, k.Message, k.Part) }

// Reason says in one word what became of a line.
type Reason string

// Entry is one row of the ledger, chained by hash.
type Entry struct {
	Seq  int64
	At   time.Time
	Show id.ID
	Kind string
	Body json.RawMessage
	Prev [sha256.Size]byte
	Hash [sha256.Size]byte
}

// Version is the version of the body's form and of the chain rule.
const Version = 1

// Chain computes the entry's hash: SHA-256 over the former hash (32 bytes), then
// "seq\nat_ms\nshow_id\nkind\nversion\n" in decimal, then the body's bytes.
func (e *Entry) Chain() [sha256.Size]byte {
	var room [512]byte
	buf := append(room[:0], e.Prev[:]...)
	buf = append(strconv.AppendInt(buf, e.Seq, 10), '\n')
	buf = append(strconv.AppendInt(buf, e.At.UnixMilli(), 10), '\n')
	buf = append(strconv.AppendInt(buf, int64(e.Show), 10), '\n')
	buf = append(append(buf, e.Kind...), '\n')
	buf = append(strconv.AppendInt(buf, Version, 10), '\n')
	return sha256.Sum256(append(buf, e.Body...))
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
// erased. The package's comment says which kind has which fields.
type Fact struct {
	Key      *Key         `json:"key,omitempty"`
	Viewer   string       `json:"viewer,omitempty"` // platform/id
	Reason   Reason       `json:"reason,omitempty"`
	Number   int          `json:"item,omitempty"`
	Quantity int          `json:"quantity,omitempty"`
	Hold     id.ID        `json:"hold,omitzero"`
	Holds    []HoldFact   `json:"holds,omitempty"`
	Place    id.ID        `json:"place,omitzero"`
	State    string       `json:"state,omitempty"`
	Order    string       `json:"order,omitempty"`
	Total    *money.Money `json:"total,omitempty"`
	By       string       `json:"by,omitempty"`
	Stock    []StockFact  `json:"stock,omitempty"`
}

// HoldFact is a hold with the pieces of it that an order pays; 0 when it pays none any more.
type HoldFact struct {
	Hold     id.ID `json:"hold"`
	Quantity int   `json:"quantity,omitempty"`
}

// StockFact is a stock row after the entry.
type StockFact struct {
	Variant   id.ID `json:"variant"`
	Available int64 `json:"available"`
	Held      int64 `json:"held"`
	Sold      int64 `json:"sold"`
	Short     int64 `json:"short,omitempty"`
	Endless   bool  `json:"endless,omitempty"`
}
