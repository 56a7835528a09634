package studio_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hawker/internal/sqldb/archive"
	"hawker/internal/studio"
)

// A slate comes back from a backup as it was uploaded, and is prepared anew; what was there before is moved aside, unless the backup
// has none. Nothing is touched before put.
func TestBackup(t *testing.T) {
	h := newHouse(t)
	film := picture(t)
	h.must(h.PutClip(t.Context(), h.merchant, show, "pause.png", bytes.NewReader(film)))
	h.eventually("prepared", func() bool { return h.view().Clip.Ready })
	pack := func(files map[string]string) *archive.Reader {
		t.Helper()
		at := filepath.Join(t.TempDir(), "b.zip")
		w, err := archive.Create(at)
		h.must(err)
		w.Manifest.Made = time.Now()
		for name, from := range files {
			h.must(w.File(name, from))
		}
		_, err = w.Close()
		h.must(err)
		r, err := archive.Open(at)
		h.must(err)
		t.Cleanup(func() { _ = r.Close() })
		return r
	}
	files, err := studio.Slates(h.Dir)
	h.must(err)
	if len(files) != 1 {
		t.Fatalf("slates: %v", files)
	}
	name := "slates/" + h.merchant.String() + "/" + show.String() + "/original"
	r := pack(map[string]string{name: files[name], "slates/1/2/original": "is/not/there"})
	if m := r.Manifest.Files; len(m) != 1 || m[0].Name != name || m[0].Size != int64(len(film)) {
		t.Errorf("in the backup: %+v", m)
	}

	data := t.TempDir()
	dir := filepath.Join(data, "slates")
	h.must(os.MkdirAll(dir, 0o700))
	h.must(os.WriteFile(filepath.Join(dir, "old"), nil, 0o600))
	put, drop, err := studio.Unpack(pack(nil), dir)
	h.must(err)
	if aside, err := put(); err != nil || aside != "" {
		t.Errorf("a backup without slates: %q, %v", aside, err)
	}
	drop()
	put, drop, err = studio.Unpack(r, dir)
	h.must(err)
	if _, err := os.Stat(filepath.Join(dir, "old")); err != nil {
		t.Errorf("touched before put: %v", err)
	}
	aside, err := put()
	h.must(err)
	drop()
	if _, err := os.Stat(filepath.Join(aside, "old")); err != nil {
		t.Errorf("moved aside: %v", err)
	}
	got, err := os.ReadFile(filepath.Join(dir, h.merchant.String(), show.String(), "original"))
	if err != nil || !bytes.Equal(got, film) {
		t.Errorf("came back: %d bytes, %v", len(got), err)
	}
	all, err := os.ReadDir(data)
	if err != nil || len(all) != 2 {
		t.Errorf("in the data folder: %v, %v", all, err)
	}

	h.Studio.Dir = dir // as after a restore: the slate is there, and nothing is prepared
	if c := h.view().Clip; c.Ready || c.Trouble != "" || c.Name != "pause.png" {
		t.Errorf("after the restore: %+v", c)
	}
	if h.encode(h.key(false)) == nil {
		t.Fatal("no encoder is let in")
	}
	h.eventually("prepared anew", func() bool { return h.view().Clip.Ready })
}

// A file of a backup that leads elsewhere is not taken.
func TestBackupNames(t *testing.T) {
	from := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(from, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../f", "slates/../../f", "/f", `slates\..\f`} {
		at := filepath.Join(t.TempDir(), "b.zip")
		w, err := archive.Create(at)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.File(name, from); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if r, err := archive.Open(at); err == nil || !strings.Contains(err.Error(), "names the file") {
			_ = r.Close()
			t.Errorf("%q: %v", name, err)
		}
	}
}
