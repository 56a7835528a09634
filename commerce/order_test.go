package commerce

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOrderEdited(t *testing.T) {
	tell(t, []story{
		{name: "pieces added are sold", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 paid ana mug x1 -> paid ana #O1 x 1
			after 1m
			store order O1 paid edited mug x2 S x1 -> edited ana #O1
			= ana: Mug 1 paid
			= mug: 3 available 0 held 2 sold
			= S: 1 available 0 held 1 sold
			after 1m
			store order O1 refunded -> undone ana #O1
			= mug: 3 available 0 held 0 sold
			= S: 1 available 0 held 0 sold`},
		{name: "pieces removed go to the next in line", text: `
			ana buy 1 x3 -> held holds 3
			store order O1 paid ana mug x3 -> paid ana #O1 x 3
			bob wait 1 x2 -> waitlisted waits 2 place 1
			after 1m
			store order O1 paid edited mug x2 -> edited ana #O1; promoted bob holds 1 waits 1 place 1
			= ana: Mug 2 paid
			= mug: 3 available 1 held 2 sold`},
		{name: "a line removed releases its hold, which counts for no cap any more", text: `
			ana buy 2 M x2 -> held holds 2
			ana buy 1 -> held holds 1 left 2
			store order O1 paid ana M x2 mug x1 -> paid ana #O1 x 3
			after 1m
			ana buy 2 S -> capped
			after 4s
			store order O1 paid edited mug x1 -> edited ana #O1
			= ana: ShirtM 2 released, Mug 1 paid
			= M: 2 available 0 held 0 sold
			ana buy 2 S -> held holds 1`},
		{name: "an order paid back in part is one with fewer pieces", text: `
			ana buy 1 x2 -> held holds 2 left 1
			store order O1 paid ana mug x2 -> paid ana #O1 x 2
			after 1m
			store order O1 paid edited mug x1 -> edited ana #O1
			= mug: 3 available 0 held 1 sold
			after 1m
			store order O1 refunded -> undone ana #O1
			= ana: Mug 1 released
			= mug: 3 available 0 held 0 sold`},
		{name: "pieces that no hold was for go first", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 paid ana mug x3 -> paid ana #O1 x 1
			after 1m
			store order O1 paid edited mug x1 -> edited ana #O1
			= ana: Mug 1 paid
			= mug: 3 available 0 held 1 sold`},
		{name: "one variant for another", text: `
			ana buy 2 S -> held holds 1
			store order O1 paid ana S x1 -> paid ana #O1 x 1
			bob wait 2 S -> waitlisted waits 1 place 1
			after 1m
			store order O1 paid edited M x1 -> edited ana #O1; promoted bob holds 1
			= S: 1 available 1 held 0 sold
			= M: 2 available 0 held 1 sold`},
		{name: "edited before it was paid: what is paid counts", text: `
			ana buy 1 x2 -> held holds 2 left 1
			store order O1 pending ana mug x2 -> nothing
			after 1m
			store order O1 pending edited mug x1 plate x1 -> nothing
			= mug: 3 available 2 held 0 sold
			after 1m
			store order O1 paid -> paid ana #O1 x 1
			= mug: 3 available 0 held 1 sold
			= plate: 5 available 0 held 1 sold`},
		{name: "a rest to pay because of what was added: the pieces are sold all the same", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 paid ana mug x1 -> paid ana #O1 x 1
			after 1m
			store order O1 pending edited mug x2 -> edited ana #O1
			= mug: 3 available 0 held 2 sold
			after 1m
			store order O1 paid -> nothing
			= mug: 3 available 0 held 2 sold`},
		{name: "a change that concerns no piece", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 paid ana mug x1 -> paid ana #O1 x 1
			after 1m
			store order O1 paid -> nothing`},
		{name: "an older state that comes behind an edit, and the edit again", text: `
			ana buy 1 x2 -> held holds 2 left 1
			store order O1 paid ana mug x2 -> paid ana #O1 x 2
			after 1m
			store order O1 paid edited mug x1 -> edited ana #O1
			store order O1 paid edited mug x1 -> nothing
			store order O1 paid edited mug x2 at -30s -> nothing
			= mug: 3 available 0 held 1 sold`},
		{name: "an order from no claim", text: `
			store order O1 paid mug x1 -> nothing
			after 1m
			store order O1 paid edited mug x3 -> edited #O1
			= mug: 3 available 0 held 3 sold
			ana wait 1 -> waitlisted waits 1 place 1
			after 1m
			store order O1 paid edited mug x2 -> edited #O1; promoted ana holds 1
			= mug: 3 available 1 held 2 sold`},
		{name: "more added than there is: the next reading says so", memory: true, text: `
			store read mug 3 -> nothing
			ana buy 1 x3 -> held holds 3
			store order O1 paid plate x1 -> nothing
			after 1s
			store order O1 paid edited plate x1 mug x1 -> edited #O1
			= mug: 3 available 3 held 0 sold
			after 10s
			store read mug 2 -> short x 1`},
		{name: "pieces paid late that were not there need not be found any more", text: `
			ana buy 1 x2 -> held holds 2 left 1
			after 11m
			clock -> expired ana x 2
			bob buy 1 x2 -> held holds 2 left 1
			store order O1 paid ana mug x2 -> unfilled ana #O1 x 2
			= unfilled O1: 1
			after 1m
			store order O1 paid edited mug x1 -> edited ana #O1
			= unfilled O1: 0
			= mug: 3 available 2 held 1 sold`},
		{name: "a piece added after the order was made is not in a reading from between", memory: true, text: `
			store read mug 3 -> nothing
			store order O1 paid mug x1 -> nothing
			= mug: 3 available 0 held 1 sold
			after 10s
			store read mug 2 -> nothing
			= mug: 2 available 0 held 0 sold
			after 1s
			store order O1 paid edited mug x2 -> edited #O1
			= mug: 2 available 0 held 1 sold
			after 4s
			store read mug 1 -> restocked
			= mug: 1 available 0 held 1 sold
			after 6s
			store read mug 1 -> restocked left 1
			= mug: 1 available 0 held 0 sold`},
		{name: "a piece removed that the figure lacks comes back with a reading", memory: true, text: `
			store read mug 3 -> nothing
			ana buy 1 x2 -> held holds 2 left 1
			store order O1 paid ana mug x2 -> paid ana #O1 x 2
			after 10s
			store read mug 1 -> nothing
			store order O1 paid edited mug x1 -> edited ana #O1
			= mug: 1 available 0 held 0 sold
			= ana: Mug 1 paid
			after 10s
			store read mug 2 -> restocked left 2`},
	})
}

func TestOrderCancelledAndRefunded(t *testing.T) {
	tell(t, []story{
		{name: "nothing brings an order back that was paid back", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 paid ana mug x1 -> paid ana #O1 x 1
			after 1m
			store order O1 refunded -> undone ana #O1
			store order O1 paid -> nothing
			after 1m
			store order O1 paid -> nothing
			after 1m
			store order O1 paid edited mug x2 -> nothing
			after 1m
			store order O1 refunded -> nothing
			store order O1 cancelled -> nothing
			= ana: Mug 1 released
			= mug: 3 available 0 held 0 sold`},
		{name: "cancelled before it was paid, and paid behind that", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 pending ana mug x1 -> nothing
			after 1m
			store order O1 cancelled -> nothing
			after 1m
			store order O1 paid -> nothing
			= ana: Mug 1 held for 8m15s+30s`},
	})
}

// Payments of one order in every order of arrival, each twice: the end is the same.
func TestOrderDuplicateInAnyOrder(t *testing.T) {
	start := epoch
	of := func(state OrderState, after time.Duration, hold ID, pieces int) Paid {
		o := Order{Store: "gid/O", Name: "#1", State: state, Created: start, Updated: start.Add(after), Holds: []ID{hold}, Total: eur(100)}
		o.Lines = []OrderLine{{Variant: "gid/mug", Quantity: pieces, Price: eur(100)}}
		return Paid{Order: o, Variants: map[string]ID{"gid/mug": mug}}
	}
	for _, tt := range []struct {
		name string
		end  string
		news func(hold ID) []Request
	}{
		{"paid", "Mug 2 paid / 3 available 0 held 2 sold", func(h ID) []Request {
			return []Request{of(OrderPending, 0, h, 2), of(OrderPaid, time.Second, h, 2), of(OrderPaid, time.Minute, h, 2)}
		}},
		{"edited", "Mug 1 paid / 3 available 0 held 1 sold", func(h ID) []Request {
			return []Request{of(OrderPending, 0, h, 2), of(OrderPaid, time.Second, h, 2), of(OrderPaid, time.Minute, h, 1)}
		}},
		{"cancelled", "Mug 2 released / 3 available 0 held 0 sold", func(h ID) []Request {
			return []Request{of(OrderPaid, time.Second, h, 2), of(OrderRefunded, time.Minute, h, 2), of(OrderCancelled, time.Minute, h, 2)}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
				s := newScript(t)
				s.play(`ana buy 1 x2 -> held holds 2 left 1`)
				news := tt.news(s.d.mustHolds(who("ana"))[0].ID)
				for _, i := range append(slices.Clone(order), order...) {
					s.commit(news[i])
				}
				end := s.state("ana") + " / " + s.state("mug")
				// Who never heard that it was paid before it was cancelled has nothing to undo: the hold stands.
				if want := tt.end; end != want && !(order[0] == 2 && tt.name == "cancelled" || order[0] == 1 && tt.name == "cancelled") {
					t.Errorf("%v: %s; want %s", order, end, want)
				} else if end != want && !strings.HasPrefix(end, "Mug 2 held") {
					t.Errorf("%v: %s", order, end)
				}
			}
		})
	}
}

// commit plans requests as one batch, stores it and says what came of it.
func (s *script) commit(reqs ...Request) string {
	s.t.Helper()
	b, outs := s.d.Plan(s.now, reqs)
	if b.Empty() {
		s.d.CommitNothing()
	} else {
		if err := s.m.Commit(s.t.Context(), b); err != nil {
			s.t.Fatal(err)
		}
		s.d.Commit()
	}
	if d := differ(durable(s.d), durable(NewDesk(7, s.m.state()))); d != "" {
		s.t.Fatalf("what was stored is not what the desk knows: %s", d)
	}
	var all []string
	for i := range outs {
		all = append(all, say(&outs[i]))
	}
	return strings.Join(all, "; ")
}

// orders/create and orders/paid come in one batch.
func TestTwoWebhooksAtOnce(t *testing.T) {
	s := newScript(t)
	s.play(`ana buy 1 x2 -> held holds 2 left 1`)
	pending, paid := s.store(strings.Fields("order O1 pending ana mug x2")), s.store(strings.Fields("order O1 paid"))
	if got := s.commit(paid, pending, paid, Expire{}); got != "paid ana #O1 x 2" {
		t.Errorf("got %q", got)
	}
	s.play(`= mug: 3 available 0 held 2 sold`)
	two := newScript(t) // two orders for one hold: both bought
	two.play(`ana buy 1 -> held holds 1 left 2`)
	if got := two.commit(two.store(strings.Fields("order O1 paid ana mug x1")), two.store(strings.Fields("order O2 paid ana mug x1"))); got != "paid ana #O1 x 1" {
		t.Errorf("got %q", got)
	}
	two.play(`= mug: 3 available 0 held 2 sold`)
}

func TestLatePayment(t *testing.T) {
	tell(t, []story{
		{name: "pieces are there", text: `
			ana buy 1 x2 -> held holds 2 left 1
			after 11m
			clock -> expired ana x 2
			store order O1 paid ana mug x2 -> late ana #O1 x 2
			= mug: 3 available 0 held 2 sold`},
		{name: "some are gone", text: `
			ana buy 1 x2 -> held holds 2 left 1
			after 11m
			clock -> expired ana x 2
			bob buy 1 x2 -> held holds 2 left 1
			store order O1 paid ana mug x2 -> unfilled ana #O1 x 2
			= unfilled O1: 1
			= mug: 3 available 2 held 1 sold`},
	})
}

func TestPaymentOfAPart(t *testing.T) {
	tell(t, []story{
		{name: "of the pieces of one hold: the rest is free", text: `
			ana buy 1 x3 -> held holds 3
			store order O1 paid ana mug x1 -> paid ana #O1 x 1
			= ana: Mug 1 paid
			= mug: 3 available 0 held 1 sold`},
		{name: "of two holds: the other stands", text: `
			ana buy 1 -> held holds 1 left 2
			ana buy 3 -> held holds 1 left 4
			store order O1 paid ana mug x1 -> paid ana #O1 x 1
			= ana: Mug 1 paid, Plate 1 held for 2m15s+30s`},
	})
}

func TestOrderFromNoClaim(t *testing.T) {
	tell(t, []story{{name: "it takes stock all the same", text: `
		store order O1 paid mug x2 -> nothing
		= mug: 3 available 0 held 2 sold
		ana buy 1 x2 -> partly_held holds 1 waits 1 place 1`}})
}

// The order comes before it is known which draft its buyer was sent to.
// The store's time stamps have whole seconds: of two edits in one second the one that comes later counts, and again it does nothing.
func TestTwoEditsInOneSecond(t *testing.T) {
	tell(t, []story{{name: "", text: `
		ana buy 1 x3 -> held holds 3
		store order O1 paid ana mug x3 -> paid ana #O1 x 3
		after 1m
		store order O1 paid edited mug x2 -> edited ana #O1
		store order O1 paid edited mug x1 -> edited ana #O1
		store order O1 paid edited mug x1 -> nothing
		= mug: 3 available 0 held 1 sold
		store order O1 refunded edited -> undone ana #O1
		store order O1 paid edited mug x1 -> nothing
		store order O1 refunded edited -> nothing`}})
}

// What an order paid for is what it named when it was paid: somebody may take the attributes out of it later.
func TestAttributesTakenOut(t *testing.T) {
	for _, then := range []string{"paid", "refunded"} {
		s := newScript(t)
		s.play(`
			ana buy 2 S -> held holds 1
			store order O1 paid ana S x1 -> paid ana #O1 x 1
			after 1m`)
		o := s.orders["O1"]
		o.Holds, o.State, o.Updated = nil, OrderState(then), s.now
		if then == "paid" { // and the line
			o.Lines = nil
		}
		s.commit(Paid{Order: o, Variants: map[string]ID{"gid/S": small}})
		s.play(`
			= ana: ShirtS 1 released
			= S: 1 available 0 held 0 sold`)
	}
}

func TestWebhookBeforeWeKnowTheDraft(t *testing.T) {
	tell(t, []story{
		{name: "it names the holds", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 paid ana draft D1 mug x1 -> paid ana #O1 x 1
			ana drafts D1 -> nothing
			= mug: 3 available 0 held 1 sold`},
		{name: "it names only the draft: settled when the draft is known", text: `
			ana buy 1 x2 -> held holds 2 left 1
			store order O1 paid draft D1 mug x2 -> nothing
			= mug: 3 available 2 held 1 sold
			ana drafts D1 -> paid ana #O1 x 2
			= ana: Mug 2 paid
			= mug: 3 available 0 held 2 sold
			ana drafts D1 -> nothing`},
		{name: "the same with the rest to the next in line", text: `
			ana buy 1 x2 -> held holds 2 left 1
			store order O1 paid draft D1 mug x1 -> nothing
			bob buy 1 x2 -> waitlisted waits 2 place 1
			ana drafts D1 -> paid ana #O1 x 1; promoted bob holds 2
			= mug: 3 available 2 held 1 sold`},
		{name: "the draft is told behind the order", text: `
			ana buy 1 -> held holds 1 left 2
			ana drafts D1 -> nothing
			store order O1 paid mug x1 -> nothing
			= mug: 3 available 1 held 1 sold
			store order O1 paid draft D1 -> paid ana #O1 x 1
			= mug: 3 available 0 held 1 sold
			store order O1 paid draft D1 -> nothing`},
		{name: "an order that is not paid yet", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 pending draft D1 mug x1 -> nothing
			ana drafts D1 -> nothing
			after 1m
			store order O1 paid -> paid ana #O1 x 1
			= mug: 3 available 0 held 1 sold`},
		{name: "an order that was cancelled meanwhile: the hold needs another draft", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 paid draft D1 mug x1 -> nothing
			after 1m
			store order O1 cancelled -> undone #O1
			ana drafts D1 -> nothing
			ana drafts D2 -> nothing
			store order O2 paid draft D2 mug x1 -> paid ana #O2 x 1
			= mug: 3 available 0 held 1 sold`},
		{name: "an order without the hold's pieces: the hold needs another draft", text: `
			ana buy 1 -> held holds 1 left 2
			store order O1 paid draft D1 plate x1 -> nothing
			ana drafts D1 -> nothing
			ana drafts D2 -> nothing
			store order O2 paid draft D2 mug x1 -> paid ana #O2 x 1
			= mug: 3 available 0 held 1 sold`},
		{name: "a reading in between lacks the pieces already", memory: true, text: `
			store read mug 3 -> nothing
			ana buy 1 -> held holds 1 left 2
			store order O1 paid draft D1 mug x1 -> nothing
			after 10s
			store read mug 2 -> nothing
			= mug: 2 available 1 held 0 sold
			ana drafts D1 -> paid ana #O1 x 1
			= mug: 2 available 0 held 0 sold`},
	})
	s := newScript(t) // the hold ended meanwhile
	s.play(`
		ana buy 3 -> held holds 1 left 4
		store order O1 paid draft D1 plate x1 -> nothing`)
	hold := s.d.mustHolds(who("ana"))[0].ID
	s.play(`
		after 3m
		clock -> expired ana x 1`)
	if got := s.commit(Drafted{Holds: []ID{hold}, Draft: "D1", Created: s.now}); got != "late ana #O1 x 1" {
		t.Errorf("got %q", got)
	}
	s.play(`
		= ana: Plate 1 paid late
		= plate: 5 available 0 held 1 sold`)
}
