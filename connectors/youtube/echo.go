package youtube

import (
	"strings"
	"sync"
	"time"
)

// keepEcho is how long a line whose id we do not know is looked for among the lines of its author.
const keepEcho = 10 * time.Minute

// echoes tells our own lines among those that come back. The bot and the creator speak as one channel, so the author
// alone does not: the creator's "!next" must act. A line is ours by the id that its insert returned, or by the text of an
// insert that has not been answered, or never was.
type echoes struct {
	owner string

	mu      sync.Mutex
	ids     recent
	waiting []*spoken
}

// spoken is a line on its way. seen is closed when it came back in the chat, after id was set.
type spoken struct {
	text string
	from time.Time
	id   string
	seen chan struct{}
}

// begin notes a line before it is sent, since it may come back before its answer does.
func (e *echoes) begin(text string, now time.Time) *spoken {
	s := &spoken{text: plain(text), from: now, seen: make(chan struct{})}
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := e.waiting[:0]
	for _, w := range e.waiting {
		if now.Sub(w.from) < keepEcho {
			kept = append(kept, w)
		}
	}
	clear(e.waiting[len(kept):])
	e.waiting = append(kept, s)
	return s
}

// end forgets a line that was accepted under id, or that was surely not accepted (empty id).
func (e *echoes) end(s *spoken, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if id != "" {
		e.ids.add(id)
	}
	e.forget(s)
}

// own reports whether a line that came back is ours.
func (e *echoes) own(id, author, text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ids.has(id) {
		return true
	}
	if author != e.owner {
		return false
	}
	text = plain(text)
	for _, w := range e.waiting {
		if w.text == text {
			e.ids.add(id)
			w.id = id
			close(w.seen)
			e.forget(w)
			return true
		}
	}
	return false
}

// forget drops a line from those waited for. Call with mu held.
func (e *echoes) forget(s *spoken) {
	for i, w := range e.waiting {
		if w == s {
			e.waiting = append(e.waiting[:i], e.waiting[i+1:]...)
			return
		}
	}
}

// plain is a text without what the platform may change about it: blanks.
func plain(s string) string { return strings.Join(strings.Fields(s), " ") }

// keepIDs is how many ids are remembered: more than two of the largest pages.
const keepIDs = 4096

// recent is a set of the last keepIDs keys.
type recent struct {
	set  map[string]bool
	ring []string
	at   int
}

func (r *recent) has(k string) bool { return r.set[k] }

// add reports whether k is new.
func (r *recent) add(k string) bool {
	if r.set[k] {
		return false
	}
	if r.set == nil {
		r.set = map[string]bool{}
	}
	r.set[k] = true
	if len(r.ring) < keepIDs {
		r.ring = append(r.ring, k)
		return true
	}
	delete(r.set, r.ring[r.at])
	r.ring[r.at] = k
	r.at = (r.at + 1) % keepIDs
	return true
}
