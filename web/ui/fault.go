package ui

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/sqldb"
)

// problem is an error with its words for people.
type problem struct {
	status   int
	sentence string
}

func (p problem) Error() string { return p.sentence }

// Problem is an error that Fail shows as it is: a status and a sentence without secrets.
func Problem(status int, sentence string) error { return problem{status, sentence} }

// ErrTooFast answers who did something too often.
var ErrTooFast = Problem(http.StatusTooManyRequests, "That was too much at once. Wait a moment, then try again.")

// Explain gives the status and the sentence of an error. known is false for an error that nobody thought of: it is to be
// logged.
func Explain(err error) (status int, sentence string, known bool) {
	var p problem
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p.status, p.sentence, true
	case errors.As(err, &big):
		return http.StatusRequestEntityTooLarge, "That is more than we take at once.", true
	}
	if clash := (*live.ClashError)(nil); errors.As(err, &clash) {
		return http.StatusConflict, "The show “" + clash.Show + "” has this name, or is live in one of these chats. End it first.", true
	}
	for _, row := range []struct {
		err      error
		status   int
		sentence string
	}{
		{live.ErrNotHere, http.StatusServiceUnavailable, "One moment: the shop is just being started. Try again in a few seconds."},
		{live.ErrNotFound, http.StatusNotFound, "There is nothing under this address."},
		{sqldb.ErrNotFound, http.StatusNotFound, "There is nothing under this address."},
		{sqldb.ErrTaken, http.StatusConflict, "That name is taken already."},
		{live.ErrNothingToPay, http.StatusConflict, "There is nothing to pay here any more."},
		{live.ErrNoStore, http.StatusConflict, "This shop takes no payment online."},
		{commerce.ErrFenced, http.StatusServiceUnavailable, "One moment: the shop is just moving to another server. Try again in a few seconds."},
		{context.DeadlineExceeded, http.StatusServiceUnavailable, "That took too long. Try again in a few seconds."},
	} {
		if errors.Is(err, row.err) {
			return row.status, row.sentence, true
		}
	}
	return http.StatusInternalServerError, "", false
}

// Trouble is what the error page shows.
type Trouble struct {
	Status   int
	Sentence string
}

// Fail answers with the words for an error: a page, or for a request of htmx a line in the page's notice.
func (k *Kit) Fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody waits
	}
	status, sentence, known := Explain(err)
	if !known {
		number := commerce.NewID(time.Now())
		k.log.Error("page failed", "path", Masked(r.URL.Path), "number", number, "err", err)
		sentence = fmt.Sprintf("Something went wrong here. It is noted under %d; what was confirmed to you stands.", number)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "2")
	}
	if status == http.StatusTooManyRequests {
		h.Set("Retry-After", "10")
	}
	if Hx(r) {
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write(Partials(Part{Target: "#notice", Swap: "innerHTML", HTML: []byte(`<p class="notice bad">` + html.EscapeString(sentence) + `</p>`)}))
		return
	}
	k.errors.Render(w, r, "error", Frame{Layout: Bare, Title: sentence, Status: status}, Trouble{status, sentence})
}

// Hx reports whether htmx asks, which wants partials instead of a page.
func Hx(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// NotFound is the handler for addresses that nobody has.
func (k *Kit) NotFound(w http.ResponseWriter, r *http.Request) {
	k.Fail(w, r, Problem(http.StatusNotFound, "There is nothing under this address."))
}
