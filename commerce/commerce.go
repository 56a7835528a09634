// Package commerce keeps the promise that a hold is: it decides who gets which piece, until when, and what a payment
// settles. A Desk holds one merchant's stock, holds, waitlists and orders in memory; it plans a batch of requests,
// a Ledger makes the plan durable in one transaction, and only then may anybody be told.
//
// A hold sets pieces aside until a time that its owner is told of and once reminded of. An offer sets nothing aside: whoever
// pays first is served (Desk.grant says when pieces are only offered). Scarce pieces are guarded against accounts that hold
// and never pay (package guard). Nobody waits in line for pieces that lie free, but for a moment while the guard keeps them.
//
// The package does no I/O of its own and reads no clock: time comes in with every request. It does not parse chat
// (package rules does) and does not talk to a store (connectors do).
package commerce
