// Package due keeps things in the order of their time: what is due next is found at once, however many wait, and any of them can
// be given another time. It reads no clock.
package due

import (
	"cmp"
	"time"
)

// Queue is things by when they are due, each once; the zero value is empty. Among equals the lesser is first. It is not safe for
// two goroutines. Times are kept to the nanosecond, in UTC, and lie before the year 2262.
type Queue[K cmp.Ordered] struct {
	heap []entry[K]
	at   map[K]int // where in heap
}

type entry[K cmp.Ordered] struct {
	nanos int64 // since 1970
	key   K
}

func (e entry[K]) before(o entry[K]) bool {
	return e.nanos < o.nanos || e.nanos == o.nanos && e.key < o.key
}

func (e entry[K]) time() time.Time { return time.Unix(0, e.nanos).UTC() }

// Set says when k is due and returns when it was before. The zero time takes it out, and stands for not being there.
func (q *Queue[K]) Set(k K, at time.Time) (before time.Time) {
	i, there := q.at[k]
	if there {
		before = q.heap[i].time()
	}
	switch {
	case at.IsZero() && !there:
	case at.IsZero():
		last := len(q.heap) - 1
		e := q.heap[last]
		q.heap = q.heap[:last]
		delete(q.at, k)
		if i < last {
			q.place(i, e)
		}
	default:
		if !there {
			if q.at == nil {
				q.at = map[K]int{}
			}
			i = len(q.heap)
			q.heap = append(q.heap, entry[K]{})
		}
		q.place(i, entry[K]{at.UnixNano(), k})
	}
	return before
}

// place puts e, for which i is free, where it belongs.
func (q *Queue[K]) place(i int, e entry[K]) {
	for i > 0 {
		up := (i - 1) / 2
		if !e.before(q.heap[up]) {
			break
		}
		q.put(i, q.heap[up])
		i = up
	}
	for {
		down := 2*i + 1
		if down >= len(q.heap) {
			break
		}
		if down+1 < len(q.heap) && q.heap[down+1].before(q.heap[down]) {
			down++
		}
		if !q.heap[down].before(e) {
			break
		}
		q.put(i, q.heap[down])
		i = down
	}
	q.put(i, e)
}

func (q *Queue[K]) put(i int, e entry[K]) {
	q.heap[i] = e
	q.at[e.key] = i
}

// First is what is due next; false when nothing is.
func (q *Queue[K]) First() (k K, at time.Time, ok bool) {
	if len(q.heap) == 0 {
		return k, at, false
	}
	return q.heap[0].key, q.heap[0].time(), true
}

// At is when k is due, the zero time when it is not there.
func (q *Queue[K]) At(k K) time.Time {
	if i, ok := q.at[k]; ok {
		return q.heap[i].time()
	}
	return time.Time{}
}

// Len is how many things there are.
func (q *Queue[K]) Len() int { return len(q.heap) }
