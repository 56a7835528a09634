package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"hawker/relay/ring"
	"hawker/relay/rtmp"
)

const (
	// batchUnits and batchBytes bound what is written at once. A key frame may be larger.
	batchUnits = 64
	batchBytes = 256 << 10
	// The send buffer of a connection should hold about a second of stream, so that a stall shows: the system's own
	// idea is up to 4 MiB.
	minSendBuffer = 256 << 10
	maxSendBuffer = 2 << 20
)

// push connects once and sends until something ends it. lived is how long it was after the platform accepted, 0
// when it did not. The error is nil when it ended on purpose.
func (d *destination) push(ctx context.Context) (lived time.Duration, err error) {
	d.become(Connecting, "", "")
	d.mu.Lock()
	conf := d.conf
	d.mu.Unlock()
	target, err := rtmp.ParseTarget(conf.Server, conf.Key)
	if err != nil {
		return 0, err
	}
	srv := d.st.srv
	dialer := rtmp.Dialer{
		DialContext: srv.DialContext, TLS: srv.TLS, WriteTimeout: or(srv.StallTimeout, DefaultStallTimeout),
		SendBuffer: d.st.sendBuffer(),
	}
	p, err := dialer.Publish(ctx, target)
	if err != nil {
		return 0, err
	}
	accepted := time.Now()
	d.mu.Lock()
	d.pub = p
	d.mu.Unlock()
	// A write that hangs must not hold up the end: give it the time of a goodbye.
	stop := context.AfterFunc(ctx, func() { _ = p.SetDeadline(time.Now().Add(time.Second)) })
	s := sender{d: d, p: p, units: make([]*ring.Unit, batchUnits)}
	err = s.run(ctx)
	stop()
	if err == nil && (ctx.Err() == nil || errors.Is(context.Cause(ctx), errOver)) {
		_ = p.End() // the peer may be gone; nothing is left to tell
	} else {
		_ = p.Close()
	}
	d.mu.Lock()
	d.pub, d.sent = nil, d.sent+p.Sent()
	d.mu.Unlock()
	return max(time.Since(accepted), 1), err
}

// sender writes the ring to one connection.
type sender struct {
	d     *destination
	p     *rtmp.Publisher
	units []*ring.Unit
	heads [batchUnits][rtmp.HeaderLen]byte // headers with the peer's message stream id, when that is not 1
	bufs  net.Buffers
}

// run sends until ctx or the ring ends (nil), or the connection does.
func (s *sender) run(ctx context.Context) error {
	r := &s.d.st.ring
	wake := make(chan struct{}, 1)
	defer r.Subscribe(wake)()
	backlog := or(s.d.st.srv.Backlog, DefaultBacklog)
	var at uint64
	inStep := false // at is a position to go on from
	for ctx.Err() == nil {
		if lag, key, newer := r.Lag(at); inStep && lag > backlog && newer {
			s.skip(key - at)
			inStep = false
		}
		if !inStep {
			headers, key, ok := r.Start()
			if ok {
				for some := range slices.Chunk(headers, batchUnits) {
					if err := s.write(some); err != nil {
						return err
					}
				}
				at, inStep = key, true
			} else if r.Closed() {
				return nil
			}
		}
		if inStep {
			n, err := r.Read(at, s.units, batchBytes)
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil: // it took longer than the ring holds: start again
				_, key, _ := r.Lag(at)
				s.skip(key - min(at, key))
				inStep = false
				if _, _, ok := r.Start(); ok {
					continue
				}
			case n > 0:
				if err := s.write(s.units[:n]); err != nil {
					return err
				}
				at += uint64(n)
				s.at(at)
				continue
			}
		}
		select {
		case <-wake:
		case <-s.p.Done():
			return s.p.Err()
		case <-ctx.Done():
		}
	}
	return nil
}

func (s *sender) skip(n uint64) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	s.d.drops += n
}

func (s *sender) at(position uint64) {
	s.d.mu.Lock()
	s.d.position = position
	s.d.mu.Unlock()
	s.d.flows()
}

// write sends up to batchUnits units in one go. An error of the peer's side counts more than that of the write it broke.
func (s *sender) write(units []*ring.Unit) error {
	s.bufs = s.bufs[:0]
	stream := s.p.Stream()
	for i, u := range units {
		if stream == 1 {
			s.bufs = append(s.bufs, u.Wire)
			continue
		}
		s.heads[i] = rtmp.WithStream(u.Wire, stream)
		s.bufs = append(s.bufs, s.heads[i][:], u.Wire[rtmp.HeaderLen:])
	}
	if len(s.bufs) == 0 {
		return nil
	}
	s.d.writing.Store(time.Now().UnixNano())
	err := s.p.WriteWire(s.bufs)
	s.d.writing.Store(0)
	clear(units)
	if err == nil {
		return nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.Join(errStalled, err)
	}
	<-s.p.Done() // a failed write means that the reader fails too, and it may know why
	return errors.Join(s.p.Err(), err)
}
