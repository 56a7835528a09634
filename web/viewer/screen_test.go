package viewer_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"hawker/internal/browsertest"
	"hawker/relay"
	"hawker/relay/hls"
	"hawker/relay/relaytest"
)

// openStudio runs a relay with HLS for two viewers, whose only stream is that of a show.
func openStudio(t *testing.T, show string, event func(relay.Event)) (r *relay.Server, rooms *hls.Server, addr string) {
	t.Helper()
	r = &relay.Server{SlateAfter: 200 * time.Millisecond, OnEvent: event}
	r.Stream = func(context.Context, string) (relay.Config, error) { return relay.Config{ID: show}, nil }
	rooms = &hls.Server{Open: r.Tap, MaxViewers: 2}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := r.Run(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	all.Go(func() { _ = rooms.Run(ctx) })
	t.Cleanup(func() { cancel(); all.Wait() })
	return r, rooms, ln.Addr().String()
}

const (
	plays = "(() => { const v = document.querySelector('h-player video'); return v && v.videoWidth === 640 && v.currentTime > 0 && !v.paused })()"
	state = "document.querySelector('h-player').dataset.state"
	quiet = "axe.utils.preloadMedia" // axe says so of a video that has none yet
)

// The video in the room: it waits for the first picture, plays without a tap, says that it pauses while the encoder is away, goes
// on, and says when there is no room.
func TestVideoInABrowser(t *testing.T) {
	b := browsertest.Open(t)
	film := relaytest.Film(t, 10, "640x360", "-g", "50")
	for name, view := range browsertest.Views() {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			studio, rooms, addr := openStudio(t, h.show.String(), func(relay.Event) { h.hub.RelayChanged(h.merchant, h.show) })
			h.video, h.streams = http.StripPrefix("/room", rooms), studio.Status
			h.must(h.db.PutIngest(context.Background(), h.merchant, h.show, "the-key-of-the-encoder"))
			p := b.Page(t, view, quiet)
			p.Go(h.web.URL + "/live/spring")
			p.Await("document.documentElement.dataset.stream === 'live'")
			p.Await(state + " === 'off'")
			p.AwaitText("#screen-say", "No video comes right now.")
			p.Check("room without a picture")
			p.Shot("screen-off-" + name)
			stop := relaytest.Publish(t, addr, "key", film, 0)
			p.Await(plays)
			p.Check("room with video")
			p.Shot("screen-" + name)
			p.Click("[data-press=sound]")
			p.Await("!document.querySelector('h-player video').muted && document.querySelector('[data-press=sound]').checkVisibility() === false")

			if name != "wide" { // what follows looks the same to all
				return
			}
			q := b.Page(t, view) // somebody who joins
			q.Go(h.web.URL + "/live/spring")
			q.Text("document.querySelector('h-player video').requestVideoFrameCallback(n => { window.first = n }), ''")
			q.Await(plays + " && window.first")
			t.Logf("first picture %s ms after the page was asked for", q.Text("String(Math.round(window.first))"))
			behind := "(() => { const h = document.querySelector('h-player').hls; return h.latency })()"
			q.Await(behind + " > 0")
			t.Logf("%s s behind", q.Text("String("+behind+")"))

			r := b.Page(t, view, "503", quiet)
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
			relaytest.Publish(t, addr, "key", relaytest.Film(t, 10, "640x360", "-g", "50", "-profile:v", "main", "-bf", "2"), 0) // another configuration
			p.Await("document.querySelector('[data-video]').dataset.video === 'live'")
			p.Text("window.at = document.querySelector('h-player video').currentTime, ''")
			p.Await("document.querySelector('h-player video').currentTime > window.at + 1 && " + plays)
			h.must(studio.End(h.show.String()))
			p.AwaitText("#screen-say", "No video comes right now.")
			p.Await(state + " === 'off'")
		})
	}
}
