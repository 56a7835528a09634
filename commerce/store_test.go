package commerce

import "testing"

func TestPayments(t *testing.T) {
	tell(t, []story{
		{name: "a payment settles its hold", text: `
			ana buy 1 x2 -> held holds 2 left 1
			store order O1 paid ana mug x2 -> paid ana #O1 x 2
			= ana: Mug 2 paid
			= mug: 3 available 0 held 2 sold
			store order O1 paid -> nothing
			after 1h
			clock -> nothing
			ana pass -> nothing_held
			host release ana -> nothing`},
		{name: "an order that is placed and not paid changes nothing yet", text: `
			ana buy 1 x2 -> held holds 2 left 1
			store order O1 pending ana mug x2 -> nothing
			= mug: 3 available 2 held 0 sold
			after 1m
			store order O1 paid -> paid ana #O1 x 2
			= mug: 3 available 0 held 2 sold`},
		{name: "two holds, one order", text: `
			ana buy 1 -> held holds 1 left 2
			ana buy 3 x2 -> held holds 2 left 3
			store order O1 paid ana mug x1 plate x2 -> paid ana #O1 x 3
			= ana: Mug 1 paid, Plate 2 paid`},
		{name: "the buyer changed the lines: what was bought counts, the rest goes to the next in line", text: `
			ana buy 1 x3 -> held holds 3
			ana buy 3 -> held holds 1 left 4
			bob buy 1 -> waitlisted waits 1 place 1
			store order O1 paid ana mug x1 -> paid ana #O1 x 1; promoted bob holds 1 left 1
			= ana: Mug 1 paid, Plate 1 held for 2m15s+30s
			= mug: 3 available 1 held 1 sold`},
		{name: "more bought than held: the rest is bought without a claim", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 paid ana mug x2 S x1 -> paid ana #O1 x 1
			= mug: 3 available 0 held 2 sold
			= S: 1 available 0 held 1 sold`},
		{name: "bought in the shop, without a claim", text: `
			store order O1 paid mug x2 -> nothing
			= mug: 3 available 0 held 2 sold
			ana buy 1 x2 -> partly_held holds 1 waits 1 place 1
			store order O2 paid mug x5 -> nothing
			= mug: 3 available 1 held 2 sold
			store order O3 cancelled mug x1 -> nothing
			store order O1 cancelled -> undone #O1; promoted ana holds 1 left 1
			= mug: 3 available 2 held 0 sold`},
		{name: "found by its draft when the buyer took the attributes out", text: `
			ana buy 1 -> held holds 1 left 2
			ana buy 3 -> held holds 1 left 4
			ana drafts D1 -> nothing
			store order O1 paid draft D1 mug x1 plate x1 -> paid ana #O1 x 2
			= ana: Mug 1 paid, Plate 1 paid`},
		{name: "one of two in a checkout is given back: the other needs a checkout of its own", text: `
			ana buy 1 -> held holds 1 left 2
			ana buy 3 -> held holds 1 left 4
			ana drafts D1 -> nothing
			ana pass 3 -> passed
			ana drafts D2 -> nothing
			store order O1 paid draft D2 mug x1 -> paid ana #O1 x 1
			= ana: Mug 1 paid, Plate 1 passed
			= plate: 5 available 0 held 0 sold`},
		{name: "the same when the store's figure lacks both", memory: true, text: `
			store read mug 3 -> nothing
			store read plate 5 -> nothing
			ana buy 1 -> held holds 1 left 2
			ana buy 3 -> held holds 1 left 4
			ana drafts D1 -> nothing
			after 6s
			store read mug 2 -> nothing
			store read plate 4 -> nothing
			= mug: 2 available 0 held 0 sold
			ana pass 3 -> passed
			= mug: 3 available 1 held 0 sold
			= plate: 4 available 0 held 0 sold
			after 6s
			store read mug 3 -> nothing
			store read plate 5 -> restocked left 5
			= mug: 3 available 1 held 0 sold`},
		{name: "paid late, pieces are there", text: `
			ana buy 3 -> held holds 1 left 4
			after 3m
			clock -> expired ana x 1
			store order O1 paid ana plate x1 -> late ana #O1 x 1
			= ana: Plate 1 paid late
			= plate: 5 available 0 held 1 sold`},
		{name: "paid late, who claimed again leaves the line, and the cap counts it", text: `
			ana buy 2 M x2 -> held holds 2
			bob buy 2 M x2 -> waitlisted waits 2 place 1
			ana pass -> passed; promoted bob holds 2
			cy buy 2 M -> waitlisted waits 1 place 1
			ana buy 2 M -> waitlisted waits 1 place 2
			host stock M +1 -> restocked left 1; promoted cy holds 1
			cy pass -> passed; promoted ana holds 1
			ana pass -> passed
			bob buy 2 S -> capped
			bob more 2 M -> capped holds 2
			ana buy 2 M x2 -> partly_held holds 1 waits 1 place 1
			store order O1 paid ana M x1 -> paid ana #O1 x 1
			= line M: ana 1`},
		{name: "paid late, pieces are gone: nothing is oversold to be kind", text: `
			ana buy 1 x2 -> held holds 2 left 1
			after 11m
			clock -> expired ana x 2
			bob buy 1 x2 -> held holds 2 left 1
			ana buy 1 x2 -> partly_held holds 1 waits 1 place 1
			after 4s
			ana pass -> passed
			store order O1 paid ana mug x2 -> unfilled ana #O1 x 2
			= ana: Mug 2 paid late, Mug 1 passed
			= mug: 3 available 2 held 1 sold`},
		{name: "cancelled: pieces go to the next in line, and the cap counts them no more", text: `
			ana buy 2 M x2 -> held holds 2
			store order O1 paid ana M x2 -> paid ana #O1 x 2
			bob wait 2 M -> waitlisted waits 1 place 1
			after 1m
			store order O1 cancelled -> undone ana #O1; promoted bob holds 1 left 1
			= ana: ShirtM 2 released
			= M: 2 available 1 held 0 sold
			ana buy 2 S x2 -> partly_held holds 1 waits 1 place 1
			after 1m
			store order O1 refunded -> nothing
			store order O1 paid -> nothing
			= M: 2 available 1 held 0 sold`},
		{name: "refunded", text: `
			ana buy 1 x3 -> held holds 3
			store order O1 paid ana mug x3 -> paid ana #O1 x 3
			after 1m
			store order O1 refunded -> undone ana #O1
			= mug: 3 available 0 held 0 sold`},
		{name: "cancelled before it was paid: the hold stands", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 pending ana mug x1 -> nothing
			after 1s
			store order O1 cancelled -> nothing
			= mug: 3 available 1 held 0 sold`},
		{name: "webhooks that overtake each other", text: `
			ana buy 1 -> held holds 1 left 2
			after 1m
			store order O1 paid ana mug x1 -> paid ana #O1 x 1
			store order O1 cancelled at -30s -> nothing
			store order O1 pending at -40s -> nothing
			= mug: 3 available 0 held 1 sold
			bob buy 1 -> held holds 1 left 1
			after 1m
			store order O2 cancelled bob mug x1 -> nothing
			store order O2 paid at -5s -> nothing
			= mug: 3 available 1 held 1 sold`},
		{name: "of two states with one time stamp the later in an order's life is the truth", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 pending ana mug x1 -> nothing
			store order O1 paid -> paid ana #O1 x 1
			store order O1 pending -> nothing
			store order O1 refunded -> undone ana #O1
			store order O1 paid -> nothing`},
		{name: "a second order for a hold that was paid buys more", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 paid ana mug x1 -> paid ana #O1 x 1
			store order O2 paid ana mug x1 -> nothing
			= mug: 3 available 0 held 2 sold`},
	})
}

// Expiry races payment: whichever is decided first wins, and the other finds it so.
func TestExpiryAgainstPayment(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"payment first", `
			ana buy 3 -> held holds 1 left 4
			after 2m45s
			store order O1 paid ana plate x1 -> paid ana #O1 x 1
			clock -> nothing
			= plate: 5 available 0 held 1 sold`},
		{"expiry first", `
			ana buy 3 -> held holds 1 left 4
			after 2m45s
			clock -> expired ana x 1
			store order O1 paid ana plate x1 -> late ana #O1 x 1
			= plate: 5 available 0 held 1 sold`},
	} {
		t.Run(tt.name, func(t *testing.T) { newScript(t).play(tt.text) })
	}
}

func TestReadings(t *testing.T) {
	tell(t, []story{
		{name: "a reading takes the place of our figure; an older one that comes late does not", memory: true, text: `
			store read mug 5 -> restocked left 5
			store read mug 9 -> nothing
			ana buy 1 x2 -> held holds 2 left 3
			after 1m
			store read mug 5 -> nothing
			= mug: 5 available 2 held 0 sold`},
		{name: "a draft that the figure lacks is held no more, but stays the viewer's", memory: true, text: `
			store read mug 3 -> nothing
			ana buy 1 x2 -> held holds 2 left 1
			ana drafts D1 -> nothing
			after 6s
			store read mug 1 -> nothing
			= mug: 1 available 0 held 0 sold
			= ana: Mug 2 held for 10m9s+30s
			bob buy 1 x2 -> partly_held holds 1 waits 1 place 1
			store order O1 paid ana mug x2 -> paid ana #O1 x 2
			= mug: 1 available 1 held 0 sold`},
		{name: "a draft made less than 5 s before a reading may be in it or not: no alarm", memory: true, text: `
			store read mug 3 -> nothing
			ana buy 1 x2 -> held holds 2 left 1
			ana drafts D1 -> nothing
			after 5s
			store read mug 1 -> restocked
			= mug: 2 available 2 held 0 sold
			after 1s
			store read mug 1 -> restocked left 1
			= mug: 1 available 0 held 0 sold`},
		{name: "an order that the figure lacks is counted no more", memory: true, text: `
			store read mug 3 -> nothing
			ana buy 1 -> held holds 1 left 2
			after 1s
			store order O1 paid ana mug x1 -> paid ana #O1 x 1
			= mug: 3 available 0 held 1 sold
			after 6s
			store read mug 2 -> nothing
			= mug: 2 available 0 held 0 sold
			store order O1 cancelled -> undone ana #O1
			= mug: 2 available 0 held 0 sold
			after 1s
			store read mug 3 -> restocked left 3`},
		{name: "an order older than the reading is in the figure already", memory: true, text: `
			ana buy 1 -> held holds 1 left 2
			after 10s
			store read mug 2 -> restocked left 1
			store order O1 paid ana mug x1 at -8s -> paid ana #O1 x 1
			= mug: 2 available 0 held 0 sold`},
		{name: "an order in the figure already frees its held pieces for those in line", memory: true, text: `
			ana buy 1 x3 -> held holds 3
			bob buy 1 x2 -> waitlisted waits 2 place 1
			after 10s
			store read mug 1 -> short x 2
			store order O1 paid ana mug x3 at -8s -> paid ana #O1 x 3
			= mug: 1 available 0 held 0 sold 2 short
			after 6s
			store read mug 1 -> restocked left 1; promoted bob holds 1 waits 1 place 1`},
		{name: "the same where the figure still has enough", memory: true, text: `
			ana buy 1 -> held holds 1 left 2
			bob buy 1 x3 -> partly_held holds 2 waits 1 place 1
			after 10s
			store read mug 3 -> nothing
			store order O1 paid ana mug x1 at -8s -> paid ana #O1 x 1; promoted bob holds 1
			= mug: 3 available 3 held 0 sold`},
		{name: "late and contained: the pieces were there, the store sold them", memory: true, text: `
			ana buy 3 -> held holds 1 left 4
			after 3m
			clock -> expired ana x 1
			store read plate 0 -> restocked
			store order O1 paid ana plate x1 at -8s -> late ana #O1 x 1
			= plate: 0 available 0 held 0 sold`},
		{name: "fewer than promised: the item sells no more until there is enough", memory: true, text: `
			ana buy 1 x3 -> held holds 3
			store read mug 1 -> short x 2
			= mug: 1 available 3 held 0 sold 2 short
			bob buy 1 -> waitlisted waits 1 place 1
			after 10s
			store read mug -2 -> short x 5
			= mug: 0 available 3 held 0 sold 5 short
			ana pass -> passed
			= mug: 0 available 0 held 0 sold 5 short
			after 10s
			store read mug 3 -> restocked left 3; promoted bob holds 1 left 2
			= mug: 3 available 1 held 0 sold`},
		{name: "new pieces go to those in line first", memory: true, text: `
			ana buy 1 x4 -> partly_held holds 3 waits 1 place 1
			bob buy 1 x3 -> waitlisted waits 3 place 2
			store read mug 5 -> restocked left 2; promoted ana holds 1 left 1; promoted bob holds 1 waits 2 place 1
			= line mug: bob 2
			host stock mug +1 -> restocked left 1; promoted bob holds 1 waits 1 place 1`},
		{name: "what the store does not count has no end", memory: true, text: `
			store read mug 0 endless -> restocked left -1
			ana buy 1 x50 -> held holds 50 left -1
			store order O1 paid ana mug x50 -> paid ana #O1 x 50
			= mug: 0 available 0 held 50 sold
			after 10s
			store read mug 4 -> restocked left 4
			= mug: 4 available 0 held 0 sold`},
		{name: "stock that was not read for two minutes is not sold, nor after a start until it is read", memory: true, text: `
			store read mug 3 -> nothing
			ana buy 1 -> held holds 1 left 2
			after 2m1s
			bob buy 1 -> paused
			ana more 1 -> paused
			ana less 1 -> passed left 3
			store read mug 3 -> nothing
			bob buy 1 -> held holds 1 left 2`},
		{name: "the merchant's own stock", text: `
			ana buy 1 x2 -> held holds 2 left 1
			store order O1 paid ana mug x2 -> paid ana #O1 x 2
			host stock mug 5 -> restocked left 5
			= mug: 7 available 0 held 2 sold
			bob buy 1 x4 -> held holds 4 left 1
			host stock mug 1 -> restocked
			= mug: 6 available 4 held 2 sold
			host stock mug -9 -> nothing
			host stock mug 4 -> nothing
			host safety mug -1 -> nothing`},
	})
}

// A store's stock is not sold from after a start until it was read.
func TestStaleAfterStart(t *testing.T) {
	s := newScript(t)
	s.restart = true
	s.play(`
		store read mug 3 -> nothing
		ana buy 1 -> paused
		ana buy 3 -> held holds 1 left 4`)
}

// Readings and orders may name variants that no show sells.
func TestUnknownVariants(t *testing.T) {
	s := newScript(t)
	b, outs := s.d.Plan(s.now, []Request{
		Read{[]Reading{{Variant: 999, Available: 2, At: s.now}}},
		Paid{Order: Order{Store: "gid/1", State: OrderPaid, Lines: []OrderLine{{Variant: "gid/other", Quantity: 1, Price: eur(1)}, {Variant: "gid/mug", Quantity: -1, Price: eur(1)}}, Holds: []ID{5, 5}}, Variants: map[string]ID{"gid/mug": mug}},
		Opened{[]ID{5}},
		Drafted{Holds: []ID{5}},
		Release{Hold: 5},
		Air{Show: 5},
		Gate{Show: 5},
		Gate{Show: spring, Number: 77},
		SetStock{Variant: mug},
		Pass{Ask: Ask{Show: 5}},
		Change{Ask: Ask{Show: spring}, Number: 8},
	})
	if err := s.m.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	s.d.Commit()
	if len(outs) != 3 { // restocked, and two refusals
		t.Errorf("outcomes %+v", outs)
	}
	if d := differ(durable(s.d), durable(NewDesk(7, s.m.state()))); d != "" {
		t.Error(d)
	}
}
