package lang

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxName is the longest name shown, in code points. Twitch and Discord names are shorter; YouTube's may be long.
const maxName = 25

// Name is a viewer's name as it may stand in a line of ours: no mention, link, markup or control mark survives, and
// empty when nothing is left to show. What looks like an address is broken up, so that no chat makes a link of it.
func Name(name string) string {
	if plain(name) {
		return name
	}
	var b strings.Builder
	n := 0
	for _, r := range norm.NFKC.String(name) {
		switch {
		case n == maxName:
			return strings.TrimSpace(b.String())
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == unicode.ReplacementChar:
			continue
		case strings.ContainsRune("@#<>`*~|\\/[]{}:\"", r), n == 0 && (unicode.IsPunct(r) && r != '_' || unicode.IsSpace(r) || unicode.IsSymbol(r)):
			continue
		case r == '.', r == '·', r == '。':
			r = '_'
		case unicode.IsSpace(r):
			r = ' '
		case unicode.Is(unicode.Mn, r) && b.Len() == 0:
			continue
		}
		b.WriteRune(r)
		n++
	}
	return strings.TrimSpace(b.String())
}

// plain reports whether a name is short and of letters, digits and low lines that every chat shows as they are, as most are.
func plain(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// NameOr is Name, or the word for somebody where nothing can be shown.
func (w *Words) NameOr(name string) string {
	if n := Name(name); n != "" && (w.Shows == nil || w.Shows(n)) {
		return n
	}
	return w.Somebody
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
