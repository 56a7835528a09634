package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live/command"
	"hawker/internal/live/lines"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// stall is a house with one merchant, its own stock, and a chat that the test types into.
type stall struct {
	t        *testing.T
	hub      *Hub
	db       *sqldb.DB
	chat     *typed
	merchant commerce.ID
	show     commerce.ID
	variants map[int]commerce.ID
	stop     func()
	gone     bool // the database is closed already
	n        int
}

// typed is a platform that the test types into.
type typed struct {
	platform
	mu   sync.Mutex
	hear func(chat.Event)
	on   chan struct{}
	did  []chat.Deed
}

func (c *typed) Listen(ctx context.Context, hear func(chat.Event)) error {
	c.mu.Lock()
	c.hear = hear
	select {
	case <-c.on:
	default:
		close(c.on)
	}
	c.mu.Unlock()
	<-ctx.Done()
	return nil
}

func (c *typed) States() []chat.State {
	return []chat.State{{Channel: here, Hears: true, Speaks: true}}
}

func openStall(t *testing.T, dir string) *stall {
	t.Helper()
	return openStallWith(t, dir, func(*Hub) {})
}

// openStallWith is openStall with a hub that was changed before it runs.
func openStallWith(t *testing.T, dir string, change func(*Hub)) *stall {
	t.Helper()
	s := &stall{t: t, variants: map[int]commerce.ID{}}
	ctx, cancel := context.WithCancel(context.Background())
	key, err := seal.ReadKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.db, err = sqldb.Open(ctx, sqldb.Options{Dir: dir, Key: key}); err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(ctx, bus.Options{Dir: dir + "/nats"})
	if err != nil {
		t.Fatal(err)
	}
	s.chat = &typed{on: make(chan struct{})}
	s.chat.budget = chat.Budget{Lines: 100, Per: 30 * time.Second, Pool: "x", MaxRunes: 500, Replies: true}
	s.hub = &Hub{DB: s.db, Bus: b, Key: key, Public: "https://shop.example", Connect: func(_ context.Context, m sqldb.Merchant) (Connections, error) {
		if m.ID != s.merchant {
			return Connections{}, nil
		}
		return Connections{Accounts: []Account{{Name: "bot", Chat: s.chat, Channels: []chat.Channel{here, yonder}}}}, nil
	}}
	change(s.hub)
	s.find(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.hub.Run(ctx) }()
	<-s.hub.Started()
	<-s.chat.on
	s.stop = sync.OnceFunc(func() {
		cancel()
		err := errors.Join(<-ended, b.Close())
		if !s.gone {
			err = errors.Join(err, s.db.Close())
		}
		if err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// find is the merchant of an earlier start, or makes it: a show with item 3 (5 pieces), item 4 (1 piece) and item 5 in two sizes.
func (s *stall) find(ctx context.Context) {
	must := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	all, err := s.db.Merchants(ctx)
	must(err)
	if len(all) > 0 {
		s.merchant = all[0].ID
		shows, err := s.db.Shows(ctx, s.merchant)
		must(err)
		s.show = shows[0].ID
		return
	}
	s.merchant, err = s.db.PutMerchant(ctx, sqldb.Merchant{Slug: "ana", Name: "Ana", Currency: "EUR", Timezone: "UTC", Language: "en"})
	must(err)
	must(s.db.PutChannel(ctx, s.merchant, sqldb.Channel{Channel: here, Name: "ana"}))
	price := commerce.Money{Minor: 1800, Currency: "EUR"}
	products, err := s.db.PutProducts(ctx, s.merchant, []commerce.Product{
		{Title: "Mug", Variants: []commerce.Variant{{SKU: "M", Price: price}}},
		{Title: "Vase", Variants: []commerce.Variant{{SKU: "V", Price: price}}},
		{Title: "Shirt", Options: []string{"Size"}, Variants: []commerce.Variant{{SKU: "S-S", Options: []string{"S"}, Price: price}, {SKU: "S-M", Options: []string{"M"}, Price: price}}},
	})
	must(err)
	st, err := s.db.Load(ctx, s.merchant)
	must(err)
	d := commerce.NewDesk(s.merchant, st)
	sh := commerce.Show{ID: commerce.NewID(time.Now()), Name: "spring", Title: "Spring", State: commerce.ShowLive, Channels: []chat.Channel{here}}
	reqs := []commerce.Request{}
	stock := []int64{5, 1, 2, 2}
	i := 0
	for n, p := range products {
		sh.Lineup.Items = append(sh.Lineup.Items, commerce.Item{Number: n + 3, Product: p})
		for _, v := range p.Variants {
			reqs = append(reqs, commerce.SetStock{Variant: v.ID, Available: &stock[i]})
			i++
		}
	}
	s.show = sh.ID
	b, _ := d.Plan(time.Now(), append(reqs, commerce.SetShow{Show: sh}))
	must(s.db.Commit(ctx, b))
}

// types has a viewer type a line.
func (s *stall) types(name, text string, change ...func(*chat.Message)) string {
	s.n++
	id := fmt.Sprintf("m%d-%d", s.n, time.Now().UnixNano())
	now := time.Now()
	m := chat.Message{
		ID: id, Channel: here, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "id-" + name, Name: name}, Text: text, Sent: now, Received: now,
		Answer: chat.Answer{Kind: chat.ToReply, Channel: here, Message: id},
	}
	for _, f := range change {
		f(&m)
	}
	s.chat.hear(chat.Event{Kind: chat.Said, Channel: here, Message: m, At: now})
	return m.ID
}

func (s *stall) page() ShowPage {
	s.t.Helper()
	p, err := s.hub.Page(context.Background(), s.merchant, s.show)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// says waits until the bot said something that contains text.
func (s *stall) says(text string) string {
	s.t.Helper()
	found := ""
	s.until("the bot says "+text, func() bool {
		for _, x := range s.chat.texts() {
			if strings.Contains(x, text) {
				found = x
			}
		}
		return found != ""
	})
	return found
}

func (s *stall) until(what string, f func() bool) {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	s.t.Fatalf("never came: %s; the bot said %q", what, s.chat.texts())
}

// why is the reason of the newest line of the feed by a viewer.
func (s *stall) why(name string) commerce.Reason {
	for _, l := range s.page().Feed {
		if l.Viewer.Name == name {
			return l.Reason
		}
	}
	return ""
}

func TestLinesBecomeAnswers(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.types("ana", "!buy 3 x2")
	if got := s.says("#3 Mug x2 held"); !strings.Contains(got, "https://shop.example/c/") {
		t.Errorf("%q has no receipt", got)
	}
	s.types("bob", "!buy 5")
	s.says("which one? S, M")
	s.types("bob", "!buy 5 M")
	s.says("#5 Shirt M held")
	s.types("cy", "!buy 4")
	s.says("#4 Vase held")
	dee := s.types("dee", "!buy 4")
	s.says("#4 Vase: all held just now. You are number 1 in line.")
	s.types("cy", "!pass 4")
	got := s.says("Your turn") // in reply to dee, or in one line with cy's answer
	toDee := slices.ContainsFunc(s.chat.lines(), func(l chat.Line) bool { return l.Text == got && l.To.Message == dee })
	if !strings.Contains(got, "#4 Vase") || !toDee && !strings.Contains(got, "dee") {
		t.Errorf("%q is not about dee and the vase", got)
	}
	s.types("ana", "!me")
	s.says("You have: #3 Mug x2, 1")
	s.types("ana", "!shop")
	if got := s.says("On sale: #3 Mug, €18.00, 3 left"); !strings.Contains(got, "https://shop.example/live/") {
		t.Errorf("%q does not lead to the show's page", got)
	}
	s.types("eli", "!cart")
	s.says("You hold nothing yet")
	s.types("ana", "!cart")
	s.says("Your receipt: https://shop.example/c/")
	s.types("dee", "!why")
	s.says("Your last line: all were held; you are in line")
	gone := s.types("fay", "!buy 3")
	s.says("#3 Mug held")
	s.chat.hear(chat.Event{Kind: chat.Deleted, Channel: here, ID: gone, At: time.Now()})
	s.until("it is given back", func() bool { return s.holds("fay") == "" })
	s.types("fay", "!why")
	s.says("Your last line: given back")
}

func TestLinesThatNeverAct(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.types("own", "!buy 3", func(m *chat.Message) { m.Own = true })
	s.types("bot", "!buy 3", func(m *chat.Message) { m.Bot = true })
	s.types("shared", "!buy 3", func(m *chat.Message) { m.Source = "9" })
	s.types("old", "!buy 3", func(m *chat.Message) { m.Sent = m.Sent.Add(-3 * time.Minute) })
	s.types("talk", "is 3 sold?")
	id := s.types("ana", "!buy 3")
	s.types("ana", "!buy 3", func(m *chat.Message) { m.ID = id }) // delivered twice
	s.types("viewer", "!pause")
	s.types("end", "!buy 4")
	s.says("#4 Vase held")
	p := s.page()
	if p.HeldPieces != 2 || len(p.Open) != 2 {
		t.Errorf("%d pieces in %d holds, want 2 in 2", p.HeldPieces, len(p.Open))
	}
	if got := s.why("old"); got != commerce.TooOld {
		t.Errorf("a line of three minutes ago got %q", got)
	}
	if got := s.why("viewer"); got != commerce.HostOnly || p.Show.Paused {
		t.Errorf("a viewer's !pause got %q, paused %v", got, p.Show.Paused)
	}
	held := 0
	for _, x := range s.chat.texts() {
		if strings.Contains(x, "#3") {
			held++
		}
	}
	if held != 1 {
		t.Errorf("the line that came twice was answered %d times", held)
	}
}

func TestHostCommands(t *testing.T) {
	s := openStall(t, t.TempDir())
	mod := func(m *chat.Message) { m.Roles = chat.Moderator }
	s.types("mod", "!air 4", mod)
	s.until("item 4 is on air", func() bool { return s.page().Show.Lineup.OnAir == 4 })
	s.types("mod", "!next", mod)
	s.until("item 5 is on air", func() bool { return s.page().Show.Lineup.OnAir == 5 })
	s.types("mod", "!stock 3 +5", mod)
	s.until("item 3 has 10", func() bool { return s.page().Items[0].Free == 10 })
	s.types("mod", "!close 3", mod)
	s.until("item 3 is closed", func() bool { return s.page().Items[0].Closed })
	s.types("ana", "!buy 3")
	s.says("#3 is not on sale")
	s.types("bob", "!buy 4")
	s.says("#4 Vase held")
	s.types("mod", "!block @bob", mod)
	s.until("bob's hold is free", func() bool { return s.page().HeldPieces == 0 })
	s.types("bob", "!buy 4")
	s.until("bob is blocked", func() bool { return s.why("bob") == commerce.Blocked })
	s.types("mod", "!pause", mod)
	s.until("the show is paused", func() bool { return s.page().Show.Paused })
	s.types("cy", "!buy 4")
	s.says("Sales are paused")
}

// What was promised and not said before the end is said at the next start, once; what is said once is not said again.
func TestUnsaidIsSaidAtTheNextStart(t *testing.T) {
	dir := t.TempDir()
	s := openStall(t, dir)
	s.types("ana", "!buy 3")
	s.says("#3 Mug held")
	hold := make(chan struct{})
	s.chat.platform.mu.Lock() // the platform takes nothing from here on
	go func() { <-hold; s.chat.platform.mu.Unlock() }()
	s.types("bob", "!buy 4")
	s.until("bob's hold is stored", func() bool { return s.page().HeldPieces == 2 })
	// A crash: the database is taken as it is now.
	st, err := s.db.Load(context.Background(), s.merchant)
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Effects) == 0 {
		t.Fatal("the answer to bob is not stored")
	}
	var unsaid []string
	for _, e := range st.Effects {
		unsaid = append(unsaid, string(e.Body))
	}
	if all := strings.Join(unsaid, " "); !strings.Contains(all, "id-bob") {
		t.Errorf("stored effects: %s", all)
	}
	close(hold)
	s.stop()
	s = openStall(t, dir)
	if got := s.page(); got.HeldPieces != 2 {
		t.Errorf("%d pieces held after the start, want 2", got.HeldPieces)
	}
}

func TestDo(t *testing.T) {
	s := openStall(t, t.TempDir())
	ctx := context.Background()
	viewer := chat.Viewer{Platform: chat.Room, ID: "browser", Name: "Guest"}
	key := commerce.Key{Platform: chat.Room, Message: "form-1"}
	claim := commerce.Claim{Ask: commerce.Ask{Show: s.show, Viewer: viewer, Sent: time.Now()}, Number: 3, Quantity: 2}
	o, err := s.hub.Ask(ctx, s.merchant, key, claim)
	if err != nil || o.Reason != commerce.Held || o.Holding != 2 || o.Receipt == 0 {
		t.Fatalf("claim: %+v, %v", o, err)
	}
	again, err := s.hub.Ask(ctx, s.merchant, key, claim)
	if err != nil || again.Reason != o.Reason || again.Hold != o.Hold || !again.Repeat {
		t.Errorf("the same form again: %+v, %v", again, err)
	}
	if _, err := s.hub.Ask(ctx, s.merchant+1, key, claim); !errors.Is(err, ErrNotHere) {
		t.Errorf("another merchant: %v", err)
	}
	if _, err := s.hub.Do(ctx, s.merchant, command.Command{Kind: "nonsense"}); err == nil {
		t.Error("an unknown command was done")
	}
	if _, err := s.hub.Page(ctx, s.merchant, 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("page of no show: %v", err)
	}
	// Only the token of the receipt's own private answers binds a browser.
	browser := seal.NewToken()
	if err := s.hub.Own(ctx, s.merchant, o.Receipt, seal.NewToken(), browser); !errors.Is(err, ErrNotFound) {
		t.Errorf("a made-up token: %v", err)
	}
	if err := s.hub.Own(ctx, s.merchant, o.Receipt, s.hub.ownToken(s.merchant, o.Receipt, 0), browser); err != nil {
		t.Errorf("the receipt's own token: %v", err)
	}
	if v, err := s.db.ViewerOfBrowser(ctx, s.merchant, browser); err != nil || v.ID != "browser" {
		t.Errorf("the browser acts for %v, %v", v, err)
	}
}

// Lines of the chat are in the log after their decision, with what became of them and without private tokens.
func TestChatLog(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.types("ana", "hello all")
	s.types("ana", "!buy 3", func(m *chat.Message) {
		m.Answer = chat.Answer{Kind: chat.ToPrivate, Channel: here, Token: "s3cret", Until: time.Now().Add(time.Minute)}
	})
	s.says("#3 Mug held")
	ctx := context.Background()
	var records []bus.Record
	var logged []LogLine
	s.until("both lines are in the log", func() bool { // lines of 20 ms are gathered before the bus has them
		if err := s.hub.Bus.Logged(ctx); err != nil {
			t.Fatal(err)
		}
		var err error
		if records, err = s.hub.Bus.ReadLog(ctx, bus.Range{Merchant: int64(s.merchant)}); err != nil {
			t.Fatal(err)
		}
		logged = nil
		for _, r := range records {
			more, err := lines.Read(r.Data)
			if err != nil {
				t.Fatal(err)
			}
			logged = append(logged, more...)
		}
		return len(logged) >= 2
	})
	if len(logged) != 2 || logged[1].Message.Text != "!buy 3" || logged[0].V != lines.Version || logged[0].Seed == 0 || logged[0].Facts == nil || !logged[0].Facts.First {
		t.Fatalf("the log has %+v; want two lines", logged)
	}
	if got := string(records[len(records)-1].Data); !strings.Contains(got, `"reason":"held"`) || strings.Contains(got, "s3cret") {
		t.Errorf("the log has %s", got)
	}
}

// A show under another merchant's name is refused, and what was decided in the same turn stands.
func TestShowNameIsTaken(t *testing.T) {
	s := openStall(t, t.TempDir())
	ctx := context.Background()
	other, err := s.db.PutMerchant(ctx, sqldb.Merchant{Slug: "bea", Name: "Bea", Currency: "EUR", Timezone: "UTC", Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.hub.Serve(ctx, other); err != nil {
		t.Fatal(err)
	}
	_, err = s.hub.Ask(ctx, other, commerce.Key{}, commerce.SetShow{Show: commerce.Show{ID: commerce.NewID(time.Now()), Name: "spring", Title: "Mine", State: commerce.ShowPlanned}})
	if !errors.Is(err, sqldb.ErrTaken) {
		t.Errorf("the name of another merchant's show: %v, want ErrTaken", err)
	}
	if _, err := s.hub.Ask(ctx, other, commerce.Key{}, commerce.SetShow{Show: commerce.Show{ID: commerce.NewID(time.Now()), Name: "autumn", Title: "Mine", State: commerce.ShowPlanned}}); err != nil {
		t.Errorf("a free name: %v", err)
	}
	_, err = s.hub.Ask(ctx, s.merchant, commerce.Key{}, commerce.SetShow{Show: commerce.Show{ID: commerce.NewID(time.Now()), Name: "second", Title: "Second", State: commerce.ShowLive, Channels: []chat.Channel{here}}})
	var clash *ClashError
	if !errors.As(err, &clash) || clash.Show != "Spring" {
		t.Errorf("a second live show in one chat: %v, want a clash with Spring", err)
	}
}
