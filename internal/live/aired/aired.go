// Package aired remembers which item was on air when: viewers see the show some seconds late, and a claim means what its viewer
// saw.
package aired

import (
	"time"

	"hawker/internal/chat"
)

// unsure is how close to a change of the item on air a claim without an item is asked about instead of guessed.
const unsure = 3 * time.Second

// kept is how many changes are remembered.
const kept = 64

// Delay is how much later than the host a channel's viewers see the picture. Spread is by how much that may be wrong; claims
// within it around a change are asked about.
type Delay struct{ By, Spread time.Duration }

// Measured is a delay that was measured.
func Measured(d time.Duration) Delay { return Delay{d, unsure} }

// Usual is the delay where none was measured (product defaults). Viewers on Twitch are seconds behind and on YouTube often 20 s
// and more; who types in a Discord channel may watch either. The room's own card changes at once.
func Usual(p chat.Platform) Delay {
	switch p {
	case chat.Twitch:
		return Delay{5 * time.Second, 4 * time.Second}
	case chat.YouTube:
		return Delay{20 * time.Second, 10 * time.Second}
	case chat.Discord:
		return Delay{5 * time.Second, 5 * time.Second}
	}
	return Delay{0, unsure}
}

// Log is what was on air, the newest last. It is never changed in place.
type Log []airing

type airing struct {
	at     time.Time
	number int
}

// With is the log with the item that is on air from now on, unless it was before. What a log begins with was on air since ever:
// after a start nobody knows since when it is.
func (l Log) With(at time.Time, number int) Log {
	n := len(l)
	if n == 0 {
		at = time.Time{}
	}
	if n == 0 || l[n-1].number != number {
		l = append(l[:n:n], airing{at, number})
	}
	return l[max(0, len(l)-kept):]
}

// Seen is the item that a viewer saw on air who sent a line at a time by our clock, and whether it changed too close to that to
// be sure.
func (l Log) Seen(at time.Time, d Delay) (number int, sure bool) {
	at = at.Add(-d.By)
	for i := len(l) - 1; i >= 0; i-- {
		a := l[i]
		if x := at.Sub(a.at); x > -d.Spread && x < d.Spread && i > 0 {
			return a.number, false
		}
		if !a.at.After(at) {
			return a.number, true
		}
	}
	return 0, true
}
