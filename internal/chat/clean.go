package chat

import (
	"strings"
	"unicode/utf8"
)

// Clean is text as it may be kept: valid UTF-8 without NUL. PostgreSQL takes neither (manual, "Character Types"), and one such
// name must not keep others' lines from being stored.
func Clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
