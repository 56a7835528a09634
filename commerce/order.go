package commerce

import "time"

// OrderState is what the store says of an order.
type OrderState string

// States of an order. Pending is placed and not paid.
const (
	OrderPending   OrderState = "pending"
	OrderPaid      OrderState = "paid"
	OrderRefunded  OrderState = "refunded"
	OrderCancelled OrderState = "cancelled"
)

// over reports whether that is how an order's life ends.
func (s OrderState) over() bool { return s == OrderRefunded || s == OrderCancelled }

// Order is an order in the store as a webhook or a reading told it.
type Order struct {
	// Store is the store's id of the order, Name its number for people ("#1001").
	Store, Name string
	State       OrderState
	Total       Money
	Lines       []OrderLine
	// Holds are the hold ids found in the order's attributes (key hawker_hold, ids joined by commas). A buyer can edit
	// attributes: what is owed is read from Lines.
	Holds []ID
	// Draft is the store's id of the draft order it was made from, or empty.
	Draft string
	// Created and Updated are the store's clock.
	Created, Updated time.Time
	// Test marks an order that the store itself calls a test.
	Test bool
}

// OrderLine is one line of an order. Variant is the store's id; Quantity is what is still to be delivered
// (removed and refunded pieces taken off).
type OrderLine struct {
	Variant  string
	Quantity int
	Price    Money // of one piece
}

// Reading is what the store says of the stock of one variant.
type Reading struct {
	Variant   ID
	Available int64 // pieces that the store would sell now; negative when oversold there
	// At is the store's own clock (HTTP Date of the answer).
	At time.Time
	// Endless is set when the store does not count this variant or sells below zero.
	Endless bool
}
