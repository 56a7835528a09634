package live

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb"
)

// count is how many of the bot's lines contain text.
func (s *stall) count(text string) int {
	n := 0
	for _, x := range s.chat.texts() {
		n += strings.Count(x, text)
	}
	return n
}

// A line on its way when the program stops is said, written off, and not said again at the next start.
func TestSaidWhileStopping(t *testing.T) {
	dir := t.TempDir()
	s := openStall(t, dir)
	s.chat.slow = 300 * time.Millisecond
	s.types("ana", "!buy 3")
	s.until("ana's hold is stored", func() bool { return s.page().HeldPieces == 1 })
	time.Sleep(50 * time.Millisecond)
	s.stop()
	if n := s.count("#3 Mug held"); n != 1 {
		t.Fatalf("the answer was said %d times before the end", n)
	}
	s = openStall(t, dir)
	s.types("bob", "!buy 4")
	s.says("#4 Vase held")
	if n := s.count("#3 Mug held"); n != 0 {
		t.Errorf("the answer was said again after the start: %q", s.chat.texts())
	}
}

// A desk that is loaded anew, because it was not known what became of a batch, says nothing twice that is being said.
func TestLoadedAnewSaysNothingTwice(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.chat.slow = 300 * time.Millisecond
	s.types("ana", "!buy 3")
	s.until("ana's hold is stored", func() bool { return s.page().HeldPieces == 1 })
	m := s.hub.Merchant(s.merchant)
	for range 3 {
		if err := m.look(t.Context(), func() { m.takeOver(context.Background()) }); err != nil {
			t.Fatal(err)
		}
	}
	s.types("bob", "!buy 4")
	s.says("#4 Vase held")
	if n := s.count("#3 Mug held"); n != 1 {
		t.Errorf("the answer was said %d times: %q", n, s.chat.texts())
	}
	feed := 0
	for _, l := range s.page().Feed {
		if l.Viewer.Name == "ana" {
			feed++
		}
	}
	if feed != 1 {
		t.Errorf("the claim stands %d times in the feed", feed)
	}
}

// A browser that goes away while its shop's connections are made anew leaves the shop served; a shop that cannot be started is
// tried again.
func TestServedAlthoughTheAskerLeft(t *testing.T) {
	s := openStall(t, t.TempDir())
	ctx, leave := context.WithCancel(context.Background())
	connect := s.hub.Connect
	s.hub.Connect = func(ctx context.Context, m sqldb.Merchant) (Connections, error) {
		leave()
		if err := ctx.Err(); err != nil {
			return Connections{}, err
		}
		return connect(ctx, m)
	}
	if err := s.hub.Serve(ctx, s.merchant); err != nil {
		t.Fatal(err)
	}
	s.until("the shop is served", func() bool { _, err := s.hub.Page(t.Context(), s.merchant, s.show); return err == nil })
	tries := 0
	s.hub.Connect = func(ctx context.Context, m sqldb.Merchant) (Connections, error) {
		if tries++; tries == 1 {
			return Connections{}, errors.New("the database hiccups")
		}
		return connect(ctx, m)
	}
	if err := s.hub.Serve(ctx, s.merchant); err == nil {
		t.Error("the failure is not told")
	}
	s.until("the shop is served again", func() bool { return s.hub.Merchant(s.merchant) != nil })
}

// Whoever asks a merchant that has stopped is told so at once.
func TestAskingWhoHasStopped(t *testing.T) {
	s := openStall(t, t.TempDir())
	m := s.hub.Merchant(s.merchant)
	s.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := m.look(ctx, func() { t.Error("it looks") }); !errors.Is(err, ErrNotHere) {
		t.Errorf("look: %v", err)
	}
	if _, err := m.ask(ctx, &call{req: commerce.Expire{}}); !errors.Is(err, ErrNotHere) {
		t.Errorf("ask: %v", err)
	}
}
