package twitch_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/eventsub"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
)

func (e *ear) texts() (all []string) {
	for _, ev := range e.events(chat.Said) {
		if !ev.Message.Own {
			all = append(all, ev.Message.Text)
		}
	}
	return all
}

// lines fails unless these lines were heard, each once and in order; the bot's own do not count.
func (e *ear) lines(n int) {
	e.t.Helper()
	e.until(fmt.Sprintf("%d lines", n), func() bool { return len(e.texts()) >= n })
	for i, text := range e.texts() {
		if text != fmt.Sprint(i) {
			e.t.Fatalf("line %d is %q", i, text)
		}
	}
}

// both is a client of both roads that stand.
func (s *stand) both(t *testing.T) (*twitch.Client, *ear) {
	t.Helper()
	s.o.Road = twitch.Both
	c := s.client(t)
	e := listening(t, c, 1)
	s.subscribed(e, 2)
	e.until("the chat server", func() bool { return s.sim.Watching(anaID) == 1 })
	return c, e
}

// TestLossOfOneRoad: lines go on while one road is cut again and again; none is lost, none told twice, and nobody is told of a gap.
func TestLossOfOneRoad(t *testing.T) {
	for _, road := range []twitch.Road{twitch.IRC, twitch.EventSub} {
		t.Run(string(road), func(t *testing.T) {
			s := newStand(t)
			c, e := s.both(t)
			const n = 2000
			for i := range n {
				if i%700 == 350 {
					if road == twitch.IRC {
						s.sim.DropChat()
					} else {
						s.sim.CloseSockets(4000)
					}
				}
				s.sim.Type(anaID, bob, fmt.Sprint(i))
			}
			e.lines(n)
			if road == twitch.IRC {
				e.until("the chat server again", func() bool { return s.sim.Watching(anaID) == 1 })
			} else {
				s.subscribed(e, 2)
			}
			s.sim.Type(anaID, bob, fmt.Sprint(n))
			e.lines(n + 1)
			if e.count(chat.Gap)+e.count(chat.Left) != 0 || e.count(chat.Joined) != 1 || len(e.texts()) != n+1 {
				t.Errorf("%d gaps, %d left, %d joined, %d lines", e.count(chat.Gap), e.count(chat.Left), e.count(chat.Joined), len(e.texts()))
			}
			if st := c.States()[0]; !st.Hears {
				t.Errorf("state %+v", st)
			}
		})
	}
}

// TestLossOfBoth: a gap is told once, and lines are heard again.
func TestLossOfBoth(t *testing.T) {
	s := newStand(t)
	_, e := s.both(t)
	s.sim.Type(anaID, bob, "0")
	e.lines(1)
	s.sim.Drop()
	e.until("a gap", func() bool { return e.count(chat.Gap) == 1 && e.count(chat.Joined) == 2 })
	s.sim.Type(anaID, bob, "1")
	e.lines(2)
	if e.count(chat.Left) != 1 {
		t.Errorf("%d left", e.count(chat.Left))
	}
}

// TestDeletedWithoutChatServer: a line's deletion comes over EventSub while the chat server is away, and once when both tell it.
func TestDeletedWithoutChatServer(t *testing.T) {
	s := newStand(t)
	_, e := s.both(t)
	first, second := s.sim.Type(anaID, bob, "0"), s.sim.Type(anaID, bob, "1")
	e.lines(2)
	s.sim.Delete(anaID, first)
	s.sim.DropChat()
	s.sim.Delete(anaID, second)
	e.until("both deletions", func() bool { return e.count(chat.Deleted) >= 2 })
	s.sim.Type(anaID, bob, "2")
	e.lines(3)
	if d := e.events(chat.Deleted); len(d) != 2 || d[0].ID != first || d[1].ID != second || d[1].Viewer.ID != "7" {
		t.Errorf("deleted: %+v", d)
	}
}

// TestHalfOpen: the chat server stops answering without a word while EventSub goes on: no line is lost, and no gap told.
func TestHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		_, e := s.both(t)
		time.Sleep(time.Minute)
		s.sim.HalfOpen()
		for i := range 90 {
			s.sim.Type(anaID, bob, fmt.Sprint(i))
			time.Sleep(time.Second)
		}
		e.lines(90)
		e.until("the chat server again", func() bool { return s.sim.Watching(anaID) == 1 })
		if e.count(chat.Gap) != 0 || s.sim.Logins() < 2 {
			t.Errorf("%d gaps, %d logins", e.count(chat.Gap), s.sim.Logins())
		}
	})
}

// TestEventSubAlone: what the chat server would tell beside lines is told by EventSub, and no chat server is spoken to.
func TestEventSubAlone(t *testing.T) {
	s := newStand(t)
	s.o.Road = twitch.EventSub
	e := listening(t, s.client(t), 1)
	s.subscribed(e, 5)
	s.sim.Mod(anaID, "7", true)
	s.sim.Post(twitchsim.Line{Channel: anaID, User: bob, Text: "cheer100", Bits: 100, ReplyTo: "p"})
	s.sim.Type(anaID, bob, "/me waves")
	s.sim.Post(twitchsim.Line{Channel: anaID, User: bob, Text: "from next door", Source: "1002"})
	gone := s.sim.Type(anaID, bob, "gone")
	s.sim.Delete(anaID, gone)
	s.sim.Subscribe(anaID, bob, "1000", 5, "!buy 3")
	s.sim.Subscribe(anaID, bob, "Prime", 1, "")
	s.sim.Gift(anaID, bob, "2000", 5)
	s.sim.Raid(anaID, bob, 77)
	s.sim.Clear(anaID, "7")
	s.sim.Clear(anaID, "")
	e.until("two clearings", func() bool { return e.count(chat.Cleared) == 2 })
	said := e.events(chat.Said)
	if len(said) != 5 {
		t.Fatalf("heard %d lines, want 5", len(said))
	}
	if m := said[0].Message; m.Bits != 100 || m.ReplyTo != "p" || !m.Roles.Has(chat.Moderator) || m.Viewer.Name != "Bob" || m.Sent.IsZero() {
		t.Errorf("cheer: %+v", m)
	}
	if m := said[1].Message; !m.Action || m.Text != "waves" {
		t.Errorf("action: %+v", m)
	}
	if m := said[2].Message; m.Source != "1002" {
		t.Errorf("shared chat: %+v", m)
	}
	if m := said[4].Message; m.Text != "!buy 3" {
		t.Errorf("typed with a subscription: %+v", m)
	}
	if d := e.events(chat.Deleted)[0]; d.ID != gone || d.Viewer.ID != "7" {
		t.Errorf("deleted: %+v", d)
	}
	if c := e.events(chat.Cleared); c[0].Viewer.ID != "7" || c[1].Viewer != (chat.Viewer{}) {
		t.Errorf("cleared: %+v", c)
	}
	if r := e.events(chat.Resubscribed); len(r) != 1 || r[0].Support.Months != 5 || r[0].Support.Text != "!buy 3" {
		t.Errorf("resub: %+v", r)
	}
	if r := e.events(chat.Subscribed); len(r) != 1 || r[0].Support.Tier != "Prime" {
		t.Errorf("sub: %+v", r)
	}
	if g := e.events(chat.Gifted); len(g) != 1 || g[0].Support.Count != 5 {
		t.Errorf("gifts: %+v", g)
	}
	if r := e.events(chat.Raided); len(r) != 1 || r[0].Support.Count != 77 {
		t.Errorf("raid: %+v", r)
	}
	if s.sim.Logins() != 0 {
		t.Errorf("%d logins at the chat server", s.sim.Logins())
	}
}

// TestRevokedAtEventSub: Twitch says that the permission is gone, which is told at once though the chat server lets the bot go on.
func TestRevokedAtEventSub(t *testing.T) {
	s := newStand(t)
	_, e := s.both(t)
	s.sim.Revoke()
	s.sim.RevokeSubscriptions(eventsub.Message, "authorization_revoked")
	<-e.done
	if e.err == nil || e.count(chat.Revoked) != 1 {
		t.Errorf("Listen: %v, %d Revoked", e.err, e.count(chat.Revoked))
	}
}

// TestNoRoom: Twitch gives EventSub for ten channels whose owners it does not know; the others are heard over IRC, without trouble,
// and are not asked for again and again.
func TestNoRoom(t *testing.T) {
	s := newStand(t)
	s.o.Channels = nil
	const n = 18 // below IRC's rate, so that nobody waits
	for i := range n {
		id := fmt.Sprint(3000 + i)
		s.sim.AddUser(twitchsim.User{ID: id, Login: "room" + id})
		s.o.Channels = append(s.o.Channels, twitch.ChannelRef{ID: id, Login: "room" + id})
	}
	s.o.Road = twitch.Both
	c := s.client(t)
	e := listening(t, c, n)
	s.subscribed(e, 10)
	e.until("all chats", func() bool {
		all := 0
		for i := range n {
			all += s.sim.Watching(fmt.Sprint(3000 + i))
		}
		return all == n
	})
	for i := range n {
		s.sim.Type(fmt.Sprint(3000+i), bob, fmt.Sprint(i))
	}
	e.until("a line of each", func() bool { return e.count(chat.Said) == n })
	for _, st := range c.States() {
		if st.Trouble != "" || !st.Hears {
			t.Errorf("state %+v", st)
		}
	}
}

// TestAnonymous: IRC is heard without any login, for a trial, and nothing is said.
func TestAnonymous(t *testing.T) {
	s := newStand(t)
	s.o.Bot, s.o.ClientID, s.o.ClientSecret, s.o.Save = chat.Account{}, "", "", nil
	c := s.client(t)
	e := listening(t, c, 1)
	s.sim.Type(anaID, bob, "0")
	e.lines(1)
	if _, err := c.Say(t.Context(), line("hello")); err == nil {
		t.Error("something was said without a login")
	}
	s.sim.DropChat()
	e.until("joined again", func() bool { return e.count(chat.Joined) == 2 })
}

// TestElsewhere: a Twitch that is elsewhere is so with all its parts: without an address for EventSub nothing dials Twitch itself.
func TestElsewhere(t *testing.T) {
	s := newStand(t)
	s.o.Road, s.o.EventSubURL = "", twitch.DefaultEventSubURL
	dial := net.Dialer{}
	s.o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !strings.HasPrefix(addr, "127.0.0.1:") {
			t.Errorf("dials %s", addr)
			return nil, net.ErrClosed
		}
		return dial.DialContext(ctx, network, addr)
	}
	e := listening(t, s.client(t), 1)
	s.sim.Type(anaID, bob, "0")
	e.lines(1)
	if s.sim.Sockets() != 0 {
		t.Errorf("%d sockets", s.sim.Sockets())
	}
}

// TestCertificate: a chat server whose certificate nobody vouches for gets no login, also at 127.0.0.1.
func TestCertificate(t *testing.T) {
	tried := make(chan error, 16)
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS() // for its certificate
	defer web.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", web.TLS)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 1)
			_, err = conn.Read(b)
			_ = conn.Close()
			tried <- err
		}
	}()
	s := newStand(t)
	s.o.IRCURL = "ircs://" + l.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.client(t).Listen(ctx, func(chat.Event) {}) }()
	if err := <-tried; err == nil {
		t.Error("something was sent to a server that nobody vouches for")
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Listen: %v", err)
	}
}
