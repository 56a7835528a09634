package youtube_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/youtube"
	"hawker/connectors/youtube/quota"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
	"hawker/internal/pipetest"
)

// bubble runs f with a platform and a client of 10,000 units, both in memory and on a clock of their own, which starts
// at midnight UTC on 2000-01-01: 16:00 Pacific, 8 h before the quota's midnight.
func bubble(t *testing.T, f func(t *testing.T, s sim, c *youtube.Client, e *events)) {
	synctest.Test(t, func(t *testing.T) {
		p := pipetest.Listen()
		s := sim{youtubesim.New(youtubesim.Config{
			TokenLife: 100 * time.Hour, Channels: []youtubesim.Channel{{ID: owner, Title: "Ana", Live: true}},
		})}
		s.Start(p)
		t.Cleanup(s.Close)
		o := options(s)
		o.DailyUnits, o.DialContext = 0, p.Dial
		c, err := youtube.New(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		e := listen(t, c)
		synctest.Wait()
		f(t, s, c, e)
		e.stop()
		if err := <-e.done; err != nil {
			t.Error(err)
		}
	})
}

func TestEightHoursOnOneDaysQuota(t *testing.T) {
	bubble(t, func(t *testing.T, s sim, c *youtube.Client, e *events) {
		begin := time.Now()
		var worst time.Duration
		lines := 0
		for i := range 8*60 - 1 {
			switch i {
			case 60:
				c.Attend(quota.Hot) // a rush of half an hour
			case 90:
				c.Attend(quota.Holding)
			case 420:
				c.Attend(quota.Watching)
			}
			id := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "!buy 3")
			lines++
			if i%8 == 0 {
				if _, err := c.Say(t.Context(), line("Bob bought a mug "+id)); err != nil {
					t.Fatalf("after %v: Say: %v", time.Since(begin), err)
				}
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			m := e.line(id)
			if m == nil {
				t.Fatalf("after %v a line was not heard within a minute; %+v", time.Since(begin), c.States())
			}
			worst = max(worst, m.Received.Sub(m.Sent))
		}
		used, calls := s.Units()
		if used > 10_000 || used < 7_000 {
			t.Errorf("8 h cost %d units (%v), want most of 10,000 and no more", used, calls)
		}
		if c.Units().Units != used {
			t.Errorf("counted %d units, the platform %d", c.Units().Units, used)
		}
		if worst > 30*time.Second {
			t.Errorf("a line was heard %v late", worst)
		}
		t.Logf("%d lines, 60 said, %d units, at most %v late; %v", lines, used, worst, calls)
	})
}

func TestSpentQuotaWaitsForMidnightPacific(t *testing.T) {
	bubble(t, func(t *testing.T, s sim, c *youtube.Client, e *events) {
		time.Sleep(time.Hour)
		s.ExhaustQuota()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if e.count(chat.Left) != 1 {
			t.Fatalf("heard %+v, want Left", e.snapshot())
		}
		st := c.States()[0]
		if st.Hears || !strings.Contains(st.Trouble, "1 Jan 00:00 PST (08:00 UTC)") {
			t.Errorf("state %+v", st)
		}
		_, err := c.Say(t.Context(), line("anybody?"))
		var re *chat.Refused
		if !errors.As(err, &re) || re.Code != "quotaExceeded" || re.Unknown || re.RetryAfter != time.Until(quota.NextReset(time.Now())) {
			t.Errorf("Say = %+v", err)
		}
		_, before := s.Units()
		id := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "!buy 3")
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		if _, after := s.Units(); after["liveChatMessages.stream"] != before["liveChatMessages.stream"] {
			t.Error("called while the quota was spent")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		m := e.line(id)
		if m == nil || !m.Recovered || e.count(chat.Joined) != 2 || !c.States()[0].Hears || c.States()[0].Trouble != "" {
			t.Errorf("after midnight: line %+v, state %+v", m, c.States())
		}
		if s.OverLimit() != 0 {
			t.Error("sent while the quota was spent")
		}
	})
}

func TestBrokenHoursStayWithinTheQuota(t *testing.T) {
	bubble(t, func(t *testing.T, s sim, c *youtube.Client, e *events) {
		for range 7 * 60 * 4 { // a proxy that cuts every stream, each quarter of a minute
			time.Sleep(15 * time.Second)
			s.Drop()
		}
		id := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "!buy 3")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if e.line(id) == nil {
			t.Errorf("not heard: %+v", c.States())
		}
		if used, calls := s.Units(); used >= 10_000 {
			t.Errorf("7 h of cuts cost %d units: %v", used, calls)
		}
	})
}

func TestRefusalsSlowReadingDown(t *testing.T) {
	bubble(t, func(t *testing.T, s sim, c *youtube.Client, e *events) {
		time.Sleep(time.Minute)
		s.Break(1 << 30)
		_, before := s.Units()
		time.Sleep(time.Hour)
		synctest.Wait()
		st := c.States()[0]
		if st.Hears || st.Trouble == "" || st.Reconnects == 0 || st.Reconnects > 140 {
			t.Errorf("after an hour of status 503: %+v", st)
		}
		if _, after := s.Units(); after["liveChatMessages.stream"] != before["liveChatMessages.stream"] {
			t.Error("the platform counted calls that it broke")
		}
		s.Break(0)
		id := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "!buy 3")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if m := e.line(id); m == nil || !m.Recovered {
			t.Errorf("after the storm: %+v", m)
		}
	})
}

// Lines that the platform does not give back any more are told as a gap; those that it does are heard.
func TestGap(t *testing.T) {
	bubble(t, func(t *testing.T, s sim, c *youtube.Client, e *events) {
		v := chat.Viewer{ID: "v", Name: "v"}
		id := s.Type(ch, v, "before")
		e.until(t, "a line", func() bool { return e.line(id) != nil })
		s.Drop()
		s.Refuse("liveChatMessages.stream", 2, http.StatusServiceUnavailable, "backendError")
		for i := range 100 { // the history has 75
			id = s.Type(ch, v, fmt.Sprintf("while away %d", i))
		}
		s.ForgetPages(owner)
		e.until(t, "the last line", func() bool { return e.line(id) != nil })
		if n := e.count(chat.Said); n != 76 || e.count(chat.Gap) != 1 || !e.line(id).Recovered {
			t.Errorf("heard %d lines, want 76, and %d gaps, want 1", n, e.count(chat.Gap))
		}
	})
}

// A clock that is wrong by two minutes, ours or theirs, neither runs old lines nor drops new ones, and is said.
func TestWrongClock(t *testing.T) {
	for _, ahead := range []time.Duration{2 * time.Minute, -2 * time.Minute} {
		t.Run(ahead.String(), func(t *testing.T) {
			s := start(t, youtubesim.Config{DailyUnits: 10_000_000, Channels: []youtubesim.Channel{{ID: owner, Title: "Ana"}}})
			s.Skew(ahead)
			s.GoLive(owner)
			old := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "!buy 1")
			time.Sleep(3100 * time.Millisecond) // the difference is known to a second or two
			c := client(t, options(s))
			e := listen(t, c)
			e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
			id := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "!buy 3")
			e.until(t, "a new line", func() bool { return e.line(id) != nil })
			if e.line(old) != nil || e.count(chat.StreamUp) != 0 {
				t.Error("a line from before we listened was heard, or the video told as news")
			}
			st := c.States()[0]
			want := "behind"
			if ahead < 0 {
				want = "ahead of"
			}
			if st.Delay > 30*time.Second || !strings.Contains(st.Trouble, want+" YouTube's") {
				t.Errorf("state %+v", st)
			}
		})
	}
}

// A day that is nearly spent is said before it is.
func TestLowQuota(t *testing.T) {
	bubble(t, func(t *testing.T, s sim, c *youtube.Client, e *events) {
		if st := c.States()[0]; st.Trouble != "" {
			t.Fatalf("state %+v", st)
		}
		c.Attend(quota.Hot)
		for range 47 { // up to ten minutes before the quota's midnight
			if time.Sleep(10 * time.Minute); c.States()[0].Trouble != "" {
				break
			}
		}
		if st := c.States()[0]; !st.Hears || !strings.Contains(st.Trouble, "nearly used up") || !strings.Contains(st.Trouble, " lines. It is whole again at 08:00 UTC") {
			t.Errorf("state %+v", st)
		}
	})
}

// A platform that hangs up at once, for an hour, is asked ever less often; then all that was said is heard.
func TestNoStorm(t *testing.T) {
	bubble(t, func(t *testing.T, s sim, c *youtube.Client, e *events) {
		before, logins := c.Units().Units, s.Logins()
		s.CloseAtOnce(true)
		away := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "!buy 3")
		time.Sleep(time.Hour)
		if n := s.Logins() - logins; n > 150 {
			t.Errorf("%d connections in an hour", n)
		}
		if n := c.Units().Units - before; n > 750 {
			t.Errorf("an hour of hang-ups cost %d units", n)
		}
		if st := c.States()[0]; st.Hears || st.Trouble == "" {
			t.Errorf("state %+v", st)
		}
		s.CloseAtOnce(false)
		time.Sleep(2 * time.Minute)
		if m := e.line(away); m == nil || !m.Recovered || e.count(chat.Gap) != 0 {
			t.Errorf("heard %+v", m)
		}
	})
}

// A connection that stands and never answers is noticed within half a minute.
func TestHalfOpen(t *testing.T) {
	bubble(t, func(t *testing.T, s sim, c *youtube.Client, e *events) {
		s.Hang(true)
		away := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "!buy 3")
		time.Sleep(2 * time.Minute)
		if st := c.States()[0]; st.Hears || st.Trouble == "" {
			t.Errorf("state %+v", st)
		}
		_, err := c.Say(t.Context(), line("anybody?"))
		var re *chat.Refused
		if !errors.As(err, &re) || !re.Unknown {
			t.Errorf("Say into nothing: %v", err)
		}
		s.Hang(false)
		time.Sleep(time.Minute)
		if m := e.line(away); m == nil || !m.Recovered {
			t.Errorf("heard %+v", m)
		}
		if st := c.States()[0]; !st.Hears || st.Trouble != "" {
			t.Errorf("state %+v", st)
		}
	})
}

// Ten seconds of 503 with HTML lose nothing, and a 429 without a word is a refusal with a time.
func TestBadDay(t *testing.T) {
	bubble(t, func(t *testing.T, s sim, c *youtube.Client, e *events) {
		s.Down(10 * time.Second)
		s.Drop()
		away := s.Type(ch, chat.Viewer{ID: "v", Name: "v"}, "!buy 3")
		time.Sleep(time.Minute)
		if m := e.line(away); m == nil || !m.Recovered || e.count(chat.Gap) != 0 {
			t.Errorf("heard %+v", m)
		}
		s.RefuseBare(1)
		_, err := c.Say(t.Context(), line("hello"))
		var re *chat.Refused
		if !errors.As(err, &re) || re.Code != "429" || re.RetryAfter <= 0 || re.Unknown || re.Reconnect {
			t.Errorf("a bare 429: %+v, %v", re, err)
		}
	})
}
