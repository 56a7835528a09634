package live

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live/lines"
)

// A rush keeps batches in the air: lines come again while the first is on its way, hosts and viewers who give back come between.
// What was answered, what the pages show and what is stored are one and the same.
func TestRush(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	became := map[commerce.Key][]commerce.Reason{}
	s := openStallWith(t, dir, func(h *Hub) {
		h.Decided = func(k commerce.Key, r commerce.Reason) {
			mu.Lock()
			defer mu.Unlock()
			became[k] = append(became[k], r)
		}
	})
	const viewers = 600
	hear := func(id, name, text string) {
		now := time.Now()
		s.chat.hear(chat.Event{Kind: chat.Said, Channel: here, Message: chat.Message{
			ID: id, Channel: here, Viewer: chat.Viewer{Platform: here.Platform, ID: "id-" + name, Name: name}, Text: text, Sent: now, Received: now,
			Answer: chat.Answer{Kind: chat.ToReply, Channel: here, Message: id},
		}})
	}
	var all sync.WaitGroup
	for part := range 3 {
		all.Go(func() {
			for i := part; i < viewers; i += 3 {
				name := fmt.Sprintf("v%03d", i)
				hear("m-"+name, name, "!buy 3")
				hear("m-"+name, name, "!buy 3")
				if i%50 == 0 {
					hear("p-"+name, name, "!pass 3")
				}
				if i%97 == 0 {
					s.page()
				}
			}
		})
	}
	all.Wait()
	s.until("all decided", func() bool {
		mu.Lock()
		defer mu.Unlock()
		n := 0
		for k, r := range became {
			if k.Message[0] == 'm' && len(r) == 2 {
				n++
			}
		}
		return n == viewers
	})
	mu.Lock()
	for k, r := range became {
		if len(r) == 2 && r[0] != r[1] && !slices.Contains(r, commerce.Duplicate) {
			t.Errorf("%v became %v", k, r)
		}
	}
	mu.Unlock()
	p := s.page()
	held := map[string]int{}
	for _, h := range p.Open {
		held[h.Viewer.Name] += h.Quantity
	}
	for name, n := range held {
		if n != 1 {
			t.Errorf("%s holds %d", name, n)
		}
	}
	if len(held) != 5 || p.Items[0].Free != 0 {
		t.Errorf("%d hold the five pieces, %d are free", len(held), p.Items[0].Free)
	}
	waiting := len(p.Waiting) + p.MoreWaiting
	s.stop()
	again := openStall(t, dir)
	q := again.page()
	if now := len(q.Waiting) + q.MoreWaiting; len(q.Open) != len(p.Open) || now != waiting {
		t.Errorf("after a start %d hold and %d wait; it were %d and %d", len(q.Open), now, len(p.Open), waiting)
	}
}

// Lines of which nothing is stored are answered before the rest of their turn is read; each line is decided once, and the chat log has
// all of them in their order.
func TestEarly(t *testing.T) {
	var mu sync.Mutex
	var order []string
	became := map[string]commerce.Reason{}
	s := openStallWith(t, t.TempDir(), func(h *Hub) {
		h.Decided = func(k commerce.Key, r commerce.Reason) {
			mu.Lock()
			defer mu.Unlock()
			if _, twice := became[k.Message]; twice {
				t.Errorf("%s was decided twice", k.Message)
			}
			order, became[k.Message] = append(order, k.Message), r
		}
	})
	want := map[string]commerce.Reason{}
	var said []string
	say := func(text string, r commerce.Reason) {
		id := fmt.Sprintf("m%03d", len(said))
		said, want[id] = append(said, id), r
		s.chat.hear(chat.Event{Kind: chat.Said, Channel: here, Message: chat.Message{
			ID: id, Channel: here, Viewer: chat.Viewer{Platform: here.Platform, ID: "of-" + id, Name: "v" + id}, Text: text, Sent: time.Now(),
			Answer: chat.Answer{Kind: chat.ToReply, Channel: here, Message: id},
		}})
	}
	if err := s.hub.Merchant(s.merchant).look(t.Context(), func() { // all of it waits for one turn
		for range 3 * fewLines {
			say("!buy 99", commerce.UnknownItem)
		}
		for range 5 {
			say("!buy 3", commerce.Held)
		}
		for range 2 * fewLines {
			say("!buy 99", commerce.UnknownItem)
		}
	}); err != nil {
		t.Fatal(err)
	}
	s.until("all decided", func() bool { mu.Lock(); defer mu.Unlock(); return len(order) == len(said) })
	if !maps.Equal(became, want) {
		t.Errorf("became %v, want %v", became, want)
	}
	if n := 3 * fewLines; !slices.Equal(order[:n], said[:n]) {
		t.Errorf("the first %d answers are to %v", n, order[:n])
	}
	var logged []string
	s.until("all in the chat log", func() bool {
		records, err := s.hub.Bus.ReadLog(t.Context(), bus.Range{Merchant: int64(s.merchant)})
		if err != nil {
			t.Fatal(err)
		}
		logged = logged[:0]
		for _, r := range records {
			all, err := lines.Read(r.Data)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range all {
				logged = append(logged, l.Message.ID)
			}
		}
		return len(logged) >= len(said)
	})
	if !slices.Equal(logged, said) {
		t.Errorf("the chat log has %v", logged)
	}
}

// While a batch is on its way nothing else can be done that is due, so the merchant's goroutine does not wake for it again and again.
func TestDueWaitsForTheFlight(t *testing.T) {
	s := openStall(t, t.TempDir())
	m := s.hub.Merchant(s.merchant)
	m.effectDone(1)
	if err := m.look(t.Context(), func() {
		clear(m.changed)
		m.writeOff = time.Now().Add(-time.Second)
		if wait := m.nextWake(time.Now()); wait > 0 {
			t.Errorf("what is due waits for %v", wait)
		}
		m.flight = &flight{done: make(chan error, 1)}
		if wait := m.nextWake(time.Now()); wait <= 0 {
			t.Error("it is tried again at once")
		}
		m.flight = nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Who asks what they have, while the batch that gives it to them is on its way, is not told of it when that batch fails.
func TestNothingIsToldOfAFailedFlight(t *testing.T) {
	s := openStall(t, t.TempDir())
	m := s.hub.Merchant(s.merchant)
	line := func(id, text string) []job {
		return []job{{heard: m.read(&chat.Event{Kind: chat.Said, Channel: here, Message: chat.Message{
			ID: id, Channel: here, Viewer: chat.Viewer{Platform: here.Platform, ID: "id-ana", Name: "ana"}, Text: text, Sent: time.Now(), Answer: chat.Answer{Kind: chat.ToReply, Channel: here, Message: id},
		}})}}
	}
	s.gone = true
	if err := m.look(t.Context(), func() {
		if err := s.db.Close(); err != nil {
			t.Error(err)
		}
		m.turn(t.Context(), line("m1", "!buy 3"))
		m.turn(t.Context(), line("m2", "!me"))
		if m.flight == nil || m.open == nil {
			t.Error("no batch is on its way, and none beside it")
		}
	}); err != nil {
		t.Fatal(err)
	}
	s.says("Orders cannot be taken for a moment")
	s.types("eli", "!shop")
	s.says("On sale")
	if n := s.count("You have"); n != 0 {
		t.Errorf("the bot said %q", s.chat.texts())
	}
}

// Lines that were answered before the rest of their turn count among those that were heard, when that is stored: none of them claims
// anything after a start, should it come again.
func TestEarlyLinesWereHeard(t *testing.T) {
	dir := t.TempDir()
	s := openStall(t, dir)
	s.onDiscord()
	last := time.Now()
	if err := s.hub.Merchant(s.merchant).look(t.Context(), func() {
		for range 2 * fewLines {
			s.types("ana", "!buy 99", func(m *chat.Message) { last = m.Sent })
		}
		s.types("bob", "!buy 3", discord)
	}); err != nil {
		t.Fatal(err)
	}
	s.holding("bob", "3x1")
	s.stop()
	s = openStall(t, dir)
	m := s.hub.Merchant(s.merchant)
	if err := m.look(t.Context(), func() {
		if got := m.desk.Watermark(here); got.Before(last.Truncate(time.Millisecond)) {
			t.Errorf("heard until %v, want %v", got, last)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// Some platforms hand over the lines of seconds at once. What a line is answered, and what a host's means, rests on the lines before it.
func TestLinesOfOneMoment(t *testing.T) {
	s := openStall(t, t.TempDir())
	mod := func(m *chat.Message) { m.Roles = chat.Moderator }
	if err := s.hub.Merchant(s.merchant).look(t.Context(), func() {
		s.types("ana", "!buy 3")
		s.types("ana", "!me")
		s.types("mod", "!air 3", mod)
		s.types("mod", "!next", mod)
		s.types("mod", "!next", mod)
		s.types("bob", "!buy 4")
		s.types("bob", "!me")
	}); err != nil {
		t.Fatal(err)
	}
	s.until("the item after the next is on air", func() bool { return s.page().Show.Lineup.OnAir == 5 })
	s.says("You have: #3 Mug")
	s.says("You have: #4 Vase")
}
