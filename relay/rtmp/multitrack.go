package rtmp

// Ways in which a multitrack message holds its tracks (Enhanced RTMP v2, AvMultitrackType).
const (
	oneTrack             = 0
	manyTracks           = 1
	manyTracksManyCodecs = 2
)

// FirstTrack returns what a message of a multitrack stream says about track 0, as a payload for peers that know one track
// only. It is nil when there is nothing of that track in it, or when it cannot be read.
func FirstTrack(m Message) []byte {
	p := m.Payload
	if len(p) < 7 {
		return nil
	}
	packet := p[0] & 0x0F
	if m.Type == TypeVideo && packet != exVideoMultitrack || m.Type == TypeAudio && packet != exAudioMultitrack {
		return nil // ModEx before it: of no use to such a peer
	}
	// What is returned begins with the first byte, in which the packet type is that of the track.
	first := p[0]&0xF0 | p[1]&0x0F
	way, rest := p[1]>>4, p[2:]
	fourCC := []byte(nil)
	if way != manyTracksManyCodecs {
		if len(rest) < 5 {
			return nil
		}
		fourCC, rest = rest[:4], rest[4:]
	}
	if way == oneTrack {
		if rest[0] != 0 {
			return nil
		}
		return join(first, fourCC, rest[1:])
	}
	if way != manyTracks && way != manyTracksManyCodecs {
		return nil
	}
	for len(rest) > 0 {
		if way == manyTracksManyCodecs {
			if len(rest) < 4 {
				return nil
			}
			fourCC, rest = rest[:4], rest[4:]
		}
		if len(rest) < 4 {
			return nil
		}
		track, n := rest[0], int(rest[1])<<16|int(rest[2])<<8|int(rest[3])
		if rest = rest[4:]; len(rest) < n {
			return nil
		}
		if track == 0 {
			return join(first, fourCC, rest[:n])
		}
		rest = rest[n:]
	}
	return nil
}

func join(first byte, fourCC, body []byte) []byte {
	out := make([]byte, 0, 1+len(fourCC)+len(body))
	return append(append(append(out, first), fourCC...), body...)
}
