package discord_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/discord"
	"hawker/connectors/discord/discordsim"
	"hawker/internal/chat"
)

func TestHearsAll(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	first := s.Type(shopID, ana, "  !buy 3 ")
	s.Webhook(shopID, "hook", "!buy 4")
	s.Type(shopID, discordsim.Viewer{ID: "70001", Name: "other bot", Bot: true}, "!buy 5")
	s.Joins(shopID, ana)
	s.Type(otherID, ana, "!buy 6")
	reply := s.Reply(shopID, discordsim.Viewer{ID: "50002", Name: "bob", Global: "Bob", Nick: "Bobby", Roles: []string{modRole}}, "yes", first)
	owner := s.Type(shopID, discordsim.Viewer{ID: "50099", Name: "anna", Global: "Anna"}, "hello")
	s.Embed(shopID, first)
	s.Edit(shopID, first, "!buy 4")
	s.Embed(shopID, first)
	spoken, err := c.Say(t.Context(), line("held"))
	if err != nil {
		t.Fatal(err)
	}
	s.Delete(shopID, first)
	s.Delete(shopID, reply, owner)
	last := s.Type(shopID, ana, "the end")
	e.line(last)
	type said struct {
		kind     chat.Kind
		id, text string
	}
	var got []said
	byID := map[string]chat.Message{}
	for _, ev := range e.events(chat.Said, chat.Edited) {
		got = append(got, said{ev.Kind, ev.Message.ID, ev.Message.Text})
		byID[ev.Message.ID] = ev.Message
	}
	if len(got) != 8 || got[0] != (said{chat.Said, first, "  !buy 3 "}) || got[5] != (said{chat.Edited, first, "!buy 4"}) {
		t.Fatalf("heard %+v", got)
	}
	if m := e.events(chat.Said)[1].Message; !m.Bot || m.Own {
		t.Errorf("webhook: %+v", m)
	}
	if m := e.events(chat.Said)[2].Message; !m.Bot || m.Own {
		t.Errorf("bot: %+v", m)
	}
	if m := byID[reply]; m.ReplyTo != first || m.Viewer.Name != "Bobby" || m.Roles != chat.Moderator || m.Answer.Kind != chat.ToReply || m.Answer.Message != reply {
		t.Errorf("reply: %+v", m)
	}
	if m := byID[owner]; m.Roles != chat.Owner || m.Viewer.Name != "Anna" {
		t.Errorf("owner: %+v", m)
	}
	if m := byID[first]; !m.Edited || m.Viewer.ID != ana.ID {
		t.Errorf("edited: %+v", m)
	}
	if m := byID[spoken.ID]; !m.Own {
		t.Errorf("own: %+v", m)
	}
	var gone []string
	for i, ev := range e.events(chat.Deleted) {
		gone = append(gone, ev.ID)
		if ev.ByMod != (i > 0) {
			t.Errorf("deletion %d by a moderator: %v", i, ev.ByMod)
		}
	}
	if !slices.Equal(gone, []string{first, reply, owner}) {
		t.Errorf("deleted %v", gone)
	}
	st := c.States()[0]
	if st.Reconnects != 0 || st.Trouble != "" || len(st.Missing) != 0 || !st.Hears || !st.Speaks || st.LastSaid.IsZero() {
		t.Errorf("state %+v", st)
	}
}

// TestResume: whatever ends a connection, no line is lost and none is doubled.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		var ids []string
		say := func(text string) { ids = append(ids, s.Type(shopID, ana, text)) }
		for i, end := range []func(){
			s.Drop, s.Reconnect, func() { s.Shut(4000) }, func() { s.Invalidate(true) }, func() { s.Shut(1001) }, s.Drop,
		} {
			say(fmt.Sprintf("before %d", i))
			e.line(ids[len(ids)-1])
			end()
			for j := range 5 {
				say(fmt.Sprintf("while away %d.%d", i, j))
			}
			s.Repeat(shopID, ids[0])
			e.line(ids[len(ids)-1])
			time.Sleep(20 * time.Second)
		}
		var heard []string
		for _, ev := range e.events(chat.Said) {
			heard = append(heard, ev.Message.ID)
		}
		if !slices.Equal(heard, ids) {
			t.Errorf("heard %d lines, want the %d that were said, once and in order", len(heard), len(ids))
		}
		f := s.Figures()
		if f.Identifies != 1 || f.Resumes != 6 || e.count(chat.Gap) != 0 || e.count(chat.Joined) != 1 {
			t.Errorf("%d identifies, %d resumes, %d gaps, %d joined; want 1, 6, 0, 1", f.Identifies, f.Resumes, e.count(chat.Gap), e.count(chat.Joined))
		}
		for i, p := range f.Paths {
			if resumed := strings.HasPrefix(p, "/resume/"); resumed != (i > 0) || !strings.HasSuffix(p, "?v=9&encoding=json") {
				t.Errorf("connection %d went to %s", i, p)
			}
		}
		for _, code := range f.Closes {
			if code == 1000 || code == 1001 {
				t.Errorf("we closed with %d, which ends a session", code)
			}
		}
		if st := c.States()[0]; st.Reconnects != 6 || !st.Hears {
			t.Errorf("state %+v", st)
		}
	})
}

// TestSilence: a connection that died without a word is noticed at the second heartbeat and resumed.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		e := joined(t, s.client(t), s.Sim)
		time.Sleep(30 * time.Minute)
		s.Beat()
		time.Sleep(time.Minute)
		if f := s.Figures(); f.Logins != 1 {
			t.Fatalf("%d logins in a quiet half hour", f.Logins)
		}
		s.Mute(true)
		time.Sleep(2 * time.Minute)
		s.Mute(false)
		e.line(s.Type(shopID, ana, "hello"))
		f := s.Figures()
		if f.Identifies != 1 || f.Resumes < 1 || f.Resumes > 2 || e.count(chat.Gap) != 0 || slices.Contains(f.Closes, 1000) || slices.Contains(f.Closes, 1001) {
			t.Errorf("%+v, %d gaps", f, e.count(chat.Gap))
		}
	})
}

// TestNoStorm: a gateway that lets in and hangs up is not hammered: 1,000 identifies a day cost the token.
func TestNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		e := joined(t, s.client(t), s.Sim)
		for range 3600 {
			s.Forget()
			s.Drop()
			time.Sleep(time.Second)
		}
		if f := s.Figures(); f.Identifies > 150 || f.Logins > 300 {
			t.Errorf("%d identifies, %d logins in an hour of cuts", f.Identifies, f.Logins)
		}
		time.Sleep(2 * time.Minute)
		e.line(s.Type(shopID, ana, "hello"))
	})
}

// TestFatal: codes after which connecting again is pointless or costs the token.
func TestFatal(t *testing.T) {
	for _, code := range []int{4004, 4010, 4011, 4012, 4013} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			s := newStand(t, config())
			c := s.client(t)
			e := joined(t, c, s.Sim)
			s.Shut(code)
			<-e.done
			re := refused(t, e.err)
			if re.Code != fmt.Sprint(code) || !re.Reconnect {
				t.Errorf("Listen: %+v", re)
			}
			kind := chat.Left
			if code == 4004 {
				kind = chat.Revoked
			}
			last := e.events(chat.Left, chat.Revoked)
			if len(last) != 1 || last[0].Kind != kind || last[0].Reason != re.Reason {
				t.Errorf("told %+v", last)
			}
			if st := c.States()[0]; st.Hears || st.Speaks || st.Trouble != re.Reason {
				t.Errorf("state %+v", st)
			}
			if n := s.Figures().Logins; n != 1 {
				t.Errorf("%d logins", n)
			}
		})
	}
}

func TestWrongToken(t *testing.T) {
	s := newStand(t, config())
	s.o.BotToken = "wrong-secret"
	e := hearing(t, s.client(t))
	<-e.done
	if re := refused(t, e.err); re.Code != "401" || !re.Reconnect || strings.Contains(re.Error(), "secret") {
		t.Errorf("Listen: %+v", re)
	}
	if e.count(chat.Revoked) != 1 || s.Figures().Logins != 0 {
		t.Errorf("told %+v, %d logins", e.events(), s.Figures().Logins)
	}
}

// TestContentMissing: without the Message Content intent commands still work, and it is said what is missing.
func TestContentMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.NoContent = true
		s := bubble(t, cfg)
		c := s.client(t)
		e := joined(t, c, s.Sim)
		in, m := s.use(t, e, "/buy item:3")
		if _, err := c.Say(t.Context(), whisper(m, "held", "1")); err != nil {
			t.Error(err)
		}
		if got, err := in.Wait(t.Context()); err != nil || got.Text != "held" || m.Text != "!buy 3" {
			t.Errorf("heard %q; the viewer saw %+v, %v", m.Text, got, err)
		}
		if _, err := c.Say(t.Context(), line("sold out")); err != nil {
			t.Error(err)
		}
		if m := e.line(s.Type(shopID, ana, "!buy 3")); m.Text != "" || m.Viewer.ID != ana.ID {
			t.Errorf("heard %+v; want a line that cannot be read", m)
		}
		if m := e.line(s.Type(shopID, ana, "<@7001> buy 3 x2")); m.Text != "!buy 3 x2" || m.Command {
			t.Errorf("heard %+v; want a line that mentions the bot", m)
		}
		st := c.States()[0]
		if !st.Hears || !st.Speaks || !strings.Contains(st.Trouble, "Message Content") || !slices.Contains(st.Missing, "Message Content Intent") {
			t.Errorf("state %+v", st)
		}
		if f := s.Figures(); f.Identifies != 2 || e.count(chat.Left)+e.count(chat.Revoked) != 0 {
			t.Errorf("%d identifies, %+v", f.Identifies, e.events())
		}
	})
}

// TestContentMissingWithoutCommands: then nothing works, and that ends it.
func TestContentMissingWithoutCommands(t *testing.T) {
	cfg := config()
	cfg.NoContent = true
	s := newStand(t, cfg)
	s.o.NoCommands = true
	e := hearing(t, s.client(t))
	<-e.done
	if re := refused(t, e.err); re.Code != "4014" || !re.Reconnect {
		t.Errorf("Listen: %+v", re)
	}
	if f := s.Figures(); f.Identifies != 1 || f.Overwrites != 0 {
		t.Errorf("%+v", f)
	}
}

func TestCommandsOnly(t *testing.T) {
	cfg := config()
	cfg.NoContent = true
	s := newStand(t, cfg)
	s.o.CommandsOnly = true
	c := s.client(t)
	e := joined(t, c, s.Sim)
	for typed, want := range map[string]string{
		"<@7001> buy 3":     "!buy 3",
		"<@!7001>, !me":     "!me",
		"<@7001> hi there":  "<@7001> hi there",
		"hello <@7001> buy": "hello <@7001> buy",
		"!buy 3":            "",
	} {
		if m := e.line(s.Type(shopID, ana, typed)); m.Text != want {
			t.Errorf("%q was heard as %q, want %q", typed, m.Text, want)
		}
	}
	if st := c.States()[0]; st.Trouble != "" || len(st.Missing) != 0 {
		t.Errorf("state %+v: the operator chose so", st)
	}
}

// TestPermissions: what is missing is named by Discord's own names, and a change is noticed.
func TestPermissions(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	missing := func(want ...string) {
		t.Helper()
		e.until(fmt.Sprint("missing ", want), func() bool { return slices.Equal(c.States()[0].Missing, want) })
	}
	missing()

	s.Forbid(shopID, discordsim.SendMessages)
	missing("Send Messages")
	if st := c.States()[0]; !st.Hears || st.Speaks {
		t.Errorf("state %+v", st)
	}
	_, err := c.Say(t.Context(), line("x"))
	if re := refused(t, err); re.Code != "50013" || re.Reconnect || re.Unknown || !strings.Contains(re.Reason, "write") {
		t.Errorf("%+v", re)
	}
	before := s.Figures().Invalid
	for range 5 {
		_, err := c.Say(t.Context(), line("x"))
		refused(t, err)
	}
	if n := s.Figures().Invalid - before; n != 0 {
		t.Errorf("asked %d times for what was refused: that counts towards a ban", n)
	}

	s.Forbid(shopID, discordsim.ReadHistory)
	missing("Read Message History")
	id := s.Type(shopID, ana, "!buy 3")
	e.line(id)
	if _, err := c.Say(t.Context(), chat.Line{To: chat.Answer{Kind: chat.ToReply, Channel: shop, Message: id}, Text: "held"}); err != nil {
		t.Errorf("a reply without the right to reply: %v; want a plain line", err)
	}
	if sp := s.Spoken(shopID); len(sp) != 1 || sp[0].ReplyTo != "" {
		t.Errorf("spoken %+v", sp)
	}

	s.Forbid(shopID, discordsim.ViewChannel)
	missing("View Channel")
	e.until("left", func() bool { return e.count(chat.Left) == 1 })
	_, err = c.Say(t.Context(), line("x"))
	if re := refused(t, err); re.Code != "50001" {
		t.Errorf("%+v", re)
	}
	if st := c.States()[0]; st.Hears || st.Speaks || st.Trouble == "" {
		t.Errorf("state %+v", st)
	}

	s.Forbid(shopID, 0)
	missing()
	e.until("joined again", func() bool { return e.count(chat.Joined) == 2 })
	if _, err := c.Say(t.Context(), line("here again")); err != nil {
		t.Error(err)
	}
	if st := c.States()[0]; !st.Hears || !st.Speaks || st.Trouble != "" {
		t.Errorf("state %+v", st)
	}

	s.Outage(guildID, true)
	e.until("left", func() bool { return e.count(chat.Left) == 2 })
	s.Outage(guildID, false)
	e.until("joined again", func() bool { return e.count(chat.Joined) == 3 })
	s.RemoveChannel(shopID)
	e.until("left", func() bool { return e.count(chat.Left) == 3 })
	_, err = c.Say(t.Context(), line("x"))
	if re := refused(t, err); re.Code != "10003" {
		t.Errorf("%+v", re)
	}
}

// TestNotInvited: a channel of a server that the bot is not in says so.
func TestNotInvited(t *testing.T) {
	s := newStand(t, config())
	s.o.Channels["9009"] = "9000"
	c := s.client(t)
	e := joined(t, c, s.Sim)
	e.until("told", func() bool { return e.count(chat.Left) == 1 })
	if ev := e.events(chat.Left)[0]; ev.Channel.ID != "9009" || !strings.Contains(ev.Reason, "Invite") {
		t.Errorf("left %+v", ev)
	}
	s.AddGuild(discordsim.Guild{ID: "9000", Name: "Bob's", Channels: []discordsim.Channel{{ID: "9009", Name: "shop"}}})
	e.until("joined", func() bool { return e.count(chat.Joined) == 2 })
	s.RemoveBot("9000")
	e.until("told", func() bool { return e.count(chat.Left) == 2 })
	if ev := e.events(chat.Left)[1]; !strings.Contains(ev.Reason, "Invite") {
		t.Errorf("left %+v", ev)
	}
}

func TestJoinAndLeave(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	if err := c.Listen(t.Context(), func(chat.Event) {}); err == nil {
		t.Error("two Listens ran at once")
	}
	c.Join(otherID, guildID)
	c.Join(otherID, guildID)
	e.until("joined", func() bool { return e.count(chat.Joined) == 2 })
	e.line(s.Type(otherID, ana, "hello"))
	c.Leave(otherID)
	s.Type(otherID, ana, "anybody?")
	e.line(s.Type(shopID, ana, "here"))
	if n := e.count(chat.Said); n != 2 {
		t.Errorf("heard %d lines, want 2", n)
	}
	if st := c.States(); len(st) != 1 || st[0].Channel != shop {
		t.Errorf("states %+v", st)
	}
}

// TestNothingLeft: after Listen no goroutine of ours runs, whatever happened before.
func TestNothingLeft(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	e := joined(t, c, s.Sim)
	var ms []chat.Message
	for range 20 {
		_, m := s.use(t, e, "/me")
		ms = append(ms, m)
	}
	s.Break(1)
	for i, m := range ms {
		if _, err := c.Say(t.Context(), whisper(m, fmt.Sprint(i), "1")); err != nil {
			t.Error(err)
		}
	}
	s.Drop()
	e.line(s.Type(shopID, ana, "hello"))
	_, _ = s.Use(shopID, ana, "/me") // under way when all ends
	e.stop()
	<-e.done
	if e.err != nil {
		t.Errorf("Listen: %v", e.err)
	}
	s.Close()
	buf := make([]byte, 1<<20)
	var left []string
	e.until("the end of all", func() bool {
		left = nil
		for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(g, "hawker/connectors/discord") && !strings.Contains(g, "testing.tRunner") {
				left = append(left, g)
			}
		}
		return len(left) == 0
	})
}

func TestNew(t *testing.T) {
	for _, o := range []discord.Options{
		{}, {BotToken: "x", APIURL: "discord.com"}, {BotToken: "x", APIURL: "ftp://discord.com"}, {BotToken: "x", APIURL: "http://"},
	} {
		if _, err := discord.New(o); err == nil {
			t.Errorf("New(%q) gave no error", o.APIURL)
		}
	}
	if _, err := discord.New(discord.Options{BotToken: "x"}); err != nil {
		t.Error(err)
	}
	var re *chat.Refused
	c, err := discord.New(discord.Options{BotToken: "very-secret", APIURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // no time to try again
	defer cancel()
	if _, err = c.Say(ctx, line("x")); !errors.As(err, &re) || re.Code != "network" || re.Unknown || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: %v, %+v", err, re)
	}
}
