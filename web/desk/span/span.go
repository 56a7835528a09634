// Package span reads and writes lengths of time as people put them into forms.
package span

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// form is minutes, or a number with its unit.
var form = regexp.MustCompile(`^(\d{1,7}) ?([a-z]*)$`)

// Read reads minutes, or a number with a unit: 30 s, 10 min, 2 h, 3 days. ok is false for anything else.
func Read(text string) (d time.Duration, ok bool) {
	m := form.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, false
	}
	unit := time.Minute
	switch m[2] {
	case "", "m", "min", "minute", "minutes":
	case "s", "sec", "second", "seconds":
		unit = time.Second
	case "h", "hour", "hours":
		unit = time.Hour
	case "d", "day", "days":
		unit = day
	default:
		return 0, false
	}
	if n > math.MaxInt64/int64(unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// Text writes whole seconds as Read reads them, in the largest unit that is whole; hours only from two on. Parts of a second are
// left out.
func Text(d time.Duration) string {
	switch {
	case d == day:
		return "1 day"
	case d > day && d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + " days"
	case d >= 2*time.Hour && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + " h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + " min"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + " s"
}
