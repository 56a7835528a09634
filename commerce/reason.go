package commerce

import "hawker/commerce/ledger"

// Reason says in one word what became of a line. Every line gets exactly one.
type Reason = ledger.Reason

// The one list of reasons.
const (
	Held         Reason = "held"          // all that was asked for is held
	PartlyHeld   Reason = "partly_held"   // less is held than was asked for; the rest waits in line when Waitlisted > 0
	Offered      Reason = "offered"       // first paid, first served: nothing is set aside, paying decides
	Waitlisted   Reason = "waitlisted"    // nothing free now; the viewer has a place in line
	Capped       Reason = "capped"        // the person's cap is reached
	SoldOut      Reason = "sold_out"      // nothing free and nothing will be
	NeedsVariant Reason = "needs_variant" // which size or colour? nothing is held
	NeedsItem    Reason = "needs_item"    // which item? nothing is held
	NotOnSale    Reason = "not_on_sale"   // no live show, or the item is closed
	Paused       Reason = "paused"        // the host paused sales, or stock could not be read
	Ended        Reason = "ended"         // the show is over
	UnknownItem  Reason = "unknown_item"  // no item under that number
	Duplicate    Reason = "duplicate"     // the same line twice
	Limited      Reason = "limited"       // too many commands from this viewer, or overload
	Blocked      Reason = "blocked"       // the host blocked this person
	TooOld       Reason = "too_old"       // older than 120 s when it reached us
	Passed       Reason = "passed"        // given back
	Changed      Reason = "changed"       // an existing hold has a new amount
	NothingHeld  Reason = "nothing_held"  // nothing to give back or to change
	Info         Reason = "info"          // a question to the bot (!cart, !me, !shop, !why): answered, nothing changed
	HostOnly     Reason = "host_only"     // a command for the host and moderators
	Question     Reason = "question"      // a question, no claim
	Chat         Reason = "chat"          // ordinary talk
	Entered      Reason = "entry"         // entry to a drop
)
