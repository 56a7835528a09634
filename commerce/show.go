package commerce

import "hawker/commerce/show"

// An event in which a merchant sells is package show's.
type (
	// Show is one event in which a merchant sells.
	Show = show.Show
	// ShowState is where a show stands.
	ShowState = show.State
	// StoreHolds says how pieces are set aside in the store.
	StoreHolds = show.StoreHolds
	// Guard says how scarce pieces are kept from being besieged.
	Guard = show.Guard
)

// States and settings of a show; see package show.
const (
	ShowPlanned   = show.Planned
	ShowLive      = show.Live
	ShowEnded     = show.Ended
	HoldsDraft    = show.HoldsDraft
	HoldsLink     = show.HoldsLink
	DefaultHold   = show.DefaultHold
	MinHold       = show.MinHold
	MaxHold       = show.MaxHold
	DefaultShare  = show.DefaultShare
	DefaultUnpaid = show.DefaultUnpaid
	UnpaidWithin  = show.UnpaidWithin
)
