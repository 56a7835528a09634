package rules

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"hawker/commerce"
)

func TestBookDecides(t *testing.T) {
	b, err := NewBook([]Rule{
		{Name: "thank", When: OrderPaid, Then: []Action{{ShoutOut: "{user} bought {item} for {total}!"}, {Say: "{{order}} {order}"}}},
		{Name: "off", When: OrderPaid, Off: true, Then: []Action{{Say: "never"}}},
		{Name: "gone", When: SoldOut, Then: []Action{{Say: "#{n} is gone"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f := &Facts{User: "{item}", Item: "Mug", Number: 3, Total: commerce.Money{Minor: 1800, Currency: "EUR"}, Order: "#1001"}
	want := []Effect{{"thank", true, "{item} bought Mug for €18.00!"}, {"thank", false, "{order} #1001"}}
	if got := b.Decide(OrderPaid, f); !slices.Equal(got, want) {
		t.Errorf("order paid: %+v, want %+v", got, want)
	}
	if got := b.Decide(SoldOut, f); len(got) != 1 || got[0].Text != "#3 is gone" {
		t.Errorf("sold out: %+v", got)
	}
	if got := b.Decide(ShowEnded, f); got != nil {
		t.Errorf("show ended: %+v, want nothing", got)
	}
}

func TestBookRefuses(t *testing.T) {
	say := func(s string) []Action { return []Action{{Say: s}} }
	for _, tt := range []struct {
		name string
		rule Rule
		want string
		col  int
	}{
		{"no name", Rule{When: OrderPaid, Then: say("x")}, "no name", 0},
		{"unknown event", Rule{Name: "a", When: "paid order", Then: say("x")}, "order paid", 0},
		{"nothing to do", Rule{Name: "a", When: OrderPaid}, "does nothing", 0},
		{"two in one action", Rule{Name: "a", When: OrderPaid, Then: []Action{{Say: "x", ShoutOut: "y"}}}, "one of", 0},
		{"unknown name", Rule{Name: "a", When: OrderPaid, Then: say("hi {usr}")}, `"usr"`, 5},
		{"open brace", Rule{Name: "a", When: OrderPaid, Then: say("hi {user")}, "not closed", 4},
		{"closing brace", Rule{Name: "a", When: OrderPaid, Then: say("hi }")}, "closing", 4},
		{"line break", Rule{Name: "a", When: OrderPaid, Then: say("hi\nho")}, "line break", 3},
		{"too long", Rule{Name: "a", When: OrderPaid, Then: say(strings.Repeat("x", MaxTemplate+1))}, "longer", MaxTemplate + 1},
	} {
		_, err := NewBook([]Rule{tt.rule})
		var re *RuleError
		var te *TextError
		if !errors.As(err, &re) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one that says %q", tt.name, err, tt.want)
			continue
		}
		if tt.col != 0 && (!errors.As(err, &te) || te.Column != tt.col) {
			t.Errorf("%s: %v, want column %d", tt.name, err, tt.col)
		}
	}
	if _, err := NewBook([]Rule{{Name: "a", When: OrderPaid, Then: say("x")}, {Name: "a", When: OrderPaid, Then: say("y")}}); err == nil {
		t.Error("two rules of one name were taken")
	}
}

// FuzzTemplate: a text that is taken has no control marks and gives the facts back as they are.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"{user} bought {item}!", "{{}}", "{", "}", "{n}{n}", "{user\n}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tpl, err := ParseTemplate(s)
		if err != nil {
			var te *TextError
			if !errors.As(err, &te) || te.Column < 1 {
				t.Fatalf("ParseTemplate(%q): %v without a column", s, err)
			}
			return
		}
		if tpl.String() != s {
			t.Fatalf("ParseTemplate(%q) says it was %q", s, tpl.String())
		}
		if out := tpl.Expand(&Facts{User: "{n}"}); strings.ContainsAny(out, "\r\n\x00") {
			t.Fatalf("Expand of %q = %q", s, out)
		}
	})
}
