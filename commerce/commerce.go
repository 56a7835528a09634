// Package commerce keeps the promise that a hold is: it decides who gets which piece, until when, and what a payment
// settles. A Desk holds one merchant's stock, holds, waitlists and orders in memory; it plans a batch of requests,
// a Ledger makes the plan durable in one transaction, and only then may anybody be told.
//
// The package does no I/O of its own and reads no clock: time comes in with every request. It does not parse chat
// (package rules does) and does not talk to a store (connectors do).
package commerce
