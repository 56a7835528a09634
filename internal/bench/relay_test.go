package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// relayChild makes the test's own program the relay that is measured.
const relayChild = "be-the-relay"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == relayChild {
		if err := RelayChild(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// The bench runs, in each of its ways, and what it measures is whole: every byte, every clock.
func TestRelay(t *testing.T) {
	if _, why := findNginx(); why != "" {
		t.Fatalf("%s: install the packages nginx and libnginx-mod-rtmp", why)
	}
	o := RelayOptions{
		Child: func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, os.Args[0], relayChild) },
		JSON:  true, Only: []string{"1", "10", "stalled", "refusing", "gone-3"}, Each: time.Second,
	}
	var out bytes.Buffer
	if err := Relay(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(o.Only) {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		var c RelayCase
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		if c.Name() != o.Only[i] || c.ByteEqual != 100 || c.Lost != 0 || c.Backwards != 0 || c.Reconnects != 0 || c.CPU <= 0 || c.RSS <= 0 {
			t.Errorf("%s", line)
		}
		if (c.Ratio == nil) != (c.Bad == badGone) {
			t.Errorf("nginx-rtmp is not beside it: %s", line)
		}
	}
}

// What does not arrive, or arrives otherwise than it was sent, is seen.
func TestSinkSees(t *testing.T) {
	src := madeSource()
	log := &sent{}
	for _, m := range src.media {
		log.add(m)
	}
	s := &sink{next: [2]int{-1, -1}}
	for i, m := range src.media {
		switch i {
		case 10:
			continue
		case 20:
			m.Payload = append([]byte(nil), m.Payload...)
			m.Payload[30] ^= 1
		case 30:
			m.Time += 5
		}
		s.take(m, log, false)
	}
	if s.lost != 2 || s.wrong != 1 || s.back == 0 || s.ok != len(src.media)-2 { // the changed one is lost as well
		t.Errorf("lost %d, wrong %d, clock %d, ok %d of %d", s.lost, s.wrong, s.back, s.ok, len(src.media))
	}
}
