package shopify_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"hawker/connectors/shopify"
	"hawker/connectors/shopify/shopifysim"
)

// Trouble that passes is waited out, once or twice, by readings and by drafts, and nothing is done twice.
func TestTroubleThatPasses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trouble func(*shopifysim.Sim)
	}{
		{"no points", func(s *shopifysim.Sim) { s.Throttle(-100) }},
		{"429", func(s *shopifysim.Sim) { s.BreakWith(2, http.StatusTooManyRequests, `{"errors":"Too many"}`) }},
		{"503", func(s *shopifysim.Sim) { s.Break(2) }},
		{"a page in place of JSON", func(s *shopifysim.Sim) {
			s.BreakWith(1, http.StatusOK, "<!doctype html><title>Something went wrong</title>")
		}},
		{"an empty answer", func(s *shopifysim.Sim) { s.BreakWith(1, http.StatusOK, "") }},
		{"a page of a proxy", func(s *shopifysim.Sim) { s.BreakWith(1, http.StatusBadGateway, "<html>502 Bad Gateway</html>") }},
		{"JSON of something else", func(s *shopifysim.Sim) { s.BreakWith(1, http.StatusOK, `[1,2]`) }},
		{"no data", func(s *shopifysim.Sim) { s.BreakWith(1, http.StatusOK, `{}`) }},
		{"their own fault", func(s *shopifysim.Sim) {
			s.BreakWith(1, http.StatusOK, `{"errors":[{"message":"Internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`)
		}},
		{"a lost answer", func(s *shopifysim.Sim) { s.LoseAnswers(1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, shopifysim.Options{Restore: 2000})
			c := connect(t, s)
			tt.trouble(s)
			if _, err := c.Check(t.Context()); err != nil {
				t.Errorf("reading: %v", err)
			}
			tt.trouble(s)
			if _, err := c.Draft(t.Context(), draftOf(s, 71, "MUG-1", 1, 0)); err != nil {
				t.Errorf("draft: %v", err)
			}
			if n := len(s.Drafts()); n != 1 {
				t.Errorf("%d drafts; want 1", n)
			}
			if tt.name == "no points" && s.Counts().Throttled == 0 {
				t.Error("the store never said that it was too fast")
			}
		})
	}
}

// Trouble that stays is told apart, at once.
func TestTroubleThatStays(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   error
	}{
		{"payment required", http.StatusPaymentRequired, `{"errors":"Unavailable Shop"}`, shopify.ErrShop},
		{"forbidden", http.StatusForbidden, `<html>`, shopify.ErrShop},
		{"gone", http.StatusNotFound, `{"errors":"Not Found"}`, shopify.ErrShop},
		{"locked", http.StatusLocked, ``, shopify.ErrShop},
		{"no permission", http.StatusOK, `{"data":null,"errors":[{"message":"Access denied","extensions":{"code":"ACCESS_DENIED"}}]}`, shopify.ErrScope},
		{"no token", http.StatusUnauthorized, `{"errors":"[API] Invalid API key or access token"}`, shopify.ErrReconnect},
		{"our mistake", http.StatusOK, `{"errors":[{"message":"Field 'a' doesn't exist","extensions":{"code":"undefinedField"}}]}`, nil},
		{"their mistake in another shape", http.StatusOK, `{"errors":"what"}`, nil},
		{"bad request", http.StatusBadRequest, `{"errors":"Bad Request"}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, shopifysim.Options{})
			var calls atomic.Int32
			f := front(t, s, func(http.ResponseWriter, *http.Request) bool { calls.Add(1); return false })
			c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
			s.BreakWith(-1, tt.status, tt.body)
			_, err := c.Draft(t.Context(), draftOf(s, 71, "MUG-1", 1, 0))
			if err == nil || calls.Load() != 1 {
				t.Fatalf("draft: %v after %d calls; want an error after one", err, calls.Load())
			}
			for _, e := range []error{shopify.ErrShop, shopify.ErrScope, shopify.ErrReconnect, shopify.ErrUnsure, shopify.ErrNotFound} {
				if errors.Is(err, e) != (e == tt.want) {
					t.Errorf("%v: is %v: %v", err, e, errors.Is(err, e))
				}
			}
		})
	}
}

func TestScopeMissing(t *testing.T) {
	s := open(t, shopifysim.Options{Scopes: []string{"read_products"}})
	c := connect(t, s)
	if _, err := c.Draft(t.Context(), draftOf(s, 71, "MUG-1", 1, 0)); !errors.Is(err, shopify.ErrScope) {
		t.Errorf("draft without its scope: %v; want ErrScope", err)
	}
	if _, err := c.Stock(t.Context(), []string{"gid://shopify/InventoryItem/46000000002"}); !errors.Is(err, shopify.ErrScope) {
		t.Errorf("stock without its scope: %v; want ErrScope", err)
	}
	if _, err := c.Check(t.Context()); err != nil {
		t.Errorf("the check itself needs no scope: %v", err)
	}
}

func TestUninstalled(t *testing.T) {
	s := open(t, shopifysim.Options{})
	old := connect(t, s)
	own := connect(t, s, func(o *shopify.Options) { o.Token.Access = "" })
	for _, c := range []*shopify.Client{old, own} {
		if _, err := c.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.Uninstall()
	for name, c := range map[string]*shopify.Client{"old token": old, "client credentials": own} {
		if _, err := c.Check(t.Context()); !errors.Is(err, shopify.ErrReconnect) {
			t.Errorf("%s after the app was removed: %v; want ErrReconnect", name, err)
		}
	}
}

// The token goes to the store and nowhere else.
func TestRedirectIsNotFollowed(t *testing.T) {
	var stolen atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer thief.Close()
	s := open(t, shopifysim.Options{})
	f := front(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
		return true
	})
	c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
	if _, err := c.Check(t.Context()); err == nil {
		t.Error("a redirect was taken for an answer")
	}
	own := connect(t, s, func(o *shopify.Options) { o.URL, o.Token.Access = f.URL, "" })
	if _, err := own.Check(t.Context()); err == nil {
		t.Error("a redirect was taken for a token")
	}
	if n := stolen.Load(); n != 0 {
		t.Errorf("%d requests went to another host", n)
	}
}

// What the store answers may be long or hold secrets: neither gets into errors or logs.
func TestNothingSecretIsSaid(t *testing.T) {
	s := open(t, shopifysim.Options{})
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := connect(t, s, func(o *shopify.Options) { o.Log, o.Token.Access, o.ClientSecret = log, "shpat_private", "sim-secret" })
	s.BreakWith(2, http.StatusInternalServerError, "<html>shpat_private</html>")
	if _, err := c.Check(t.Context()); err == nil || strings.Contains(err.Error(), "shpat_private") {
		t.Errorf("error = %v", err)
	}
	s.BreakWith(1, http.StatusForbidden, `{"errors":"`+strings.Repeat("x", 5000)+`"}`)
	if _, err := c.Check(t.Context()); err == nil || len(err.Error()) > 500 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
	if strings.Contains(said.String(), "shpat_private") || strings.Contains(said.String(), "sim-secret") {
		t.Errorf("log: %s", said.String())
	}
}

// An answer in another version means that ours is no longer served.
func TestOddVersion(t *testing.T) {
	s := open(t, shopifysim.Options{})
	f := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/admin/api/2026-10/graphql.json") {
			t.Errorf("called %s", r.URL.Path)
		}
		w.Header().Set("X-Shopify-API-Version", "2027-01")
		_, _ = io.WriteString(w, `{"data":{"shop":{"id":"gid://shopify/Shop/1","currencyCode":"EUR"}}}`)
	}))
	defer f.Close()
	var said bytes.Buffer
	c := connect(t, s, func(o *shopify.Options) { o.URL, o.Log = f.URL, slog.New(slog.NewTextHandler(&said, nil)) })
	for range 3 {
		if _, err := c.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(said.String(), "another API version"); n != 1 {
		t.Errorf("said %d times; want once: %s", n, said.String())
	}
}
