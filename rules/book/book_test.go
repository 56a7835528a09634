package book

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/rules"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// read compiles rules of a text.
func read(t testing.TB, text string) *Book {
	t.Helper()
	all, err := rule.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	for i := range all {
		all[i].ID = commerce.ID(i + 1)
	}
	b, err := New(all, Options{})
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return b
}

// line is a viewer's line.
func line(text string) *Input {
	f := &facts.Facts{
		Message: facts.Message{ID: "m1", Text: text},
		Channel: chat.Channel{Platform: chat.Twitch, ID: "1"},
		Viewer:  facts.Viewer{Viewer: chat.Viewer{Platform: chat.Twitch, ID: "7", Name: "ana"}, Shown: "ana"},
		Show:    facts.Show{ID: 5, Title: "Friday pots", Live: true},
		Item:    facts.Item{Number: 3, Title: "Mug", Tags: []string{"Ash"}},
		Stock:   facts.Stock{Known: true, Left: 4},
	}
	in := &Input{Event: rule.Line, Facts: f, Now: noon, Seed: 1}
	if w, ok := strings.CutPrefix(text, "!"); ok {
		word, args, _ := strings.Cut(w, " ")
		in.Command = rules.Command{Name: rules.Custom, Word: rules.Fold(word), Arg: args}
	}
	return in
}

// told writes a result in one line.
func told(out *Result) string {
	var parts []string
	for _, e := range out.Effects {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s", e.Do, e.Text)))
	}
	for _, s := range out.Settings {
		parts = append(parts, fmt.Sprintf("set %s=%d%s", s.Name, s.N, s.Text))
	}
	return strings.Join(parts, " | ")
}

func looks(out *Result) string {
	var parts []string
	for _, l := range out.Looks {
		s := l.Name
		if l.Fired {
			s += " fired"
		}
		if l.Why != "" {
			s += ": " + l.Why
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "\n")
}

func TestLines(t *testing.T) {
	b := read(t, `
- {name: raffle, when: {command: [raffle, Tombola]}, then: [{reply: "{user} is in: {args}"}]}
- {name: spam, when: {line contains: [free followers, cheap viewers]}, only if: {not roles: [moderator, owner]}, then: [{delete line: yes}, {stop: yes}]}
- {name: links, when: {line matches: 'bit\.ly/\w+'}, then: [{time out: 10s, text: no links}]}
- {name: hello, when: first line, then: [{say: "Welcome {user}!"}]}
- {name: thanks, when: cheer, only if: {amount: "100.."}, then: [{say: "{user} cheered {amount}"}]}
`)
	for _, tt := range []struct {
		text string
		mod  func(*facts.Facts)
		want string
	}{
		{"hello all", nil, ""},
		{"!raffle blue", nil, "reply ana is in: blue"},
		{"!TOMBOLA", nil, "reply ana is in:"},
		{"get FREE  followers at bit.ly/x", nil, "delete line"},
		{"get FREE  followers at bit.ly/x", func(f *facts.Facts) { f.Viewer.Roles = chat.Moderator }, "time out no links"},
		{"ｂｉｔ．ｌｙ/x", nil, "time out no links"},
		{"hi", func(f *facts.Facts) { f.Message.First = true }, "say Welcome ana!"},
		{"hi", func(f *facts.Facts) { f.Message.Bits = 99 }, ""},
		{"hi", func(f *facts.Facts) { f.Message.Bits = 100 }, "say ana cheered 100"},
	} {
		in, out := line(tt.text), &Result{}
		if tt.mod != nil {
			tt.mod(in.Facts)
		}
		b.Decide(in, out)
		if got := told(out); got != tt.want {
			t.Errorf("%q: %q, want %q\n%s", tt.text, got, tt.want, looks(out))
		}
	}
}

func TestWhyNot(t *testing.T) {
	b := read(t, `
- {name: subs, when: {line contains: code}, only if: {roles: [subscriber, vip]}, then: [{reply: hi}]}
- {name: buyers, when: {line contains: code}, only if: {first buyer: yes}, then: [{reply: hi}]}
- {name: late, when: {line contains: code}, only if: {from: "18:00", to: "02:00"}, then: [{reply: hi}]}
- {name: day, when: {line contains: code}, only if: {days: [mon]}, then: [{reply: hi}]}
- {name: tags, when: {line contains: code}, only if: {tags: [blue]}, then: [{reply: hi}]}
- {name: items, when: {line contains: code}, only if: {items: [1, 2]}, then: [{reply: hi}]}
- {name: few, when: {line contains: code}, only if: {stock: "..3"}, then: [{reply: hi}]}
- {name: yt, when: {line contains: code}, only if: {platforms: [youtube]}, then: [{reply: hi}]}
- {name: chance, when: {line contains: code}, only if: {chance: 1}, then: [{reply: hi}]}
- {name: expr, when: {line contains: code}, only if: {expression: left > 10}, then: [{reply: hi}]}
- {name: person, when: {line contains: code}, only if: {expression: orders > 1}, then: [{reply: hi}]}
- {name: slow, when: {line contains: code}, only if: {expression: "all(1..1000, all(1..1000, # > 0))"}, then: [{reply: hi}]}
- {name: order, when: {line contains: code}, then: [{reply: "{item}", if: left > 9}, {say: "{link}"}]}
- {name: most, when: {line contains: code}, at most: {per person: 2}, then: [{reply: hi}]}
- {name: rest, when: {line contains: code}, at most: {cooldown: 1m}, then: [{reply: hi}]}
- {name: hot, when: {line contains: code}, only if: {show: hot}, then: [{reply: hi}]}
- {name: other, when: {line contains: zzz}, then: [{reply: hi}]}
`)
	in, out := line("the code please"), &Result{}
	in.Trace = true
	in.Counter = func(k Key) Count {
		switch k.Scope {
		case PerPerson:
			if k != (Key{14, PerPerson, 5, "twitch/7"}) {
				t.Errorf("key %+v", k)
			}
			return Count{2, noon}
		default:
			if k != (Key{15, PerShow, 0, ""}) {
				t.Errorf("key %+v", k)
			}
			return Count{1, noon.Add(-59 * time.Second)}
		}
	}
	b.Decide(in, out)
	want := `subs: only if: role is subscriber or vip, but ana is a viewer
buyers: only if: what the person bought before is not known yet
late: only if: the time is 18:00 to 02:00, but it is 12:00
day: only if: the day is mon, but it is fri
tags: only if: the item is tagged blue, but it is 3, which is not
items: only if: item is 1 or 2, but it is 3
few: only if: stock is at most 3, but 4 are left
yt: only if: platform is youtube, but this is twitch
chance: only if: the chance of 1 in 100 did not come
expr: only if: the expression left > 10 is not true
person: only if: orders is not known
slow: only if: the expression was stopped: it took more steps than one message has
order: action 1 left out: the expression was stopped: it took more steps than one message has; action 2 left out: there is no link now
most: at most: it fired as often as it may for one person (2)
rest: at most: it waits 1m in this show
hot: only if: the show is hot, but it is not
other: when: the line does not contain zzz`
	want = strings.Replace(want, "order: action 1 left out: the expression was stopped: it took more steps than one message has;", "order: action 1 left out: the expression left > 9 is not true;", 1)
	if got := looks(out); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(out.Effects) > 0 {
		t.Errorf("%+v", out.Effects)
	}
}

func TestCounts(t *testing.T) {
	b := read(t, `{name: x, when: {command: hi}, at most: {per person: 2, channel cooldown: 10s}, then: [{set: greetings, to: counters.greetings + 1}, {set: last, to: user}, {say: "{counters.greetings} {vars.last}"}]}`)
	counts := map[Key]Count{}
	in, out := line("!hi"), &Result{}
	in.Counter = func(k Key) Count { return counts[k] }
	in.Facts.Counters = map[string]int64{"greetings": 41}
	apply := func() string {
		b.Decide(in, out)
		for _, c := range out.Counts {
			counts[c.Key] = c.Count
		}
		return told(out)
	}
	if got, want := apply(), "say 42 ana | set greetings=42 | set last=0ana"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := apply(); got != "" {
		t.Errorf("within the cool-down: %q", got)
	}
	in.Now = in.Now.Add(10 * time.Second)
	if got := apply(); got == "" {
		t.Error("after the cool-down: nothing")
	}
	in.Now = in.Now.Add(time.Hour)
	if got := apply(); got != "" {
		t.Errorf("a third time: %q", got)
	}
	in.Facts.Show.ID = 6
	if got := apply(); got == "" {
		t.Error("in the next show: nothing")
	}
	if len(counts) != 3 {
		t.Errorf("%+v", counts)
	}
}

func TestBudget(t *testing.T) {
	var text strings.Builder
	for i := range 50 {
		fmt.Fprintf(&text, "- {name: r%d, when: {line contains: go}, then: [", i)
		for range 10 {
			text.WriteString(`{say: "x"},`)
		}
		text.WriteString("]}\n")
	}
	b := read(t, strings.ReplaceAll(text.String(), ",]", "]"))
	in, out := line("go"), &Result{}
	b.Decide(in, out)
	if len(out.Effects) != MaxEffects || !out.Cut {
		t.Errorf("%d effects, cut %v", len(out.Effects), out.Cut)
	}
	if got, want := looks(out), "r2: action 1 left out: one message causes at most 20 effects\nr3: not looked at"; !strings.Contains(got, want) {
		t.Errorf("trace:\n%s", got)
	}
}

func TestEvents(t *testing.T) {
	b := read(t, `
- {name: low, when: {stock at: 3}, then: [{say: "only {left} of {item}"}]}
- {name: reward, when: {redemption: Choose the glaze}, then: [{question: "{user}: {text}"}, {fulfil reward: yes}]}
- {name: hook, when: {webhook: restocked}, then: [{say: "{webhook.sku} is back"}]}
- {name: code, when: raid, then: [{discount code: 10%, for: 1h, name: RAID, text: "Welcome! {code} is for you, {user}"}]}
- {name: hourly, when: {every: 1h}, then: [{say: "{link}"}]}
- {name: eight, when: {at: "20:00"}, then: [{say: "eight"}]}
- {name: lines, when: {after lines: 100}, then: [{say: "100"}]}
`)
	out := &Result{}
	in := line("")
	in.Event = rule.StockAt
	in.Facts.Stock = facts.Stock{Known: true, Before: 5, Left: 2}
	b.Decide(in, out)
	if told(out) != "say only 2 of Mug" {
		t.Error(told(out))
	}
	in.Facts.Stock.Before = 3
	b.Decide(in, out)
	if told(out) != "" {
		t.Error(told(out))
	}
	in.Event, in.Facts.Support.Title, in.Facts.Message.Text = rule.Redeemed, "choose the GLAZE", "blue @everyone http://x.com"
	b.Decide(in, out)
	if told(out) != "question ana: blue everyone http x. com | fulfil reward" {
		t.Error(told(out))
	}
	in.Event, in.Facts.Support.Title, in.Facts.Webhook = rule.Webhook, "restocked", map[string]string{"sku": "!MUG"}
	b.Decide(in, out)
	if told(out) != "say MUG is back" {
		t.Error(told(out))
	}
	in.Event = rule.Raided
	b.Decide(in, out)
	if told(out) != "discount code Welcome! "+facts.CodeMark+" is for you, ana" {
		t.Error(told(out))
	}
	started := noon
	if got := fmt.Sprint(b.Due(started, noon.Add(50*time.Minute), noon.Add(70*time.Minute))); got != "[0000000000000000005]" && got != "[5]" {
		t.Error(got)
	}
	if got := b.Due(time.Time{}, noon.Add(50*time.Minute), noon.Add(9*time.Hour)); len(got) != 1 || got[0] != 6 {
		t.Error(got)
	}
	if got := b.AfterLines(); len(got) != 1 || got[0] != (Watch{7, 100}) {
		t.Error(got)
	}
}

// Faults of rules are told with the rule, the field and the column.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		rule rule.Rule
		want string
	}{
		{
			rule.Rule{Name: "x", When: rule.When{Event: rule.Subscribed}, Then: []rule.Action{{Do: rule.Say, Text: "{user} paid {order}"}}},
			`rule "x", action 1, say, column 14: there is no order when it is "sub"; order is there for: order paid, order cancelled, order refunded`,
		},
		{
			rule.Rule{Name: "x", When: rule.When{Event: rule.Command, Words: []string{"buy"}}, Then: []rule.Action{{Do: rule.Say, Text: "hi"}}},
			`rule "x", when: command "buy": stands for buy already`,
		},
		{
			rule.Rule{Name: "x", When: rule.When{Event: rule.Matches, Pattern: strings.Repeat("a", 10<<20)}, Then: []rule.Action{{Do: rule.Say, Text: "hi"}}},
			`rule "x", when: the pattern has 10485760 bytes; at most 1000 are read`,
		},
		{
			rule.Rule{Name: "x", When: rule.When{Event: rule.Contains, Words: []string{"🔥"}}, Then: []rule.Action{{Do: rule.Say, Text: "hi"}}},
			`rule "x", when: nothing of "🔥" is read: emoji are left out of lines; an expression can ask for them: text contains "🔥"`,
		},
		{
			rule.Rule{Name: "x", When: rule.When{Event: rule.Subscribed}, Only: rule.Only{Expr: "months > total"}, Then: []rule.Action{{Do: rule.Say, Text: "hi"}}},
			`rule "x", expression, column 10: there is no total when it is "sub"; total is there for: order paid, order cancelled, order refunded`,
		},
	} {
		_, err := New([]rule.Rule{tt.rule}, Options{})
		if err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
	ok := rule.Rule{Name: "ok", When: rule.When{Event: rule.ShowStarted}, Then: []rule.Action{{Do: rule.Say, Text: "hi"}}}
	b, errs := Load([]rule.Rule{{Name: "bad"}, ok}, Options{})
	if len(errs) != 1 || errs[0].Rule != 0 || !b.Waits(rule.ShowStarted) || b.Waits(rule.Line) {
		t.Errorf("%v", errs)
	}
}

// The same input gives the same result, byte for byte.
func TestSame(t *testing.T) {
	b := read(t, `
- {name: dice, when: {command: dice}, only if: {chance: 50}, then: [{say: "{user} rolled {chance}"}, {set: rolled, to: dice(6) + dice(6)}]}
- {name: all, when: {line contains: [a, b, c]}, then: [{say: "{text}"}]}
`)
	write := func() string {
		var s strings.Builder
		out := &Result{}
		for i := range 200 {
			in := line("!dice a")
			in.Seed = uint64(i)
			b.Decide(in, out)
			j, err := json.Marshal([]any{out.Effects, out.Settings, out.Counts, out.Looks})
			if err != nil {
				t.Fatal(err)
			}
			s.Write(j)
		}
		return s.String()
	}
	first := write()
	if first != write() {
		t.Error("a second run differs")
	}
	if n := strings.Count(first, "rolled "); n < 60 || n > 140 {
		t.Errorf("a chance of 50 in 100 came %d times in 200", n)
	}
}

func TestSilentLineCostsNothing(t *testing.T) {
	b := read(t, benchRules(100))
	out := &Result{}
	for _, text := range []string{"hello from Lisbon, what a lovely glaze", "wie schön, größer als gedacht?", "12 m please"} {
		in := line(text)
		b.Decide(in, out)
		if n := testing.AllocsPerRun(100, func() { b.Decide(in, out) }); n > 0 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}

// benchRules is a text of n rules of all kinds of lines.
func benchRules(n int) string {
	var s strings.Builder
	for i := range n {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&s, "- {name: r%d, when: {command: [cmd%c%c%d]}, then: [{reply: 'hi {user}'}]}\n", i, 'a'+i%26, 'a'+i/26%26, i)
		case 1:
			fmt.Fprintf(&s, "- {name: r%d, when: {line contains: ['w%c%crd %d', 'th%c%cng']}, only if: {roles: [subscriber]}, then: [{reply: 'hi {user}'}]}\n", i, 'a'+i%26, 'a'+i/7%26, i, 'a'+i%26, 'a'+i/3%26)
		case 2:
			fmt.Fprintf(&s, "- {name: r%d, when: {line matches: '(buy|get) +sp%c%cm%d'}, then: [{delete line: yes}]}\n", i, 'a'+i%26, 'a'+i/5%26, i)
		default:
			fmt.Fprintf(&s, "- {name: r%d, when: order paid, only if: {amount: '%d..'}, then: [{say: '{user} paid {total}'}]}\n", i, i)
		}
	}
	return s.String()
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{0, 10, 100, 1000} {
		text := benchRules(n)
		if n == 0 {
			text = "{name: x, when: order paid, then: [{say: x}]}"
		}
		book := read(b, text)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			lines := []string{
				"hello from Lisbon, what a lovely glaze", "how much is shipping to the netherlands?", "LUL", "that blue one again please!!", "wie schön, größer als gedacht?",
				"my grandmother had one just like this on her windowsill", "12 m", "gg", "is it dishwasher safe and does it come in green or only in ash",
			}
			var ins []*Input
			for _, l := range lines {
				ins = append(ins, line(l))
			}
			out := &Result{}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				book.Decide(ins[i%len(ins)], out)
				i++
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	all := read(b, benchRules(1000)).Rules()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(all, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// A command that fires a reply, as most rules that fire do.
func BenchmarkFire(b *testing.B) {
	book := read(b, benchRules(1000))
	in, out := line("!cmdaa0"), &Result{}
	b.ReportAllocs()
	for b.Loop() {
		book.Decide(in, out)
	}
	if len(out.Effects) != 1 {
		b.Fatal(looks(out))
	}
}
