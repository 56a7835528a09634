package shop

import (
	"context"
	"time"

	"hawker/commerce"
)

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

// Discounts is a store that makes discount codes.
type Discounts interface {
	// Discount makes a code that can be used once. Made again under the same code it is the same.
	Discount(ctx context.Context, d Discount) error
}

// Discount is a code for one person. One of Percent and Amount is set.
type Discount struct {
	Code, Title string
	Percent     int // 1 to 100
	Amount      commerce.Money
	Ends        time.Time
}

// Draft is what a checkout is made of.
type Draft struct {
	Holds []commerce.ID
	Lines []DraftLine
	Until time.Time // until when the store sets it aside; zero for not at all
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

// Notice is what a webhook tells. Stock is set when stock of the inventory id changed (or any, when it is "*"), Draft when a draft
// was paid: its order may not say what it was made from, and then only asking for the orders tells it.
type Notice struct {
	Order *commerce.Order
	Stock string
	Draft string
}

// State is the store as measured.
type State struct {
	Connected bool
	Read      time.Time // when stock was last read
	Trouble   string
}
