package facts

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"hawker/rules/rule"
)

// Fault says where in a text or an expression the fault is; Column counts code points from 1, 0 is nowhere.
type Fault struct {
	Column int
	Msg    string
}

func (e *Fault) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Msg) }

// Template is a text with names in braces, such as "{user} bought {item}!". A brace itself is written twice. It never changes.
type Template struct {
	parts []part
	need  Part
}

type part struct {
	text  string // plain, when fact is nil
	fact  *Fact
	field string // of a Table
}

// Parse reads a text of a rule that waits for e. With code the text may name {code}.
func (n *Names) Parse(text string, e rule.Event, code bool) (*Template, *Fault) {
	t := &Template{}
	var plain strings.Builder
	runes := []rune(text)
	switch {
	case len(runes) > rule.MaxText:
		return nil, &Fault{rule.MaxText + 1, fmt.Sprintf("longer than %d characters", rule.MaxText)}
	case strings.TrimSpace(text) == "":
		return nil, &Fault{1, "the text is empty"}
	}
	flush := func() {
		if plain.Len() > 0 {
			t.parts = append(t.parts, part{text: plain.String()})
			plain.Reset()
		}
	}
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case (r == '{' || r == '}') && i+1 < len(runes) && runes[i+1] == r:
			plain.WriteRune(r)
			i++
		case r == '}':
			return nil, &Fault{i + 1, "a closing brace without an opening one; write }} for a brace"}
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || string(r) == CodeMark:
			return nil, &Fault{i + 1, "a line break or control mark; a chat line is one line"}
		case r == '{':
			end := slices.Index(runes[i:], '}')
			if end < 0 {
				return nil, &Fault{i + 1, "the brace is not closed; write {{ for a brace"}
			}
			p, err := n.named(string(runes[i+1:i+end]), e, code)
			if err != nil {
				return nil, &Fault{i + 2, err.Error()}
			}
			flush()
			t.parts = append(t.parts, p)
			t.need |= p.fact.Part
			i += end
		default:
			plain.WriteRune(r)
		}
	}
	flush()
	return t, nil
}

func (n *Names) named(name string, e rule.Event, code bool) (part, error) {
	name, field, dotted := strings.Cut(name, ".")
	f, err := n.find(name, e, true, code)
	switch {
	case err != nil:
		return part{}, err
	case f.Kind == Table && (!dotted || !fieldName(field)):
		return part{}, fmt.Errorf("say which one: {%s.name}, in small letters, digits and _", name)
	case f.Kind != Table && dotted:
		return part{}, fmt.Errorf("%s has no parts; write {%s}", name, name)
	case !f.InText():
		return part{}, fmt.Errorf("%s is yes or no; it is for conditions", name)
	}
	return part{fact: f, field: field}, nil
}

func fieldName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') || i >= 40 {
			return false
		}
	}
	return s != ""
}

// Need are the parts that its facts belong to.
func (t *Template) Need() Part { return t.need }

// Missing is the first fact that the text names and that is not there now; empty when all are.
func (t *Template) Missing(f *Facts) string {
	for i := range t.parts {
		if p := &t.parts[i]; p.fact != nil && !p.fact.there(f) {
			return p.fact.Name
		}
	}
	return ""
}

// Own gives the merchant's counters and variables as they stand while a message is decided.
type Own interface {
	Counter(name string) int64
	Var(name string) string
}

// Expand fills the facts in, and says which parts of the text are values that must not be cut through. What a fact says is
// never read as part of the text, and what viewers typed is cleaned (Clean). Where own is nil the counters and variables of f
// are read.
func (t *Template) Expand(f *Facts, own Own) (string, []Span) {
	var b strings.Builder
	var keep []Span
	for i := range t.parts {
		p := &t.parts[i]
		if p.fact == nil {
			b.WriteString(p.text)
			continue
		}
		v := p.value(f, own)
		if p.fact.Typed {
			v = Clean(v)
		} else {
			v = oneLine(v)
		}
		if v != "" {
			keep = append(keep, Span{b.Len(), b.Len() + len(v)})
		}
		b.WriteString(v)
	}
	return b.String(), keep
}

func (p *part) value(f *Facts, own Own) string {
	if p.fact.Kind != Table {
		return p.fact.text(f)
	}
	switch {
	case p.fact.Name == "webhook":
		return f.Webhook[p.field]
	case p.fact.Name == "counters" && own != nil:
		return fmt.Sprint(own.Counter(p.field))
	case p.fact.Name == "counters":
		return fmt.Sprint(f.Counters[p.field])
	case own != nil:
		return own.Var(p.field)
	}
	return f.Vars[p.field]
}

// oneLine is a text of the merchant's own without line breaks and control marks.
func oneLine(s string) string {
	bad := func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar
	}
	if !strings.ContainsFunc(s, bad) {
		return s
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if bad(r) {
			return ' '
		}
		return r
	}, s))
}
