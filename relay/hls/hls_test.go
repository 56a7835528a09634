package hls_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func get(t testing.TB, url string) (int, http.Header, string) {
	t.Helper()
	res, err := http.Get(url) //nolint:noctx // the server answers within seconds
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

func TestSmoke(t *testing.T) {
	r := newRoom(t, nil)
	r.publish(messages(t, film(t, 8, "320x180")), 4*time.Second)
	eventually(t, "stream", func() bool { return len(r.relay.Status()) == 1 && !r.relay.Status()[0].Ingest.Waiting })
	t0 := time.Now()
	_, _, b := get(t, r.url+"index.m3u8?v=me")
	t.Log(time.Since(t0), b)
	_, h, b := get(t, r.url+"live.m3u8?v=me")
	t.Log(time.Since(t0), h, b)
	time.Sleep(3 * time.Second)
	_, h, b = get(t, r.url+"live.m3u8?v=me")
	t.Log(time.Since(t0), h, b)
	t.Log(run(t, "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height,start_time", r.url+"index.m3u8"))
	t.Log(run(t, "ffmpeg", "-v", "error", "-i", r.url+"plain.m3u8", "-t", "6", "-f", "null", "-"))
	_ = strings.TrimSpace
}
