// Package turns lets one at a time do something about one thing.
package turns

import (
	"context"
	"sync"

	"hawker/commerce"
)

// Turns are who is at which thing. The zero value is ready; its methods may be called by many goroutines.
type Turns struct {
	mu   sync.Mutex
	busy map[commerce.ID]chan struct{}
}

// Enter waits until nobody else is at a thing, or until ctx ends; leave lets the next one in.
func (t *Turns) Enter(ctx context.Context, id commerce.ID) (leave func(), err error) {
	for {
		t.mu.Lock()
		other := t.busy[id]
		if other == nil {
			own := make(chan struct{})
			if t.busy == nil {
				t.busy = map[commerce.ID]chan struct{}{}
			}
			t.busy[id] = own
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.busy, id)
				t.mu.Unlock()
				close(own)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
