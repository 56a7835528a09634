// Package order is what a store tells of an order.
package order

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"hawker/commerce/id"
	"hawker/commerce/money"
)

// State is what the store says of an order.
type State string

// States of an order. Pending is placed and not paid.
const (
	Pending   State = "pending"
	Paid      State = "paid"
	Refunded  State = "refunded"
	Cancelled State = "cancelled"
)

// Over reports whether that is how an order's life ends.
func (s State) Over() bool { return s == Refunded || s == Cancelled }

// Order is an order in the store as a webhook or a reading told it.
type Order struct {
	// Store is the store's id of the order, Name its number for people ("#1001").
	Store, Name string
	State       State
	Total       money.Money
	Lines       Lines
	// Holds are the hold ids found in the order's attributes (key hawker_hold, ids joined by commas). A buyer can edit
	// attributes: what is owed is read from Lines.
	Holds []id.ID
	// Draft is the store's id of the draft order it was made from, or empty.
	Draft string
	// Created and Updated are the store's clock.
	Created, Updated time.Time
	// Test marks an order that the store itself calls a test.
	Test bool
}

// Line is one line of an order. Variant is the store's id; Quantity is what is still to be delivered
// (removed and refunded pieces taken off).
type Line struct {
	Variant  string
	Quantity int
	Price    money.Money // of one piece
}

// order orders states that come with the same time stamp: the greater one is the newer truth.
func (s State) order() int {
	return slices.Index([]State{Pending, Paid, Refunded, Cancelled}, s)
}

// After reports whether an order that ended as s says so again, or goes on, in news of a state: nothing brings it back.
func (s State) After(news State) bool { return s.Over() && news.order() < s.order() }

// Older reports whether news of an order change nothing: they are older than what is known, or the same. The store's time stamps
// have whole seconds (Shopify, "Order", updated_at), so of two edits in one second that which comes later is believed; if they
// overtook each other, the next question for orders, which looks back some minutes, brings the newer one.
func (o *Order) Older(than *Order) bool {
	switch c := cmp.Or(o.Updated.Compare(than.Updated), cmp.Compare(o.State.order(), than.State.order())); {
	case c != 0:
		return c < 0
	default:
		return maps.Equal(o.bought(), than.bought())
	}
}

// bought is how many pieces an order has of each variant of the store.
func (o *Order) bought() map[string]int {
	n := map[string]int{}
	for _, l := range o.Lines {
		if l.Quantity > 0 {
			n[l.Variant] += l.Quantity
		}
	}
	return n
}

// Lines are the lines of an order.
type Lines []Line

// Pieces are what lines say of each variant of ours, and these variants in order; variants finds ours by the store's id.
func (ls Lines) Pieces(variants map[string]id.ID) (n map[id.ID]int, order []id.ID) {
	n = map[id.ID]int{}
	for _, l := range ls {
		v, ok := variants[l.Variant]
		if !ok || l.Quantity <= 0 {
			continue
		}
		if _, seen := n[v]; !seen {
			order = append(order, v)
		}
		n[v] += l.Quantity
	}
	return n, order
}
