package counted

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/book"
)

func TestMemory(t *testing.T) {
	at := time.Unix(1000, 0)
	x := New(rulebook.Memory{
		Counters: []rulebook.Counter{{Rule: 7, Show: 100, Scope: int(book.PerPerson), Of: "twitch/1", Fired: 2, Last: at}},
		Settings: []rulebook.Setting{{Name: "goal", Number: true, N: 3}, {Name: "host", Text: "Ana"}},
	})
	k := book.Key{Rule: 7, Scope: book.PerPerson, Show: 100, Of: "twitch/1"}
	if c := x.Count(k); c.N != 2 || !c.Last.Equal(at) {
		t.Fatalf("counted %+v", c)
	}
	var undo Undo
	other := book.Key{Rule: 8, Scope: book.PerShow}
	got := x.Apply(
		[]book.Change{{Key: k, Count: book.Count{N: 3, Last: at}}, {Key: other, Count: book.Count{N: 1, Last: at}}, {Key: k, Count: book.Count{N: 4, Last: at}}},
		[]book.Setting{{Name: "goal", Number: true, N: 4}, {Name: "new", Number: true, N: 1}, {Name: "host"}, {Name: "mood", Text: "good"}}, &undo)
	if len(got.Counters) != 3 || got.Counters[2].Fired != 4 || len(got.Settings) != 4 {
		t.Errorf("stored as %+v", got)
	}
	if x.Count(k).N != 4 || x.Count(other).N != 1 || x.Numbers()["goal"] != 4 || x.Vars()["mood"] != "good" || x.Vars()["host"] != "" {
		t.Errorf("applied: %+v %v %v", x.counts, x.Numbers(), x.Vars())
	}
	again := New(rulebook.Memory{})
	again.Take(got)
	if again.Count(k).N != 4 || again.Numbers()["goal"] != 4 {
		t.Error("what is stored is not what was applied")
	}
	undo.All()
	if x.Count(k).N != 2 || len(x.counts) != 1 || !reflect.DeepEqual(x.Numbers(), map[string]int64{"goal": 3}) || !reflect.DeepEqual(x.Vars(), map[string]string{"host": "Ana"}) {
		t.Errorf("undone: %+v %v %v", x.counts, x.Numbers(), x.Vars())
	}
}

// What comes within a second is stored together, the last of each; what could not be stored is tried again; what is left at the
// end is stored last.
func TestSaver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var saved []rulebook.Memory
		var done []commerce.ID
		fail := errors.New("the database is away")
		s := &Saver{Log: slog.New(slog.DiscardHandler), Save: func(_ context.Context, m rulebook.Memory) error {
			mu.Lock()
			defer mu.Unlock()
			if fail != nil {
				return fail
			}
			saved = append(saved, m)
			return nil
		}, Done: func(id commerce.ID) {
			mu.Lock()
			defer mu.Unlock()
			done = append(done, id)
		}}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		one := func(n int64) rulebook.Memory {
			return rulebook.Memory{Counters: []rulebook.Counter{{Rule: 7, Fired: n}}, Settings: []rulebook.Setting{{Name: "a", Number: true, N: n}, {Name: "a", Text: "x"}}}
		}
		s.Add(1, one(1))
		time.Sleep(3 * saveEvery)
		s.Add(2, one(2))
		mu.Lock()
		if fail = nil; len(done) != 0 {
			t.Error("done before it is stored")
		}
		mu.Unlock()
		time.Sleep(3 * saveEvery)
		mu.Lock()
		if len(saved) != 1 || !reflect.DeepEqual(saved[0], one(2)) || !slices.Equal(done, []commerce.ID{1, 2}) {
			t.Errorf("saved %+v, done %v", saved, done)
		}
		mu.Unlock()
		s.Add(3, one(3))
		stop()
		<-ended
		if len(saved) != 2 || !slices.Equal(done, []commerce.ID{1, 2, 3}) {
			t.Errorf("at the end: saved %+v, done %v", saved, done)
		}
	})
}
