package replay

import (
	"hash/fnv"
	"strconv"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/ruling"
	"hawker/rules/book"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// asker asks a merchant's rules in a replay, and remembers for them. Package ruling does it in a show; here what is drawn by lot
// is recorded, or drawn from what happened, so that it is the same each time.
type asker struct {
	w       *world
	book    *book.Book
	events  map[commerce.ID]rule.Event
	watch   []book.Watch
	timed   bool
	counts  map[book.Key]book.Count
	numbers map[string]int64
	vars    map[string]string
	lines   map[chat.Channel]int // of people
	left    map[int]int64        // what was free of an item when rules looked last
	hot     bool
	cools   time.Time // when the show is hot no more; zero while nothing says
	ticked  time.Time
	acted   map[string]bool // lines that fired something: platforms tell some twice
	fired   map[commerce.ID]int
	paid    map[string]paidBefore  // in the show, by the order's name
	bought  map[chat.Viewer]bought // likewise
	told    *ruling.Told           // what was recorded of the line that is asked about

	facts  facts.Facts
	in     book.Input
	result book.Result
	about  ruling.About
	happen *ruling.Happening
}

func newAsker(w *world, start time.Time) *asker {
	a := &asker{
		w: w, counts: map[book.Key]book.Count{}, numbers: map[string]int64{}, vars: map[string]string{}, lines: map[chat.Channel]int{}, left: map[int]int64{}, ticked: start,
		acted: map[string]bool{}, fired: map[commerce.ID]int{}, paid: map[string]paidBefore{}, bought: map[chat.Viewer]bought{},
	}
	a.facts.Load, a.facts.Counters, a.facts.Vars = a.load, a.numbers, a.vars
	a.in.Counter = func(k book.Key) book.Count { return a.counts[k] }
	return a
}

// use puts rules into force.
func (a *asker) use(b *book.Book) {
	a.book, a.watch, a.timed, a.events = b, b.AfterLines(), b.Waits(rule.Every) || b.Waits(rule.At), map[commerce.ID]rule.Event{}
	for _, r := range b.Rules() {
		a.events[r.ID] = r.When.Event
	}
}

// made is what rules make of something.
type made struct {
	fired []string
	wants []ruling.Want
}

// line decides about a line. fresh is asked once something fired, and says whether it may still act.
func (a *asker) line(now time.Time, l *Line, h *heard, about ruling.About, fresh func() bool) made {
	f, m := &a.facts, &l.Message
	f.Reset()
	f.Message.ID, f.Message.Text, f.Message.Bits, f.Message.First = m.ID, m.Text, m.Bits, h.first
	if m.PaidMicros != 0 {
		f.Message.Paid = micros(m.PaidMicros, m.PaidCurrency)
	}
	f.Channel, f.Viewer.Viewer, f.Viewer.Roles = m.Channel, m.Viewer, m.Roles
	f.Viewer.Shown = a.w.r.Words.Name(m.Viewer.Name)
	a.about, a.happen, a.told = about, nil, l.Facts
	a.in.Event, a.in.Rule, a.in.Facts, a.in.Command, a.in.Now, a.in.Seed = rule.Line, 0, f, h.cmd, now, l.Seed
	if l.Seed == 0 { // of before version 3
		a.in.Seed = seedOf(m.Channel.String(), m.ID)
	}
	a.book.Decide(&a.in, &a.result)
	if len(a.result.Effects)+len(a.result.Counts)+len(a.result.Settings)+len(a.result.Fired) == 0 || !fresh() {
		return made{}
	}
	if k := string(m.Channel.Platform) + "/" + m.ID; a.acted[k] {
		return made{}
	} else if len(a.result.Effects)+len(a.result.Counts)+len(a.result.Settings) > 0 {
		a.acted[k] = true
	}
	return a.decided(now, rule.Line)
}

// counted counts a line of a person, and tells what rules that wait for so many make of it.
func (a *asker) counted(now time.Time, c chat.Channel, tell func(h *ruling.Happening, m made)) {
	if len(a.watch) == 0 {
		return
	}
	n := a.lines[c] + 1
	a.lines[c] = n
	for _, x := range a.watch {
		if n%x.Lines == 0 {
			h := ruling.Happening{About: ruling.About{Show: a.w.show, Channel: c}, Event: rule.AfterLines, Rule: x.Rule}
			tell(&h, a.happened(now, &h))
		}
	}
}

// happened decides about something that is no line.
func (a *asker) happened(now time.Time, h *ruling.Happening) made {
	if h.Depth >= ruling.MaxRounds || !a.book.Waits(h.Event) {
		return made{}
	}
	f := &a.facts
	f.Reset()
	f.Channel, f.Hold, f.Order = h.Channel, h.Hold, h.Bought
	if h.Viewer.ID != "" {
		f.Viewer.Viewer, f.Viewer.Roles, f.Viewer.Shown = h.Viewer, h.Roles, a.w.r.Words.Name(h.Viewer.Name)
	}
	a.about, a.happen, a.told = h.About, h, nil
	h.Known(f)
	a.in.Event, a.in.Rule, a.in.Facts, a.in.Now = h.Event, h.Rule, f, now
	a.in.Command.Name = ""
	a.in.Seed = seedOf(string(h.Event), string(h.Viewer.Platform), h.Viewer.ID, strconv.Itoa(h.Number), h.Rule.String(), h.Channel.String(), strconv.FormatInt(now.UnixMilli(), 10))
	a.book.Decide(&a.in, &a.result)
	return a.decided(now, h.Event)
}

// decided takes the result of a decision over.
func (a *asker) decided(now time.Time, e rule.Event) made {
	for _, c := range a.result.Counts {
		a.counts[c.Key] = c.Count
	}
	for _, s := range a.result.Settings {
		switch {
		case s.Number:
			a.numbers[s.Name] = s.N
		case s.Text == "":
			delete(a.vars, s.Name)
		default:
			a.vars[s.Name] = s.Text
		}
	}
	var m made
	for i := range a.result.Looks {
		if x := &a.result.Looks[i]; x.Fired {
			a.fired[x.Rule]++
			m.fired = append(m.fired, x.Name)
		}
	}
	for i := range a.result.Effects {
		x := &a.result.Effects[i]
		m.wants = append(m.wants, ruling.Want{
			Effect: *x, Event: e, At: now.Add(x.After), Show: a.about.Show, Channel: a.about.Channel, Viewer: a.about.Viewer,
			Trusted: trusted(a.about.Roles), Answer: a.about.Answer, Message: a.about.Message, Depth: a.about.Depth + 1,
		})
	}
	return m
}

// load fills a part of the facts, as package ruling does.
func (a *asker) load(f *facts.Facts, p facts.Part) {
	if v := who(a.about.Viewer); p&facts.OfPerson != 0 && v.ID != "" {
		f.Person.Known = true
		x := a.w.r.buyers[v]
		x.plus(a.bought[v])
		if o, ok := a.paid[a.about.Order]; ok && o.viewer == v { // not the one that it is about
			x.add(o.total, -1)
		}
		if f.Person.Orders, f.Person.Spent = x.orders, x.spent; a.told != nil && a.told.Person {
			f.Person.Orders, f.Person.Spent = a.told.Orders, a.told.Spent
		}
	}
	s := a.w.desk.Show(a.w.show)
	if p&facts.OfShow == 0 || s == nil {
		return
	}
	live := s.State == commerce.ShowLive
	f.Show = facts.Show{ID: s.ID, Title: s.Title, Link: a.w.r.Words.Link, Live: live, Paused: live && s.Paused, Hot: live && a.isHot(a.in.Now)}
	if live {
		f.Show.OnSale = ruling.OnSale(a.w.desk, s, a.w.r.Words.Item)
	}
	ruling.Item(f, a.w.desk, s, &a.about, a.happen)
}

func (b *bought) plus(x bought) {
	n := b.orders + x.orders
	b.add(x.spent, 1)
	b.orders = n
}

// stockMoved says what was free of an item before, when it is less now than when rules looked last; else ok is false.
func (a *asker) stockMoved(s *commerce.Show, number int) (before, left int64, ok bool) {
	it := s.Lineup.Item(number)
	if it == nil {
		return 0, 0, false
	}
	left = ruling.StockOf(a.w.desk, it).Left
	before, known := a.left[number]
	if known && before == left {
		return 0, 0, false
	}
	a.left[number] = left
	return before, left, known && left >= 0 && (before < 0 || left < before)
}

// baseline notes what is free of the show's items when it begins.
func (a *asker) baseline(s *commerce.Show) {
	for i := range s.Lineup.Items {
		if n := s.Lineup.Items[i].Number; s.State == commerce.ShowLive {
			if _, known := a.left[n]; !known {
				a.left[n] = ruling.StockOf(a.w.desk, &s.Lineup.Items[i]).Left
			}
		}
	}
}

func (a *asker) isHot(now time.Time) bool { return a.hot && (a.cools.IsZero() || now.Before(a.cools)) }

// setHot marks the show hot for a while, or with lasts 0 until it is unmarked.
func (a *asker) setHot(on bool, lasts time.Duration, now time.Time) {
	if a.hot, a.cools = on, (time.Time{}); on && lasts > 0 {
		a.cools = now.Add(lasts)
	}
}

// tickEvery is how often the clock is looked at in a show (package ruling).
const tickEvery = 5 * time.Second

// nextTick is when the clock is looked at again; false when no rule waits for it.
func (a *asker) nextTick() (time.Time, bool) {
	return a.ticked.Truncate(tickEvery).Add(tickEvery), a.timed
}

// tick decides what rules make of the time that went by.
func (a *asker) tick(now time.Time, tell func(h *ruling.Happening, m made)) {
	from := a.ticked
	a.ticked = now
	s := a.w.desk.Show(a.w.show)
	if s == nil || s.State != commerce.ShowLive {
		return
	}
	for _, id := range a.book.Due(s.Started, from, now) {
		h := ruling.Happening{About: ruling.About{Show: a.w.show}, Event: a.events[id], Rule: id}
		tell(&h, a.happened(now, &h))
	}
}

// pays notes an order of the show that was paid or undone, for what persons bought before.
func (a *asker) pays(o *commerce.Outcome) {
	was, known := a.paid[o.Order]
	if known {
		x := a.bought[was.viewer]
		x.add(was.total, -1)
		a.bought[was.viewer] = x
		delete(a.paid, o.Order)
	}
	if o.What == commerce.Undone || o.Viewer.ID == "" {
		return
	}
	v := who(o.Viewer)
	x := a.bought[v]
	x.add(o.Total, 1)
	a.bought[v], a.paid[o.Order] = x, paidBefore{v, o.Total}
}

// seedOf draws from what happened: the same for the same.
func seedOf(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p)) // never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// micros is money of millionths.
func micros(n int64, currency string) commerce.Money {
	m, err := commerce.ParseMoney("1", currency)
	if err != nil {
		return commerce.Money{}
	}
	return commerce.Money{Minor: n / (1_000_000 / max(m.Minor, 1)), Currency: currency}
}

// who is a viewer without a name, as maps key it.
func who(v chat.Viewer) chat.Viewer { return chat.Viewer{Platform: v.Platform, ID: v.ID} }

// trusted reports whether somebody vouches for who has the roles.
func trusted(r chat.Roles) bool {
	return r.Has(chat.Subscriber | chat.VIP | chat.Moderator | chat.Owner)
}
