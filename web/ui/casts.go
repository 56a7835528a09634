package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
)

// Bounds of casts.
const (
	renderEvery = 250 * time.Millisecond // a person reads no faster
	renderRetry = time.Second
	queueCap    = 64   // messages that wait for one browser; more end its stream
	tailKept    = 128  // told parts that a browser which comes back is sent again
	streamsMax  = 5000 // browsers at once, of one process
	streamsKept = 500  // of them, for members and overlays: who opens thousands of rooms must not take the desk from its host
)

// Source is what a cast shows. All browsers that look at one thing share one source.
type Source struct {
	// Watch calls tell when something changed, until stop is called (live.Hub.Watch).
	Watch func(tell func(live.Signal)) (stop func(), err error)
	// Render renders all parts as they stand. It is called at most four times a second.
	Render func(ctx context.Context) ([]Part, error)
	// Tell, when set, says what a signal adds at once, such as a line of chat: parts that are sent as they come and do not
	// replace one another.
	Tell func(s live.Signal) []Part
	// Fresh, when set, renders what a browser needs besides when it comes without having missed only a little: the last
	// lines of chat.
	Fresh func(ctx context.Context) ([]Part, error)
	// Anybody says that everybody may look, so that not all streams are theirs.
	Anybody bool
	// Every renders anew although no signal came, for figures that are measured; 0 means never.
	Every time.Duration
}

// Casts feeds browsers: for each thing that anybody looks at, one watch, one rendering, and the same bytes to all.
type Casts struct {
	log *slog.Logger

	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	casts   map[string]*cast
	streams int
}

func newCasts(log *slog.Logger) *Casts {
	c := &Casts{log: log, casts: map[string]*cast{}}
	c.ctx, c.stop = context.WithCancel(context.Background()) // ended by close
	return c
}

func (c *Casts) close() {
	c.mu.Lock()
	c.stop()
	c.mu.Unlock()
	c.wg.Wait()
}

// cast is one thing that is looked at.
type cast struct {
	source Source
	epoch  string // tells this cast's ids from those of a former one
	wake   chan struct{}
	stop   context.CancelFunc
	users  int // guarded by Casts.mu

	mu      sync.Mutex
	seq     int64
	parts   []kept // in the order of Render
	tail    []kept // told parts, oldest first
	lost    int64  // seq of the newest told part that tail forgot
	pending []Part // told since the last message
	viewers map[*viewer]bool
}

// kept is a part and the message that brought it.
type kept struct {
	Part
	seq int64
}

// viewer is one browser. Its queue is bounded; when it is full the stream ends and the browser comes back.
type viewer struct {
	queue chan []byte
	over  chan struct{}
	own   bool
}

// Serve streams a source to a browser until it goes away. key names what is looked at: who asks with the same key gets
// the same bytes, so it must name everything that the parts depend on. own, when not nil, renders parts for this
// browser alone, each time that something changed.
func (c *Casts) Serve(w http.ResponseWriter, r *http.Request, key string, s Source, own func(ctx context.Context) ([]Part, error)) error {
	if r.Method == http.MethodHead { // which asks for no body, and would wait for one
		w.Header().Set("Content-Type", "text/event-stream")
		return nil
	}
	x, err := c.join(key, s)
	if err != nil {
		return err
	}
	defer c.leave(key, x)
	v := &viewer{queue: make(chan []byte, queueCap), over: make(chan struct{}), own: own != nil}
	first, id, fresh := x.enter(v, r.Header.Get("Last-Event-ID"))
	defer func() {
		x.mu.Lock()
		delete(x.viewers, v)
		x.mu.Unlock()
	}()
	if fresh && s.Fresh != nil {
		more, err := s.Fresh(r.Context())
		if err != nil {
			return err
		}
		first = append(first, more...)
	}
	st, err := OpenStream(w)
	if err != nil {
		return nil //nolint:nilerr // the browser went away
	}
	if len(first) > 0 {
		if st.Send(Message(id, first...)) != nil {
			return nil
		}
	}
	o := &ownParts{render: own}
	if own != nil && o.send(r.Context(), st) != nil {
		return nil
	}
	c.pump(r.Context(), st, v, o)
	return nil
}

// pump writes what comes until the browser, the server or the patience ends.
func (c *Casts) pump(ctx context.Context, st *Stream, v *viewer, o *ownParts) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-c.ctx.Done():
			return
		case <-v.over:
			return
		case <-ping.C:
			err = st.Ping()
		case m := <-v.queue:
			batch := [][]byte{m}
			for n := len(v.queue); n > 0; n-- {
				batch = append(batch, <-v.queue)
			}
			if err = st.Send(batch...); err == nil && o.render != nil {
				err = o.send(ctx, st)
			}
		}
		if err != nil {
			return
		}
	}
}

// ownParts are the parts of one browser.
type ownParts struct {
	render func(ctx context.Context) ([]Part, error)
	last   map[string][]byte
}

// send renders and sends what changed. Only a broken stream is an error: what cannot be rendered now is next time.
func (o *ownParts) send(ctx context.Context, st *Stream) error {
	parts, err := o.render(ctx)
	if err != nil {
		return nil //nolint:nilerr // as said above
	}
	if o.last == nil {
		o.last = map[string][]byte{}
	}
	var changed []Part
	for _, p := range parts {
		if was, ok := o.last[p.Target]; !ok || !bytes.Equal(was, p.HTML) {
			o.last[p.Target] = p.HTML
			changed = append(changed, p)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return st.Send(Message("", changed...))
}

// join finds the cast of a key, or starts it.
func (c *Casts) join(key string, s Source) (*cast, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := streamsMax
	if s.Anybody {
		most -= streamsKept
	}
	if c.ctx.Err() != nil || c.streams >= most {
		return nil, live.ErrNotHere
	}
	x := c.casts[key]
	if x == nil {
		x = &cast{source: s, epoch: commerce.NewID(time.Now()).String(), wake: make(chan struct{}, 1), viewers: map[*viewer]bool{}}
		stop, err := s.Watch(x.signal)
		if err != nil {
			return nil, fmt.Errorf("watch %s: %w", key, err)
		}
		ctx, cancel := context.WithCancel(c.ctx)
		x.stop = cancel
		c.casts[key] = x
		c.wg.Go(func() {
			defer stop()
			x.run(ctx, c.log)
		})
	}
	x.users++
	c.streams++
	return x, nil
}

func (c *Casts) leave(key string, x *cast) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.streams--
	if x.users--; x.users == 0 {
		x.stop()
		delete(c.casts, key)
	}
}

// Looking is how many browsers have a stream, and how many things they look at.
func (c *Casts) Looking() (streams, casts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams, len(c.casts)
}

// signal takes a signal of the watch; it only notes it.
func (x *cast) signal(s live.Signal) {
	if x.source.Tell != nil {
		if parts := x.source.Tell(s); len(parts) > 0 {
			x.mu.Lock()
			x.pending = append(x.pending, parts...)
			if n := len(x.pending); n > tailKept { // they come faster than anybody reads
				x.pending = x.pending[n-tailKept:]
			}
			x.mu.Unlock()
		}
	}
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// run renders when something changed, at most every renderEvery.
func (x *cast) run(ctx context.Context, log *slog.Logger) {
	var tick <-chan time.Time
	if x.source.Every > 0 {
		t := time.NewTicker(x.source.Every)
		defer t.Stop()
		tick = t.C
	}
	for {
		wait := renderEvery
		parts, err := x.source.Render(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if !errors.Is(err, live.ErrNotHere) {
				log.Warn("stream cannot be rendered", "err", err)
			}
			wait = renderRetry
			x.signal(live.Signal{}) // again
		default:
			x.publish(parts)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		select {
		case <-ctx.Done():
			return
		case <-x.wake:
		case <-tick:
		}
	}
}

// publish sends what differs from what was sent last, and what was told meanwhile.
func (x *cast) publish(parts []Part) {
	x.mu.Lock()
	defer x.mu.Unlock()
	next := x.seq + 1
	var out []Part
	now := make([]kept, 0, len(parts))
	for _, p := range parts {
		k := kept{p, next}
		for _, old := range x.parts {
			if old.Target == p.Target && bytes.Equal(old.HTML, p.HTML) {
				k.seq = old.seq
			}
		}
		if k.seq == next {
			out = append(out, p)
		}
		now = append(now, k)
	}
	for _, p := range x.pending {
		out = append(out, p)
		x.tail = append(x.tail, kept{p, next})
	}
	if n := len(x.tail) - tailKept; n > 0 {
		x.lost = x.tail[n-1].seq
		x.tail = append([]kept(nil), x.tail[n:]...)
	}
	x.pending, x.parts = nil, now
	var m []byte
	if len(out) > 0 {
		x.seq = next
		m = Message(x.id(), out...)
	}
	for v := range x.viewers {
		if m == nil && !v.own {
			continue
		}
		select {
		case v.queue <- m:
		default:
			close(v.over)
			delete(x.viewers, v)
		}
	}
}

// id names the state now; mu is held.
func (x *cast) id() string { return x.epoch + "-" + strconv.FormatInt(x.seq, 10) }

// enter puts a browser among the viewers and says what it lacks that had everything up to the id it names: only that, or
// when the id is of a former cast or too old, the whole state, which fresh reports. id is of the state it then has.
func (x *cast) enter(v *viewer, had string) (parts []Part, id string, fresh bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.viewers[v] = true
	last := int64(-1)
	if epoch, n, ok := strings.Cut(had, "-"); ok && epoch == x.epoch {
		if v, err := strconv.ParseInt(n, 10, 64); err == nil && v >= x.lost && v <= x.seq {
			last = v
		}
	}
	fresh = last < 0
	for _, k := range x.parts {
		if k.seq > last {
			parts = append(parts, k.Part)
		}
	}
	if !fresh {
		for _, k := range x.tail {
			if k.seq > last {
				parts = append(parts, k.Part)
			}
		}
	}
	return parts, x.id(), fresh
}
