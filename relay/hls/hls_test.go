package hls_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gohlslib/v2"

	"hawker/relay/hls"
	"hawker/relay/relaytest"
)

// Players of others read it: ffprobe, ffmpeg (which knows no parts) and gohlslib's client.
func TestPlayers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		codecs string // as ffprobe has them
		film   func(t testing.TB) *room
	}{
		{"H.264 and AAC", "h264,aac", func(t testing.TB) *room {
			r := newRoom(t, nil)
			r.publish(relaytest.Film(t, 10, "320x180", "-bf", "2"), 6*time.Second)
			return r
		}},
		{"HEVC and Opus", "hevc,opus", func(t testing.TB) *room {
			r := newRoom(t, nil)
			r.publish(relaytest.Enhanced(t, 10, "320x180"), 6*time.Second)
			return r
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := tt.film(t)
			out := relaytest.Run(t, "ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", r.url+"plain.m3u8")
			if got := strings.Join(strings.Fields(out)[:2], ","); got != tt.codecs {
				t.Errorf("ffprobe sees %q", out)
			}
			file := filepath.Join(t.TempDir(), "seen.mkv")
			relaytest.Run(t, "ffmpeg", "-v", "error", "-i", r.url+"index.m3u8", "-t", "5", "-c", "copy", file)
			relaytest.Run(t, "ffmpeg", "-v", "error", "-i", file, "-enc_time_base", "-1", "-f", "null", "-")

			type seen struct{ pictures, sounds int }
			var mu sync.Mutex
			var got seen
			last := int64(-1)
			quiet := func(string) {}
			c := &gohlslib.Client{
				URI: r.url + "index.m3u8", OnDownloadPrimaryPlaylist: quiet, OnDownloadStreamPlaylist: quiet, OnDownloadSegment: quiet, OnDownloadPart: quiet,
			}
			c.OnTracks = func(tracks []*gohlslib.Track) error {
				for _, track := range tracks {
					count := func(pts int64, _ [][]byte) {
						mu.Lock()
						defer mu.Unlock()
						if track.Codec.IsVideo() {
							got.pictures++
							return
						}
						if got.sounds++; pts < last {
							t.Errorf("sound at %d after %d", pts, last)
						}
						last = pts
					}
					if track.Codec.IsVideo() {
						c.OnDataH26x(track, func(pts, _ int64, au [][]byte) { count(pts, au) })
					} else {
						c.OnDataOpus(track, count)
						c.OnDataMPEG4Audio(track, count)
					}
				}
				return nil
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- c.Wait2() }()
			relaytest.Eventually(t, "a client sees it", func() bool {
				select {
				case err := <-ended:
					t.Fatalf("the client gave up: %v", err)
				default:
				}
				mu.Lock()
				defer mu.Unlock()
				return got.pictures > 50 && got.sounds > 50
			})
			c.Close()
			<-ended
		})
	}
}

// What is named in playlists is there and never changes; playlists may be asked for before they are due.
func TestPlaylists(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	if status, h, body := r.get("index.m3u8"); status != http.StatusNotFound || !strings.Contains(body, `"error":"off"`) || h.Get("Cache-Control") != "no-store" {
		t.Errorf("before the stream: %d, %v, %s", status, h, body)
	}
	r.publish(relaytest.Film(t, 10, "320x180"), 4*time.Second)
	index := r.playlist("index.m3u8?v=a%26b")
	for _, want := range []string{`CODECS="avc1.`, `,mp4a.40.2"`, "RESOLUTION=320x180", "FRAME-RATE=25.000", "\nlive.m3u8?v=a%26b\n"} {
		if !strings.Contains(index, want) {
			t.Errorf("no %q in\n%s", want, index)
		}
	}
	live, plain := "", ""
	relaytest.Eventually(t, "three segments", func() bool {
		live, plain = r.playlist("live.m3u8?v=a%26b"), r.playlist("plain.m3u8")
		segments, _ := files(live)
		return len(segments) > 2
	})
	segments, parts := files(live)
	whole, none := files(plain)
	if len(segments) < 2 || len(parts) < 4 || len(whole) < len(segments) || len(none) > 0 || strings.Contains(plain, "PART") {
		t.Errorf("parts\n%s\nplain\n%s", live, plain)
	}
	for _, name := range append(append([]string{}, segments...), parts...) {
		status, h, body := r.get(name)
		if status != http.StatusOK || h.Get("Content-Type") != "video/mp4" || h.Get("Cache-Control") != "public, max-age=3600, immutable" || h.Get("Access-Control-Allow-Origin") != "*" ||
			body[4:8] != "moof" {
			t.Errorf("%s: %d, %v", name, status, h)
		}
		if _, _, again := r.get(name); again != body {
			t.Errorf("%s has changed", name)
		}
	}
	joined := ""
	for _, p := range parts {
		if strings.HasPrefix(p, strings.TrimSuffix(segments[0], ".m4s")+".") {
			_, _, b := r.get(p)
			joined += b
		}
	}
	if _, _, b := r.get(segments[0]); joined != "" && joined != b {
		t.Error("a segment is not its parts")
	}
	// The next segment but one: the answer waits for it.
	next := number(t, live, "MEDIA-SEQUENCE") + int64(len(segments)) + 1
	for range 4 {
		status, _, body := r.get("live.m3u8?v=b&_HLS_msn=" + itoa(next) + "&_HLS_part=0")
		if status == http.StatusOK {
			if !strings.Contains(body, "-"+itoa(next)+".0.m4s") {
				t.Errorf("segment %d is not in\n%s", next, body)
			}
			break
		}
		if status != http.StatusServiceUnavailable {
			t.Fatalf("blocking: %d\n%s", status, body)
		}
	}
	hint := strings.Split(strings.SplitAfter(r.playlist("live.m3u8"), "PRELOAD-HINT:TYPE=PART,URI=\"")[1], `"`)[0]
	if status, _, body := r.get(hint); status != http.StatusOK || body[4:8] != "moof" {
		t.Errorf("the part that is about to come: %d", status)
	}
	for _, name := range []string{"live.m3u8?_HLS_msn=" + itoa(next+50), "live.m3u8?_HLS_msn=x", "live.m3u8?_HLS_msn=1&_HLS_part=-1"} {
		if status, _, _ := r.get(name); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	for _, name := range []string{"x.m4s", segments[0] + "x", strings.Replace(segments[0], ".m4s", ".999.m4s", 1), strings.Replace(segments[0], ".m4s", ".init.mp4", 1), "..", ""} {
		if status, _, _ := r.get(name); status != http.StatusNotFound {
			t.Errorf("%s: %d", name, status)
		}
	}
	if err := r.relay.End("show"); err != nil {
		t.Fatal(err)
	}
	relaytest.Eventually(t, "the end", func() bool { return strings.HasSuffix(r.playlist("live.m3u8"), "#EXT-X-ENDLIST\n") })
	if status, _, _ := r.get("index.m3u8"); status != http.StatusNotFound {
		t.Errorf("joining after the end: %d", status)
	}
}

// An encoder that comes back with another configuration: a discontinuity, and the numbers go on.
func TestAnotherConfiguration(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	stop := r.publish(relaytest.Film(t, 10, "320x180"), 3*time.Second)
	before := r.playlist("live.m3u8")
	if strings.Contains(before, "DISCONTINUITY\n") {
		t.Errorf("a break in\n%s", before)
	}
	stop()
	relaytest.Eventually(t, "slate", func() bool { return r.relay.Status()[0].Slate })
	stop = r.publish(relaytest.Enhanced(t, 10, "480x270"), 3*time.Second)
	relaytest.Eventually(t, "a break", func() bool { return strings.Contains(r.playlist("live.m3u8"), "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=") })
	relaytest.Eventually(t, "the new codec", func() bool { return strings.Contains(r.playlist("index.m3u8"), `CODECS="hvc1.`) })
	after := r.playlist("live.m3u8")
	if number(t, after, "MEDIA-SEQUENCE") < number(t, before, "MEDIA-SEQUENCE") {
		t.Errorf("the numbers do not go on:\n%s\nthen\n%s", before, after)
	}
	for _, name := range strings.Split(after, `#EXT-X-MAP:URI="`)[1:] {
		name, _, _ = strings.Cut(name, `"`)
		if status, _, body := r.get(name); status != http.StatusOK || body[4:8] != "ftyp" {
			t.Errorf("%s: %d", name, status)
		}
	}
	was := number(t, after, "DISCONTINUITY-SEQUENCE")
	relaytest.Eventually(t, "the break is over", func() bool {
		p := r.playlist("live.m3u8")
		return !strings.Contains(p, "#EXT-X-DISCONTINUITY\n") && number(t, p, "DISCONTINUITY-SEQUENCE") == was+1
	})
	relaytest.Run(t, "ffmpeg", "-v", "error", "-i", r.url+"plain.m3u8", "-t", "3", "-enc_time_base", "-1", "-f", "null", "-")
	stop()
}

// Sound that was announced and does not come is left out: players would wait for it.
func TestSoundGoes(t *testing.T) {
	t.Parallel()
	r := newRoom(t, nil)
	film := relaytest.Film(t, 30, "160x90")
	n := 0
	for _, m := range film {
		if m.Type != 8 || m.Time < 3000 {
			film[n] = m
			n++
		}
	}
	r.publish(film[:n], 3*time.Second)
	if index := r.playlist("index.m3u8"); !strings.Contains(index, "mp4a") {
		t.Errorf("no sound in\n%s", index)
	}
	relaytest.Eventually(t, "sound is gone", func() bool { return !strings.Contains(r.playlist("index.m3u8"), "mp4a") })
}

// Past the bounds a viewer is told so; one who watches already stays, and who leaves makes room.
func TestFull(t *testing.T) {
	t.Parallel()
	r := newRoom(t, func(s *hls.Server) { s.MaxViewers = 2 })
	r.publish(relaytest.Film(t, 10, "320x180"), 3*time.Second)
	for _, v := range []string{"a", "b", "a"} {
		r.playlist("index.m3u8?v=" + v)
	}
	status, h, body := r.get("index.m3u8?v=c")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, `"error":"full"`) || !strings.Contains(body, "As many people watch here") || h.Get("Retry-After") == "" {
		t.Errorf("the third: %d, %v, %s", status, h, body)
	}
	if status, _, _ := r.get("live.m3u8?v=c"); status != http.StatusServiceUnavailable {
		t.Errorf("the third, past the index: %d", status)
	}
	r.playlist("live.m3u8?v=b")
	if _, _, body := r.get("state"); !strings.Contains(body, `"live":true,"viewers":2,"kbps":`) {
		t.Errorf("state: %s", body)
	}
	relaytest.Eventually(t, "room", func() bool {
		r.playlist("live.m3u8?v=b") // stays, and a does not
		status, _, _ := r.get("index.m3u8?v=c")
		return status == http.StatusOK
	})

	r = newRoom(t, func(s *hls.Server) { s.MaxKbps = 1 })
	r.publish(relaytest.Film(t, 10, "320x180"), 3*time.Second)
	if status, _, body := r.get("index.m3u8?v=a"); status != http.StatusServiceUnavailable || !strings.Contains(body, `"full"`) {
		t.Errorf("over the line: %d, %s", status, body)
	}
}

// What nobody watches is let go, its viewers forgotten or not; whoever comes next is shown it again, and the numbers go on.
func TestNobodyWatches(t *testing.T) {
	t.Parallel()
	r := newRoom(t, func(s *hls.Server) { s.Idle = 2 * time.Second })
	r.publish(relaytest.Film(t, 10, "320x180"), 3*time.Second)
	r.playlist("index.m3u8?v=a")
	before := number(t, r.playlist("live.m3u8?v=a"), "MEDIA-SEQUENCE")
	segments, _ := files(r.playlist("live.m3u8?v=a"))
	relaytest.Eventually(t, "it is let go", func() bool { return !r.hls.State("show").Live })
	if status, _, body := r.get(segments[0]); status != http.StatusNotFound || !strings.Contains(body, `"off"`) {
		t.Errorf("a segment of what was let go: %d, %s", status, body)
	}
	r.playlist("index.m3u8?v=a")
	after := r.playlist("live.m3u8?v=a")
	if again, _ := files(after); number(t, after, "MEDIA-SEQUENCE") < before || len(again) > 0 && slices.Contains(segments, again[0]) {
		t.Errorf("the numbers do not go on from %d, or a name comes again:\n%s", before, after)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
