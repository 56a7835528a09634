package shopify

import (
	"context"
	"slices"
	"strings"
)

// Store is what a store says of itself and of what we may do there.
type Store struct {
	ID, Name string
	Shop     string // its host name, as webhooks name it
	Currency string // ISO 4217; prices, totals and stock values are in it
	Plan     string
	// Granted is all that the store granted, Missing are the scopes of Scopes that it did not.
	Granted, Missing []string
}

// May reports whether the store granted a scope; write_x includes read_x.
func (s Store) May(scope string) bool { return granted(s.Granted, scope) }

func granted(has []string, want string) bool {
	kind, thing, _ := strings.Cut(want, "_")
	return slices.Contains(has, want) || kind == "read" && slices.Contains(has, "write_"+thing)
}

// Check asks the store who it is and which permissions are missing.
func (c *Client) Check(ctx context.Context) (Store, error) {
	var out struct {
		CurrentAppInstallation struct{ AccessScopes []struct{ Handle string } }
		Shop                   struct {
			ID, Name, MyshopifyDomain, CurrencyCode string
			Plan                                    struct{ PublicDisplayName string }
		}
	}
	if _, err := c.do(ctx, opShop, nil, &out); err != nil {
		return Store{}, err
	}
	s := Store{
		ID: out.Shop.ID, Name: out.Shop.Name, Shop: out.Shop.MyshopifyDomain, Currency: out.Shop.CurrencyCode,
		Plan: out.Shop.Plan.PublicDisplayName,
	}
	var has []string
	for _, h := range out.CurrentAppInstallation.AccessScopes {
		has = append(has, h.Handle)
	}
	s.Granted, s.Missing = has, missing(has)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.currency = s.Currency
	return s, nil
}

// missing are the wanted scopes that are not in has; write_x includes read_x.
func missing(has []string) []string {
	var out []string
	for _, want := range Scopes() {
		if !granted(has, want) {
			out = append(out, want)
		}
	}
	return out
}

// shopCurrency is the shop's currency, asked for once: a store cannot change it after its first sale.
func (c *Client) shopCurrency(ctx context.Context) (string, error) {
	c.mu.Lock()
	known := c.currency
	c.mu.Unlock()
	if known != "" {
		return known, nil
	}
	s, err := c.Check(ctx)
	return s.Currency, err
}
