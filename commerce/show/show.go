// Package show is one event in which a merchant sells.
package show

import (
	"slices"
	"time"

	"hawker/commerce/id"
	"hawker/commerce/lineup"
	"hawker/internal/chat"
)

// How long a hold lasts (product rules): where nothing says otherwise, at least and at most.
const (
	DefaultHold = 10 * time.Minute
	MinHold     = time.Minute
	MaxHold     = 7 * 24 * time.Hour
)

// State is where a show stands.
type State string

// States of a show.
const (
	Planned State = "planned"
	Live    State = "live"
	Ended   State = "ended"
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
	ID     id.ID
	Name   string // in addresses: /live/NAME
	Title  string
	State  State
	Hold   time.Duration // 0 means DefaultHold
	Holds  StoreHolds
	Lineup lineup.Lineup
	// Cap is how many pieces one person may claim in the whole show, all items together; 0 means no cap.
	Cap int
	// PayOnce, when set, makes all holds of the show due together, so long after its end, so that postage is paid once. Until
	// then their clocks stand still.
	PayOnce time.Duration
	Guard   Guard
	// Channels are the chats it listens to.
	Channels []chat.Channel
	// Paused since PausedAt: no claims, and the clocks of holds whose checkout was not opened stand still.
	Paused   bool
	PausedAt time.Time
	Started  time.Time
	Ended    time.Time
}

// Guard says how scarce pieces are kept from being besieged: holds cost nothing, so whoever holds all of an item without ever
// paying could keep it from those who would.
type Guard struct {
	// Share is the part of a scarce item, in per cent, that persons together may hold who never paid here and for whom nobody
	// vouches; what is free beyond that they are only offered. 0 means DefaultShare, 100 or more and negative numbers no limit.
	Share int `json:"share,omitempty"`
	// Unpaid is after how many holds that ended unpaid within UnpaidWithin a person is only offered pieces (first paid, first
	// served). 0 means DefaultUnpaid, a negative number never.
	Unpaid int `json:"unpaid,omitempty"`
}

// What a Guard does where it is not told otherwise (product rules).
const (
	DefaultShare  = 30
	DefaultUnpaid = 3
	UnpaidWithin  = 30 * 24 * time.Hour
)

// HoldTime is how long a hold of the item lasts for people.
func (s *Show) HoldTime(it *lineup.Item) time.Duration {
	d := s.Hold
	if it != nil && it.Hold > 0 {
		d = it.Hold
	}
	if d == 0 {
		d = DefaultHold
	}
	return min(max(d, MinHold), MaxHold)
}

// Standing reports whether the clocks of all a show's holds stand still until it is over, because they are paid together
// then. The show's wish to be paid once goes before an item's own hold time: one parcel has one end.
func (s *Show) Standing() bool { return s.PayOnce > 0 && s.State != Ended }

// Copy is the show with items and channels of its own.
func (s *Show) Copy() Show {
	c := *s
	c.Lineup.Items, c.Channels = slices.Clone(s.Lineup.Items), slices.Clone(s.Channels)
	return c
}

// Percent is the guard's share in per cent, 100 for no limit.
func (g Guard) Percent() int {
	switch {
	case g.Share == 0:
		return DefaultShare
	case g.Share < 0:
		return 100
	}
	return g.Share
}
