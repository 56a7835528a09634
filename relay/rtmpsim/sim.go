// Package rtmpsim is a pretend platform that takes RTMP publishers, on any listener. It is built on another library
// than the relay, so that the two check each other. It counts and hashes what it gets and lets a browser watch it
// over HLS. It takes orders: refuse a key, be mute, stop reading, drop, hang up early.
package rtmpsim

import (
	"errors"
	"io"
	"net"
	"net/http"
	"path"
	"sync"
	"sync/atomic"

	"github.com/bluenviron/gortmplib"
)

// Sim is a pretend platform. The zero value accepts every key. Its methods are safe while it serves.
type Sim struct {
	// Watch makes the picture available over HLS, for Handler. Without it only counting is done, which is faster.
	// Set it before Serve.
	Watch bool

	mu        sync.Mutex
	keys      map[string]bool // accepted; nil accepts all
	mute      bool
	early     bool
	paused    chan struct{} // not nil while nothing is read; closed to go on
	conns     map[*conn]struct{}
	listeners map[net.Listener]struct{}
	closed    bool
	accepted  int
	published int
	refused   int
	ended     int
	last      *Session
	hls       *watch
	wg        sync.WaitGroup
}

// conn is a connection whose reading can be held up, and whose bytes are shown to a tap.
type conn struct {
	net.Conn
	sim    *Sim
	tap    *io.PipeWriter
	tapped atomic.Bool
	gone   chan struct{}
	once   sync.Once
}

func (c *conn) Read(p []byte) (int, error) {
	for {
		c.sim.mu.Lock()
		paused := c.sim.paused
		c.sim.mu.Unlock()
		if paused == nil {
			break
		}
		select {
		case <-paused:
		case <-c.gone:
			return 0, net.ErrClosed
		}
	}
	n, err := c.Conn.Read(p)
	if n > 0 && c.tapped.Load() {
		if _, werr := c.tap.Write(p[:n]); werr != nil {
			c.tapped.Store(false)
		}
	}
	return n, err
}

func (c *conn) Close() error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

// Serve accepts connections on ln until Close.
func (s *Sim) Serve(ln net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ln.Close()
	}
	if s.listeners == nil {
		s.listeners, s.conns = map[net.Listener]struct{}{}, map[*conn]struct{}{}
	}
	s.listeners[ln] = struct{}{}
	s.mu.Unlock()
	for {
		nc, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		pr, pw := io.Pipe()
		c := &conn{Conn: nc, sim: s, tap: pw, gone: make(chan struct{})}
		c.tapped.Store(true)
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return nc.Close()
		}
		s.accepted++
		s.conns[c] = struct{}{}
		s.wg.Go(func() { s.serve(c, pr) })
		s.mu.Unlock()
	}
}

// Close ends all listeners, connections and goroutines and waits for them.
func (s *Sim) Close() {
	s.mu.Lock()
	s.closed = true
	for ln := range s.listeners {
		_ = ln.Close()
	}
	s.mu.Unlock()
	s.Drop()
	s.wg.Wait()
}

func (s *Sim) serve(c *conn, tap *io.PipeReader) {
	sess := &Session{}
	var wg sync.WaitGroup
	wg.Go(func() { sess.listen(tap) })
	defer func() {
		_ = c.Close()
		_ = c.tap.Close()
		wg.Wait()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	s.mu.Lock()
	mute := s.mute
	s.mu.Unlock()
	if mute {
		<-c.gone
		return
	}
	sc := &gortmplib.ServerConn{RW: c}
	if sc.Initialize() != nil || sc.AcceptConn() != nil || !sc.Publish {
		return
	}
	key := path.Base(sc.URL.Path)
	if sc.URL.RawQuery != "" {
		key += "?" + sc.URL.RawQuery
	}
	s.mu.Lock()
	ok, early := s.keys == nil || s.keys[key], s.early
	if ok {
		s.published++
		s.last = sess
	} else {
		s.refused++
	}
	s.mu.Unlock()
	if !ok {
		_ = sc.RejectAction()
		_, _ = io.Copy(io.Discard, c) // until the client has read it and leaves
		return
	}
	if sc.AcceptAction() != nil || early {
		return
	}
	s.receive(sc, c)
	s.mu.Lock()
	if sess.saidGoodbye() {
		s.ended++
	}
	s.mu.Unlock()
}

// receive reads until the end. What the library does not understand is still counted by the tap.
func (s *Sim) receive(sc *gortmplib.ServerConn, c *conn) {
	if s.Watch {
		s.play(sc)
	} else {
		for {
			if _, err := sc.Read(); err != nil {
				break
			}
		}
	}
	_, _ = io.Copy(io.Discard, c)
}

// Accept makes these the only keys that may publish.
func (s *Sim) Accept(keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = map[string]bool{}
	for _, k := range keys {
		s.keys[k] = true
	}
}

// Mute makes new connections wait for an answer for ever.
func (s *Sim) Mute(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = on
}

// HangUp makes the platform close each publication right after it accepted it.
func (s *Sim) HangUp(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.early = on
}

// Pause stops reading from all connections; false reads on.
func (s *Sim) Pause(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if on == (s.paused != nil) {
		return
	}
	if on {
		s.paused = make(chan struct{})
		return
	}
	close(s.paused)
	s.paused = nil
}

// Drop closes all connections without a word.
func (s *Sim) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// Counts is what a Sim has seen.
type Counts struct {
	Accepted  int // TCP connections
	Published int // publications accepted
	Refused   int // publications refused
	Ended     int // publications that said goodbye (FCUnpublish or deleteStream)
	Open      int // connections now
}

// Counts returns what the Sim has seen so far.
func (s *Sim) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Counts{Accepted: s.accepted, Published: s.published, Refused: s.refused, Ended: s.ended, Open: len(s.conns)}
}

// Session returns the newest accepted publication, nil when there was none.
func (s *Sim) Session() *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Handler serves what is being received as HLS (fMP4): /index.m3u8 and what it names. Without a picture it answers 404.
func (s *Sim) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		h := s.hls
		s.mu.Unlock()
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if h == nil {
			http.NotFound(w, r)
			return
		}
		h.serve(w, r)
	})
}
