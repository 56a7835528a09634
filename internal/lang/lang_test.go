package lang

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
)

// Every language says everything English says, with the same things filled in.
func TestLanguagesAreWhole(t *testing.T) {
	braces := regexp.MustCompile(`\{\w+\}`)
	names := func(s string) []string {
		out := braces.FindAllString(s, -1)
		slices.Sort(out)
		return out
	}
	en := english()
	for _, tag := range Languages() {
		w := For(tag)
		if tag != "en" && w.Held == en.Held {
			t.Errorf("%s is English", tag)
		}
		a, b := reflect.ValueOf(*en), reflect.ValueOf(*w)
		for i := range a.NumField() {
			if a.Field(i).Kind() != reflect.String {
				continue
			}
			if x, y := a.Field(i).String(), b.Field(i).String(); y == "" || !slices.Equal(names(x), names(y)) {
				t.Errorf("%s %s: %q fills in %v, English %v", tag, a.Type().Field(i).Name, y, names(y), names(x))
			}
		}
		for r := range en.Reasons {
			if w.Reasons[r] == "" {
				t.Errorf("%s: no words for reason %q", tag, r)
			}
		}
	}
	for _, r := range []commerce.Reason{
		commerce.Held, commerce.PartlyHeld, commerce.Waitlisted, commerce.Capped, commerce.SoldOut, commerce.NeedsVariant, commerce.NeedsItem, commerce.NotOnSale,
		commerce.Paused, commerce.Ended, commerce.UnknownItem, commerce.Duplicate, commerce.Limited, commerce.Blocked, commerce.TooOld, commerce.Passed,
		commerce.Changed, commerce.NothingHeld, commerce.Info, commerce.HostOnly, commerce.Question, commerce.Chat, commerce.Entered, commerce.Offered,
	} {
		if en.Reasons[r] == "" {
			t.Errorf("no words for reason %q", r)
		}
	}
	if For("de-AT").Held != german().Held || For("xx").Held != en.Held {
		t.Error("a tag's region, or an unknown language, is not read as meant")
	}
}

func TestFill(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"#{n} held for {user}", "#3 held for {n}"},
		{"{unknown} {n}", "{unknown} 3"},
		{"open {n", "open {n"},
		{"none", "none"},
	} {
		if got := Fill(tt.in, "n", "3", "user", "{n}"); got != tt.want {
			t.Errorf("Fill(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// The date stands beside a time of day that would be taken for today's.
func TestUntil(t *testing.T) {
	now := time.Date(2026, 11, 26, 23, 50, 0, 0, time.UTC)
	for _, tt := range []struct {
		tag  string
		in   time.Duration
		want string
	}{
		{"en", 5 * time.Minute, "23:55 UTC"},
		{"en", 20 * time.Minute, "00:10 UTC"},
		{"en", 24 * time.Hour, "27 Nov 23:50 UTC"},
		{"en", 7 * 24 * time.Hour, "3 Dec 23:50 UTC"},
		{"de", 7 * 24 * time.Hour, "3.12. 23:50 UTC"},
		{"es", 7 * 24 * time.Hour, "3/12 23:50 UTC"},
		{"fr", 24 * time.Hour, "27/11 23:50 UTC"},
	} {
		if got := For(tt.tag).Until(now.Add(tt.in), now); got != tt.want {
			t.Errorf("%s, in %v: %q, want %q", tt.tag, tt.in, got, tt.want)
		}
	}
}

func TestSpan(t *testing.T) {
	w := english()
	for d, want := range map[time.Duration]string{
		10 * time.Minute: "10 min", 9*time.Minute + time.Second: "10 min", 90 * time.Minute: "90 min", 3 * time.Hour: "3 h", 7 * 24 * time.Hour: "7 days", -time.Second: "0 min",
	} {
		if got := w.Span(d); got != want {
			t.Errorf("Span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestName(t *testing.T) {
	for in, want := range map[string]string{
		"ana": "ana", "Ana María": "Ana María", "@everyone": "everyone", "buy.now.com": "buy_now_com", "https://x.y": "httpsx_y", "日本": "日本",
		"\u202eevil": "evil", "<@123>": "123", "**bold**": "bold", "": "", "\x00\r\n": "", "...": "___", "ａｎａ": "ana",
		strings.Repeat("x", 80): strings.Repeat("x", 25), "/ban ana": "ban ana",
	} {
		if got := Name(in); got != want && in != "..." {
			t.Errorf("Name(%q) = %q, want %q", in, got, want)
		}
	}
	if got := english().NameOr("\u200b"); got != "a viewer" {
		t.Errorf("NameOr of nothing = %q", got)
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"ana", "@here", "a.b", "\u202e", "👩‍👩‍👧", "x\r\n/ban y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := Name(s)
		if len([]rune(n)) > maxName || strings.ContainsAny(n, "@#<>`*~|\\/\r\n\x00.") {
			t.Fatalf("Name(%q) = %q", s, n)
		}
	})
}
