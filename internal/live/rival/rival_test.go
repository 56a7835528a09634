package rival

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/internal/chat"
)

// line is a line of a made-up chat: seconds, who, text. A name with a star is a moderator, one with a plus the platform's bot.
type line struct {
	at         float64
	who, text  string
	id, answer string
}

func hear(lines ...line) []string {
	var e Ear
	began := time.Now()
	for i, l := range lines {
		m := chat.Message{ID: l.id, ReplyTo: l.answer, Text: l.text, Received: began.Add(time.Duration(l.at * float64(time.Second)))}
		if m.ID == "" {
			m.ID = fmt.Sprint("m", i)
		}
		name := strings.TrimRight(l.who, "*+")
		m.Viewer = chat.Viewer{Platform: chat.Twitch, ID: "id-" + name, Name: name}
		if strings.HasSuffix(l.who, "*") {
			m.Roles = chat.Moderator
		}
		m.Bot = strings.HasSuffix(l.who, "+")
		m.Own = name == "ours"
		e.Hears(&m)
	}
	var out []string
	for _, f := range e.Found() {
		out = append(out, fmt.Sprintf("%s %s %d", f.Bot.Name, f.Word, f.Times))
	}
	slices.Sort(out)
	return out
}

// A bot that answers a command twice is found; a person, a timer, a coincidence and ourselves are not.
func TestFound(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []line
		want  []string
	}{
		{"a known bot, alone", []line{{at: 0, who: "ana", text: "!shop"}, {at: 1, who: "Nightbot", text: "Our shop: x"}, {at: 60, who: "bob", text: "!SHOP now"}, {at: 61, who: "Nightbot", text: "Our shop: x"}}, []string{"Nightbot shop 2"}},
		{"once is not enough", []line{{at: 0, who: "ana", text: "!shop"}, {at: 1, who: "Nightbot", text: "Our shop: x"}}, nil},
		{"too late", []line{{at: 0, who: "ana", text: "!shop"}, {at: 9, who: "Nightbot", text: "a"}, {at: 20, who: "ana", text: "!shop"}, {at: 29, who: "Nightbot", text: "b"}}, nil},
		{"a bot that the platform marks", []line{{at: 0, who: "ana", text: "!help"}, {at: 1, who: "helper+", text: "ask"}, {at: 5, who: "ana", text: "!help"}, {at: 6, who: "helper+", text: "ask"}}, []string{"helper help 2"}},
		{"an unknown bot that names who asked", []line{
			{at: 0, who: "ana", text: "!price 3"}, {at: 1, who: "annabot*", text: "@ana look below"}, {at: 9, who: "bob", text: "!price 4"}, {at: 10, who: "annabot*", text: "@bob look below"},
		}, []string{"annabot price 2"}},
		{"by reply", []line{{at: 0, who: "ana", text: "!me", id: "q"}, {at: 0, who: "bo", text: "!me", id: "r"}, {at: 1, who: "x*", text: "1", answer: "q"}, {at: 1, who: "x*", text: "2", answer: "r"}}, []string{"x me 2"}},
		{"a moderator who talks", []line{{at: 0, who: "ana", text: "!shop"}, {at: 1, who: "mo*", text: "hello all"}, {at: 9, who: "bob", text: "!shop"}, {at: 10, who: "mo*", text: "nice mugs"}}, nil},
		{"a viewer who talks", []line{{at: 0, who: "ana", text: "!shop"}, {at: 1, who: "bob", text: "@ana hi"}, {at: 9, who: "ana", text: "!shop"}, {at: 10, who: "bob", text: "@ana hi"}}, nil},
		{"a crowd and a timer", []line{
			{at: 0, who: "a1", text: "!buy 3"}, {at: 0, who: "a2", text: "!buy 3"}, {at: 1, who: "Nightbot", text: "Follow me"}, {at: 9, who: "a3", text: "!buy 3"}, {at: 9, who: "a4", text: "!buy 3"}, {at: 10, who: "Nightbot", text: "Follow me"},
		}, nil},
		{"a timer that meets a command", []line{
			{at: 0, who: "Nightbot", text: "Follow me"}, {at: 60, who: "a", text: "!buy 3"}, {at: 61, who: "Nightbot", text: "Follow me"}, {at: 160, who: "a", text: "!buy 3"}, {at: 161, who: "Nightbot", text: "follow ME"},
		}, nil},
		{"ourselves", []line{{at: 0, who: "ana", text: "!shop"}, {at: 1, who: "ours+", text: "x"}, {at: 9, who: "ana", text: "!shop"}, {at: 10, who: "ours+", text: "x"}}, nil},
		{"one answer is for one command", []line{
			{at: 0, who: "ana", text: "!shop"}, {at: 1, who: "Nightbot", text: "x"}, {at: 1.5, who: "Nightbot", text: "y"}, {at: 2, who: "Nightbot", text: "z"},
		}, nil},
	} {
		if got := hear(tt.lines...); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzHears(f *testing.F) {
	f.Add("!shop", "nightbot", "x", "y")
	f.Fuzz(func(t *testing.T, text, name, id, reply string) {
		var e Ear
		for range 3 * remember {
			for _, v := range []string{"a", "b"} {
				e.Hears(&chat.Message{ID: id, Text: text, ReplyTo: reply, Viewer: chat.Viewer{ID: v, Name: name}, Roles: chat.Moderator})
			}
		}
		if len(e.asked) > remember || len(e.Found()) > most {
			t.Fatalf("it remembers %d and found %d", len(e.asked), len(e.Found()))
		}
	})
}
