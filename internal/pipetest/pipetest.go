// Package pipetest is a network in memory for tests. A client and a platform that share one live in one bubble of testing/synctest,
// where hours take no time: a clock that jumps cannot wait for a socket.
package pipetest

import (
	"context"
	"net"
	"sync"
)

// Listener takes connections that are made by its Dial; nothing is buffered (net.Pipe). Make it by Listen, inside the bubble.
type Listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// Listen makes a Listener.
func Listen() *Listener { return &Listener{conns: make(chan net.Conn), done: make(chan struct{})} }

// Accept waits for the next Dial. The error is net.ErrClosed once the Listener is closed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and Dial. Connections that stand stay.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr is an address of loopback, as platforms put it into the URLs that they give.
func (l *Listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// Dial connects to the Listener, whatever the address is: it stands for net.Dialer's DialContext. It waits until the connection is
// accepted. The error is net.ErrClosed once the Listener is closed, else that of ctx.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
