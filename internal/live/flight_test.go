package live

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
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
