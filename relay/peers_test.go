package relay_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"hawker/relay"
)

// Another library publishes, another library receives.
func TestOtherLibrary(t *testing.T) {
	a, da := platform(t, "a")
	h := start(t, nil, da)
	c := &gortmplib.Client{URL: &url.URL{Scheme: "rtmp", Host: h.addr, Path: "/live", Fragment: ingestKey}, Publish: true}
	if err := c.Initialize(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	video := &gortmplib.Track{Codec: &codecs.H264{SPS: avcC[8:33], PPS: avcC[36:]}}
	audio := &gortmplib.Track{Codec: &codecs.MPEG4Audio{Config: &mpeg4audio.AudioSpecificConfig{
		Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2,
	}}}
	w := &gortmplib.Writer{Conn: c, Tracks: []*gortmplib.Track{video, audio}}
	if err := w.Initialize(); err != nil {
		t.Fatal(err)
	}
	picture := func(i int) {
		nal := append([]byte{0x41}, bytes.Repeat([]byte{byte(i)}, 3000)...)
		if i%25 == 0 {
			nal[0] = 0x65
		}
		at := time.Duration(i) * 40 * time.Millisecond
		if err := w.WriteH264(video, at, at, [][]byte{nal}); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteMPEG4Audio(audio, at, []byte{1, 2, 3, byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	picture(0)
	live(t, h, "a")
	for i := 1; i < 60; i++ {
		picture(i)
	}
	eventually(t, "all messages", func() bool { return a.Session().Figures().Messages == 2+2*60 })
	if f := a.Session().Figures(); !strings.HasPrefix(f.Order, "MVAKSIS") || f.Backwards != 0 {
		t.Errorf("figures = %+v", f)
	}
	in := h.Status()[0].Ingest
	if in.Video != "H.264" || in.Audio != "AAC" {
		t.Errorf("ingest = %+v", in)
	}
}

// A real encoder publishes through the relay, and a real player reads two outputs.
func TestFFmpeg(t *testing.T) {
	ffmpeg, ffprobe := program(t, "ffmpeg"), program(t, "ffprobe")
	dir := t.TempDir()
	var dests []relay.Destination
	var players []*exec.Cmd
	var files []string
	for _, id := range []string{"one", "two"} {
		ln := listen(t)
		addr := ln.Addr().String()
		_ = ln.Close() // the player listens there itself
		file := filepath.Join(dir, id+".flv")
		player := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-y", "-listen", "1", "-i", "rtmp://"+addr+"/app/key-"+id, "-c", "copy", file)
		if err := player.Start(); err != nil {
			t.Fatal(err)
		}
		players, files = append(players, player), append(files, file)
		dests = append(dests, relay.Destination{ID: id, Name: id, Server: "rtmp://" + addr + "/app", Key: "key-" + id})
	}
	h := start(t, nil, dests...)
	encoder := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25",
		"-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000", "-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25",
		"-bf", "0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "flv", "rtmp://"+h.addr+"/live/"+ingestKey)
	if out, err := encoder.CombinedOutput(); err != nil {
		t.Fatalf("encoder: %v\n%s", err, out)
	}
	eventually(t, "the stream ends when the encoder says so", func() bool { return len(h.Status()) == 0 })
	for i, p := range players {
		_ = p.Wait() // it complains about the end in its own ways; the file tells
		out, err := exec.CommandContext(t.Context(), ffprobe, "-v", "error", "-count_packets", "-show_entries",
			"stream=codec_name,nb_read_packets,width", "-of", "csv", files[i]).CombinedOutput()
		if got := string(out); err != nil || !strings.Contains(got, "h264,320") || !strings.Contains(got, "aac") {
			t.Errorf("output %d: %v\n%s", i, err, out)
		}
		if out, err := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-i", files[i], "-enc_time_base", "-1", "-f", "null", "-").CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("output %d does not decode cleanly: %v\n%s", i, err, out)
		}
	}
}

// nginx with its RTMP module is the destination; a real player reads from it, through a loss of the encoder.
func TestNginx(t *testing.T) {
	nginx, ffmpeg := program(t, "nginx"), program(t, "ffmpeg")
	const module = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
	if _, err := os.Stat(module); err != nil {
		t.Fatalf("%v: install the package libnginx-mod-rtmp", err)
	}
	dir := t.TempDir()
	ln := listen(t)
	addr := ln.Addr().String()
	_ = ln.Close() // nginx listens there itself
	conf := fmt.Sprintf("load_module %s;\ndaemon off;\nmaster_process off;\npid %s/pid;\nerror_log %s/error.log crit;\nevents {}\n"+
		"rtmp { access_log off; server { listen %s; application live { live on; wait_key on; } } }\n", module, dir, dir, addr)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), nginx, "-p", dir, "-c", file)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // it is killed when the test is over
	t.Cleanup(func() { _ = server.Process.Kill() })
	h := start(t, nil, relay.Destination{ID: "nginx", Name: "nginx", Server: "rtmp://" + addr + "/live", Key: "key-nginx"})
	publish := func() *exec.Cmd {
		c := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25",
			"-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25",
			"-bf", "0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "flv", "rtmp://"+h.addr+"/live/"+ingestKey)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := publish()
	live(t, h, "nginx")
	out := filepath.Join(dir, "seen.flv")
	player := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-y", "-i", "rtmp://"+addr+"/live/key-nginx", "-t", "6", "-c", "copy", out)
	var said bytes.Buffer
	player.Stderr = &said
	if err := player.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the player sees something", func() bool { i, err := os.Stat(out); return err == nil && i.Size() > 10_000 })
	_ = first.Process.Kill()
	_ = first.Wait()
	eventually(t, "the slate", func() bool { return h.Status()[0].Slate })
	second := publish()
	eventually(t, "on the air again", func() bool { return !h.Status()[0].Slate })
	if err := player.Wait(); err != nil {
		t.Fatalf("player: %v\n%s", err, said.String())
	}
	_ = second.Process.Kill()
	_ = second.Wait()
	if said.Len() > 0 { // it complains when times step back
		t.Errorf("the player says: %s", said.String())
	}
	if got, err := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-i", out, "-enc_time_base", "-1", "-f", "null", "-").CombinedOutput(); err != nil || len(got) > 0 {
		t.Errorf("what was seen does not decode cleanly: %v\n%s", err, got)
	}
	if n := h.destination("nginx").Reconnects; n != 0 {
		t.Errorf("nginx was connected anew %d times", n)
	}
}

// program finds what a test needs, or says which of Debian's packages has it.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install the package %s", name, strings.NewReplacer("ffprobe", "ffmpeg", "obs", "obs-studio", "Xvfb", "xvfb").Replace(name))
	}
	return path
}
