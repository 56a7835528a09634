package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hawker/commerce"
)

// Facts are what conditions and texts may name about what happened.
type Facts struct {
	User     string // the viewer's name as it may be shown
	Platform string // twitch, youtube, discord or room
	Show     string // its title
	Number   int    // of the item; 0 when it is about none
	Item     string // its title
	Variant  string // such as "M / Blue"
	Quantity int
	Left     int64 // pieces free to claim, -1 when there is no end of them
	Place    int   // in line, from 1
	Price    commerce.Money
	Total    commerce.Money // of an order
	Order    string         // its number for people, such as "#1001"
}

// field is one name that a text may use.
type field struct {
	name  string
	value func(*Facts) string
}

func fields() []field {
	return []field{
		{"user", func(f *Facts) string { return f.User }},
		{"item", func(f *Facts) string { return f.Item }},
		{"n", func(f *Facts) string { return strconv.Itoa(f.Number) }},
		{"variant", func(f *Facts) string { return f.Variant }},
		{"qty", func(f *Facts) string { return strconv.Itoa(f.Quantity) }},
		{"left", func(f *Facts) string { return strconv.FormatInt(max(f.Left, 0), 10) }},
		{"place", func(f *Facts) string { return strconv.Itoa(f.Place) }},
		{"show", func(f *Facts) string { return f.Show }},
		{"platform", func(f *Facts) string { return f.Platform }},
		{"price", func(f *Facts) string { return f.Price.String() }},
		{"total", func(f *Facts) string { return f.Total.String() }},
		{"order", func(f *Facts) string { return f.Order }},
	}
}

// TemplateNames are the names that a text may use in braces.
func TemplateNames() []string {
	fs := fields()
	out := make([]string, len(fs))
	for i := range fs {
		out[i] = fs[i].name
	}
	return out
}

// MaxTemplate is the longest text of a rule, in code points. No chat takes a longer line than Discord's 2,000 (Discord
// docs, "Message Resource"), and what viewers are shown should be read in a glance.
const MaxTemplate = 500

// TextError says where in a rule's text the fault is; Column counts code points from 1.
type TextError struct {
	Column int
	Msg    string
}

func (e *TextError) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Msg) }

// Template is a text with names in braces, such as "{user} bought {item}!". A brace itself is written twice.
type Template struct {
	text  string
	parts []part
}

type part struct {
	text  string
	value func(*Facts) string // nil for plain text
}

// ParseTemplate reads a text. Its error is a *TextError.
func ParseTemplate(text string) (*Template, error) {
	t := &Template{text: text}
	fs := fields()
	var plain strings.Builder
	runes := []rune(text)
	if len(runes) > MaxTemplate {
		return nil, &TextError{MaxTemplate + 1, fmt.Sprintf("longer than %d characters", MaxTemplate)}
	}
	if strings.TrimSpace(text) == "" {
		return nil, &TextError{1, "the text is empty"}
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
			return nil, &TextError{i + 1, "a closing brace without an opening one; write }} for a brace"}
		case r < ' ' || r == 0x7f:
			return nil, &TextError{i + 1, "a line break or control mark; a chat line is one line"}
		case r == '{':
			end := slices.Index(runes[i:], '}')
			if end < 0 {
				return nil, &TextError{i + 1, "the brace is not closed; write {{ for a brace"}
			}
			name := string(runes[i+1 : i+end])
			at := slices.IndexFunc(fs, func(f field) bool { return f.name == name })
			if at < 0 {
				return nil, &TextError{i + 2, fmt.Sprintf("nothing is called %q; there are {%s}", name, strings.Join(TemplateNames(), "} {"))}
			}
			flush()
			t.parts = append(t.parts, part{value: fs[at].value})
			i += end
		default:
			plain.WriteRune(r)
		}
	}
	flush()
	return t, nil
}

// String is the text as it was written.
func (t *Template) String() string { return t.text }

// Expand fills the facts in. What a fact says is never read as part of the text.
func (t *Template) Expand(f *Facts) string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.value != nil {
			b.WriteString(p.value(f))
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}
