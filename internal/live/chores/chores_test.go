package chores

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"hawker/internal/chat"
)

func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &Queue{Log: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); q.Run(ctx) }()
		became := make(chan error, 1)
		do := func(notAfter time.Duration, errs ...error) (int, error) {
			t.Helper()
			tries := 0
			q.Add(Chore{What: "wave", NotAfter: time.Now().Add(notAfter), Do: func(context.Context) error {
				tries++
				return errs[min(tries, len(errs))-1]
			}, Done: func(err error) { became <- err }})
			return tries, <-became
		}
		if _, err := do(time.Minute, nil); err != nil || q.Trouble() != (Trouble{}) {
			t.Errorf("done: %v, %+v", err, q.Trouble())
		}
		slow := &chat.Refused{Code: "slow", RetryAfter: 5 * time.Second}
		begun := time.Now()
		if _, err := do(time.Minute, slow, slow, nil); err != nil || time.Since(begun) != 10*time.Second {
			t.Errorf("after two refusals: %v, after %v", err, time.Since(begun))
		}
		final := &chat.Refused{Code: "unsupported"}
		begun = time.Now()
		if _, err := do(time.Minute, final); !errors.Is(err, error(final)) || time.Since(begun) != 0 || q.Trouble().What != "wave" {
			t.Errorf("refused for good: %v, %+v", err, q.Trouble())
		}
		if _, err := do(6*time.Second, slow); !errors.Is(err, ErrTooLate) {
			t.Errorf("past its time: %v", err)
		}
		if _, err := do(time.Hour, slow); err != error(slow) {
			t.Errorf("refused each time: %v", err)
		}
		time.Sleep(seenFor + time.Second)
		if q.Trouble() != (Trouble{}) {
			t.Errorf("old trouble is shown: %+v", q.Trouble())
		}
		// One that hangs lets the others wait, up to a number, and ends with Run.
		full := 0
		for range waitMost + 2 {
			q.Add(Chore{What: "hang", Do: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, Done: func(err error) {
				if errors.Is(err, ErrFull) {
					full++
				}
			}})
			synctest.Wait()
		}
		if full != 1 {
			t.Errorf("%d were one too many, want 1", full)
		}
		stop()
		<-ended
	})
}
