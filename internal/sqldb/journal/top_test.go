package journal

import (
	"testing"

	"hawker/commerce"
)

// What is known of the greatest ids holds for the next batch of the same owner, and for no other.
func TestTop(t *testing.T) {
	j := New()
	b := &commerce.Batch{Merchant: 7, Epoch: 3, Seq: 10}
	nothing := j.topOf(b)
	if nothing.holds != unknownTop || nothing.ledger != unknownTop || nothing.effects != unknownTop {
		t.Fatalf("known before anything was committed: %+v", nothing)
	}
	j.setTop(b, nothing, &entry{holds: []int64{5, 4}, ledger: []int64{9}})
	next := &commerce.Batch{Merchant: 7, Epoch: 3, Seq: 11}
	got := j.topOf(next)
	if got.holds != 5 || got.ledger != 9 || got.places != unknownTop || got.receipts != unknownTop || got.effects != unknownTop {
		t.Errorf("after a batch: %+v", got)
	}
	j.setTop(next, got, &entry{places: []int64{6}})
	if got = j.topOf(&commerce.Batch{Merchant: 7, Epoch: 3, Seq: 12}); got.holds != 5 || got.places != 6 {
		t.Errorf("after two: %+v", got)
	}
	for name, other := range map[string]*commerce.Batch{
		"another owner":       {Merchant: 7, Epoch: 4, Seq: 12},
		"a batch was between": {Merchant: 7, Epoch: 3, Seq: 13},
		"another merchant":    {Merchant: 8, Epoch: 3, Seq: 12},
	} {
		if got := j.topOf(other); got.holds != unknownTop {
			t.Errorf("%s: %+v", name, got)
		}
	}
	j.setTop(next, nil, nil)
	if got := j.topOf(&commerce.Batch{Merchant: 7, Epoch: 3, Seq: 12}); got.holds != unknownTop {
		t.Errorf("after a failure: %+v", got)
	}
}
