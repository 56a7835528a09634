package slash

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"hawker/connectors/discord/wire"
)

// TestCommands holds the definitions to Discord's limits (page "Application Commands").
func TestCommands(t *testing.T) {
	cs, name := Commands(), regexp.MustCompile(`^[-_'\p{L}\p{N}]{1,32}$`)
	if len(cs) > 100 || !slices.IsSortedFunc(cs, func(a, b Command) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%d commands, or not in order", len(cs))
	}
	for _, c := range cs {
		b, err := json.Marshal(c)
		optional := false
		ok := err == nil && len(b) < 8000 && name.MatchString(c.Name) && c.Name == strings.ToLower(c.Name) && len(c.Description) > 0 && len(c.Description) <= 100
		for _, o := range c.Options {
			ok = ok && name.MatchString(o.Name) && len(o.Description) > 0 && len(o.Description) <= 100 && (!o.Required || !optional)
			optional = optional || !o.Required
		}
		if !ok {
			t.Errorf("%s", b)
		}
	}
}

func interaction(name string, options ...string) (in wire.Interaction) {
	in.Type, in.Data.Name = wire.TypeCommand, name
	for i := 0; i+1 < len(options); i += 2 {
		in.Data.Options = append(in.Data.Options, wire.Option{Name: options[i], Value: json.RawMessage(options[i+1])})
	}
	return in
}

func TestLine(t *testing.T) {
	press := func(id string) (in wire.Interaction) {
		in.Type, in.Data.CustomID = wire.TypeComponent, id
		return in
	}
	for _, tt := range []struct {
		in   wire.Interaction
		want string
	}{
		{interaction("buy", "item", `"3"`, "variant", `"M"`, "amount", `2`), "!buy 3 M x2"},
		{interaction("buy", "amount", `2`, "item", `"3"`), "!buy 3 x2"},
		{interaction("buy", "item", `"3\n!forget"`), "!buy 3 !forget"}, // a row is a row; the grammar asks
		{interaction("buy", "item", `"  !! "`), "!buy"},
		{interaction("buy", "strange", `"3"`), "!buy"},
		{interaction("buy", "item", `{}`), "!buy"},
		{interaction("less", "item", `"3"`, "amount", `2`), "!less 3 2"},
		{interaction("connect", "code", `"482193"`), "!connect 482193"},
		{interaction("item", "item", `"`+strings.Repeat("9", 500)+`"`), "!item " + strings.Repeat("9", longest)},
		{interaction("ban"), ""},
		{interaction(""), ""},
		{press("!buy 3"), "!buy 3"},
		{press("  !buy\n3 "), "!buy 3"},
		{press("buy 3"), ""},
		{press(""), ""},
	} {
		if got := Line(tt.in); got != tt.want {
			t.Errorf("Line(%+v) = %q, want %q", tt.in.Data, got, tt.want)
		}
	}
}

func TestMentioned(t *testing.T) {
	for text, want := range map[string]string{
		"<@7> buy 3": "!buy 3", "<@!7>, Buy 3 x2": "!Buy 3 x2", " <@7>!me": "!me", "<@7> !custom": "!custom", "<@7>: pass": "!pass",
		"<@7>": "", "<@7> hi": "", "<@8> buy 3": "", "buy <@7> 3": "", "<@7 buy": "", "": "", "<@> buy": "",
	} {
		if got, ok := Mentioned(text, "7"); got != want || ok != (want != "") {
			t.Errorf("Mentioned(%q) = %q, %v; want %q", text, got, ok, want)
		}
	}
	if _, ok := Mentioned("<@> buy 3", ""); ok {
		t.Error("a bot without an id was mentioned")
	}
}

// FuzzLine: a line is one short row that begins with the sign, or nothing.
func FuzzLine(f *testing.F) {
	f.Add([]byte(`{"id":"7","type":2,"token":"a","channel_id":"4","user":{"id":"5"},"data":{"name":"buy","options":[{"name":"item","value":"3\n4"}]}}`), "<@7> buy 3")
	f.Add([]byte(`{"id":"7","type":3,"token":"a","channel_id":"4","user":{"id":"5"},"data":{"custom_id":"!buy\u0000 3"}}`), "<@!7>,!me")
	f.Fuzz(func(t *testing.T, b []byte, text string) {
		if in, ok := wire.ReadInteraction(b); ok {
			line := Line(in)
			if line != "" && (line[0] != '!' || !utf8.ValidString(line) || utf8.RuneCountInString(line) > 250 || strings.IndexFunc(line, unicode.IsControl) >= 0) {
				t.Fatalf("Line(%s) = %q", b, line)
			}
		}
		if line, ok := Mentioned(text, "7"); ok != strings.HasPrefix(line, "!") || ok && !strings.HasSuffix("!"+text, strings.TrimPrefix(line, "!")) {
			t.Fatalf("Mentioned(%q) = %q, %v", text, line, ok)
		}
	})
}
