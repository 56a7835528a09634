package rules

import (
	"strings"
	"testing"

	"hawker/commerce"
)

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		in   Context
		rows []parsing
	}{
		{"other names", Options{Names: map[Name][]string{Buy: {"kaufen", "Nimm"}}}, onAir(5), []parsing{
			{"!kaufen 5", "buy 5"}, {"!nimm 5 x2", "buy 5 x2"}, {"!buy 5", "chat"}, {"!cart", "cart"}, {"sold 5", "buy 5"},
		}},
		{"commands of the merchant's own", Options{Custom: []string{"Size", "discord"}}, onAir(5), []parsing{
			{"!size 12 please", "custom 12 please"}, {"!discord", "custom"}, {"!nope", "chat"},
		}},
		{"other signs", Options{Signs: "?."}, onAir(5), []parsing{{"?buy 5", "buy 5"}, {".buy 5", "buy 5"}, {"!buy 5", "chat"}, {"what?", "question"}}},
		{"the shop's words for values", Options{Aliases: map[string][]string{"Anthracite": {"Charcoal", "dark grey"}, "off-white": {"ivory"}}}, onAir(12), []parsing{
			{"!buy 20 charcoal", "buy 20 Anthracite"},
			{"!buy 20 Dark Grey x2", "buy 20 Anthracite x2"},
			{"!buy 20 charc", "buy 20 Anthracite"},
			{"!buy 20 charcaol", "buy 20 Anthracite"},
			{"sold 20 ivory", "buy 20 Off-White"},
		}},
		{"the channel's emotes", Options{Emotes: []string{"anaHype"}}, onAir(5), []parsing{{"anaHype !buy 5", "buy 5"}, {"sold 5 anaHype", "buy 5"}, {"mine anaHype", "chat"}}},
		{"number words of the language", Options{Language: "fr"}, onAir(5), []parsing{{"!buy 5 deux", "buy 5 x2"}, {"!buy 5 two", "buy 5"}}},
		{"a language we have no words of", Options{Language: "fi"}, onAir(5), []parsing{{"!buy 5 two", "buy 5 x2"}, {"what", "question"}}},
	} {
		t.Run(tt.name, func(t *testing.T) { testParse(t, boutiqueAndPlus(), tt.o, tt.in, tt.rows) })
	}
}

func TestOptionsCheck(t *testing.T) {
	for _, tt := range []struct {
		o    Options
		want string // empty: sound
	}{
		{Options{}, ""},
		{Options{Names: map[Name][]string{Buy: {"kaufen"}, Wait: {"buy"}}, Custom: []string{"discord", "größe"}}, ""},
		{Options{Names: map[Name][]string{Buy: {"cart"}}}, `command "cart": stands for buy already`},
		{Options{Names: map[Name][]string{Buy: {"two words"}}}, `command "two words": want one word that begins with a letter`},
		{Options{Names: map[Name][]string{"draw": {"x"}}}, `command "draw": no such command`},
		{Options{Custom: []string{"size", "SIZE"}}, `command "SIZE": stands for custom already`},
		{Options{Custom: []string{"buy"}}, `command "buy": stands for buy already`},
		{Options{Custom: []string{"3d"}}, `command "3d": want one word that begins with a letter`},
		{Options{Custom: []string{""}}, `command "": want one word that begins with a letter`},
		{Options{Custom: []string{"!size"}}, `command "!size": want one word that begins with a letter`},
	} {
		got := ""
		if err := tt.o.Check(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("Check(%+v) = %q, want %q", tt.o, got, tt.want)
		}
	}
}

// TestWithoutAShow: commands about oneself work while nothing is on sale, claims are refused, talk stays talk.
func TestWithoutAShow(t *testing.T) {
	g := NewGrammar(nil, Options{})
	for text, want := range map[string]Command{
		"!buy 3":   {Name: Buy, Item: 3, Quantity: 1, Style: ByCommand, Reason: commerce.NotOnSale},
		"!buy":     {Name: Buy, Quantity: 1, Style: ByCommand, Reason: commerce.NotOnSale},
		"!wait 3":  {Name: Wait, Item: 3, Quantity: 1, Style: ByCommand, Reason: commerce.NotOnSale},
		"!pass":    {Name: Pass, Style: ByCommand},
		"!pass 3":  {Name: Pass, Item: 3, Style: ByCommand},
		"!cart":    {Name: Cart, Style: ByCommand},
		"!me":      {Name: Me, Style: ByCommand},
		"sold 3":   {Name: Chat, Reason: commerce.Chat},
		"+1":       {Name: Chat, Reason: commerce.Chat},
		"3":        {Name: Chat, Reason: commerce.Chat},
		"is 3 on?": {Name: Question, Reason: commerce.Question},
	} {
		got := g.Parse(text, Context{OnAir: 3})
		got.Signature = 0
		if got != want {
			t.Errorf("Parse(%q) = %+v, want %+v", text, got, want)
		}
	}
}

func TestMuteNeverActs(t *testing.T) {
	g := NewGrammar(shelf(allStyles()), Options{})
	for _, text := range []string{"!buy 5", "sold 12 m", "A1+1", "5", "!pause", "!forget", "what?"} {
		if c := g.Parse(text, Context{OnAir: 12, Mute: true}); c != talk(Chat) {
			t.Errorf("Parse(%q) of a muted line = %+v", text, c)
		}
	}
}

// TestSignature: lines that ask for the same have one signature, all others have their own.
func TestSignature(t *testing.T) {
	g := NewGrammar(shelf(allStyles()), Options{})
	seen := map[uint64]string{}
	for _, same := range [][]string{
		{"!buy 5", "!BUY 5 please", "! buy #5", "b5 !buy", "sold 5", "5"},
		{"!buy 5 x2", "!buy 2 of b5", "sold 5 two"},
		{"b5+1", "5 + 1 🔥", "B5+1 b5+1"},
		{"!buy 12 m", "sold 12 medium"},
		{"!buy 12 l", "mine l"},
		{"!buy 12"},
		{"!wait 5", "sold next 5"},
		{"!pass 5", "pass 5"},
		{"!less 5", "!less 5 1"},
		{"!more 5"},
		{"!connect 482193"},
		{"!connect 482194"},
		{"!cart", "!link"},
	} {
		want := g.Parse(same[0], onAir(12)).Signature
		if want == 0 {
			t.Errorf("%q has no signature", same[0])
		}
		if other, ok := seen[want]; ok {
			t.Errorf("%q has the signature of %q", same[0], other)
		}
		seen[want] = same[0]
		for _, text := range same[1:] {
			if got := g.Parse(text, onAir(12)).Signature; got != want {
				t.Errorf("%q has another signature than %q", text, same[0])
			}
		}
	}
	for _, text := range []string{"hello", "what?", ""} {
		if got := g.Parse(text, onAir(12)).Signature; got != 0 {
			t.Errorf("%q has a signature", text)
		}
	}
}

func TestArgument(t *testing.T) {
	g := NewGrammar(shelf(boutiqueAndPlus()), Options{Custom: []string{"echo"}})
	for text, want := range map[string]string{
		"!echo Hello World":                 "Hello World",
		"！echo  Ｈｅｌｌｏ ":                     "Ｈｅｌｌｏ",
		"! echo Hi":                         "Hi",
		"@hawkerbot !echo Hi":               "Hi",
		"!echo a\u200b\x00b\tc":             "ab c",
		"!echo":                             "",
		"!echo " + strings.Repeat("ä", 300): strings.Repeat("ä", 200),
		"!echo one\n!echo two":              "one",
	} {
		if c := g.Parse(text, onAir(5)); c.Name != Custom || c.Word != "echo" || c.Arg != want {
			t.Errorf("Parse(%q) = %s %q %q, want %q", text, c.Name, c.Word, c.Arg, want)
		}
	}
}

func TestStock(t *testing.T) {
	g := NewGrammar(shelf(boutiqueAndPlus()), Options{})
	for text, want := range map[string]Command{
		"!stock 5 +5":     {Name: Stock, Item: 5, Variant: 500, Quantity: 5, Arg: "+5", Style: ByCommand},
		"!stock 5 -2":     {Name: Stock, Item: 5, Variant: 500, Quantity: 2, Arg: "-2", Style: ByCommand},
		"!stock 5 20":     {Name: Stock, Item: 5, Variant: 500, Quantity: 20, Arg: "20", Style: ByCommand},
		"!stock 5 0":      {Name: Stock, Item: 5, Variant: 500, Quantity: 0, Arg: "0", Style: ByCommand},
		"!stock 5":        {Name: Stock, Item: 5, Style: ByCommand, Reason: commerce.NeedsItem},
		"!stock 12 m +5":  {Name: Stock, Item: 12, Variant: 1201, Quantity: 5, Arg: "+5", Style: ByCommand},
		"!stock 12 +5 m":  {Name: Stock, Item: 12, Variant: 1201, Quantity: 5, Arg: "+5", Style: ByCommand},
		"!stock 12 +5":    {Name: Stock, Item: 12, Quantity: 5, Arg: "+5", Style: ByCommand, Reason: commerce.NeedsVariant},
		"!stock 14 38 10": {Name: Stock, Item: 14, Variant: 1402, Quantity: 10, Arg: "10", Style: ByCommand},
		"!stock +5 12 m":  {Name: Stock, Item: 12, Variant: 1201, Quantity: 5, Arg: "+5", Style: ByCommand},
		"!stock 21 +3":    {Name: Stock, Item: 21, Quantity: 3, Arg: "+3", Style: ByCommand, Reason: commerce.NeedsVariant},
		"!stock 21 3":     {Name: Stock, Item: 21, Style: ByCommand, Reason: commerce.NeedsItem},
		"!stock 5 2 3":    {Name: Stock, Item: 5, Style: ByCommand, Reason: commerce.NeedsItem},
		"!stock 5 2.5":    {Name: Stock, Item: 5, Style: ByCommand, Reason: commerce.NeedsItem},
		"!stock b5 20pcs": {Name: Stock, Item: 5, Variant: 500, Quantity: 20, Arg: "20", Style: ByCommand},
		"!stock 99 +5":    {Name: Stock, Item: 99, Style: ByCommand, Reason: commerce.UnknownItem},
		"!stock":          {Name: Stock, Style: ByCommand, Reason: commerce.NeedsItem},
	} {
		got := g.Parse(text, onAir(5))
		got.Signature = 0
		if got != want {
			t.Errorf("Parse(%q)\n got %+v\nwant %+v", text, got, want)
		}
	}
}
