package hls_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/hls"
	"hawker/relay/relaytest"
	"hawker/relay/rtmp"
)

// room is a relay with HLS in front of it.
type room struct {
	t     testing.TB
	relay *relay.Server
	hls   *hls.Server
	addr  string
	url   string // of the stream
}

func newRoom(t testing.TB, change func(*hls.Server)) *room {
	t.Helper()
	r := &room{t: t, relay: &relay.Server{SlateAfter: 200 * time.Millisecond}}
	r.relay.Stream = func(context.Context, string) (relay.Config, error) { return relay.Config{ID: "show"}, nil }
	r.hls = &hls.Server{Open: r.relay.Tap}
	if change != nil {
		change(r.hls)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	web := httptest.NewServer(r.hls)
	r.url = web.URL + "/show/"
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := r.relay.Run(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	all.Go(func() { _ = r.hls.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		all.Wait()
		web.Close()
	})
	return r
}

// publish sends a film, and waits until its first picture is there.
func (r *room) publish(film []rtmp.Message, atOnce time.Duration) (stop func()) {
	r.t.Helper()
	stop = relaytest.Publish(r.t, r.addr, "key", film, atOnce)
	relaytest.Eventually(r.t, "a picture", func() bool {
		all := r.relay.Status()
		return len(all) == 1 && all[0].Ingest.Connected && !all[0].Ingest.Waiting && !all[0].Slate
	})
	return stop
}

// get returns what is under a name.
func (r *room) get(name string) (int, http.Header, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+name, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

// playlist returns one, which must be there.
func (r *room) playlist(name string) string {
	r.t.Helper()
	status, h, body := r.get(name)
	if status != http.StatusOK || h.Get("Content-Type") != "application/vnd.apple.mpegurl" {
		r.t.Fatalf("%s: %d, %v\n%s", name, status, h, body)
	}
	return body
}

// number reads the figure of a tag.
func number(t testing.TB, playlist, tag string) int64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^#EXT-X-` + tag + `:([0-9]+)`).FindStringSubmatch(playlist)
	if m == nil {
		t.Fatalf("no %s in\n%s", tag, playlist)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// files are the names of segments, and those of parts.
func files(playlist string) (segments, parts []string) {
	for line := range strings.Lines(playlist) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' {
			segments = append(segments, line)
		}
		if m := regexp.MustCompile(`^#EXT-X-PART:.*URI="([^"]+)"`).FindStringSubmatch(line); m != nil {
			parts = append(parts, m[1])
		}
	}
	return segments, parts
}
