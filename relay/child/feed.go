package child

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
)

// How much is kept for a hub that does not take it. What is older is lost, and the hub is told how many entries that were.
const (
	maxEvents  = 4096
	maxRecords = 1024
)

// errNoHub means that there is no hub to ask.
var errNoHub = errors.New("the hub is away")

// feed is what the process has to tell its hub.
type feed struct {
	mu      sync.Mutex
	seq     uint64
	events  []line // not acknowledged, oldest first
	records []line
	lost    int
	asks    map[uint64]*ask
	hub     *listener // nil while there is none
	moved   chan struct{}
}

// ask is a question that waits for its answer.
type ask struct {
	question
	answer chan answer
}

// listener is a hub that listens.
type listener struct {
	at   uint64              // entries up to this one were given
	told map[uint64]struct{} // questions that were given
	wake chan struct{}       // one token: there is more
	gone chan struct{}       // closed when another hub took its place
}

func newFeed() *feed { return &feed{asks: map[uint64]*ask{}, moved: make(chan struct{})} }

// put keeps an entry.
func (f *feed) put(l line) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq++
	l.Seq = f.seq
	if l.Event != nil {
		f.events = f.bound(append(f.events, l), maxEvents)
	} else {
		f.records = f.bound(append(f.records, l), maxRecords)
	}
	f.hub.poke()
}

func (f *feed) bound(all []line, most int) []line {
	if len(all) <= most {
		return all
	}
	f.lost++
	return slices.Delete(all, 0, 1)
}

func (l *listener) poke() {
	if l == nil {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// join makes a new listener the hub. One that was there before is sent away: a data folder has one hub, and it cannot be two.
func (f *feed) join() *listener {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hub != nil {
		close(f.hub.gone)
	}
	f.hub = &listener{told: map[uint64]struct{}{}, wake: make(chan struct{}, 1), gone: make(chan struct{})}
	f.hub.poke()
	f.changed()
	return f.hub
}

// part takes a listener away.
func (f *feed) part(l *listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hub == l {
		f.hub = nil
		f.changed()
	}
}

// changed wakes who waits for a hub to come or go; the mutex is held.
func (f *feed) changed() {
	close(f.moved)
	f.moved = make(chan struct{})
}

// present says whether a hub listens, and gives a channel that is closed when that changes.
func (f *feed) present() (bool, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hub != nil, f.moved
}

// take gives what a listener was not given yet, in order.
func (f *feed) take(l *listener) []line {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []line
	for _, q := range f.asks {
		if _, ok := l.told[q.ID]; !ok {
			l.told[q.ID] = struct{}{}
			out = append(out, line{Ask: &q.question})
		}
	}
	asked := len(out)
	for _, all := range [][]line{f.events, f.records} {
		from, _ := slices.BinarySearchFunc(all, l.at+1, func(x line, seq uint64) int { return cmp.Compare(x.Seq, seq) })
		out = append(out, all[from:]...)
	}
	entries := out[asked:]
	slices.SortFunc(entries, func(a, b line) int { return cmp.Compare(a.Seq, b.Seq) })
	if len(entries) > 0 {
		entries[0].Lost, f.lost = f.lost, 0
		l.at = entries[len(entries)-1].Seq
	}
	return out
}

// acknowledge forgets entries up to seq.
func (f *feed) acknowledge(seq uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	done := func(x line) bool { return x.Seq <= seq }
	f.events = slices.DeleteFunc(f.events, done)
	f.records = slices.DeleteFunc(f.records, done)
}

// ask asks the hub whose a key is. It waits for a hub to come while patient says so, else the error is errNoHub.
func (f *feed) ask(ctx context.Context, key string, patient bool) (answer, error) {
	f.mu.Lock()
	f.seq++ // questions have numbers of their own out of the same row
	q := &ask{question: question{ID: f.seq, Key: key}, answer: make(chan answer, 1)}
	f.asks[q.ID] = q
	f.hub.poke()
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.asks, q.ID)
		if f.hub != nil {
			delete(f.hub.told, q.ID)
		}
	}()
	for {
		here, moved := f.present()
		if !here && !patient {
			return answer{}, errNoHub
		}
		select {
		case a := <-q.answer:
			return a, nil
		case <-moved:
		case <-ctx.Done():
			return answer{}, ctx.Err()
		}
	}
}

// reply answers a question and says whether it was waiting.
func (f *feed) reply(id string, a answer) bool {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	q := f.asks[n]
	if q == nil {
		return false
	}
	select {
	case q.answer <- a:
	default: // answered before
	}
	return true
}
