package relay

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"hawker/relay/rtmp"
)

// errBusy is the error of a publisher whose key is live from elsewhere.
var errBusy = errors.New("relay: already live")

// Run accepts publishers on all lns until ctx ends, then closes them and all connections and waits for all goroutines. A
// listener made by tls.NewListener takes RTMPS. It returns a listener's error when that failed first, else nil.
// Destinations are then left without a word, so that a restart does not end broadcasts on the platforms.
func (s *Server) Run(ctx context.Context, lns ...net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all, accepting sync.WaitGroup
	defer all.Wait()
	strangers := make(chan struct{}, maxStrangers)
	errs := make([]error, len(lns))
	for i, ln := range lns {
		accepting.Go(func() {
			defer cancel()
			stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
			defer stop()
			errs[i] = s.accept(ctx, ln, &all, strangers)
			_ = ln.Close()
		})
	}
	accepting.Wait()
	return errors.Join(errs...)
}

// accept takes connections on ln until ctx ends or ln fails.
func (s *Server) accept(ctx context.Context, ln net.Listener, all *sync.WaitGroup, strangers chan struct{}) error {
	for {
		nc, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			s.log().WarnContext(ctx, "accepting an ingest failed", "err", bare(err)) // out of descriptors, most likely
			if !sleep(ctx, 100*time.Millisecond) {
				return nil
			}
			continue
		}
		select {
		case strangers <- struct{}{}:
		default:
			_ = nc.Close()
			continue
		}
		all.Go(func() {
			known := sync.OnceFunc(func() { <-strangers })
			defer known()
			s.serve(ctx, all, nc, known)
		})
	}
}

// serve takes one publisher from its handshake to its end. known is called once its key is.
func (s *Server) serve(ctx context.Context, all *sync.WaitGroup, nc net.Conn, known func()) {
	p, err := rtmp.Accept(ctx, nc)
	if err != nil {
		s.log().DebugContext(ctx, "connection without a publisher", "err", bare(err))
		return
	}
	defer func() { _ = p.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = p.Close() })
	defer stop()
	cfg, err := s.Stream(ctx, p.Key)
	switch {
	case errors.Is(err, ErrUnknownKey):
		s.log().InfoContext(ctx, "publisher refused", "reason", "unknown key")
		_ = p.Refuse("NetStream.Publish.BadName", "this stream key is not known")
		return
	case err != nil:
		s.log().ErrorContext(ctx, "stream of a key", "err", err)
		_ = p.Refuse("NetStream.Publish.Failed", "not possible right now, try again")
		return
	}
	st, in, err := s.join(ctx, all, cfg, p)
	if err != nil {
		if errors.Is(err, errBusy) {
			s.log().InfoContext(ctx, "publisher refused", "stream", cfg.ID, "reason", "already live")
			_ = p.Refuse("NetStream.Publish.BadName", "this stream key is live from another encoder")
		}
		return
	}
	known()
	if err = p.Start(); err == nil {
		err = pump(st, in)
	}
	st.detach(in, err)
}

// bare is what went wrong, without the addresses that the errors of connections name.
func bare(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

// pump feeds the stream until the publisher ends, is lost or is replaced.
func pump(st *stream, in *ingest) error {
	in.OnWait = func(drained bool) { st.passOn(in, drained) }
	for {
		if now := time.Now(); in.bound.Sub(now) < ingestTimeout-time.Second { // seldom: it costs as much as a message
			in.bound = now.Add(ingestTimeout)
			if err := in.SetReadDeadline(in.bound); err != nil {
				return err
			}
		}
		m, err := in.Read()
		if err != nil {
			return err
		}
		if !st.feed(in, m) {
			return nil
		}
	}
}

// join attaches a publisher to its stream, which is made when it is not live.
func (s *Server) join(ctx context.Context, all *sync.WaitGroup, cfg Config, p *rtmp.Publication) (*stream, *ingest, error) {
	for {
		st := s.open(ctx, all, cfg.ID)
		in, err := st.attach(ctx, p, cfg)
		switch {
		case err == nil:
			st.set(cfg.Destinations)
			return st, in, nil
		case !errors.Is(err, ErrNoStream):
			return nil, nil, err
		}
		// It was just ending. Its destinations say goodbye first: two pushes with one key would be refused.
		select {
		case <-st.done:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// open returns the live stream, or a new one whose goroutine it starts.
func (s *Server) open(ctx context.Context, all *sync.WaitGroup, id string) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.streams[id]; st != nil {
		return st
	}
	st := newStream(s, id)
	if s.streams == nil {
		s.streams = map[string]*stream{}
	}
	s.streams[id] = st
	all.Go(func() {
		st.run(ctx)
		s.mu.Lock()
		delete(s.streams, id)
		s.mu.Unlock()
		close(st.done)
	})
	return st
}

// sleep waits and says whether it was not interrupted.
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
