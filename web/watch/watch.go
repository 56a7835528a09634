// Package watch tells pages that something of a merchant changed.
package watch

import (
	"sync"

	"hawker/commerce"
)

// Watchers are those who watch, by merchant. The zero value has none.
type Watchers struct {
	mu   sync.Mutex
	all  map[commerce.ID]map[int]func()
	last int // the newest one's number
}

// Add has tell called whenever something of the merchant changes, until stop is called. tell must not wait, and must not call the
// Watchers or who tells them.
func (w *Watchers) Add(merchant commerce.ID, tell func()) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[commerce.ID]map[int]func(){}
	}
	if w.all[merchant] == nil {
		w.all[merchant] = map[int]func(){}
	}
	w.last++
	n := w.last
	w.all[merchant][n] = tell
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if delete(w.all[merchant], n); len(w.all[merchant]) == 0 {
			delete(w.all, merchant)
		}
	}
}

// Tell tells who watches the merchant.
func (w *Watchers) Tell(merchant commerce.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.all[merchant] {
		f()
	}
}
