package ruleform

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"hawker/rules/book"
	"hawker/rules/rule"
	"hawker/rules/starter"
)

// Every template goes through the form and comes out as it went in.
func TestThereAndBack(t *testing.T) {
	for _, x := range starter.Templates("en") {
		f := Of(&x.Rule)
		got, ok := New(f.Values).Check(book.Options{}, nil)
		if !ok || rule.Text(got) != rule.Text(x.Rule) {
			name, fault := "", Fault{}
			if !ok {
				name, fault = f.First()
			}
			t.Errorf("%s: %s %+v\nwas\n%s\nis\n%s", x.Key, name, fault, rule.Text(x.Rule), rule.Text(got))
		}
	}
}

// Each event can be chosen, shows what it needs, and says what is missing; each action that is offered can be done.
func TestEveryEventAndAction(t *testing.T) {
	for _, g := range Groups() {
		for _, e := range g.Events {
			f := New(url.Values{"name": {"x"}, "event": {string(e)}, "actions": {"1"}, "a0_do": {"stop"}})
			if _, ok := f.Check(book.Options{}, nil); !ok {
				if name, _ := f.First(); name != WhenField(e) {
					t.Errorf("%s: the fault is at %s", e, name)
				}
			}
			if EventWords(e) == string(e) {
				t.Errorf("%s has no words", e)
			}
			for _, o := range kindOptions(e, "")[1:] {
				if fault := fault1(rule.Rule{Name: "x", When: soundWhen(e), Then: []rule.Action{{Do: rule.ActionKind(o.Value)}}}, book.Options{}); fault != nil && fault.Action < 0 {
					t.Errorf("%s when %s: %v", o.Value, e, fault)
				}
			}
		}
	}
	seen := map[rule.Event]bool{}
	for _, g := range Groups() {
		for _, e := range g.Events {
			seen[e] = true
		}
	}
	for _, e := range rule.Events() {
		if !seen[e] {
			t.Errorf("%s is in no group", e)
		}
	}
	kinds := map[rule.ActionKind]bool{}
	for _, g := range actionGroups() {
		for _, k := range g.Kinds {
			kinds[k] = true
			if kindWords(k) == string(k) {
				t.Errorf("%s has no words", k)
			}
		}
	}
	for _, k := range rule.ActionKinds() {
		if !kinds[k] {
			t.Errorf("%s is offered nowhere", k)
		}
	}
}

func TestSpans(t *testing.T) {
	for _, tt := range []struct {
		text  string
		want  time.Duration
		wrong bool
	}{
		{"", 0, false},
		{"10", 10 * time.Minute, false},
		{"90 s", 90 * time.Second, false},
		{"2 hours", 2 * time.Hour, false},
		{"3 days", 72 * time.Hour, false},
		{"1h30m", 90 * time.Minute, false},
		{"soon", 0, true},
		{"10 moons", 0, true},
		{"9999999 d", 0, true},
		{"-5", 0, true},
	} {
		if got, wrong := Span(tt.text); got != tt.want && !tt.wrong || (wrong != "") != tt.wrong {
			t.Errorf("Span(%q) = %v, %q", tt.text, got, wrong)
		}
	}
	for _, d := range []time.Duration{time.Second, 90 * time.Second, 150 * time.Second, 5 * time.Minute, 90 * time.Minute, 2 * time.Hour, 24 * time.Hour, 49 * time.Hour, 72 * time.Hour} {
		if got, wrong := Span(SpanText(d)); got != d || wrong != "" {
			t.Errorf("%v is written %q, which is read as %v", d, SpanText(d), got)
		}
	}
}

func TestMark(t *testing.T) {
	for _, tt := range []struct {
		text   string
		column int
		want   string
	}{
		{"left < nobody && x", 8, "left < [nobody] && x"}, {"äö {usr}", 5, "äö {[usr]}"}, {"left <", 7, "left <[␣]"}, {"x", 99, "x[␣]"}, {"a + b", 3, "a [+] b"},
	} {
		m := Mark(tt.text, tt.column)
		if got := m.Before + "[" + m.At + "]" + m.After; got != tt.want {
			t.Errorf("Mark(%q, %d) = %s, want %s", tt.text, tt.column, got, tt.want)
		}
	}
	if Mark("x", 0) != nil {
		t.Error("no column is marked")
	}
}

func TestMove(t *testing.T) {
	f := New(url.Values{"actions": {"3"}, "a0_do": {"say"}, "a0_text": {"a"}, "a1_do": {"stop"}, "a2_do": {"reply"}, "a2_text": {"c"}, "at": {"20:00"}, "name": {"n"}})
	f.Move([]int{2, 0})
	if f.Get("actions") != "2" || f.Get("a0_text") != "c" || f.Get("a1_text") != "a" || f.Get("a1_do") != "say" || f.Has("a2_do") || f.Get("at") != "20:00" {
		t.Errorf("%v", f.Values)
	}
}

// Whatever is typed is a rule or a fault, never a panic; a rule that passes says the same after another round.
func FuzzForm(f *testing.F) {
	f.Add("command", "raffle", "reply", "Hi {user}", "left < 5", "3", "10 min")
	f.Add("stock at", "", "say", "{left", "", "-1", "x")
	f.Fuzz(func(t *testing.T, event, words, do, text, expr, number, span string) {
		a := New(url.Values{
			"name": {"x"}, "event": {event}, "words": {words}, "pattern": {words}, "title": {words}, "every": {span}, "at": {words}, "lines": {number}, "left": {number}, "actions": {"1"},
			"a0_do": {do}, "a0_text": {text}, "a0_amount": {number}, "a0_item": {number}, "a0_for": {span}, "a0_name": {words}, "a0_value": {expr}, "a0_url": {words}, "expr": {expr}, "bought_from": {number}, "chance": {number},
		})
		r, ok := a.Check(book.Options{}, nil)
		if !ok {
			a.First()
			return
		}
		again, ok := New(Of(&r).Values).Check(book.Options{}, nil)
		if !ok || rule.Text(again) != rule.Text(r) {
			t.Fatalf("was\n%s\nis\n%s", rule.Text(r), rule.Text(again))
		}
	})
}

// Whether a store lets us make codes is shown as far as it is known.
func TestNeedsOfTheStore(t *testing.T) {
	need := func(known, has bool) []Need { return []Need{{"Shopify", "write_discounts", known, has}} }
	for name, x := range map[string]struct {
		g    Granted
		want []Need
	}{
		"no store":        {Granted{}, need(true, false)},
		"a store":         {Granted{Store: true}, need(false, false)},
		"it grants it":    {Granted{Store: true, StoreScopes: []string{"read_orders", "write_discounts"}}, need(true, true)},
		"it grants less":  {Granted{Store: true, StoreScopes: []string{"read_orders"}}, need(true, false)},
		"no store is now": {Granted{StoreScopes: []string{"write_discounts"}}, need(true, false)},
	} {
		if got := x.g.needs(rule.DiscountCode); !slices.Equal(got, x.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
