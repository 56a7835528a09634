// Package preview says what other claim styles would have made of what was said.
package preview

import (
	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/rules"
)

// examples is how many lines are shown.
const examples = 5

// Line is a line of a show's chats with what it was read beside. The viewer is there so that it can be forgotten.
type Line struct {
	Viewer  chat.Viewer // without the name
	Text    string
	Context rules.Context
}

// Preview is what styles would do: of Lines lines Claims more would have been claims. Examples are some of these, the newest
// first.
type Preview struct {
	Lines, Claims int
	Examples      []string
}

// Of reads lines, the oldest first, over a lineup as it is and with other styles.
func Of(lines []Line, l commerce.Lineup, o rules.Options, st commerce.Styles) Preview {
	now := rules.NewGrammar(&l, o)
	l.Styles = st
	then := rules.NewGrammar(&l, o)
	p := Preview{Lines: len(lines)}
	for i := len(lines) - 1; i >= 0; i-- {
		x := &lines[i]
		if !then.Parse(x.Text, x.Context).Name.Claims() || now.Parse(x.Text, x.Context).Name.Claims() {
			continue
		}
		if p.Claims++; len(p.Examples) < examples {
			p.Examples = append(p.Examples, x.Text)
		}
	}
	return p
}
