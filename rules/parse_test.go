package rules

import (
	"fmt"
	"strings"
	"testing"

	"hawker/commerce"
)

// shelf is the lineup of the tests. Variant ids are item*100 + position.
func shelf(s commerce.Styles) *commerce.Lineup {
	item := func(n int, code, title string, options []string, values ...string) commerce.Item {
		it := commerce.Item{Number: n, Code: code, Product: commerce.Product{Title: title, Options: options}}
		if len(values) == 0 {
			values = []string{""}
		}
		for i, v := range values {
			vr := commerce.Variant{ID: commerce.ID(n*100 + i)}
			if v != "" {
				vr.Options = strings.Split(v, "/")
			}
			it.Product.Variants = append(it.Product.Variants, vr)
		}
		return it
	}
	size, colour := []string{"Size"}, []string{"Colour"}
	return &commerce.Lineup{Styles: s, OnAir: 12, Items: []commerce.Item{
		item(1, "A1", "Sticker", nil),
		item(2, "A2", "Poster", []string{"Title"}, "Default Title"),
		item(3, "", "Shirt", size, "S", "M", "L", "XL"),
		item(5, "B5", "Bowl", nil),
		item(7, "", "Hoodie", []string{"Size", "Colour"}, "S/Black", "M/Black", "L/Black", "M/Navy Blue", "L/Navy Blue", "M/Green"),
		item(12, "C12", "Tee", size, "S", "M", "L", "XL", "2XL"),
		item(14, "", "Shoes", size, "36", "37", "38", "38.5", "39", "40"),
		item(20, "", "Scarf", colour, "Red", "Blue", "Green", "Anthracite", "Off-White"),
		item(21, "", "Ring", size, "2", "3", "6", "7"),
		item(30, "", "Cap", size, "M"),
		item(38, "", "Vase", nil),
	}}
}

func allStyles() commerce.Styles {
	return commerce.Styles{Boutique: true, Plus: true, NumberOnly: true}
}

// show writes a command as the corpus does: "buy 12 M x2".
func show(l *commerce.Lineup, c Command) string {
	var b strings.Builder
	switch c.Reason {
	case commerce.NeedsItem:
		return "ask item"
	case commerce.UnknownItem:
		return fmt.Sprintf("unknown %d", c.Item)
	case commerce.NeedsVariant:
		return fmt.Sprintf("ask variant %d", c.Item)
	case commerce.NotOnSale:
		return "not on sale"
	}
	b.WriteString(string(c.Name))
	if c.Item > 0 {
		fmt.Fprintf(&b, " %d", c.Item)
	}
	if it := l.Item(c.Item); it != nil {
		if v := it.Variant(c.Variant); v != nil && len(v.Options) > 0 && v.Options[0] != "Default Title" {
			b.WriteString(" " + strings.Join(v.Options, "/"))
		}
	}
	if c.Quantity > 1 || (c.Name == Less || c.Name == More) && c.Quantity > 0 {
		fmt.Fprintf(&b, " x%d", c.Quantity)
	}
	if c.Add {
		b.WriteString(" add")
	}
	if c.Arg != "" {
		b.WriteString(" " + c.Arg)
	}
	return b.String()
}

// parsing is one row of a table: a line, and what it means on the shelf as show writes it. Item 12 is on air, boutique
// and plus style are on, number only is off, the language is English, unless the test says otherwise.
type parsing struct{ text, want string }

func testParse(t *testing.T, styles commerce.Styles, o Options, in Context, rows []parsing) {
	t.Helper()
	l := shelf(styles)
	g := NewGrammar(l, o)
	for _, r := range rows {
		if got := show(l, g.Parse(r.text, in)); got != r.want {
			t.Errorf("Parse(%q) is %q, want %q", r.text, got, r.want)
		}
	}
}

func boutiqueAndPlus() commerce.Styles { return commerce.Styles{Boutique: true, Plus: true} }

func onAir(n int) Context { return Context{OnAir: n, Bots: []string{"hawkerbot", "4242"}} }

// TestForms is the table of accepted forms, each with its style on and off.
func TestForms(t *testing.T) {
	forms := []struct {
		styles  commerce.Styles
		in      Context
		on, off []parsing // with these styles alone; with all others but these
	}{
		{commerce.Styles{}, onAir(5), []parsing{ // commands need no style
			{"!buy 3 M", "buy 3 M"},
			{"!buy 3 M x2", "buy 3 M x2"},
			{"!buy", "buy 5"},
			{"!buy 5", "buy 5"},
			{"!buy 3", "ask variant 3"},
			{"!wait 12 m", "wait 12 M"},
			{"!wait", "wait 5"},
		}, nil},
		{commerce.Styles{Boutique: true}, onAir(5), []parsing{
			{"sold 12 M", "buy 12 M"},
			{"sold 12 m 2", "buy 12 M x2"},
			{"mine 12 L", "buy 12 L"},
			{"me 12 L", "buy 12 L"},
			{"12 sold L", "buy 12 L"},
			{"12 L sold", "buy 12 L"},
			{"sold next 12 s", "wait 12 S"},
			{"sold next 12", "ask variant 12"},
			{"pass 12", "pass 12"},
		}, []parsing{
			{"sold 12 M", "chat"}, {"mine 12 L", "chat"}, {"me 12 L", "chat"}, {"12 L sold", "chat"}, {"sold next 12 s", "chat"}, {"pass 12", "chat"},
		}},
		{commerce.Styles{Plus: true}, onAir(5), []parsing{
			{"A1+1", "buy 1 add"}, {"a1 + 2", "buy 1 x2 add"}, {"+1", "buy 5 add"}, {"5+3", "buy 5 x3 add"}, {"12+3 m", "buy 12 M x3 add"},
		}, []parsing{{"A1+1", "chat"}, {"a1 + 2", "chat"}, {"+1", "chat"}, {"5+3", "chat"}}},
		{commerce.Styles{NumberOnly: true}, onAir(5), []parsing{
			{"5", "buy 5"}, {"12 m", "buy 12 M"}, {"B5", "buy 5"}, {"12", "ask variant 12"},
		}, []parsing{{"5", "chat"}, {"12 m", "chat"}, {"B5", "chat"}}},
	}
	for _, f := range forms {
		testParse(t, f.styles, Options{}, f.in, f.on)
		off := commerce.Styles{Boutique: !f.styles.Boutique, Plus: !f.styles.Plus, NumberOnly: !f.styles.NumberOnly}
		testParse(t, off, Options{}, f.in, f.off)
	}
}

// TestRules goes through the product's rules of the grammar, in their order.
func TestRules(t *testing.T) {
	for _, tt := range []struct {
		name   string
		styles commerce.Styles
		o      Options
		in     Context
		rows   []parsing
	}{
		{"upper case, full width, emoji and punctuation make no difference", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"!BUY 5", "buy 5"},
			{"！ＢＵＹ　５", "buy 5"},
			{"🔥!buy... 5!!! 🔥", "buy 5"},
			{"Sold 12 (M)", "buy 12 M"},
			{"ＳＯＬＤ １２ Ｍ", "buy 12 M"},
			{"a１＋１", "buy 1 add"},
			{"!buy\t5", "buy 5"},
			{"!buy\u00a05", "buy 5"},
			{"  !buy  5  ", "buy 5"},
		}},
		{"order of the parts", boutiqueAndPlus(), Options{}, onAir(5), []parsing{
			{"12 m x2 !buy", "buy 12 M x2"}, {"!buy x2 m 12", "ask item"}, {"!buy x2 12 m", "buy 12 M x2"}, {"x2 sold 12 m", "buy 12 M x2"}, {"m 12 sold", "ask item"},
		}},
		{"the first number is the item", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"!buy 5 2", "buy 5 x2"},
			{"!buy 3 m", "buy 3 M"},
			{"!buy 4", "unknown 4"},
			{"!buy a1 b5", "ask item"},
			{"!buy a1 5", "buy 1 x5"},
			{"!buy a1 3", "buy 1 x3"},
			{"!buy 3 of 12 m", "buy 12 M x3"},
			{"!buy 3 of a1", "buy 1 x3"},
			{"sold 3 of 12 m", "buy 12 M x3"},
			{"!buy m 2", "ask item"},
		}},
		{"a bare number after the item", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"sold 14 38", "buy 14 38"},
			{"sold 12 m 38", "ask item"},
			{"sold 5 2", "buy 5 x2"},
			{"sold 2 12 m", "ask item"},
			{"sold 5 8", "buy 5 x8"},
			{"!buy 21 3", "buy 21 3"},
			{"!buy 21 3 3", "ask variant 21"},
			{"!buy 21 4", "ask variant 21"},
			{"!buy 21 3 9", "ask item"},
		}},
		{"a keyword or plus alone means what is on air, and only that", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"mine m", "buy 12 M"}, {"that is mine haha", "chat"}, {"me too", "chat"}, {"+1 to that", "chat"}, {"+1 m", "buy 12 M add"}, {"mine", "ask variant 12"},
		}},
		{"within three seconds of a change the item is asked", boutiqueAndPlus(), Options{}, Context{OnAir: 5, Unsure: true}, []parsing{
			{"!buy", "ask item"}, {"mine", "ask item"}, {"+1", "ask item"}, {"!buy 5", "buy 5"}, {"a1+1", "buy 1 add"}, {"!item", "item 5"},
		}},
		{"nothing on air", boutiqueAndPlus(), Options{}, onAir(0), []parsing{
			{"!buy", "ask item"}, {"mine", "chat"}, {"+1", "chat"}, {"mine m", "chat"}, {"!buy 5", "buy 5"}, {"!item", "ask item"}, {"!pass", "pass"},
		}},
		{"plus forms add, the others replace", boutiqueAndPlus(), Options{}, onAir(5), []parsing{
			{"+2", "buy 5 x2 add"}, {"A1+2", "buy 1 x2 add"}, {"!buy 5 +2", "buy 5 x2"}, {"sold 5 +2", "buy 5 x2"}, {"mine +2", "buy 5 x2"}, {"!buy 5 x2", "buy 5 x2"},
		}},
		{"questions", commerce.Styles{Boutique: true, Plus: true, NumberOnly: true}, Options{}, onAir(12), []parsing{
			{"is 12 sold?", "question"},
			{"is 12 sold", "question"},
			{"12 m？", "question"},
			{"sold 12 m❓", "question"},
			{"how do i get sold 12 m", "question"},
			{"!buy 5?", "buy 5"},
			{"!why?", "why"},
			{"sold 12 m does", "chat"},
			{"does sold 12 m", "question"},
			{"whatsoever", "chat"},
			{"5?", "question"},
		}},
		{"quotes", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"> !buy 5", "chat"},
			{"`!buy 5`", "chat"},
			{"```\n!buy 5\n```", "chat"},
			{"||!buy 5||", "chat"},
			{"~~sold 5~~", "chat"},
			{"\"sold 5\"", "chat"},
			{"„sold 5“", "chat"},
			{"« !buy 5 »", "chat"},
			{"»!buy 5«", "chat"},
			{"» !buy 5", "chat"},
			{"「!buy 5」", "chat"},
			{"'mine 5'", "chat"},
			{"> he said\n!buy 5", "buy 5"},
			{"nice\n!buy 5", "chat"},
			{"!buy 5 `b5`", "buy 5"},
		}},
		// The rules sharpened.
		{"other words", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"!buy 5 that one for my mom's birthday", "buy 5"},
			{"sold 5 for my mom", "chat"},
			{"A1+1 for mom", "chat"},
			{"sold 5 please thanks", "buy 5"},
			{"sold 5 Kappa", "buy 5"},
			{"sold 12 size m in", "buy 12 M"},
			{"sold 12 mom's", "chat"},
			{"sold 5 shop.example", "chat"},
			{"sold 5 :fire:", "buy 5"},
			{"sold 5 @bob", "chat"},
			{"!buy 5 shop.example/p?x=12", "buy 5"},
			{"sold i'm 5", "chat"},
			{"no sold 5", "chat"},
			{"sold 5 no", "chat"},
			{"A1+1 no", "chat"},
			{"sold no. 5", "buy 5"},
			{"mine item 5", "buy 5"},
			{"sold 5 sorry", "chat"},
			{"!pass 12 sorry", "pass 12"},
			{"!pass 12 oops", "pass 12"},
		}},
		{"a keyword alone", boutiqueAndPlus(), Options{}, onAir(5), []parsing{
			{"me", "chat"}, {"mine", "buy 5"}, {"sold", "buy 5"}, {"+1", "buy 5 add"}, {"me +1", "chat"}, {"mine purple", "chat"}, {"sold m 2", "chat"}, {"mine x2", "buy 5 x2"},
		}},
		{"keyword, value and one bare number", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"sold m 2", "ask item"}, {"mine XL 5", "ask item"}, {"sold red 2", "chat"}, {"sold m 99", "ask item"},
		}},
		{"a keyword in a reply", boutiqueAndPlus(), Options{}, Context{OnAir: 5, Reply: true, ReplyTo: "Ana"}, []parsing{
			{"mine", "chat"},
			{"sold", "chat"},
			{"+1", "chat"},
			{"mine 5", "buy 5"},
			{"@ana mine 5", "buy 5"},
			{"@ana !buy", "buy 5"},
			{"@bob mine 5", "chat"},
			{"@hawkerbot mine 5", "chat"},
		}},
		{"numbers beside the item", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"!buy 14 38 x2", "buy 14 38 x2"},
			{"!buy 14 38 2", "buy 14 38 x2"},
			{"!buy 5 5", "buy 5 x5"},
			{"!buy 5 7", "ask item"},
			{"!buy 5 8", "buy 5 x8"},
			{"!buy 14 38 8", "ask item"},
			{"!buy 5 2 3", "ask item"},
			{"!buy 5, 2", "ask item"},
			{"!buy 5 and 2", "ask item"},
			{"!buy 5.2", "ask item"},
			{"!buy x5", "ask variant 12"},
			{"!buy 5x", "ask variant 12"},
			{"3 of 12 sold m", "chat"},
			{"sold 2 of 12 m", "buy 12 M x2"},
		}},
		{"variants", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"!buy 12 m", "buy 12 M"},
			{"!buy 12 medium", "buy 12 M"},
			{"!buy 12 extra large", "buy 12 XL"},
			{"!buy 20 anth", "buy 20 Anthracite"},
			{"!buy 20 antracite", "buy 20 Anthracite"},
			{"!buy 20 an", "ask variant 20"},
			{"!buy 20 anthracitee", "buy 20 Anthracite"},
			{"!buy 20 anhtracite", "buy 20 Anthracite"},
			{"!buy 20 bleu", "buy 20 Blue"},
			{"!buy 20 bule", "ask variant 20"},
			{"!buy 20 purple", "ask variant 20"},
			{"!buy 30 L", "ask variant 30"},
			{"!buy 30", "buy 30 M"},
			{"!buy 12 m or l", "ask variant 12"},
			{"!buy 12 M L", "ask variant 12"},
			{"!buy 7 m", "ask variant 7"},
			{"!buy 7 s", "buy 7 S/Black"},
			{"!buy 7 green", "buy 7 M/Green"},
			{"!buy 7 navy m", "buy 7 M/Navy Blue"},
			{"!buy 7 s green", "ask variant 7"},
			{"!buy 20 navy", "ask variant 20"},
		}},
		{"place of the command", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"hey !buy 5", "chat"},
			{"12 m !buy", "buy 12 M"},
			{"Kappa cheer100 !buy 5", "buy 5"},
			{"@HAWKERBOT: !buy 5", "buy 5"},
			{"<@4242> !buy 5", "buy 5"},
			{"@bob !buy 5", "chat"},
			{"5 !buy it", "chat"},
			{"<3 !buy 5", "buy 5"},
			{"x2 !buy 5", "chat"},
		}},
		{"equal or ignored", boutiqueAndPlus(), Options{}, onAir(12), []parsing{
			{"!buy 5️⃣", "buy 5"},
			{"!buy 🅱️5", "buy 5"},
			{"!b\u200bu\u2060y 5", "buy 5"},
			{"!buy 5 8)", "buy 5"},
			{"sold 12 m <3", "buy 12 M"},
			{"!buy 12m", "buy 12 M"},
			{"!buy5", "buy 5"},
			{"!buy5g", "ask item"},
			{"!buy A 1", "ask item"},
			{"!buy A-1", "ask item"},
			{"!buy а1", "ask item"},
			{"sоld 5", "chat"},
			{"!buy ٥", "buy 5"},
			{"!buy " + strings.Repeat("\u200b", 500) + "5", "buy 5"},
			{strings.Repeat("🔥 ", 90) + "!buy 5", "buy 5"},
			{"!buy " + strings.Repeat("a", 300), "chat"},
			{"!buy 5 " + strings.Repeat("a", 300), "buy 5"},
			{"sold 5 " + strings.Repeat("a", 300), "chat"},
			{strings.Repeat("a ", 100) + "!buy 5", "chat"},
		}},
		{"amounts", boutiqueAndPlus(), Options{}, onAir(5), []parsing{
			{"!buy 5 x2", "buy 5 x2"},
			{"!buy 5 2x", "buy 5 x2"},
			{"!buy 5 qty 2", "buy 5 x2"},
			{"!buy 5 2 pcs", "buy 5 x2"},
			{"!buy 5 2pcs", "buy 5 x2"},
			{"!buy 5 2 pieces", "buy 5 x2"},
			{"!buy 5 x 2", "buy 5 x2"},
			{"!buy 5 ×2", "buy 5 x2"},
			{"!buy 5 two", "buy 5 x2"},
			{"!buy ten", "buy 5 x10"},
			{"!buy 5 eleven", "buy 5"},
			{"!buy 5 zwei", "buy 5"},
			{"!buy 5 x9999", "buy 5 x9999"},
			{"!buy 5 x0", "ask item"},
			{"!buy 5 x10000", "ask item"},
			{"!buy 5 x1.5", "ask item"},
			{"!buy 5 x2 x2", "buy 5 x2"},
			{"!buy 5 x2 x3", "ask item"},
			{"!buy 5 x2 3", "ask item"},
			{"!buy 5 x99999999999999999999", "ask item"},
			{"!buy 5 -2", "ask item"},
			{"!buy 99999999999999999999", "ask item"},
		}},
		{"plus forms", boutiqueAndPlus(), Options{}, onAir(5), []parsing{
			{"+5", "buy 5 x5 add"},
			{"+6", "chat"},
			{"+0", "chat"},
			{"a1+6", "buy 1 x6 add"},
			{"a1+12", "ask item"},
			{"sold 5 +2", "buy 5 x2"},
			{"A1+1 a1+1", "buy 1 add"},
			{"a1+1 b5+1", "ask item"},
			{"+12", "chat"},
			{"A1", "chat"},
			{"A1-1", "chat"},
			{"a1+x", "chat"},
			{"12m+1", "buy 12 M add"},
			{"+1 +2", "ask item"},
		}},
		{"less, more and the words without a sign", boutiqueAndPlus(), Options{}, onAir(5), []parsing{
			{"!less 3", "less 3 x1"},
			{"!more 3 2", "more 3 x2"},
			{"!less 5 20", "less 5 x20"},
			{"!less", "ask item"},
			{"!sold", "buy 5"},
			{"!mine", "buy 5"},
			{"!me", "me"},
			{"!me 12", "me"},
			{"pass", "chat"},
			{"pass 5", "pass 5"},
			{"!pass", "pass"},
			{"!pass 12", "pass 12"},
			{"cart", "chat"},
			{"less 3", "chat"},
		}},
		{"number only", commerce.Styles{Boutique: true, Plus: true, NumberOnly: true}, Options{}, onAir(5), []parsing{
			{"5", "buy 5"},
			{"#5!", "buy 5"},
			{"5. 🔥", "buy 5"},
			{"b5", "buy 5"},
			{"12 m x2", "buy 12 M x2"},
			{"5€", "chat"},
			{"5%", "chat"},
			{"-5", "chat"},
			{"5:12", "chat"},
			{"5/12", "chat"},
			{"5,12", "chat"},
			{"5.12", "chat"},
			{"5 pls", "chat"},
			{"99", "chat"},
			{"+5", "buy 5 x5 add"},
			{"5 12", "chat"},
			{"m", "chat"},
			{"38.5", "chat"},
		}},
		{"question words are the language's and English ones", boutiqueAndPlus(), Options{Language: "de"}, onAir(12), []parsing{
			{"sold 12 m wann", "question"}, {"ist sold 12 m", "question"}, {"sold 12 m when", "question"}, {"cuándo sold 12 m", "chat"}, {"sold 12 m zwei", "buy 12 M x2"},
		}},
		{"question words of no other language", boutiqueAndPlus(), Options{Language: "en"}, onAir(12), []parsing{{"sold 12 m wann", "chat"}, {"wann 12", "chat"}}},
		{"taps are the equal line, without guessing twice", commerce.Styles{}, Options{}, Context{OnAir: 5, Tap: true}, []parsing{
			{"!buy 12 M x2", "buy 12 M x2"}, {"!buy 5", "buy 5"}, {"!buy 12", "ask variant 12"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { testParse(t, tt.styles, tt.o, tt.in, tt.rows) })
	}
}
