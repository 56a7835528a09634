// Package eventsub hears what Twitch tells over EventSub's WebSocket: one Run is one session after the other. It knows the
// frames, the silence that means a dead connection, the move to another server without a gap, and the repeats; which
// subscriptions are made, and with whose token, is its caller's affair. Twitch replays nothing: what happened while no
// session stood is lost.
package eventsub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// DefaultURL is Twitch's own server.
const DefaultURL = "wss://eventsub.wss.twitch.tv/ws"

const (
	firstPause = 500 * time.Millisecond
	longest    = time.Minute
	// steady is how long a session must have lasted for the next pause to be the first again.
	steady = 2 * time.Minute
	// welcomeIn is how long a new connection may take to its welcome; Twitch's comes at once.
	welcomeIn = 10 * time.Second
	// quiet is how long Twitch stays silent at most, until a welcome says otherwise (Twitch docs, "Getting Events Using
	// WebSockets").
	quiet = 10 * time.Second
	// moveIn is how long an old server goes on after session_reconnect: it closes (4004) after 30 s.
	moveIn = 30 * time.Second
	// linger is how long the old connection is read after the new one's welcome: what Twitch sent over it before may still
	// be on the way.
	linger = 2 * time.Second
	// resubscribeIn is the first pause after subscriptions that could not be asked for; it doubles to a minute.
	resubscribeIn = 3 * time.Second
)

// ErrNothing is Subscribe's way to say that there is nothing to hear: Run ends with it. Twitch closes sessions without
// subscriptions (4003), so none is kept.
var ErrNothing = errors.New("eventsub: no subscriptions")

// ErrSilent is what Lost is told of a session that died without a word, up to a keepalive's time ago.
var ErrSilent = errors.New("events of Twitch fell silent")

// Notification is one thing that Twitch tells.
type Notification struct {
	ID            string // of the message; the same when Twitch sends it again
	Type, Version string // of the subscription, such as "channel.follow" and "2"
	At            time.Time
	Event         json.RawMessage
}

// Revocation is the end of one subscription by Twitch's will. Status says why: "authorization_revoked", "user_removed",
// "version_removed", "moderator_removed".
type Revocation struct{ ID, Type, Version, Status string }

// Options are what Run needs. Subscribe and Notify are required.
type Options struct {
	URL  string       // empty means Twitch itself
	HTTP *http.Client // nil means http.DefaultClient
	// Subscribe makes the subscriptions of a session; fresh means that it has none yet. It is called after each welcome of a
	// new session (not of one that moved: subscriptions move along) and whenever Changed tells, and again after a pause when
	// it returns an error. It runs beside Notify; ErrNothing ends Run.
	Subscribe func(ctx context.Context, session string, fresh bool) error
	// Notify is called for each notification once, in the order of their arrival, from Run's goroutine.
	Notify func(Notification)
	// Revoked is called likewise; nil drops it.
	Revoked func(Revocation)
	// Lost is called when a session ended and another is tried; Welcome when one stands. Either may be nil.
	Lost    func(error)
	Welcome func()
	// Changed asks for Subscribe; nil never does.
	Changed <-chan struct{}
	Log     *slog.Logger // may be nil
}

// Run holds sessions until ctx ends (nil) or Subscribe returns ErrNothing, which is Run's error then. Between two sessions it waits half a second at
// first, up to a minute, with jitter.
func Run(ctx context.Context, o Options) error {
	if err := Check(o.URL); err != nil {
		return err
	}
	if o.URL == "" {
		o.URL = DefaultURL
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	pause, known := firstPause, &memory{}
	for {
		began := time.Now()
		err := session(ctx, &o, known)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, ErrNothing) {
			return err
		}
		if o.Lost != nil {
			o.Lost(err)
		}
		o.Log.InfoContext(ctx, "twitch event session lost", "err", err)
		if time.Since(began) > steady {
			pause = firstPause
		}
		t := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
		pause = min(2*pause, longest)
	}
}

// Check says whether an address is one to dial; an empty one is Twitch's own.
func Check(address string) error {
	if address == "" {
		return nil
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return fmt.Errorf("twitch: event address %q: want wss://host/path or ws://host/path", address)
	}
	return nil
}

// talk is one session, over one connection or, while it moves, two. All of it runs in Run's goroutine; connections are read
// by goroutines of their own, which hand frames over.
type talk struct {
	o     *Options
	known *memory
	own   *sync.WaitGroup
	in    chan arrival // of all connections; readers wait when it is full, and Twitch with them
	asked chan error   // what Subscribe returned

	now, next, old *conn // heard, being moved to, being left
	id             string
	fresh          bool // no subscription was asked for on this session yet
	asking, again  bool // Subscribe runs; it must run once more
	retry          time.Duration
	ask            <-chan time.Time
	drop           <-chan time.Time // old is closed then
	moveBy         time.Time
}

func session(ctx context.Context, o *Options, known *memory) error {
	ctx, stop := context.WithCancel(ctx)
	var own sync.WaitGroup
	defer own.Wait()
	defer stop()
	t := &talk{o: o, known: known, own: &own, in: make(chan arrival, 256), asked: make(chan error, 1), fresh: true}
	defer func() {
		for _, c := range []*conn{t.now, t.next, t.old} {
			c.close()
		}
	}()
	t.now = t.dial(ctx, o.URL, false)
	look := time.NewTicker(250 * time.Millisecond)
	defer look.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case a := <-t.in:
			err = t.take(ctx, a)
		case e := <-t.asked:
			err = t.answered(ctx, e)
		case <-t.ask:
			t.ask = nil
			t.subscribe(ctx)
		case <-o.Changed:
			t.subscribe(ctx)
		case <-t.drop:
			t.old.close()
			t.old, t.drop = nil, nil
		case now := <-look.C:
			err = t.alive(ctx, now)
		}
		if err != nil {
			return err
		}
	}
}

// alive finds connections that say nothing, and a move that does not come about.
func (t *talk) alive(ctx context.Context, now time.Time) error {
	if t.now.silent(now) {
		return ErrSilent
	}
	// A move that came to nothing is tried again while the old server still goes on, and not without a pause.
	if n := t.next; n != nil && (n.dead && now.Sub(n.began) > time.Second || n.silent(now)) {
		n.close()
		t.next = nil
		t.o.Log.InfoContext(ctx, "twitch event session did not move yet")
		if now.Before(t.moveBy) {
			t.next = t.dial(ctx, n.address, true)
		}
	}
	return nil
}

// take does what one frame says.
func (t *talk) take(ctx context.Context, a arrival) error {
	if a.err != nil {
		a.from.dead = true
		if a.from != t.now {
			return nil // alive looks after the next one, the old one may go
		}
		if t.next == nil || t.next.dead {
			return a.err
		}
		// The old server went first; the new one's welcome is on its way, and alive gives up when not.
		t.now.close()
		t.now, t.next = t.next, nil
		return nil
	}
	if a.from != t.now && a.from != t.next && a.from != t.old {
		return nil
	}
	f := a.frame
	a.from.heard = time.Now()
	switch f.Metadata.Type {
	case "session_welcome":
		return t.welcome(ctx, a.from, f)
	case "notification":
		t.notify(ctx, f)
	case "revocation":
		if (f.Metadata.ID == "" || t.known.add(f.Metadata.ID, time.Now())) && t.o.Revoked != nil {
			s := f.Payload.Subscription
			t.o.Revoked(Revocation{ID: s.ID, Type: s.Type, Version: s.Version, Status: s.Status})
		}
	case "session_reconnect":
		to := f.Payload.Session.ReconnectURL
		moving := t.next != nil && !t.next.dead
		if a.from != t.now || moving || to == "" || Check(to) != nil || strings.HasPrefix(t.o.URL, "wss:") && !strings.HasPrefix(to, "wss:") {
			return nil // a second request to move while moving changes nothing; nor does one to an open line
		}
		t.next.close()
		t.moveBy = time.Now().Add(moveIn)
		t.next = t.dial(ctx, to, true)
	}
	return nil
}

func (t *talk) welcome(ctx context.Context, from *conn, f *frame) error {
	s := f.Payload.Session
	if s.ID == "" {
		return errors.New("twitch greets without a session")
	}
	if s.Quiet > 0 {
		from.quiet = time.Duration(min(s.Quiet, 600)) * time.Second
	}
	if from == t.next {
		from.quiet = max(from.quiet, t.now.quiet) // a moved session may name none
		t.old.close()
		t.old, t.now, t.next = t.now, from, nil
		t.drop = time.After(linger)
	}
	from.in, t.id = true, s.ID
	if t.o.Welcome != nil {
		t.o.Welcome()
	}
	if !from.moved { // a session that moved has its subscriptions with it
		t.subscribe(ctx)
	}
	return nil
}

func (t *talk) notify(ctx context.Context, f *frame) {
	n := Notification{ID: f.Metadata.ID, Type: f.Metadata.SubType, Version: f.Metadata.SubVersion, Event: f.Payload.Event}
	now := time.Now()
	at, err := time.Parse(time.RFC3339Nano, f.Metadata.Timestamp)
	switch {
	case n.ID == "" || n.Type == "" || err != nil:
		t.o.Log.DebugContext(ctx, "twitch notification makes no sense", "type", n.Type)
	case now.Sub(at) > tooOld || !t.known.add(n.ID, now):
	default:
		n.At = at
		t.o.Notify(n)
	}
}

// subscribe has Subscribe called, one call at a time.
func (t *talk) subscribe(ctx context.Context) {
	if t.id == "" {
		return // the welcome does it
	}
	if t.asking {
		t.again = true
		return
	}
	t.asking, t.ask = true, nil
	id, fresh := t.id, t.fresh
	t.fresh = false
	t.own.Go(func() { t.asked <- t.o.Subscribe(ctx, id, fresh) })
}

func (t *talk) answered(ctx context.Context, err error) error {
	t.asking = false
	switch {
	case t.again:
		t.again = false
		t.subscribe(ctx)
	case errors.Is(err, ErrNothing):
		return err
	case err != nil:
		t.o.Log.WarnContext(ctx, "twitch events not all subscribed", "err", err)
		t.retry = min(max(2*t.retry, resubscribeIn), longest)
		t.ask = time.After(t.retry)
	default:
		t.retry = 0
	}
	return nil
}
