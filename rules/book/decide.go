package book

import (
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"

	"hawker/rules"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// maxLine is how much of a line is read, in bytes. Twitch takes 500 characters, YouTube 200, Discord 2,000 (4,000 from who pays
// it).
const maxLine = 4000

// scratch is the memory of one Decide after another.
type scratch struct {
	folder rules.Folder
	runner facts.Runner
	text   string
	folded []byte // of text, when isFolded
	isFold bool
	hits   []int32
	marks  []uint32 // by rule: the message in which it was hit last
	mark   uint32
	work   int
	person string
	now    own
	found  func(p, end int32)
	plain  bool // the text is ASCII and not folded
	book   *Book
	drawn  uint64
	seed   uint64
}

// own are the merchant's counters and variables as they stand during one Decide.
type own struct {
	out *Result
	f   *facts.Facts
}

func (o *own) Counter(name string) int64 {
	for i := len(o.out.Settings) - 1; i >= 0; i-- {
		if s := &o.out.Settings[i]; s.Name == name && s.Number {
			return s.N
		}
	}
	return o.f.Counters[name]
}

func (o *own) Var(name string) string {
	for i := len(o.out.Settings) - 1; i >= 0; i-- {
		if s := &o.out.Settings[i]; s.Name == name && !s.Number {
			return s.Text
		}
	}
	return o.f.Vars[name]
}

// Decide says what the rules want done about one thing that happened. A line that no rule waits for costs no memory.
func (b *Book) Decide(in *Input, out *Result) {
	out.Effects, out.Counts, out.Settings, out.Looks, out.Fired = out.Effects[:0], out.Counts[:0], out.Settings[:0], out.Looks[:0], out.Fired[:0]
	out.Stopped, out.Cut = false, false
	s := &out.scratch
	s.begin(b, in)
	f := in.Facts
	if in.Event == rule.Line && in.Command.Name == rules.Custom {
		f.Message.Word, f.Message.Args = in.Command.Word, in.Command.Arg
	}
	b.match(in, s)
	hits := s.hits
	if in.Trace {
		hits = b.traced(in, s)
	}
	if len(hits) == 0 {
		return
	}
	f.At = in.Now.In(b.zone)
	f.Chance = int(mix(in.Seed, 0)%100) + 1
	s.now = own{out, f}
	s.runner.Steps = MaxSteps
	for _, i := range hits {
		r := &b.rules[i]
		if out.Stopped || out.Cut {
			why := "a rule before it stopped the others"
			if out.Cut {
				why = "not looked at: what one message may cause was used up before"
			}
			out.look(r, false, why)
			continue
		}
		if why := b.missed(in, s, r); why != "" {
			out.look(r, false, why)
			continue
		}
		b.decide(in, out, r)
	}
	s.book, s.text, s.now = nil, "", own{}
}

func (s *scratch) begin(b *Book, in *Input) {
	if s.book = b; len(s.marks) < len(b.rules) {
		s.marks, s.mark = make([]uint32, len(b.rules)), 0
	}
	if s.mark++; s.mark == 0 {
		clear(s.marks)
		s.mark = 1
	}
	s.hits, s.isFold, s.folded, s.work, s.person, s.text = s.hits[:0], false, nil, MaxWork, "", ""
	if in.Event == rule.Line {
		s.text = in.Facts.Message.Text
		if len(s.text) > maxLine {
			s.text = s.text[:maxLine]
		}
	}
}

func (s *scratch) hit(i int32) {
	if s.marks[i] != s.mark {
		s.marks[i] = s.mark
		s.hits = append(s.hits, i)
	}
}

func (s *scratch) hitAll(list []int32) {
	for _, i := range list {
		s.hit(i)
	}
}

// fold is the line as words and patterns are read in it.
func (s *scratch) fold() []byte {
	if !s.isFold {
		s.folded, s.isFold = s.folder.Fold(s.text), true
	}
	return s.folded
}

// match finds the rules whose When holds, but for what missed asks of each.
func (b *Book) match(in *Input, s *scratch) {
	switch {
	case in.Rule != 0:
		if i, ok := b.byID[in.Rule]; ok && b.rules[i].When.Event == in.Event {
			s.hit(i)
		}
	case in.Event == rule.Line:
		b.matchLine(in, s)
	default:
		s.hitAll(b.byEvent[in.Event])
	}
	if len(s.hits) == 0 {
		return
	}
	if !in.Try {
		s.hits = slices.DeleteFunc(s.hits, func(i int32) bool { return b.rules[i].Off })
	}
	slices.Sort(s.hits)
}

func (b *Book) matchLine(in *Input, s *scratch) {
	if len(b.lines) == 0 {
		return
	}
	if in.Command.Name == rules.Custom {
		s.hitAll(b.commands[in.Command.Word])
	}
	m := &in.Facts.Message
	if m.First {
		s.hitAll(b.firsts)
	}
	if m.Bits > 0 {
		s.hitAll(b.cheers)
	}
	if m.Paid.Minor != 0 {
		s.hitAll(b.supers)
	}
	if b.words != nil {
		if s.found == nil {
			s.found = s.word
		}
		s.plain = true
		if !scan(b.words, s.text, false, s.found) {
			s.plain = false
			scan(b.words, s.fold(), true, s.found)
		}
	} else if len(b.always) > 0 {
		s.plain = ascii(s.text)
	}
	for _, n := range b.always {
		if !s.plain || b.rules[n].must.mayMatch(s.text) { // what is not of ASCII may be folded to anything
			s.hit(n)
		}
	}
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// word notes the rule of a pattern whose prefix stands in the line.
func (s *scratch) word(p, end int32) {
	w := &s.book.words.words[p]
	if s.marks[w.rule] == s.mark {
		return
	}
	ok := false
	if s.plain {
		ok = verify(w, s.text, int(end))
	} else {
		ok = verify(w, s.folded, int(end))
	}
	if ok {
		s.hit(w.rule)
	}
}

// traced are all rules of the events that this could be, whether they matched or not.
func (b *Book) traced(in *Input, s *scratch) []int32 {
	list := b.byEvent[in.Event]
	if in.Event == rule.Line {
		list = b.lines
	}
	if in.Rule != 0 {
		list = s.hits
	}
	var out []int32
	for _, i := range list {
		if in.Try || !b.rules[i].Off {
			out = append(out, i)
		}
	}
	return out
}

// missed says why a rule's When does not hold after all; empty when it does.
func (b *Book) missed(in *Input, s *scratch, r *compiled) string {
	w := &r.When
	if s.marks[r.index] != s.mark {
		return "when: " + unmatched(w)
	}
	f := in.Facts
	switch w.Event {
	case rule.Matches:
		text := s.fold()
		if s.work -= len(text) * r.cost; s.work < 0 {
			return "stopped: the patterns of all rules together took more than one message has"
		}
		if !r.must.in(text) || !r.pattern.Match(text) {
			return "when: the line does not match the pattern"
		}
	case rule.StockAt:
		if f.Stock.Left < 0 || f.Stock.Before >= 0 && f.Stock.Before <= w.Left || f.Stock.Left > w.Left {
			return "when: stock did not go down to " + strconv.FormatInt(w.Left, 10)
		}
	case rule.Redeemed, rule.PollEnded, rule.DestinationDown, rule.DestinationUp, rule.Webhook:
		if w.Title != "" && rules.Fold(w.Title) != rules.Fold(f.Support.Title) {
			return "when: it is " + strconv.Quote(facts.Clean(f.Support.Title)) + ", not " + strconv.Quote(w.Title)
		}
	}
	return ""
}

// decide asks the conditions of a rule that matched, and does what it says when they hold.
func (b *Book) decide(in *Input, out *Result, r *compiled) {
	s := &out.scratch
	in.Facts.Need(r.need)
	s.seed, s.drawn = mix(in.Seed, r.key()), 0
	if s.runner.Dice == nil {
		s.runner.Dice = func(n int) int {
			s.drawn++
			return int(mix(s.seed, s.drawn)%uint64(n)) + 1
		}
	}
	if why := r.unless(in.Facts, b.zone); why != "" {
		out.look(r, false, why)
		return
	}
	if why := r.often(in, s); why != "" {
		out.look(r, false, why)
		return
	}
	if c := r.Only.Chance; c > 0 && s.seed%100 >= uint64(c) {
		out.look(r, false, "only if: the chance of "+strconv.Itoa(c)+" in 100 did not come")
		return
	}
	if r.expr != nil {
		if why := condition(s, r.expr, in.Facts); why != "" {
			out.look(r, false, "only if: "+why)
			return
		}
	}
	done, why := r.act(in, out)
	if !done {
		if why == "" {
			why = "then: no action's if holds"
		}
		out.look(r, false, why)
		return
	}
	r.count(in, out)
	out.Fired = append(out.Fired, int(r.index))
	out.look(r, true, why)
}

// key is what sets the draws of a rule apart from those of others.
func (r *compiled) key() uint64 {
	if r.ID != 0 {
		return uint64(r.ID)
	}
	return uint64(r.index) + 1
}

// mix is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) over a seed and a number.
func mix(seed, n uint64) uint64 {
	z := seed + (n+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// condition says why an expression does not hold; empty when it does.
func condition(s *scratch, x *facts.Expr, f *facts.Facts) string {
	if name := x.Missing(f); name != "" {
		return name + " is not known"
	}
	v, err := s.runner.Run(x, f, &s.now)
	switch {
	case errors.Is(err, facts.ErrSteps):
		return "the expression was stopped: " + err.Error()
	case err != nil:
		return "the expression failed: " + err.Error()
	case v != true:
		return "the expression " + x.String() + " is not true"
	}
	return ""
}

func (out *Result) look(r *compiled, fired bool, why string) {
	out.Looks = append(out.Looks, Look{Rule: r.ID, Name: r.Name, Index: int(r.index), Fired: fired, Why: why})
}

// Needs are the parts of facts that rules which match in name, so that live can read them for many lines at once. It is cheap
// where no rule of such an event names any.
func (b *Book) Needs(in *Input, out *Result) facts.Part {
	if in.Event == rule.Line && b.needs == 0 {
		return 0
	}
	s := &out.scratch
	s.begin(b, in)
	b.match(in, s)
	var need facts.Part
	for _, i := range s.hits {
		need |= b.rules[i].need
	}
	s.book, s.text = nil, ""
	return need
}
