package clip_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hawker/relay/clip"
	"hawker/relay/rtmp"
)

// make has ffmpeg make a file.
func ffmpeg(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("ffmpeg is not installed (Debian: ffmpeg)")
	}
	file := filepath.Join(t.TempDir(), args[len(args)-1])
	args[len(args)-1] = file
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-v", "error", "-nostdin"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

// What comes out is H.264 of the size that was asked for and AAC, with a keyframe every 2 s, from the first picture on.
func TestPrepare(t *testing.T) {
	for name, tt := range map[string]struct {
		from   string
		format clip.Format
		length time.Duration
		audio  bool
	}{
		"a film with sound": {ffmpeg(t, "-f", "lavfi", "-i", "testsrc=s=320x240:r=25:d=5", "-f", "lavfi", "-i", "sine=d=5", "a.mp4"), clip.Format{Width: 640, Height: 360, FPS: 30}, 5 * time.Second, true},
		"a silent film":     {ffmpeg(t, "-f", "lavfi", "-i", "testsrc=s=320x240:r=25:d=3", "b.mkv"), clip.Format{Width: 360, Height: 640, FPS: 25, Rate: 44100, Mono: true}, 3 * time.Second, true},
		"a picture":         {ffmpeg(t, "-f", "lavfi", "-i", "testsrc=s=801x601", "-frames:v", "1", "c.png"), clip.Format{Width: 640, Height: 360}, 4 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			to := filepath.Join(t.TempDir(), "slate.flv")
			if err := clip.Prepare(t.Context(), tt.from, to, tt.format); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			all, err := rtmp.ParseFLV(b)
			if err != nil {
				t.Fatal(err)
			}
			var keys []uint32
			pictures, sounds, last := 0, 0, uint32(0)
			for _, m := range all {
				info := rtmp.Inspect(m)
				switch {
				case info.Kind == rtmp.Metadata:
					o, _ := rtmp.ParseMetadata(m.Payload)
					if o.Number("width") != float64(tt.format.Width) || o.Number("height") != float64(tt.format.Height) {
						t.Errorf("size %v × %v", o.Number("width"), o.Number("height"))
					}
				case info.Kind == rtmp.Header && m.Type == rtmp.TypeVideo && info.Codec != "H.264", info.Kind == rtmp.Header && m.Type == rtmp.TypeAudio && info.Codec != "AAC":
					t.Errorf("codec %s", info.Codec)
				case info.Kind == rtmp.Keyframe:
					keys = append(keys, m.Time)
					pictures++
				case m.Type == rtmp.TypeVideo && info.Kind != rtmp.Header:
					if pictures++; len(keys) == 0 {
						t.Error("it begins without a keyframe")
					}
				case m.Type == rtmp.TypeAudio && info.Kind != rtmp.Header:
					sounds++
				}
				last = max(last, m.Time)
			}
			if len(keys) == 0 || len(keys) > 1 && keys[1]-keys[0] != 2000 || sounds == 0 {
				t.Errorf("keyframes at %v, %d pieces of sound", keys, sounds)
			}
			if d := time.Duration(last) * time.Millisecond; d > tt.length+100*time.Millisecond || d < tt.length-200*time.Millisecond {
				t.Errorf("it lasts %s, want %s", d, tt.length)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(to), ".slate-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// What is no film is told in a sentence, and nothing of what was there before is lost.
func TestNotAFilm(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	to := write("slate.flv", "the former one")
	for name, tt := range map[string]struct{ from, want string }{
		"text":            {write("a.mp4", "hello"), "cannot be read as a film"},
		"sound alone":     {ffmpeg(t, "-f", "lavfi", "-i", "sine=d=1", "sound.mp4"), "no picture"},
		"a list of files": {write("c.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n"), "film"},
		"names of files":  {write("d.mp4", "ffconcat version 1.0\nfile /etc/hostname\n"), "film"},
		"an instant":      {ffmpeg(t, "-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=0.2", "e.mp4"), "shorter than half a second"},
	} {
		err := clip.Prepare(t.Context(), tt.from, to, clip.Default())
		var f *clip.Fault
		if !errors.As(err, &f) || !strings.Contains(f.Text, tt.want) {
			t.Errorf("%s: %v, want a fault with %q", name, err, tt.want)
		}
	}
	if err := clip.Prepare(t.Context(), ffmpeg(t, "-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=1", "odd.mp4"), to, clip.Format{Width: 641, Height: 360}); err == nil {
		t.Error("an odd size is taken")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := clip.Probe(gone, to); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if b, err := os.ReadFile(to); err != nil || string(b) != "the former one" {
		t.Errorf("the former slate is %q, %v", b, err)
	}
}

// Without ffmpeg it says so.
func TestNoFFmpeg(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := clip.Probe(t.Context(), "x"); !errors.Is(err, clip.ErrNoFFmpeg) {
		t.Errorf("without ffmpeg: %v", err)
	}
}
