package shopify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify"
	"hawker/connectors/shopify/shopifysim"
)

// draftOf is a draft of n pieces of a SKU, at a show price when that is not 0.
func draftOf(s *shopifysim.Sim, hold commerce.ID, sku string, n int, price int64) shopify.DraftInput {
	return shopify.DraftInput{
		Holds: []commerce.ID{hold}, Lines: []shopify.DraftLine{{Variant: s.VariantID(sku), Quantity: n, Price: eur(price)}},
		ReserveUntil: time.Now().Add(time.Hour),
	}
}

func TestDraftReserves(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	in := shopify.DraftInput{
		Holds: []commerce.ID{71, 72},
		Lines: []shopify.DraftLine{
			{Variant: s.VariantID("MUG-1"), Quantity: 2, Price: eur(1550)},
			{Variant: s.VariantID("PLATE-1"), Quantity: 1},
		},
		ReserveUntil: time.Now().Add(time.Hour), Attributes: map[string]string{"show": "spring", shopify.AttributeHold: "666"},
	}
	d, err := c.Draft(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	stock(t, s, "MUG-1", shopifysim.Stock{Available: 38, Reserved: 2})
	stock(t, s, "PLATE-1", shopifysim.Stock{Available: 15, Reserved: 1})
	if !d.Open || d.Order != "" || d.Name != "#D1" || !slices.Equal(d.Holds, in.Holds) || len(d.Warnings) != 0 {
		t.Errorf("draft = %+v", d)
	}
	if d.Total != eur(2*1550+2900) {
		t.Errorf("total = %v; want 60.00 EUR: the show price for one line, the store's for the other", d.Total)
	}
	if !d.Until.Equal(in.ReserveUntil.Truncate(time.Second)) || time.Since(d.Created) > time.Minute {
		t.Errorf("until %v, created %v", d.Until, d.Created)
	}
	there := s.Drafts()
	if len(there) != 1 || there[0].ID != d.ID || there[0].InvoiceURL != d.InvoiceURL {
		t.Fatalf("the store has %+v; want the draft %s", there, d.ID)
	}
	if want := []string{"hawker", "hawker-71", "hawker-72"}; !slices.Equal(there[0].Tags, want) {
		t.Errorf("tags = %v; want %v", there[0].Tags, want)
	}
	if want := []shopifysim.Attribute{{Key: "hawker_hold", Value: "71,72"}, {Key: "show", Value: "spring"}}; !slices.Equal(there[0].Attributes, want) {
		t.Errorf("attributes = %v; want %v", there[0].Attributes, want)
	}

	again, err := c.DraftByID(t.Context(), d.ID)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(d) {
		t.Errorf("DraftByID = %+v, %v; want %+v", again, err, d)
	}
	for range 2 { // once is enough, twice is no error
		if err := c.ReleaseDraft(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		stock(t, s, "MUG-1", shopifysim.Stock{Available: 40})
		stock(t, s, "PLATE-1", shopifysim.Stock{Available: 16})
	}
	if _, err := c.DraftByID(t.Context(), d.ID); !errors.Is(err, shopify.ErrNotFound) {
		t.Errorf("a draft that is gone: %v; want ErrNotFound", err)
	}
}

func TestDraftPaid(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	d, err := c.Draft(t.Context(), draftOf(s, 71, "VASE-1", 2, 9900))
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.PayDraft(d.ID)
	if err != nil {
		t.Fatal(err)
	}
	stock(t, s, "VASE-1", shopifysim.Stock{Available: 1, Committed: 2})
	o, err := c.Order(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	want := commerce.Order{
		Store: id, Name: "#1001", State: commerce.OrderPaid, Total: eur(19800), Holds: []commerce.ID{71}, Created: o.Created, Updated: o.Created,
		Lines: []commerce.OrderLine{{Variant: s.VariantID("VASE-1"), Quantity: 2, Price: eur(9900)}},
	}
	if fmt.Sprint(o) != fmt.Sprint(want) {
		t.Errorf("order = %+v; want %+v", o, want)
	}
	after, err := c.DraftByID(t.Context(), d.ID)
	if err != nil || after.Open || after.Order != id {
		t.Errorf("paid draft = %+v, %v; want closed, with order %s", after, err, id)
	}
	var no *shopify.Refused
	if err := c.ReleaseDraft(t.Context(), d.ID); !errors.As(err, &no) || len(no.Problems) == 0 {
		t.Errorf("release of a paid draft: %v; want *Refused", err)
	}
	stock(t, s, "VASE-1", shopifysim.Stock{Available: 1, Committed: 2})
	if open, err := c.OpenDrafts(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("open drafts = %+v, %v; want none", open, err)
	}
}

func TestOpenDrafts(t *testing.T) {
	o := rich()
	o.Products = []shopifysim.Product{{Title: "Cup", Variants: []shopifysim.Variant{{SKU: "CUP", Price: "5.00", Stock: 500}}}}
	s := open(t, o)
	c := connect(t, s)
	var want []commerce.ID
	var g sync.WaitGroup
	for i := range 60 { // the store gives 50 on a page
		id := commerce.ID(i + 1)
		want = append(want, id)
		g.Go(func() {
			if _, err := c.Draft(t.Context(), draftOf(s, id, "CUP", 1, 0)); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	open, err := c.OpenDrafts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []commerce.ID
	for _, d := range open {
		got = append(got, d.Holds...)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("open drafts are for holds %v; want 1 to 60, each once", got)
	}
	stock(t, s, "CUP", shopifysim.Stock{Available: 440, Reserved: 60})
}

// When the answer of a draft is lost the store is asked before another is made.
func TestDraftLostAnswer(t *testing.T) {
	for _, losses := range []int{1, 2, 3} { // that of the draft, then those of looking for it
		t.Run(fmt.Sprint(losses), func(t *testing.T) {
			t.Parallel()
			s := open(t, shopifysim.Options{})
			c := connect(t, s)
			s.LoseAnswers(losses)
			d, err := c.Draft(t.Context(), draftOf(s, 71, "MUG-1", 3, 0))
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Drafts(); len(got) != 1 || got[0].ID != d.ID {
				t.Errorf("the store has %d drafts; want the one that was returned", len(got))
			}
			stock(t, s, "MUG-1", shopifysim.Stock{Available: 37, Reserved: 3})
		})
	}
}

// A call that never reached the store is made again.
func TestDraftLostCall(t *testing.T) {
	s := open(t, rich())
	lost := 0
	f := front(t, s, func(_ http.ResponseWriter, r *http.Request) bool {
		if lost > 0 || !strings.Contains(bodyOf(r), "draftOrderCreate") {
			return false
		}
		lost++
		panic(http.ErrAbortHandler)
	})
	c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
	if _, err := c.Draft(t.Context(), draftOf(s, 71, "MUG-1", 3, 0)); err != nil {
		t.Fatal(err)
	}
	if got := s.Drafts(); len(got) != 1 || lost != 1 {
		t.Errorf("%d calls were lost and %d drafts made; want one each", lost, len(got))
	}
}

// Many at once, and a store that loses answers: each hold has one draft in the end.
func TestDraftsOfARush(t *testing.T) {
	o := rich()
	o.Products = []shopifysim.Product{{Title: "Cup", Variants: []shopifysim.Variant{{SKU: "CUP", Price: "5.00", Stock: 500}}}}
	s := open(t, o)
	c := connect(t, s)
	s.LoseAnswers(8)
	var g sync.WaitGroup
	for i := range 24 {
		g.Go(func() {
			if _, err := c.Draft(t.Context(), draftOf(s, commerce.ID(i+1), "CUP", 2, 0)); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	if got := len(s.Drafts()); got != 24 {
		t.Errorf("%d drafts; want 24", got)
	}
	stock(t, s, "CUP", shopifysim.Stock{Available: 452, Reserved: 48})
}

func TestDraftAgain(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	in := draftOf(s, 71, "MUG-1", 1, 0)
	in.Again = true // nothing is there yet: one is made
	first, err := c.Draft(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Draft(t.Context(), in)
	if err != nil || second.ID != first.ID {
		t.Errorf("again = %+v, %v; want the draft that is there, %s", second, err, first.ID)
	}
	in.ReserveUntil = in.ReserveUntil.Add(time.Minute)
	third, err := c.Draft(t.Context(), in)
	if err != nil || third.ID == first.ID {
		t.Errorf("longer = %+v, %v; want another draft", third, err)
	}
	in.Holds = append(in.Holds, 72)
	fourth, err := c.Draft(t.Context(), in)
	if err != nil || fourth.ID == third.ID {
		t.Errorf("for more holds = %+v, %v; want another draft", fourth, err)
	}
	in.ReserveUntil = time.Time{}
	fifth, err := c.Draft(t.Context(), in)
	if err != nil || fifth.ID == fourth.ID || !fifth.Until.IsZero() {
		t.Errorf("without a time = %+v, %v; want another draft that sets nothing aside", fifth, err)
	}
	stock(t, s, "MUG-1", shopifysim.Stock{Available: 37, Reserved: 3})
	if _, err := s.PayDraft(fifth.ID); err != nil {
		t.Fatal(err)
	}
	sixth, err := c.Draft(t.Context(), in)
	if err != nil || sixth.ID == fifth.ID {
		t.Errorf("after the payment = %+v, %v; want another draft", sixth, err)
	}
}

// A store that has too little says so in the draft.
func TestDraftShort(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	d, err := c.Draft(t.Context(), draftOf(s, 71, "VASE-1", 4, 0))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "reserve") {
		t.Errorf("warnings = %q; want one of what is missing", d.Warnings)
	}
	stock(t, s, "VASE-1", shopifysim.Stock{Available: 3})
	if _, err := s.PayDraft(d.ID); !errors.Is(err, shopifysim.ErrSoldOut) {
		t.Errorf("payment of what is not there: %v; want ErrSoldOut", err)
	}
}

func TestDraftWrong(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	var no *shopify.Refused
	for _, tt := range []struct {
		name   string
		change func(*shopify.DraftInput)
		asked  bool // the store says no, not we
	}{
		{"no hold", func(in *shopify.DraftInput) { in.Holds = nil }, false},
		{"no line", func(in *shopify.DraftInput) { in.Lines = nil }, false},
		{"no pieces", func(in *shopify.DraftInput) { in.Lines[0].Quantity = 0 }, false},
		{"no variant", func(in *shopify.DraftInput) { in.Lines[0].Variant = "gid://shopify/Product/1" }, false},
		{"a variant that is gone", func(in *shopify.DraftInput) { in.Lines[0].Variant = "gid://shopify/ProductVariant/5" }, true},
		{"a time that is over", func(in *shopify.DraftInput) { in.ReserveUntil = time.Now().Add(-time.Hour) }, true},
		{"another currency", func(in *shopify.DraftInput) { in.Lines[0].Price = commerce.Money{Minor: 5, Currency: "USD"} }, true},
	} {
		in := draftOf(s, 71, "MUG-1", 1, 0)
		tt.change(&in)
		_, err := c.Draft(t.Context(), in)
		if err == nil || errors.As(err, &no) != tt.asked || errors.Is(err, shopify.ErrUnsure) {
			t.Errorf("%s: %v; want an error, refused by the store: %v", tt.name, err, tt.asked)
		}
	}
	if len(s.Drafts()) != 0 {
		t.Errorf("drafts were made: %+v", s.Drafts())
	}
}

// A new draft may not be ready at once; its page is waited for.
func TestDraftNotReady(t *testing.T) {
	s := open(t, rich())
	asked := 0
	f := front(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		body := bodyOf(r)
		if strings.Contains(body, "draftOrderCreate") {
			_, _ = w.Write([]byte(`{"data":{"draftOrderCreate":{"draftOrder":{"id":"gid://shopify/DraftOrder/9","name":"#D9","status":"OPEN","ready":false,` +
				`"invoiceUrl":null,"reserveInventoryUntil":null,"createdAt":"2026-11-23T07:00:00Z","tags":[],"customAttributes":[],"order":null,` +
				`"totalPriceSet":{"presentmentMoney":{"amount":"19.0","currencyCode":"EUR"}},"warnings":[]},"userErrors":[]}}}`))
			return true
		}
		asked++
		ready := fmt.Sprint(asked == 2)
		_, _ = w.Write([]byte(`{"data":{"draftOrder":{"id":"gid://shopify/DraftOrder/9","name":"#D9","status":"OPEN","ready":` + ready + `,` +
			`"invoiceUrl":"https://demo.myshopify.com/invoices/9","reserveInventoryUntil":"2026-11-23T08:00:00Z","createdAt":"2026-11-23T07:00:00Z",` +
			`"tags":["hawker"],"customAttributes":[{"key":"hawker_hold","value":"71"}],"order":null,` +
			`"totalPriceSet":{"presentmentMoney":{"amount":"19.0","currencyCode":"EUR"}},"warnings":[]}}}`))
		return true
	})
	c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
	d, err := c.Draft(t.Context(), draftOf(s, 71, "MUG-1", 1, 0))
	if err != nil || d.InvoiceURL != "https://demo.myshopify.com/invoices/9" || d.Total != eur(1900) || asked != 2 {
		t.Errorf("draft = %+v, %v, asked %d times; want its page after two", d, err, asked)
	}
}

// The stock comes back by itself when the time is over, and the link works on while there is stock.
func TestDraftLapses(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	in := draftOf(s, 71, "VASE-1", 3, 0)
	in.ReserveUntil = time.Now().Add(2 * time.Second).Truncate(time.Second)
	d, err := c.Draft(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	stock(t, s, "VASE-1", shopifysim.Stock{Reserved: 3})
	if _, err := s.BuyOnline("VASE-1", 1); !errors.Is(err, shopifysim.ErrSoldOut) {
		t.Errorf("another buyer of what is set aside: %v; want ErrSoldOut", err)
	}
	until(t, "the stock comes back", func() bool { got, _ := s.Stock("VASE-1"); return got == shopifysim.Stock{Available: 3} })
	if open, err := c.OpenDrafts(t.Context()); err != nil || len(open) != 1 || !open[0].Open {
		t.Errorf("open drafts = %+v, %v; want the lapsed one", open, err)
	}
	if _, err := s.PayDraft(d.ID); err != nil {
		t.Errorf("late payment while there is stock: %v", err)
	}
	stock(t, s, "VASE-1", shopifysim.Stock{Committed: 3})
}
