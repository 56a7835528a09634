package twitch_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/eventsub"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
)

var (
	bob      = twitchsim.User{ID: "7", Login: "bob", Name: "Bob"}
	allKinds = []chat.Kind{chat.Followed, chat.Redeemed, chat.StreamUp, chat.StreamDown, chat.AdBreak, chat.AdBreakOver, chat.Polled}
	allReads = []string{"moderator:read:followers", "channel:read:redemptions", "bits:read", "channel:read:ads", "channel:read:polls"}
)

// hearing is a client that listens by the owner's login, too, and needs events of these kinds.
func (s *stand) hearing(t *testing.T, kinds ...chat.Kind) (*twitch.Client, *ear) {
	t.Helper()
	s.own(allReads...)
	c := s.client(t)
	c.Need(kinds, nil)
	return c, listening(t, c, 1)
}

// subscribed waits until that many subscriptions stand.
func (s *stand) subscribed(e *ear, n int) {
	e.t.Helper()
	e.until(fmt.Sprintf("%d subscriptions", n), func() bool { return len(s.sim.Subscriptions()) == n })
}

// TestHappenings: everything that EventSub tells arrives once, in the words of all chats.
func TestHappenings(t *testing.T) {
	s := newStand(t)
	c, e := s.hearing(t, allKinds...)
	s.subscribed(e, 7)
	s.sim.TellTwice(true)
	s.sim.MalformedEvents()
	s.sim.Old(eventsub.Follow, anaID, 11*time.Minute, map[string]any{"broadcaster_user_id": anaID, "user_id": "8", "followed_at": "x"})
	s.sim.Follow(anaID, bob)
	id, _ := s.sim.Redeem(anaID, bob, "r1", "Unlock early", "the \x00red mug")
	s.sim.PowerUp(anaID, bob, "p1", "Confetti", "")
	s.sim.GoLive(anaID)
	s.sim.AdBreak(anaID, 90)
	s.sim.EndPoll(anaID, "Which mug?", twitchsim.Choice{Title: "red", Votes: 3}, twitchsim.Choice{Title: "blue", Votes: 5}, twitchsim.Choice{Title: "green", Votes: 1})
	s.sim.EndStream(anaID)
	e.until("the stream's end", func() bool { return e.count(chat.StreamDown) == 1 })
	for k, n := range map[chat.Kind]int{chat.Followed: 1, chat.Redeemed: 2, chat.StreamUp: 1, chat.AdBreak: 1, chat.Polled: 1} {
		if e.count(k) != n {
			t.Errorf("%d x %s, want %d: %+v", e.count(k), k, n, e.events(k))
		}
	}
	if f := e.events(chat.Followed)[0]; f.Channel != shop || f.Viewer != (chat.Viewer{Platform: chat.Twitch, ID: "7", Name: "Bob"}) || !strings.HasPrefix(f.ID, "follow:1001:7:") || f.At.IsZero() {
		t.Errorf("follow %+v", f)
	}
	r := e.events(chat.Redeemed)
	if want := (chat.Support{Title: "Unlock early", Text: "the red mug", Reward: "r1", Redemption: id}); r[0].Support != want || r[0].ID != "redemption:"+id {
		t.Errorf("redemption %+v", r[0])
	}
	if r[1].Support.Title != "Confetti" || r[1].Support.Reward != "p1" || r[1].ID != "redemption:"+r[1].Support.Redemption || r[1].Support.Redemption == "" || r[1].Support.Redemption == id {
		t.Errorf("power-up %+v", r[1])
	}
	if a := e.events(chat.AdBreak)[0]; a.Support.For != 90*time.Second || a.Viewer != (chat.Viewer{}) {
		t.Errorf("ad break %+v", a)
	}
	if p := e.events(chat.Polled)[0]; p.Support.Title != "Which mug?" || p.Support.Text != "blue" {
		t.Errorf("poll %+v", p)
	}
	if st := c.States()[0]; st.Trouble != "" || len(st.Missing) != 0 || !st.Hears {
		t.Errorf("state %+v", st)
	}
	if s.sim.Sockets() != 1 || s.sim.OverLimit() != 0 {
		t.Errorf("%d sockets, %d over limits", s.sim.Sockets(), s.sim.OverLimit())
	}
}

// TestNothingNeeded: before anything is wanted there is no socket; what is no longer wanted is given back.
func TestNothingNeeded(t *testing.T) {
	s := newStand(t)
	s.own(allReads...)
	c := s.client(t)
	e := listening(t, c, 1)
	s.sim.Type(anaID, bob, "hello")
	e.until("a line", func() bool { return e.count(chat.Said) == 1 })
	if s.sim.Sockets() != 0 || len(c.States()[0].Missing) != 0 {
		t.Errorf("%d sockets, state %+v", s.sim.Sockets(), c.States()[0])
	}
	c.Need([]chat.Kind{chat.Followed, chat.Polled}, nil)
	s.subscribed(e, 2)
	c.Need([]chat.Kind{chat.Polled}, nil)
	s.subscribed(e, 1)
	if sub := s.sim.Subscriptions()[0]; sub.Type != eventsub.PollEnd || sub.Cost != 0 || sub.User != anaID {
		t.Errorf("left: %+v", sub)
	}
	c.Need(nil, nil)
	s.subscribed(e, 0)
	c.Need([]chat.Kind{chat.Followed}, nil)
	s.subscribed(e, 1)
	s.sim.Follow(anaID, bob)
	e.until("a follow", func() bool { return e.count(chat.Followed) == 1 })
	c.Leave(anaID)
	s.subscribed(e, 0)
}

// TestMissingScopes: what the owner did not grant is named, and nothing else breaks.
func TestMissingScopes(t *testing.T) {
	s := newStand(t)
	s.own("channel:manage:polls")
	c := s.client(t)
	c.Need(allKinds, []chat.DeedKind{chat.Announce, chat.RefundReward})
	e := listening(t, c, 1)
	s.subscribed(e, 3)
	want := []string{"moderator:read:followers", "channel:read:redemptions", "channel:read:ads", "moderator:manage:announcements", "channel:manage:redemptions"}
	if got := c.States()[0]; !slices.Equal(got.Missing, want) || got.Trouble != "" {
		t.Errorf("missing %v, want %v; trouble %q", got.Missing, want, got.Trouble)
	}
	s.sim.GoLive(anaID)
	s.sim.EndPoll(anaID, "?", twitchsim.Choice{Title: "a", Votes: 1}, twitchsim.Choice{Title: "b", Votes: 1})
	e.until("the poll", func() bool { return e.count(chat.Polled) == 1 })
	if p := e.events(chat.Polled)[0]; p.Support.Text != "" {
		t.Errorf("a draw is won: %+v", p)
	}
	if e.count(chat.StreamUp) != 1 {
		t.Error("the stream's beginning was not heard")
	}
}

// TestMove: Twitch asks the session to move while events come in; none is lost, none told twice, none subscribed again.
func TestMove(t *testing.T) {
	s := newStand(t)
	_, e := s.hearing(t, chat.Followed)
	s.subscribed(e, 1)
	const n = 400
	for i := range n {
		if i%100 == 50 {
			s.sim.MoveSockets()
		}
		if told := s.sim.Follow(anaID, twitchsim.User{ID: fmt.Sprint(5000 + i), Login: fmt.Sprint("fan", i)}); told != 1 {
			t.Fatalf("follow %d was told to %d", i, told)
		}
		if i%20 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	e.until("all follows", func() bool { return e.count(chat.Followed) >= n })
	e.until("it moved", func() bool { return s.sim.Sockets() > 1 })
	seen := map[string]bool{}
	for _, ev := range e.events(chat.Followed) {
		seen[ev.Viewer.ID] = true
	}
	if len(seen) != n || e.count(chat.Followed) != n {
		t.Errorf("%d follows of %d people, want %d", e.count(chat.Followed), len(seen), n)
	}
	if n := len(s.sim.Subscriptions()); n != 1 {
		t.Errorf("%d subscriptions", n)
	}
}

// TestLost: whatever way a session ends, another one comes with all subscriptions.
func TestLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		_, e := s.hearing(t, allKinds...)
		s.subscribed(e, 7)
		for i, end := range []func(){
			s.sim.Drop, func() { s.sim.CloseSockets(4000) }, func() { s.sim.Break(1); s.sim.CloseSockets(4006) }, s.sim.ExpireToken,
		} {
			end()
			if i == 3 {
				s.sim.Drop() // the new session meets the ended token
			}
			e.until("another session", func() bool { return s.sim.Sockets() >= i+2 && len(s.sim.Subscriptions()) == 7 })
			s.sim.Follow(anaID, twitchsim.User{ID: fmt.Sprint(6000 + i), Login: fmt.Sprint("fan", i)})
			e.until("a follow", func() bool { return e.count(chat.Followed) == i+1 })
		}
		if re := e.count(chat.Revoked); re != 0 {
			t.Errorf("%d revoked", re)
		}
	})
}

// TestRevokedSubscription: what Twitch ends is not asked for again, and said.
func TestRevokedSubscription(t *testing.T) {
	s := newStand(t)
	c, e := s.hearing(t, chat.Followed, chat.Polled)
	s.subscribed(e, 2)
	s.sim.RevokeSubscriptions(eventsub.Follow, "authorization_revoked")
	e.until("it is said", func() bool { return strings.Contains(c.States()[0].Trouble, "authorization_revoked") })
	s.sim.Drop()
	e.until("the other again", func() bool { return s.sim.Sockets() == 2 && len(s.sim.Subscriptions()) == 1 })
	c.Need([]chat.Kind{chat.Followed}, nil)
	s.subscribed(e, 0)
	e.until("chat is heard again", func() bool { return e.count(chat.Joined) == 2 })
	if st := c.States()[0]; !st.Hears || st.Trouble == "" {
		t.Errorf("state %+v", st)
	}
}

// TestOwnerGone: the owner's login ends; the bot's goes on.
func TestOwnerGone(t *testing.T) {
	s := newStand(t)
	s.own(allReads...)
	s.o.Owners[0].Account.Token = chat.Token{Access: "gone", Refresh: "gone too"}
	c := s.client(t)
	c.Need(allKinds, nil)
	e := listening(t, c, 1)
	e.until("it is said", func() bool { return strings.Contains(c.States()[0].Trouble, "connect the channel again") })
	s.sim.Type(anaID, bob, "chat goes on")
	e.until("a line", func() bool { return e.count(chat.Said) == 1 })
	if st := c.States()[0]; !slices.Contains(st.Missing, "moderator:read:followers") || s.sim.Sockets() != 0 {
		t.Errorf("state %+v, %d sockets", st, s.sim.Sockets())
	}
}

// TestBotAlone: without the owners' logins the bot hears streams begin and end, for as many channels as Twitch's cost allows,
// and follows where it is moderator and may.
func TestBotAlone(t *testing.T) {
	s := newStand(t)
	tok := s.sim.Grant(botID, append(twitch.BotScopes(), "moderator:read:followers")...)
	s.o.Bot.Token = chat.Token{Access: tok.Access, Refresh: tok.Refresh}
	s.sim.Mod(anaID, botID, true)
	for i := range 11 {
		id := fmt.Sprint(1100 + i)
		s.sim.AddUser(twitchsim.User{ID: id, Login: "room" + id})
		s.o.Channels = append(s.o.Channels, twitch.ChannelRef{ID: id, Login: "room" + id})
	}
	c := s.client(t)
	c.Need([]chat.Kind{chat.StreamUp, chat.Followed, chat.Redeemed}, nil)
	e := listening(t, c, 12)
	s.subscribed(e, 10)
	e.until("the cost is said", func() bool { return strings.Contains(c.States()[11].Trouble, "cost") })
	c.Leave("1100")
	c.Leave("1101")
	e.until("follows of the channel that it moderates", func() bool {
		return slices.ContainsFunc(s.sim.Subscriptions(), func(sub twitchsim.Subscription) bool {
			return sub.Type == eventsub.Follow && sub.Channel == anaID && sub.User == botID
		})
	})
	if st := c.States()[0]; st.Trouble != "" || !slices.Equal(st.Missing, []string{"channel:read:redemptions"}) {
		t.Errorf("state %+v", st)
	}
	s.sim.GoLive(anaID)
	s.sim.Follow(anaID, bob)
	e.until("both", func() bool { return e.count(chat.StreamUp) == 1 && e.count(chat.Followed) == 1 })
}

// TestBotIsOwner: a creator without a bot hears and does everything by one login.
func TestBotIsOwner(t *testing.T) {
	s := newStand(t)
	tok := s.sim.Grant(anaID, slices.Concat(twitch.BotScopes(), allReads, ownerDeeds, botDeeds)...)
	s.o.Bot = chat.Account{Platform: chat.Twitch, ID: anaID, Name: "anaslive", Token: chat.Token{Access: tok.Access, Refresh: tok.Refresh}}
	s.own("channel:bot") // connected as owner too: the bot's login counts
	c := s.client(t)
	c.Need(allKinds, []chat.DeedKind{chat.RefundReward, chat.TimeOut})
	e := listening(t, c, 1)
	s.subscribed(e, 7)
	id, _ := s.sim.Redeem(anaID, bob, "r1", "Unlock", "")
	e.until("the redemption", func() bool { return e.count(chat.Redeemed) == 1 })
	if err := c.Do(t.Context(), chat.Deed{Kind: chat.RefundReward, Channel: shop, Reward: "r1", Redemption: id}); err != nil {
		t.Error(err)
	}
	if st := c.States()[0]; len(st.Missing) != 0 || st.Trouble != "" || s.sim.Sockets() != 1 {
		t.Errorf("state %+v, %d sockets", st, s.sim.Sockets())
	}
}

// TestQuiet: a socket that dies without a word is noticed by the keepalives that stay away; sockets that live are kept.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		c, e := s.hearing(t, chat.Followed)
		time.Sleep(time.Hour)
		if s.sim.Sockets() != 1 {
			t.Errorf("%d sockets in a quiet hour", s.sim.Sockets())
		}
		s.sim.Mute(true)
		time.Sleep(time.Minute)
		s.sim.Mute(false)
		time.Sleep(2 * time.Minute)
		if n := s.sim.Sockets(); n < 3 || n > 8 || len(s.sim.Subscriptions()) != 1 {
			t.Errorf("%d sockets, %d subscriptions after a minute of silence", n, len(s.sim.Subscriptions()))
		}
		s.sim.Follow(anaID, bob)
		e.until("a follow", func() bool { return e.count(chat.Followed) == 1 })
		if st := c.States()[0]; st.Trouble != "" {
			t.Errorf("state %+v", st)
		}
	})
}

// TestMoveRefused: the address to move to answers nothing; the old session is heard for as long as it lives, then there is
// a new one.
func TestMoveRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		_, e := s.hearing(t, chat.Followed)
		time.Sleep(time.Second)
		s.sim.Break(1000)
		s.sim.MoveSockets()
		time.Sleep(5 * time.Second)
		s.sim.Follow(anaID, bob)
		e.until("a follow while moving", func() bool { return e.count(chat.Followed) == 1 })
		time.Sleep(40 * time.Second)
		s.sim.Break(0)
		time.Sleep(2 * time.Minute)
		if len(s.sim.Subscriptions()) != 1 {
			t.Errorf("subscriptions %+v", s.sim.Subscriptions())
		}
		s.sim.Follow(anaID, bob)
		e.until("a follow after it", func() bool { return e.count(chat.Followed) == 2 })
	})
}

// TestEventStorm: a server that greets and hangs up is not hammered, nor is one that refuses every subscription.
func TestEventStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.hearing(t, chat.Followed)
		for range 3600 {
			s.sim.CloseSockets(4000)
			time.Sleep(time.Second)
		}
		if n := s.sim.Sockets(); n < 30 || n > 150 {
			t.Errorf("%d sockets in an hour of ends", n)
		}
	})
}

// TestSubscriptionRefused: what may pass is tried again after a pause, what will not is said and left.
func TestSubscriptionRefused(t *testing.T) {
	for _, tt := range []struct {
		status  int
		message string
		stands  bool   // in the end
		trouble string // in the end
	}{
		{500, "oops", true, ""},
		{429, "Too many requests", true, ""},
		{429, "maximum total cost exceeded", false, "cost"},
		{400, "websocket transport session does not exist or has already disconnected", true, ""},
		{400, "invalid subscription type and version", false, "invalid subscription"},
		{403, "subscription missing proper authorization", false, "authorization"},
		{409, "subscription already exists", false, ""},
		{401, "Invalid OAuth token", true, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := bubble(t, twitchsim.Options{})
			c, e := s.hearing(t, chat.Followed)
			s.subscribed(e, 1)
			s.sim.RefuseSubscription(tt.status, tt.message)
			c.Need([]chat.Kind{chat.Followed, chat.Polled}, nil)
			time.Sleep(30 * time.Second)
			if n := len(s.sim.Subscriptions()); (n == 2) != tt.stands {
				t.Errorf("%d %s: %d subscriptions", tt.status, tt.message, n)
			}
			if st := c.States()[0]; (st.Trouble == "") != (tt.trouble == "") || !strings.Contains(st.Trouble, tt.trouble) {
				t.Errorf("%d %s: trouble %q", tt.status, tt.message, st.Trouble)
			}
			if s.sim.Sockets() != 1 {
				t.Errorf("%d %s: %d sockets", tt.status, tt.message, s.sim.Sockets())
			}
		})
	}
}

// TestAllRefused: when Twitch gives nothing there is no socket, until something changes.
func TestAllRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.sim.RefuseSubscription(403, "subscription missing proper authorization")
		c, e := s.hearing(t, chat.Followed)
		time.Sleep(time.Hour)
		if s.sim.Sockets() != 1 || len(s.sim.Subscriptions()) != 0 || c.States()[0].Trouble == "" {
			t.Errorf("%d sockets, state %+v", s.sim.Sockets(), c.States()[0])
		}
		c.Need([]chat.Kind{chat.Followed}, nil)
		s.subscribed(e, 1)
	})
}

// TestEventAddress: a bad address is refused at once.
func TestEventAddress(t *testing.T) {
	s := newStand(t)
	s.o.EventSubURL = "https://example.test/ws"
	if _, err := twitch.New(s.o); err == nil {
		t.Error("no error")
	}
	s.o.EventSubURL = ""
	s.o.Owners = []twitch.Owner{{}}
	if _, err := twitch.New(s.o); err == nil {
		t.Error("an owner without an id")
	}
}

// TestEventsUnreachable: chat goes on while EventSub cannot be reached, and the state says so.
func TestEventsUnreachable(t *testing.T) {
	s := newStand(t)
	s.own(allReads...)
	s.o.EventSubURL = "ws://nowhere.invalid/ws"
	dial := (&net.Dialer{}).DialContext
	s.o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "nowhere") {
			return nil, fmt.Errorf("no such host %s", addr)
		}
		return dial(ctx, network, addr)
	}
	c := s.client(t)
	c.Need(allKinds, nil)
	e := listening(t, c, 1)
	e.until("it is said", func() bool { return c.States()[0].Trouble != "" })
	if why := c.States()[0].Trouble; strings.Contains(why, "nowhere") {
		t.Errorf("trouble names the address: %s", why)
	}
	s.sim.Type(anaID, bob, "chat goes on")
	e.until("a line", func() bool { return e.count(chat.Said) == 1 })
}

// TestAdBreakOver: Twitch tells when adverts begin and how long they run; rules may wait for their end. Of breaks that follow upon
// each other one end is told.
func TestAdBreakOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.own("channel:read:ads")
		c := s.client(t)
		c.Need([]chat.Kind{chat.AdBreakOver}, nil)
		e := listening(t, c, 1)
		s.subscribed(e, 1)
		s.sim.AdBreak(anaID, 60)
		time.Sleep(45 * time.Second)
		s.sim.AdBreak(anaID, 90)
		time.Sleep(89 * time.Second)
		if n := e.count(chat.AdBreakOver); n != 0 {
			t.Errorf("%d ends were told while adverts ran", n)
		}
		time.Sleep(2 * time.Second)
		over := e.events(chat.AdBreakOver)
		if len(over) != 1 || over[0].Channel != shop || over[0].Support.For != 90*time.Second || !strings.HasPrefix(over[0].ID, "ad_break_over:1001:") {
			t.Errorf("told %+v", over)
		}
		if s.sim.Sockets() != 1 {
			t.Errorf("%d sockets", s.sim.Sockets())
		}
	})
}

// TestRevokedOwner: an owner who withdraws the permission while nothing of theirs is heard is told of within a minute.
func TestRevokedOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.own("channel:bot")
		c := s.client(t)
		listening(t, c, 1)
		time.Sleep(5 * time.Minute)
		if st := c.States()[0]; st.Trouble != "" {
			t.Errorf("before: %+v", st)
		}
		s.sim.RevokeUser(anaID)
		time.Sleep(time.Minute)
		if st := c.States()[0]; !strings.Contains(st.Trouble, "connect the channel again") || !st.Hears {
			t.Errorf("a minute later: %+v", st)
		}
	})
}
