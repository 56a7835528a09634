package relay

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"hawker/relay/ring"
	"hawker/relay/rtmp"
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
	done    chan struct{} // closed when run has returned and the stream is out of the server's map
	over    chan struct{} // closed when it ends on purpose or after the grace time
	edited  chan struct{} // one token: run looks at wanted
	nudge   chan struct{} // one token: the readers are woken after coalesce

	mu     sync.Mutex
	ended  bool          // over is closed
	ingest *ingest       // nil while away
	away   time.Time     // since when
	visits int           // how many publishers came
	wanted []Destination // what the destinations shall be
	dests  []*destination
	line   timeline
	facts  facts
}

// ingest is the publisher that feeds a stream.
type ingest struct {
	*rtmp.Publication
	since time.Time
}

func newStream(s *Server, id string) *stream {
	now := time.Now()
	return &stream{
		id: id, srv: s, started: now, away: now, done: make(chan struct{}), over: make(chan struct{}),
		edited: make(chan struct{}, 1), nudge: make(chan struct{}, 1),
	}
}

func (st *stream) emit(kind EventKind) { st.srv.emit(Event{Kind: kind, Stream: st.id}) }

// run keeps the stream until it is over or ctx ends.
func (st *stream) run(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { st.wakeup(ctx) })
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var pushes sync.WaitGroup
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
		}
	}
	st.end()
	st.ring.Close() // destinations send what is left
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
	wg.Wait()
	st.emit(StreamStopped)
}

// wakeup wakes the readers some time after the first message they were not told of.
func (st *stream) wakeup(ctx context.Context) {
	for {
		select {
		case <-st.nudge:
			if !sleep(ctx, coalesce) {
				return
			}
			st.ring.Wake()
		case <-ctx.Done():
			return
		}
	}
}

// look is done every second: rates, stalls, and the end of the grace time.
func (st *stream) look(now time.Time) {
	st.mu.Lock()
	if st.ingest != nil {
		st.facts.sample(now, st.ingest.Received())
	}
	late := st.ingest == nil && now.Sub(st.away) >= or(st.srv.Grace, DefaultGrace)
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
	if st.ingest != nil {
		_ = st.ingest.Close()
		st.ingest = nil
	}
}

func (st *stream) isOver() bool {
	select {
	case <-st.over:
		return true
	default:
		return false
	}
}

// attach makes p the stream's publisher. A publisher that is there is replaced only when it stays silent; the error is
// errBusy when it does not, ErrNoStream when the stream is over.
func (st *stream) attach(ctx context.Context, p *rtmp.Publication) (*ingest, error) {
	came := time.Now()
	for {
		in, old, err := st.tryAttach(p, came)
		if err != nil || in != nil {
			if old != nil {
				_ = old.Close()
			}
			return in, err
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}

// tryAttach returns neither ingest nor error while it is not clear whether the old publisher is dead.
func (st *stream) tryAttach(p *rtmp.Publication, came time.Time) (in, old *ingest, err error) {
	st.mu.Lock()
	if st.ended {
		st.mu.Unlock()
		return nil, nil, ErrNoStream
	}
	if old = st.ingest; old != nil {
		heard := old.LastRead()
		if heard.After(came) {
			st.mu.Unlock()
			return nil, nil, errBusy
		}
		if time.Since(heard) < or(st.srv.Takeover, DefaultTakeover) {
			st.mu.Unlock()
			return nil, nil, nil
		}
	}
	in = &ingest{Publication: p, since: time.Now()}
	st.ingest = in
	st.line.source()
	st.facts.source()
	st.visits++
	kind := IngestBack
	if st.visits == 1 {
		kind = StreamStarted
	}
	st.mu.Unlock()
	st.emit(kind)
	return in, old, nil
}

// detach notes that in is gone: for good when it said so, else for the grace time.
func (st *stream) detach(in *ingest, err error) {
	if errors.Is(err, rtmp.ErrEnded) {
		st.mu.Lock()
		mine := st.ingest == in
		st.mu.Unlock()
		if mine {
			st.end()
		}
		return
	}
	st.mu.Lock()
	mine := st.ingest == in
	if mine {
		st.ingest, st.away = nil, time.Now()
	}
	st.mu.Unlock()
	if mine {
		st.emit(IngestAway)
	}
}

// feed takes a message of in and says whether in is still the stream's publisher.
func (st *stream) feed(in *ingest, m rtmp.Message) bool {
	now := time.Now()
	info := rtmp.Inspect(m)
	st.mu.Lock()
	if st.ingest != in {
		st.mu.Unlock()
		return false
	}
	st.facts.note(m, info)
	units := st.line.take(m, info, now)
	for _, u := range units {
		st.ring.Append(u)
	}
	st.mu.Unlock()
	switch {
	case len(units) == 0:
	case st.ring.Readers() < coalesceFrom:
		st.ring.Wake()
	default:
		select {
		case st.nudge <- struct{}{}:
		default:
		}
	}
	return true
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
		st.dests = append(st.dests, d)
	}
}
