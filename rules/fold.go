package rules

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// maxRunes is how many code points of a folded line are read (product rule).
	maxRunes = 200
	// maxBytes bounds the work on a line padded with invisible characters; platforms send at most 4,000 characters.
	maxBytes = 8000
)

// Fold writes s the way claims are compared: NFKC, lower case, digits of the world's scripts as 0-9, keycaps and emoji
// letters as plain ones, other emoji and blanks as one kind of blank, format characters gone. Folding twice changes
// nothing more. Letters of other scripts stay what they are.
func Fold(s string) string {
	var f folder
	return string(f.fold(s))
}

// folder folds text in two buffers that it keeps, so that folding costs no memory once they have grown.
type folder struct{ text, spare []byte }

// Folder folds text as Fold does, in memory that it keeps; it is used by one goroutine at a time.
type Folder struct{ f folder }

// Fold folds s. The bytes are the Folder's own and good until the next Fold.
func (f *Folder) Fold(s string) []byte { return f.f.fold(s) }

// fold folds s. The bytes are the folder's own and good until the next fold.
func (f *folder) fold(s string) []byte {
	f.text = f.text[:0]
	i := 0
	for ; i < len(s) && s[i] < utf8.RuneSelf; i++ {
		f.text = append(f.text, FoldASCII(s[i]))
	}
	if i == len(s) || f.quick(s[i:]) {
		return f.text
	}
	f.text = appendPlain(f.text[:0], s)
	return f.whole()
}

// whole folds what is in f.text, whatever it is.
func (f *folder) whole() []byte {
	// Dropping a joiner can bring a letter and its accent together, and lower case is not always normal: on until nothing
	// moves. Two rounds are enough for all text seen; the bound keeps the loop safe.
	for range 8 {
		if !norm.NFKC.IsNormal(f.text) {
			f.text, f.spare = norm.NFKC.Append(f.spare[:0], f.text...), f.text
		}
		f.text, f.spare = mapRunes(f.spare[:0], f.text), f.text
		if bytes.Equal(f.text, f.spare) {
			break
		}
	}
	return f.text
}

// quick folds the rest of a text rune by rune, behind what is folded already, and reports false when there is a rune that must
// not be looked at alone: one that NFKC changes, or that it may join with its neighbours.
func (f *folder) quick(s string) bool {
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			f.text = append(f.text, FoldASCII(byte(r)))
		case r >= 'À' && r <= 'Þ' && r != '×', r >= 'А' && r <= 'Я': // Latin and Cyrillic capitals
			f.text = utf8.AppendRune(f.text, r+' ')
		case r >= 'ß' && r <= 'ÿ' || r == '×', r >= 'а' && r <= 'я', r >= 0x4e00 && r <= 0x9fff, r >= 'ぁ' && r <= 'ゖ', r >= 'ァ' && r <= 'ヺ', r == '“', r == '”', r == '„':
			f.text = utf8.AppendRune(f.text, r)
		case r >= 0xac00 && r <= 0xd7a3: // Hangul syllables
			f.text = utf8.AppendRune(f.text, r)
		case r >= 0x1f300 && r <= 0x1f64f, r >= 0x1f680 && r <= 0x1f6ff, r >= 0x1f900 && r <= 0x1f9ff: // emoji
			f.text = append(f.text, ' ')
		case r == 0xfe0f, r == 0x200d: // how emoji are drawn and joined
		case r == '’':
			f.text = append(f.text, '\'')
		case r == '–' || r == '—':
			f.text = append(f.text, '-')
		case r == '…':
			f.text = append(f.text, "..."...)
		case r >= '！' && r <= '～':
			f.text = append(f.text, FoldASCII(byte(r-'！'+'!')))
		case r == '　':
			f.text = append(f.text, ' ')
		default:
			return false
		}
	}
	return true
}

// appendPlain appends s with the compatibility forms that people type every day written plainly, as NFKC does: the full
// normalization costs memory.
func appendPlain(dst []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r >= '！' && r <= '～':
			dst = append(dst, byte(r-'！'+'!'))
		case r == '　':
			dst = append(dst, ' ')
		case r == '…':
			dst = append(dst, "..."...)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// runeCount is utf8.RuneCount of sound text; that one copies what is long.
func runeCount(b []byte) int {
	n := 0
	for _, c := range b {
		if c&0xc0 != 0x80 {
			n++
		}
	}
	return n
}

// FoldASCII folds a byte of ASCII as Fold does; others stay.
func FoldASCII(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A'
	case c < ' ' || c == 0x7f:
		return ' '
	}
	return c
}

func mapRunes(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			dst = append(dst, FoldASCII(c))
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		i += n
		if isRegional(r) {
			// A pair is a flag, unless it spells a size that is no country; a single one is a letter.
			if r2, n2 := utf8.DecodeRune(s[i:]); isRegional(r2) {
				i += n2
				a, b := byte('a'+r-0x1f1e6), byte('a'+r2-0x1f1e6)
				if a == 'x' && (b == 'l' || b == 's' || b == 'x') {
					dst = append(dst, a, b)
				} else {
					dst = append(dst, ' ')
				}
				continue
			}
			dst = append(dst, byte('a'+r-0x1f1e6))
			continue
		}
		if m := mapRune(r); m >= 0 {
			dst = utf8.AppendRune(dst, m)
		}
	}
	return dst
}

func isRegional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// mapRune folds one rune beyond ASCII; -1 drops it.
func mapRune(r rune) rune {
	switch {
	case r == 0x034f || r >= 0xfe00 && r <= 0xfe0f || r == 0x20e3 || r >= 0xe0100 && r <= 0xe01ef || r == 0x115f || r == 0x1160 || r == utf8.RuneError:
		return -1 // joiners, variation selectors, the keycap frame, fillers, broken bytes
	case r >= 0x2010 && r <= 0x2015 || r == 0x2212:
		return '-'
	case r == 0x2019 || r == 0x02bc:
		return '\''
	case r == 0x2795:
		return '+'
	case r == 0x2716 || r == 0x2715:
		return '×'
	case r == 0x2753 || r == 0x2754 || r == 0x061f || r == 0xbf:
		return '?'
	case r == 0x1f17a || r >= 0x1f170 && r <= 0x1f189: // negative squared letters, as keyboards offer for A, B, O, P
		return 'a' + r - 0x1f170
	case r >= 0x1f150 && r <= 0x1f169: // negative circled letters
		return 'a' + r - 0x1f150
	case r >= 0x2776 && r <= 0x277e: // negative circled digits
		return '1' + r - 0x2776
	case r == 0x2800 || r >= 0x1f000 && r <= 0x1faff:
		return ' '
	case r == 0xb0:
		return r
	}
	for _, zero := range [...]rune{0x660, 0x6f0, 0x966, 0x9e6, 0xe50} {
		if r >= zero && r <= zero+9 {
			return '0' + r - zero
		}
	}
	if unicode.IsSpace(r) || unicode.Is(unicode.So, r) {
		return ' '
	}
	if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
		return -1
	}
	return unicode.ToLower(r)
}

// firstRow is the first row of text that is not blank, not quoted (">") and not in a code block; empty when none is.
func firstRow(text string) string {
	fenced := false
	for text != "" {
		row := text
		if i := rowEnd(text); i >= 0 {
			row = text[:i]
			_, n := utf8.DecodeRuneInString(text[i:])
			text = text[i+n:]
		} else {
			text = ""
		}
		lead := strings.TrimLeftFunc(row, invisible)
		fence := strings.HasPrefix(lead, "```") && strings.Count(lead, "```")%2 == 1
		switch {
		case fence:
			fenced = !fenced
		case fenced:
			fenced = !strings.Contains(lead, "```")
		case strings.HasPrefix(lead, ">>>"):
			return "" // the rest of the message is quoted (Discord markdown, block quotes)
		case lead == "" || lead[0] == '>' && !strings.HasPrefix(lead, ">:") || strings.HasPrefix(lead, "＞"):
		default:
			return row
		}
	}
	return ""
}

// rowEnd is where the first line break of a text is, -1 when there is none.
func rowEnd(text string) int {
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\n' || c == '\r' || c == '\v' || c == '\f':
			return i
		case c == 0xc2 && strings.HasPrefix(text[i:], "\u0085"), c == 0xe2 && (strings.HasPrefix(text[i:], "\u2028") || strings.HasPrefix(text[i:], "\u2029")):
			return i
		}
	}
	return -1
}

func invisible(r rune) bool {
	return r == ' ' || r == '\t' || r >= utf8.RuneSelf && (unicode.IsSpace(r) || mapRune(r) < 0)
}

// hideQuotes overwrites quoted, code, spoiler and struck-out text in a folded row with a mark that no word contains, so
// that each stands as one word that means nothing.
func hideQuotes(b []byte, marks *[256]mark) {
	for i := 0; i < len(b); {
		if marks[b[i]]&mQuote == 0 {
			i++
			continue
		}
		size, closing := opening(b, i)
		if size == 0 {
			i++
			continue
		}
		end := bytes.Index(b[i+size:], []byte(closing))
		switch {
		case end >= 0:
			end += i + size + len(closing)
		case closing == "`" || closing == "||" || closing == "~~" || closing == "'":
			i += size // an unclosed one is just a sign
			continue
		default:
			end = len(b)
		}
		for j := i; j < end; j++ {
			b[j] = hidden
		}
		i = end
	}
}

const hidden = 0x01

// opening tells what quotation starts at b[i]: how many bytes its sign has, and what ends it.
func opening(b []byte, i int) (int, string) {
	c := b[i]
	if c != '"' && c != '`' && c != '|' && c != '~' && c != '\'' && c < utf8.RuneSelf {
		return 0, ""
	}
	edge := i == 0 || b[i-1] == ' ' || b[i-1] == '(' || b[i-1] == ':'
	two := i+1 < len(b) && b[i+1] == c
	switch {
	case c == '`':
		return 1, "`"
	case c == '|' && two:
		return 2, "||"
	case c == '~' && two:
		return 2, "~~"
	case c == '"' && edge && i+1 < len(b):
		return 1, `"`
	case c == '\'' && edge && closesWord(b, i+1):
		return 1, "'"
	case c >= utf8.RuneSelf:
		switch r, n := utf8.DecodeRune(b[i:]); r {
		case '“', '”':
			return n, "”"
		case '„':
			return n, "“"
		case '«':
			return n, "»"
		case '»':
			return n, "«"
		case '‘':
			return n, "'" // the closing one folds to an apostrophe
		case '「':
			return n, "」"
		}
	}
	return 0, ""
}

// closesWord reports whether b[i:] has an apostrophe at the end of a word, which ends a quotation.
func closesWord(b []byte, i int) bool {
	for ; i < len(b); i++ {
		if b[i] == '\'' && (i+1 == len(b) || b[i+1] == ' ' || b[i+1] == '.' || b[i+1] == '!') {
			return true
		}
	}
	return false
}
