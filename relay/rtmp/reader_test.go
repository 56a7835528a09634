package rtmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
)

func payload(n int, seed byte) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = seed + byte(i*7)
	}
	return p
}

// header is a chunk header of any format on any chunk stream, as an encoder may write it.
func header(format byte, csid, field uint32, length int, typ byte, stream uint32) []byte {
	var b []byte
	switch {
	case csid < 64:
		b = []byte{format<<6 | byte(csid)}
	case csid < 320:
		b = []byte{format << 6, byte(csid - 64)}
	default:
		b = []byte{format<<6 | 1, byte(csid - 64), byte((csid - 64) >> 8)}
	}
	short := min(field, extended)
	if format < 3 {
		b = append(b, byte(short>>16), byte(short>>8), byte(short))
	}
	if format < 2 {
		b = append(b, byte(length>>16), byte(length>>8), byte(length), typ)
	}
	if format == 0 {
		b = binary.LittleEndian.AppendUint32(b, stream)
	}
	if field >= extended {
		b = binary.BigEndian.AppendUint32(b, field)
	}
	return b
}

func chunkSize(n uint32) []byte {
	return AppendMessage(nil, csidControl, Message{Type: TypeSetChunkSize, Payload: binary.BigEndian.AppendUint32(nil, n)}, 128)
}

func TestRoundTrip(t *testing.T) {
	for _, size := range []int{0, 1, 127, 128, 129, 65535, 65536, 65537, 200_000} {
		for _, at := range []uint32{0, 0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF} {
			for _, chunk := range []int{128, 4096, OutChunk, MaxMessage} {
				m := Message{Type: TypeVideo, Stream: 7, Time: at, Payload: payload(size, 3)}
				wire := append(chunkSize(uint32(chunk)), AppendMessage(nil, CSIDVideo, m, chunk)...)
				r := NewReader(bytes.NewReader(wire))
				r.Limit = MaxMessage
				got, err := r.Read()
				if err != nil || got.Time != at || got.Stream != 7 || got.Type != TypeVideo || !bytes.Equal(got.Payload, m.Payload) {
					t.Fatalf("size %d time %#x chunk %d: %+v, %v", size, at, chunk, got.Time, err)
				}
				if again := got.Wire(CSIDVideo); !bytes.Equal(again, AppendMessage(nil, CSIDVideo, m, OutChunk)) {
					t.Fatalf("size %d time %#x: Wire differs", size, at)
				}
			}
		}
	}
}

// Audio inside a video message, long chunk stream ids, all header types, an abort.
func TestInterleaved(t *testing.T) {
	video, audio := payload(300, 1), payload(20, 9)
	for _, csid := range []uint32{3, 63, 64, 319, 320, 65599} {
		var b []byte
		b = append(b, header(0, csid, 1000, 300, TypeVideo, 1)...)
		b = append(b, video[:128]...)
		b = append(b, header(0, 5, 990, 20, TypeAudio, 1)...)
		b = append(b, audio...)
		b = append(b, header(3, csid, 0, 0, 0, 0)...)
		b = append(b, video[128:256]...)
		b = append(b, header(1, 5, 21, 20, TypeAudio, 0)...)
		b = append(b, audio...)
		b = append(b, header(3, csid, 0, 0, 0, 0)...)
		b = append(b, video[256:]...)
		b = append(b, header(2, 5, 23, 0, 0, 0)...)
		b = append(b, audio...)
		b = append(b, header(3, 5, 0, 0, 0, 0)...) // a message with the delta before
		b = append(b, audio...)
		b = append(b, header(1, csid, 40, 300, TypeVideo, 0)...)
		b = append(b, video[:128]...)
		b = append(b, AppendMessage(nil, csidControl, Message{Type: TypeAbort, Payload: binary.BigEndian.AppendUint32(nil, csid)}, 128)...)
		b = append(b, header(2, csid, 40, 0, 0, 0)...)
		b = append(b, video[:128]...)
		for _, part := range [][]byte{video[128:256], video[256:]} {
			b = append(b, header(3, csid, 0, 0, 0, 0)...)
			b = append(b, part...)
		}
		r := NewReader(bytes.NewReader(b))
		for _, want := range []struct {
			typ  byte
			time uint32
		}{{TypeAudio, 990}, {TypeAudio, 1011}, {TypeVideo, 1000}, {TypeAudio, 1034}, {TypeAudio, 1057}, {TypeVideo, 1080}} {
			m, err := r.Read()
			if err != nil || m.Type != want.typ || m.Time != want.time {
				t.Fatalf("csid %d: got type %d at %d, %v; want %+v", csid, m.Type, m.Time, err, want)
			}
			if body := map[byte][]byte{TypeAudio: audio, TypeVideo: video}[m.Type]; !bytes.Equal(m.Payload, body) {
				t.Fatalf("csid %d: payload differs", csid)
			}
		}
	}
}

// Type 3 chunks repeat the extended timestamp; senders that leave it out are understood too. A delta may be extended.
func TestExtendedTimestamp(t *testing.T) {
	body := payload(300, 0x40)
	for _, repeats := range []bool{true, false} {
		var b []byte
		b = append(b, header(0, 6, 0x1234567, 300, TypeVideo, 1)...)
		for at := 0; at < 300; at += 128 {
			if at > 0 {
				b = append(b, 0xC6)
				if repeats {
					b = binary.BigEndian.AppendUint32(b, 0x1234567)
				}
			}
			b = append(b, body[at:min(at+128, 300)]...)
		}
		b = append(b, header(2, 6, 0x1000000, 0, 0, 0)...)
		m, err := NewReader(bytes.NewReader(b)).Read()
		if err != nil || m.Time != 0x1234567 || !bytes.Equal(m.Payload, body) {
			t.Errorf("repeats %v: time %#x, %v", repeats, m.Time, err)
		}
	}
}

func TestLimits(t *testing.T) {
	many := func() (b []byte) {
		for csid := uint32(3); csid < 80; csid++ {
			b = append(b, header(0, csid, 0, 200, TypeVideo, 1)...)
			b = append(b, make([]byte, 128)...)
		}
		return b
	}
	for name, tt := range map[string]struct {
		in   []byte
		want error
	}{
		"16 MiB declared":         {header(0, 6, 0, 0xFFFFFF, TypeVideo, 1), ErrTooLarge},
		"many chunk streams":      {many(), ErrTooLarge},
		"type 3 first":            {[]byte{0xC6, 1, 2, 3}, ErrProtocol},
		"message in a message":    {append(append(header(0, 6, 0, 200, TypeVideo, 1), make([]byte, 128)...), header(0, 6, 0, 200, TypeVideo, 1)...), ErrProtocol},
		"chunk size 0":            {chunkSize(0), ErrProtocol},
		"chunk size with top bit": {chunkSize(0x80000001), ErrProtocol},
		"cut off":                 {header(0, 6, 0, 200, TypeVideo, 1), io.ErrUnexpectedEOF},
		"end":                     {nil, io.EOF},
	} {
		if _, err := NewReader(bytes.NewReader(tt.in)).Read(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// What is read can be written, and reads the same again.
func FuzzReader(f *testing.F) {
	f.Add(AppendMessage(nil, CSIDVideo, Message{Type: TypeVideo, Stream: 1, Time: 0xFFFFFF, Payload: payload(400, 1)}, 128))
	f.Add(append(chunkSize(4096), header(0, 65599, 5, 3, TypeAudio, 1)...))
	f.Add([]byte{0xC6, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		for {
			m, err := r.Read()
			if err != nil {
				return
			}
			if r.unfinished < 0 || len(m.Payload) > MaxDialogue {
				t.Fatalf("unfinished %d, payload %d", r.unfinished, len(m.Payload))
			}
			back := NewReader(bytes.NewReader(append(chunkSize(OutChunk), AppendMessage(nil, 5, m, OutChunk)...)))
			got, err := back.Read()
			if err != nil || got.Time != m.Time || got.Type != m.Type || got.Stream != m.Stream || !bytes.Equal(got.Payload, m.Payload) {
				t.Fatalf("%+v became %+v, %v", m, got, err)
			}
		}
	})
}
