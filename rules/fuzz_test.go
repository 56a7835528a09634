package rules

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"hawker/commerce"
)

// law reports in words which law of the grammar a command breaks; empty when none.
func law(l *commerce.Lineup, text string, in Context, c Command) string {
	talks := c.Name == Chat || c.Name == Question
	switch {
	case in.Mute && c != talk(Chat):
		return "a muted line acts"
	case talks && c != talk(c.Name):
		return "talk carries more than its reason"
	case talks != (c.Signature == 0):
		return "signature"
	case c.Quantity < 0 || c.Quantity > MaxQuantity && c.Name != Stock:
		return "quantity out of bounds"
	case !utf8.ValidString(c.Arg) || utf8.RuneCountInString(c.Arg) > maxRunes || strings.ContainsFunc(c.Arg, unicode.IsControl):
		return "argument"
	case (c.Word != "") != (c.Name == Custom):
		return "word"
	case c.Shown && (c.Item != in.OnAir || in.Unsure && c.Name.Claims()):
		return "not what was seen"
	}
	if c.Style != ByCommand && c.Style != ByTap && !talks {
		switch {
		case !c.Name.Claims():
			return "a command without its sign"
		case c.Style == ByKeyword && !l.Styles.Boutique, c.Style == ByPlus && !l.Styles.Plus, c.Style == ByNumber && !l.Styles.NumberOnly:
			return "a form that the show did not turn on"
		case strings.Contains(text, "?") && !strings.ContainsAny(text, "\"'`|~<>“”„«»‘「:\n\r\v\f\u0085\u2028\u2029"):
			return "a question claims"
		}
	}
	if c.Reason != "" || !c.Name.Claims() {
		return ""
	}
	it := l.Item(c.Item)
	switch {
	case it == nil && !(c.Name == Pass && c.Item == 0):
		return "an item that is not there"
	case it != nil && c.Variant != 0 && it.Variant(c.Variant) == nil:
		return "a variant of something else"
	case (c.Name == Buy || c.Name == Wait) && c.Variant == 0:
		return "a claim for no variant"
	case c.Name != Pass && c.Quantity < 1:
		return "a claim for nothing"
	case c.Add && c.Style != ByPlus:
		return "only plus forms add"
	}
	return ""
}

func FuzzParse(f *testing.F) {
	for _, c := range readCorpus(f) {
		f.Add(c.text, uint8(c.in.OnAir), uint8(7))
	}
	for _, s := range talkLines() {
		f.Add(s, uint8(12), uint8(7))
	}
	f.Add("!connect \xff\u200b482193", uint8(0), uint8(0))
	f.Add(strings.Repeat("!buy 5 ", 2000), uint8(0), uint8(64))
	var lineups []*commerce.Lineup
	var grammars [][]*Grammar
	for i := range 8 {
		l := shelf(commerce.Styles{Boutique: i&1 != 0, Plus: i&2 != 0, NumberOnly: i&4 != 0})
		lineups = append(lineups, l)
		var gs []*Grammar
		for _, language := range []string{"en", "de", "es", "fr"} {
			gs = append(gs, NewGrammar(l, Options{Language: language, Custom: []string{"echo"}}))
		}
		grammars = append(grammars, gs)
	}
	f.Fuzz(func(t *testing.T, text string, air, how uint8) {
		// how: styles in 3 bits, language in 2, then reply, unsure, muted.
		l, g := lineups[how&7], grammars[how&7][how>>3&3]
		in := Context{
			OnAir: int(air), Reply: how&32 != 0, ReplyTo: "ana", Unsure: how&64 != 0, Mute: how&128 != 0, Tap: air&128 != 0, Bots: []string{"hawkerbot", "4242"},
		}
		c := g.Parse(text, in)
		if broken := law(l, text, in, c); broken != "" {
			t.Fatalf("%s: Parse(%q, %+v) = %+v", broken, text, in, c)
		}
		g.Parse("!buy 12 m x2 "+text, in) // another line on the same buffers
		if again := g.Parse(text, in); again != c {
			t.Fatalf("Parse(%q, %+v) = %+v, then %+v", text, in, c, again)
		}
	})
}

// FuzzFold: folding twice changes nothing more, and leaves sound text without what it drops.
func FuzzFold(f *testing.F) {
	for _, s := range append(talkLines(), "ＡＢＣ １２３", "5️⃣", "🇲🇱🇽", "İ", "ﬁ", "e\u0301", "\u200ba\u034f\u0301", "\xff\xfe", "ǅ", "½…™", "ｶﾞ") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Fatalf("Fold(%q) = %q, folded again %q", s, once, twice)
		}
		if !utf8.ValidString(once) || strings.ContainsFunc(once, unicode.IsUpper) && !strings.ContainsFunc(s, unicode.IsUpper) {
			t.Fatalf("Fold(%q) = %q", s, once)
		}
		for _, r := range once {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Fatalf("Fold(%q) = %q keeps %U", s, once, r)
			}
		}
	})
}

// TestRecordedLines reads what people wrote in real Twitch chats: a long file where there is one (named in
// HAWKER_TWITCH_LINES, or shared/platforms/twitch-lines.txt beside the project), else the connector's own. In none of
// these chats was anything for sale, so no line of the long file may become a claim, whatever forms a show turns on.
func TestRecordedLines(t *testing.T) {
	name, sales := filepath.Join("..", "connectors", "twitch", "testdata", "lines.txt"), true
	if s := os.Getenv("HAWKER_TWITCH_LINES"); s != "" {
		name, sales = s, false
	} else if s := filepath.Join("..", "..", "shared", "platforms", "twitch-lines.txt"); exists(s) {
		name, sales = s, false
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := shelf(allStyles())
	g := NewGrammar(l, Options{})
	want := map[string]string{"!buy 3 x2": "ask variant 3", "Kappa cheer100 sold 12 M": "buy 12 M", "!buy 1": "buy 1", "!buy 3 \U000e0000": "ask variant 3"}
	read, words := 0, 0
	for sc := bufio.NewScanner(f); sc.Scan(); {
		raw := sc.Text()
		if raw == "" || strings.HasPrefix(raw, "# ") {
			continue
		}
		read++
		text := typed(raw)
		if text != "" {
			words++
		}
		for _, s := range []string{text, raw} { // what was typed, and whatever else may come in
			c := g.Parse(s, onAir(12))
			if broken := law(l, s, onAir(12), c); broken != "" {
				t.Errorf("%s: Parse(%q) = %+v", broken, s, c)
			}
			meant := "chat"
			if sales && want[s] != "" {
				meant = want[s]
			}
			if got := show(l, c); got != meant && got != "question" {
				t.Errorf("Parse(%q) is %q, want %q", s, got, meant)
			}
		}
	}
	t.Logf("%s: %d lines read, %d with words of viewers", name, read, words)
	if words < 7 {
		t.Errorf("%s: %d lines with words", name, words)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// typed is what was typed in a raw line of Twitch's chat: the last parameter of PRIVMSG or USERNOTICE.
func typed(raw string) string {
	if strings.HasPrefix(raw, "@") {
		_, raw, _ = strings.Cut(raw, " ")
	}
	_, raw, _ = strings.Cut(raw, " ")
	command, raw, _ := strings.Cut(raw, " ")
	if command != "PRIVMSG" && command != "USERNOTICE" {
		return ""
	}
	_, text, _ := strings.Cut(raw, " ")
	text = strings.TrimPrefix(text, ":")
	return strings.TrimSuffix(strings.TrimPrefix(text, "\x01ACTION "), "\x01")
}
