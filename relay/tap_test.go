package relay_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/ring"
	"hawker/relay/rtmp"
)

// tapped reads units off a tap until there are n of pictures and sound.
func tapped(t *testing.T, tap *relay.Tap, n int) []*ring.Unit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out []*ring.Unit
	for count := 0; count < n; {
		units, err := tap.Next(ctx)
		if err != nil {
			t.Fatalf("after %d units: %v", len(out), err)
		}
		for _, u := range units {
			if u.Kind == rtmp.Other || u.Kind == rtmp.Keyframe {
				count++
			}
			out = append(out, u)
		}
	}
	return out
}

// rises fails where a timeline steps back, and says where it ends.
func rises(t *testing.T, units []*ring.Unit) int64 {
	t.Helper()
	last := units[0].Time
	for i, u := range units {
		if u.Time < last {
			t.Fatalf("unit %d is at %d ms, after %d", i, u.Time, last)
		}
		last = u.Time
	}
	return last
}

// A tap begins with headers and the oldest keyframe, misses nothing, sees the slate, an encoder with another configuration on
// the same timeline, and the end.
func TestTap(t *testing.T) {
	ended := make(chan error, 1)
	begun := make(chan string, 1)
	h := start(t, func(s *relay.Server) {
		s.SlateAfter = 100 * time.Millisecond
		s.Consumers = append(s.Consumers, func(ctx context.Context, tap *relay.Tap) {
			for {
				if _, err := tap.Next(ctx); err != nil {
					ended <- err
					return
				}
				select {
				case begun <- tap.Stream() + tap.Config().ID:
				default:
				}
			}
		})
	})
	if _, err := h.Tap("show"); !errors.Is(err, relay.ErrNoStream) {
		t.Fatalf("tap on nothing: %v", err)
	}
	e := encode(t, h.addr, 0)
	e.pictures(60) // from 2.4 s of it the oldest keyframe is the first
	eventually(t, "a keyframe", func() bool { return len(h.Status()) == 1 && h.Status()[0].Ingest.KeyframeEvery > 0 })
	if got := <-begun; got != "showshow" {
		t.Errorf("the consumer saw stream and configuration %q", got)
	}
	tap, err := h.Tap("show")
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	units := tapped(t, tap, 100)
	var kinds []rtmp.Kind
	for _, u := range units[:4] {
		kinds = append(kinds, u.Kind)
	}
	if want := []rtmp.Kind{rtmp.Metadata, rtmp.Header, rtmp.Header, rtmp.Keyframe}; kinds[0] != want[0] || kinds[1] != want[1] || kinds[2] != want[2] || kinds[3] != want[3] {
		t.Errorf("it began with %v", kinds)
	}
	if units[3].Time != 0 {
		t.Errorf("it began at %d ms", units[3].Time)
	}
	at := rises(t, units)

	_ = e.p.Close() // lost: the slate takes over
	eventually(t, "slate", func() bool { return h.Status()[0].Slate })
	e = encode(t, h.addr, 7)
	stop := e.keepOn()
	units = tapped(t, tap, 120)
	for _, u := range units {
		if u.Time < at {
			t.Fatalf("after the slate at %d ms, before it at %d", u.Time, at)
		}
	}
	stop()
	if err := h.End("show"); err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; {
		_, err = tap.Next(t.Context())
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("a tap ended with %v", err)
	}
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Errorf("the consumer ended with %v", err)
	}
}

// A tap that is read too slowly goes on at a keyframe, and nobody waits for it.
func TestSlowTap(t *testing.T) {
	h := start(t, nil)
	e := encode(t, h.addr, 0)
	e.pictures(30)
	eventually(t, "the stream", func() bool { return len(h.Status()) == 1 && !h.Status()[0].Ingest.Waiting })
	tap, err := h.Tap("show")
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	first := tapped(t, tap, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	quick, err := h.Tap("show")
	if err != nil {
		t.Fatal(err)
	}
	defer quick.Close()
	e.pictures(400)                            // 16 s, and 10 are kept
	for at := int64(0); at < int64(e.ms)-40; { // until all of it came
		units, err := quick.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		at = units[len(units)-1].Time
	}
	for last := first[len(first)-1].Time; ; {
		units, err := tap.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if u := units[0]; u.Time-last > 1000 {
			if u.Kind != rtmp.Metadata && u.Kind != rtmp.Header {
				t.Errorf("it went on with kind %d at %d ms, after %d", u.Kind, u.Time, last)
			}
			break
		}
		last = units[len(units)-1].Time
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	for err = nil; err == nil; {
		_, err = tap.Next(ctx)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that ended: %v", err)
	}
}
