package youtube_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"hawker/connectors/youtube"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
	"hawker/internal/chat/chattest"
)

const owner = "UCana"

var ch = chat.Channel{Platform: chat.YouTube, ID: owner}

// sim is YouTube with Ana's channel, as the suite wants to drive it.
type sim struct{ *youtubesim.Sim }

func (s sim) Type(c chat.Channel, v chat.Viewer, text string) string {
	return s.Sim.Type(c.ID, youtubesim.Viewer{ID: v.ID, Name: v.Name}, text)
}
func (s sim) Delete(c chat.Channel, id string) { s.Sim.Delete(c.ID, id) }
func (s sim) Repeat(c chat.Channel, id string) { s.Sim.Repeat(c.ID, id) }
func (s sim) Malformed(c chat.Channel)         { s.Sim.Malformed(c.ID) }

func (s sim) Spoken(c chat.Channel) []chattest.Spoken {
	var out []chattest.Spoken
	for _, l := range s.Sim.Spoken(c.ID) {
		out = append(out, chattest.Spoken{ID: l.ID, Text: l.Text, Channel: c, At: l.At})
	}
	return out
}

func (s sim) RefuseSendsBare(n int) { s.RefuseBare(n) }
func (s sim) RefuseMode(chat.Channel) {
	s.Refuse("liveChatMessages.insert", 1, http.StatusForbidden, "liveChatDisabled")
}
func (s sim) BanAccount(c chat.Channel, on bool) { s.Suspend(c.ID, on) }

// Post shows what YouTube has: moderators, members and Super Chats.
func (s sim) Post(c chat.Channel, m chat.Message) (string, bool) {
	if m.Roles.Has(chat.VIP) || m.ReplyTo != "" || m.Bits != 0 || m.Action || m.Bot || m.Source != "" {
		return "", false
	}
	line := youtubesim.Shown{
		Kind: "textMessageEvent", Text: m.Text, At: m.Sent, PaidMicros: m.PaidMicros, Currency: m.PaidCurrency,
		Viewer: youtubesim.Viewer{ID: m.Viewer.ID, Name: m.Viewer.Name, Moderator: m.Roles.Has(chat.Moderator), Member: m.Roles.Has(chat.Subscriber)},
	}
	if m.PaidMicros > 0 {
		line.Kind = "superChatEvent"
	}
	return s.Event(c.ID, line), true
}

func start(t *testing.T, cfg youtubesim.Config) sim {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Channels == nil {
		cfg.Channels = []youtubesim.Channel{{ID: owner, Title: "Ana", Live: true, Persistent: true}}
	}
	s := youtubesim.New(cfg)
	s.Start(l)
	t.Cleanup(s.Close)
	return sim{s}
}

// options reach s, with a quota so large that reads follow each other within a second.
func options(s sim) youtube.Options {
	access, refresh, _ := s.Grant(owner)
	return youtube.Options{
		APIURL: s.URL(), AuthURL: s.AuthURL(), TokenURL: s.TokenURL(), RevokeURL: s.RevokeURL(),
		ClientID: "client", ClientSecret: "secret", DailyUnits: 10_000_000,
		Owner: chat.Account{Platform: chat.YouTube, ID: owner, Name: "Ana", Token: chat.Token{Access: access, Refresh: refresh}},
	}
}

func client(t *testing.T, o youtube.Options) *youtube.Client {
	t.Helper()
	c, err := youtube.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChat(t *testing.T) {
	chattest.Test(t, func(t *testing.T) chattest.Pair {
		s := start(t, youtubesim.Config{DailyUnits: 10_000_000})
		o := options(s)
		o.EchoWait, o.Pace = 500*time.Millisecond, 200*time.Millisecond // so that the suite need not wait 2 s again and again
		return chattest.Pair{Chat: client(t, o), Sim: s, Channel: ch, Recovers: true}
	})
}

func TestChatByList(t *testing.T) {
	s := start(t, youtubesim.Config{DailyUnits: 10_000_000, PollingInterval: 10 * time.Millisecond})
	s.NoStream(true)
	e := listen(t, client(t, options(s)))
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	say := func(text string) string { return s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, text) }
	id := say("!buy 3")
	e.until(t, "line", func() bool { return e.line(id) != nil })
	// The new baseline begins with what was heard: nothing is missing, and nothing is repeated.
	s.ForgetPages(owner)
	id = say("!buy 4")
	e.until(t, "line after the lost place", func() bool { return e.line(id) != nil })
	if n := e.count(chat.Said); n != 2 || e.count(chat.Gap) != 0 || !e.line(id).Recovered {
		t.Errorf("heard %d lines, want 2; %d gaps, want none", n, e.count(chat.Gap))
	}
	if _, calls := s.Units(); calls["liveChatMessages.list"] == 0 || calls["liveChatMessages.stream"] > 1 {
		t.Errorf("calls %v; want the list alone after one try of the stream", calls)
	}
}

// events is what a running Listen tells.
type events struct {
	mu   sync.Mutex
	all  []chat.Event
	stop context.CancelFunc
	done chan error
}

func listen(t *testing.T, c *youtube.Client) *events {
	ctx, cancel := context.WithCancel(t.Context())
	e := &events{stop: cancel, done: make(chan error, 1)}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		e.done <- c.Listen(ctx, func(ev chat.Event) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.all = append(e.all, ev)
		})
	}()
	t.Cleanup(func() { cancel(); <-finished })
	return e
}

func (e *events) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s; heard %+v", what, e.snapshot())
		}
	}
}

func (e *events) snapshot() []chat.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]chat.Event(nil), e.all...)
}

func (e *events) count(k chat.Kind) int {
	n := 0
	for _, ev := range e.snapshot() {
		if ev.Kind == k {
			n++
		}
	}
	return n
}

func (e *events) line(id string) *chat.Message {
	for _, ev := range e.snapshot() {
		if ev.Kind == chat.Said && ev.Message.ID == id {
			return &ev.Message
		}
	}
	return nil
}

func TestWhatTheChatTells(t *testing.T) {
	s := start(t, youtubesim.Config{Channels: []youtubesim.Channel{{ID: owner, Title: "Ana", Live: true, Moderators: []string{"mod"}}}})
	old := s.Type(ch, chat.Viewer{ID: "v", Name: "old"}, "!buy 1")
	// The baseline rule goes by whole seconds; the next one makes this line history.
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
	e := listen(t, client(t, options(s)))
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	paid := s.SuperChat(owner, youtubesim.Viewer{ID: "bob", Name: "Bob", Member: true}, 5_000_000, "EUR", "!buy 3 x2")
	mod := s.Sim.Type(owner, youtubesim.Viewer{ID: "mod", Name: "Mo"}, "hello")
	host := s.Sim.Type(owner, youtubesim.Viewer{ID: owner, Name: "Ana"}, "!next")
	sticker := s.Event(owner, youtubesim.Shown{Kind: "superStickerEvent", Viewer: youtubesim.Viewer{ID: "bob"}, PaidMicros: 2_000_000, Currency: "USD"})
	s.Event(owner, youtubesim.Shown{Kind: "giftEvent", Viewer: youtubesim.Viewer{ID: "bob"}})
	s.Event(owner, youtubesim.Shown{Kind: "someNewEvent", Viewer: youtubesim.Viewer{ID: "bob"}})
	back := s.Event(owner, youtubesim.Shown{Kind: "messageRetractedEvent", Viewer: youtubesim.Viewer{ID: "bob"}, Takes: paid})
	s.Ban(owner, youtubesim.Viewer{ID: "troll", Name: "T"})
	s.EndChat(owner)
	e.until(t, "left", func() bool { return e.count(chat.Left) == 1 })
	if back == "" || e.line(old) != nil {
		t.Error("a line from before we listened was heard")
	}
	m := e.line(paid)
	if m == nil || m.Text != "!buy 3 x2" || m.PaidMicros != 5_000_000 || m.PaidCurrency != "EUR" || m.Roles != chat.Subscriber {
		t.Errorf("super chat = %+v", m)
	}
	if m := e.line(mod); m == nil || m.Roles != chat.Moderator {
		t.Errorf("moderator's line = %+v", m)
	}
	if m := e.line(host); m == nil || m.Roles != chat.Owner || m.Own {
		t.Errorf("the creator's line = %+v; typed by hand it must act", m)
	}
	if m := e.line(sticker); m == nil || m.Text != "" || m.PaidMicros != 2_000_000 {
		t.Errorf("sticker = %+v", m)
	}
	for _, ev := range e.snapshot() {
		switch {
		case ev.Kind == chat.Deleted && (ev.ID != paid || ev.ByMod || ev.Viewer.ID != "bob"):
			t.Errorf("retraction = %+v", ev)
		case ev.Kind == chat.Cleared && (ev.Viewer.ID != "troll" || !ev.ByMod):
			t.Errorf("ban = %+v", ev)
		}
	}
	if e.count(chat.Said) != 4 || e.count(chat.Deleted) != 1 || e.count(chat.Cleared) != 1 {
		t.Errorf("heard %+v", e.snapshot())
	}
}

func TestNextBroadcast(t *testing.T) {
	s := start(t, youtubesim.Config{Channels: []youtubesim.Channel{{ID: owner, Title: "Ana"}}})
	c := client(t, options(s))
	e := listen(t, c)
	e.until(t, "a state that waits", func() bool { return c.States()[0].Trouble != "" })
	_, err := c.Say(t.Context(), line("nobody there"))
	var re *chat.Refused
	if !errors.As(err, &re) || re.Code != "liveChatNotFound" {
		t.Errorf("Say without a broadcast: %v", err)
	}
	for i := range 2 {
		s.GoLive(owner)
		e.until(t, "joined", func() bool { c.Nudge(); return e.count(chat.Joined) == i+1 })
		id := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "!buy 3")
		e.until(t, "line", func() bool { return e.line(id) != nil })
		s.EndChat(owner)
		e.until(t, "left", func() bool { return e.count(chat.Left) == i+1 })
	}
}

func line(text string) chat.Line {
	return chat.Line{To: chat.Answer{Kind: chat.ToChannel, Channel: ch}, Text: text}
}

func TestCursor(t *testing.T) {
	s := start(t, youtubesim.Config{})
	o := options(s)
	var mu sync.Mutex
	var cursor string
	o.SaveCursor = func(c chat.Channel, token string) {
		mu.Lock()
		defer mu.Unlock()
		cursor = token
	}
	e := listen(t, client(t, o))
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	first := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "first")
	e.until(t, "first", func() bool { return e.line(first) != nil })
	e.stop()
	if err := <-e.done; err != nil {
		t.Fatal(err)
	}
	away := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "while away")
	o.PageToken, o.SaveCursor = cursor, nil
	e = listen(t, client(t, o))
	e.until(t, "what was typed while away", func() bool { return e.line(away) != nil })
	if m := e.line(away); !m.Recovered || e.line(first) != nil || e.count(chat.Gap) != 0 {
		t.Errorf("after a restart heard %+v", e.snapshot())
	}
	e.stop()
	<-e.done

	s.ForgetPages(owner)
	e = listen(t, client(t, o))
	e.until(t, "a gap and a new baseline", func() bool { return e.count(chat.Gap) == 1 && e.count(chat.Joined) == 1 })
	e.stop()
	<-e.done

	s.GoLive(owner) // the stored place is in another chat: not a gap
	e = listen(t, client(t, o))
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	if e.count(chat.Gap) != 0 {
		t.Error("a place in yesterday's chat was told as a gap")
	}
}

func TestLostAnswerIsFoundInTheChat(t *testing.T) {
	s := start(t, youtubesim.Config{})
	c := client(t, options(s))
	e := listen(t, c)
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	s.LoseAnswers(1)
	sent, err := c.Say(t.Context(), line("Bob bought a mug"))
	if spoken := s.Spoken(ch); err != nil || len(spoken) != 1 || spoken[0].ID != sent.ID {
		t.Fatalf("Say = %+v, %v; platform has %+v", sent, err, spoken)
	}
	e.until(t, "the echo", func() bool { return e.line(sent.ID) != nil })
	if m := e.line(sent.ID); !m.Own {
		t.Errorf("echo = %+v, want Own", m)
	}
	// Once the line is known, the same words typed by the creator are the creator's.
	id := s.Sim.Type(owner, youtubesim.Viewer{ID: owner, Name: "Ana"}, "Bob bought a mug")
	e.until(t, "the creator's line", func() bool { return e.line(id) != nil })
	if e.line(id).Own {
		t.Error("the creator's own words were taken for ours")
	}
}

func TestLostAnswerWithoutEchoIsUnknown(t *testing.T) {
	s := start(t, youtubesim.Config{})
	o := options(s)
	o.EchoWait = 20 * time.Millisecond
	c := client(t, o)
	e := listen(t, c)
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	s.Break(1)
	_, err := c.Say(t.Context(), line("into the storm"))
	var re *chat.Refused
	if !errors.As(err, &re) || !re.Unknown || re.Code != "503" {
		t.Errorf("Say = %v (%+v), want Unknown", err, re)
	}
}

func TestReadOnlyGrant(t *testing.T) {
	s := start(t, youtubesim.Config{})
	o := options(s)
	access, refresh, _ := s.Grant(owner, youtube.ScopeRead)
	o.Owner.Token = chat.Token{Access: access, Refresh: refresh}
	c := client(t, o)
	e := listen(t, c)
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	_, err := c.Say(t.Context(), line("may I?"))
	var re *chat.Refused
	if !errors.As(err, &re) || !re.Reconnect || re.Code != "insufficientPermissions" {
		t.Errorf("Say = %+v, %v", re, err)
	}
	st := c.States()[0]
	if len(st.Missing) != 1 || st.Missing[0] != youtube.ScopeWrite || st.Speaks || !st.Hears {
		t.Errorf("state = %+v", st)
	}
}

func TestRenewalIsSharedAndSaved(t *testing.T) {
	s := start(t, youtubesim.Config{DailyUnits: 1_000_000})
	o := options(s)
	var mu sync.Mutex
	saves := 0
	o.Save = func(_ context.Context, tok chat.Token) error {
		mu.Lock()
		defer mu.Unlock()
		if saves++; tok.Access == "" || tok.Refresh == "" || tok.Expires.IsZero() {
			t.Errorf("saved an incomplete token")
		}
		return nil
	}
	c := client(t, o)
	e := listen(t, c)
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	s.ExpireToken()
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			if _, err := c.Say(t.Context(), line("hello")); err != nil {
				t.Errorf("Say: %v", err)
			}
		})
	}
	g.Wait()
	mu.Lock()
	defer mu.Unlock()
	if saves != 1 {
		t.Errorf("token renewed %d times, want once", saves)
	}
}
