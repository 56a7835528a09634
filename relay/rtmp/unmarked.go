package rtmp

import "encoding/binary"

// unmarked says whether a picture whose sender leaves the frame type at 0, which stands for nothing, is one that a viewer may start
// with: MediaMTX and whatever else is built on gortmplib sends all pictures of Enhanced RTMP so. body begins after the FourCC.
func unmarked(codec string, packet byte, body []byte) bool {
	if packet == exCodedFrames && codec != "AV1" {
		if len(body) < 3 {
			return false
		}
		body = body[3:] // composition time
	}
	switch codec {
	case "H.264":
		return anyNAL(body, func(first byte) (key, more bool) {
			t := first & 0x1F
			return t == 5, t > 5 || t == 0 // 5 is an IDR picture, 1 to 4 are others (H.264, table 7-1)
		})
	case "HEVC":
		return anyNAL(body, func(first byte) (key, more bool) {
			t := first >> 1 & 0x3F
			return t >= 16 && t <= 23, t > 31 // IRAP pictures; those up to 31 are pictures (H.265, table 7-1)
		})
	case "AV1":
		return hasSequence(body)
	}
	return false
}

// anyNAL looks at the first byte of each unit, each behind its length in 4 bytes, until one is a picture.
func anyNAL(b []byte, look func(first byte) (key, more bool)) bool {
	for len(b) > 4 {
		n := int64(binary.BigEndian.Uint32(b))
		if b = b[4:]; n > int64(len(b)) {
			return false
		}
		if n == 0 {
			continue
		}
		if key, more := look(b[0]); key || !more {
			return key
		}
		b = b[n:]
	}
	return false
}

// hasSequence says whether a temporal unit of AV1 has a sequence header, which stands before each keyframe that a viewer may start
// with and nowhere else (AV1, 7.5).
func hasSequence(b []byte) bool {
	const sequenceHeader, frameHeader, frame = 1, 3, 6
	for len(b) > 0 {
		kind, extended, sized := b[0]>>3&0x0F, b[0]&4 != 0, b[0]&2 != 0
		if kind == sequenceHeader {
			return true
		}
		if kind == frameHeader || kind == frame || !sized {
			return false
		}
		b = b[1:]
		if extended && len(b) > 0 {
			b = b[1:]
		}
		n, used := binary.Uvarint(b) // leb128 is the same
		if used <= 0 || n > uint64(len(b)-used) {
			return false
		}
		b = b[used+int(n):]
	}
	return false
}
