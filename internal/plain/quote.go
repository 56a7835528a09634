package plain

import (
	"fmt"
	"regexp"
	"strings"
)

// plainForm is what needs no quotes anywhere in YAML; number-like and word-like values of other types are quoted all the same.
var plainForm = regexp.MustCompile(`^[A-Za-z_](?:[A-Za-z0-9_./@+-]| [A-Za-z0-9_])*$`)

// Quote writes a text as a scalar of one line, in quotes where it needs them. Parse reads the same text.
func Quote(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
	default:
		if plainForm.MatchString(s) {
			return s
		}
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case Unprintable(r):
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
