package commerce

import "hawker/commerce/order"

// What a store tells of an order is package order's.
type (
	// Order is an order in the store as a webhook or a reading told it.
	Order = order.Order
	// OrderLine is one line of an order, OrderLines all of them.
	OrderLine  = order.Line
	OrderLines = order.Lines
	// OrderState is what the store says of an order.
	OrderState = order.State
)

// States of an order. Pending is placed and not paid.
const (
	OrderPending   = order.Pending
	OrderPaid      = order.Paid
	OrderRefunded  = order.Refunded
	OrderCancelled = order.Cancelled
)
