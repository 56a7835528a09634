package twitch_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
)

// TestTenSecondsOf5xx: the web answers nothing but HTML pages of status 503 for ten seconds. Lines are heard meanwhile; three that
// are said are refused and never posted later, the others go over the chat server; and everything works again without a login or a
// gap.
func TestTenSecondsOf5xx(t *testing.T) {
	for _, road := range []twitch.Road{twitch.IRC, twitch.Both} {
		t.Run(string(road), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := bubble(t, twitchsim.Options{TokenLife: 10*time.Minute + 5*time.Second}) // so that a refresh falls into it
				s.o.Road = road
				c := s.client(t)
				e := listening(t, c, 1)
				s.sim.Break(1 << 30)
				for i := range 10 {
					s.sim.Type(anaID, bob, fmt.Sprint(i))
					if _, err := c.Say(t.Context(), line(fmt.Sprintf("say %d", i))); i >= 3 {
						if err != nil {
							t.Errorf("the chat server refused: %v", err)
						}
					} else if err == nil {
						t.Error("a line was accepted")
					} else if re := refusal(t, err); !re.Unknown || strings.Contains(re.Error(), "<") {
						t.Errorf("%+v", re)
					}
					time.Sleep(time.Second)
				}
				s.sim.Break(0)
				e.lines(10)
				time.Sleep(10 * time.Second)
				if _, err := c.Say(t.Context(), line("works")); err != nil {
					t.Error(err)
				}
				if n := len(s.sim.Spoken(anaID)); n != 8 || s.sim.Logins() != 1 || e.count(chat.Gap) != 0 || e.count(chat.Revoked) != 0 {
					t.Errorf("%d lines posted, %d logins, %d gaps", n, s.sim.Logins(), e.count(chat.Gap))
				}
			})
		})
	}
}

// TestLoginServerOut: a login server that is out of order at the start keeps nobody from the chat.
func TestLoginServerOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.sim.Break(1 << 30)
		e := listening(t, s.client(t), 1)
		s.sim.Type(anaID, bob, "0")
		e.lines(1)
		s.sim.Break(0)
	})
}

// TestRates: 429 with and without the documented headers, also where Twitch's clock and ours differ by two minutes.
func TestRates(t *testing.T) {
	var head http.Header
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range head {
			w.Header()[k] = v
		}
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte("<html>slow down</html>"))
	}))
	defer web.Close()
	s := newStand(t)
	s.o.APIURL = web.URL
	c := s.client(t)
	at := func(off time.Duration) http.Header { // a reset in five seconds by a clock that is off
		theirs := time.Now().Add(off)
		return http.Header{"Date": {theirs.UTC().Format(http.TimeFormat)}, "Ratelimit-Reset": {fmt.Sprint(theirs.Unix() + 5)}}
	}
	for _, tt := range []struct {
		name     string
		head     http.Header
		from, to time.Duration
	}{
		{"no headers", nil, time.Second, time.Second},
		{"reset", at(0), 4 * time.Second, 6 * time.Second},
		{"their clock is two minutes ahead", at(2 * time.Minute), 4 * time.Second, 6 * time.Second},
		{"their clock is two minutes behind", at(-2 * time.Minute), 4 * time.Second, 6 * time.Second},
		{"retry-after", http.Header{"Retry-After": {"7"}}, 7 * time.Second, 7 * time.Second},
		{"nonsense", http.Header{"Retry-After": {"soon"}, "Ratelimit-Reset": {"99999999999999999999"}}, time.Second, time.Second},
	} {
		head = tt.head
		_, err := c.Say(t.Context(), line("x"))
		if re := refusal(t, err); re.Code != "429" || re.Unknown || re.RetryAfter < tt.from || re.RetryAfter > tt.to || strings.Contains(re.Error(), "<") {
			t.Errorf("%s: %+v", tt.name, re)
		}
	}
}

// TestRoomModes: what a room's mode drops is told with Twitch's code and is never sent again.
func TestRoomModes(t *testing.T) {
	s := newStand(t)
	s.sim.Mod(anaID, botID, true)
	c := s.client(t)
	codes := []string{
		"msg_slowmode", "msg_followersonly", "msg_subsonly", "msg_emoteonly", "msg_r9k", "msg_rejected", "msg_rejected_mandatory", "msg_ratelimit", "msg_banned",
		"msg_timedout", "msg_verified_email", "msg_requires_verified_phone_number", "msg_channel_suspended", "a_code_of_tomorrow",
	}
	for _, code := range codes {
		s.sim.RefuseNext(code, "Because.")
		_, err := c.Say(t.Context(), line("for "+code))
		if re := refusal(t, err); re.Code != code || re.Reason != "Because." || re.Unknown || re.Reconnect {
			t.Errorf("%s: %+v", code, re)
		}
	}
	if s.sim.Posts() != len(codes) || len(s.sim.Spoken(anaID)) != 0 {
		t.Errorf("%d posts for %d lines, %d shown", s.sim.Posts(), len(codes), len(s.sim.Spoken(anaID)))
	}
}

// TestOddTimes: clocks that differ by two minutes, and lines that come out of the order of their stamps: each is heard once, as it
// came, with the platform's own time.
func TestOddTimes(t *testing.T) {
	for _, road := range []twitch.Road{twitch.IRC, twitch.EventSub, twitch.Both} {
		t.Run(string(road), func(t *testing.T) {
			s := newStand(t)
			s.o.Road = road
			e := listening(t, s.client(t), 1)
			began := time.Now()
			off := []time.Duration{-2 * time.Minute, 2 * time.Minute, -2*time.Minute - time.Second, 0, 2 * time.Minute, -time.Hour}
			for i, d := range off {
				s.sim.Post(twitchsim.Line{Channel: anaID, User: bob, Text: fmt.Sprint(i), At: began.Add(d)})
			}
			e.lines(len(off))
			for i, ev := range e.events(chat.Said) {
				m := ev.Message
				if road == twitch.IRC && m.Sent.UnixMilli() != began.Add(off[i]).UnixMilli() || m.Received.Before(began) {
					t.Errorf("line %d: sent %v, received %v", i, m.Sent, m.Received)
				}
			}
			if n := len(e.texts()); n != len(off) {
				t.Errorf("heard %d lines", n)
			}
		})
	}
}

// TestOneOfAThousand: a channel that bans the bot, one that is gone and one that was renamed do not touch the 997 others.
func TestOneOfAThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.o.Channels = nil
		const n = 1000
		id := func(i int) string { return fmt.Sprint(10_000 + i) }
		for i := range n {
			if i != 1 {
				s.sim.AddUser(twitchsim.User{ID: id(i), Login: "room" + id(i)})
			}
			s.o.Channels = append(s.o.Channels, twitch.ChannelRef{ID: id(i), Login: "room" + id(i)})
		}
		s.sim.Ban(id(0), botID, true)
		s.sim.Rename(id(2), "anothername")
		c := s.client(t)
		e := listening(t, c, 0)
		time.Sleep(20 * time.Minute) // 20 joins in 10 s
		for i := range n {
			if i != 1 {
				s.sim.Type(id(i), bob, id(i))
			}
		}
		time.Sleep(time.Minute)
		heard := map[string]int{}
		for _, ev := range e.events(chat.Said) {
			if ev.Message.Text != ev.Channel.ID {
				t.Errorf("line %q in %s", ev.Message.Text, ev.Channel.ID)
			}
			heard[ev.Channel.ID]++
		}
		for _, st := range c.States() {
			if bad := st.Channel.ID == id(0) || st.Channel.ID == id(1); bad == st.Hears || bad == (st.Trouble == "") || !bad && heard[st.Channel.ID] != 1 {
				t.Errorf("%d lines, state %+v", heard[st.Channel.ID], st)
			}
		}
		if s.sim.Logins() != 1 || s.sim.OverLimit() != 0 || e.count(chat.Gap) != 0 {
			t.Errorf("%d logins, %d over limits, %d gaps", s.sim.Logins(), s.sim.OverLimit(), e.count(chat.Gap))
		}
	})
}

// TestClosedForever: every connection of every kind is closed as soon as it stands, for an hour. Tries become rare, with jitter, and
// nobody logs in again and again; when Twitch is back, all is well within two minutes.
func TestClosedForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.o.Road = twitch.Both
		var mu sync.Mutex
		away, tries := true, map[string][]time.Time{}
		dial := s.o.DialContext
		s.o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			tries[addr] = append(tries[addr], time.Now())
			if away {
				ours, theirs := net.Pipe()
				return ours, theirs.Close()
			}
			return dial(ctx, network, addr)
		}
		c := s.client(t)
		e := listening(t, c, 0)
		time.Sleep(time.Hour)
		mu.Lock()
		away = false
		for addr, all := range tries {
			var gaps []time.Duration
			for i := 1; i < len(all); i++ {
				gaps = append(gaps, all[i].Sub(all[i-1]).Round(100*time.Millisecond))
			}
			slices.Sort(gaps)
			if n := len(all); n < 30 || n > 400 || len(slices.Compact(gaps)) < 10 {
				t.Errorf("%s was dialled %d times in an hour", addr, n)
			}
		}
		mu.Unlock()
		time.Sleep(2 * time.Minute)
		e.until("the channel", func() bool { return e.count(chat.Joined) == 1 })
		if st := c.States()[0]; !st.Hears || st.Trouble != "" || s.sim.Logins() != 1 {
			t.Errorf("%d logins, state %+v", s.sim.Logins(), st)
		}
	})
}
