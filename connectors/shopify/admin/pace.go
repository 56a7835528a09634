package admin

import (
	"context"
	"math"
	"sync"
	"time"
)

// The smallest bucket of points, that of a store on a standard plan (page "API limits"): 2,000 points, 100 back each
// second. Every answer tells the store's own.
const (
	standardBucket  = 2000
	standardRestore = 100
)

// Rank says how much of the bucket a call leaves to more important ones.
type Rank float64

// From the most important to the least: letting stock go, setting it aside, reading it, all else.
const (
	RankRelease Rank = 0
	RankHold    Rank = 0.02
	RankStock   Rank = 0.10
	RankRest    Rank = 0.25
)

// pacer keeps calls within the store's points, so that the store hardly ever has to refuse one. It counts for itself:
// while several calls are in the air their answers come in any order, and each tells the points of another moment.
type pacer struct {
	mu     sync.Mutex
	bucket float64
	rate   float64 // points a second
	left   float64 // points at time at, calls in the air not taken off
	at     time.Time
	flying float64            // points of calls without an answer yet
	taken  int                // calls so far
	costs  map[string]float64 // what the store last charged for an operation before it ran, by name
}

func newPacer() *pacer {
	return &pacer{bucket: standardBucket, rate: standardRestore, left: standardBucket, at: time.Now(), costs: map[string]float64{}}
}

// costStatus is extensions.cost of an answer.
type costStatus struct {
	Requested float64  `json:"requestedQueryCost"`
	Actual    *float64 `json:"actualQueryCost"` // null when nothing ran
	Throttle  struct {
		Max  float64 `json:"maximumAvailable"`
		Left float64 `json:"currentlyAvailable"`
		Rate float64 `json:"restoreRate"`
	} `json:"throttleStatus"`
}

// ticket is a call in the air.
type ticket struct {
	op   Operation
	cost float64
	no   int
	solo bool // nothing else was in the air when it left
}

// take waits until the bucket has room for op and sets its points aside until settle.
func (p *pacer) take(ctx context.Context, op Operation) (ticket, error) {
	for {
		if err := ctx.Err(); err != nil {
			return ticket{}, err
		}
		t, wait := p.try(op)
		if wait == 0 {
			return t, nil
		}
		if err := Sleep(ctx, wait); err != nil {
			return ticket{}, err
		}
	}
}

func (p *pacer) try(op Operation) (t ticket, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cost := op.Cost
	if c, ok := p.costs[op.Name]; ok {
		cost = c
	}
	need := min(cost+float64(op.Rank)*p.bucket, p.bucket)
	has := p.now() - p.flying
	if has >= need || (p.flying == 0 && need >= p.bucket && has >= p.bucket-1) {
		p.taken++
		t = ticket{op: op, cost: cost, no: p.taken, solo: p.flying == 0}
		p.flying += cost
		return t, 0
	}
	// Calls in the air give points back when they land, so look again soon even when the arithmetic says later.
	return ticket{}, min(max(seconds((need-has)/p.rate), 5*time.Millisecond), 250*time.Millisecond)
}

func (p *pacer) now() float64 {
	return min(p.bucket, p.left+time.Since(p.at).Seconds()*p.rate)
}

// settle takes in what the store said with an answer; nil when it said nothing, and then the points count as spent.
func (p *pacer) settle(t ticket, s *costStatus) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flying = max(0, p.flying-t.cost)
	left := p.now()
	p.at = time.Now()
	if s == nil || s.Throttle.Max <= 0 || s.Throttle.Rate <= 0 {
		p.left = left - t.cost
		return
	}
	p.bucket, p.rate = s.Throttle.Max, s.Throttle.Rate
	if s.Requested > 0 {
		p.costs[t.op.Name] = s.Requested
	}
	if t.solo && p.taken == t.no {
		p.left = s.Throttle.Left // alone from start to end: this is the truth
		return
	}
	if s.Actual != nil {
		left -= *s.Actual
	}
	// Less than even the calls in the air explain: somebody else uses this bucket, or the first guess was too high.
	p.left = min(left, s.Throttle.Left+p.flying)
}

// throttled is how long to wait after a refusal: (requestedQueryCost - currentlyAvailable) / restoreRate.
func (s *costStatus) throttled() time.Duration {
	if s == nil || s.Throttle.Rate <= 0 {
		return time.Second
	}
	return max(seconds((s.Requested-s.Throttle.Left)/s.Throttle.Rate), 10*time.Millisecond)
}

func seconds(s float64) time.Duration {
	return time.Duration(math.Ceil(s * float64(time.Second)))
}

// Sleep waits for d, or less when ctx ends, and says so.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
