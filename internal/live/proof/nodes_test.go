package proof

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/commerce/ledgertest"
	"hawker/internal/chat"
	"hawker/internal/live"
)

// nodesLong makes TestTwoHubs run as often as it says.
const nodesLong = "HAWKER_TEST_NODES"

// fences counts what a hub logs of batches that another node's takeover made void.
type fences struct {
	slog.Handler
	n *atomic.Int64
}

func (f fences) Enabled(context.Context, slog.Level) bool { return true }

func (f fences) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" && strings.Contains(a.Value.String(), commerce.ErrFenced.Error()) {
			f.n.Add(1)
		}
		return true
	})
	return nil
}

func (f fences) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f fences) WithGroup(string) slog.Handler      { return f }

// TestTwoHubs has two hubs believe that they own one merchant and hear the same chat at the same time, each line by both and in
// an order of its own, and take the same forms; then one goes on alone.
func TestTwoHubs(t *testing.T) {
	runs := ledgertest.Often(t, nodesLong, 10)
	for _, h := range both() {
		t.Run(h.name, func(t *testing.T) {
			var fenced atomic.Int64
			alike, refused := 0, 0
			for run := range runs {
				dir, url := h.make(t)
				a, r := twoHubs(t, dir, url, &fenced)
				alike, refused = alike+a, refused+r
				if t.Failed() {
					t.Fatalf("run %d", run)
				}
			}
			t.Logf("%d runs: %d batches fenced, %d forms refused with \"try again\", %d answered alike by both", runs, fenced.Load(), refused, alike)
			if fenced.Load() == 0 {
				t.Error("the hubs never met")
			}
		})
	}
}

func twoHubs(t *testing.T, dir, url string, fenced *atomic.Int64) (alike, refused int) {
	const mug, viewers, forms = 30, 60, 10
	db, err := openDB(t.Context(), dir, url)
	if err != nil {
		t.Fatal(err)
	}
	merchant, show := stock(t, db, mug, 1)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	log := slog.New(fences{n: fenced})
	hubs := []*shop{startShop(t, dir, url, merchant, show, log), startShop(t, dir, url, merchant, show, log)}
	var lines []typed
	for i := range viewers {
		lines = append(lines, hubs[0].line(fmt.Sprintf("viewer%04d", i), "!buy 3"))
	}
	answers := make([][]commerce.ID, 2)
	errs := make([]int, 2)
	var wg sync.WaitGroup
	for i, s := range hubs {
		mine := slices.Clone(lines)
		rand.Shuffle(len(mine), func(a, b int) { mine[a], mine[b] = mine[b], mine[a] })
		wg.Go(func() {
			for _, l := range mine {
				s.wire.hear(l.event())
				if rand.IntN(4) == 0 {
					time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
				}
			}
		})
		answers[i] = make([]commerce.ID, forms)
		wg.Go(func() {
			for f := range forms {
				who := chat.Viewer{Platform: chat.Room, ID: fmt.Sprint("browser", f), Name: "Guest"}
				key := commerce.Key{Platform: chat.Room, Message: fmt.Sprint("form-", f)}
				o, err := s.hub.Ask(context.Background(), merchant, key, commerce.Claim{Ask: commerce.Ask{Show: show, Viewer: who, Sent: time.Now()}, Number: mugs, Quantity: 1})
				if err != nil {
					errs[i]++
					continue
				}
				answers[i][f] = o.Hold
			}
		})
	}
	wg.Wait()
	for f := range forms {
		a, b := answers[0][f], answers[1][f]
		switch {
		case a == b && a != 0:
			alike++
		case a != 0 && b != 0:
			t.Errorf("form %d was answered by hold %d and by hold %d", f, a, b)
		}
	}
	// One goes on: whoever asks it is served, until nothing is left.
	last := hubs[rand.IntN(2)]
	for _, s := range hubs {
		if s != last {
			s.stop()
		}
	}
	var free int64 = 1
	for i := 0; free > 0; i++ {
		if i > 2*mug {
			t.Fatal("the hub that goes on does not sell")
		}
		// The first line may fall to the other's last takeover.
		last.types(fmt.Sprintf("late%04d", i), "!buy 3")
		eventually(t, "a decision", func() bool {
			p := last.page()
			free = p.Items[0].Free
			return free == 0 || slices.ContainsFunc(p.Feed, func(l live.FeedLine) bool { return l.Viewer.Name == fmt.Sprintf("late%04d", i) && l.Reason != "" })
		})
	}
	last.stop()
	st := rows(t, dir, url, merchant)
	of := map[string]int{}
	n := 0
	for _, h := range st.Holds {
		of[h.Viewer.ID] += h.Quantity
		n += h.Quantity
	}
	for viewer, n := range of {
		if n != 1 {
			t.Errorf("%s asked for one piece and holds %d", viewer, n)
		}
	}
	if n != mug {
		t.Errorf("%d of %d mugs are held", n, mug)
	}
	for _, s := range hubs {
		for _, a := range s.wire.said() {
			i := slices.IndexFunc(lines, func(l typed) bool { return l.ID == a.To })
			if i >= 0 && a.told() && of[lines[i].Viewer] == 0 {
				t.Errorf("%q was said to %s, who holds nothing", a.Text, lines[i].Viewer)
			}
		}
		for f, hold := range answers[slices.Index(hubs, s)] {
			if hold != 0 && !slices.ContainsFunc(st.Holds, func(h commerce.Hold) bool { return h.ID == hold && h.Viewer.ID == fmt.Sprint("browser", f) }) {
				t.Errorf("hold %d of form %d was acknowledged and is not there", hold, f)
			}
		}
	}
	return alike, errs[0] + errs[1]
}
