// Package preflight tries where a show's video will go before the show: it pushes to platforms in the mode in which they show it to
// nobody, at the rate of the show and to all at once, and measures what arrives; of the others it looks whether they answer.
package preflight

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"

	"hawker/relay"
	"hawker/relay/preset"
	"hawker/relay/rtmp"
	"hawker/relay/still"
)

const (
	// DefaultFor is how long a test sends.
	DefaultFor = 12 * time.Second
	// frames a second of what is sent.
	frames = 30
	// behindMost is how far a push may fall behind before pictures are left out, as an encoder would.
	behindMost = time.Second
	// answerWithin bounds looking whether a server answers.
	answerWithin = 10 * time.Second
	width        = 1280
	height       = 720
)

// Options say how a test runs. The zero value of each field but Kbps is a default.
type Options struct {
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error) // nil is net.Dialer
	TLS         *tls.Config                                                       // of RTMPS; nil trusts the system's authorities
	Kbps        int                                                               // to each
	For         time.Duration                                                     // 0 means DefaultFor
}

// Result is how one destination fared.
type Result struct {
	ID, Name string
	Pushed   bool // it was sent to; else only looked at
	Done     bool
	Kbps     int // that arrived at it, as far as is known; 0 when it was not sent to
	Dropped  int // pictures that had to be left out
	OK       bool
	Text     string // a sentence
}

// Run tries all destinations at once and tells each result, also on the way (Done false), from goroutines of its own, one call at a
// time. It returns when all are done or ctx ends.
func Run(ctx context.Context, o Options, all []relay.Destination, tell func(Result)) {
	if o.For == 0 {
		o.For = DefaultFor
	}
	var mu sync.Mutex
	say := func(r Result) {
		mu.Lock()
		defer mu.Unlock()
		tell(r)
	}
	var running sync.WaitGroup
	for _, d := range all {
		running.Go(func() { say(o.one(ctx, d, say)) })
	}
	running.Wait()
}

func (o *Options) one(ctx context.Context, d relay.Destination, say func(Result)) Result {
	r := Result{ID: d.ID, Name: d.Name}
	say(r)
	t, err := rtmp.ParseTarget(d.Server, d.Key)
	if err == nil {
		if p, ok := preset.Of(t.Host); ok && p.Test != "" {
			t.Key += p.Test
			r.Pushed = true
			err = o.push(ctx, t, &r, say)
		} else {
			err = o.look(ctx, t)
		}
	}
	r.Done = true
	switch {
	case err != nil:
		_, r.Text = relay.Explain(err)
	case !r.Pushed:
		r.OK, r.Text = true, "It answers. This platform has no test mode, so nothing was sent and the key was not tried."
	case r.Kbps < o.Kbps*9/10 || r.Dropped > 0:
		r.Text = fmt.Sprintf("Only %s of %s Mbit/s arrived: the line, or the way to this platform, carries no more.", mbit(r.Kbps), mbit(o.Kbps))
	default:
		r.OK, r.Text = true, fmt.Sprintf("The key is good, and all of %s Mbit/s arrived. Nobody saw it.", mbit(o.Kbps))
	}
	return r
}

func mbit(kbps int) string { return fmt.Sprintf("%.3g", float64(kbps)/1000) }

// look says whether a server answers, as far as that can be known without a stream: TCP, and TLS where it is used.
func (o *Options) look(ctx context.Context, t rtmp.Target) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	dial := o.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	nc, err := dial(ctx, "tcp", t.Addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	if !t.TLS {
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		c = o.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = t.Host
	}
	if err := tls.Client(nc, c).HandshakeContext(ctx); err != nil {
		return fmt.Errorf("%w: %w", rtmp.ErrTLS, err)
	}
	return nil
}

// push publishes a black picture of the wanted rate, and says what arrives.
func (o *Options) push(ctx context.Context, t rtmp.Target, r *Result, say func(Result)) error {
	d := rtmp.Dialer{DialContext: o.DialContext, TLS: o.TLS, SendBuffer: max(o.Kbps*1000/8, 64<<10)}
	p, err := d.Publish(ctx, t)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = p.SetDeadline(time.Now()) })
	defer stop()
	header, keys := still.Black(width, height)
	if err := p.Send(rtmp.Message{Type: rtmp.TypeVideo, Payload: header}); err != nil {
		_ = p.Close()
		return ended(ctx, p, err)
	}
	began, base := time.Now(), p.Acked()
	step, size := time.Second/frames, o.Kbps*1000/8/frames
	told := began
	for n := 0; time.Since(began) < o.For; n++ {
		at := time.Duration(n) * step
		if wait := at - time.Since(began); wait > 0 {
			if !sleep(ctx, wait) {
				break
			}
		} else if -wait > behindMost {
			r.Dropped++
			continue
		}
		m := rtmp.Message{Type: rtmp.TypeVideo, Time: uint32(at.Milliseconds()), Payload: filled(keys[n%len(keys)], size)}
		if err := p.Send(m); err != nil {
			_ = p.Close()
			return ended(ctx, p, err)
		}
		if now := time.Now(); now.Sub(told) >= time.Second {
			told = now
			r.Kbps = int(float64(p.Acked()-base) * 8 / float64(now.Sub(began).Milliseconds()))
			say(*r)
		}
	}
	if spent := time.Since(began); spent > 0 {
		r.Kbps = int(float64(p.Acked()-base) * 8 / float64(spent.Milliseconds()+1))
	}
	if err := p.Err(); err != nil {
		_ = p.Close()
		return err
	}
	_ = p.End() // the platform may be gone; nothing is left to tell
	return ctx.Err()
}

// ended is why a push broke off: what the server said counts more than how the write failed.
func ended(ctx context.Context, p *rtmp.Publisher, err error) error {
	if said := p.Err(); said != nil {
		return said
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// filled makes a picture as large as the rate asks for, with a filler that decoders skip (ITU-T H.264, 7.3.2.7).
func filled(key []byte, size int) []byte {
	const filler, stop = 12, 0x80
	n := max(size-len(key)-4, 2)
	b := make([]byte, 0, len(key)+4+n)
	b = append(binary.BigEndian.AppendUint32(append(b, key...), uint32(n)), filler)
	b = append(b, bytes.Repeat([]byte{0xFF}, n-2)...)
	return append(b, stop)
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
