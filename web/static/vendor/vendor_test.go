package vendored

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "join htmx.js anew from its two parts")

// part is a line of VENDOR.
type part struct{ pkg, version, source, file, sum, licence, text string }

func parts(t *testing.T) []part {
	t.Helper()
	b, err := os.ReadFile("VENDOR")
	if err != nil {
		t.Fatal(err)
	}
	var ps []part
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		if len(f) != 7 {
			t.Fatalf("VENDOR: %q has %d fields, want 7", line, len(f))
		}
		ps = append(ps, part{f[0], f[1], f[2], f[3], f[4], f[5], f[6]})
	}
	return ps
}

// Every file of the folder stands in VENDOR with its checksum, and every line of VENDOR has its file and licence.
func TestVendor(t *testing.T) {
	// VENDOR and our own two files.
	known := []string{"VENDOR", "vendored.go", "vendor_test.go"}
	for _, p := range parts(t) {
		b, err := os.ReadFile(p.file)
		if err != nil {
			t.Error(err)
			continue
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != p.sum {
			t.Errorf("%s: sha256 is %x, VENDOR says %s", p.file, sum, p.sum)
		}
		for text := range strings.SplitSeq(p.text, ",") {
			if b, err := os.ReadFile(text); err != nil || len(b) < 200 {
				t.Errorf("%s: licence text %s: %d bytes, %v", p.file, text, len(b), err)
			}
			known = append(known, text)
		}
		known = append(known, p.file)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(known, e.Name()) {
			t.Errorf("%s has no line in VENDOR", e.Name())
		}
	}
}

// htmx.js is the two published files joined by a newline and a semicolon, nothing else.
func TestHtmxIsJoined(t *testing.T) {
	htmx, err := os.ReadFile("htmx.min.js")
	if err != nil {
		t.Fatal(err)
	}
	sse, err := os.ReadFile("hx-sse.min.js")
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(htmx, []byte("\n;"), sse)
	if *update {
		if err := os.WriteFile("htmx.js", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("htmx.js")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("htmx.js is not its two parts joined; run: go test ./web/static/vendor -update, then write its sum in VENDOR")
	}
}

// Only what pages load is in the binary.
func TestEmbedded(t *testing.T) {
	err := fs.WalkDir(FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !strings.HasSuffix(path, ".js") && !strings.HasSuffix(path, ".woff2") || path == "htmx.min.js" {
			t.Errorf("%s is embedded", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"htmx.js", "hls.min.js", "hls.worker.js"} {
		if _, err := fs.Stat(FS, name); err != nil {
			t.Error(err)
		}
	}
}
