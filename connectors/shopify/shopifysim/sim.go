// Package shopifysim is one Shopify store on your own listener: the part of the Admin GraphQL API that a selling hub
// needs, tokens, signed webhooks, and the pages where a shopper looks, checks out and pays, with the documented points,
// errors and stock states. It stands in for Shopify in tests, demonstrations and practice shows: no money moves, and its
// pages say so. It keeps everything in memory and forgets it when closed. Of discounts it knows codes on the whole order; it
// knows no taxes, shipping rates, customers or REST.
package shopifysim

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"hawker/connectors/shopify/shopifysim/graph"
	"hawker/connectors/shopify/shopifysim/shop"
)

// Options say what the pretend store is. The zero value works.
type Options struct {
	// Shop is the store's host name; empty means demo.myshopify.com.
	Shop string
	// Name is the store's name for people; empty means Ana's Ceramics.
	Name string
	// Currency is the one currency of the store (ISO 4217, two decimals); empty means EUR.
	Currency string
	// ClientID and ClientSecret are the app's; empty means "sim-client" and "sim-secret". Webhooks are signed with the
	// secret.
	ClientID, ClientSecret string
	// Token is an access token without an end, as old custom apps have; empty means "shpat_sim".
	Token string
	// Scopes are what the app was granted; nil means all that a hub needs.
	Scopes []string
	// Products are the catalogue; nil means Ceramics().
	Products []Product
	// TokenLife is how long other tokens live; 0 means what Shopify gives: 24 h for client credentials, 1 h else.
	TokenLife time.Duration
	// Bucket and Restore are the points of the GraphQL API and how many come back each second; 0 means those of a standard
	// plan, 2,000 and 100 (page "API limits").
	Bucket, Restore float64
	// Retry is the wait before the first of eight further attempts to deliver a webhook; each next wait is 1.9 times as
	// long. 0 means 30 s, which spreads the attempts over about an hour and a half (Shopify: four hours).
	Retry time.Duration
	// HTTP delivers webhooks; nil means a client that waits five seconds and follows no redirects. Its own redirect rule
	// and time limit are not used.
	HTTP *http.Client
}

// Sim is the pretend store. All methods may be called at any time from any goroutine.
type Sim struct {
	o      Options
	shop   *shop.Shop
	engine *graph.Engine
	srv    *http.Server
	hook   *http.Client
	wg     sync.WaitGroup
	ctx    context.Context // ends with Close
	stop   context.CancelFunc
	slots  chan struct{} // bounds deliveries at work

	// The shop has a lock of its own. Who holds both took the shop's first.
	mu       sync.Mutex
	named    bool // it has an address
	closed   bool
	gone     bool // the app was uninstalled
	conns    map[net.Conn]bool
	hooks    []*subscription
	hookIDs  int64
	sent     []*delivery // the newest keepSent
	tokens   map[string]*grant
	refresh  map[string]*grant
	codes    map[string]bool
	points   float64
	pointsAt time.Time
	weather  weather
	counts   Counts
}

// weather is what the verbs ordered.
type weather struct {
	breaks, losses, drops int
	status                int // with which calls break
	answer                string
	delay                 time.Duration
}

// Counts say what happened so far.
type Counts struct {
	Calls     int // GraphQL calls that were executed
	Throttled int // GraphQL calls refused for lack of points
	Tokens    int // tokens given out
	Delivered int // webhooks answered with 2xx
	Failed    int // attempts to deliver a webhook that failed
}

// New makes a store that serves nothing yet; see Start.
func New(o Options) *Sim {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&o.Shop, "demo.myshopify.com")
	def(&o.Name, "Ana's Ceramics")
	def(&o.Currency, "EUR")
	def(&o.ClientID, "sim-client")
	def(&o.ClientSecret, "sim-secret")
	def(&o.Token, "shpat_sim")
	if o.Scopes == nil {
		o.Scopes = []string{"read_products", "write_inventory", "read_locations", "read_orders", "write_draft_orders", "write_discounts"}
	}
	if o.Products == nil {
		o.Products = Ceramics()
	}
	if o.Bucket == 0 {
		o.Bucket = 2000
	}
	if o.Restore == 0 {
		o.Restore = 100
	}
	if o.Retry == 0 {
		o.Retry = 30 * time.Second
	}
	s := &Sim{
		o: o, engine: graph.New(schemaText), slots: make(chan struct{}, 32), conns: map[net.Conn]bool{},
		tokens: map[string]*grant{}, refresh: map[string]*grant{}, codes: map[string]bool{}, points: o.Bucket, pointsAt: time.Now(),
	}
	s.shop = shop.New(shop.Options{Host: o.Shop, Name: o.Name, Currency: o.Currency, Products: o.Products, Tell: s.tell})
	s.hook = &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if o.HTTP != nil {
		s.hook.Transport = o.HTTP.Transport
	} else {
		s.hook.Transport = &http.Transport{MaxIdleConnsPerHost: cap(s.slots)}
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.srv = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, ConnState: s.connState}
	s.wg.Go(func() { s.shop.Run(s.ctx) })
	return s
}

// Start serves on l until Close. It may be called for several listeners; the first is the store's address.
func (s *Sim) Start(l net.Listener) {
	s.mu.Lock()
	first := !s.named
	s.named = true
	s.mu.Unlock()
	if first {
		s.shop.SetURL("http://" + l.Addr().String())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = l.Close()
		return
	}
	s.wg.Go(func() {
		if err := s.srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			_ = l.Close() // the listener broke; callers see it
		}
	})
}

// Close ends every connection, delivery and goroutine, and waits for them.
func (s *Sim) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	_ = s.srv.Close()
	s.wg.Wait()
	s.hook.CloseIdleConnections()
}

// Counts says what happened so far.
func (s *Sim) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

func (s *Sim) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /admin/api/{version}/graphql.json", s.serveGraphQL)
	mux.HandleFunc("POST /admin/oauth/access_token", s.serveToken)
	mux.HandleFunc("GET /admin/oauth/authorize", s.serveAuthorize)
	s.shop.Routes(mux)
	return mux
}

func (s *Sim) connState(c net.Conn, st http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch st {
	case http.StateNew:
		s.wg.Add(1)
		s.conns[c] = true
	case http.StateClosed, http.StateHijacked:
		if s.conns[c] {
			delete(s.conns, c)
			s.wg.Done()
		}
	}
}
