// Package outbox keeps the books of stored effects: what was let out and whose rows are still there.
package outbox

import (
	"sync"
	"time"

	"hawker/commerce"
)

// Box is the books of one merchant. The zero value is ready; its methods may be called by many goroutines.
type Box struct {
	mu   sync.Mutex
	out  map[commerce.ID]bool // let out, and the row is there still
	done []commerce.ID        // done since the last batch
}

// Begin notes that an effect is let out; false when it was before. A desk that is loaded anew, because it was not known what
// became of a batch, finds the rows of what is being said at that moment.
func (b *Box) Begin(id commerce.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.out[id] {
		return false
	}
	if b.out == nil {
		b.out = map[commerce.ID]bool{}
	}
	b.out[id] = true
	return true
}

// Done notes that an effect was done, or given up. first says that it is the first since the last batch.
func (b *Box) Done(id commerce.ID) (first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = append(b.done, id)
	return len(b.done) == 1
}

// Waiting reports whether rows are to be removed.
func (b *Box) Waiting() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.done) > 0
}

// Take hands out the effects whose rows the next batch removes.
func (b *Box) Take() []commerce.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := b.done
	b.done = nil
	return ids
}

// Back takes back what Take gave, because the batch could not be stored.
func (b *Box) Back(ids []commerce.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = append(ids, b.done...)
}

// Removed notes that rows are gone.
func (b *Box) Removed(ids []commerce.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		delete(b.out, id)
	}
}

// IDs makes ids that rise, however many are made in one millisecond and though a clock is set back: what is read back in order of its
// ids stands as it was decided. The zero value is ready. It is not safe for two goroutines.
type IDs struct{ last commerce.ID }

// Next is an id that is greater than all before.
func (x *IDs) Next(now time.Time) commerce.ID {
	id := commerce.NewID(now)
	if id <= x.last {
		id = x.last + 1 + id&0xfff
	}
	x.last = id
	return id
}

// After has all that come be greater than one that was made elsewhere.
func (x *IDs) After(id commerce.ID) { x.last = max(x.last, id) }
