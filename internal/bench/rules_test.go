package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hawker/internal/bench/talk"
)

// The cases of hawker bench rules are there, rules fire in them, and a line in which none does costs no memory to speak of.
func TestRules(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines.txt")
	text := "# a note\n\n:tmi.twitch.tv 001 x :Welcome, GLHF!\n" + talk.Lines(1, talk.Buy, 9)[0] + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Rules(t.Context(), RulesOptions{Lines: file, Each: time.Millisecond, JSON: true}, &out); err != nil {
		t.Fatal(err)
	}
	n := 0
	for d := json.NewDecoder(&out); d.More(); n++ {
		var c RulesCase
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		if c.Rules != []int{10, 100, 1000}[n%3] || c.Mix != []talk.Mix{talk.Everyday, talk.Buy}[n/3] || c.PerS <= 0 || c.BareParsePerS <= 0 || c.Ratio <= 0 || c.Fired <= 0 {
			t.Errorf("case %d: %+v", n, c)
		}
		if c.QuietAllocs > 2 {
			t.Errorf("%d rules, %s: %.2f allocations for a line in which no rule fires", c.Rules, c.Mix, c.QuietAllocs)
		}
	}
	if n != 6 {
		t.Errorf("%d cases", n)
	}
	if err := Rules(t.Context(), RulesOptions{Lines: filepath.Join(t.TempDir(), "none")}, &out); err == nil {
		t.Error("a file that is not there was read")
	}
}
