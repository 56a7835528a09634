package relay_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"hawker/relay"
	"hawker/relay/rtmp"
	"hawker/relay/rtmpsim"
)

// knowing is a platform that announces that it takes everything, and keeps what it gets. Its messages are whole, with times.
type knowing struct {
	mu  sync.Mutex
	all []rtmp.Message
	n   int // publications
}

func knower(t testing.TB, id string) (*knowing, relay.Destination) {
	t.Helper()
	k, ln := &knowing{}, listen(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { k.serve(t.Context(), nc) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return k, relay.Destination{ID: id, Name: "Platform " + id, Server: "rtmp://" + ln.Addr().String() + "/app", Key: "key-" + id}
}

func (k *knowing) serve(ctx context.Context, nc net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer stop()
	p, err := rtmp.Accept(ctx, nc)
	if err != nil || p.Start() != nil {
		return
	}
	k.mu.Lock()
	k.n++
	k.mu.Unlock()
	for {
		m, err := p.Read()
		if err != nil {
			_ = nc.Close()
			return
		}
		if m.Type == rtmp.TypeData {
			continue
		}
		k.mu.Lock()
		k.all = append(k.all, m)
		k.mu.Unlock()
	}
}

func (k *knowing) messages() []rtmp.Message {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]rtmp.Message(nil), k.all...)
}

func (k *knowing) publications() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.n
}

func (k *knowing) hashes() (out []uint64) {
	for _, m := range k.messages() {
		out = append(out, rtmpsim.Hash(m.Payload))
	}
	return out
}
