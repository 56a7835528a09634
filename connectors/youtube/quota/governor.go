package quota

import "time"

// Interest says how closely the chat is to be followed, which decides how the day's units are spent.
type Interest uint8

// Watching: nothing is being sold. Holding: holds are running. Hot: the host marked the show hot; the stream is read
// back to back (30 units a minute).
const (
	Watching Interest = iota
	Holding
	Hot
)

// Plan is all that decides when a chat is read next.
type Plan struct {
	// Daily, Left and Reserve are units: the project's day, what is left of it, and what reading must leave for sending.
	Daily, Left, Reserve int
	// Cost is the units of one read; Readers is how many chats share the project.
	Cost, Readers int
	// Remaining is the time to cover: to the end of the show or of the quota's day.
	Remaining time.Duration
	// Polling is what the platform asked readers to wait (pollingIntervalMillis), 0 for streams.
	Polling time.Duration
	// Interest is how closely the show wants the chat followed; Silent is the time since its last line.
	Interest Interest
	Silent   time.Duration
}

const (
	// quietGap is the longest pause between reads that we choose for an empty chat, and the shortest one for a chat
	// without running holds once nine tenths of the day are spent.
	quietGap = time.Minute
	// quietAfter is how long a chat is silent before its pauses grow.
	quietAfter = 2 * time.Minute
)

// Low reports whether nine tenths of the day are spent: what is left is for running holds and order shout-outs.
func (p Plan) Low() bool { return p.Left*10 < p.Daily }

// Gap is the time from the start of one read to the start of the next; false means that the units do not cover another
// read. Reads are spread evenly over the time to cover; a hot show is read back to back while units are plenty.
func (p Plan) Gap() (time.Duration, bool) {
	if p.Cost <= 0 || p.Left < p.Cost {
		return 0, false
	}
	spread := func(units int) time.Duration {
		reads := float64(units) / float64(p.Cost*max(1, p.Readers))
		return time.Duration(float64(max(0, p.Remaining)) / max(reads, 1))
	}
	var gap time.Duration
	switch free := p.Left - p.Reserve; {
	case p.Low() || free < p.Cost:
		// A quarter of what is left stays for order shout-outs.
		gap = spread(p.Left - min(p.Reserve, p.Left/4))
		if p.Interest == Watching {
			gap = max(gap, quietGap)
		}
	case p.Interest == Hot:
		gap = 0
	default:
		gap = spread(free)
		if p.Interest == Watching && p.Silent > quietAfter {
			gap = max(gap, min(quietGap, p.Silent/5))
		}
	}
	return max(gap, p.Polling), true
}
