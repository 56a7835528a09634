package commerce

import (
	"testing"
	"time"

	"hawker/internal/chat"
)

func TestShows(t *testing.T) {
	tell(t, []story{
		{name: "a form that was read before an item was closed does not open it", text: `
			host close 1 -> gated item 1
			host cap 1 2 -> nothing
			ana buy 1 -> not_on_sale
			host drop 1 -> nothing
			ana buy 1 -> unknown_item
			host listen 1 -> nothing`},
		{name: "the item on air", text: `
			host air 2 -> aired item 2
			host air 2 -> nothing
			host air 77 -> nothing
			host cap 2 1 -> nothing
			host air 2 -> nothing
			host air 0 -> aired
			host air 2 -> aired item 2
			host drop 2 -> nothing
			host air 0 -> nothing`},
		{name: "a show starts once and ends once", text: `
			host start -> nothing
			host start autumn -> started
			ana buy 9 autumn -> held holds 1 left 2
			host end autumn -> ended
			host end autumn -> nothing
			ana buy 9 autumn -> ended
			host start autumn -> started
			ana buy 9 autumn x2 -> held holds 2 left 1`},
		{name: "a change of the show keeps its pause", text: `
			ana buy 3 -> held holds 1 left 4
			host pause -> gated
			after 5m
			host cap 3 1 -> nothing
			bob buy 3 -> paused
			host resume -> gated
			= ana: Plate 1 held for 2m15s+30s`},
		{name: "two live shows sell one variant without quarrel", text: `
			host start autumn -> started
			ana buy 1 x2 -> held holds 2 left 1
			bob buy 9 autumn x2 -> partly_held holds 1 waits 1 place 1
			cy buy 1 -> waitlisted waits 1 place 2
			host pause -> gated
			ana pass -> passed; promoted bob holds 1 left 1
			host resume -> gated; promoted cy holds 1
			= mug: 3 available 3 held 0 sold`},
		{name: "a name or a channel of another show is refused", text: `
			host rename spring autumn -> refused beside Spring
			host start autumn -> started
			host listen 9 -> nothing
			host end autumn -> ended`},
	})
}

// A viewer who was banned gives everything back; no line asked for that, so nothing is kept as decided.
func TestPassWithoutKey(t *testing.T) {
	s := newScript(t)
	s.play("ana buy 1 x2 -> held holds 2 left 1")
	b, outs := s.d.Plan(s.now, []Request{Pass{Ask: Ask{Show: spring, Viewer: who("ana")}}, Pass{Ask: Ask{Show: spring, Viewer: who("ana")}}})
	if err := s.m.Commit(t.Context(), b); err != nil || len(b.Decisions) != 0 {
		t.Errorf("Commit = %v, decisions %+v", err, b.Decisions)
	}
	s.d.Commit()
	if len(outs) != 2 || outs[0].Reason != Passed || outs[1].Reason != NothingHeld {
		t.Errorf("outcomes %+v", outs)
	}
}

// The desk does not remember for ever who claimed what last.
func TestForgetsLastClaims(t *testing.T) {
	s := newScript(t)
	s.play("host stock mug 100000 -> restocked left 100000")
	for n := range 10_000 {
		s.d.Plan(s.now.Add(time.Duration(n)*10*time.Millisecond), []Request{claimOf(n)})
		s.d.Commit()
	}
	if len(s.d.last) > 3000 { // some 300 were within 3 s, and it looks again at twice what it kept and 1,024
		t.Errorf("%d last claims are kept", len(s.d.last))
	}
}

// A channel is in at most one live show; what would break that is refused in the plan, and the rest of the batch stands.
func TestChannelOfTwoShows(t *testing.T) {
	s := newScript(t)
	second := autumnShow()
	second.State, second.Channels = ShowLive, springShow().Channels
	ana := Claim{Ask: Ask{Key: Key{Platform: chat.Twitch, Message: "1"}, Show: spring, Viewer: who("ana")}, Number: 1, Quantity: 1}
	b, outs := s.d.Plan(s.now, []Request{SetShow{second}, ana})
	if len(outs) != 2 || outs[0].What != Refused || outs[0].Title != "Spring" || outs[1].Reason != Held {
		t.Errorf("outcomes %+v", outs)
	}
	if err := s.m.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.d.Commit()
	if got := s.d.LiveShow(springShow().Channels[0]); got != spring {
		t.Errorf("LiveShow = %d", got)
	}
	// One show ends and the other takes its channel over, in one batch.
	first := *s.d.Show(spring)
	first.State = ShowEnded
	b, _ = s.d.Plan(s.now, []Request{SetShow{first}, SetShow{second}})
	if err := s.m.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.d.Commit()
	if got := s.d.LiveShow(springShow().Channels[0]); got != autumn {
		t.Errorf("LiveShow = %d", got)
	}
	if got := s.d.Show(spring); got.Started.IsZero() || !got.Ended.Equal(s.now) {
		t.Errorf("spring: started %v, ended %v", got.Started, got.Ended)
	}
	shows := s.d.Shows()
	if len(shows) != 2 || shows[0].ID != autumn {
		t.Errorf("Shows = %v", shows)
	}
}

func TestBind(t *testing.T) {
	tell(t, []story{
		{name: "caps and the line count persons", text: `
			ana buy 2 M -> held holds 1 left 1
			ana@room buy 2 M -> held holds 1
			bob buy 2 M -> waitlisted waits 1 place 1
			host bind ana anna -> nothing
			host bind ana@room anna -> nothing
			host bind ana@room anna -> nothing
			ana buy 2 S -> capped
			ana@room buy 2 M x2 -> held holds 2
			ana@room less 2 M -> changed holds 1; promoted bob holds 1
			ana pass -> passed`},
		{name: "their places in line move too, and are one", text: `
			bob buy 1 x3 -> held holds 3
			ana buy 1 -> waitlisted waits 1 place 1
			cy buy 1 -> waitlisted waits 1 place 2
			ana@room buy 1 x2 -> waitlisted waits 2 place 3
			host bind ana anna -> nothing
			host bind ana@room anna -> nothing
			ana@room buy 1 x2 -> waitlisted waits 2 place 1
			= line mug: ana 2, cy 1
			bob less 1 -> changed holds 2; promoted ana holds 1 waits 1 place 1
			ana@room pass -> passed; promoted cy holds 1
			= line mug: none`},
		{name: "a paid hold moves to the new person", text: `
			ana buy 2 M x2 -> held holds 2
			store order O1 paid ana M x2 -> paid ana #O1 x 2
			host bind ana anna -> nothing
			host bind dee anna -> nothing
			dee buy 2 S -> capped`},
	})
}

// A browser bound to a viewer claims in the room for that viewer: the key is the room's, the viewer the platform's.
func TestClaimFromBoundBrowser(t *testing.T) {
	s := newScript(t)
	a := Ask{Key: Key{Platform: chat.Room, Message: "uuid-1"}, Show: spring, Viewer: who("ana")}
	b, _ := s.d.Plan(s.now, []Request{Claim{Ask: a, Number: 1, Quantity: 1}})
	if err := s.m.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.d.Commit()
	s.play(`
		= ana: Mug 1 held for 10m15s+30s
		ana less 1 -> passed left 3`)
	if d := b.Decisions[0]; d.Key.Platform != chat.Room || d.Viewer.Platform != chat.Twitch {
		t.Errorf("decision %+v", d)
	}
}

func TestViews(t *testing.T) {
	s := newScript(t)
	s.play(`
		ana buy 1 x2 -> held holds 2 left 1
		bob buy 2 S -> held holds 1
		bob buy 1 x3 -> partly_held holds 1 waits 2 place 1
		cy buy 1 -> waitlisted waits 1 place 2
		store order O1 paid bob S x1 -> paid bob #O1 x 1
		host pause -> gated`)
	v, ok := s.d.View(spring, s.now)
	if !ok {
		t.Fatal("no view")
	}
	if v.HeldPieces != 3 || v.HeldMoney != eur(3*1999) || v.Paid != eur(100) || v.PaidOrders != 1 || len(v.Orders) != 1 {
		t.Errorf("held %d for %v, paid %v by %d", v.HeldPieces, v.HeldMoney, v.Paid, v.PaidOrders)
	}
	if len(v.Open) != 2 || !v.Open[0].Frozen || v.Open[0].Title != "Mug" {
		t.Errorf("open %+v", v.Open)
	}
	if len(v.Waiting) != 2 || v.Waiting[0].Viewer.ID != "bob" || v.Waiting[1].Position != 2 {
		t.Errorf("waiting %+v", v.Waiting)
	}
	shirt := v.Items[1]
	if shirt.Free != 2 || shirt.Held != 0 || shirt.Sold != 1 || shirt.Stock[0].Free != 0 || shirt.Stock[0].Paid != 1 || v.Items[0].Waiting != 2 {
		t.Errorf("shirt %+v", shirt)
	}
	v.Items[0].Closed, v.Show.Lineup.Items[0].Closed = true, true // a view is nobody's state
	if s.d.item(spring, 1).Closed {
		t.Error("a view shares the desk's lineup")
	}
	r, ok := s.d.Receipt(s.d.ReceiptOf(spring, who("bob")), s.now)
	if !ok || len(r.Holds) != 2 || r.Holds[0].Title != "Mug" || len(r.Places) != 1 || r.Places[0].Position != 1 || r.Merchant != 7 || r.Show.ID != spring {
		t.Errorf("receipt %+v", r)
	}
	if h, ok := s.d.Hold(r.Holds[0].ID); !ok || h.Quantity != 1 {
		t.Errorf("Hold = %+v, %v", h, ok)
	}
	if rows := s.d.StockRows(); len(rows) != 4 || rows[0].Variant != mug || s.d.Free(mug) != 0 || s.d.Free(plate) != 5 || s.d.Free(12345) != 0 {
		t.Errorf("stock %+v", rows)
	}
	for _, none := range []bool{
		func() bool { _, ok := s.d.View(5, s.now); return ok }(), func() bool { _, ok := s.d.Receipt(5, s.now); return ok }(),
		func() bool { _, ok := s.d.Hold(5); return ok }(), s.d.Show(5) != nil, s.d.LiveShow(chat.Channel{Platform: chat.Twitch, ID: "9"}) != 0,
		!s.d.Watermark(chat.Channel{}).IsZero(),
	} {
		if none {
			t.Error("something that is not there was found")
		}
	}
}

// The rows of a batch and the ids in it do not depend on chance: a line in one batch is read back in its order.
func TestOrderOfOneBatch(t *testing.T) {
	s := newScript(t)
	var reqs []Request
	for i := range 200 {
		v := who(string(rune('a'+i%26)) + string(rune('a'+i/26)))
		reqs = append(reqs, Claim{Ask: Ask{Key: Key{Platform: chat.Twitch, Message: v.ID}, Show: spring, Viewer: v}, Number: 1, Quantity: 1})
	}
	b, _ := s.d.Plan(s.now, reqs)
	if err := s.m.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.d.Commit()
	want := s.state("line mug")
	s.load()
	if got := s.state("line mug"); got != want {
		t.Errorf("after a restart the line is\n%s\nit was\n%s", got, want)
	}
	if len(s.d.lines[mug]) != 197 {
		t.Errorf("%d wait", len(s.d.lines[mug]))
	}
}

// A rolled back plan and the plan made anew count the same: also for an order that was known before it was paid.
func TestPlanAgain(t *testing.T) {
	s := newScript(t)
	s.play(`
		ana buy 1 x2 -> held holds 2 left 1
		store order O1 pending ana mug x2 -> nothing`)
	s.now = s.now.Add(time.Minute)
	for range 3 {
		s.d.Plan(s.now, []Request{s.store([]string{"order", "O1", "paid"})})
		s.d.Rollback()
	}
	s.play("store order O1 paid -> paid ana #O1 x 2\n= mug: 3 available 0 held 2 sold")
	if got := s.d.orders["gid/O1"].Took[mug]; got != 2 {
		t.Errorf("the order took %d", got)
	}
}
