package setup

import (
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"hawker/internal/plain"
)

// update rewrites what the tests expect: go test ./internal/setup -update; then read the difference.
var update = flag.Bool("update", false, "write what is found into testdata")

// TestBadFiles reads testdata/bad.txt: "==== name", a file, "----", the faults.
func TestBadFiles(t *testing.T) {
	var out strings.Builder
	cases := strings.Split(read(t, "bad.txt"), "==== ")[1:]
	for _, c := range cases {
		name, rest, _ := strings.Cut(c, "\n")
		text, want, ok := strings.Cut("\n"+rest, "\n----\n")
		if !ok {
			t.Fatalf("%s: no line of hyphens", name)
		}
		text = strings.TrimPrefix(text+"\n", "\n")
		f, err := Parse([]byte(text))
		if err == nil {
			t.Errorf("%s: read as %+v", name, f)
			continue
		}
		var faults Faults
		if !errors.As(err, &faults) {
			t.Errorf("%s: %T", name, err)
		}
		got := err.Error() + "\n"
		if got != want && !*update {
			t.Errorf("%s:\n%s\ngot\n%swant\n%s", name, text, got, want)
		}
		out.WriteString("==== " + name + "\n" + text + "----\n" + got)
	}
	if *update {
		if err := os.WriteFile("testdata/bad.txt", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if len(cases) < 40 {
		t.Errorf("%d files", len(cases))
	}
}

// TestOddBytes: what an editor would not show.
func TestOddBytes(t *testing.T) {
	deep := "merchant: " + strings.Repeat("[", 2000)
	for _, tt := range []struct{ text, want string }{
		{"merchant: {name: \xff}\n", "line 1, column 18: the text is not UTF-8"},
		{"merchant: {name: a\x07}\n", "line 1, column 19: a control mark (U+0007) stands here"},
		{"merchant:\n  name: é\u2028b\n", "line 2, column 10: a control mark (U+2028) stands here"},
		{"merchant: {name: a\rb}\n", "line 1, column 19: a control mark (U+000D) stands here"},
		{deep, "line 1, column 1011: too deep, or too long a line, for a set-up"},
		{"merchant: {name: " + strings.Repeat("a", 20_000), "line 1, column 10001: too deep, or too long a line, for a set-up"},
		{strings.Repeat("- ", 20), "line 1, column 1: too deep for a set-up"},
		{strings.Repeat("- \n", 30_000), "line 20001, column 1: the file has more than 20000 lines"},
		{strings.Repeat("# a\n", 300_000), "line 1, column 1: the file has more than 1048576 bytes"},
	} {
		if _, err := Parse([]byte(tt.text)); err == nil || err.Error() != tt.want {
			t.Errorf("Parse(%.60q) = %v, want %s", tt.text, err, tt.want)
		}
	}
	for _, text := range []string{"\ufeffmerchant: {name: Ana}\n", "merchant:\r\n  name: Ana\r\n", "merchant: {name: Ana}"} {
		f, err := Parse([]byte(text))
		if err != nil || f.merchant.name.v != "Ana" {
			t.Errorf("Parse(%q) = %v", text, err)
		}
	}
}

// TestNoSecretIsRepeated: whoever writes a secret into the file must not find it in a log as well.
func TestNoSecretIsRepeated(t *testing.T) {
	for _, text := range []string{
		"store: {kind: shopify, token: hunter2}", "store: {kind: shopify, token_env: hunter2!}", "members: [{email: a@b.example, password: hunter2}]",
		"shows: [{name: a, ingest: {key_env: 'hunter2 '}, destinations: [{name: a, server: \"http://hunter2\", key: hunter2}]}]",
		"channels: [{platform: twitch, id: 1, name: a, owner: {access_token: hunter2, oauth: hunter2}, bot: {id: 1, name: b, token: [hunter2]}}]",
	} {
		_, err := Parse([]byte("merchant: {name: Ana}\n" + text))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Parse(%s) = %v", text, err)
		}
	}
}

func TestEnv(t *testing.T) {
	f := parse(t, read(t, "good.yaml"))
	want := []string{"ANA_PASSWORD", "SHOP_TOKEN", "HOOK_SECRET", "ANA_TOKEN", "ANA_REFRESH", "BOT_TOKEN", "BOT_REFRESH", "BEA_TOKEN", "YT_TOKEN", "YT_REFRESH", "INGEST_KEY", "TWITCH_KEY"}
	if got := f.Env(); !slices.Equal(got, want) {
		t.Errorf("Env() = %q, want %q", got, want)
	}
	if f.Slug() != "anas-ceramics" {
		t.Errorf("Slug() = %q", f.Slug())
	}
}

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{
		"Ana's Ceramics": "anas-ceramics", "  A & B  ": "a-b", "Größe": "gr-e", "陶器": "", "x": "x", "A--B__c": "a-b-c", "’s": "s",
		strings.Repeat("ab ", 40): strings.TrimSuffix(strings.Repeat("ab-", 20), "-"),
	} {
		if got := slug(in); got != want || got != "" && !slugForm.MatchString(got) {
			t.Errorf("slug(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzParse: no bytes panic the reader, a fault has its place in the file, and the same file is read alike twice.
func FuzzParse(f *testing.F) {
	f.Add([]byte(read(f, "good.yaml")))
	f.Add([]byte(read(f, "own.yaml")))
	for _, c := range strings.Split(read(f, "bad.txt"), "==== ")[1:] {
		_, rest, _ := strings.Cut(c, "\n")
		text, _, _ := strings.Cut(rest, "----\n")
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		again, err2 := Parse(data)
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("first %v, then %v", err, err2)
		}
		if err == nil {
			if !slices.Equal(file.Env(), again.Env()) || !slugForm.MatchString(file.Slug()) {
				t.Fatalf("%q, %q, %q", file.Env(), again.Env(), file.Slug())
			}
			return
		}
		var faults Faults
		if !errors.As(err, &faults) || len(faults) == 0 {
			t.Fatalf("%T %v", err, err)
		}
		lines := strings.Count(string(data), "\n") + 1
		if last := faults[len(faults)-1]; len(faults) > plain.MaxFaults && last.Pos == (Pos{}) {
			faults = faults[:plain.MaxFaults]
		}
		for _, x := range faults {
			if x.Line < 1 || x.Line > lines || x.Column < 1 || x.Msg == "" {
				t.Fatalf("fault outside of %d lines: %+v", lines, x)
			}
		}
	})
}
