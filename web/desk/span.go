package desk

import (
	"time"

	"hawker/commerce"
	"hawker/web/desk/span"
)

// spanForms says how a time is written.
const spanForms = "That is no time. Write minutes, or a unit with it: 90 s, 2 h, 3 days."

// holdTime reads how long something is held; wrong says what cannot be used.
func holdTime(text string) (d time.Duration, wrong string) {
	d, ok := span.Read(text)
	switch {
	case !ok:
		return 0, spanForms
	case d < commerce.MinHold || d > commerce.MaxHold:
		return 0, span.Text(d) + " is not within the bounds. From 1 minute to 7 days."
	}
	return d, ""
}
