package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// DefaultRequest is how long Request waits when its ctx names no end.
const DefaultRequest = 3 * time.Second

// answering is how many requests of one Answer are worked on at once; one more is told ErrBusy.
const answering = 1024

// Errors of Request.
var (
	ErrNobody = errors.New("nobody answers")             // no node has an Answer for the subject
	ErrBusy   = errors.New("the answering node is busy") // it did not begin; asking again does no harm
)

// RemoteError is the text of an error that the answering function returned, maybe on another node.
type RemoteError struct{ Text string }

// Error is the text.
func (e *RemoteError) Error() string { return e.Text }

// Headers of requests and replies. Deadlines travel as time left, since clocks of nodes differ.
const (
	headerLeft  = "Hawker-Left-Ms"
	headerError = "Hawker-Error"
	headerBusy  = "Hawker-Busy"
)

// Request asks whoever answers subject and waits for the reply, at most until ctx ends or DefaultRequest. An error is
// ErrNobody (at once), ErrBusy, a *RemoteError, or an error of ctx: then the request may still have been carried out.
func (b *Bus) Request(ctx context.Context, subject string, data []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, b.left(ctx))
	defer cancel()
	m := nats.NewMsg(subject)
	m.Data = data
	until, _ := ctx.Deadline()
	m.Header.Set(headerLeft, strconv.FormatInt(time.Until(until).Milliseconds(), 10))
	reply, err := b.conn.RequestMsgWithContext(ctx, m)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, fmt.Errorf("ask %s: %w", subject, ErrNobody)
	case err != nil:
		return nil, fmt.Errorf("ask %s: %w", subject, b.wrap(err))
	case reply.Header.Get(headerBusy) != "":
		return nil, fmt.Errorf("ask %s: %w", subject, ErrBusy)
	}
	if text, ok := reply.Header[headerError]; ok && len(text) > 0 {
		return nil, &RemoteError{Text: string(reply.Data)}
	}
	return reply.Data, nil
}

func (b *Bus) left(ctx context.Context) time.Duration {
	if until, ok := ctx.Deadline(); ok {
		return time.Until(until)
	}
	return DefaultRequest
}

// Answer calls f for each request on subject, each in a goroutine of its own, at most 1,024 at once. When several
// nodes answer one subject, one of them gets each request. f's ctx ends when the asker no longer waits or the bus
// closes. What f returns is the reply; of an error the asker gets the text.
func (b *Bus) Answer(subject string, f func(ctx context.Context, data []byte) ([]byte, error)) (*Subscription, error) {
	slots := make(chan struct{}, answering)
	s, err := b.subscribe(subject, "answer", func(_ *nats.Subscription, m *nats.Msg) {
		select {
		case slots <- struct{}{}:
		default:
			b.reply(m, nil, headerBusy)
			return
		}
		b.loops.Go(func() {
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(b.ctx, leftOf(m))
			defer cancel()
			data, err := f(ctx, m.Data)
			if err != nil {
				b.reply(m, []byte(err.Error()), headerError)
				return
			}
			b.reply(m, data, "")
		})
	})
	if err != nil {
		return nil, err
	}
	// Closing waits for the requests too, not only for the goroutine that hands them out.
	all := &Subscription{sub: s.sub, stop: s.stop, done: make(chan struct{}), answers: true}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loops.Go(func() {
		defer close(all.done)
		defer func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.answers = slices.DeleteFunc(b.answers, func(a *Subscription) bool { return a == all })
		}()
		<-s.done
		for range answering {
			slots <- struct{}{}
		}
	})
	b.answers = append(b.answers, all)
	return all, nil
}

func (b *Bus) reply(m *nats.Msg, data []byte, header string) {
	if m.Reply == "" {
		return // published, not asked: nobody waits
	}
	r := nats.NewMsg(m.Reply)
	r.Data = data
	if header != "" {
		r.Header.Set(header, "1")
	}
	if err := b.conn.PublishMsg(r); err != nil {
		b.log.Warn("reply not sent", "subject", m.Subject, "err", err)
	}
}

// leftOf reads how long the asker waits. Nonsense counts as DefaultRequest: the header comes from outside.
func leftOf(m *nats.Msg) time.Duration {
	ms, err := strconv.ParseInt(m.Header.Get(headerLeft), 10, 64)
	if err != nil || ms < 0 || ms > time.Hour.Milliseconds() {
		return DefaultRequest
	}
	return time.Duration(ms) * time.Millisecond
}
