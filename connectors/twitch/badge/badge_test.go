package badge

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hawker/internal/chat"
)

func TestKeeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		var fail atomic.Bool
		k := &Keeper{App: func(context.Context) (chat.Token, error) {
			n := asked.Add(1)
			time.Sleep(time.Second)
			if fail.Load() {
				return chat.Token{}, errors.New("out of order")
			}
			return chat.Token{Access: strconv.Itoa(int(n)), Expires: time.Now().Add(time.Hour)}, nil
		}}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if got := k.Token(t.Context(), "a"); got != "1" {
					t.Errorf("token %q", got)
				}
			})
		}
		all.Wait()
		if asked.Load() != 1 {
			t.Errorf("asked %d times", asked.Load())
		}
		time.Sleep(51 * time.Minute)
		if got := k.Token(t.Context(), "a"); got != "2" {
			t.Errorf("one about to end: %q", got)
		}
		k.No("a", true)
		if got := k.Token(t.Context(), "a"); got != "3" {
			t.Errorf("one that was no good: %q", got)
		}
		k.No("a", true) // again so soon: it is not the token
		if got := k.Token(t.Context(), "a"); got != "" || k.Token(t.Context(), "b") != "3" {
			t.Errorf("a channel that will not have it: %q", got)
		}
		time.Sleep(time.Hour)
		fail.Store(true)
		if got := k.Token(t.Context(), "a"); got != "" {
			t.Errorf("a login server out of order: %q", got)
		}
		n := asked.Load()
		if k.Token(t.Context(), "a"); asked.Load() != n {
			t.Error("a login server out of order is asked again at once")
		}
		fail.Store(false)
		time.Sleep(time.Hour)
		if got := k.Token(t.Context(), "a"); got == "" {
			t.Error("it is not asked again")
		}
		if (&Keeper{}).Token(t.Context(), "a") != "" {
			t.Error("a token from nowhere")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		k.token = chat.Token{}
		if k.App = func(ctx context.Context) (chat.Token, error) { return chat.Token{}, ctx.Err() }; k.Token(ctx, "a") != "" || !k.failed.Before(time.Now().Add(-time.Minute)) {
			t.Error("a caller that left counts as a failure of the login server")
		}
	})
}
