package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	irc "github.com/gempir/go-twitch-irc/v4"

	"hawker/commerce"
	"hawker/connectors/twitch"
	"hawker/internal/bench/talk"
	"hawker/internal/chat"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// RulesOptions say how reading and deciding is measured.
type RulesOptions struct {
	// Lines is a file with raw lines of Twitch's chat server, mixed into the everyday chat; lines that begin with "# " are notes.
	// Empty means none.
	Lines string
	// Each is how long each of a case's three measures computes in each of rulesRounds rounds, rulesEach when zero.
	Each time.Duration
	// JSON prints one object a case instead of a table.
	JSON bool
}

// What a run does without being told.
const (
	rulesEach   = 60 * time.Millisecond
	rulesRounds = 13
	rulesLines  = 4096 // a run goes round them
	slowest     = 2    // how much longer a measure may take than it computes, on a machine that has other things to do
)

// RulesCase is one line of the result.
type RulesCase struct {
	Rules int      `json:"rules"`
	Mix   talk.Mix `json:"mix"`
	// PerS is how many messages a second are read as a command and decided about; BareParsePerS how many the library parses that
	// most bots are written with; Ratio the one by the other, in the median round.
	PerS          float64 `json:"msgs_per_s"`
	BareParsePerS float64 `json:"bare_parse_per_s"`
	Ratio         float64 `json:"ratio"`
	// Allocs is for a message on the average, QuietAllocs for the worst of those in which no rule fired.
	Allocs      float64 `json:"allocs_per_msg"`
	QuietAllocs float64 `json:"quiet_allocs_per_msg"`
	// Path is how fast the connector (with the library in it) and all behind it are, by the library's parse alone.
	Path  float64 `json:"path_ratio"`
	Fired float64 `json:"fired_per_msg"`
}

// Rules measures what a line of chat costs from its text to what rules want done, on one core, beside the bare parse of the same
// lines by go-twitch-irc, and writes the result to out.
func Rules(ctx context.Context, o RulesOptions, out io.Writer) error {
	cases, err := RunRules(ctx, o)
	if err != nil {
		return err
	}
	if o.JSON {
		e := json.NewEncoder(out)
		for _, c := range cases {
			if err := e.Encode(c); err != nil {
				return err
			}
		}
		return nil
	}
	return rulesTable(out, cases)
}

// RunRules is Rules without the printing.
func RunRules(ctx context.Context, o RulesOptions) ([]RulesCase, error) {
	if o.Each == 0 {
		o.Each = rulesEach
	}
	real, err := realLines(o.Lines)
	if err != nil {
		return nil, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var all []*reading
	for _, m := range []talk.Mix{talk.Everyday, talk.Buy} {
		lines := talk.Lines(rulesLines, m, 1)
		if m == talk.Everyday {
			for i, l := range real { // among the others
				lines[i*len(lines)/len(real)] = l
			}
		}
		for _, n := range []int{10, 100, 1000} {
			r, err := newReading(n, lines)
			if err != nil {
				return nil, err
			}
			r.Rules, r.Mix = n, m
			all = append(all, r)
		}
	}
	for _, r := range all {
		r.allocs()
	}
	for range rulesRounds {
		for _, r := range all {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			r.round(o.Each)
		}
	}
	cases := make([]RulesCase, len(all))
	for i, r := range all {
		r.PerS, r.BareParsePerS, r.Ratio, r.Path = median(r.ours), median(r.bare), median(r.ratio), median(r.path)
		cases[i] = r.RulesCase
	}
	return cases, nil
}

func median(all []float64) float64 {
	s := slices.Sorted(slices.Values(all))
	return s[len(s)/2]
}

func rulesTable(out io.Writer, cases []RulesCase) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "rules\tmix\tmessages/s\tbare parse/s\tratio\tallocs/message\tallocs where none fires\twhole path\tfired/message\t")
	for _, c := range cases {
		fmt.Fprintf(w, "%d\t%s\t%.0f\t%.0f\t%.1fx\t%.2f\t%.2f\t%.2fx\t%.3f\t\n", c.Rules, c.Mix, c.PerS, c.BareParsePerS, c.Ratio, c.Allocs, c.QuietAllocs, c.Path, c.Fired)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	ten, hundred, thousand, buy := &cases[0], &cases[1], &cases[2], &cases[4]
	path := cases[0].Path
	quiet := 0.0
	for _, c := range cases {
		path, quiet = min(path, c.Path), max(quiet, c.QuietAllocs)
	}
	_, err := fmt.Fprintf(out, `
100 rules, everyday / bare parse         %6.1fx
100 rules, every line claims / bare      %6.1fx
time of 1,000 rules / 10 rules           %6.2fx
whole path / the library alone, worst    %6.2fx
allocations where nothing fires, worst   %6.1f
`, hundred.Ratio, buy.Ratio, ten.PerS/thousand.PerS, path, quiet)
	return err
}

// realLines are the viewers' lines of a file.
func realLines(name string) (lines []string, err error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if l := s.Text(); l != "" && !strings.HasPrefix(l, "# ") && said(l) != nil {
			lines = append(lines, l)
		}
	}
	if s.Err() == nil && (len(lines) == 0 || len(lines) > rulesLines) {
		return nil, fmt.Errorf("%s: %d lines of viewers; want 1 to %d", name, len(lines), rulesLines)
	}
	return lines, s.Err()
}

// said is a viewer's line as the library reads it, nil when it is none, or one on which the library panics.
func said(line string) (m *irc.PrivateMessage) {
	defer func() {
		if recover() != nil {
			m = nil
		}
	}()
	m, _ = irc.ParseMessage(line).(*irc.PrivateMessage)
	return m
}

// reading is a case under way: a merchant with so many rules, who hears lines.
type reading struct {
	RulesCase
	lines   []string
	heard   []heardLine
	grammar *rules.Grammar
	book    *book.Book
	counts  map[book.Key]book.Count
	facts   facts.Facts
	in      book.Input
	result  book.Result
	now     time.Time
	sink    irc.Message
	one     heardLine
	fired   int

	ours, bare, ratio, path []float64
}

// heardLine is what a connector hands on of a line.
type heardLine struct {
	id, text string
	channel  chat.Channel
	viewer   chat.Viewer
	roles    chat.Roles
	bits     int
	first    bool
}

func newReading(n int, lines []string) (*reading, error) {
	r := &reading{lines: lines, counts: map[book.Key]book.Count{}, now: time.Unix(1_790_000_000, 0).UTC()}
	all := benchRules(n)
	b, err := book.New(all, book.Options{})
	if err != nil {
		return nil, err
	}
	l := benchLineup()
	r.book, r.grammar = b, rules.NewGrammar(&l, rules.Options{Language: "en", Custom: b.Commands()})
	for _, line := range lines {
		m := said(line)
		if m == nil {
			return nil, fmt.Errorf("the library does not read %q", line)
		}
		r.heard = append(r.heard, hearing(m))
	}
	r.facts.Counters, r.facts.Vars = map[string]int64{}, map[string]string{}
	r.facts.Load = func(f *facts.Facts, p facts.Part) {
		if p&facts.OfPerson != 0 {
			f.Person.Known = true
		}
		if p&facts.OfShow != 0 {
			it := &l.Items[2]
			f.Show = facts.Show{ID: 1, Title: "Spring", Live: true}
			f.Item = facts.Item{Number: it.Number, Title: it.Product.Title, Price: it.Product.Variants[0].Price}
			f.Stock = facts.Stock{Known: true, Left: 7}
		}
	}
	r.in = book.Input{Event: rule.Line, Facts: &r.facts, Counter: func(k book.Key) book.Count { return r.counts[k] }}
	return r, nil
}

// hearing is what is taken from the library's message.
func hearing(m *irc.PrivateMessage) heardLine {
	h := heardLine{
		id: m.ID, text: m.Message, channel: chat.Channel{Platform: chat.Twitch, ID: m.RoomID},
		viewer: chat.Viewer{Platform: chat.Twitch, ID: m.User.ID, Name: m.User.DisplayName}, bits: m.Bits, first: m.FirstMessage,
	}
	for role, has := range map[chat.Roles]bool{chat.Moderator: m.User.IsMod, chat.VIP: m.User.IsVip, chat.Owner: m.User.IsBroadcaster} {
		if has {
			h.roles |= role
		}
	}
	if m.Tags["subscriber"] == "1" {
		h.roles |= chat.Subscriber
	}
	return h
}

// decide reads a line and decides about it, as live does.
func (r *reading) decide(h *heardLine) {
	r.now = r.now.Add(40 * time.Millisecond)
	c := r.grammar.Parse(h.text, rules.Context{OnAir: 3})
	f := &r.facts
	f.Reset()
	f.Message.ID, f.Message.Text, f.Message.Bits, f.Message.First = h.id, h.text, h.bits, h.first
	f.Channel, f.Viewer.Viewer, f.Viewer.Roles, f.Viewer.Shown = h.channel, h.viewer, h.roles, h.viewer.Name
	r.in.Command, r.in.Now = c, r.now
	r.in.Seed++
	r.book.Decide(&r.in, &r.result)
	r.fired += len(r.result.Fired)
	for _, x := range r.result.Counts {
		r.counts[x.Key] = x.Count
	}
}

// round measures for a while the library, ours, and the whole path from the chat server's line to the decision.
func (r *reading) round(each time.Duration) {
	bare := perS(each, len(r.lines), func(i int) { r.sink = irc.ParseMessage(r.lines[i]) })
	both := perS(each, len(r.lines), func(i int) {
		e, ok := twitch.Line(r.lines[i], r.now)
		if !ok {
			return
		}
		m := &e.Message
		r.one = heardLine{id: m.ID, text: m.Text, channel: m.Channel, viewer: m.Viewer, roles: m.Roles, bits: m.Bits, first: r.heard[i].first}
		r.decide(&r.one)
	})
	ours := perS(each, len(r.heard), func(i int) { r.decide(&r.heard[i]) })
	r.bare, r.ours, r.ratio, r.path = append(r.bare, bare), append(r.ours, ours), append(r.ratio, ours/bare), append(r.path, both/bare)
}

// perS is how often f is done in a second of computing; it is asked for 0 to n-1, again and again.
func perS(each time.Duration, n int, f func(int)) float64 {
	runtime.GC()
	wall := time.Now()
	start := cpuTime(wall)
	for done := 0; ; {
		for range 256 {
			f(done % n)
			done++
		}
		if d := cpuTime(wall) - start; d >= each || d > 0 && time.Since(wall) > slowest*each {
			return float64(done) / d.Seconds()
		}
	}
}

// allocs counts what messages cost in memory, those apart in which nothing fires.
func (r *reading) allocs() {
	for i := range r.heard { // what is made once is made
		r.decide(&r.heard[i])
	}
	r.fired = 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range r.heard {
		r.decide(&r.heard[i])
	}
	runtime.ReadMemStats(&after)
	r.Allocs, r.Fired = float64(after.Mallocs-before.Mallocs)/float64(len(r.heard)), float64(r.fired)/float64(len(r.heard))
	var quiet []int
	for i := range r.heard {
		if r.decide(&r.heard[i]); len(r.result.Looks) == 0 && r.in.Command.Name == rules.Chat {
			quiet = append(quiet, i)
		}
	}
	for chunk := range slices.Chunk(quiet, 64) { // one of which is not hidden by thousands of others
		runtime.ReadMemStats(&before)
		for _, i := range chunk {
			r.decide(&r.heard[i])
		}
		runtime.ReadMemStats(&after)
		r.QuietAllocs = max(r.QuietAllocs, float64(after.Mallocs-before.Mallocs)/float64(len(chunk)))
	}
}

// benchLineup is what the show sells.
func benchLineup() commerce.Lineup {
	l := commerce.Lineup{OnAir: 3}
	for i := range 24 {
		p := commerce.Product{ID: commerce.ID(i + 1), Title: fmt.Sprint("Piece ", i+1), Variants: []commerce.Variant{{ID: commerce.ID(100 * (i + 1)), Price: commerce.Money{Minor: 1900, Currency: "EUR"}}}}
		if i%4 == 3 {
			p.Options, p.Variants = []string{"Size", "Colour"}, nil
			for k, size := range []string{"S", "M", "L"} {
				for j, colour := range []string{"Blue", "Sand"} {
					p.Variants = append(p.Variants, commerce.Variant{ID: commerce.ID(100*(i+1) + 10*k + j), Options: []string{size, colour}, Price: commerce.Money{Minor: 2900, Currency: "EUR"}})
				}
			}
		}
		l.Items = append(l.Items, commerce.Item{Number: i + 1, Product: p})
	}
	return l
}
