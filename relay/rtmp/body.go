package rtmp

// Body is what a message of picture or sound holds behind its header.
type Body struct {
	Codec       string // as in Info
	Header      bool   // Bytes is the configuration of the codec, else coded pictures or sound
	Composition int32  // ms from decoding to showing
	Bytes       []byte // part of the message
}

// ReadBody takes a message of one track apart. ok is false for what holds neither a configuration nor coded pictures or sound,
// and for messages of a multitrack stream: see FirstTrack.
func ReadBody(m Message) (b Body, ok bool) {
	p := m.Payload
	switch {
	case len(p) < 2:
		return b, false
	case m.Type == TypeVideo && p[0]&0x80 != 0, m.Type == TypeAudio && p[0]>>4 == audioEx:
		return readEx(p, m.Type == TypeVideo)
	case m.Type == TypeVideo:
		b.Codec = inspectVideo(p).Codec
		if b.Codec == "" || p[1] > 1 || len(p) < 5 {
			return b, false
		}
		b.Header, b.Composition, b.Bytes = p[1] == 0, signed24(p[2:]), p[5:]
	case m.Type == TypeAudio && p[0]>>4 == audioAAC:
		b.Codec, b.Header, b.Bytes = "AAC", p[1] == 0, p[2:]
	case m.Type == TypeAudio && p[0]>>4 == audioMP3:
		b.Codec, b.Bytes = "MP3", p[1:]
	}
	return b, b.Codec != ""
}

// readEx is ReadBody for extended headers (Enhanced RTMP v2).
func readEx(p []byte, video bool) (b Body, ok bool) {
	packet, p, ok := skipModEx(p[0]&0x0F, p[1:])
	if !ok || len(p) < 4 {
		return b, false
	}
	b.Codec, b.Bytes = codecName(string(p[:4])), p[4:]
	switch {
	case packet == exSequenceStart:
		b.Header = true
	case packet == exCodedFrames && video && (b.Codec == "H.264" || b.Codec == "HEVC"):
		if len(b.Bytes) < 3 {
			return b, false
		}
		b.Composition, b.Bytes = signed24(b.Bytes), b.Bytes[3:]
	case packet == exCodedFrames, packet == exCodedFramesX && video:
	default:
		return b, false
	}
	return b, b.Codec != ""
}

func signed24(p []byte) int32 {
	return int32(uint32(p[0])<<24|uint32(p[1])<<16|uint32(p[2])<<8) >> 8
}
