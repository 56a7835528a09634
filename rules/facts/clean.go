package facts

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/unicode/norm"
)

// maxTyped is how much of what somebody typed stands in a text of ours, in code points.
const maxTyped = 200

// Clean is what a viewer typed as it may stand in a line of ours: one line without control marks, in which no mention, link,
// command or markup is left. Words stay readable: "see example.com" becomes "see example. com". What lang.Name does for names,
// this does for texts, where blanks and points are wanted.
func Clean(s string) string {
	if short(s) {
		return s
	}
	// A step can bring together what a later one takes apart; nothing moves after the second time in all text seen, the bound keeps
	// the loop safe.
	for range 8 {
		next := cleanOnce(s)
		if next == s {
			break
		}
		s = next
	}
	return s
}

// short reports whether s is one plain word, as most names and counters are.
func short(s string) bool {
	if len(s) > maxTyped {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func cleanOnce(s string) string {
	if len(s) > 16*maxTyped {
		s = s[:16*maxTyped]
	}
	s = norm.NFKC.String(strings.ToValidUTF8(s, ""))
	s = strings.ReplaceAll(s, "://", " ")
	var b strings.Builder
	runes := []rune(s)
	start := true // of a word
	for i, r := range runes {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			if !start || b.Len() > 0 && !strings.HasSuffix(b.String(), " ") {
				b.WriteByte(' ')
			}
			start = true
			continue
		case r != '\u200d' && unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == unicode.ReplacementChar:
			continue
		case strings.ContainsRune("@<>`*~|\\[]{}", r):
			continue
		case start && strings.ContainsRune("!/.$?&%^;=", r), start && b.Len() == 0 && strings.ContainsRune("#+-_:,", r):
			continue // other programs take a word with such a sign at its front for a command
		case (r == '.' || r == '。') && dotted(runes, i):
			b.WriteString(". ")
			start = true
			continue
		}
		b.WriteRune(r)
		start = false
	}
	return cutRunes(strings.TrimSpace(b.String()), maxTyped)
}

// dotted reports whether a point joins two words, as in an address; "3.50" is a number.
func dotted(r []rune, i int) bool {
	if i == 0 || i+1 == len(r) {
		return false
	}
	word := func(x rune) bool {
		return unicode.IsLetter(x) || unicode.IsNumber(x) || x == '-' || x == '_' || unicode.IsMark(x) || x == '\u200d' || unicode.IsSymbol(x)
	}
	a, b := r[i-1], r[i+1]
	if !word(a) || !(word(b) || b == '.' || b == '。') {
		return false
	}
	if unicode.IsDigit(a) && unicode.IsDigit(b) {
		lo, hi := i-1, i+1
		for lo >= 0 && unicode.IsDigit(r[lo]) {
			lo--
		}
		for hi < len(r) && unicode.IsDigit(r[hi]) {
			hi++
		}
		// Alone between other signs it is a number; beside letters or more points it may be an address.
		return lo >= 0 && (word(r[lo]) || r[lo] == '.') || hi < len(r) && (word(r[hi]) || r[hi] == '.')
	}
	return word(b)
}

// Span is a part of a text, in bytes.
type Span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Cut shortens a text to limit code points, a sign that something is missing among them. It drops whole words and whole values:
// keep are the parts that are not to be cut through. Only where the very first is longer than the limit it is cut, between two
// characters as people see them.
func Cut(text string, keep []Span, limit int) string {
	if limit <= 0 {
		return ""
	}
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return text
	}
	// most is the longest prefix that fits beside the sign.
	most, n := 0, 0
	for i := range text {
		if n == limit-1 {
			most = i
			break
		}
		n++
	}
	best := -1
	for i := most; i > 0; i-- {
		if (text[i] == ' ' || i > 0 && text[i-1] == ' ') && !within(keep, i) {
			best = i
			break
		}
	}
	if best > 0 {
		if s := strings.TrimRight(text[:best], " ,;:"); s != "" {
			return s + "…"
		}
	}
	return strings.TrimRight(cutGraphemes(text, limit-1), " ") + "…"
}

func within(keep []Span, i int) bool {
	for _, k := range keep {
		if i > k.From && i < k.To {
			return true
		}
	}
	return false
}

// cutRunes shortens a text to limit code points between two characters as people see them.
func cutRunes(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	return strings.TrimSpace(cutGraphemes(s, limit))
}

func cutGraphemes(s string, limit int) string {
	end, n, state := 0, 0, -1
	for rest := s; rest != ""; {
		var c string
		c, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if n += utf8.RuneCountInString(c); n > limit {
			break
		}
		end += len(c)
	}
	return s[:end]
}
