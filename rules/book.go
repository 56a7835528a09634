package rules

import (
	"errors"
	"fmt"
	"strings"
)

// Event names what a rule waits for.
type Event string

// The events of a show that rules can wait for.
const (
	OrderPaid   Event = "order paid"
	HoldMade    Event = "hold made"
	HoldExpired Event = "hold expired"
	Promoted    Event = "promoted"
	SoldOut     Event = "sold out"
	ItemOnAir   Event = "item on air"
	ShowStarted Event = "show started"
	ShowEnded   Event = "show ended"
)

// Events are all events, in the order in which pages list them.
func Events() []Event {
	return []Event{OrderPaid, HoldMade, HoldExpired, Promoted, SoldOut, ItemOnAir, ShowStarted, ShowEnded}
}

// Rule is one sentence of a merchant: when this happens, then do these.
type Rule struct {
	Name string   `json:"name" yaml:"name"`
	When Event    `json:"when" yaml:"when"`
	Then []Action `json:"then" yaml:"then"`
	Off  bool     `json:"off,omitempty" yaml:"off,omitempty"`
}

// Action is one thing a rule does; exactly one of its fields is set. ShoutOut says its text in every chat of the show and
// shows it on the overlay; Say says it in every chat.
type Action struct {
	ShoutOut string `json:"shout-out,omitempty" yaml:"shout-out,omitempty"`
	Say      string `json:"say,omitempty" yaml:"say,omitempty"`
}

// DefaultRules are what a new merchant has; bought is the text of the shout-out in the merchant's language.
func DefaultRules(bought string) []Rule {
	return []Rule{{Name: "Thank buyers", When: OrderPaid, Then: []Action{{ShoutOut: bought}}}}
}

// Effect is something that a rule wants done.
type Effect struct {
	Rule     string // its name
	ShoutOut bool   // on the overlay too
	Text     string
}

// Book is a merchant's rules, compiled. It never changes and may be used by many goroutines at once.
type Book struct {
	byEvent map[Event][]compiled
}

type compiled struct {
	name    string
	actions []compiledAction
}

type compiledAction struct {
	shout bool
	text  *Template
}

// RuleError says which rule is at fault. Rule counts from 0, Action too, and is -1 when the fault is not in an action.
type RuleError struct {
	Rule, Action int
	Name         string
	Err          error
}

func (e *RuleError) Error() string { return fmt.Sprintf("rule %q: %v", e.Name, e.Err) }

// Unwrap gives the fault itself, such as a *TextError.
func (e *RuleError) Unwrap() error { return e.Err }

// maxActions is how much one rule may do; more would flood a chat whose budget is 20 lines in 30 s.
const maxActions = 10

// NewBook compiles rules. Its error is a *RuleError for the first rule that is at fault. Rules that are off are checked all
// the same.
func NewBook(rules []Rule) (*Book, error) {
	b := &Book{byEvent: map[Event][]compiled{}}
	seen := map[string]bool{}
	for i, r := range rules {
		fail := func(action int, err error) (*Book, error) {
			return nil, &RuleError{i, action, r.Name, err}
		}
		known := false
		for _, e := range Events() {
			known = known || e == r.When
		}
		switch {
		case strings.TrimSpace(r.Name) == "":
			return fail(-1, errors.New("it has no name"))
		case seen[r.Name]:
			return fail(-1, errors.New("another rule has this name"))
		case !known:
			return fail(-1, fmt.Errorf("it waits for %q; there are: %s", r.When, eventList()))
		case len(r.Then) == 0:
			return fail(-1, errors.New("it does nothing"))
		case len(r.Then) > maxActions:
			return fail(maxActions, fmt.Errorf("it does more than %d things", maxActions))
		}
		seen[r.Name] = true
		c := compiled{name: r.Name}
		for j, a := range r.Then {
			if (a.ShoutOut == "") == (a.Say == "") {
				return fail(j, errors.New("an action is one of shout-out and say"))
			}
			t, err := ParseTemplate(a.ShoutOut + a.Say)
			if err != nil {
				return fail(j, err)
			}
			c.actions = append(c.actions, compiledAction{a.ShoutOut != "", t})
		}
		if !r.Off {
			b.byEvent[r.When] = append(b.byEvent[r.When], c)
		}
	}
	return b, nil
}

func eventList() string {
	var out []string
	for _, e := range Events() {
		out = append(out, string(e))
	}
	return strings.Join(out, ", ")
}

// Decide is what the rules want done about an event, in the order of the rules. It costs nothing when no rule waits for it.
func (b *Book) Decide(e Event, f *Facts) []Effect {
	var out []Effect
	for _, c := range b.byEvent[e] {
		for _, a := range c.actions {
			out = append(out, Effect{c.name, a.shout, a.text.Expand(f)})
		}
	}
	return out
}
