package markup

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"#12 M held 10 min: ana, bob 日本 😀":      "#12 M held 10 min: ana, bob 日本 😀",
		"*bold* _it_ ~~no~~ `code` ||spoiler||": "\\*bold\\* \\_it\\_ \\~\\~no\\~\\~ \\`code\\` \\|\\|spoiler\\|\\|",
		"[pay here](https://evil.example)":      "\\[pay here](https://evil.example)",
		"<@1> <@&2> <#3> </buy:4> <t:5:R>":      "\\<@1> \\<@&2> \\<#3> \\</buy:4> \\<t:5:R>",
		"@everyone @here @ana":                  "@\u200beveryone @\u200bhere @ana",
		"# big\n## big\n -# small\n> said\n- a": "\\# big\n\\## big\n \\-# small\n\\> said\n\\- a",
		"#3\n-5 left\n1. one\n12.50 EUR\n1) ok": "#3\n-5 left\n1\\. one\n12.50 EUR\n1) ok",
		"a # b > c - d":                         "a # b > c - d",
		"pay: https://x.example/c/A_B*C~d?e=_f": "pay: https://x.example/c/A_B*C~d?e=_f",
		"**https://x.example/a_b**":             "\\*\\*https://x.example/a_b**",
		"xhttps://a_b_ http:// https://":        "xhttps://a\\_b\\_ http:// https://",
		"https://x.example/a|b`c<d":             "https://x.example/a\\|b\\`c\\<d",
		"one\r\ntwo\x00three\tfour\u2028five":   "one\ntwo three four\nfive",
		"\\*already\\*":                         "\\\\\\*already\\\\\\*",
		" \u200b\r\n ":                          "",
		"  trimmed\n\n":                         "trimmed",
		"bad \xff byte":                         "bad \uFFFD byte",
	} {
		if got := Escape(in, 2000); got != want {
			t.Errorf("Escape(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		in    string
		limit int
		want  string
	}{
		{"1234567890", 10, "1234567890"},
		{"12345678901", 10, "123456789…"},
		{"hello my world", 10, "hello my…"},
		{"a bcdefghijkl", 10, "a bcdefgh…"},
		{"12345678*", 10, "12345678\\*"},
		{"123456789*", 10, "123456789…"},
		{"12345678**", 10, "12345678…"},
		{"look https://x.example/abcdef", 10, "look …"},
	} {
		if got := Escape(tt.in, tt.limit); got != tt.want {
			t.Errorf("Escape(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

// FuzzEscape: the result fits, is clean, reads the same without the escapes, and holds no markup outside of addresses.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"*a* <@1> @everyone", "# h\n> q\n- l\n1. n", "https://a_b*c[d](e)", "[x](https://y)", "\\", "a\r\n\x00b", "http://@everyone", "@@here"} {
		f.Add(s, 2000)
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 2 || limit > 4000 {
			return
		}
		got := Escape(s, limit)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > limit || strings.TrimSpace(got) != got && !strings.HasSuffix(got, "…") {
			t.Fatalf("Escape(%q, %d) = %q", s, limit, got)
		}
		var plain strings.Builder
		word := false
		for rest := got; rest != ""; {
			r, n := utf8.DecodeRuneInString(rest)
			if a := address(rest); a > 0 && !word {
				plain.WriteString(rest[:a])
				rest, word = rest[a:], true
				continue
			}
			switch {
			case r != '\n' && unicode.IsControl(r):
				t.Fatalf("Escape(%q, %d) = %q: a control character", s, limit, got)
			case strings.HasPrefix(rest, "@everyone"), strings.HasPrefix(rest, "@here"):
				t.Fatalf("Escape(%q, %d) = %q: a mention", s, limit, got)
			case r == '\\':
				rest = rest[1:]
				if rest == "" || rest[0] >= utf8.RuneSelf {
					t.Fatalf("Escape(%q, %d) = %q: an escape of nothing", s, limit, got)
				}
				plain.WriteByte(rest[0])
				rest, word = rest[1:], rest[0] == '_'
				continue
			case strings.ContainsRune("*_~`|<[", r):
				t.Fatalf("Escape(%q, %d) = %q: markup at %q", s, limit, got, rest)
			default:
				plain.WriteRune(r)
			}
			word = r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
			rest = rest[n:]
		}
		whole := func(s string) string { return strings.ReplaceAll(s, "@\u200b", "@") }
		want, have := whole(clean(s)), whole(plain.String())
		if part, cut := strings.CutSuffix(have, "…"); have != want && (!cut || !strings.HasPrefix(want, part)) {
			t.Fatalf("Escape(%q, %d) reads %q, want %q", s, limit, have, want)
		}
	})
}

func BenchmarkEscape(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Escape("#12 M held 10 min: ana_b, *bob*, cy (+4). In line: dee (1st). Pay: https://shop.example/live/spring", 2000)
	}
}

func TestPlain(t *testing.T) {
	for _, s := range []string{"Nia_Newcomer *just* bought #3 ~~x~~ `y`", "a > b", "1. first", "https://shop.example/live/a_b", "back\\slash", "- list", ""} {
		if got := Plain(Escape(s, 2000)); got != s {
			t.Errorf("Plain of Escape(%q) = %q", s, got)
		}
	}
}
