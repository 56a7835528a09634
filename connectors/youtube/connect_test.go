package youtube_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hawker/connectors/youtube"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
)

// consent does what the creator's browser does and returns the address it is sent back to.
func consent(t *testing.T, addr, channel string) url.Values {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer browser.CloseIdleConnections()
	page, err := browser.Get(addr)
	if err != nil || page.StatusCode != http.StatusOK {
		t.Fatalf("consent page: %v, %v", page, err)
	}
	_ = page.Body.Close()
	res, err := browser.Post(addr, "application/x-www-form-urlencoded", strings.NewReader(url.Values{"channel": {channel}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	back, err := res.Location()
	if err != nil {
		t.Fatal(err)
	}
	return back.Query()
}

func TestConnect(t *testing.T) {
	s := start(t, youtubesim.Config{
		ClientID: "client", ClientSecret: "secret",
		Channels: []youtubesim.Channel{{ID: owner, Title: "Ana's Ceramics", Live: true}},
	})
	o := options(s)
	o.Owner = chat.Account{}
	con := youtube.NewConnect(o)
	const redirect = "http://127.0.0.1:8080/oauth/youtube"
	addr, verifier := con.Start("state-1", redirect)
	q := consent(t, addr, owner)
	if q.Get("state") != "state-1" || strings.Contains(addr, verifier) {
		t.Fatalf("came back with %v", q)
	}
	a, err := con.Finish(t.Context(), q.Get("code"), verifier, redirect)
	if err != nil || a.ID != owner || a.Name != "Ana's Ceramics" || a.Token.Access == "" || a.Token.Refresh == "" ||
		a.Token.Expires.IsZero() || len(a.Token.Scopes) != 1 || a.Token.Scopes[0] != youtube.ScopeWrite {
		t.Fatalf("Finish = %q %q scopes %v, %v", a.ID, a.Name, a.Token.Scopes, err)
	}
	if _, err := con.Finish(t.Context(), q.Get("code"), verifier, redirect); !errors.Is(err, youtube.ErrReconnect) {
		t.Errorf("a code used twice: %v", err)
	}
	other := consent(t, addr, owner)
	if _, err := con.Finish(t.Context(), other.Get("code"), "another verifier, not the one of Start", redirect); !errors.Is(err, youtube.ErrReconnect) {
		t.Errorf("a wrong verifier: %v", err)
	}
	if q := consent(t, addr, ""); q.Get("error") != "access_denied" {
		t.Errorf("refused consent came back with %v", q)
	}

	o.Owner = a
	c := client(t, o)
	e := listen(t, c)
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	if err := con.Revoke(t.Context(), a.Token); err != nil {
		t.Fatal(err)
	}
	if err := con.Revoke(t.Context(), a.Token); err != nil {
		t.Errorf("a second Revoke: %v, want harmless", err)
	}
	s.Drop()
	if err := <-e.done; !errors.Is(err, youtube.ErrReconnect) || e.count(chat.Revoked) != 1 {
		t.Errorf("Listen after Revoke: %v, %+v", err, e.snapshot())
	}
	for _, secret := range []string{a.Token.Access, a.Token.Refresh, "secret"} {
		if ev := e.snapshot(); strings.Contains(ev[len(ev)-1].Reason, secret) {
			t.Error("a secret in a reason")
		}
	}
	if err := c.Listen(context.Background(), func(chat.Event) {}); !errors.Is(err, youtube.ErrReconnect) {
		t.Errorf("Listen again: %v", err)
	}
}
