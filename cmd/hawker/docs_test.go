package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"hawker/internal/setup"
)

func document(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every setting is documented, and every name that looks like one in the documents exists.
func TestSettingsAreDocumented(t *testing.T) {
	known := map[string]bool{"HAWKER_CONFIG": true}
	for _, n := range settingNames() {
		known[n] = true
	}
	page := document(t, "docs/settings.md")
	for n := range known {
		if !strings.Contains(page, "`"+n+"`") {
			t.Errorf("docs/settings.md does not have %s", n)
		}
	}
	for _, doc := range []string{"README.md", "docs/settings.md", "docs/architecture.md", "docs/audit.md", "docs/backup.md", "docs/chat.md", "docs/relay.md", "docs/processes.md"} {
		for _, n := range regexp.MustCompile(`HAWKER_[A-Z_]+`).FindAllString(document(t, doc), -1) {
			if !known[n] {
				t.Errorf("%s names %s, which is no setting", doc, n)
			}
		}
	}
}

// Every set-up in the documents is one that apply takes, and every command of ours in them is one that exists.
func TestReadme(t *testing.T) {
	files, commands := tried(t, "README.md")
	if files == 0 || commands < 3 {
		t.Errorf("found %d set-ups and %d commands of ours in the README", files, commands)
	}
	if _, commands := tried(t, "docs/processes.md"); commands < 1 {
		t.Error("found no command of ours in docs/processes.md")
	}
	for _, doc := range []string{"docs/audit.md", "docs/backup.md", "docs/chat.md"} {
		if _, commands := tried(t, doc); commands < 4 {
			t.Errorf("found %d commands of ours in %s", commands, doc)
		}
	}
}

// tried tries the set-ups, commands and links of a document and says how many set-ups and commands it has.
func tried(t *testing.T, doc string) (files, commands int) {
	t.Helper()
	text := document(t, doc)
	blocks := regexp.MustCompile("(?ms)^ *```(\\w+)\n(.*?)^ *```").FindAllStringSubmatch(text, -1)
	for _, b := range blocks {
		switch b[1] {
		case "yaml":
			files++
			if _, err := setup.Parse([]byte(b[2])); err != nil {
				t.Errorf("the set-up in %s: %v", doc, err)
			}
		case "sh":
			for line := range strings.Lines(b[2]) {
				line = regexp.MustCompile(`^(?:[A-Z_]+=(?:'[^']*'|\S*) )*`).ReplaceAllString(strings.TrimSpace(line), "")
				args, ours := strings.CutPrefix(line, "./hawker ")
				if !ours {
					args, ours = strings.CutPrefix(line, "go run ./cmd/hawker ")
				}
				if !ours {
					if target, make := strings.CutPrefix(line, "make "); make && !strings.Contains(document(t, "Makefile"), "\n"+target+":") {
						t.Errorf("%s says %q, and the Makefile has no such target", doc, line)
					}
					continue
				}
				commands++
				var c cli
				p, err := kong.New(&c)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := p.Parse(strings.Fields(args)); err != nil {
					t.Errorf("%s says %q: %v", doc, line, err)
				}
			}
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		if strings.Contains(m[1], "://") {
			continue
		}
		if _, err := os.Stat(filepath.Join("../..", filepath.Dir(doc), m[1])); err != nil {
			t.Errorf("%s links to %s: %v", doc, m[1], err)
		}
	}
	return files, commands
}
