// Package told keeps what became of answers that promise something: holds whose owners were told, and those who could not be.
package told

import (
	"sync"

	"hawker/commerce"
)

// Told gathers it until the merchant's goroutine takes it. The zero value is ready; its methods may be called by many goroutines.
type Told struct {
	mu            sync.Mutex
	told, unheard []commerce.ID
}

// Add notes that the owner of a hold was told of it (ok), or could not be. first says that nothing else waits to be taken.
func (t *Told) Add(hold commerce.ID, ok bool) (first bool) {
	if hold == 0 {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	first = len(t.told)+len(t.unheard) == 0
	if ok {
		t.told = append(t.told, hold)
	} else {
		t.unheard = append(t.unheard, hold)
	}
	return first
}

// Take hands out what was noted.
func (t *Told) Take() (told, unheard []commerce.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	told, unheard = t.told, t.unheard
	t.told, t.unheard = nil, nil
	return told, unheard
}

// Waiting reports whether there is something to take.
func (t *Told) Waiting() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.told)+len(t.unheard) > 0
}
