package commerce

import (
	"fmt"
	"testing"
	"time"

	"hawker/internal/chat"
)

func TestOffers(t *testing.T) {
	tell(t, []story{
		{name: "first paid, first served: nothing is set aside, and whoever pays first is served", text: `
			host firstpaid 1 -> nothing
			ana buy 1 x3 -> offered holds 3 left 3
			bob buy 1 x2 -> offered holds 2 left 3
			= mug: 3 available 0 held 0 sold
			= ana: Mug 3 offered for 10m15s+0s
			store order O1 paid bob mug x2 -> paid bob #O1 x 2
			= mug: 3 available 0 held 2 sold
			store order O2 paid ana mug x3 -> unfilled ana #O2 x 3
			= unfilled O2: 2
			= mug: 3 available 0 held 3 sold
			= ana: Mug 3 paid
			cy buy 1 -> sold_out`},
		{name: "an offer can be passed, made less and more of, opened, taken back and deleted", text: `
			host firstpaid 1 -> nothing
			ana buy 1 -> offered holds 1 left 3
			ana buy 1 x2 -> offered holds 2 left 3
			ana less 1 -> changed holds 1 left 3
			ana more 1 x5 -> offered holds 3 left 3
			ana more 1 -> offered holds 3 left 3
			= ana: Mug 3 offered for 10m15s+0s
			ana opens -> nothing
			= ana: Mug 3 offered for 15m15s+0s
			ana drafts D1 -> nothing
			ana pass -> passed
			= line mug: none
			bob buy 1 -> offered holds 1 left 3
			host release bob -> released bob x 1
			cy buy 1 -> offered holds 1 left 3
			cy deletes 1 -> released cy x 1
			= mug: 3 available 0 held 0 sold`},
		{name: "an offer ends in silence; paid later, it is late", text: `
			host firstpaid 1 -> nothing
			ana buy 1 x2 -> offered holds 2 left 3
			after 8m15s
			clock -> reminder ana x 2
			after 2m
			clock -> expired ana x 2
			store order O1 paid ana mug x2 -> late ana #O1 x 2`},
		{name: "of an offer what is there can be paid", text: `
			host firstpaid 1 -> nothing
			ana buy 1 x3 -> offered holds 3 left 3
			bob buy 1 x2 -> offered holds 2 left 3
			= payable ana: 3
			store order O1 paid bob mug x2 -> paid bob #O1 x 2
			= payable ana: 1
			ana opens -> nothing
			= ana: Mug 1 offered for 15m15s+0s
			ana drafts D1 -> nothing
			store order O2 paid mug x1 -> nothing
			= payable ana: 0
			ana undrafts -> nothing
			ana opens -> nothing
			= ana: Mug 1 offered for 15m15s+0s
			host stock mug 5 -> restocked left 5
			= payable ana: 1`},
		{name: "an offer of which nothing is left keeps nobody out of the line", text: `
			host firstpaid 1 -> nothing
			ana buy 1 -> offered holds 1 left 3
			host guard 100 3 -> nothing
			bob buy 1 x3 -> offered holds 3 left 3
			store order O1 paid bob mug x3 -> paid bob #O1 x 3
			after 4s
			ana buy 1 -> sold_out
			= ana: Mug 1 expired
			cy wait 1 -> waitlisted waits 1 place 1
			ana wait 1 -> waitlisted waits 1 place 2
			host stock mug +1 -> restocked left 1; promoted cy holds 1 left 1; promoted ana holds 1 left 1
			store order O2 paid cy mug x1 -> paid cy #O2 x 1
			after 4s
			ana more 1 -> waitlisted waits 2 place 1
			= line mug: ana 2`},
		{name: "nothing new is paid of a stock that was not read, or from a backup", memory: true, text: `
			store read mug 3 -> nothing
			host firstpaid 1 -> nothing
			ana buy 1 -> offered holds 1 left 3
			bob buy 2 S -> held holds 1
			after 2m1s
			= payable ana: 0
			= payable bob: 1
			store read mug 3 -> nothing
			= payable ana: 1
			restore
			= payable ana: 0
			= payable bob: 1`},
		{name: "it counts for the cap", text: `
			host firstpaid 2 -> nothing
			ana buy 2 M x5 -> offered holds 2 left 2
			ana buy 2 S -> capped`},
		{name: "fewer of what a checkout shows is an offer again", text: `
			host firstpaid 1 -> nothing
			ana buy 1 x3 -> offered holds 3 left 3
			ana drafts D1 -> nothing
			ana less 1 -> changed holds 2 left 3
			= ana: Mug 3 passed, Mug 2 offered for 10m15s+0s
			= mug: 3 available 0 held 0 sold`},
		{name: "nothing free: the line, and then an offer", text: `
			ana buy 1 x3 -> held holds 3
			host firstpaid 1 -> nothing
			bob buy 1 x2 -> waitlisted waits 2 place 1
			cy buy 1 -> waitlisted waits 1 place 2
			ana less 1 -> changed holds 2 left 1; promoted bob holds 1 left 1; promoted cy holds 1 left 1
			= bob: Mug 1 offered for 10m15s+0s
			= line mug: none
			after 4s
			bob buy 1 x2 -> offered holds 1 left 1
			ana pass -> passed
			after 4s
			bob buy 1 x2 -> offered holds 2 left 3`},
	})
}

func TestUnpaidHolds(t *testing.T) {
	tell(t, []story{
		{name: "after three holds that ended unpaid a person is only offered pieces, until they pay", text: `
			host guard 100 3 -> nothing
			ana buy 3 -> held holds 1 left 4
			after 3m
			clock -> expired ana x 1
			ana buy 3 -> held holds 1 left 4
			after 3m
			clock -> expired ana x 1
			ana buy 3 -> held holds 1 left 4
			after 3m
			clock -> expired ana x 1
			ana buy 1 x2 -> offered holds 2 left 3
			bob buy 1 x2 -> held holds 2 left 1
			store order O1 paid ana mug x1 -> paid ana #O1 x 1
			ana buy 3 -> held holds 1 left 4`},
		{name: "a merchant who does not want that", text: `
			host guard 100 -1 -> nothing
			ana buy 3 -> held holds 1 left 4
			after 3m
			clock -> expired ana x 1
			ana buy 3 -> held holds 1 left 4
			after 3m
			clock -> expired ana x 1
			ana buy 3 -> held holds 1 left 4
			after 3m
			clock -> expired ana x 1
			ana buy 3 -> held holds 1 left 4`},
		{name: "what ended unpaid of an item that is first paid, first served took nothing from anybody", text: `
			host guard 100 1 -> nothing
			host firstpaid 3 -> nothing
			ana buy 3 -> offered holds 1 left 5
			after 3m
			clock -> expired ana x 1
			ana buy 1 -> held holds 1 left 2`},
		{name: "a late payment is a payment, and persons are judged, not accounts", text: `
			host guard 100 1 -> nothing
			ana buy 3 -> held holds 1 left 4
			after 3m
			clock -> expired ana x 1
			ana@room buy 1 -> held holds 1 left 2
			host bind ana anna -> nothing
			host bind ana@room anna -> nothing
			ana@room buy 1 x2 -> offered holds 2 left 2
			store order O1 paid ana plate x1 -> late ana #O1 x 1
			ana@room buy 3 -> held holds 1 left 3`},
	})
}

func TestUnpaidLongAgo(t *testing.T) {
	s := newScript(t)
	s.play(`
		host guard 100 1 -> nothing
		ana buy 3 -> held holds 1 left 4
		after 3m
		clock -> expired ana x 1`)
	for after, want := range map[time.Duration]Reason{UnpaidWithin - time.Minute: Offered, UnpaidWithin: Held} {
		c := Claim{Ask: Ask{Key: Key{Platform: chat.Twitch, Message: "later"}, Show: spring, Viewer: who("ana")}, Number: 1, Quantity: 1}
		_, outs := s.d.Plan(s.now.Add(after), []Request{c})
		s.d.Rollback()
		if outs[0].Reason != want {
			t.Errorf("%v later: %s, want %s", after, outs[0].Reason, want)
		}
	}
}

func TestCapOfShow(t *testing.T) {
	tell(t, []story{
		{name: "of all items together, held and paid", text: `
			host caps 3 -> nothing
			ana buy 1 x2 -> held holds 2 left 1
			store order O1 paid ana mug x2 -> paid ana #O1 x 2
			ana buy 3 x2 -> partly_held holds 1 left 4
			ana buy 2 M -> capped
			ana less 3 -> passed left 5
			ana buy 2 M x2 -> partly_held holds 1 left 1`},
		{name: "whoever comes up in line gets no more", text: `
			host caps 2 -> nothing
			ana buy 2 M x2 -> held holds 2
			bob buy 2 M x2 -> waitlisted waits 2 place 1
			bob buy 3 -> held holds 1 left 4
			ana pass -> passed; promoted bob holds 1 left 1
			= line M: none`},
	})
	s := newScript(t)
	s.play("host caps 3 -> nothing")
	for _, tt := range []struct {
		c   Claim
		cap int
	}{
		{Claim{Number: 2, Variant: medium, Quantity: 5}, 2},
		{Claim{Number: 3, Quantity: 5}, 3},
	} {
		tt.c.Ask = Ask{Key: Key{Platform: chat.Twitch, Message: fmt.Sprint(tt.c.Number)}, Show: spring, Viewer: who("ana")}
		_, outs := s.d.Plan(s.now, []Request{tt.c})
		s.d.Rollback()
		if outs[0].Cap != tt.cap {
			t.Errorf("the cap that applied is %d, want %d", outs[0].Cap, tt.cap)
		}
	}
}

func TestGuard(t *testing.T) {
	paid := `
		ana buy 3 -> held holds 1 left 4
		store order O1 paid ana plate x1 -> paid ana #O1 x 1
		dee buy 3 -> held holds 1 left 3
		store order O2 paid dee plate x1 -> paid dee #O2 x 1
		host stock mug 10 -> restocked left 10
		host guard 30 -1 -> nothing
		seen ana dee`
	tell(t, []story{
		{name: "in a merchant's first show nobody is held back", memory: true, text: `
			crowd 40
			bob buy 1 x3 -> held holds 3
			= bob: Mug 3 held for 10m15s+30s`},
		{name: "who is not proven may have what the proven who are there leave, and is offered the rest", memory: true, text: paid + `
			crowd 40
			bob buy 1 x7 -> held holds 7 left 3
			cy buy 1 x3 -> partly_held holds 1 waits 2 place 1 left 2
			bob more 1 -> offered holds 8 left 2
			ana buy 1 -> held holds 1 left 1
			dee buy 1 -> held holds 1
			bob more 1 -> waitlisted holds 7 waits 2 place 2
			= dee: Plate 1 paid, Mug 1 held for 10m15s+30s
			= bob: Mug 7 held for 5m15s+30s, Mug 1 expired`},
		{name: "whoever pays for an offer has it, and the next is held for them: they are proven", memory: true, text: paid + `
			crowd 40
			bob buy 1 x8 -> held holds 8 left 2
			cy buy 1 -> offered holds 1 left 2
			store order O3 paid cy mug x1 -> paid cy #O3 x 1
			cy add 1 -> held holds 1`},
		{name: "whom a payer joined and left again is proven no more", memory: true, text: paid + `
			crowd 40
			host bind ana twitch:cy -> nothing
			host part ana -> nothing
			seen ana dee
			bob buy 1 x8 -> held holds 8 left 2
			cy buy 1 -> offered holds 1 left 2
			host bind ana twitch:cy -> nothing
			cy pass -> passed
			cy buy 1 -> held holds 1 left 1
			host part ana -> nothing
			ana buy 1 -> held holds 1`},
		{name: "who pays for something else is served at once", memory: true, text: paid + `
			crowd 40
			bob buy 1 x7 -> held holds 7 left 3
			cy buy 1 x3 -> partly_held holds 1 waits 2 place 1 left 2
			cy buy 3 -> held holds 1 left 2
			store order O3 paid cy plate x1 -> paid cy #O3 x 1; promoted cy holds 2`},
		{name: "a subscriber is proven", memory: true, text: paid + `
			crowd 40
			bob buy 1 x8 -> held holds 8 left 2
			cy buy 1 -> offered holds 1 left 2
			eve buy 1 trusted -> held holds 1 left 1`},
		{name: "whoever got a part of it is soon offered the rest, or it is held when the proven have gone", memory: true, text: paid + `
			crowd 40
			bob buy 1 x7 -> held holds 7 left 3
			cy buy 1 x3 -> partly_held holds 1 waits 2 place 1 left 2
			after 14s
			clock -> nothing
			after 1s
			clock -> promoted cy holds 2 left 2
			= cy: Mug 1 held for 5m0s+30s, Mug 2 offered for 10m15s+0s
			= line mug: none
			after 9m46s
			crowd 40
			bob buy 1 x9 -> held holds 9`},
		{name: "with the guard off, or pieces enough, nothing is kept", memory: true, text: paid + `
			crowd 20
			bob buy 1 x10 -> held holds 10
			bob pass -> passed
			crowd 40
			host guard 100 -1 -> nothing
			bob buy 1 x10 -> held holds 10
			= bob: Mug 10 passed, Mug 10 held for 10m15s+30s`},
		{name: "browsers of one address block have a tenth together", memory: true, text: `
			host stock mug 20 -> restocked left 20
			crowd 100
			bob@room buy 1 x2 blockA -> held holds 2 left 18
			cy@room buy 1 blockA -> offered holds 1 left 18
			cy buy 1 -> held holds 1 left 17
			dee@room buy 1 x3 blockB -> partly_held holds 2 waits 1 place 1 left 15
			bob@room pass -> passed; promoted dee holds 1 left 17
			eve@room buy 1 blockA -> held holds 1 left 16`},
		{name: "a place that was kept waiting is looked at after a restart too", memory: true, text: paid + `
			crowd 40
			bob buy 1 x9 -> partly_held holds 8 waits 1 place 1 left 2
			restore
			clock -> nothing
			after 1s
			host reopen -> reopened; promoted bob holds 1 left 1`},
	})
}

// A siege of trolls who never pay burns its own share, and leaves the pieces to those who do.
func TestSiege(t *testing.T) {
	s := newScript(t)
	s.play(`
		ana buy 3 -> held holds 1 left 4
		store order O1 paid ana plate x1 -> paid ana #O1 x 1
		host stock mug 10 -> restocked left 10
		host guard 30 -1 -> nothing`)
	for i := range 30 { // as many proven ones are there as there are pieces
		s.d.Seen(spring, who(fmt.Sprint("p", i)), true, s.now)
	}
	s.play(`
		crowd 100
		t1 buy 1 x9 -> partly_held holds 3 waits 6 place 1 left 7
		t2 buy 1 x9 -> offered holds 7 left 7
		after 5m45s`)
	for i := range 30 {
		s.d.Seen(spring, who(fmt.Sprint("p", i)), true, s.now)
	}
	s.play(`
		crowd 100
		clock -> expired t1 x 3; promoted t1 holds 1 waits 5 place 1 left 9; promoted t1 holds 5 left 9
		= mug: 10 available 1 held 0 sold
		after 11m
		clock -> expired t2 x 7; expired t1 x 1; expired t1 x 5`)
	for i := range 30 {
		s.d.Seen(spring, who(fmt.Sprint("p", i)), true, s.now)
	}
	s.play(`
		crowd 100
		t1 buy 1 x9 -> partly_held holds 1 waits 8 place 1 left 9
		t2 buy 1 x9 -> offered holds 9 left 9
		p0 buy 1 x9 -> held holds 9
		store order O2 paid t2 mug x9 -> unfilled t2 #O2 x 9`)
}

// BenchmarkSiege is one claim of a troll among 2,500 others who are offered what is kept for 300 who paid.
func BenchmarkSiege(b *testing.B) {
	m := stocked(b)
	st, _ := m.Load(b.Context(), 7)
	for i := range 300 {
		st.Payers = append(st.Payers, fmt.Sprint("twitch:p", i))
	}
	d := NewDesk(7, st)
	have := int64(100)
	d.Plan(epoch, []Request{SetStock{Variant: mug, Available: &have}})
	d.Commit()
	for i := range 300 {
		d.Seen(spring, who(fmt.Sprint("p", i)), false, epoch)
	}
	for i := range 2500 {
		c := claimOf(i)
		d.Seen(spring, c.Viewer, false, epoch)
		d.Plan(epoch, []Request{c})
		d.Commit()
	}
	n := 2500
	b.ReportAllocs()
	for b.Loop() {
		now := epoch.Add(time.Duration(n) * time.Millisecond)
		c := claimOf(n)
		d.Plan(now, []Request{c, SetStock{Variant: mug, Add: 1}, Pass{Ask: c.Ask}, SetStock{Variant: mug, Add: -1}})
		d.Rollback()
		n++
	}
}
