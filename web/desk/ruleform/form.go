// Package ruleform is the form in which a merchant writes a rule: what it asks for an event and its actions, reading what was
// typed as a rule, writing a rule as a form, and telling at each field what is wrong with it. It is pure: it renders nothing.
package ruleform

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/internal/chat"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// Form is the form of a rule as it was typed. What does not belong to the event or the action that is chosen is kept, so that
// choosing another one and coming back loses nothing, but is no part of the rule.
type Form struct {
	url.Values
	Faults map[string]Fault // by the field's name
}

// New is a form with what was typed; nil is nothing.
func New(typed url.Values) *Form {
	if typed == nil {
		typed = url.Values{}
	}
	return &Form{typed, map[string]Fault{}}
}

// Fault is what is wrong with a field. Column counts code points from 1; 0 is nowhere in it.
type Fault struct {
	Msg    string
	Column int
}

// Note notes what is wrong with a field; the first word counts.
func (f *Form) Note(name, format string, args ...any) {
	if _, there := f.Faults[name]; !there {
		f.Faults[name] = Fault{Msg: fmt.Sprintf(format, args...)}
	}
}

// Trimmed is a field without blanks around it.
func (f *Form) Trimmed(name string) string { return strings.TrimSpace(f.Get(name)) }

// Number reads a number; empty is 0.
func (f *Form) Number(name string) int {
	s := f.Trimmed(name)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || len(s) > 9 {
		f.Note(name, "A number is written in digits, such as 3.")
		return 0
	}
	return n
}

// Actions is how many actions the form has.
func (f *Form) Actions() int {
	n, err := strconv.Atoi(f.Get("actions"))
	if err != nil {
		return 0
	}
	return max(0, min(n, rule.MaxActions))
}

// Key is the name of a field of an action.
func Key(i int, name string) string { return "a" + strconv.Itoa(i) + "_" + name }

// param is the name of a parameter's field.
func param(p rule.Param) string {
	return [...]string{"", "text", "in", "item", "quantity", "amount", "for", "name", "value", "url", "on", "picture", "sound"}[p]
}

// spanFields are the fields of At most that are times, and countFields those that are numbers.
func spanFields(a *rule.AtMost) []struct {
	name string
	d    *time.Duration
} {
	return []struct {
		name string
		d    *time.Duration
	}{{"person_cooldown", &a.PersonCooldown}, {"channel_cooldown", &a.ChannelCooldown}, {"cooldown", &a.ShowCooldown}}
}

func countFields(a *rule.AtMost) []struct {
	name string
	n    *int
} {
	return []struct {
		name string
		n    *int
	}{{"per_person", &a.PerPerson}, {"per_channel", &a.PerChannel}, {"per_show", &a.PerShow}}
}

// boundFields are the fields of conditions that have two ends.
func boundFields(o *rule.Only) []struct {
	name string
	b    *rule.Bound
} {
	return []struct {
		name string
		b    *rule.Bound
	}{{"bought", &o.Bought}, {"spent", &o.Spent}, {"stock", &o.Stock}, {"amount", &o.Amount}, {"months", &o.Months}}
}

// Of is the form of a rule as it is.
func Of(r *rule.Rule) *Form {
	f := New(nil)
	put := func(name string, values ...string) {
		if len(values) > 0 && values[0] != "" {
			f.Values[name] = values
		}
	}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	w, o := &r.When, &r.Only
	put("name", r.Name)
	put("off", map[bool]string{true: "1"}[r.Off])
	put("event", string(w.Event))
	put("words", strings.Join(w.Words, "\n"))
	put("pattern", w.Pattern)
	put("every", SpanText(w.Every))
	put("at", w.At)
	put("lines", number(w.Lines))
	put("left", number(int(w.Left)))
	put("title", w.Title)
	put("platform", Texts(o.Platforms)...)
	put("role", Texts(o.Roles)...)
	put("not_role", Texts(o.NotRoles)...)
	put("first_buyer", string(o.FirstBuyer))
	for _, b := range boundFields(o) {
		from, to := ends(*b.b)
		put(b.name+"_from", from)
		put(b.name+"_to", to)
	}
	put("show", string(o.Show))
	items := make([]string, len(o.Items))
	for i, n := range o.Items {
		items[i] = strconv.Itoa(n)
	}
	put("items", strings.Join(items, ", "))
	put("tags", strings.Join(o.Tags, "\n"))
	put("from", o.From)
	put("to", o.To)
	put("day", Texts(o.Days)...)
	put("chance", number(o.Chance))
	put("expr", o.Expr)
	for _, c := range countFields(&r.AtMost) {
		put(c.name, number(*c.n))
	}
	for _, c := range spanFields(&r.AtMost) {
		put(c.name, SpanText(*c.d))
	}
	f.Set("actions", strconv.Itoa(len(r.Then)))
	for i := range r.Then {
		a := &r.Then[i]
		put(Key(i, "do"), string(a.Do))
		put(Key(i, "after"), SpanText(a.After))
		put(Key(i, "if"), a.If)
		put(Key(i, "text"), a.Text)
		put(Key(i, "in"), a.Channels...)
		put(Key(i, "item"), number(a.Item))
		put(Key(i, "quantity"), number(a.Quantity))
		put(Key(i, "amount"), a.Amount)
		put(Key(i, "for"), SpanText(a.For))
		put(Key(i, "name"), a.Name)
		put(Key(i, "value"), a.Value)
		put(Key(i, "url"), a.URL)
		put(Key(i, "on"), map[bool]string{true: "1", false: "0"}[a.On])
		put(Key(i, "picture"), a.Picture)
		put(Key(i, "sound"), a.Sound)
	}
	return f
}

// Texts are words of a kind as plain texts.
func Texts[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

func named[S ~string](in []string) []S {
	var out []S
	for _, s := range in {
		if s != "" && !slices.Contains(out, S(s)) {
			out = append(out, S(s))
		}
	}
	return out
}

// Rule is the rule that the form says; what cannot be read is told in f.wrong and left empty in the rule.
func (f *Form) Rule() rule.Rule {
	r := rule.Rule{Name: f.Trimmed("name"), Off: f.Get("off") != ""}
	e := rule.Event(f.Get("event"))
	f.readWhen(&r, e)
	f.readOnly(&r.Only, e)
	for i := range f.Actions() {
		if f.Get(Key(i, "do")) != "" {
			r.Then = append(r.Then, f.readAction(i))
		}
	}
	for _, c := range countFields(&r.AtMost) {
		if takes(e, c.name) {
			*c.n = f.Number(c.name)
		}
	}
	for _, c := range spanFields(&r.AtMost) {
		if takes(e, c.name) {
			*c.d = f.Span(c.name)
		}
	}
	return r
}

// Span reads how long something lasts; empty is 0.
func (f *Form) Span(name string) time.Duration {
	d, wrong := Span(f.Get(name))
	if wrong != "" {
		f.Note(name, "%s", wrong)
	}
	return d
}

func (f *Form) readWhen(r *rule.Rule, e rule.Event) {
	w := &r.When
	w.Event = e
	switch WhenField(e) {
	case "words":
		w.Words = Lines(f.Get("words"))
		if e == rule.Command {
			w.Words = List(f.Get("words"))
			for i, word := range w.Words { // people write the sign, too
				w.Words[i] = strings.TrimPrefix(word, "!")
			}
		}
	case "pattern":
		w.Pattern = f.Trimmed("pattern")
	case "every":
		w.Every = f.Span("every")
	case "at":
		w.At = f.Trimmed("at")
	case "lines":
		w.Lines = f.Number("lines")
	case "left":
		w.Left = int64(f.Number("left"))
	case "title":
		w.Title = f.Trimmed("title")
	}
}

// WhenField is the field that an event has beside itself; empty for most.
func WhenField(e rule.Event) string {
	switch e {
	case rule.Command, rule.Contains:
		return "words"
	case rule.Matches:
		return "pattern"
	case rule.Every:
		return "every"
	case rule.At:
		return "at"
	case rule.AfterLines:
		return "lines"
	case rule.StockAt:
		return "left"
	case rule.Redeemed, rule.PollEnded, rule.DestinationDown, rule.DestinationUp, rule.Webhook:
		return "title"
	}
	return ""
}

// factOf is the fact that a condition is about; where it is not there when e happens the condition has no sense.
func factOf(name string) string {
	switch name {
	case "role", "not_role":
		return "role"
	case "first_buyer":
		return "first_buyer"
	case "bought":
		return "orders"
	case "spent":
		return "spent"
	case "amount":
		return "amount"
	case "months", "per_person", "person_cooldown":
		return "user"
	}
	return ""
}

// takes reports whether a condition or bound has sense for an event.
func takes(e rule.Event, name string) bool {
	need := factOf(name)
	if need == "" {
		return true
	}
	for _, f := range facts.List() {
		if f.Name == need {
			return f.In(e)
		}
	}
	return false
}

func (f *Form) readOnly(o *rule.Only, e rule.Event) {
	o.Platforms = named[chat.Platform](f.Values["platform"])
	if takes(e, "role") {
		o.Roles, o.NotRoles = named[rule.Role](f.Values["role"]), named[rule.Role](f.Values["not_role"])
		o.FirstBuyer = rule.Answer(f.Get("first_buyer"))
	}
	for _, b := range boundFields(o) {
		if takes(e, b.name) {
			*b.b = bound(f.Get(b.name+"_from"), f.Get(b.name+"_to"))
		}
	}
	o.Show = rule.ShowState(f.Get("show"))
	for _, s := range List(f.Get("items")) {
		n, err := strconv.Atoi(strings.TrimPrefix(s, "#"))
		if err != nil {
			f.Note("items", "Items are numbers with commas between them, such as 3, 12.")
			continue
		}
		o.Items = append(o.Items, n)
	}
	o.Tags = Lines(f.Get("tags"))
	o.From, o.To = f.Trimmed("from"), f.Trimmed("to")
	o.Days = named[rule.Day](f.Values["day"])
	o.Chance = f.Number("chance")
	o.Expr = f.Trimmed("expr")
}

// readAction is an action with what its kind has.
func (f *Form) readAction(i int) rule.Action {
	a := rule.Action{Do: rule.ActionKind(f.Get(Key(i, "do"))), After: f.Span(Key(i, "after")), If: f.Trimmed(Key(i, "if"))}
	k, ok := rule.FormOf(a.Do)
	if !ok {
		return a
	}
	for _, p := range params(k) {
		name := Key(i, param(p))
		switch p {
		case rule.PText:
			a.Text = strings.Join(Lines(f.Get(name)), " ") // a line break in the box is a blank in a chat
		case rule.PChannels:
			a.Channels = named[string](f.Values[name])
		case rule.PItem:
			a.Item = f.Number(name)
		case rule.PQuantity:
			a.Quantity = f.Number(name)
		case rule.PAmount:
			a.Amount = strings.ReplaceAll(Decimal(f.Get(name)), " ", "")
		case rule.PFor:
			a.For = f.Span(name)
		case rule.PName:
			a.Name = f.Trimmed(name)
		case rule.PValue:
			a.Value = f.Trimmed(name)
		case rule.PURL:
			a.URL = f.Trimmed(name)
		case rule.POn:
			a.On = f.Get(name) != "0"
		case rule.PPicture:
			a.Picture = f.Trimmed(name)
		case rule.PSound:
			a.Sound = f.Trimmed(name)
		}
	}
	return a
}

// params are all parameters of a kind of action, in the order of the form.
func params(k rule.Form) []rule.Param {
	var out []rule.Param
	if k.Main != 0 {
		out = append(out, k.Main)
	}
	return append(append(out, k.Must...), k.Extra...)
}

// Move changes the order of actions, or takes one out: to is where each of the actions that stay was.
func (f *Form) Move(to []int) {
	old := url.Values{}
	for name, values := range f.Values {
		if i, _, ok := actionKey(name); ok && i >= 0 {
			old[name] = values
			delete(f.Values, name)
		}
	}
	for now, was := range to {
		for name, values := range old {
			if i, rest, _ := actionKey(name); i == was {
				f.Values[Key(now, rest)] = values
			}
		}
	}
	f.Set("actions", strconv.Itoa(len(to)))
}

// actionKey splits the name of a field of an action.
func actionKey(name string) (i int, rest string, ok bool) {
	number, rest, ok := strings.Cut(strings.TrimPrefix(name, "a"), "_")
	if !ok || !strings.HasPrefix(name, "a") {
		return 0, "", false
	}
	i, err := strconv.Atoi(number)
	return i, rest, err == nil
}
