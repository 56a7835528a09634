package pace

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"hawker/internal/chat"
)

func TestMay(t *testing.T) {
	var p Pace
	now := time.Now()
	ana := chat.Viewer{Platform: chat.Twitch, ID: "1", Name: "ana"}
	for i := range Lines {
		if ok, same := p.May(ana, uint64(i+1), now); !ok || same {
			t.Fatalf("command %d: %v, %v", i, ok, same)
		}
	}
	if ok, _ := p.May(ana, 99, now.Add(time.Second)); ok {
		t.Error("one command too many is answered")
	}
	renamed := ana
	renamed.Name = "anna"
	if ok, _ := p.May(renamed, 98, now.Add(time.Second)); ok {
		t.Error("a new name starts anew")
	}
	if ok, _ := p.May(chat.Viewer{Platform: chat.YouTube, ID: "1"}, 1, now); !ok {
		t.Error("another platform's viewer is held up")
	}
	if ok, same := p.May(ana, 7, now.Add(Per+2*time.Second)); !ok || same {
		t.Errorf("after the time: %v, %v", ok, same)
	}
	if _, same := p.May(ana, 7, now.Add(Per+3*time.Second)); !same {
		t.Error("the same form again is not seen as such")
	}
	if _, same := p.May(ana, 0, now.Add(Per+3*time.Second)); same {
		t.Error("lines without a form are the same")
	}
}

// A crowd of which everybody is new costs each of them the same: it must not be gone through for each.
func TestCrowd(t *testing.T) {
	var p Pace
	begun, now := time.Now(), time.Now()
	for i := range 4 * remembered {
		if ok, _ := p.May(chat.Viewer{Platform: chat.Twitch, ID: strconv.Itoa(i)}, 1, now.Add(time.Duration(i)*100*time.Microsecond)); !ok {
			t.Fatalf("viewer %d is held up by the others", i)
		}
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("%d viewers took %v", 4*remembered, took)
	}
	p.May(chat.Viewer{ID: "late"}, 1, now.Add(time.Hour))
	for i := range 4 * remembered {
		p.May(chat.Viewer{Platform: chat.Discord, ID: strconv.Itoa(i)}, 1, now.Add(time.Hour))
	}
	if n := p.viewers.Len(); n > 5*remembered {
		t.Errorf("%d viewers are remembered an hour later", n)
	}
}

// TestAsk: the first questions are answered at once, the next wait longer and longer, then comes the page and then nothing, until a
// minute has passed; others do not notice.
func TestAsk(t *testing.T) {
	var p Pace
	now := time.Now()
	eve, ana := chat.Viewer{Platform: chat.Twitch, ID: "eve"}, chat.Viewer{Platform: chat.Twitch, ID: "ana"}
	ask := func(v chat.Viewer, want string) {
		t.Helper()
		p.May(v, 0, now)
		wait, page, ok := p.Ask(v, now)
		if got := fmt.Sprint(wait, page, ok); got != want {
			t.Errorf("%s %v, want %s", v.ID, got, want)
		}
	}
	for _, want := range []string{"0s false true", "0s false true", "0s false true", "10s false true", "20s false true", "30s true true", "0s false false", "0s false false"} {
		ask(eve, want)
	}
	ask(ana, "0s false true")
	now = now.Add(61 * time.Second) // the page came 30 s after the first
	ask(eve, "0s false false")
	now = now.Add(30 * time.Second)
	for range AtOnce {
		ask(eve, "0s false true")
	}
	ask(eve, "10s false true")
	now = now.Add(time.Minute + time.Second) // the first three are over a minute ago, the one that waited is not
	for range AtOnce - 1 {
		ask(eve, "0s false true")
	}
	ask(eve, "10s false true")
	if wait, page, ok := p.Ask(chat.Viewer{ID: "unknown"}, now); wait != 0 || page || !ok {
		t.Error("who is not known is refused")
	}
}
