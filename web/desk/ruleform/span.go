package ruleform

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hawker/rules/rule"
)

// spanForm is a time as people write it: minutes, or a number with its unit.
var spanForm = regexp.MustCompile(`^(\d{1,7}) ?([a-z]*)$`)

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
	m := spanForm.FindStringSubmatch(text)
	if m == nil {
		return 0, spanWrong
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, spanWrong
	}
	unit := time.Minute
	switch m[2] {
	case "", "m", "min", "minute", "minutes":
	case "s", "sec", "second", "seconds":
		unit = time.Second
	case "h", "hour", "hours":
		unit = time.Hour
	case "d", "day", "days":
		unit = 24 * time.Hour
	default:
		return 0, spanWrong
	}
	if n > math.MaxInt64/int64(unit) {
		return 0, spanWrong
	}
	return time.Duration(n) * unit, ""
}

// SpanText writes a time as span reads it; 0 is empty.
func SpanText(d time.Duration) string {
	day := 24 * time.Hour
	switch {
	case d == 0:
		return ""
	case d == day:
		return "1 day"
	case d > day && d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + " days"
	case d >= 2*time.Hour && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + " h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + " min"
	case d < 2*time.Minute && d%time.Second == 0:
		return strconv.FormatInt(int64(d/time.Second), 10) + " s"
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
