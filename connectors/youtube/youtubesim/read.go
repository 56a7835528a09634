package youtubesim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// place is where a reader stands in a chat.
type place struct {
	chat *liveChat
	at   int
}

func (c *liveChat) pageToken(at int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %d", c.id, c.epoch, at))
}

// place finds where a request wants to read from: its page token, or the recent history without one.
func (s *Sim) place(r *http.Request) (place, *fault) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	c, bad := s.chat(q.Get("liveChatId"))
	if bad != nil {
		return place{}, bad
	}
	if len(parts(r)) == 0 {
		return place{}, noPart()
	}
	p := place{c, max(c.first, c.end()-s.cfg.History)}
	if t := q.Get("pageToken"); t != "" {
		var id string
		var epoch, at int
		b, err := base64.RawURLEncoding.DecodeString(t)
		if err == nil {
			_, err = fmt.Sscanf(string(b), "%s %d %d", &id, &epoch, &at)
		}
		if err != nil || id != c.id || epoch != c.epoch || at < c.first || at > c.end() {
			return place{}, refuse(http.StatusBadRequest, "pageTokenInvalid", "The page token is not valid.")
		}
		p.at = at
	}
	if !c.ended.IsZero() && p.at >= c.end() {
		return place{}, refuse(http.StatusForbidden, "liveChatEnded", "The specified live chat is no longer live.")
	}
	return p, nil
}

// step is one look at a chat.
type step struct {
	page    []byte
	lines   int
	next    int
	spoil   bool
	over    bool
	changed chan struct{}
}

// look makes the page of everything from at, at most limit lines.
func (s *Sim) look(c *liveChat, at, limit int, polling time.Duration) step {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := c.since(at)
	if at < c.first {
		at = c.first
	}
	if len(lines) > limit {
		lines = lines[:limit]
	}
	st := step{lines: len(lines), next: at + len(lines), changed: c.changed}
	st.over = !c.ended.IsZero() && st.next >= c.end()
	if len(lines) == 0 && c.garble > 0 {
		c.garble--
		st.spoil = true
	}
	var b bytes.Buffer
	tok, _ := json.Marshal(c.pageToken(st.next)) // a string always marshals
	fmt.Fprintf(&b, `{"kind":"youtube#liveChatMessageListResponse","etag":"e%d","nextPageToken":%s,`, st.next, tok)
	if polling > 0 {
		fmt.Fprintf(&b, `"pollingIntervalMillis":%d,`, polling.Milliseconds())
	}
	if st.over {
		fmt.Fprintf(&b, `"offlineAt":%q,`, c.ended.UTC().Format(time.RFC3339))
	}
	fmt.Fprintf(&b, `"pageInfo":{"totalResults":%d,"resultsPerPage":%d},"items":[`, len(lines), len(lines))
	for i, l := range lines {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(l.raw)
	}
	b.WriteString("]}")
	st.page = b.Bytes()
	return st
}

func (s *Sim) list(w http.ResponseWriter, r *http.Request, _ *grant) *fault {
	p, bad := s.place(r)
	if bad != nil {
		return bad
	}
	st := s.look(p.chat, p.at, 2000, s.cfg.PollingInterval)
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if st.spoil {
		st.page = st.page[:len(st.page)/2]
	}
	_, _ = w.Write(st.page)
	return nil
}

// stream answers with an array that grows: a page at once, one for every change, and after StreamFor an empty page
// with the last token and the end.
func (s *Sim) stream(w http.ResponseWriter, r *http.Request, _ *grant) *fault {
	p, bad := s.place(r)
	if bad != nil {
		return bad
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	out := http.NewResponseController(w)
	end := time.NewTimer(s.cfg.StreamFor)
	defer end.Stop()
	sep := "["
	write := func(b []byte) bool {
		s.silence(r.Context())
		_, err := w.Write(append([]byte(sep), b...))
		sep = ",\r\n"
		return err == nil && out.Flush() == nil
	}
	for first := true; ; first = false {
		st := s.look(p.chat, p.at, 500, 0)
		p.at = st.next
		switch {
		case st.spoil:
			write([]byte(`{"items":[{"id":`))
			return nil
		case (st.lines > 0 || first || st.over) && !write(st.page):
			return nil
		case st.over:
			_, _ = w.Write([]byte("]"))
			return nil
		}
		if st.lines == 500 {
			continue
		}
		select {
		case <-st.changed:
		case <-end.C:
			write(s.look(p.chat, p.at, 0, 0).page)
			_, _ = w.Write([]byte("]"))
			return nil
		case <-r.Context().Done():
			return nil
		case <-s.done:
			return nil
		}
	}
}
