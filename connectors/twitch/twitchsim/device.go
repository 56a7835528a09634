package twitchsim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// device is a login by code that was begun (Twitch docs, "Device code grant flow").
type device struct {
	code   string
	scopes []string
	until  time.Time
	asked  time.Time
	user   string // who agreed; empty while nobody did
	no     bool
}

// deviceEvery is how often a machine may ask about a code, and deviceLives how long one is good.
const (
	deviceEvery = 5 * time.Second
	deviceLives = 30 * time.Minute
)

// postDevice begins a login by code.
func (s *Sim) postDevice(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.ClientID != "" && r.FormValue("client_id") != s.o.ClientID {
		oauthFail(w, http.StatusBadRequest, "invalid client")
		return
	}
	if r.FormValue("scopes") == "" {
		oauthFail(w, http.StatusBadRequest, "missing scopes")
		return
	}
	d := &device{code: strings.ToUpper(random()[:8]), scopes: strings.Fields(r.FormValue("scopes")), until: time.Now().Add(deviceLives)}
	code := random() + random()[:8]
	s.devices[code] = d
	answer(w, http.StatusOK, map[string]any{
		"device_code": code, "user_code": d.code, "expires_in": int(deviceLives.Seconds()), "interval": int(s.every().Seconds()),
		"verification_uri": "http://" + r.Host + "/activate?public=true&device-code=" + d.code,
	})
}

// every is how often a machine may ask; the caller holds s.mu.
func (s *Sim) every() time.Duration {
	if s.o.AskEvery > 0 {
		return s.o.AskEvery
	}
	return deviceEvery
}

// Activate has a user type a code, and agree or not. It reports whether there is such a code.
func (s *Sim) Activate(userCode, userID string, agree bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if d.code == userCode && d.user == "" && !d.no && time.Now().Before(d.until) {
			d.user, d.no = userID, !agree
			return true
		}
	}
	return false
}

// EndCodes makes all codes too old.
func (s *Sim) EndCodes() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		d.until = time.Time{}
	}
}

// Codes are those that wait to be typed.
func (s *Sim) Codes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, d := range s.devices {
		if d.user == "" && !d.no {
			out = append(out, d.code)
		}
	}
	slices.Sort(out)
	return out
}

// getActivate is the page on which a code is typed; whoever may log in agrees by a button.
func (s *Sim) getActivate(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var users []User
	for _, id := range s.accounts {
		users = append(users, s.users[id])
	}
	var scopes []string
	for _, d := range s.devices {
		if d.code == r.URL.Query().Get("device-code") {
			scopes = d.scopes
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, map[string]any{"Action": "?" + r.URL.RawQuery, "Users": users, "Scopes": scopes})
}

func (s *Sim) postActivate(w http.ResponseWriter, r *http.Request) {
	user := r.PostFormValue("user")
	ok := s.Activate(r.URL.Query().Get("device-code"), user, user != "")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("<!doctype html><title>Pretend Twitch</title><p>There is no such code."))
		return
	}
	_, _ = w.Write([]byte("<!doctype html><title>Pretend Twitch</title><p>Done. You can close this page."))
}

// byDevice answers a machine that asks about its code; nil when it answered an error. The caller holds s.mu.
func (s *Sim) byDevice(w http.ResponseWriter, r *http.Request) *grant {
	code := r.FormValue("device_code")
	d, now := s.devices[code], time.Now()
	switch {
	case d == nil || now.After(d.until) || d.no:
		oauthFail(w, http.StatusBadRequest, "invalid device code")
	case now.Sub(d.asked) < s.every()*9/10:
		s.overLimit++
		oauthFail(w, http.StatusBadRequest, "slow_down")
	case d.user == "":
		d.asked = now
		oauthFail(w, http.StatusBadRequest, "authorization_pending")
	default:
		delete(s.devices, code) // it works once
		g := s.grant(d.user, d.scopes)
		g.public = s.o.ClientSecret == ""
		return g
	}
	return nil
}
