package rtmp

import (
	"bytes"
	"testing"
)

func TestReadBody(t *testing.T) {
	for _, tt := range []struct {
		what string
		typ  byte
		p    string
		want Body
		ok   bool
	}{
		{"AVC header", TypeVideo, "\x17\x00\x00\x00\x00conf", Body{"H.264", true, 0, []byte("conf")}, true},
		{"AVC picture", TypeVideo, "\x27\x01\xFF\xFF\xFEpic", Body{"H.264", false, -2, []byte("pic")}, true},
		{"AVC end", TypeVideo, "\x17\x02\x00\x00\x00", Body{Codec: "H.264"}, false},
		{"HEVC of old", TypeVideo, "\x1C\x01\x00\x00\x05pic", Body{"HEVC", false, 5, []byte("pic")}, true},
		{"HEVC", TypeVideo, "\x91hvc1\x00\x01\x00pic", Body{"HEVC", false, 256, []byte("pic")}, true},
		{"HEVC without composition", TypeVideo, "\xA3hvc1pic", Body{"HEVC", false, 0, []byte("pic")}, true},
		{"HEVC with nanoseconds before", TypeVideo, "\x97\x02\x01\x02\x03\x03hvc1pic", Body{"HEVC", false, 0, []byte("pic")}, true},
		{"AV1", TypeVideo, "\x91av01obu", Body{"AV1", false, 0, []byte("obu")}, true},
		{"colours", TypeVideo, "\x94hvc1x", Body{Codec: "HEVC", Bytes: []byte("x")}, false},
		{"multitrack", TypeVideo, "\x96\x01hvc1\x00x", Body{}, false},
		{"AAC header", TypeAudio, "\xAF\x00\x11\x90", Body{"AAC", true, 0, []byte("\x11\x90")}, true},
		{"AAC", TypeAudio, "\xAF\x01snd", Body{"AAC", false, 0, []byte("snd")}, true},
		{"Opus header", TypeAudio, "\x90OpusOpusHead", Body{"Opus", true, 0, []byte("OpusHead")}, true},
		{"Opus", TypeAudio, "\x91Opussnd", Body{"Opus", false, 0, []byte("snd")}, true},
		{"MP3", TypeAudio, "\x2Fsnd", Body{"MP3", false, 0, []byte("snd")}, true},
		{"short", TypeAudio, "\xAF", Body{}, false},
		{"cut off", TypeVideo, "\x91hvc1\x00", Body{Codec: "HEVC", Bytes: []byte("\x00")}, false},
		{"Sorenson", TypeVideo, "\x12xxxxx", Body{}, false},
	} {
		got, ok := ReadBody(Message{Type: tt.typ, Payload: []byte(tt.p)})
		if ok != tt.ok || ok && (got.Codec != tt.want.Codec || got.Header != tt.want.Header || got.Composition != tt.want.Composition || !bytes.Equal(got.Bytes, tt.want.Bytes)) {
			t.Errorf("%s: %+v, %v; want %+v, %v", tt.what, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzReadBody(f *testing.F) {
	f.Add(byte(TypeVideo), []byte("\x97\x02\x01\x02\x03\x03hvc1pic"))
	f.Add(byte(TypeAudio), []byte("\xAF\x01snd"))
	f.Fuzz(func(t *testing.T, typ byte, p []byte) {
		b, ok := ReadBody(Message{Type: typ, Payload: p})
		if ok && (b.Codec == "" || len(b.Bytes) >= len(p)) {
			t.Fatalf("%+v of %d bytes", b, len(p))
		}
		if info := Inspect(Message{Type: typ, Payload: p}); ok && b.Header && info.Kind != Header {
			t.Fatalf("a header to one, %v to the other", info.Kind)
		}
	})
}
