package pace

import (
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
	if n := len(p.viewers); n > 5*remembered {
		t.Errorf("%d viewers are remembered an hour later", n)
	}
}
