package twitch

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"hawker/connectors/twitch/auth"
	"hawker/internal/chat"
)

const (
	// refreshAhead is how long before its end a token is replaced.
	refreshAhead = 10 * time.Minute
	// validateEvery is required of every app (Twitch docs, "Validating Tokens").
	validateEvery = time.Hour
	// lookEvery is how often it is validated where Twitch would tell a withdrawn permission in no other way: it is to be shown
	// within a minute.
	lookEvery = 45 * time.Second
	// retryPause keeps callers that queue up behind a failed refresh from trying it again each.
	retryPause = 5 * time.Second
	// storeLooks and storeLook are how often, and how far apart, the store is looked at for a token that another renewed.
	storeLooks, storeLook = 5, 400 * time.Millisecond
)

// tokens holds the account's token and replaces it, one refresh at a time however many callers meet a 401.
type tokens struct {
	api     *api
	account chat.Account // the token in it is the first one
	save    func(context.Context, chat.Token) error
	load    func(context.Context) (chat.Token, error) // may be nil
	log     *slog.Logger
	whose   string        // what is to be connected again when the token is lost: "the bot account"
	changed func()        // called when the scopes may be others
	told    func() bool   // whether Twitch would tell now that the permission is withdrawn; nil means no
	need    []string      // scopes without which the account is of little use
	edits   bool          // chat:edit does instead of user:write:chat, for the chat server is spoken to
	turn    chan struct{} // holds one value while a refresh runs
	gone    chan struct{} // closed when only the owner can help

	mu      sync.Mutex
	token   chat.Token
	unsaved *chat.Token // got from Twitch, not stored yet: the old refresh token may be spent
	login   string
	scopes  []string
	checked bool
	goneBy  *chat.Refused
	failed  time.Time // last refresh that failed for a passing reason, and its error
	failErr error
}

func newTokens(a *api, who Owner, whose string, log *slog.Logger, changed func()) *tokens {
	return &tokens{
		api: a, account: who.Account, save: who.Save, load: who.Load, whose: whose, log: log, changed: changed,
		turn: make(chan struct{}, 1), gone: make(chan struct{}),
		token: who.Account.Token, login: who.Account.Name, scopes: who.Account.Token.Scopes,
	}
}

func (t *tokens) goneErr() *chat.Refused {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.goneBy
}

// end marks the account as of no more use without its owner.
func (t *tokens) end(code, reason string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.goneBy == nil {
		t.goneBy = &chat.Refused{Code: code, Reason: reason, Reconnect: true}
		close(t.gone)
	}
	return t.goneBy
}

// has reports whether the account has granted a scope, as far as it is known.
func (t *tokens) has(scope string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.goneBy == nil && granted(t.scopes, scope)
}

// untold reports whether nothing is known of what the account has granted; Twitch will say what it did not.
func (t *tokens) untold() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.goneBy == nil && len(t.scopes) == 0
}

// known reports whether it is known what the account has granted: Twitch told, now or when the account was connected.
func (t *tokens) known() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.checked || len(t.scopes) > 0 || t.goneBy != nil
}

// missing are the scopes the bot needs and was not given, once Twitch told which it has.
func (t *tokens) missing() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.checked {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(t.need), func(s string) bool {
		return granted(t.scopes, s) || s == scopeWrite && t.edits && granted(t.scopes, scopeEdit)
	})
}

// name is the account's login as Twitch last told.
func (t *tokens) name() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.login
}

// access is a token good for a call now; one about to end is replaced first.
func (t *tokens) access(ctx context.Context) (string, error) {
	t.mu.Lock()
	tok, gone := t.token, t.goneBy
	t.mu.Unlock()
	if gone != nil {
		return "", gone
	}
	left := time.Until(tok.Expires)
	if tok.Access != "" && (tok.Expires.IsZero() || left > refreshAhead) {
		return tok.Access, nil
	}
	fresh, err := t.refresh(ctx, tok.Access)
	if err != nil && left > 0 && tok.Access != "" && !permanent(err) {
		return tok.Access, nil // the present one still works
	}
	return fresh, err
}

// refresh replaces the token used, unless somebody did already. Its error is a *chat.Refused with Reconnect when only
// the owner can help.
func (t *tokens) refresh(ctx context.Context, used string) (string, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	t.mu.Lock()
	tok, unsaved, gone, failed, failErr := t.token, t.unsaved, t.goneBy, t.failed, t.failErr
	t.mu.Unlock()
	switch {
	case gone != nil:
		return "", gone
	case tok.Access != used:
		return tok.Access, nil
	case failErr != nil && time.Since(failed) < retryPause:
		return "", failErr
	}
	// A refresh that began is finished even when its caller left: a refresh token may work only once.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	next, err := unsaved, error(nil)
	var stored bool
	if next == nil {
		if next, stored = t.renewed(ctx, tok); !stored {
			next, stored, err = t.exchange(ctx, tok)
		}
	}
	if err == nil && !stored {
		err = t.save(ctx, *next)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		if !permanent(err) {
			t.unsaved, t.failed, t.failErr = next, time.Now(), err
		}
		return "", err
	}
	t.token, t.unsaved, t.failErr = *next, nil, nil
	if len(next.Scopes) > 0 {
		t.scopes = next.Scopes
	}
	return next.Access, nil
}

func permanent(err error) bool {
	var r *chat.Refused
	return errors.As(err, &r) && r.Reconnect
}

// exchange renews a token at Twitch. Its error is permanent when only the owner can help. Where another did so first, and the
// refresh token is spent by that, it gives what that one stored.
func (t *tokens) exchange(ctx context.Context, old chat.Token) (_ *chat.Token, stored bool, _ error) {
	if old.Refresh == "" {
		return nil, false, t.end("no_refresh_token", "The Twitch login has ended and cannot be renewed: connect "+t.whose+" again.")
	}
	next, err := t.api.auth.Refresh(ctx, old.Refresh)
	if auth.Denied(err) {
		for range storeLooks { // who was first may be about to store it
			if next, ok := t.renewed(ctx, old); ok {
				return next, true, nil
			}
			if t.load == nil || !sleep(ctx, storeLook) {
				break
			}
		}
		return nil, false, t.end("invalid_refresh_token", "Twitch withdrew the login: connect "+t.whose+" again.")
	}
	if err != nil {
		return nil, false, err
	}
	if next.Refresh == "" {
		next.Refresh = old.Refresh
	}
	return &next, false, nil
}

// renewed is the stored token when another renewed it, and it is good. Nodes and processes share a login, and the refresh token
// of a public application works only once.
func (t *tokens) renewed(ctx context.Context, old chat.Token) (*chat.Token, bool) {
	if t.load == nil {
		return nil, false
	}
	next, err := t.load(ctx)
	if err != nil || next.Access == "" || next.Access == old.Access {
		return nil, false
	}
	if w, err := t.api.auth.Validate(ctx, next.Access); err != nil || t.account.ID != "" && w.ID != t.account.ID {
		return nil, false
	}
	return &next, true
}

// validate asks Twitch about the token and refreshes it once when it is no longer good.
func (t *tokens) validate(ctx context.Context) error {
	access, err := t.access(ctx)
	if err != nil {
		return err
	}
	w, err := t.api.auth.Validate(ctx, access)
	if unauthorized(err) {
		if access, err = t.refresh(ctx, access); err != nil {
			return err
		}
		if w, err = t.api.auth.Validate(ctx, access); unauthorized(err) {
			return t.end("invalid_token", "Twitch does not accept the login it just renewed: connect "+t.whose+" again.")
		}
	}
	if err != nil {
		return err
	}
	t.mu.Lock()
	if t.account.ID == "" {
		t.account.ID = w.ID
	}
	other := w.ID != t.account.ID
	t.mu.Unlock()
	if other {
		return t.end("other_account", "The login belongs to another Twitch account: connect "+t.whose+" again.")
	}
	t.mu.Lock()
	other = !slices.Equal(t.scopes, w.Scopes)
	t.login, t.scopes, t.checked = w.Login, w.Scopes, true
	if t.token.Access == access && t.token.Expires.IsZero() {
		t.token.Expires = auth.Ends(w.Seconds)
	}
	t.mu.Unlock()
	if other {
		t.changed()
	}
	return nil
}

func unauthorized(err error) bool {
	var e *auth.Error
	return errors.As(err, &e) && e.Status == http.StatusUnauthorized
}

// untilValid validates, as is required at start (Twitch docs, "Validating Tokens"), until that succeeds. Its error is that of
// ctx, or of an account that is of no more use.
func (t *tokens) untilValid(ctx context.Context) error {
	for pause := firstPause; ; pause = min(2*pause, longest) {
		err := t.validate(ctx)
		if err == nil || permanent(err) {
			return err
		}
		t.log.InfoContext(ctx, "twitch login not checked", "account", t.account.ID, "err", err)
		if !sleep(ctx, pause/2+rand.N(pause)) {
			return ctx.Err()
		}
	}
}

// keep validates every hour, or sooner where it must (see lookEvery), and refreshes ahead, until ctx ends or the account is of no
// more use.
func (t *tokens) keep(ctx context.Context) error {
	last := time.Now()
	for {
		wait := lookEvery + rand.N(10*time.Second)
		t.mu.Lock()
		end, checked := t.token.Expires, t.checked
		t.mu.Unlock()
		if !end.IsZero() {
			wait = min(wait, max(time.Until(end)-refreshAhead, time.Second))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-t.gone:
			timer.Stop()
			return t.goneErr()
		case <-timer.C:
		}
		ahead := !end.IsZero() && time.Until(end) <= refreshAhead
		if checked && !ahead && t.told != nil && t.told() && time.Since(last) < validateEvery-lookEvery {
			continue
		}
		if err := t.validate(ctx); permanent(err) {
			return err
		} else if err != nil && ctx.Err() == nil {
			t.log.WarnContext(ctx, "twitch token not checked", "account", t.account.ID, "err", err)
		} else {
			last = time.Now()
		}
	}
}
