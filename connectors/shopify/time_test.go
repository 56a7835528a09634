package shopify_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify"
	"hawker/connectors/shopify/shopifysim"
	"hawker/internal/chat"
	"hawker/internal/pipetest"
)

// world is a store and its client in a bubble of time.
type world struct {
	*shopifysim.Sim
	c     *shopify.Client
	calls atomic.Int32 // requests that left the client
}

// count counts what goes through rt.
func (w *world) count(rt http.RoundTripper) http.RoundTripper {
	return tripper(func(r *http.Request) (*http.Response, error) { w.calls.Add(1); return rt.RoundTrip(r) })
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// inBubble runs f with a store and its client, where time stands still while anything is at work.
func inBubble(t *testing.T, o shopifysim.Options, change func(*testing.T, *world, *shopify.Options), f func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := pipetest.Listen()
		w := &world{Sim: shopifysim.New(o)}
		w.Start(p)
		tr := &http.Transport{DialContext: p.Dial, MaxIdleConnsPerHost: 100}
		opt := shopify.Options{
			Shop: "demo.myshopify.com", URL: "http://store.test", HTTP: &http.Client{Transport: w.count(tr)},
			ClientID: "sim-client", ClientSecret: "sim-secret", Token: chat.Token{Access: "shpat_sim"},
		}
		if change != nil {
			change(t, w, &opt)
		}
		var err error
		if w.c, err = shopify.New(opt); err != nil {
			t.Fatal(err)
		}
		f(t, w)
		tr.CloseIdleConnections()
		w.Close()
	})
}

// A store that stays out of order is given up after five tries.
func TestGivesUp(t *testing.T) {
	for name, trouble := range map[string]func(*shopifysim.Sim){
		"503":   func(s *shopifysim.Sim) { s.BreakWith(-1, http.StatusServiceUnavailable, "") },
		"429":   func(s *shopifysim.Sim) { s.BreakWith(-1, http.StatusTooManyRequests, "") },
		"page":  func(s *shopifysim.Sim) { s.BreakWith(-1, http.StatusOK, "<html>") },
		"lost":  func(s *shopifysim.Sim) { s.LoseAnswers(1000) },
		"never": func(s *shopifysim.Sim) { s.Throttle(-1e9) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, shopifysim.Options{}, nil, func(t *testing.T, w *world) {
				trouble(w.Sim)
				ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
				defer cancel()
				_, err := w.c.Check(ctx)
				tries := w.calls.Load()
				if name == "never" { // a wait that the store itself named is kept
					if !errors.Is(err, context.DeadlineExceeded) || tries != 1 {
						t.Errorf("%v after %d tries; want the end of ctx after one", err, tries)
					}
					return
				}
				if err == nil || ctx.Err() != nil || tries != 5 {
					t.Errorf("%v after %d tries; want an error after five", err, tries)
				}
			})
		})
	}
}

// A wait that the store names is kept.
func TestRetryAfter(t *testing.T) {
	inBubble(t, shopifysim.Options{}, func(t *testing.T, w *world, o *shopify.Options) {
		next, first := o.HTTP.Transport, true
		o.HTTP = &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if first && err == nil {
				first, resp.StatusCode = false, http.StatusTooManyRequests
				resp.Header.Set("Retry-After", "7.5")
			}
			return resp, err
		})}
	}, func(t *testing.T, w *world) {
		start := time.Now()
		if _, err := w.c.Check(t.Context()); err != nil || time.Since(start) != 7500*time.Millisecond {
			t.Errorf("%v after %v; want an answer after 7.5 s", err, time.Since(start))
		}
	})
}

// A call that hangs is ended and made again.
func TestHangs(t *testing.T) {
	inBubble(t, shopifysim.Options{}, func(t *testing.T, w *world, o *shopify.Options) {
		next := o.HTTP.Transport
		o.HTTP = &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if w.calls.Load() == 1 {
				<-r.Context().Done()
				_ = resp.Body.Close()
				return nil, r.Context().Err()
			}
			return resp, err
		})}
	}, func(t *testing.T, w *world) {
		in := draftOf(w.Sim, 71, "MUG-1", 1, 0)
		if _, err := w.c.Draft(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if n := len(w.Drafts()); n != 1 {
			t.Errorf("%d drafts; want 1, the first one was made", n)
		}
	})
}

// However many drafts are wanted, and in whatever order the answers come back, the client keeps within the store's points:
// the store never has to refuse one.
func TestKeepsWithinPoints(t *testing.T) {
	for _, far := range []time.Duration{0, 700 * time.Millisecond} {
		t.Run(far.String(), func(t *testing.T) {
			o := shopifysim.Options{Products: []shopifysim.Product{{Title: "Cup", Variants: []shopifysim.Variant{{SKU: "CUP", Price: "5.00", Stock: 5000}}}}}
			inBubble(t, o, func(_ *testing.T, _ *world, o *shopify.Options) {
				next := o.HTTP.Transport
				o.HTTP = &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
					time.Sleep(rand.N(far + 1))
					resp, err := next.RoundTrip(r)
					time.Sleep(rand.N(far + 1))
					return resp, err
				})}
			}, func(t *testing.T, w *world) {
				start := time.Now()
				var g sync.WaitGroup
				for i := range 260 {
					g.Go(func() {
						if _, err := w.c.Draft(t.Context(), draftOf(w.Sim, commerce.ID(i+1), "CUP", 1, 0)); err != nil {
							t.Error(err)
						}
					})
				}
				g.Wait()
				if n := w.Counts().Throttled; n != 0 {
					t.Errorf("the store refused %d calls", n)
				}
				// 2,600 points: 2,000 are there, of which 40 are kept for releases, and 100 come back each second.
				if took := time.Since(start); took < 6*time.Second || took > 10*time.Second {
					t.Errorf("260 drafts took %v; want about 6.4 s and the way", took)
				}
				stock(t, w.Sim, "CUP", shopifysim.Stock{Available: 4740, Reserved: 260})
			})
		})
	}
}

// When points are short, stock is let go and set aside before a catalogue is read.
func TestImportantCallsFirst(t *testing.T) {
	inBubble(t, shopifysim.Options{}, nil, func(t *testing.T, w *world) {
		d, err := w.c.Draft(t.Context(), draftOf(w.Sim, 71, "MUG-1", 1, 0))
		if err != nil {
			t.Fatal(err)
		}
		w.Throttle(60)
		if _, err := w.c.DraftByID(t.Context(), d.ID); err != nil { // so that the client knows
			t.Fatal(err)
		}
		start := time.Now()
		var g sync.WaitGroup
		var catalogue, release, hold time.Duration
		g.Go(func() {
			if err := w.c.Catalogue(t.Context(), func([]commerce.Product) error { return nil }); err != nil {
				t.Error(err)
			}
			catalogue = time.Since(start)
		})
		synctest.Wait()
		g.Go(func() {
			if err := w.c.ReleaseDraft(t.Context(), d.ID); err != nil {
				t.Error(err)
			}
			release = time.Since(start)
		})
		g.Go(func() {
			if _, err := w.c.Draft(t.Context(), draftOf(w.Sim, 72, "MUG-1", 1, 0)); err != nil {
				t.Error(err)
			}
			hold = time.Since(start)
		})
		g.Wait()
		if release > time.Second || hold > time.Second || catalogue < 5*time.Second {
			t.Errorf("release after %v, draft after %v, catalogue after %v", release, hold, catalogue)
		}
		if n := w.Counts().Throttled; n != 0 {
			t.Errorf("the store refused %d calls", n)
		}
	})
}

// Over a day the client renews its tokens before they end: no call ever meets a dead one.
func TestTokensOfADay(t *testing.T) {
	for _, kind := range []string{"client credentials", "expiring offline token"} {
		t.Run(kind, func(t *testing.T) {
			var kept []chat.Token
			var dead atomic.Int32
			var used sync.Map
			inBubble(t, shopifysim.Options{}, func(t *testing.T, w *world, o *shopify.Options) {
				o.Token = chat.Token{}
				next := o.HTTP.Transport
				o.HTTP = &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
					resp, err := next.RoundTrip(r)
					if err == nil && resp.StatusCode == http.StatusUnauthorized {
						dead.Add(1)
					}
					if tok := r.Header.Get("X-Shopify-Access-Token"); tok != "" {
						used.Store(tok, true)
					}
					return resp, err
				})}
				if kind != "client credentials" {
					o.Token = loginInBubble(t, o.HTTP)
					o.Save = func(_ context.Context, tok chat.Token) error {
						if _, ok := used.Load(tok.Access); ok {
							t.Error("a token was used before it was stored")
						}
						kept = append(kept, tok)
						return nil
					}
				}
			}, func(t *testing.T, w *world) {
				for range 24 * 6 {
					if _, err := w.c.Check(t.Context()); err != nil {
						t.Fatal(err)
					}
					time.Sleep(10 * time.Minute)
				}
				if n := dead.Load(); n != 0 {
					t.Errorf("%d calls met a dead token", n)
				}
				switch n := w.Counts().Tokens; {
				case kind == "client credentials" && n > 2:
					t.Errorf("%d tokens in a day", n)
				case kind != "client credentials" && (len(kept) != n-1 || n < 24 || n > 28):
					t.Errorf("%d tokens in a day, %d stored", n, len(kept))
				}
			})
		})
	}
}

// loginInBubble is login over another transport.
func loginInBubble(t *testing.T, h *http.Client) chat.Token {
	t.Helper()
	k := &shopify.Connect{URL: "http://store.test", ClientID: "sim-client", ClientSecret: "sim-secret", HTTP: h}
	address, err := k.Start("demo.myshopify.com", "the-state", "http://hub.test/oauth/shopify")
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := h.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	_, tok, err := k.Finish(t.Context(), back.Query(), "the-state")
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// A token endpoint that is out of order for a while is asked until it answers; one that says no is believed at once.
func TestTokenEndpointDown(t *testing.T) {
	inBubble(t, shopifysim.Options{}, func(_ *testing.T, _ *world, o *shopify.Options) { o.Token = chat.Token{} }, func(t *testing.T, w *world) {
		w.Break(4)
		if _, err := w.c.Check(t.Context()); err != nil {
			t.Errorf("after four failures: %v", err)
		}
		time.Sleep(25 * time.Hour)
		w.BreakWith(-1, http.StatusBadGateway, "<html>")
		if _, err := w.c.Check(t.Context()); err == nil || errors.Is(err, shopify.ErrReconnect) || !strings.Contains(err.Error(), "502") {
			t.Errorf("an endpoint that stays down: %v; want the status and no ErrReconnect", err)
		}
		before := w.calls.Load()
		w.BreakWith(-1, http.StatusBadRequest, `{"error":"invalid_grant"}`)
		if _, err := w.c.Check(t.Context()); !errors.Is(err, shopify.ErrReconnect) || w.calls.Load() != before+1 {
			t.Errorf("a refusal: %v after %d calls; want ErrReconnect after one", err, w.calls.Load()-before)
		}
	})
}

// What was set aside in the store comes back to the second, and the client sees it.
func TestReservationEnds(t *testing.T) {
	inBubble(t, shopifysim.Options{}, nil, func(t *testing.T, w *world) {
		in := draftOf(w.Sim, 71, "VASE-1", 2, 0)
		in.ReserveUntil = time.Now().Add(15 * time.Minute)
		d, err := w.c.Draft(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		item := "gid://shopify/InventoryItem/" + fmt.Sprint(itemOf(t, w.c, "VASE-1"))
		for _, tt := range []struct {
			at   time.Duration
			want int64
		}{{0, 1}, {15*time.Minute - time.Millisecond, 1}, {15 * time.Minute, 3}} {
			time.Sleep(time.Until(in.ReserveUntil.Add(tt.at - 15*time.Minute)))
			synctest.Wait()
			got, err := w.c.Stock(t.Context(), []string{item})
			if err != nil || got[item].Available != tt.want {
				t.Errorf("after %v: %+v, %v; want %d available", tt.at, got[item], err, tt.want)
			}
		}
		if now, err := w.c.DraftByID(t.Context(), d.ID); err != nil || !now.Open {
			t.Errorf("the draft itself: %+v, %v; want it still open", now, err)
		}
	})
}

func itemOf(t *testing.T, c *shopify.Client, sku string) (item string) {
	t.Helper()
	err := c.Catalogue(t.Context(), func(ps []commerce.Product) error {
		for _, p := range ps {
			for _, v := range p.Variants {
				if v.SKU == sku {
					item = strings.TrimPrefix(v.Inventory, "gid://shopify/InventoryItem/")
				}
			}
		}
		return nil
	})
	if err != nil || item == "" {
		t.Fatalf("item of %s: %q, %v", sku, item, err)
	}
	return item
}
