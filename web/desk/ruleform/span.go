package ruleform

import (
	"strings"
	"time"

	"hawker/rules/rule"
	"hawker/web/desk/span"
)

// spanWrong says how a time is written.
const spanWrong = "That is no time. Write minutes, or a unit with it: 30 s, 10 min, 2 h, 3 days."

// Span reads how long something lasts; empty is 0. wrong says what cannot be used.
func Span(text string) (d time.Duration, wrong string) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return 0, ""
	}
	if d, err := time.ParseDuration(text); err == nil { // as rules are written: 1h30m
		return d, ""
	}
	d, ok := span.Read(text)
	if !ok {
		return 0, spanWrong
	}
	return d, ""
}

// SpanText writes a time as Span reads it; 0 is empty.
func SpanText(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d%time.Minute == 0, d < 2*time.Minute && d%time.Second == 0:
		return span.Text(d)
	}
	return rule.Span(d)
}

// List reads things that stand behind each other with commas or on lines of their own.
func List(text string) []string {
	var out []string
	for s := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Lines reads things that stand on lines of their own.
func Lines(text string) []string {
	var out []string
	for s := range strings.SplitSeq(text, "\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// bound joins the two ends of a bound; a decimal comma is one.
func bound(from, to string) rule.Bound {
	from, to = Decimal(from), Decimal(to)
	switch {
	case from == "" && to == "":
		return ""
	case from == to:
		return rule.Bound(from)
	}
	return rule.Bound(from + ".." + to)
}

// Decimal is a number without blanks, with a point where somebody wrote a comma.
func Decimal(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), ",", ".") }

// ends are the two ends of a bound.
func ends(b rule.Bound) (from, to string) {
	from, to, two := strings.Cut(string(b), "..")
	if !two {
		to = from
	}
	return from, to
}
