package youtube

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"hawker/internal/chat"
)

// The scopes of Google's consent page. ScopeRead lets us read chats; ScopeWrite covers reading, speaking and moderating.
const (
	ScopeRead  = "https://www.googleapis.com/auth/youtube.readonly"
	ScopeWrite = "https://www.googleapis.com/auth/youtube.force-ssl"
	scopeAll   = "https://www.googleapis.com/auth/youtube"
)

// ErrReconnect means that the account's permission is gone, or too small, and only its owner can give it again.
var ErrReconnect = errors.New("youtube: the channel's owner must connect again")

// refreshEarly is how long before its end a token is renewed, so that no call is spent on learning that it ended.
const refreshEarly = time.Minute

// keeper holds the account's token and renews it, one renewal at a time.
type keeper struct {
	conf oauth2.Config
	http *http.Client
	save func(context.Context, chat.Token) error
	log  *slog.Logger

	turn chan struct{} // holds one entry while a renewal runs

	mu  sync.Mutex
	tok chat.Token
}

func newKeeper(o Options, base *http.Client, log *slog.Logger) *keeper {
	return &keeper{conf: oauthConfig(o, ""), http: base, save: o.Save, log: log, turn: make(chan struct{}, 1), tok: o.Owner.Token}
}

func oauthConfig(o Options, redirect string) oauth2.Config {
	return oauth2.Config{
		ClientID: o.ClientID, ClientSecret: o.ClientSecret, RedirectURL: redirect,
		Endpoint: oauth2.Endpoint{AuthURL: o.AuthURL, TokenURL: o.TokenURL, AuthStyle: oauth2.AuthStyleInParams},
	}
}

func (k *keeper) token() chat.Token {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tok
}

func (k *keeper) scopes() []string { return k.token().Scopes }

// access is a token to call with, renewed when its end is near.
func (k *keeper) access(ctx context.Context) (string, error) {
	t := k.token()
	if t.Access == "" || (t.Refresh != "" && !t.Expires.IsZero() && time.Until(t.Expires) < refreshEarly) {
		return k.renew(ctx, t.Access)
	}
	return t.Access, nil
}

// renew replaces the access token bad. Callers that come while a renewal runs get its result.
func (k *keeper) renew(ctx context.Context, bad string) (string, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	old := k.token()
	if old.Access != bad {
		return old.Access, nil
	}
	if old.Refresh == "" {
		return "", fmt.Errorf("%w: there is no refresh token", ErrReconnect)
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, k.http), callTimeout)
	defer cancel()
	got, err := k.conf.TokenSource(ctx, &oauth2.Token{RefreshToken: old.Refresh}).Token()
	if err != nil {
		return "", refreshError(err)
	}
	t := tokenOf(got)
	if t.Refresh == "" {
		t.Refresh = old.Refresh
	}
	if len(t.Scopes) == 0 {
		t.Scopes = old.Scopes
	}
	k.mu.Lock()
	k.tok = t
	k.mu.Unlock()
	if k.save != nil {
		if err := k.save(ctx, t); err != nil {
			// Google does not change the refresh token, so the stored one still works after a restart.
			k.log.WarnContext(ctx, "renewed token not stored", "err", err)
		}
	}
	return t.Access, nil
}

// notRenewed is a renewal that failed for a passing reason. It holds no more of the cause than its words: the cause's own
// text may quote the token endpoint's answer.
type notRenewed struct{ why string }

func (e *notRenewed) Error() string { return "youtube: token not renewed: " + e.why }

func refreshError(err error) error {
	var re *oauth2.RetrieveError
	if !errors.As(err, &re) {
		return &notRenewed{"network"}
	}
	switch re.ErrorCode {
	case "invalid_grant":
		return fmt.Errorf("%w: Google withdrew the permission (invalid_grant)", ErrReconnect)
	case "invalid_client", "unauthorized_client":
		return fmt.Errorf("%w: Google does not know the client id or secret (%s)", ErrReconnect, re.ErrorCode)
	}
	if re.Response != nil {
		return &notRenewed{fmt.Sprintf("status %d", re.Response.StatusCode)}
	}
	return &notRenewed{"answer not understood"}
}

func tokenOf(t *oauth2.Token) chat.Token {
	out := chat.Token{Access: t.AccessToken, Refresh: t.RefreshToken, Expires: t.Expiry}
	if s, ok := t.Extra("scope").(string); ok {
		out.Scopes = strings.Fields(s)
	}
	return out
}
