package book

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/rules"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// maxWords is how many words all rules together may wait for: the automaton is held in memory for every merchant.
const maxWords = 20_000

// Book is a merchant's rules, compiled. It never changes and may be used by many goroutines at once.
type Book struct {
	rules    []compiled
	byID     map[commerce.ID]int32
	byEvent  map[rule.Event][]int32 // but for the events of lines
	commands map[string][]int32
	words    *automaton
	always   []int32 // patterns without a text that must stand in the line
	firsts   []int32
	cheers   []int32
	supers   []int32
	lines    []int32    // all that wait for lines, in order
	needs    facts.Part // of those
	zone     *time.Location
}

// compiled is a rule ready to be decided by.
type compiled struct {
	rule.Rule
	index int32
	need  facts.Part // of conditions and actions

	pattern *regexp.Regexp
	must    mustHave
	cost    int // instructions of the pattern

	platforms        []chat.Platform
	roles, not       roleSet
	bought, spent    bound
	stock, amount    bound
	months           bound
	from, to         int // minutes; -1 is not set
	days             [7]bool
	anyDay           bool
	expr             *facts.Expr
	actions          []action
	mostPer, mostAll string // words of the trace
}

type action struct {
	*rule.Action
	cond  *facts.Expr
	text  *facts.Template
	value *facts.Expr
}

// roleSet is a set of roles.
type roleSet struct {
	any      bool // everybody is in it
	follower bool
	roles    chat.Roles
}

func newRoleSet(list []rule.Role) (s roleSet) {
	for _, r := range list {
		switch r {
		case rule.Viewer:
			s.any = true
		case rule.Follower:
			s.follower = true
		case rule.Subscriber:
			s.roles |= chat.Subscriber
		case rule.VIP:
			s.roles |= chat.VIP
		case rule.Moderator:
			s.roles |= chat.Moderator
		case rule.Owner:
			s.roles |= chat.Owner
		}
	}
	return s
}

func (s *roleSet) has(v *facts.Viewer) bool {
	return s.any || s.follower && v.Follower || v.Roles.Has(s.roles)
}

// bound is a rule.Bound that was read.
type bound struct {
	set         bool
	least, most float64
}

func newBound(b rule.Bound) bound {
	least, most, err := b.Ends()
	if b == "" || err != nil { // checked before
		return bound{}
	}
	return bound{true, least, most}
}

func (b *bound) has(v float64) bool { return v >= b.least && v <= b.most }

// compiler makes a Book of rules.
type compiler struct {
	o     Options
	b     *Book
	names *facts.Names
	words []pattern
	seen  map[string]bool // names of rules
	ids   map[commerce.ID]bool
}

// compile compiles rules, up to the first fault when strict; else faulty rules are left out.
func compile(all []rule.Rule, o Options, strict bool) (*Book, []*rule.Error) {
	b := &Book{byID: map[commerce.ID]int32{}, byEvent: map[rule.Event][]int32{}, commands: map[string][]int32{}, zone: o.Zone}
	if b.zone == nil {
		b.zone = time.UTC
	}
	c := &compiler{o: o, b: b, names: facts.NewNames(), seen: map[string]bool{}, ids: map[commerce.ID]bool{}}
	var errs []*rule.Error
	if len(all) > rule.MaxRules {
		errs = append(errs, &rule.Error{Rule: rule.MaxRules, Action: -1, Msg: fmt.Sprintf("%d rules; at most %d are kept", len(all), rule.MaxRules)})
		if strict {
			return nil, errs
		}
		all = all[:rule.MaxRules]
	}
	for i := range all {
		words := len(c.words)
		r, err := c.rule(&all[i])
		if err != nil {
			err.Rule, err.Name = i, all[i].Name
			errs = append(errs, err)
			if strict {
				return nil, errs
			}
			c.words = c.words[:words]
			continue
		}
		r.index = int32(len(b.rules))
		for k := words; k < len(c.words); k++ {
			c.words[k].rule = r.index
		}
		b.rules = append(b.rules, *r)
	}
	c.index()
	return b, errs
}

func fault(field string, action int, format string, args ...any) *rule.Error {
	return &rule.Error{Rule: -1, Field: field, Action: action, Msg: fmt.Sprintf(format, args...)}
}

// rule compiles one rule; its words are added to those of the book.
func (c *compiler) rule(in *rule.Rule) (*compiled, *rule.Error) {
	if err := rule.Check(in); err != nil {
		return nil, err
	}
	switch {
	case c.seen[in.Name]:
		return nil, fault("name", -1, "another rule has this name")
	case in.ID != 0 && c.ids[in.ID]:
		return nil, fault("", -1, "another rule has its id")
	}
	r := &compiled{Rule: *in, from: -1, to: -1}
	if err := c.when(r); err != nil {
		return nil, err
	}
	if err := c.only(r); err != nil {
		return nil, err
	}
	for i := range r.Then {
		a, err := c.action(r, i)
		if err != nil {
			return nil, err
		}
		r.actions = append(r.actions, a)
	}
	r.mostPer, r.mostAll = mostWords(&r.AtMost)
	c.seen[in.Name] = true
	if in.ID != 0 {
		c.ids[in.ID] = true
	}
	return r, nil
}

func (c *compiler) when(r *compiled) *rule.Error {
	switch w := &r.When; w.Event {
	case rule.Command:
		for i, word := range w.Words {
			o := c.o.Grammar
			o.Custom = []string{word}
			if err := o.Check(); err != nil {
				return fault("when", -1, "%v", err)
			}
			folded := rules.Fold(word)
			for _, other := range w.Words[:i] {
				if rules.Fold(other) == folded {
					return fault("when", -1, "%q and %q are the same command", other, word)
				}
			}
		}
	case rule.Contains:
		for _, word := range w.Words {
			text := wordText(rules.Fold(word))
			if len(text) == 0 {
				return fault("when", -1, "nothing of %q is read: emoji are left out of lines; an expression can ask for them: text contains %q", word, word)
			}
			c.words = append(c.words, pattern{text: text, edges: true})
		}
	case rule.Matches:
		re, size, err := compilePattern(w.Pattern)
		if err != nil {
			return fault("when", -1, "the pattern cannot be read: %v", err)
		}
		r.pattern, r.cost, r.must = re, size, mustHaveOf(w.Pattern)
		for _, l := range literals(w.Pattern) {
			c.words = append(c.words, pattern{text: l})
		}
	}
	if len(c.words) > maxWords {
		return fault("when", -1, "all rules together wait for more than %d words", maxWords)
	}
	return nil
}

func (c *compiler) only(r *compiled) *rule.Error {
	o := &r.Only
	r.platforms, r.roles, r.not = o.Platforms, newRoleSet(o.Roles), newRoleSet(o.NotRoles)
	r.bought, r.spent, r.stock = newBound(o.Bought), newBound(o.Spent), newBound(o.Stock)
	r.amount, r.months = newBound(o.Amount), newBound(o.Months)
	if o.FirstBuyer != "" || r.bought.set || r.spent.set {
		r.need |= facts.OfPerson
	}
	if o.Show != "" || len(o.Items) > 0 || len(o.Tags) > 0 || r.stock.set || r.AtMost.Bounded() {
		r.need |= facts.OfShow
	}
	if m, ok := rule.Clock(o.From); ok {
		r.from = m
	}
	if m, ok := rule.Clock(o.To); ok {
		r.to = m
	}
	r.anyDay = len(o.Days) == 0
	for i, d := range rule.Days() {
		r.days[(i+1)%7] = slices.Contains(o.Days, d) // time.Weekday counts from Sunday
	}
	if o.Expr != "" {
		x, f := c.names.Condition(o.Expr, r.When.Event)
		if f != nil {
			return &rule.Error{Field: "expression", Action: -1, Column: f.Column, Msg: f.Msg}
		}
		r.expr = x
		r.need |= x.Need()
	}
	return nil
}

func (c *compiler) action(r *compiled, i int) (action, *rule.Error) {
	a := action{Action: &r.Then[i]}
	e := r.When.Event
	if a.If != "" {
		x, f := c.names.Condition(a.If, e)
		if f != nil {
			return a, &rule.Error{Field: "if", Action: i, Column: f.Column, Msg: f.Msg}
		}
		a.cond = x
		r.need |= x.Need()
	}
	if a.Text != "" {
		field := "text"
		if form, _ := rule.FormOf(a.Do); form.Main == rule.PText {
			field = string(a.Do)
		}
		t, f := c.names.Parse(a.Text, e, a.Do == rule.DiscountCode)
		if f != nil {
			return a, &rule.Error{Field: field, Action: i, Column: f.Column, Msg: f.Msg}
		}
		if a.Do == rule.DiscountCode && !strings.Contains(a.Text, "{code}") {
			return a, fault(field, i, "the text does not say the code; write {code} where it goes")
		}
		a.text = t
		r.need |= t.Need()
	}
	if a.Value != "" {
		x, f := c.names.Value(a.Value, e)
		if f != nil {
			return a, &rule.Error{Field: "to", Action: i, Column: f.Column, Msg: f.Msg}
		}
		a.value = x
		r.need |= x.Need()
	}
	switch a.Do {
	case rule.Claim, rule.Pass, rule.Promote, rule.Price, rule.Stock, rule.ShoutOut, rule.Card: // about the item where they name none
		r.need |= facts.OfShow
	}
	return a, nil
}

// index makes the ways by which rules are found. A rule that is off is not found by any, but by Input.Try.
func (c *compiler) index() {
	b := c.b
	for i := range b.rules {
		r, n := &b.rules[i], int32(i)
		if r.ID != 0 {
			b.byID[r.ID] = n
		}
		if r.When.Event.OfLines() {
			b.lines = append(b.lines, n)
			if !r.Off {
				b.needs |= r.need
			}
		}
		switch r.When.Event {
		case rule.Command:
			for _, w := range r.When.Words {
				f := rules.Fold(w)
				b.commands[f] = append(b.commands[f], n)
			}
		case rule.Contains:
		case rule.Matches:
			if len(literals(r.When.Pattern)) == 0 {
				b.always = append(b.always, n)
			}
		case rule.FirstLine:
			b.firsts = append(b.firsts, n)
		case rule.Cheered:
			b.cheers = append(b.cheers, n)
		case rule.SuperChat:
			b.supers = append(b.supers, n)
		default:
			b.byEvent[r.When.Event] = append(b.byEvent[r.When.Event], n)
		}
	}
	b.words = newAutomaton(c.words)
}

// Rules are the rules of the book, in order; those of Load without the faulty ones.
func (b *Book) Rules() []rule.Rule {
	out := make([]rule.Rule, len(b.rules))
	for i := range b.rules {
		out[i] = b.rules[i].Rule
	}
	return out
}

// Commands are the words of rules that are on and wait for a command, for rules.Options.Custom.
func (b *Book) Commands() []string {
	var out []string
	for w, list := range b.commands {
		if slices.ContainsFunc(list, func(i int32) bool { return !b.rules[i].Off }) {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return out
}

// Waits reports whether any rule that is on waits for e; rule.Line is any event of lines.
func (b *Book) Waits(e rule.Event) bool {
	list := b.byEvent[e]
	if e == rule.Line {
		list = b.lines
	}
	for _, i := range list {
		if !b.rules[i].Off {
			return true
		}
	}
	if !e.OfLines() {
		return false
	}
	for _, i := range b.lines {
		if b.rules[i].When.Event == e && !b.rules[i].Off {
			return true
		}
	}
	return false
}

// Watch is a rule that waits for a number of lines.
type Watch struct {
	Rule  commerce.ID
	Lines int
}

// AfterLines are the rules that wait for a number of lines, in order.
func (b *Book) AfterLines() []Watch {
	var out []Watch
	for _, i := range b.byEvent[rule.AfterLines] {
		if r := &b.rules[i]; !r.Off {
			out = append(out, Watch{r.ID, r.When.Lines})
		}
	}
	return out
}

// Due are the rules of the clock whose time is after after and not after until, in order; each once, however often its time came.
// Every counts from started, which is when the show went live; with a zero started none of them is due.
func (b *Book) Due(started, after, until time.Time) []commerce.ID {
	if !until.After(after) {
		return nil
	}
	var due []int32
	if !started.IsZero() {
		for _, i := range b.byEvent[rule.Every] {
			r := &b.rules[i]
			if n := until.Sub(started) / r.When.Every; !r.Off && n >= 1 && started.Add(n*r.When.Every).After(after) {
				due = append(due, i)
			}
		}
	}
	for _, i := range b.byEvent[rule.At] {
		r := &b.rules[i]
		m, ok := rule.Clock(r.When.At)
		if r.Off || !ok {
			continue
		}
		day := until.In(b.zone)
		at := time.Date(day.Year(), day.Month(), day.Day(), m/60, m%60, 0, 0, b.zone)
		if at.After(until) {
			at = time.Date(day.Year(), day.Month(), day.Day()-1, m/60, m%60, 0, 0, b.zone)
		}
		if at.After(after) {
			due = append(due, i)
		}
	}
	slices.Sort(due)
	out := make([]commerce.ID, len(due))
	for i, n := range due {
		out[i] = b.rules[n].ID
	}
	return out
}
