package youtube_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/youtube"
	"hawker/connectors/youtube/quota"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
)

// pipes is a listener in memory, so that client and platform live in one synctest bubble, where hours take no time.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bubble runs f with a platform and a client of 10,000 units, both in memory and on a clock of their own, which starts
// at midnight UTC on 2000-01-01: 16:00 Pacific, 8 h before the quota's midnight.
func bubble(t *testing.T, f func(t *testing.T, s sim, c *youtube.Client, e *events)) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := sim{youtubesim.New(youtubesim.Config{
			TokenLife: 100 * time.Hour, Channels: []youtubesim.Channel{{ID: owner, Title: "Ana", Live: true}},
		})}
		s.Start(p)
		t.Cleanup(s.Close)
		o := options(s)
		o.DailyUnits, o.DialContext = 0, p.dial
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
