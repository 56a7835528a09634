package due_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"hawker/commerce/due"
)

// Whatever is set, moved and taken out in whatever order, the first is the least.
func TestQueue(t *testing.T) {
	start := time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		var q due.Queue[int]
		model := map[int]time.Time{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			k, at := rapid.IntRange(1, 12).Draw(t, "key"), time.Time{}
			if rapid.IntRange(0, 3).Draw(t, "out") > 0 {
				at = start.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "at")))
			}
			if before := q.Set(k, at); !before.Equal(model[k]) {
				t.Fatalf("Set(%d) = %v; it was due at %v", k, before, model[k])
			}
			if at.IsZero() {
				delete(model, k)
			} else {
				model[k] = at
			}
			first := 0
			for k, at := range model {
				if !q.At(k).Equal(at) {
					t.Fatalf("At(%d) = %v; want %v", k, q.At(k), at)
				}
				if first == 0 || at.Before(model[first]) || at.Equal(model[first]) && k < first {
					first = k
				}
			}
			got, due, ok := q.First()
			if ok != (first != 0) || got != first || !due.Equal(model[first]) || q.Len() != len(model) {
				t.Fatalf("First = %d at %v, %v of %d; want %d at %v of %d", got, due, ok, q.Len(), first, model[first], len(model))
			}
		}
	})
}
