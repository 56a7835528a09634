package rtmp

import "testing"

func TestInspect(t *testing.T) {
	for _, tt := range []struct {
		typ  byte
		body string
		want Info
	}{
		{TypeVideo, "\x17\x00\x00\x00\x00avcC", Info{Kind: Header, Slot: "v", Codec: "H.264"}},
		{TypeVideo, "\x17\x01\x00\x00\x00nal", Info{Kind: Keyframe, Codec: "H.264"}},
		{TypeVideo, "\x27\x01\x00\x00\x00nal", Info{Kind: Other, Codec: "H.264"}},
		{TypeVideo, "\x17\x02\x00\x00\x00", Info{Kind: Other, Codec: "H.264"}},
		{TypeVideo, "\x1C\x01\x00\x00\x00nal", Info{Kind: Keyframe, Codec: "HEVC"}},
		{TypeVideo, "\x12\x00sorenson", Info{Kind: Keyframe}},
		{TypeVideo, "\x90hvc1cfg", Info{Kind: Header, Slot: "v", Codec: "HEVC"}},
		{TypeVideo, "\x91hvc1\x00\x00\x00nal", Info{Kind: Keyframe, Codec: "HEVC"}},
		{TypeVideo, "\xA3av01obu", Info{Kind: Other, Codec: "AV1"}},
		{TypeVideo, "\x93av01obu", Info{Kind: Keyframe, Codec: "AV1"}},
		{TypeVideo, "\x94hvc1colour", Info{Kind: Header, Slot: "vmeta0", Codec: "HEVC"}},
		{TypeVideo, "\x95av01cfg", Info{Kind: Header, Slot: "v", Codec: "AV1"}},
		{TypeVideo, "\x96\x00hvc1\x01cfg", Info{Kind: Header, Slot: "v1", Codec: "HEVC", Multi: true, Track: 1}},
		{TypeVideo, "\x96\x01hvc1\x00nal", Info{Kind: Keyframe, Codec: "HEVC", Multi: true}},
		{TypeVideo, "\x96\x01hvc1\x01nal", Info{Codec: "HEVC", Multi: true, Track: 1}},
		{TypeVideo, "\x97\x02nnn\x01hvc1\x00\x00\x00nal", Info{Kind: Keyframe, Codec: "HEVC"}},
		{TypeVideo, "\x97\xFF", Info{}},
		// The sender does not say what kind of picture it is.
		{TypeVideo, "\x83hvc1\x00\x00\x00\x02\x46\x01\x00\x00\x00\x03\x26\x01x", Info{Kind: Keyframe, Codec: "HEVC"}},
		{TypeVideo, "\x81hvc1\x00\x00\x10\x00\x00\x00\x03\x26\x01x", Info{Kind: Keyframe, Codec: "HEVC"}},
		{TypeVideo, "\x83hvc1\x00\x00\x00\x03\x02\x01x\x00\x00\x00\x03\x26\x01x", Info{Codec: "HEVC"}},
		{TypeVideo, "\x83hvc1\xFF\x00\x00\x03\x26\x01x", Info{Codec: "HEVC"}},
		{TypeVideo, "\x83avc1\x00\x00\x00\x02\x67x\x00\x00\x00\x00\x00\x00\x00\x02\x65x", Info{Kind: Keyframe, Codec: "H.264"}},
		{TypeVideo, "\x83avc1\x00\x00\x00\x02\x41x", Info{Codec: "H.264"}},
		{TypeVideo, "\x83av01\x12\x00\x0A\x01x\x32\x01x", Info{Kind: Keyframe, Codec: "AV1"}},
		{TypeVideo, "\x83av01\x12\x00\x36\x00\x01x", Info{Codec: "AV1"}},
		{TypeVideo, "\x83av01\x12\xFF", Info{Codec: "AV1"}},
		{TypeVideo, "\x83vp09xx", Info{Codec: "VP9"}},
		{TypeVideo, "\x86\x03hvc1\x00\x00\x00\x00\x03\x26\x01x", Info{Kind: Keyframe, Codec: "HEVC", Multi: true}},
		{TypeVideo, "", Info{}},
		{TypeAudio, "\xAF\x00\x11\x90", Info{Kind: Header, Slot: "a", Codec: "AAC"}},
		{TypeAudio, "\xAF\x01raw", Info{Kind: Other, Codec: "AAC"}},
		{TypeAudio, "\x2Fmp3", Info{Kind: Other, Codec: "MP3"}},
		{TypeAudio, "\x90OpusHead", Info{Kind: Header, Slot: "a", Codec: "Opus"}},
		{TypeAudio, "\x91Opusraw", Info{Kind: Other, Codec: "Opus"}},
		{TypeAudio, "\x95\x00mp4a\x02cfg", Info{Kind: Header, Slot: "a2", Codec: "AAC", Multi: true, Track: 2}},
		{TypeAudio, "", Info{}},
		{TypeData, string(AppendAMF0(nil, "@setDataFrame", "onMetaData", Object{})), Info{Kind: Metadata, Slot: "meta"}},
		{TypeData, string(AppendAMF0(nil, "onMetaData", Object{})), Info{Kind: Metadata, Slot: "meta"}},
		{TypeData, string(AppendAMF0(nil, "onTextData", Object{})), Info{}},
	} {
		if got := Inspect(Message{Type: tt.typ, Payload: []byte(tt.body)}); got != tt.want {
			t.Errorf("type %d %q: %+v, want %+v", tt.typ, tt.body, got, tt.want)
		}
	}
}

// Whatever comes, the answer is one of the kinds and what has a slot is a header.
func FuzzInspect(f *testing.F) {
	f.Add(byte(TypeVideo), []byte("\x97\x02nnn\x01hvc1\x00\x00\x00nal"))
	f.Add(byte(TypeAudio), []byte("\x95\x00mp4a\x02cfg"))
	f.Add(byte(TypeVideo), []byte("\x83hvc1\x00\x00\x00\x02\x46\x01\x00\x00\x00\x03\x26\x01x"))
	f.Add(byte(TypeVideo), []byte("\x83av01\x12\x00\x0A\x01x\x32\x01x"))
	f.Fuzz(func(t *testing.T, typ byte, b []byte) {
		info := Inspect(Message{Type: typ, Payload: b})
		if one := FirstTrack(Message{Type: typ, Payload: b}); len(one) > len(b) {
			t.Fatalf("%q of %q", one, b)
		}
		if (info.Slot != "") != (info.Kind == Header || info.Kind == Metadata) {
			t.Fatalf("%+v", info)
		}
	})
}

// Of several tracks, the first goes to those who know one.
func TestFirstTrack(t *testing.T) {
	for _, tt := range []struct {
		typ      byte
		in, want string
	}{
		{TypeVideo, "\x96\x00hvc1\x00cfg", "\x90hvc1cfg"},
		{TypeVideo, "\x96\x01hvc1\x00\x00\x00\x00nal", "\x91hvc1\x00\x00\x00nal"},
		{TypeVideo, "\xA6\x03hvc1\x01other", ""},
		{TypeVideo, "\x96\x11avc1\x01\x00\x00\x02xx\x00\x00\x00\x03yes", "\x91avc1yes"},
		{TypeVideo, "\x96\x21hvc1\x01\x00\x00\x01xavc1\x00\x00\x00\x03yes", "\x91avc1yes"},
		{TypeVideo, "\x96\x11avc1\x01\xFF\x00\x02xx", ""},
		{TypeVideo, "\x96\x31avc1\x00yes", ""},
		{TypeVideo, "\x96\x00", ""},
		{TypeVideo, "\x91hvc1\x00\x00\x00", ""},
		{TypeAudio, "\x95\x01mp4a\x00raw", "\x91mp4araw"},
		{TypeAudio, "\x95\x01mp4a\x02raw", ""},
	} {
		if got := FirstTrack(Message{Type: tt.typ, Payload: []byte(tt.in)}); string(got) != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}
