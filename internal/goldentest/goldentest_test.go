package goldentest_test

import (
	"fmt"
	"strings"
	"testing"

	"hawker/internal/goldentest"
)

// witness is a test that notes its failures instead of having them.
type witness struct {
	testing.TB
	said string
}

func (w *witness) Helper()                      {}
func (w *witness) Error(a ...any)               { w.said += fmt.Sprintln(a...) }
func (w *witness) Errorf(text string, a ...any) { w.said += fmt.Sprintf(text, a...) }

func TestCheck(t *testing.T) {
	t.Chdir(t.TempDir())
	check := func(update bool, got string) string {
		w := &witness{TB: t}
		goldentest.Check(w, update, "page.golden", got)
		return w.said
	}
	for _, tt := range []struct {
		update    bool
		got, want string // want is part of what is said; empty is nothing
	}{
		{false, "a\nb\n", "no such file"},
		{true, "a\nb\n", ""},
		{false, "a\nb\n", ""},
		{false, "a\nc\n", "line 2\nwas b\nis  c"},
		{false, "a\nb\nc", "line 3"},
		{false, "a\nb\n\nd", "3 lines were, 4 are"},
		{true, "a", ""},
		{false, "a", ""},
	} {
		if said := check(tt.update, tt.got); (said == "") != (tt.want == "") || !strings.Contains(said, tt.want) {
			t.Errorf("%q, update %v: said %q, want %q", tt.got, tt.update, said, tt.want)
		}
	}
}
