package hosting

import (
	"testing"

	"hawker/commerce"
	"hawker/rules"
)

func lineup() *commerce.Lineup {
	item := func(n int, vs ...commerce.Variant) commerce.Item {
		return commerce.Item{Number: n, Product: commerce.Product{Variants: vs}}
	}
	return &commerce.Lineup{Items: []commerce.Item{
		item(3, commerce.Variant{ID: 30}), item(4, commerce.Variant{ID: 40, Inventory: "store"}), item(5, commerce.Variant{ID: 50}, commerce.Variant{ID: 51}),
	}}
}

func TestNext(t *testing.T) {
	l := lineup()
	for _, want := range []int{3, 4, 5, 3} {
		if l.OnAir = Next(l); l.OnAir != want {
			t.Fatalf("next is %d, want %d", l.OnAir, want)
		}
	}
	l.Items[1].Closed = true
	if n := Next(l); n != 5 {
		t.Errorf("next is %d, and item 4 is closed", n)
	}
	if n := Next(&commerce.Lineup{OnAir: 7}); n != 7 {
		t.Errorf("next of nothing is %d", n)
	}
}

func TestStock(t *testing.T) {
	for _, tt := range []struct {
		c        rules.Command
		ok       bool
		add, set int64
	}{
		{rules.Command{Item: 3, Arg: "+5"}, true, 5, 0},
		{rules.Command{Item: 3, Arg: "-2"}, true, -2, 0},
		{rules.Command{Item: 3, Arg: "7"}, true, 0, 7},
		{rules.Command{Item: 5, Variant: 51, Arg: "7"}, true, 0, 7},
		{rules.Command{Item: 5, Arg: "7"}, false, 0, 0},  // which one?
		{rules.Command{Item: 4, Arg: "+1"}, false, 0, 0}, // the store's
		{rules.Command{Item: 9, Arg: "+1"}, false, 0, 0},
		{rules.Command{Item: 3, Arg: "x"}, false, 0, 0},
	} {
		r, ok := Stock(lineup(), tt.c)
		if ok != tt.ok || ok && (r.Add != tt.add || (r.Available != nil) != (tt.set != 0) || tt.set != 0 && *r.Available != tt.set) {
			t.Errorf("%+v: %+v, %v", tt.c, r, ok)
		}
	}
}
