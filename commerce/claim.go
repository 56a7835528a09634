package commerce

import (
	"time"

	"hawker/commerce/ledger"
	"hawker/internal/chat"
)

// Key names one decision for ever; see ledger.Key.
type Key = ledger.Key

// Ask is who asks for something, where, and where the answer goes. It is part of every request of a viewer.
type Ask struct {
	Key    Key
	Show   ID
	Viewer chat.Viewer
	Answer chat.Answer
	Sent   time.Time // the platform's clock
	// Trusted says that somebody vouches for the viewer: a subscriber, a VIP, a moderator, the owner.
	Trusted bool
	// Block is the address block that an anonymous browser comes from (a /24 of IPv4, a /48 of IPv6), empty for everybody
	// else. All anonymous browsers of one block count as one where pieces are scarce.
	Block string
}

// Request is one thing a Desk can decide.
type Request interface{ request() }

// Claim asks for pieces of an item. Variant 0 means the item's only variant. The amount replaces what the person holds
// of that variant and waits for, or is added to it when Add is set (plus style). Wait asks for a place in line where all
// is sold and nothing will come back by itself; while pieces are free nobody waits, and it is held at once.
type Claim struct {
	Ask
	Number   int
	Variant  ID
	Quantity int
	Add      bool
	Wait     bool
	// Edited says that the line replaces an earlier text of the same message: what the earlier text was given within
	// the time in which an author may take a claim back is given back first.
	Edited bool
	// Early lets the claim in though the item is closed: a rule gives who it is meant for a head start.
	Early bool
	// Unclear, when set, is why the line could not be decided (NeedsItem, NeedsVariant, UnknownItem ...): the claim is
	// refused with it.
	Unclear Reason
}

// Pass gives back what the viewer holds, and the places in line: of one item, or with Number 0 of the whole show.
// Hold, when set, names the one hold meant.
type Pass struct {
	Ask
	Number  int
	Variant ID
	Hold    ID
}

// Promote makes a hold of the viewer's places in line for an item, or with Number 0 for all, as far as pieces are free: also while
// the item is closed or the show paused, where a line waits beside free pieces.
type Promote struct {
	Ask
	Number int
}

// Change asks for Delta more (or, negative, fewer) pieces of an item held or waited for already.
type Change struct {
	Ask
	Number  int
	Variant ID
	Delta   int
}

// Retract undoes the claim of a message that was deleted. By its author within 10 s, by a moderator at any time
// (product rule; custom of live chats).
type Retract struct {
	Message chat.Platform
	ID      string
	ByMod   bool
}

// Release is the host taking a hold back.
type Release struct {
	Key  Key // empty when it need not be decided once
	Hold ID
	By   string // who, for the ledger: a member id or a viewer key
}

// Expire does what time asks for: it reminds the owners of holds that end soon, and lets go of every hold whose time has
// come. One plan does a bounded number; Desk.NextDue says when it wants to be asked again.
type Expire struct{}

// Unheard tells that the owners of holds could not be told of them in any way that they see. Such a hold is extended once
// before it is let go.
type Unheard struct{ Holds []ID }

// Reopen lets a merchant sell again whose data came from a backup, after the store was read and its orders taken in.
type Reopen struct{ By string }

// Opened records that the viewer went to the checkout of a hold: once, both its times move by CheckoutExtra. An offer of more
// than is there becomes one of what there is (see Desk.Payable).
type Opened struct{ Holds []ID }

// Drafted records the store's draft order at which holds are paid, and which reserves the pieces of those that are held. With an
// empty Draft they have none any more. A draft of which a hold has ended, or has another one already, is not theirs.
type Drafted struct {
	Holds   []ID
	Draft   string
	URL     string
	Created time.Time // the store's clock
}

// Paid tells of an order as the store has it now; any state, any number of times, in any order.
type Paid struct {
	Order Order
	// Variants finds our variant by the store's id of it.
	Variants map[string]ID
}

// Read tells what the store said of stock.
type Read struct{ Readings []Reading }

// SetStock is the merchant changing how many pieces may be sold of a variant of their own (no store behind it), or the
// safety amount kept back; a nil field stays.
type SetStock struct {
	Key       Key // empty when it need not be decided once
	Variant   ID
	Available *int64
	Add       int64
	Safety    *int64
}

// Air puts an item on air; Number 0 takes the item on air off.
type Air struct {
	Key    Key // empty when it need not be decided once
	Show   ID
	Number int
}

// Gate opens or closes one item (Number > 0), or pauses and resumes the whole show (Number 0).
type Gate struct {
	Key    Key // empty when it need not be decided once
	Show   ID
	Number int
	Closed bool
}

// SetShow puts a show, with its lineup, channels and state, in place as given. Items that it had already stay open or closed as
// they are.
type SetShow struct{ Show Show }

// Bind says that a viewer belongs to a person; caps and waitlist count persons. An empty Person makes the viewer a person of
// their own again, with all that this viewer asked for.
type Bind struct {
	Viewer chat.Viewer
	Person string
	At     time.Time // when it was decided; the Desk sets it
}

func (Claim) request()    {}
func (Pass) request()     {}
func (Promote) request()  {}
func (Change) request()   {}
func (Retract) request()  {}
func (Release) request()  {}
func (Expire) request()   {}
func (Unheard) request()  {}
func (Reopen) request()   {}
func (Opened) request()   {}
func (Drafted) request()  {}
func (Paid) request()     {}
func (Read) request()     {}
func (SetStock) request() {}
func (Air) request()      {}
func (Gate) request()     {}
func (SetShow) request()  {}
func (Bind) request()     {}

// What says what an Outcome tells of.
type What string

// What an outcome can tell.
const (
	Claimed   What = "claimed"  // an answer to Claim, Change or Pass
	Promoted  What = "promoted" // a place in line became a hold
	Reminded  What = "reminder" // a hold ends soon
	Extended  What = "extended" // a hold got its time once more, because its owner could be told nothing; tell again
	Expired   What = "expired"
	Released  What = "released" // by the host or by a deleted message
	Settled   What = "paid"     // an order was paid
	Late      What = "late"     // paid after the hold's end, pieces were there
	Unfilled  What = "unfilled" // paid and no pieces left: the merchant must act
	Undone    What = "undone"   // an order was cancelled or refunded
	Edited    What = "edited"   // a paid order takes other pieces than before, or less money
	Aired     What = "aired"
	Restocked What = "restocked"
	ShortOf   What = "short" // the store has fewer pieces than are promised
	Gated     What = "gated"
	Begun     What = "started"
	Over      What = "ended"
	Reopened  What = "reopened" // after a restore
	Refused   What = "refused"  // a SetShow that cannot be beside another show, which Title names
)

// Outcome is what became of a request, or of somebody else through it (a promotion).
type Outcome struct {
	What   What   `json:",omitzero"`
	Reason Reason `json:",omitzero"`
	Key    Key    `json:",omitzero"`
	Show   ID     `json:",omitzero"`
	Number int    `json:",omitzero"`
	Title  string `json:",omitzero"`
	// Variant and Label name what was meant; Choices the labels to choose from when Reason is NeedsVariant.
	Variant ID       `json:",omitzero"`
	Label   string   `json:",omitzero"`
	Choices []string `json:",omitzero"`
	// Wanted is the amount asked for; Holding what the person holds of the variant now, Offers how many of these are only offered;
	// Waiting what waits in line, at Place (from 1); Cap the cap that applied, 0 for none; Left what is free to claim now (-1 when
	// endless).
	Wanted  int         `json:",omitzero"`
	Holding int         `json:",omitzero"`
	Offers  int         `json:",omitzero"`
	Waiting int         `json:",omitzero"`
	Place   int         `json:",omitzero"`
	Cap     int         `json:",omitzero"`
	Left    int64       `json:",omitzero"`
	Price   Money       `json:",omitzero"` // of one piece
	Hold    ID          `json:",omitzero"`
	Receipt ID          `json:",omitzero"`
	Due     time.Time   `json:",omitzero"`
	Viewer  chat.Viewer `json:",omitzero"`
	Answer  chat.Answer `json:",omitzero"`
	// PayOnce is how long after the show all its holds are paid together; 0 where each hold has its own end.
	PayOnce time.Duration `json:",omitzero"`
	// Order and Total are set where What is about an order.
	Order string `json:",omitzero"`
	Total Money  `json:",omitzero"`
	// Repeat is set when the key had been decided before: the same answer, nothing changed.
	Repeat bool `json:",omitzero"`
}
