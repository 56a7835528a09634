package twitch

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"hawker/internal/chat"
)

const (
	// refreshAhead is how long before its end a token is replaced.
	refreshAhead = 10 * time.Minute
	// validateEvery is required of every app (Twitch docs, "Validating Tokens").
	validateEvery = time.Hour
	// retryPause keeps callers that queue up behind a failed refresh from trying it again each.
	retryPause = 5 * time.Second
)

// tokens holds the account's token and replaces it, one refresh at a time however many callers meet a 401.
type tokens struct {
	api     *api
	account chat.Account // the token in it is the first one
	save    func(context.Context, chat.Token) error
	log     *slog.Logger
	whose   string        // what is to be connected again when the token is lost: "the bot account"
	changed func()        // called when the scopes may be others
	need    []string      // scopes without which the account is of little use
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
		api: a, account: who.Account, save: who.Save, whose: whose, log: log, changed: changed,
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
	return slices.DeleteFunc(slices.Clone(t.need), func(s string) bool { return granted(t.scopes, s) })
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
	if next == nil {
		next, err = t.exchange(ctx, tok)
	}
	if err == nil {
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

func (t *tokens) exchange(ctx context.Context, old chat.Token) (*chat.Token, error) {
	if old.Refresh == "" {
		return nil, t.end("no_refresh_token", "The Twitch login has ended and cannot be renewed: connect "+t.whose+" again.")
	}
	next, err := t.api.token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}})
	var status *statusError
	if errors.As(err, &status) && (status.status == http.StatusBadRequest || status.status == http.StatusUnauthorized) {
		return nil, t.end("invalid_refresh_token", "Twitch withdrew the login: connect "+t.whose+" again.")
	}
	if err != nil {
		return nil, err
	}
	if next.Refresh == "" {
		next.Refresh = old.Refresh
	}
	return &next, nil
}

// token asks the login server for a token (Twitch docs, "Getting OAuth Access Tokens", "Refreshing Access Tokens").
func (a *api) token(ctx context.Context, form url.Values) (chat.Token, error) {
	form.Set("client_id", a.id)
	if a.secret != "" {
		form.Set("client_secret", a.secret)
	}
	var v struct {
		Access  string   `json:"access_token"`
		Refresh string   `json:"refresh_token"`
		Seconds int64    `json:"expires_in"`
		Scopes  []string `json:"scope"`
	}
	if err := a.auth(ctx, "/token", form, "", &v); err != nil {
		return chat.Token{}, err
	}
	if v.Access == "" {
		return chat.Token{}, errors.New("login at Twitch answered without a token")
	}
	return chat.Token{Access: v.Access, Refresh: v.Refresh, Expires: ends(v.Seconds), Scopes: v.Scopes}, nil
}

// ends is when a token ends that lives this long; zero when Twitch named no end.
func ends(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(min(seconds, 1<<31)) * time.Second)
}

// whose is what Twitch says about a token.
type whose struct {
	ID      string   `json:"user_id"`
	Login   string   `json:"login"`
	Scopes  []string `json:"scopes"`
	Seconds int64    `json:"expires_in"`
}

func (a *api) validate(ctx context.Context, access string) (w whose, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = a.auth(ctx, "/validate", nil, access, &w)
	return w, err
}

// validate asks Twitch about the token and refreshes it once when it is no longer good.
func (t *tokens) validate(ctx context.Context) error {
	access, err := t.access(ctx)
	if err != nil {
		return err
	}
	w, err := t.api.validate(ctx, access)
	var status *statusError
	if errors.As(err, &status) && status.status == http.StatusUnauthorized {
		if access, err = t.refresh(ctx, access); err != nil {
			return err
		}
		if w, err = t.api.validate(ctx, access); errors.As(err, &status) && status.status == http.StatusUnauthorized {
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
		t.token.Expires = ends(w.Seconds)
	}
	t.mu.Unlock()
	if other {
		t.changed()
	}
	return nil
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

// keep validates every hour and refreshes ahead, until ctx ends or the account is of no more use.
func (t *tokens) keep(ctx context.Context) error {
	wait := validateEvery
	for {
		t.mu.Lock()
		if !t.checked { // it could not be asked at the start
			wait = min(wait, time.Minute)
		}
		if end := t.token.Expires; !end.IsZero() {
			wait = min(wait, max(time.Until(end)-refreshAhead, time.Second))
		}
		t.mu.Unlock()
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
		wait = validateEvery
		if err := t.validate(ctx); permanent(err) {
			return err
		} else if err != nil && ctx.Err() == nil {
			t.log.WarnContext(ctx, "twitch token not checked", "account", t.account.ID, "err", err)
			wait = time.Minute
		}
	}
}
