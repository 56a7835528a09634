package rtmp

import "testing"

func TestInspect(t *testing.T) {
	for _, tt := range []struct {
		typ  byte
		body string
		want Info
	}{
		{TypeVideo, "\x17\x00\x00\x00\x00avcC", Info{Header, "v", "H.264"}},
		{TypeVideo, "\x17\x01\x00\x00\x00nal", Info{Keyframe, "", "H.264"}},
		{TypeVideo, "\x27\x01\x00\x00\x00nal", Info{Other, "", "H.264"}},
		{TypeVideo, "\x17\x02\x00\x00\x00", Info{Other, "", "H.264"}},
		{TypeVideo, "\x1C\x01\x00\x00\x00nal", Info{Keyframe, "", "HEVC"}},
		{TypeVideo, "\x12\x00sorenson", Info{Keyframe, "", ""}},
		{TypeVideo, "\x90hvc1cfg", Info{Header, "v", "HEVC"}},
		{TypeVideo, "\x91hvc1\x00\x00\x00nal", Info{Keyframe, "", "HEVC"}},
		{TypeVideo, "\xA3av01obu", Info{Other, "", "AV1"}},
		{TypeVideo, "\x93av01obu", Info{Keyframe, "", "AV1"}},
		{TypeVideo, "\x94hvc1colour", Info{Header, "vmeta0", "HEVC"}},
		{TypeVideo, "\x95av01cfg", Info{Header, "v", "AV1"}},
		{TypeVideo, "\x96\x00hvc1\x01cfg", Info{Header, "v1", "HEVC"}},
		{TypeVideo, "\x96\x01hvc1\x00nal", Info{Keyframe, "", "HEVC"}},
		{TypeVideo, "\x96\x01hvc1\x01nal", Info{Other, "", "HEVC"}},
		{TypeVideo, "\x97\x02nnn\x01hvc1\x00\x00\x00nal", Info{Keyframe, "", "HEVC"}},
		{TypeVideo, "\x97\xFF", Info{}},
		{TypeVideo, "", Info{}},
		{TypeAudio, "\xAF\x00\x11\x90", Info{Header, "a", "AAC"}},
		{TypeAudio, "\xAF\x01raw", Info{Other, "", "AAC"}},
		{TypeAudio, "\x2Fmp3", Info{Other, "", "MP3"}},
		{TypeAudio, "\x90OpusHead", Info{Header, "a", "Opus"}},
		{TypeAudio, "\x91Opusraw", Info{Other, "", "Opus"}},
		{TypeAudio, "\x95\x00mp4a\x02cfg", Info{Header, "a2", "AAC"}},
		{TypeAudio, "", Info{}},
		{TypeData, string(AppendAMF0(nil, "@setDataFrame", "onMetaData", Object{})), Info{Metadata, "meta", ""}},
		{TypeData, string(AppendAMF0(nil, "onMetaData", Object{})), Info{Metadata, "meta", ""}},
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
	f.Fuzz(func(t *testing.T, typ byte, b []byte) {
		info := Inspect(Message{Type: typ, Payload: b})
		if (info.Slot != "") != (info.Kind == Header || info.Kind == Metadata) {
			t.Fatalf("%+v", info)
		}
	})
}
