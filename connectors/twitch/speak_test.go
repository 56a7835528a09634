package twitch_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
)

// without grants the bot all that it is asked for but some scopes.
func (s *stand) without(scopes ...string) {
	var has []string
	for _, sc := range twitch.BotScopes() {
		if !strings.Contains(strings.Join(scopes, " "), sc) {
			has = append(has, sc)
		}
	}
	tok := s.sim.Grant(botID, has...)
	s.o.Bot.Token = chat.Token{Access: tok.Access, Refresh: tok.Refresh}
}

func reply(to, text string) chat.Line {
	return chat.Line{To: chat.Answer{Kind: chat.ToReply, Channel: shop, Message: to}, Text: text}
}

// TestSpeaksOverChat: an account that may not use the API for it says its lines over the chat server, under the same rules.
func TestSpeaksOverChat(t *testing.T) {
	for _, road := range []twitch.Road{twitch.IRC, twitch.Both} {
		t.Run(string(road), func(t *testing.T) {
			s := newStand(t)
			s.without("user:write:chat", "user:bot")
			s.o.Road = road
			s.sim.Mod(anaID, botID, true)
			c := s.client(t)
			e := listening(t, c, 1)
			e.until("the chat server", func() bool { return s.sim.Watching(anaID) == 1 && c.States()[0].Speaks })
			if st := c.States()[0]; len(st.Missing) != 0 {
				t.Errorf("missing %v", st.Missing)
			}
			id := s.sim.Type(anaID, bob, "0")
			e.lines(1)
			sent, err := c.Say(t.Context(), reply(id, "one\r\nPRIVMSG #anaslive :two\x00"))
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"/ban ana", " .timeout ana", "@x=y :z PRIVMSG"} {
				if _, err := c.Say(t.Context(), line(text)); err != nil {
					t.Errorf("%q: %v", text, err)
				}
			}
			if _, err := c.Say(t.Context(), reply("a;b=c PRIVMSG #x :y", "answers nothing")); err != nil {
				t.Errorf("an odd reply: %v", err)
			}
			l := s.sim.Spoken(anaID)
			if len(l) != 5 || l[0].Text != "one  PRIVMSG #anaslive :two" || l[0].ReplyTo != id || l[0].ID != sent.ID || l[1].Text != "\u2060/ban ana" || l[3].Text != "@x=y :z PRIVMSG" || l[4].Text != "answers nothing" {
				t.Errorf("said %+v", l)
			}
			for _, x := range l {
				if !x.Over {
					t.Errorf("%q came over the API", x.Text)
				}
			}
			s.sim.RefuseNext("msg_slowmode", "This room is in slow mode.")
			_, err = c.Say(t.Context(), line("slow"))
			if re := refusal(t, err); re.Code != "msg_slowmode" || re.Unknown || re.Reason == "" {
				t.Errorf("slow mode: %+v", re)
			}
			_, err = c.Say(t.Context(), line("/ban ana"))
			if re := refusal(t, err); re.Code != "msg_duplicate" {
				t.Errorf("the same text: %+v", re)
			}
			if s.sim.Posts() != 0 || s.sim.OverLimit() != 0 {
				t.Errorf("%d calls of the API, %d over the limit", s.sim.Posts(), s.sim.OverLimit())
			}
		})
	}
}

// TestNowhereToSpeak: without either permission the one that is missing is named, and nothing is said.
func TestNowhereToSpeak(t *testing.T) {
	s := newStand(t)
	s.without("user:write:chat", "chat:edit", "user:bot")
	c := s.client(t)
	listening(t, c, 1)
	_, err := c.Say(t.Context(), line("x"))
	if re := refusal(t, err); re.Code != "missing_scope" || !re.Reconnect || len(s.sim.Spoken(anaID)) != 0 {
		t.Errorf("%+v", re)
	}
	if st := c.States()[0]; len(st.Missing) != 1 || st.Missing[0] != "user:write:chat" {
		t.Errorf("missing %v", st.Missing)
	}
}

// TestHelixAway: while the API is out of order lines go over the chat server; when it is well again they go over the API. No line
// goes over both.
func TestHelixAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.sim.Mod(anaID, botID, true)
		c := s.client(t)
		listening(t, c, 1)
		s.sim.Break(1 << 30)
		var refused int
		for i := range 6 {
			if _, err := c.Say(t.Context(), line(fmt.Sprint("away ", i))); err != nil {
				refused++
			}
		}
		time.Sleep(20 * time.Second)
		if _, err := c.Say(t.Context(), line("still away")); err != nil {
			t.Error(err)
		}
		s.sim.Break(0)
		time.Sleep(20 * time.Second)
		if _, err := c.Say(t.Context(), line("back")); err != nil {
			t.Error(err)
		}
		l := s.sim.Spoken(anaID)
		if refused != 3 || len(l) != 5 || !l[0].Over || !l[3].Over || l[4].Over {
			t.Errorf("%d refused, said %+v", refused, l)
		}
	})
}

// TestNoAnswerOverChat: a chat server that takes a line and says nothing of it: nobody knows what became of it, it is not said again,
// and the connection is made anew.
func TestNoAnswerOverChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.without("user:write:chat", "user:bot")
		c := s.client(t)
		listening(t, c, 1)
		s.sim.MuteSays(true)
		began := time.Now()
		_, err := c.Say(t.Context(), line("lost?"))
		if re := refusal(t, err); !re.Unknown || re.Code != "network" || time.Since(began) > 8*time.Second {
			t.Errorf("%+v after %v", re, time.Since(began))
		}
		s.sim.MuteSays(false)
		time.Sleep(10 * time.Second)
		if _, err := c.Say(t.Context(), line("again")); err != nil {
			t.Error(err)
		}
		if l := s.sim.Spoken(anaID); len(l) != 1 || l[0].Text != "again" || s.sim.Logins() != 2 {
			t.Errorf("said %+v, %d logins", l, s.sim.Logins())
		}
		s.sim.Ban(anaID, botID, true)
		_, err = c.Say(t.Context(), line("banned"))
		if re := refusal(t, err); re.Code != "msg_banned" || re.Unknown {
			t.Errorf("banned: %+v", re)
		}
		_, err = c.Say(t.Context(), line("gone"))
		if re := refusal(t, err); re.Unknown {
			t.Errorf("in a channel that was left: %+v", re)
		}
	})
}

// TestBadge: a line carries the chat bot's badge where the application may say it, else the bot's own token says it: once.
func TestBadge(t *testing.T) {
	said := func(t *testing.T, change func(*stand)) (*stand, twitchsim.Line) {
		s := newStand(t)
		change(s)
		c := s.client(t)
		e := listening(t, c, 1)
		e.until("what the bot was granted", func() bool { return c.States()[0].Speaks })
		if _, err := c.Say(t.Context(), line("held")); err != nil {
			t.Fatal(err)
		}
		l := s.sim.Spoken(anaID)
		if len(l) != 1 {
			t.Fatalf("said %+v", l)
		}
		return s, l[0]
	}
	for name, tt := range map[string]struct {
		change func(*stand)
		app    bool
		posts  int
	}{
		"a moderator": {func(s *stand) { s.sim.Mod(anaID, botID, true) }, true, 1},
		"let in by the owner": {func(s *stand) {
			s.own("channel:bot")
			s.o.Owners[0].Account.Token.Scopes = []string{"channel:bot"}
		}, true, 1},
		"let in by nobody":          {func(*stand) {}, false, 1},
		"without user:bot":          {func(s *stand) { s.without("user:bot"); s.sim.Mod(anaID, botID, true) }, false, 1},
		"a public application":      {func(s *stand) { s.o.ClientSecret = ""; s.sim.Mod(anaID, botID, true) }, false, 1},
		"what Twitch will not have": {func(s *stand) { s.sim.Mod(anaID, botID, true); s.sim.NoApps(anaID, true) }, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if s, l := said(t, tt.change); l.App != tt.app || s.sim.Posts() != tt.posts || l.User.ID != botID {
				t.Errorf("said by the application: %t, %d calls; %+v", l.App, s.sim.Posts(), l)
			}
		})
	}
}
