package main

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"hawker/relay/child"
)

// The relay runs inside the hub where it is wanted so, and where it can have no process of its own; then the log says why.
func TestRelayInside(t *testing.T) {
	for name, set := range map[string]settings{
		"wanted": {Data: t.TempDir(), RelayProcess: relayInside},
		"needed": {Data: filepath.Join(t.TempDir(), strings.Repeat("a-long-name/", 10))},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			set.RTMPListen = "127.0.0.1:0"
			h, err := openHouse(t.Context(), set, slog.New(slog.NewTextHandler(&said, nil)), "http://127.0.0.1:8080")
			if err != nil {
				t.Fatal(err)
			}
			ingest, err := h.video.start(t.Context())
			if err != nil || !strings.HasPrefix(ingest, "rtmp://127.0.0.1:") || h.video.relay.Process().State != child.Within {
				t.Errorf("%s, %v, %v", ingest, h.video.relay.Process(), err)
			}
			if warned := strings.Contains(said.String(), "too long for a socket"); warned != (name == "needed") {
				t.Errorf("the log: %s", &said)
			}
			if err := h.video.stop(t.Context()); err != nil {
				t.Error(err)
			}
			if err := h.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// All that the house keeps is its owner's alone, also in a folder that is open to others.
func TestFilesAreTheOwners(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // rights are kept elsewhere there
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // that is the case
		t.Fatal(err)
	}
	h, err := openHouse(t.Context(), settings{Data: dir}, slog.New(slog.DiscardHandler), "http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	}()
	n := 0
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		n++
		return err
	})
	if err != nil || n < 4 {
		t.Errorf("%d files, %v", n, err)
	}
}
