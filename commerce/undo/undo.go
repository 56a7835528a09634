// Package undo changes maps so that the changes can be taken back, all of them, the last first. It is for one goroutine.
package undo

import (
	"cmp"
	"slices"
)

// Log is how to take back what was done; its zero value is empty.
type Log struct{ steps []func() }

// Add notes how to take the last change back.
func (l *Log) Add(f func()) { l.steps = append(l.steps, f) }

// Back takes everything back.
func (l *Log) Back() {
	for i := len(l.steps) - 1; i >= 0; i-- {
		l.steps[i]()
	}
	l.Clear()
}

// Clear forgets everything and keeps the room.
func (l *Log) Clear() {
	clear(l.steps)
	l.steps = l.steps[:0]
}

// Len is how many changes are noted.
func (l *Log) Len() int { return len(l.steps) }

// Put sets an entry of a map, or removes it where v is nothing.
func Put[K, V comparable](l *Log, m map[K]V, k K, v V) {
	old := m[k]
	l.Add(func() { put(m, k, old) })
	put(m, k, v)
}

func put[K, V comparable](m map[K]V, k K, v V) {
	var none V
	if v == none {
		delete(m, k)
	} else {
		m[k] = v
	}
}

// List is Put for lists, which are never changed in place; an empty one is removed.
func List[K comparable, T cmp.Ordered](l *Log, m map[K][]T, k K, list []T) {
	old := m[k]
	l.Add(func() { SetList(m, k, old) })
	SetList(m, k, list)
}

// SetList is List for good.
func SetList[K comparable, T cmp.Ordered](m map[K][]T, k K, list []T) {
	if len(list) == 0 {
		delete(m, k)
	} else {
		m[k] = list
	}
}

// With is a sorted list with x in it. The part of the array that the old slice shows stays as it is.
func With[T cmp.Ordered](list []T, x T) []T {
	if n := len(list); n == 0 || list[n-1] < x {
		return append(list, x)
	}
	at, there := slices.BinarySearch(list, x)
	if there {
		return list
	}
	return slices.Insert(list[:len(list):len(list)], at, x)
}

// Without is a sorted list without x; the old slice stays as it is.
func Without[T cmp.Ordered](list []T, x T) []T {
	at, ok := slices.BinarySearch(list, x)
	switch {
	case !ok:
		return list
	case at == 0:
		return list[1:]
	}
	return append(list[:at:at], list[at+1:]...)
}
