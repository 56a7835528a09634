package journal

import (
	"math"
	"slices"

	"hawker/commerce"
)

// top is the greatest id that each table has of a merchant, unknown where nobody looked. It holds for the batch of an epoch and a
// seq: nothing adds to these tables without moving the fence, so who commits that batch has seen all that were added.
type top struct {
	epoch, seq                               int64
	ledger, holds, places, receipts, effects int64
}

// unknownTop is above any id: the database must look.
const unknownTop = math.MaxInt64

// topOf is what is known for a batch.
func (j *Journal) topOf(bt *commerce.Batch) *top {
	j.mu.Lock()
	defer j.mu.Unlock()
	if t := j.tops[int64(bt.Merchant)]; t != nil && t.epoch == bt.Epoch && t.seq == bt.Seq {
		return t
	}
	return &top{ledger: unknownTop, holds: unknownTop, places: unknownTop, receipts: unknownTop, effects: unknownTop}
}

// setTop notes what is known after a batch whose ids are known to be above all others; with e nil nothing is.
func (j *Journal) setTop(bt *commerce.Batch, was *top, e *entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e == nil {
		delete(j.tops, int64(bt.Merchant))
		return
	}
	above := func(top int64, ids []int64) int64 {
		if len(ids) == 0 {
			return top
		}
		return slices.Max(ids)
	}
	j.tops[int64(bt.Merchant)] = &top{
		epoch: bt.Epoch, seq: bt.Seq + 1, ledger: above(was.ledger, e.ledger), holds: above(was.holds, e.holds), places: above(was.places, e.places),
		receipts: above(was.receipts, e.receiptIDs()), effects: above(was.effects, e.effects),
	}
}
