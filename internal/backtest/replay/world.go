package replay

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/edits"
	"hawker/internal/live/pace"
	"hawker/internal/live/ruling"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// slack is how late the till lets go of what ended where the recording does not say when it did.
const slack = time.Second

// world is a show as it goes under some rules: a till, a grammar, rules, and what became of each line.
type world struct {
	r       *Recording
	desk    *commerce.Desk
	show    commerce.ID
	ask     *asker
	grammar *rules.Grammar
	pace    pace.Pace
	edits   edits.Edits
	blocked map[chat.Viewer]bool
	where   map[chat.Viewer]chat.Channel // of a viewer's last command
	supply  map[commerce.ID]int64        // by variant, whoever has it
	later   []ruling.Want                // what rules ask of the till, the soonest first
	next    commerce.ID                  // of what rules ask for
	goods   map[commerce.ID]*Pieces
	has     map[commerce.ID]int // pieces of holds
	orders  map[string]bool     // that were told of

	// Of the step under way.
	turn    []*heard
	asks    []commerce.Request
	byKey   map[commerce.Key]*heard
	answers []Answer
	besides []Happened
}

// newWorld is the show before it begins. extra are pieces more by variant, hold replaces all hold times where it is not 0.
func newWorld(r *Recording, extra map[commerce.ID]int64, hold time.Duration) *world {
	w := &world{
		r: r, show: r.Show.ID, blocked: map[chat.Viewer]bool{}, where: map[chat.Viewer]chat.Channel{}, supply: map[commerce.ID]int64{}, goods: map[commerce.ID]*Pieces{},
		has: map[commerce.ID]int{}, orders: map[string]bool{}, byKey: map[commerce.Key]*heard{},
	}
	s := r.Show
	s.State, s.Paused, s.PausedAt, s.Started, s.Ended = commerce.ShowPlanned, false, time.Time{}, time.Time{}, time.Time{}
	s.Lineup.OnAir, s.Lineup.Items = r.onAir, slices.Clone(s.Lineup.Items)
	safety := map[commerce.ID]int64{}
	for i := range r.Stock {
		safety[r.Stock[i].Variant] = r.Stock[i].Safety
	}
	st := commerce.State{}
	if hold > 0 {
		s.Hold = hold
	}
	for i := range s.Lineup.Items {
		it := &s.Lineup.Items[i]
		it.Closed = r.shut[it.Number]
		if hold > 0 {
			it.Hold = 0
		}
		for _, v := range it.Product.Variants {
			if w.goods[v.ID] != nil {
				continue
			}
			f := r.begin[v.ID]
			w.supply[v.ID] = f.Available + extra[v.ID]
			w.goods[v.ID] = &Pieces{}
			st.Stock = append(st.Stock, commerce.Stock{Variant: v.ID, Available: max(0, w.supply[v.ID]), Safety: safety[v.ID], Endless: f.Endless})
		}
	}
	st.Shows = []commerce.Show{s}
	for v := range r.buyers {
		if r.buyers[v].orders > 0 {
			st.Payers = append(st.Payers, string(v.Platform)+":"+v.ID)
		}
	}
	slices.Sort(st.Payers)
	w.desk = commerce.NewDesk(1, st)
	w.ask = newAsker(w, r.started)
	return w
}

// use puts rules into force.
func (w *world) use(b *book.Book) {
	w.ask.use(b)
	l := w.desk.Show(w.show).Lineup
	w.grammar = rules.NewGrammar(&l, rules.Options{Language: w.r.Language, Names: w.r.Names, Aliases: w.r.Aliases, Custom: b.Commands()})
}

// start begins the show.
func (w *world) start(now time.Time) {
	s := *w.desk.Show(w.show)
	s.State = commerce.ShowLive
	w.plan(now, 0, "", commerce.SetShow{Show: s})
	w.ask.baseline(w.desk.Show(w.show))
}

// begin begins a step.
func (w *world) begin() {
	w.turn, w.asks, w.answers, w.besides = w.turn[:0], w.asks[:0], w.answers[:0], w.besides[:0]
	clear(w.byKey)
}

// advance does what the clock asks for before a time.
func (w *world) advance(to time.Time) {
	var last time.Time
	for range 100_000 { // far more than a show's holds can want between two steps
		at, what := to, 0
		if due, ok := w.desk.NextDue(); ok && due.Add(slack).Before(at) {
			at, what = due.Add(slack), 1
		}
		if tick, ok := w.ask.nextTick(); ok && tick.Before(at) {
			at, what = tick, 2
		}
		if len(w.later) > 0 && w.later[0].At.Before(at) {
			at, what = w.later[0].At, 3
		}
		if at.Before(last) {
			at = last
		}
		last = at
		switch what {
		case 0:
			return
		case 1:
			w.plan(at, 0, "", commerce.Expire{})
		case 2:
			w.ask.tick(at, func(h *ruling.Happening, m made) { w.take(at, m, h, nil) })
		case 3:
			w.enact(at)
		}
	}
}

// enact does what rules ask of the till by now.
func (w *world) enact(now time.Time) {
	for len(w.later) > 0 && !now.Before(w.later[0].At) {
		x := w.later[0]
		w.later = w.later[1:]
		if x.Do == rule.Hot {
			w.ask.setHot(x.On, x.For, now)
			continue
		}
		w.next++
		r, _, err := x.Request(w.desk, w.next, now)
		if err != nil { // it would not have been done in the show either
			continue
		}
		w.plan(now, x.Depth, x.Message, r)
	}
}

// take takes in what rules make of something: what they say and do stands in the line's answer, or beside the lines.
func (w *world) take(now time.Time, m made, h *ruling.Happening, line *heard) {
	if len(m.fired) == 0 {
		return
	}
	a := &Answer{}
	if line != nil {
		a = &w.answers[line.at]
	}
	a.Fired = append(a.Fired, m.fired...)
	for i := range m.wants {
		x := &m.wants[i]
		if x.Text != "" {
			a.Said = append(a.Said, strings.ReplaceAll(x.Text, facts.CodeMark, "CODE"))
		}
		switch x.Do {
		case rule.Reply, rule.Say, rule.ShoutOut:
		default:
			a.Did = append(a.Did, x.Do)
		}
		if x.Asks() || x.Do == rule.Hot {
			i, _ := slices.BinarySearchFunc(w.later, x.At, func(y ruling.Want, at time.Time) int { // behind those of its time
				if y.At.After(at) {
					return 1
				}
				return -1
			})
			w.later = slices.Insert(w.later, i, *x)
		}
	}
	if line == nil && h != nil {
		a.Number, a.Title, a.Label = h.Number, h.Title, h.Label
		w.besides = append(w.besides, Happened{At: now, Event: h.Event, Rule: h.Rule, Viewer: h.Viewer, Number: h.Number, answer: *a})
	}
}

// settle decides what the lines of a step asked for, and what rules ask for because of it.
func (w *world) settle(now time.Time) {
	if len(w.asks) > 0 {
		w.plan(now, 0, "", w.asks...)
	}
	w.enact(now)
}

// plan decides requests, and has rules decide about what came of them. depth is how many rounds of rules led to them, message the
// line that a rule asked for.
func (w *world) plan(now time.Time, depth int, message string, reqs ...commerce.Request) {
	b, outs := w.desk.Plan(now, reqs)
	w.desk.Commit()
	w.tally(b)
	for i := range outs {
		o := &outs[i]
		h := w.byKey[o.Key]
		switch {
		case o.What != commerce.Claimed:
		case h != nil:
			a := &w.answers[h.at]
			h.answer(a, o)
			a.own = o.Reason
		case o.Key.Platform == ruling.Platform:
			for _, x := range w.turn { // the line for whose viewer a rule claimed
				if a := &w.answers[x.at]; message != "" && x.line.Message.ID == message && (a.Reason == commerce.Chat || a.Reason == commerce.Question || a.Reason == commerce.Info) {
					x.answer(a, o)
				}
			}
		}
		if !o.Repeat {
			w.ruled(now, depth, o, reqs)
		}
	}
	w.moved(now, depth, outs)
}

// ruled has rules decide about an outcome.
func (w *world) ruled(now time.Time, depth int, o *commerce.Outcome, reqs []commerce.Request) {
	var state commerce.OrderState
	if o.Order != "" {
		for _, r := range reqs {
			if p, ok := r.(commerce.Paid); ok && p.Order.Name == o.Order {
				state = p.Order.State
			}
		}
	}
	h, ok := ruling.OfOutcome(o, state, now)
	switch o.What {
	case commerce.Settled, commerce.Late, commerce.Unfilled, commerce.Undone:
		w.ask.pays(o)
	case commerce.Expired:
		if g := w.goods[o.Variant]; g != nil && o.Reason != commerce.Offered {
			g.Expired += o.Wanted
		}
	}
	if !ok || depth >= ruling.MaxRounds || w.ask.book == nil || !w.ask.book.Waits(h.Event) || o.Show != w.show {
		return
	}
	h.Depth = depth
	h.Viewer.Name = w.r.names[who(h.Viewer)]
	line := w.byKey[o.Key]
	if line != nil {
		h.Roles, h.Message = line.line.Message.Roles, line.line.Message.ID
	}
	if h.Answer.Channel.ID == "" && o.Viewer.ID != "" {
		h.Answer = w.reach(o.Viewer)
	}
	if h.Channel.ID == "" {
		h.Channel = h.Answer.Channel
	}
	w.take(now, w.ask.happened(now, &h), &h, line)
}

// moved has rules decide about items of which fewer pieces are free.
func (w *world) moved(now time.Time, depth int, outs []commerce.Outcome) {
	if depth >= ruling.MaxRounds || w.ask.book == nil || !w.ask.book.Waits(rule.StockAt) {
		return
	}
	s := w.desk.Show(w.show)
	for i := range outs {
		o := &outs[i]
		if o.Show != w.show || i > 0 && outs[i-1].Show == o.Show && outs[i-1].Number == o.Number {
			continue
		}
		if before, left, ok := w.ask.stockMoved(s, o.Number); ok {
			h := ruling.Happening{About: ruling.About{Show: s.ID, Number: o.Number, Depth: depth}, Event: rule.StockAt, Stock: true, Left: left, Before: before}
			w.take(now, w.ask.happened(now, &h), &h, nil)
		}
	}
}

// reach is where a viewer is told what nobody asked for.
func (w *world) reach(v chat.Viewer) chat.Answer {
	if c, ok := w.where[who(v)]; ok {
		return chat.Answer{Kind: chat.ToChannel, Channel: c}
	}
	for _, c := range w.r.Show.Channels {
		if c.Platform == v.Platform {
			return chat.Answer{Kind: chat.ToChannel, Channel: c}
		}
	}
	return chat.Answer{}
}

// tally counts what a batch did with the pieces.
func (w *world) tally(b *commerce.Batch) {
	for i := range b.Holds {
		h := &b.Holds[i]
		n := 0
		if h.State == commerce.StateHeld {
			n = h.Quantity
		}
		if g := w.goods[h.Variant]; g != nil {
			g.Given += max(0, n-w.has[h.ID])
		}
		if n > 0 {
			w.has[h.ID] = n
		} else {
			delete(w.has, h.ID)
		}
	}
	for i := range b.Stock {
		s := &b.Stock[i].To
		if g := w.goods[s.Variant]; g != nil {
			g.Peak = max(g.Peak, s.Held+s.Sold)
		}
	}
}

// pieces says how it stands with a variant at the end.
func (w *world) pieces(v commerce.ID, waiting map[commerce.ID]int) Pieces {
	p := *w.goods[v]
	st, _ := w.desk.Stock(v)
	p.Supply, p.Held, p.Sold, p.Waiting = w.supply[v], int(st.Held), int(st.Sold), waiting[v]
	if st.Endless {
		p.Supply = -1
	}
	return p
}

// waiting are the pieces that are waited for, by variant.
func (w *world) waiting(now time.Time) map[commerce.ID]int {
	out := map[commerce.ID]int{}
	v, _ := w.desk.View(w.show, now)
	for i := range v.Items {
		for k := range v.Items[i].Stock {
			out[v.Items[i].Stock[k].Variant.ID] = v.Items[i].Stock[k].Waiting
		}
	}
	return out
}

// happens does what the recording tells beside lines.
func (w *world) happens(h *happening) {
	key := commerce.Key{Platform: chat.Room, Message: "replay-" + strconv.FormatInt(h.seq, 10)}
	at := h.at
	if h.kind == clockTold || h.kind == unheard { // the ledger has whole milliseconds; what ended in one had ended at its end
		at = at.Add(time.Millisecond)
	}
	do := func(r ...commerce.Request) { w.plan(at, 0, "", r...) }
	switch h.kind {
	case clockTold:
		do(commerce.Expire{})
	case unheard:
		do(commerce.Unheard{Holds: w.open(&h.was)}, commerce.Expire{})
	case goesOnAir:
		do(commerce.Air{Show: w.show, Number: h.number})
	case gate:
		do(commerce.Gate{Show: w.show, Number: h.number, Closed: h.closed})
	case opened:
		do(commerce.Opened{Holds: w.open(&h.was)})
	case drafted:
		if ids := w.open(&h.was); len(ids) > 0 {
			do(commerce.Drafted{Holds: ids, Draft: h.draft, Created: h.at})
		}
	case released:
		for _, id := range w.open(&h.was) {
			do(commerce.Release{Hold: id})
		}
	case wants:
		x := &h.was
		a := commerce.Ask{Key: key, Show: w.show, Viewer: chat.Viewer{Platform: x.viewer.Platform, ID: x.viewer.ID, Name: w.r.names[x.viewer]}, Sent: h.at}
		if n := x.quantity + x.waits; n > 0 {
			do(commerce.Claim{Ask: a, Number: x.number, Variant: x.variant, Quantity: n, Wait: true})
		} else {
			do(commerce.Pass{Ask: a, Number: x.number, Variant: x.variant})
		}
	case paid, undone:
		w.pay(h)
	case supply:
		for _, s := range h.supply {
			if w.goods[s.variant] == nil {
				continue
			}
			w.supply[s.variant] += s.more
			st, _ := w.desk.Stock(s.variant)
			n := w.supply[s.variant] - st.Sold
			do(commerce.SetStock{Variant: s.variant, Available: &n})
		}
	case begins, ends:
		s := *w.desk.Show(w.show)
		if s.State = commerce.ShowEnded; h.kind == begins {
			s.State = commerce.ShowLive
		}
		do(commerce.SetShow{Show: s})
	}
	w.enact(h.at)
}

// find is the hold that stands for a recorded one: of its viewer's of that variant the one that came in the same turn, else the
// oldest that is open, else the last that ended and nobody paid. What is in not is left out.
func (w *world) find(x *pastHold, not []commerce.ID) (found commerce.ID, open bool) {
	page := w.desk.ReceiptOf(w.show, x.viewer)
	if page == 0 {
		return 0, false
	}
	v, _ := w.desk.Receipt(page, time.Time{})
	n := 0
	for i := len(v.Holds) - 1; i >= 0; i-- { // the oldest first
		h := &v.Holds[i]
		if h.Number != x.number || h.Variant != x.variant {
			continue
		}
		mine := n == x.nth
		if n++; slices.Contains(not, h.ID) || h.State == commerce.StatePaid {
			continue
		}
		switch {
		case mine && h.Open():
			return h.ID, true
		case !open:
			found, open = h.ID, h.Open()
		}
	}
	return found, open
}

// open is find for what only open holds are asked, as a list.
func (w *world) open(x *pastHold) []commerce.ID {
	if id, open := w.find(x, nil); open {
		return []commerce.ID{id}
	}
	return nil
}

// pay has an order of the show paid, or taken back. A buyer who holds less than was paid in the show pays for that; who has
// nothing at all pays nothing.
func (w *world) pay(h *happening) {
	o := commerce.Order{Store: h.order.store, Name: h.order.store, State: h.order.state, Total: h.order.total, Created: h.at, Updated: h.at}
	variants := map[string]commerce.ID{}
	add := func(v commerce.ID, n int) {
		o.Lines = append(o.Lines, commerce.OrderLine{Variant: v.String(), Quantity: n})
		variants[v.String()] = v
	}
	known := w.orders[o.Store]
	for i := range h.order.pays {
		x := &h.order.pays[i]
		if x.quantity == 0 {
			continue
		}
		if known {
			add(x.was.variant, x.quantity)
			continue
		}
		id, _ := w.find(&x.was, o.Holds)
		if hold, ok := w.desk.Hold(id); ok {
			o.Holds = append(o.Holds, id)
			add(x.was.variant, min(x.quantity, hold.Quantity))
		}
	}
	if len(o.Lines) > 0 || known {
		w.orders[o.Store] = true
		w.plan(h.at, 0, "", commerce.Paid{Order: o, Variants: variants})
	}
}
