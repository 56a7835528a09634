package live

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hawker/internal/chat"
)

// What a moderator deletes or a ban takes away is given back, places in line too; a cleared view takes nothing.
func TestModeratedLinesRelease(t *testing.T) {
	s := openStall(t, t.TempDir())
	ana := s.types("ana", "!buy 3")
	s.types("bob", "!buy 4")
	s.types("bob", "!buy 3 x2")
	s.types("cy", "!buy 4")
	s.types("dee", "!buy 4")
	s.until("dee waits", func() bool { return len(s.page().Waiting) == 2 })
	s.chat.hear(chat.Event{Kind: chat.Cleared, Channel: here, ByMod: true})
	s.chat.hear(chat.Event{Kind: chat.Deleted, Channel: here, ID: ana, ByMod: true})
	s.holding("ana", "")
	s.holding("bob", "4x1 3x2")
	s.chat.hear(chat.Event{Kind: chat.Cleared, Channel: here, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "id-cy"}, ByMod: true})
	s.chat.hear(chat.Event{Kind: chat.Cleared, Channel: here, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "id-bob"}, ByMod: true})
	s.holding("bob", "")
	s.holding("dee", "4x1") // cy was before, and was banned
	if n := len(s.page().Waiting); n != 0 {
		t.Errorf("%d wait in line", n)
	}
}

// What a platform shows no more is shown no more here, and pages that are open are told so; an edit stands in place of what it was.
func TestModeratedLinesAreNotShown(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.onDiscord()
	gone := make(chan string, 10)
	stop, err := s.hub.Watch(s.merchant, s.show, func(x Signal) {
		if x.Gone != nil {
			gone <- x.Gone.ID
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	shown := func(want string) {
		t.Helper()
		s.until("the chat shows "+want, func() bool {
			var texts []string
			for _, l := range s.page().Chat {
				texts = append(texts, l.Text)
			}
			return strings.Join(texts, ", ") == want
		})
	}
	bad := s.types("ana", "bad word")
	s.types("ana", "hello")
	s.types("bob", "hi")
	edited := s.types("cy", "good", discord)
	s.edit("cy", edited, "better", time.Second)
	shown("bad word, hello, hi, better")
	s.chat.hear(chat.Event{Kind: chat.Deleted, Channel: here, ID: bad, ByMod: true})
	shown("hello, hi, better")
	s.chat.hear(chat.Event{Kind: chat.Cleared, Channel: here, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "id-ana"}, ByMod: true})
	shown("hi, better")
	s.chat.hear(chat.Event{Kind: chat.Cleared, Channel: here, ByMod: true})
	shown("better")
	for _, want := range []string{edited, bad} {
		if got := <-gone; got != want {
			t.Errorf("pages are told that %q is gone, want %q", got, want)
		}
	}
}

// A line that is taken away while the database is away gives back what it holds when that is there again.
func TestModeratedWhileTheDatabaseIsAway(t *testing.T) {
	s := openStall(t, t.TempDir())
	m := s.hub.Merchant(s.merchant)
	deleted := chat.Event{Kind: chat.Deleted, Channel: here, ID: s.types("ana", "!buy 3"), ByMod: true}
	banned := chat.Event{Kind: chat.Cleared, Channel: here, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "id-bob"}, ByMod: true}
	s.types("bob", "!buy 3")
	s.types("cy", "!buy 3")
	late := chat.Event{Kind: chat.Deleted, Channel: here, ID: s.types("dee", "!buy 3"), ByMod: true}
	s.until("all hold", func() bool { return s.page().HeldPieces == 4 })
	if err := m.look(t.Context(), func() {
		x := &turn{now: time.Now()}
		m.retract(x, deleted)
		m.retract(x, banned)
		m.fail(x, errors.New("the disk is full"))
		m.desk = nil // and what is stored cannot be read
		m.Deliver(late)
		m.refuseAll()
	}); err != nil {
		t.Fatal(err)
	}
	s.until("cy alone holds", func() bool {
		p, err := s.hub.Page(t.Context(), s.merchant, s.show)
		return err == nil && p.HeldPieces == 1 && p.Open[0].Viewer.Name == "cy"
	})
}
