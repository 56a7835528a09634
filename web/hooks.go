package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"hawker/internal/live"
	"hawker/internal/live/inbound"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// Of each address for webhooks so many posts at once, and one more every two seconds.
const (
	hookBurst = 20
	hookRate  = .5 // a second
)

// hookCame takes a webhook in that is an event for a merchant's rules: POST /hooks/TOKEN with a JSON object. Whoever has the
// address may post; it answers 202 when rules will be asked, else 400, 404, 413, 429 or 503 with a sentence.
func (s *Server) hookCame(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, text string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": text}) // a caller that is gone is told nothing
	}
	token := r.PathValue("token")
	if !seal.ValidToken(token) {
		answer(http.StatusNotFound, "there is no such address")
		return
	}
	merchant, hook, err := s.DB.Rulebook().HookOf(r.Context(), seal.Token(token))
	switch {
	case sqldb.IsNotFound(err):
		answer(http.StatusNotFound, "there is no such address")
		return
	case err != nil:
		s.Log.ErrorContext(r.Context(), "webhook not taken in", "err", err)
		answer(http.StatusServiceUnavailable, "try again in a moment")
		return
	case !s.hooks.Allow(hook.ID.String()):
		w.Header().Set("Retry-After", strconv.Itoa(int(1/hookRate)))
		answer(http.StatusTooManyRequests, "too many posts to this address; one every two seconds is taken for long")
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(10 * time.Second)) // where there is none the server's own holds
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, inbound.BodyMost))
	if err != nil {
		status, text := http.StatusBadRequest, "the body did not arrive"
		if over := (*http.MaxBytesError)(nil); errors.As(err, &over) {
			status, text = http.StatusRequestEntityTooLarge, inbound.ErrTooLarge.Error()
		}
		answer(status, text)
		return
	}
	fields, err := inbound.Parse(body)
	if err != nil {
		answer(http.StatusBadRequest, err.Error())
		return
	}
	if err := s.Hub.HookCame(r.Context(), merchant, hook.Name, fields); err != nil {
		if !errors.Is(err, live.ErrNotHere) {
			s.Log.ErrorContext(r.Context(), "webhook not taken in", "err", err)
		}
		w.Header().Set("Retry-After", "5")
		answer(http.StatusServiceUnavailable, "try again in a moment")
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
