// Package facts is what conditions and texts of rules may name: the facts themselves, the one list of their names, texts with
// names in braces, and expressions over them. It is pure: what the clock says and what is drawn by lot are facts, too.
package facts

import (
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// Facts are what is known about what happened. Live fills them; what it leaves zero is not there. A chat line needs Message,
// Channel and Viewer only: the rest may be left to Load.
type Facts struct {
	Message Message
	Channel chat.Channel
	Viewer  Viewer
	Person  Person
	Show    Show
	Item    Item
	Stock   Stock
	Hold    Hold
	Order   Order
	Support Support
	// Counters and Vars are the merchant's own, by name; Webhook the fields of what came in. They are only read.
	Counters map[string]int64
	Vars     map[string]string
	Webhook  map[string]string

	// At is the moment of decision in the merchant's zone, and Chance a number from 1 to 100. Decide sets both.
	At     time.Time
	Chance int

	// Load, when set, fills a part when the first rule that matched names a fact of it. It is called at most once for each part
	// until Reset, from the goroutine that decides, and must not wait for a network: what is not known stays unknown.
	Load func(f *Facts, p Part)

	loaded Part
}

// Part is a group of facts that is filled together; parts are a set.
type Part uint8

// The parts that Load may be asked for. Show comes with Item and Stock.
const (
	OfPerson Part = 1 << iota
	OfShow
)

// Need fills the parts of p that were not asked for yet.
func (f *Facts) Need(p Part) {
	if f.Load == nil {
		return
	}
	for _, one := range [...]Part{OfPerson, OfShow} {
		if p&one != 0 && f.loaded&one == 0 {
			f.loaded |= one
			f.Load(f, one)
		}
	}
}

// Reset makes f empty but for Load, Counters and Vars, to be filled for another happening.
func (f *Facts) Reset() { *f = Facts{Load: f.Load, Counters: f.Counters, Vars: f.Vars} }

// Message is a line of a chat, or what was typed with a resub or a redemption.
type Message struct {
	ID   string
	Text string // as typed
	// Word and Args are a command's word without its sign, folded, and what follows it, as typed. Decide sets both from the
	// command that the grammar read.
	Word, Args string
	Bits       int            // Twitch
	Paid       commerce.Money // a Super Chat's money
	First      bool           // the viewer's first line in this show
}

// Viewer is who is behind it. The zero Viewer is nobody: the clock, the show, the store.
type Viewer struct {
	chat.Viewer
	// Shown is the name as it may stand in a line of ours (lang.Words.NameOr).
	Shown    string
	Roles    chat.Roles
	Follower bool // as far as it is known
}

// Person is what the viewer, with all joined accounts, did here before.
type Person struct {
	Known  bool           // whether the fields below were read; else their conditions are false
	Orders int            // paid, before this one
	Spent  commerce.Money // what they came to
}

// Show is the live show; the zero Show is none.
type Show struct {
	ID          commerce.ID
	Title       string
	Link        string // its page
	OnSale      string // what is on sale, in a few words
	Live        bool
	Paused, Hot bool
}

// Item is what it is about, else what is on air; number 0 is none.
type Item struct {
	Number  int
	Title   string
	Variant string // such as "M / Blue"
	Price   commerce.Money
	Tags    []string
}

// Stock is how it stands with the item, in pieces.
type Stock struct {
	Known bool
	Left  int64 // free to claim, -1 when there is no end of them
	Held  int64
	Sold  int64
	// Before is what Left was before this (stock at).
	Before int64
}

// Hold is what was held, promised or let go.
type Hold struct {
	Quantity int
	Place    int // in line, from 1
	Minutes  int // until it is due, rounded up
}

// Order is an order of the store.
type Order struct {
	Name     string // its number for people, such as "#1001"
	Total    commerce.Money
	Quantity int // pieces
}

// Support is what a viewer gave or did, and what else happened by name.
type Support struct {
	Tier   string
	Months int
	Count  int // subscriptions gifted, viewers of a raid
	// Title is the reward's, the poll's question, the destination's name, or which webhook it was.
	Title string
	// Text is a poll's winning answer. What a viewer typed is Message.Text.
	Text string
}
