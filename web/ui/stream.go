package ui

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Times of a stream.
const (
	pingEvery   = 15 * time.Second // proxies close what is silent
	writeWithin = 10 * time.Second
)

// Part is a piece of a page that is sent anew.
type Part struct {
	Target string // CSS selector of what it replaces
	Swap   string // how, in htmx's words; empty means innerMorph
	HTML   []byte
	// Event, when set, makes it a DOM event of that name on the page's main element instead, with HTML as its data.
	Event string
}

// Removed takes the element of an id out of a page. An id that a selector would need escaped for is no platform's; it stays.
func Removed(id string) []Part {
	if strings.ContainsAny(id, `'"\<>&`) {
		return nil
	}
	return []Part{{Target: "[id='" + id + "']", Swap: "delete"}}
}

// Partials writes parts as the body of an answer to htmx.
func Partials(parts ...Part) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		if p.Event == "" {
			p.write(&b)
		}
	}
	return b.Bytes()
}

// write writes a part as htmx reads it. Targets and swaps are written by us, so they need no escaping.
func (p Part) write(b *bytes.Buffer) {
	swap := p.Swap
	if swap == "" {
		swap = "innerMorph"
	}
	fmt.Fprintf(b, "<hx-partial hx-target=\"%s\" hx-swap=\"%s\">", p.Target, swap)
	for line := range bytes.Lines(p.HTML) {
		if line = bytes.TrimSpace(line); len(line) > 0 { // indentation is for people
			b.Write(line)
			b.WriteByte('\n')
		}
	}
	b.WriteString("</hx-partial>\n")
}

// Message writes parts as one server-sent event, or more where some are DOM events. id comes back when the browser
// connects again.
func Message(id string, parts ...Part) []byte {
	var b bytes.Buffer
	if html := bytes.TrimRight(Partials(parts...), "\n"); len(html) > 0 {
		event(&b, id, "", html)
	}
	for _, p := range parts {
		if p.Event != "" {
			event(&b, id, p.Event, bytes.TrimSpace(p.HTML))
		}
	}
	return b.Bytes()
}

// event writes one server-sent event: each line of the data has its own field. A carriage return alone ends a line too (HTML
// Standard, "Server-sent events"): left inside, a viewer's text could begin fields of its own, or end the event.
func event(b *bytes.Buffer, id, name string, data []byte) {
	if name != "" {
		fmt.Fprintf(b, "event: %s\n", name)
	}
	if id != "" {
		fmt.Fprintf(b, "id: %s\n", id)
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	for line := range bytes.SplitSeq(bytes.ReplaceAll(data, []byte("\r"), []byte("\n")), []byte("\n")) {
		b.WriteString("data: ")
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
}

// Stream is an open stream of server-sent events to one browser.
type Stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// OpenStream answers with the head of a stream.
func OpenStream(w http.ResponseWriter) (*Stream, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would collect it
	s := &Stream{w, http.NewResponseController(w)}
	w.WriteHeader(http.StatusOK)
	return s, s.Ping()
}

// Send writes messages as made by Message. It waits at most 10 s for a slow browser.
func (s *Stream) Send(messages ...[]byte) error {
	if err := s.rc.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	for _, m := range messages {
		if _, err := s.w.Write(m); err != nil {
			return err
		}
	}
	return s.rc.Flush()
}

// Ping writes a comment, so that the connection is not taken for dead.
func (s *Stream) Ping() error { return s.Send([]byte(":\n\n")) }
