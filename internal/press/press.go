// Package press makes records smaller that are kept many times over and read seldom. A pressed record begins with a byte of its
// owner's choice, by which no other record begins; a block of S2 follows (github.com/klauspost/compress/s2).
package press

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// Press presses records. Its memory is used again and again: one goroutine at a time may use it.
type Press struct {
	Mark       byte
	From, Most int // bytes that a record must and may have to be pressed; others stay as they are
	scratch    []byte
}

// Record is b, pressed if that is worth it, in memory of its own.
func (p *Press) Record(b []byte) []byte {
	if len(b) < p.From || len(b) > p.Most {
		return bytes.Clone(b)
	}
	if most := 1 + s2.MaxEncodedLen(len(b)); cap(p.scratch) < most {
		p.scratch = make([]byte, most)
	}
	p.scratch = p.scratch[:cap(p.scratch)]
	p.scratch[0] = p.Mark
	return bytes.Clone(p.scratch[:1+len(s2.Encode(p.scratch[1:], b))])
}

// Undo is the record as it was, of at most most bytes. One that does not begin with mark is returned as it is. The error is
// s2.ErrCorrupt, also where the record would be longer.
func Undo(b []byte, mark byte, most int) ([]byte, error) {
	if len(b) == 0 || b[0] != mark {
		return b, nil
	}
	if n, err := s2.DecodedLen(b[1:]); err != nil || n > most {
		return nil, fmt.Errorf("a pressed record of %d bytes: %w", n, errors.Join(s2.ErrCorrupt, err))
	}
	return s2.Decode(nil, b[1:])
}
