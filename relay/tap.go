package relay

import (
	"context"
	"errors"
	"io"
	"time"

	"hawker/relay/ring"
)

// tapBytes bounds what Next returns at once. A single unit may be larger.
const tapBytes = 1 << 20

// Tap reads a live stream beside its destinations: for the room, for recording. It has its own position in the ring, so it
// holds up nobody; when it is too slow it goes on at the newest keyframe. It sees what destinations see, on the same growing
// timeline, the slate included. One goroutine uses it.
type Tap struct {
	st    *stream
	at    uint64
	in    bool // at is a position to go on from
	units []*ring.Unit
	wake  chan struct{}
	close func()
}

// Tap opens a tap on a live stream. Its first units are from the oldest keyframe that is still kept, some seconds ago. Close it
// in the end. The error is ErrNoStream.
func (s *Server) Tap(streamID string) (*Tap, error) {
	st, err := s.stream(streamID)
	if err != nil {
		return nil, err
	}
	return newTap(st), nil
}

func newTap(st *stream) *Tap {
	t := &Tap{st: st, units: make([]*ring.Unit, batchUnits), wake: make(chan struct{}, 1)}
	t.close = st.ring.Subscribe(t.wake)
	return t
}

// Stream is the ID of the stream.
func (t *Tap) Stream() string { return t.st.id }

// Config is what is in force for the stream now.
func (t *Tap) Config() Config {
	t.st.mu.Lock()
	defer t.st.mu.Unlock()
	return t.st.cfg
}

// Lag is how much stream waits to be read.
func (t *Tap) Lag() time.Duration {
	lag, _, _ := t.st.ring.Lag(t.at)
	return lag
}

// Close lets go of the stream.
func (t *Tap) Close() { t.close() }

// Next waits for what comes next and returns it in order: first the headers in force and a keyframe, then all that follows; the
// same again when some was missed. The slice is good until the next call. The error is io.EOF at the end of the stream, else that
// of ctx.
func (t *Tap) Next(ctx context.Context) ([]*ring.Unit, error) {
	r := &t.st.ring
	for {
		if !t.in {
			headers, key, ok := r.Oldest()
			if t.at > 0 { // it was too slow
				headers, key, ok = r.Start()
			}
			if ok {
				t.at, t.in = key, true
				if len(headers) > 0 {
					return headers, nil
				}
			}
		}
		if t.in {
			clear(t.units)
			n, err := r.Read(t.at, t.units, tapBytes)
			switch {
			case errors.Is(err, ring.ErrLagged):
				t.in = false
				continue
			case err != nil:
				return nil, err
			case n > 0:
				t.at += uint64(n)
				return t.units[:n], nil
			}
		} else if r.Closed() {
			return nil, io.EOF
		}
		select {
		case <-t.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
