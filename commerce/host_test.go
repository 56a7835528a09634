package commerce

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
	"unsafe"

	"hawker/internal/chat"
)

// A command of the host with a key is done once, however often it is sent, also after a restart and in one batch.
func TestHostCommandsOnce(t *testing.T) {
	key := func(id string) Key { return Key{Platform: "host", Message: id} }
	n := int64(9)
	for _, tt := range []struct {
		name, before string
		do           func(s *script, k Key) Request
		want, after  string
		what         What
	}{
		{"stock is added once", "", func(_ *script, k Key) Request { return SetStock{Key: k, Variant: mug, Add: 2} }, "restocked left 5", "= mug: 5 available 0 held 0 sold", Restocked},
		{"stock is set once", "", func(_ *script, k Key) Request { return SetStock{Key: k, Variant: mug, Available: &n} }, "restocked left 9", "= mug: 9 available 0 held 0 sold", Restocked},
		{"an item is put on air once", "", func(_ *script, k Key) Request { return Air{Key: k, Show: spring, Number: 2} }, "aired item 2", "", Aired},
		{"an item is closed once", "", func(_ *script, k Key) Request { return Gate{Key: k, Show: spring, Number: 1, Closed: true} }, "gated item 1", "ana buy 1 -> not_on_sale", Gated},
		{"sales are paused once", "", func(_ *script, k Key) Request { return Gate{Key: k, Show: spring, Closed: true} }, "gated", "ana buy 1 -> paused", Gated},
		{"a hold is released once", "ana buy 1 -> held holds 1 left 2", func(s *script, k Key) Request {
			return Release{Key: k, Hold: s.d.mustHolds(who("ana"))[0].ID, By: "member 5"}
		}, "released ana x 1", "= ana: Mug 1 released", Released},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t)
			s.play(tt.before)
			r := tt.do(s, key("1"))
			again := tt.want + " repeat"
			if got := s.commit(r, r); got != tt.want+"; "+again {
				t.Errorf("twice in a batch: %q", got)
			}
			s.play(tt.after)
			if got := s.commit(r); got != again {
				t.Errorf("again: %q", got)
			}
			s.load()
			_, outs := s.d.Plan(s.now, []Request{r})
			s.d.CommitNothing()
			if len(outs) != 1 || outs[0].What != tt.what || outs[0].Key != key("1") || outs[0].Reason != Changed || !outs[0].Repeat {
				t.Errorf("after a restart: %+v", outs)
			}
			if d := s.m.decisions[key("1")]; d.Reason != Changed || d.Kind == "" {
				t.Errorf("stored: %+v", d)
			}
		})
	}
}

// What finds nothing to do says so, is not stored, and is not done later by a repeat.
func TestHostCommandsForNothing(t *testing.T) {
	s := newScript(t)
	k := Key{Platform: "host", Message: "1"}
	for _, r := range []Request{
		Release{Key: k, Hold: 5},
		SetStock{Key: k, Variant: mug},
		Air{Key: k, Show: spring},
		Air{Key: k, Show: 9, Number: 1},
		Air{Key: k, Show: spring, Number: 77},
		Gate{Key: k, Show: spring, Number: 1},
		Gate{Key: k, Show: 9},
		Gate{Key: k, Show: spring},
		Gate{Key: k, Show: spring, Number: 77, Closed: true},
	} {
		_, outs := s.d.Plan(s.now, []Request{r})
		if len(outs) != 1 || outs[0].Reason != NothingHeld || outs[0].Key != k || outs[0].Repeat {
			t.Errorf("%+v: %+v", r, outs)
		}
		s.d.Rollback()
	}
	air := Air{Key: k, Show: spring, Number: 1}
	s.commit(Air{Show: spring, Number: 1})
	s.commit(air)
	s.commit(Air{Show: spring, Number: 2})
	if s.commit(air); s.d.shows[spring].Lineup.OnAir != 2 {
		t.Error("a repeat put item 1 on air again")
	}
}

// leap is a reading of the clock at t whose wall clock is by ahead of the time that passed.
func leap(t time.Time, by time.Duration) time.Time {
	t = t.Add(by)
	(*[2]int64)(unsafe.Pointer(&t))[1] -= int64(by) // the monotonic part, which only package time makes
	return t
}

// A clock that leaps ends nothing before it is read again; one that steps back neither revives nor reorders.
func TestClockLeaps(t *testing.T) {
	s := newScript(t)
	start := time.Now()
	s.now = start
	s.play(`ana buy 1 x2 -> held holds 2 left 1`)
	s.now = leap(start.Add(time.Second), time.Hour)
	if got := s.commit(Expire{}); got != "" {
		t.Errorf("a first reading an hour later ended something: %q", got)
	}
	if due, ok := s.d.NextDue(); !ok || !due.Equal(s.now.Round(0).Add(time.Second)) {
		t.Errorf("NextDue = %v, %v; want a second after the doubtful reading", due, ok)
	}
	s.now = start.Add(2 * time.Second) // and back
	s.play(`
		clock -> nothing
		bob buy 1 -> held holds 1`)
	s.now = leap(start.Add(3*time.Second), time.Hour)
	s.commit(Expire{})
	s.now = leap(start.Add(5*time.Second), time.Hour)
	if got := s.commit(Expire{}); got != "expired ana x 2; expired bob x 1" {
		t.Errorf("a second reading that says the same: %q", got)
	}
	before := s.m.entries[len(s.m.entries)-1].At
	s.now = start.Add(6 * time.Second)
	s.play(`cy buy 1 -> held holds 1 left 2`)
	if at := s.m.entries[len(s.m.entries)-1].At; at.Before(before) {
		t.Errorf("an entry of %v follows one of %v", at, before)
	}
}

// Holds that ended more than 30 days ago, and places that were served, leave memory bit by bit.
func TestOldHoldsLeaveMemory(t *testing.T) {
	s := newScript(t)
	s.play(`
		ana buy 1 x3 -> held holds 3
		bob buy 1 -> waitlisted waits 1 place 1
		cy buy 3 -> held holds 1 left 4
		store order O1 paid cy plate x1 -> paid cy #O1 x 1
		ana pass -> passed; promoted bob holds 1 left 2`)
	if len(s.d.places) != 0 {
		t.Errorf("%d places are kept", len(s.d.places))
	}
	s.now = s.now.Add(29 * 24 * time.Hour)
	s.commit(Expire{})
	if len(s.d.holds) != 3 {
		t.Errorf("%d holds; want 3 for 30 days", len(s.d.holds))
	}
	s.now = s.now.Add(2 * 24 * time.Hour)
	b, _ := s.d.Plan(s.now, []Request{SetStock{Variant: mug, Add: 1}})
	if err := s.m.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.d.Commit()
	if len(s.d.holds)+len(s.d.byMessage)+len(s.d.claimed)+len(s.d.ofShow)+len(s.d.byReceipt)+len(s.d.aging) != 0 {
		t.Errorf("kept: holds %v, by message %v, claimed %v, of show %v, by receipt %v, aging %v", s.d.holds, s.d.byMessage, s.d.claimed, s.d.ofShow, s.d.byReceipt, s.d.aging)
	}
	if n := s.d.watch.Owners(plate); n != 0 {
		t.Errorf("the guard counts %d owners of what nobody has any more", n)
	}
	r, ok := s.d.Receipt(s.d.ReceiptOf(spring, who("ana")), s.now)
	if !ok || len(r.Holds) != 0 {
		t.Errorf("the page: %+v, %v", r, ok)
	}
}

// Each decision stands in one entry: of its pieces where it moved any.
func TestLedgerNamesDecisions(t *testing.T) {
	s := newScript(t)
	from := len(s.m.entries)
	s.play(`
		ana buy 1 x5 -> partly_held holds 3 waits 2 place 1
		ana buy 1 x5 -> duplicate holds 3 waits 2 place 1
		bob buy 1 -> waitlisted waits 1 place 2
		bob pass -> passed
		ana less 1 x3 -> changed holds 2 left 1
		ana pass -> passed
		store order O1 paid mug x1 -> nothing
		ana buy 1 x5 -> partly_held holds 2 waits 3 place 1
		host stock mug +1 -> restocked left 1; promoted ana holds 1 waits 2 place 1`)
	s.commit(SetStock{Key: Key{Platform: "host", Message: "h1"}, Variant: plate, Add: 1})
	want := []string{
		"held", "waitlisted twitch/ana1 partly_held", "decided twitch/ana2 duplicate", "waitlisted twitch/bob1 waitlisted", "left", "decided twitch/bob2 passed",
		"changed twitch/ana3 changed", "left", "passed twitch/ana4 passed", "paid", "held", "waitlisted twitch/ana5 partly_held", "stock", "promoted", "stock host/h1 changed",
	}
	var got []string
	for _, e := range s.m.entries[from:] {
		var f Fact
		if err := json.Unmarshal(e.Body, &f); err != nil {
			t.Fatal(err)
		}
		line := e.Kind
		if f.Key != nil {
			line += fmt.Sprintf(" %s/%s %s", f.Key.Platform, f.Key.Message, f.Reason)
		}
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		t.Errorf("entries\n got %q\nwant %q", got, want)
	}
}

// A show's page has the first of many holds and places, and says how many more there are.
func TestViewOfMany(t *testing.T) {
	s := newScript(t)
	n := int64(5 * ViewMost)
	s.commit(SetStock{Variant: mug, Available: &n})
	for i := range 5*ViewMost + ViewMost + 10 {
		s.now = epoch.Add(time.Duration((i*7919)%9000) * time.Millisecond) // not in the order of their ends
		s.d.Plan(s.now, []Request{claimOf(i)})
		s.d.Commit()
	}
	v, _ := s.d.View(spring, s.now)
	if len(v.Open) != ViewMost || v.MoreOpen != 4*ViewMost || len(v.Waiting) != ViewMost || v.MoreWaiting != 10 || v.HeldPieces != 5*ViewMost || v.Waiting[ViewMost-1].Position != ViewMost {
		t.Fatalf("%d and %d more open, %d and %d more waiting, %d pieces", len(v.Open), v.MoreOpen, len(v.Waiting), v.MoreWaiting, v.HeldPieces)
	}
	var ends []time.Time
	for _, h := range s.d.holds {
		ends = append(ends, h.Expires)
	}
	slices.SortFunc(ends, time.Time.Compare)
	for i, h := range v.Open {
		if !h.Expires.Equal(ends[i]) {
			t.Fatalf("hold %d of the page ends at %v; want %v", i, h.Expires, ends[i])
		}
	}
}

// A rule's head start lets a claim in though the item is closed; nobody else gets in.
func TestEarly(t *testing.T) {
	s := newScript(t)
	s.play("host close 1 -> gated item 1\nana buy 1 -> not_on_sale")
	early := Claim{Ask: Ask{Key: Key{Platform: chat.Twitch, Message: "early"}, Show: spring, Viewer: who("bob"), Sent: s.now}, Number: 1, Quantity: 1, Early: true}
	if got := s.commit(early); got != "held holds 1 left 2" {
		t.Errorf("early: %q", got)
	}
	s.play("ana buy 1 -> not_on_sale")
}

// A place in line waits beside free pieces while its item is closed; a rule may serve it then, and nobody else.
func TestPromote(t *testing.T) {
	s := newScript(t)
	s.play("ana buy 1 x3 -> held holds 3\nbob buy 1 -> waitlisted waits 1 place 1\nhost close 1 -> gated item 1\nana pass 1 -> passed")
	ask := func(name, id string) Promote {
		return Promote{Ask: Ask{Key: Key{Platform: "rule", Message: id}, Show: spring, Viewer: who(name), Sent: s.now}, Number: 1}
	}
	if got := s.commit(ask("cy", "1")); got != "nothing_held" {
		t.Errorf("who is not in line: %q", got)
	}
	for range 2 { // the second is the same request again
		t.Log(s.commit(ask("bob", "2")))
	}
	if h := s.d.mustHolds(who("bob")); len(h) != 1 || h[0].Quantity != 1 || h[0].State != StateHeld {
		t.Errorf("bob has %+v", h)
	}
}
