package rules

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"hawker/rules/words"
)

// picked is what the words of a line say about an item's variants.
type picked struct {
	value [maxOptions]int16 // -1 for an option not named
	first int               // the first token that names a value, -1 for none
	words int               // words that match nothing
	// conflict: two values of one option; any: some value was named; unmatched: words > 0.
	conflict, any, unmatched bool
}

// variant reads the words of a line, and numbers that are sizes, as values of the item w, and marks them used.
func (l *line) variant(w *itemWords) picked {
	p := picked{value: [maxOptions]int16{-1, -1, -1, -1}, first: -1}
	for i := 0; i < len(l.t); i++ {
		t := &l.t[i]
		if t.used || t.kind != kWord && t.kind != kNumber && t.kind != kDecimal || t.kind == kNumber && (l.at(i-1) == kPlus || l.at(i-1) == kMinus) {
			continue
		}
		h, n := l.find(w, i)
		if n == 0 {
			switch {
			case t.kind != kWord:
			case t.word.class.Has(words.Courtesy | words.Option | words.Regret):
				t.used = t.word.class.Has(words.Option)
			case t.word.n > 0 || t.word.class.Has(words.And|words.Or|words.Times|words.Unit|words.Qty|words.Of|words.Line):
			default:
				p.words++
			}
			continue
		}
		if p.first < 0 {
			p.first = i
		}
		p.any = true
		if old := p.value[h.option]; old >= 0 && (old != h.value || t.kind == kNumber) {
			p.conflict = true
		}
		p.value[h.option] = h.value
		for k := range n {
			l.t[i+k].used = true
		}
		if j := i + n; j+1 < len(l.t) && l.t[j].kind == kWord && l.t[j].word.class.Has(words.And|words.Or) {
			if _, m := l.find(w, j+1); m > 0 {
				l.t[j].used = true
			}
		}
		i += n - 1
	}
	named := 0
	for _, v := range p.value {
		if v >= 0 {
			named++
		}
	}
	p.unmatched = p.words > 0 && named < w.options()
	return p
}

// options is how many options the item's variants have.
func (w *itemWords) options() int {
	n := 0
	for i := range w.variants {
		for o, v := range w.variants[i].values {
			if v >= 0 {
				n = max(n, o+1)
			}
		}
	}
	return n
}

// find reads the value that begins at token i and how many tokens it takes, 0 for none. The steps are the product's: exact
// value or alias, the longest first; a prefix of 3 letters or more; one typo in words of 5 letters or more.
func (l *line) find(w *itemWords, i int) (hit, int) {
	var store [96]byte
	for n := min(w.longest, len(l.t)-i); n > 0; n-- {
		k := store[:0]
		for j := i; j < i+n; j++ {
			t := &l.t[j]
			if t.used || t.kind != kWord && t.kind != kNumber && (t.kind != kDecimal || n > 1) {
				k = nil
				break
			}
			if len(k) > 0 {
				k = append(k, ' ')
			}
			k = append(k, l.text(t)...)
		}
		if k == nil {
			continue
		}
		h, ok := w.exact[string(k)]
		if !ok && n == 1 {
			if l.t[i].kind == kDecimal {
				if c := bytes.IndexByte(k, ','); c >= 0 {
					k[c] = '.'
					h, ok = w.exact[string(k)]
				}
			} else if bytes.IndexByte(k, '-') >= 0 { // a value that is written with a hyphen
				h, ok = w.exact[string(bytes.ReplaceAll(k, []byte("-"), []byte(" ")))]
			}
		}
		if ok {
			if h.tie {
				return hit{}, 0
			}
			return h, n
		}
	}
	t := &l.t[i]
	if t.kind != kWord || t.word.n > 0 || t.word.class&^(words.Question|words.First) != 0 {
		return hit{}, 0
	}
	if h, ok := w.near(l.text(t)); ok {
		return h, 1
	}
	return hit{}, 0
}

// near finds the one value that t is the beginning of, or else the one that t is a typo of.
func (w *itemWords) near(t []byte) (hit, bool) {
	runes := runeCount(t)
	if runes < 3 || len(w.keys) == 0 {
		return hit{}, false
	}
	var found hit
	n := 0
	count := func(h hit) {
		if h.tie {
			n = 2
		} else if n == 0 || found != h {
			found = h
			n++
		}
	}
	// Comparing with string(t) costs no memory, a variable of that value may.
	first := sort.Search(len(w.keys), func(i int) bool { return w.keys[i] >= string(t) })
	for i := first; i < len(w.keys) && len(w.keys[i]) >= len(t) && w.keys[i][:len(t)] == string(t); i++ {
		count(w.exact[w.keys[i]])
	}
	if n > 0 {
		return found, n == 1
	}
	if runes < 5 {
		return hit{}, false
	}
	for _, k := range w.keys {
		if oneTypo(t, k) {
			count(w.exact[k])
		}
	}
	return found, n == 1
}

// oneTypo reports whether b, of 5 letters or more, is a with one letter put in, left out, changed, or two neighbours
// swapped.
func oneTypo(a []byte, b string) bool {
	if d := len(a) - len(b); d > utf8.UTFMax || d < -utf8.UTFMax || utf8.RuneCountInString(b) < 5 || string(a) == b {
		return false
	}
	for len(a) > 0 && b != "" {
		x, n := utf8.DecodeRune(a)
		y, m := utf8.DecodeRuneInString(b)
		if x == y {
			a, b = a[n:], b[m:]
			continue
		}
		x2, n2 := utf8.DecodeRune(a[n:])
		y2, m2 := utf8.DecodeRuneInString(b[m:])
		return string(a[n:]) == b[m:] || string(a[n:]) == b || string(a) == b[m:] || x == y2 && y == x2 && string(a[n+n2:]) == b[m+m2:]
	}
	return runeCount(a)+utf8.RuneCountInString(b) == 1
}
