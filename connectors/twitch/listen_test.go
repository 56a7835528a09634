package twitch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
	"hawker/internal/pipetest"
)

// ear is a running Listen and all it heard.
type ear struct {
	t    *testing.T
	mu   sync.Mutex
	all  []chat.Event
	stop func()
	done chan struct{}
	err  error
}

// listening starts c and waits until it hears that many channels.
func listening(t *testing.T, c *twitch.Client, channels int) *ear {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e := &ear{t: t, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(e.done)
		e.err = c.Listen(ctx, func(ev chat.Event) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.all = append(e.all, ev)
		})
	}()
	t.Cleanup(func() { cancel(); <-e.done })
	e.until("all joined", func() bool { return e.count(chat.Joined) >= channels })
	return e
}

func (e *ear) events(k chat.Kind) (found []chat.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.all {
		if ev.Kind == k {
			found = append(found, ev)
		}
	}
	return found
}

func (e *ear) count(k chat.Kind) int { return len(e.events(k)) }

func (e *ear) until(what string, ok func() bool) {
	e.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			e.t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestHearsAll(t *testing.T) {
	s := newStand(t)
	s.sim.Mod(anaID, "7", true)
	e := listening(t, s.client(t), 1)
	bob := twitchsim.User{ID: "7", Name: "Bob; the \\s man"}
	s.sim.Post(twitchsim.Line{Channel: anaID, User: bob, Text: "cheer100", Bits: 100, ReplyTo: "p"})
	s.sim.Type(anaID, bob, "/me waves")
	s.sim.Post(twitchsim.Line{Channel: anaID, User: bob, Text: "from next door", Source: "1002"})
	s.sim.Post(twitchsim.Line{Channel: anaID, User: twitchsim.User{ID: botID}, Text: "ours"})
	s.sim.Type(anaID, twitchsim.User{ID: anaID}, "the host")
	gone := s.sim.Type(anaID, bob, "gone")
	s.sim.Delete(anaID, gone)
	s.sim.Clear(anaID, "7")
	s.sim.Clear(anaID, "")
	e.until("two clearings", func() bool { return e.count(chat.Cleared) == 2 })
	var said []chat.Message
	for _, ev := range e.events(chat.Said) {
		said = append(said, ev.Message)
	}
	if len(said) != 6 {
		t.Fatalf("heard %d lines, want 6", len(said))
	}
	if m := said[0]; m.Bits != 100 || m.ReplyTo != "p" || m.Viewer.Name != bob.Name || !m.Roles.Has(chat.Moderator) {
		t.Errorf("cheer: %+v", m)
	}
	if m := said[1]; !m.Action || m.Text != "waves" {
		t.Errorf("action: %+v", m)
	}
	if m := said[2]; m.Source != "1002" {
		t.Errorf("shared chat: %+v", m)
	}
	if m := said[3]; !m.Own {
		t.Errorf("own: %+v", m)
	}
	if m := said[4]; !m.Roles.Has(chat.Owner) || m.Own {
		t.Errorf("host: %+v", m)
	}
	if d := e.events(chat.Deleted)[0]; d.ID != gone || d.Viewer.ID != "7" || !d.ByMod {
		t.Errorf("deleted: %+v", d)
	}
	if c := e.events(chat.Cleared); c[0].Viewer.ID != "7" || c[1].Viewer != (chat.Viewer{}) {
		t.Errorf("cleared: %+v", c)
	}
}

func TestJoinAndLeave(t *testing.T) {
	s := newStand(t)
	s.sim.AddUser(twitchsim.User{ID: "1002", Login: "bobslive"})
	c := s.client(t)
	e := listening(t, c, 1)
	c.Join(twitch.ChannelRef{ID: "1002"}) // the login is looked up
	e.until("the second channel", func() bool { return e.count(chat.Joined) == 2 })
	if err := c.Listen(t.Context(), func(chat.Event) {}); err == nil {
		t.Error("two Listens ran at once")
	}
	s.sim.Type("1002", twitchsim.User{ID: "7", Name: "cy"}, "hello")
	e.until("its line", func() bool { return e.count(chat.Said) == 1 })
	c.Leave("1002")
	e.until("the end of it", func() bool { return e.count(chat.Left) == 1 })
	s.sim.Type("1002", twitchsim.User{ID: "7", Name: "cy"}, "anybody?")
	s.sim.Type(anaID, twitchsim.User{ID: "7", Name: "cy"}, "here")
	e.until("a line elsewhere", func() bool { return e.count(chat.Said) == 2 })
	if ev := e.events(chat.Said)[1]; ev.Channel.ID != anaID {
		t.Errorf("heard %+v after leaving", ev)
	}
	c.Join(twitch.ChannelRef{ID: "1002", Login: "bobslive"})
	e.until("it is heard again", func() bool { return e.count(chat.Joined) == 3 })
	if len(c.States()) != 2 {
		t.Errorf("states %+v", c.States())
	}
}

func TestReconnectAsked(t *testing.T) {
	s := newStand(t)
	e := listening(t, s.client(t), 1)
	s.sim.Reconnect()
	e.until("joined again", func() bool { return e.count(chat.Joined) == 2 })
	if e.count(chat.Gap) != 1 || s.sim.Logins() != 2 {
		t.Errorf("%d gaps, %d logins; want 1, 2", e.count(chat.Gap), s.sim.Logins())
	}
}

func TestOtherAccount(t *testing.T) {
	s := newStand(t)
	tok := s.sim.Grant(anaID, twitch.BotScopes()...)
	s.o.Bot.Token = chat.Token{Access: tok.Access, Refresh: tok.Refresh}
	var revoked []chat.Event
	err := s.client(t).Listen(t.Context(), func(e chat.Event) { revoked = append(revoked, e) })
	var re *chat.Refused
	if !errors.As(err, &re) || !re.Reconnect || re.Code != "other_account" || strings.Contains(err.Error(), tok.Access) {
		t.Errorf("Listen: %v", err)
	}
	if len(revoked) != 1 || revoked[0].Kind != chat.Revoked || s.sim.Logins() != 0 {
		t.Errorf("events %+v, %d logins", revoked, s.sim.Logins())
	}
}

// bubble is a stand without a network; it must be made, used and closed inside a synctest bubble.
func bubble(t *testing.T, o twitchsim.Options) *stand {
	irc, web := pipetest.Listen(), pipetest.Listen()
	o.ClientID, o.ClientSecret = "app", "app-secret"
	sim := twitchsim.New(o)
	sim.AddUser(twitchsim.User{ID: anaID, Login: "anaslive"})
	sim.AddUser(twitchsim.User{ID: botID, Login: "hawkerbot"})
	sim.Start(irc, web)
	t.Cleanup(sim.Close)
	tok := sim.Grant(botID, twitch.BotScopes()...)
	s := &stand{sim: sim}
	s.o = twitch.Options{
		APIURL: "http://web/helix", AuthURL: "http://web/oauth2", IRCURL: "irc://chat:1", EventSubURL: "ws://web/ws", Road: twitch.IRC, ClientID: "app", ClientSecret: "app-secret",
		Bot:      chat.Account{ID: botID, Name: "hawkerbot", Token: chat.Token{Access: tok.Access, Refresh: tok.Refresh}},
		Channels: []twitch.ChannelRef{{ID: anaID, Login: "anaslive"}},
		Save: func(_ context.Context, tok chat.Token) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.saved = append(s.saved, tok)
			return nil
		},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if strings.HasPrefix(addr, "chat") {
				return irc.Dial(ctx, network, addr)
			}
			return web.Dial(ctx, network, addr)
		},
	}
	return s
}

// TestManyChannels: 60 channels are joined without exceeding 20 in 10 s, and lines are heard meanwhile.
func TestManyChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		for i := range 60 {
			id := fmt.Sprint(3000 + i)
			s.sim.AddUser(twitchsim.User{ID: id, Login: "room" + id})
			s.o.Channels = append(s.o.Channels, twitch.ChannelRef{ID: id, Login: "room" + id})
		}
		e := listening(t, s.client(t), 10)
		s.sim.Type(anaID, twitchsim.User{ID: "7", Name: "bob"}, "while others wait")
		e.until("the line", func() bool { return e.count(chat.Said) == 1 })
		if n := e.count(chat.Joined); n >= 61 {
			t.Errorf("%d channels joined at once", n)
		}
		e.until("all channels", func() bool { return e.count(chat.Joined) == 61 })
		if s.sim.OverLimit() != 0 {
			t.Errorf("%d joins over the rate", s.sim.OverLimit())
		}
	})
}

// TestHours: tokens of 30 minutes are replaced before they end; the connection lasts.
func TestHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{TokenLife: 30 * time.Minute})
		c := s.client(t)
		e := listening(t, c, 1)
		for i := range 6 {
			time.Sleep(19 * time.Minute)
			if _, err := c.Say(t.Context(), line(fmt.Sprintf("line %d", i))); err != nil {
				t.Error(err)
			}
		}
		if n := s.sim.Refreshes(); n < 4 || n > 8 || n != len(s.saved) {
			t.Errorf("%d refreshes, %d saved", n, len(s.saved))
		}
		if s.sim.Logins() != 1 || e.count(chat.Gap) != 0 {
			t.Errorf("%d logins, %d gaps; want 1, 0", s.sim.Logins(), e.count(chat.Gap))
		}
		s.sim.Revoke()
		time.Sleep(time.Minute)
		select {
		case <-e.done:
		default:
			t.Error("Listen goes on a minute after the revocation")
		}
		if e.count(chat.Revoked) != 1 {
			t.Errorf("%d Revoked", e.count(chat.Revoked))
		}
	})
}

// TestRenamed: a channel whose name changed is found again by its id; a name that belongs to somebody else is left.
func TestRenamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.sim.Rename(anaID, "anasnewname")
		s.sim.AddUser(twitchsim.User{ID: "6666", Login: "anaslive"}) // somebody took the old name
		e := listening(t, s.client(t), 1)
		s.sim.Type("6666", twitchsim.User{ID: "7", Name: "bob"}, "!buy 3 in the wrong room")
		s.sim.Type(anaID, twitchsim.User{ID: "7", Name: "bob"}, "!buy 3")
		e.until("a line", func() bool { return e.count(chat.Said) == 1 })
		if ev := e.events(chat.Said)[0]; ev.Channel.ID != anaID || ev.Message.Text != "!buy 3" {
			t.Errorf("heard %+v", ev)
		}
		if left := e.events(chat.Left); len(left) != 1 || left[0].Reason == "" {
			t.Errorf("left %+v", left)
		}
	})
}

// TestBanned: a channel that does not let the bot in says so, and is tried again without hurry.
func TestBanned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.sim.AddUser(twitchsim.User{ID: "1002", Login: "bobslive"})
		s.sim.Ban("1002", botID, true)
		s.o.Channels = append(s.o.Channels, twitch.ChannelRef{ID: "1002", Login: "bobslive"}, twitch.ChannelRef{ID: "1009", Login: "nobody"})
		c := s.client(t)
		e := listening(t, c, 1)
		time.Sleep(10 * time.Minute)
		for _, st := range c.States()[1:] {
			if st.Hears || st.Trouble == "" {
				t.Errorf("state %+v", st)
			}
		}
		if n := e.count(chat.Left); n > 4 {
			t.Errorf("told %d times that two channels are not heard: %+v", n, e.events(chat.Left)[:5])
		}
		s.sim.Ban("1002", botID, false)
		time.Sleep(3 * time.Minute)
		if st := c.States()[1]; !st.Hears || st.Trouble != "" {
			t.Errorf("state after the ban %+v", st)
		}
		if s.sim.OverLimit() != 0 || s.sim.Logins() != 1 {
			t.Errorf("%d over the rate, %d logins", s.sim.OverLimit(), s.sim.Logins())
		}
	})
}

// TestNoStorm: a chat server that lets in and hangs up is not hammered.
func TestNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		listening(t, s.client(t), 1)
		for range 3600 {
			s.sim.Drop()
			time.Sleep(time.Second)
		}
		if n := s.sim.Logins(); n < 30 || n > 150 {
			t.Errorf("%d logins in an hour of cuts", n)
		}
	})
}

// TestSilence: a connection that dies without a word is noticed by our own PING and replaced.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		var mu sync.Mutex
		var got []string
		web, servers := s.o.DialContext, sync.WaitGroup{}
		s.o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if !strings.HasPrefix(addr, "chat") {
				return web(ctx, network, addr)
			}
			ours, theirs := net.Pipe()
			servers.Go(func() {
				for in := bufio.NewScanner(theirs); in.Scan(); {
					mu.Lock()
					got = append(got, in.Text())
					mu.Unlock()
					switch {
					case strings.HasPrefix(in.Text(), "NICK"):
						fmt.Fprint(theirs, ":tmi.twitch.tv 001 hawkerbot :Welcome, GLHF!\r\nPING :a word\r\n")
					case strings.HasPrefix(in.Text(), "JOIN"):
						fmt.Fprintf(theirs, "@room-id=%s :tmi.twitch.tv ROOMSTATE #anaslive\r\n", anaID)
					}
				}
			})
			return ours, nil
		}
		e := listening(t, s.client(t), 1)
		e.until("a gap", func() bool { return e.count(chat.Gap) == 1 })
		e.stop()
		<-e.done
		servers.Wait()
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(got, "PONG :a word") || !slices.Contains(got, "PING :hawker") {
			t.Errorf("the server got %q", got)
		}
		for _, l := range got {
			if strings.Contains(l, "membership") {
				t.Errorf("asked for too much: %q", l)
			}
		}
	})
}
