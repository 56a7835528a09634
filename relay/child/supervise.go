package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"hawker/relay"
)

const (
	// inboxSize is how much the process tells before OnEvent must have returned; then the process keeps it.
	inboxSize = 4096
	// firstPause is how long to wait before a process that died at once is started again; it doubles up to maxPause.
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
	// steady is how long a process must have lived for the next one to be started at once.
	steady = 30 * time.Second
	// staleEvery is how often to look whether an older process can be replaced.
	staleEvery = 2 * time.Second
	// endTimeout is how long a process may take to end.
	endTimeout = 15 * time.Second
)

// item is something that the process told, or that was found out about it, in order.
type item struct {
	line

	run  string // of the process
	live []live // what was live when it was found; nil otherwise
	died bool   // it is gone
}

// live is a stream of a process that was found.
type live struct {
	ID  string            `json:"id"`
	Tag string            `json:"tag"`
	Up  map[string]string `json:"up"` // names of destinations that take it, by ID
}

// run names a process.
func (h *hello) run() string { return fmt.Sprintf("%d-%d", h.PID, h.Started.UnixNano()) }

// ask asks the process who it is.
func (c *Client) ask(ctx context.Context) (hello, error) {
	ctx, cancel := context.WithTimeout(ctx, doTimeout)
	defer cancel()
	var h hello
	err := c.Call(ctx, http.MethodGet, "/relay/hello", nil, &h)
	if err == nil && h.PID == 0 {
		err = errors.New("what answers on the socket is no relay process")
	}
	return h, err
}

// nobody reports whether an error says that no process is there.
func nobody(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// Start implements Relay.
func (c *Client) Start(ctx context.Context) error {
	c.open()
	err := c.find(ctx)
	if errors.Is(err, errSilent) {
		c.log().Error("the video waits for an older relay process that does not answer; end it by hand", "err", err)
		return nil // the hub can sell without video; Run goes on looking
	}
	return err
}

// errSilent means that a process is there, and that it cannot be spoken to.
var errSilent = errors.New("a relay process is there and does not answer")

// find finds a process of use, or starts one.
func (c *Client) find(ctx context.Context) error {
	h, err := c.ask(ctx)
	switch {
	case err == nil && !c.stale(&h):
		c.found(h, Up)
		return nil
	case err == nil && h.Streams > 0:
		c.found(h, Older)
		return nil
	case err == nil:
		if c.replace(ctx, &h) {
			break
		}
		c.found(h, Older)
		return nil
	case !nobody(err):
		c.mu.Lock()
		c.state, c.trouble = Silent, err.Error()
		c.mu.Unlock()
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	c.mu.Lock()
	unseen := err != nil && c.hello.PID != 0 // it ended, and accompany could not tell: its socket was just closing
	c.mu.Unlock()
	if unseen {
		c.lost(ctx)
	}
	c.mu.Lock()
	c.state = Starting
	before := c.hello.Addrs
	c.mu.Unlock()
	if err := c.spawn(ctx, before); err != nil {
		c.mu.Lock()
		c.state, c.trouble = Down, err.Error()
		c.mu.Unlock()
		return err
	}
	if h, err = c.ask(ctx); err != nil {
		return fmt.Errorf("the relay's process has just begun: %w", err)
	}
	c.found(h, Up)
	return nil
}

// stale says whether a process is to be replaced. The one that we started is not: it is as new as can be had.
func (c *Client) stale(h *hello) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return h.PID != c.pid && (h.Protocol != Protocol || h.Version != c.Version || h.Settings != fingerprint(c.Settings))
}

func (c *Client) found(h hello, s State) {
	c.mu.Lock()
	known := c.hello.run() == h.run()
	ours := h.PID == c.pid
	c.hello, c.state, c.trouble, c.outdated = h, s, "", true
	c.mu.Unlock()
	switch {
	case known:
	case ours:
		c.log().Info("relay process started", "pid", h.PID)
	default:
		c.log().Info("relay process found", "pid", h.PID, "version", h.Version, "streams", h.Streams, "state", string(s))
	}
}

// replace ends a process on which no stream is live, and says whether it has ended.
func (c *Client) replace(ctx context.Context, h *hello) bool {
	c.replacing(true)
	if err := c.short(http.MethodPost, "/relay/end?idle=1", nil, nil); err != nil {
		c.replacing(false)
		return false // a stream has just begun
	}
	c.log().Info("relay process of another version or with other settings ended", "pid", h.PID, "version", h.Version)
	return c.gone(ctx, h.run())
}

// gone waits until a process has ended.
func (c *Client) gone(ctx context.Context, run string) bool {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	for {
		if h, err := c.ask(ctx); err == nil && h.run() != run || nobody(err) {
			return true
		}
		if !sleep(ctx, 10*time.Millisecond) {
			return false
		}
	}
}

// Run implements Relay. It ends without the process, unless that is Tied or of no more use.
func (c *Client) Run(ctx context.Context) error {
	c.open()
	defer c.api.CloseIdleConnections()
	going, stop := context.WithCancel(context.WithoutCancel(ctx)) // until the process was told that we end
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { c.deliver(going) })
	wg.Go(func() {
		defer stop()
		<-ctx.Done()
		c.leave()
	})
	for failures := 0; ctx.Err() == nil; {
		began := time.Now()
		err := c.find(ctx)
		if err == nil {
			err = c.accompany(ctx, going, &wg)
			if time.Since(began) >= steady {
				failures = 0
			}
		}
		if ctx.Err() != nil {
			break
		}
		if c.replacing(false) {
			continue
		}
		c.log().Error("the relay's process has ended or cannot begin; another try follows", "err", err)
		pause := min(firstPause<<min(failures, 20), maxPause)
		failures++
		sleep(ctx, pause)
	}
	<-going.Done()
	return nil
}

// replacing notes that the process ends because we want it to, and gives what was noted before.
func (c *Client) replacing(yes bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.replaced
	c.replaced = yes
	return was
}

// accompany stays with the process that was found until it is gone.
func (c *Client) accompany(ctx, going context.Context, wg *sync.WaitGroup) error {
	c.mu.Lock()
	h, older := c.hello, c.state == Older
	c.mu.Unlock()
	fctx, cancel := context.WithCancel(going)
	defer cancel()
	if older {
		wg.Go(func() { c.await(fctx, &h, cancel) })
	}
	var err error
	if h.Protocol == Protocol {
		err = c.follow(fctx, &h, wg)
	} else {
		c.log().Warn("an older relay process carries streams; it cannot be steered until they are over", "pid", h.PID, "version", h.Version)
		<-fctx.Done()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, still := c.ask(ctx); still != nil && nobody(still) {
		c.lost(ctx)
		return fmt.Errorf("process %d is gone: %w", h.PID, err)
	}
	return err
}

// lost notes that the process is gone.
func (c *Client) lost(ctx context.Context) {
	c.mu.Lock()
	if !c.replaced {
		c.restarts++
	}
	c.hello.PID, c.state, c.outdated = 0, Starting, true
	c.mu.Unlock()
	select {
	case c.inbox <- item{died: true}:
	case <-ctx.Done():
	}
}

// await replaces an older process as soon as no stream is live on it.
func (c *Client) await(ctx context.Context, h *hello, done func()) {
	for sleep(ctx, staleEvery) {
		now, err := c.ask(ctx)
		if err != nil || now.run() != h.run() || now.Streams == 0 && c.replace(ctx, h) {
			done()
			return
		}
	}
}

// follow listens to the process until it is gone or ctx ends.
func (c *Client) follow(ctx context.Context, h *hello, wg *sync.WaitGroup) error {
	var now []live
	if err := c.Call(ctx, http.MethodGet, "/relay/live", nil, &now); err != nil {
		return err
	}
	select {
	case c.inbox <- item{run: h.run(), live: append(make([]live, 0, len(now)), now...)}:
	case <-ctx.Done():
		return ctx.Err()
	}
	resp, err := c.send(ctx, http.MethodGet, "/relay/events", "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := json.NewDecoder(resp.Body)
	for {
		var l line
		if err := lines.Decode(&l); err != nil {
			return err
		}
		if q := l.Ask; q != nil {
			wg.Go(func() { c.answer(ctx, q) })
			continue
		}
		select {
		case c.inbox <- item{line: l, run: h.run()}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// answer answers a question of the process.
func (c *Client) answer(ctx context.Context, q *question) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	cfg, tag, err := c.Stream(ctx, q.Key)
	slate := cfg.Slate
	cfg.Slate = nil
	a := answer{Config: cfg, Slate: digest(slate), Tag: tag}
	switch {
	case errors.Is(err, relay.ErrUnknownKey):
		a = answer{Unknown: true}
	case err != nil:
		c.log().Error("stream of a key", "err", err)
		a = answer{Err: "the hub has failed at it"}
	}
	path := "/relay/answers/" + strconv.FormatUint(q.ID, 10)
	err = c.short(http.MethodPost, path, a, nil)
	if refusedBy(err, http.StatusConflict) {
		if err = c.bring(a.Slate, slate); err == nil {
			err = c.short(http.MethodPost, path, a, nil)
		}
	}
	if err != nil && !refusedBy(err, http.StatusGone) {
		c.log().Warn("the relay process did not take an answer", "err", err)
	}
}

// deliver tells OnEvent what happens, and the process what was told.
func (c *Client) deliver(ctx context.Context) {
	if c.Ready != nil {
		select {
		case <-c.Ready:
		case <-ctx.Done():
			return
		}
	}
	d := delivery{c: c, streams: map[string]live{}}
	for {
		select {
		case x := <-c.inbox:
			d.take(&x)
			if seq := x.Seq; seq > 0 && (len(c.inbox) == 0 || seq%256 == 0) {
				_ = c.short(http.MethodPost, "/relay/acks?run="+x.run+"&seq="+strconv.FormatUint(seq, 10), nil, nil) // else it is told again
			}
		case <-ctx.Done():
			return
		}
	}
}

// delivery is what was told so far.
type delivery struct {
	c       *Client
	run     string
	seq     uint64
	streams map[string]live
}

func (d *delivery) take(x *item) {
	c := d.c
	switch {
	case x.died:
		d.died()
		return
	case x.run != d.run:
		d.run, d.seq = x.run, 0
		for _, s := range x.live {
			if c.OnFound != nil {
				c.OnFound(s.Tag, s.ID)
			}
		}
	}
	if x.live != nil {
		clear(d.streams)
		for _, s := range x.live {
			d.streams[s.ID] = s
		}
		return
	}
	if x.Seq <= d.seq {
		return // it was told before the connection broke
	}
	d.seq = x.Seq
	if x.Lost > 0 {
		c.log().Warn("the relay process could not keep all it had to tell", "lost", x.Lost)
	}
	if x.Log != nil {
		x.Log.say(c.log())
	}
	if x.Event != nil {
		d.note(x.Tag, x.Event)
		c.happened()
		if c.OnEvent != nil {
			c.OnEvent(x.Tag, *x.Event)
		}
	}
}

// note keeps what is live.
func (d *delivery) note(tag string, e *relay.Event) {
	if e.Kind == relay.StreamStopped {
		delete(d.streams, e.Stream)
		return
	}
	s := d.streams[e.Stream]
	if s.Up == nil {
		s = live{ID: e.Stream, Tag: tag, Up: map[string]string{}}
		d.streams[e.Stream] = s
	}
	switch e.Kind {
	case relay.DestinationUp:
		s.Up[e.Destination] = e.Name
	case relay.DestinationDown, relay.DestinationRemoved:
		delete(s.Up, e.Destination)
	}
}

// died tells that all that was live is not, because the process is gone.
func (d *delivery) died() {
	for id, s := range d.streams {
		tell := func(e relay.Event) {
			e.At, e.Stream, e.Text = time.Now(), id, "The relay's process ended."
			if d.c.OnEvent != nil {
				d.c.OnEvent(s.Tag, e)
			}
		}
		for dest, name := range s.Up {
			tell(relay.Event{Kind: relay.DestinationDown, Destination: dest, Name: name, Reason: relay.Closed})
		}
		tell(relay.Event{Kind: relay.StreamStopped})
	}
	clear(d.streams)
	d.c.happened()
}

// leave tells the process that the hub ends, and waits for its end when it is of no more use.
func (c *Client) leave() {
	var h hello
	if err := c.short(http.MethodPost, "/relay/leave", nil, &h); err != nil {
		return
	}
	if c.Tied {
		_ = c.short(http.MethodPost, "/relay/end", nil, nil)
	} else if h.Streams > 0 {
		c.log().Info("the video goes on without the hub, in the relay's process", "pid", h.PID, "streams", h.Streams)
		return
	}
	c.gone(context.Background(), h.run())
}

// sleep waits and says whether it was not interrupted.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
