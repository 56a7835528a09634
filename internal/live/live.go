// Package live is where a show happens. A Hub runs one Merchant for each merchant this node serves; a Merchant is one
// goroutine that owns all stock, holds and counters of that merchant: it takes lines and commands from its queue, asks
// package rules what they mean and commerce what becomes of them, makes the batch durable, and only then lets answers
// out. Answers are said by Speakers, one for each account; the store is talked to by a worker of its own. Neither ever
// holds the merchant's goroutine up.
//
// Goroutines: Hub.Run owns one per merchant (Merchant.run), two per store (storeWorker.run and takeIn), one per account
// (Speaker.run, and one more for each line being said), and one per connected chat (its Listen). All end before Run
// returns.
package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
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

// Chat is a platform's connector as far as live needs it.
type Chat interface {
	// Listen calls hear for everything the platform tells, from one goroutine, until ctx ends.
	Listen(ctx context.Context, hear func(chat.Event)) error
	// Say posts a line. A refusal is a *chat.Refused.
	Say(ctx context.Context, l chat.Line) (chat.Sent, error)
	Budget(c chat.Channel) chat.Budget
	States() []chat.State
}

// Store is the merchant's shop as far as live needs it. Ids of products, variants, stock and drafts are the store's own.
type Store interface {
	// Stock reads what the store would sell, by inventory id.
	Stock(ctx context.Context, inventory []string) (map[string]commerce.Reading, error)
	// Draft makes an order draft that reserves pieces until a time; Release lets one go.
	Draft(ctx context.Context, d Draft) (Drafted, error)
	Release(ctx context.Context, draft string) error
	// Adjust changes by delta how many pieces the store has, by inventory id; the key makes repeating harmless.
	Adjust(ctx context.Context, inventory string, delta int64, key string) error
	// CartLink is an address where the lines can be bought without asking the store first.
	CartLink(d Draft) (string, error)
	// OrdersSince tells all orders changed since a time of the store's clock, the oldest change first.
	OrdersSince(ctx context.Context, t time.Time, tell func(commerce.Order) error) error
	// Ready makes the store send its webhooks to callback.
	Ready(ctx context.Context, callback string) error
	// Read understands a webhook.
	Read(topic string, body []byte) (Notice, error)
}

// Draft is what a checkout is made of.
type Draft struct {
	Holds []commerce.ID
	Lines []DraftLine
	Until time.Time
	// Again says that an earlier attempt may have made it: look before making another.
	Again bool
}

// DraftLine is one line of a checkout. Price is what one piece was promised for, whatever the store asks by then.
type DraftLine struct {
	Variant  string // the store's id
	Quantity int
	Price    commerce.Money
}

// Drafted is a draft as the store made it: where it is paid, and when by the store's clock.
type Drafted struct {
	ID, URL string
	Created time.Time
}

// Notice is what a webhook tells. Stock is set when stock of the inventory id changed (or any, when it is "*").
type Notice struct {
	Order *commerce.Order
	Stock string
}
