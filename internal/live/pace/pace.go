// Package pace bounds how often one viewer is answered.
package pace

import (
	"time"

	"hawker/internal/byhash"
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
	viewers *byhash.Map[id, viewer]
	most    int // viewers at which those who said nothing lately are forgotten
}

// id is a viewer without a name.
type id struct {
	platform chat.Platform
	id       string
}

// viewer is the form of the last line, and what is known of who said more than one: most of a crowd say one.
type viewer struct {
	sig  uint64
	at   time.Duration // since begun
	more *regular
}

// regular is the commands of the last Per. Times are since begun.
type regular struct {
	times [Lines + 1]time.Duration // n of them, the oldest first; more need not be known
	n     int
	asks  [AskMost + 1]time.Duration // when the questions of the last AskPer were answered, or will be; asked of them
	asked int
	until time.Duration // no question is answered before
}

// regular is more, made of the last line when there is none yet.
func (x *viewer) regular() *regular {
	if x.more == nil {
		x.more = &regular{n: 1}
		x.more.times[0] = x.at
	}
	return x.more
}

// May notes a command of a viewer. ok is false when it is one too many; same says that it has the form (sig, 0 for none) of
// the viewer's last one, moments ago.
func (p *Pace) May(v chat.Viewer, sig uint64, now time.Time) (ok, same bool) {
	if p.viewers == nil {
		p.viewers, p.begun = byhash.New[id, viewer](), now
	}
	k, at := id{v.Platform, v.ID}, now.Sub(p.begun)
	x := p.viewers.Get(k)
	if x == nil {
		if p.viewers.Len() > max(p.most, remembered) {
			for k, old := range p.viewers.All() {
				if at-old.at > time.Minute {
					p.viewers.Delete(k)
				}
			}
			p.most = 2 * p.viewers.Len() // a crowd of which all spoke lately is not gone through for everybody new
		}
		x, _ = p.viewers.Put(k)
		x.sig, x.at = sig, at
		return true, false
	}
	same = sig != 0 && sig == x.sig && at-x.at < SameForm
	r := x.regular()
	x.sig, x.at = sig, at
	gone := 0
	for gone < r.n && at-r.times[gone] > Per {
		gone++
	}
	r.n = copy(r.times[:], r.times[gone:r.n])
	if r.n < len(r.times) { // a flood must not fill the memory
		r.times[r.n] = at
		r.n++
	}
	return r.n <= Lines, same
}

// Ask notes a question of a viewer whose line May let through, and says how it is answered: after wait, with the page instead of the
// answer, or (ok false) not at all.
func (p *Pace) Ask(v chat.Viewer, now time.Time) (wait time.Duration, page, ok bool) {
	if p.viewers == nil {
		return 0, false, true
	}
	known := p.viewers.Get(id{v.Platform, v.ID})
	if known == nil {
		return 0, false, true
	}
	x := known.regular()
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
