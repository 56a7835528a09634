package relaytest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"hawker/relay/rtmp"
)

// Enhanced is Film in HEVC and Opus, as Enhanced RTMP sends them.
func Enhanced(t testing.TB, seconds int, size string) []rtmp.Message {
	t.Helper()
	file := filepath.Join(t.TempDir(), "film.mp4")
	Run(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size="+size+":rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", fmt.Sprint(seconds),
		"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=25:min-keyint=25:scenecut=0:bframes=2", "-pix_fmt", "yuv420p", "-tag:v", "hvc1",
		"-c:a", "libopus", "-ac", "2", "-movflags", "frag_keyframe+empty_moov+default_base_moof", file)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var init fmp4.Init
	var parts fmp4.Parts
	if err := init.Unmarshal(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	if err := parts.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte("hvcC"))
	hvcc := b[at+4 : at-4+int(binary.BigEndian.Uint32(b[at-4:]))]
	opus := []byte("OpusHead\x01\x02\x38\x01\x80\xBB\x00\x00\x00\x00\x00")
	out := []rtmp.Message{
		{Type: rtmp.TypeVideo, Payload: slices.Concat([]byte("\x90hvc1"), hvcc)},
		{Type: rtmp.TypeAudio, Payload: slices.Concat([]byte("\x90Opus"), opus)},
	}
	for _, p := range parts {
		for _, track := range p.Tracks {
			video, scale := track.ID == init.Tracks[0].ID, int64(init.Tracks[0].TimeScale)
			if !video {
				scale = int64(init.Tracks[1].TimeScale)
			}
			when := int64(track.BaseTime)
			for i, s := range track.Samples {
				m := rtmp.Message{Type: rtmp.TypeAudio, Time: uint32(when * 1000 / scale), Payload: slices.Concat([]byte("\x91Opus"), s.Payload)}
				if video {
					shift := int64(s.PTSOffset) * 1000 / scale
					head := []byte{0xA1, 'h', 'v', 'c', '1', byte(shift >> 16), byte(shift >> 8), byte(shift)}
					if i == 0 { // a part begins with a keyframe
						head[0] = 0x91
					}
					m = rtmp.Message{Type: rtmp.TypeVideo, Time: m.Time, Payload: slices.Concat(head, s.Payload)}
				}
				out = append(out, m)
				when += int64(s.Duration)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b rtmp.Message) int { return int(a.Time) - int(b.Time) })
	return out
}
