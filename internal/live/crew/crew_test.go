package crew

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/ruling"
	"hawker/rules/rule"
)

// The slate is shown and ended for the show of the rule, and without video the rule is told so.
func TestSlate(t *testing.T) {
	done := make(chan commerce.ID, 4)
	did := make(chan bool, 4)
	c := &Crew{Log: slog.New(slog.DiscardHandler), Done: func(id commerce.ID) { done <- id }}
	c.Slate = func(_ context.Context, show commerce.ID, on bool) error {
		if show != 100 {
			return errors.New("another show")
		}
		did <- on
		return nil
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { c.own.Run(ctx); close(ended) }()
	for i, on := range []bool{true, false} {
		w := &ruling.Want{At: time.Now(), Show: 100, Channel: chat.Channel{Platform: chat.Twitch, ID: "1"}}
		w.Do, w.On = rule.Slate, on
		c.Do(Job{ID: commerce.ID(i + 1), Want: w, NotAfter: time.Now().Add(time.Hour)})
		if got := <-did; got != on {
			t.Errorf("slate %v", got)
		}
		if id := <-done; id != commerce.ID(i+1) {
			t.Errorf("job %v is over", id)
		}
	}
	stop()
	<-ended
}
