package shopify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hawker/connectors/shopify/admin"
	"hawker/internal/chat"
)

// Scopes are what the app asks a store for; a write scope includes reading. write_draft_orders is for holds,
// write_inventory for stock that the merchant changes with us.
func Scopes() []string {
	return []string{"read_products", "write_inventory", "read_locations", "read_orders", "write_draft_orders"}
}

// Connect is the login of a store's owner (page "Implement authorization code grant manually"), for an app that many
// stores install. A store's own app needs none: its client id and secret are enough for a Client.
type Connect struct {
	URL                    string // as Options.URL
	ClientID, ClientSecret string
	HTTP                   *http.Client // as Options.HTTP
	// Also are scopes to ask for beside Scopes, such as ScopeDiscounts once a rule needs it.
	Also []string
}

// ScopeDiscounts lets us make and end discount codes. It is asked for only when a rule makes some.
const ScopeDiscounts = "write_discounts"

// Needs of a store, see NeedFor.
const (
	NeedDiscount = "discount code"
	NeedStock    = "stock"
	NeedHold     = "hold"
	NeedOrder    = "order"
	NeedItem     = "item"
)

// NeedFor is the scope that something needs in the store, and a sentence on it. Both are empty for what is unknown.
func NeedFor(kind string) (scope, reason string) {
	switch kind {
	case NeedDiscount:
		return ScopeDiscounts, "To make discount codes the store must grant the permission write_discounts: add it to the app's scopes, then connect the store again."
	case NeedStock:
		return "write_inventory", "To change stock the store must grant the permission write_inventory."
	case NeedHold:
		return "write_draft_orders", "To set stock aside the store must grant the permission write_draft_orders."
	case NeedOrder:
		return "read_orders", "To hear of orders that were paid, cancelled or refunded the store must grant the permission read_orders."
	case NeedItem:
		return "read_products", "To know products and their tags the store must grant the permission read_products."
	}
	return "", ""
}

// Start is the address to send the owner's browser to. The state is unguessable, kept with the browser's session and
// given to Finish; the redirect must be registered with the app.
func (c *Connect) Start(shop, state, redirect string) (string, error) {
	root, err := admin.Root(c.URL, shop)
	if err != nil {
		return "", err
	}
	return root + "/admin/oauth/authorize?" + url.Values{
		"client_id": {c.ClientID}, "scope": {strings.Join(c.scopes(), ",")}, "redirect_uri": {redirect}, "state": {state},
	}.Encode(), nil
}

// scopes are those of Scopes and those asked for beside, each once.
func (c *Connect) scopes() []string {
	all := Scopes()
	for _, s := range c.Also {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// Finish turns what the browser brought back into the store's name and token, which lives an hour and has a refresh
// token. It is an error when the query is not signed by Shopify, or its state is not the one given to Start.
func (c *Connect) Finish(ctx context.Context, query url.Values, state string) (shop string, token chat.Token, err error) {
	fail := func(err error) (string, chat.Token, error) {
		return "", chat.Token{}, fmt.Errorf("connect shopify: %w", err)
	}
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(query.Get("state"))) != 1 {
		return fail(errors.New("the state is not that of this browser"))
	}
	if !c.signed(query) {
		return fail(errors.New("the answer is not signed by Shopify"))
	}
	shop = query.Get("shop")
	root, err := admin.Root(c.URL, shop)
	if err != nil {
		return fail(err)
	}
	if query.Get("code") == "" {
		return fail(errors.New("no code"))
	}
	t, err := admin.Exchange(ctx, c.HTTP, root, url.Values{
		"client_id": {c.ClientID}, "client_secret": {c.ClientSecret}, "code": {query.Get("code")}, "expiring": {"1"},
	})
	if err != nil {
		return fail(err)
	}
	return shop, t, nil
}

// signed checks the query's hmac: hex HMAC-SHA256 of the other parameters, sorted and joined as key=value by "&".
func (c *Connect) signed(query url.Values) bool {
	if c.ClientSecret == "" {
		return false
	}
	var parts []string
	for k, vs := range query {
		if k == "hmac" || k == "signature" {
			continue
		}
		for _, v := range vs {
			parts = append(parts, k+"="+v)
		}
	}
	slices.Sort(parts)
	mac := hmac.New(sha256.New, []byte(c.ClientSecret))
	_, _ = mac.Write([]byte(strings.Join(parts, "&")))
	got, err := hex.DecodeString(query.Get("hmac"))
	return err == nil && hmac.Equal(got, mac.Sum(nil))
}
