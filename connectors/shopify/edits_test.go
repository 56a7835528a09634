package shopify_test

import (
	"slices"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify"
	"hawker/connectors/shopify/shopifysim"
)

// What the owner changes in an order is read with its pieces, money and state as they are now.
func TestOrderEdits(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	id, err := s.BuyOnline("MUG-1", 2)
	if err != nil {
		t.Fatal(err)
	}
	read := func(state commerce.OrderState, pieces int, total int64) {
		t.Helper()
		all := map[string]int{}
		var got commerce.Order
		if err := c.OrdersSince(t.Context(), time.Now().Add(-time.Hour), func(o commerce.Order) error { got = o; return nil }); err != nil {
			t.Fatal(err)
		}
		for _, l := range got.Lines {
			all[l.Variant] += l.Quantity
		}
		if got.State != state || all[s.VariantID("MUG-1")] != pieces || got.Total != eur(total) || got.Draft != "" {
			t.Errorf("order %+v; want %s with %d for %d", got, state, pieces, total)
		}
	}
	read(commerce.OrderPaid, 2, 3800)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(s.EditOrder(id, "MUG-1", 3))
	read(commerce.OrderPending, 3, 5700) // partially paid is not paid
	do(s.PayRest(id))
	read(commerce.OrderPaid, 3, 5700)
	stock(t, s, "MUG-1", shopifysim.Stock{Available: 37, Committed: 3})
	do(s.RefundPart(id, "MUG-1", 1))
	read(commerce.OrderPaid, 1, 1900) // partially refunded is paid, with fewer pieces
	stock(t, s, "MUG-1", shopifysim.Stock{Available: 39, Committed: 1})
	do(s.Refund(id))
	read(commerce.OrderRefunded, 0, 5700) // what it was worth
	for what, err := range map[string]error{
		"edit": s.EditOrder(id, "MUG-1", 2), "rest": s.PayRest(id), "refund": s.RefundPart(id, "MUG-1", 0), "order": s.EditOrder("#9", "MUG-1", 2), "strip": s.StripAttributes("#9"),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// An order that was a draft, and whose hold ids somebody took out, is known by its draft all the same.
func TestOrderOfDraft(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	var drafts []shopify.Draft
	for _, hold := range []commerce.ID{71, 72} {
		d, err := c.Draft(t.Context(), shopify.DraftInput{
			Holds: []commerce.ID{hold}, Lines: []shopify.DraftLine{{Variant: s.VariantID("MUG-1"), Quantity: 1}}, ReserveUntil: time.Now().Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		drafts = append(drafts, d)
	}
	var ids []string
	for _, d := range drafts {
		id, err := s.PayDraft(d.ID)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := s.StripAttributes(ids[1]); err != nil {
		t.Fatal(err)
	}
	got := map[string]commerce.Order{}
	if err := c.OrdersSince(t.Context(), time.Now().Add(-time.Hour), func(o commerce.Order) error { got[o.Store] = o; return nil }); err != nil {
		t.Fatal(err)
	}
	if o := got[ids[0]]; !slices.Equal(o.Holds, []commerce.ID{71}) || o.Draft != "" {
		t.Errorf("%+v; want hold 71, and its draft not asked for", o)
	}
	if o := got[ids[1]]; len(o.Holds) != 0 || o.Draft != drafts[1].ID {
		t.Errorf("%+v; want draft %s", o, drafts[1].ID)
	}
}
