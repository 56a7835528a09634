package seal

import (
	"fmt"
	"log/slog"
)

const hidden = "[hidden]"

// Secret is a text that must not be seen: printing, logging or encoding it shows "[hidden]". Reveal gives the text.
// It does not marshal to its value, so a struct that holds one cannot leak it by being sent somewhere. In SQL it is
// no driver.Valuer, but its kind is string: seal it, or take its Hash, before it goes there; nor may it be the key of a
// map that is sent as JSON.
type Secret string

// Reveal is the text itself. Each call is a place to look at when asking where a secret goes.
func (s Secret) Reveal() string { return string(s) }

// String hides the text.
func (s Secret) String() string { return hidden }

// GoString hides the text.
func (s Secret) GoString() string { return hidden }

// Format hides the text from every verb, %x and %d included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON hides the text.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText hides the text from every other encoder: YAML, XML, flags.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalText reads the text, so that settings and JSON bodies can carry secrets in.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}
