package auth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/connectors/twitch/auth"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
)

const botID = "2002"

// pretend is a Twitch with one account, and our application at it.
func pretend(t *testing.T, o twitchsim.Options) (*twitchsim.Sim, *auth.Server) {
	t.Helper()
	sim := twitchsim.New(o)
	sim.AddUser(twitchsim.User{ID: botID, Login: "hawkerbot", Name: "HawkerBot"})
	var at [2]net.Listener
	for i := range at {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		at[i] = l
	}
	sim.Start(at[0], at[1])
	t.Cleanup(sim.Close)
	return sim, &auth.Server{URL: "http://" + at[1].Addr().String() + "/oauth2/", ID: o.ClientID, Secret: o.ClientSecret}
}

func scopes() []string { return []string{"user:read:chat", "user:write:chat"} }

func TestFinish(t *testing.T) {
	sim, s := pretend(t, twitchsim.Options{ClientID: "app", ClientSecret: "app-secret"})
	sim.Approve(botID)
	const redirect = "http://localhost/oauth/twitch"
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	code := func() string {
		t.Helper()
		res, err := browser.Get(s.Address("state & more", redirect, scopes()))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		back, err := res.Location()
		if err != nil {
			t.Fatalf("status %d: %v", res.StatusCode, err)
		}
		if back.Query().Get("state") != "state & more" || !strings.HasPrefix(back.String(), redirect) {
			t.Errorf("came back to %s", back)
		}
		return back.Query().Get("code")
	}
	if _, err := s.Finish(t.Context(), code(), redirect+"/other"); err == nil || strings.Contains(err.Error(), "app-secret") {
		t.Errorf("another redirect: %v", err)
	}
	good := code()
	a, err := s.Finish(t.Context(), good, redirect)
	if err != nil {
		t.Fatal(err)
	}
	isBot(t, a)
	if _, err := s.Finish(t.Context(), good, redirect); err == nil {
		t.Error("a code was good twice")
	}
	if _, err := s.Finish(t.Context(), "", redirect); err == nil {
		t.Error("no code was good")
	}
}

func isBot(t *testing.T, a chat.Account) {
	t.Helper()
	if a.Platform != chat.Twitch || a.ID != botID || a.Name != "hawkerbot" || a.Token.Access == "" || a.Token.Refresh == "" || !slices.Equal(a.Token.Scopes, scopes()) {
		t.Errorf("account %s %s with %v", a.ID, a.Name, a.Token.Scopes)
	}
}

// TestDevice: a public application, without any secret, connects an account whose owner types a code elsewhere; its refresh
// tokens work once.
func TestDevice(t *testing.T) {
	sim, s := pretend(t, twitchsim.Options{ClientID: "public", AskEvery: time.Millisecond})
	d, err := s.Begin(t.Context(), scopes())
	if err != nil {
		t.Fatal(err)
	}
	if d.UserCode == "" || !strings.Contains(d.Address, "/activate") || d.Code == "" || strings.Contains(d.Address, d.Code) || d.Every <= 0 || time.Until(d.Ends) < 20*time.Minute {
		t.Errorf("%+v", d)
	}
	if _, err := s.Ask(t.Context(), d, scopes()); !errors.Is(err, auth.ErrWaiting) {
		t.Errorf("before it was typed: %v", err)
	}
	d.Every = 2 * time.Millisecond
	type result struct {
		a   chat.Account
		err error
	}
	done := make(chan result, 1)
	go func() {
		a, err := s.Wait(t.Context(), d, scopes())
		done <- result{a, err}
	}()
	if !sim.Activate(d.UserCode, botID, true) {
		t.Fatal("Twitch does not know the code")
	}
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	isBot(t, r.a)
	if _, err := s.Ask(t.Context(), d, scopes()); !errors.Is(err, auth.ErrOver) {
		t.Errorf("a code that was used: %v", err)
	}
	next, err := s.Refresh(t.Context(), r.a.Token.Refresh)
	if err != nil || next.Refresh == "" || next.Refresh == r.a.Token.Refresh {
		t.Fatalf("%v, the same refresh token: %t", err, next.Refresh == r.a.Token.Refresh)
	}
	if _, err := s.Refresh(t.Context(), r.a.Token.Refresh); !auth.Denied(err) {
		t.Errorf("a refresh token was good twice: %v", err)
	}
	if _, err := s.App(t.Context()); err == nil {
		t.Error("a public application has a token of its own")
	}
}

// TestDeviceRefused: a code that is refused, too old, or asked for too often.
func TestDeviceRefused(t *testing.T) {
	sim, s := pretend(t, twitchsim.Options{ClientID: "public", AskEvery: time.Hour})
	begin := func() auth.Device {
		t.Helper()
		d, err := s.Begin(t.Context(), scopes())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := begin()
	_, _ = s.Ask(t.Context(), d, scopes())
	if _, err := s.Ask(t.Context(), d, scopes()); !errors.Is(err, auth.ErrSlower) {
		t.Errorf("asked twice at once: %v", err)
	}
	d = begin()
	sim.Activate(d.UserCode, botID, false)
	if _, err := s.Ask(t.Context(), d, scopes()); !errors.Is(err, auth.ErrOver) {
		t.Errorf("refused: %v", err)
	}
	d = begin()
	sim.EndCodes()
	if _, err := s.Ask(t.Context(), d, scopes()); !errors.Is(err, auth.ErrOver) {
		t.Errorf("too old at Twitch: %v", err)
	}
	d = begin()
	d.Ends = time.Now()
	if _, err := s.Ask(t.Context(), d, scopes()); !errors.Is(err, auth.ErrOver) {
		t.Errorf("too old here: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Wait(ctx, begin(), scopes()); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	other := *s
	other.ID = "unknown"
	if _, err := other.Begin(t.Context(), scopes()); !auth.Denied(err) {
		t.Errorf("an unknown application: %v", err)
	}
}

// TestOutOfOrder: a login server that answers pages is an error that may pass; nothing is over by it.
func TestOutOfOrder(t *testing.T) {
	sim, s := pretend(t, twitchsim.Options{ClientID: "public", AskEvery: time.Millisecond})
	d, err := s.Begin(t.Context(), scopes())
	if err != nil {
		t.Fatal(err)
	}
	sim.Activate(d.UserCode, botID, true)
	sim.Break(3)
	_, err = s.Ask(t.Context(), d, scopes())
	if err == nil || auth.Denied(err) || errors.Is(err, auth.ErrOver) || strings.Contains(err.Error(), d.Code) {
		t.Errorf("503: %v", err)
	}
	d.Every = time.Millisecond
	a, err := s.Wait(t.Context(), d, scopes())
	if err != nil {
		t.Fatal(err)
	}
	isBot(t, a)
}

// TestApp: an application with a secret has a token of its own, that belongs to no user.
func TestApp(t *testing.T) {
	_, s := pretend(t, twitchsim.Options{ClientID: "app", ClientSecret: "app-secret"})
	tok, err := s.App(t.Context())
	if err != nil || tok.Access == "" || tok.Refresh != "" {
		t.Fatalf("%v", err)
	}
	if w, err := s.Validate(t.Context(), tok.Access); err != nil || w.ID != "" {
		t.Errorf("%+v, %v", w, err)
	}
	if _, err := s.Account(t.Context(), tok); err == nil {
		t.Error("it is a user's")
	}
}

// TestSecretsInErrors: whatever goes wrong, no token, code or secret is in the text of the error.
func TestSecretsInErrors(t *testing.T) {
	sim, s := pretend(t, twitchsim.Options{ClientID: "app", ClientSecret: "app-secret"})
	secrets := []string{"app-secret", "refresh-1", "access-1", "code-1", "device-1"}
	try := func(how string) {
		t.Helper()
		_, a := s.Refresh(t.Context(), "refresh-1")
		_, b := s.Validate(t.Context(), "access-1")
		_, c := s.Finish(t.Context(), "code-1", "http://localhost/")
		_, d := s.Ask(t.Context(), auth.Device{Code: "device-1", Ends: time.Now().Add(time.Hour)}, scopes())
		_, e := s.Begin(t.Context(), nil)
		for _, err := range []error{a, b, c, d, e} {
			if err == nil {
				t.Errorf("%s: no error", how)
				continue
			}
			for _, secret := range secrets {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%s: %v", how, err)
				}
			}
		}
	}
	try("refused")
	sim.Break(5)
	try("a page of HTML")
	sim.Close()
	try("nobody there")
}
