// Package shopify connects a Shopify store: its catalogue, stock, draft orders that set stock aside, cart links, discount
// codes, orders and webhooks, over the Admin GraphQL API and nothing else. It keeps no books: who holds what is decided elsewhere, and
// the store is asked afterwards. It calls the API of version Version alone.
package shopify

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"hawker/connectors/shopify/admin"
)

// Version is the version of the Admin API that every operation here is written for; each is also valid in 2026-01.
const Version = admin.Version

// AttributeHold is the cart or draft attribute that carries the hold ids, joined by commas.
const AttributeHold = "hawker_hold"

// Errors that a caller decides by.
var (
	// ErrReconnect means that the store's permission is gone and only the merchant can give it again.
	ErrReconnect = admin.ErrReconnect
	// ErrScope means that the permission is too small for this call.
	ErrScope = admin.ErrScope
	// ErrShop means that the store is frozen, locked or gone (HTTP 402, 403, 404, 423).
	ErrShop = admin.ErrShop
	// ErrUnsure means that the store may or may not have done what was asked: the answer was lost.
	ErrUnsure = admin.ErrUnsure
	// ErrNotFound means that the store has nothing under that id.
	ErrNotFound = errors.New("shopify: not found")
)

// Refused is the store's own no to a change: wrong input, or something that changed meanwhile (userErrors).
type Refused = admin.Refused

// Options say which store a Client talks to, and as whom.
type Options = admin.Options

// ValidShop reports whether name is a store's own host name, such as "demo.myshopify.com". Anything else must never be
// part of an address, because the store's token is sent there.
func ValidShop(name string) bool { return admin.ValidShop(name) }

// Client talks to one store. Its methods may be called from any goroutine; it starts none.
type Client struct {
	shop  string
	admin *admin.Caller
	log   *slog.Logger

	mu       sync.Mutex
	currency string // of the shop, once known
	chunk    int    // inventory items in one stock reading
}

// New makes a Client. It makes no call; see Check.
func New(o Options) (*Client, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a, err := admin.New(o)
	if err != nil {
		return nil, err
	}
	return &Client{shop: o.Shop, admin: a, log: o.Log, chunk: stockChunk}, nil
}

// Shop is the store's host name.
func (c *Client) Shop() string { return c.shop }

// do asks the store; see admin.Caller.Do.
func (c *Client) do(ctx context.Context, op admin.Operation, vars map[string]any, out any) (admin.Answer, error) {
	return c.admin.Do(ctx, op, vars, out)
}
