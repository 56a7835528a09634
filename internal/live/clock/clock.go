// Package clock tells how old a line is by a platform's clock that may be wrong. A line's age is counted from its platform's
// time stamp, and a clock that is minutes off, theirs or ours, must not make every line of a channel too old to claim: it is
// measured and shown instead.
package clock

import (
	"sync"
	"time"
)

// lines is over how many lines of a channel its offset is measured.
const lines = 200

// Offset is by how much a channel's time stamps lie behind our clock at least: the smallest (received - sent) of its last 200
// lines. It is the difference of the clocks and the way that every line takes. The zero value is ready; its methods may be
// called by many goroutines.
type Offset struct {
	mu    sync.Mutex
	last  [lines]time.Duration
	n     int // lines measured, all in all
	least time.Duration
}

// Add measures a line. Lines that were fetched after a gap, and edits, measure nothing.
func (o *Offset) Add(sent, received time.Time) {
	d := received.Sub(sent)
	o.mu.Lock()
	defer o.mu.Unlock()
	i := o.n % lines
	gone := o.last[i]
	o.last[i] = d
	o.n++
	switch {
	case o.n == 1 || d <= o.least:
		o.least = d
	case o.n > lines && gone == o.least: // the smallest went out of sight
		o.least = d
		for _, x := range o.last {
			o.least = min(o.least, x)
		}
	}
}

// Least is the offset; 0 before any line was measured.
func (o *Offset) Least() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.least
}

// Ours is a channel's time stamp by our clock.
func (o *Offset) Ours(sent time.Time) time.Time { return sent.Add(o.Least()) }
