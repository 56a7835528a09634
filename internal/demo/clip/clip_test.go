package clip_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/internal/demo/clip"
	"hawker/relay/rtmp"
	"hawker/relay/rtmpsim"
)

func TestMessages(t *testing.T) {
	headers, media, err := clip.Messages()
	if err != nil {
		t.Fatal(err)
	}
	if len(headers) != 3 {
		t.Fatalf("%d headers, want metadata, video and audio", len(headers))
	}
	var pictures, sounds, keys int
	var last uint32
	for _, m := range media {
		if m.Time < last || time.Duration(m.Time)*time.Millisecond >= clip.Length {
			t.Fatalf("time %d after %d", m.Time, last)
		}
		last = m.Time
		if m.Type == rtmp.TypeAudio {
			sounds++
			continue
		}
		pictures++
		if rtmp.Inspect(m).Kind == rtmp.Keyframe {
			keys++
		}
		if composition := m.Payload[2:5]; !slices.Equal(composition, []byte{0, 0, 0}) {
			t.Fatalf("the clip has B-frames")
		}
	}
	if pictures != 256 || sounds != 480 || keys < 5 {
		t.Errorf("%d pictures, %d sounds, %d keyframes: want 256, 480 and one each 2 s", pictures, sounds, keys)
	}
}

func TestPublish(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sim := &rtmpsim.Sim{}
	go func() { _ = sim.Serve(ln) }()
	defer sim.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- clip.Publish(ctx, "rtmp://"+ln.Addr().String()+"/live", "practice", nil) }()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if s := sim.Session(); s != nil && s.Figures().Messages > 20 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nothing arrived")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); sim.Counts().Ended == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no goodbye")
		}
	}
	f := sim.Session().Figures()
	if !strings.HasPrefix(f.Order, "MVA") || f.Backwards != 0 {
		t.Errorf("figures = %+v", f)
	}
	if err := clip.Publish(t.Context(), "http://127.0.0.1/live", "practice", nil); err == nil {
		t.Error("published to http")
	}
}
