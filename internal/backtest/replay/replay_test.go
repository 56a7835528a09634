package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/lines"
	"hawker/internal/live/pace"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/rule"
)

const theShow = commerce.ID(100)

var here, there = chat.Channel{Platform: chat.Twitch, ID: "1001"}, chat.Channel{Platform: chat.YouTube, ID: "UC1"}

// played is a show that was played in memory, without any code of this package.
type played struct {
	rec   Recording
	lines []Line
	desk  *commerce.Desk
}

// play plays a show of n lines, about 40 a second, with few pieces of each item, holds of two minutes, payments for most, a host
// who shows one item after the other, and a store that is filled up.
func play(tb testing.TB, n int, all []rule.Rule) *played {
	tb.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	now := time.Date(2026, 6, 1, 18, 0, 0, 123_456_789, time.UTC)
	show := commerce.Show{ID: theShow, Name: "spring", Title: "Spring", Hold: 2 * time.Minute, Channels: []chat.Channel{here, there}, Guard: commerce.Guard{Share: -1}}
	x := &played{rec: Recording{
		Language: "en", Zone: time.UTC, Rules: func(int64) ([]rule.Rule, bool, error) { return all, true, nil },
		Words: Words{Name: func(n string) string { return n }, Link: "https://shop.example/live/spring", Item: func(it *commerce.ItemView) string { return it.Product.Title }},
	}}
	x.desk = commerce.NewDesk(1, commerce.State{})
	var entries []commerce.Entry
	var open []commerce.ID
	plan := func(reqs ...commerce.Request) []commerce.Outcome {
		b, outs := x.desk.Plan(now, reqs)
		x.desk.Commit()
		for i := range b.Entries {
			e := b.Entries[i]
			e.At, e.Body = e.At.Truncate(time.Millisecond), slices.Clone(e.Body)
			entries = append(entries, e)
		}
		for id := range b.NewHolds {
			open = append(open, id)
		}
		slices.Sort(open)
		return outs
	}
	var stock []commerce.Request
	for i := range 20 {
		v := commerce.Variant{ID: commerce.ID(1000 + i), Price: commerce.Money{Minor: 1900, Currency: "EUR"}}
		show.Lineup.Items = append(show.Lineup.Items, commerce.Item{Number: i + 1, Cap: 3, Product: commerce.Product{ID: commerce.ID(i + 1), Title: fmt.Sprint("Piece ", i+1), Variants: []commerce.Variant{v}}})
		left := int64(20 + n/2000)
		stock = append(stock, commerce.SetStock{Variant: v.ID, Available: &left})
	}
	x.rec.Show = show
	plan(stock...)
	now = now.Add(time.Hour)
	show.State = commerce.ShowLive
	plan(commerce.SetShow{Show: show})
	b, err := book.New(all, book.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	grammar := rules.NewGrammar(&show.Lineup, rules.Options{Language: "en", Custom: b.Commands()})
	var pc pace.Pace
	talk := []string{"hello all", "is 3 sold?", "the glaze looks great", "how much is shipping", "so nice", "LUL", "wann kommt die nächste", "!discord", "lol that was quick", "!shop", "!cart"}
	orders := 0
	for len(x.lines) < n {
		now = now.Add(time.Duration(20+r.IntN(200)) * time.Millisecond)
		if due, ok := x.desk.NextDue(); ok && !due.After(now) {
			plan(commerce.Expire{})
			now = now.Add(2 * time.Millisecond)
		}
		switch r.IntN(200) {
		case 0:
			plan(commerce.SetStock{Variant: commerce.ID(1000 + r.IntN(20)), Add: int64(1 + r.IntN(5))})
			now = now.Add(2 * time.Millisecond)
		case 1, 2, 3, 4, 5, 6:
			if len(open) == 0 {
				break
			}
			i := r.IntN(len(open))
			h, ok := x.desk.Hold(open[i])
			open = slices.Delete(open, i, i+1)
			if !ok || !h.Open() {
				break
			}
			plan(commerce.Opened{Holds: []commerce.ID{h.ID}})
			now = now.Add(2 * time.Millisecond)
			orders++
			plan(commerce.Paid{Variants: map[string]commerce.ID{"v": h.Variant}, Order: commerce.Order{
				Store: fmt.Sprint("gid/", orders), Name: fmt.Sprint("#", orders), State: commerce.OrderPaid, Total: h.Price, Lines: commerce.OrderLines{{Variant: "v", Quantity: h.Quantity}},
				Holds: []commerce.ID{h.ID}, Created: now, Updated: now,
			}})
			now = now.Add(2 * time.Millisecond)
		}
		var reqs []commerce.Request
		at := map[commerce.Key]int{}
		for range min(1+r.IntN(8), n-len(x.lines)) {
			i := len(x.lines)
			c := here
			if r.IntN(3) == 0 {
				c = there
			}
			v := r.IntN(300 + n/10)
			m := chat.Message{
				ID: fmt.Sprint("m", i), Channel: c, Viewer: chat.Viewer{Platform: c.Platform, ID: fmt.Sprint("v", v), Name: fmt.Sprint("Viewer", v)}, Sent: now.Add(-80 * time.Millisecond), Received: now,
				Answer: chat.Answer{Kind: chat.ToReply, Channel: c, Message: fmt.Sprint("m", i)},
			}
			switch k := r.IntN(100); {
			case i%2000 == 50:
				m.Text, m.Roles = fmt.Sprint("!air ", 1+r.IntN(20)), chat.Moderator
			case k < 15:
				m.Text = fmt.Sprintf("!buy %d x%d", 1+r.IntN(20), 1+r.IntN(2))
			case k < 17:
				m.Text = "!buy"
			case k < 19:
				m.Text = "!pass"
			default:
				m.Text = talk[r.IntN(len(talk))]
			}
			onAir := x.desk.Show(theShow).Lineup.OnAir
			l := Line{V: lines.Version, Message: m, Show: theShow, OnAir: onAir, Decided: now, Rules: 1, Seed: uint64(i) + 1}
			l.Command = grammar.Parse(m.Text, rules.Context{OnAir: onAir})
			cmd := l.Command
			l.Reason = cmd.Reason
			key := commerce.Key{Platform: c.Platform, Message: m.ID}
			ask := commerce.Ask{Key: key, Show: theShow, Viewer: m.Viewer, Sent: m.Sent, Answer: m.Answer}
			if cmd.Name != rules.Chat && cmd.Name != rules.Question {
				if ok, same := pc.May(m.Viewer, cmd.Signature, now); !ok {
					l.Reason = commerce.Limited
				} else if same && cmd.Name.Claims() {
					l.Reason = commerce.Duplicate
				} else if at[key] = i; cmd.Name == rules.Buy {
					reqs = append(reqs, commerce.Claim{Ask: ask, Number: cmd.Item, Variant: cmd.Variant, Quantity: cmd.Quantity, Unclear: cmd.Reason})
				} else if cmd.Name == rules.Pass {
					reqs = append(reqs, commerce.Pass{Ask: ask, Number: cmd.Item})
				} else if l.Reason = commerce.Info; cmd.Name == rules.Air {
					reqs = append(reqs, commerce.Air{Key: key, Show: theShow, Number: cmd.Item})
				}
			}
			x.lines = append(x.lines, l)
		}
		for _, o := range plan(reqs...) {
			if i, ok := at[o.Key]; ok && o.What == commerce.Claimed {
				x.lines[i].Reason = o.Reason
			}
		}
	}
	for i := range entries {
		if err := x.rec.Enter(&entries[i]); err != nil {
			tb.Fatal(err)
		}
	}
	x.rec.Lines = n
	return x
}

func (x *played) all() iter.Seq2[*Line, error] {
	return func(yield func(*Line, error) bool) {
		for i := range x.lines {
			if !yield(&x.lines[i], nil) {
				return
			}
		}
	}
}

// fresh is the recording as it was before it was replayed.
func (x *played) run(tb testing.TB, edited []rule.Rule, o Options) Result {
	tb.Helper()
	rec := x.rec
	r, err := rec.Run(context.Background(), x.all(), edited, o, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func someRules() []rule.Rule {
	return []rule.Rule{
		{ID: 1, Name: "discord", When: rule.When{Event: rule.Command, Words: []string{"discord"}}, AtMost: rule.AtMost{ChannelCooldown: 30 * time.Second}, Then: []rule.Action{{Do: rule.Reply, Text: "discord.example"}}},
		{ID: 2, Name: "shipping", When: rule.When{Event: rule.Contains, Words: []string{"shipping"}}, Only: rule.Only{Chance: 40}, Then: []rule.Action{{Do: rule.Reply, Text: "Mondays, {user}."}}},
		{ID: 3, Name: "promoted", When: rule.When{Event: rule.Promoted}, Then: []rule.Action{{Do: rule.Say, Text: "{user} got {item}"}}},
		{ID: 4, Name: "thanks", When: rule.When{Event: rule.OrderPaid}, Then: []rule.Action{{Do: rule.ShoutOut, Text: "{user} bought {item}!"}}},
		{ID: 5, Name: "shop", When: rule.When{Event: rule.Every, Every: 2 * time.Minute}, Then: []rule.Action{{Do: rule.Say, Text: "Everything is at {link}"}}},
		{ID: 6, Name: "expired", When: rule.When{Event: rule.HoldExpired}, Then: []rule.Action{{Do: rule.Say, Text: "{item} is free again"}}},
	}
}

// Lines are decided as they were, to the last of them, and the pieces end where they ended.
func TestAsItWas(t *testing.T) {
	all := someRules()
	x := play(t, 20_000, all)
	r := x.run(t, all, Options{})
	if r.Strayed != 0 || r.Changed != 0 || r.More != 0 || r.Lines != 20_000 {
		t.Errorf("%d lines: %d stray, %d changed, %d others", r.Lines, r.Strayed, r.Changed, r.More)
	}
	held, sold := 0, 0
	for _, p := range r.Stock {
		st, _ := x.desk.Stock(p.Variant)
		if int64(p.After.Held) != st.Held || int64(p.After.Sold) != st.Sold || p.After.Supply != st.Available {
			t.Errorf("item %d: %+v, the till has %+v", p.Number, p.After, st)
		}
		held, sold = held+p.After.Held, sold+p.After.Sold
	}
	if held == 0 || sold == 0 {
		t.Errorf("%d held, %d sold", held, sold)
	}
	for _, c := range r.Rules {
		if c.Before == 0 || c.Before != c.After {
			t.Errorf("%+v", c)
		}
	}
}

// The same recording gives the same bytes, and what is tried shows.
func TestTried(t *testing.T) {
	all := someRules()
	x := play(t, 8_000, all)
	edited := slices.Clone(all)
	edited[1].Only.Chance = 0
	edited = append(edited, rule.Rule{Name: "spare", When: rule.When{Event: rule.Contains, Words: []string{"glaze"}}, Then: []rule.Action{{Do: rule.Claim, Item: 7}}})
	one, two := x.run(t, edited, Options{Hold: 3 * time.Minute}), x.run(t, edited, Options{Hold: 3 * time.Minute})
	a, err1 := json.Marshal(one)
	b, err2 := json.Marshal(two)
	if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("two replays differ: %v %v\n%.2000s\n%.2000s", err1, err2, a, b)
	}
	if c := one.Rules[1]; c.After <= 2*c.Before {
		t.Errorf("without chance: %+v", c)
	}
	if c := one.Rules[6]; c.Was || !c.Is || c.After == 0 || c.Name != "spare" {
		t.Errorf("a new rule: %+v", c)
	}
	if one.Strayed != 0 || one.Changed <= MostChanges || len(one.Changes) != MostChanges || one.More <= MostBesides || len(one.Besides) != MostBesides {
		t.Errorf("%d stray, %d changed (%d shown), %d others (%d shown)", one.Strayed, one.Changed, len(one.Changes), one.More, len(one.Besides))
	}
	shorter := x.run(t, all, Options{Hold: time.Minute})
	expired := func(r *Result) (b, a int) {
		for _, p := range r.Stock {
			b, a = b+p.Before.Expired, a+p.After.Expired
		}
		return b, a
	}
	if b, a := expired(&shorter); a <= b || b == 0 {
		t.Errorf("with shorter holds %d pieces expired, before %d", a, b)
	}
	longer := x.run(t, all, Options{Hold: 24 * time.Hour})
	if b, a := expired(&longer); a != 0 || b == 0 {
		t.Errorf("with holds of a day %d pieces expired, before %d", a, b)
	}
	more := x.run(t, all, Options{Extra: map[commerce.ID]int64{1003: 50}})
	for _, p := range more.Stock {
		switch d := p.After.Supply - p.Before.Supply; {
		case p.Variant == 1003 && (d != 50 || p.After.Held+p.After.Sold <= p.Before.Held+p.Before.Sold), p.Variant != 1003 && (d != 0 || p.After != p.Before):
			t.Errorf("item %d with 50 more of item 4: %+v", p.Number, p)
		}
	}
	fewer := x.run(t, all, Options{Extra: map[commerce.ID]int64{1003: -1000}})
	if p := fewer.Stock[3]; p.After.Given != 0 || p.After.Sold != 0 || p.After.Peak != 0 {
		t.Errorf("item 4 without any pieces: %+v", p)
	}
}

// A rule for items with a tag finds them in a replay as in a show.
func TestTagged(t *testing.T) {
	say := []rule.Action{{Do: rule.Say, Text: "{item} is held"}}
	all := []rule.Rule{
		{ID: 1, Name: "mugs", When: rule.When{Event: rule.HoldMade}, Only: rule.Only{Tags: []string{"mug"}}, Then: say},
		{ID: 2, Name: "all", When: rule.When{Event: rule.HoldMade}, Then: say},
	}
	x := play(t, 1000, all)
	for i := 0; i < len(x.rec.Show.Lineup.Items); i += 2 {
		x.rec.Show.Lineup.Items[i].Product.Tags = []string{"mug"}
	}
	r := x.run(t, all, Options{})
	if mugs, pieces := r.Rules[0].After, r.Rules[1].After; mugs == 0 || mugs >= pieces {
		t.Errorf("%d mugs of %d pieces", mugs, pieces)
	}
}

func TestCancelled(t *testing.T) {
	all := someRules()
	x := play(t, 5_000, all)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	rec, told := x.rec, 0
	_, err := rec.Run(ctx, x.all(), all, Options{}, func(done, of int) {
		told = done
		stop()
	})
	if !errors.Is(err, context.Canceled) || told != every {
		t.Errorf("%v after %d lines", err, told)
	}
	broken := errors.New("the log is broken")
	if _, err := rec.Run(t.Context(), func(yield func(*Line, error) bool) { yield(nil, broken) }, all, Options{}, nil); !errors.Is(err, broken) {
		t.Errorf("lines that cannot be read: %v", err)
	}
}

// BenchmarkRun is a log of 200,000 lines: two worlds, all rules, JSON left out.
func BenchmarkRun(b *testing.B) {
	all := someRules()
	x := play(b, 200_000, all)
	edited := slices.Clone(all)
	edited[1].Only.Chance = 0
	b.ReportAllocs()
	for b.Loop() {
		rec := x.rec
		if _, err := rec.Run(context.Background(), x.all(), edited, Options{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
