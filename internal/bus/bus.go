// Package bus carries what other nodes and other processes may want to know: fan-out to browsers, requests to the
// node that owns a merchant, wake-ups, and the chat log. It is NATS: a server inside the process without a port when
// no address is given, a cluster by address otherwise, with the same code above. It is never a way from one function
// of a process to another, and nothing that must not be lost goes by it alone: SQL is the truth.
//
// Goroutines: one for each subscription and one for each request being answered, all ended by Close.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// closeTimeout is the longest time that Close spends on each of its steps: what is not delivered by then is dropped.
const closeTimeout = 5 * time.Second

// ErrClosed means that the bus was closed.
var ErrClosed = errors.New("bus is closed")

// Options says where the bus is. Either URL or Dir is needed.
type Options struct {
	URL  string       // addresses of NATS servers, joined by commas; empty means a server in this process
	Dir  string       // folder of the server in this process; one process at a time may use it
	Name string       // this node's name, shown to operators of NATS
	Log  *slog.Logger // nil means silence

	// Replicas is on how many NATS servers the chat log is kept; 0 means 1. Only a stream that does not exist yet takes
	// it: changing replicas of a living one is the operator's decision.
	Replicas int

	// Pending is how many messages may wait for one subscriber; 0 means DefaultPending. More are dropped for it and
	// counted, so that it holds up nobody else.
	Pending int
}

// DefaultPending is how many messages may wait for a subscriber whose Options name no number.
const DefaultPending = 4096

// Bus is a connection to NATS, and the server itself when that is in this process. Its methods may be called by many
// goroutines.
type Bus struct {
	log     *slog.Logger
	server  *server.Server // nil with a URL
	conn    *nats.Conn
	js      jetstream.JetStream
	chats   jetstream.Stream
	pending int

	ctx      context.Context // ends when the bus closes: what the goroutines below live by
	stop     context.CancelFunc
	ended    chan struct{} // closed when the connection is closed for good
	loops    sync.WaitGroup
	dropped  atomic.Uint64
	logLost  atomic.Uint64
	outages  atomic.Uint64
	mu       sync.Mutex
	closed   bool
	answers  []*Subscription // closed before the others, while replies can still leave
	closeErr error
	once     sync.Once
}

// Open connects, and starts the server in this process when o.URL is empty. ctx bounds the opening alone; Close ends
// the bus. With a URL an unreachable server is an error here; a connection that is lost later comes back by itself,
// and what is published meanwhile waits in memory (8 MB) or is refused.
func Open(ctx context.Context, o Options) (*Bus, error) {
	b := &Bus{log: o.Log, pending: o.Pending, ended: make(chan struct{})}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.pending <= 0 {
		b.pending = DefaultPending
	}
	b.ctx, b.stop = context.WithCancel(context.WithoutCancel(ctx))
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(500*time.Millisecond, 500*time.Millisecond),
		nats.DrainTimeout(closeTimeout),
		nats.SyncQueueLen(b.pending),
		nats.ErrorHandler(b.onError),
		nats.DisconnectErrHandler(b.onDisconnect),
		nats.ReconnectHandler(func(*nats.Conn) { b.log.Info("bus connected again") }),
		nats.ClosedHandler(func(*nats.Conn) { close(b.ended) }),
	}
	address := o.URL
	if address == "" {
		s, err := serve(o, b.log)
		if err != nil {
			b.stop()
			return nil, err
		}
		b.server = s
		opts = append(opts, nats.InProcessServer(s))
	} else if err := checkURL(address); err != nil {
		b.stop()
		return nil, err
	}
	if until, ok := ctx.Deadline(); ok {
		opts = append(opts, nats.Timeout(max(time.Until(until), time.Millisecond)))
	}
	if err := b.connect(ctx, address, opts, o.Replicas); err != nil {
		b.abandon()
		return nil, err
	}
	return b, nil
}

func (b *Bus) connect(ctx context.Context, address string, opts []nats.Option, replicas int) error {
	conn, err := nats.Connect(address, opts...)
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	b.conn = conn
	b.js, err = jetstream.New(conn,
		jetstream.WithPublishAsyncMaxPending(2*logPending),
		jetstream.WithPublishAsyncTimeout(30*time.Second),
		jetstream.WithPublishAsyncErrHandler(b.onLogError))
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	return b.openLog(ctx, replicas)
}

// checkURL reads the addresses before NATS does: its own errors repeat the text, and with it a password.
func checkURL(list string) error {
	for a := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(strings.TrimSpace(a))
		if err != nil || u.Host == "" {
			return errors.New("NATS address is not a list such as nats://host:4222,nats://host2:4222")
		}
		switch u.Scheme {
		case "nats", "tls", "ws", "wss":
		default:
			return fmt.Errorf("NATS address has scheme %q; nats, tls, ws and wss are known", u.Scheme)
		}
	}
	return nil
}

func (b *Bus) onError(_ *nats.Conn, sub *nats.Subscription, err error) {
	subject := ""
	if sub != nil {
		subject = sub.Subject
	}
	b.log.Warn("bus error", "subject", subject, "err", err)
}

func (b *Bus) onDisconnect(_ *nats.Conn, err error) {
	b.mu.Lock()
	closed := b.closed
	b.mu.Unlock()
	if closed || b.ctx.Err() != nil {
		return
	}
	b.outages.Add(1)
	b.log.Warn("bus connection lost", "err", err)
}

// Ready says whether the bus is connected now; nil when it is.
func (b *Bus) Ready() error {
	if s := b.conn.Status(); s != nats.CONNECTED {
		return fmt.Errorf("NATS is %s", strings.ToLower(s.String()))
	}
	return nil
}

// Stats counts what went wrong since Open.
type Stats struct {
	Dropped uint64 // messages that slow subscribers of this process missed
	LogLost uint64 // lines that the chat log did not take
	Outages uint64 // times the connection was lost
}

// Stats reads the counters.
func (b *Bus) Stats() Stats {
	return Stats{Dropped: b.dropped.Load(), LogLost: b.logLost.Load(), Outages: b.outages.Load()}
}

// Close stops taking requests and waits for those being answered, waits for the chat log's confirmations, delivers
// what subscribers have waiting, ends every goroutine, and stops the server in this process. Each step has 5 s. It
// must not be called by a subscriber's function. Closing again gives the same answer.
func (b *Bus) Close() error {
	b.once.Do(func() { b.closeErr = b.close() })
	return b.closeErr
}

func (b *Bus) close() error {
	b.mu.Lock()
	b.closed = true
	answers := slices.Clone(b.answers)
	b.mu.Unlock()
	var errs []error
	for _, s := range answers {
		s.drain()
	}
	for _, s := range answers {
		<-s.done
	}
	select {
	case <-b.js.PublishAsyncComplete():
	case <-time.After(closeTimeout):
		errs = append(errs, fmt.Errorf("chat log: %d lines not confirmed", b.js.PublishAsyncPending()))
	}
	b.js.CleanupPublisher()
	if err := b.conn.Drain(); err != nil {
		// Not connected: nothing can be delivered any more.
		b.conn.Close()
	}
	<-b.ended
	b.stop()
	b.loops.Wait()
	b.stopServer()
	return errors.Join(errs...)
}

// abandon undoes a half-done Open.
func (b *Bus) abandon() {
	b.stop()
	if b.conn != nil {
		b.conn.Close()
		<-b.ended
	}
	b.stopServer()
}
