package bench

import (
	"context"
	"hash/maphash"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hawker/relay/rtmp"
)

// What one more destination does, or the encoder.
const (
	badStalled   = "stalled"   // takes nothing from the third second on
	badFlapping  = "flapping"  // closes every 4 s
	badMute      = "mute"      // takes the connection and says nothing
	badRejecting = "rejecting" // does not know the key
	badRefusing  = "refusing"  // has no one listening
	badGone      = "gone"      // the encoder is away for most of the time
)

// platforms are the destinations of one relay: good ones, and one that is not.
type platforms struct {
	ln, badLn net.Listener
	log       *sent
	bad       string
	slate     bool // what was never sent is a slate's
	good      []*sink
	wg        sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

// sink is one good destination and what it got.
type sink struct {
	mu       sync.Mutex
	accepts  int
	accepted time.Time
	first    time.Duration // from the accept to the first picture
	pictured bool

	next   [2]int // by track, in the log; -1 before the first message
	offset [2]int64
	newest [2]uint32
	some   [2]bool
	ok     int // messages that were sent
	wrong  int // messages that were not
	lost   int
	back   int

	// Since the window opened.
	bytes   int64
	took    []time.Duration
	last    time.Time
	silence time.Duration
}

func newPlatforms(n int, bad string, log *sent) (*platforms, error) {
	p := &platforms{bad: bad, log: log, slate: bad == badGone, conns: map[net.Conn]struct{}{}}
	for range n {
		p.good = append(p.good, &sink{next: [2]int{-1, -1}})
	}
	var err error
	if p.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if p.badLn, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		_ = p.ln.Close()
		return nil, err
	}
	if bad == badRefusing || bad == badGone || bad == "" {
		_ = p.badLn.Close()
	}
	p.wg.Go(func() { p.accept(p.ln, p.serve) })
	p.wg.Go(func() { p.accept(p.badLn, p.serveBad) })
	return p, nil
}

// servers are the addresses of all destinations.
func (p *platforms) servers() []string {
	var out []string
	for i := range p.good {
		out = append(out, "rtmp://"+p.ln.Addr().String()+"/app/s"+strconv.Itoa(i))
	}
	if p.bad != "" && p.bad != badGone {
		out = append(out, "rtmp://"+p.badLn.Addr().String()+"/app/bad")
	}
	return out
}

func (p *platforms) close() {
	_, _ = p.ln.Close(), p.badLn.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *platforms) accept(ln net.Listener, serve func(net.Conn)) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			_ = c.Close()
			return
		}
		p.conns[c] = struct{}{}
		p.wg.Go(func() {
			serve(c)
			_ = c.Close()
			p.mu.Lock()
			delete(p.conns, c)
			p.mu.Unlock()
		})
		p.mu.Unlock()
	}
}

func (p *platforms) serveBad(c net.Conn) {
	if p.bad == badMute {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	pub, err := rtmp.Accept(context.Background(), c)
	if err != nil {
		return
	}
	if p.bad == badRejecting {
		_ = pub.Refuse("NetStream.Publish.BadName", "no such key")
		return
	}
	if pub.Start() != nil {
		return
	}
	const flap, stall = 4 * time.Second, 2 * time.Second
	began := time.Now()
	for {
		if _, err := pub.Read(); err != nil {
			return
		}
		switch lived := time.Since(began); {
		case p.bad == badFlapping && lived > flap:
			return
		case p.bad == badStalled && lived > stall:
			p.hold(c)
			return
		}
	}
}

// hold keeps a connection open without reading from it, until the other side gives up or all is closed.
func (p *platforms) hold(c net.Conn) {
	gone := make([]byte, 0)
	for {
		p.mu.Lock()
		closed := p.closed
		p.mu.Unlock()
		if _, err := c.Write(gone); closed || err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (p *platforms) serve(c net.Conn) {
	came := time.Now()
	pub, err := rtmp.Accept(context.Background(), c)
	if err != nil || pub.Start() != nil {
		return
	}
	n, err := strconv.Atoi(strings.TrimPrefix(pub.Key, "s"))
	if err != nil || n >= len(p.good) {
		return
	}
	s := p.good[n]
	s.mu.Lock()
	s.accepts++
	s.accepted, s.pictured, s.next, s.some = came, false, [2]int{-1, -1}, [2]bool{}
	s.mu.Unlock()
	for {
		m, err := pub.Read()
		if err != nil {
			return
		}
		if m.Type != rtmp.TypeData {
			s.take(m, p.log, p.slate)
		}
	}
}

// take checks a message against what was sent.
func (s *sink) take(m rtmp.Message, log *sent, slate bool) {
	now := time.Now()
	info := rtmp.Inspect(m)
	if info.Kind == rtmp.Header {
		return
	}
	hash, track := maphash.Bytes(seed, m.Payload), trackOf(m.Type)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pictured {
		if info.Kind != rtmp.Keyframe && track == 1 || track == 0 && s.next[1] < 0 {
			return // counted from the first picture on
		}
		s.pictured, s.first = true, now.Sub(s.accepted)
	}
	if s.some[track] && int32(m.Time-s.newest[track]) < 0 {
		s.back++
	}
	s.newest[track], s.some[track] = m.Time, true
	if !s.last.IsZero() {
		s.silence = max(s.silence, now.Sub(s.last))
	}
	s.last = now
	s.bytes += int64(len(m.Payload))
	at, e := log.find(track, s.next[track], hash)
	if at < 0 {
		if !slate {
			s.wrong++
		}
		return
	}
	s.ok++
	offset := int64(int32(m.Time - e.time))
	switch {
	case s.next[track] < 0:
		s.offset[track] = offset
	case !slate:
		s.lost += at - s.next[track]
		if offset != s.offset[track] {
			s.back++
		}
	}
	s.next[track] = at + 1
	s.took = append(s.took, now.Sub(e.at))
}

// ready says whether all good destinations have a picture.
func (p *platforms) ready() bool {
	return !slices.ContainsFunc(p.good, func(s *sink) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.pictured
	})
}

// open begins the window in which time and bytes are counted.
func (p *platforms) open() {
	for _, s := range p.good {
		s.mu.Lock()
		s.bytes, s.took, s.last, s.silence = 0, s.took[:0], time.Now(), 0
		s.mu.Unlock()
	}
}

// sum adds up what the good destinations got in the window, until now.
func (p *platforms) sum() (f relayFigures) {
	var took []time.Duration
	ok, wrong := 0, 0
	now := time.Now()
	for _, s := range p.good {
		s.mu.Lock()
		took = append(took, s.took...)
		ok, wrong = ok+s.ok, wrong+s.wrong
		f.bytes += s.bytes
		f.lost, f.back, f.reconnects = f.lost+s.lost, f.back+s.back, f.reconnects+max(s.accepts-1, 0)
		f.silence = max(f.silence, ms(s.silence), ms(now.Sub(s.last)))
		f.first = max(f.first, ms(s.first))
		s.mu.Unlock()
	}
	if ok+wrong > 0 {
		f.equal = 100 * float64(ok) / float64(ok+wrong)
	}
	if len(took) > 0 {
		slices.Sort(took)
		f.p50, f.p99 = ms(took[len(took)/2]), ms(took[len(took)*99/100])
	}
	return f
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
