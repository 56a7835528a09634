package still_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hawker/relay/rtmp"
	"hawker/relay/still"
)

func ffmpeg(t *testing.T, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal("ffmpeg is missing: install the package ffmpeg")
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"-v", "error"}, args...)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil || said.Len() > 0 {
		t.Fatalf("ffmpeg: %v\n%s", err, said.String())
	}
	return out.Bytes()
}

func flv(t *testing.T, all ...rtmp.Message) string {
	t.Helper()
	b := []byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
	for _, m := range all {
		n := len(m.Payload)
		b = append(b, m.Type, byte(n>>16), byte(n>>8), byte(n), byte(m.Time>>16), byte(m.Time>>8), byte(m.Time), byte(m.Time>>24), 0, 0, 0)
		b = append(b, m.Payload...)
		b = binary.BigEndian.AppendUint32(b, uint32(11+n))
	}
	file := filepath.Join(t.TempDir(), "x.flv")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A real decoder sees nothing but black, in the right size.
func TestBlack(t *testing.T) {
	for _, size := range [][2]int{{16, 16}, {640, 360}, {1280, 720}, {1920, 1080}, {1080, 1920}, {854, 480}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			header, keys := still.Black(size[0], size[1])
			all := []rtmp.Message{{Type: rtmp.TypeVideo, Payload: header}}
			for i := range 4 {
				all = append(all, rtmp.Message{Type: rtmp.TypeVideo, Time: uint32(500 * i), Payload: keys[i%2]})
			}
			got := ffmpeg(t, "-i", flv(t, all...), "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
			n := size[0] * size[1]
			if len(got) != 4*n*3/2 {
				t.Fatalf("%d bytes, want %d", len(got), 4*n*3/2)
			}
			for i, c := range got {
				if want := byte(128); c != want && i%(n*3/2) >= n || i%(n*3/2) < n && c != 16 {
					t.Fatalf("byte %d is %d", i, c)
				}
			}
		})
	}
}

// A real decoder hears nothing, for the right time.
func TestSilence(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header []byte
		rate   int
		ch     int
	}{
		{"stereo 48 kHz", []byte{0xAF, 0, 0x11, 0x90}, 48000, 2},
		{"stereo 44.1 kHz", []byte{0xAF, 0, 0x12, 0x10}, 44100, 2},
		{"mono 48 kHz", []byte{0xAF, 0, 0x11, 0x88}, 48000, 1},
		{"5.1", []byte{0xAF, 0, 0x11, 0xB0}, 48000, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, ok := still.Silence(tt.header)
			if !ok {
				t.Fatal("no silence")
			}
			all := []rtmp.Message{{Type: rtmp.TypeAudio, Payload: tt.header}}
			for i := range 50 {
				all = append(all, rtmp.Message{Type: rtmp.TypeAudio, Time: uint32(float64(i) * s.Every.Seconds() * 1000), Payload: s.Payload})
			}
			got := ffmpeg(t, "-i", flv(t, all...), "-f", "s16le", "-ac", fmt.Sprint(tt.ch), "-ar", fmt.Sprint(tt.rate), "-")
			if want := 50 * 1024 * 2 * tt.ch; len(got) < want*9/10 || len(got) > want*11/10 {
				t.Errorf("%d bytes of sound, want %d", len(got), want)
			}
			for i := 0; i+1 < len(got); i += 2 {
				if v := int16(binary.LittleEndian.Uint16(got[i:])); v > 1 || v < -1 {
					t.Fatalf("sample %d is %d", i/2, v)
				}
			}
		})
	}
	if _, ok := still.Silence([]byte{0x2F, 0xFF}); ok {
		t.Error("silence for MP3")
	}
	if s, ok := still.Silence([]byte("\x90OpusHead")); !ok || len(s.Payload) != 8 {
		t.Errorf("Opus: %v", s)
	}
}

// What is set apart is still a keyframe, with a delimiter before the picture.
func TestAgain(t *testing.T) {
	for codec, in := range map[string]string{
		"H.264": "\x17\x01\x00\x00\x00\x00\x00\x00\x01e", "HEVC": "\x91hvc1\x00\x00\x00\x00\x00\x00\x01k", "AV1": "\x93av01obu.......",
	} {
		header := bytes.Repeat([]byte{0xFF}, 40)
		if same := still.Again([]byte(in), header[:8], codec); string(same) != in {
			t.Errorf("%s: changed without knowing how", codec)
		}
		out := still.Again([]byte(in), header, codec)
		if info := rtmp.Inspect(rtmp.Message{Type: rtmp.TypeVideo, Payload: out}); info.Kind != rtmp.Keyframe || info.Codec != codec {
			t.Errorf("%s: %+v", codec, info)
		}
		if !bytes.HasSuffix(out, []byte(in[8:])) || codec == "AV1" && string(out) != in {
			t.Errorf("%s: % x", codec, out)
		}
	}
}
