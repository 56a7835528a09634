// Package chattest is the suite that every chat passes: the same promises, tried over a real socket against the
// platform's stand-in.
package chattest

import (
	"context"
	"time"

	"hawker/internal/chat"
)

// Chat is what a connector's client offers. Listen blocks until ctx ends (nil) or the account can do no more without
// its owner (an error); it calls hear from one goroutine, in the platform's order, and hear never blocks.
type Chat interface {
	Listen(ctx context.Context, hear func(chat.Event)) error
	Say(ctx context.Context, l chat.Line) (chat.Sent, error)
	Budget(c chat.Channel) chat.Budget
	States() []chat.State
}

// Spoken is a line that the platform accepted from the client.
type Spoken struct {
	ID, Text string
	Channel  chat.Channel
	ReplyTo  string
	At       time.Time
}

// Sim is the platform's stand-in, driven by the suite.
type Sim interface {
	// Type has a viewer type text into the channel and returns the line's platform id.
	Type(c chat.Channel, v chat.Viewer, text string) string
	// Delete has a moderator take a line away.
	Delete(c chat.Channel, id string)
	// Repeat delivers a line a second time under the same id, as platforms do.
	Repeat(c chat.Channel, id string)
	// Spoken is everything accepted from the client in the channel, oldest first.
	Spoken(c chat.Channel) []Spoken
	// OverLimit counts sends that exceeded the platform's documented rate since the start.
	OverLimit() int
	// Drop cuts every open connection without a word.
	Drop()
	// Malformed delivers payloads that no correct platform would send.
	Malformed(c chat.Channel)
	// RefuseSends answers the next n sends with the platform's rate-limit error.
	RefuseSends(n int)
	// Break answers the next n requests with status 503 and an HTML body.
	Break(n int)
	// ExpireToken makes the current access token invalid; refreshing works.
	ExpireToken()
	// Revoke withdraws the account's permission for good.
	Revoke()
	// Logins counts logins, identifies or first calls with a fresh connection since the start.
	Logins() int
}

// Pair is a client listening to Channel and its platform.
type Pair struct {
	Chat    Chat
	Sim     Sim
	Channel chat.Channel
	// Recovers is set where the platform gives back lines typed during a disconnect.
	Recovers bool
}
