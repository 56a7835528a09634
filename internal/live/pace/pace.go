// Package pace bounds how often one viewer is answered.
package pace

import (
	"time"

	"hawker/internal/chat"
)

// Bounds of one viewer's commands (product rule): past Lines in Per a line gets reason limited and no answer; the same form
// again within SameForm counts once.
const (
	Lines    = 8
	Per      = 10 * time.Second
	SameForm = 3 * time.Second
)

// Bounds of one viewer's questions, so that who asks all the time takes no lines from others: of those within AskPer the first AtOnce
// are answered at once, the next wait until AskEvery after the one before, the one after AskMost is answered with the page where it
// all stands, and those of the next AskPer are not.
const (
	AskPer   = time.Minute
	AtOnce   = 3
	AskMost  = 5
	AskEvery = 10 * time.Second
)

// remembered is how many viewers are remembered before those who said nothing lately are forgotten.
const remembered = 50_000

// Pace knows how fast each viewer goes. The zero value is ready. It is not safe for two goroutines.
type Pace struct {
	begun   time.Time
	viewers map[id]*viewer
	most    int // viewers at which those who said nothing lately are forgotten
}

// id is a viewer without a name.
type id struct {
	platform chat.Platform
	id       string
}

// viewer is the commands of the last Per, and the form of the last line.
type viewer struct {
	times [Lines + 1]time.Duration // since begun, n of them, the oldest first; more need not be known
	n     int
	sig   uint64
	at    time.Duration
	asks  [AskMost + 1]time.Duration // when the questions of the last AskPer were answered, or will be; asked of them
	asked int
	until time.Duration // no question is answered before
}

// May notes a command of a viewer. ok is false when it is one too many; same says that it has the form (sig, 0 for none) of
// the viewer's last one, moments ago.
func (p *Pace) May(v chat.Viewer, sig uint64, now time.Time) (ok, same bool) {
	if p.viewers == nil {
		p.viewers, p.begun = map[id]*viewer{}, now
	}
	k, at := id{v.Platform, v.ID}, now.Sub(p.begun)
	x := p.viewers[k]
	if x == nil {
		if len(p.viewers) > max(p.most, remembered) {
			for k, old := range p.viewers {
				if at-old.at > time.Minute {
					delete(p.viewers, k)
				}
			}
			p.most = 2 * len(p.viewers) // a crowd of which all spoke lately is not gone through for everybody new
		}
		x = &viewer{}
		p.viewers[k] = x
	}
	same = sig != 0 && sig == x.sig && at-x.at < SameForm
	x.sig, x.at = sig, at
	gone := 0
	for gone < x.n && at-x.times[gone] > Per {
		gone++
	}
	x.n = copy(x.times[:], x.times[gone:x.n])
	if x.n < len(x.times) { // a flood must not fill the memory
		x.times[x.n] = at
		x.n++
	}
	return x.n <= Lines, same
}

// Ask notes a question of a viewer whose line May let through, and says how it is answered: after wait, with the page instead of the
// answer, or (ok false) not at all.
func (p *Pace) Ask(v chat.Viewer, now time.Time) (wait time.Duration, page, ok bool) {
	x := p.viewers[id{v.Platform, v.ID}]
	if x == nil {
		return 0, false, true
	}
	at, gone := now.Sub(p.begun), 0
	if at < x.until {
		return 0, false, false
	}
	for gone < x.asked && at-x.asks[gone] > AskPer {
		gone++
	}
	x.asked = copy(x.asks[:], x.asks[gone:x.asked])
	when := at
	if x.asked >= AtOnce {
		when = max(at, x.asks[x.asked-1]+AskEvery)
	}
	x.asks[x.asked] = when
	if x.asked++; x.asked > AskMost {
		x.asked, x.until = 0, when+AskPer
		return when - at, true, true
	}
	return when - at, false, true
}
