// Package ring keeps the last seconds of one stream for all its readers. Each message is serialised once; readers
// hold a sequence number and nothing else, so memory does not grow with their number and a slow reader holds
// nothing back: what it did not fetch in time is gone, and it starts again at a keyframe.
package ring

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"hawker/relay/rtmp"
)

// ErrLagged is the error of a reader whose position was dropped.
var ErrLagged = errors.New("ring: reader too slow")

// Bounds of a ring whose fields are zero.
const (
	DefaultKeep  = 10 * time.Second
	DefaultBytes = 16 << 20
)

// Unit is one message, ready for the wire on message stream 1. It is never changed.
type Unit struct {
	Kind rtmp.Kind
	Type byte
	Time int64 // ms on the relay's timeline
	Wire []byte

	// Multi says that the message is of a multitrack stream (Enhanced RTMP v2). First is then the same of its track 0 as a
	// message of one track, for peers that know no others; nil when there is nothing of it.
	Multi bool
	First *Unit

	payload []byte
	slot    string
	headers []*Unit // of a Keyframe: what must be sent before it
}

// NewUnit serialises m, whose Time is replaced by at (ms). m must not be used afterwards.
func NewUnit(m rtmp.Message, info rtmp.Info, at int64) *Unit {
	csid := byte(rtmp.CSIDData)
	switch m.Type {
	case rtmp.TypeAudio:
		csid = rtmp.CSIDAudio
	case rtmp.TypeVideo:
		csid = rtmp.CSIDVideo
	}
	m.Stream, m.Time = 1, uint32(at)
	u := &Unit{Kind: info.Kind, Type: m.Type, Time: at, payload: m.Payload, slot: info.Slot}
	if info.Multi {
		u.Multi = true
		if p := rtmp.FirstTrack(m); p != nil {
			u.First = &Unit{Kind: info.Kind, Type: m.Type, Time: at, payload: p, slot: info.Slot}
			u.First.Wire = rtmp.Message{Type: m.Type, Stream: 1, Time: m.Time, Payload: p}.Wire(csid)
		}
	}
	u.Wire = m.Wire(csid)
	return u
}

// Payload is the message's. It must not be changed.
func (u *Unit) Payload() []byte { return u.payload }

// At returns the same message at another time.
func (u *Unit) At(at int64) *Unit {
	return NewUnit(rtmp.Message{Type: u.Type, Payload: u.payload}, rtmp.Info{Kind: u.Kind, Slot: u.slot, Multi: u.Multi}, at)
}

// Ring is safe for one writer and many readers.
type Ring struct {
	// Keep is how much stream is kept. The group of pictures that a new reader would start with is kept longer.
	Keep time.Duration
	// Bytes bounds what is kept whatever the keyframes do.
	Bytes int

	mu     sync.Mutex
	units  []*Unit // units[0] has sequence number base
	base   uint64
	bytes  int
	key    uint64           // sequence number of the newest keyframe
	hasKey bool             // key is in units
	slots  map[string]*Unit // headers and metadata in force
	closed bool
	wake   map[chan<- struct{}]struct{}
}

// Append adds a unit and drops what is too old. It never waits.
func (r *Ring) Append(u *Unit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch u.Kind {
	case rtmp.Header, rtmp.Metadata:
		if r.slots == nil {
			r.slots = map[string]*Unit{}
		}
		r.slots[u.slot] = u
	case rtmp.Keyframe:
		u.headers = r.inForce()
		r.key, r.hasKey = r.base+uint64(len(r.units)), true
	}
	r.units = append(r.units, u)
	r.bytes += len(u.Wire)
	r.evict(u.Time)
}

// inForce returns metadata first, then video, then audio: the order platforms expect (RTMP note, "Dialogue").
func (r *Ring) inForce() []*Unit {
	names := slices.Collect(maps.Keys(r.slots))
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(order(a), order(b)) })
	out := make([]*Unit, len(names))
	for i, n := range names {
		out[i] = r.slots[n]
	}
	return out
}

func order(slot string) string {
	switch slot[0] {
	case 'm':
		return "0"
	case 'v':
		return "1" + slot
	}
	return "2" + slot
}

func (r *Ring) evict(now int64) {
	keep, limit := r.Keep.Milliseconds(), r.Bytes
	if keep == 0 {
		keep = DefaultKeep.Milliseconds()
	}
	if limit == 0 {
		limit = DefaultBytes
	}
	n := 0
	for n < len(r.units)-1 {
		u := r.units[n]
		old := now-u.Time > keep && !(r.hasKey && r.base+uint64(n) >= r.key)
		if r.bytes <= limit && !old {
			break
		}
		if r.hasKey && r.base+uint64(n) == r.key {
			r.hasKey = false
		}
		r.bytes -= len(u.Wire)
		r.units[n] = nil
		n++
	}
	r.units, r.base = r.units[n:], r.base+uint64(n)
}

// Start returns what a new reader is sent first, the headers in force at the newest keyframe with that keyframe's
// time, and the position of the keyframe. ok is false while there is none.
func (r *Ring) Start() (headers []*Unit, at uint64, ok bool) {
	r.mu.Lock()
	if !r.hasKey {
		r.mu.Unlock()
		return nil, 0, false
	}
	k, at := r.units[r.key-r.base], r.key
	r.mu.Unlock()
	return k.before(), at, true
}

// Oldest is Start at the oldest keyframe that is kept, for a reader that wants some of what was before.
func (r *Ring) Oldest() (headers []*Unit, at uint64, ok bool) {
	r.mu.Lock()
	i := slices.IndexFunc(r.units, func(u *Unit) bool { return u.Kind == rtmp.Keyframe })
	if i < 0 {
		r.mu.Unlock()
		return nil, 0, false
	}
	k, at := r.units[i], r.base+uint64(i)
	r.mu.Unlock()
	return k.before(), at, true
}

// before are the headers of a keyframe, at its time.
func (u *Unit) before() []*Unit {
	headers := make([]*Unit, len(u.headers))
	for i, h := range u.headers {
		headers[i] = h.At(u.Time)
	}
	return headers
}

// Read copies units from position from into dst, at most maxBytes of them but at least one, and returns how many.
// 0 means that there is nothing yet. The error is ErrLagged when the position was dropped and io.EOF at the end of
// a closed ring.
func (r *Ring) Read(from uint64, dst []*Unit, maxBytes int) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if from < r.base {
		return 0, ErrLagged
	}
	n, bytes := 0, 0
	for at := from - r.base; n < len(dst) && at < uint64(len(r.units)); at++ {
		u := r.units[at]
		if n > 0 && bytes+len(u.Wire) > maxBytes {
			break
		}
		dst[n] = u
		bytes += len(u.Wire)
		n++
	}
	if n == 0 && r.closed {
		return 0, io.EOF
	}
	return n, nil
}

// Lag says how much stream waits at position from, and whether a newer keyframe does, and where.
func (r *Ring) Lag(from uint64) (lag time.Duration, key uint64, newer bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.units) == 0 || from >= r.base+uint64(len(r.units)) {
		return 0, 0, false
	}
	first := r.units[max(from, r.base)-r.base]
	lag = time.Duration(r.units[len(r.units)-1].Time-first.Time) * time.Millisecond
	return max(lag, 0), r.key, r.hasKey && r.key > from
}

// End returns the position after the newest unit.
func (r *Ring) End() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.base + uint64(len(r.units))
}

// Size returns how many bytes are kept.
func (r *Ring) Size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}

// Subscribe makes Wake put a token into c, which has room for one. unsubscribe ends that.
func (r *Ring) Subscribe(c chan<- struct{}) (unsubscribe func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wake == nil {
		r.wake = map[chan<- struct{}]struct{}{}
	}
	r.wake[c] = struct{}{}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.wake, c)
	}
}

// Wake tells all readers to look again. The writer decides when: after each unit, or after several.
func (r *Ring) Wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.wake {
		select {
		case c <- struct{}{}:
		default: // it was told already
		}
	}
}

// Readers returns how many are subscribed.
func (r *Ring) Readers() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.wake)
}

// Closed says whether Close was called.
func (r *Ring) Closed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// Close says that nothing will be appended any more. Readers still get what is kept, then io.EOF.
func (r *Ring) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.Wake()
}
