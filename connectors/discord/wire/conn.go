package wire

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// Close codes of our own. Anything but 1000 and 1001 keeps the session for a resume (page "Gateway", Resuming).
const (
	CloseDone   = 1000
	CloseResume = 4000
)

const (
	dialFor  = 20 * time.Second // to open a connection
	helloFor = 20 * time.Second // from there to Hello
	writeFor = 10 * time.Second // to write one frame
	partFor  = time.Second      // to part politely
)

// Conn is one connection to the gateway. It answers and sends heartbeats by itself. It is closed by one goroutine
// alone, for the first reason that came.
type Conn struct {
	// In delivers the frames in order and is closed when the connection ended.
	In chan Frame

	ws      *websocket.Conn
	reasons chan int // close codes asked for; the first wins
	seq     *atomic.Int64
	acked   atomic.Bool
	beating atomic.Bool

	stop context.CancelFunc // ends reading and writing
	wg   sync.WaitGroup
	err  error // why reading ended, after In is closed
}

// Dial opens a connection to addr (ws or wss) and starts reading. version is the API's, seq the last sequence number
// that the caller acted on. The caller must call Part. The end of ctx closes the connection as done.
func Dial(ctx context.Context, client *http.Client, agent, addr, version string, seq *atomic.Int64) (*Conn, error) {
	dctx, cancel := context.WithTimeout(ctx, dialFor)
	defer cancel()
	if !strings.HasSuffix(addr, "/") {
		addr += "/"
	}
	ws, _, err := websocket.Dial(dctx, addr+"?v="+version+"&encoding=json", &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: http.Header{"User-Agent": {agent}},
	})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(maxFrame)
	w := &Conn{ws: ws, In: make(chan Frame, 256), reasons: make(chan int, 1), seq: seq}
	w.acked.Store(true)
	live, stop := context.WithCancel(context.WithoutCancel(ctx)) // outlives ctx by the time of parting
	w.stop = stop
	w.wg.Go(func() { w.closer(ctx, live) })
	w.wg.Go(func() { w.read(live) })
	return w, nil
}

// hangUp asks for the connection to be closed.
func (w *Conn) hangUp(code int) {
	select {
	case w.reasons <- code:
	default:
	}
}

// closer closes the connection when ctx ends, when asked to, or when reading ended.
func (w *Conn) closer(ctx, live context.Context) {
	code := CloseDone
	select {
	case <-ctx.Done():
	case code = <-w.reasons:
	case <-live.Done():
		_ = w.ws.CloseNow()
		return
	}
	t := time.AfterFunc(partFor, w.stop) // a silent other side does not hold us
	defer t.Stop()
	_ = w.ws.Close(websocket.StatusCode(code), "")
	w.stop()
}

// read turns frames into payloads until the connection ends. What is no frame is passed over.
func (w *Conn) read(live context.Context) {
	defer close(w.In)
	defer w.stop()
	hello := time.AfterFunc(helloFor, func() { w.hangUp(CloseResume) })
	defer hello.Stop()
	for {
		typ, b, err := w.ws.Read(live)
		if err != nil {
			w.err = err
			return
		}
		p, err := Decode(b)
		if err != nil || typ != websocket.MessageText {
			continue
		}
		switch p.Op {
		case OpHeartbeat:
			w.beat(live)
		case OpAck:
			w.acked.Store(true)
		case OpHello:
			hello.Stop()
			if w.beating.CompareAndSwap(false, true) {
				w.wg.Go(func() { w.heart(live, p.Pulse) })
			}
		}
		select {
		case w.In <- p:
		case <-live.Done():
			w.err = live.Err()
			return
		}
	}
}

// heart beats after a random part of the interval and then every interval. A beat that was not acknowledged by the
// time of the next means the connection is dead: it is closed so that the session can be resumed.
func (w *Conn) heart(live context.Context, every time.Duration) {
	t := time.NewTimer(time.Duration(rand.Float64() * float64(every)))
	defer t.Stop()
	for {
		select {
		case <-live.Done():
			return
		case <-t.C:
		}
		if !w.acked.Swap(false) {
			w.hangUp(CloseResume)
			return
		}
		w.beat(live)
		t.Reset(every)
	}
}

func (w *Conn) beat(ctx context.Context) {
	var s *int64
	if n := w.seq.Load(); n > 0 {
		s = &n
	}
	w.send(ctx, OpHeartbeat, s)
}

// send writes a frame; a frame that cannot be written ends the connection.
func (w *Conn) send(ctx context.Context, op int, d any) {
	b, err := json.Marshal(map[string]any{"op": op, "d": d})
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, writeFor)
	defer cancel()
	if w.ws.Write(ctx, websocket.MessageText, b) != nil {
		w.hangUp(CloseResume)
	}
}

// Identify begins a session.
func (w *Conn) Identify(ctx context.Context, token string, intents int) {
	w.send(ctx, OpIdentify, map[string]any{
		"token": token, "intents": intents, "large_threshold": 50,
		"properties": map[string]string{"os": runtime.GOOS, "browser": "hawker", "device": "hawker"},
	})
}

// Resume goes on with a session after seq.
func (w *Conn) Resume(ctx context.Context, token, session string, seq int64) {
	w.send(ctx, OpResume, map[string]any{"token": token, "session_id": session, "seq": seq})
}

// Part closes the connection, waits for its goroutines and returns the code that the other side closed with, or -1.
func (w *Conn) Part(code int) int {
	w.hangUp(code)
	for range w.In { // reading may be waiting to hand over
	}
	w.wg.Wait()
	var ce websocket.CloseError
	if errors.As(w.err, &ce) {
		return int(ce.Code)
	}
	return -1
}
