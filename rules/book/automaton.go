package book

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"

	"hawker/rules"
)

// prefixLen is how many bytes of a pattern are in the automaton; the rest is compared where they stand. It bounds the automaton's
// size, and few words of other talk share as many.
const prefixLen = 8

// automaton finds many words in a text in one pass (Aho and Corasick, CACM 18/6, 1975), as a table of all moves. Text and words
// are folded, or of ASCII in capitals or not; a run of blanks counts as one.
type automaton struct {
	class   [256]uint8 // of a byte; capitals of ASCII have that of their small letter, what stands in no word has 0
	classes int
	// next is, for a row and a class, the next row times classes; its complement where some prefix ends in it.
	next  []int32
	ends  [][]int32 // by row: patterns whose prefix ends there
	words []pattern
}

// pattern is one thing to find, and what is found by it.
type pattern struct {
	text   []byte // folded, blanks one at a time
	prefix int    // bytes of it in the automaton
	edges  bool   // only between the edges of words
	rule   int32
}

// oneBlank writes runs of blanks as one.
func oneBlank(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c != ' ' || len(out) == 0 || out[len(out)-1] != ' ' {
			out = append(out, c)
		}
	}
	return out
}

// node is a row while the automaton is built.
type node struct {
	next map[byte]int32 // by class
	fail int32
	ends []int32
}

// newAutomaton builds the automaton of words; nil when there are none.
func newAutomaton(words []pattern) *automaton {
	if len(words) == 0 {
		return nil
	}
	a := &automaton{classes: 1, words: words}
	for i := range words {
		w := &words[i]
		w.prefix = min(len(w.text), prefixLen)
		for _, c := range w.text[:w.prefix] {
			if a.class[c] == 0 {
				a.class[c] = uint8(a.classes)
				a.classes++
			}
		}
	}
	if a.class[' '] == 0 { // runs of blanks are told apart by it
		a.class[' '] = uint8(a.classes)
		a.classes++
	}
	for c := range 128 {
		a.class[c] = a.class[rules.FoldASCII(byte(c))]
	}
	nodes := []node{{next: map[byte]int32{}}}
	for i := range words {
		at := int32(0)
		for _, c := range words[i].text[:words[i].prefix] {
			k := a.class[c]
			to, ok := nodes[at].next[k]
			if !ok {
				to = int32(len(nodes))
				nodes = append(nodes, node{next: map[byte]int32{}})
				nodes[at].next[k] = to
			}
			at = to
		}
		nodes[at].ends = append(nodes[at].ends, int32(i))
	}
	a.table(nodes)
	return a
}

// table makes the table of all moves, row by row from the root, so that rows which are often used lie together.
func (a *automaton) table(nodes []node) {
	order := make([]int32, 1, len(nodes)) // rows by depth
	row := make([]int32, len(nodes))      // where a node's row is
	for i := 0; i < len(order); i++ {
		n := &nodes[order[i]]
		row[order[i]] = int32(i)
		for k := range a.classes {
			to, ok := n.next[byte(k)]
			if !ok {
				continue
			}
			order = append(order, to)
			if order[i] == 0 {
				continue
			}
			f := n.fail
			for {
				if x, ok := nodes[f].next[byte(k)]; ok {
					nodes[to].fail = x
					break
				}
				if f == 0 {
					break
				}
				f = nodes[f].fail
			}
			nodes[to].ends = append(nodes[to].ends, nodes[nodes[to].fail].ends...)
		}
	}
	a.next = make([]int32, len(nodes)*a.classes)
	a.ends = make([][]int32, len(nodes))
	for i, id := range order {
		n := &nodes[id]
		a.ends[i] = n.ends
		for k := range a.classes {
			at := i*a.classes + k
			to, ok := n.next[byte(k)]
			switch {
			case ok && len(nodes[to].ends) > 0:
				a.next[at] = ^(row[to] * int32(a.classes))
			case ok:
				a.next[at] = row[to] * int32(a.classes)
			case id != 0:
				a.next[at] = a.next[int(row[n.fail])*a.classes+k] // a row nearer to the root, so it is there already
			}
		}
	}
}

// scan calls found for every pattern whose prefix stands in text, with where the prefix ends. It reports false, and stops, at the
// first byte that is not ASCII, unless text is folded.
func scan[T string | []byte](a *automaton, text T, folded bool, found func(pattern, end int32)) bool {
	at, blank, before := int32(0), a.class[' '], uint8(0)
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf && !folded {
			return false
		}
		k := a.class[c]
		if k == blank && before == blank {
			continue
		}
		before = k
		at = a.next[at+int32(k)]
		if at < 0 {
			at = ^at
			for _, p := range a.ends[at/int32(a.classes)] {
				found(p, int32(i+1))
			}
		}
	}
	return true
}

// verify reports whether the pattern whose prefix ends at end stands there, between the edges of words where it asks for that.
// Text is folded, or of ASCII.
func verify[T string | []byte](p *pattern, text T, end int) bool {
	start := end
	for k := p.prefix - 1; k >= 0; k-- {
		if start == 0 || rules.FoldASCII(text[start-1]) != p.text[k] {
			return false
		}
		start--
		if p.text[k] == ' ' {
			for start > 0 && k > 0 && rules.FoldASCII(text[start-1]) == ' ' {
				start--
			}
		}
	}
	for k := p.prefix; k < len(p.text); k++ {
		if p.text[k-1] == ' ' {
			for end < len(text) && rules.FoldASCII(text[end]) == ' ' {
				end++
			}
		}
		if end == len(text) || rules.FoldASCII(text[end]) != p.text[k] {
			return false
		}
		end++
	}
	if !p.edges {
		return true
	}
	first, _ := utf8.DecodeRune(p.text)
	last, _ := utf8.DecodeLastRune(p.text)
	before, _ := utf8.DecodeLastRuneInString(string(text[max(0, start-utf8.UTFMax):start]))
	after, _ := utf8.DecodeRuneInString(string(text[end:min(len(text), end+utf8.UTFMax)]))
	return !(start > 0 && joined(before, first)) && !(end < len(text) && joined(last, after))
}

// joined reports whether two runes beside each other are of one word. Scripts that write without blanks have no edges to ask
// for.
func joined(a, b rune) bool { return wordly(a) && wordly(b) }

func wordly(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) {
		return false
	}
	return !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Hangul)
}

// wordText is a word or phrase as it is looked for; nil when nothing of it is read.
func wordText(folded string) []byte {
	b := bytes.TrimSpace(oneBlank([]byte(folded)))
	return slices.Clip(b)
}
