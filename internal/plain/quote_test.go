package plain

import "testing"

// What Quote writes is read as the same text.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"a", "yes", "3", "a: b", "\"", "\\", "é", "\u2028", " a", "#", "[", "on air", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d := Parse([]byte("k: a")); len(d.Faults) > 0 {
			t.Fatal(d.Faults)
		}
		d := Parse([]byte("k: " + Quote(s) + "\n"))
		if len(s) > 1000 || len(d.Faults) > 0 { // too long a line, or not UTF-8
			return
		}
		if got := d.Root.Fields[0].Value.Text; got != s {
			t.Fatalf("Quote(%q) = %s is read as %q", s, Quote(s), got)
		}
	})
}
