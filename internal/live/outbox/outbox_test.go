package outbox

import (
	"slices"
	"testing"
	"time"

	"hawker/commerce"
)

// An effect is let out once, until its row is gone, whatever became of the batches meanwhile.
func TestBox(t *testing.T) {
	var b Box
	if !b.Begin(1) || b.Begin(1) || b.Waiting() {
		t.Error("it is let out once, and nothing is done yet")
	}
	if !b.Done(1) || b.Done(2) || !b.Waiting() {
		t.Error("the first that is done wakes who removes rows")
	}
	ids := b.Take()
	if !slices.Equal(ids, []commerce.ID{1, 2}) || b.Waiting() {
		t.Errorf("%v are to be removed", ids)
	}
	b.Back(ids) // the batch failed
	if b.Begin(1) || !b.Waiting() {
		t.Error("what is done and not removed is let out again")
	}
	b.Removed(b.Take())
	if !b.Begin(1) {
		t.Error("what was removed is remembered")
	}
}

// What was remembered of a rule's limit is read back in order of its ids after a crash: the newest must be the greatest, also of two
// batches of one millisecond.
func TestIDs(t *testing.T) {
	var x IDs
	last, now := commerce.ID(0), time.Now()
	for n := range 20_000 {
		if n == 10_000 {
			last = commerce.NewID(now.Add(time.Minute))
			x.After(last)
		}
		id := x.Next(now.Add(-time.Millisecond * time.Duration(n%3)))
		if id <= last {
			t.Fatalf("%d behind %d", id, last)
		}
		last = id
	}
}
