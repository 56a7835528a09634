package web_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/browsertest"
	"hawker/relay/record"
	"hawker/relay/relaytest"
	"hawker/web"
)

// shelve puts a recording of a show into a folder: ten seconds that began so long ago, kept as if they took an hour.
func shelve(t *testing.T, dir string, merchant, show commerce.ID, ago time.Duration, change func(info string) string) string {
	t.Helper()
	folder := filepath.Join(dir, merchant.String())
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-ago)
	name := show.String() + "-" + at.UTC().Format("20060102-150405")
	base := filepath.Join(folder, name)
	relaytest.Run(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "10", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", base+".mp4")
	info := fmt.Sprintf(`{"stream":"%s","started_ms":%d,"ended_ms":%d,"length_ms":3600000,"codecs":"avc1.42c00d","width":320,"height":180}`, show, at.UnixMilli(), at.Add(time.Hour).UnixMilli())
	if change != nil {
		info = change(info)
	}
	if err := os.WriteFile(base+".json", []byte(info), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRecordings(t *testing.T) {
	dir := t.TempDir()
	h := newHouse(t, func(s *web.Server) {
		s.Recordings = &record.Shelf{Dir: dir, Quota: 1_000_000}
	})
	m := h.merchant()
	c := h.as("owner")
	if r := c.get("/recordings"); r.status != http.StatusOK || !strings.Contains(r.body, "Nothing is recorded yet.") {
		t.Errorf("without recordings: %d\n%s", r.status, r.body)
	}
	show := h.bustle(m)
	old := shelve(t, dir, m, show, 48*time.Hour, func(info string) string {
		return strings.Replace(info, `"codecs"`, `"trouble":"There was no space left for it.","codecs"`, 1)
	})
	name := shelve(t, dir, m, show, time.Minute, nil)
	other := shelve(t, dir, m+1, show, 2*time.Minute, nil) // another merchant's
	body := c.get("/recordings").body
	for _, want := range []string{"Spring", "1:00:00", "320 × 180", "It ended early. There was no space left for it.", "/recordings/" + old + "/video.mp4?download", "of 1 MB used"} {
		if !strings.Contains(body, want) {
			t.Errorf("the list has no %q:\n%s", want, body)
		}
	}
	if strings.Count(body, `class="sheet"`) != 2 {
		t.Errorf("the list has not two recordings:\n%s", body)
	}
	if r := c.get("/recordings?show=1"); strings.Contains(r.body, old) {
		t.Error("those of another show are listed")
	}
	at := "/recordings/" + name
	body = c.get(at).body
	for _, want := range []string{"on air", "Paid: €89.00, 1 piece", `data-seek="`, "moments.vtt", "/static/recordings."} {
		if !strings.Contains(body, want) {
			t.Errorf("the recording has no %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "ana_pottery") {
		t.Error("the moments name people")
	}
	r := c.get(at+"/moments.vtt?download", "Accept", "*/*")
	if !strings.HasPrefix(r.body, "WEBVTT\n\n00:0") || r.header.Get("Content-Type") != "text/vtt; charset=utf-8" || !strings.HasSuffix(r.header.Get("Content-Disposition"), `.vtt"`) {
		t.Errorf("moments: %v\n%s", r.header, r.body)
	}
	r = c.get(at+"/video.mp4?download", "Range", "bytes=4-7")
	if r.status != http.StatusPartialContent || r.body != "ftyp" || r.header.Get("Content-Type") != "video/mp4" || !strings.Contains(r.header.Get("Content-Disposition"), `attachment; filename="spring-`) {
		t.Errorf("part of the video: %d, %v, %q", r.status, r.header, r.body)
	}
	if r := c.get(at+"/video.mp4", "Range", "bytes=4-7", "If-Range", `"another"`); r.status != http.StatusOK {
		t.Errorf("part of another file: %d", r.status)
	}
	for _, path := range []string{"/recordings/" + other, "/recordings/..%2f" + (m + 1).String() + "%2f" + other + "/video.mp4", "/recordings/x/video.mp4", "/recordings/" + name + "x/video.mp4"} {
		if r := c.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := h.as("moderator").get(at + "/video.mp4"); r.status != http.StatusForbidden {
		t.Errorf("a moderator: %d", r.status)
	}
	b := browsertest.Open(t)
	for view, v := range browsertest.Views() {
		p := b.Page(t, v)
		signIn(p, h, "owner")
		p.Go(h.url + "/recordings")
		p.Check("recordings " + view)
		p.Shot("recordings-" + view)
		p.Go(h.url + at)
		p.Await("document.querySelector('video').readyState > 0 && document.querySelector('video').videoWidth === 320")
		p.Check("recording " + view)
		p.Shot("recording-" + view)
	}
	if r := c.post("/recordings/" + old + "/delete"); r.status != http.StatusSeeOther || !strings.Contains(c.get(r.to).body, "Removed.") {
		t.Errorf("delete: %d, to %s", r.status, r.to)
	}
	if _, err := os.Stat(filepath.Join(dir, m.String(), old+".mp4")); err == nil {
		t.Error("it is still there")
	}
	live := shelve(t, dir, m, show, 0, func(info string) string { return info[:strings.Index(info, `,"ended_ms"`)] + "}" })
	if r := c.get("/recordings/" + live); !strings.Contains(r.body, `data-seek="0">0:00</a> #1 Speckled mug`) {
		t.Errorf("what was on air when it began is not said:\n%s", r.body)
	}
	if r := c.get("/recordings"); !strings.Contains(r.body, ">recording</span>") {
		t.Errorf("nothing is being recorded:\n%s", r.body)
	}
	if r := c.post("/recordings/" + live + "/delete"); r.status != http.StatusConflict || !strings.Contains(r.body, "still being recorded") {
		t.Errorf("delete what is recorded: %d\n%s", r.status, r.body)
	}
}
