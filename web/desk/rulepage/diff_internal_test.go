package rulepage

import "testing"

func TestWordDiff(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{"", "", ""},
		{"a b c", "a b c", "a b c"},
		{"say hello to all", "say hi to all", "say -hello +hi to all"},
		{"a", "a b", "a +b"},
		{"a b", "b", "-a b"},
	} {
		got := ""
		for _, r := range wordDiff(tt.from, tt.to) {
			sign := ""
			if r.Old {
				sign = "-"
			} else if r.New {
				sign = "+"
			}
			if got != "" {
				got += " "
			}
			got += sign + r.Text
		}
		if got != tt.want {
			t.Errorf("%q to %q: %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}
