package aired

import (
	"testing"
	"time"
)

func TestSeen(t *testing.T) {
	t0 := time.Now()
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	var l Log
	l = l.With(at(0), 3)
	l = l.With(at(10), 3) // still
	before := l
	l = l.With(at(20), 4)
	if len(before) != 1 || len(l) != 2 {
		t.Fatalf("%d changes, then %d", len(before), len(l))
	}
	for _, tt := range []struct {
		at, number int
		sure       bool
	}{{-5, 0, true}, {0, 3, true}, {16, 3, true}, {18, 4, false}, {22, 4, false}, {24, 4, true}} {
		if n, sure := l.Seen(at(tt.at)); n != tt.number || sure != tt.sure {
			t.Errorf("at %d s: %d, %v; want %d, %v", tt.at, n, sure, tt.number, tt.sure)
		}
	}
	for i := range 200 {
		l = l.With(at(100+i), i)
	}
	if len(l) != kept {
		t.Errorf("%d changes are remembered, want %d", len(l), kept)
	}
}
