// Package rule is the form of a merchant's rules: one sentence each, When this happens, Only if that holds, Then do these, At
// most so often. It reads and writes them as YAML and JSON and says in words what is wrong with one. What a rule's texts and
// expressions may name is package facts; deciding by rules is package book.
package rule

import (
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// Limits of a merchant's rules. A chat's budget is about 20 lines in 30 s, so that a rule which does more than ten things
// floods it; a pattern longer than a kilobyte is a program, and nobody can say any more what it matches.
const (
	MaxRules   = 2000
	MaxActions = 10
	MaxName    = 80  // code points
	MaxWords   = 100 // of one rule
	MaxWord    = 100 // code points
	MaxList    = 100 // items, tags, roles and the like in one condition
	MaxText    = 500 // code points of a text before its facts are filled in
	MaxPattern = 1000
	MaxExpr    = 1000 // code points
	MaxAfter   = time.Hour
	MinEvery   = time.Minute
	MaxEvery   = 24 * time.Hour
	MaxSpan    = 30 * 24 * time.Hour // of a cool-down and of a code
	MaxTimeOut = 14 * 24 * time.Hour // Twitch: two weeks; platforms with less refuse
	MaxLines   = 100_000
)

// Rule is one sentence of a merchant.
type Rule struct {
	// ID stays over edits, so that what was counted by At most and "fired n times" keep their rule. 0 until it is stored.
	ID   commerce.ID
	Name string
	When When
	Only Only
	Then []Action
	// AtMost says how often it may fire; the zero value is without limit.
	AtMost AtMost
	Off    bool
}

// Event names what a rule waits for. It is also the word for it in YAML and JSON.
type Event string

// What rules can wait for. Command, Contains, Matches, FirstLine, Cheer and SuperChat are about lines of a chat; Every, At and
// AfterLines are told by the clock or the count of lines; the others happen.
const (
	Command      Event = "command"       // When.Words, without sign
	Contains     Event = "line contains" // When.Words: words or phrases, between the edges of words
	Matches      Event = "line matches"  // When.Pattern
	FirstLine    Event = "first line"    // of a viewer, in this show
	Subscribed   Event = "sub"
	Resubscribed Event = "resub"
	Gifted       Event = "gift"
	Cheered      Event = "cheer"      // Twitch bits
	SuperChat    Event = "super chat" // YouTube
	Membership   Event = "membership" // YouTube: a new member or a milestone
	Followed     Event = "follow"
	Raided       Event = "raid"
	Redeemed     Event = "redemption"    // of channel points; When.Title, any when empty
	Entered      Event = "member joined" // Discord

	ItemOnAir      Event = "item on air"
	HoldMade       Event = "hold made"
	ReminderDue    Event = "reminder due"
	HoldExpired    Event = "hold expired"
	Promoted       Event = "promoted"
	OrderPaid      Event = "order paid"
	OrderCancelled Event = "order cancelled"
	OrderRefunded  Event = "order refunded"
	StockAt        Event = "stock at" // When.Left: free pieces went from more to that many or fewer
	SoldOut        Event = "sold out"

	ShowStarted     Event = "show started"
	ShowEnded       Event = "show ended"
	Every           Event = "every"       // When.Every, while a show is live
	At              Event = "at"          // When.At, by the merchant's clock
	AfterLines      Event = "after lines" // When.Lines of people, in one channel
	DestinationDown Event = "destination down"
	DestinationUp   Event = "destination up"
	StreamUp        Event = "stream up"
	StreamDown      Event = "stream down"
	AdBreak         Event = "ad break"
	AdBreakOver     Event = "ad break over"
	PollEnded       Event = "poll ended"
	Webhook         Event = "webhook" // When.Title names which
)

// Line is what Decide is asked about for every line of a chat; rules wait for one of the events of lines instead.
const Line Event = "line"

// Events are all that rules can wait for, in the order in which pages list them.
func Events() []Event {
	return []Event{
		Command, Contains, Matches, FirstLine, Subscribed, Resubscribed, Gifted, Cheered, SuperChat, Membership, Followed, Raided, Redeemed, Entered,
		ItemOnAir, HoldMade, ReminderDue, HoldExpired, Promoted, OrderPaid, OrderCancelled, OrderRefunded, StockAt, SoldOut,
		ShowStarted, ShowEnded, Every, At, AfterLines, DestinationDown, DestinationUp, StreamUp, StreamDown, AdBreak, AdBreakOver, PollEnded, Webhook,
	}
}

// OfLines reports whether e is about a line of a chat.
func (e Event) OfLines() bool {
	switch e {
	case Command, Contains, Matches, FirstLine, Cheered, SuperChat:
		return true
	}
	return false
}

// ByViewer reports whether a viewer stands behind e: somebody can be answered.
func (e Event) ByViewer() bool {
	switch e {
	case Subscribed, Resubscribed, Gifted, Membership, Followed, Raided, Redeemed, Entered, HoldMade, ReminderDue, HoldExpired, Promoted, OrderPaid, OrderCancelled, OrderRefunded:
		return true
	}
	return e.OfLines()
}

// When is what a rule waits for: an event, and what the event needs to be told.
type When struct {
	Event   Event
	Words   []string      // Command, Contains; any one of them will do
	Pattern string        // Matches: an RE2 expression, read against the line in small letters and plain forms
	Every   time.Duration // Every
	At      string        // At: "20:00"
	Lines   int           // AfterLines
	Left    int64         // StockAt
	Title   string        // Redeemed, PollEnded, DestinationDown, DestinationUp: its name, any when empty; Webhook: which, never empty
}

// Role is what a viewer is in a channel.
type Role string

// The roles. Everybody is a Viewer. Follower is known only where the platform tells it; where it is not known the viewer counts
// as none. A Moderator is not a Subscriber by that.
const (
	Viewer     Role = "viewer"
	Follower   Role = "follower"
	Subscriber Role = "subscriber" // also a YouTube member
	VIP        Role = "vip"
	Moderator  Role = "moderator"
	Owner      Role = "owner"
)

// Roles are all roles.
func Roles() []Role { return []Role{Viewer, Follower, Subscriber, VIP, Moderator, Owner} }

// Answer is yes, no or, empty, not asked.
type Answer string

// The answers.
const (
	Yes Answer = "yes"
	No  Answer = "no"
)

// ShowState is where the show stands.
type ShowState string

// States of the show. ShowLive holds also while it is paused or hot.
const (
	ShowLive   ShowState = "live"
	ShowPaused ShowState = "paused"
	ShowHot    ShowState = "hot"
	ShowNone   ShowState = "none" // no show is live
)

// Bound is an amount with its ends: "3", "3..", "..10", "3..10"; points as in "49.99". Empty asks nothing.
type Bound string

// Only holds the conditions of a rule: all that are set must hold. What is not known makes its condition false.
type Only struct {
	Platforms []chat.Platform // any of them
	Roles     []Role          // any of them
	NotRoles  []Role          // none of them
	// FirstBuyer asks whether the person never paid anything here before this.
	FirstBuyer Answer
	Bought     Bound // orders that the person paid before
	Spent      Bound // what they came to, in the merchant's currency
	Show       ShowState
	Items      []int    // the item it is about, else the item on air, is one of them
	Tags       []string // that item has any of these tags
	Stock      Bound    // free pieces of that item
	// Amount is of the event: an order's total, bits, a Super Chat's money, subscriptions gifted, viewers of a raid.
	Amount Bound
	Months Bound // for how long the viewer has been a subscriber
	// From and To are times of the merchant's clock, "18:00"; To may be before From, over midnight. One alone is open-ended
	// within the day.
	From, To string
	Days     []Day
	Chance   int    // in 100; 0 is not asked
	Expr     string // over the facts; must be true
}

// Day is a day of the week, in the merchant's zone.
type Day string

// Days are the days of the week, Monday first.
func Days() []Day { return []Day{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// AtMost bounds how often a rule fires. PerPerson, PerChannel and PerShow count within one show; outside of shows they count
// what happens outside of shows. The cool-downs are the least time between two firings for one person, in one channel, or at
// all. 0 is no bound.
type AtMost struct {
	PerPerson, PerChannel, PerShow                int
	PersonCooldown, ChannelCooldown, ShowCooldown time.Duration
}

// Bounded reports whether there is any bound.
func (a AtMost) Bounded() bool { return a != AtMost{} }
