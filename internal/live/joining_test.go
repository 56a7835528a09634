package live

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
)

// connects has a viewer type the code of a browser.
func (s *stall) connects(browser seal.Token, name string, change ...func(*chat.Message)) Joining {
	s.t.Helper()
	code, err := s.hub.Code(s.merchant, browser)
	if err != nil {
		s.t.Fatal(err)
	}
	s.types(name, "!connect "+code, change...)
	var j Joining
	s.until("the page asks", func() bool {
		var ok bool
		j, ok = s.hub.Asked(s.t.Context(), s.merchant, browser)
		return ok
	})
	return j
}

func (s *stall) viewer(browser seal.Token) string {
	v, _ := s.db.ViewerOfBrowser(s.t.Context(), s.merchant, browser)
	return v.ID
}

// A browser is bound to who types its code; a second account that does so becomes the same person, whose cap counts both; that
// can be undone for a day, by that person's browsers alone.
func TestJoiningAccounts(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.onDiscord()
	s.change(func(show *commerce.Show) { show.Lineup.Items[0].Cap = 2 })
	ctx := t.Context()
	mine, other := seal.NewToken(), seal.NewToken()
	if j := s.connects(mine, "ana"); j.Typed.ID != "id-ana" || j.Own.ID != "" {
		t.Fatalf("asked %+v", j)
	}
	if err := s.hub.Confirm(ctx, s.merchant, mine, true); err != nil {
		t.Fatal(err)
	}
	s.types("ana", "!buy 3 x2")
	s.holding("ana", "3x2")
	j := s.connects(mine, "ana2", discord)
	if j.Typed.ID != "id-ana2" || j.Own.ID != "id-ana" {
		t.Fatalf("asked %+v", j)
	}
	if err := s.hub.Confirm(ctx, s.merchant, mine, true); err != nil {
		t.Fatal(err)
	}
	if got := s.viewer(mine); got != "id-ana" {
		t.Errorf("the browser acts for %q", got)
	}
	ana, ana2 := chat.Viewer{Platform: chat.Twitch, ID: "id-ana"}, chat.Viewer{Platform: chat.Discord, ID: "id-ana2"}
	s.types("ana2", "!buy 3", discord)
	s.until("the cap counts both", func() bool { return s.why("ana2") != "" })
	if n := s.page().HeldPieces; n > 2 {
		t.Errorf("one person holds %d pieces with a cap of 2", n)
	}
	s.types("ana2", "!me", discord) // one cart: what the other account holds is hers, and its page is where it is paid
	if got := s.says("You have: #3 Mug, "); !strings.Contains(got, "https://shop.example/c/") || strings.Contains(got, "own=") {
		t.Errorf("ana2 is told %q", got)
	}
	for _, v := range []chat.Viewer{ana, ana2} {
		all, err := s.hub.JoinedOf(ctx, s.merchant, v)
		if err != nil || len(all) != 1 || who(all[0].Viewer) != ana2 || time.Until(all[0].Until) > UnjoinFor {
			t.Errorf("joined to %s: %+v, %v", v.ID, all, err)
		}
	}
	if err := s.hub.Unjoin(ctx, s.merchant, other, ana2); !errors.Is(err, ErrNotFound) {
		t.Errorf("another's browser took the account out: %v", err)
	}
	if err := s.hub.Unjoin(ctx, s.merchant, mine, ana2); err != nil {
		t.Fatal(err)
	}
	a, _ := s.hub.Person(ctx, s.merchant, ana)
	b, _ := s.hub.Person(ctx, s.merchant, ana2)
	if a == b {
		t.Errorf("both are still %q", a)
	}
	if all, _ := s.hub.JoinedOf(ctx, s.merchant, ana); len(all) != 0 {
		t.Errorf("still to be undone: %+v", all)
	}
}

// A racer copies a code from the chat, or types it before its owner: either way the racer gets nothing. The owner's page asks
// about the racer's name, and after a no it shows a new code.
func TestRacerGetsNothing(t *testing.T) {
	s := openStall(t, t.TempDir())
	ctx := t.Context()
	owner, racers := seal.NewToken(), seal.NewToken()
	first, err := s.hub.Code(s.merchant, owner)
	if err != nil {
		t.Fatal(err)
	}
	if j := s.connects(owner, "racer"); j.Typed.Name != "racer" {
		t.Fatalf("the page asks about %+v", j)
	}
	s.types("ana", "!connect "+first)
	s.says("That code is not open any more")
	if j, ok := s.hub.Asked(ctx, s.merchant, owner); !ok || j.Typed.Name != "racer" {
		t.Errorf("the page asks about %+v", j)
	}
	if _, ok := s.hub.Asked(ctx, s.merchant, racers); ok {
		t.Error("the racer's page asks something")
	}
	if err := s.hub.Confirm(ctx, s.merchant, racers, true); err == nil {
		t.Error("the racer's page confirmed")
	}
	if err := s.hub.Confirm(ctx, s.merchant, owner, false); err != nil {
		t.Fatal(err)
	}
	if s.viewer(owner) != "" || s.viewer(racers) != "" {
		t.Error("a browser was bound")
	}
	next, err := s.hub.Code(s.merchant, owner)
	if err != nil || next == first {
		t.Fatalf("code %q again, %v", next, err)
	}
	s.types("ana", "!connect "+next)
	s.until("the page asks about ana", func() bool { j, ok := s.hub.Asked(ctx, s.merchant, owner); return ok && j.Typed.Name == "ana" })
	s.types("racer", "!connect "+next) // copied from the chat, too late
	if err := s.hub.Confirm(ctx, s.merchant, owner, true); err != nil {
		t.Fatal(err)
	}
	if s.viewer(owner) != "id-ana" || s.viewer(racers) != "" {
		t.Errorf("the owner's browser acts for %q, the racer's for %q", s.viewer(owner), s.viewer(racers))
	}
}
