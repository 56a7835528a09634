package live

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/aired"
	"hawker/internal/live/command"
	"hawker/internal/live/stage"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/archive"
)

var yonder = chat.Channel{Platform: chat.Discord, ID: "4004"}

// change stores the show with a change.
func (s *stall) change(f func(*commerce.Show)) {
	s.t.Helper()
	show := s.page().Show
	f(&show)
	if _, err := s.hub.Ask(context.Background(), s.merchant, commerce.Key{}, commerce.SetShow{Show: show}); err != nil {
		s.t.Fatal(err)
	}
}

// onDiscord makes the show listen to a channel where lines can be edited.
func (s *stall) onDiscord() {
	s.change(func(show *commerce.Show) { show.Channels = append(show.Channels, yonder) })
}

// discord makes a line one of the Discord channel.
func discord(m *chat.Message) {
	m.Channel, m.Viewer.Platform, m.Answer = yonder, chat.Discord, chat.Answer{Kind: chat.ToReply, Channel: yonder, Message: m.ID}
}

// edit gives a line of the Discord channel another text, so long after it was sent.
func (s *stall) edit(name, id, text string, after time.Duration) {
	now := time.Now()
	m := chat.Message{ID: id, Channel: yonder, Viewer: chat.Viewer{ID: "id-" + name, Name: name}, Text: text, Sent: now, Received: now, Edited: true}
	discord(&m)
	s.chat.hear(chat.Event{Kind: chat.Edited, Channel: yonder, Message: m, At: now.Add(after)})
}

// holds is what a viewer holds, as "3x2 4x1".
func (s *stall) holds(name string) string {
	var out []string
	for _, h := range s.page().Open {
		if h.Viewer.Name == name {
			out = append(out, strings.Join([]string{commerce.ID(h.Number).String(), commerce.ID(h.Quantity).String()}, "x"))
		}
	}
	return strings.Join(out, " ")
}

func (s *stall) holding(name, want string) {
	s.t.Helper()
	s.until(name+" holds "+want, func() bool { return s.holds(name) == want })
}

// An edit is read anew, once, however often it comes; one that means the same changes nothing, one that is talk gives back.
func TestEditsAreReadAnew(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.onDiscord()
	id := s.types("ana", "!buy 3", discord)
	s.holding("ana", "3x1")
	hold := s.receipt("ana").Holds[0].ID
	s.edit("ana", id, "!buy 3 please", time.Second)
	s.edit("ana", id, "!buy 3 x2", 2*time.Second)
	s.edit("ana", id, "!buy 3 x2", 2*time.Second) // it comes again
	s.holding("ana", "3x2")
	if h := s.receipt("ana").Holds[0]; h.ID != hold {
		t.Errorf("an edit that means the same took hold %v away", hold)
	}
	s.edit("ana", id, "!buy 5 M", 3*time.Second) // within the time in which its author may take it back
	s.holding("ana", "5x1")
	s.edit("ana", id, "is 5 nice?", 4*time.Second)
	s.holding("ana", "")
	s.edit("ana", id, "!buy 4", 5*time.Second)
	s.holding("ana", "4x1")
	s.edit("ana", id, "!buy 5", 6*time.Second) // which size is asked; the vase is given back meanwhile
	s.holding("ana", "")
	if got := s.why("ana"); got != commerce.NeedsVariant {
		t.Errorf("the last edit got %q", got)
	}
}

// A plus form that is edited adds what it says now, not that too.
func TestEditedPlusForms(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.onDiscord()
	s.change(func(show *commerce.Show) { show.Lineup.Styles.Plus = true })
	s.types("ana", "!buy 3", discord)
	id := s.types("ana", "3+1", discord)
	s.holding("ana", "3x2")
	s.edit("ana", id, "3+3", time.Second)
	s.holding("ana", "3x4")
	s.edit("ana", id, "3+2", 2*time.Second)
	s.holding("ana", "3x3")
}

// A claim without an item means the item that its viewer saw, late as the video is; close to a change it is asked about.
func TestClaimMeansWhatWasSeen(t *testing.T) {
	s := openStall(t, t.TempDir())
	m := s.hub.Merchant(s.merchant)
	now := time.Now()
	log := aired.Log{}.With(now, 0).With(now.Add(-time.Minute), 3).With(now.Add(-2*time.Second), 4)
	put := func(d aired.Delay) {
		if err := m.look(t.Context(), func() {
			st := *(*m.stages.Load())[here]
			st.OnAir, st.Video = log, d
			m.stages.Store(&map[chat.Channel]*stage.Stage{here: &st})
		}); err != nil {
			t.Fatal(err)
		}
	}
	put(aired.Measured(20 * time.Second))
	s.types("ana", "!buy")
	s.holding("ana", "3x1")
	put(aired.Measured(0))
	s.types("bob", "!buy")
	s.until("bob is asked", func() bool { return s.why("bob") == commerce.NeedsItem })
}

// A platform whose clock is minutes behind ours sells all the same, and the dashboard says so; what is late there is late.
func TestWrongClockIsNotPunished(t *testing.T) {
	s := openStall(t, t.TempDir())
	behind := func(d time.Duration) func(*chat.Message) {
		return func(m *chat.Message) { m.Sent = m.Sent.Add(-d) }
	}
	s.types("ana", "!buy 3", behind(10*time.Minute))
	s.holding("ana", "3x1")
	s.types("bob", "!buy 3", behind(13*time.Minute))
	s.until("bob's line is too old", func() bool { return s.why("bob") == commerce.TooOld })
	c := s.page().Channels[0]
	if c.Clock < 10*time.Minute || !strings.Contains(c.Trouble, "clock") {
		t.Errorf("%+v", c)
	}
}

// past plans a claim as if it had come so long ago, while nobody serves the shop, and what then follows of it, and serves the
// shop again.
func (s *stall) past(dir string, ago time.Duration, claims []commerce.Request, then func([]commerce.Outcome) commerce.Request) *stall {
	s.t.Helper()
	s.stop()
	must := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	key, err := seal.ReadKey(dir)
	must(err)
	db, err := sqldb.Open(s.t.Context(), sqldb.Options{Dir: dir, Key: key})
	must(err)
	st, err := db.Load(s.t.Context(), s.merchant)
	must(err)
	d := commerce.NewDesk(s.merchant, st)
	b, outs := d.Plan(time.Now().Add(-ago), claims)
	must(db.Commit(s.t.Context(), b))
	d.Commit()
	if then != nil {
		b, _ = d.Plan(time.Now().Add(-ago), []commerce.Request{then(outs)})
		must(db.Commit(s.t.Context(), b))
	}
	must(db.Close())
	return openStall(s.t, dir)
}

// claimOf is a claim as the house makes it of a line.
func (s *stall) claimOf(name string, number, n int) commerce.Claim {
	v := chat.Viewer{Platform: chat.Twitch, ID: "id-" + name, Name: name}
	return commerce.Claim{Ask: commerce.Ask{Key: commerce.Key{Platform: chat.Twitch, Message: "past-" + name}, Show: s.show, Viewer: v}, Number: number, Quantity: n}
}

// Owners are reminded once, in the chat where they claimed, together where several end.
func TestReminder(t *testing.T) {
	dir := t.TempDir()
	s := openStall(t, dir)
	s = s.past(dir, 9*time.Minute, []commerce.Request{s.claimOf("ana", 3, 2), s.claimOf("bob", 3, 1)}, nil)
	s.until("both are reminded", func() bool { return s.count("ana") > 0 && s.count("bob") > 0 })
	got := s.says("Mug")
	if !strings.Contains(got, "held 2 min more: ") && !strings.Contains(got, "is held until ") {
		t.Errorf("%q", got)
	}
	s.types("end", "!buy 4")
	s.says("#4 Vase held")
	if a, b := s.count("ana"), s.count("bob"); a != 1 || b != 1 {
		t.Errorf("reminded %d and %d times: %q", a, b, s.chat.texts())
	}
}

// A hold whose owner could be told nothing gets its time once more when it ends, and is told then.
func TestUnheardHoldIsExtendedAndTold(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.chat.platform.mu.Lock()
	s.chat.refuse = []error{&chat.Refused{Code: "msg_banned"}}
	s.chat.platform.mu.Unlock()
	s.types("ana", "!buy 3")
	s.until("it is noted that ana heard nothing", func() bool {
		p := s.page()
		return len(p.Open) == 1 && p.Open[0].Unheard
	})
	s.types("bob", "!buy 4")
	s.says("#4 Vase held")
	if p := s.page(); p.Open[1].Unheard {
		t.Error("bob was told")
	}
	dir := t.TempDir()
	s = openStall(t, dir)
	s = s.past(dir, 12*time.Minute, []commerce.Request{s.claimOf("ana", 3, 1), s.claimOf("bob", 3, 1)}, func(outs []commerce.Outcome) commerce.Request {
		return commerce.Unheard{Holds: []commerce.ID{outs[0].Hold}}
	})
	if got := s.says("#3 Mug"); !strings.Contains(got, "is held for you") || !strings.Contains(got, "ana") {
		t.Errorf("%q", got)
	}
	if s.holds("ana") != "3x1" || s.holds("bob") != "" {
		t.Errorf("ana holds %q, bob %q", s.holds("ana"), s.holds("bob"))
	}
}

// Who got in line on a page, where it need not be open any more, is told in the chat when it is their turn.
func TestPromotedFromAPage(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.types("ana", "!buy 4")
	s.says("#4 Vase held")
	ctx := context.Background()
	key := commerce.Key{Platform: chat.Room, Message: "form-1"}
	bob := chat.Viewer{Platform: chat.Twitch, ID: "id-bob", Name: "bob"}
	o, err := s.hub.Ask(ctx, s.merchant, key, commerce.Claim{Ask: commerce.Ask{Show: s.show, Viewer: bob, Sent: time.Now()}, Number: 4, Quantity: 1})
	if err != nil || o.Reason != commerce.Waitlisted {
		t.Fatalf("%+v, %v", o, err)
	}
	s.types("ana", "!pass 4")
	if got := s.says("bob"); !strings.Contains(got, "Vase") || !strings.Contains(got, "held") {
		t.Errorf("%q", got)
	}
}

// What the viewer must choose is chosen on a page that the answer leads to.
func TestChoosingHasAPage(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.types("ana", "!buy 5")
	if got := s.says("which one? S, M"); !strings.Contains(got, "https://shop.example/c/") || !strings.HasSuffix(got, "?item=5") {
		t.Errorf("%q", got)
	}
	s.types("bob", "!buy", func(m *chat.Message) {
		m.Answer = chat.Answer{Kind: chat.ToPrivate, Channel: here, Token: "t", Until: time.Now().Add(time.Minute)}
	})
	if got := s.says("Which item?"); !strings.Contains(got, "/c/") || !strings.Contains(got, "?own=") || !strings.HasSuffix(got, "&item=") {
		t.Errorf("%q", got)
	}
	s.chat.budget.PublicOnly = true
	s.types("cy", "!buy 5")
	s.until("cy is asked", func() bool { return s.count("/live/spring?item=5") == 1 })
}

// A show that is paid once tells no clock.
func TestPayOnceIsToldSo(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.change(func(show *commerce.Show) { show.PayOnce = time.Hour })
	s.types("ana", "!buy 3")
	if got := s.says("#3 Mug held"); !strings.Contains(got, "You pay once, after the show.") || strings.Contains(got, "min") {
		t.Errorf("%q", got)
	}
}

// What is first paid, first served is told so.
func TestOfferIsToldSo(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.change(func(show *commerce.Show) { show.Lineup.Items[0].FirstPaid = true })
	s.types("ana", "!buy 3")
	if got := s.says("First paid, first served"); !strings.Contains(got, "https://shop.example/c/") {
		t.Errorf("%q", got)
	}
}

// A moderator's line that is delivered twice changes stock once; so does a form.
func TestHostCommandsAreDecidedOnce(t *testing.T) {
	s := openStall(t, t.TempDir())
	mod := func(m *chat.Message) { m.Roles = chat.Moderator }
	id := s.types("mod", "!stock 3 +5", mod)
	s.types("mod", "!stock 3 +5", mod, func(m *chat.Message) { m.ID = id })
	s.types("ana", "!buy 4")
	s.says("#4 Vase held")
	if n := s.page().Items[0].Free; n != 10 {
		t.Errorf("%d pieces after +5 came twice to 5", n)
	}
	key := commerce.Key{Platform: chat.Room, Message: "form"}
	for range 2 {
		if _, err := s.hub.Ask(t.Context(), s.merchant, key, commerce.SetStock{Variant: s.page().Items[0].Product.Variants[0].ID, Add: 3}); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.page().Items[0].Free; n != 13 {
		t.Errorf("%d pieces after a form with +3 came twice", n)
	}
}

// Keys of forms reach the requests that are decided once.
func TestCommandKeys(t *testing.T) {
	key := commerce.Key{Platform: chat.Room, Message: "k"}
	for _, r := range []commerce.Request{commerce.Release{Hold: 1}, commerce.SetStock{Variant: 1, Add: 1}, commerce.Air{Show: 1}, commerce.Gate{Show: 1}, commerce.Reopen{By: "x"}} {
		c, err := command.New(key, r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Request()
		if err != nil {
			t.Fatal(err)
		}
		var k commerce.Key
		switch x := got.(type) {
		case commerce.Release:
			k = x.Key
		case commerce.SetStock:
			k = x.Key
		case commerce.Air:
			k = x.Key
		case commerce.Gate:
			k = x.Key
		case commerce.Reopen:
			k = key
		}
		if k != key {
			t.Errorf("%T has key %v", got, k)
		}
	}
}

// One request that the database refuses takes nothing with it.
func TestPoisonedRequestFailsAlone(t *testing.T) {
	s := openStall(t, t.TempDir())
	m := s.hub.Merchant(s.merchant)
	in, out := make(chan struct{}), make(chan struct{})
	go func() { _ = m.look(context.Background(), func() { close(in); <-out }) }()
	<-in // the merchant's goroutine stands; what comes now is one batch
	var done sync.WaitGroup
	var bad error
	done.Go(func() {
		show := commerce.Show{ID: commerce.NewID(time.Now()), Name: "bad", Title: "Bad", State: commerce.ShowPlanned}
		show.Lineup.Items = []commerce.Item{{Number: 0}} // the table takes no such number
		_, bad = m.ask(context.Background(), &call{req: commerce.SetShow{Show: show}})
	})
	s.until("the bad one waits", func() bool { return len(m.jobs) == 1 })
	for _, name := range []string{"ana", "bob", "cy"} {
		s.types(name, "!buy 3")
		s.types(name, "hello")
	}
	close(out)
	done.Wait()
	if bad == nil {
		t.Error("the database took an item number 0")
	}
	for _, name := range []string{"ana", "bob", "cy"} {
		s.holding(name, "3x1")
		s.until(name+" is answered", func() bool { return s.count(name) > 0 || s.count("held") > 0 })
	}
	if n := s.hub.Totals().Failed; n != 1 {
		t.Errorf("%d batches failed for good", n)
	}
}

// Names that a database may not take are cleaned at the door.
func TestNamesAreCleaned(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.types("a\x00n\xffa", "!buy 3")
	s.holding("an\uFFFDa", "3x1")
}

// While the database is away each chat is told so, once in a while, and reading goes on.
func TestDatabaseAway(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.gone = true
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ana", "bob", "cy"} {
		s.types(name, "!buy 3")
	}
	s.says("Orders cannot be taken for a moment")
	s.until("all lines were heard", func() bool { return s.hub.Totals().Limited == 3 })
	s.types("dee", "!buy 3")
	s.until("dee was heard", func() bool { return s.hub.Totals().Limited == 4 })
	if n := s.count("Orders cannot be taken"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
}

// A pause that could not be stored is none: the bot does not fall silent, and who asked for it is told.
func TestPauseWhileTheDatabaseIsAway(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.gone = true
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	s.types("mod", "!pause", func(m *chat.Message) { m.Roles = chat.Moderator })
	s.says("Orders cannot be taken for a moment")
	s.types("eli", "!shop")
	s.says("On sale")
	if _, muted := s.hub.Manners(s.merchant).Muted(here, s.show); muted || s.page().Show.Paused || s.why("mod") != commerce.Limited {
		t.Errorf("muted %v, the moderator's line became %q", muted, s.why("mod"))
	}
}

// What styles would have made of the last lines.
func TestStylesPreview(t *testing.T) {
	s := openStall(t, t.TempDir())
	for _, text := range []string{"sold 3", "mine 4", "hello", "!buy 3", "3+1"} {
		s.types("ana", text)
	}
	s.says("#3 Mug held")
	s.until("all is read", func() bool { return len(s.page().Chat) >= 5 })
	p, err := s.hub.StylesPreview(t.Context(), s.merchant, s.show, commerce.Styles{Boutique: true})
	if err != nil || p.Claims != 2 || p.Lines < 5 || len(p.Examples) != 2 {
		t.Errorf("%+v, %v", p, err)
	}
}

// What is known of a viewer is erased; what they held is free, the ledger stands.
func TestForget(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.types("ana", "!forget")
	s.says("Nothing of yours is kept")
	s.types("ana", "!buy 3")
	s.says("#3 Mug held")
	s.types("ana", "!forget")
	if got := s.says("a button that erases it"); !strings.Contains(got, "https://shop.example/c/") {
		t.Errorf("%q", got)
	}
	s.types("bob", "!buy 4")
	s.holding("bob", "4x1")
	if err := s.hub.Forget(t.Context(), s.merchant, chat.Viewer{Platform: chat.Twitch, ID: "id-ana"}); err != nil {
		t.Fatal(err)
	}
	s.until("ana's hold is free", func() bool {
		p, err := s.hub.Page(t.Context(), s.merchant, s.show)
		return err == nil && p.HeldPieces == 1
	})
	p := s.page()
	for _, l := range p.Feed {
		if l.Viewer.Name == "ana" || l.Viewer.ID == "id-ana" && l.Text != "" {
			t.Errorf("in the feed: %+v", l)
		}
	}
	for _, l := range p.Chat {
		if l.Viewer.Name == "ana" || l.Viewer.ID == "id-ana" && l.Text != "" {
			t.Errorf("in the chat: %+v", l)
		}
	}
	st, err := s.db.Load(t.Context(), s.merchant)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range st.Holds {
		if h.Viewer.ID == "id-ana" && h.Viewer.Name != "" {
			t.Errorf("in the database: %+v", h.Viewer)
		}
	}
}

// After a restore nothing is sold until the store was read and the chats are well; without a store until the host says so.
func TestRestored(t *testing.T) {
	for _, withStore := range []bool{false, true} {
		dir := t.TempDir()
		s := openStall(t, dir)
		file := dir + "/b.zip"
		if _, _, err := s.db.Backup(t.Context(), file, sqldb.BackupOptions{Product: "test"}); err != nil {
			t.Fatal(err)
		}
		s.stop()
		r, err := archive.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		key, err := seal.ReadKey(dir)
		if err != nil {
			t.Fatal(err)
		}
		_, err = sqldb.Restore(t.Context(), sqldb.Options{Dir: dir, Key: key}, r, true)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
		s = openStall(t, dir)
		if p := s.page(); p.Restored.IsZero() || p.RestoreWaits == "" {
			t.Errorf("restored %v, waits for %q", p.Restored, p.RestoreWaits)
		}
		s.types("ana", "!buy 3")
		s.says("Sales are paused")
		if withStore {
			if err := s.db.PutStore(t.Context(), s.merchant, sqldb.Store{Kind: "shopify", Shop: "ana.example"}); err != nil {
				t.Fatal(err)
			}
			s.sell(&cashier{})
		} else if err := s.hub.Reopen(t.Context(), s.merchant, "member/1"); err != nil {
			t.Fatal(err)
		}
		s.until("selling goes on", func() bool { return s.page().Restored.IsZero() && s.page().RestoreWaits == "" })
		s.types("bob", "!buy 3")
		s.says("#3 Mug held")
		s.stop()
	}
}

// Whoever measures is told of every line, refused ones too.
func TestDecidedIsTold(t *testing.T) {
	var mu sync.Mutex
	got := map[string]commerce.Reason{}
	s := openStallWith(t, t.TempDir(), func(h *Hub) {
		h.Decided = func(k commerce.Key, r commerce.Reason) { mu.Lock(); defer mu.Unlock(); got[k.Message] = r }
	})
	want := map[string]commerce.Reason{s.types("ana", "!buy 3"): commerce.Held, s.types("ana", "hello"): commerce.Chat, s.types("bob", "!buy 9"): commerce.UnknownItem}
	s.until("all are told", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == len(want) })
	for id, r := range want {
		if got[id] != r {
			t.Errorf("%s got %q, want %q", id, got[id], r)
		}
	}
}
