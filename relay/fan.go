package relay

import (
	"slices"
	"sync"

	"hawker/relay/ring"
	"hawker/relay/rtmp"
)

// fan writes what is new in a ring to all connections that are in step, one after the other, in the goroutine that brought
// it: most destinations of most shows take all at once, and a goroutine woken for each would cost more than its write. It
// never waits. A connection that does not take all falls out of step and its own goroutine goes on, until it has caught up.
type fan struct {
	ring *ring.Ring

	mu     sync.Mutex
	at     uint64 // what is before was given to all lanes
	lanes  []*lane
	units  []*ring.Unit
	joined []byte
	first  []byte // joined for those that know one track only; the same while there is one
	closed bool
}

// lane is a connection in step.
type lane struct {
	d   *destination
	p   *rtmp.Publisher
	out chan struct{} // has a token when the lane fell out of step
	at  uint64        // where it goes on; valid when it is out

	first bool // it knows one track only
}

// fanUnits and fanBytes bound what is written at once.
const (
	fanUnits = 256
	fanBytes = 1 << 20
)

// join puts l in step when at is where all others are. When it is not there is more to read.
func (f *fan) join(l *lane, at uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	if at > f.at {
		f.flush()
	}
	if at != f.at {
		return false
	}
	f.lanes = append(f.lanes, l)
	return true
}

// leave takes l out of step, if it still is, and returns where it goes on.
func (f *fan) leave(l *lane) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.lanes, l); i >= 0 {
		f.lanes = slices.Delete(f.lanes, i, i+1)
		l.at = f.at
	}
	return l.at
}

// Flush gives what is new to all lanes.
func (f *fan) Flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flush()
}

func (f *fan) flush() {
	if f.units == nil {
		f.units = make([]*ring.Unit, fanUnits)
	}
	for len(f.lanes) > 0 {
		n, err := f.ring.Read(f.at, f.units, fanBytes)
		if err != nil { // the ring was closed, or dropped it all in one go: each sees for itself
			f.outAll()
			break
		}
		if n == 0 {
			return
		}
		f.gather(f.units[:n])
		clear(f.units[:n])
		f.write(f.at + uint64(n))
		if cap(f.joined) > fanBytes {
			f.joined = nil
		}
	}
	f.at = f.ring.End()
}

// gather puts units together as they go to all, and to those that know one track only.
func (f *fan) gather(units []*ring.Unit) {
	f.joined = f.joined[:0]
	multi := false
	for _, u := range units {
		f.joined = append(f.joined, u.Wire...)
		multi = multi || u.Multi
	}
	f.first = f.joined
	if !multi {
		return
	}
	f.first = nil
	for _, u := range units {
		if u.Multi {
			u = u.First
		}
		if u != nil {
			f.first = append(f.first, u.Wire...)
		}
	}
}

// write gives joined, which ends at position end, to all lanes.
func (f *fan) write(end uint64) {
	stay := f.lanes[:0]
	for _, l := range f.lanes {
		b := f.joined
		if l.first {
			b = f.first
		}
		took, clear, err := true, true, error(nil)
		if len(b) > 0 {
			took, clear, err = l.p.TryWire(b)
		}
		if took {
			l.at = end
		} else {
			l.at = f.at
		}
		l.d.position.Store(l.at)
		if clear && err == nil {
			stay = append(stay, l)
			continue
		}
		l.out <- struct{}{}
	}
	clear(f.lanes[len(stay):])
	f.lanes, f.at = stay, end
}

func (f *fan) outAll() {
	for _, l := range f.lanes {
		l.at = f.at
		l.out <- struct{}{}
	}
	clear(f.lanes)
	f.lanes = f.lanes[:0]
}

// Close gives the rest to all lanes and lets them go.
func (f *fan) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flush()
	f.outAll()
	f.closed = true
}
