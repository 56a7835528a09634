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
	s := sender{d: d, p: p, units: make([]*ring.Unit, batchUnits), first: !p.Multitrack()}
	if p.Stream() == 1 && p.CanTry() {
		s.lane = &lane{d: d, p: p, out: make(chan struct{}, 1), first: s.first}
	}
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
	lane  *lane // nil when the fan cannot write to p: over TLS, or on another message stream
	first bool  // it knows one track only
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
				if err := s.refused(headers); err != nil {
					return err
				}
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
				to := r.End()
				if _, key, newer := r.Lag(at); newer {
					to = key
				}
				s.skip(to - at)
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
			case s.lane != nil:
				if at, err = s.inStep(ctx, at); err != nil {
					return err
				}
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

// inStep lets the fan write, while the connection takes all it is given, and returns where to go on when it does not.
func (s *sender) inStep(ctx context.Context, at uint64) (uint64, error) {
	f := &s.d.st.fan
	if err := s.p.LiftWriteDeadline(); err != nil {
		return at, errors.Join(s.p.Err(), err)
	}
	if !f.join(s.lane, at) {
		return at, nil // there is more
	}
	var err error
	select {
	case <-s.lane.out:
	case <-s.p.Done():
		err = s.p.Err()
	case <-ctx.Done():
	}
	at = f.leave(s.lane)
	select {
	case <-s.lane.out: // it fell out meanwhile
	default:
	}
	if err == nil && ctx.Err() == nil {
		if err = s.write(nil); err == nil { // what it did not take, and our answers
			s.d.flows()
		}
	}
	return at, err
}

func (s *sender) skip(n uint64) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	s.d.drops += n
	s.d.groups++
}

// codecError is the error of a server that does not take the codec of the picture.
type codecError struct{ codec, by string }

// Error implements error.
func (e *codecError) Error() string { return "relay: " + e.by + " takes no " + e.codec }

// refused says whether the server said that it does not take what headers announce, or is known not to. One that said nothing
// and that nobody knows is tried.
func (s *sender) refused(headers []*ring.Unit) error {
	for _, h := range headers {
		p := h.Payload()
		if h.Kind != rtmp.Header || h.Type != rtmp.TypeVideo || len(p) == 0 {
			continue
		}
		codec := rtmp.Inspect(rtmp.Message{Type: h.Type, Payload: p}).Codec
		if takes, known := s.p.Takes(codec); known && p[0]&0x80 != 0 {
			if !takes {
				return &codecError{codec, "the server"}
			}
		} else if !s.d.platform.Takes(codec) {
			return &codecError{codec, s.d.platform.Name}
		}
	}
	return nil
}

func (s *sender) at(position uint64) {
	s.d.position.Store(position)
	s.d.flows()
}

// write sends up to batchUnits units in one go. An error of the peer's side counts more than that of the write it broke.
func (s *sender) write(units []*ring.Unit) error {
	s.bufs = s.bufs[:0]
	stream := s.p.Stream()
	for i, u := range units {
		if u.Multi && s.first {
			if u = u.First; u == nil {
				continue
			}
		}
		if stream == 1 {
			s.bufs = append(s.bufs, u.Wire)
			continue
		}
		s.heads[i] = rtmp.WithStream(u.Wire, stream)
		s.bufs = append(s.bufs, s.heads[i][:], u.Wire[rtmp.HeaderLen:])
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
