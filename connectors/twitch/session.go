package twitch

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"hawker/internal/chat"
)

const (
	tick       = 200 * time.Millisecond
	askAfter   = 20 * time.Second // of silence: our own PING
	silentFor  = 30 * time.Second // the connection is dead
	loginIn    = 15 * time.Second
	joinIn     = 10 * time.Second // without an answer to JOIN: banned, suspended or renamed
	joinAgain  = time.Minute
	writeIn    = 10 * time.Second
	maxLine    = 64 << 10 // far above Twitch's longest line (tags of 8 KiB)
	lineBuffer = 256
)

// session is one connection. All of it but the reader runs in Listen's goroutine; nothing there waits for anything
// but the connection's own write, so that PING is answered however many channels wait to be joined.
type session struct {
	c    *Client
	conn net.Conn
	hear func(chat.Event)
	pace *pace

	nick         string
	in           bool // the login was accepted
	began, heard time.Time
	asked        bool              // our PING is out
	looking      bool              // a look-up of logins runs
	sent         map[string]string // rooms that JOIN was sent for on this connection: id -> login
	echoed       map[string]bool   // logins of rooms whose JOIN came back
	saying       []*spoken         // lines whose answer is awaited, in their order
}

type timed struct {
	raw string
	at  time.Time
}

// session connects once and hears until the connection is lost. in tells whether the login was accepted.
func (c *Client) session(ctx context.Context, access string, p *pace, hear func(chat.Event)) (in bool, err error) {
	ctx, stop := context.WithCancel(ctx)
	conn, err := c.dial(ctx)
	if err != nil {
		stop()
		return false, err
	}
	now := time.Now()
	s := &session{c: c, conn: conn, hear: hear, pace: p, nick: c.nick(), began: now, heard: now, sent: map[string]string{}, echoed: map[string]bool{}}
	lines, found := make(chan timed, lineBuffer), make(chan lookUp, 1)
	var readErr error
	var owned sync.WaitGroup
	owned.Go(func() {
		defer close(lines)
		readErr = read(ctx, conn, lines)
	})
	defer owned.Wait()
	defer func() { _ = conn.Close() }()
	defer stop()
	defer s.unsaid()

	pass := "oauth:" + access
	if c.anonymous() {
		pass = "anybody"
	}
	if err := s.write("CAP REQ :twitch.tv/tags twitch.tv/commands\r\nPASS " + pass + "\r\nNICK " + s.nick); err != nil {
		return false, err
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.in, ctx.Err()
		case l, ok := <-lines:
			if !ok {
				return s.in, fmt.Errorf("chat connection lost: %w", readErr)
			}
			s.heard, s.asked = l.at, false
			err = s.take(parse(l.raw, l.at))
		case l := <-found:
			s.looking = false
			s.rename(l)
		case <-c.wake:
			err = s.rooms()
		case sp := <-s.speaks():
			err = s.say(sp)
		case <-ticker.C:
			if err = s.alive(time.Now()); err == nil {
				err = s.rooms()
			}
		}
		if err != nil {
			return s.in, err
		}
		if ids := s.stale(time.Now()); len(ids) > 0 {
			s.looking = true
			owned.Go(func() { found <- c.lookUp(ctx, ids) })
		}
	}
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := c.o.DialContext(ctx, "tcp", c.irc.Host)
	if err != nil {
		return nil, fmt.Errorf("connect to Twitch chat: %w", err)
	}
	if c.irc.Scheme == "irc" {
		return conn, nil
	}
	t := tls.Client(conn, &tls.Config{ServerName: c.irc.Hostname(), MinVersion: tls.VersionTLS12})
	if err := t.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("connect to Twitch chat: %w", err)
	}
	return t, nil
}

// read hands over lines until the connection or ctx ends. A line that is too long is left out, not fatal.
func read(ctx context.Context, conn net.Conn, lines chan<- timed) error {
	in := bufio.NewReaderSize(conn, maxLine)
	long := false
	for {
		b, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = true
			continue
		case err != nil:
			if errors.Is(err, io.EOF) {
				return errors.New("closed by Twitch")
			}
			return err
		case long:
			long = false
			continue
		}
		raw := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
		select {
		case lines <- timed{raw, time.Now()}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *session) write(line string) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeIn))
	if _, err := io.WriteString(s.conn, line+"\r\n"); err != nil {
		return fmt.Errorf("write to Twitch chat: %w", err)
	}
	return nil
}

// alive notices a connection that died without a word.
func (s *session) alive(now time.Time) error {
	switch quiet := now.Sub(s.heard); {
	case !s.in && now.Sub(s.began) > loginIn, quiet > silentFor, s.untold(now):
		return errSilent
	case quiet > askAfter && !s.asked:
		s.asked = true
		return s.write("PING :hawker")
	}
	return nil
}

// take does what one line asks.
func (s *session) take(in incoming) error {
	switch in.what {
	case ping:
		return s.write("PONG :" + in.text)
	case welcome:
		s.in = true
		s.c.mu.Lock()
		s.c.logins++
		s.c.mu.Unlock()
		return s.rooms()
	case refusal:
		return errLogin
	case reconnect:
		return errReconnect
	case event:
		s.proven(in)
		s.c.tell(in, s.hear)
	case roomState:
		return s.entered(in.room, in.roomID)
	case joined:
		if strings.EqualFold(in.text, s.nick) {
			s.echoed[in.room] = true
		}
	case userState:
		s.c.mu.Lock()
		if r := s.c.byLogin(in.room); r != nil {
			s.c.setRoles(r, in.mod, in.vip)
			// Twitch tells our roles only to an account that may be there; the API's scope is known from validation.
			r.state.Speaks = r.state.Speaks || r.state.Trouble == "" && !slices.Contains(s.c.tokens.missing(), scopeWrite)
		}
		s.c.mu.Unlock()
		s.taken(in.room, in.code, taken{id: in.text})
	case notice:
		if refusing(in.code) {
			s.taken(in.room, "", taken{re: &chat.Refused{Code: in.code, Reason: in.text}})
		}
		switch in.code {
		case "msg_banned", "msg_channel_suspended", "tos_ban", "msg_room_not_found", "no_permission":
			s.leftRoom(in.room, in.text, in.code == "msg_room_not_found")
		}
	}
	return nil
}
