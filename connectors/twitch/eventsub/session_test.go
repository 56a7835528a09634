package eventsub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// script is a server whose connections, in their order, do as they are told; the last is for all that follow.
type script struct {
	t     *testing.T
	url   string
	acts  []func(context.Context, *line)
	mu    sync.Mutex
	paths []string
}

// line is one connection of a script.
type line struct {
	*script
	ws *websocket.Conn
}

func (l *line) send(frame string) {
	_ = l.ws.Write(context.Background(), websocket.MessageText, []byte(frame))
}

func (l *line) welcome(id string) {
	l.send(`{"metadata":{"message_id":"w","message_type":"session_welcome"},"payload":{"session":{"id":"` + id + `","status":"connected","keepalive_timeout_seconds":null,"reconnect_url":null}}}`)
}

func (l *line) move(to string) {
	l.send(`{"metadata":{"message_id":"m","message_type":"session_reconnect"},"payload":{"session":{"id":"s","reconnect_url":"` + l.url + to + `"}}}`)
}

func (l *line) tell(id, event string) {
	l.send(`{"metadata":{"message_id":"` + id + `","message_type":"notification","message_timestamp":"` + time.Now().UTC().Format(time.RFC3339Nano) +
		`","subscription_type":"stream.offline","subscription_version":"1"},"payload":{"event":` + event + `}}`)
}

// stay reads until the client goes; what it sends as data is a fault (Twitch would close with 4001).
func (l *line) stay(ctx context.Context) {
	if _, b, err := l.ws.Read(ctx); err == nil {
		l.t.Errorf("the client sent %q", b)
	}
}

func serve(t *testing.T, acts ...func(context.Context, *line)) *script {
	s := &script{t: t, acts: acts}
	var conns sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conns.Add(1)
		defer conns.Done()
		s.mu.Lock()
		n := min(len(s.paths), len(s.acts)-1)
		s.paths = append(s.paths, r.URL.RequestURI())
		s.mu.Unlock()
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		s.acts[n](ctx, &line{s, ws})
	}))
	s.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	t.Cleanup(func() { stop(); srv.Close(); conns.Wait() })
	return s
}

// hears runs a client of the script until it was told n things, and gives their ids and the sessions subscribed on.
func (s *script) hears(n int) (told, sessions []string) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	var mu sync.Mutex
	err := Run(ctx, Options{
		URL: s.url,
		Subscribe: func(_ context.Context, session string, _ bool) error {
			mu.Lock()
			defer mu.Unlock()
			sessions = append(sessions, session)
			return nil
		},
		Notify: func(x Notification) {
			if told = append(told, x.ID); len(told) == n {
				stop()
			}
		},
	})
	if err != nil || len(told) != n {
		s.t.Fatalf("told %v of %d: %v", told, n, err)
	}
	mu.Lock()
	defer mu.Unlock()
	return told, sessions
}

func (s *script) dialled() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.paths, " ")
}

// TestMoveOverlap: what the old server still sends is heard beside what the new one sends, once, and the address to move to is
// dialled as it is.
func TestMoveOverlap(t *testing.T) {
	moved := make(chan struct{})
	s := serve(t, func(ctx context.Context, l *line) {
		l.welcome("s")
		l.tell("1", "{}")
		l.move("/there?a=1&b=%20x")
		l.tell("2", "{}")
		<-moved
		l.tell("3", "{}")
		l.tell("4", "{}")
		l.stay(ctx)
	}, func(ctx context.Context, l *line) {
		l.welcome("s")
		l.tell("3", "{}")
		close(moved)
		l.stay(ctx)
	})
	told, sessions := s.hears(4)
	if len(sessions) != 1 || sessions[0] != "s" || s.dialled() != "/ /there?a=1&b=%20x" {
		t.Errorf("told %v, subscribed on %v, dialled %s", told, sessions, s.dialled())
	}
}

// TestMoveOldFirst: the old server goes before the new one greets; the session goes on under another id, and nothing is
// subscribed again.
func TestMoveOldFirst(t *testing.T) {
	gone := make(chan struct{})
	s := serve(t, func(_ context.Context, l *line) {
		l.welcome("s")
		l.tell("1", "{}")
		l.move("/there")
		<-gone
		_ = l.ws.Close(4004, "")
	}, func(ctx context.Context, l *line) {
		close(gone)
		time.Sleep(20 * time.Millisecond)
		l.welcome("other")
		l.tell("2", "{}")
		l.stay(ctx)
	})
	told, sessions := s.hears(2)
	if len(sessions) != 1 || told[1] != "2" {
		t.Errorf("told %v, subscribed on %v", told, sessions)
	}
}

// TestLongFrames: events far beyond the library's limit, pings in between, and a session after a lost one.
func TestLongFrames(t *testing.T) {
	s := serve(t, func(_ context.Context, l *line) {
		l.welcome("") // no session at all
	}, func(_ context.Context, l *line) {
		l.welcome("a")
		l.tell("1", `{"x":"`+strings.Repeat("y", 200_000)+`"}`)
		_ = l.ws.CloseNow()
	}, func(ctx context.Context, l *line) {
		l.welcome("b")
		l.tell("1", "{}") // told on the session before
		answered := make(chan error, 1)
		go func() { answered <- l.ws.Ping(ctx) }()
		go l.stay(ctx)
		if err := <-answered; err != nil {
			l.t.Errorf("ping: %v", err)
		}
		l.tell("2", "{}")
		<-ctx.Done()
	})
	told, sessions := s.hears(2)
	if fmt.Sprint(told, sessions) != "[1 2] [a b]" && fmt.Sprint(told, sessions) != "[1 2] [b]" {
		t.Errorf("told %v, subscribed on %v", told, sessions)
	}
}

// TestNothing: ErrNothing ends Run; so does a bad address.
func TestNothing(t *testing.T) {
	s := serve(t, func(ctx context.Context, l *line) { l.welcome("s"); l.stay(ctx) })
	err := Run(t.Context(), Options{
		URL: s.url, Subscribe: func(context.Context, string, bool) error { return fmt.Errorf("none: %w", ErrNothing) }, Notify: func(Notification) {},
	})
	if !errors.Is(err, ErrNothing) {
		t.Errorf("Run: %v", err)
	}
	if err := Run(t.Context(), Options{URL: "nowhere"}); err == nil {
		t.Error("a bad address was dialled")
	}
}
