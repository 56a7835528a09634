package ruleform

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"hawker/internal/sqldb"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// Field is one thing that the form asks.
type Field struct {
	Kind              string // text, area, code, time, select, checks, bound, hidden
	Name, Label, Hint string
	Value, High       string // High is the second of a bound
	Options           []Option
	Values            []string // of a hidden one
	Mode              string   // the keyboard that phones show
	Placeholder       string
	Facts             string // text or expression: what a click on a fact inserts
	Shapes            string // what the form asks follows from it: the address that tells how
	Wrong             string
	Marked            *Marked
}

// ID is the field's id; a form has each name once.
func (f *Field) ID() string { return "f-" + f.Name }

// Described are the ids of what describes the field.
func (f *Field) Described() string {
	s := ""
	if f.Hint != "" {
		s = f.ID() + "-hint"
	}
	if f.Wrong != "" {
		s += " " + f.ID() + "-wrong"
	}
	return s
}

// OptionGroup are options that stand together, under a title or none.
type OptionGroup struct {
	Title   string
	Options []Option
}

// Groups are the options by the groups that they are in.
func (f *Field) Groups() []OptionGroup {
	var out []OptionGroup
	for _, o := range f.Options {
		if o.Group != "" || len(out) == 0 {
			out = append(out, OptionGroup{Title: o.Group})
		}
		out[len(out)-1].Options = append(out[len(out)-1].Options, o)
	}
	return out
}

// Option is one of what can be chosen.
type Option struct {
	Value, Text string
	On          bool
	Group       string // set on the first of a group
}

// Section is a part of the form.
type Section struct {
	ID, Title, About string
	Fields           []Field
	Open             bool // something in it is set or wrong
}

// Field fills in what was typed and what is wrong with it.
func (f *Form) Field(x Field) Field {
	switch x.Kind {
	case "checks", "select":
		for i := range x.Options {
			for _, v := range f.Values[x.Name] {
				x.Options[i].On = x.Options[i].On || v == x.Options[i].Value
			}
		}
	case "bound":
		x.Value, x.High = f.Get(x.Name+"_from"), f.Get(x.Name+"_to")
	default:
		x.Value = f.Get(x.Name)
	}
	if w, ok := f.Faults[x.Name]; ok {
		x.Wrong, x.Marked = w.Msg, Mark(f.Trimmed(x.Name), w.Column)
	}
	return x
}

// set reports whether any of the fields has a value or a fault.
func (f *Form) set(fields []Field) bool {
	for i := range fields {
		x := &fields[i]
		if x.Wrong != "" || f.Get(x.Name) != "" || f.Get(x.Name+"_from") != "" || f.Get(x.Name+"_to") != "" {
			return true
		}
	}
	return false
}

// When are the event and what it needs to be told.
func (f *Form) When() []Field {
	var events []Option
	for _, g := range Groups() {
		for i, e := range g.Events {
			o := Option{Value: string(e), Text: EventWords(e)}
			if i == 0 {
				o.Group = g.Title
			}
			events = append(events, o)
		}
	}
	out := []Field{f.Field(Field{Kind: "select", Name: "event", Label: "What it waits for", Options: events, Shapes: "/rules/draft"})}
	e := rule.Event(f.Get("event"))
	add := func(x Field) { out = append(out, f.Field(x)) }
	switch e {
	case rule.Command:
		add(Field{Kind: "text", Name: "words", Label: "Command", Hint: "Without the sign, for example raffle. Other words for it behind commas.", Placeholder: "raffle"})
	case rule.Contains:
		add(Field{Kind: "area", Name: "words", Label: "Words", Hint: "One word or phrase on each line; any of them will do. Capitals and accents do not matter."})
	case rule.Matches:
		add(Field{Kind: "code", Name: "pattern", Label: "Pattern", Hint: `A regular expression (RE2). Lines are read in small letters. For example \bgift ?card\b finds “gift card” and “giftcard”.`})
	case rule.Every:
		add(Field{Kind: "text", Name: "every", Label: "How often", Hint: "While a show is live, from 1 min to 24 h: 20 min, 2 h.", Placeholder: "20 min"})
	case rule.At:
		add(Field{Kind: "time", Name: "at", Label: "Time of day", Hint: "By the shop's own clock, while a show is live."})
	case rule.AfterLines:
		add(Field{Kind: "text", Name: "lines", Label: "Lines", Hint: "Written by people in one channel.", Mode: "numeric", Placeholder: "100"})
	case rule.StockAt:
		add(Field{Kind: "text", Name: "left", Label: "Pieces left", Hint: "When an item's free pieces go down to this many or fewer.", Mode: "numeric", Placeholder: "3"})
	case rule.Redeemed:
		add(Field{Kind: "text", Name: "title", Label: "Reward", Hint: "Its name on Twitch. Empty: any reward."})
	case rule.PollEnded:
		add(Field{Kind: "text", Name: "title", Label: "Poll", Hint: "Its question. Empty: any poll."})
	case rule.DestinationDown, rule.DestinationUp:
		add(Field{Kind: "text", Name: "title", Label: "Destination", Hint: "Its name. Empty: any destination."})
	case rule.Webhook:
		add(Field{Kind: "text", Name: "title", Label: "Webhook", Hint: "Its name in small letters, such as restocked. Its address is made under “Webhooks”.", Placeholder: "restocked"})
	}
	return out
}

func boundField(name, label, hint string) Field {
	return Field{Kind: "bound", Name: name, Label: label, Hint: hint, Mode: "decimal"}
}

// PlatformOptions are the platforms to choose from.
func PlatformOptions() []Option {
	var out []Option
	for _, p := range Platforms() {
		out = append(out, Option{Value: string(p), Text: p.Title()})
	}
	return out
}

// RoleOptions are the roles to choose from, but for the first so many.
func RoleOptions(from int) []Option {
	var out []Option
	for _, r := range rule.Roles()[from:] {
		out = append(out, Option{Value: string(r), Text: roleWords(r)})
	}
	return out
}

func dayOptions() []Option {
	names := [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	var out []Option
	for i, d := range rule.Days() {
		out = append(out, Option{Value: string(d), Text: names[i]})
	}
	return out
}

// Only are the conditions that have sense for the event.
func (f *Form) Only() []Section {
	e := rule.Event(f.Get("event"))
	all := []Section{
		{ID: "who", Title: "Who it is", Fields: []Field{
			{Kind: "checks", Name: "platform", Label: "On", Hint: "None chosen: everywhere.", Options: PlatformOptions()},
			{Kind: "checks", Name: "role", Label: "Is any of", Hint: "None chosen: everybody. A moderator is not a subscriber by that.", Options: RoleOptions(1)},
			{Kind: "checks", Name: "not_role", Label: "Is none of", Options: RoleOptions(1)},
			{Kind: "select", Name: "first_buyer", Label: "Bought here before", Options: []Option{{Value: "", Text: "does not matter"}, {Value: "yes", Text: "never bought here before"}, {Value: "no", Text: "bought here before"}}},
			boundField("bought", "Orders paid before", ""),
			boundField("spent", "Spent here before", "In the shop's currency."),
			boundField("months", "Months of subscription", "Known only when a subscription is told of."),
		}},
		{ID: "what", Title: "What it is about", Fields: []Field{
			{Kind: "select", Name: "show", Label: "The show", Options: []Option{
				{Value: "", Text: "does not matter"},
				{Value: string(rule.ShowLive), Text: "is live"},
				{Value: string(rule.ShowPaused), Text: "is paused"},
				{Value: string(rule.ShowHot), Text: "is marked hot"},
				{Value: string(rule.ShowNone), Text: "no show is live"},
			}},
			{Kind: "text", Name: "items", Label: "Items", Hint: "Numbers with commas between: 3, 12. Where it is about no item, the one on air counts.", Placeholder: "any"},
			{Kind: "area", Name: "tags", Label: "Tags of the item", Hint: "As in the store, one on each line; any of them will do."},
			boundField("stock", "Free pieces of the item", ""),
			boundField("amount", "The amount", amountHint(e)),
		}},
		{ID: "time", Title: "When it is", Fields: []Field{
			{Kind: "time", Name: "from", Label: "From"},
			{Kind: "time", Name: "to", Label: "Until", Hint: "By the shop's clock; an earlier time is of the next day."},
			{Kind: "checks", Name: "day", Label: "Days", Hint: "None chosen: every day.", Options: dayOptions()},
			{Kind: "text", Name: "chance", Label: "Chance in 100", Hint: "Empty: always. 25 lets it fire a quarter of the time.", Mode: "numeric", Placeholder: "always"},
		}},
		{ID: "expr", Title: "An expression holds", Fields: []Field{
			{Kind: "code", Name: "expr", Label: "Expression", Hint: `True or false, over the facts listed on this page. For example left < 5 && !first_buyer`, Facts: "expr"},
		}},
	}
	for i := range all {
		s := &all[i]
		var fields []Field
		for _, x := range s.Fields {
			if takes(e, x.Name) {
				fields = append(fields, f.Field(x))
			}
		}
		s.Fields = fields
		s.Open = f.set(fields)
	}
	return all
}

func amountHint(e rule.Event) string {
	switch e {
	case rule.Cheered:
		return "Bits."
	case rule.SuperChat:
		return "Money, in the viewer's currency."
	case rule.Gifted:
		return "Subscriptions given."
	case rule.Raided:
		return "Viewers that came."
	}
	return "The order's total."
}

// Most are the bounds of At most.
func (f *Form) Most() Section {
	e := rule.Event(f.Get("event"))
	s := Section{ID: "most", Title: "At most", About: "How often it may fire. Counts hold for one show and survive a restart."}
	for _, x := range []Field{
		{Kind: "text", Name: "per_person", Label: "Times for one person", Mode: "numeric", Placeholder: "no limit"},
		{Kind: "text", Name: "per_channel", Label: "Times in one channel", Mode: "numeric", Placeholder: "no limit"},
		{Kind: "text", Name: "per_show", Label: "Times in a show", Mode: "numeric", Placeholder: "no limit"},
		{Kind: "text", Name: "person_cooldown", Label: "Not again for one person within", Hint: "30 s, 10 min, 2 h.", Placeholder: "no wait"},
		{Kind: "text", Name: "channel_cooldown", Label: "Not again in one channel within", Placeholder: "no wait"},
		{Kind: "text", Name: "cooldown", Label: "Not again within", Placeholder: "no wait"},
	} {
		if takes(e, x.Name) {
			s.Fields = append(s.Fields, f.Field(x))
		}
	}
	s.Open = f.set(s.Fields)
	return s
}

// Action is an action in the form.
type Action struct {
	Index, Number, Last int
	Kind                Field
	Fields              []Field
	More                Section // delay and condition
	Needs               []Need
	Limits              string
	Title               string // for screen readers
}

// ActionForms are the actions in the form.
func (f *Form) ActionForms(g *Granted, channels []sqldb.Channel) []Action {
	e := rule.Event(f.Get("event"))
	n := f.Actions()
	var out []Action
	for i := range n {
		do := rule.ActionKind(f.Get(Key(i, "do")))
		a := Action{Index: i, Number: i + 1, Last: n - 1, Title: "action " + strconv.Itoa(i+1)}
		a.Kind = f.Field(Field{Kind: "select", Name: Key(i, "do"), Label: "What it does", Options: kindOptions(e, do), Shapes: "/rules/draft"})
		k, _ := rule.FormOf(do)
		for _, p := range params(k) {
			x := paramField(do, p, i)
			if p == rule.PChannels {
				x.Options = channelOptions(f.Values[x.Name], channels)
			}
			a.Fields = append(a.Fields, f.Field(x))
		}
		if do != "" && do != rule.Stop {
			a.More.Fields = append(a.More.Fields, f.Field(Field{Kind: "text", Name: Key(i, "after"), Label: "After a delay of", Hint: "At most 1 h.", Placeholder: "at once"}))
		}
		if do != "" {
			a.More.Fields = append(a.More.Fields, f.Field(Field{Kind: "code", Name: Key(i, "if"), Label: "Only this action if", Hint: "An expression; the other actions are done all the same.", Facts: "expr"}))
		}
		a.More.ID, a.More.Title, a.More.Open = Key(i, "more"), "Delay or condition", f.set(a.More.Fields)
		a.Needs, a.Limits = g.needs(do), limits(do)
		out = append(out, a)
	}
	return out
}

// kindOptions are the actions that can be done when e happens; the one that is chosen stays, with its fault.
func kindOptions(e rule.Event, chosen rule.ActionKind) []Option {
	out := []Option{{Value: "", Text: "choose …"}}
	for _, g := range actionGroups() {
		first := true
		for _, k := range g.Kinds {
			if !offered(k, e) && k != chosen {
				continue
			}
			o := Option{Value: string(k), Text: kindWords(k)}
			if first {
				o.Group, first = g.Title, false
			}
			out = append(out, o)
		}
	}
	return out
}

// channelOptions are where something can be said: all of a platform, or one channel. What is chosen stays, though it is there no more.
func channelOptions(chosen []string, channels []sqldb.Channel) []Option {
	out := PlatformOptions()
	known := map[string]bool{}
	for _, o := range out {
		known[o.Value] = true
	}
	for _, c := range channels {
		name := c.Name
		if name == "" {
			name = c.ID
		}
		out = append(out, Option{Value: c.String(), Text: name + " (" + c.Platform.Title() + ")"})
		known[c.String()] = true
	}
	for _, s := range chosen {
		if !known[s] {
			out = append(out, Option{Value: s, Text: s})
		}
	}
	return out
}

// paramField is the field of a parameter of an action.
func paramField(do rule.ActionKind, p rule.Param, i int) Field {
	x := Field{Kind: "text", Name: Key(i, param(p))}
	switch p {
	case rule.PText:
		x.Kind, x.Facts, x.Label, x.Hint = "area", "text", "Text", "Facts stand in braces, such as {user}."
		switch do {
		case rule.DiscountCode:
			x.Label, x.Hint = "What the viewer is told", "{code} stands for the code."
		case rule.TimeOut:
			x.Label, x.Hint = "Reason", "May stay empty."
		case rule.Call:
			x.Label, x.Hint = "Text", "Sent along with the facts. May stay empty."
		case rule.Question:
			x.Label = "Question"
		}
	case rule.PChannels:
		x.Kind, x.Label, x.Hint = "checks", "In", "None chosen: in all channels of the show."
	case rule.PItem:
		x.Label, x.Hint, x.Mode, x.Placeholder = "Item", "Its number. Empty: the item that it is about, else the one on air.", "numeric", "the item"
		if do == rule.Air {
			x.Hint, x.Placeholder = "Its number.", "3"
		}
	case rule.PQuantity:
		x.Label, x.Mode, x.Placeholder = "Pieces", "numeric", "1"
	case rule.PAmount:
		switch do {
		case rule.Price:
			x.Label, x.Hint, x.Mode = "New price", "In the shop's currency, for example 19.90.", "decimal"
		case rule.Stock:
			x.Label, x.Hint = "Pieces", "+5 or -2 to change it, 5 to set it."
		default:
			x.Label, x.Hint = "Discount", "10% or 5.00 in the shop's currency."
		}
	case rule.PFor:
		x.Label, x.Hint, x.Placeholder = "For", "30 s, 10 min, 2 h, 3 days.", map[rule.ActionKind]string{rule.DiscountCode: "without end", rule.Hot: "until it is unmarked", rule.Card: "as usual"}[do]
	case rule.PName:
		x.Label = "Name"
		switch do {
		case rule.DiscountCode:
			x.Label, x.Hint, x.Placeholder = "The code begins with", "Letters and digits.", "the viewer's name"
		case rule.GiveRole, rule.TakeRole:
			x.Label, x.Hint = "Role", "Its name in Discord."
		case rule.DestinationOn, rule.DestinationOff:
			x.Label, x.Hint = "Destination", "Its name in the show's video."
		case rule.Set:
			x.Label, x.Hint = "Counter or variable", "Small letters, digits and _, such as raffle_entries."
		}
	case rule.PValue:
		x.Kind, x.Facts, x.Label, x.Hint = "code", "expr", "Becomes", "An expression: a number for a counter, a text for a variable. For example counters.raffle_entries + 1"
	default:
		paramElse(&x, do, p)
	}
	return x
}

func paramElse(x *Field, do rule.ActionKind, p rule.Param) {
	switch p {
	case rule.PURL:
		x.Label, x.Hint, x.Mode, x.Placeholder = "Address", "Begins with https://. Who may not change rules does not see it.", "url", "https://"
	case rule.POn:
		x.Kind, x.Label, x.Options = "select", "Mark", []Option{{Value: "1", Text: "on"}, {Value: "0", Text: "off"}}
		if do == rule.Slate {
			x.Label, x.Options = "Slate", []Option{{Value: "1", Text: "show it"}, {Value: "0", Text: "take it away"}}
		}
	case rule.PPicture:
		x.Label, x.Hint, x.Mode, x.Placeholder = "Picture", "An https address. Empty: the item's picture.", "url", "the item's picture"
	case rule.PSound:
		x.Label, x.Hint, x.Mode, x.Placeholder = "Sound", "An https address.", "url", "none"
	}
}

// Hidden are the fields that were typed and are not shown for what is chosen now.
func (f *Form) Hidden(shown map[string]bool) []Field {
	var out []Field
	for _, name := range sortedNames(f.Values) {
		base := name
		if i, rest, ok := actionKey(name); ok {
			if i >= f.Actions() {
				continue
			}
			base = Key(i, rest)
		}
		for _, end := range []string{"_from", "_to"} {
			if n := len(base) - len(end); n > 0 && base[n:] == end && !shown[base] && shown[base[:n]] {
				base = base[:n]
			}
		}
		if shown[base] || !keeps(name) {
			continue
		}
		out = append(out, Field{Kind: "hidden", Name: name, Values: f.Values[name]})
	}
	return out
}

// Fact is a fact in the list beside the form.
type Fact struct {
	Name, Kind, About, Example string
	Text, Expr                 string // what a click inserts; Text is empty where texts cannot say it
}

// Facts are the facts that there are when e happens.
func Facts(e rule.Event) []Fact {
	var out []Fact
	for _, f := range facts.List() {
		if !f.In(e) {
			continue
		}
		r := Fact{Name: f.Name, Kind: f.Kind.String(), About: f.About, Example: f.Example, Expr: f.Name}
		if f.InText() {
			r.Text = f.Written()
		}
		if f.Kind == facts.Table {
			r.Expr += ".name"
		}
		out = append(out, r)
	}
	return out
}

// keeps reports whether a field is one of the rule's, to be kept though it is not shown.
func keeps(name string) bool {
	switch name {
	case "do", "actions", "base", "off", "id":
		return false
	}
	return !strings.HasPrefix(name, "try_")
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
