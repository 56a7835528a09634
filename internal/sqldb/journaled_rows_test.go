package sqldb

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// Holds and places change while they wait and after they were written.
func TestJournalChanges(t *testing.T) {
	c := newCounter(t, 3)
	for range 6 { // three hold, three wait
		c.claim()
	}
	check := func(when string, db *DB) {
		t.Helper()
		st, err := db.Load(t.Context(), c.id)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, h := range st.Holds {
			got[h.Viewer.ID] += fmt.Sprint(h.State, h.Quantity, " ")
			if want, ok := c.d.Hold(h.ID); !ok || !reflect.DeepEqual(h, want.Hold) {
				t.Errorf("%s: %+v; the desk has %+v", when, h, want)
			}
		}
		for _, p := range st.Places {
			got[p.Viewer.ID] += fmt.Sprint(p.State, " ")
		}
		want := map[string]string{"0": "passed1 ", "1": "passed1 ", "2": "held1 ", "3": "held1 ", "4": "held1 ", "5": "waiting "}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v; want %v", when, got, want)
		}
	}
	c.do(c.pass(0)) // the hold waits, the fourth viewer's place too
	c.settle()
	c.hold()
	c.do(c.pass(1)) // both were written
	c.want("waiting", map[string]int{"journal": 1})
	check("on another node", open(t, c.o))
	c.settle()
	check("settled", c.db)
	c.audit()
}

// What the tables would refuse is refused at once and keeps nobody else's rows from their tables.
func TestJournalRefuses(t *testing.T) {
	c := newCounter(t, 1000)
	written, waits := c.claim(), commerce.Outcome{}
	c.settle()
	c.hold()
	waits = c.claim()
	long := make([]byte, 3000)
	for i := range long {
		long[i] = byte('a' + rand.IntN(26))
	}
	for name, spoil := range map[string]func(b *commerce.Batch){
		"a hold's id that is in its table": func(b *commerce.Batch) {
			b.Holds[0].ID, b.NewHolds = written.Hold, map[commerce.ID]bool{written.Hold: true}
		},
		"a hold's id that waits": func(b *commerce.Batch) {
			b.Holds[0].ID, b.NewHolds = waits.Hold, map[commerce.ID]bool{waits.Hold: true}
		},
		"a receipt that is in its table": func(b *commerce.Batch) { b.Receipts[0].ID = written.Receipt },
		"a receipt that waits":           func(b *commerce.Batch) { b.Receipts[0].ID = waits.Receipt },
		"a receipt twice":                func(b *commerce.Batch) { b.Receipts = append(b.Receipts, b.Receipts[0]) },
		"a change of no hold":            func(b *commerce.Batch) { b.NewHolds = nil },
		"a change of no place":           func(b *commerce.Batch) { b.Places = []commerce.Place{{ID: 5, State: commerce.PlaceLeft, Quantity: 1}} },
		"no pieces":                      func(b *commerce.Batch) { b.Holds[0].Quantity = 0 },
		"a number without end":           func(b *commerce.Batch) { b.Decisions[0].Quantity = 1 << 40 },
		"a state of tomorrow":            func(b *commerce.Batch) { b.Holds[0].State = "wished" },
		"no text":                        func(b *commerce.Batch) { b.Receipts[0].Viewer.Name = "\xff" },
		"a text that ends in the middle": func(b *commerce.Batch) { b.Receipts[0].Viewer.Name = "a\x00b" },
		"a key that no page holds":       func(b *commerce.Batch) { b.Decisions[0].Key.Message = string(long) },
	} {
		b, _ := c.plan(c.next())
		spoil(b)
		release := c.lockOut() // what waits does so for as long as the batch is looked at
		c.db.journal.Start()
		done := make(chan error, 1)
		go func() { done <- c.db.Commit(t.Context(), b) }()
		until(t, "it is refused, or waits for what waits", func() bool { _, waiters := c.db.journal.Waiting(); return waiters > 0 || len(done) > 0 })
		release()
		if err := <-done; err == nil || errors.Is(err, commerce.ErrFenced) || errors.Is(err, commerce.ErrUnknown) {
			t.Errorf("%s: Commit = %v", name, err)
		}
		c.d.Rollback()
		c.hold() // nothing of it is there to stick
		c.n--    // the same viewer comes with the next
		waits = c.claim()
	}
	c.db.journal.Start()
	twice, _ := c.plan(c.next())
	twice.Decisions = append(twice.Decisions, twice.Decisions[0])
	if err := c.db.Commit(t.Context(), twice); !errors.Is(err, commerce.ErrRepeated) {
		t.Errorf("a key twice: Commit = %v", err)
	}
	c.d.Rollback()
	c.claim()
	c.audit()
}

// What the journal does not take, and the tables do, goes there at once: ids from a clock that was set back, and long texts.
func TestJournalLongWay(t *testing.T) {
	c := newCounter(t, 100)
	c.claim()
	c.settle()
	for _, spoil := range []func(b *commerce.Batch){
		func(b *commerce.Batch) { b.Receipts[0].ID -= 1 << 40 },
		func(b *commerce.Batch) { b.Receipts[0].Viewer.Name = strings.Repeat("n", 5000) },
	} {
		b, _ := c.plan(c.next())
		spoil(b)
		if err := c.db.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		c.want("at once", map[string]int{"journal": 0, "receipts": c.n})
		c.d.Commit()
	}
	c.claim()
	c.audit()
}

// An effect that is done before its row was written leaves nothing, and its id may come again.
func TestJournalEffects(t *testing.T) {
	c := newCounter(t, 100)
	commit := func(done []commerce.ID, effects ...commerce.ID) {
		t.Helper()
		b, _ := c.plan(c.next())
		b.Done = done
		for _, id := range effects {
			b.Effects = append(b.Effects, commerce.Effect{ID: id, Kind: "say", Body: []byte("{}"), NotAfter: b.At.Add(time.Hour)})
		}
		if err := c.db.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		c.d.Commit()
	}
	commit(nil, 1, 2)
	commit(nil, 3)
	commit([]commerce.ID{1, 3})
	c.settle()
	c.want("one block is done", map[string]int{"effects": 1})
	c.hold()
	commit([]commerce.ID{2}, 4)
	c.db.journal.Start()
	commit([]commerce.ID{4}, 1) // 1 stands in its table, until the batch before is written
	if err := c.db.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	st, err := c.db.Load(t.Context(), c.id)
	if err != nil || len(st.Effects) != 1 || st.Effects[0].ID != 1 {
		t.Errorf("%+v, %v", st.Effects, err)
	}
}

// A name that waits in the journal of another node is forgotten too.
func TestJournalForget(t *testing.T) {
	c := newCounter(t, 100)
	c.claim()
	two := open(t, c.o)
	if err := two.Forget(t.Context(), c.id, chat.Viewer{Platform: chat.Twitch, ID: "0"}); err != nil {
		t.Fatal(err)
	}
	c.settle()
	var names []string
	err := c.db.rows(t.Context(), func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		names = append(names, name)
		return err
	}, `SELECT name FROM receipts`)
	if err != nil || !slices.Equal(names, []string{""}) {
		t.Errorf("%q, %v", names, err)
	}
}
