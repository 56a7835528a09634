// Package clock makes a machine's clock fit to end things by: it never runs back, and it does not believe a leap forward
// before a second reading says the same. It reads no clock itself.
package clock

import "time"

const (
	// Leap is by how much the wall clock may run ahead of the time that passed (by the monotonic clock) before it is doubted.
	Leap = time.Minute
	// agree is how long after a leap another reading must say the same.
	agree = time.Second
)

// Clock is a clock as steadied; its zero value has read nothing.
type Clock struct {
	at    time.Time // the last time given out
	seen  time.Time // the reading that it was made from
	doubt time.Time // not zero: a leap is doubted until the wall clock says this
}

// Read steadies a reading of time.Now: at is never before the last one. While sure is false nothing may be ended because of
// the time. Readings without a monotonic part are believed, but for going back.
func (c Clock) Read(now time.Time) (next Clock, at time.Time, sure bool) {
	wall := now.Round(0)
	if c.at.IsZero() {
		return Clock{at: wall, seen: now}, wall, true
	}
	passed := c.at.Add(max(now.Sub(c.seen), 0)) // by the monotonic clock, where both readings have it
	next = Clock{at: wall, seen: now}
	if wall.Sub(passed) > Leap && (c.doubt.IsZero() || wall.Before(c.doubt)) {
		next.at, next.doubt = passed, c.doubt
		if c.doubt.IsZero() {
			next.doubt = wall.Add(agree)
		}
	}
	if next.at.Before(c.at) {
		next.at = c.at
	}
	return next, next.at, next.doubt.IsZero()
}

// Until is the wall clock's time at which a doubt can end; zero when there is none.
func (c Clock) Until() time.Time { return c.doubt }
