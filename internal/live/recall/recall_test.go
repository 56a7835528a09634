package recall

import (
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/preview"
)

// A crowd of which everybody is new and says something at once costs each of them the same.
func TestWhyOfACrowd(t *testing.T) {
	begun, s := time.Now(), New()
	for i := range viewersMost + viewersMost/4 {
		s.SetWhy(chat.Viewer{ID: commerce.ID(i).String()}, commerce.Held, begun)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if r, ok := s.Why(chat.Viewer{ID: "7", Name: "x"}, begun.Add(time.Minute)); !ok || r != commerce.Held {
		t.Errorf("%q, %v", r, ok)
	}
	if _, ok := s.Why(chat.Viewer{ID: "7"}, begun.Add(time.Hour)); ok {
		t.Error("an hour later it is known still")
	}
}

func TestForget(t *testing.T) {
	s, now := New(), time.Now()
	ana, bob := chat.Viewer{Platform: chat.Twitch, ID: "1", Name: "ana"}, chat.Viewer{Platform: chat.Twitch, ID: "2", Name: "bob"}
	for _, v := range []chat.Viewer{ana, bob} {
		s.Heard(ChatLine{Viewer: v, Text: "hello", At: now}, preview.Line{Text: "hello"}, false)
		s.Decided(FeedLine{Viewer: v, Text: "!buy 3"})
		s.SetWhy(v, commerce.Held, now)
		s.At(v, chat.Channel{ID: "c"}, now)
		s.Claimed(v, commerce.Held, now)
	}
	s.Forget(chat.Viewer{Platform: chat.Twitch, ID: "1"})
	for i, want := range []string{"", "bob"} {
		if f, c := s.Feed()[i], s.Chat()[i]; f.Viewer.Name != want || c.Viewer.Name != want || (f.Text == "") != (want == "") || (c.Text == "") != (want == "") {
			t.Errorf("line %d: %+v, %+v", i, f, c)
		}
	}
	if s.Said()[0].Text != "" || s.Said()[1].Text == "" {
		t.Errorf("%+v", s.Said())
	}
	if _, ok := s.Where(ana); ok || len(s.Named(chat.Twitch, "ana")) != 0 || len(s.Named(chat.Twitch, "BOB")) != 1 {
		t.Error("ana is remembered, or bob is not")
	}
	if a, b := s.Figures(); a != 2 || b != 2 {
		t.Errorf("%d spoke, %d claimed", a, b)
	}
}

func TestStreamIsBounded(t *testing.T) {
	s, at, n := New(), time.Unix(100, 0), 0
	for range 50 {
		if stream, first := s.Heard(ChatLine{At: at}, preview.Line{}, false); stream {
			if first != (n == 0) {
				t.Errorf("line %d of one viewer: first is %v", n+1, first)
			}
			n++
		}
	}
	if next, _ := s.Heard(ChatLine{At: at.Add(time.Second)}, preview.Line{}, true); n != streamMost || !next {
		t.Errorf("%d lines of one second are sent", n)
	}
}
