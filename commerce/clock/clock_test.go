package clock_test

import (
	"testing"
	"time"
	"unsafe"

	"hawker/commerce/clock"
)

// reading is a reading of a clock whose wall stands at start + wall and whose monotonic clock at start + passed. Only package
// time makes such values, so its inner form is used: the second word counts the monotonic nanoseconds.
func reading(start time.Time, wall, passed time.Duration) time.Time {
	t := start.Add(wall)
	if t == t.Round(0) {
		panic("time.Now has no monotonic part")
	}
	(*[2]int64)(unsafe.Pointer(&t))[1] += int64(passed - wall)
	return t
}

func TestClock(t *testing.T) {
	type step struct {
		wall, passed, at time.Duration
		sure             bool
	}
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"it runs", []step{{0, 0, 0, true}, {s, s, s, true}, {10 * m, 10 * m, 10 * m, true}}},
		{"a step back holds it until the wall clock is there again", []step{{5 * s, 5 * s, 5 * s, true}, {2 * s, 6 * s, 5 * s, true}, {6 * s, 10 * s, 6 * s, true}}},
		{"a small step forward is believed", []step{{0, 0, 0, true}, {50 * s, s, 50 * s, true}}},
		{"a leap is doubted, and believed when it is told again", []step{
			{0, 0, 0, true}, {h + s, s, s, false}, {h + s + s/2, s + s/2, s + s/2, false}, {h + 2*s, 2 * s, h + 2*s, true}, {h + 3*s, 3 * s, h + 3*s, true},
		}},
		{"a leap that is taken back was none", []step{{0, 0, 0, true}, {h + s, s, s, false}, {2 * s, 2 * s, 2 * s, true}, {h + 3*s, 3 * s, 3 * s, false}}},
		{"a machine that slept", []step{{0, 0, 0, true}, {9 * h, s, s, false}, {9*h + 2*s, 3 * s, 9*h + 2*s, true}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c clock.Clock
			start := time.Now()
			for i, x := range tt.steps {
				next, at, sure := c.Read(reading(start, x.wall, x.passed))
				if got := at.Sub(start.Round(0)); got != x.at || sure != x.sure {
					t.Fatalf("step %d: %v, sure %v; want %v, %v", i, got, sure, x.at, x.sure)
				}
				if next.Until().IsZero() != sure {
					t.Errorf("step %d: until %v", i, next.Until())
				}
				c = next
			}
		})
	}
}

// Times without a monotonic part are taken as they are, but never back.
func TestPlainTimes(t *testing.T) {
	var c clock.Clock
	start := time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)
	for i, x := range []struct{ now, at time.Duration }{{0, 0}, {time.Hour, time.Hour}, {30 * time.Minute, time.Hour}, {100 * time.Hour, 100 * time.Hour}} {
		next, at, sure := c.Read(start.Add(x.now))
		if !sure || !at.Equal(start.Add(x.at)) {
			t.Errorf("step %d: %v, sure %v", i, at, sure)
		}
		c = next
	}
}
