// Package auth is Twitch's login server: addresses to send an owner's browser to, codes for machines that no browser can be
// sent back to, tokens, their renewal, and whose they are. It keeps nothing and tries nothing twice; who holds a token sees to
// that. Secrets travel in forms and headers, never in an address, and so never in an error's text.
package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hawker/internal/chat"
)

// DefaultURL is Twitch's own login server.
const DefaultURL = "https://id.twitch.tv/oauth2"

// maxBody bounds what is read of any answer.
const maxBody = 1 << 20

// Server is the login server and the application that is registered there.
type Server struct {
	URL string // empty means Twitch itself
	// ID and Secret are the application. A public one has no secret: it can only use codes (see Device), and its refresh tokens
	// work once and end after 30 days without use (Twitch docs, "Device code grant flow").
	ID, Secret string
	// HTTP makes the calls; nil means a client with a time limit of 10 s over DialContext.
	HTTP        *http.Client
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Error is an answer of the login server other than 200.
type Error struct {
	Status int
	// Message is Twitch's sentence, cut to 200 bytes; empty where it gave none.
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("Twitch login answered %d %s", e.Status, e.Message)
}

// Denied reports whether an error means that what was presented is no good, and will not be when it is presented again.
func Denied(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusBadRequest || e.Status == http.StatusUnauthorized)
}

var errNoObject = errors.New("the answer of Twitch's login server is no JSON object")

// call makes one call and decodes its answer; form nil means GET.
func (s *Server) call(ctx context.Context, path string, form url.Values, bearer string, v any) error {
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base()+path, body)
	if err != nil {
		return err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "OAuth "+bearer)
	}
	res, err := s.client().Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return &Error{res.StatusCode, message(b)}
	}
	if !strings.HasPrefix(strings.TrimSpace(string(b)), "{") || json.Unmarshal(b, v) != nil {
		return errNoObject
	}
	return nil
}

// message is Twitch's sentence about an error, when the answer is one of its own. It is cut: it goes to pages.
func message(body []byte) string {
	var v struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &v) != nil {
		return ""
	}
	if len(v.Message) > 200 {
		v.Message = strings.ToValidUTF8(v.Message[:200], "")
	}
	return v.Message
}

func (s *Server) base() string {
	if s.URL == "" {
		return DefaultURL
	}
	return strings.TrimRight(s.URL, "/")
}

func (s *Server) client() *http.Client {
	if s.HTTP != nil {
		return s.HTTP
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	if s.DialContext != nil {
		t.DialContext = s.DialContext
	}
	t.DisableKeepAlives = true // this client is for one call
	return &http.Client{Transport: t, Timeout: 10 * time.Second}
}

// token asks for a token (Twitch docs, "Getting OAuth Access Tokens", "Refreshing Access Tokens").
func (s *Server) token(ctx context.Context, form url.Values) (chat.Token, error) {
	form.Set("client_id", s.ID)
	var v struct {
		Access  string   `json:"access_token"`
		Refresh string   `json:"refresh_token"`
		Seconds int64    `json:"expires_in"`
		Scopes  []string `json:"scope"`
	}
	if err := s.call(ctx, "/token", form, "", &v); err != nil {
		return chat.Token{}, err
	}
	if v.Access == "" {
		return chat.Token{}, errors.New("login at Twitch answered without a token")
	}
	return chat.Token{Access: v.Access, Refresh: v.Refresh, Expires: Ends(v.Seconds), Scopes: v.Scopes}, nil
}

// secret adds the application's secret, where it has one.
func (s *Server) secret(form url.Values) url.Values {
	if s.Secret != "" {
		form.Set("client_secret", s.Secret)
	}
	return form
}

// Refresh renews a token. The one given may be spent by it, whatever the answer.
func (s *Server) Refresh(ctx context.Context, refresh string) (chat.Token, error) {
	return s.token(ctx, s.secret(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}))
}

// App asks for a token of the application itself (Twitch docs, "Client credentials grant flow"). It cannot be renewed, and a
// public application gets none.
func (s *Server) App(ctx context.Context) (chat.Token, error) {
	if s.Secret == "" {
		return chat.Token{}, errors.New("a public application has no token of its own")
	}
	return s.token(ctx, s.secret(url.Values{"grant_type": {"client_credentials"}}))
}

// Ends is when a token ends that lives this long; zero when Twitch named no end.
func Ends(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(min(seconds, 1<<31)) * time.Second)
}

// Whose is what Twitch says about a token. ID and Login are empty for an application's own.
type Whose struct {
	ID      string   `json:"user_id"`
	Login   string   `json:"login"`
	Scopes  []string `json:"scopes"`
	Seconds int64    `json:"expires_in"`
}

// Validate asks whose a token is, as is required at start and every hour (Twitch docs, "Validating Tokens"). An *Error with
// status 401 means that it is no good.
func (s *Server) Validate(ctx context.Context, access string) (w Whose, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = s.call(ctx, "/validate", nil, access, &w)
	return w, err
}

// Account is the user whose token it is, with it. The account's Name is its login.
func (s *Server) Account(ctx context.Context, t chat.Token) (chat.Account, error) {
	w, err := s.Validate(ctx, t.Access)
	if err != nil {
		return chat.Account{}, fmt.Errorf("whose token: %w", err)
	}
	if w.ID == "" {
		return chat.Account{}, errors.New("the token belongs to no user")
	}
	t.Scopes = w.Scopes
	return chat.Account{Platform: chat.Twitch, ID: w.ID, Name: w.Login, Token: t}, nil
}

// Address is where to send the owner's browser (Twitch docs, "Authorization code grant flow"). Making and checking the state is
// the caller's work. The redirect must be registered with the application, letter by letter. The owner is always asked, so that
// the bot's account is not connected by mistake for the own one. Twitch replaces what was granted before: what is still needed
// must be among the scopes.
func (s *Server) Address(state, redirect string, scopes []string) string {
	return s.base() + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {s.ID}, "redirect_uri": {redirect},
		"scope": {strings.Join(scopes, " ")}, "state": {state}, "force_verify": {"true"},
	}.Encode()
}

// Finish turns the code that the browser brought back into the account with its token.
func (s *Server) Finish(ctx context.Context, code, redirect string) (chat.Account, error) {
	if code == "" {
		return chat.Account{}, errors.New("connect twitch: no code")
	}
	t, err := s.token(ctx, s.secret(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}}))
	if err != nil {
		return chat.Account{}, fmt.Errorf("connect twitch: %w", err)
	}
	a, err := s.Account(ctx, t)
	if err != nil {
		return a, fmt.Errorf("connect twitch: %w", err)
	}
	return a, nil
}
