package eventsub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"
)

// maxFrame is far above Twitch's longest (about 60 KiB); the library's own limit of 32 KiB would close the socket.
const maxFrame = 1 << 20

// conn is one connection. Its reader dials it, reads it and closes it.
type conn struct {
	address      string
	moved        bool // made because Twitch asked to move
	stop         context.CancelFunc
	began, heard time.Time
	quiet        time.Duration // Twitch is never silent for longer
	in           bool          // the welcome came
	dead         bool          // it broke
}

// arrival is a frame of a connection, or its end.
type arrival struct {
	from  *conn
	frame *frame
	err   error
}

// frame is what Twitch sends (Twitch docs, "WebSocket Messages"), as far as anything here needs it.
type frame struct {
	Metadata struct {
		ID         string `json:"message_id"`
		Type       string `json:"message_type"`
		Timestamp  string `json:"message_timestamp"`
		SubType    string `json:"subscription_type"`
		SubVersion string `json:"subscription_version"`
	} `json:"metadata"`
	Payload struct {
		Session struct {
			ID           string `json:"id"`
			Quiet        int    `json:"keepalive_timeout_seconds"`
			ReconnectURL string `json:"reconnect_url"`
		} `json:"session"`
		Subscription struct {
			ID      string `json:"id"`
			Type    string `json:"type"`
			Version string `json:"version"`
			Status  string `json:"status"`
		} `json:"subscription"`
		Event json.RawMessage `json:"event"`
	} `json:"payload"`
}

// dial connects in a goroutine of its own, which then reads. The address is dialled as it is: to what Twitch names for a
// move nothing may be added.
func (t *talk) dial(ctx context.Context, address string, moved bool) *conn {
	ctx, stop := context.WithCancel(ctx)
	now := time.Now()
	c := &conn{address: address, moved: moved, stop: stop, began: now, heard: now, quiet: quiet}
	t.own.Go(func() {
		err := c.read(ctx, t)
		select {
		case t.in <- arrival{from: c, err: err}:
		case <-ctx.Done():
		}
	})
	return c
}

// read dials and hands frames over until the connection or ctx ends. What is no frame is left out, not fatal.
func (c *conn) read(ctx context.Context, t *talk) error {
	timed, cancel := context.WithTimeout(ctx, welcomeIn)
	ws, res, err := websocket.Dial(timed, c.address, &websocket.DialOptions{HTTPClient: t.o.HTTP})
	cancel()
	if err != nil {
		if res != nil {
			return fmt.Errorf("connect to Twitch events: status %d", res.StatusCode)
		}
		return errors.New("connect to Twitch events: no connection") // the library's text may name inner addresses
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(maxFrame)
	for {
		typ, b, err := ws.Read(ctx)
		if err != nil {
			if code := websocket.CloseStatus(err); code >= 0 {
				return fmt.Errorf("events of Twitch ended: %d %s", code, closed(int(code)))
			}
			return errors.New("events of Twitch: connection lost")
		}
		f := &frame{}
		if typ != websocket.MessageText || json.Unmarshal(b, f) != nil {
			f = &frame{} // still a sign of life
		}
		select {
		case t.in <- arrival{from: c, frame: f}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// closed is what a close code means (Twitch docs, "Getting Events Using WebSockets", "Close message").
func closed(code int) string {
	switch code {
	case 4000:
		return "(server error)"
	case 4001:
		return "(we sent something)"
	case 4002:
		return "(no pong)"
	case 4003:
		return "(no subscription in time)"
	case 4004:
		return "(not moved in time)"
	case 4005, 4006:
		return "(network)"
	case 4007:
		return "(bad address to move to)"
	}
	return ""
}

func (c *conn) close() {
	if c != nil {
		c.stop()
	}
}

// silent reports whether the connection is dead: nothing came for longer than Twitch is ever silent, and a fifth, or no
// welcome in time.
func (c *conn) silent(now time.Time) bool {
	if !c.in {
		return now.Sub(c.began) > welcomeIn
	}
	return now.Sub(c.heard) > c.quiet+c.quiet/5+time.Second
}
