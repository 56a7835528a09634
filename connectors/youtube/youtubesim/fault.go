package youtubesim

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// fault is an error as the API writes it.
type fault struct {
	code                    int
	reason, domain, message string
}

func refuse(code int, reason, message string) *fault {
	domain := "youtube.liveChat"
	switch reason {
	case "quotaExceeded":
		domain = "youtube.quota"
	case "authError", "required", "insufficientPermissions", "backendError":
		domain = "global"
	case "redundantTransition", "invalidTransition", "errorStreamInactive", "liveBroadcastNotFound", "liveStreamingNotEnabled", "errorExecutingTransition":
		domain = "youtube.liveBroadcast"
	}
	return &fault{code, reason, domain, message}
}

func (f *fault) body() []byte {
	type m = map[string]any
	b, err := json.Marshal(m{"error": m{
		"code": f.code, "message": f.message,
		"errors": []m{{"message": f.message, "domain": f.domain, "reason": f.reason}},
	}})
	if err != nil {
		return nil // strings and numbers always marshal
	}
	return b
}

func (f *fault) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if f.code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	}
	w.WriteHeader(f.code)
	_, _ = w.Write(f.body())
}

// handler is everything the platform answers.
func (s *Sim) handler() http.Handler {
	mux := http.NewServeMux()
	api := func(pattern, method string, f func(http.ResponseWriter, *http.Request, *grant) *fault) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.call(w, r, method, f) })
	}
	api("GET /youtube/v3/liveBroadcasts", "liveBroadcasts.list", s.broadcasts)
	api("POST /youtube/v3/liveBroadcasts", "liveBroadcasts.insert", s.insertBroadcast)
	api("PUT /youtube/v3/liveBroadcasts", "liveBroadcasts.update", s.updateBroadcast)
	api("DELETE /youtube/v3/liveBroadcasts", "liveBroadcasts.delete", s.deleteBroadcast)
	api("POST /youtube/v3/liveBroadcasts/bind", "liveBroadcasts.bind", s.bind)
	api("POST /youtube/v3/liveBroadcasts/transition", "liveBroadcasts.transition", s.transition)
	api("GET /youtube/v3/liveStreams", "liveStreams.list", s.listStreams)
	api("POST /youtube/v3/liveStreams", "liveStreams.insert", s.insertStream)
	api("GET /youtube/v3/videos", "videos.list", s.videos)
	api("GET /youtube/v3/channels", "channels.list", s.listChannels)
	api("GET /youtube/v3/liveChat/messages", "liveChatMessages.list", s.list)
	api("GET /youtube/v3/liveChat/messages/stream", "liveChatMessages.stream", s.stream)
	api("POST /youtube/v3/liveChat/messages", "liveChatMessages.insert", s.insert)
	api("DELETE /youtube/v3/liveChat/messages", "liveChatMessages.delete", s.remove)
	api("POST /youtube/v3/liveChat/bans", "liveChatBans.insert", s.ban)
	mux.HandleFunc("/o/oauth2/v2/auth", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /revoke", s.revoke)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		s.mu.Unlock()
		s.silence(r.Context())
		if s.shuts() {
			panic(http.ErrAbortHandler)
		}
		if r.URL.Path != "/o/oauth2/v2/auth" && s.broken() {
			w.Header().Set("Content-Type", "text/html; charset=UTF-8")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("<!DOCTYPE html><title>Error 503 (Service Unavailable)</title><p>That's an error.\n"))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Sim) broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.weather.down) {
		return true
	}
	if s.weather.breaks == 0 {
		return false
	}
	s.weather.breaks--
	return true
}

// call checks quota and authority in the platform's order, then answers.
func (s *Sim) call(w http.ResponseWriter, r *http.Request, method string, f func(http.ResponseWriter, *http.Request, *grant) *fault) {
	if first, ok := r.Context().Value(connKey{}).(*sync.Once); ok {
		first.Do(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.logins++
		})
	}
	if method == "liveChatMessages.stream" && s.withoutStream() {
		http.NotFound(w, r)
		return
	}
	charged := s.charge(method)
	g := s.holder(r)
	keyed := method == "videos.list" && r.URL.Query().Get("key") != ""
	switch {
	case g == nil && !keyed:
		refuse(http.StatusUnauthorized, "authError", "Request had invalid authentication credentials.").write(w)
	case !charged:
		if method == "liveChatMessages.insert" {
			s.mu.Lock()
			s.over++
			s.mu.Unlock()
		}
		refuse(http.StatusForbidden, "quotaExceeded", "The request cannot be completed because you have exceeded your quota.").write(w)
	default:
		bad := s.ordered(method)
		if bad == nil && r.Method != http.MethodGet && s.suspends(g) {
			bad = refuse(http.StatusForbidden, "authenticatedUserAccountSuspended", "The account of the authenticated user is suspended.")
		}
		if bad == nil {
			bad = f(w, r, g)
		}
		if bad != nil {
			bad.write(w)
		}
	}
}

// silence blocks while the platform hangs.
func (s *Sim) silence(ctx context.Context) {
	s.mu.Lock()
	hang := s.weather.hang
	s.mu.Unlock()
	if hang == nil {
		return
	}
	select {
	case <-hang:
	case <-ctx.Done():
	case <-s.done:
	}
}

// shuts reports whether a request meets a closed door, and counts the attempt.
func (s *Sim) shuts() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.weather.shut {
		s.logins++
	}
	return s.weather.shut
}

func (s *Sim) suspends(g *grant) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.weather.suspended[g.channel]
}

func (s *Sim) withoutStream() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.weather.noStream
}
