// Package goldentest compares what a test made with a file that people looked at.
package goldentest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Check fails the test where got is not what the file testdata/name says, naming the first line that differs. With update it writes
// the file instead. Each package has a flag "update" of its own for it, because flags belong to test binaries.
func Check(t testing.TB, update bool, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // for everybody who reads the sources
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return
	}
	if d := difference(string(want), got); d != "" {
		t.Errorf("%s is not what it was; look at it, then go test with -update\n%s", file, d)
	}
}

// difference is the first line that differs, empty when none does.
func difference(want, got string) string {
	if want == got {
		return ""
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\nwas %s\nis  %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines were, %d are", len(w), len(g))
}
