// Package live is where a show happens. A Hub runs one Merchant for each merchant this node serves; a Merchant is one
// goroutine that owns all stock, holds and counters of that merchant: it takes lines and commands from its queue, asks
// package rules what they mean and commerce what becomes of them, makes the batch durable, and only then lets answers
// out. Answers are said by Speakers, one for each account; the store is talked to by a worker of its own. Neither ever
// holds the merchant's goroutine up.
//
// Goroutines: Hub.Run owns one per merchant (Merchant.run), two per store (shop.Worker.Run and TakeIn), one per account
// (Speaker.run, and one more for each line being said), one per connected chat (its Listen), and one that stores what was
// changed of the bot's manners in chats. All end before Run returns.
package live

import (
	"errors"
	"fmt"

	"hawker/internal/live/account"
	"hawker/internal/live/shop"
)

// ErrNotHere means that no node serves the merchant at this moment: a restart or a takeover is under way. Ask again in a
// moment.
var ErrNotHere = errors.New("one moment: nobody serves this merchant just now")

// ErrNotFound means that what was named is not there.
var ErrNotFound = errors.New("not found")

// ClashError means that a show was not stored, because another has its name, or is live in one of its chats: a chat sells for
// one show at a time.
type ClashError struct{ Show string } // the other show's title

func (e *ClashError) Error() string {
	return fmt.Sprintf("the show %q has this name, or is live in one of these chats; end it first", e.Show)
}

// A merchant's chats as far as live needs them; see package account.
type (
	Chat         = account.Chat
	Account      = account.Account
	ChannelState = account.State
)

// A merchant's shop as far as live needs it; see package shop.
type (
	Store     = shop.Store
	Draft     = shop.Draft
	DraftLine = shop.DraftLine
	Drafted   = shop.Drafted
	Notice    = shop.Notice
	Discounts = shop.Discounts
	Discount  = shop.Discount
)

// Errors of Checkout, for the viewer.
var (
	ErrNothingToPay = shop.ErrNothingToPay
	ErrGone         = shop.ErrGone
	ErrNoStore      = errors.New("this shop takes no payment online")
)
