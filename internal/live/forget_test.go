package live

import (
	"fmt"
	"sync"
	"testing"

	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live/lines"
)

// inLog is how many lines of each viewer the chat log has, by name.
func (s *stall) inLog() map[string]int {
	s.t.Helper()
	out := map[string]int{}
	for from := uint64(0); ; {
		records, err := s.hub.Bus.ReadLog(s.t.Context(), bus.Range{Merchant: int64(s.merchant), From: from})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(records) == 0 {
			return out
		}
		for _, r := range records {
			all, err := lines.Read(r.Data)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, l := range all {
				out[l.Message.Viewer.Name]++
			}
		}
		from = records[len(records)-1].Seq + 1
	}
}

// Viewers who ask at the same moment to be forgotten are, and what others said stands in the chat log once.
func TestForgetManyAtOnce(t *testing.T) {
	s := openStall(t, t.TempDir())
	const each = 60
	names := []string{"ana", "bob", "cy", "dee"}
	for i := range each {
		for _, name := range names {
			s.types(name, fmt.Sprint("hello ", i))
		}
	}
	s.until("all is in the chat log", func() bool { return s.inLog()["dee"] == each })
	var all sync.WaitGroup
	for _, name := range names[:3] {
		all.Go(func() {
			if err := s.hub.Forget(t.Context(), s.merchant, chat.Viewer{Platform: here.Platform, ID: "id-" + name}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := s.inLog(); len(got) != 1 || got["dee"] != each {
		t.Errorf("the chat log has %v, want %d of dee", got, each)
	}
}
