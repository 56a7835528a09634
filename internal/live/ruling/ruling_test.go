package ruling

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/buyers"
	"hawker/internal/live/counted"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/rule"
	"hawker/rules/starter"
)

var here = chat.Channel{Platform: chat.Twitch, ID: "1001"}

// at is when a test's show began: shortly before the clocks are set back in Berlin.
var at = time.Date(2026, 10, 24, 18, 0, 0, 0, time.UTC)

// shop is a live show with item 3, a mug of which there are 5.
func shop() *commerce.Desk {
	price := commerce.Money{Minor: 1800, Currency: "EUR"}
	show := commerce.Show{ID: 100, Name: "spring", Title: "Spring", State: commerce.ShowLive, Started: at, Channels: []chat.Channel{here}}
	show.Lineup.Items = []commerce.Item{
		{Number: 3, Product: commerce.Product{ID: 9, Title: "Mug", Variants: []commerce.Variant{{ID: 7, Price: price}}}},
		{Number: 4, Product: commerce.Product{ID: 10, Title: "Vase", Variants: []commerce.Variant{{ID: 8, Price: price}}}},
	}
	return commerce.NewDesk(1, commerce.State{Shows: []commerce.Show{show}, Stock: []commerce.Stock{{Variant: 7, Available: 5}, {Variant: 8, Available: 0}}})
}

func working(t testing.TB, d *commerce.Desk, now time.Time, m rulebook.Memory, all ...rule.Rule) *Rules {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if all[i].ID == 0 {
			all[i].ID, all[i].Name = commerce.ID(i+1), "rule "+string(rune('a'+i))
		}
	}
	b, err := book.New(all, book.Options{Zone: zone})
	if err != nil {
		t.Fatal(err)
	}
	r := New(House{
		Desk: func() *commerce.Desk { return d }, Name: func(s string) string { return s }, Link: func(commerce.ID, chat.Channel) string { return "https://shop.example/live/spring" },
		Item: func(it *commerce.ItemView) string { return it.Product.Title },
	})
	r.TakeOver(counted.New(m), buyers.New(nil, nil), now)
	r.Use(b, 1)
	for _, s := range d.Shows() {
		r.Baseline(&s)
	}
	return r
}

func line(id, text string) *chat.Message {
	return &chat.Message{ID: id, Channel: here, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "9", Name: "ana"}, Text: text, Answer: chat.Answer{Kind: chat.ToReply, Channel: here, Message: id}}
}

func about(m *chat.Message) *About {
	return &About{Show: 100, Channel: m.Channel, Viewer: m.Viewer, Roles: m.Roles, Answer: m.Answer, Message: m.ID}
}

func yes() bool { return true }

// A line that fires nothing costs no memory, by the rules that everybody begins with and with a hundred more.
func TestLineCostsNoMemory(t *testing.T) {
	all := starter.Rules("en")
	for i := range 100 {
		word := fmt.Sprint("word", i)
		all = append(all, rule.Rule{
			ID: commerce.ID(100 + i), Name: word, When: rule.When{Event: rule.Contains, Words: []string{word}}, Then: []rule.Action{{Do: rule.Say, Text: "{user}"}},
		})
	}
	for name, rs := range map[string][]rule.Rule{"the first rules": starter.Rules("en"), "a hundred more": all} {
		r := working(t, shop(), at, rulebook.Memory{}, rs...)
		var undo counted.Undo
		m, buy := line("1", "what a lovely glaze, is it food safe?"), rules.Command{Name: rules.Buy, Item: 3, Quantity: 1}
		talk := rules.Command{Name: rules.Chat}
		a := about(m)
		step := func() {
			for _, c := range []rules.Command{talk, buy} {
				if d, _ := r.Line(at, m, c, a, false, yes, &undo); d.Any() {
					t.Fatal("it fired")
				}
				r.Counted(at, a, &undo, func(Decided) {})
			}
		}
		step()
		if n := testing.AllocsPerRun(100, step); n != 0 {
			t.Errorf("%s: %v allocations for two lines", name, n)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	r := working(b, shop(), at, rulebook.Memory{}, starter.Rules("en")...)
	var undo counted.Undo
	m := line("1", "!buy 3")
	a := about(m)
	b.ReportAllocs()
	for b.Loop() {
		r.Line(at, m, rules.Command{Name: rules.Buy, Item: 3, Quantity: 1}, a, false, yes, &undo)
	}
}

// What a line fires is told once, however often the platform tells the line; a line that may not act fires nothing.
func TestLineTwice(t *testing.T) {
	r := working(t, shop(), at, rulebook.Memory{}, rule.Rule{
		When: rule.When{Event: rule.Contains, Words: []string{"hi"}}, AtMost: rule.AtMost{PerPerson: 5}, Then: []rule.Action{{Do: rule.Reply, Text: "Hello {user}, {shop} at {link}"}},
	})
	var undo counted.Undo
	m := line("1", "hi all")
	if d, _ := r.Line(at, m, rules.Command{Name: rules.Chat}, about(m), true, func() bool { return false }, &undo); d.Any() {
		t.Errorf("a line that may not act: %+v", d)
	}
	d, seed := r.Line(at, m, rules.Command{Name: rules.Chat}, about(m), true, yes, &undo)
	if len(d.Wants) != 1 || d.Wants[0].Text != "Hello ana, Mug at https://shop.example/live/spring" || len(d.Changes.Counters) != 1 || d.Changes.Counters[0].Fired != 1 || seed == 0 {
		t.Fatalf("decided %+v", d)
	}
	if told := r.Told(); told == nil || !told.First || !told.Show || told.Person {
		t.Errorf("told %+v", told)
	}
	if d, _ := r.Line(at, m, rules.Command{Name: rules.Chat}, about(m), true, yes, &undo); d.Any() {
		t.Errorf("told twice: %+v", d)
	}
	undo.All() // the database did not take it
	next := line("2", "hi")
	if d, _ := r.Line(at, next, rules.Command{Name: rules.Chat}, about(next), false, yes, &undo); len(d.Changes.Counters) != 1 || d.Changes.Counters[0].Fired != 1 {
		t.Errorf("after undoing: %+v", d.Changes)
	}
}

// Rules of the clock: each at its time once, over the night in which the clocks change, and once over a restart.
func TestTick(t *testing.T) {
	d := shop()
	every := rule.Rule{When: rule.When{Event: rule.Every, Every: 20 * time.Minute}, Then: []rule.Action{{Do: rule.Say, Text: "every"}}}
	nine := rule.Rule{When: rule.When{Event: rule.At, At: "21:00"}, Then: []rule.Action{{Do: rule.Say, Text: "nine"}}}
	r := working(t, d, at, rulebook.Memory{}, every, nine)
	var undo counted.Undo
	var stored rulebook.Memory
	fired := map[string][]time.Time{}
	tick := func(r *Rules, now time.Time, live []commerce.Show) {
		r.Tick(now, live, &undo, func(d Decided) {
			stored.Counters = append(stored.Counters, d.Changes.Counters...)
			for _, w := range d.Wants {
				fired[w.Text] = append(fired[w.Text], now)
			}
		})
	}
	now := at
	for ; now.Before(at.Add(26 * time.Hour)); now = now.Add(tickEvery) {
		tick(r, now, d.Shows())
	}
	if n := len(fired["every"]); n != 77 { // 26 hours in parts of 20 minutes, without the first and the last moment
		t.Errorf("every 20 minutes: %d times", n)
	}
	// 21:00 in Berlin is 19:00 UTC in summer time and 20:00 UTC after it.
	want := []time.Time{time.Date(2026, 10, 24, 19, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 20, 0, 0, 0, time.UTC)}
	if n := len(fired["nine"]); n != 2 && n != 1 {
		t.Errorf("at nine: %v", fired["nine"])
	}
	if got := fired["nine"]; !got[0].Equal(want[0]) {
		t.Errorf("at nine: %v, want %v", got, want)
	}
	tick(r, now, d.Shows())
	if got := fired["nine"]; len(got) != 2 || !got[1].Equal(want[1]) {
		t.Errorf("at nine: %v, want %v", got, want)
	}
	// A restart right after: what was done is not done again; what came due meanwhile is.
	clear(fired)
	again := working(t, d, now.Add(30*time.Second), stored, every, nine)
	tick(again, now.Add(30*time.Second), d.Shows())
	if len(fired) != 0 {
		t.Errorf("done again after a restart: %v", fired)
	}
	late := working(t, d, now.Add(30*time.Second), rulebook.Memory{}, every, nine)
	tick(late, now.Add(30*time.Second), d.Shows())
	if len(fired["nine"]) != 1 {
		t.Errorf("came due while nobody served: %v", fired)
	}
	clear(fired)
	tick(late, now.Add(24*time.Hour), nil)
	if len(fired) != 0 || working(t, d, now, rulebook.Memory{}).NextTick() != (time.Time{}) {
		t.Errorf("without a live show: %v", fired)
	}
}

func TestCountedLines(t *testing.T) {
	r := working(t, shop(), at, rulebook.Memory{}, rule.Rule{When: rule.When{Event: rule.AfterLines, Lines: 3}, Then: []rule.Action{{Do: rule.Say, Text: "three"}}})
	var undo counted.Undo
	n := 0
	for range 7 {
		r.Counted(at, &About{Show: 100, Channel: here}, &undo, func(d Decided) { n += len(d.Wants) })
		r.Counted(at, &About{Channel: chat.Channel{Platform: chat.YouTube, ID: "x"}}, &undo, func(d Decided) { n += len(d.Wants) }) // no show there
	}
	if n != 2 {
		t.Errorf("fired %d times in 7 lines, want 2", n)
	}
}

// Rules are asked three times about what rules caused.
func TestRounds(t *testing.T) {
	r := working(t, shop(), at, rulebook.Memory{}, rule.Rule{When: rule.When{Event: rule.ItemOnAir}, Then: []rule.Action{{Do: rule.NextItem}}})
	var undo counted.Undo
	h := Happening{About: About{Show: 100, Number: 3}, Event: rule.ItemOnAir}
	n := 0
	for {
		d := r.Happened(at, &h, &undo)
		if len(d.Wants) == 0 {
			break
		}
		n++
		h.Depth = d.Wants[0].Depth
	}
	if n != MaxRounds {
		t.Errorf("asked %d times, want %d", n, MaxRounds)
	}
}

func TestStockMoved(t *testing.T) {
	d := shop()
	r := working(t, d, at, rulebook.Memory{}, rule.Rule{When: rule.When{Event: rule.StockAt, Left: 3}, Then: []rule.Action{{Do: rule.Say, Text: "{left}"}}})
	s := d.Show(100)
	var undo counted.Undo
	if _, _, ok := r.StockMoved(s, 3, &undo); ok || undo != nil {
		t.Error("nothing moved")
	}
	_, outs := d.Plan(at, []commerce.Request{commerce.Claim{Ask: commerce.Ask{Show: 100, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "1"}, Key: commerce.Key{Platform: chat.Twitch, Message: "1"}, Sent: at}, Number: 3, Quantity: 2}})
	if len(outs) != 1 || outs[0].Holding != 2 {
		t.Fatalf("claimed %+v", outs)
	}
	if before, left, ok := r.StockMoved(s, 3, &undo); !ok || before != 5 || left != 3 {
		t.Errorf("moved from %d to %d, %v", before, left, ok)
	}
	if _, _, ok := r.StockMoved(s, 3, &undo); ok {
		t.Error("it moved twice")
	}
	undo.All() // planned anew
	if before, left, ok := r.StockMoved(s, 3, &undo); !ok || before != 5 || left != 3 {
		t.Errorf("after undoing: from %d to %d, %v", before, left, ok)
	}
	d.Rollback()
	if before, left, ok := r.StockMoved(s, 3, &undo); ok {
		t.Errorf("more is no less: from %d to %d", before, left)
	}
	if _, _, ok := r.StockMoved(s, 99, &undo); ok {
		t.Error("there is no such item")
	}
}

func TestWhere(t *testing.T) {
	tube := chat.Channel{Platform: chat.YouTube, ID: "UC"}
	show := []chat.Channel{here, tube}
	for _, tt := range []struct {
		do       rule.ActionKind
		channels []string
		show     []chat.Channel
		want     []chat.Channel
	}{
		{rule.Say, nil, show, show},
		{rule.Say, []string{"youtube"}, show, []chat.Channel{tube}},
		{rule.Announce, []string{"twitch/1001", "twitch"}, show, []chat.Channel{here}},
		{rule.Say, []string{"discord"}, show, nil},
		{rule.Say, nil, nil, []chat.Channel{here}},
		{rule.TimeOut, nil, show, []chat.Channel{here}},
	} {
		w := Want{Channel: here}
		w.Do, w.Channels = tt.do, tt.channels
		if got := w.Where(tt.show); !slices.Equal(got, tt.want) {
			t.Errorf("%s in %v: %v, want %v", tt.do, tt.channels, got, tt.want)
		}
	}
}

// A want survives being stored.
func TestWantIsStored(t *testing.T) {
	r := working(t, shop(), at, rulebook.Memory{}, rule.Rule{When: rule.When{Event: rule.Followed}, Then: []rule.Action{{Do: rule.Call, URL: "https://x.example/in", After: time.Minute}}})
	var undo counted.Undo
	h, ok := OfChat(&chat.Event{Kind: chat.Followed, Channel: here, ID: "e1", Viewer: chat.Viewer{Platform: chat.Twitch, ID: "9", Name: "ana"}}, 100)
	d := r.Happened(at, &h, &undo)
	if !ok || len(d.Wants) != 1 {
		t.Fatalf("decided %+v", d)
	}
	w := d.Wants[0]
	if !w.At.Equal(at.Add(time.Minute)) || !w.Lasting() || w.Depth != 1 {
		t.Errorf("want %+v", w)
	}
	b, err := json.Marshal(w)
	var back Want
	if err == nil {
		err = json.Unmarshal(b, &back)
	}
	if err != nil || string(back.Body(5)) != string(w.Body(5)) || back.Viewer != w.Viewer || back.Do != rule.Call || back.URL != w.URL {
		t.Errorf("stored %+v, %v", back, err)
	}
	if got := string(w.Body(5)); !strings.Contains(got, `"event":"follow"`) || !strings.Contains(got, `"user":"ana"`) || !strings.Contains(got, `"id":"5"`) {
		t.Errorf("body %s", got)
	}
	if d := r.Happened(at, &h, &undo); d.Any() {
		t.Error("told twice by the platform, done twice")
	}
}
