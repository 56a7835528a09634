package rtmp

// Kind is what a message means to a relay.
type Kind byte

// The kinds of audio, video and data messages.
const (
	Other    Kind = iota // inter frames, audio, cue points: sent while the viewer is in step
	Keyframe             // a viewer may start here
	Header               // a sequence header: needed before anything else of its Slot can be decoded
	Metadata             // onMetaData
)

// Info is what Inspect reads off a message's first bytes.
type Info struct {
	Kind  Kind
	Slot  string // for Header and Metadata: a new one replaces the old one of the same slot
	Codec string // such as "H.264", "" when not known
	Multi bool   // it is of a multitrack stream
	Track byte   // which, of several
}

// Inspect looks at the first bytes of an audio, video or data message, never at the picture.
func Inspect(m Message) Info {
	switch m.Type {
	case TypeVideo:
		return inspectVideo(m.Payload)
	case TypeAudio:
		return inspectAudio(m.Payload)
	case TypeData:
		if _, ok := ParseMetadata(m.Payload); ok {
			return Info{Kind: Metadata, Slot: "meta"}
		}
	}
	return Info{}
}

// Legacy codec numbers (FLV specification, "VIDEODATA" and "AUDIODATA").
const (
	videoAVC  = 7
	videoHEVC = 12 // not in the specification, common in Asia
	audioMP3  = 2
	audioEx   = 9
	audioAAC  = 10
)

func inspectVideo(p []byte) Info {
	if len(p) < 2 {
		return Info{}
	}
	if p[0]&0x80 != 0 {
		return inspectEx(p, 'v')
	}
	info := Info{}
	switch p[0] & 0x0F {
	case videoAVC:
		info.Codec = "H.264"
	case videoHEVC:
		info.Codec = "HEVC"
	}
	switch {
	case info.Codec != "" && p[1] == 0:
		info.Kind, info.Slot = Header, "v"
	case p[0]>>4 == 1 && (info.Codec == "" || p[1] == 1):
		info.Kind = Keyframe
	}
	return info
}

func inspectAudio(p []byte) Info {
	if len(p) == 0 {
		return Info{}
	}
	switch p[0] >> 4 {
	case audioEx:
		return inspectEx(p, 'a')
	case audioMP3:
		return Info{Codec: "MP3"}
	case audioAAC:
		if len(p) > 1 && p[1] == 0 {
			return Info{Kind: Header, Slot: "a", Codec: "AAC"}
		}
		return Info{Codec: "AAC"}
	}
	return Info{}
}

// Packet types of Enhanced RTMP v2 ("Extended VideoTagHeader", "Extended AudioTagHeader").
const (
	exSequenceStart   = 0
	exCodedFrames     = 1
	exCodedFramesX    = 3 // video
	exMetadata        = 4 // video: colour; audio: multichannel configuration
	exMPEG2TSSequence = 5 // video; in audio it is multitrack
	exVideoMultitrack = 6
	exAudioMultitrack = 5
	exModEx           = 7
	keyframeType      = 1
)

// inspectEx reads an extended header: packet type, ModEx prefixes, multitrack, FourCC and track.
func inspectEx(p []byte, medium byte) Info {
	frame, packet := p[0]>>4&7, p[0]&0x0F
	p = p[1:]
	packet, p, ok := skipModEx(packet, p)
	if !ok {
		return Info{}
	}
	multitrack := medium == 'v' && packet == exVideoMultitrack || medium == 'a' && packet == exAudioMultitrack
	track, way := byte(0), byte(0)
	fourCCAt := 0
	if multitrack {
		if len(p) < 1 {
			return Info{}
		}
		packet, way = p[0]&0x0F, p[0]>>4
		fourCCAt = 1
		if at := fourCCAt + 4; len(p) > at {
			track = p[at] // of several tracks the first speaks for the message
		}
	}
	if len(p) < fourCCAt+4 {
		return Info{}
	}
	fourCC := string(p[fourCCAt : fourCCAt+4])
	info := Info{Codec: codecName(fourCC), Multi: multitrack, Track: track}
	slot := func(what string) string { return string(medium) + what + string(rune('0'+track)) }
	switch {
	case packet == exSequenceStart, packet == exMPEG2TSSequence && medium == 'v':
		info.Kind, info.Slot = Header, slot("")
		if track == 0 && !multitrack {
			info.Slot = string(medium) // a change between the old and the new form replaces the header
		}
	case packet == exMetadata:
		info.Kind, info.Slot = Header, slot("meta")
	case medium == 'v' && track == 0 && (packet == exCodedFrames || packet == exCodedFramesX):
		body := p[fourCCAt+4:]
		if multitrack && len(body) > 0 {
			body = body[1:]
		}
		if frame == keyframeType || frame == 0 && (!multitrack || way == oneTrack) && unmarked(info.Codec, packet, body) {
			info.Kind = Keyframe
		}
	}
	return info
}

// skipModEx leaves out what stands before the packet type that counts.
func skipModEx(packet byte, p []byte) (byte, []byte, bool) {
	for packet == exModEx {
		if len(p) < 1 {
			return 0, nil, false
		}
		n, at := int(p[0])+1, 1
		if n == 256 {
			if len(p) < 3 {
				return 0, nil, false
			}
			n, at = (int(p[1])<<8|int(p[2]))+1, 3
		}
		if len(p) < at+n+1 {
			return 0, nil, false
		}
		packet, p = p[at+n]&0x0F, p[at+n+1:]
	}
	return packet, p, true
}

// codecName is what people call a FourCC.
func codecName(fourCC string) string {
	switch fourCC {
	case "avc1":
		return "H.264"
	case "hvc1":
		return "HEVC"
	case "av01":
		return "AV1"
	case "vp09":
		return "VP9"
	case "vp08":
		return "VP8"
	case "Opus":
		return "Opus"
	case "fLaC":
		return "FLAC"
	case "mp4a":
		return "AAC"
	case ".mp3":
		return "MP3"
	case "ac-3":
		return "AC-3"
	case "ec-3":
		return "E-AC-3"
	}
	return ""
}

// ParseMetadata returns the properties of an onMetaData message, in the publisher's form (@setDataFrame first) or
// not.
func ParseMetadata(p []byte) (Object, bool) {
	if len(p) > MaxDialogue || len(p) == 0 || p[0] != amfString {
		return nil, false
	}
	v, err := ParseAMF0(p)
	if err != nil && len(v) == 0 {
		return nil, false
	}
	if len(v) > 0 && v[0] == "@setDataFrame" {
		v = v[1:]
	}
	if len(v) < 2 || v[0] != "onMetaData" {
		return nil, false
	}
	o, ok := v[1].(Object)
	return o, ok
}
