package chat

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "ana": "ana", "日本 👩‍👩‍👧": "日本 👩‍👩‍👧", "a\x00b": "ab", "\xffa\xfe\xfd": "\uFFFDa\uFFFD", "\x00\xc3\x00\x28": "\uFFFD(", "tab\tand\nline": "tab\tand\nline",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		c := Clean(s)
		if !utf8.ValidString(c) || strings.Contains(c, "\x00") || Clean(c) != c {
			t.Fatalf("Clean(%q) = %q", s, c)
		}
	})
}
