// Package speech is the stored form of an answer.
package speech

import (
	"encoding/base64"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/saved"
	"hawker/internal/live/speaker"
	"hawker/internal/object"
)

// Speech is a stored answer: either an outcome that is put into words when it is said, or a text.
type Speech struct {
	To      chat.Answer       `json:"to"`
	Rank    speaker.Rank      `json:"rank"`
	Outcome *commerce.Outcome `json:"outcome,omitempty"`
	Text    string            `json:"text,omitempty"`
	Sealed  []byte            `json:"sealed,omitempty"` // of To.Token, which is a secret
	// Generation is that of the receipt's address.
	Generation int `json:"generation,omitempty"`
	// Loud is a shout-out, which stands out where the platform has a form for that.
	Loud bool `json:"loud,omitempty"`
}

// Append appends the speech as encoding/json writes it.
func (s *Speech) Append(buf []byte) []byte {
	o := object.Open(buf)
	o.Name("to")
	o.Buf = saved.Answer(o.Buf, s.To)
	o.Number("rank", int64(s.Rank))
	if s.Outcome != nil {
		o.Name("outcome")
		o.Buf = saved.Outcome(o.Buf, s.Outcome)
	}
	o.Some("text", s.Text)
	if len(s.Sealed) > 0 {
		o.Name("sealed")
		o.Buf = append(base64.StdEncoding.AppendEncode(append(o.Buf, '"'), s.Sealed), '"')
	}
	o.SomeNumber("generation", int64(s.Generation))
	o.True("loud", s.Loud)
	return o.Close()
}
