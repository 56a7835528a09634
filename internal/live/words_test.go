package live

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/dial"
)

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// A loopback address is never put into a chat of the world outside, and is where the chat is on this machine too.
func TestLoopbackLinksStayHome(t *testing.T) {
	for _, tt := range []struct {
		public string
		local  bool
		want   bool
	}{
		{"https://shop.example", false, true},
		{"http://127.0.0.1:8080", false, false},
		{"http://localhost:8080", false, false},
		{"http://[::1]:8080", false, false},
		{"http://127.0.0.1:8080", true, true},
		{"http://0.0.0.0", false, false},
		{"http://x.localhost", false, false},
		{"", true, false},
	} {
		m, _ := teller(twitchLike())
		m.hub.Public, m.hub.loopback, m.local = tt.public, dial.Loopback(tt.public), map[chat.Channel]bool{here: tt.local}
		o := held("ana")
		s := Speech{To: chat.Answer{Kind: chat.ToChannel, Channel: here}, Outcome: o}
		w := m.sayOutcome(&s, false)
		if got := strings.Contains(w.Text, "http"); got != tt.want || (w.Link != "") != tt.want {
			t.Errorf("public %q, local %v: %q", tt.public, tt.local, w.Text)
		}
	}
}

// FuzzJoin: a line for many never exceeds the platform's limit when one person fits, names whom it covers whole, and no
// viewer's name becomes a mention or an address.
func FuzzJoin(f *testing.F) {
	f.Add("ana", "bob", uint8(200), uint8(12))
	f.Add("@everyone", "evil.com/x", uint8(250), uint8(40))
	f.Add("日本語日本語日本語日本語日本語日本語", "\u202e", uint8(180), uint8(90))
	f.Fuzz(func(t *testing.T, a, b string, limit, n uint8) {
		m, _ := teller(twitchLike())
		var outs []*commerce.Outcome
		for i := range int(n) + 1 {
			o := held([]string{a, b}[i%2])
			if i%3 == 0 {
				o.Reason, o.Place = commerce.Waitlisted, i
			}
			outs = append(outs, o)
		}
		most := int(limit) + 150
		w, covered := m.join(here, outs, most, false)
		if covered < 1 || covered > len(outs) {
			t.Fatalf("covers %d of %d", covered, len(outs))
		}
		if covered > 1 && utf8.RuneCountInString(w.Text) > most {
			t.Fatalf("%d characters, limit %d: %q", utf8.RuneCountInString(w.Text), most, w.Text)
		}
		if text := strings.ReplaceAll(w.Text, "https://shop.example/live/spring", ""); strings.ContainsAny(text, "@\r\n") || strings.Contains(text, "://") {
			t.Fatalf("a name got through: %q", w.Text)
		}
	})
}

func BenchmarkJoin(b *testing.B) {
	m, _ := teller(twitchLike())
	var outs []*commerce.Outcome
	for range 60 {
		outs = append(outs, held("somebody"))
	}
	b.ReportAllocs()
	for b.Loop() {
		m.join(here, outs, 500, false)
	}
}
