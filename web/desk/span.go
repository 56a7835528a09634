package desk

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
)

// spanForm is a time as people write it into a form: minutes, or a number with its unit.
var spanForm = regexp.MustCompile(`^(\d{1,7}) ?([a-z]*)$`)

// spanForms says how a time is written.
const spanForms = "That is no time. Write minutes, or a unit with it: 90 s, 2 h, 3 days."

// span reads how long something lasts; wrong says what cannot be used.
func span(text string) (d time.Duration, wrong string) {
	m := spanForm.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil {
		return 0, spanForms
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, spanForms
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
		return 0, spanForms
	}
	if d = time.Duration(n) * unit; d < commerce.MinHold || d > commerce.MaxHold {
		return 0, spanText(d) + " is not within the bounds. From 1 minute to 7 days."
	}
	return d, ""
}

// spanText writes a time as span reads it.
func spanText(d time.Duration) string {
	day := 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		if d == day {
			return "1 day"
		}
		return strconv.FormatInt(int64(d/day), 10) + " days"
	case d >= 2*time.Hour && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + " h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + " min"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + " s"
}
