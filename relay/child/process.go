package child

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"hawker/relay"
)

const (
	// askTimeout is how long a publisher waits for the hub's word on its key.
	askTimeout = 5 * time.Second
	// lockTimeout is how long a process waits for the one before it to end.
	lockTimeout = 15 * time.Second
	// tiedLimit is AwayLimit for a process that has one hub only, which may have died before it came.
	tiedLimit = 2 * time.Minute
	// maxSlate bounds a slate, in bytes; maxBody bounds all other requests.
	maxSlate = 64 << 20
	maxBody  = 4 << 20
	// lookEvery is how often the process looks whether it is still of use.
	lookEvery = time.Second
)

// errOver is the cause of an end that is as it should be.
var errOver = errors.New("over")

// process is the relay's process.
type process struct {
	version string
	first   first
	started time.Time
	core    *Core
	feed    *feed
	memory  *memory
	log     *slog.Logger
	end     context.CancelCauseFunc
	ending  atomic.Bool // no more encoders are let in

	doing sync.Mutex // held while a deed is done, or what a review said is put into force

	mu      sync.Mutex
	left    bool      // the hub said that it ends
	seen    bool      // there was a hub
	useless time.Time // since when there is neither a hub nor a stream
}

// Main is the life of the relay's process in the data folder dir: it reads what to do from in, says on out whether it could
// begin, and returns when it is of no more use, or when ctx ends. version is that of the program.
//
// It ends without a word to destinations, so that they wait for the next process; streams that end on purpose do so before.
func Main(ctx context.Context, dir, version string, in io.Reader, out io.WriteCloser, open Open) error {
	p := &process{version: version, started: time.Now(), feed: newFeed(), memory: newMemory()}
	ctx, p.end = context.WithCancelCause(ctx)
	defer p.end(nil)
	giveBack, ln, err := p.begin(ctx, dir, in, open)
	var r report
	if err != nil {
		r.Err = err.Error()
	}
	told := json.NewEncoder(out).Encode(r) // whoever started us may have ended: then the next hub finds us
	_ = out.Close()
	switch {
	case err != nil && told == nil:
		return nil // it is said where it is wanted
	case err != nil:
		return err
	}
	defer giveBack()
	if p.first.Settle {
		relay.Settle()
	}
	err = p.serve(ctx, ln)
	if cause := context.Cause(ctx); cause != nil && (err == nil || errors.Is(err, context.Canceled)) {
		p.log.Info("the relay's process ends", "why", cause)
		return nil
	}
	return err
}

// begin takes the data folder's lock and opens everything. giveBack closes what the relay itself does not.
func (p *process) begin(ctx context.Context, dir string, in io.Reader, open Open) (giveBack func(), _ net.Listener, err error) {
	if err := json.NewDecoder(in).Decode(&p.first); err != nil {
		return nil, nil, fmt.Errorf("this is started by hawker itself, which says on the standard input what to do: %w", err)
	}
	lock := flock.New(filepath.Join(dir, LockName), flock.SetPermissions(0o600))
	defer func() {
		if err != nil {
			_ = lock.Unlock()
		}
	}()
	wait, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	if got, err := lock.TryLockContext(wait, 20*time.Millisecond); err != nil || !got {
		return nil, nil, fmt.Errorf("another relay process runs in this data folder: %w", err)
	}
	p.log = slog.New(&handler{level: p.first.Level, keep: func(r *record) { p.feed.put(line{Log: r}) }})
	p.first.Log = p.log
	if p.core, err = open(ctx, p.first.Start); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			for _, l := range p.core.Listeners {
				_ = l.Close()
			}
		}
	}()
	path := filepath.Join(dir, SocketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err // we hold the lock, so nobody listens there
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, nil, fmt.Errorf("socket: %w", bare(err))
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = ln.Close()
		return nil, nil, err
	}
	return func() { _, _ = ln.Close(), lock.Unlock() }, &guarded{Listener: ln, allowed: ours, log: p.log}, nil
}

// serve serves encoders and the hub until ctx ends or something fails.
func (p *process) serve(ctx context.Context, ln net.Listener) error {
	srv := p.core.Server
	srv.Stream, srv.OnEvent = p.stream, p.event
	if srv.Log == nil {
		srv.Log = p.log
	}
	g, ctx := errgroup.WithContext(ctx)
	web := &http.Server{
		Handler: p.handler(), BaseContext: func(net.Listener) context.Context { return ctx }, ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	g.Go(func() error { return srv.Run(ctx, p.core.Listeners...) })
	g.Go(func() error {
		<-ctx.Done()
		return web.Close()
	})
	g.Go(func() error {
		if err := web.Serve(ln); ctx.Err() == nil {
			return fmt.Errorf("serve the hub: %w", err)
		}
		return nil
	})
	g.Go(func() error { p.look(ctx); return nil })
	g.Go(func() error { p.reviews(ctx); return nil })
	if p.core.Run != nil {
		g.Go(func() error { return p.core.Run(ctx) })
	}
	return g.Wait()
}

// look ends the process when it is of no more use.
func (p *process) look(ctx context.Context) {
	every := lookEvery
	if p.first.Away > 0 {
		every = min(every, p.first.Away/4)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		here, moved := p.feed.present()
		streams := p.core.Server.Status()
		p.memory.sweep(time.Now(), streams)
		if why := p.over(time.Now(), here, streams); why != "" {
			p.end(fmt.Errorf("%w: %s", errOver, why))
			return
		}
		select {
		case <-tick.C:
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

// over says why the process is of no more use, "" while it is.
func (p *process) over(now time.Time, here bool, streams []relay.StreamStatus) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	here = here && !p.left
	if here || len(streams) > 0 || p.useless.IsZero() { // a stream without an encoder has a limit of its own
		p.useless = now
	}
	limit := p.first.Away
	if limit == 0 {
		limit = AwayLimit
	}
	if p.first.Tied {
		limit = min(limit, tiedLimit)
	}
	switch {
	case here:
	case p.first.Tied && p.seen:
		return "the hub is gone, and no other is to come"
	case p.left && len(streams) == 0:
		return "the hub has ended, and no stream is live"
	case now.Sub(p.useless) >= limit:
		return "for long there was neither a hub nor a stream"
	}
	return ""
}

// stream asks the hub whose a key is; what it said before counts while it cannot say.
func (p *process) stream(ctx context.Context, key string) (relay.Config, error) {
	if p.ending.Load() {
		return relay.Config{}, errOver
	}
	_, known := p.memory.known(key)
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var a answer
	var err error
	for then := ^uint64(0); err == nil && then != p.memory.deeds(); { // what was said before a deed may not hold after it
		then = p.memory.deeds()
		a, err = p.feed.ask(ctx, key, !known)
	}
	switch {
	case err == nil && a.Unknown:
		p.memory.forget(key)
		return relay.Config{}, relay.ErrUnknownKey
	case err == nil && a.Err == "":
		return p.memory.admit(key, a), nil
	case err == nil:
		err = errors.New(a.Err)
	}
	if cfg, ok := p.memory.known(key); ok {
		p.log.Warn("an encoder is let in as before, because the hub cannot say whose its key is", "stream", cfg.ID, "err", err)
		return cfg, nil
	}
	return relay.Config{}, err
}

func (p *process) event(e relay.Event) {
	p.feed.put(line{Tag: p.memory.tag(e.Stream), Event: &e})
}

// reviews asks each hub that comes about all keys, and puts into force what it says: something may have been changed while
// there was none.
func (p *process) reviews(ctx context.Context) {
	for {
		here, moved := p.feed.present()
		if here {
			for _, key := range p.memory.all() {
				p.review(ctx, key)
			}
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

func (p *process) review(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for {
		then := p.memory.deeds()
		a, err := p.feed.ask(ctx, key, false)
		if err != nil || a.Err != "" || p.settle(key, a, then) {
			return // without an answer it is left to the next hub, or the next encoder
		}
	}
}

// settle puts into force what the hub said of a key, unless a deed was done since: it may have said so before.
func (p *process) settle(key string, a answer, then uint64) bool {
	p.doing.Lock()
	defer p.doing.Unlock()
	switch {
	case p.memory.deeds() != then:
		return false
	case a.Unknown:
		p.memory.forget(key)
	default:
		cfg := p.memory.admit(key, a)
		if p.core.Server.Set(cfg.ID, cfg.Destinations) == nil {
			_ = p.core.Server.Tune(cfg.ID, cfg) // it is live, or was until now
		}
	}
	return true
}

func (p *process) run() string {
	h := hello{PID: os.Getpid(), Started: p.started}
	return h.run()
}

// hello is what the process says of itself.
func (p *process) hello() hello {
	h := hello{
		Protocol: Protocol, Version: p.version, Settings: fingerprint(p.first.Settings), PID: os.Getpid(), Started: p.started,
		Streams: len(p.core.Server.Status()),
	}
	for _, l := range p.core.Listeners {
		h.Addrs = append(h.Addrs, l.Addr().String())
	}
	return h
}

// fingerprint tells settings apart.
func fingerprint(settings []byte) string {
	sum := sha256.Sum256(settings)
	return hex.EncodeToString(sum[:8])
}

// bare is an error of a socket without its path.
func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}
