package discord_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"hawker/connectors/discord/discordsim"
)

// pipes is a listener without a network, for tests that wait for hours (testing/synctest).
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bubble is a stand without a network; it must be made, used and closed inside a synctest bubble.
func bubble(t *testing.T, cfg discordsim.Config) *stand {
	t.Helper()
	time.Sleep(time.Until(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))) // ids count from 2015, bubbles from 2000
	p := newPipes()
	sim := discordsim.New(cfg)
	sim.Start(p)
	t.Cleanup(sim.Close)
	s := &stand{Sim: sim, o: options(t, sim)}
	s.o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if s.away.Load() {
			return nil, errors.New("no way there")
		}
		return p.dial(ctx, network, addr)
	}
	return s
}
