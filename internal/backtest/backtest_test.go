package backtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/backtest"
	"hawker/internal/backtest/replay"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/live/lines"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/rule"
	"hawker/rules/starter"
)

// room is a chat that the test types into.
type room struct {
	hear func(chat.Event)
	on   chan struct{}
}

func (c *room) Listen(ctx context.Context, hear func(chat.Event)) error {
	c.hear = hear
	close(c.on)
	<-ctx.Done()
	return nil
}

func (c *room) Say(context.Context, chat.Line) (chat.Sent, error) {
	return chat.Sent{ID: "x", At: time.Now()}, nil
}

func (c *room) Budget(chat.Channel) chat.Budget {
	return chat.Budget{Lines: 10_000, Per: time.Second, Pool: "x", MaxRunes: 500, Replies: true}
}

func (c *room) States() []chat.State { return nil }

// stall is a house with a merchant who sells in two chats.
type stall struct {
	testing.TB
	house    *backtest.House
	hub      *live.Hub
	chat     *room
	merchant commerce.ID
	show     commerce.Show
	variant  map[string]commerce.ID // by SKU
	decided  sync.Map               // reasons by the line's id
	n        int
	live     bool
	said     int // lines while the show was live
}

var twitch, discord = chat.Channel{Platform: chat.Twitch, ID: "1001"}, chat.Channel{Platform: chat.Discord, ID: "4004"}

func open(t testing.TB) *stall {
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	s := &stall{TB: t, chat: &room{on: make(chan struct{})}, variant: map[string]commerce.ID{}}
	key := must(seal.ReadKey(dir))(t)
	db := must(sqldb.Open(ctx, sqldb.Options{Dir: dir, Key: key}))(t)
	b := must(bus.Open(ctx, bus.Options{Dir: filepath.Join(dir, "nats")}))(t)
	s.house = &backtest.House{DB: db, Bus: b, Public: "https://shop.example"}
	s.merchant = must(db.PutMerchant(ctx, sqldb.Merchant{Slug: "ana", Name: "Ana", Currency: "EUR", Timezone: "UTC", Language: "en"}))(t)
	for _, c := range []chat.Channel{twitch, discord} {
		s.ok(db.PutChannel(ctx, s.merchant, sqldb.Channel{Channel: c, Name: "ana"}))
	}
	price := commerce.Money{Minor: 1800, Currency: "EUR"}
	products := must(db.PutProducts(ctx, s.merchant, []commerce.Product{
		{Title: "Mug", Variants: []commerce.Variant{{SKU: "M", Price: price}}},
		{Title: "Vase", Variants: []commerce.Variant{{SKU: "V", Price: price}}},
		{Title: "Shirt", Options: []string{"Size"}, Variants: []commerce.Variant{{SKU: "S", Options: []string{"S"}, Price: price}, {SKU: "L", Options: []string{"L"}, Price: price}}},
	}))(t)
	s.show = commerce.Show{ID: commerce.NewID(time.Now()), Name: "spring", Title: "Spring", State: commerce.ShowLive, Channels: []chat.Channel{twitch, discord}, Guard: commerce.Guard{Share: -1}}
	for i, p := range products {
		s.show.Lineup.Items = append(s.show.Lineup.Items, commerce.Item{Number: i + 3, Product: p, Cap: 3})
		for _, v := range p.Variants {
			s.variant[v.SKU] = v.ID
		}
	}
	s.hub = &live.Hub{
		DB: db, Bus: b, Key: key, Public: "https://shop.example",
		Connect: func(context.Context, sqldb.Merchant) (live.Connections, error) {
			return live.Connections{Accounts: []live.Account{{Name: "bot", Chat: s.chat, Channels: []chat.Channel{twitch, discord}}}}, nil
		},
		Decided: func(k commerce.Key, r commerce.Reason) { s.decided.Store(k.Message, r) },
	}
	ended := make(chan error, 1)
	go func() { ended <- s.hub.Run(ctx) }()
	<-s.hub.Started()
	<-s.chat.on
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, b.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (s *stall) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// begin puts stock on the shelf and begins the show.
func (s *stall) begin() {
	s.Helper()
	for sku, n := range map[string]int64{"M": 5, "V": 1, "S": 2, "L": 2} {
		s.ask(commerce.SetStock{Variant: s.variant[sku], Available: &n})
	}
	s.ask(commerce.SetShow{Show: s.show})
	s.live = true
}

// logged waits until all that was said is in the chat log.
func (s *stall) logged() []backtest.Show {
	s.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if shows := must(s.house.Shows(s.Context(), s.merchant))(s.TB); len(shows) == 1 && shows[0].Lines == s.said {
			return shows
		}
	}
	s.Fatalf("the chat log never had %d lines", s.said)
	return nil
}

func (s *stall) ask(r commerce.Request, key ...string) commerce.Outcome {
	s.Helper()
	k := commerce.Key{}
	if len(key) > 0 {
		k = commerce.Key{Platform: chat.Room, Message: key[0]}
	}
	return must(s.hub.Ask(s.Context(), s.merchant, k, r))(s.TB)
}

// rules puts rules into force.
func (s *stall) rules(all []rule.Rule) []rule.Rule {
	s.Helper()
	book := s.house.DB.Rulebook()
	must(book.Put(s.Context(), s.merchant, rulebook.Version{Author: "test", Rules: all}, rulebook.Any))(s.TB)
	s.ok(s.hub.ReloadRules(s.Context(), s.merchant))
	return must(book.Rules(s.Context(), s.merchant))(s.TB).Rules
}

// types has a viewer type a line, and waits until it was decided.
func (s *stall) types(c chat.Channel, name, text string, change ...func(*chat.Event)) string {
	s.Helper()
	if s.n++; s.live {
		s.said++
	}
	id, now := fmt.Sprintf("m%d", s.n), time.Now()
	e := chat.Event{Kind: chat.Said, Channel: c, At: now, Message: chat.Message{
		ID: id, Channel: c, Viewer: chat.Viewer{Platform: c.Platform, ID: "id-" + name, Name: name}, Text: text, Sent: now, Received: now,
		Answer: chat.Answer{Kind: chat.ToReply, Channel: c, Message: id},
	}}
	for _, f := range change {
		f(&e)
	}
	id = e.Message.ID
	s.decided.Delete(id)
	s.chat.hear(e)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, ok := s.decided.Load(id); ok {
			return id
		}
	}
	s.Fatalf("%q was never decided", text)
	return ""
}

func mod(e *chat.Event)        { e.Message.Roles = chat.Moderator }
func subscriber(e *chat.Event) { e.Message.Roles = chat.Subscriber }

// replays replays the show, and fails when a line is decided otherwise than it was.
func (s *stall) replays(edited []rule.Rule, o replay.Options) replay.Result {
	s.Helper()
	r := must(s.house.Run(s.Context(), s.merchant, s.show.ID, edited, o, nil))(s.TB)
	if r.Strayed != 0 {
		s.Errorf("%d of %d lines are decided otherwise than in the show", r.Strayed, r.Lines)
	}
	return r
}

// held is what is held and sold of a variant, by the till.
func (s *stall) held(sku string) (held, sold int64) {
	for _, st := range must(s.house.DB.Stock(s.Context(), s.merchant))(s.TB) {
		if st.Variant == s.variant[sku] {
			return st.Held, st.Sold
		}
	}
	return 0, 0
}

func (s *stall) piece(r *replay.Result, sku string) replay.Piece {
	i := slices.IndexFunc(r.Stock, func(p replay.Piece) bool { return p.Variant == s.variant[sku] })
	return r.Stock[i]
}

// A show of all that lines, forms, the host and the store do replays to what was decided, under the rules of then; and a rule that
// is changed makes the difference that it must.
func TestRun(t *testing.T) {
	s := open(t)
	all := append(starter.Rules("en"),
		rule.Rule{Name: "gimme", When: rule.When{Event: rule.Command, Words: []string{"gimme"}}, Then: []rule.Action{{Do: rule.Claim, Item: 3}}},
		rule.Rule{Name: "welcome", When: rule.When{Event: rule.FirstLine}, Then: []rule.Action{{Do: rule.Reply, Text: "Welcome, {user}!"}}},
		rule.Rule{Name: "dice", When: rule.When{Event: rule.Contains, Words: []string{"lucky"}}, Only: rule.Only{Chance: 50}, Then: []rule.Action{{Do: rule.Reply, Text: "You are, {user}."}}},
		rule.Rule{Name: "few", When: rule.When{Event: rule.StockAt, Left: 2}, Then: []rule.Action{{Do: rule.Say, Text: "{left} of {item} are left"}}},
	)
	all = s.rules(all)
	s.begin()
	s.types(twitch, "mod", "!air 3", mod)
	for i := range 12 {
		s.types(twitch, fmt.Sprint("fan", i), "feeling lucky today")
	}
	s.types(twitch, "ana", "hello all")
	s.types(twitch, "ana", "!buy 3 x2")
	s.types(discord, "bob", "!buy")
	s.types(twitch, "ana", "!buy 3 x2")
	s.types(twitch, "cy", "!gimme")
	s.types(discord, "dee", "!buy 4")
	s.types(twitch, "eli", "!buy 4")
	s.types(twitch, "eli", "!buy 5")
	s.types(twitch, "eli", "!buy 5 L")
	s.types(twitch, "fay", "!buy 9")
	s.types(twitch, "fay", "!pause")
	line := s.types(discord, "gus", "!buy 5 S")
	s.types(discord, "gus", "!buy 5 S x2", func(e *chat.Event) { e.Kind, e.Message.ID, e.At = chat.Edited, line, time.Now() })
	s.types(twitch, "hal", "!buy 5 S")
	guest := chat.Viewer{Platform: chat.Room, ID: "browser", Name: "Guest"}
	s.ask(commerce.Claim{Ask: commerce.Ask{Show: s.show.ID, Viewer: guest, Sent: time.Now()}, Number: 3, Quantity: 1}, "form-1")
	s.types(twitch, "ivy", "!buy 3")
	s.ask(commerce.Pass{Ask: commerce.Ask{Show: s.show.ID, Viewer: guest, Sent: time.Now()}, Number: 3}, "form-2")
	s.types(twitch, "jo", "!buy 3")
	s.types(twitch, "mod", "!stock 3 +2", mod)
	s.ask(commerce.SetStock{Variant: s.variant["V"], Add: 1})
	s.types(twitch, "kim", "!buy 4")
	s.types(twitch, "dee2", "!wait 4")
	s.types(discord, "dee", "!pass 4")
	s.types(twitch, "mod", "!block @jo", mod)
	s.types(twitch, "jo", "!buy 3")
	s.types(twitch, "ana", "!less 3")
	s.types(twitch, "sub", "!shop", subscriber)
	ana := commerce.ID(0)
	for i := range must(s.hub.Page(t.Context(), s.merchant, s.show.ID))(t).Open {
		if h := must(s.hub.Page(t.Context(), s.merchant, s.show.ID))(t).Open[i]; h.Viewer.Name == "ana" {
			ana = h.ID
		}
	}
	s.ask(commerce.Opened{Holds: []commerce.ID{ana}})
	s.ask(commerce.Paid{Order: commerce.Order{
		Store: "gid/1", Name: "#1001", State: commerce.OrderPaid, Holds: []commerce.ID{ana}, Total: commerce.Money{Minor: 1800, Currency: "EUR"}, Created: time.Now(), Updated: time.Now(),
		Lines: commerce.OrderLines{{Variant: "gid/mug", Quantity: 1}},
	}, Variants: map[string]commerce.ID{"gid/mug": s.variant["M"]}})
	s.types(twitch, "ana", "!order")
	for i := range 6 {
		s.types(twitch, fmt.Sprint("late", i), "!buy 3")
	}
	s.ask(commerce.Gate{Show: s.show.ID, Closed: true})
	s.types(twitch, "mia", "!buy 5 L")
	s.ask(commerce.Gate{Show: s.show.ID})
	s.types(twitch, "mia", "!buy 5 L", func(e *chat.Event) { e.Message.Sent = e.Message.Sent.Add(-time.Second) })

	s.logged()
	same := s.replays(all, replay.Options{})
	if same.Changed != 0 || same.More != 0 || same.Lines < 40 {
		t.Errorf("the same rules: %d lines and %d others differ, of %d: %+v %+v", same.Changed, same.More, same.Lines, same.Changes, same.Besides)
	}
	for _, sku := range []string{"M", "V", "S", "L"} {
		held, sold := s.held(sku)
		if p := s.piece(&same, sku); p.Before != p.After || int64(p.Before.Held) != held || int64(p.Before.Sold) != sold {
			t.Errorf("%s: the replay has %+v, the till %d held and %d sold", sku, p, held, sold)
		}
	}
	fired := func(r *replay.Result, name string) replay.RuleCount {
		i := slices.IndexFunc(r.Rules, func(c replay.RuleCount) bool { return c.Name == name })
		return r.Rules[i]
	}
	for name, most := range map[string][2]int{"welcome": {20, 40}, "gimme": {1, 1}, "dice": {1, 11}, "few": {1, 9}} {
		if c := fired(&same, name); c.Before != c.After || c.Before < most[0] || c.Before > most[1] || !c.Was || !c.Is {
			t.Errorf("%s: %+v, want %v", name, c, most)
		}
	}

	edited := slices.Clone(all)
	i := slices.IndexFunc(edited, func(r rule.Rule) bool { return r.Name == "gimme" })
	edited[i].Then = []rule.Action{{Do: rule.Claim, Item: 3, Quantity: 3}}
	edited[i+1].Then = []rule.Action{{Do: rule.Reply, Text: "Hello, {user}!"}}
	got := s.replays(edited, replay.Options{})
	if c := fired(&got, "welcome"); got.Changed < c.After || c.Before != c.After {
		t.Errorf("another welcome: %d changed, %+v", got.Changed, c)
	}
	if p := s.piece(&got, "M"); p.After.Waiting <= p.Before.Waiting || p.After.Peak > p.After.Supply {
		t.Errorf("three pieces at once: %+v", p)
	}
	k := slices.IndexFunc(got.Changes, func(c replay.Change) bool { return c.Text == "!gimme" })
	if k < 0 || got.Changes[k].Before.Holding != 1 || got.Changes[k].After.Holding != 3 {
		t.Errorf("!gimme: %+v", got.Changes)
	}

	if got := s.replays(slices.Delete(slices.Clone(all), i, i+1), replay.Options{}); fired(&got, "gimme").Is || fired(&got, "gimme").After != 0 || !fired(&got, "gimme").Was {
		t.Errorf("without gimme: %+v", got.Rules)
	}

	more := s.replays(all, replay.Options{Extra: map[commerce.ID]int64{s.variant["M"]: 50}})
	if p := s.piece(&more, "M"); p.After.Waiting != 0 || p.Before.Waiting == 0 || p.After.Supply != p.Before.Supply+50 || p.After.Held <= p.Before.Held || more.Changed == 0 {
		t.Errorf("with 50 more: %+v", p)
	}

	one, two := must(json.Marshal(got))(t), must(json.Marshal(s.replays(edited, replay.Options{})))(t)
	if !bytes.Equal(one, two) {
		t.Errorf("two replays differ:\n%s\n%s", one, two)
	}
}

// Rules that were changed in the middle of a show are those of then, each for its lines; and lines of other shows and merchants
// are not of it.
func TestRulesOfThen(t *testing.T) {
	s := open(t)
	one := rule.Rule{Name: "hi", When: rule.When{Event: rule.Contains, Words: []string{"hello"}}, Then: []rule.Action{{Do: rule.Reply, Text: "Hi!"}}}
	all := s.rules([]rule.Rule{one})
	s.begin()
	s.types(twitch, "ana", "hello")
	s.types(twitch, "ana", "!there")
	all[0].When = rule.When{Event: rule.Command, Words: []string{"there"}}
	all = s.rules(all)
	s.types(twitch, "bob", "hello")
	s.types(twitch, "bob", "!there")
	s.types(twitch, "bob", "!there")
	ended := s.show
	ended.State = commerce.ShowEnded
	s.ask(commerce.SetShow{Show: ended})
	s.live = false
	s.types(twitch, "bob", "hello")
	shows := s.logged()
	if shows[0].Ended.IsZero() {
		t.Errorf("shows: %+v", shows)
	}
	r := s.replays(all, replay.Options{})
	if c := r.Rules[0]; len(r.Rules) != 1 || c.Before != 3 || c.After != 3 || r.Lines != 5 {
		t.Errorf("%d lines, %+v", r.Lines, r.Rules)
	}
	if len(r.Changes) != 2 || r.Changes[0].Text != "hello" || len(r.Changes[0].Before.Said) != 1 || r.Changes[1].Text != "!there" || len(r.Changes[1].After.Said) != 1 {
		t.Errorf("%+v", r.Changes)
	}
}

// A record of an older form, of one line and without rules, is read as well.
func TestOlderLog(t *testing.T) {
	s := open(t)
	s.begin()
	now := time.Now()
	for i, old := range []string{
		`{"v":1,"message":{"id":"o1","channel":{"platform":"twitch","id":"1001"},"viewer":{"platform":"twitch","id":"7","name":"old"},"text":"!buy 9","sent":%[1]q,"received":%[1]q},"show":%[2]q,"command":{"name":"buy","item":9,"quantity":1},"reason":"unknown_item","decided":%[1]q}`,
		`[{"v":2,"message":{"id":"o2","channel":{"platform":"twitch","id":"1001"},"viewer":{"platform":"twitch","id":"7","name":"old"},"text":"hello","sent":%[1]q,"received":%[1]q},"show":%[2]q,"reason":"chat","decided":%[1]q},{"v":9,"show":"1"}]`,
		`{"v":1,"show":`,
	} {
		s.ok(s.house.Bus.Log(int64(s.merchant), fmt.Appendf(nil, strings.TrimSuffix(old+"%[3]s", "%[3]s"), now.Add(time.Duration(i)*time.Second).Format(time.RFC3339Nano), s.show.ID.String())))
	}
	r := s.replays(nil, replay.Options{})
	if r.Lines != 2 || !slices.ContainsFunc(r.Lacks, func(l string) bool { return strings.Contains(l, "older version") }) {
		t.Errorf("%+v", r)
	}
}

func TestRunFails(t *testing.T) {
	s := open(t)
	if _, err := s.house.Run(t.Context(), s.merchant, 77, nil, replay.Options{}, nil); !errors.Is(err, sqldb.ErrNotFound) {
		t.Errorf("no such show: %v", err)
	}
	s.begin()
	if _, err := s.house.Run(t.Context(), s.merchant, s.show.ID, nil, replay.Options{}, nil); !errors.Is(err, backtest.ErrNoLines) {
		t.Errorf("a show without lines: %v", err)
	}
	s.types(twitch, "ana", "!buy 3")
	shows := s.logged()
	if shows[0].Title != "Spring" || !shows[0].Ended.IsZero() || shows[0].Started.IsZero() {
		t.Errorf("shows: %+v", shows)
	}
	bad := []rule.Rule{{Name: "x", When: rule.When{Event: rule.Command, Words: []string{"x"}}, Then: []rule.Action{{Do: rule.Reply, Text: "{nobody}"}}}}
	var fault *rule.Error
	if _, err := s.house.Run(t.Context(), s.merchant, s.show.ID, bad, replay.Options{}, nil); !errors.As(err, &fault) || fault.Rule != 0 {
		t.Errorf("a rule with a fault: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.house.Run(ctx, s.merchant, s.show.ID, nil, replay.Options{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	done := 0
	r, err := s.house.Run(t.Context(), s.merchant, s.show.ID, nil, replay.Options{}, func(n, of int) { done = n })
	if err != nil || r.Lines != 1 || done != 1 || !strings.Contains(strings.Join(r.Lacks, " "), "not in the log") {
		t.Errorf("%+v, %v; %d done", r, err, done)
	}
}

// BenchmarkRun reads a log of 200,000 lines, 200 records of which hold a claim, and replays it.
func BenchmarkRun(b *testing.B) {
	s := open(b)
	all := s.rules(starter.Rules("en"))
	s.begin()
	s.types(twitch, "ana", "!buy 3")
	s.logged()
	now := time.Now()
	texts := []string{"hello all", "the glaze looks great", "is 3 sold?", "so nice", "LUL", "wann kommt die nächste", "lol that was quick", "!shop", "!cart"}
	for i := 0; i < 200_000; i += 20 {
		record := make([]lines.Line, 20)
		for k := range record {
			m := chat.Message{
				ID: fmt.Sprintf("06094525-101c-46c4-bc29-%012d", i+k), Channel: twitch, Viewer: chat.Viewer{Platform: chat.Twitch, ID: fmt.Sprint(10_000_000 + i%9999), Name: fmt.Sprint("viewer", i%9999)}, Text: texts[(i+k)%len(texts)], Sent: now,
				Received: now, Answer: chat.Answer{Kind: chat.ToReply, Channel: twitch, Message: fmt.Sprint(i + k)},
			}
			if k == 0 && i%1000 == 0 {
				m.Text = "!buy 5"
			}
			record[k] = lines.Line{V: lines.Version, Message: m, Show: s.show.ID, Decided: now, Rules: 1, Seed: uint64(i + k + 1)}
		}
		now = now.Add(400 * time.Millisecond)
		if err := lines.NewWriter(s.house.Bus).Append(s.merchant, record); err != nil {
			b.Fatal(err)
		}
		if i%10_000 == 0 {
			s.ok(s.house.Bus.Logged(b.Context()))
		}
	}
	s.ok(s.house.Bus.Logged(b.Context()))
	for b.Loop() {
		r := must(s.house.Run(b.Context(), s.merchant, s.show.ID, all[1:], replay.Options{}, nil))(b)
		if r.Lines != 200_001 {
			b.Fatalf("%d lines", r.Lines)
		}
	}
}
