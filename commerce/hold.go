package commerce

import (
	"time"

	"hawker/internal/chat"
)

// The times of a hold (product rule). An answer takes a moment to be seen, so the clock that people see starts
// SeeAnswer late; after it ran out the till waits Grace, which nobody is told of, for a payment on its way. The first
// opening of the checkout adds CheckoutExtra, once.
const (
	SeeAnswer     = 15 * time.Second
	Grace         = 30 * time.Second
	CheckoutExtra = 5 * time.Minute
)

// HoldState is where a hold stands.
type HoldState string

// States of a hold. Only StateHeld holds pieces. StateOffered is an offer of the same shape with nothing set aside: whoever
// pays first is served.
const (
	StateOffered  HoldState = "offered"
	StateHeld     HoldState = "held"
	StatePaid     HoldState = "paid"
	StateExpired  HoldState = "expired"
	StatePassed   HoldState = "passed"   // given back by the viewer
	StateReleased HoldState = "released" // taken back by the host
)

// Hold is stock set aside for a viewer until a time.
type Hold struct {
	ID       ID
	Show     ID
	Number   int
	Variant  ID
	Viewer   chat.Viewer
	Person   string
	Receipt  ID
	Quantity int
	Price    Money // of one piece, as promised
	State    HoldState
	Claim    Key // the decision that made it
	Decided  time.Time
	// Due is the end that people see, Expires the end that counts.
	Due, Expires time.Time
	// Opened is set once the checkout was opened, Reminded once its owner was reminded of its end.
	Opened, Reminded bool
	// Unheard is set when its owner could be told nothing visible of it, Extended when it got its time once more for that.
	Unheard, Extended bool
	// Draft is the store's draft order that reserves the pieces, Checkout where it is paid, DraftAt the store's time of its
	// making. Contained means that the stock figure read from the store already lacks these pieces.
	Draft, Checkout string
	DraftAt         time.Time
	Contained       bool
	// Order is the store's id of the order that paid it, Late that it was paid after Expires.
	Order string
	Late  bool
}

// offers is how many pieces are only offered.
func (h *Hold) offers() int {
	if h.State == StateOffered {
		return h.Quantity
	}
	return 0
}

// Open reports whether it can still be paid in time: held or offered.
func (h *Hold) Open() bool { return h.State == StateHeld || h.State == StateOffered }

// Offer reports whether it is or was an offer that nobody paid in time. As nothing was set aside, there is nothing to keep
// for a payment on its way: its Expires is its Due, without Grace.
func (h *Hold) Offer() bool { return h.Expires.Equal(h.Due) }

// Total is what all its pieces cost.
func (h *Hold) Total() Money { return h.Price.Times(h.Quantity) }

// Receipt is a viewer's page for one show: all that viewer holds, waits for and paid there.
type Receipt struct {
	ID     ID
	Show   ID
	Viewer chat.Viewer
	// Generation is part of the page's secret address; raising it makes the old address void.
	Generation int
}

// Place is a place in line for a variant.
type Place struct {
	ID       ID
	Show     ID
	Number   int
	Variant  ID
	Viewer   chat.Viewer
	Person   string
	Receipt  ID
	Quantity int
	Price    Money
	Answer   chat.Answer
	Since    time.Time
	State    PlaceState
	Claim    Key
}

// PlaceState is where a place in line stands.
type PlaceState string

// States of a place in line.
const (
	PlaceWaiting  PlaceState = "waiting"
	PlacePromoted PlaceState = "promoted"
	PlaceLeft     PlaceState = "left"
)
