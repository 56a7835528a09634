package ruleform

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hawker/rules/book"
	"hawker/rules/rule"
)

// Check finds all that is wrong with the form's rule among the others, and notes each at its field. It gives the rule and
// whether it can be used.
func (f *Form) Check(o book.Options, others []rule.Rule) (rule.Rule, bool) {
	r := f.Rule()
	for i := range others {
		if strings.EqualFold(others[i].Name, r.Name) {
			f.Note("name", "Another rule is called so. Give each a name of its own.")
		}
	}
	// The checks stop at the first fault. So that all are told at once, they are asked about one part after the other, each
	// beside parts that are sound.
	stop := []rule.Action{{Do: rule.Stop}}
	sound := soundWhen(r.When.Event)
	parts := []rule.Rule{{Name: r.Name, When: sound, Then: stop}, {Name: "x", When: r.When, Then: stop}, {Name: "x", When: sound, AtMost: r.AtMost, Then: stop}}
	plain, expr := r.Only, rule.Only{Expr: r.Only.Expr}
	plain.Expr = ""
	parts = append(parts, rule.Rule{Name: "x", When: sound, Only: plain, Then: stop}, rule.Rule{Name: "x", When: sound, Only: expr, Then: stop})
	for i := range parts {
		f.place(&r, fault1(parts[i], o), -1)
	}
	if len(r.Then) == 0 {
		f.Note("actions", "It does nothing yet. Choose what it is to do.")
	}
	if _, wrong := f.Faults["event"]; !wrong {
		for i, n := 0, 0; i < f.Actions(); i++ {
			if f.Get(Key(i, "do")) == "" {
				continue
			}
			a := r.Then[n]
			n++
			a.If = ""
			cond := rule.Action{Do: rule.Stop, If: f.Trimmed(Key(i, "if"))}
			for _, one := range []rule.Action{a, cond} {
				x := rule.Rule{Name: "x", When: sound, Then: []rule.Action{one}}
				f.place(&x, fault1(x, o), i)
			}
		}
	}
	if len(f.Faults) == 0 { // only all rules together can be too much
		if _, errs := book.Load(append(slices.Clone(others), r), o); len(errs) > 0 {
			for _, e := range errs {
				if e.Rule == len(others) {
					f.place(&r, e, e.Action)
				}
			}
		}
	}
	return r, len(f.Faults) == 0
}

// soundWhen is an event with something that it can be told.
func soundWhen(e rule.Event) rule.When {
	w := rule.When{Event: e}
	switch WhenField(e) {
	case "words":
		w.Words = []string{"hawker_sound"}
	case "pattern":
		w.Pattern = "sound"
	case "every":
		w.Every = time.Hour
	case "at":
		w.At = "20:00"
	case "lines":
		w.Lines = 1
	case "left":
		w.Left = 1
	case "title":
		if e == rule.Webhook {
			w.Title = "sound"
		}
	}
	return w
}

// fault1 is what is wrong with one rule; nil when nothing is.
func fault1(r rule.Rule, o book.Options) *rule.Error {
	_, errs := book.Load([]rule.Rule{r}, o)
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

// place notes a fault at its field. i is the form's action that it is about, -1 for none.
func (f *Form) place(r *rule.Rule, e *rule.Error, i int) {
	if e == nil {
		return
	}
	name := fieldOf(r, e)
	if e.Action >= 0 && i >= 0 {
		name = Key(i, actionField(r, e))
	}
	if _, there := f.Faults[name]; !there {
		msg := e.Msg
		if short, _, ok := strings.Cut(msg, "; there are: "); ok { // they are all listed beside the form
			msg = short + "; all that there are stand under “Facts to name”"
		}
		f.Faults[name] = Fault{Sentence(msg), e.Column}
	}
}

// fieldOf is the field of the form that a fault is about, where it is about no action.
func fieldOf(r *rule.Rule, e *rule.Error) string {
	switch e.Field {
	case "when":
		if w := WhenField(r.When.Event); w != "" {
			return w
		}
		return "event"
	case "then":
		return "actions"
	case "platforms", "roles", "not roles", "days": // one of them each
		return strings.ReplaceAll(strings.TrimSuffix(e.Field, "s"), " ", "_")
	case "expression":
		return "expr"
	case "":
		return "name"
	}
	return strings.ReplaceAll(e.Field, " ", "_")
}

// actionField is the field of an action that a fault is about.
func actionField(r *rule.Rule, e *rule.Error) string {
	if e.Action >= len(r.Then) {
		return "do"
	}
	a := &r.Then[e.Action]
	k, ok := rule.FormOf(a.Do)
	if !ok || !offered(a.Do, r.When.Event) {
		return "do"
	}
	for _, p := range params(k) {
		if e.Field == p.Key() || p == k.Main && e.Field == string(a.Do) {
			return param(p)
		}
	}
	switch e.Field {
	case "after", "if":
		return e.Field
	}
	return "do"
}

// offered reports whether an action can be done when an event happens.
func offered(k rule.ActionKind, e rule.Event) bool {
	switch {
	case (k.ForViewer() || k == rule.Reply) && !e.ByViewer():
		return false
	case k == rule.DeleteLine:
		return e.OfLines()
	case k == rule.FulfilReward || k == rule.RefundReward:
		return e == rule.Redeemed
	case k == rule.ShoutCreator:
		return e == rule.Raided
	}
	return true
}

// Sentence is a message as a sentence of its own.
func Sentence(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if s == "" || unicode.IsUpper(first) {
		return s
	}
	return string(unicode.ToUpper(first)) + s[n:] + "."
}

// Marked is a text with the place of a fault in it.
type Marked struct{ Before, At, After string }

// Mark splits a text at a column; nil where there is none. A fault behind its end is at a blank.
func Mark(text string, column int) *Marked {
	if column <= 0 {
		return nil
	}
	runes := []rune(text)
	i := min(column-1, len(runes))
	m := &Marked{Before: string(runes[:i]), At: "␣"}
	if i < len(runes) {
		m.At, m.After = string(runes[i]), string(runes[i+1:])
		for m.After != "" && word(runes[i]) { // the whole word is easier to see than its first letter
			r, n := utf8.DecodeRuneInString(m.After)
			if !word(r) {
				break
			}
			m.At, m.After = m.At+m.After[:n], m.After[n:]
		}
	}
	return m
}

func word(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// First is the fault that stands first in the form.
func (f *Form) First() (string, Fault) {
	order := func(name string) int {
		switch {
		case name == "name":
			return 0
		case name == "event" || name == WhenField(rule.Event(f.Get("event"))):
			return 1
		case name == "actions":
			return 3
		}
		if i, _, ok := actionKey(name); ok {
			return 4 + i
		}
		return 2
	}
	names := sortedNames(f.Faults)
	slices.SortStableFunc(names, func(a, b string) int { return order(a) - order(b) })
	return names[0], f.Faults[names[0]]
}

// Label is what the form calls a field.
func Label(f *Form, name string) string {
	if i, rest, ok := actionKey(name); ok {
		do := rule.ActionKind(f.Get(Key(i, "do")))
		k, _ := rule.FormOf(do)
		for _, p := range params(k) {
			if param(p) == rest {
				return "Action " + strconv.Itoa(i+1) + ", " + strings.ToLower(paramField(do, p, i).Label)
			}
		}
		return "Action " + strconv.Itoa(i+1)
	}
	fields := f.When()
	for _, s := range append(f.Only(), f.Most()) {
		fields = append(fields, s.Fields...)
	}
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Label
		}
	}
	if name == "name" {
		return "Name"
	}
	return ""
}
