package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/plain"
)

// Source is where the fields of a rule stand in a text.
type Source struct {
	at     plain.Pos
	fields map[place]*plain.Node
}

type place struct {
	field  string
	action int
}

// Place is where an Error of the rule is to be told: the field's place, and within its text where the text stands there as it is.
func (s *Source) Place(doc *plain.Document, e *Error) plain.Pos {
	n := s.fields[place{e.Field, e.Action}]
	if n == nil {
		n = s.fields[place{"", e.Action}]
	}
	if n == nil {
		return s.at
	}
	if e.Column > 0 {
		if first, ok := doc.Verbatim(n); ok {
			first.Column += e.Column - 1
			return first
		}
	}
	return n.At
}

// reader reads one rule and collects what is wrong with its form.
type reader struct {
	faults plain.Faults
	src    *Source
}

func (r *reader) fault(at plain.Pos, format string, args ...any) {
	r.faults = append(r.faults, plain.Fault{Pos: at, Msg: fmt.Sprintf(format, args...)})
}

// object reads a node's keys; close reports those that nobody asked for.
type object struct {
	r      *reader
	n      *plain.Node
	what   string
	action int
	known  []string
}

func (r *reader) object(n *plain.Node, what string, action int) *object {
	if n.Kind != plain.Object {
		if n.Kind != plain.Odd {
			r.fault(n.At, "%s is %s here; write keys with values", what, n.Kind)
		}
		return &object{r: r, n: &plain.Node{At: n.At, Kind: plain.Object}, what: what, action: action}
	}
	return &object{r: r, n: n, what: what, action: action}
}

func (o *object) get(key string) *plain.Node {
	o.known = append(o.known, key)
	for i := range o.n.Fields {
		if o.n.Fields[i].Key == key {
			v := o.n.Fields[i].Value
			o.r.src.fields[place{key, o.action}] = v
			return v
		}
	}
	return nil
}

func (o *object) close() {
	for _, f := range o.n.Fields {
		if !slices.Contains(o.known, f.Key) {
			hint := "there are: " + strings.Join(o.known, ", ")
			if near := plain.Nearest(f.Key, o.known); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			o.r.faults = append(o.r.faults, plain.Fault{Pos: f.At, Msg: fmt.Sprintf("%s has no %q", o.what, plain.Cut(f.Key)), Hint: hint})
		}
	}
}

func (r *reader) scalar(n *plain.Node, key string) string {
	if n == nil || n.Kind == plain.Odd {
		return ""
	}
	if n.Kind != plain.Scalar {
		f := plain.Fault{Pos: n.At, Msg: fmt.Sprintf("%s is %s here; write one value, or leave the key out", key, n.Kind)}
		if n.Kind == plain.Object {
			f.Hint = "a text that begins with { stands in quotes"
		}
		r.faults = append(r.faults, f)
		return ""
	}
	if strings.TrimSpace(n.Text) == "" {
		r.fault(n.At, "%s is empty; leave the key out or write something", key)
	}
	return strings.TrimSpace(n.Text)
}

func (o *object) text(key string) string { return o.r.scalar(o.get(key), key) }

func (r *reader) number(n *plain.Node, key string) int {
	s := r.scalar(n, key)
	if s == "" {
		return 0
	}
	i, err := strconv.Atoi(s)
	if err != nil || i < 1 || s != strconv.Itoa(i) {
		r.fault(n.At, "%s is %q; want a whole number from 1 on", key, plain.Cut(s))
		return 0
	}
	return i
}

func (r *reader) span(n *plain.Node, key string) time.Duration {
	s := r.scalar(n, key)
	if s == "" {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		r.fault(n.At, "%s is %q; want a length of time such as 30s, 10m or 24h", key, plain.Cut(s))
		return 0
	}
	return d
}

func (r *reader) flag(n *plain.Node, key string) bool {
	switch s := r.scalar(n, key); s {
	case "true", "yes", "on":
		return true
	case "false", "no", "off", "":
		return false
	default:
		r.fault(n.At, "%s is %q; want yes or no", key, plain.Cut(s))
		return false
	}
}

// texts reads a list of texts; one alone stands for a list of one.
func texts[S ~string](r *reader, n *plain.Node, key string) []S {
	switch {
	case n == nil || n.Kind == plain.Odd:
		return nil
	case n.Kind == plain.Scalar:
		return []S{S(r.scalar(n, key))}
	case n.Kind != plain.List:
		r.fault(n.At, "%s is %s here; write a list", key, n.Kind)
		return nil
	case len(n.Items) == 0:
		r.fault(n.At, "%s is an empty list; leave the key out", key)
	}
	var out []S
	for _, x := range n.Items {
		out = append(out, S(r.scalar(x, key)))
	}
	return out
}

// Read reads a rule from a part of a file, and says where its fields stand. It checks the form only; see Check and book.New.
func Read(n *plain.Node) (Rule, *Source, plain.Faults) {
	r := &reader{src: &Source{n.At, map[place]*plain.Node{}}}
	var out Rule
	o := r.object(n, "a rule", -1)
	if s := o.get("id"); s != nil {
		id, err := commerce.ParseID(r.scalar(s, "id"))
		if err != nil {
			r.fault(s.At, "id: %v", err)
		}
		out.ID = id
	}
	out.Name = o.text("name")
	out.Off = r.flag(o.get("off"), "off")
	if w := o.get("when"); w != nil {
		out.When = r.when(w)
	}
	if c := o.get("only if"); c != nil {
		out.Only = r.only(c)
	}
	if t := o.get("then"); t != nil {
		if t.Kind != plain.List {
			r.fault(t.At, "then is %s here; write a list", t.Kind)
		}
		for i, x := range t.Items {
			r.src.fields[place{"", i}] = x
			out.Then = append(out.Then, r.action(x, i))
		}
	}
	if m := o.get("at most"); m != nil {
		out.AtMost = r.atMost(m)
	}
	for _, key := range []string{"name", "when", "then"} {
		if r.src.fields[place{key, -1}] == nil && n.Kind == plain.Object {
			r.fault(n.At, "a rule needs %s", key)
		}
	}
	o.close()
	return out, r.src, r.faults
}

func (r *reader) when(n *plain.Node) (w When) {
	if n.Kind == plain.Scalar {
		w.Event = Event(r.scalar(n, "when"))
		return w
	}
	if n.Kind != plain.Object || len(n.Fields) != 1 {
		r.fault(n.At, `when is one event, such as order paid, or one with what it needs, such as {command: raffle}`)
		return w
	}
	f := &n.Fields[0]
	w.Event = Event(f.Key)
	r.src.fields[place{"when", -1}] = f.Value
	switch v := f.Value; w.Event {
	case Command, Contains:
		w.Words = texts[string](r, v, f.Key)
	case Matches:
		w.Pattern = r.scalar(v, f.Key)
	case Every:
		w.Every = r.span(v, f.Key)
	case At:
		w.At = r.scalar(v, f.Key)
	case AfterLines:
		w.Lines = r.number(v, f.Key)
	case StockAt:
		w.Left = int64(r.number(v, f.Key))
	case Redeemed, PollEnded, DestinationDown, DestinationUp, Webhook:
		w.Title = r.scalar(v, f.Key)
	default:
		if slices.Contains(Events(), w.Event) {
			r.fault(f.At, "%q stands alone: when: %s", f.Key, f.Key)
		}
	}
	return w
}

func (r *reader) only(n *plain.Node) (c Only) {
	o := r.object(n, "only if", -1)
	defer o.close()
	c.Platforms = texts[chat.Platform](r, o.get("platforms"), "platforms")
	c.Roles = texts[Role](r, o.get("roles"), "roles")
	c.NotRoles = texts[Role](r, o.get("not roles"), "not roles")
	switch s := o.text("first buyer"); s {
	case "true":
		c.FirstBuyer = Yes
	case "false":
		c.FirstBuyer = No
	default:
		c.FirstBuyer = Answer(s)
	}
	c.Bought, c.Spent = Bound(o.text("bought")), Bound(o.text("spent"))
	c.Show = ShowState(o.text("show"))
	if items := o.get("items"); items != nil && items.Kind == plain.List {
		for _, x := range items.Items {
			c.Items = append(c.Items, r.number(x, "items"))
		}
	} else if items != nil {
		c.Items = []int{r.number(items, "items")}
	}
	c.Tags = texts[string](r, o.get("tags"), "tags")
	c.Stock, c.Amount, c.Months = Bound(o.text("stock")), Bound(o.text("amount")), Bound(o.text("months"))
	c.From, c.To = o.text("from"), o.text("to")
	c.Days = texts[Day](r, o.get("days"), "days")
	c.Chance = r.number(o.get("chance"), "chance")
	c.Expr = o.text("expression")
	return c
}

func (r *reader) atMost(n *plain.Node) (a AtMost) {
	o := r.object(n, "at most", -1)
	defer o.close()
	for _, c := range a.counts() {
		*c.n = r.number(o.get(c.key), c.key)
	}
	for _, d := range a.cooldowns() {
		*d.d = r.span(o.get(d.key), d.key)
	}
	return a
}

// action reads an action: the key that is a kind says which it is.
func (r *reader) action(n *plain.Node, i int) (a Action) {
	o := r.object(n, "an action", i)
	defer o.close()
	var f Form
	for _, x := range o.n.Fields {
		form, ok := FormOf(ActionKind(x.Key))
		switch {
		case !ok:
		case a.Do != "":
			r.fault(x.At, "an action is one thing; %q and %q make two", a.Do, x.Key)
			o.get(x.Key)
		default:
			a.Do, f = ActionKind(x.Key), form
		}
	}
	if a.Do == "" {
		if n.Kind == plain.Object {
			if len(n.Fields) == 0 {
				r.fault(n.At, "an action says what to do; there are: %s", quoteList(ActionKinds()))
			} else {
				r.fault(n.Fields[0].At, "%s", nothing(n.Fields[0].Key, ActionKinds()))
			}
		}
		o.n = &plain.Node{}
		return a
	}
	main := o.get(string(a.Do))
	if f.Main == 0 {
		if main.Kind != plain.Scalar || !r.flag(main, string(a.Do)) {
			r.fault(main.At, "write %s: yes", a.Do)
		}
	} else {
		r.param(&a, f.Main, main, string(a.Do))
	}
	for _, p := range slices.Concat(f.Must, f.Extra) {
		if v := o.get(p.Key()); v != nil {
			r.param(&a, p, v, p.Key())
		}
	}
	if v := o.get("after"); v != nil {
		a.After = r.span(v, "after")
	}
	a.If = o.text("if")
	return a
}

func (r *reader) param(a *Action, p Param, n *plain.Node, key string) {
	switch p {
	case PText:
		a.Text = r.scalar(n, key)
	case PChannels:
		a.Channels = texts[string](r, n, key)
	case PItem:
		if n.Kind != plain.Scalar || n.Text != onAir {
			a.Item = r.number(n, key)
		}
	case PQuantity:
		a.Quantity = r.number(n, key)
	case PAmount:
		a.Amount = r.scalar(n, key)
	case PFor:
		a.For = r.span(n, key)
	case PName:
		a.Name = r.scalar(n, key)
	case PValue:
		a.Value = r.scalar(n, key)
	case PURL:
		a.URL = r.scalar(n, key)
	case POn:
		a.On = r.flag(n, key)
	case PPicture:
		a.Picture = r.scalar(n, key)
	case PSound:
		a.Sound = r.scalar(n, key)
	}
}
