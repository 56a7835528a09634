package shopify_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify"
	"hawker/connectors/shopify/shopifysim"
)

func TestCartLink(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	lines := []shopify.DraftLine{{Variant: s.VariantID("MUG-1"), Quantity: 2, Price: eur(1)}, {Variant: s.VariantID("PLATE-1"), Quantity: 1}}
	link, err := c.CartLink(lines, []commerce.ID{71, 72})
	if err != nil {
		t.Fatal(err)
	}
	number := func(sku string) string { return s.VariantID(sku)[len("gid://shopify/ProductVariant/"):] }
	u, err := url.Parse(link)
	if err != nil || u.Path != "/cart/"+number("MUG-1")+":2,"+number("PLATE-1")+":1" || u.Query().Get("attributes[hawker_hold]") != "71,72" {
		t.Errorf("link = %s, %v", link, err)
	}
	if calls := s.Counts().Calls; calls != 0 {
		t.Errorf("the link cost %d calls; want none", calls)
	}
	id, err := s.PayCart(link)
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.Order(t.Context(), id)
	if err != nil || !slices.Equal(o.Holds, []commerce.ID{71, 72}) || o.Total != eur(2*1900+2900) || o.State != commerce.OrderPaid {
		t.Errorf("order = %+v, %v; want both holds, at the store's price", o, err)
	}
	stock(t, s, "MUG-1", shopifysim.Stock{Available: 38, Committed: 2})

	real, err := shopify.New(shopify.Options{Shop: "demo.myshopify.com", ClientID: "a", ClientSecret: "b"})
	if err != nil {
		t.Fatal(err)
	}
	link, err = real.CartLink([]shopify.DraftLine{{Variant: "gid://shopify/ProductVariant/44", Quantity: 1}}, nil)
	if want := "https://demo.myshopify.com/cart/44:1"; err != nil || link != want {
		t.Errorf("link = %s, %v; want %s", link, err, want)
	}
	for _, bad := range [][]shopify.DraftLine{
		nil,
		{{Variant: "gid://shopify/ProductVariant/44", Quantity: 0}},
		{{Variant: "44", Quantity: 1}},
		{{Variant: "gid://shopify/Product/44", Quantity: 1}},
		{{Variant: "gid://shopify/ProductVariant/44?a=b", Quantity: 1}},
		{{Variant: "gid://shopify/ProductVariant/-4", Quantity: 1}},
	} {
		if link, err := real.CartLink(bad, nil); err == nil {
			t.Errorf("CartLink(%v) = %s; want an error", bad, link)
		}
	}
}

func TestOrdersSince(t *testing.T) {
	o := rich()
	wide := shopifysim.Product{Title: "Wide", Options: []string{"N"}}
	for i := range 70 {
		wide.Variants = append(wide.Variants, shopifysim.Variant{SKU: fmt.Sprint("W-", i), Options: []string{fmt.Sprint(i)}, Price: "2.00", Stock: 9})
	}
	o.Products = append(shopifysim.Ceramics(), wide)
	s := open(t, o)
	c := connect(t, s)
	start := time.Now().Truncate(time.Second)
	for range 31 { // the store gives 15 on a page
		if _, err := s.BuyOnline("MUG-1", 1); err != nil {
			t.Fatal(err)
		}
	}
	var parts []string
	for i := range 70 { // the store gives 10 on a page, then 50
		parts = append(parts, strings.TrimPrefix(s.VariantID(fmt.Sprint("W-", i)), "gid://shopify/ProductVariant/")+":1")
	}
	wideOrder, err := s.PayCart("/cart/" + strings.Join(parts, ",") + "?attributes[hawker_hold]=5&attributes[x]=6")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Refund("#1002"); err != nil {
		t.Fatal(err)
	}
	if err := s.Cancel("#1003"); err != nil {
		t.Fatal(err)
	}
	var got []commerce.Order
	keep := func(o commerce.Order) error { got = append(got, o); return nil }
	if err := c.OrdersSince(t.Context(), start, keep); err != nil {
		t.Fatal(err)
	}
	if len(got) != 32 {
		t.Fatalf("%d orders; want 32", len(got))
	}
	if !slices.IsSortedFunc(got, func(a, b commerce.Order) int { return a.Updated.Compare(b.Updated) }) {
		t.Error("not in the order of change")
	}
	for _, o := range got {
		want, qty := commerce.OrderPaid, 1
		switch o.Name {
		case "#1002":
			want, qty = commerce.OrderRefunded, 0
		case "#1003":
			want, qty = commerce.OrderCancelled, 0
		}
		if o.State != want || o.Lines[0].Quantity != qty {
			t.Errorf("order %s is %v with %d pieces; want %v with %d", o.Name, o.State, o.Lines[0].Quantity, want, qty)
		}
		if o.Store == wideOrder && (len(o.Lines) != 70 || fmt.Sprint(o.Holds) != "[5]" || o.Total != eur(14_000)) {
			t.Errorf("the wide order has %d lines, holds %v, total %v; want 70, [5], 140.00", len(o.Lines), o.Holds, o.Total)
		}
	}
	last := got[len(got)-1]
	got = nil
	err = c.OrdersSince(t.Context(), last.Updated, keep)
	if err != nil || !slices.ContainsFunc(got, func(o commerce.Order) bool { return o.Store == last.Store }) {
		t.Errorf("since the second of the last change = %v, %v; want that order again", got, err)
	}
	got = nil
	if err := c.OrdersSince(t.Context(), last.Updated.Add(time.Second), keep); err != nil || len(got) != 0 {
		t.Errorf("after the last change = %v, %v; want none", got, err)
	}
	stop := errors.New("enough")
	n := 0
	if err := c.OrdersSince(t.Context(), start, func(commerce.Order) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("OrdersSince = %v after %d orders; want the caller's error after 1", err, n)
	}
	if _, err := c.Order(t.Context(), "gid://shopify/Order/1"); !errors.Is(err, shopify.ErrNotFound) {
		t.Errorf("an order that is none: %v; want ErrNotFound", err)
	}
}
