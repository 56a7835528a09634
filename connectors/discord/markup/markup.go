// Package markup makes a text that Discord shows letter for letter: whatever viewers typed into it becomes neither
// markup nor a mention. Addresses of the web stay addresses.
package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape escapes a text for a message of at most limit code points. What is longer is cut, at the end of a word where
// that is in the last half. Rows are kept; other control characters become blanks. A text of nothing that can be seen
// becomes empty.
func Escape(text string, limit int) string {
	text = clean(text)
	parts := split(text)
	n := 0
	for _, p := range parts {
		n += utf8.RuneCountInString(p)
	}
	if n <= limit {
		return strings.Join(parts, "")
	}
	cut := len(parts)
	for cut > 0 && n > limit-1 { // one for the sign that something is missing
		cut--
		n -= utf8.RuneCountInString(parts[cut])
	}
	for end, m := cut, n; end > 0 && m > limit/2; end-- {
		if parts[end] == " " || parts[end] == "\n" {
			cut = end
			break
		}
		m -= utf8.RuneCountInString(parts[end-1])
	}
	return strings.Join(parts[:cut], "") + "…"
}

// Plain is a text that Escape made, as people read it.
func Plain(text string) string {
	if !strings.Contains(text, "\\") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (text[i+1] < utf8.RuneSelf && unicode.In(rune(text[i+1]), unicode.Punct, unicode.Symbol)) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\u2028' || r == '\u2029':
			return '\n'
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
	if strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }) == "" {
		return ""
	}
	return strings.TrimSpace(s)
}

// split cuts a text into what cannot be cut further: an address, an escaped character, a character.
func split(s string) (parts []string) {
	row, word := true, false // at the start of a row, but for blanks; within a word
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		part := s[:n]
		switch e, m := opening(s); {
		case row && m > 0:
			part, n = e, m
		case !word && address(s) > 0:
			n = address(s)
			part = s[:n]
		case r == '@' && (strings.HasPrefix(s, "@everyone") || strings.HasPrefix(s, "@here")):
			part = "@\u200b"
		case strings.ContainsRune("\\*_~`|<[", r):
			part = "\\" + part
		}
		parts = append(parts, part)
		row = r == '\n' || row && r == ' '
		word = r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
		s = s[n:]
	}
	return parts
}

// opening escapes what makes a heading, small print, a quote or a list at the start of a row.
func opening(s string) (escaped string, size int) {
	blank := func(s string) bool { r, _ := utf8.DecodeRuneInString(s); return s == "" || unicode.IsSpace(r) }
	switch rest := strings.TrimLeft(s, "#"); {
	case s[0] == '>':
	case s[0] == '#' && blank(rest):
	case (s[0] == '-' || s[0] == '+') && (blank(s[1:]) || s[1] == '#'):
	default:
		rest = strings.TrimLeft(s, "0123456789")
		if d := len(s) - len(rest); d > 0 && rest != "" && rest[0] == '.' && blank(rest[1:]) {
			return s[:d] + "\\.", d + 1
		}
		return "", 0
	}
	return "\\" + s[:1], 1
}

// address is the length of the web address that a text begins with, or 0. It ends before whatever an address cannot
// hold.
func address(s string) int {
	n := len("https://")
	if !strings.HasPrefix(s, "https://") {
		if n--; !strings.HasPrefix(s, "http://") {
			return 0
		}
	}
	host := n
	for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z' || s[n] >= '0' && s[n] <= '9' ||
		strings.IndexByte("-._~:/?#@!$&'()*+,;=%", s[n]) >= 0) {
		n++
	}
	if n == host {
		return 0
	}
	return n
}
