//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"hawker/relay/rtmpsim"
)

// outliveShow is a show whose video goes to two platforms; the second is on or off.
const outliveShow = `merchant: {name: Ana's Ceramics, currency: EUR, timezone: Europe/Berlin, language: de}
store:
  kind: own
  products: [{sku: MUG-1, title: Mug, price: "18.00", stock: 5}]
shows:
  - name: spring
    live: true
    lineup: [{number: 3, sku: MUG-1}]
    ingest: {key_env: INGEST_KEY}
    destinations:
      - {name: One, server: "rtmp://%s/app", key_env: ONE_KEY}
      - {name: Two, server: "rtmp://%s/app", key_env: TWO_KEY, enabled: %t}
`

// outlived is a hub in a process of its own.
type outlived struct {
	cmd      *exec.Cmd
	out, err *printed
	ingest   string
	relay    string // pid of the relay's process
	ended    chan struct{}
}

// serve starts `hawker serve` with a data folder.
func serve(t *testing.T, data string) *outlived {
	t.Helper()
	s := &outlived{cmd: exec.Command("hawker", "serve"), out: &printed{}, err: &printed{}, ended: make(chan struct{})}
	s.cmd.Env = append(without(os.Environ(), "HAWKER_"), "HAWKER_LISTEN=127.0.0.1:0", "HAWKER_RTMP_LISTEN=127.0.0.1:0", "HAWKER_ALLOW_PRIVATE_TARGETS=true",
		"HAWKER_DATA="+data, "HAWKER_METRICS_TOKEN=metrics-secret-22aa")
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.err
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.cmd.Wait(); close(s.ended) }()
	t.Cleanup(s.kill)
	said := regexp.MustCompile(`(?s)video +rtmp://(\S+)/live.*relay +process (\d+), up`)
	eventually(t, "a hub that serves", func() bool {
		select {
		case <-s.ended:
			t.Fatalf("serve ended: %s%s", s.out, s.err)
		default:
		}
		return said.MatchString(s.out.String())
	})
	m := said.FindStringSubmatch(s.out.String())
	s.ingest, s.relay = m[1], m[2]
	return s
}

func (s *outlived) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

func without(environ []string, prefix string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(kv string) bool { return strings.HasPrefix(kv, prefix) })
}

// hawker runs a command beside the hub and gives what it prints.
func hawker(t *testing.T, data, stdin string, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("hawker", args...)
	cmd.Env = append(append(without(os.Environ(), "HAWKER_"), "HAWKER_DATA="+data, "HAWKER_LISTEN=127.0.0.1:0", "HAWKER_RTMP_LISTEN=127.0.0.1:0"), env...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// tags are the hashes of the audio and video of an FLV file.
func tags(flv []byte) (out []uint64) {
	for at := 9 + 4; at+11 <= len(flv); {
		size := int(binary.BigEndian.Uint32(flv[at:]) & 0xFFFFFF)
		if at+11+size > len(flv) {
			break
		}
		if kind := flv[at]; kind == 8 || kind == 9 {
			out = append(out, rtmpsim.Hash(flv[at+11:at+11+size]))
		}
		at += 11 + size + 4
	}
	return out
}

// ffmpeg sends to two platforms through a hub that is killed in mid-show. Neither notices, byte for byte; the next hub finds the
// stream and takes one of them away; and when the stream is over and the hub ends, nothing is left running.
func TestVideoOutlivesTheHub(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("this test needs Debian's package ffmpeg")
	}
	dir, err := os.MkdirTemp("", "hawker-outlive-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	data, local := filepath.Join(dir, "data"), filepath.Join(dir, "sent.flv")
	var sims [2]*rtmpsim.Sim
	var at [2]net.Listener
	for i := range sims {
		sims[i], at[i] = &rtmpsim.Sim{}, listenLocal(t)
		go func() { _ = sims[i].Serve(at[i]) }()
		t.Cleanup(sims[i].Close)
	}
	secrets := []string{"INGEST_KEY=ingest-secret-93d1", "ONE_KEY=one-secret-5f5f", "TWO_KEY=two-secret-6e6e"}
	apply := func(two bool) {
		t.Helper()
		out, err := hawker(t, data, fmt.Sprintf(outliveShow, at[0].Addr(), at[1].Addr(), two), secrets, "apply", "-")
		if err != nil {
			t.Fatalf("apply: %v\n%s", err, out)
		}
	}

	first := serve(t, data)
	apply(true)
	encoder := exec.Command("ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25",
		"-f", "lavfi", "-i", "sine=sample_rate=44100", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-flags", "+global_header",
		"-map", "0", "-map", "1", "-f", "tee", "[f=flv]rtmp://"+first.ingest+"/live/ingest-secret-93d1|[f=flv]"+local)
	var complaints bytes.Buffer
	encoder.Stderr = &complaints
	if err := encoder.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = encoder.Wait(); close(done) }()
	t.Cleanup(func() { _ = encoder.Process.Kill(); <-done })
	arrived := func(i int) int {
		if s := sims[i].Session(); s != nil {
			return s.Figures().Messages
		}
		return 0
	}
	eventually(t, "video at both platforms", func() bool { return arrived(0) > 20 && arrived(1) > 20 })

	if out, err := hawker(t, data, "", nil, "serve"); err == nil || !strings.Contains(out, "another hawker runs in this data folder") {
		t.Errorf("a second hub: %v\n%s", err, out)
	}
	first.kill()
	for i, n := range []int{arrived(0), arrived(1)} {
		eventually(t, "video without a hub", func() bool { return arrived(i) > n+60 })
	}
	second := serve(t, data)
	if second.relay != first.relay || second.ingest != first.ingest {
		t.Errorf("the second hub has process %s at %s, the first had %s at %s", second.relay, second.ingest, first.relay, first.ingest)
	}
	if runtime.GOOS == "linux" {
		for _, name := range []string{"cmdline", "environ"} {
			b, err := os.ReadFile(filepath.Join("/proc", first.relay, name))
			if err != nil || bytes.Contains(b, []byte("secret")) {
				t.Errorf("the relay process's %s, %v: %q", name, err, b)
			}
		}
	}
	if m := regexp.MustCompile(`pages +(http://\S+)`).FindStringSubmatch(second.out.String()); m == nil {
		t.Error("the hub does not say where its pages are")
	} else if res, err := http.Get(m[1] + "/metrics"); err != nil { //nolint:noctx // ends with the hub
		t.Error(err)
	} else {
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if text := string(b); err != nil || !strings.Contains(text, "hawker_relay_process_up 1") || strings.Contains(text, "secret") {
			t.Errorf("metrics, %v: %s", err, text)
		}
	}
	apply(false)
	eventually(t, "the second platform is told that it is over", func() bool { return sims[1].Session().Figures().Goodbye })
	n := arrived(0)
	eventually(t, "more for the first", func() bool { return arrived(0) > n+30 })
	if err := encoder.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-done
	eventually(t, "the first platform is told that it is over", func() bool { return sims[0].Session().Figures().Goodbye })
	flv, err := os.ReadFile(local)
	if err != nil {
		t.Fatal(err)
	}
	sent := tags(flv)
	for i, sim := range sims {
		var got []uint64
		for _, r := range sim.Session().Records()[2:] { // after the headers
			got = append(got, r.Hash)
		}
		from := slices.Index(sent, got[0])
		if from < 0 || from+len(got) > len(sent) || !slices.Equal(got, sent[from:from+len(got)]) {
			t.Errorf("platform %d got %d messages, from number %d of the %d sent, and not the same", i, len(got), from, len(sent))
		} else if i == 0 && from+len(got) != len(sent) {
			t.Errorf("platform %d lacks the last %d of %d messages", i, len(sent)-from-len(got), len(sent))
		}
		if c := sim.Counts(); c.Accepted != 1 {
			t.Errorf("platform %d was connected to %d times", i, c.Accepted)
		}
	}
	if t.Failed() {
		t.Logf("ffmpeg: %s\nhubs: %s\n%s", &complaints, first.err, second.err)
	}
	if err := second.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-second.ended
	var pid int
	if _, err := fmt.Sscan(first.relay, &pid); err != nil {
		t.Fatal(err)
	}
	eventually(t, "end of the relay's process", func() bool { return syscall.Kill(pid, 0) != nil })
	for _, s := range []*outlived{first, second} {
		if text := s.out.String() + s.err.String(); strings.Contains(text, "secret") {
			t.Errorf("a key is in what the hub says: %s", text)
		}
	}
}
