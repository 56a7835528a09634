package rtmp

import "encoding/binary"

const (
	// HeaderLen is the length in bytes of a type 0 header on a chunk stream below 64, without extended timestamp.
	HeaderLen = 12
	// headRoom is what the longest header needs: HeaderLen and an extended timestamp.
	headRoom = HeaderLen + 4
	// streamIDAt is where the message stream id stands in that header.
	streamIDAt = 8
	// extended marks a timestamp that stands in the four bytes after the header.
	extended = 0xFFFFFF
)

// AppendMessage appends m to dst as it goes over the wire: a type 0 header with the absolute time on chunk stream
// csid (3 to 63), so that it depends on no earlier message, and the payload in chunks of the given size.
func AppendMessage(dst []byte, csid byte, m Message, chunk int) []byte {
	dst = appendHeader(dst, csid, m)
	p := m.Payload
	for len(p) > chunk {
		dst = append(dst, p[:chunk]...)
		p = p[chunk:]
		dst = append(dst, 0xC0|csid)
		if m.Time >= extended {
			dst = binary.BigEndian.AppendUint32(dst, m.Time) // repeated in every type 3 chunk (section 5.3.1.3)
		}
	}
	return append(dst, p...)
}

func appendHeader(dst []byte, csid byte, m Message) []byte {
	short := min(m.Time, extended)
	n := len(m.Payload)
	dst = append(dst, csid, byte(short>>16), byte(short>>8), byte(short), byte(n>>16), byte(n>>8), byte(n), m.Type)
	dst = binary.LittleEndian.AppendUint32(dst, m.Stream)
	if short == extended {
		dst = binary.BigEndian.AppendUint32(dst, m.Time)
	}
	return dst
}

// Wire returns m as it goes over the wire with chunks of OutChunk. A message that was read by a Reader and fits one
// chunk is not copied: its header is written into the room before the payload, so m must not be sent again in
// another form afterwards.
func (m Message) Wire(csid byte) []byte {
	if m.room == nil || len(m.Payload) > OutChunk {
		n := len(m.Payload)
		return AppendMessage(make([]byte, 0, n+headRoom+5*(n/OutChunk)), csid, m, OutChunk)
	}
	n := HeaderLen
	if m.Time >= extended {
		n = headRoom
	}
	at := headRoom - n
	appendHeader(m.room[at:at], csid, m)
	return m.room[at:]
}

// WithStream returns a copy of the first HeaderLen bytes of wire, naming another message stream. The rest of wire
// follows it unchanged: only type 0 headers name a stream.
func WithStream(wire []byte, stream uint32) [HeaderLen]byte {
	h := [HeaderLen]byte(wire)
	binary.LittleEndian.PutUint32(h[streamIDAt:], stream)
	return h
}
