package relay

import (
	"testing"
	"time"

	"hawker/relay/rtmp"
)

func take(tl *timeline, typ byte, at uint32, body string, now time.Time) (out []int64) {
	m := rtmp.Message{Type: typ, Time: at, Payload: []byte(body)}
	for _, u := range tl.take(m, rtmp.Inspect(m), now) {
		out = append(out, u.Time)
	}
	return out
}

const (
	keyframe = "\x17\x01\x00\x00\x00k"
	inter    = "\x27\x01\x00\x00\x00i"
	avc      = "\x17\x00\x00\x00\x00c"
	aac      = "\xAF\x01s"
)

func TestTimeline(t *testing.T) {
	var tl timeline
	now := time.Now()
	step := func(typ byte, at uint32, body string, want ...int64) {
		t.Helper()
		got := take(&tl, typ, at, body, now)
		if len(got) != len(want) {
			t.Fatalf("time %d: got %v, want %v", at, got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("time %d: got %v, want %v", at, got, want)
			}
		}
	}
	const top = 1 << 32
	step(rtmp.TypeVideo, 0, avc)
	step(rtmp.TypeAudio, top-60, aac)
	step(rtmp.TypeVideo, top-60, inter)
	step(rtmp.TypeVideo, top-50, keyframe, top-50, top-50) // the header goes with it
	step(rtmp.TypeAudio, top-55, aac, top-55)
	step(rtmp.TypeVideo, top-10, inter, top-10)
	step(rtmp.TypeVideo, 30, inter, top+30) // 32 bits wrap, the relay's clock does not
	step(rtmp.TypeVideo, 0, avc, top+30)    // no step back for a header without a clock
	now = now.Add(30 * time.Second)         // lost for that long, back with times from 0
	tl.source()
	step(rtmp.TypeAudio, 0, aac)
	step(rtmp.TypeVideo, 40, inter)
	step(rtmp.TypeVideo, 80, keyframe, top+30_030)
	step(rtmp.TypeAudio, 60, aac, top+30_010)
	step(rtmp.TypeVideo, 120, inter, top+30_070)
	now = now.Add(time.Second)
	tl.source() // back at once; sound from before the keyframe may not step behind what was sent
	step(rtmp.TypeVideo, 90_000, keyframe, top+31_070)
	step(rtmp.TypeAudio, 88_000, aac, top+30_071)
	now = now.Add(time.Second)
	step(rtmp.TypeVideo, 5, inter) // the encoder's clock starts anew without a new connection
	step(rtmp.TypeVideo, 45, keyframe, top+32_070)
}

// Where there is no picture, one may start at any sound.
func TestAudioOnly(t *testing.T) {
	var tl timeline
	now := time.Now()
	keys := 0
	for at := uint32(0); at < 10_000; at += 20 {
		m := rtmp.Message{Type: rtmp.TypeAudio, Time: at, Payload: []byte(aac)}
		for _, u := range tl.take(m, rtmp.Inspect(m), now) {
			if u.Kind == rtmp.Keyframe {
				keys++
			}
		}
	}
	if keys < 7 || keys > 9 {
		t.Errorf("%d places to start in 8 s", keys)
	}
}
