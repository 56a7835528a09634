package viewer_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hawker/internal/browsertest"
	"hawker/relay"
	"hawker/relay/hls"
	"hawker/relay/rtmp"
)

// studio is a relay with HLS, and a film to send to it.
type studio struct {
	t     *testing.T
	relay *relay.Server
	hls   *hls.Server
	addr  string
	film  []rtmp.Message
}

// openStudio runs a relay whose only stream is that of a show.
func openStudio(t *testing.T, show string, event func(relay.Event)) *studio {
	t.Helper()
	s := &studio{t: t, relay: &relay.Server{SlateAfter: 200 * time.Millisecond, OnEvent: event}}
	s.relay.Stream = func(context.Context, string) (relay.Config, error) { return relay.Config{ID: show}, nil }
	s.hls = &hls.Server{Open: s.relay.Tap}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := s.relay.Run(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	all.Go(func() { _ = s.hls.Run(ctx) })
	t.Cleanup(func() { cancel(); all.Wait() })

	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal("ffmpeg is missing: install the package ffmpeg")
	}
	file := filepath.Join(t.TempDir(), "film.flv")
	out, err := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", "sine=sample_rate=48000",
		"-t", "10", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-f", "flv", file).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all2, err := rtmp.ParseFLV(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all2 {
		if m.Type != rtmp.TypeData && !(m.Type == rtmp.TypeVideo && m.Payload[1] == 2) {
			s.film = append(s.film, m)
		}
	}
	return s
}

// publish sends the film in real time, over and over, until stop is called, which breaks off.
func (s *studio) publish() (stop func()) {
	s.t.Helper()
	target, err := rtmp.ParseTarget("rtmp://"+s.addr+"/live", "key")
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := (&rtmp.Dialer{}).Publish(s.t.Context(), target)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		began := time.Now()
		for turn := time.Duration(0); ; turn += 10 * time.Second {
			for _, m := range s.film {
				at := turn + time.Duration(m.Time)*time.Millisecond
				select {
				case <-time.After(time.Until(began.Add(at))):
				case <-ctx.Done():
					return
				}
				m.Time = uint32(at.Milliseconds())
				if p.Send(m) != nil {
					return
				}
			}
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); _ = p.Close(); <-done })
	s.t.Cleanup(stop)
	return stop
}

const (
	plays = "(() => { const v = document.querySelector('h-player video'); return v && v.videoWidth === 640 && v.currentTime > 0 && !v.paused })()"
	state = "document.querySelector('h-player').dataset.state"
)

// The video in the room: it waits for the first picture, plays without a tap, says that it pauses while the encoder is away, goes
// on, and says when there is no room.
func TestVideoInABrowser(t *testing.T) {
	b := browsertest.Open(t)
	for name, view := range browsertest.Views() {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			s := openStudio(t, h.show.String(), func(relay.Event) { h.hub.RelayChanged(h.merchant, h.show) })
			h.video, h.streams = http.StripPrefix("/room", s.hls), s.relay.Status
			h.must(h.db.PutIngest(context.Background(), h.merchant, h.show, "the-key-of-the-encoder"))
			p := b.Page(t, view)
			p.Go(h.web.URL + "/live/spring")
			p.Await("document.documentElement.dataset.stream === 'live'")
			p.Await(state + " === 'off'")
			p.AwaitText("#screen-say", "No video comes right now.")
			p.Check("room without a picture")
			p.Shot("screen-off-" + name)
			stop := s.publish()
			p.Await(plays)
			p.Check("room with video")
			p.Shot("screen-" + name)
			p.Click("[data-press=sound]")
			p.Await("!document.querySelector('h-player video').muted && document.querySelector('[data-press=sound]').checkVisibility() === false")

			q := b.Page(t, view) // somebody who joins
			q.Go(h.web.URL + "/live/spring")
			q.Text("document.querySelector('h-player video').requestVideoFrameCallback(n => { window.first = n }), ''")
			q.Await(plays + " && window.first")
			t.Logf("first picture %s ms after the page was asked for", q.Text("String(Math.round(window.first))"))
			behind := "(() => { const h = document.querySelector('h-player').hls; return h.latency })()"
			q.Await(behind + " > 0")
			t.Logf("%s s behind", q.Text("String("+behind+")"))

			s.hls.MaxViewers = 2
			r := b.Page(t, view, "503")
			r.Go(h.web.URL + "/live/spring")
			r.Await(state + " === 'full'")
			r.AwaitText("h-player", "As many people watch here as our line carries.")
			r.AwaitText("h-player", "Watch on Twitch")
			r.Check("full room")
			r.Shot("screen-full-" + name)

			stop() // the encoder is lost
			p.Await("document.querySelector('[data-video]').dataset.video === 'paused'")
			p.AwaitText("#screen-say", "The video pauses")
			p.Shot("screen-paused-" + name)
			s.publish()
			p.Await("document.querySelector('[data-video]').dataset.video === 'live'")
			p.Text("window.at = document.querySelector('h-player video').currentTime, ''")
			p.Await("document.querySelector('h-player video').currentTime > window.at + 1 && " + plays)
			h.must(s.relay.End(h.show.String()))
			p.AwaitText("#screen-say", "No video comes right now.")
			p.Await(state + " === 'off'")
		})
	}
}
