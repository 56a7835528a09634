package book

import (
	"math/bits"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hawker/rules"
	"hawker/rules/rule"
)

// A pattern is read against folded text without regard to case, which is small letters already.

// compilePattern compiles a pattern of a rule, and tells how many instructions it has.
func compilePattern(p string) (re *regexp.Regexp, size int, err error) {
	re, err = regexp.Compile("(?i:" + p + ")")
	return re, rule.PatternSize(p), err
}

// Bounds of the literals of one pattern: shorter ones stand in too many lines, more of them cost more than they save.
const (
	minLiteral  = 2
	maxLiterals = 32
)

// literals are texts of which one at least stands in every line that p matches; nil when there are none.
func literals(p string) [][]byte {
	re, err := syntax.Parse("(?i:"+p+")", syntax.Perl)
	if err != nil {
		return nil
	}
	set := required(re.Simplify())
	out := make([][]byte, 0, len(set))
	for _, s := range set {
		s = oneBlank(s)
		if len(s) < minLiteral {
			return nil
		}
		out = append(out, s)
	}
	if len(out) == 0 || len(out) > maxLiterals {
		return nil
	}
	slices.SortFunc(out, slices.Compare)
	return slices.CompactFunc(out, func(a, b []byte) bool { return string(a) == string(b) })
}

// required is a set of texts of which one stands in all that re matches; empty when nothing is known.
func required(re *syntax.Regexp) [][]byte {
	switch re.Op {
	case syntax.OpLiteral:
		var best, run []byte
		for _, r := range append(slices.Clone(re.Rune), -1) {
			if r >= 0 && r < utf8.RuneSelf { // what folding does to others depends on their neighbours
				run = append(run, rules.FoldASCII(byte(r)))
				continue
			}
			if len(run) > len(best) {
				best = run
			}
			run = nil
		}
		if len(best) > 0 {
			return [][]byte{best}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		var best [][]byte
		for _, s := range re.Sub {
			if set := required(s); better(set, best) {
				best = set
			}
		}
		return best
	case syntax.OpAlternate:
		var all [][]byte
		for _, s := range re.Sub {
			set := required(s)
			if len(set) == 0 || len(all)+len(set) > maxLiterals {
				return nil
			}
			all = append(all, set...)
		}
		return all
	}
	return nil
}

// better reports whether set a tells more than b: its shortest text is longer.
func better(a, b [][]byte) bool { return shortest(a) > shortest(b) }

func shortest(set [][]byte) int {
	n := 0
	for i, s := range set {
		if i == 0 || len(s) < n {
			n = len(s)
		}
	}
	return n
}

// charset is a set of bytes of ASCII, folded; its last bit stands for all others.
type charset [2]uint64

// others is the byte that stands for those which are not ASCII.
const others = 0x7f

func (b *charset) add(r rune) {
	c := byte(others)
	if r < utf8.RuneSelf {
		c = rules.FoldASCII(byte(r))
	}
	b[c>>6] |= 1 << (c & 63)
}

func (b *charset) any(of *charset) bool { return b[0]&of[0] != 0 || b[1]&of[1] != 0 }

func (b *charset) size() int { return bits.OnesCount64(b[0]) + bits.OnesCount64(b[1]) }

// bytesOf are the bytes of a line that is not folded.
func bytesOf(text string) charset {
	var low, high uint64
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf {
			c = others
		}
		if m := uint64(1) << (c & 63); c < 64 {
			low |= m
		} else {
			high |= m
		}
	}
	const controls, capitals = 1<<' ' - 1, (1<<26 - 1) << ('A' - 64)
	if low&controls != 0 || high>>(others&63) != 0 { // byte 0x7f is others, too
		low |= 1 << ' '
	}
	return charset{low, high | high&capitals<<('a'-'A')}
}

// mustHave is what stands in every text that a pattern matches: so many bytes of a set at least. With least 0 nothing is known.
type mustHave struct {
	set   charset
	least int
	few   string // the bytes of set and their capitals, when they are so few that each is looked for
}

// fewBytes is how many bytes are looked for one by one.
const fewBytes = 6

// mayMatch reports whether a line of ASCII that is not folded may match.
func (m *mustHave) mayMatch(line string) bool {
	switch {
	case m.least == 0:
		return true
	case m.few == "":
		b := bytesOf(line)
		return b.any(&m.set)
	}
	for i := range len(m.few) {
		if strings.IndexByte(line, m.few[i]) >= 0 {
			return true
		}
	}
	return false
}

// in reports whether a folded text has it.
func (m *mustHave) in(text []byte) bool {
	n := m.least
	for i := 0; n > 0; i++ {
		if i == len(text) {
			return false
		}
		c := min(text[i], others)
		n -= int(m.set[c>>6] >> (c & 63) & 1)
	}
	return true
}

// mustHaveOf is what a pattern must have.
func mustHaveOf(p string) mustHave {
	re, err := syntax.Parse("(?i:"+p+")", syntax.Perl)
	if err != nil {
		return mustHave{}
	}
	m := needed(re)
	var few []byte
	for c := byte(0); c < utf8.RuneSelf; c++ {
		if f := rules.FoldASCII(c); m.set[f>>6]>>(f&63)&1 != 0 {
			few = append(few, c)
		}
	}
	if len(few) <= fewBytes {
		m.few = string(few)
	}
	return m
}

func needed(re *syntax.Regexp) (m mustHave) {
	switch re.Op {
	case syntax.OpLiteral:
		m.least = 1
		r := re.Rune[0]
		m.set.add(r)
		for f := unicode.SimpleFold(r); re.Flags&syntax.FoldCase != 0 && f != r; f = unicode.SimpleFold(f) {
			m.set.add(f)
		}
	case syntax.OpCharClass:
		m.least = 1
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= min(re.Rune[i+1], utf8.RuneSelf); r++ {
				m.set.add(r)
			}
			if re.Rune[i+1] >= utf8.RuneSelf {
				m.set.add(utf8.RuneSelf)
			}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpRepeat:
		m = needed(re.Sub[0])
		m.least *= re.Min
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if s := needed(sub); s.least > 0 && (m.least == 0 || s.set.size() < m.set.size() || s.set.size() == m.set.size() && s.least > m.least) {
				m = s
			}
		}
	case syntax.OpAlternate:
		for i, sub := range re.Sub {
			s := needed(sub)
			if i == 0 {
				m.least = s.least
			}
			m.set[0], m.set[1], m.least = m.set[0]|s.set[0], m.set[1]|s.set[1], min(m.least, s.least)
		}
	}
	return m
}
