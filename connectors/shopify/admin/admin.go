// Package admin calls the Admin GraphQL API of one Shopify store: it paces the calls by the store's points, renews the
// token, asks again where that can help and cannot double anything, and tells a refusal from a lost answer. It knows no
// query of its own.
package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"hawker/internal/chat"
)

// Version is the version of the Admin API that is called.
const Version = "2026-10"

// callTimeout ends one attempt of one call. Shopify ends its own work on a query after about ten seconds.
const callTimeout = 15 * time.Second

var shopName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*\.myshopify\.com$`)

// ValidShop reports whether name is a store's own host name, such as "demo.myshopify.com". Anything else must never be
// part of an address, because the store's token is sent there.
func ValidShop(name string) bool { return len(name) <= 253 && shopName.MatchString(name) }

// Options say which store a Client talks to, and as whom.
type Options struct {
	// Shop is the store's host name; see ValidShop.
	Shop string
	// URL, when set, is where the store's Admin API, OAuth and checkout are, in place of https://Shop.
	URL string
	// ClientID and ClientSecret are the app's. Without a Token, or with one that ends and cannot be refreshed, they ask for
	// one (client credentials grant). With a refresh token they renew it.
	ClientID, ClientSecret string
	// Token is what the store granted. One without an end (an old custom app's "shpat_...") is used as it is.
	Token chat.Token
	// Save stores a renewed Token that has a refresh token, and is called before it is used: when it fails, the old token
	// stays in use and still works (page "About offline access tokens"). Nil stores nothing.
	Save func(context.Context, chat.Token) error
	// HTTP makes the calls; nil means a client of our own. Its Transport and nothing else is used.
	HTTP *http.Client
	// Log hears of renewals, waits and odd answers; nil hears nothing.
	Log *slog.Logger
}

// Caller calls one store. Its methods may be called from any goroutine; it starts none.
type Caller struct {
	shop   string
	base   *url.URL // nil: https://shop
	tr     http.RoundTripper
	log    *slog.Logger
	keys   *keeper
	pace   *pacer
	oddVer atomic.Bool // an answer came in another version; said once
}

// New makes a Caller. It makes no call.
func New(o Options) (*Caller, error) {
	if !ValidShop(o.Shop) {
		return nil, fmt.Errorf("shop %q: not of the form NAME.myshopify.com", o.Shop)
	}
	base, err := baseURL(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Token.Access == "" && o.Token.Refresh == "" && (o.ClientID == "" || o.ClientSecret == "") {
		return nil, errors.New("shopify: neither a token nor a client id and secret")
	}
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Caller{shop: o.Shop, base: base, tr: transport(o.HTTP), log: log, pace: newPacer()}
	c.keys = &keeper{
		post: poster{tr: c.tr, root: rootOf(base, o.Shop)}, id: o.ClientID, secret: o.ClientSecret,
		save: o.Save, log: log, turn: make(chan struct{}, 1), tok: o.Token, early: refreshEarly,
	}
	return c, nil
}

// Root is the address of the store without a final slash.
func (c *Caller) Root() string { return rootOf(c.base, c.shop) }

// Root is where a store is: at url when that is set, else at https://shop. It is an error when either is malformed.
func Root(url, shop string) (string, error) {
	if !ValidShop(shop) {
		return "", fmt.Errorf("shop %q: not of the form NAME.myshopify.com", shop)
	}
	base, err := baseURL(url)
	if err != nil {
		return "", err
	}
	return rootOf(base, shop), nil
}

func rootOf(base *url.URL, shop string) string {
	if base == nil {
		return "https://" + shop
	}
	return strings.TrimRight(base.String(), "/")
}

func baseURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("shopify address %q: want http://HOST or https://HOST", s)
	}
	return u, nil
}

func transport(h *http.Client) http.RoundTripper {
	if h != nil && h.Transport != nil {
		return h.Transport
	}
	return http.DefaultTransport
}
