package bench

import (
	"slices"
	"time"
)

// figures gathers how long each of many callers waited, without a lock between them.
type figures struct{ took [][]time.Duration }

func newFigures(callers int) *figures { return &figures{make([][]time.Duration, callers)} }

func (f *figures) add(caller int, d time.Duration) { f.took[caller] = append(f.took[caller], d) }

// sum is how many there were per second, and the median and 99th percentile of how long they took, in ms.
func (f *figures) sum(over time.Duration) (perS, p50, p99 float64) {
	all := slices.Concat(f.took...)
	if len(all) == 0 {
		return 0, 0, 0
	}
	slices.Sort(all)
	at := func(p float64) float64 { return float64(all[int(p*float64(len(all)-1))]) / 1e6 }
	return float64(len(all)) / over.Seconds(), at(0.5), at(0.99)
}

// rounds are the figures of several rounds.
type rounds struct{ perS, p50, p99 []float64 }

func (r *rounds) add(f *figures, over time.Duration) {
	perS, p50, p99 := f.sum(over)
	r.perS, r.p50, r.p99 = append(r.perS, perS), append(r.p50, p50), append(r.p99, p99)
}

// median is the median of each figure.
func (r *rounds) median() (perS, p50, p99 float64) {
	m := func(all []float64) float64 {
		if len(all) == 0 {
			return 0
		}
		s := slices.Sorted(slices.Values(all))
		return s[len(s)/2]
	}
	return m(r.perS), m(r.p50), m(r.p99)
}
