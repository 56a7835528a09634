package relay

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"hawker/relay/preset"
	"hawker/relay/rtmp"
)

// State says how a destination is doing.
type State string

// The states of a destination.
const (
	Connecting State = "connecting" // up to the first keyframe
	Live       State = "live"
	StateStall State = "stalled"  // connected, but it takes nothing
	Retrying   State = "retrying" // waiting to connect again; Reason says why
	LeftOut    State = "left_out" // the line does not carry it beside the others
)

const (
	// firstRetry is the longest pause before the first try after a failure, maxRetry before any other.
	firstRetry = 250 * time.Millisecond
	maxRetry   = 30 * time.Second
	// A rejected key is tried after rejectedRetry, then twice that and so on up to maxRejectedRetry: platforms block
	// addresses that knock too often with a bad key.
	rejectedRetry    = time.Minute
	maxRejectedRetry = 10 * time.Minute
	// steady is how long a push must live to count as having worked.
	steady = 10 * time.Second
	// earlyCloses pushes in a row that ended before steady make ClosesEarly.
	earlyCloses = 3
	// sendingFor is how long bytes may go without an acknowledgement before the lamp goes out.
	sendingFor = 4 * time.Second
)

// errLine is the cause of a push that was left out for the sake of the others.
var errLine = errors.New("relay: left out")

// errStalled is the error of a push whose peer took nothing for the stall timeout.
var errStalled = errors.New("relay: stalled")

// destination keeps one push going. Its run goroutine writes; a reader inside rtmp.Publisher listens.
type destination struct {
	id     string
	st     *stream
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when run returns

	writing  atomic.Int64  // unix ns since when a write is under way, 0 when none is
	position atomic.Uint64 // in the ring
	shed     atomic.Bool   // the line does not carry it
	priority atomic.Int64
	order    atomic.Int64  // among those of the stream
	taken    chan struct{} // one token: shed has become false
	platform preset.Preset // its zero value when nobody knows it

	mu         sync.Mutex
	conf       Destination
	state      State
	since      time.Time
	reason     Reason
	text       string
	next       time.Time // of the next try
	pub        *rtmp.Publisher
	sent       uint64                  // bytes of pushes that have ended
	drops      uint64                  // messages skipped
	groups     uint64                  // times they were
	acked      uint64                  // bytes
	grew       time.Time               // acked did
	rate       meter                   // of what is sent
	left       string                  // why it is left out
	breakOff   context.CancelCauseFunc // of the push that is under way
	reconnects int
	wasLive    bool // some push was: the key is good
}

func newDestination(st *stream, conf Destination, cancel context.CancelCauseFunc) *destination {
	d := &destination{
		id: conf.ID, st: st, cancel: cancel, done: make(chan struct{}), conf: conf, state: Connecting, since: time.Now(),
		taken: make(chan struct{}, 1),
	}
	if t, err := rtmp.ParseTarget(conf.Server, conf.Key); err == nil {
		d.platform, _ = preset.Of(t.Host)
	}
	return d
}

// same says whether conf leads to the same place with the same key.
func (d *destination) same(conf Destination) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.conf.Server == conf.Server && d.conf.Key == conf.Key
}

// rename takes over what does not need another connection.
func (d *destination) rename(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conf.Name = name
}

// leaveOut breaks the push off for the sake of the others, without a goodbye: it may come back.
func (d *destination) leaveOut(text string) {
	d.mu.Lock()
	d.left = text
	d.shed.Store(true)
	if d.breakOff != nil {
		d.breakOff(errLine)
	}
	d.mu.Unlock()
	d.become(LeftOut, Line, text)
	d.emit(DestinationDown, Line, text)
}

// takeIn lets the push go on.
func (d *destination) takeIn() {
	d.shed.Store(false)
	select {
	case d.taken <- struct{}{}:
	default:
	}
}

func (d *destination) emit(kind EventKind, reason Reason, text string) {
	d.mu.Lock()
	name := d.conf.Name
	d.mu.Unlock()
	d.st.srv.emit(Event{Kind: kind, Stream: d.st.id, Destination: d.id, Name: name, Reason: reason, Text: text})
}

func (d *destination) become(s State, reason Reason, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state != s {
		d.since = time.Now()
	}
	d.state, d.reason, d.text, d.next = s, reason, text, time.Time{}
}

// run pushes until ctx ends or the ring does.
func (d *destination) run(ctx context.Context) {
	defer close(d.done)
	defer d.emit(DestinationRemoved, "", "")
	failed, early := 0, 0 // in a row
	for ctx.Err() == nil && !d.st.isOver() {
		if d.shed.Load() {
			d.mu.Lock()
			text := d.left
			d.mu.Unlock()
			d.become(LeftOut, Line, text) // whatever its last breath made of it
			select {
			case <-d.taken:
			case <-ctx.Done():
			case <-d.st.over:
			}
			continue
		}
		lived, err := d.pushOnce(ctx)
		if d.shed.Load() {
			continue
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		reason, text := explain(err)
		switch {
		case lived >= steady:
			failed, early = 0, 0
		case lived > 0:
			if early++; early >= earlyCloses && reason == Closed {
				reason, text = ClosesEarly, "The server closes the connection right after the start: it may not accept this codec, or the broadcast is over."
			}
		default:
			early = 0
		}
		wait := d.pause(reason, failed)
		failed++
		d.become(Retrying, reason, text)
		d.mu.Lock()
		d.next = time.Now().Add(wait)
		d.reconnects++
		d.mu.Unlock()
		d.emit(DestinationDown, reason, text)
		d.wait(ctx, wait)
	}
}

// pushOnce is push, which leaveOut may break off.
func (d *destination) pushOnce(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.mu.Lock()
	d.breakOff = cancel
	d.mu.Unlock()
	lived, err := d.push(ctx)
	d.mu.Lock()
	d.breakOff = nil
	d.mu.Unlock()
	return lived, err
}

// wait waits for the next try, or for the end.
func (d *destination) wait(ctx context.Context, pause time.Duration) {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-d.st.over:
	}
}

// pause is how long to wait after the given number of failures in a row.
func (d *destination) pause(reason Reason, failed int) time.Duration {
	d.mu.Lock()
	proven := d.wasLive
	d.mu.Unlock()
	switch {
	case reason == BadAddress:
		return maxRejectedRetry
	case reason == NoCodec, reason == Private:
		return jitter(min(rejectedRetry<<min(failed, 8), maxRejectedRetry))
	case reason == KeyRejected && !proven:
		return jitter(min(rejectedRetry<<min(failed, 8), maxRejectedRetry))
	case reason == KeyRejected:
		// The key was good a moment ago: the platform still holds the session that broke off.
		return jitter(min(4*time.Second<<min(failed, 8), maxRetry))
	case failed == 0:
		return jitter(firstRetry)
	}
	return jitter(min(time.Second<<min(failed-1, 8), maxRetry))
}

// jitter spreads the tries of many destinations that failed together over half of d.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// look notes stalls and what was acknowledged. The stream calls it every second.
func (d *destination) look(now time.Time) {
	d.mu.Lock()
	sent := d.sent
	acked := sent
	if d.pub != nil {
		sent, acked = sent+d.pub.Sent(), acked+d.pub.Acked()
	}
	if acked > d.acked {
		d.acked, d.grew = acked, now
	}
	d.rate.sample(now, sent)
	d.mu.Unlock()
	began := d.writing.Load()
	if began == 0 || now.Sub(time.Unix(0, began)) < stalledAfter {
		return
	}
	d.mu.Lock()
	stalls := d.state == Live
	if stalls {
		d.state, d.since, d.reason, d.text = StateStall, now, Stalled, "The server stopped taking data."
	}
	d.mu.Unlock()
	if stalls {
		d.emit(DestinationStalled, Stalled, "The server stopped taking data.")
	}
}

// flows notes that something was written.
func (d *destination) flows() {
	d.mu.Lock()
	was := d.state
	if d.shed.Load() {
		was = Live // it is on its way out
	}
	if was != Live {
		d.state, d.since, d.reason, d.text, d.wasLive = Live, time.Now(), "", "", true
	}
	d.mu.Unlock()
	if was != Live {
		d.emit(DestinationUp, "", "")
	}
}
