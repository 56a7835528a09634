package discord_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/discord"
	"hawker/connectors/discord/discordsim"
	"hawker/internal/chat"
)

// use has ana use a slash command and returns it with the line that was heard.
func (s *stand) use(t *testing.T, e *ear, text string) (*discordsim.Interaction, chat.Message) {
	t.Helper()
	in, err := s.Use(shopID, ana, text)
	if err != nil {
		t.Fatal(err)
	}
	return in, e.line(in.ID)
}

func whisper(m chat.Message, text, nonce string) chat.Line {
	return chat.Line{To: m.Answer, Text: text, Nonce: nonce}
}

func TestCommands(t *testing.T) {
	s := newStand(t, config())
	e := joined(t, s.client(t), s.Sim)
	for _, tt := range []struct{ typed, want string }{
		{"/buy item:3 variant:M amount:2", "!buy 3 M x2"},
		{"/buy item:A1", "!buy A1"},
		{"/buy", "!buy"},
		{"/buy variant:dark blue", "!buy dark blue"},
		{"/pass item:3", "!pass 3"},
		{"/less item:3 amount:1", "!less 3 1"},
		{"/more item:3", "!more 3"},
		{"/wait item:12 amount:2", "!wait 12 x2"},
		{"/cart", "!cart"},
		{"/me", "!me"},
		{"/shop", "!shop"},
		{"/item item:7", "!item 7"},
		{"/why", "!why"},
		{"/order", "!order"},
		{"/connect code:482193", "!connect 482193"},
		{"/forget", "!forget"},
		{"/help", "!help"},
	} {
		before := time.Now()
		in, m := s.use(t, e, tt.typed)
		if m.Text != tt.want || !m.Command || m.Viewer.ID != ana.ID || m.Viewer.Name != "ana" || m.Channel != shop || m.Bot || m.Own {
			t.Errorf("%s: heard %+v, want %q", tt.typed, m, tt.want)
		}
		a := m.Answer
		if a.Kind != chat.ToPrivate || a.Channel != shop || a.Token == "" || a.Until.Sub(before) < 14*time.Minute || a.Until.Sub(before) > 15*time.Minute+time.Second {
			t.Errorf("%s: answer %+v", tt.typed, a)
		}
		if _, ok := s.Sim.Use("nowhere", ana, tt.typed); ok == nil {
			t.Error("used in no channel")
		}
		e.until("thinking", func() bool { seen := in.Seen(); return len(seen) == 1 && seen[0].Thinking && seen[0].For == ana.ID })
	}
	if n := len(s.Spoken(shopID)); n != 0 {
		t.Errorf("%d public lines", n)
	}
}

func TestWhisper(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	in, m := s.use(t, e, "/buy item:3")
	l := whisper(m, "3 Mug: held until 12:10", "1")
	l.Link, l.LinkLabel = "https://shop.example/c/TOKEN", "Pay"
	sent, err := c.Say(t.Context(), l)
	if err != nil || sent.ID == "" || sent.At.IsZero() {
		t.Fatalf("Say: %+v, %v", sent, err)
	}
	got, err := in.Wait(t.Context())
	if err != nil || got.Text != l.Text || got.For != ana.ID || got.Kind != discordsim.Private || len(got.Buttons) != 1 ||
		got.Buttons[0] != (discordsim.Button{Label: "Pay", URL: l.Link}) {
		t.Fatalf("the viewer saw %+v, %v", got, err)
	}
	// The same nonce again posts nothing new; another one stands below, and only she sees it.
	if again, err := c.Say(t.Context(), l); err != nil || again.ID != sent.ID {
		t.Errorf("again: %+v, %v; want id %s", again, err, sent.ID)
	}
	if _, err := c.Say(t.Context(), whisper(m, "2 min left", "2")); err != nil {
		t.Error(err)
	}
	seen := in.Seen()
	if len(seen) != 2 || seen[1].Text != "2 min left" || seen[1].For != ana.ID || seen[0].Text != l.Text {
		t.Errorf("the viewer saw %+v", seen)
	}
	if n := len(s.Spoken(shopID)); n != 0 {
		t.Errorf("%d public lines", n)
	}
	// Many at once: each appears once.
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			if _, err := c.Say(t.Context(), whisper(m, fmt.Sprint("line ", i), fmt.Sprint("n", i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(in.Seen()); n != 12 {
		t.Errorf("%d answers, want 12", n)
	}
	if f := s.Figures(); f.Pings != 0 || f.Invalid != 0 {
		t.Errorf("%+v", f)
	}
}

// TestWhisperOrder: two lines for one interaction that start together never both take the first place.
func TestWhisperOrder(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	for i := range 20 {
		in, m := s.use(t, e, "/me")
		var both sync.WaitGroup
		for j := range 2 {
			both.Go(func() {
				if _, err := c.Say(t.Context(), whisper(m, fmt.Sprint(i, j), fmt.Sprint(i, "-", j))); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if seen := in.Seen(); len(seen) != 2 || seen[0].Text == seen[1].Text {
			t.Fatalf("the viewer saw %+v", seen)
		}
	}
}

// TestLostWhisper: an answer whose acceptance was lost is repeated where that cannot double, and told as unknown where
// it could.
func TestLostWhisper(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	in, m := s.use(t, e, "/buy item:3")
	e.until("the first answer", func() bool { return len(in.Seen()) == 1 })
	s.LoseAnswers(2)
	if _, err := c.Say(t.Context(), whisper(m, "held", "1")); err != nil {
		t.Errorf("first place: %v", err)
	}
	s.LoseAnswers(1)
	_, err := c.Say(t.Context(), whisper(m, "below", "2"))
	if re := refused(t, err); !re.Unknown || re.Code != "network" {
		t.Errorf("below: %+v", re)
	}
	if seen := in.Seen(); len(seen) != 2 || seen[0].Text != "held" || seen[1].Text != "below" {
		t.Errorf("the viewer saw %+v", seen)
	}
	s.Break(1)
	_, err = c.Say(t.Context(), whisper(m, "third", "3"))
	if re := refused(t, err); !re.Unknown || re.Code != "503" {
		t.Errorf("during trouble: %+v", re)
	}
}

// TestAckTrouble: the first answer survives a platform in trouble.
func TestAckTrouble(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	s.Break(2)
	in, m := s.use(t, e, "/buy item:3")
	if _, err := c.Say(t.Context(), whisper(m, "held", "1")); err != nil {
		t.Error(err)
	}
	if got, err := in.Wait(t.Context()); err != nil || got.Text != "held" {
		t.Errorf("the viewer saw %+v, %v", got, err)
	}
}

func TestDismissed(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	in, m := s.use(t, e, "/buy item:3")
	e.until("the first answer", func() bool { return len(in.Seen()) == 1 })
	in.Dismiss()
	if _, err := c.Say(t.Context(), whisper(m, "held", "1")); err != nil {
		t.Error(err)
	}
	if seen := in.Seen(); len(seen) != 2 || seen[1].Text != "held" || seen[1].For != ana.ID {
		t.Errorf("the viewer saw %+v", seen)
	}
}

// TestLate: the decision may take minutes; after 15 the way is closed.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		in, m := s.use(t, e, "/buy item:3")
		time.Sleep(4 * time.Minute)
		if _, err := c.Say(t.Context(), whisper(m, "held", "1")); err != nil {
			t.Errorf("after 4 min: %v", err)
		}
		time.Sleep(10*time.Minute + 45*time.Second)
		if _, err := c.Say(t.Context(), whisper(m, "reminder", "2")); err != nil {
			t.Errorf("after 14:45: %v", err)
		}
		time.Sleep(16 * time.Second)
		calls := s.Figures().Invalid
		_, err := c.Say(t.Context(), whisper(m, "too late", "3"))
		if re := refused(t, err); re.Code != "50027" || re.Unknown || re.Reconnect {
			t.Errorf("after 15 min: %+v", re)
		}
		if s.Figures().Invalid != calls {
			t.Error("Discord was asked although the time was over")
		}
		// Without the end that we gave it ourselves, Discord's refusal says the same, and stops nothing else.
		m.Answer.Until = time.Time{}
		other, err := discord.New(s.o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = other.Say(t.Context(), whisper(m, "too late", "4"))
		if re := refused(t, err); re.Code != "50027" || re.Reconnect {
			t.Errorf("after 15 min, by a client that did not hear it: %+v", re)
		}
		if seen := in.Seen(); len(seen) != 2 || seen[0].Text != "held" || seen[1].Text != "reminder" {
			t.Errorf("the viewer saw %+v", seen)
		}
		if _, err := other.Say(t.Context(), line("still speaks")); err != nil {
			t.Error(err)
		}
	})
}

// TestNotAcknowledged: when the first answer could not be given in time, the viewer sees so and we say so.
func TestNotAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		s.Break(1000)
		in, m := s.use(t, e, "/buy item:3")
		if _, err := in.Wait(t.Context()); !errors.Is(err, discordsim.ErrNoAnswer) {
			t.Errorf("the viewer saw %v", err)
		}
		s.Break(0)
		_, err := c.Say(t.Context(), whisper(m, "held", "1"))
		if re := refused(t, err); re.Code != "10015" && re.Code != "10062" || re.Unknown {
			t.Errorf("%+v", re)
		}
	})
}

// TestRecovered: a command that waited for us is told as such; its time counts from when it was used, and it can no
// longer be answered privately.
func TestRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		s.away.Store(true)
		s.Drop()
		in, err := s.Use(shopID, ana, "/buy item:3")
		if err != nil {
			t.Fatal(err)
		}
		used := time.Now()
		time.Sleep(10 * time.Second)
		s.away.Store(false)
		m := e.line(in.ID)
		if !m.Recovered || m.Received.Sub(used) < 10*time.Second || m.Answer.Until.After(used.Add(15*time.Minute)) {
			t.Errorf("heard %+v after %v", m, m.Received.Sub(used))
		}
		_, err = c.Say(t.Context(), whisper(m, "held", "1"))
		if re := refused(t, err); re.Code != "10062" || re.Unknown {
			t.Errorf("%+v", re)
		}
	})
}

// TestAfterRestart: a program that did not hear the command itself goes on where the earlier one stopped.
func TestAfterRestart(t *testing.T) {
	s := newStand(t, config())
	first := s.client(t)
	e := joined(t, first, s.Sim)
	in, m := s.use(t, e, "/buy item:3")
	e.until("the first answer", func() bool { return len(in.Seen()) == 1 })
	e.stop()
	<-e.done
	for range 2 { // each time a new program that says the same line, not knowing whether it was said
		if _, err := s.client(t).Say(t.Context(), whisper(m, "held until 12:10", "1")); err != nil {
			t.Fatal(err)
		}
		if seen := in.Seen(); len(seen) != 1 || seen[0].Text != "held until 12:10" {
			t.Fatalf("the viewer saw %+v", seen)
		}
	}
	if _, err := s.client(t).Say(t.Context(), whisper(m, "2 min left", "2")); err != nil {
		t.Fatal(err)
	}
	if seen := in.Seen(); len(seen) != 2 || seen[0].Text != "held until 12:10" || seen[1].Text != "2 min left" || seen[1].For != ana.ID {
		t.Errorf("the viewer saw %+v", seen)
	}
	m.Answer.Token = "itoken-of-nobody"
	_, err := s.client(t).Say(t.Context(), whisper(m, "x", "3"))
	if re := refused(t, err); re.Code != "10015" || re.Unknown || re.Reconnect {
		t.Errorf("a token that Discord does not know: %+v", re)
	}
	for _, odd := range []string{"", "../../users/@me", "a/b", "a?b=c", "%2e", "a b"} {
		m.Answer.Token = odd
		_, err := s.client(t).Say(t.Context(), whisper(m, "x", "3"))
		if re := refused(t, err); re.Code != "no_token" {
			t.Errorf("token %q: %+v", odd, re)
		}
	}
}

func TestButton(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	id := s.Type(shopID, ana, "a line with a button")
	in, err := s.Press(shopID, ana, id, "!buy 3 x2")
	if err != nil {
		t.Fatal(err)
	}
	m := e.line(in.ID)
	if m.Text != "!buy 3 x2" || !m.Command || m.Answer.Kind != chat.ToPrivate || m.Viewer.ID != ana.ID {
		t.Errorf("heard %+v", m)
	}
	if _, err := c.Say(t.Context(), whisper(m, "held", "1")); err != nil {
		t.Fatal(err)
	}
	if got, err := in.Wait(t.Context()); err != nil || got.Text != "held" || got.For != ana.ID {
		t.Errorf("the presser saw %+v, %v", got, err)
	}
	// A button that is none of ours is acknowledged, or its presser would see a failure, and means nothing.
	bad := s.Figures().Invalid
	if in, err = s.Press(shopID, ana, id, "something else"); err != nil {
		t.Fatal(err)
	}
	s.use(t, e, "/me")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.Wait(ctx); errors.Is(err, discordsim.ErrNoAnswer) || len(in.Seen()) != 0 || s.Figures().Invalid != bad {
		t.Errorf("a strange button: %v, %+v", err, in.Seen())
	}
	for _, ev := range e.events(chat.Said) {
		if ev.Message.ID == in.ID {
			t.Errorf("a strange button was heard: %+v", ev.Message)
		}
	}
}

func TestElsewhere(t *testing.T) {
	s := newStand(t, config())
	s.o.Elsewhere = "Nothing *here*."
	e := joined(t, s.client(t), s.Sim)
	in, err := s.Use(otherID, ana, "/buy item:3")
	if err != nil {
		t.Fatal(err)
	}
	got, err := in.Wait(t.Context())
	if err != nil || got.Text != `Nothing \*here\*.` || got.For != ana.ID {
		t.Errorf("the viewer saw %+v, %v", got, err)
	}
	if e.count(chat.Said) != 0 {
		t.Errorf("heard %+v", e.events(chat.Said))
	}
}

// TestRepeatedInteraction: what Discord delivers twice is heard and answered once.
func TestRepeatedInteraction(t *testing.T) {
	s := newStand(t, config())
	e := joined(t, s.client(t), s.Sim)
	in, _ := s.use(t, e, "/buy item:3")
	s.RepeatInteraction(in)
	_, last := s.use(t, e, "/me")
	var ids []string
	for _, ev := range e.events(chat.Said) {
		ids = append(ids, ev.Message.ID)
	}
	if !slices.Equal(ids, []string{in.ID, last.ID}) {
		t.Errorf("heard %v, want %v", ids, []string{in.ID, last.ID})
	}
}

// TestManyInteractions: 300 commands in one moment are all acknowledged in time, in order, and each is answered.
func TestManyInteractions(t *testing.T) {
	synctest.Test(t, manyInteractions)
}

func manyInteractions(t *testing.T) {
	s := bubble(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	var ins []*discordsim.Interaction
	for i := range 300 {
		in, err := s.Use(shopID, discordsim.Viewer{ID: fmt.Sprint(60000 + i), Name: "v"}, fmt.Sprintf("/buy item:%d", i))
		if err != nil {
			t.Fatal(err)
		}
		ins = append(ins, in)
	}
	e.until("all lines", func() bool { return e.count(chat.Said) == len(ins) })
	var all sync.WaitGroup
	for i, ev := range e.events(chat.Said) {
		if ev.Message.ID != ins[i].ID {
			t.Fatalf("line %d is %s, want %s", i, ev.Message.ID, ins[i].ID)
		}
		all.Go(func() {
			if _, err := c.Say(t.Context(), whisper(ev.Message, "held "+ev.Message.Text, "1")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i, in := range ins {
		if got, err := in.Wait(t.Context()); err != nil || !strings.HasSuffix(got.Text, fmt.Sprintf("!buy %d", i)) {
			t.Errorf("%d saw %+v, %v", i, got, err)
		}
	}
	if f := s.Figures(); f.Invalid != 0 || f.OverLimit != 0 {
		t.Errorf("%+v", f)
	}
}

// TestRegister: commands are written once, and again only when they are not ours.
func TestRegister(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		for range 2 {
			e := joined(t, s.client(t), s.Sim)
			s.use(t, e, "/me")
			e.stop()
			<-e.done
		}
		if n := s.Figures().Overwrites; n != 1 {
			t.Errorf("commands written %d times, want once", n)
		}
		// A server that the bot is invited to again gets them again.
		e := joined(t, s.client(t), s.Sim)
		s.RemoveBot(guildID)
		e.until("the bot is gone", func() bool { return e.count(chat.Left) == 1 })
		s.AddGuild(config().Guilds[0])
		e.until("the bot is back", func() bool { return e.count(chat.Joined) == 2 })
		s.use(t, e, "/me")
	})
}
