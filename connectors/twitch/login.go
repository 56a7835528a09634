package twitch

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
)

// Login is one account's, for calls beside a chat; packages below this one make them.
type Login struct{ t *tokens }

// NewLogin makes a login of an account. Of the options only where Twitch is, the application, the connections and the log count.
// A Client of the same account may run beside it, here or on another node, when both have Load.
func NewLogin(o Options, who Owner) (*Login, error) {
	if o.ClientID == "" || who.Account.ID == "" || who.Save == nil {
		return nil, errors.New("twitch: ClientID, an account and Save are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a, err := newAPI(o)
	if err != nil {
		return nil, err
	}
	return &Login{newTokens(a, who, "the channel", o.Log, func() {})}, nil
}

// ID is the account's user id.
func (l *Login) ID() string { return l.t.account.ID }

// Lacks reports whether the account is known to lack a scope; what is not known is for Twitch to say.
func (l *Login) Lacks(scope string) bool {
	return l.t.known() && !l.t.has(scope) && l.t.goneErr() == nil
}

// Call makes one call of Helix, once more with a renewed token after a 401, and gives the exact answer; in is the JSON body, nil
// for none. Its error is a *chat.Refused: Code is the status, "scope" when the account has not granted what is needed, "network"
// or "odd_answer".
func (l *Login) Call(ctx context.Context, method, path string, query url.Values, in any) ([]byte, error) {
	return l.t.call(ctx, method, path, query, in)
}

// Get reads an address that needs no login and carries none. Its error is a *chat.Refused.
func (l *Login) Get(ctx context.Context, address string) ([]byte, error) {
	body, re := once(ctx, "", func(ctx context.Context, _ string) (*recorder, error) {
		rec := &recorder{http: l.t.api.http}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return rec, err
		}
		res, err := rec.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		return rec, err
	})
	if re != nil {
		return nil, re
	}
	return body, nil
}
