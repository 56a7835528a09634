package rules

import (
	"strings"
	"unicode/utf8"

	"hawker/rules/words"
)

// glance tells lines that are plain talk, or a plain question, from all others without cutting them into tokens: most lines of a
// chat are. It is never wrong about a line that it tells, and may not tell one that is talk after all.
type glance struct {
	kinds [256]glyph
	// more and known are lengths of words, as bits, by their first bytes (slot): of words that can make a line more than talk, and
	// of all that are known.
	more, known [slots]uint32
	dots        bool // points or hyphens are command signs
}

// glyph is what a byte of a line is to a glance.
type glyph uint8

const (
	gSign glyph = iota + 1 // a command sign
	gMore                  // may make a line more than talk: a line break
	gAsk                   // a question mark
	gHide                  // may begin something that is not read
	gWord                  // of a word
	gBlank
	gRune // the first byte of one that is not ASCII
	gRest // anything else
)

// slots is how many there are: so few that they stay in a processor's nearest cache.
const slots = 256

// slot is where a word that is not folded stands in a glance's tables.
func slot(w string) int {
	n := int(FoldASCII(w[0])) << 3
	if len(w) > 1 {
		n ^= int(FoldASCII(w[1]))
	}
	return n & (slots - 1)
}

// longWord is from how many bytes on a word is not looked up.
const longWord = 32

// newGlance is made when all else of the grammar is.
func (g *Grammar) newGlance() {
	t := &g.glance
	styled := g.styled()
	t.dots = strings.ContainsAny(g.signs, ".-")
	for i := range t.kinds {
		switch c := byte(i); {
		case c < ' ' || c == 0x7f || styled && (isDigit(c) || c == '+'), c == '?' && strings.IndexByte(g.signs, c) >= 0:
			t.kinds[i] = gMore
		case c == '?':
			t.kinds[i] = gAsk
		case strings.IndexByte(g.signs, c) >= 0:
			t.kinds[i] = gSign
		case c == ' ':
			t.kinds[i] = gBlank
		case strings.IndexByte("\"`|~'>", c) >= 0:
			t.kinds[i] = gHide
		case isWordByte(c) || c >= 'A' && c <= 'Z':
			t.kinds[i] = gWord
		case c >= utf8.RuneSelf:
			t.kinds[i] = gRune
		default:
			t.kinds[i] = gRest
		}
	}
	for w, x := range g.lexemes {
		if w == "" || len(w) >= longWord {
			continue
		}
		t.known[slot(w)] |= 1 << len(w)
		if x.word.class.Has(words.Question | words.First | keywords) {
			t.more[slot(w)] |= 1 << len(w)
		}
	}
}

// styled reports whether lines without a command sign can be claims.
func (g *Grammar) styled() bool {
	s := g.styles
	return g.lineup && (s.Boutique || s.Plus || s.NumberOnly)
}

// told is what a glance tells of a text: Chat or Question for certain, or nothing.
func (g *Grammar) told(text string) Name {
	t := &g.glance
	// begun: something stands before that is no emote; symbol: an emoji stands just before; asks: it is a question, unless what
	// asks is not read; hides: something may not be read.
	// plain: the chunk began with a letter or digit.
	chunk, begun, symbol, asks, hides, plain := 0, false, false, false, len(text) > maxRunes, false
	for i := 0; i < len(text); {
		c := text[i]
		switch t.kinds[c] {
		case gRest:
			i, symbol = i+1, false
		case gHide:
			if c == '\'' && (i > 0 && text[i-1] >= utf8.RuneSelf || i+1 < len(text) && text[i+1] >= utf8.RuneSelf) { // perhaps within a word
				return ""
			}
			i, symbol, hides = i+1, false, true
		case gBlank:
			i, symbol, plain = i+1, false, false
			chunk = i
		case gAsk:
			end := i + 1
			for end < len(text) && text[end] == '?' {
				end++
			}
			if !asks && (i != chunk || end < len(text) && text[end] != ' ' || g.emote(text[chunk:end])) {
				return ""
			}
			i, symbol, asks = end, false, true
		case gMore:
			return ""
		case gSign: // in a chunk that begins with a letter it is none
			if !plain {
				return ""
			}
			i, symbol = i+1, false
		default:
			end, ascii := t.word(text, i)
			if end == i {
				r, n := utf8.DecodeRuneInString(text[i:])
				if !mute(r) && !(symbol && (r == 0xfe0f || r == 0x200d)) || t.dots && r < 0x2100 {
					return ""
				}
				hides = hides || r >= 0x201c && r <= 0x201e
				i, symbol, plain = i+n, true, false
				continue
			}
			symbol = false
			alone := ascii && i == chunk
			plain = plain || alone && c != '_'
			if alone && end < len(text) && text[end] == '?' { // a word with its question mark
				for end < len(text) && text[end] == '?' {
					end++
				}
				if !asks && (end < len(text) && text[end] != ' ' || g.emote(text[chunk:end])) {
					return ""
				}
				i, asks = end, true
				continue
			}
			if w := text[i:end]; !asks && (!begun || len(w) < longWord && t.more[slot(w)]>>len(w)&1 != 0) {
				alone = alone && (end == len(text) || text[end] == ' ')
				x, more, sure := g.word(w, begun, alone)
				if begun = begun || sure; more {
					c := x.word.class
					if asks = alone && !x.value && x.code == 0 && (c.Has(words.Question) || c.Has(words.First) && i == 0); !asks {
						return ""
					}
				}
			}
			i = end
		}
	}
	switch {
	case !asks:
		return Chat
	case hides:
		return ""
	}
	return Question
}

// word is the end of the word that begins at text[i], i when none does. A word that something joins to what is around it ends
// before that, and no word goes on there.
func (t *glance) word(text string, i int) (end int, ascii bool) {
	ascii = true
	for {
		for i < len(text) && t.kinds[text[i]] == gWord {
			i++
		}
		if i == len(text) {
			return i, ascii
		}
		if c := text[i]; c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(text[i:])
			if !letter(r) {
				return i, ascii
			}
			i, ascii = i+n, false
		} else if c == '\'' && i > 0 && i+1 < len(text) && t.kinds[text[i-1]] == gWord && text[i+1] < utf8.RuneSelf && t.kinds[text[i+1]] == gWord && !isDigit(text[i+1]) {
			i++
		} else {
			return i, ascii
		}
	}
}

// emote reports whether a chunk may be an emote.
func (g *Grammar) emote(chunk string) bool {
	x, short := g.lexeme(chunk)
	return x.word.emote() || !short
}

// lexeme looks up what is not folded; false when it is too long for that.
func (g *Grammar) lexeme(w string) (x lexeme, short bool) {
	if len(w) >= longWord {
		return x, false
	}
	if g.glance.known[slot(w)]>>len(w)&1 == 0 {
		return x, true
	}
	var room [longWord]byte
	for i := range len(w) {
		room[i] = FoldASCII(w[i])
	}
	return g.lexemes[string(room[:len(w)])], true
}

// word looks a word up. more is set when it may make the line more than talk, sure when it stands for itself: alone says that
// nothing is glued to it.
func (g *Grammar) word(w string, begun, alone bool) (x lexeme, more, sure bool) {
	if len(w) >= longWord || g.glance.more[slot(w)]>>len(w)&1 == 0 && (begun || !alone) {
		return x, false, false
	}
	x, _ = g.lexeme(w)
	c := x.word.class
	return x, c.Has(words.Question) || c.Has(words.First) && !begun || c.Has(keywords) && g.styled(), alone && letters(w) && !x.word.emote()
}

// letters reports whether there is no digit in a word.
func letters(w string) bool {
	for i := range len(w) {
		if isDigit(w[i]) {
			return false
		}
	}
	return true
}

// letter reports whether a rune that is not ASCII is a letter which folding leaves as it is, whatever stands around it: small ones
// of Latin, Cyrillic ones of both cases (no word of ours is written in it), kana and ideographs.
func letter(r rune) bool {
	switch {
	case r < 0xdf:
		return false
	case r <= 0xff:
		return r != 0xf7
	case r <= 0x451:
		return r >= 0x410 && r != 0x450
	case r <= 0x30fa:
		return r >= 0x3041 && r <= 0x3096 || r >= 0x30a1
	}
	return r >= 0x4e00 && r <= 0x9fff
}

// mute reports whether a rune means nothing to the grammar: an emoji, dots, a dash or a quotation mark.
func mute(r rune) bool {
	switch {
	case r >= 0x1f300 && r <= 0x1f64f, r >= 0x1f680 && r <= 0x1f6ff, r >= 0x1f900 && r <= 0x1f9ff, r == 0x2764, r == 0x2026, r == 0x2013, r == 0x2014, r >= 0x201c && r <= 0x201e:
		return true
	}
	return false
}
