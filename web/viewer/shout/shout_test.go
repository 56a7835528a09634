package shout_test

import (
	"fmt"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/web/viewer/shout"
	"hawker/web/viewer/words"
)

// Shout-outs come one at a time, each for four seconds; when more than three wait they share a card.
func TestShouts(t *testing.T) {
	var x shout.Queue
	w := words.For("en")
	now := time.Now()
	one := func(n int, who, title string) live.Shout {
		return live.Shout{ID: commerce.ID(n), Who: who, Title: title, Text: who + " bought"}
	}
	expect := func(after time.Duration, who, what string) {
		t.Helper()
		var got shout.Card
		if c := x.Card(now.Add(after), w); c != nil {
			got = *c
		}
		if got.Who != who || got.Title+got.All != what {
			t.Errorf("after %v: %+v, want %q %q", after, got, who, what)
		}
	}
	expect(0, "", "")
	for i, who := range []string{"ana", "bob", "cy"} {
		x.Add(one(i+1, who, "Mug"))
	}
	x.Add(one(1, "ana", "Mug")) // told again
	expect(0, "ana", "Mug")
	expect(3900*time.Millisecond, "ana", "Mug")
	expect(4*time.Second, "bob", "Mug")
	expect(8*time.Second, "cy", "Mug")
	expect(12*time.Second, "", "")
	for i := range 6 {
		x.Add(one(10+i, fmt.Sprint("v", i), []string{"Mug", "Vase", "Bowl"}[i%3]))
	}
	expect(13*time.Second, "v0, v1, v2 and 3 more", "Mug · Vase …")
	expect(17*time.Second, "", "")
	x.Add(live.Shout{ID: 99, Text: "A raid!"})
	expect(18*time.Second, "", "A raid!")
	x.Add(one(100, "late", "Mug"))
	expect(5*time.Minute, "", "") // nobody looked for too long
}
