package record_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/record"
	"hawker/relay/relaytest"
)

// dirEnv names the folder of recordings to the test's own program, which is a relay then.
const dirEnv = "HAWKER_TEST_RECORDINGS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirEnv); dir != "" {
		victim(dir)
		return
	}
	os.Exit(m.Run())
}

// victim is a relay with a recorder, which says where it listens and then waits for being killed.
func victim(dir string) {
	rec := &record.Recorder{Dir: dir}
	srv := &relay.Server{Consumers: []func(context.Context, *relay.Tap){rec.Take}}
	srv.Stream = func(context.Context, string) (relay.Config, error) { return relay.Config{ID: "7", Record: "ana"}, nil }
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(ln.Addr())
	_ = srv.Run(context.Background(), ln)
}

// studio is a relay with a recorder in this process.
type studio struct {
	t     *testing.T
	relay *relay.Server
	rec   *record.Recorder
	shelf *record.Shelf
	addr  string
	stop  func()
}

func newStudio(t *testing.T, change func(*record.Recorder, *relay.Server)) *studio {
	t.Helper()
	s := &studio{t: t, rec: &record.Recorder{Dir: t.TempDir()}, relay: &relay.Server{SlateAfter: 200 * time.Millisecond}}
	s.relay.Consumers = []func(context.Context, *relay.Tap){s.rec.Take}
	if change != nil {
		change(s.rec, s.relay)
	}
	s.shelf = &record.Shelf{Dir: s.rec.Dir, Quota: s.rec.Quota, MinFree: s.rec.MinFree}
	s.relay.Stream = func(context.Context, string) (relay.Config, error) { return relay.Config{ID: "7", Record: "ana"}, nil }
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := s.relay.Run(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	all.Go(func() { _ = s.rec.Run(ctx) })
	s.stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	t.Cleanup(s.stop)
	return s
}

func (s *studio) list() []record.Recording {
	s.t.Helper()
	all, err := s.shelf.List("ana")
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *studio) path(name string) string { return filepath.Join(s.rec.Dir, "ana", name+".mp4") }

// indexed waits until so many recordings are over and have their length.
func (s *studio) indexed(n int) []record.Recording {
	s.t.Helper()
	relaytest.Eventually(s.t, "recordings are indexed", func() bool {
		all := s.list()
		for _, r := range all {
			b, err := os.ReadFile(s.path(r.Name))
			if err != nil || r.Live || len(b) < 64 || string(b[36:40]) != "mdat" {
				return false
			}
		}
		return len(all) == n
	})
	return s.list()
}

// seconds asks ffprobe how long a file is, and decodes all of it.
func seconds(t *testing.T, file string) float64 {
	t.Helper()
	relaytest.Run(t, "ffmpeg", "-v", "error", "-i", file, "-enc_time_base", "-1", "-f", "null", "-")
	v, err := strconv.ParseFloat(strings.TrimSpace(relaytest.Run(t, "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file)), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// frames counts the pictures that can be decoded.
func frames(t *testing.T, file string) int {
	t.Helper()
	out := relaytest.Run(t, "ffprobe", "-v", "error", "-select_streams", "v", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file)
	n, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A kill at any moment leaves a file that plays up to its last second; afterwards it gets its index.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^$")
	c.Env = append(os.Environ(), dirEnv+"="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	film := relaytest.Film(t, 10, "320x180", "-bf", "2")
	const sent = 6 * time.Second
	stop := relaytest.Publish(t, strings.TrimSpace(addr), "key", film, sent)
	shelf := &record.Shelf{Dir: dir}
	// The 6 s that came at once make five fragments, and the sixth is written with the next keyframe.
	relaytest.Eventually(t, "six seconds are on the disk", func() bool {
		all, err := shelf.List("ana")
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != 1 {
			return false
		}
		b, err := os.ReadFile(filepath.Join(dir, "ana", all[0].Name+".mp4"))
		return err == nil && strings.Count(string(b), "moof") >= 6
	})
	_ = c.Process.Kill()
	_ = c.Wait()
	stop()
	all, err := shelf.List("ana")
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	file := filepath.Join(dir, "ana", all[0].Name+".mp4")
	before := frames(t, file)
	if length := seconds(t, file); length < 5.9 || before < 6*25-2 {
		t.Errorf("the kill left %v s, %d pictures", length, before)
	}
	// A fragment that was cut off in mid-write.
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("\x00\x00\x10\x00moof and no more")); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()

	rec := &record.Recorder{Dir: dir}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = rec.Run(ctx) }()
	relaytest.Eventually(t, "it has its length", func() bool {
		r, err := shelf.Get("ana", all[0].Name)
		return err == nil && r.Length > 5*time.Second && !r.Live
	})
	cancel()
	<-done
	if after := frames(t, file); after != before {
		t.Errorf("%d pictures before the index, %d with it", before, after)
	}
	seconds(t, file)
	if got := relaytest.Run(t, "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,nb_frames", "-of", "csv=p=0", file); !strings.Contains(got, "h264,"+strconv.Itoa(before)) {
		t.Errorf("the index says %q", got)
	}
}

// A recording goes on over the slate and an encoder that comes back with other settings of the same size; another size begins
// another file. All is decoded without a word by ffmpeg.
func TestRecording(t *testing.T) {
	s := newStudio(t, nil)
	stop := relaytest.Publish(t, s.addr, "key", relaytest.Film(t, 6, "320x180"), 2*time.Second)
	relaytest.Eventually(t, "a recording", func() bool { all := s.list(); return len(all) == 1 && all[0].Live && all[0].Bytes > 20_000 })
	stop()
	relaytest.Eventually(t, "slate", func() bool { return s.relay.Status()[0].Slate })
	stop = relaytest.Publish(t, s.addr, "key", relaytest.Film(t, 6, "320x180", "-profile:v", "main", "-bf", "2", "-refs", "3"), 0)
	relaytest.Eventually(t, "back", func() bool { return !s.relay.Status()[0].Slate })
	at := s.list()[0].Bytes
	relaytest.Eventually(t, "more", func() bool { return s.list()[0].Bytes > at+40_000 })
	stop()
	relaytest.Publish(t, s.addr, "key", relaytest.Film(t, 6, "480x270"), 0)
	relaytest.Eventually(t, "another file", func() bool { all := s.list(); return len(all) == 2 && all[0].Bytes > 40_000 })
	if err := s.relay.End("7"); err != nil {
		t.Fatal(err)
	}
	all := s.indexed(2)
	for i, want := range []string{"480x270", "320x180"} {
		r := all[i]
		if got := fmt.Sprintf("%dx%d", r.Width, r.Height); got != want || r.Length < time.Second || !strings.HasPrefix(r.Codecs, "avc1.") || !strings.HasSuffix(r.Codecs, ",mp4a.40.2") || r.Trouble != "" {
			t.Errorf("recording %d: %+v", i, r)
		}
		length := seconds(t, s.path(r.Name))
		if d := length - r.Length.Seconds(); d > .1 || d < -.1 {
			t.Errorf("it is %v s long, and is said to be %v", length, r.Length)
		}
	}
	if err := s.shelf.PutCues("ana", all[1].Name, []record.Cue{{At: 0, Text: "#3 <mug>"}, {At: 1500 * time.Millisecond, Text: "ana paid"}}); err != nil {
		t.Fatal(err)
	}
	b, err := s.shelf.Cues("ana", all[1].Name)
	if want := "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n#3 &lt;mug&gt;\n\n00:00:01.500 --> "; err != nil || !strings.HasPrefix(string(b), want) {
		t.Errorf("cues %q, %v", b, err)
	}
	if err := s.shelf.Delete("ana", all[1].Name); err != nil || len(s.list()) != 1 {
		t.Errorf("delete: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.rec.Dir, "ana", all[1].Name+"*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// HEVC and Opus are recorded too; a full folder loses its oldest recording, a nearly full disk stops recording and loses nothing.
func TestRoom(t *testing.T) {
	s := newStudio(t, func(r *record.Recorder, _ *relay.Server) { r.Quota = 1_000_000 })
	dir := filepath.Join(s.rec.Dir, "ana")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, day := range []string{"01", "02", "03"} { // 400 kB each
		base := filepath.Join(dir, "5-202601"+day+"-120000")
		info := fmt.Sprintf(`{"stream":"5","started_ms":%d,"ended_ms":2,"length_ms":1000}`, i+1)
		if err := os.WriteFile(base+".mp4", make([]byte, 400_000), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(base+".json", []byte(info), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	relaytest.Publish(t, s.addr, "key", relaytest.Enhanced(t, 6, "320x180"), 3*time.Second)
	relaytest.Eventually(t, "a recording", func() bool { all := s.list(); return len(all) > 0 && all[0].Live && all[0].Bytes > 30_000 })
	if err := s.relay.End("7"); err != nil {
		t.Fatal(err)
	}
	relaytest.Eventually(t, "it is over", func() bool { all := s.list(); return !all[0].Live && all[0].Length > 0 })
	all := s.list()
	if len(all) != 3 || all[1].Name != "5-20260103-120000" || all[2].Name != "5-20260102-120000" {
		t.Errorf("left: %+v", all)
	}
	relaytest.Eventually(t, "it has its index", func() bool {
		b, err := os.ReadFile(s.path(all[0].Name))
		return err == nil && string(b[36:40]) == "mdat"
	})
	if seconds(t, s.path(all[0].Name)) < 2 || !strings.HasPrefix(all[0].Codecs, "hvc1.") || !strings.HasSuffix(all[0].Codecs, ",opus") {
		t.Errorf("%+v", all[0])
	}

	begun := make(chan struct{})
	s = newStudio(t, func(r *record.Recorder, srv *relay.Server) {
		r.MinFree = 1 << 62
		srv.Consumers = append(srv.Consumers, func(ctx context.Context, tap *relay.Tap) {
			for n := 0; n < 100; {
				units, err := tap.Next(ctx)
				if err != nil {
					return
				}
				n += len(units)
			}
			close(begun)
		})
	})
	relaytest.Publish(t, s.addr, "key", relaytest.Film(t, 6, "320x180"), 3*time.Second)
	<-begun
	if err := s.relay.End("7"); err != nil {
		t.Fatal(err)
	}
	s.stop()
	if all := s.list(); len(all) > 0 {
		t.Errorf("recorded without room: %+v", all)
	}
}

// Names from outside lead nowhere else.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	shelf := &record.Shelf{Dir: filepath.Join(dir, "recordings")}
	if err := os.WriteFile(filepath.Join(dir, "5-20260101-120000.mp4"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range [][2]string{{"..", "5-20260101-120000"}, {".", "../5-20260101-120000"}, {"", "5-20260101-120000"}, {"ana", ""}, {"ana", "../../5-20260101-120000"}, {"ana/..", "5-20260101-120000"}} {
		if _, err := shelf.Get(x[0], x[1]); !os.IsNotExist(err) {
			t.Errorf("%q: %v", x, err)
		}
		if err := shelf.Delete(x[0], x[1]); !os.IsNotExist(err) {
			t.Errorf("delete %q: %v", x, err)
		}
	}
}

// Index reads whatever it is given, and spoils no file that is none of ours.
func FuzzIndex(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00\x00\x00\x00\x10free\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08moov\x00\x00\x00\x08moof\x00\x00\x00\x08mdat"))
	f.Add([]byte("\x00\x00\x00\x08ftyp\x00\x00\x00\x10free\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08moov\x00\x00\x00\x01moof\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"))
	f.Add([]byte{})
	file := filepath.Join(f.TempDir(), "x.mp4")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := record.Index(file)
		after, readErr := os.ReadFile(file)
		if readErr != nil {
			t.Fatal(readErr)
		}
		if err != nil && string(after) != string(b) {
			t.Fatalf("it failed (%v) and changed the file", err)
		}
	})
}
