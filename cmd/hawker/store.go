package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/sqldb"
)

// shopStore is a Shopify store as the hub talks to it.
type shopStore struct {
	client *shopify.Client
	codes  bool // buyers may type discount codes: the store lets us make some
}

var (
	_ live.Store     = shopStore{}
	_ live.Discounts = shopStore{}
)

// shopClient makes the client of a merchant's Shopify store. A renewed token is stored before it is used.
func (h *house) shopClient(m commerce.ID, st sqldb.Store) (*shopify.Client, error) {
	id, secret := st.ClientID, st.ClientSecret
	if id == "" {
		id, secret = h.set.Shopify.ClientID, h.set.Shopify.ClientSecret
	}
	return shopify.New(shopify.Options{
		Shop: st.Shop, URL: h.set.Shopify.URL, ClientID: id, ClientSecret: secret,
		Token: chat.Token{Access: st.Token, Refresh: st.Refresh, Expires: st.Expires},
		Save: func(ctx context.Context, t chat.Token) error {
			now, err := h.db.Store(ctx, m)
			if err != nil {
				return err
			}
			now.Token, now.Refresh, now.Expires = t.Access, t.Refresh, t.Expires
			if len(t.Scopes) > 0 {
				now.Granted = strings.Join(t.Scopes, ",")
			}
			return h.db.PutStore(ctx, m, now)
		},
		Log: h.log.With("store", st.Shop),
	})
}

// Stock reads what the store would sell.
func (s shopStore) Stock(ctx context.Context, inventory []string) (map[string]commerce.Reading, error) {
	got, err := s.client.Stock(ctx, inventory)
	if err != nil {
		return nil, err
	}
	out := make(map[string]commerce.Reading, len(got))
	for id, r := range got {
		out[id] = commerce.Reading{Available: r.Available, At: r.At, Endless: r.Endless}
	}
	return out, nil
}

func lines(d live.Draft) []shopify.DraftLine {
	out := make([]shopify.DraftLine, 0, len(d.Lines))
	for _, l := range d.Lines {
		out = append(out, shopify.DraftLine{Variant: l.Variant, Quantity: l.Quantity, Price: l.Price})
	}
	return out
}

// Draft makes a draft order that reserves.
func (s shopStore) Draft(ctx context.Context, d live.Draft) (live.Drafted, error) {
	got, err := s.client.Draft(ctx, shopify.DraftInput{Holds: d.Holds, Lines: lines(d), ReserveUntil: d.Until, Again: d.Again, Codes: s.codes})
	if err != nil {
		return live.Drafted{}, err
	}
	return live.Drafted{ID: got.ID, URL: got.InvoiceURL, Created: got.Created}, nil
}

// Adjust changes how many pieces the store has.
func (s shopStore) Adjust(ctx context.Context, inventory string, delta int64, key string) error {
	return s.client.AdjustStock(ctx, inventory, delta, key)
}

// Release lets a draft go. One that was paid at that moment stays the order that it became, and is done with.
func (s shopStore) Release(ctx context.Context, draft string) error {
	err := s.client.ReleaseDraft(ctx, draft)
	var no *shopify.Refused
	if errors.As(err, &no) {
		if d, look := s.client.DraftByID(ctx, draft); look == nil && !d.Open {
			return nil
		}
	}
	return err
}

// Discount makes a discount code.
func (s shopStore) Discount(ctx context.Context, d live.Discount) error {
	_, err := s.client.Discount(ctx, shopify.DiscountRequest{Code: d.Code, Title: d.Title, Percent: d.Percent, Amount: d.Amount, Ends: d.Ends})
	return err
}

// CartLink is where the lines are bought without asking the store first.
func (s shopStore) CartLink(d live.Draft) (string, error) {
	return s.client.CartLink(lines(d), d.Holds)
}

// OrdersSince tells the orders that changed since t.
func (s shopStore) OrdersSince(ctx context.Context, t time.Time, tell func(commerce.Order) error) error {
	return s.client.OrdersSince(ctx, t, tell)
}

// Ready makes the store send its webhooks to callback.
func (s shopStore) Ready(ctx context.Context, callback string) error {
	_, err := s.client.EnsureWebhooks(ctx, callback)
	return err
}

// Read understands a webhook.
func (s shopStore) Read(topic string, body []byte) (live.Notice, error) {
	switch {
	case strings.HasPrefix(topic, "orders/"):
		o, err := shopify.ParseOrder(body)
		if err != nil {
			return live.Notice{}, err
		}
		return live.Notice{Order: &o}, nil
	case topic == "inventory_levels/update":
		l, err := shopify.ParseInventoryLevel(body)
		return live.Notice{Stock: l.Item}, err
	case topic == "draft_orders/update":
		d, err := shopify.ParseDraft(body)
		n := live.Notice{Stock: "*"}
		if err == nil && !d.Open {
			n.Draft = d.ID
		}
		return n, err
	}
	return live.Notice{}, nil
}

// catalogue reads a merchant's products from the store behind it and keeps them.
func (h *house) catalogue(ctx context.Context, m commerce.ID) ([]commerce.Product, error) {
	st, err := h.db.Store(ctx, m)
	if err != nil {
		return nil, err
	}
	if st.Kind != "shopify" {
		return h.db.Products(ctx, m)
	}
	c, err := h.shopClient(m, st)
	if err != nil {
		return nil, err
	}
	var all []commerce.Product
	err = c.Catalogue(ctx, func(page []commerce.Product) error {
		kept, err := h.db.PutProducts(ctx, m, page)
		all = append(all, kept...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the products of %s: %w", st.Shop, err)
	}
	return all, nil
}

// webhooks takes in what stores send.
func (h *house) webhooks() *shopify.Handler {
	return &shopify.Handler{
		Secrets: func(ctx context.Context, shop string) ([][]byte, error) {
			m, err := h.db.MerchantOfShop(ctx, shop)
			if sqldb.IsNotFound(err) {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			st, err := h.db.Store(ctx, m)
			if err != nil {
				return nil, err
			}
			var out [][]byte
			for _, s := range []string{st.WebhookSecret, st.ClientSecret, h.set.Shopify.ClientSecret} {
				if s != "" {
					out = append(out, []byte(s))
				}
			}
			return out, nil
		},
		Inbox: func(ctx context.Context, w shopify.Webhook) error {
			m, err := h.db.MerchantOfShop(ctx, w.Shop)
			if err != nil {
				return err
			}
			_, err = h.db.PutWebhook(ctx, m, sqldb.Webhook{ID: w.ID, Topic: w.Topic, Body: w.Body, Came: time.Now()})
			if err == nil {
				h.hub.Webhook(m) // one that came before may wait still: its first request may have ended too soon to say so
			}
			return err
		},
		Log: h.log,
	}
}
