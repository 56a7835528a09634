package main

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

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
