package discordsim

import (
	"net/http"
	"slices"
	"strconv"
)

// listMessages is Get Channel Messages (page "Message Resource"): at most 100 lines, newest first, which with after are those
// right after an id. Who may not read the history is told that there are none.
func (s *Sim) listMessages(w http.ResponseWriter, r *http.Request) *fault {
	q := r.URL.Query()
	limit := 50
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 100 {
			return invalid
		}
		limit = n
	}
	after, err := strconv.ParseInt(q.Get("after"), 10, 64)
	if q.Has("after") && err != nil {
		return invalid
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.histories++
	if s.weather.histories > 0 {
		s.weather.histories--
		return &fault{500, 0, "500: Internal Server Error"}
	}
	c := s.channels[r.PathValue("channel")]
	switch {
	case c == nil:
		return &fault{404, 10003, "Unknown Channel"}
	case s.allowed(c)&ViewChannel == 0:
		return &fault{403, 50001, "Missing Access"}
	}
	var found []*line
	for _, l := range c.lines {
		if c.byID[l.ID] == nil { // deleted
			continue
		}
		if id, err := strconv.ParseInt(l.ID, 10, 64); err == nil && id > after {
			found = append(found, l)
		}
	}
	switch {
	case s.allowed(c)&ReadHistory == 0:
		found = nil
	case len(found) > limit && q.Has("after"):
		found = found[:limit]
	case len(found) > limit:
		found = found[len(found)-limit:]
	}
	out := []map[string]any{}
	for _, l := range slices.Backward(found) {
		m := s.message(c, l)
		delete(m, "member") // as a list of messages has neither
		delete(m, "guild_id")
		if s.cfg.NoContent && !l.Own {
			m["content"] = ""
		}
		out = append(out, m)
	}
	answer(w, 200, out)
	return nil
}
