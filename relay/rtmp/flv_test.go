package rtmp

import (
	"encoding/binary"
	"errors"
	"testing"
)

func flvFile(all ...Message) []byte {
	b := []byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
	for _, m := range all {
		n := len(m.Payload)
		b = append(b, m.Type, byte(n>>16), byte(n>>8), byte(n), byte(m.Time>>16), byte(m.Time>>8), byte(m.Time), byte(m.Time>>24), 0, 0, 0)
		b = binary.BigEndian.AppendUint32(append(b, m.Payload...), uint32(flvTag+n))
	}
	return b
}

func TestFLV(t *testing.T) {
	want := []Message{{Type: TypeVideo, Time: 0x1234567, Payload: []byte("one")}, {Type: TypeAudio, Time: 7, Payload: []byte{}}}
	b := flvFile(append(want, Message{Type: 3, Payload: []byte("what?")})...)
	got, err := ParseFLV(b)
	if err != nil || len(got) != 2 || got[0].Time != 0x1234567 || string(got[0].Payload) != "one" || got[1].Type != TypeAudio {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range [][]byte{nil, []byte("FLV"), append([]byte("FLV\x01\x05\xFF\xFF\xFF\xFF"), b[9:]...), b[:len(b)-10]} {
		if _, err := ParseFLV(bad); !errors.Is(err, ErrProtocol) {
			t.Errorf("% x: %v", bad, err)
		}
	}
}

// What is in a file comes out of it whole; what does not is refused.
func FuzzFLV(f *testing.F) {
	f.Add(flvFile(Message{Type: TypeVideo, Time: 40, Payload: []byte("picture")}))
	f.Add([]byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00\x09\xFF\xFF\xFF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := ParseFLV(b)
		if err != nil {
			return
		}
		again, err := ParseFLV(flvFile(all...))
		if err != nil || len(again) != len(all) {
			t.Fatalf("%d messages became %d, %v", len(all), len(again), err)
		}
	})
}
