package commerce

import (
	"fmt"
	"testing"
	"time"
)

func TestReminders(t *testing.T) {
	tell(t, []story{
		{name: "two minutes before the end, once", text: `
			ana buy 1 -> held holds 1 left 2
			after 8m14s
			clock -> nothing
			after 1s
			clock -> reminder ana x 1
			after 2m29s
			clock -> nothing
			after 1s
			clock -> expired ana x 1`},
		{name: "a shorter hold: when a fifth of it is left", text: `
			ana buy 3 -> held holds 1 left 4
			after 1m50s
			clock -> nothing
			after 1s
			clock -> reminder ana x 1`},
		{name: "whoever opens the checkout is reminded of the later end, and not twice", text: `
			ana buy 1 -> held holds 1 left 2
			bob buy 1 -> held holds 1 left 1
			ana opens -> nothing
			after 8m15s
			clock -> reminder bob x 1
			bob opens -> nothing
			after 5m
			clock -> reminder ana x 1
			after 2m30s
			clock -> expired ana x 1; expired bob x 1`},
		{name: "not while the clock stands still", text: `
			ana buy 1 -> held holds 1 left 2
			host pause -> gated
			after 9m
			clock -> nothing
			host resume -> gated
			after 8m15s
			clock -> reminder ana x 1`},
		{name: "nobody is reminded of an end that was", text: `
			ana buy 1 -> held holds 1 left 2
			after 10m20s
			clock -> nothing
			after 25s
			clock -> expired ana x 1`},
	})
}

func TestUnheard(t *testing.T) {
	tell(t, []story{
		{name: "whoever could be told nothing gets the time once more, and is told again", text: `
			ana buy 3 -> held holds 1 left 4
			bob buy 3 -> held holds 1 left 3
			ana unheard -> nothing
			ana unheard -> nothing
			after 2m45s
			clock -> extended ana x 1; expired bob x 1
			= ana: Plate 1 held for 2m15s+30s
			after 2m45s
			clock -> expired ana x 1`},
		{name: "a second time it is let go", text: `
			ana buy 3 -> held holds 1 left 4
			ana unheard -> nothing
			after 2m45s
			clock -> extended ana x 1
			ana unheard -> nothing
			after 2m45s
			clock -> expired ana x 1`},
		{name: "so does whoever is still to be told", memory: true, text: `
			ana buy 3 -> held holds 1 left 4
			bob buy 3 -> held holds 1 left 3
			telling ana
			telling bob
			told bob
			after 2m45s
			clock -> extended ana x 1; expired bob x 1
			telling ana
			after 2m45s
			clock -> expired ana x 1`},
		{name: "an offer is not extended", text: `
			host firstpaid 3 -> nothing
			ana buy 3 -> offered holds 1 left 5
			ana unheard -> nothing
			after 2m45s
			clock -> expired ana x 1`},
	})
	s := newScript(t)
	s.play("ana buy 3 -> held holds 1 left 4\ntelling ana\nana pass -> passed")
	if s.d.Telling(5); len(s.d.telling) != 0 {
		t.Errorf("%d holds are to be told of, of none", len(s.d.telling))
	}
	// The reminder comes again with the time.
	s.play(`
		bob buy 3 -> held holds 1 left 4
		bob unheard -> nothing
		after 1m51s
		clock -> reminder bob x 1
		after 54s
		clock -> extended bob x 1
		after 2m
		clock -> reminder bob x 1`)
}

// Whatever a show goes through, the clocks of its holds run again when it is over, and nothing stops them then.
func TestPausedAtTheEnd(t *testing.T) {
	tell(t, []story{
		{name: "by way of being planned", text: `
			ana buy 1 -> held holds 1 left 2
			host pause -> gated
			after 1h
			host plan -> nothing
			host end -> nothing
			after 9m59s
			clock -> reminder ana x 1
			after 50s
			clock -> expired ana x 1`},
		{name: "paused when it is over", text: `
			ana buy 1 -> held holds 1 left 2
			host end -> ended
			host pause -> nothing
			after 11m
			clock -> expired ana x 1`},
	})
}

func TestPayOnce(t *testing.T) {
	tell(t, []story{
		{name: "whoever was reminded before is reminded of the end that counts", text: `
			ana buy 1 -> held holds 1 left 2
			after 8m15s
			clock -> reminder ana x 1
			host payonce 30m -> nothing
			after 1h
			clock -> nothing
			host end -> ended
			after 28m15s
			clock -> reminder ana x 1
			host start -> started
			after 1h
			host end -> ended
			after 28m15s
			clock -> reminder ana x 1
			after 2m30s
			clock -> expired ana x 1`},
		{name: "all holds of the show are due together when it is over", text: `
			host payonce 1h -> nothing
			ana buy 3 -> held holds 1 left 4
			after 20m
			bob buy 1 -> held holds 1 left 2
			after 3h
			clock -> nothing
			ana opens -> nothing
			host end -> ended
			= ana: Plate 1 held for 1h0m15s+30s
			= bob: Mug 1 held for 1h0m15s+30s
			bob opens -> nothing
			= bob: Mug 1 held for 1h5m15s+30s
			after 58m15s
			clock -> reminder ana x 1
			after 2m30s
			clock -> expired ana x 1`},
		{name: "nothing is set aside for ever", text: `
			host payonce 1h -> nothing
			ana buy 3 -> held holds 1 left 4
			after 168h29s
			clock -> nothing
			after 1s
			clock -> expired ana x 1`},
		{name: "a pause moves nothing", text: `
			host payonce 1h -> nothing
			ana buy 3 -> held holds 1 left 4
			host pause -> gated
			after 1h
			host resume -> gated
			host end -> ended
			= ana: Plate 1 held for 1h0m15s+30s`},
		{name: "a checkout that is opened during a pause still ends", text: `
			host payonce 1h -> nothing
			ana buy 3 -> held holds 1 left 4
			host pause -> gated
			clock -> nothing
			ana opens -> nothing
			after 168h1m
			clock -> expired ana x 1`},
		{name: "chosen in the middle of a show, and taken back", text: `
			ana buy 3 -> held holds 1 left 4
			host payonce 1h -> nothing
			after 10m
			clock -> nothing
			host payonce 0 -> nothing
			= ana: Plate 1 held for 2m15s+30s`},
		{name: "nobody is promoted after the end", text: `
			host payonce 1h -> nothing
			ana buy 1 x3 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			host end -> ended
			ana pass -> passed
			= line mug: bob 1`},
	})
	s := newScript(t)
	s.play("host payonce 1h -> nothing")
	_, outs := s.d.Plan(s.now, []Request{s.request([]string{"ana", "buy", "3"})})
	if outs[0].PayOnce != time.Hour {
		t.Errorf("PayOnce = %v", outs[0].PayOnce)
	}
}

func TestEdits(t *testing.T) {
	tell(t, []story{
		{name: "what the earlier text was given is given back first", text: `
			ana buy 1 x3 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			ana edits 1 buy 3 -> released ana x 3; promoted bob holds 1 left 2; held holds 1 left 4
			= ana: Mug 3 released, Plate 1 held for 2m15s+30s`},
		{name: "the same item and size: the amount is read anew", text: `
			ana buy 2 M x2 -> held holds 2
			ana edits 1 buy 2 M -> changed holds 1 left 1
			ana edits 1 buy 2 S -> released ana x 1; held holds 1
			= ana: ShirtM 1 released, ShirtS 1 held for 10m15s+30s`},
		{name: "also a place in line, and when the new text is unclear", text: `
			ana buy 1 x3 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			bob edits 1 buy 2 -> needs_variant of S,M
			= line mug: none
			ana edits 1 buy 8 -> released ana x 3; unknown_item`},
		{name: "an edit of an old line takes nothing back", text: `
			ana buy 1 -> held holds 1 left 2
			after 11s
			ana edits 1 buy 3 -> held holds 1 left 4
			= ana: Mug 1 held for 10m4s+30s, Plate 1 held for 2m15s+30s`},
	})
}

func TestPart(t *testing.T) {
	tell(t, []story{
		{name: "a viewer parted from a person has their own holds, places and caps again", text: `
			host bind ana anna -> nothing
			host bind ana@room anna -> nothing
			ana buy 2 M x2 -> held holds 2
			bob buy 1 x3 -> held holds 3
			ana@room buy 1 -> waitlisted waits 1 place 1
			ana buy 1 x2 -> waitlisted waits 2 place 1
			ana@room buy 2 S -> capped
			host part ana@room -> nothing
			host part ana@room -> nothing
			ana@room buy 2 S -> held holds 1
			ana buy 2 M -> changed holds 1 left 1
			bob pass -> passed; promoted ana holds 2 left 1`},
		{name: "who paid as part of a person is proven alone", text: `
			host bind ana anna -> nothing
			ana buy 3 -> held holds 1 left 4
			store order O1 paid ana plate x1 -> paid ana #O1 x 1
			host part ana -> nothing`},
	})
}

func TestRestored(t *testing.T) {
	tell(t, []story{
		{name: "after a restore nothing more is sold until somebody opens the sale", text: `
			ana buy 1 x3 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			dee buy 3 -> held holds 1 left 4
			restore
			cy buy 3 -> paused
			ana more 1 -> paused
			ana less 1 -> changed holds 2 left 1
			= line mug: bob 1
			store order O1 paid dee plate x1 -> paid dee #O1 x 1
			host reopen -> reopened; promoted bob holds 1
			host reopen -> nothing
			cy buy 3 -> held holds 1 left 3`},
	})
	s := newScript(t)
	s.play("restore")
	if !s.d.Restored().Equal(s.now) {
		t.Errorf("Restored = %v", s.d.Restored())
	}
	s.play("host reopen -> reopened")
	if !s.d.Restored().IsZero() || !s.m.restored.IsZero() {
		t.Errorf("reopened, and Restored = %v, in the ledger %v", s.d.Restored(), s.m.restored)
	}
}

// An answer that asks has the viewer's page, which stays the same.
func TestAsksWithPage(t *testing.T) {
	s := newScript(t)
	for _, line := range [][]string{{"ana", "buy", "2"}, {"ana", "unclear", "0", "needs_item"}, {"bob", "unclear", "2", "needs_variant"}} {
		r := s.request(line)
		b, outs := s.d.Plan(s.now, []Request{r})
		if b.Empty() && s.d.ReceiptOf(spring, who("ana")) == 0 {
			t.Errorf("%v: nothing is to be stored", line)
		}
		if err := s.m.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		s.d.Commit()
		if o := outs[0]; o.Receipt == 0 || o.Receipt != s.d.ReceiptOf(spring, o.Viewer) {
			t.Errorf("%v: receipt %d", line, o.Receipt)
		}
	}
	if len(s.m.receipts) != 2 {
		t.Errorf("%d receipts", len(s.m.receipts))
	}
	s.play("cy unclear 8 question -> question")
	if len(s.m.receipts) != 2 {
		t.Errorf("a question has a page")
	}
}

// Many holds that end together end in several batches, each in its turn and none twice, and the desk wants to be asked again at
// once until they are through.
func TestManyEnd(t *testing.T) {
	s := newScript(t)
	s.play("host stock plate 100000 -> restocked left 100000")
	const many = 5 * atOnce
	reqs := make([]Request, many)
	for i := range reqs {
		c := claimOf(i)
		c.Number = 3
		reqs[i] = c
	}
	commit := func(reqs []Request) (ended int) {
		b, outs := s.d.Plan(s.now, reqs)
		if err := s.m.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		s.d.Commit()
		for i := range outs {
			if outs[i].What == Expired {
				ended++
			}
		}
		return ended
	}
	s.d.Plan(s.now, reqs)
	s.d.Rollback() // which leaves nothing behind
	if _, ok := s.d.NextDue(); ok {
		t.Fatal("something is due of what was taken back")
	}
	commit(reqs)
	s.now = s.now.Add(3 * time.Minute)
	for n := 0; n < many; n += atOnce {
		if due, ok := s.d.NextDue(); !ok || due.After(s.now) {
			t.Fatalf("after %d ends NextDue = %v, %v", n, due, ok)
		}
		s.d.Plan(s.now, []Request{Expire{}})
		s.d.Rollback()
		if got := commit([]Request{Expire{}}); got != atOnce {
			t.Fatalf("%d ended in one batch", got)
		}
	}
	if due, ok := s.d.NextDue(); ok || s.d.Free(plate) != 100_000 {
		t.Errorf("when all have ended, NextDue = %v, %v, and %d are free", due, ok, s.d.Free(plate))
	}
}

// An old hold that is forgotten while the next plan is under way is not found by anything when that plan is taken back.
func TestForgetBesideAPlan(t *testing.T) {
	s := newScript(t)
	s.play("ana buy 1 -> held holds 1 left 2\nana pass -> passed")
	s.now = s.now.Add(closedFor + time.Hour)
	first, _ := s.d.Plan(s.now, []Request{claimOf(1)})
	s.d.Plan(s.now, []Request{claimOf(2)})
	if err := s.m.Commit(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	s.d.Commit()
	s.d.Rollback()
	s.d.Plan(s.now, []Request{Gate{Show: spring, Closed: true}, Gate{Show: spring}}) // goes through all holds of the show
	s.d.Commit()
	for show, ids := range s.d.ofShow {
		for _, id := range ids {
			if s.d.holds[id] == nil {
				t.Errorf("show %d has hold %d, which is nowhere", show, id)
			}
		}
	}
	if len(s.d.holds) != 1 {
		t.Errorf("%d holds; what is old is not forgotten", len(s.d.holds))
	}
}

// BenchmarkExpire is one batch of ends while 100,000 holds are open.
func BenchmarkExpire(b *testing.B) {
	m := stocked(b)
	st, _ := m.Load(b.Context(), 7)
	d := NewDesk(7, st)
	have := int64(1 << 40)
	d.Plan(epoch, []Request{SetStock{Variant: mug, Available: &have}})
	d.Commit()
	for i := 0; i < 100_000; i += 1000 {
		var reqs []Request
		for n := range 1000 {
			reqs = append(reqs, claimOf(i+n))
		}
		d.Plan(epoch, reqs)
		d.Commit()
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, outs := d.Plan(epoch.Add(time.Hour), []Request{Expire{}}); len(outs) != atOnce {
			b.Fatal(fmt.Sprint(len(outs)))
		}
		d.Rollback()
	}
}
