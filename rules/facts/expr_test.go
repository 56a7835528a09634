package facts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/rules/rule"
)

func sample() *Facts {
	return &Facts{
		Message:  Message{Text: "Is the blue one left?", Word: "raffle", Args: "blue please"},
		Viewer:   Viewer{Viewer: chat.Viewer{Platform: chat.Twitch, ID: "7", Name: "ana"}, Shown: "ana", Roles: chat.Subscriber},
		Person:   Person{Known: true, Orders: 2, Spent: commerce.Money{Minor: 8450, Currency: "EUR"}},
		Show:     Show{ID: 1, Title: "Friday pots", Live: true},
		Item:     Item{Number: 3, Title: "Mug", Variant: "M / Blue", Price: commerce.Money{Minor: 1999, Currency: "EUR"}, Tags: []string{"mug", "ash"}},
		Stock:    Stock{Known: true, Left: 4, Held: 2, Sold: 9},
		Hold:     Hold{Quantity: 2, Place: 4, Minutes: 10},
		Order:    Order{Name: "#1001", Total: commerce.Money{Minor: 3998, Currency: "EUR"}, Quantity: 2},
		Support:  Support{Tier: "1000", Months: 7, Count: 25, Title: "Choose"},
		Counters: map[string]int64{"raffle": 12}, Vars: map[string]string{"host": "Ana"},
		At: time.Date(2026, 11, 27, 20, 15, 0, 0, time.UTC), Chance: 42,
	}
}

func TestConditions(t *testing.T) {
	n := NewNames()
	for _, tt := range []struct {
		event rule.Event
		in    string
		want  bool
	}{
		{rule.OrderPaid, `total > 39.97 and total == 39.98`, true},
		{rule.OrderPaid, `"mug" in tags && n == 3`, true},
		{rule.OrderPaid, `any(tags, # startsWith "a")`, true},
		{rule.OrderPaid, `count(tags, len(#) == 3) == 2`, true},
		{rule.Contains, `text matches "(?i)BLUE"`, true},
		{rule.Contains, `lower(text) contains "is the" and not moderator`, true},
		{rule.Contains, `counters.raffle > 11 and vars.host == "Ana" and vars.other == "" and counters.nothing == 0`, true},
		{rule.Contains, `hour >= 20 and day in ["fri", "sat"] and time == "20:15"`, true},
		{rule.Contains, `first_buyer or orders < 2`, false},
		{rule.Contains, `all(split(text, " "), len(#) < 10)`, true},
		{rule.Contains, `dice(6) <= 6 and chance == 42`, true},
		{rule.Contains, `any(1..100, # == 50)`, true},
		{rule.Subscribed, `months >= 7 ? tier == "1000" : false`, true},
	} {
		x, fault := n.Condition(tt.in, tt.event)
		if fault != nil {
			t.Errorf("%s: %v", tt.in, fault)
			continue
		}
		r := &Runner{Steps: 1000}
		if got, err := r.Run(x, sample(), nil); err != nil || got != tt.want {
			t.Errorf("%s = %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
}

func TestFaultyConditions(t *testing.T) {
	n := NewNames()
	for _, tt := range []struct {
		event rule.Event
		in    string
		col   int
		has   string
	}{
		{rule.Subscribed, `months > 3 and total > 5`, 16, `there is no total when it is "sub"; total is there for: order paid`},
		{rule.Contains, `colour == "red"`, 1, `nothing is called "colour"`},
		{rule.Contains, `left > "three"`, 6, "mismatched types"},
		{rule.Contains, `left + 1`, 1, "true or false"},
		{rule.Contains, `left >`, 6, "unexpected token EOF"},
		{rule.Contains, `1 == 1 and counters > 3`, 12, ""},
		{rule.Contains, `now() != nil`, 1, ""},
		{rule.Contains, `let x = 1; x == 1`, 5, "no let"},
		{rule.Contains, `text matches user`, 14, "a pattern stands there"},
		{rule.Contains, `text matches "((("`, 14, "cannot be read"},
		{rule.Contains, `any(1..2000000, true)`, 6, "more than 10000"},
		{rule.Contains, `reduce(1..9, #acc + #, 0) > 3`, 1, ""},
		{rule.Contains, `tick__()`, 1, ""},
		{rule.Contains, `$env == nil`, 1, ""},
		{rule.Contains, `counters[user] > 1`, 9, ""},
	} {
		_, fault := n.Condition(tt.in, tt.event)
		if fault == nil {
			t.Errorf("%s: no fault", tt.in)
			continue
		}
		if fault.Column != tt.col || !strings.Contains(fault.Msg, tt.has) {
			t.Errorf("%s: %v; want column %d, %q", tt.in, fault, tt.col, tt.has)
		}
	}
}

func TestEndless(t *testing.T) {
	n := NewNames()
	x, fault := n.Condition(`all(1..1000, all(1..1000, all(1..1000, # > 0)))`, rule.Line)
	if fault != nil {
		t.Fatal(fault)
	}
	r := &Runner{Steps: 10_000}
	if v, err := r.Run(x, sample(), nil); !errors.Is(err, ErrSteps) {
		t.Errorf("%v, %v", v, err)
	}
	r.Steps = 10_000
	x, fault = n.Condition(`all(1..1000, text matches "(a|b|c){40}$" or true)`, rule.Contains)
	if fault != nil {
		t.Fatal(fault)
	}
	if v, err := r.Run(x, sample(), nil); !errors.Is(err, ErrSteps) {
		t.Errorf("%v, %v", v, err)
	}
	x, fault = n.Condition(`all(tags, all(tags, all(tags, all(tags, all(tags, true)))))`, rule.Line)
	if fault != nil {
		t.Fatal(fault)
	}
	r = &Runner{Steps: 20}
	if v, err := r.Run(x, sample(), nil); !errors.Is(err, ErrSteps) {
		t.Errorf("%v, %v", v, err)
	}
}
