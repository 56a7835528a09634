package viewer

import (
	"testing"
	"time"

	"hawker/internal/live"
)

// A card stands for its time, once, and a newer one takes its place.
func TestCards(t *testing.T) {
	for sound, want := range map[string]string{"https://a.example/ding.mp3": "https://a.example/ding.mp3", "http://a.example/ding.mp3": "", "data:audio/wav;base64,AA": "", "": ""} {
		var y cards
		y.put(100, live.Card{ID: 1, Text: "one", Sound: sound}, time.Unix(1000, 0))
		if c := y.at(100, time.Unix(1000, 0)); c == nil || c.Sound != want {
			t.Errorf("a card with the sound %q has %+v", sound, c)
		}
	}
	var x cards
	now := time.Unix(1000, 0)
	x.put(100, live.Card{ID: 1, Text: "one"}, now)
	if c := x.at(100, now); c == nil || c.Text != "one" || x.at(101, now) != nil {
		t.Errorf("the first card is %+v", c)
	}
	x.put(100, live.Card{ID: 1, Text: "one"}, now.Add(time.Hour)) // told again
	if c := x.at(100, now.Add(cardFor+time.Second)); c != nil {
		t.Errorf("it stands too long: %+v", c)
	}
	x.put(100, live.Card{ID: 2, Text: "two", For: time.Hour}, now)
	if c := x.at(100, now.Add(cardMost)); c == nil || c.Text != "two" || x.at(100, now.Add(cardMost+time.Second)) != nil {
		t.Errorf("the second card is %+v", c)
	}
}
