package relay_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/relay-tests.md names no test that is not there, and every test of a hard case.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile("../docs/relay-tests.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	tests := map[string][]string{} // by file
	for _, dir := range []string{".", "../cmd/hawker", "../web"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`).FindAllStringSubmatch(string(b), -1) {
				tests[path] = append(tests[path], m[1])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var there []string
	for _, names := range tests {
		there = append(there, names...)
	}
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`").FindAllStringSubmatch(doc, -1) {
		if !slices.Contains(there, m[1]) {
			t.Errorf("docs/relay-tests.md names %s, which is no test", m[1])
		}
	}
	for _, file := range []string{"hard_test.go", "odd_test.go", "show_test.go", "peers_test.go", "peers_enhanced_test.go"} {
		if len(tests[file]) == 0 {
			t.Errorf("%s has no tests", file)
		}
		for _, name := range tests[file] {
			if !strings.Contains(doc, "`"+name+"`") {
				t.Errorf("docs/relay-tests.md has no row for %s", name)
			}
		}
	}
	for row := range strings.Lines(doc) {
		if strings.HasPrefix(row, "| ") && !strings.Contains(row, "`") && !strings.HasSuffix(strings.TrimSpace(row), "| tests |") {
			t.Errorf("docs/relay-tests.md: no test in %s", row)
		}
	}
}
