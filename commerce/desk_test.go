package commerce

import (
	"errors"
	"testing"
	"time"
)

type story struct {
	name   string
	memory bool // tells of what a restart forgets, so it is not told with restarts
	text   string
}

// tell plays each story twice: with one desk, and with a desk that is loaded anew before each line, which must answer the
// same. The script itself checks after each line that what was stored is what the desk knows, that the ledger's chain
// holds, and that a plan that is taken back leaves no trace.
func tell(t *testing.T, stories []story) {
	for _, st := range stories {
		t.Run(st.name, func(t *testing.T) { newScript(t).play(st.text) })
		if st.memory {
			continue
		}
		t.Run(st.name+", with restarts", func(t *testing.T) {
			s := newScript(t)
			s.restart = true
			s.play(st.text)
		})
	}
}

func TestClaims(t *testing.T) {
	tell(t, []story{
		{name: "all that is asked for is held", text: `
			ana buy 1 x2 -> held holds 2 left 1
			= mug: 3 available 2 held 0 sold
			= ana: Mug 2 held for 10m15s+30s`},
		{name: "an item has its own time", text: `
			ana buy 3 -> held holds 1 left 4
			= ana: Plate 1 held for 2m15s+30s`},
		{name: "of more than is free, what is free is held and the rest waits", text: `
			ana buy 1 x2 -> held holds 2 left 1
			bob buy 1 x4 -> partly_held holds 1 waits 3 place 1
			= mug: 3 available 3 held 0 sold
			= line mug: bob 3`},
		{name: "when all is held, a claim waits", text: `
			ana buy 1 x3 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			cy buy 1 x2 -> waitlisted waits 2 place 2
			= line mug: bob 1, cy 2`},
		{name: "when all is paid, nothing will come back: sold out, but one can ask to wait", text: `
			ana buy 1 x3 -> held holds 3
			store order O1 paid ana mug x3 -> paid ana #O1 x 3
			bob buy 1 -> sold_out
			= line mug: none
			bob wait 1 -> waitlisted waits 1 place 1
			cy buy 1 -> sold_out
			bob buy 1 x2 -> waitlisted waits 2 place 1
			host stock mug 1 -> restocked left 1; promoted bob holds 1 waits 1 place 1`},
		{name: "up to the cap", text: `
			ana buy 2 M x5 -> partly_held holds 2
			ana buy 2 M x5 -> duplicate holds 2
			after 4s
			ana buy 2 M x5 -> capped holds 2
			ana buy 2 S -> capped`, memory: true},
		{name: "the cap counts all sizes of an item, held and paid", text: `
			ana buy 2 S -> held holds 1
			ana buy 2 M x3 -> partly_held holds 1 left 1
			store order O1 paid ana S x1 M x1 -> paid ana #O1 x 2
			after 4s
			ana buy 2 M -> capped
			= M: 2 available 0 held 1 sold`},
		{name: "what is held stays though the cap was lowered", text: `
			ana buy 2 M x2 -> held holds 2
			host cap 2 1 -> nothing
			after 4s
			ana buy 2 M x2 -> held holds 2
			ana buy 2 M x3 -> capped holds 2
			ana buy 2 M -> changed holds 1 left 1`},
		{name: "an item in sizes asks which, and offers what can be had", text: `
			ana buy 2 -> needs_variant of S,M
			bob buy 2 S -> held holds 1
			ana buy 2 -> needs_variant of M
			cy buy 2 M x2 -> held holds 2
			ana buy 2 -> sold_out
			= S: 1 available 1 held 0 sold`},
		{name: "a line that says it needs a size is asked, whatever the item has", text: `
			ana unclear 2 needs_variant -> needs_variant of S,M
			ana unclear 3 needs_variant -> needs_variant
			ana unclear 8 needs_variant -> needs_variant
			ana unclear 0 needs_item -> needs_item
			host close 2 -> gated item 2
			ana unclear 2 needs_variant -> not_on_sale`},
		{name: "where nothing is sold", text: `
			ana buy 8 -> unknown_item
			host close 1 -> gated item 1
			ana buy 1 -> not_on_sale
			host open 1 -> gated item 1
			ana buy 1 -> held holds 1 left 2
			host pause -> gated
			bob buy 1 -> paused
			bob buy 8 -> paused
			bob unclear 2 needs_variant -> paused
			host resume -> gated
			bob buy 9 autumn -> not_on_sale
			host end -> ended
			bob buy 1 -> ended
			bob unclear 0 needs_item -> ended`},
		{name: "nothing less than one piece", text: `
			ana buy 1 x0 -> chat`},
		{name: "pieces kept for safety are not offered", text: `
			host safety mug 2 -> restocked left 1
			ana buy 1 x3 -> partly_held holds 1 waits 2 place 1`},
	})
}

func TestSameAgain(t *testing.T) {
	tell(t, []story{
		{name: "a key is decided once", text: `
			ana buy 1 x2 -> held holds 2 left 1
			ana again 1 -> held holds 2 left 1 repeat
			bob buy 8 -> unknown_item
			bob again 1 -> unknown_item repeat
			after 9m
			ana again 1 -> held holds 2 left 1 repeat
			= mug: 3 available 2 held 0 sold`, memory: true},
		{name: "the same line twice within 3 s counts once", memory: true, text: `
			ana buy 1 -> held holds 1 left 2
			after 2s
			ana buy 1 -> duplicate holds 1 left 2
			after 1s
			ana buy 1 -> held holds 1 left 2
			ana add 1 -> held holds 2 left 1
			ana add 1 -> duplicate holds 2 left 1
			after 3s
			ana add 1 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			bob buy 1 -> duplicate waits 1 place 1
			bob pass -> passed
			bob buy 1 -> waitlisted waits 1 place 1
			ana pass 1 -> passed; promoted bob holds 1 left 2
			ana add 1 -> held holds 1 left 1`},
		{name: "a new amount replaces the old one", text: `
			ana buy 1 -> held holds 1 left 2
			after 1m
			ana buy 1 x3 -> held holds 3
			= ana: Mug 3 held for 9m15s+30s
			ana buy 1 x2 -> changed holds 2 left 1
			= mug: 3 available 2 held 0 sold`},
		{name: "plus adds to what is held and to what waits", text: `
			ana add 1 x2 -> held holds 2 left 1
			after 4s
			ana add 1 x2 -> partly_held holds 3 waits 1 place 1
			after 4s
			ana add 1 -> waitlisted holds 3 waits 2 place 1
			= line mug: ana 2`},
		{name: "who asks for less wants nothing more of the line", text: `
			ana buy 1 x5 -> partly_held holds 3 waits 2 place 1
			bob buy 1 -> waitlisted waits 1 place 2
			after 4s
			ana buy 1 x3 -> held holds 3
			= line mug: bob 1
			ana buy 1 x2 -> changed holds 2; promoted bob holds 1`},
	})
}

func TestSameAgainAfterRestart(t *testing.T) {
	s := newScript(t)
	s.restart = true
	s.play(`
		ana buy 1 x2 -> held holds 2 left 1
		ana again 1 -> held holds 2 repeat
		bob buy 1 x2 -> partly_held holds 1 waits 1 place 1
		ana pass 1 -> passed; promoted bob holds 1 left 1
		ana again 1 -> held repeat
		ana again 2 -> passed repeat
		= mug: 3 available 2 held 0 sold`)
	_, outs := s.d.Plan(s.now, []Request{s.asked["bob"][0]})
	s.d.Rollback()
	o := outs[0]
	if h := s.d.mustHolds(who("bob"))[0]; o.Hold != h.ID || o.Receipt != h.Receipt || !o.Due.Equal(h.Due) || o.Title != "Mug" || o.Price != eur(1999) {
		t.Errorf("the answer remembered from the ledger is %+v; want that of hold %+v", o, h)
	}
}

// What memory forgot and the ledger has is learnt by Known.
func TestKnown(t *testing.T) {
	s := newScript(t)
	s.play("ana buy 1 x2 -> held holds 2 left 1")
	s.now = s.now.Add(11 * time.Minute)
	s.play(`
		clock -> expired ana x 2
		bob buy 3 -> held holds 1 left 4`) // the second makes memory forget the first
	again := s.asked["ana"][0]
	b, _ := s.d.Plan(s.now, []Request{again})
	if err := s.m.Commit(t.Context(), b); !errors.Is(err, ErrRepeated) {
		t.Fatalf("Commit = %v, want ErrRepeated", err)
	}
	s.d.Rollback()
	s.d.Known(s.m.decisions[again.(Claim).Key], s.now)
	b, outs := s.d.Plan(s.now, []Request{again})
	if !b.Empty() || len(outs) != 1 || !outs[0].Repeat || outs[0].Reason != Held {
		t.Errorf("after Known: batch %+v, outcomes %+v", b, outs)
	}
	s.d.CommitNothing()
	s.play("= mug: 3 available 0 held 0 sold")
}

func TestLessAndMore(t *testing.T) {
	tell(t, []story{
		{name: "less and more change what is held", text: `
			ana buy 1 -> held holds 1 left 2
			ana more 1 -> held holds 2 left 1
			ana less 1 -> changed holds 1 left 2
			ana more 1 x4 -> partly_held holds 3 waits 2 place 1
			ana less 1 -> waitlisted holds 3 waits 1 place 1
			ana less 1 -> held holds 3
			ana less 1 x5 -> passed left 3
			= ana: Mug 3 passed
			ana less 1 -> nothing_held
			bob more 3 -> nothing_held
			= mug: 3 available 0 held 0 sold`},
		{name: "less goes to the next in line", text: `
			ana buy 1 x3 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			ana less 1 x2 -> changed holds 1 left 1; promoted bob holds 1 left 1
			= mug: 3 available 2 held 0 sold`},
		{name: "which size of those held", text: `
			ana buy 2 S -> held holds 1
			ana buy 2 M -> held holds 1 left 1
			bob buy 2 M -> held holds 1
			ana less 2 -> needs_variant of S,M
			ana less 2 S -> passed left 1
			ana more 2 M -> waitlisted holds 1 waits 1 place 1`},
		{name: "a place in line can be changed", text: `
			ana buy 1 x3 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			bob more 1 -> waitlisted waits 2 place 1
			bob less 1 x2 -> passed
			= line mug: none`},
		{name: "a checkout that was made keeps its hold; what is added is a hold of its own", text: `
			ana buy 1 -> held holds 1 left 2
			ana drafts D1 -> nothing
			after 5s
			ana buy 1 x2 -> held holds 2 left 1
			= ana: Mug 1 held for 10m10s+30s, Mug 1 held for 10m15s+30s
			after 5s
			ana buy 1 x2 -> held holds 2 left 1
			ana less 1 -> changed holds 1 left 2
			= ana: Mug 1 held for 10m5s+30s, Mug 1 passed
			ana more 1 x2 -> held holds 3
			ana less 1 x3 -> passed left 3`},
		{name: "fewer of what a checkout shows: a new hold until the same time, before anybody in line", text: `
			ana buy 1 x3 -> held holds 3
			ana drafts D1 -> nothing
			bob buy 1 x2 -> waitlisted waits 2 place 1
			after 1m
			ana less 1 -> changed holds 2; promoted bob holds 1 waits 1 place 1
			= ana: Mug 3 passed, Mug 2 held for 9m15s+30s
			= mug: 3 available 3 held 0 sold`},
		{name: "the same when the store's figure lacks the pieces already", text: `
			store read mug 3 -> nothing
			ana buy 1 x3 -> held holds 3
			ana drafts D1 -> nothing
			after 6s
			store read mug 0 -> nothing
			= mug: 0 available 0 held 0 sold
			ana less 1 -> changed holds 2
			= mug: 2 available 2 held 0 sold
			after 6s
			store read mug 3 -> restocked left 1`, memory: true},
	})
}

func TestGivingBack(t *testing.T) {
	tell(t, []story{
		{name: "of one item", text: `
			ana buy 1 x2 -> held holds 2 left 1
			ana buy 3 -> held holds 1 left 4
			ana pass 1 -> passed
			= ana: Mug 2 passed, Plate 1 held for 2m15s+30s
			ana pass 1 -> nothing_held`},
		{name: "of all, places in line too", text: `
			bob buy 1 x3 -> held holds 3
			ana buy 1 -> waitlisted waits 1 place 1
			ana buy 3 -> held holds 1 left 4
			ana pass -> passed
			= ana: Plate 1 passed
			= line mug: none
			ana pass -> nothing_held`},
		{name: "of one size", text: `
			ana buy 2 S -> held holds 1
			ana buy 2 M -> held holds 1 left 1
			ana pass 2 S -> passed
			= ana: ShirtS 1 passed, ShirtM 1 held for 10m15s+30s`},
		{name: "of one hold, which leaves the line alone", text: `
			ana buy 1 x5 -> partly_held holds 3 waits 2 place 1
			ana hands -> passed; promoted ana holds 2 left 1`},
		{name: "also while sales are paused or over, and of an item that left the lineup", text: `
			ana buy 1 -> held holds 1 left 2
			ana buy 3 -> held holds 1 left 4
			ana buy 2 M x2 -> held holds 2
			bob buy 2 M -> waitlisted waits 1 place 1
			host drop 2 -> nothing
			bob pass -> passed
			ana pass 2 -> passed
			host pause -> gated
			ana pass 1 -> passed
			host end -> ended
			ana pass -> passed
			= ana: Mug 1 passed, Plate 1 passed, 2 passed`},
		{name: "the host takes one back, once", text: `
			ana buy 1 x3 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			host release ana -> released ana x 3; promoted bob holds 1 left 2
			host release ana -> nothing`},
		{name: "the author deletes the message within 10 s", text: `
			ana buy 1 x4 -> partly_held holds 3 waits 1 place 1
			after 10s
			ana deletes 1 -> released ana x 3
			= line mug: none
			ana buy 1 -> held holds 1 left 2
			after 11s
			ana deletes 2 -> nothing
			= ana: Mug 3 released, Mug 1 held for 10m4s+30s
			bob deletes 5 -> nothing`},
		{name: "a moderator deletes it at any time, also what it was promoted to", text: `
			ana buy 1 x3 -> held holds 3
			bob buy 1 x2 -> waitlisted waits 2 place 1
			after 5m
			host delete ana 1 -> released ana x 3; promoted bob holds 2 left 1
			after 5m
			host delete bob 1 -> released bob x 2
			cy buy 1 x4 -> partly_held holds 3 waits 1 place 1
			after 5m
			host delete cy 1 -> released cy x 3
			= line mug: none
			= mug: 3 available 0 held 0 sold`},
	})
}

func TestExpiry(t *testing.T) {
	tell(t, []story{
		{name: "holds end 30 s after the time that people see, the first to end first", text: `
			ana buy 1 -> held holds 1 left 2
			bob buy 3 -> held holds 1 left 4
			after 1s
			cy buy 3 -> held holds 1 left 3
			after 2m43s
			clock -> nothing
			after 1s
			clock -> expired bob x 1
			after 20m
			clock -> expired cy x 1; expired ana x 1
			= mug: 3 available 0 held 0 sold
			= plate: 5 available 0 held 0 sold
			clock -> nothing`},
		{name: "what ends goes to the next in line in the same plan", text: `
			ana buy 1 x2 -> held holds 2 left 1
			bob buy 1 x3 -> partly_held holds 1 waits 2 place 1
			cy buy 1 x3 -> waitlisted waits 3 place 2
			after 10m45s
			clock -> expired ana x 2; promoted bob holds 2; expired bob x 1; promoted cy holds 1 waits 2 place 1
			= mug: 3 available 3 held 0 sold
			= bob: Mug 1 expired, Mug 2 held for 10m15s+30s`},
		{name: "whose turn it is gets no more than the cap, in all sizes together", text: `
			ana buy 2 S -> held holds 1
			bob buy 2 S -> waitlisted waits 1 place 1
			bob buy 2 M x2 -> held holds 2
			cy buy 2 S -> waitlisted waits 1 place 2
			ana pass -> passed; promoted cy holds 1
			= bob: ShirtM 2 held for 10m15s+30s
			= line S: none`},
		{name: "while sales are paused the clock stands still", text: `
			ana buy 3 -> held holds 1 left 4
			after 1m
			host pause -> gated
			after 1h
			clock -> nothing
			host pause -> nothing
			host resume -> gated
			= ana: Plate 1 held for 1m15s+30s
			host resume -> nothing
			after 1m44s
			clock -> nothing
			after 1s
			clock -> expired ana x 1`},
		{name: "going to the checkout adds 5 minutes, once, and from then on its clock runs", text: `
			ana buy 3 -> held holds 1 left 4
			ana opens -> nothing
			= ana: Plate 1 held for 7m15s+30s
			ana opens -> nothing
			= ana: Plate 1 held for 7m15s+30s
			host pause -> gated
			after 7m45s
			clock -> expired ana x 1
			host resume -> gated`},
		{name: "a checkout opened during a pause gets the pause until then", text: `
			ana buy 3 -> held holds 1 left 4
			host pause -> gated
			after 20m
			ana opens -> nothing
			= ana: Plate 1 held for 7m15s+30s
			after 1m
			host resume -> gated
			= ana: Plate 1 held for 6m15s+30s`},
		{name: "the end of a show ends its pause", text: `
			ana buy 3 -> held holds 1 left 4
			host pause -> gated
			after 20m
			host end -> ended
			= ana: Plate 1 held for 2m15s+30s
			after 2m45s
			clock -> expired ana x 1`},
		{name: "nobody is promoted while sales are paused, over, or the item is closed", text: `
			ana buy 1 x3 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			host close 1 -> gated item 1
			ana pass 1 -> passed
			host open 1 -> gated item 1; promoted bob holds 1 left 2
			bob pass -> passed
			ana buy 1 x3 -> held holds 3
			bob buy 1 -> waitlisted waits 1 place 1
			host pause -> gated
			ana pass -> passed
			host resume -> gated; promoted bob holds 1 left 2
			ana buy 1 x2 -> held holds 2
			cy buy 1 -> waitlisted waits 1 place 1
			host end -> ended
			ana pass -> passed
			host start -> started; promoted cy holds 1 left 1`},
	})
}

func TestNextDue(t *testing.T) {
	s := newScript(t)
	due := func(want time.Duration) {
		t.Helper()
		at, ok := s.d.NextDue()
		if ok != (want >= 0) || ok && at.Sub(epoch) != want {
			t.Errorf("NextDue = %v, %v; want %v after the start", at.Sub(epoch), ok, want)
		}
	}
	due(-1)
	s.play("ana buy 1 -> held holds 1 left 2\nbob buy 3 -> held holds 1 left 4")
	due(time.Minute + 51*time.Second) // the reminder: a fifth of its 2 min before the end that people see
	s.play("bob opens -> nothing")
	due(5*time.Minute + 51*time.Second)
	s.play("host pause -> gated")
	due(5*time.Minute + 51*time.Second)
	s.play("bob pass -> passed")
	due(-1)
	s.play("after 1m\nhost resume -> gated")
	due(9*time.Minute + 15*time.Second)
	// A plan that moves ends and is taken back does not lose them.
	hold := s.d.mustHolds(who("ana"))[0].ID
	s.d.Plan(s.now.Add(12*time.Minute), []Request{Opened{[]ID{hold}}, Expire{}})
	s.d.Rollback()
	due(9*time.Minute + 15*time.Second)
	s.d.Plan(s.now.Add(12*time.Minute), []Request{Gate{Show: spring, Closed: true}, Expire{}})
	s.d.Rollback()
	due(9*time.Minute + 15*time.Second)
}
