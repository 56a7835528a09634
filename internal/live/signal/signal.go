// Package signal is what wakes the pages on every node.
package signal

import (
	"time"

	"hawker/commerce"
	"hawker/internal/live/recall"
)

// Kinds of Signal.
const (
	Changed = "changed" // the show's figures, shelf or feed changed: render again
	Chat    = "chat"    // a line to show, or to show no more
	Shouted = "shout"   // a shout-out for the overlay
	Relay   = "relay"   // something about the video changed
	Carded  = "card"    // a card for the overlay
	Asked   = "asked"   // the questions on the desk changed
	Chats   = "chats"   // something about the merchant's chats changed; of no show
)

// Signal wakes pages on every node. It carries only what a page cannot read from the show's state.
type Signal struct {
	Kind  string           `json:"kind"`
	Show  commerce.ID      `json:"show"`
	Shout *Shout           `json:"shout,omitempty"`
	Line  *recall.ChatLine `json:"line,omitempty"`
	Gone  *recall.ChatLine `json:"gone,omitempty"` // by id and channel alone
	Card  *Card            `json:"card,omitempty"`
}

// Card is what a rule shows on the overlay for a while.
type Card struct {
	ID      commerce.ID   `json:"id"`
	Text    string        `json:"text"`
	Picture string        `json:"picture,omitempty"`
	Sound   string        `json:"sound,omitempty"`
	For     time.Duration `json:"for_ns,omitempty"` // 0: as long as the overlay shows a shout-out
}

// Shout is a shout-out as the overlay draws it.
type Shout struct {
	ID    commerce.ID `json:"id"`
	Text  string      `json:"text"`
	Who   string      `json:"who"`
	Title string      `json:"title"`
	Image string      `json:"image,omitempty"`
	Show  commerce.ID `json:"show"`
}
