package shopify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/connectors/shopify"
	"hawker/connectors/shopify/shopifysim"
	"hawker/internal/chat"
)

// visit opens the page that asks the owner, and returns what the browser brings back.
func visit(t *testing.T, address string) url.Values {
	t.Helper()
	h := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := h.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatalf("status %d: %v", resp.StatusCode, err)
	}
	if !strings.HasPrefix(back.String(), "http://hub.test/oauth/shopify?") {
		t.Fatalf("sent back to %s", back)
	}
	return back.Query()
}

// sign makes a query as Shopify signs it.
func sign(q url.Values, secret string) url.Values {
	q = maps.Clone(q)
	q.Del("hmac")
	var parts []string
	for k := range q {
		parts = append(parts, k+"="+q.Get(k))
	}
	slices.Sort(parts)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(strings.Join(parts, "&")))
	q.Set("hmac", hex.EncodeToString(mac.Sum(nil)))
	return q
}

func TestConnect(t *testing.T) {
	s := open(t, shopifysim.Options{})
	k := &shopify.Connect{URL: s.URL(), ClientID: "sim-client", ClientSecret: "sim-secret"}
	address, err := k.Start("demo.myshopify.com", "the-state", "http://hub.test/oauth/shopify")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("scope") != strings.Join(shopify.Scopes(), ",") || !strings.HasPrefix(address, s.URL()+"/admin/oauth/authorize?") {
		t.Errorf("address = %s, %v", address, err)
	}
	back := visit(t, address)

	change := func(k, v string) url.Values { q := maps.Clone(back); q.Set(k, v); return q }
	for _, tt := range []struct {
		name, state string
		query       url.Values
		connect     *shopify.Connect
	}{
		{"another state", "other", back, k},
		{"no state", "", back, k},
		{"no state on both sides", "", sign(change("state", ""), "sim-secret"), k},
		{"another code", "the-state", change("code", "stolen"), k},
		{"another shop", "the-state", change("shop", "evil.myshopify.com"), k},
		{"no signature", "the-state", change("hmac", ""), k},
		{"another signature", "the-state", change("hmac", strings.Repeat("ab", 32)), k},
		{"a signature that is none", "the-state", change("hmac", "zz"), k},
		{"an additional field", "the-state", change("extra", "1"), k},
		{"signed, but no shop of Shopify", "the-state", sign(change("shop", "evil.example/.myshopify.com"), "sim-secret"), k},
		{"signed, but no code", "the-state", sign(change("code", ""), "sim-secret"), k},
		{"the secret of another app", "the-state", back, &shopify.Connect{URL: s.URL(), ClientID: "sim-client", ClientSecret: "other"}},
		{"no secret", "the-state", sign(back, ""), &shopify.Connect{URL: s.URL(), ClientID: "sim-client"}},
	} {
		if shop, tok, err := tt.connect.Finish(t.Context(), tt.query, tt.state); err == nil || shop != "" || tok.Access != "" {
			t.Errorf("%s: %q, %v; want an error and nothing else", tt.name, shop, err)
		}
	}
	if n := s.Counts().Tokens; n != 0 {
		t.Fatalf("%d tokens were asked for", n)
	}

	shop, tok, err := k.Finish(t.Context(), back, "the-state")
	if err != nil || shop != "demo.myshopify.com" || tok.Access == "" || tok.Refresh == "" || !slices.Equal(tok.Scopes, append(shopify.Scopes(), shopify.ScopeDiscounts)) {
		t.Fatalf("Finish = %q, %v scopes, %v", shop, tok.Scopes, err)
	}
	if left := time.Until(tok.Expires); left <= 0 || left > time.Hour {
		t.Errorf("ends in %v; want within the hour", left)
	}
	c := connect(t, s, func(o *shopify.Options) { o.Token = tok })
	if st, err := c.Check(t.Context()); err != nil || len(st.Missing) != 0 {
		t.Errorf("Check = %+v, %v", st, err)
	}
	if _, _, err := k.Finish(t.Context(), back, "the-state"); !errors.Is(err, shopify.ErrReconnect) {
		t.Errorf("the same code again: %v; want ErrReconnect", err)
	}
	for _, name := range []string{"", "demo", "evil.example", "demo.myshopify.com/x"} {
		if a, err := k.Start(name, "s", "http://hub.test/"); err == nil {
			t.Errorf("Start(%q) = %s; want an error", name, a)
		}
	}
}

// login makes a token that ends and can be refreshed.
func login(t *testing.T, s *shopifysim.Sim) chat.Token {
	t.Helper()
	k := &shopify.Connect{URL: s.URL(), ClientID: "sim-client", ClientSecret: "sim-secret"}
	address, err := k.Start("demo.myshopify.com", "the-state", "http://hub.test/oauth/shopify")
	if err != nil {
		t.Fatal(err)
	}
	_, tok, err := k.Finish(t.Context(), visit(t, address), "the-state")
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// vault is where a hub keeps a token.
type vault struct {
	mu   sync.Mutex
	kept []chat.Token
	err  error
}

func (v *vault) save(_ context.Context, t chat.Token) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.err != nil {
		return v.err
	}
	v.kept = append(v.kept, t)
	return nil
}

func (v *vault) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = err
}

// A token that died is renewed once, however many calls hit it, and stored before it is used.
func TestTokenRenewed(t *testing.T) {
	s := open(t, rich())
	tok := login(t, s)
	var v vault
	c := connect(t, s, func(o *shopify.Options) { o.Token, o.Save = tok, v.save })
	if _, err := c.Check(t.Context()); err != nil || len(v.kept) != 0 {
		t.Fatalf("%v, %d tokens stored; want none", err, len(v.kept))
	}
	for round := 1; round <= 2; round++ {
		s.ExpireToken()
		var g sync.WaitGroup
		for range 10 {
			g.Go(func() {
				if _, err := c.Check(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		g.Wait()
		if len(v.kept) != round || s.Counts().Tokens != 1+round {
			t.Fatalf("round %d: %d tokens stored, %d given; want %d and %d", round, len(v.kept), s.Counts().Tokens, round, 1+round)
		}
	}
	last := v.kept[1]
	if last.Access == tok.Access || last.Refresh == tok.Refresh || last.Refresh == "" || last.Expires.IsZero() || len(last.Scopes) == 0 {
		t.Error("the stored token is not a whole new one")
	}
	next := connect(t, s, func(o *shopify.Options) { o.Token = last }) // after a restart
	if _, err := next.Check(t.Context()); err != nil {
		t.Error(err)
	}
	stale := connect(t, s, func(o *shopify.Options) { o.Token = v.kept[0] })
	if _, err := stale.Check(t.Context()); !errors.Is(err, shopify.ErrReconnect) {
		t.Errorf("a token from before: %v; want ErrReconnect", err)
	}
}

// When the new token cannot be stored it is not used, and the old refresh token still works.
func TestTokenNotStored(t *testing.T) {
	s := open(t, shopifysim.Options{})
	tok := login(t, s)
	full := errors.New("disk full")
	v := vault{err: full}
	c := connect(t, s, func(o *shopify.Options) { o.Token, o.Save = tok, v.save })
	s.ExpireToken()
	if _, err := c.Check(t.Context()); !errors.Is(err, full) || errors.Is(err, shopify.ErrReconnect) {
		t.Errorf("Check = %v; want the error of Save", err)
	}
	v.fail(nil)
	if _, err := c.Check(t.Context()); err != nil || len(v.kept) != 1 {
		t.Errorf("Check = %v with %d tokens stored; want one", err, len(v.kept))
	}
}

// A renewal that fails before the end costs nothing.
func TestTokenStillGood(t *testing.T) {
	s := open(t, shopifysim.Options{TokenLife: 2 * time.Minute}) // within the last five minutes from the start
	tok := login(t, s)
	v := vault{err: errors.New("disk full")}
	c := connect(t, s, func(o *shopify.Options) { o.Token, o.Save = tok, v.save })
	if _, err := c.Check(t.Context()); err != nil {
		t.Errorf("Check with a token that is good for two minutes: %v", err)
	}
	v.fail(nil)
	if _, err := c.Check(t.Context()); err != nil || len(v.kept) != 1 {
		t.Errorf("Check = %v with %d tokens stored; want one", err, len(v.kept))
	}
}

// A store's own app asks for tokens by its id and secret, and needs no refresh token.
func TestClientCredentials(t *testing.T) {
	s := open(t, shopifysim.Options{})
	var v vault
	c := connect(t, s, func(o *shopify.Options) { o.Token, o.Save = chat.Token{}, v.save })
	s.Break(1) // also the endpoint of tokens may be out of order
	for range 3 {
		if _, err := c.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Counts().Tokens; n != 1 {
		t.Errorf("%d tokens for three calls; want one", n)
	}
	s.ExpireToken()
	s.LoseAnswers(1)
	if _, err := c.Check(t.Context()); err != nil || s.Counts().Tokens != 2 {
		t.Errorf("after its end: %v with %d tokens; want a second", err, s.Counts().Tokens)
	}
	if len(v.kept) != 0 {
		t.Error("a token that can be asked for again was stored")
	}
	wrong := connect(t, s, func(o *shopify.Options) { o.Token, o.ClientSecret = chat.Token{}, "wrong" })
	if _, err := wrong.Check(t.Context()); !errors.Is(err, shopify.ErrReconnect) || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("a wrong secret: %v; want ErrReconnect with the store's code", err)
	}
}

// When an app may not have a token Shopify answers with a page; its code is all that is told.
func TestTokenRefusedByAPage(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s, func(o *shopify.Options) { o.Token = chat.Token{} })
	s.BreakWith(1, http.StatusBadRequest, "<html><h1>400</h1>Oauth error shop_not_permitted: "+
		"Client credentials cannot be performed on this shop.</html>")
	_, err := c.Check(t.Context())
	if !errors.Is(err, shopify.ErrReconnect) || !strings.Contains(err.Error(), "shop_not_permitted") || strings.Contains(err.Error(), "html") {
		t.Errorf("error = %v; want ErrReconnect with shop_not_permitted", err)
	}
}
