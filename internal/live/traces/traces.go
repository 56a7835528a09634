// Package traces remembers for a while what rules made of what happened: which looked, why each did or did not fire, what it
// caused. It is for "!why" and for the page.
package traces

import (
	"slices"
	"time"

	"hawker/internal/chat"
	"hawker/rules/book"
	"hawker/rules/rule"
)

// How much is remembered.
const (
	Kept = 10 * time.Minute
	most = 2000
)

// Trace is what rules made of one thing that happened.
type Trace struct {
	At      time.Time         `json:"at"`
	Event   rule.Event        `json:"event"`
	Channel chat.Channel      `json:"channel,omitzero"`
	Message string            `json:"message,omitzero"` // the line's id, where it was a line
	Viewer  chat.Viewer       `json:"viewer,omitzero"`
	Text    string            `json:"text,omitzero"`
	Looks   []book.Look       `json:"looks"`
	Did     []rule.ActionKind `json:"did,omitzero"` // in order
}

// Book is the memory of one merchant. The zero value is ready; it is not safe for two goroutines.
type Book struct {
	ring []Trace
	next int
	last map[chat.Viewer]int // where in ring a viewer's newest stands
}

// Add remembers a trace. Its Looks and Did are copied.
func (b *Book) Add(t Trace) {
	t.Looks, t.Did = slices.Clone(t.Looks), slices.Clone(t.Did)
	if b.last == nil {
		b.last = map[chat.Viewer]int{}
	}
	at := len(b.ring)
	if at < most {
		b.ring = append(b.ring, t)
	} else {
		at = b.next
		if old := who(b.ring[at].Viewer); b.last[old] == at {
			delete(b.last, old)
		}
		b.ring[at] = t
		b.next = (at + 1) % most
	}
	if t.Viewer.ID != "" {
		b.last[who(t.Viewer)] = at
	}
}

func who(v chat.Viewer) chat.Viewer { return chat.Viewer{Platform: v.Platform, ID: v.ID} }

// List are the traces of the last minutes, the newest first.
func (b *Book) List(now time.Time) []Trace {
	out := make([]Trace, 0, len(b.ring))
	for i := range b.ring {
		t := b.ring[(b.next+len(b.ring)-1-i)%len(b.ring)]
		if now.Sub(t.At) > Kept {
			break
		}
		out = append(out, t)
	}
	return out
}

// Of is the newest trace of a viewer; false when there is none of the last minutes.
func (b *Book) Of(v chat.Viewer, now time.Time) (Trace, bool) {
	at, ok := b.last[who(v)]
	if !ok || now.Sub(b.ring[at].At) > Kept {
		return Trace{}, false
	}
	return b.ring[at], true
}

// Fired are the names of the rules that acted on the last thing of a viewer that any rule looked at.
func (b *Book) Fired(v chat.Viewer, now time.Time) []string {
	t, _ := b.Of(v, now)
	var out []string
	for _, l := range t.Looks {
		if l.Fired {
			out = append(out, l.Name)
		}
	}
	return out
}

// Forget takes a viewer's name and texts out.
func (b *Book) Forget(v chat.Viewer) {
	for i := range b.ring {
		if t := &b.ring[i]; who(t.Viewer) == who(v) {
			t.Viewer, t.Text = who(v), ""
		}
	}
}
