package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"hawker/internal/chat"
)

// refreshEarly is how long before its end a token is renewed; a token that lives shortly is renewed in its last fifth.
const refreshEarly = 5 * time.Minute

// keeper holds the store's token and renews it, one renewal at a time.
type keeper struct {
	post       poster
	id, secret string
	save       func(context.Context, chat.Token) error
	log        *slog.Logger

	turn chan struct{} // holds one entry while a renewal runs

	mu    sync.Mutex
	tok   chat.Token
	early time.Duration
}

func (k *keeper) token() (chat.Token, time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tok, k.early
}

// renewable reports whether a token that died can be replaced without the merchant.
func (k *keeper) renewable() bool {
	t, _ := k.token()
	if k.id == "" || k.secret == "" {
		return false
	}
	return t.Refresh != "" || t.Access == "" || !t.Expires.IsZero()
}

// access is a token to call with, renewed when its end is near.
func (k *keeper) access(ctx context.Context) (string, error) {
	t, early := k.token()
	if t.Access != "" && (t.Expires.IsZero() || time.Until(t.Expires) > early || !k.renewable()) {
		return t.Access, nil
	}
	got, err := k.renew(ctx, t.Access)
	if err != nil && t.Access != "" && time.Now().Before(t.Expires) && !errors.Is(err, ErrReconnect) {
		k.log.WarnContext(ctx, "token not renewed yet, the old one still works", "err", err)
		return t.Access, nil
	}
	return got, err
}

// renew replaces the access token bad. Callers that come while a renewal runs get its result.
func (k *keeper) renew(ctx context.Context, bad string) (string, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	old, _ := k.token()
	if old.Access != bad {
		return old.Access, nil
	}
	form := url.Values{"client_id": {k.id}, "client_secret": {k.secret}}
	if old.Refresh != "" {
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", old.Refresh)
	} else {
		form.Set("grant_type", "client_credentials")
	}
	t, err := k.post.token(ctx, form)
	if err != nil {
		return "", err
	}
	if len(t.Scopes) == 0 {
		t.Scopes = old.Scopes
	}
	if old.Refresh != "" {
		if t.Refresh == "" {
			t.Refresh = old.Refresh
		}
		if k.save != nil {
			// Stored before use: the store forgets the old refresh token with the first call of the new token.
			if err := k.save(ctx, t); err != nil {
				return "", fmt.Errorf("renewed token not stored: %w", err)
			}
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tok, k.early = t, refreshEarly
	if !t.Expires.IsZero() {
		k.early = min(refreshEarly, time.Until(t.Expires)/5)
	}
	return t.Access, nil
}

// Exchange asks the token endpoint of the store at root (see Root) for a token, with the fields of the grant in form. A
// refusal is ErrReconnect. H is as Options.HTTP.
func Exchange(ctx context.Context, h *http.Client, root string, form url.Values) (chat.Token, error) {
	return poster{tr: transport(h), root: root}.token(ctx, form)
}

// poster asks the token endpoint.
type poster struct {
	tr   http.RoundTripper
	root string // the store's address
}

// oauthPage finds the code in the page that the endpoint answers with in place of JSON when an app may not have a token.
var oauthPage = regexp.MustCompile(`(?i)oauth error ([a-z_]{1,60})`)

// errNoAnswer marks a request for a token whose answer never came.
var errNoAnswer = errors.New("no answer")

var oauthCode = regexp.MustCompile(`^[a-z_]{1,60}$`)

// token asks for a token. A refusal is ErrReconnect with the store's code; the answer itself is never quoted.
func (p poster) token(ctx context.Context, form url.Values) (chat.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.root+"/admin/oauth/access_token", strings.NewReader(form.Encode()))
	if err != nil {
		return chat.Token{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	h := http.Client{Transport: p.tr, CheckRedirect: stayHere}
	resp, err := h.Do(req)
	if err != nil {
		return chat.Token{}, fmt.Errorf("shopify token: %w: %w", errNoAnswer, plain(err))
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return chat.Token{}, fmt.Errorf("shopify token: %w: %w", errNoAnswer, err)
	}
	var got struct {
		Access  string  `json:"access_token"`
		Refresh string  `json:"refresh_token"`
		Scope   string  `json:"scope"`
		Expires float64 `json:"expires_in"` // seconds
		Error   string  `json:"error"`
	}
	bad := json.Unmarshal(body, &got)
	switch {
	case resp.StatusCode >= 400 && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests:
		code := got.Error
		if m := oauthPage.FindSubmatch(body); code == "" && m != nil {
			code = string(m[1])
		}
		if !oauthCode.MatchString(code) {
			code = fmt.Sprintf("status %d", resp.StatusCode)
		}
		return chat.Token{}, fmt.Errorf("%w: the token was refused (%s)", ErrReconnect, code)
	case resp.StatusCode != http.StatusOK:
		return chat.Token{}, fmt.Errorf("shopify token: %w", &fault{status: resp.StatusCode})
	case bad != nil || got.Access == "":
		return chat.Token{}, errors.New("shopify token: answer not understood")
	}
	t := chat.Token{Access: got.Access, Refresh: got.Refresh}
	for s := range strings.SplitSeq(got.Scope, ",") {
		if s = strings.TrimSpace(s); s != "" {
			t.Scopes = append(t.Scopes, s)
		}
	}
	if got.Expires > 0 {
		t.Expires = time.Now().Add(seconds(min(got.Expires, 1e8)))
	}
	return t, nil
}
