package chattest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hawker/internal/chat/chattest"
)

// TestDocument: docs/chat.md names every promise, and no test that is not there.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile("../../../docs/chat.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for _, p := range chattest.Promises() {
		if strings.Count(doc, "\n| "+p+" |") != 1 {
			t.Errorf("docs/chat.md has no row for: %s", p)
		}
	}
	var code strings.Builder
	err = filepath.WalkDir("../../../connectors/twitch", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		code.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)`").FindAllStringSubmatch(doc, -1) {
		if !strings.Contains(code.String(), "\nfunc "+m[1]+"(") {
			t.Errorf("docs/chat.md names %s, which is no test", m[1])
		}
	}
}
