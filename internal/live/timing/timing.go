// Package timing measures how long things took, over the last cases.
package timing

import (
	"slices"
	"sync"
	"time"
)

// timed is how many measurements of a kind are kept.
const timed = 512

// Timing keeps the last measurements of how long something took.
type Timing struct {
	mu   sync.Mutex
	last []time.Duration
	next int
	n    int
}

// Add notes one measurement.
func (t *Timing) Add(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
	if len(t.last) < timed {
		t.last = append(t.last, d)
		return
	}
	t.last[t.next] = d
	t.next = (t.next + 1) % timed
}

// Figures sums the last measurements up.
type Figures struct {
	Count         int           // since the start
	P50, P99, Max time.Duration // of the last 512
}

// Figures are the figures now; zero when nothing was measured.
func (t *Timing) Figures() Figures {
	t.mu.Lock()
	s := slices.Clone(t.last)
	f := Figures{Count: t.n}
	t.mu.Unlock()
	if len(s) == 0 {
		return f
	}
	slices.Sort(s)
	f.P50, f.P99, f.Max = s[len(s)/2], s[len(s)*99/100], s[len(s)-1]
	return f
}

// All are how fast a merchant's house goes, in the last cases each.
type All struct {
	Decide Figures // from a line's arrival to its durable decision
	Answer Figures // from a line's arrival until the platform accepted the answer
	Shout  Figures // from a payment's webhook until the first platform accepted the shout-out
}
