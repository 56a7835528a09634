package media

import (
	"bytes"
	"testing"

	"hawker/relay/ring"
	"hawker/relay/rtmp"
)

// avcC is a real decoder configuration (Main, 640x360).
var avcC = []byte{ //nolint:gochecknoglobals // of all tests
	0x01, 0x4D, 0x40, 0x1F, 0xFF, 0xE1, 0x00, 0x19, 0x67, 0x4D, 0x40, 0x1F, 0xA6, 0x11, 0x02, 0x80, 0xBF, 0xE5, 0x84, 0x00, 0x00,
	0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xC8, 0x3C, 0x60, 0xC8, 0x46, 0x01, 0x00, 0x05, 0x68, 0xE8, 0x43, 0x32, 0xC8,
}

func unit(typ byte, at int64, payload []byte) *ring.Unit {
	m := rtmp.Message{Type: typ, Payload: payload}
	return ring.NewUnit(m, rtmp.Inspect(m), at)
}

func TestReader(t *testing.T) {
	var r Reader
	read := func(typ byte, at int64, p ...byte) (Sample, bool) { return r.Read(unit(typ, at, p)) }
	if _, ok := read(rtmp.TypeVideo, 0, 0x17, 1, 0, 0, 0, 0, 0, 0, 1, 9); ok {
		t.Error("a picture without a configuration")
	}
	read(rtmp.TypeVideo, 0, append([]byte{0x17, 0, 0, 0, 0}, avcC...)...)
	read(rtmp.TypeAudio, 0, 0xAF, 0, 0x11, 0x90) // AAC, 48 kHz, two channels
	v, a := r.Video, r.Audio
	if v == nil || v.Name != "avc1.4d401f" || v.Width != 640 || v.Height != 360 || a == nil || a.Name != "mp4a.40.2" || a.Scale != 48_000 {
		t.Fatalf("%+v, %+v", v, a)
	}
	if want := append(append([]byte{0, 0, 0, 25}, avcC[8:33]...), append([]byte{0, 0, 0, 5}, avcC[36:]...)...); !bytes.Equal(v.Sets(), want) {
		t.Errorf("sets %x", v.Sets())
	}
	if s, ok := read(rtmp.TypeVideo, 1000, 0x17, 1, 0, 0, 80, 0, 0, 0, 1, 0x65); !ok || !s.Key || !s.Video || s.Time != 90_000 || s.Offset != 7200 || !bytes.Equal(s.Payload, []byte{0, 0, 0, 1, 0x65}) {
		t.Errorf("%+v", s)
	}
	if s, ok := read(rtmp.TypeVideo, 1033, 0x27, 1, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 0x41); !ok || s.Key || s.Time != 1033*90 || s.Offset != -90 {
		t.Errorf("%+v", s)
	}
	// Sound counts its own frames, whatever RTMP rounds, until it is too far apart.
	for i, tt := range []struct {
		at   int64
		want int64
		ok   bool
	}{
		{1000, 48_000, true},
		{1021, 49_024, true},
		{1043, 50_048, true},
		{1500, 72_000, true}, // some is missing
		{1501, 73_024, true}, // 21 ms are told to be one
		{1502, 74_048, true}, // 42
		{1503, 0, false},     // too much sound for so little time
		{1600, 75_072, true},
		{9000, 9000 * 48, true},      // a jump
		{9021, 9000*48 + 1024, true}, //
	} {
		s, ok := read(rtmp.TypeAudio, tt.at, 0xAF, 1, 0x21)
		if ok != tt.ok || ok && s.Time != tt.want {
			t.Errorf("sound %d at %d ms: %d, %v; want %d, %v", i, tt.at, s.Time, ok, tt.want, tt.ok)
		}
	}
	read(rtmp.TypeVideo, 9000, append([]byte{0x17, 0, 0, 0, 0}, avcC...)...)
	if r.Video != v {
		t.Error("the same configuration again made another track")
	}
	two := bytes.Clone(avcC)
	two[4] = 0xFD // lengths of two bytes
	read(rtmp.TypeVideo, 9000, append([]byte{0x17, 0, 0, 0, 0}, two...)...)
	if r.Video == v || !v.Fits(r.Video) || v.Fits(nil) {
		t.Error("another configuration in the same codec and size")
	}
	if s, ok := read(rtmp.TypeVideo, 9001, 0x17, 1, 0, 0, 0, 0, 1, 0x65, 0, 2, 1, 2); !ok || !bytes.Equal(s.Payload, []byte{0, 0, 0, 1, 0x65, 0, 0, 0, 2, 1, 2}) {
		t.Errorf("%+v, %v", s, ok)
	}
	if _, ok := read(rtmp.TypeVideo, 9001, 0x17, 1, 0, 0, 0, 0, 9, 0x65); ok {
		t.Error("a picture that is cut off")
	}
	read(rtmp.TypeAudio, 9100, 0x90, 'f', 'L', 'a', 'C')
	if r.Audio != nil {
		t.Error("a codec that is not kept")
	}
}

func FuzzReader(f *testing.F) {
	f.Add(byte(rtmp.TypeVideo), append([]byte{0x17, 0, 0, 0, 0}, avcC...), []byte{0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65})
	f.Add(byte(rtmp.TypeVideo), []byte("\x90hvc1\x01"), []byte("\x91hvc1\x00\x00\x00x"))
	f.Add(byte(rtmp.TypeVideo), []byte("\x90av01\x81\x00\x0c\x00\x0a\x0b"), []byte("\x91av01x"))
	f.Add(byte(rtmp.TypeAudio), []byte("\x90OpusOpusHead\x01\x02"), []byte("\x91Opus\xFC"))
	f.Add(byte(rtmp.TypeAudio), []byte{0xAF, 0, 0x11, 0x90}, []byte{0xAF, 1, 1})
	f.Fuzz(func(t *testing.T, typ byte, header, data []byte) {
		var r Reader
		r.Read(unit(typ, 5, header))
		last := int64(-1)
		for at := range int64(3) {
			s, ok := r.Read(unit(typ, 5+at, bytes.Clone(data)))
			if ok && (s.Time < last || len(s.Payload) == 0) {
				t.Fatalf("%+v after %d", s, last)
			}
			if ok {
				last = s.Time
			}
		}
		if r.Video != nil && (r.Video.Name == "" || r.Video.Width <= 0) {
			t.Fatalf("%+v", r.Video)
		}
	})
}
