// Package replay runs a recorded show again, under the rules that were in force then and under others, and says what would have been
// different. It is the show's own grammar, rules and till, in memory, twice; it talks to nobody and reads no clock: the same
// recording, rules and options give the same Result for ever, byte for byte.
//
// What is recorded is the chat log (each line with what its viewer saw and what became of it) and the merchant's ledger. From the
// ledger comes what no line did: forms, payments, the host's page, readings of the store. The pieces that were there, whoever had
// them, are followed as one figure, the supply: what it gained or lost in the show, by the store's readings or the merchant's
// hand, it gains and loses in the replay at the same moment. A payment is made by whoever made it, when it was made, of what the
// same viewer holds in the replay.
package replay

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/clock"
	"hawker/internal/live/lines"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/rule"
)

// Line is a line as it was logged.
type Line = lines.Line

// Most is how many differences a Result shows, of lines and of what is no line.
const (
	MostChanges = 500
	MostBesides = 100
)

// Options are what is tried beside other rules. They hold for the show as it would have been, not for how it was.
type Options struct {
	// Extra are pieces more, or with a minus fewer, of variants from the beginning.
	Extra map[commerce.ID]int64
	// Hold is how long every hold lasts, whatever show and items say; 0 leaves it to them.
	Hold time.Duration
}

// Recording is a show as it was recorded. Fill the fields, give the ledger to Enter, and Run.
type Recording struct {
	Show     commerce.Show    // with its lineup, as it is stored
	Stock    []commerce.Stock // as it is stored; what is kept back is read from it
	Language string
	// Names are commands with words of the merchant's own, beside the usual ones; see rules.AlsoCalled.
	Names map[rules.Name][]string
	// Aliases are the merchant's other names for values of variants.
	Aliases map[string][]string
	Zone    *time.Location
	// Rules gives the rules that were in force, by the version that lines name; kept is false where that one is kept no more and
	// others stand in.
	Rules func(version int64) (all []rule.Rule, kept bool, err error)
	Words Words
	// Lines is how many lines there are, as far as it is known; for progress.
	Lines int

	past
	names     map[chat.Viewer]string
	spoke     map[chat.Viewer]bool // people, of whom names are known too
	onAirThen int
}

// Words are how the merchant's texts call things.
type Words struct {
	Name func(name string) string           // of a viewer
	Link string                             // the show's page
	Item func(it *commerce.ItemView) string // in words, with its price and how many are left
}

// Answer is what became of a line, or of something else.
type Answer struct {
	Reason  commerce.Reason   `json:"reason,omitzero"`
	Number  int               `json:"item,omitzero"`
	Title   string            `json:"title,omitzero"`
	Label   string            `json:"label,omitzero"`
	Holding int               `json:"holding,omitzero"`
	Waiting int               `json:"waiting,omitzero"`
	Place   int               `json:"place,omitzero"`
	Said    []string          `json:"said,omitzero"`  // by rules
	Did     []rule.ActionKind `json:"did,omitzero"`   // by rules, beside replies, lines and shout-outs
	Fired   []string          `json:"fired,omitzero"` // rules by name

	own commerce.Reason // of the line, whatever rules claimed because of it
}

// same reports whether two answers are the same to people. Which rules gave them does not matter.
func (a *Answer) same(b *Answer) bool {
	return a.Reason == b.Reason && a.Number == b.Number && a.Title == b.Title && a.Label == b.Label && a.Holding == b.Holding && a.Waiting == b.Waiting &&
		a.Place == b.Place && slices.Equal(a.Said, b.Said) && slices.Equal(a.Did, b.Did)
}

// copied is a with lists of its own.
func (a Answer) copied() Answer {
	a.Said, a.Did, a.Fired = slices.Clone(a.Said), slices.Clone(a.Did), slices.Clone(a.Fired)
	return a
}

// Change is a line that was claimed or answered in another way.
type Change struct {
	At      time.Time    `json:"at"`
	Channel chat.Channel `json:"channel"`
	Viewer  chat.Viewer  `json:"viewer"`
	Text    string       `json:"text"`
	Before  Answer       `json:"before"`
	After   Answer       `json:"after"`
}

// Happened is something that is no line, with what rules made of it.
type Happened struct {
	At     time.Time   `json:"at"`
	Event  rule.Event  `json:"event"`
	Rule   commerce.ID `json:"rule,omitzero"` // of the clock: to which it happened
	Viewer chat.Viewer `json:"viewer,omitzero"`
	Number int         `json:"item,omitzero"`
	Before Answer      `json:"before"`
	After  Answer      `json:"after"`

	answer Answer
}

// RuleCount is how often a rule fired.
type RuleCount struct {
	Rule   commerce.ID `json:"rule"`
	Name   string      `json:"name"`
	Before int         `json:"before"`
	After  int         `json:"after"`
	Was    bool        `json:"was"` // it was there in the show
	Is     bool        `json:"is"`  // it is there in the edited rules
}

// Pieces is what became of a variant's pieces.
type Pieces struct {
	Supply  int64 `json:"supply"`  // at the end, whoever has them; -1 when there is no end of them
	Given   int   `json:"given"`   // set aside, all in all; what came back and was set aside again counts twice
	Peak    int64 `json:"peak"`    // set aside and sold at one time, at most
	Held    int   `json:"held"`    // at the end
	Sold    int   `json:"sold"`    // at the end
	Waiting int   `json:"waiting"` // at the end
	Expired int   `json:"expired"` // of holds that ended unpaid
}

// Piece is a variant of the show's lineup with what became of it.
type Piece struct {
	Number  int         `json:"item"`
	Title   string      `json:"title"`
	Label   string      `json:"label,omitzero"`
	Variant commerce.ID `json:"variant"`
	Before  Pieces      `json:"before"`
	After   Pieces      `json:"after"`
}

// Result is what would have been different.
type Result struct {
	Show  commerce.ID `json:"show"`
	Title string      `json:"title"`
	From  time.Time   `json:"from"`
	To    time.Time   `json:"to"`
	Lines int         `json:"lines"`
	Rules []RuleCount `json:"rules"` // the edited ones in their order, then those that are gone
	// Changed counts the lines that were claimed or answered differently; Changes are the first of them. More and Besides are the
	// same for what is no line.
	Changed int        `json:"changed"`
	Changes []Change   `json:"changes"`
	More    int        `json:"more"`
	Besides []Happened `json:"besides"`
	Stock   []Piece    `json:"stock"`
	// Strayed counts the lines that are decided otherwise than they were, under the same rules.
	Strayed int `json:"strayed"`
	// Lacks says what is not recorded, so that the result may be wrong about it.
	Lacks []string `json:"lacks"`
}

// every is after how many lines progress is told and an end asked for.
const every = 1000

// replaying is a replay under way.
type replaying struct {
	*Recording
	before, after *world
	edited        []rule.Rule
	books         map[int64]*book.Book
	version       int64 // of the rules in force in before
	then          map[commerce.ID]string
	result        Result
	clocks        map[chat.Channel]*clock.Offset
	next          int     // of happens
	found         int     // lines that stand in the ledger
	older         bool    // some lines are of an older form
	replaced      []int64 // versions of rules that are kept no more
	step          []*heard
}

// Run replays the lines of the show, in the order in which they were logged. Its error is ctx's, that of lines, or a *rule.Error of
// the edited rules. progress may be nil.
func (r *Recording) Run(ctx context.Context, all iter.Seq2[*Line, error], edited []rule.Rule, o Options, progress func(done, of int)) (Result, error) {
	x := &replaying{Recording: r, edited: identified(edited), books: map[int64]*book.Book{}, version: -1, then: map[commerce.ID]string{}, clocks: map[chat.Channel]*clock.Offset{}}
	r.names, r.spoke = map[chat.Viewer]string{}, map[chat.Viewer]bool{}
	r.settle()
	slices.SortStableFunc(r.happens, func(a, b happening) int { return cmp.Compare(a.seq, b.seq) })
	x.result = Result{Rules: []RuleCount{}, Changes: []Change{}, Besides: []Happened{}, Stock: []Piece{}}
	x.before, x.after = newWorld(r, nil, 0), newWorld(r, o.Extra, o.Hold)
	b, err := book.New(x.edited, book.Options{Zone: r.Zone, Grammar: rules.Options{Language: r.Language}})
	if err != nil {
		return Result{}, err
	}
	x.after.use(b)
	tell := func(done int) {
		if progress != nil {
			progress(min(done, max(r.Lines, done)), max(r.Lines, done))
		}
	}
	var turn []*Line
	for l, err := range all {
		if err != nil {
			return Result{}, err
		}
		if len(turn) > 0 && !l.Decided.Equal(turn[0].Decided) {
			if err := x.take(turn); err != nil {
				return Result{}, err
			}
			turn = turn[:0]
		}
		turn = append(turn, l)
		if x.result.Lines++; x.result.Lines%every == 0 {
			if err := ctx.Err(); err != nil {
				return Result{}, err
			}
			tell(x.result.Lines)
		}
	}
	if err := x.take(turn); err != nil {
		return Result{}, err
	}
	if x.result.Lines > 0 {
		x.until(nil)
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	x.finish()
	r.Lines = x.result.Lines
	tell(r.Lines)
	return x.result, nil
}

// identified gives rules without an id one of their own, the same each time.
func identified(all []rule.Rule) []rule.Rule {
	out := slices.Clone(all)
	used := map[commerce.ID]bool{}
	for i := range out {
		used[out[i].ID] = true
	}
	next := commerce.ID(1 << 62)
	for i := range out {
		for out[i].ID == 0 {
			if next++; !used[next] {
				out[i].ID = next
			}
		}
	}
	return out
}

func (x *replaying) both(f func(w *world)) {
	f(x.before)
	f(x.after)
}

// rulesOf puts the rules of a version into force, as they were in the show.
func (x *replaying) rulesOf(version int64) error {
	if version == x.version {
		return nil
	}
	x.version = version
	b := x.books[version]
	if b == nil {
		all, kept, err := x.Recording.Rules(version)
		if err != nil {
			return err
		}
		if !kept {
			x.replaced = append(x.replaced, version)
		}
		b, _ = book.Load(all, book.Options{Zone: x.Zone, Grammar: rules.Options{Language: x.Language}}) // as live does
		x.books[version] = b
	}
	for _, r := range b.Rules() {
		x.then[r.ID] = r.Name
	}
	x.before.use(b)
	return nil
}

// take replays the lines that were decided at one time. Their order in one channel is that of the log; over channels it is that of
// the ledger.
func (x *replaying) take(turn []*Line) error {
	if len(turn) == 0 {
		return nil
	}
	now := turn[0].Decided
	if err := x.rulesOf(turn[0].Rules); err != nil {
		return err
	}
	if x.result.From.IsZero() {
		x.result.From = now
		x.both(func(w *world) { w.begin(); w.start(x.started) })
		x.beside()
	}
	x.result.To = now
	for _, l := range x.ordered(turn) {
		x.until(l)
		x.step = append(x.step, x.shared(l))
	}
	x.flush(now)
	return nil
}

// placeOf is where a line stands in the ledger, 0 where it decided nothing.
func (x *replaying) placeOf(l *Line) int64 {
	h := heard{line: l}
	k := h.key()
	k.Part = 0
	if l.Message.Edited {
		return 0
	}
	return x.place[k]
}

// ordered puts lines of several channels into order.
func (x *replaying) ordered(turn []*Line) []*Line {
	var order []chat.Channel
	of := map[chat.Channel][]*Line{}
	for _, l := range turn {
		c := l.Message.Channel
		if of[c] == nil {
			order = append(order, c)
		}
		of[c] = append(of[c], l)
	}
	if len(order) == 1 {
		return turn
	}
	out := make([]*Line, 0, len(turn))
	for len(out) < len(turn) {
		best, at := chat.Channel{}, int64(0)
		for _, c := range order {
			if len(of[c]) == 0 {
				continue
			}
			p := x.placeOf(of[c][0])
			if best.ID == "" || p < at {
				best, at = c, p
			}
		}
		out = append(out, of[best][0])
		of[best] = of[best][1:]
	}
	return out
}

// shared is what both worlds know of a line.
func (x *replaying) shared(l *Line) *heard {
	m := &l.Message
	h := &heard{line: l}
	if x.placeOf(l) > 0 {
		x.found++
	}
	person := !m.Own && !m.Bot
	v := who(m.Viewer)
	if l.V < lines.Version {
		x.older = true
		h.first = person && !x.spoke[v]
	} else {
		h.first = l.Facts != nil && l.Facts.First
	}
	if person {
		x.spoke[v], x.names[v] = true, m.Viewer.Name
	}
	c := x.clocks[m.Channel]
	if c == nil {
		c = &clock.Offset{}
		x.clocks[m.Channel] = c
	}
	if !m.Edited && !m.Recovered {
		c.Add(m.Sent, m.Received)
	}
	h.old = l.Reason == commerce.TooOld || l.Decided.Sub(c.Ours(m.Sent)) > tooOld && m.Channel.Platform != chat.Room
	return h
}

// tooOld is the age past which a line never claims (package live).
const tooOld = 120 * time.Second

// until replays what happened before a line; with nil all that is left.
func (x *replaying) until(l *Line) {
	for ; x.next < len(x.happens); x.next++ {
		h := &x.happens[x.next]
		if l != nil {
			p := x.placeOf(l)
			if before := p > 0 && h.seq < p || p == 0 && h.at.Before(l.Decided.Truncate(time.Millisecond)); !before {
				return
			}
			x.flush(l.Decided)
		}
		x.both(func(w *world) { w.begin(); w.advance(h.at); w.happens(h) })
		x.beside()
	}
}

// flush replays the lines of a step.
func (x *replaying) flush(now time.Time) {
	if len(x.step) == 0 {
		return
	}
	x.both(func(w *world) { w.begin(); w.advance(now) })
	x.onAirThen = x.before.desk.Show(x.Show.ID).Lineup.OnAir
	x.both(func(w *world) {
		for _, h := range x.step {
			w.hear(now, h)
		}
		w.settle(now)
	})
	for i, h := range x.step {
		x.compare(h.line, &x.before.answers[i], &x.after.answers[i])
	}
	x.step = x.step[:0]
	x.beside()
}

// named are the viewers of a platform who spoke under a name, in whatever case, by their ids.
func (r *Recording) named(p chat.Platform, name string) []chat.Viewer {
	var out []chat.Viewer
	for v, n := range r.names {
		if v.Platform == p && strings.EqualFold(n, name) {
			out = append(out, chat.Viewer{Platform: p, ID: v.ID, Name: n})
		}
	}
	slices.SortFunc(out, func(a, b chat.Viewer) int { return strings.Compare(a.ID, b.ID) })
	return out
}
