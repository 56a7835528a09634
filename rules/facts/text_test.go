package facts

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"hawker/rules/rule"
)

func TestExpand(t *testing.T) {
	n := NewNames()
	for _, tt := range []struct {
		event    rule.Event
		in, want string
	}{
		{rule.OrderPaid, "{user} bought {qty} {item} ({variant}) for {total}: {order}", "ana bought 2 Mug (M / Blue) for €39.98: #1001"},
		{rule.OrderPaid, "{{{user}}} {{n}}", "{ana} {n}"},
		{rule.HoldMade, "#{n} {minutes} min, place {place}, {left} left, {price}", "#3 10 min, place 4, 4 left, €19.99"},
		{rule.Command, "{word} {args} {text}", "raffle blue please Is the blue one left?"},
		{rule.Line, "{counters.raffle} {counters.none} {vars.host}{vars.none} {tags} {show} {chance} {time} {day}", "12 0 Ana mug, ash Friday pots 42 20:15 fri"},
	} {
		p, fault := n.Parse(tt.in, tt.event, false)
		if fault != nil {
			t.Errorf("%q: %v", tt.in, fault)
			continue
		}
		if got, _ := p.Expand(sample(), nil); got != tt.want {
			t.Errorf("%q = %q, want %q", tt.in, got, tt.want)
		}
	}
	p, _ := n.Parse("{item} {link}", rule.Every, false)
	if got := p.Missing(sample()); got != "link" {
		t.Errorf("missing %q", got)
	}
	if _, keep := p.Expand(sample(), nil); !slices.Equal(keep, []Span{{0, 3}}) {
		t.Errorf("keep %v", keep)
	}
}

func TestFaultyTexts(t *testing.T) {
	n := NewNames()
	for _, tt := range []struct {
		event rule.Event
		in    string
		col   int
		has   string
	}{
		{rule.Subscribed, "Thanks {user}, order {order}", 23, `there is no order when it is "sub"; order is there for: order paid, order cancelled, order refunded`},
		{rule.Subscribed, "Thanks {usr}", 9, `nothing is called "usr" (did you mean user?); there are: {user} {platform}`},
		{rule.Subscribed, "é {user", 3, "the brace is not closed"},
		{rule.Subscribed, "user}", 5, "a closing brace without an opening one"},
		{rule.Subscribed, "a\nb", 2, "a line break"},
		{rule.Subscribed, "  ", 1, "the text is empty"},
		{rule.Subscribed, "{counters}", 2, "say which one: {counters.name}"},
		{rule.Subscribed, "{user.name}", 2, "user has no parts"},
		{rule.Subscribed, "{subscriber}", 2, "subscriber is yes or no"},
		{rule.Subscribed, "{code}", 2, "for the text of a discount code only"},
		{rule.Subscribed, strings.Repeat("é", 501), 501, "longer than 500"},
	} {
		if _, fault := n.Parse(tt.in, tt.event, false); fault == nil || fault.Column != tt.col || !strings.Contains(fault.Msg, tt.has) {
			t.Errorf("%q: %v; want column %d, %q", tt.in, fault, tt.col, tt.has)
		}
	}
	if _, fault := n.Parse("{code}", rule.Subscribed, true); fault != nil {
		t.Error(fault)
	}
}

func TestListIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range List() {
		if f.Name == "" || f.About == "" || f.Example == "" || seen[f.Name] {
			t.Errorf("fact %q says too little, or stands twice", f.Name)
		}
		seen[f.Name] = true
		if f.InText() && f.Kind != Table && f.text == nil || f.Kind != Text && f.Kind != Table && f.val == nil {
			t.Errorf("fact %q has no value", f.Name)
		}
		if f.val != nil {
			if got, want := kindOf(f.val(sample())), kindOf(f.sample()); got != want {
				t.Errorf("fact %q is %s, said to be %s", f.Name, got, want)
			}
		}
	}
	for _, name := range strings.Fields("user item n variant qty left minutes link place chance show price") {
		if !seen[name] {
			t.Errorf("no fact %q", name)
		}
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case int:
		return "int"
	case float64:
		return "float"
	case bool:
		return "bool"
	case []string:
		return "list"
	}
	return "text"
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"is the blue one left?", "is the blue one left?"},
		{"!buy 3", "buy 3"},
		{"/ban ana", "ban ana"},
		{"hi !so bob and /me", "hi so bob and me"},
		{"@everyone hi @ana", "everyone hi ana"},
		{"see https://evil.example/x", "see https evil. example/x"},
		{"example.com", "example. com"},
		{"ｅｘａｍｐｌｅ．ｃｏｍ", "example. com"},
		{"a.b.c", "a. b. c"},
		{"it costs 3.50 now.", "it costs 3.50 now."},
		{"1.2.3.4", "1. 2. 3. 4"},
		{"**bold** `code` ||x|| <@123> [a](http://b)", "bold code x 123 a(http b)"},
		{"a\r\nb\x00c\u202ed", "a bc d"},
		{"well... yes", "well... yes"},
		{"👩‍👩‍👧 nice", "👩‍👩‍👧 nice"},
		{"#3 is great", "3 is great"},
		{CodeMark + "x", "x"},
		{"{user}", "user"},
	} {
		got := Clean(tt.in)
		if tt.in == "a\r\nb\x00c\u202ed" {
			if strings.ContainsAny(got, "\r\n\x00\u202e") {
				t.Errorf("Clean(%q) = %q", tt.in, got)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"!buy", "@here a.b http://x.y", "\u202e", "👩‍👩‍👧", "x\r\n/ban y", "a。b", "．．", "1.a", "!\u200d!x", "x:////y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := Clean(s)
		if !utf8.ValidString(c) || utf8.RuneCountInString(c) > maxTyped || strings.ContainsAny(c, "@<>`*~|\\[]{}\r\n\x00"+CodeMark) || strings.Contains(c, "://") {
			t.Fatalf("Clean(%q) = %q", s, c)
		}
		if c != "" && strings.ContainsRune("!/.$?&%", []rune(c)[0]) || strings.Contains(c, " !") || strings.Contains(c, " /") {
			t.Fatalf("Clean(%q) = %q is a command", s, c)
		}
		r := []rune(c)
		for i := 1; i+1 < len(r); i++ {
			if r[i] == '.' && unicode.IsLetter(r[i-1]) && (unicode.IsLetter(r[i+1]) || unicode.IsDigit(r[i+1])) {
				t.Fatalf("Clean(%q) = %q is an address", s, c)
			}
		}
		if again := Clean(c); again != c {
			t.Fatalf("Clean(%q) = %q, cleaned again %q", s, c, again)
		}
	})
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		text  string
		keep  []Span
		limit int
		want  string
	}{
		{"short", nil, 5, "short"},
		{"ana and bob bought mugs", nil, 12, "ana and bob…"},
		{"thanks Ana Maria Lopez", []Span{{7, 22}}, 15, "thanks…"},
		{"thanks Ana, Bob, Cy", []Span{{7, 10}, {12, 15}, {17, 19}}, 18, "thanks Ana, Bob…"},
		{"Ana Maria Lopez bought", []Span{{0, 15}}, 8, "Ana Mar…"},
		{"ééééé ééé", nil, 7, "ééééé…"},
		{"👩‍👩‍👧👩‍👩‍👧", nil, 8, "👩‍👩‍👧…"},
		{"x", nil, 0, ""},
	} {
		if got := Cut(tt.text, tt.keep, tt.limit); got != tt.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tt.text, tt.limit, got, tt.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("thanks Ana Maria Lopez", 7, 22, 15)
	f.Add("👩‍👩‍👧 e\u0301", 0, 3, 4)
	f.Fuzz(func(t *testing.T, s string, from, to, limit int) {
		if !utf8.ValidString(s) || limit < 1 || limit > 100 || len(s) > 500 {
			return
		}
		got := Cut(s, []Span{{from, to}}, limit)
		if utf8.RuneCountInString(got) > limit || !utf8.ValidString(got) {
			t.Fatalf("Cut(%q, %d) = %q", s, limit, got)
		}
		if got == s {
			return
		}
		kept := strings.TrimSuffix(got, "…")
		if !strings.HasPrefix(s, kept) {
			t.Fatalf("Cut(%q) = %q", s, got)
		}
		if rest := strings.TrimLeft(s[len(kept):], " ,;:"); kept != "" && len(rest) == len(s)-len(kept) && !strings.Contains(kept, " ") {
			if n := uniseg.GraphemeClusterCount(kept) + uniseg.GraphemeClusterCount(rest); n != uniseg.GraphemeClusterCount(s) {
				t.Fatalf("Cut(%q) = %q goes through a character", s, got)
			}
		}
	})
}

// No text and no expression takes the program down; what compiles runs within its steps.
func FuzzExpr(f *testing.F) {
	for _, s := range []string{`all(1..1000, all(1..1000, # > 0))`, `"mug" in tags && n == 3`, `text matches "(a+)+$"`, `counters.x > 1 ? true : false`, `dice(6) == 1 ?? false`, `"abc"[1] == "b"`, `1 % 0 == 1`} {
		f.Add(s)
	}
	n := NewNames()
	f.Fuzz(func(t *testing.T, s string) {
		x, fault := n.Condition(s, rule.Contains)
		if fault != nil {
			if fault.Msg == "" || fault.Column < 0 || fault.Column > utf8.RuneCountInString(s)+2 {
				t.Fatalf("%q: %+v", s, fault)
			}
			return
		}
		r := &Runner{Steps: 1000}
		if _, err := r.Run(x, sample(), nil); err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
	})
}
