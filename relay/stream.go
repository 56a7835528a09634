package relay

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"hawker/relay/ring"
)

// errOver is the cause of a deliberate end: platforms are told.
var errOver = errors.New("relay: over")

// stream is one live stream: its ring, its ingest, its destinations. Its run goroutine starts and stops
// destinations; the goroutine of the publisher feeds it.
type stream struct {
	id      string
	srv     *Server
	started time.Time
	ring    ring.Ring
	fan     fan
	done    chan struct{} // closed when run has returned and the stream is out of the server's map
	over    chan struct{} // closed when it ends on purpose or after the grace time
	edited  chan struct{} // one token: run looks at wanted

	poke chan struct{} // one token: tend looks at once

	mu       sync.Mutex
	ended    bool // over is closed
	cfg      Config
	ins      [roles]*ingest // nil while away
	before   [roles]*ingest // who was there last
	live     role           // whose pictures are sent
	wish     role           // whose shall be sent; roles when nobody cares
	knocking *ingest        // waits for the host
	cut      bool           // taken off the air, until a publisher comes
	covered  bool           // the slate is shown although an encoder is there
	away     time.Time      // since when there is none
	visits   int            // how many publishers came
	wanted   []Destination  // what the destinations shall be
	dests    []*destination
	line     timeline
	picture  picture
	slate    *slate // nil while an encoder sends
	uplink   uplink
}

func newStream(s *Server, id string) *stream {
	now := time.Now()
	st := &stream{
		id: id, srv: s, started: now, away: now, done: make(chan struct{}), over: make(chan struct{}), edited: make(chan struct{}, 1),
		poke: make(chan struct{}, 1), wish: roles,
	}
	st.fan.ring = &st.ring
	return st
}

func (st *stream) emit(kind EventKind) { st.srv.emit(Event{Kind: kind, Stream: st.id}) }

// run keeps the stream until it is over or ctx ends.
func (st *stream) run(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	var tending sync.WaitGroup
	tending.Go(func() { st.tend(ctx) })
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var pushes sync.WaitGroup
	for _, take := range st.srv.Consumers {
		pushes.Go(func() {
			t := newTap(st)
			defer t.Close()
			take(ctx, t)
		})
	}
	for going := true; going; {
		select {
		case <-ctx.Done():
			going = false
		case <-st.over:
			going = false
		case <-st.edited:
			st.reconcile(ctx, &pushes)
		case now := <-tick.C:
			st.look(now)
			st.balance(now)
		}
	}
	st.end()
	tending.Wait()
	st.ring.Close() // destinations send what is left
	st.fan.Close()
	drained := make(chan struct{})
	go func() { pushes.Wait(); close(drained) }()
	t := time.NewTimer(drainTimeout)
	defer t.Stop()
	select {
	case <-drained:
	case <-t.C:
	case <-ctx.Done():
	}
	cancel(errOver)
	<-drained
	st.emit(StreamStopped)
}

// look is done every second: rates, stalls, and the end of the grace time.
func (st *stream) look(now time.Time) {
	st.mu.Lock()
	for _, in := range append([]*ingest{st.knocking}, st.ins[:]...) {
		if in != nil {
			in.facts.sample(now, in.Received())
		}
	}
	late := st.ins == [roles]*ingest{} && now.Sub(st.away) >= or(st.cfg.Grace, or(st.srv.Grace, DefaultGrace))
	dests := slices.Clone(st.dests)
	st.mu.Unlock()
	for _, d := range dests {
		d.look(now)
	}
	if late {
		st.end()
	}
}

// end makes the stream over and closes its publisher.
func (st *stream) end() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended {
		return
	}
	st.ended = true
	close(st.over)
	for _, in := range append([]*ingest{st.knocking}, st.ins[:]...) {
		if in != nil {
			_ = in.Close()
		}
	}
	st.ins, st.knocking = [roles]*ingest{}, nil
}

func (st *stream) isOver() bool {
	select {
	case <-st.over:
		return true
	default:
		return false
	}
}

// set replaces what the destinations shall be.
func (st *stream) set(all []Destination) {
	st.edit(func([]Destination) []Destination { return slices.Clone(all) })
}

func (st *stream) edit(change func([]Destination) []Destination) {
	st.mu.Lock()
	st.wanted = change(slices.Clone(st.wanted))
	st.mu.Unlock()
	select {
	case st.edited <- struct{}{}:
	default:
	}
}

// reconcile stops destinations that are not wanted any more and starts the new ones. The rest is not touched.
func (st *stream) reconcile(ctx context.Context, pushes *sync.WaitGroup) {
	st.mu.Lock()
	defer st.mu.Unlock()
	leaving := map[string]*destination{}
	keep := map[string]*destination{}
	for _, d := range st.dests {
		at := slices.IndexFunc(st.wanted, func(w Destination) bool { return w.ID == d.id })
		if at >= 0 && d.same(st.wanted[at]) {
			d.rename(st.wanted[at].Name)
			keep[d.id] = d
			continue
		}
		d.cancel(errOver)
		leaving[d.id] = d
	}
	st.dests = st.dests[:0:0]
	for _, w := range st.wanted {
		if slices.ContainsFunc(st.dests, func(d *destination) bool { return d.id == w.ID }) {
			continue // the same ID twice: the first one counts
		}
		d := keep[w.ID]
		if d == nil {
			dctx, cancel := context.WithCancelCause(ctx)
			d = newDestination(st, w, cancel)
			before := leaving[w.ID]
			pushes.Go(func() {
				defer cancel(nil)
				if before != nil {
					<-before.done // two pushes with one key would be refused
				}
				d.run(dctx)
			})
		}
		d.priority.Store(int64(w.Priority))
		d.order.Store(int64(len(st.dests)))
		st.dests = append(st.dests, d)
	}
}
