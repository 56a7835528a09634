// Package ruling is a merchant's rules at work: it fills in what is known about what happened, asks package book, and keeps what
// the rules remember. What they want done comes back as Wants; who asks makes them durable and has them done. The goroutine of
// the merchant owns it.
package ruling

import (
	"math/rand/v2"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/buyers"
	"hawker/internal/live/counted"
	"hawker/internal/live/traces"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// MaxRounds is how often rules are asked about what rules caused. What would be the fourth time is left out: rules that feed each
// other end.
const MaxRounds = 3

// Rules are a merchant's rules at work. Make them with New.
type Rules struct {
	Book    *book.Book
	Version int64 // of the rules, 0 for the defaults
	Memory  *counted.Memory
	Buyers  *buyers.Book
	Traces  traces.Book
	House   House

	facts  facts.Facts
	input  book.Input
	result book.Result
	ids    []commerce.ID // of the rules, by index
	fired  map[firedIn]Fired
	about  About      // what facts are filled about
	happen *Happening // what it is, where it is no line
	seen   seen
	lines  map[chat.Channel]int        // of people, since the start
	left   map[itemOf]int64            // what was free of an item when rules looked last
	hot    map[commerce.ID]time.Time   // shows that are marked hot, until when
	lefts  []int64                     // how many pieces rules wait for
	watch  []book.Watch                // rules that wait for a number of lines
	count  func(k book.Key) book.Count // of Memory, made once
	timed  bool                        // a rule waits for a time
	ticked time.Time                   // until when times were looked at
	since  time.Time                   // when the clock began to be looked at
}

// House is what rules must ask their merchant.
type House struct {
	Desk func() *commerce.Desk // never nil when rules are asked
	Name func(name string) string
	// Link is a show's page, as far as it leads somewhere for people of a channel.
	Link func(show commerce.ID, c chat.Channel) string
	// Item is an item in words, with its price and how many are left.
	Item func(it *commerce.ItemView) string
}

// itemOf is an item of a show.
type itemOf struct {
	show   commerce.ID
	number int
}

// New is a merchant's rules; they are asked nothing before Use and TakeOver.
func New(h House) *Rules {
	r := &Rules{House: h, lines: map[chat.Channel]int{}, left: map[itemOf]int64{}, fired: map[firedIn]Fired{}, hot: map[commerce.ID]time.Time{}}
	r.facts.Load = r.load
	return r
}

// TakeOver is told what the rules remember and who paid what, when the merchant's desk was loaded.
func (r *Rules) TakeOver(m *counted.Memory, b *buyers.Book, now time.Time) {
	r.Memory, r.Buyers, r.count = m, b, m.Count
	r.facts.Counters, r.facts.Vars = m.Numbers(), m.Vars()
	r.ticked, r.since = now.Add(-catchUp), now
	clear(r.left)
}

// Baseline notes what is free of a live show's items, where it was not known.
func (r *Rules) Baseline(s *commerce.Show) {
	for i := range s.Lineup.Items {
		k := itemOf{s.ID, s.Lineup.Items[i].Number}
		if _, known := r.left[k]; !known {
			r.left[k] = StockOf(r.House.Desk(), &s.Lineup.Items[i]).Left
		}
	}
}

// Use puts rules into force.
func (r *Rules) Use(b *book.Book, version int64) {
	r.Book, r.Version = b, version
	r.watch, r.timed = b.AfterLines(), b.Waits(rule.Every) || b.Waits(rule.At)
	r.lefts, r.ids = nil, nil
	for _, x := range b.Rules() {
		r.ids = append(r.ids, x.ID)
		if x.When.Event == rule.StockAt && !x.Off {
			r.lefts = append(r.lefts, x.When.Left)
		}
	}
}

// About is what something that happened is about.
type About struct {
	Show    commerce.ID // 0 for none
	Number  int         // the item's, 0 for the one on air
	Variant commerce.ID
	Channel chat.Channel
	Viewer  chat.Viewer
	Roles   chat.Roles
	Answer  chat.Answer // where a reply goes
	Message string      // the line's id
	Reward  string      // and Redemption: of channel points
	Redeem  string
	Order   string // its name, which does not count among the orders before it
	Depth   int    // how many rounds of rules led to it
	From    time.Time
}

// Happening is something that is no line of a chat.
type Happening struct {
	About
	Event   rule.Event
	Rule    commerce.ID // of the clock: the rule that it happens to
	ID      string      // by which it is known when it is told again; empty where it is told once
	Text    string      // what the viewer typed with it
	Support facts.Support
	Hold    facts.Hold
	Bought  facts.Order
	Left    int64 // free pieces; Before is what they were (stock at)
	Before  int64
	Stock   bool // Left is set
	Label   string
	Title   string
	Price   commerce.Money
	Webhook map[string]string
}

// Decided is what rules make of something.
type Decided struct {
	Wants   []Want
	Changes rulebook.Memory // as they are stored
}

// none reports whether rules make nothing of it.
func (d *Decided) none() bool {
	return len(d.Wants)+len(d.Changes.Counters)+len(d.Changes.Settings) == 0
}

// Any reports whether there is anything to do or to store.
func (d *Decided) Any() bool { return !d.none() }

// Line decides about a line of a chat. first says that it is its viewer's first one in the show; fresh is asked once something
// fired, and says whether the line may still act. A line that fires nothing costs no memory. seed is what was drawn by lot.
func (r *Rules) Line(now time.Time, m *chat.Message, c rules.Command, a *About, first bool, fresh func() bool, undo *counted.Undo) (d Decided, seed uint64) {
	f := &r.facts
	f.Reset()
	f.Message.ID, f.Message.Text, f.Message.Bits, f.Message.First = m.ID, m.Text, m.Bits, first
	if m.PaidMicros != 0 {
		f.Message.Paid = micros(m.PaidMicros, m.PaidCurrency)
	}
	f.Channel, f.Viewer.Viewer, f.Viewer.Roles = m.Channel, m.Viewer, m.Roles
	f.Viewer.Shown = r.House.Name(m.Viewer.Name)
	r.about, r.happen = *a, nil
	seed = rand.Uint64()
	r.input = book.Input{Event: rule.Line, Facts: f, Command: c, Now: now, Seed: seed, Counter: r.count}
	r.Book.Decide(&r.input, &r.result)
	if len(r.result.Effects)+len(r.result.Counts)+len(r.result.Settings) == 0 {
		if len(r.result.Looks) > 0 {
			r.trace(now, rule.Line, m.Text)
		}
		return Decided{}, seed
	}
	if !fresh() || !r.seen.first(string(m.Channel.Platform)+"/"+m.ID) {
		return Decided{}, seed
	}
	r.trace(now, rule.Line, m.Text)
	return r.decided(now, rule.Line, undo), seed
}

// Counted counts a line of a person, and returns what rules make of it that wait for so many.
func (r *Rules) Counted(now time.Time, a *About, undo *counted.Undo, tell func(Decided)) {
	if len(r.watch) == 0 || a.Show == 0 {
		return
	}
	n := r.lines[a.Channel] + 1
	r.lines[a.Channel] = n
	for _, w := range r.watch {
		if n%w.Lines == 0 {
			h := Happening{About: About{Show: a.Show, Channel: a.Channel}, Event: rule.AfterLines, Rule: w.Rule}
			if d := r.Happened(now, &h, undo); d.Any() {
				tell(d)
			}
		}
	}
}

// Happened decides about something that is no line.
func (r *Rules) Happened(now time.Time, h *Happening, undo *counted.Undo) Decided {
	if h.Depth >= MaxRounds || !r.Book.Waits(h.Event) {
		return Decided{}
	}
	f := &r.facts
	f.Reset()
	f.Message.Text, f.Channel, f.Support, f.Hold, f.Order, f.Webhook = h.Text, h.Channel, h.Support, h.Hold, h.Bought, h.Webhook
	if h.Viewer.ID != "" {
		f.Viewer.Viewer, f.Viewer.Roles, f.Viewer.Shown = h.Viewer, h.Roles, r.House.Name(h.Viewer.Name)
	}
	r.about, r.happen = h.About, h
	h.Known(f)
	r.input = book.Input{Event: h.Event, Rule: h.Rule, Facts: f, Now: now, Seed: rand.Uint64(), Counter: r.count}
	r.Book.Decide(&r.input, &r.result)
	if len(r.result.Looks) > 0 {
		r.trace(now, h.Event, h.Text)
	}
	if len(r.result.Effects)+len(r.result.Counts)+len(r.result.Settings) == 0 || h.ID != "" && !r.seen.first(h.ID) {
		return Decided{}
	}
	return r.decided(now, h.Event, undo)
}

// decided takes the result of a decision over.
func (r *Rules) decided(now time.Time, e rule.Event, undo *counted.Undo) Decided {
	for _, i := range r.result.Fired {
		k := firedIn{r.ids[i], r.about.Show}
		f := r.fired[k]
		r.fired[k] = Fired{f.Times + 1, now}
	}
	d := Decided{Changes: r.Memory.Apply(r.result.Counts, r.result.Settings, undo)}
	for i := range r.result.Effects {
		d.Wants = append(d.Wants, r.want(now, e, &r.result.Effects[i]))
	}
	return d
}

// firedIn is a rule in a show.
type firedIn struct{ rule, show commerce.ID }

// Fired is how often a rule fired in a show, and when it last did, since this node serves the merchant.
type Fired struct {
	Times int
	Last  time.Time
}

// Fired are the rules that fired in a show (0: outside of shows).
func (r *Rules) Fired(show commerce.ID) map[commerce.ID]Fired {
	out := map[commerce.ID]Fired{}
	for k, f := range r.fired {
		if k.show == show {
			out[k.rule] = f
		}
	}
	return out
}

// trace remembers what rules made of something.
func (r *Rules) trace(now time.Time, e rule.Event, text string) {
	a := &r.about
	t := traces.Trace{At: now, Event: e, Channel: a.Channel, Message: a.Message, Viewer: a.Viewer, Text: text, Looks: r.result.Looks}
	for i := range r.result.Effects {
		t.Did = append(t.Did, r.result.Effects[i].Do)
	}
	r.Traces.Add(t)
}

// load fills a part of the facts, when a rule that matched names one of it.
func (r *Rules) load(f *facts.Facts, p facts.Part) {
	a, d := &r.about, r.House.Desk()
	if p&facts.OfPerson != 0 && a.Viewer.ID != "" {
		f.Person.Known = true
		f.Person.Orders, f.Person.Spent = r.Buyers.Of(a.Viewer, d.Person(a.Viewer), a.Order)
	}
	if p&facts.OfShow == 0 {
		return
	}
	s := d.Show(a.Show)
	if s == nil {
		return
	}
	live := s.State == commerce.ShowLive
	f.Show = facts.Show{ID: s.ID, Title: s.Title, Link: r.House.Link(s.ID, a.Channel), Live: live, Paused: live && s.Paused, Hot: live && r.Hot(s.ID, f.At)}
	if live {
		f.Show.OnSale = OnSale(d, s, r.House.Item)
	}
	Item(f, d, s, a, r.happen)
}

// StockMoved says what was free of an item before, when it is less now than when rules looked last and came to what a rule waits
// for; else ok is false.
func (r *Rules) StockMoved(s *commerce.Show, number int, undo *counted.Undo) (before, left int64, ok bool) {
	if len(r.lefts) == 0 {
		return 0, 0, false
	}
	it := s.Lineup.Item(number)
	if it == nil {
		return 0, 0, false
	}
	k := itemOf{s.ID, number}
	left = StockOf(r.House.Desk(), it).Left
	before, known := r.left[k]
	if known && before == left {
		return 0, 0, false
	}
	*undo = append(*undo, func() {
		if r.left[k] = before; !known {
			delete(r.left, k)
		}
	})
	r.left[k] = left
	crossed := func(at int64) bool { return left >= 0 && left <= at && (before < 0 || before > at) }
	return before, left, known && slices.ContainsFunc(r.lefts, crossed)
}

// Hot reports whether a show is marked hot.
func (r *Rules) Hot(show commerce.ID, now time.Time) bool {
	until, ok := r.hot[show]
	return ok && (until.IsZero() || now.Before(until))
}

// Told are facts that rules were told of a line and that do not follow from the lines before it, for a back-test. What no rule
// that matched named is not there.
type Told struct {
	First  bool           `json:"first,omitzero"`
	Person bool           `json:"person,omitzero"` // Orders and Spent were told
	Orders int            `json:"orders,omitzero"`
	Spent  commerce.Money `json:"spent,omitzero"`
	Show   bool           `json:"show,omitzero"` // Paused, Hot and Left were told
	Paused bool           `json:"paused,omitzero"`
	Hot    bool           `json:"hot,omitzero"`
	Left   int64          `json:"left,omitzero"`
}

// Told is what was told of the last line; nil for nothing.
func (r *Rules) Told() *Told {
	p, s := &r.facts.Person, &r.facts.Show
	if !r.facts.Message.First && !p.Known && s.ID == 0 {
		return nil
	}
	return &Told{First: r.facts.Message.First, Person: p.Known, Orders: p.Orders, Spent: p.Spent, Show: s.ID != 0, Paused: s.Paused, Hot: s.Hot, Left: r.facts.Stock.Left}
}

// SetHot marks a show hot for a while, or with lasts 0 until it is unmarked.
func (r *Rules) SetHot(show commerce.ID, on bool, lasts time.Duration, now time.Time) {
	delete(r.hot, show)
	switch {
	case on && lasts > 0:
		r.hot[show] = now.Add(lasts)
	case on:
		r.hot[show] = time.Time{}
	}
}

// micros is money of millionths.
func micros(n int64, currency string) commerce.Money {
	m, err := commerce.ParseMoney("1", currency)
	if err != nil {
		return commerce.Money{}
	}
	return commerce.Money{Minor: n / (1_000_000 / max(m.Minor, 1)), Currency: currency} // a currency has at most 3 places
}

// seenMost is how many lines and happenings that fired something are known again.
const seenMost = 4096

// seen knows what fired before, because platforms tell some things twice.
type seen struct {
	known map[string]bool
	ring  []string
	next  int
}

// first reports whether an id was not seen before, and notes it.
func (s *seen) first(id string) bool {
	if s.known[id] {
		return false
	}
	if s.known == nil {
		s.known = map[string]bool{}
	}
	if len(s.ring) < seenMost {
		s.ring = append(s.ring, id)
	} else {
		delete(s.known, s.ring[s.next])
		s.ring[s.next] = id
		s.next = (s.next + 1) % seenMost
	}
	s.known[id] = true
	return true
}
