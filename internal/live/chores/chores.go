// Package chores does what is slow beside who asks for it: deeds on a platform, calls to a store, questions to a database. One
// Queue is one line of waiting, so that what one account's platform delays delays nothing else.
package chores

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"hawker/internal/chat"
)

// Errors that a chore can end with when it was not done.
var (
	ErrFull    = errors.New("too much waits to be done")
	ErrTooLate = errors.New("it matters no more")
)

const (
	waitMost = 256              // chores that wait; what comes then is given up
	doFor    = 15 * time.Second // one try
	triesMax = 4
	restMost = time.Minute // the longest rest between two tries
	// seenFor is how long trouble is shown after it was met.
	seenFor = 10 * time.Minute
)

// Chore is something to do.
type Chore struct {
	What     string // in a few words, for logs and pages
	NotAfter time.Time
	// Do does it. A *chat.Refused that names a time, or a network's, is tried again; every other error is final.
	Do func(ctx context.Context) error
	// Done is told once. It is not told when Run ends first.
	Done func(err error)
}

// Trouble is what went wrong last.
type Trouble struct {
	What string
	Why  string
	At   time.Time
}

// Queue does chores one after the other. Set Log, then call Run.
type Queue struct {
	Log *slog.Logger

	mu      sync.Mutex
	trouble Trouble
	wait    chan Chore
	once    sync.Once
}

func (q *Queue) init() { q.once.Do(func() { q.wait = make(chan Chore, waitMost) }) }

// Add hands in a chore. It never blocks.
func (q *Queue) Add(c Chore) {
	q.init()
	select {
	case q.wait <- c:
	default:
		q.ended(c, ErrFull)
	}
}

// Run does what is handed in until ctx ends.
func (q *Queue) Run(ctx context.Context) {
	q.init()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-q.wait:
			if err := q.do(ctx, c); ctx.Err() == nil || err == nil {
				q.ended(c, err)
			}
		}
	}
}

func (q *Queue) do(ctx context.Context, c Chore) error {
	for try := 1; ; try++ {
		if !c.NotAfter.IsZero() && time.Now().After(c.NotAfter) {
			return ErrTooLate
		}
		tctx, cancel := context.WithTimeout(ctx, doFor)
		err := c.Do(tctx)
		cancel()
		rest := rest(err, try)
		if err == nil || rest == 0 || try == triesMax {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rest):
		}
	}
}

// rest is how long after a failure it is worth trying again; 0 when it is not.
func rest(err error, try int) time.Duration {
	var refused *chat.Refused
	switch {
	case !errors.As(err, &refused) || refused.Unknown || refused.Reconnect:
		return 0
	case refused.RetryAfter > 0:
		return min(refused.RetryAfter, restMost)
	case refused.Code == "network":
		return time.Second << try
	}
	return 0
}

func (q *Queue) ended(c Chore, err error) {
	if err != nil {
		q.Log.Warn("not done", "what", c.What, "err", err)
		q.mu.Lock()
		q.trouble = Trouble{c.What, err.Error(), time.Now()}
		q.mu.Unlock()
	}
	if c.Done != nil {
		c.Done(err)
	}
}

// Trouble is what went wrong lately; zero when nothing did.
func (q *Queue) Trouble() Trouble {
	q.mu.Lock()
	defer q.mu.Unlock()
	if time.Since(q.trouble.At) > seenFor {
		return Trouble{}
	}
	return q.trouble
}
