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
