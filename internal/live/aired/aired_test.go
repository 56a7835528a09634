package aired

import (
	"testing"
	"time"

	"hawker/internal/chat"
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
	}{{-5, 3, true}, {0, 3, true}, {16, 3, true}, {18, 4, false}, {22, 4, false}, {24, 4, true}} {
		if n, sure := l.Seen(at(tt.at), Measured(0)); n != tt.number || sure != tt.sure {
			t.Errorf("at %d s: %d, %v; want %d, %v", tt.at, n, sure, tt.number, tt.sure)
		}
	}
	// A viewer sees the show late: at 24 s the item of 4 s before, at 26 s nobody knows, at 30 s the new one.
	for _, tt := range []struct {
		at, number int
		sure       bool
	}{{22, 3, true}, {26, 4, false}, {29, 4, true}} {
		if n, sure := l.Seen(at(tt.at), Measured(6*time.Second)); n != tt.number || sure != tt.sure {
			t.Errorf("at %d s, seen 6 s late: %d, %v; want %d, %v", tt.at, n, sure, tt.number, tt.sure)
		}
	}
	for _, p := range []chat.Platform{chat.Twitch, chat.YouTube, chat.Discord, chat.Room} {
		if d := Usual(p); d.Spread < unsure || d.By < 0 {
			t.Errorf("%s: %+v", p, d)
		}
	}
	for i := range 200 {
		l = l.With(at(100+i), i)
	}
	if len(l) != kept {
		t.Errorf("%d changes are remembered, want %d", len(l), kept)
	}
}
