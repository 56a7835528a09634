package rule

import (
	"fmt"
	"strings"

	"hawker/internal/plain"
)

// Error says what is wrong with a rule, in words for a merchant.
type Error struct {
	// Rule counts from 0; -1 when the rule stands alone.
	Rule int
	Name string // the rule's
	// Field is the key at fault, such as "roles"; empty when it is the rule as a whole.
	Field string
	// Action counts from 0 and is -1 when the fault is in no action.
	Action int
	// Column counts code points of the field's text from 1; 0 when it is about no place in it.
	Column int
	Msg    string
}

// Error says where the fault is, and what.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Name == "" && e.Rule >= 0 {
		fmt.Fprintf(&b, "rule %d", e.Rule+1)
	} else {
		fmt.Fprintf(&b, "rule %q", e.Name)
	}
	if e.Action >= 0 {
		fmt.Fprintf(&b, ", action %d", e.Action+1)
	}
	if e.Field != "" {
		b.WriteString(", " + e.Field)
	}
	if e.Column > 0 {
		fmt.Fprintf(&b, ", column %d", e.Column)
	}
	b.WriteString(": " + e.Msg)
	return b.String()
}

// nothing says that a word is none of those known, and which was probably meant.
func nothing[S ~string](word string, known []S) string {
	hint, near := "", plain.Nearest(word, known)
	for _, k := range known {
		if len(word) > 3 && strings.Contains(string(k), word) { // a part of it says more than likeness
			near = k
			break
		}
	}
	if near != "" {
		hint = fmt.Sprintf(" (did you mean %q?)", near)
	}
	return fmt.Sprintf("nothing is called %q%s; there are: %s", plain.Cut(word), hint, quoteList(known))
}

// quoteList writes words for people: "a", "b" or "c".
func quoteList[S ~string](words []S) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " or " + out[len(out)-1]
}
