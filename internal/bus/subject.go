package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
)

// Message is what a subscriber gets.
type Message struct {
	Subject string
	Data    []byte // shared with nobody

	// Missed is how many messages this subscriber lost right before this one because it was slow. Who shows a state
	// made of messages reads it anew from SQL when it is not 0.
	Missed uint64
}

// Publish sends data to all who subscribe to subject now, on every node, and keeps nothing. It does not wait for
// anyone; its error means that the message did not leave.
func (b *Bus) Publish(subject string, data []byte) error {
	if err := b.conn.Publish(subject, data); err != nil {
		return fmt.Errorf("publish %s: %w", subject, b.wrap(err))
	}
	return nil
}

// Flush waits until the server has all that was published before.
func (b *Bus) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if err := b.conn.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("flush: %w", b.wrap(err))
	}
	return nil
}

// Subject joins tokens with dots and spells out in each what NATS gives a meaning (dots, wildcards, spaces), so that
// an id from a platform cannot widen a subject: Subject("show", "42", "a.b") is "show.42.a=2Eb". Wildcards are
// written outside of it: Subject("show", "42") + ".*".
func Subject(tokens ...string) string {
	var s strings.Builder
	n := 8 // for a few that are spelled out
	for _, t := range tokens {
		n += len(t) + 1
	}
	s.Grow(n)
	for i, t := range tokens {
		if i > 0 {
			s.WriteByte('.')
		}
		if t == "" {
			s.WriteByte('=') // the empty token, which NATS has not
		}
		for _, c := range []byte(t) {
			if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '_' || c == '/' {
				s.WriteByte(c)
			} else {
				fmt.Fprintf(&s, "=%02X", c)
			}
		}
	}
	return s.String()
}

// Subscription is one subscriber. Close ends it.
type Subscription struct {
	sub  *nats.Subscription
	stop context.CancelFunc
	done chan struct{}

	answers bool // requests wait in it: each that arrived is answered before it ends
}

// Close ends the subscription and waits for its function to return. Messages that still wait are dropped; requests
// that still wait are answered first. The function itself must not call it.
func (s *Subscription) Close() {
	if s.answers {
		s.drain()
	} else {
		s.stop()
	}
	<-s.done
}

// drain lets the function see what waits, then ends the subscription.
func (s *Subscription) drain() {
	if err := s.sub.Drain(); err != nil {
		s.stop()
	}
}

// Subscribe calls f for each message on subject, one after the other, in a goroutine of its own, until Close. When it
// returns, messages published afterwards by anybody reach f. At most Options.Pending messages (and 64 MB) wait for a
// slow f; then new ones are dropped for it, counted in Stats and told by Message.Missed.
func (b *Bus) Subscribe(subject string, f func(Message)) (*Subscription, error) {
	var last uint64
	return b.subscribe(subject, "", func(s *nats.Subscription, m *nats.Msg) {
		missed := dropped(s)
		f(Message{Subject: m.Subject, Data: m.Data, Missed: missed - last})
		last = missed
	})
}

func dropped(s *nats.Subscription) uint64 {
	n, err := s.Dropped()
	if err != nil {
		return 0
	}
	return uint64(n)
}

func (b *Bus) subscribe(subject, queue string, f func(*nats.Subscription, *nats.Msg)) (*Subscription, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, ErrClosed)
	}
	sub, err := b.conn.QueueSubscribeSync(subject, queue)
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, b.wrap(err))
	}
	err = sub.SetPendingLimits(b.pending, 64<<20)
	if err == nil {
		err = b.conn.FlushTimeout(closeTimeout) // the server knows it before we say so
	}
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, errors.Join(b.wrap(err), sub.Unsubscribe()))
	}
	ctx, stop := context.WithCancel(b.ctx)
	s := &Subscription{sub: sub, stop: stop, done: make(chan struct{})}
	b.loops.Go(func() {
		defer close(s.done)
		defer stop()
		b.deliver(ctx, sub, f)
	})
	return s, nil
}

// deliver is a subscription's goroutine.
func (b *Bus) deliver(ctx context.Context, sub *nats.Subscription, f func(*nats.Subscription, *nats.Msg)) {
	var counted uint64
	count := func() {
		if n := dropped(sub); n > counted {
			b.dropped.Add(n - counted)
			counted = n
		}
	}
	defer func() {
		count()
		_ = sub.Unsubscribe() // fails only when it is ended already
	}()
	for {
		m, err := sub.NextMsgWithContext(ctx)
		switch {
		case errors.Is(err, nats.ErrSlowConsumer):
			count() // told once for each time it falls behind; the messages that did fit follow
		case err != nil:
			return // closed, drained, or the bus ended
		default:
			f(sub, m)
		}
	}
}

// wrap gives our name to the errors of a closed connection.
func (b *Bus) wrap(err error) error {
	if b.conn.IsClosed() || errors.Is(err, nats.ErrConnectionDraining) {
		return ErrClosed
	}
	return err
}
