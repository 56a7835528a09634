package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hawker/internal/chat"
)

// What became of a code that its owner was shown, beside an account.
var (
	// ErrWaiting means that the owner has not typed it yet: ask again after Device.Every.
	ErrWaiting = errors.New("the code was not typed yet")
	// ErrSlower means the same, and that the next question must come later than before (RFC 8628, 3.5).
	ErrSlower = errors.New("the code was asked for too often")
	// ErrOver means that it cannot be used any more: it was too old, refused, or used already.
	ErrOver = errors.New("the code is over")
)

// Device is a login on a machine that no browser can be sent back to: its owner types UserCode at Address, in any browser.
type Device struct {
	// Code is what the machine asks with: a secret until Ends.
	Code string
	// UserCode is shown; Address is where it is typed, or where it stands already.
	UserCode, Address string
	Ends              time.Time
	// Every is how long to leave between two questions.
	Every time.Duration
}

const (
	askEvery  = 5 * time.Second // where Twitch names no interval (RFC 8628, 3.2)
	codeLives = 30 * time.Minute
)

// Begin asks for a code for these scopes (Twitch docs, "Device code grant flow"). Public applications may, and others.
func (s *Server) Begin(ctx context.Context, scopes []string) (Device, error) {
	list := strings.Join(scopes, " ")
	var v struct {
		Code    string `json:"device_code"`
		User    string `json:"user_code"`
		Address string `json:"verification_uri"`
		Seconds int64  `json:"expires_in"`
		Every   int64  `json:"interval"`
	}
	// Twitch's page calls the parameter scopes, and its examples of the token's request scope: who reads one ignores the other.
	if err := s.call(ctx, "/device", url.Values{"client_id": {s.ID}, "scopes": {list}, "scope": {list}}, "", &v); err != nil {
		return Device{}, fmt.Errorf("ask twitch for a code: %w", err)
	}
	if u, err := url.Parse(v.Address); v.Code == "" || v.User == "" || err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return Device{}, errors.New("twitch answered without a code")
	}
	d := Device{Code: v.Code, UserCode: v.User, Address: v.Address, Ends: time.Now().Add(codeLives), Every: askEvery}
	if v.Seconds > 0 {
		d.Ends = time.Now().Add(time.Duration(min(v.Seconds, 86400)) * time.Second)
	}
	if v.Every > 0 {
		d.Every = time.Duration(min(v.Every, 60)) * time.Second
	}
	return d, nil
}

// Ask asks once whether the owner agreed, and gives the account then. Its error is ErrWaiting, ErrSlower or ErrOver, or
// another when Twitch could not be asked: then ask again as well. The scopes are those of Begin.
func (s *Server) Ask(ctx context.Context, d Device, scopes []string) (chat.Account, error) {
	if !time.Now().Before(d.Ends) {
		return chat.Account{}, ErrOver
	}
	list := strings.Join(scopes, " ")
	t, err := s.token(ctx, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {d.Code}, "scopes": {list}, "scope": {list},
	})
	var no *Error
	switch {
	case err == nil:
	case errors.As(err, &no) && strings.Contains(no.Message, "slow_down"), errors.As(err, &no) && no.Status == http.StatusTooManyRequests:
		return chat.Account{}, ErrSlower
	case errors.As(err, &no) && strings.Contains(no.Message, "authorization_pending"):
		return chat.Account{}, ErrWaiting
	case Denied(err): // "invalid device code": over, refused, or another question was answered already
		return chat.Account{}, ErrOver
	default:
		return chat.Account{}, fmt.Errorf("ask twitch about a code: %w", err)
	}
	for try := 0; ; try++ {
		a, err := s.Account(ctx, t)
		if err == nil || Denied(err) || try == 3 || !sleep(ctx, time.Second) {
			return a, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Wait asks until the owner agreed, the code is over or ctx ends. A login server that is out of order is asked on.
func (s *Server) Wait(ctx context.Context, d Device, scopes []string) (chat.Account, error) {
	for every := d.Every; ; {
		if !sleep(ctx, every) {
			return chat.Account{}, ctx.Err()
		}
		a, err := s.Ask(ctx, d, scopes)
		switch {
		case err == nil, errors.Is(err, ErrOver):
			return a, err
		case errors.Is(err, ErrSlower):
			every += askEvery
		}
	}
}
