package ircv3

import (
	"strings"
	"testing"
)

// TestParse: escapes are read once, left to right; nothing is trimmed; what is odd is harmless.
func TestParse(t *testing.T) {
	for list, want := range map[string]string{
		`a=b`: "b", `a=\s\:\\\r\n`: " ;\\\r\n", `a=\\s`: `\s`, `a=\\\\s`: `\\s`, `a=x\`: "x", `a=\`: "", `a`: "", `a=`: "", `a= b `: " b ", `a=1;a=2`: "2", `a=\x`: "x", `;;=;a=b=c`: "b=c", `b=1`: "",
	} {
		if got := Parse(list).Get("a"); got != want {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
	if _, ok := Parse("vip=;b").Find("vip"); !ok {
		t.Error("an empty tag is not there")
	}
}

// FuzzParse: what was escaped as IRCv3 asks comes back as it was.
func FuzzParse(f *testing.F) {
	f.Add("a b;c\\d\r\n")
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, s string) {
		escaped := strings.NewReplacer(`\`, `\\`, ";", `\:`, " ", `\s`, "\r", `\r`, "\n", `\n`).Replace(s)
		if got := Parse("x=1;a=" + escaped + ";y=2").Get("a"); got != s {
			t.Errorf("%q came back as %q", s, got)
		}
		_ = Parse(s).Get("a")
	})
}
