package book

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"hawker/rules"
)

// naive finds the words of a text one by one.
func naive(words []pattern, text string) []int32 {
	t := string(oneBlank([]byte(rules.Fold(text))))
	var out []int32
	for i := range words {
		w := string(words[i].text)
		for at := 0; ; at++ {
			k := strings.Index(t[at:], w)
			if k < 0 {
				break
			}
			at += k
			first, _ := utf8.DecodeRuneInString(w)
			last, _ := utf8.DecodeLastRuneInString(w)
			before, _ := utf8.DecodeLastRuneInString(t[:at])
			after, _ := utf8.DecodeRuneInString(t[at+len(w):])
			if !words[i].edges || !(at > 0 && joined(before, first)) && !(at+len(w) < len(t) && joined(last, after)) {
				out = append(out, int32(i))
				break
			}
		}
	}
	return out
}

// found are the words that the automaton finds, the way matchLine does.
func found(a *automaton, text string) []int32 {
	var out []int32
	folded := []byte(rules.Fold(text))
	ascii := true
	note := func(p, end int32) {
		w := &a.words[p]
		ok := false
		if ascii {
			ok = verify(w, text, int(end))
		} else {
			ok = verify(w, folded, int(end))
		}
		if ok && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	if !scan(a, text, false, note) {
		ascii, out = false, nil
		scan(a, folded, true, note)
	}
	slices.Sort(out)
	return out
}

func patterns(list string) []pattern {
	var out []pattern
	for i, w := range strings.Split(list, "|") {
		if t := wordText(rules.Fold(w)); len(t) > 0 {
			out = append(out, pattern{text: t, edges: i%2 == 0, rule: int32(len(out))})
		}
	}
	return out
}

func TestAutomaton(t *testing.T) {
	words := patterns("free followers|cheap|best viewers on|he|she|hers|free followers and likes|包邮|naïve|b.c|aaaa")
	for _, tt := range []struct {
		text string
		want []int32
	}{
		{"FREE   followers!", []int32{0}},
		{"carefree followers", nil},
		{"free followerships", nil},
		{"uncheaply", []int32{1, 3}},
		{"ushers", []int32{3, 5}},
		{"Best viewers ON twitch", []int32{2}},
		{"ＦＲＥＥ　ｆｏｌｌｏｗｅｒｓ and  LIKES", []int32{0, 6}},
		{"全场包邮哦", []int32{7}},
		{"so NAÏVE", []int32{8}},
		{"ab.cd", []int32{9}},
		{"aaaaaaaa", nil},
		{"free\tfollowers", []int32{0}},
	} {
		a := newAutomaton(words)
		if got := found(a, tt.text); !slices.Equal(got, tt.want) || !slices.Equal(naive(words, tt.text), tt.want) {
			t.Errorf("%q: %v, naive %v; want %v", tt.text, got, naive(words, tt.text), tt.want)
		}
	}
}

func FuzzAutomaton(f *testing.F) {
	f.Add("free followers|cheap|he|she|hers", "ushers are FREE  followers")
	f.Add("a b|  b|c|a b c d e f g h i", "a  b c d e  f g h  i")
	f.Add("ÀÉ|包邮|é|e", "cafe\u0301 ÀÉ 包邮")
	f.Fuzz(func(t *testing.T, list, text string) {
		if len(list) > 500 || len(text) > 2000 {
			return
		}
		words := patterns(list)
		a := newAutomaton(words)
		if a == nil {
			return
		}
		if got, want := found(a, text), naive(words, text); !slices.Equal(got, want) {
			t.Errorf("%q in %q: %v; want %v", list, text, got, want)
		}
	})
}

func TestLiterals(t *testing.T) {
	for _, tt := range []struct{ pattern, want string }{
		{`buy +followers`, "followers"},
		{`(cheap|free) viewers`, " viewers"},
		{`(cheap|free|best)`, "best cheap free"},
		{`\d+`, ""},
		{`.*`, ""},
		{`a|bcd`, ""},
		{`colou?r`, "colo"},
		{`(?-i)BUY now`, "buy now"},
		{`x{3}yz`, "yz"},
		{`straße`, "stra"},
		{`https?://bit\.ly/\w+`, "://bit.ly/"},
	} {
		var got []string
		for _, l := range literals(tt.pattern) {
			got = append(got, string(l))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.pattern, strings.Join(got, " "), tt.want)
		}
	}
}

// A pattern that matches a line has one of its literals in it.
func FuzzLiterals(f *testing.F) {
	f.Add(`buy +followers`, "BUY   followers")
	f.Add(`(?i)k(elvin)?s?`, "Kelvinſ")
	f.Add(`(ab|cd)+e{2,3}`, "ABCDee")
	f.Fuzz(func(t *testing.T, p, text string) {
		if len(p) > 100 || len(text) > 300 {
			return
		}
		if _, err := regexp.Compile(p); err != nil {
			return
		}
		re, _, err := compilePattern(p)
		if err != nil {
			return
		}
		list := literals(p)
		folded := rules.Fold(text)
		if len(list) == 0 || !re.MatchString(folded) {
			return
		}
		one := string(oneBlank([]byte(folded)))
		for _, l := range list {
			if strings.Contains(one, string(l)) {
				return
			}
		}
		t.Errorf("%q matches %q without %q", p, folded, list)
	})
}
