package chatline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/internal/chat"
)

var here = chat.Channel{Platform: chat.Twitch, ID: "1001"}

// pretend is a chat that tells what it is given and counts what it is sent.
type pretend struct {
	tell   []chat.Event
	end    error
	budget chat.Budget

	mu   sync.Mutex
	said []time.Time
}

func (p *pretend) Listen(ctx context.Context, hear func(chat.Event)) error {
	for _, e := range p.tell {
		hear(e)
	}
	if p.end != nil {
		return p.end
	}
	<-ctx.Done()
	return nil
}

func (p *pretend) Say(context.Context, chat.Line) (chat.Sent, error) {
	time.Sleep(100 * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, time.Now())
	return chat.Sent{ID: "1"}, nil
}

func (p *pretend) Budget(chat.Channel) chat.Budget { return p.budget }
func (p *pretend) States() []chat.State            { return nil }

func options(p *pretend, in string, out *bytes.Buffer) Options {
	return Options{
		Chat: p, JSON: true, In: strings.NewReader(in), Out: out,
		Name: func(c chat.Channel) string { return c.ID }, Find: func(string) (chat.Channel, bool) { return here, true },
		Join: func(context.Context, string) error { return nil },
	}
}

// TestPace: whatever is typed, no line exceeds what the platform allows, and all of it was said before the end.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pretend{budget: chat.Budget{Lines: 5, Per: 30 * time.Second, Every: time.Second, Pool: "x"}}
		var out bytes.Buffer
		if err := Run(t.Context(), options(p, strings.Repeat(`{"op":"say","channel":"x","text":"y"}`+"\n", 12), &out)); err != nil {
			t.Fatal(err)
		}
		if len(p.said) != 12 || strings.Count(out.String(), `"type":"sent"`) != 12 {
			t.Errorf("said %d of 12: %s", len(p.said), out.String())
		}
		for i := range p.said {
			if i >= 5 && p.said[i].Sub(p.said[i-5]) < 30*time.Second || i > 0 && p.said[i].Sub(p.said[i-1]) < time.Second {
				t.Errorf("line %d comes too soon", i)
			}
		}
	})
}

// TestEnds: an account that is of no use ends the program, and says so once, in one of two ways.
func TestEnds(t *testing.T) {
	gone := &chat.Refused{Code: "invalid_token", Reason: "Connect again.", Reconnect: true}
	for want, tell := range map[string][]chat.Event{
		"auth_failed": {{Kind: chat.Revoked, Channel: here}, {Kind: chat.Revoked, Channel: here}},
		"revoked":     {{Kind: chat.Joined, Channel: here}, {Kind: chat.Revoked, Channel: here}},
	} {
		var out bytes.Buffer
		o := options(&pretend{tell: tell, end: gone}, "", &out)
		in, w := io.Pipe()
		o.In = in
		if err := Run(t.Context(), o); !errors.Is(err, ErrAccount) {
			t.Errorf("%s: %v", want, err)
		}
		_ = w.Close()
		if n := strings.Count(out.String(), `"type":"`+want+`"`); n != 1 {
			t.Errorf("%s is printed %d times: %s", want, n, out.String())
		}
	}
}

func TestHide(t *testing.T) {
	var out bytes.Buffer
	w := Hide(&out, func() []string { return []string{"abc", "tok-123456", ""} })
	if n, err := w.Write([]byte("abc tok-123456 tok-12345")); n != 24 || err != nil || out.String() != "abc [secret] tok-12345" {
		t.Errorf("%d, %v: %q", n, err, out.String())
	}
}

func TestVisible(t *testing.T) {
	if got := Visible("a\x1b[31m\u202eb\r\nc\u009bd é日\u200d"); got != "a[31mbcd é日\u200d" {
		t.Errorf("%q", got)
	}
}
