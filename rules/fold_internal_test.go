package rules

import (
	"testing"
	"unicode/utf8"
)

// slow folds without the quick way.
func slow(s string) string {
	var f folder
	f.text = appendPlain(f.text[:0], s)
	return string(f.whole())
}

// The quick way folds each rune that it takes as the whole way does.
func TestQuickFold(t *testing.T) {
	n := 0
	for r := rune(0); r <= utf8.MaxRune; r++ {
		var f folder
		if s := string(r); f.quick(s) {
			if n++; string(f.text) != slow(s) {
				t.Errorf("%U: %q, want %q", r, f.text, slow(s))
			}
		}
	}
	if n < 30_000 {
		t.Errorf("%d runes are folded quickly", n)
	}
}

func FuzzQuickFold(f *testing.F) {
	for _, s := range []string{"größer als gedacht", "ÀÉ 包邮", "👩‍👩‍👧 hi…", "ＢＵＹ　３", "Привет", "e\u0301", "가\u11a8", "は\u3099", "’n —"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var q folder
		if q.quick(s) && string(q.text) != slow(s) {
			t.Fatalf("%q: %q, want %q", s, q.text, slow(s))
		}
	})
}
