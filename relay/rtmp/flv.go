package rtmp

import (
	"encoding/binary"
	"fmt"
)

// Sizes of FLV (FLV specification, "The FLV file body").
const (
	flvHeader   = 9
	flvTag      = 11
	flvPrevious = 4 // the size of the tag before, after each tag
)

// ParseFLV returns the audio, video and data messages of an FLV file. Their payloads are parts of b. Errors wrap ErrProtocol.
func ParseFLV(b []byte) ([]Message, error) {
	if len(b) < flvHeader+flvPrevious || string(b[:3]) != "FLV" {
		return nil, fmt.Errorf("%w: not an FLV file", ErrProtocol)
	}
	at := uint64(binary.BigEndian.Uint32(b[5:])) + flvPrevious
	if at < flvHeader+flvPrevious || at > uint64(len(b)) {
		return nil, fmt.Errorf("%w: FLV header of %d bytes", ErrProtocol, at-flvPrevious)
	}
	all, rest := flvTags(b[at:])
	if rest > 0 {
		return all, fmt.Errorf("%w: FLV file cut off in a tag", ErrProtocol)
	}
	return all, nil
}

// flvTags returns the audio, video and data messages of FLV tags that follow each other, and how many bytes at the end are
// no whole tag.
func flvTags(b []byte) (all []Message, rest int) {
	for len(b) >= flvTag {
		n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if len(b) < flvTag+n {
			break
		}
		if typ := b[0]; typ == TypeAudio || typ == TypeVideo || typ == TypeData {
			t := uint32(b[4])<<16 | uint32(b[5])<<8 | uint32(b[6]) | uint32(b[7])<<24
			all = append(all, Message{Type: typ, Time: t, Payload: b[flvTag : flvTag+n : flvTag+n]})
		}
		b = b[min(len(b), flvTag+n+flvPrevious):]
	}
	return all, len(b)
}
