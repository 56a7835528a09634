package hls

import (
	"testing"
	"time"
)

// Every part that a playlist announces comes, also where a segment ends: players ask for it ahead of time and give up when it is
// refused.
func TestAnnouncedPartsCome(t *testing.T) {
	t.Parallel()
	w := newShow("show", nil, 0)
	stop, announced := make(chan struct{}), make(chan map[string]bool)
	go func() {
		all := map[string]bool{}
		for {
			select {
			case <-stop:
				announced <- all
				return
			default:
				w.mu.Lock()
				all[w.nextName()] = true
				w.mu.Unlock()
			}
		}
	}()
	came := map[string]bool{}
	for n := range int64(10_000) {
		w.open(time.Unix(n, 0), false)
		for at := range 3 {
			came[w.partName(w.last().number, at)] = true
			w.add(part{data: []byte{1}, ticks: partTarget}, at == 2)
		}
	}
	close(stop)
	last := w.nextName()
	for name := range <-announced {
		if !came[name] && name != last {
			t.Fatalf("%s was announced, and never came", name)
		}
	}
}
