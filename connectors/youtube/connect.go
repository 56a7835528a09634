package youtube

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"google.golang.org/api/option"
	yt "google.golang.org/api/youtube/v3"

	"hawker/internal/chat"
)

// Connect is Google's consent in a browser, by which a creator lets us into a channel.
type Connect struct {
	o      Options
	scopes []string
}

// NewConnect uses the addresses, client and quota of o; Owner is not needed. No scopes means ScopeWrite, which reads too.
func NewConnect(o Options, scopes ...string) *Connect {
	if len(scopes) == 0 {
		scopes = []string{ScopeWrite}
	}
	return &Connect{o.withDefaults(), scopes}
}

// Start is the address to send the creator to, and the PKCE verifier to keep for Finish. It asks for offline access and
// for consent every time, since Google gives a refresh token only then.
func (c *Connect) Start(state, redirect string) (addr, verifier string) {
	conf := oauthConfig(c.o, redirect)
	conf.Scopes = c.scopes
	verifier = oauth2.GenerateVerifier()
	return conf.AuthCodeURL(state, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent"),
		oauth2.S256ChallengeOption(verifier)), verifier
}

// Finish turns the code that came back into an account: the channel's id and title, and its token. It costs 1 unit.
func (c *Connect) Finish(ctx context.Context, code, verifier, redirect string) (chat.Account, error) {
	base, own := baseClient(c.o)
	if own != nil {
		defer own.CloseIdleConnections()
	}
	ctx, cancel := context.WithTimeout(ctx, 2*callTimeout)
	defer cancel()
	conf := oauthConfig(c.o, redirect)
	got, err := conf.Exchange(context.WithValue(ctx, oauth2.HTTPClient, base), code, oauth2.VerifierOption(verifier))
	if err != nil {
		return chat.Account{}, fmt.Errorf("exchange code: %w", refreshError(err))
	}
	a := chat.Account{Platform: chat.YouTube, Token: tokenOf(got)}
	if a.Token.Refresh == "" {
		return chat.Account{}, fmt.Errorf("%w: Google gave no refresh token", ErrReconnect)
	}
	o := c.o
	o.Owner = a
	calls := &http.Client{Transport: &transport{base: base, keeper: newKeeper(o, base, o.Log), meter: o.Units}}
	api, err := yt.NewService(ctx, option.WithEndpoint(o.APIURL), option.WithHTTPClient(calls))
	if err != nil {
		return chat.Account{}, fmt.Errorf("youtube: %w", err)
	}
	res, err := api.Channels.List([]string{"snippet"}).Mine(true).Context(ctx).Do()
	if err != nil {
		f := classify(err)
		return chat.Account{}, fmt.Errorf("find channel: %s: %s", f.code, f.reason)
	}
	if len(res.Items) == 0 || res.Items[0].Id == "" {
		return chat.Account{}, fmt.Errorf("find channel: this Google account has no YouTube channel")
	}
	a.ID, a.Name = res.Items[0].Id, res.Items[0].Id
	if s := res.Items[0].Snippet; s != nil && s.Title != "" {
		a.Name = s.Title
	}
	return a, nil
}

// Revoke gives a permission back to Google. The stored data of the channel is the caller's to erase.
func (c *Connect) Revoke(ctx context.Context, t chat.Token) error {
	base, own := baseClient(c.o)
	if own != nil {
		defer own.CloseIdleConnections()
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	tok := t.Refresh // its end takes the access tokens along
	if tok == "" {
		tok = t.Access
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.RevokeURL, strings.NewReader(url.Values{"token": {tok}}.Encode()))
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := base.Do(req)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	closeBody(res.Body)
	// 400 is what Google answers when the permission was gone already.
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusBadRequest {
		return fmt.Errorf("revoke: status %d", res.StatusCode)
	}
	return nil
}
