package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/manners"
	"hawker/internal/live/pace"
	"hawker/rules/rule"
)

func mod(m *chat.Message) { m.Roles = chat.Moderator }

// states is how the channel here stands.
func (s *stall) state() ChannelState {
	s.t.Helper()
	all, err := s.hub.Chats(s.merchant)
	if err != nil || len(all) != 2 || all[0].Channel != here {
		s.t.Fatalf("channels %+v, %v", all, err)
	}
	return all[0]
}

// What the shop calls a value, and what its viewers do, mean the same once that is said.
func TestValuesInOtherWords(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.behaves(manners.Manner{Kind: manners.Alias, Name: "the middle one", Value: "M"})
	s.types("ana", "!buy 5 the middle one")
	s.says("#5 Shirt M held")
	s.behaves(manners.Manner{Kind: manners.Alias, Name: "the middle one", Off: true})
	s.types("bob", "!buy 5 the middle one")
	s.says("which one?")
}

func (s *stall) behaves(changes ...manners.Manner) {
	s.t.Helper()
	if err := s.hub.Behave(context.Background(), s.merchant, changes...); err != nil {
		s.t.Fatal(err)
	}
}

// A muted bot says nothing in its channel, also after a restart; claims are decided and holds kept all the same; one change ends it.
func TestMuted(t *testing.T) {
	dir := t.TempDir()
	s := openStall(t, dir)
	s.behaves(manners.Manner{Kind: manners.Mute, Name: here.String(), By: "ana@example.test"})
	if x := s.state(); x.Muted.By != "ana@example.test" || x.Muted.At.IsZero() || !x.Says.Muted {
		t.Errorf("muted: %+v", x)
	}
	s.types("ana", "!buy 3")
	s.until("ana's hold", func() bool { return s.page().HeldPieces == 1 })
	s.types("ana", "!shop")
	s.until("what it would have said is counted", func() bool { return s.state().Says.Figures.Muted >= 2 })
	s.stop()
	s = openStall(t, dir)
	s.types("bob", "!buy 3")
	s.until("bob's hold", func() bool { return s.page().HeldPieces == 2 })
	s.until("it is silent after the start", func() bool { return s.state().Says.Figures.Muted >= 1 })
	if said := s.chat.texts(); len(said) != 0 {
		t.Errorf("a muted bot said %q", said)
	}
	s.behaves(manners.Manner{Kind: manners.Mute, Name: here.String(), By: "ana@example.test", Off: true})
	s.types("cy", "!buy 3")
	s.says("#3 Mug held")
	changes, err := s.hub.Manners(s.merchant).Changes(t.Context(), 10)
	if err != nil || len(changes) != 2 || !changes[0].Off || changes[0].By != "ana@example.test" {
		t.Errorf("who did it: %+v, %v", changes, err)
	}
}

// "!pause" of a moderator stops claims and silences the bot after one word on it; "!resume" ends both, and so does resuming on the desk.
func TestPauseIsSilence(t *testing.T) {
	dir := t.TempDir()
	s := openStall(t, dir)
	s.types("mo", "!pause", mod)
	s.says("Sales are paused")
	s.until("it is paused and muted", func() bool { return s.page().Show.Paused && s.state().Muted.Value == byPause })
	if by := s.state().Muted.By; by != "twitch/id-mo mo" {
		t.Errorf("muted by %q", by)
	}
	s.types("ana", "!buy 3")
	s.types("ana", "!help")
	s.until("ana's lines are read", func() bool { return s.why("ana") == commerce.Paused && s.state().Says.Figures.Muted >= 1 })
	s.stop()
	s = openStall(t, dir) // it is still so after a restart
	if x := s.state(); x.Muted.Value != byPause || !x.Says.Muted || !s.page().Show.Paused {
		t.Errorf("after a start: %+v", x.Muted)
	}
	s.types("mo", "!resume", mod)
	s.until("it goes on", func() bool { return !s.page().Show.Paused && s.state().Muted.By == "" })
	s.types("ana", "!buy 3")
	s.says("#3 Mug held")
	if n := len(s.chat.texts()); n != 1 {
		t.Errorf("the bot said %q", s.chat.texts())
	}
	s.types("mo", "!pause", mod)
	s.says("Sales are paused")
	s.until("it is muted again", func() bool { return s.state().Says.Muted })
	if _, err := s.hub.Ask(t.Context(), s.merchant, commerce.Key{}, commerce.Gate{Show: s.show}); err != nil {
		t.Fatal(err)
	}
	s.until("the desk's resume ends it", func() bool { return !s.state().Says.Muted && s.state().Muted.By == "" })
	s.behaves(manners.Manner{Kind: manners.Mute, Name: manners.OfShow(s.show), By: "ana@example.test"}) // a mute of its own stays
	for _, closed := range []bool{true, false} {
		if _, err := s.hub.Ask(t.Context(), s.merchant, commerce.Key{}, commerce.Gate{Show: s.show, Closed: closed}); err != nil {
			t.Fatal(err)
		}
	}
	if x := s.state(); x.Muted.By != "ana@example.test" || !x.Says.Muted {
		t.Errorf("a mute ended with a pause: %+v", x.Muted)
	}
}

// Who is blocked in chat stays so after a restart, until a member lets them claim again.
func TestBlockedStays(t *testing.T) {
	dir := t.TempDir()
	s := openStall(t, dir)
	s.types("eve", "!buy 3")
	s.says("#3 Mug held")
	s.types("mo", "!block @eve", mod)
	s.until("eve's hold is free", func() bool { return s.page().HeldPieces == 0 })
	s.stop()
	s = openStall(t, dir)
	s.types("eve", "!buy 3")
	s.until("eve is blocked", func() bool { return s.why("eve") == commerce.Blocked })
	all := s.hub.Manners(s.merchant).List(manners.Block)
	if len(all) != 1 || all[0].Name != "twitch/id-eve" || all[0].Value != "eve" || all[0].By != "twitch/id-mo mo" {
		t.Fatalf("blocked: %+v", all)
	}
	s.behaves(manners.Manner{Kind: manners.Block, Name: "twitch/id-eve", Off: true})
	s.types("eve", "!buy 3 x2")
	s.says("#3 Mug x2 held")
}

// A word that the merchant does not want said makes "a viewer" of who has it in the name, in whatever letters, at once.
func TestWordList(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.behaves(manners.Manner{Kind: manners.Word, Name: "scam"})
	plain := func(m *chat.Message) { m.Answer.Kind = chat.ToChannel }
	s.types("ѕсаm_king", "!buy 3", plain)
	if got := s.says("#3 Mug held"); !strings.HasPrefix(got, "@a viewer ") {
		t.Errorf("said %q", got)
	}
	s.behaves(manners.Manner{Kind: manners.Word, Name: "scam", Off: true})
	s.types("scam_king", "!buy 4", plain)
	if got := s.says("#4 Vase held"); !strings.HasPrefix(got, "@scam_king ") {
		t.Errorf("said %q", got)
	}
	var fault *manners.FaultError
	for _, bad := range []manners.Manner{
		{Kind: manners.Word, Name: "a!"},
		{Kind: manners.Word, Name: strings.Repeat("x", 70)},
		{Kind: manners.Mute, Name: "nowhere"},
		{Kind: manners.Call, Name: "shop", Value: "buy"},
		{Kind: manners.Call, Name: "shop", Value: "two words"},
		{Kind: manners.Call, Name: "what", Value: "ever"},
		{Kind: manners.Call, Name: "shop"},
		{Kind: manners.Block},
		{Kind: "odd", Name: "x"},
	} {
		if err := s.hub.Behave(t.Context(), s.merchant, bad); !errors.As(err, &fault) || fault.Why == "" {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// The host takes a name out of a shout-out that waits, or stops it; without that it is made when its time has come.
func TestVeto(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.rules(byWord("thanks", rule.Action{Do: rule.ShoutOut, Text: "{user} bought a mug, {user}!"}))
	shouts := make(chan Shout, 10)
	stop, err := s.hub.Watch(s.merchant, s.show, func(x Signal) {
		if x.Shout != nil {
			shouts <- *x.Shout
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	s.types("ana", "!thanks")
	s.says("ana bought a mug") // nobody waits unless the merchant wants it
	if x := <-shouts; x.Who != "ana" {
		t.Errorf("on the overlay: %+v", x)
	}
	m := s.hub.Merchant(s.merchant)
	m.manners.Hold = time.Hour // until this test says so
	s.behaves(manners.Manner{Kind: manners.Veto, By: "ana@example.test"})
	for _, name := range []string{"rude_name", "spammer", "fine_name"} {
		s.types(name, "!thanks")
	}
	var all []Pending
	s.until("three wait", func() bool { all = s.page().Pending; return len(all) == 3 })
	veto := func(who string, whole bool) error {
		i := slices.IndexFunc(all, func(p Pending) bool { return p.Who == who })
		if i < 0 {
			t.Fatalf("%s does not wait: %+v", who, all)
		}
		return s.hub.Veto(t.Context(), s.merchant, all[i].ID, whole, "ana@example.test")
	}
	if err := errors.Join(veto("rude_name", false), veto("spammer", true)); err != nil {
		t.Fatal(err)
	}
	if p := s.page().Pending; len(p) != 2 || strings.Contains(fmt.Sprint(p), "rude_name") || strings.Contains(fmt.Sprint(p), "spammer") {
		t.Errorf("pending: %+v", p)
	}
	if err := m.look(t.Context(), func() {
		for i := range m.later {
			m.later[i].want.At = time.Now()
		}
	}); err != nil {
		t.Fatal(err)
	}
	s.says("a viewer bought a mug, a viewer!")
	s.says("fine_name bought a mug, fine_name!")
	who := []string{(<-shouts).Who, (<-shouts).Who}
	slices.Sort(who)
	if !slices.Equal(who, []string{"a viewer", "fine_name"}) {
		t.Errorf("on the overlay: %q", who)
	}
	if s.saidTimes("rude_name")+s.saidTimes("spammer") != 0 {
		t.Errorf("said %q", s.chat.texts())
	}
	if err := veto("fine_name", true); !errors.Is(err, ErrNotFound) {
		t.Errorf("a veto that comes too late: %v", err)
	}
	if err := s.hub.Forget(t.Context(), s.merchant, chat.Viewer{Platform: chat.Twitch, ID: "id-rude_name"}); err != nil || len(s.hub.Manners(s.merchant).List(manners.Hide)) != 0 {
		t.Errorf("a hidden name is not forgotten: %v", err)
	}
}

// Another bot that answers a command of ours is found; what is left as it is is not told again; a command that is renamed is known
// by its new name alone, in the help too.
func TestAnotherBot(t *testing.T) {
	s := openStall(t, t.TempDir())
	other := func(word string) {
		for i := range 2 {
			s.types(fmt.Sprint("asker", word, i), "!"+word)
			s.types("Nightbot", "I answer to "+word, mod)
		}
	}
	other("shop")
	other("help")
	other("uptime") // no command of ours
	words := func() (out []string) {
		for _, f := range s.state().Rivals {
			out = append(out, f.Word)
		}
		slices.Sort(out)
		return out
	}
	if got := words(); !slices.Equal(got, []string{"help", "shop"}) {
		t.Errorf("found %q", got)
	}
	s.behaves(manners.Manner{Kind: manners.Leave, Name: "help"}, manners.Manner{Kind: manners.Call, Name: "!shop", Value: "Store"})
	if got := words(); len(got) != 0 {
		t.Errorf("found after it was settled: %q", got)
	}
	s.rules(byWord("wares", say("look below")))
	var fault *manners.FaultError
	if err := s.hub.Behave(t.Context(), s.merchant, manners.Manner{Kind: manners.Call, Name: "item", Value: "wares"}); !errors.As(err, &fault) {
		t.Errorf("a word of a rule: %v", err)
	}
	before := s.saidTimes("On sale")
	s.types("ana", "!shop")
	s.types("ana", "!store")
	s.until("!store is answered", func() bool { return s.saidTimes("On sale") == before+1 })
	s.types("bob", "!help")
	if got := s.says("!store what is on sale"); strings.Contains(got, "!shop") {
		t.Errorf("help: %q", got)
	}
}

// Who asks all the time waits, then gets the page instead, then nothing; results of claims do not wait for that.
func TestQuestionsWait(t *testing.T) {
	s := openStall(t, t.TempDir())
	began := time.Now()
	early := func() bool { return time.Since(began) < pace.AskEvery*3/4 } // nothing that waits is due; else the machine stood still
	for i := range 8 {
		s.types("eve", "!item "+[]string{"3", "4", "5"}[i%3], func(m *chat.Message) { m.Received = m.Received.Add(time.Duration(i) * time.Millisecond) })
	}
	s.until("the last two are refused", func() bool { return s.why("eve") == commerce.Limited })
	s.until("the first are answered", func() bool { return s.state().Says.Covered >= 3 })
	if v := s.state().Says; v.Waiting != 3 && early() {
		t.Errorf("%d questions wait, want 3; said %q", v.Waiting, s.chat.texts())
	}
	s.types("ana", "!buy 3")
	s.says("#3 Mug held")
	s.types("mo", "!item 3", mod) // moderators help others
	s.until("a moderator is answered at once", func() bool { return s.saidTimes("#3 Mug, €18.00") == 2 })
	if v := s.state().Says; (v.Waiting != 3 || s.saidTimes("on the page") != 0) && early() {
		t.Errorf("%+v, said %q", v, s.chat.texts())
	}
}

// A test line is asked for through the hub, and what comes of it is in the channel's state.
func TestTryChannel(t *testing.T) {
	s := openStall(t, t.TempDir())
	if err := s.hub.TryChannel(s.merchant, here, "ana@example.test"); err != nil {
		t.Fatal(err)
	}
	line := s.says("Test line")
	s.until("it was accepted", func() bool { return !s.state().Test.Said.IsZero() })
	s.types("bot", line, func(m *chat.Message) { m.Own = true })
	s.until("it came back", func() bool { return !s.state().Test.Heard.IsZero() })
	if err := s.hub.TryChannel(s.merchant, chat.Channel{Platform: chat.Twitch, ID: "nobody"}, "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a channel of nobody: %v", err)
	}
	if _, err := s.hub.Chats(1); !errors.Is(err, ErrNotHere) {
		t.Errorf("chats of nobody: %v", err)
	}
}

// An answer to a line that is gone by then is said to the channel, with the name of whom it is for.
func TestReplyGone(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.chat.gone.Store(true)
	s.types("ana", "!buy 3")
	if got := s.says("#3 Mug held"); !strings.HasPrefix(got, "@ana ") {
		t.Errorf("said %q", got)
	}
	s.types("bob", "!item 4")
	if got := s.says("#4 Vase, "); !strings.HasPrefix(got, "@bob ") {
		t.Errorf("said %q", got)
	}
	for _, l := range s.chat.lines() {
		if l.To.Kind != chat.ToChannel {
			t.Errorf("%q went to %+v", l.Text, l.To)
		}
	}
}
