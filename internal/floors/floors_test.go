package floors

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// moduleRoot is the folder of go.mod, from this package's folder.
const moduleRoot = "../.."

func TestHouse(t *testing.T) {
	faults, err := Check(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// The table has no line twice, and no simulator above the ground.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range table() {
		if seen[p.path] {
			t.Errorf("%s stands in the table twice", p.path)
		}
		seen[p.path] = true
		if p.kind == sim && p.floor != 0 {
			t.Errorf("%s: a simulator stands on floor 0", p.path)
		}
	}
}

// tree writes a module of files: a path, then the imports, joined by spaces.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "go.mod", "module hawker\n\ngo 1.26\n")
	for name, imports := range files {
		text := "package p\n"
		for imp := range strings.FieldsSeq(imports) {
			text += fmt.Sprintf("import _ %q\n", imp)
		}
		write(t, root, name, text)
	}
	return root
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	full := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAllowed(t *testing.T) {
	root := tree(t, map[string]string{
		"cmd/hawker/a.go":                           "hawker/connectors/twitch hawker/internal/demo hawker/internal/bench hawker/web github.com/alecthomas/kong",
		"internal/demo/a.go":                        "hawker/connectors/twitch/twitchsim hawker/connectors/shopify hawker/internal/demo/clip hawker/web",
		"internal/bench/a.go":                       "github.com/gempir/go-twitch-irc/v4 github.com/bwmarrin/discordgo hawker/internal/chat/chattest",
		"internal/live/a.go":                        "hawker/commerce hawker/rules hawker/internal/sqldb hawker/internal/bus hawker/relay fmt",
		"internal/live/a_test.go":                   "hawker/connectors/twitch/twitchsim hawker/internal/pgtest hawker/commerce/ledgertest hawker/internal/live",
		"internal/chat/chattest/a.go":               "hawker/internal/chat",
		"commerce/ledgertest/a.go":                  "hawker/commerce hawker/internal/pgtest",
		"commerce/a_test.go":                        "hawker/commerce/ledgertest",
		"connectors/youtube/a.go":                   "hawker/internal/chat hawker/connectors/youtube/wire google.golang.org/api/youtube/v3 google.golang.org/api",
		"connectors/youtube/wire/a.go":              "google.golang.org/api/youtube/v3",
		"connectors/youtube/a_test.go":              "hawker/connectors/youtube/youtubesim hawker/internal/chat/chattest hawker/connectors/youtube",
		"connectors/youtube/youtubesim/a.go":        "net/http",
		"connectors/youtube/youtubesim/sim_test.go": "hawker/connectors/youtube/youtubesim",
		"relay/a.go":                                "hawker/relay/rtmp hawker/relay/ring github.com/bluenviron/gohlslib/v2",
		"relay/rtmp/a_test.go":                      "hawker/relay/rtmpsim",
		"internal/sqldb/a.go":                       "database/sql github.com/jackc/pgx/v5/stdlib modernc.org/sqlite hawker/commerce",
		"internal/bus/a.go":                         "github.com/nats-io/nats.go",
		"web/desk/a.go":                             "hawker/web/viewer hawker/internal/setup hawker/internal/live",
		"web/a_test.go":                             "github.com/chromedp/chromedp hawker/internal/browsertest",
		"web/a.go":                                  "hawker/web/static/vendor",
		"testdata/x.go":                             "hawker/nonsense",
		".hidden/x.go":                              "hawker/nonsense",
		"web/testdata/src/x.go":                     "hawker/nonsense",
	})
	faults, err := Check(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct{ file, imports, want string }{
		{"internal/new/a.go", "", "package internal/new has no floor: add it to table in internal/floors/table.go"},
		{"a.go", "", "package . has no floor"},
		{"cmd/other/a.go", "", "package cmd/other has no floor"},
		{"web/a.go", "hawker/internal/new", "imports internal/new, which has no floor"},
		{"commerce/a.go", "hawker/rules", "commerce/a.go (floor 1) imports rules (floor 2)"},
		{"commerce/a_test.go", "hawker/rules", "commerce/a_test.go (floor 1) imports rules (floor 2)"},
		{"internal/seal/a.go", "hawker/internal/dial", "only lower floors"},
		{"internal/sqldb/a.go", "hawker/internal/bus", "only lower floors"},
		{"relay/a.go", "hawker/internal/chat", "only lower floors"},
		{"internal/chat/a.go", "hawker/commerce", "only lower floors"},
		{"internal/chatter/a.go", "", "has no floor"}, // no part of internal/chat
		{"internal/live/a.go", "hawker/web/viewer", "only lower floors"},
		{"connectors/twitch/a.go", "hawker/connectors/youtube", "edges never import each other"},
		{"connectors/twitch/a_test.go", "hawker/connectors/youtube/wire", "edges never import each other"},
		{"internal/live/a.go", "hawker/connectors/twitch", "only the roof imports an edge"},
		{"internal/live/a_test.go", "hawker/connectors/shopify", "only the roof imports an edge"},
		{"web/a.go", "hawker/connectors/shopify", "only the roof imports an edge"},
		{"web/a.go", "hawker/internal/demo", "only cmd/hawker imports it"},
		{"internal/bench/a.go", "hawker/internal/demo", "only cmd/hawker imports it"},
		{"internal/demo/a.go", "hawker/cmd/hawker", "only cmd/hawker imports it"},
		{"connectors/twitch/twitchsim/a.go", "hawker/internal/chat", "a simulator imports nothing of ours"},
		{"connectors/twitch/twitchsim/a_test.go", "hawker/connectors/twitch", "a simulator imports nothing of ours"},
		{"relay/rtmpsim/a.go", "hawker/relay/rtmp", "a simulator imports nothing of ours"},
		{"connectors/twitch/a.go", "hawker/connectors/twitch/twitchsim", "a simulator is for tests and the roof"},
		{"web/a.go", "hawker/connectors/twitch/twitchsim", "a simulator is for tests and the roof"},
		{"internal/sqldb/a.go", "hawker/internal/pgtest", "it is for tests and the roof"},
		{"internal/chat/a.go", "hawker/internal/chat/chattest", "it is for tests and the roof"},
		{"internal/live/a.go", "github.com/bwmarrin/discordgo", "that is for connectors/discord, internal/bench alone"},
		{"connectors/twitch/a.go", "google.golang.org/api/option", "that is for connectors/youtube"},
		{"internal/live/a.go", "database/sql", "that is for internal/sqldb, internal/pgtest alone"},
		{"internal/live/a_test.go", "database/sql/driver", "that is for internal/sqldb"},
		{"cmd/hawker/a.go", "modernc.org/sqlite", "that is for internal/sqldb"},
		{"commerce/a.go", "github.com/jackc/pgx/v5", "that is for internal/sqldb"},
		{"internal/live/a.go", "github.com/nats-io/nats.go", "that is for internal/bus alone"},
		{"internal/live/a_test.go", "github.com/nats-io/nats-server/v2/server", "that is for internal/bus alone"},
		{"web/a.go", "github.com/chromedp/chromedp", "that is for internal/browsertest"},
		{"web/a.go", "github.com/bluenviron/gohlslib/v2", "that is for relay"},
	} {
		faults, err := Check(tree(t, map[string]string{tt.file: tt.imports}))
		if err != nil {
			t.Error(err)
			continue
		}
		if len(faults) != 1 || !strings.Contains(faults[0], tt.want) {
			t.Errorf("%s imports %q: %q; want %q", tt.file, tt.imports, faults, tt.want)
		}
	}
}

// A file that this machine would not build is read all the same.
func TestBuildTags(t *testing.T) {
	root := tree(t, nil)
	write(t, root, "rules/a_windows.go", "//go:build windows && never\n\npackage rules\n\nimport _ \"hawker/web\"\n")
	faults, err := Check(root)
	if err != nil || len(faults) != 1 || !strings.Contains(faults[0], "only lower floors") {
		t.Errorf("%q, %v", faults, err)
	}
}

func TestInit(t *testing.T) {
	root := tree(t, nil)
	write(t, root, "rules/a.go", "package rules\n\nfunc init() {}\n")
	write(t, root, "rules/b.go", "package rules\n\ntype t struct{}\n\nfunc (t) init() {}\n") // a method, not an init
	write(t, root, "rules/a_test.go", "package rules\n\nfunc init() {}\n")
	faults, err := Check(root)
	if err != nil || len(faults) != 1 || !strings.Contains(faults[0], "rules/a.go has a func init") {
		t.Errorf("%q, %v", faults, err)
	}
}

func TestLengths(t *testing.T) {
	root := tree(t, nil)
	text := func(code int) string { // with as many comments and blank lines beside it
		return "package rules\n" + strings.Repeat("// a line\n", 50) + "\nconst s = `" + strings.Repeat("\n", code-2) + "`\n"
	}
	n := 0
	for ; n+500 <= MaxFolder; n += 500 {
		write(t, root, fmt.Sprintf("rules/%d.go", n), text(500))
	}
	write(t, root, "rules/full.go", text(MaxFolder-n))
	write(t, root, "rules/a_test.go", text(500))
	faults, err := Check(root)
	if err != nil || len(faults) != 0 {
		t.Fatalf("at the limits: %q, %v", faults, err)
	}
	write(t, root, "rules/full.go", text(MaxFolder-n+1))
	write(t, root, "web/long_test.go", "package web\n"+strings.Repeat("\n", MaxFile))
	faults, err = Check(root)
	if err != nil || len(faults) != 2 || !strings.Contains(faults[0], fmt.Sprintf("folder rules has %d lines of code", MaxFolder+1)) || !strings.Contains(faults[1], "web/long_test.go has 601 lines") {
		t.Errorf("%q, %v", faults, err)
	}
}

// A test that skips itself hides what it did not try.
func TestSkips(t *testing.T) {
	root := tree(t, nil)
	write(t, root, "rules/a_test.go", "package rules\n\nimport \"testing\"\n\nfunc TestX(t *testing.T) { t.Skip() }\n")
	faults, err := Check(root)
	if err != nil || len(faults) != 1 || !strings.Contains(faults[0], "rules/a_test.go skips a test") {
		t.Errorf("%q, %v", faults, err)
	}
}

func TestCheckFails(t *testing.T) {
	if _, err := Check(t.TempDir()); err == nil {
		t.Error("a folder without go.mod passes")
	}
	root := tree(t, nil)
	write(t, root, "rules/a.go", "package rules; import (")
	if _, err := Check(root); err == nil {
		t.Error("a file that does not parse passes")
	}
}
