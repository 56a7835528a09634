// Package aired remembers which item was on air when: viewers see the show some seconds late, and a claim means what its viewer
// saw.
package aired

import "time"

// unsure is how close to a change of the item on air a claim without an item is asked about instead of guessed.
const unsure = 3 * time.Second

// kept is how many changes are remembered.
const kept = 64

// Log is what was on air, the newest last. It is never changed in place.
type Log []airing

type airing struct {
	at     time.Time
	number int
}

// With is the log with the item that is on air from now on, unless it was before.
func (l Log) With(at time.Time, number int) Log {
	n := len(l)
	if n == 0 || l[n-1].number != number {
		l = append(l[:n:n], airing{at, number})
	}
	return l[max(0, len(l)-kept):]
}

// Seen is the item on air at a time, and whether it changed too close to it to be sure.
func (l Log) Seen(at time.Time) (number int, sure bool) {
	for i := len(l) - 1; i >= 0; i-- {
		a := l[i]
		if d := at.Sub(a.at); d > -unsure && d < unsure && i > 0 {
			return a.number, false
		}
		if !a.at.After(at) {
			return a.number, true
		}
	}
	return 0, true
}
