package relay

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/relay/rtmp"
)

// stream is what an encoder sends in a test, on made-up clocks.
type made struct {
	f    facts
	now  time.Time
	ms   uint32
	slow float64 // the encoder's clock by ours
}

func (s *made) send(typ byte, p string) {
	m := rtmp.Message{Type: typ, Time: s.ms, Payload: []byte(p)}
	s.f.note(m, rtmp.Inspect(m), s.now)
}

func (s *made) run(d time.Duration, each func(i int, ms uint32)) {
	for i := 0; d > 0; i++ {
		each(i, s.ms)
		s.ms += 40
		step := time.Duration(float64(40*time.Millisecond) * s.slow)
		s.now = s.now.Add(step)
		d -= step
	}
}

func (s *made) codes() (out []string) {
	for _, w := range s.f.warnings(s.now) {
		if !strings.HasSuffix(w.Text, ".") && !strings.HasSuffix(w.Text, "?") {
			out = append(out, "no sentence: "+w.Text)
		}
		out = append(out, w.Code)
	}
	return out
}

func TestFacts(t *testing.T) {
	loud := "\xAF\x01" + strings.Repeat("s", 300)
	good := func(s *made) func(int, uint32) {
		return func(i int, _ uint32) {
			if i%50 == 0 {
				s.send(rtmp.TypeVideo, keyframe)
			} else {
				s.send(rtmp.TypeVideo, inter)
			}
			s.send(rtmp.TypeAudio, loud)
		}
	}
	for _, tt := range []struct {
		name string
		slow float64
		play func(s *made) func(int, uint32)
		want []string
	}{
		{"good", 1, good, nil},
		{"slow clock", 1.05, good, []string{"drift"}},
		{"never a keyframe", 1, func(s *made) func(int, uint32) {
			return func(int, uint32) { s.send(rtmp.TypeVideo, inter); s.send(rtmp.TypeAudio, loud) }
		}, []string{"no_keyframe"}},
		{"seldom a keyframe", 1, func(s *made) func(int, uint32) {
			return func(i int, _ uint32) {
				s.send(rtmp.TypeVideo, map[bool]string{true: keyframe, false: inter}[i%150 == 0])
				s.send(rtmp.TypeAudio, loud)
			}
		}, []string{"keyframes"}},
		{"often no keyframe", 1, func(s *made) func(int, uint32) { // and one where the picture changes altogether
			return func(i int, _ uint32) {
				s.send(rtmp.TypeVideo, map[bool]string{true: keyframe, false: inter}[i%200 == 0 || i == 500])
				s.send(rtmp.TypeAudio, loud)
			}
		}, []string{"keyframes"}},
		{"no sound", 1, func(s *made) func(int, uint32) {
			return func(i int, _ uint32) {
				s.send(rtmp.TypeVideo, map[bool]string{true: keyframe, false: inter}[i%50 == 0])
			}
		}, []string{"no_sound"}},
		{"silent", 1, func(s *made) func(int, uint32) {
			return func(i int, _ uint32) {
				s.send(rtmp.TypeVideo, map[bool]string{true: keyframe, false: inter}[i%50 == 0])
				s.send(rtmp.TypeAudio, aac)
			}
		}, []string{"silence"}},
		{"silent, with a name in it now and then", 1, func(s *made) func(int, uint32) {
			return func(i int, _ uint32) {
				s.send(rtmp.TypeVideo, map[bool]string{true: keyframe, false: inter}[i%50 == 0])
				s.send(rtmp.TypeAudio, map[bool]string{true: aac + strings.Repeat("n", silentFrame), false: aac}[i%115 == 110])
			}
		}, []string{"silence"}},
		{"uneven", 1, func(s *made) func(int, uint32) {
			g := good(s)
			return func(i int, ms uint32) {
				s.ms += uint32(i % 3 * 13)
				g(i, ms)
				s.ms = ms
			}
		}, []string{"uneven"}},
		{"another rate", 1, func(s *made) func(int, uint32) {
			g := good(s)
			return func(i int, ms uint32) {
				switch i {
				case 0:
					s.send(rtmp.TypeAudio, "\xAF\x00\x11\x90")
				case 100:
					s.send(rtmp.TypeAudio, "\xAF\x00\x12\x10")
				}
				g(i, ms)
			}
		}, []string{"rate_change"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &made{now: time.Now(), slow: tt.slow, ms: 1 << 31}
			s.run(21*time.Second, tt.play(s))
			if got := s.codes(); !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if fps := s.f.seen.fps; fps < 24 || fps > 26 {
				t.Errorf("%.1f pictures a second", fps)
			}
		})
	}
}

// Pictures that are missing and messages that come late are counted; what was made long ago is told from what is new.
func TestLate(t *testing.T) {
	s := &made{now: time.Now(), slow: 1}
	s.run(11*time.Second, func(i int, _ uint32) {
		if i < 200 || i > 203 {
			s.send(rtmp.TypeVideo, map[bool]string{true: keyframe, false: inter}[i%50 == 0])
		}
	})
	if s.f.lost != 4 {
		t.Errorf("%d pictures lost", s.f.lost)
	}
	if s.f.late != 0 || s.f.behind(s.ms, s.now) {
		t.Errorf("late %d", s.f.late)
	}
	s.now = s.now.Add(3 * time.Second)
	if !s.f.behind(s.ms, s.now) || s.f.behind(s.ms+3000, s.now) {
		t.Error("what is old and what is new are not told apart")
	}
	s.send(rtmp.TypeVideo, inter)
	if s.f.late != 1 {
		t.Errorf("late %d", s.f.late)
	}
}

// The name of an encoder is what its metadata say, in words that people know.
func TestEncoderName(t *testing.T) {
	for said, want := range map[string]string{
		"obs-output module (libobs version 30.2.3)":        "OBS Studio 30.2.3",
		"obs-output module (libobs version 29.0.2.1-1+b1)": "OBS Studio 29.0.2.1",
		"Lavf59.27.100":                "ffmpeg (Lavf59.27.100)",
		"vMix 27":                      "vMix 27",
		"":                             "",
		"a\r\nb\x00\xff":               "ab\uFFFD",
		strings.Repeat("\u20ac", 1000): strings.Repeat("\u20ac", 21),
	} {
		if got := encoderName(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
	s := &made{now: time.Now(), slow: 1}
	s.send(rtmp.TypeData, string(rtmp.AppendAMF0(nil, "@setDataFrame", "onMetaData", rtmp.Object{{Name: "encoder", Value: "Lavf60"}})))
	if s.f.named != "ffmpeg (Lavf60)" {
		t.Errorf("named %q", s.f.named)
	}
}
