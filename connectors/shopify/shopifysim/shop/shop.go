// Package shop is the pretend store itself: its catalogue, the states of its stock, draft orders, checkouts and orders,
// the pages where a shopper looks and pays, and the objects that the Admin API shows of it all.
package shop

import (
	"context"
	"crypto/rand"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options say what is sold, and under which name.
type Options struct {
	Host, Name, Currency string
	Products             []Product
	// Tell hears of every event, by its topic as the API spells it and with the body of its webhook. It is called with the
	// shop's lock held: it must not wait, nor call the shop.
	Tell func(topic string, body map[string]any)
}

// Shop is the pretend store. All methods may be called at any time from any goroutine.
type Shop struct {
	o     Options
	pages *template.Template
	wake  chan struct{} // tells the clock that a reservation was made

	mu        sync.Mutex
	url       string
	products  []*product
	variants  map[int64]*variant // by variant id
	drafts    []*draft
	orders    []*order
	checkouts map[string]*checkout
	paid      map[string]int64 // checkout token -> order id
	discounts []*discount
	adjusted  map[string]adjusted // changes of stock, by their idempotency key
	serial    int64
	drawn     int // drafts made
}

// New makes a shop. Its clock stands still until Run.
func New(o Options) *Shop {
	if o.Tell == nil {
		o.Tell = func(string, map[string]any) {}
	}
	s := &Shop{
		o: o, pages: loadPages(), wake: make(chan struct{}, 1), variants: map[int64]*variant{}, checkouts: map[string]*checkout{},
		paid: map[string]int64{}, adjusted: map[string]adjusted{},
	}
	for _, p := range o.Products {
		s.addProduct(p)
	}
	return s
}

// URL is the address under which shoppers reach the shop.
func (s *Shop) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// SetURL names the address under which shoppers reach the shop.
func (s *Shop) SetURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = strings.TrimRight(url, "/")
}

// Do runs f with the shop's lock held: what f sees and changes is one step.
func (s *Shop) Do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Routes adds the shop's pages to mux.
func (s *Shop) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.serveFront)
	mux.HandleFunc("GET /products/{handle}", s.serveProduct)
	mux.HandleFunc("GET /pictures/{file}", s.servePicture)
	mux.HandleFunc("GET /mark.svg", serveMark)
	mux.HandleFunc("GET /buy", s.serveBuy)
	mux.HandleFunc("GET /cart/{lines}", s.serveCart)
	mux.HandleFunc("GET /invoices/{token}", s.serveInvoice)
	mux.HandleFunc("GET /checkouts/{token}", s.serveCheckout)
	mux.HandleFunc("POST /checkouts/{token}", s.servePay)
	mux.HandleFunc("GET /checkouts/{token}/thank-you", s.serveThanks)
	mux.HandleFunc("/", s.serveNowhere)
}

// Run gives stock back when its time is over, though nobody asks, until ctx ends.
func (s *Shop) Run(ctx context.Context) {
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	for {
		s.mu.Lock()
		now := time.Now()
		s.lapse(now)
		wait := time.Hour
		for _, d := range s.drafts {
			if d.status == "OPEN" && d.until.After(now) {
				wait = min(wait, d.until.Sub(now))
			}
		}
		s.mu.Unlock()
		t.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-t.C:
		}
	}
}

// next is a number that is unique in this store. Call with mu held.
func (s *Shop) next() int64 {
	s.serial++
	return s.serial
}

func gid(kind string, n int64) string {
	return "gid://shopify/" + kind + "/" + strconv.FormatInt(n, 10)
}

func idOf(gid, kind string) int64 {
	n, _ := strconv.ParseInt(strings.TrimPrefix(gid, "gid://shopify/"+kind+"/"), 10, 64)
	return n
}

// secret makes an unguessable name.
func secret(prefix string) string { return prefix + strings.ToLower(rand.Text()) }
