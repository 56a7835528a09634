// Package edits remembers what lines meant, for platforms where a line can be given another text: an edit is read anew, and one
// that means the same changes nothing.
package edits

import (
	"hash/fnv"
	"time"

	"hawker/internal/chat"
	"hawker/rules"
)

// most is how many lines are remembered; the oldest go.
const most = 4096

// Edits is the memory of one merchant. The zero value is ready. It is not safe for two goroutines.
type Edits struct {
	meant map[line]rules.Command
	ring  []line
	next  int
}

type line struct {
	platform chat.Platform
	id       string
}

// Editable reports whether lines of a platform can be given another text. On Twitch and YouTube they can only be taken away.
func Editable(p chat.Platform) bool { return p == chat.Discord }

// Note remembers what a line means now, and says what it meant before; known is false when that is not remembered.
func (e *Edits) Note(p chat.Platform, id string, c rules.Command) (before rules.Command, known bool) {
	if !Editable(p) {
		return before, false
	}
	if e.meant == nil {
		e.meant = map[line]rules.Command{}
	}
	k := line{p, id}
	if before, known = e.meant[k]; known {
		e.meant[k] = c
		return before, true
	}
	if len(e.ring) < most {
		e.ring = append(e.ring, k)
	} else {
		delete(e.meant, e.ring[e.next])
		e.ring[e.next] = k
		e.next = (e.next + 1) % most
	}
	e.meant[k] = c
	return before, false
}

// Alike reports whether two readings ask for the same.
func Alike(a, b rules.Command) bool {
	a.Shown, b.Shown = false, false // what matters is which item it is
	return a == b
}

// Part numbers an edit within its message, so that it is decided once however often it comes: the milliseconds between the
// line and its edit. It is never 0, which is the line itself. Where the time of the edit is not known it comes from the text.
func Part(sent, edited time.Time, text string) int {
	if d := edited.Sub(sent).Milliseconds(); !edited.IsZero() && d > 0 && d < 1<<31-1 {
		return int(d)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(text)) // never fails
	return int(h.Sum32()&(1<<31-1)) | 1
}
