package clock

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A clock that is an hour wrong makes no line old, and a late line of a right clock is.
func TestOffset(t *testing.T) {
	now := time.Now()
	var o Offset
	if o.Least() != 0 {
		t.Errorf("offset %v before any line", o.Least())
	}
	for i := range 50 {
		at := now.Add(time.Duration(i) * time.Second)
		o.Add(at.Add(-time.Hour-time.Duration(i%7)*100*time.Millisecond), at)
	}
	if o.Least() != time.Hour {
		t.Errorf("offset %v of a clock that is an hour behind", o.Least())
	}
	if age := now.Sub(o.Ours(now.Add(-time.Hour - 3*time.Minute))); age != 3*time.Minute {
		t.Errorf("a line three minutes late is %v old", age)
	}
	for range lines { // the clock was set right
		o.Add(now, now.Add(time.Second))
	}
	if o.Least() != time.Second {
		t.Errorf("offset %v after the clock was set right", o.Least())
	}
}

// It is the least of the last 200, whatever came.
func TestLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o Offset
		var all []time.Duration
		sent := time.Unix(1_000_000, 0)
		for range rapid.IntRange(1, 700).Draw(t, "lines") {
			d := time.Duration(rapid.IntRange(-50, 50).Draw(t, "late"))
			all = append(all, d)
			o.Add(sent, sent.Add(d))
			if want := slices.Min(all[max(0, len(all)-lines):]); o.Least() != want {
				t.Fatalf("%v, want %v", o.Least(), want)
			}
		}
	})
}
