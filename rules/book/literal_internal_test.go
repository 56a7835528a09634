package book

import (
	"math/rand/v2"
	"strings"
	"testing"

	"hawker/rules"
)

// A pattern that is not looked at, because of the bytes of a line, would not have matched.
func TestMustHave(t *testing.T) {
	patterns := []string{
		`[!?]{5,}`, `^\d+$`, `(a|b)+c?`, `.`, `\s`, `[^a-z]`, `k`, `ſ`, `[à-ü]`, `x*`, `(?:)`, `[A-Z]{3}`, `\$\d`, `é|\d\d`, `^!`, `\x7f`, `[[:^ascii:]]`, `\W\w`, `(?s).\n`, `[\x00-\x1f]`, `a{0,2}b`, `\bq`, `(ab){3}`, `([a!]{2}|\d{4})+`, `a{3,}|b`, `(a|b{2}){2}`, `[^k]{4}`, `[kß]{2}`, `.{3}x`,
	}
	r := rand.New(rand.NewPCG(3, 4))
	letters := []rune("aAbcKkſqxyzé!?$0123 \t\n\x7f\u212aßüÉ９！ñ")
	skipped := 0
	for _, p := range patterns {
		re, _, err := compilePattern(p)
		if err != nil {
			t.Fatal(err)
		}
		must := mustHaveOf(p)
		for range 3000 {
			var b strings.Builder
			for range r.IntN(8) {
				b.WriteRune(letters[r.IntN(len(letters))])
			}
			text := b.String()
			folded := rules.Fold(text)
			may, has := !ascii(text) || must.mayMatch(text), must.in([]byte(folded))
			if may && has {
				continue
			}
			if skipped++; re.MatchString(folded) {
				t.Fatalf("%s matches %q; by its bytes it may: %v, it has what it must: %v", p, text, may, has)
			}
		}
	}
	if skipped < 5000 {
		t.Errorf("only %d lines are told by their bytes", skipped)
	}
}
