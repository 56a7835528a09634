// Package tail keeps the last of many things.
package tail

import "slices"

// Tail keeps the last N things.
type Tail[T any] struct {
	N    int
	all  []T
	head int
}

// Add adds one; the oldest goes when there are more than N.
func (t *Tail[T]) Add(x T) {
	if len(t.all) < t.N {
		t.all = append(t.all, x)
		return
	}
	t.all[t.head] = x
	t.head = (t.head + 1) % t.N
}

// List is a copy, the oldest first.
func (t *Tail[T]) List() []T {
	out := make([]T, 0, len(t.all))
	out = append(out, t.all[t.head:]...)
	return append(out, t.all[:t.head]...)
}

// Drop takes out what f wants gone.
func (t *Tail[T]) Drop(f func(T) bool) {
	t.all, t.head = slices.DeleteFunc(t.List(), f), 0
}

// Each calls f for every thing kept, which it may change.
func (t *Tail[T]) Each(f func(*T)) {
	for i := range t.all {
		f(&t.all[i])
	}
}
