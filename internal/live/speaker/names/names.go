// Package names decides which viewers' names may stand in a line of ours. A name that pretends to be the bot, the shop or somebody of
// the platform, or that holds a word the merchant does not want said, is shown as "a viewer"; see lang.Words.NameOr for what is taken
// out of every name. It compares what names look like, not how they are written.
package names

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Filter is what names are held against. The zero value lets every name pass.
type Filter struct {
	own   []string // skeletons that no name may look like
	words []string // skeletons that no name may hold
}

// shortest is the shortest word that is looked for inside of names: shorter ones are in ordinary names.
const shortest = 3

// shortestOwn is the shortest name that may be ours alone: a shop called Ana must not hide everybody called so.
const shortestOwn = 6

// New makes a filter. own are names that only we may have, such as the bot's and the shop's. words are not said, whatever they are
// written with.
func New(own, words []string) *Filter {
	f := &Filter{}
	for _, s := range own {
		if k := Skeleton(s); len(k) >= shortestOwn {
			f.own = append(f.own, k)
		}
	}
	for _, s := range words {
		if k := Skeleton(s); len(k) >= shortest {
			f.words = append(f.words, k)
		}
	}
	return f
}

// Allows reports whether a name may be shown. A name that is just ours with a mark or a number behind it looks like ours.
func (f *Filter) Allows(name string) bool {
	if f == nil {
		return true
	}
	k := Skeleton(name)
	for _, own := range f.own {
		if k == own || strings.HasPrefix(k, own) && onlyDigits(name, len(k)-len(own)) {
			return false
		}
	}
	for _, w := range f.words {
		if strings.Contains(k, w) {
			return false
		}
	}
	return true
}

// onlyDigits reports whether a name ends with n letters, all of which are digits.
func onlyDigits(name string, n int) bool {
	var letters []rune
	for _, r := range norm.NFKC.String(name) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			letters = append(letters, r)
		}
	}
	if n > len(letters) {
		return false
	}
	for _, r := range letters[len(letters)-n:] {
		if !unicode.IsDigit(r) {
			return false
		}
	}
	return true
}

// Skeleton is what a name looks like: without marks, signs and blanks, in small Latin letters, where letters of other scripts and
// digits that look like one are that one (after Unicode Technical Standard 39, "Confusable Detection", of which it has what is used in
// names), and a letter that is repeated stands once.
func Skeleton(name string) string {
	if !ascii(name) {
		name = norm.NFKD.String(name)
	}
	var room [64]byte
	out := room[:0]
	var last, begun rune // begun may be half of what two letters look like together: rn is m, vv is w
	put := func(r rune) {
		if r != last {
			out = utf8.AppendRune(out, r)
			last = r
		}
	}
	for _, r := range name {
		if r >= utf8.RuneSelf && unicode.Is(unicode.Mn, r) {
			continue
		}
		if r = like(unicode.ToLower(r)); !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			continue
		}
		switch {
		case begun == 'r' && r == 'n':
			r, begun = 'm', 0
		case begun == 'v' && r == 'v':
			r, begun = 'w', 0
		case begun != 0:
			put(begun)
			begun = 0
		}
		if r == 'r' || r == 'v' {
			begun = r
			continue
		}
		put(r)
	}
	if begun != 0 {
		put(begun)
	}
	return string(out)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// like is the small Latin letter that a small letter, digit or sign looks like, or itself.
func like(r rune) rune {
	switch r {
	case '0', 'о', 'ο', 'օ', 'ө', 'ø':
		return 'o'
	case '1', 'і', 'ı', 'ι', 'ł', '|', '!', 'l', 'ӏ', 'i', 'ї':
		return 'l'
	case '2':
		return 'z'
	case '3', 'е', 'є', 'ε', 'ë', 'э', '€':
		return 'e'
	case '4', 'а', 'α', 'ą', '@':
		return 'a'
	case '5', '$', 'ѕ':
		return 's'
	case '6', 'б', '9':
		return 'g'
	case '7', 'т', 'τ', '+':
		return 't'
	case '8', 'в', 'β', 'ß':
		return 'b'
	case 'с', 'ϲ', 'ç', '¢':
		return 'c'
	case 'р', 'ρ', 'þ':
		return 'p'
	case 'х', 'χ', '×':
		return 'x'
	case 'у', 'γ', 'ý', '¥':
		return 'y'
	case 'к', 'κ':
		return 'k'
	case 'м':
		return 'm'
	case 'н', 'һ', 'η':
		return 'h'
	case 'п', 'ո':
		return 'n'
	case 'ԁ', 'đ', 'ð':
		return 'd'
	case 'ԛ':
		return 'q'
	case 'ѡ', 'ω', 'ш':
		return 'w'
	case 'ν', 'ѵ':
		return 'v'
	case 'υ', 'ц', 'µ':
		return 'u'
	case 'г', 'ѓ':
		return 'r'
	case 'ј':
		return 'j'
	case 'ƒ':
		return 'f'
	case 'ԍ', 'ɡ':
		return 'g'
	}
	return r
}

// Usable reports whether a word is long enough to be looked for inside of names.
func Usable(word string) bool { return len(Skeleton(word)) >= shortest }
