package hls_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/hls"
	"hawker/relay/rtmp"
)

// program is the path of a program that the test needs.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install the package ffmpeg", name)
	}
	return path
}

// film makes an FLV file with ffmpeg's test picture and a tone.
func film(t testing.TB, seconds int, size string, more ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "film.flv")
	args := []string{
		"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
		"-t", fmt.Sprint(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2",
	}
	args = append(append(args, more...), "-f", "flv", file)
	if out, err := exec.CommandContext(t.Context(), program(t, "ffmpeg"), args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// messages are those of an FLV file, as an encoder sends them.
func messages(t testing.TB, flv []byte) []rtmp.Message {
	t.Helper()
	all, err := rtmp.ParseFLV(flv)
	if err != nil {
		t.Fatal(err)
	}
	var out []rtmp.Message
	for _, m := range all {
		switch info := rtmp.Inspect(m); {
		case info.Kind == rtmp.Metadata:
			m.Payload = append(rtmp.AppendAMF0(nil, "@setDataFrame"), m.Payload...)
		case m.Type == rtmp.TypeData, m.Type == rtmp.TypeVideo && m.Payload[0]&0x80 == 0 && m.Payload[1] == 2:
			continue
		}
		out = append(out, m)
	}
	return out
}

// room is a relay with HLS in front of it.
type room struct {
	t     testing.TB
	relay *relay.Server
	hls   *hls.Server
	addr  string
	url   string // of the stream
	clip  []byte // the slate
}

func newRoom(t testing.TB, change func(*relay.Server, *hls.Server)) *room {
	t.Helper()
	r := &room{t: t, relay: &relay.Server{SlateAfter: 200 * time.Millisecond}}
	r.relay.Stream = func(context.Context, string) (relay.Config, error) {
		return relay.Config{ID: "show", Slate: r.clip}, nil
	}
	r.hls = &hls.Server{Open: r.relay.Tap}
	if change != nil {
		change(r.relay, r.hls)
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

// publish sends messages in real time, over and over, until stop is called, which breaks the connection off. The first so many
// are sent at once.
func (r *room) publish(all []rtmp.Message, atOnce time.Duration) (stop func()) {
	r.t.Helper()
	target, err := rtmp.ParseTarget("rtmp://"+r.addr+"/live", "key")
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := (&rtmp.Dialer{}).Publish(r.t.Context(), target)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	began := time.Now().Add(-atOnce)
	go func() {
		defer close(done)
		length := time.Duration(all[len(all)-1].Time+40) * time.Millisecond
		for turn := time.Duration(0); ; turn += length {
			for _, m := range all {
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
	r.t.Cleanup(stop)
	return stop
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// run runs ffmpeg or ffprobe and returns what it wrote to stdout; it fails when it writes to stderr.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), program(t, name), args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.String()
}
