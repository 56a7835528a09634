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

// remembered is how many viewers are remembered before those who said nothing lately are forgotten.
const remembered = 50_000

// Pace knows how fast each viewer goes. The zero value is ready. It is not safe for two goroutines.
type Pace struct {
	viewers map[chat.Viewer]*viewer
	most    int // viewers at which those who said nothing lately are forgotten
}

// viewer is the commands of the last Per, and the form of the last line.
type viewer struct {
	times []time.Time
	sig   uint64
	at    time.Time
}

// May notes a command of a viewer. ok is false when it is one too many; same says that it has the form (sig, 0 for none) of
// the viewer's last one, moments ago.
func (p *Pace) May(v chat.Viewer, sig uint64, now time.Time) (ok, same bool) {
	v.Name = ""
	x := p.viewers[v]
	if x == nil {
		if p.viewers == nil {
			p.viewers = map[chat.Viewer]*viewer{}
		}
		if len(p.viewers) > max(p.most, remembered) {
			for k, old := range p.viewers {
				if now.Sub(old.at) > time.Minute {
					delete(p.viewers, k)
				}
			}
			p.most = 2 * len(p.viewers) // a crowd of which all spoke lately is not gone through for everybody new
		}
		x = &viewer{}
		p.viewers[v] = x
	}
	same = sig != 0 && sig == x.sig && now.Sub(x.at) < SameForm
	x.sig, x.at = sig, now
	for len(x.times) > 0 && now.Sub(x.times[0]) > Per {
		x.times = x.times[1:]
	}
	if len(x.times) <= Lines { // more need not be known, and a flood must not fill the memory
		x.times = append(x.times, now)
	}
	return len(x.times) <= Lines, same
}
