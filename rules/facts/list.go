package facts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/plain"
	"hawker/rules/rule"
)

// Kind is what sort of value a fact has.
type Kind uint8

// The kinds. In expressions a Text is a string, a Number an int, Money a float in whole units of its currency, a Flag true or
// false, and Texts a list of strings; a Table is asked for one of its fields: counters.raffle.
const (
	Text Kind = iota
	Number
	Money
	Flag
	Texts
	Table
)

// String is the kind as documentation writes it.
func (k Kind) String() string {
	return [...]string{"text", "number", "amount", "yes or no", "list", "table"}[k]
}

// Fact is one name that conditions and texts may use.
type Fact struct {
	Name    string
	About   string
	Example string
	Kind    Kind
	// Typed means that viewers, or others outside, wrote it: in a text it never becomes a mention, a link, a command or markup.
	Typed bool
	Part  Part // that must be filled first

	in   func(rule.Event) bool // nil: all events
	has  func(*Facts) bool     // nil: always there
	text func(*Facts) string   // for texts; nil for a Flag
	val  func(*Facts) any      // for expressions; nil: text
}

// In reports whether the fact is there when e happens.
func (f *Fact) In(e rule.Event) bool { return f.in == nil || f.in(e) }

// InText reports whether a text may name the fact: "yes or no" is for conditions only.
func (f *Fact) InText() bool { return f.Kind != Flag }

// Written is the name as a text writes it, such as "{user}".
func (f *Fact) Written() string {
	if f.Kind == Table {
		return "{" + f.Name + ".name}"
	}
	return "{" + f.Name + "}"
}

// maxText is how much of a line conditions see, in code points: they go through it more than once.
const maxText = 1000

// CodeMark stands in a text where a discount code goes that is not made yet. Nothing that anybody typed holds it.
const CodeMark = "\ue000"

func events(list ...rule.Event) func(rule.Event) bool {
	return func(e rule.Event) bool { return slices.Contains(list, e) }
}

// List are all facts, in the order in which pages list them.
func List() []Fact {
	return slices.Concat(viewerFacts(), showFacts(), tradeFacts(), otherFacts())
}

func viewerFacts() []Fact {
	viewer := rule.Event.ByViewer
	role := func(r chat.Roles) func(*Facts) any { return func(f *Facts) any { return f.Viewer.Roles.Has(r) } }
	known := func(f *Facts) bool { return f.Person.Known }
	typed := func(e rule.Event) bool {
		return e.OfLines() || e == rule.Resubscribed || e == rule.Membership || e == rule.Redeemed
	}
	return []Fact{
		{Name: "user", About: "the viewer's name", Example: "ana", Typed: true, in: viewer, text: func(f *Facts) string { return f.Viewer.Shown }},
		{
			Name: "platform", About: "where the viewer is: twitch, youtube, discord or room", Example: "twitch", in: viewer,
			text: func(f *Facts) string { return string(f.Viewer.Platform) },
		},
		{Name: "text", About: "what the viewer typed, at most 1,000 characters", Example: "is the blue one left?", Typed: true, in: typed, text: func(f *Facts) string { return cutRunes(f.Message.Text, maxText) }},
		{
			Name: "word", About: "the command's word, without its sign", Example: "raffle", Typed: true, in: events(rule.Command),
			text: func(f *Facts) string { return f.Message.Word },
		},
		{
			Name: "args", About: "what stands behind the command", Example: "blue please", Typed: true, in: events(rule.Command),
			text: func(f *Facts) string { return f.Message.Args },
		},
		{
			Name: "role", About: "the highest role of the viewer: owner, moderator, vip, subscriber, follower or viewer", Example: "subscriber", in: viewer,
			text: func(f *Facts) string { return string(f.Viewer.Role()) },
		},
		{Name: "follower", About: "whether the viewer follows, as far as the platform tells", Example: "true", Kind: Flag, in: viewer, val: func(f *Facts) any { return f.Viewer.Follower }},
		{Name: "subscriber", About: "whether the viewer subscribes, or is a member on YouTube", Example: "true", Kind: Flag, in: viewer, val: role(chat.Subscriber)},
		{Name: "vip", About: "whether the viewer is a VIP", Example: "false", Kind: Flag, in: viewer, val: role(chat.VIP)},
		{Name: "moderator", About: "whether the viewer moderates the chat", Example: "false", Kind: Flag, in: viewer, val: role(chat.Moderator)},
		{Name: "owner", About: "whether the viewer owns the channel", Example: "false", Kind: Flag, in: viewer, val: role(chat.Owner)},
		number(Fact{Name: "orders", About: "orders that the person paid here before", Example: "2", Part: OfPerson, in: viewer, has: known}, func(f *Facts) int { return f.Person.Orders }),
		money(Fact{Name: "spent", About: "what those orders came to", Example: "€84.50", Part: OfPerson, in: viewer, has: known}, func(f *Facts) commerce.Money { return f.Person.Spent }),
		{
			Name: "first_buyer", About: "whether the person never paid anything here before", Example: "true", Kind: Flag, Part: OfPerson, in: viewer, has: known,
			val: func(f *Facts) any { return f.Person.Orders == 0 },
		},
		number(Fact{Name: "bits", About: "bits cheered with the line (Twitch)", Example: "100", in: rule.Event.OfLines}, func(f *Facts) int { return f.Message.Bits }),
		number(Fact{Name: "months", About: "for how many months the viewer has been a subscriber", Example: "7", in: events(rule.Subscribed, rule.Resubscribed, rule.Membership)},
			func(f *Facts) int { return f.Support.Months }),
		{
			Name: "tier", About: "the level of the subscription or membership", Example: "1000", in: events(rule.Subscribed, rule.Resubscribed, rule.Gifted, rule.Membership),
			has: func(f *Facts) bool { return f.Support.Tier != "" }, text: func(f *Facts) string { return f.Support.Tier },
		},
		number(Fact{Name: "count", About: "how many were given, or came with the raid", Example: "25", in: events(rule.Gifted, rule.Raided)}, func(f *Facts) int { return f.Support.Count }),
		{
			Name: "amount", About: "how much it is: bits, a Super Chat's money, subscriptions given, viewers of a raid, an order's total", Example: "500", Kind: Money,
			in: func(e rule.Event) bool {
				return events(rule.Gifted, rule.Raided, rule.Cheered, rule.SuperChat, rule.OrderPaid, rule.OrderCancelled, rule.OrderRefunded)(e)
			},
			text: amountText, val: func(f *Facts) any { return f.Amount() },
		},
	}
}

// Role is the highest role.
func (v *Viewer) Role() rule.Role {
	switch {
	case v.Roles.Has(chat.Owner):
		return rule.Owner
	case v.Roles.Has(chat.Moderator):
		return rule.Moderator
	case v.Roles.Has(chat.VIP):
		return rule.VIP
	case v.Roles.Has(chat.Subscriber):
		return rule.Subscriber
	case v.Follower:
		return rule.Follower
	}
	return rule.Viewer
}

// Amount is how much it is about, in whole units of its currency where it is money.
func (f *Facts) Amount() float64 {
	switch {
	case f.Order.Name != "":
		return Units(f.Order.Total)
	case f.Message.Paid.Minor != 0:
		return Units(f.Message.Paid)
	case f.Message.Bits != 0:
		return float64(f.Message.Bits)
	}
	return float64(f.Support.Count)
}

func amountText(f *Facts) string {
	switch {
	case f.Order.Name != "":
		return f.Order.Total.String()
	case f.Message.Paid.Minor != 0:
		return f.Message.Paid.String()
	case f.Message.Bits != 0:
		return strconv.Itoa(f.Message.Bits)
	}
	return strconv.Itoa(f.Support.Count)
}

// Units is an amount in whole units of its currency. It is the float nearest to the decimal number, so that it compares with
// one that was written down.
func Units(m commerce.Money) float64 {
	v, err := strconv.ParseFloat(m.Decimal(), 64)
	if err != nil { // Decimal writes numbers
		return 0
	}
	return v
}

func showFacts() []Fact {
	show := func(f *Facts) bool { return f.Show.ID != 0 || f.Show.Title != "" }
	item := func(f *Facts) bool { return f.Item.Number != 0 }
	stock := func(f *Facts) bool { return f.Stock.Known }
	state := func(f *Facts) string {
		switch {
		case !f.Show.Live:
			return string(rule.ShowNone)
		case f.Show.Paused:
			return string(rule.ShowPaused)
		case f.Show.Hot:
			return string(rule.ShowHot)
		}
		return string(rule.ShowLive)
	}
	return []Fact{
		{Name: "show", About: "the show's title", Example: "Friday pots", Part: OfShow, has: show, text: func(f *Facts) string { return f.Show.Title }},
		{Name: "show_state", About: "live, paused, hot or none", Example: "live", Part: OfShow, text: state},
		{
			Name: "link", About: "the show's page, where everybody sees what is on sale and pays", Example: "https://shop.example/live/friday", Part: OfShow,
			has: func(f *Facts) bool { return f.Show.Link != "" }, text: func(f *Facts) string { return f.Show.Link },
		},
		{
			Name: "shop", About: "what is on sale just now, at most five items", Example: "#3 Mug, €19.99, 4 left", Part: OfShow,
			has: func(f *Facts) bool { return f.Show.OnSale != "" }, text: func(f *Facts) string { return f.Show.OnSale },
		},
		{Name: "item", About: "the item's title: the one it is about, else the one on air", Example: "Mug, ash glaze", Part: OfShow, has: item, text: func(f *Facts) string { return f.Item.Title }},
		number(Fact{Name: "n", About: "the item's number", Example: "3", Part: OfShow, has: item}, func(f *Facts) int { return f.Item.Number }),
		{Name: "variant", About: "which one of the item", Example: "M / Blue", Part: OfShow, has: item, text: func(f *Facts) string { return f.Item.Variant }},
		money(Fact{Name: "price", About: "the price of one piece", Example: "€19.99", Part: OfShow, has: item}, func(f *Facts) commerce.Money { return f.Item.Price }),
		{
			Name: "tags", About: "the item's tags in the store", Example: "[mug, ash]", Kind: Texts, Part: OfShow, has: item,
			text: func(f *Facts) string { return strings.Join(f.Item.Tags, ", ") }, val: func(f *Facts) any { return f.Item.Tags },
		},
		{
			Name: "left", About: "pieces of the item that are free to claim, 999999 when there is no end of them", Example: "4", Kind: Number, Part: OfShow, has: stock,
			val: func(f *Facts) any { return int(f.Stock.Free()) },
			text: func(f *Facts) string {
				if f.Stock.Left < 0 {
					return "∞"
				}
				return strconv.FormatInt(f.Stock.Left, 10)
			},
		},
		number(Fact{Name: "held", About: "pieces of the item that are held", Example: "2", Part: OfShow, has: stock}, func(f *Facts) int { return int(f.Stock.Held) }),
		number(Fact{Name: "sold", About: "pieces of the item that are sold", Example: "9", Part: OfShow, has: stock}, func(f *Facts) int { return int(f.Stock.Sold) }),
	}
}

// endless stands for a stock without end in conditions.
const endless = 999_999

// Free is how many are free to claim; where there is no end of them it is more than any show sells.
func (s *Stock) Free() int64 {
	if s.Left < 0 {
		return endless
	}
	return s.Left
}

func tradeFacts() []Fact {
	held := events(rule.HoldMade, rule.ReminderDue, rule.HoldExpired, rule.Promoted, rule.OrderPaid, rule.OrderCancelled, rule.OrderRefunded)
	order := events(rule.OrderPaid, rule.OrderCancelled, rule.OrderRefunded)
	return []Fact{
		number(Fact{Name: "qty", About: "how many pieces", Example: "2", in: held}, func(f *Facts) int { return max(f.Hold.Quantity, f.Order.Quantity) }),
		number(Fact{
			Name: "place", About: "the place in line", Example: "4", in: events(rule.HoldMade, rule.Promoted, rule.HoldExpired),
			has: func(f *Facts) bool { return f.Hold.Place > 0 },
		}, func(f *Facts) int { return f.Hold.Place }),
		number(Fact{Name: "minutes", About: "minutes until the hold ends", Example: "10", in: events(rule.HoldMade, rule.ReminderDue, rule.Promoted)},
			func(f *Facts) int { return f.Hold.Minutes }),
		{Name: "order", About: "the order's number", Example: "#1001", in: order, text: func(f *Facts) string { return f.Order.Name }},
		money(Fact{Name: "total", About: "what the order comes to", Example: "€39.98", in: order}, func(f *Facts) commerce.Money { return f.Order.Total }),
	}
}

func otherFacts() []Fact {
	clock := func(form string) func(*Facts) string { return func(f *Facts) string { return f.At.Format(form) } }
	return []Fact{
		{
			Name: "title", About: "the reward's title, the poll's question, the destination's or the webhook's name", Example: "Choose the next glaze",
			in:   events(rule.Redeemed, rule.PollEnded, rule.DestinationDown, rule.DestinationUp, rule.Webhook),
			text: func(f *Facts) string { return f.Support.Title },
		},
		{Name: "answer", About: "the poll's winning answer", Example: "Blue", in: events(rule.PollEnded), text: func(f *Facts) string { return f.Support.Text }},
		number(Fact{Name: "chance", About: "a number from 1 to 100, drawn anew each time", Example: "42"}, func(f *Facts) int { return f.Chance }),
		{Name: "time", About: "the time of day in the merchant's zone", Example: "20:15", text: clock("15:04")},
		{Name: "day", About: "the day of the week in the merchant's zone: mon, tue, ...", Example: "fri", text: func(f *Facts) string { return strings.ToLower(f.At.Format("Mon")) }},
		{Name: "date", About: "the date in the merchant's zone", Example: "2026-11-26", text: clock("2006-01-02")},
		number(Fact{Name: "hour", About: "the hour in the merchant's zone, 0 to 23", Example: "20"}, func(f *Facts) int { return f.At.Hour() }),
		{Name: "counters", About: "your own counters, by name; one that was never set is 0", Example: "counters.raffle is 12", Kind: Table},
		{Name: "vars", About: "your own variables, by name; one that was never set is empty", Example: "vars.host is Ana", Kind: Table, Typed: true},
		{Name: "webhook", About: "the fields of what came in, by name", Example: "webhook.sku is MUG-1", Kind: Table, Typed: true, in: events(rule.Webhook)},
		{
			Name: "code", About: "the discount code that this action makes; for its text only", Example: "ANA-7K2Q", in: func(rule.Event) bool { return false },
			text: func(*Facts) string { return CodeMark },
		},
	}
}

func number(f Fact, get func(*Facts) int) Fact {
	f.Kind, f.text, f.val = Number, func(x *Facts) string { return strconv.Itoa(get(x)) }, func(x *Facts) any { return get(x) }
	return f
}

func money(f Fact, get func(*Facts) commerce.Money) Fact {
	f.Kind, f.text, f.val = Money, func(x *Facts) string { return get(x).String() }, func(x *Facts) any { return Units(get(x)) }
	return f
}

// there reports whether the fact has a value now.
func (f *Fact) there(x *Facts) bool { return f.has == nil || f.has(x) }

// value is the fact for an expression.
func (f *Fact) value(x *Facts) any {
	if f.val == nil {
		return f.text(x)
	}
	return f.val(x)
}

// Names is the list of facts, to be looked up. It never changes.
type Names struct {
	list []Fact
	by   map[string]*Fact
}

// NewNames makes the list of facts.
func NewNames() *Names {
	n := &Names{List(), map[string]*Fact{}}
	for i := range n.list {
		n.by[n.list[i].Name] = &n.list[i]
	}
	return n
}

// find is a fact that is there when e happens. Its error says what is to be written instead.
func (n *Names) find(name string, e rule.Event, text, code bool) (*Fact, error) {
	f := n.by[name]
	if f != nil && (f.In(e) || code && name == "code") {
		return f, nil
	}
	if f == nil {
		hint := ""
		if near := plain.Nearest(name, n.names(e, text)); near != "" {
			hint = fmt.Sprintf(" (did you mean %s?)", near)
		}
		return nil, fmt.Errorf("nothing is called %q%s; there are: %s", cutName(name), hint, n.written(e, text))
	}
	var in []string
	for _, x := range rule.Events() {
		if f.In(x) {
			in = append(in, string(x))
		}
	}
	if len(in) == 0 {
		return nil, fmt.Errorf("%s is for the text of a discount code only", name)
	}
	return nil, fmt.Errorf("there is no %s when it is %q; %s is there for: %s", name, string(e), name, strings.Join(in, ", "))
}

// names are the names that are there when e happens, for texts or for expressions.
func (n *Names) names(e rule.Event, text bool) []string {
	var out []string
	for i := range n.list {
		if f := &n.list[i]; f.In(e) && (!text || f.InText()) {
			out = append(out, f.Name)
		}
	}
	return out
}

// written are those names as they are written.
func (n *Names) written(e rule.Event, text bool) string {
	out := n.names(e, text)
	if !text {
		return strings.Join(out, ", ")
	}
	for i, name := range out {
		out[i] = n.by[name].Written()
	}
	return strings.Join(out, " ")
}

func cutName(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
