//go:build obs

package relay_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"hawker/relay"
	"hawker/relay/relaytest"
	"hawker/relay/rtmp"
)

// studio is an OBS Studio on a screen of its own, worked by its remote control (obs-websocket, protocol 5).
type studio struct {
	t    *testing.T
	cmd  *exec.Cmd
	ctl  *websocket.Conn
	said relaytest.Logs
	gone chan struct{}
	home string
	n    int // requests
}

// openStudio starts OBS with a moving picture with sound, 640x360 at 30 a second, that publishes to server with key when told to.
// Nothing of the user's own settings is read or written.
func openStudio(t *testing.T, server, key string) *studio {
	t.Helper()
	obs, xvfb := program(t, "obs"), program(t, "Xvfb")
	s := &studio{t: t, home: t.TempDir(), gone: make(chan struct{})}
	if err := os.Chmod(s.home, 0o700); err != nil { // for XDG_RUNTIME_DIR
		t.Fatal(err)
	}
	ln := listen(t)
	port := ln.Addr().(*net.TCPAddr).Port
	_ = ln.Close() // OBS listens there itself
	password := rand.Text()
	s.configure(server, key, port, password)
	display := screen(t, xvfb)
	s.cmd = exec.Command(obs, "--multi", "--profile", "show", "--collection", "show", "--disable-missing-files-check",
		"--disable-shutdown-check", "--minimize-to-tray")
	s.cmd.Env = append(os.Environ(), "HOME="+s.home, "XDG_CONFIG_HOME="+s.home, "XDG_RUNTIME_DIR="+s.home, "DISPLAY="+display,
		"LIBGL_ALWAYS_SOFTWARE=1", "QT_QPA_PLATFORM=xcb", "LC_ALL=C.UTF-8")
	s.cmd.Dir = s.home
	s.cmd.Stdout, s.cmd.Stderr = &s.said, &s.said
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { defer close(s.gone); _ = s.cmd.Wait() }()
	t.Cleanup(s.kill)
	s.connect(port, password)
	return s
}

func (s *studio) kill() {
	_ = s.cmd.Process.Kill()
	<-s.gone
	if s.t.Failed() {
		s.t.Logf("OBS said:\n%s", s.said.String())
	}
}

// screen runs an X server and returns its display.
func screen(t *testing.T, xvfb string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	c := exec.Command(xvfb, "-displayfd", "3", "-screen", "0", "1280x720x24", "-nolisten", "tcp")
	c.ExtraFiles = []*os.File{w}
	err = c.Start()
	_ = w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Signal(syscall.SIGTERM); _ = c.Wait() })
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb: %v", err)
	}
	return ":" + strings.TrimSpace(line)
}

// configure writes the settings of an OBS that was used before: no first run, one profile, one collection of scenes. In the scene Stage
// a film runs, in the scene Silence nothing is heard. The encoder is as OBS sets it up: x264 with B-frames, keyframes as it likes.
func (s *studio) configure(server, key string, port int, password string) {
	s.t.Helper()
	film := filepath.Join(s.home, "film.mkv")
	relaytest.Run(s.t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "lavfi", "-i",
		"anoisesrc=color=pink:sample_rate=48000:amplitude=0.2", "-t", "20", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
		"-c:a", "aac", film)
	type object = map[string]any
	source := func(kind, version, name string, settings object) object {
		return object{"id": kind, "versioned_id": version, "name": name, "mixers": 255, "settings": settings}
	}
	scene := func(name, of string) object {
		shown := object{"name": of, "id": 1, "visible": true, "pos": object{"x": 0, "y": 0}, "scale": object{"x": 1, "y": 1}}
		return source("scene", "scene", name, object{"id_counter": 1, "items": []any{shown}})
	}
	files := map[string]any{
		"basic/profiles/show/service.json": object{"type": "rtmp_custom", "settings": object{"server": server, "key": key}},
		"basic/scenes/show.json": object{
			"name": "show", "current_scene": "Stage", "current_program_scene": "Stage",
			"scene_order": []any{object{"name": "Stage"}, object{"name": "Silence"}},
			"sources": []any{
				source("ffmpeg_source", "ffmpeg_source", "Film", object{"local_file": film, "is_local_file": true, "looping": true}),
				source("color_source", "color_source_v3", "Colour", object{"color": 0xFF2277FF, "width": 640, "height": 360}),
				scene("Stage", "Film"), scene("Silence", "Colour"),
			},
		},
		"global.ini": fmt.Sprintf("[General]\nFirstRun=true\nConfirmOnExit=false\nEnableAutoUpdates=false\n\n[Basic]\nProfile=show\n"+
			"ProfileDir=show\nSceneCollection=show\nSceneCollectionFile=show\n\n[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\n"+
			"ServerPort=%d\nAlertsEnabled=false\nAuthRequired=true\nServerPassword=%s\n", port, password),
		"basic/profiles/show/basic.ini": "[General]\nName=show\n\n[Video]\nBaseCX=640\nBaseCY=360\nOutputCX=640\nOutputCY=360\n" +
			"FPSType=0\nFPSCommon=30\n\n[Audio]\nSampleRate=48000\n\n[Output]\nMode=Simple\nReconnect=true\nRetryDelay=1\nMaxRetries=25\n\n" +
			"[SimpleOutput]\nVBitrate=800\nABitrate=128\nStreamEncoder=x264\nPreset=veryfast\nUseAdvanced=true\nRecQuality=Stream\n" +
			"RecFormat=flv\nRecFormat2=flv\nFilePath=" + s.home + "\n",
	}
	for name, content := range files {
		text, ok := content.(string)
		if !ok {
			b, err := json.Marshal(content)
			if err != nil {
				s.t.Fatal(err)
			}
			text = string(b)
		}
		file := filepath.Join(s.home, "obs-studio", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// packet is one of the remote control; its data depends on its kind.
type packet struct {
	Op int             `json:"op"`
	D  json.RawMessage `json:"d"`
}

func (s *studio) connect(port int, password string) {
	s.t.Helper()
	ctx := s.t.Context()
	eventually(s.t, "the remote control of OBS", func() bool {
		ctl, _, err := websocket.Dial(ctx, fmt.Sprintf("ws://127.0.0.1:%d", port), nil)
		s.ctl = ctl
		return err == nil
	})
	s.t.Cleanup(func() { _ = s.ctl.CloseNow() })
	var hello struct {
		Authentication struct{ Challenge, Salt string }
	}
	s.read(0, &hello)
	digest := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	answer := digest(digest(password+hello.Authentication.Salt) + hello.Authentication.Challenge)
	s.write(1, map[string]any{"rpcVersion": 1, "authentication": answer, "eventSubscriptions": 0})
	s.read(2, &struct{}{})
}

func (s *studio) write(op int, d any) {
	s.t.Helper()
	if err := wsjson.Write(s.t.Context(), s.ctl, map[string]any{"op": op, "d": d}); err != nil {
		s.t.Fatalf("remote control: %v", err)
	}
}

func (s *studio) read(op int, into any) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	var m packet
	if err := wsjson.Read(ctx, s.ctl, &m); err != nil {
		s.t.Fatalf("remote control: %v", err)
	}
	if m.Op != op {
		s.t.Fatalf("remote control: %d, want %d: %s", m.Op, op, m.D)
	}
	if err := json.Unmarshal(m.D, into); err != nil {
		s.t.Fatalf("remote control: %v", err)
	}
}

// reply is what OBS says about its outputs.
type reply struct {
	OutputActive       bool
	OutputReconnecting bool
	OutputDuration     int    // ms
	OutputPath         string // of a recording that has ended
	OBSVersion         string
}

// ask makes a request of the remote control, as soon as OBS is ready for it.
func (s *studio) ask(request string, data map[string]any) reply {
	s.t.Helper()
	const notReady = 207
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		s.n++
		s.write(6, map[string]any{"requestType": request, "requestId": fmt.Sprint(s.n), "requestData": data})
		var answer struct {
			RequestStatus struct {
				Result  bool
				Code    int
				Comment string
			}
			ResponseData reply
		}
		s.read(7, &answer)
		a := answer.RequestStatus
		if a.Result {
			return answer.ResponseData
		}
		if a.Code != notReady || time.Now().After(end) {
			s.t.Fatalf("%s: %d %s", request, a.Code, a.Comment)
		}
	}
}

// use makes OBS publish with another key from its next start on.
func (s *studio) use(server, key string) {
	s.t.Helper()
	s.ask("SetStreamServiceSettings", map[string]any{
		"streamServiceType": "rtmp_custom", "streamServiceSettings": map[string]any{"server": server, "key": key},
	})
}

// still waits until OBS publishes no more, also not again.
func (s *studio) still() {
	s.t.Helper()
	relaytest.Eventually(s.t, "OBS has stopped", func() bool { return !s.ask("GetStreamStatus", nil).OutputActive })
}

// quit ends OBS as its window's cross does.
func (s *studio) quit() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.gone:
	case <-time.After(time.Minute):
		s.t.Fatal("OBS does not end")
	}
}

// count is how often OBS's log has this.
func (s *studio) count(line string) int { return strings.Count(s.said.String(), line) }

// OBS Studio publishes: what is said about it is true, what a destination gets is what OBS records itself, it comes back after a loss
// and with a new key after a cut, and its stop, its end and a key that nobody has mean what they should.
func TestOBS(t *testing.T) {
	const keyAfterCut = "ingest-secret-after-the-cut"
	a, da := knower(t, "a")
	b, db := platform(t, "b") // another library reads it too
	var cut atomic.Bool       // the first key is void, the second is not
	h := start(t, func(r *relay.Server) {
		known := r.Stream
		r.Stream = func(ctx context.Context, key string) (relay.Config, error) {
			if key == ingestKey && cut.Load() {
				key = "void"
			} else if key == keyAfterCut && cut.Load() {
				key = ingestKey
			}
			return known(ctx, key)
		}
	}, da, db)
	server := "rtmp://" + h.addr + "/live"
	s := openStudio(t, server, ingestKey)
	version := s.ask("GetVersion", nil).OBSVersion
	t.Logf("OBS Studio %s", version)
	ingest := func() (in relay.IngestStatus) {
		if all := h.Status(); len(all) > 0 {
			in = all[0].Ingest
		}
		return in
	}
	warned := func(code string) bool {
		return slices.ContainsFunc(ingest().Warnings, func(w relay.Warning) bool { return w.Code == code })
	}
	onAir := func() bool { return ingest().Connected && !ingest().Waiting && !h.Status()[0].Slate }

	s.ask("StartStream", nil)
	live(t, h, "a", "b")
	relaytest.Eventually(t, "a warning of its usual keyframes, 250 pictures apart", func() bool { return warned("keyframes") })
	relaytest.Eventually(t, "its pictures counted", func() bool { f := ingest().TrueFPS; return f > 29 && f < 31 })
	in := ingest()
	in.Video = strings.Join([]string{in.Encoder, in.Video, in.Audio}, ", ")
	if want := "OBS Studio " + version; !strings.HasPrefix(in.Video, want) || !strings.HasSuffix(in.Video, ", H.264, AAC") {
		t.Errorf("it is %q, want %s", in.Video, want)
	}
	if in.Width != 640 || in.Height != 360 || in.FPS != 30 || in.AudioRate != 48000 || !in.HasAudio || !in.BFrames {
		t.Errorf("ingest = %+v", in)
	}
	if warned("silence") || warned("no_sound") || warned("rate_change") || warned("uneven") {
		t.Errorf("warnings = %+v", ingest().Warnings)
	}
	s.ask("SetCurrentProgramScene", map[string]any{"sceneName": "Silence"})
	relaytest.Eventually(t, "a warning of the silence", func() bool { return warned("silence") })
	s.ask("SetCurrentProgramScene", map[string]any{"sceneName": "Stage"})
	relaytest.Eventually(t, "the sound heard", func() bool { return !warned("silence") })

	s.ask("StartRecord", nil) // it begins at the next keyframe
	relaytest.Eventually(t, "a recording", func() bool { return s.ask("GetRecordStatus", nil).OutputDuration > 3000 })
	s.ask("StopStream", nil)
	relaytest.Eventually(t, "the end of the stream", func() bool { return len(h.Status()) == 0 })
	s.still()
	if f := b.Session().Figures(); b.Counts().Ended != 1 || f.Backwards != 0 || !strings.HasPrefix(f.Order, "MVA") && !strings.HasPrefix(f.Order, "MAV") {
		t.Errorf("the platform counts %+v, and saw %+v", b.Counts(), f)
	}
	s.compare(s.ask("StopRecord", nil).OutputPath, a.messages())

	s.ask("SetProfileParameter", map[string]any{"parameterCategory": "SimpleOutput", "parameterName": "x264Settings", "parameterValue": "keyint=60"})
	s.ask("StartStream", nil)
	live(t, h, "a", "b")
	relaytest.Eventually(t, "a keyframe each 2 s", func() bool { return ingest().KeyframeEvery == 2*time.Second })
	if warned("keyframes") {
		t.Errorf("warnings = %+v", ingest().Warnings)
	}
	published := a.publications()
	if err := h.Cut("show"); err != nil { // with its key left as it is: to OBS that is a lost connection
		t.Fatal(err)
	}
	relaytest.Eventually(t, "OBS back", func() bool { return ingest().Reconnects == 1 && onAir() })
	if s.count("Reconnecting in") == 0 {
		t.Error("OBS did not notice")
	}
	cut.Store(true)
	if err := h.Cut("show"); err != nil {
		t.Fatal(err)
	}
	const refused = "NetStream.Publish.BadName (this stream key is not known)"
	relaytest.Eventually(t, "the old key refused, again and again", func() bool { return s.count(refused) > 1 })
	if st := h.Status()[0]; !st.Slate || !st.Cut || st.Ingest.Connected || !s.ask("GetStreamStatus", nil).OutputReconnecting {
		t.Errorf("after the cut: %+v", st)
	}
	s.ask("StopStream", nil)
	s.still()
	s.use(server, keyAfterCut)
	s.ask("StartStream", nil)
	relaytest.Eventually(t, "on the air with the new key", onAir)
	if a.publications() != published || h.destination("a").Reconnects != 0 {
		t.Error("a destination was disconnected")
	}

	s.ask("StopStream", nil)
	s.still()
	relaytest.Eventually(t, "the end of the stream", func() bool { return len(h.Status()) == 0 })
	s.use(server, "a key that nobody has")
	before := s.count(refused)
	s.ask("StartStream", nil)
	relaytest.Eventually(t, "the wrong key refused", func() bool { return s.count(refused) > before })
	s.still()
	if n := s.count(refused); n != before+1 {
		t.Errorf("it tried a wrong key %d times", n-before)
	}

	s.use(server, keyAfterCut)
	s.ask("StartStream", nil)
	live(t, h, "a", "b")
	s.quit()
	relaytest.Eventually(t, "the end of the stream", func() bool { return len(h.Status()) == 0 })
	if n := b.Counts().Ended; n != 3 {
		t.Errorf("the platform was told of %d ends, want 3", n)
	}
	if said := s.said.String(); strings.Contains(said, ingestKey) || strings.Contains(said, keyAfterCut) {
		t.Error("OBS's log holds a key: it was in an address")
	}
	h.noSecrets(t, keyAfterCut)
}

// compare says whether a destination got, to the byte, what OBS has in its own recording of the same encoders, from the recording's first
// keyframe to the end of the stream.
func (s *studio) compare(recording string, got []rtmp.Message) {
	s.t.Helper()
	var tags []rtmp.Message
	relaytest.Eventually(s.t, "the recording whole", func() bool { // its last part is still being written
		b, err := os.ReadFile(recording)
		if err != nil {
			s.t.Fatal(err)
		}
		tags, err = rtmp.ParseFLV(b)
		return err == nil && !s.ask("GetRecordStatus", nil).OutputActive
	})
	// What counts is the picture or the sound itself: recordings have times, and headers, of their own.
	media := func(all []rtmp.Message, typ byte) (out []string) {
		for _, m := range all {
			head := map[byte]int{rtmp.TypeVideo: 5, rtmp.TypeAudio: 2}[typ]
			if m.Type == typ && kindOf(m) != rtmp.Header && len(m.Payload) > head {
				out = append(out, string(m.Payload[head:]))
			}
		}
		return out
	}
	for _, typ := range []byte{rtmp.TypeVideo, rtmp.TypeAudio} {
		want, have := media(tags, typ), media(got, typ)
		if len(want) == 0 {
			s.t.Fatalf("type %d: nothing was recorded", typ)
		}
		from := slices.IndexFunc(have, func(p string) bool { return strings.HasSuffix(want[0], p) }) // before its first, x264 writes its settings
		if from < 0 {
			s.t.Fatalf("type %d: the first of the recording did not arrive", typ)
		}
		have = have[from:]
		if len(have) < 30 || len(have) > len(want) || !slices.Equal(have[1:], want[1:len(have)]) {
			s.t.Errorf("type %d: %d arrived of %d recorded, or they differ", typ, len(have), len(want))
		}
		s.t.Logf("type %d: %d arrived, equal to the first of %d recorded", typ, len(have), len(want))
	}
}
