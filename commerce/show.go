package commerce

import (
	"time"

	"hawker/internal/chat"
)

// ShowState is where a show stands.
type ShowState string

// States of a show.
const (
	ShowPlanned ShowState = "planned"
	ShowLive    ShowState = "live"
	ShowEnded   ShowState = "ended"
)

// StoreHolds says how pieces are set aside in the store.
type StoreHolds string

// Ways of store holds. Draft makes a draft order that reserves when the checkout is first opened; Link only gives a cart
// permalink, the hub alone holds.
const (
	HoldsDraft StoreHolds = "draft"
	HoldsLink  StoreHolds = "link"
)

// Show is one event in which a merchant sells.
type Show struct {
	ID     ID
	Name   string // in addresses: /live/NAME
	Title  string
	State  ShowState
	Hold   time.Duration // 0 means DefaultHold
	Holds  StoreHolds
	Lineup Lineup
	// Channels are the chats it listens to.
	Channels []chat.Channel
	// Paused since PausedAt: no claims, and the clocks of holds whose checkout was not opened stand still.
	Paused   bool
	PausedAt time.Time
	Started  time.Time
	Ended    time.Time
}

// holdTime is how long a hold of the item lasts for people.
func (s *Show) holdTime(it *Item) time.Duration {
	d := s.Hold
	if it != nil && it.Hold > 0 {
		d = it.Hold
	}
	if d == 0 {
		d = DefaultHold
	}
	return min(max(d, MinHold), MaxHold)
}
