// Package relaytest is an encoder for tests: it makes films with ffmpeg and sends them to a relay.
package relaytest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/relay/rtmp"
)

// Program is the path of ffmpeg or ffprobe.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install the package ffmpeg", name)
	}
	return path
}

// Run runs ffmpeg or ffprobe and returns what it wrote. It fails the test when there is an error, or a word on stderr.
func Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), Program(t, name), args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.String()
}

// Film makes so many seconds of ffmpeg's test picture in this size with a tone, as an encoder sends them: H.264 and AAC, 25 pictures
// a second, a keyframe each second. more are further arguments for ffmpeg.
func Film(t testing.TB, seconds int, size string, more ...string) []rtmp.Message {
	t.Helper()
	file := filepath.Join(t.TempDir(), "film.flv")
	args := []string{
		"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
		"-t", fmt.Sprint(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2",
	}
	Run(t, "ffmpeg", append(append(args, more...), "-f", "flv", file)...)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, err := rtmp.ParseFLV(b)
	if err != nil {
		t.Fatal(err)
	}
	var out []rtmp.Message
	for _, m := range all {
		switch info := rtmp.Inspect(m); {
		case info.Kind == rtmp.Metadata:
			m.Payload = append(rtmp.AppendAMF0(nil, "@setDataFrame"), m.Payload...)
		case m.Type == rtmp.TypeData, m.Type == rtmp.TypeVideo && m.Payload[0]&0x80 == 0 && m.Payload[1] == 2: // the end of a film
			continue
		}
		out = append(out, m)
	}
	return out
}

// Publish sends a film to a relay in real time, over and over, until the test ends or stop is called, which breaks the connection
// off. So much of it is sent at once.
func Publish(t testing.TB, addr, key string, film []rtmp.Message, atOnce time.Duration) (stop func()) {
	t.Helper()
	target, err := rtmp.ParseTarget("rtmp://"+addr+"/live", key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := (&rtmp.Dialer{}).Publish(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	began := time.Now().Add(-atOnce)
	go func() {
		defer close(done)
		length := time.Duration(film[len(film)-1].Time+40) * time.Millisecond
		for turn := time.Duration(0); ; turn += length {
			for _, m := range film {
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
	t.Cleanup(stop)
	return stop
}

// Eventually waits for a state.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
