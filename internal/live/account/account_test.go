package account

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/internal/chat"
	"hawker/internal/live/speaker"
)

var here = chat.Channel{Platform: chat.Twitch, ID: "1001"}

// platform is told what happens by a test, and echoes what is said.
type platform struct {
	events chan chat.Event
	mu     sync.Mutex
	refuse error
	deaf   bool
}

func (p *platform) Listen(ctx context.Context, hear func(chat.Event)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-p.events:
			if e.Kind == 0 {
				return errors.New("the client gave up")
			}
			hear(e)
		}
	}
}

func (p *platform) Say(_ context.Context, l chat.Line) (chat.Sent, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return chat.Sent{}, p.refuse
	}
	time.Sleep(time.Second)
	if !p.deaf {
		p.events <- chat.Event{Kind: chat.Said, Channel: here, Message: chat.Message{Own: true, Text: l.Text, Received: time.Now()}}
	}
	return chat.Sent{At: time.Now()}, nil
}

func (p *platform) Budget(chat.Channel) chat.Budget {
	return chat.Budget{Lines: 20, Per: 30 * time.Second, Pool: "x", MaxRunes: 500}
}

func (p *platform) States() []chat.State {
	return []chat.State{{Channel: here, Hears: true, Speaks: true, Reconnects: 9}}
}

func open(t *testing.T) (*Run, *platform) {
	p := &platform{events: make(chan chat.Event, 100)}
	log := slog.New(slog.DiscardHandler)
	r := &Run{Account: Account{Name: "twitch/bot", Chat: p, Channels: []chat.Channel{here}}, Log: log, Speaker: &speaker.Speaker{Chat: p, Log: log}}
	r.Open()
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { r.Speaker.Run(ctx) })
	wg.Go(func() { r.Listen(ctx, func(chat.Event) {}) })
	t.Cleanup(func() { stop(); wg.Wait() })
	return r, p
}

func (r *Run) state() State { return r.States(time.Now().Add(-time.Hour))[0] }

// TestAbsences: what was missed is counted: lines that were recovered, gaps that were not, and how often a channel came back today.
func TestAbsences(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := open(t)
		tell := func(after time.Duration, k chat.Kind, reason string, recovered bool) {
			time.Sleep(after)
			p.events <- chat.Event{Kind: k, Channel: here, Reason: reason, Message: chat.Message{Text: "hi", Recovered: recovered, Sent: time.Now(), Received: time.Now()}}
			synctest.Wait()
		}
		tell(0, chat.Joined, "", false)
		tell(0, chat.Said, "", false)
		heard := time.Now()
		if s := r.state(); !s.Heard.Equal(heard) || len(s.Absences) != 0 || s.Today.Reconnects != 0 {
			t.Errorf("at first: %+v", s.Measured)
		}
		tell(time.Minute, chat.Left, "The connection broke.", false)
		if s := r.state(); len(s.Absences) != 1 || !s.Absences[0].To.IsZero() || s.Today.Reconnects != 0 {
			t.Errorf("away: %+v", s.Measured)
		}
		tell(40*time.Second, chat.Joined, "", false)
		for range 12 {
			tell(time.Second, chat.Said, "", true)
		}
		tell(time.Hour/2, chat.Gap, "Twitch replays nothing.", false)
		tell(5*time.Minute, chat.Left, "The connection broke again.", false)
		tell(3*time.Second, chat.Gap, "", false)
		tell(0, chat.Joined, "", false)
		s := r.state()
		if s.Today.Reconnects != 3 || s.Today.Recovered != 12 || s.Today.Lost != 2 || len(s.Absences) != 3 {
			t.Errorf("in the end: %+v", s.Measured)
		}
		if a := s.Absences[2]; a.Recovered != 12 || a.Lost || a.To.Sub(a.From) != 40*time.Second || a.Reason != "The connection broke." {
			t.Errorf("the first: %+v", a)
		}
		if a := s.Absences[1]; !a.Lost || a.Reason != "Twitch replays nothing." || a.To.Sub(a.From) != time.Hour/2 {
			t.Errorf("the second: %+v", a)
		}
		if a := s.Absences[0]; !a.Lost || a.To.Sub(a.From) != 3*time.Second || a.Reason != "The connection broke again." {
			t.Errorf("the third: %+v", a)
		}
		time.Sleep(2 * time.Hour)
		if s := r.state(); s.Today.Reconnects != 0 || len(s.Absences) != 3 { // that was another day
			t.Errorf("the day after: %+v", s.Measured)
		}
	})
}

// TestTry: a test line is proved by coming back; a refusal is told with its reason, and so is silence.
func TestTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := open(t)
		changed := 0
		try := func() Test {
			t.Helper()
			if !r.Try(here, "ana", func() { changed++ }) || !r.Try(here, "ben", func() { changed++ }) { // the second is the same
				t.Fatal("the account does not serve the channel")
			}
			if x := r.state().Test; x.By != "ana" {
				t.Errorf("asked: %+v", x)
			}
			time.Sleep(5 * time.Second)
			return r.state().Test
		}
		if x := try(); x.Said.IsZero() || x.Heard.IsZero() || x.Refused != "" || x.Running(time.Now()) || changed != 1 {
			t.Errorf("all is well: %+v", x)
		}
		p.mu.Lock()
		p.refuse = &chat.Refused{Code: "msg_banned", Reason: "The bot is banned here."}
		p.mu.Unlock()
		if x := try(); !x.Said.IsZero() || x.Refused != "The bot is banned here." || x.Code != "msg_banned" || x.Running(time.Now()) {
			t.Errorf("refused: %+v", x)
		}
		p.mu.Lock()
		p.refuse, p.deaf = nil, true
		p.mu.Unlock()
		if x := try(); x.Said.IsZero() || !x.Heard.IsZero() || !x.Running(time.Now()) || x.Running(time.Now().Add(TestFor)) {
			t.Errorf("not heard: %+v", x)
		}
		time.Sleep(TestFor)
		r.Speaker.Mute(here, true)
		if r.Try(here, "ana", func() { changed++ }); !strings.Contains(r.state().Test.Refused, "muted") {
			t.Errorf("muted: %+v", r.state().Test)
		}
		if r.Try(chat.Channel{Platform: chat.Twitch, ID: "other"}, "ana", nil) {
			t.Error("a channel that is not served was tried")
		}
	})
}

// TestGone: an account whose permission is withdrawn, or whose client gave up, must be connected again.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := open(t)
		if s := r.state(); s.Gone || s.Trouble != "" || !s.Connected || r.Unwell() != "" {
			t.Errorf("well: %+v, %q", s, r.Unwell())
		}
		p.events <- chat.Event{Kind: chat.Revoked, Channel: here, Reason: "The permission was withdrawn."}
		synctest.Wait()
		if s := r.state(); !s.Gone || s.Trouble != "The permission was withdrawn." || !strings.Contains(r.Unwell(), "connected again") {
			t.Errorf("withdrawn: %+v, %q", s, r.Unwell())
		}
		p.events <- chat.Event{}
		synctest.Wait()
		if s := r.state(); !s.Gone || s.Trouble != "the client gave up" {
			t.Errorf("given up: %+v", s)
		}
	})
}
