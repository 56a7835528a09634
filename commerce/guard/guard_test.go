package guard

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"hawker/commerce/id"
)

const (
	show = id.ID(100)
	mug  = id.ID(11)
)

var epoch = time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)

// house is a Watch with so many persons present: proven ones p0, p1 ... and others n0, n1 ...
func house(proven, others int) *Watch {
	var ps []string
	for i := range proven {
		ps = append(ps, fmt.Sprint("p", i))
	}
	w := New(ps)
	for _, p := range ps {
		w.Seen(show, p, epoch)
	}
	for i := range others {
		w.Seen(show, fmt.Sprint("n", i), epoch)
	}
	return w
}

func (w *Watch) may(person string, free int) int {
	n, _ := w.Allow(Ask{Show: show, Variant: mug, Person: person, Free: int64(free), Share: 30, Now: epoch})
	return int(n)
}

// presence is how many persons are present, and how many of them are proven.
func (w *Watch) presence(show id.ID, now time.Time) (all, proven int) {
	c := w.crowds[show]
	if c == nil {
		return 0, 0
	}
	w.present -= c.drop(now.Add(-Presence), w.proven)
	return c.seen.Len(), c.proven
}

// take gives a person pieces that are free, and says how many are left.
func (w *Watch) take(person, block string, n, free int) int {
	w.Hold(mug, person, block, n)
	w.Has(mug, person, 1)
	return free - n
}

func TestAllow(t *testing.T) {
	for _, tt := range []struct {
		name           string
		proven, others int
		free           int
		person         string
		want           int
	}{
		{"pieces for a third of those present are not scarce", 10, 20, 10, "n0", 10},
		{"a proven person may have them all", 10, 90, 10, "p0", 10},
		{"who is not proven may have the share", 10, 90, 10, "n0", 3},
		{"or what the proven who are there leave", 4, 96, 10, "n0", 6},
		{"where nobody is proven, all", 0, 100, 10, "n0", 10},
		{"one piece cannot be shared", 10, 90, 1, "n0", 1},
		{"nothing is nothing", 10, 90, 0, "n0", 0},
		{"nobody is there", 0, 0, 10, "n0", 10},
	} {
		if got := house(tt.proven, tt.others).may(tt.person, tt.free); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// Persons who are not proven have their share together, and what proven ones have is kept for them no more.
func TestTogether(t *testing.T) {
	w := house(10, 90)
	free := w.take("n0", "", 2, 10)
	if got := w.may("n1", free); got != 1 {
		t.Errorf("after two of ten pieces another may have %d, want the third", got)
	}
	free = w.take("n1", "", 1, free)
	if got := w.may("n2", free); got != 0 {
		t.Errorf("a fourth piece: %d", got)
	}
	for i := range 6 { // four proven ones have nothing, one piece is left
		free = w.take(fmt.Sprint("p", i), "", 1, free)
	}
	if got := w.may("n2", free); got != 0 {
		t.Errorf("the last piece while four proven persons are there without: %d", got)
	}
	for i := 6; i < 10; i++ { // they buy something else; it is as if they had gone
		w.Has(mug, fmt.Sprint("p", i), 1)
	}
	if got := w.may("n2", free); got != 1 {
		t.Errorf("the last piece where every proven person has one: %d", got)
	}
}

// Who becomes proven leaves the share to others, and taking that back restores it.
func TestProve(t *testing.T) {
	w := house(10, 90)
	free := w.take("n0", "b", 3, 10)
	if got := w.may("n1", free); got != 0 {
		t.Fatalf("the share is taken, and another may have %d", got)
	}
	undo := w.Prove("n0")
	if got := w.may("n1", free); got != 3 || !w.Proven("n0") || w.Prove("n0") != nil {
		t.Errorf("with the holder proven another may have %d, want 3", got)
	}
	if all, proven := w.presence(show, epoch); all != 100 || proven != 11 {
		t.Errorf("%d present, %d proven", all, proven)
	}
	undo()
	if got := w.may("n1", free); got != 0 || w.Proven("n0") {
		t.Errorf("taken back, another may have %d", got)
	}
	w.Hold(mug, "n0", "b", -3)
	w.Has(mug, "n0", -1)
	if len(w.goods) != 0 || len(w.lots) != 0 {
		t.Errorf("given back, there is left %v, %v", w.goods, w.lots)
	}
}

// A siege burns its own share, and never the last piece of it.
func TestBurn(t *testing.T) {
	w := house(10, 90)
	for _, want := range []int{3, 2, 1, 1, 1} {
		if got := w.may("n0", 10); got != want {
			t.Fatalf("may have %d, want %d", got, want)
		}
		w.Burn(show, mug, 1)
	}
	w.Over(show)
	if len(w.goods) != 0 || w.present != 0 {
		t.Errorf("after the show: %v, %d present", w.goods, w.present)
	}
}

// All anonymous browsers of one address block count as one.
func TestBlocks(t *testing.T) {
	w := house(0, 400)
	ask := func(block string, free int) int64 {
		n, scarce := w.Allow(Ask{Show: show, Variant: mug, Person: "n1", Block: block, Free: int64(free), Share: 30, Now: epoch})
		if scarce != (block != "") { // nobody proven is there: only an anonymous browser's time is cut
			t.Errorf("block %q: scarce is %v", block, scarce)
		}
		return n
	}
	if got := ask("a", 50); got != 5 {
		t.Errorf("a block may have %d of 50, want a tenth", got)
	}
	free := w.take("n0", "a", 5, 50)
	if a, b, none := ask("a", free), ask("b", free), ask("", free); a != 0 || b != 5 || none != 45 {
		t.Errorf("then the block may have %d, another %d, somebody with an account %d", a, b, none)
	}
}

// Presence ends ten minutes after the last line, and is bounded.
func TestPresence(t *testing.T) {
	w := house(3, 7)
	w.Seen(show, "n0", epoch.Add(5*time.Minute))
	w.Seen(show, "p0", epoch.Add(4*time.Minute)) // told late
	for _, tt := range []struct {
		after       time.Duration
		all, proven int
	}{{Presence, 10, 3}, {Presence + time.Second, 2, 1}, {Presence + 5*time.Minute, 2, 1}, {Presence + 5*time.Minute + 1, 0, 0}} {
		if all, proven := w.presence(show, epoch.Add(tt.after)); all != tt.all || proven != tt.proven {
			t.Errorf("after %v: %d present, %d proven; want %d, %d", tt.after, all, proven, tt.all, tt.proven)
		}
	}
	for i := range MostPresent + 5 {
		w.Seen(show, fmt.Sprint("x", i), epoch.Add(time.Hour))
	}
	if all, _ := w.presence(show, epoch.Add(time.Hour)); all != MostPresent || w.present != MostPresent || w.crowds[show].seen.Get("x4") != nil {
		t.Errorf("%d present", all)
	}
	if all, _ := w.presence(5, epoch); all != 0 {
		t.Errorf("%d present in no show", all)
	}
}

// What is noted and taken back leaves no trace.
func TestTakenBack(t *testing.T) {
	w := house(3, 7)
	w.take("n0", "a", 2, 9)
	before := fmt.Sprint(reflect.ValueOf(w.lots), len(w.goods), *w.goods[mug])
	w.Hold(mug, "n0", "a", 3)
	w.Hold(mug, "n0", "", 1)
	w.Hold(mug, "n0", "a", -2)
	undo := w.Prove("n0")
	w.Hold(mug, "n0", "a", -3)
	w.Hold(mug, "n0", "a", 3)
	undo()
	w.Hold(mug, "n0", "a", 2)
	w.Hold(mug, "n0", "", -1)
	w.Hold(mug, "n0", "a", -3)
	if after := fmt.Sprint(reflect.ValueOf(w.lots), len(w.goods), *w.goods[mug]); after != before {
		t.Errorf("it was\n%s\nit is\n%s", before, after)
	}
}

// BenchmarkAllow is a siege: 2,500 who are not proven ask for pieces of which the share is gone, among 300 proven ones.
func BenchmarkAllow(b *testing.B) {
	w := house(300, 2500)
	free := w.take("n0", "", 30, 100)
	b.ReportAllocs()
	for b.Loop() {
		w.may("n1", free)
	}
}

// Somebody vouches for a person while a plan is under way that makes them doubtful: taking it back counts them once.
func TestSeenBesideAPlan(t *testing.T) {
	w := house(2, 8)
	undo := w.Doubt("p0")
	w.Prove("p0")
	undo()
	if _, proven := w.presence(show, epoch); proven != 2 || !w.Proven("p0") {
		t.Errorf("%d proven persons are present", proven)
	}
}
