package pace

import (
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
