package eventsub

import "time"

const (
	// tooOld is how old a message may be, and so how long its id is kept (Twitch docs, "Handling duplicate events", and
	// "Guarding against replay attacks").
	tooOld = 10 * time.Minute
	// mostKnown bounds a generation of ids, so that a flood costs memory of some megabytes only.
	mostKnown = 50_000
)

// memory is the ids of messages of the last ten minutes at least, in two generations.
type memory struct {
	young, old map[string]bool
	since      time.Time // when young began
}

// add reports whether the id is new.
func (m *memory) add(id string, now time.Time) bool {
	if m.young == nil || now.Sub(m.since) > tooOld || len(m.young) >= mostKnown {
		m.old, m.young, m.since = m.young, map[string]bool{}, now
	}
	if m.young[id] || m.old[id] {
		return false
	}
	m.young[id] = true
	return true
}
