//go:build unix

package child_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/child"
	"hawker/relay/relaytest"
	"hawker/relay/rtmp"
	"hawker/relay/rtmpsim"
)

// Secrets that must show nowhere.
const (
	ingestKey = "ingest-secret-51ab"
	otherKey  = "another-secret-77fe"
)

// TestMain is also the programs that the tests start: the relay's process, and a hub that can be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		var err error
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		switch os.Args[1] {
		case "relay-core":
			err = child.Main(ctx, os.Args[2], os.Args[3], os.Stdin, os.Stdout, openCore)
		case "hub":
			err = hub(ctx, os.Stdin, os.Stdout)
		case "stranger":
			err = stranger(os.Args[2])
		default:
			stop()
			os.Exit(m.Run())
		}
		stop()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// coreSettings are what the tests tell the relay's process.
type coreSettings struct{ Listen, Note string }

func openCore(ctx context.Context, s child.Start) (*child.Core, error) {
	var set coreSettings
	if err := json.Unmarshal(s.Settings, &set); err != nil {
		return nil, err
	}
	addr := set.Listen
	if len(s.Before) > 0 {
		addr = s.Before[0]
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("the port is taken: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/room/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "room %s %s", r.URL.Path, r.Host) })
	mux.HandleFunc("/room/slow", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("POST /room/echo", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.Copy(w, r.Body)
	})
	mux.HandleFunc("/room/panic", func(http.ResponseWriter, *http.Request) {
		go func() { panic("the relay's own fault") }()
	})
	return &child.Core{Server: &relay.Server{}, Listeners: []net.Listener{ln}, Handler: mux}, nil
}

// orders are what a hub of the tests is told.
type orders struct {
	Dir, Version, Note string
	Tied               bool
	Away               time.Duration
	Keys               map[string]relay.Config // "" answers with an error
	Slate              int                     // bytes of the slate of each stream
	Fail               bool                    // questions are answered with an error
	Listen             string

	mu *sync.Mutex
}

// told is what a hub of the tests tells: one of its fields.
type told struct {
	Ready   string // where the relay listens
	Event   *relay.Event
	Tag     string
	Asked   bool
	Status  []relay.StreamStatus
	Process *child.Process
	Err     string
	Done    bool
}

// hub is a hub: it reads orders, then commands, one a line, and tells what happens.
func hub(ctx context.Context, in io.Reader, out io.Writer) error {
	var o orders
	lines := json.NewDecoder(in)
	if err := lines.Decode(&o); err != nil {
		return err
	}
	o.mu = &sync.Mutex{}
	var mu sync.Mutex
	enc := json.NewEncoder(out)
	tell := func(t told) {
		mu.Lock()
		defer mu.Unlock()
		_ = enc.Encode(t)
	}
	c := newClient(&o, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})), tell)
	if err := c.Start(ctx); err != nil {
		tell(told{Err: err.Error()})
		return nil
	}
	tell(told{Ready: cmp.Or(strings.Join(c.Addrs(), ","), "nowhere")})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		for {
			var cmd command
			if lines.Decode(&cmd) != nil {
				cancel() // the test has ended, or wants it so
				return
			}
			t := told{Done: true}
			if cmd.What == "set" { // what a hub has stored is changed first
				o.mu.Lock()
				for k, cfg := range o.Keys {
					if cfg.ID == cmd.Stream {
						cfg.Destinations = cmd.Destinations
						o.Keys[k] = cfg
					}
				}
				o.mu.Unlock()
			}
			if err := cmd.do(c); err != nil {
				t.Err = err.Error()
			}
			if cmd.What == "status" {
				t.Status = c.Status()
			}
			if cmd.What == "addrs" {
				t.Ready = strings.Join(c.Addrs(), ",")
			}
			p := c.Process()
			t.Process = &p
			tell(t)
		}
	}()
	return c.Run(ctx)
}

func newClient(o *orders, log *slog.Logger, tell func(told)) *child.Client {
	set, _ := json.Marshal(coreSettings{Listen: o.Listen, Note: o.Note})
	return &child.Client{
		Dir: o.Dir, Version: o.Version, Args: []string{"relay-core", o.Dir, o.Version}, Settings: set, Tied: o.Tied, Away: o.Away, Log: log, Level: slog.LevelDebug,
		Asks: child.Asks{
			Stream: func(_ context.Context, key string) (relay.Config, string, error) {
				tell(told{Asked: true})
				o.mu.Lock()
				defer o.mu.Unlock()
				cfg, ok := o.Keys[key]
				switch {
				case o.Fail:
					return relay.Config{}, "", fmt.Errorf("the database is away")
				case !ok:
					return relay.Config{}, "", relay.ErrUnknownKey
				}
				cfg.Slate = bytes.Repeat([]byte{'S'}, o.Slate)
				return cfg, "tag of " + cfg.ID, nil
			},
			OnEvent: func(tag string, e relay.Event) { tell(told{Event: &e, Tag: tag}) },
		},
	}
}

// command is something that a test has a hub do.
type command struct {
	What, Stream, ID string
	On               bool
	Destinations     []relay.Destination
}

func (c *command) do(r child.Relay) error {
	switch c.What {
	case "set":
		return r.Set(c.Stream, c.Destinations)
	case "cut":
		return r.Cut(c.Stream)
	case "forget":
		return r.Forget(c.Stream)
	case "remove":
		return r.Remove(c.Stream, c.ID)
	case "slate":
		return r.Slate(c.Stream, c.On)
	case "end":
		return r.End(c.Stream)
	case "panic":
		return r.Call(context.Background(), http.MethodGet, "/room/panic", nil, nil)
	}
	return nil
}

// running is a hub in a process of its own.
type running struct {
	t      testing.TB
	dir    string
	cmd    *exec.Cmd
	in     io.WriteCloser
	addr   string
	err    string // why it could not start
	logs   *relaytest.Logs
	ended  chan struct{}
	mu     sync.Mutex
	events []told
	asked  int
	done   chan told
}

// start starts a hub. When the test ends so does it, and the relay's process with it.
func start(t testing.TB, o orders) *running {
	t.Helper()
	if o.Version == "" {
		o.Version = "1"
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	h := &running{t: t, dir: o.Dir, logs: &relaytest.Logs{}, ended: make(chan struct{}), done: make(chan told, 16)}
	h.cmd = exec.Command(os.Args[0], "hub")
	h.cmd.Stderr = h.logs
	h.cmd.WaitDelay = 10 * time.Second
	in, err := h.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.in = in
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.kill()
		endProcess(t, o.Dir)
		noSecrets(t, "log", h.logs.String(), o.Keys)
	})
	if err := json.NewEncoder(in).Encode(o); err != nil {
		t.Fatal(err)
	}
	ready := make(chan told, 1)
	go h.listen(out, ready)
	select {
	case r := <-ready:
		h.addr, h.err = r.Ready, r.Err
	case <-h.ended:
		t.Fatalf("the hub ended: %s", h.logs)
	}
	return h
}

func (h *running) listen(out io.Reader, ready chan<- told) {
	defer func() {
		_ = h.cmd.Wait()
		close(h.ended)
	}()
	lines := json.NewDecoder(bufio.NewReader(out))
	for {
		var x told
		if lines.Decode(&x) != nil {
			return
		}
		switch {
		case !x.Done && (x.Ready != "" || x.Err != ""):
			ready <- x
		case x.Done:
			h.done <- x
		case x.Asked:
			h.mu.Lock()
			h.asked++
			h.mu.Unlock()
		default:
			h.mu.Lock()
			h.events = append(h.events, x)
			h.mu.Unlock()
		}
	}
}

// kill kills the hub as kill -9 does.
func (h *running) kill() {
	_ = h.cmd.Process.Kill()
	<-h.ended
}

// stop ends the hub as it should be.
func (h *running) stop() {
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	<-h.ended
}

// do has the hub do something.
func (h *running) do(c command) told {
	h.t.Helper()
	if err := json.NewEncoder(h.in).Encode(c); err != nil {
		h.t.Fatalf("the hub is gone: %v\n%s", err, h.logs)
	}
	select {
	case x := <-h.done:
		return x
	case <-h.ended:
		h.t.Fatalf("the hub ended: %s", h.logs)
		return told{}
	}
}

func (h *running) must(c command) {
	h.t.Helper()
	if x := h.do(c); x.Err != "" {
		h.t.Fatalf("%s: %s", c.What, x.Err)
	}
}

func (h *running) status() []relay.StreamStatus {
	h.t.Helper()
	return h.do(command{What: "status"}).Status
}

func (h *running) process() child.Process {
	h.t.Helper()
	return *h.do(command{What: "process"}).Process
}

func (h *running) kinds() (out []relay.EventKind) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range h.events {
		out = append(out, x.Event.Kind)
	}
	return out
}

func (h *running) heard(k relay.EventKind) func() bool {
	return func() bool { return slices.Contains(h.kinds(), k) }
}

// state of a destination, "" when it is not there.
func (h *running) state(id string) relay.State {
	h.t.Helper()
	for _, s := range h.status() {
		for _, d := range s.Destinations {
			if d.ID == id {
				return d.State
			}
		}
	}
	return ""
}

func (h *running) socket() string { return filepath.Join(h.dir, child.SocketName) }

// endProcess ends the relay's process of a data folder, if one is left, and waits for it.
func endProcess(t testing.TB, dir string) {
	t.Helper()
	c := newClient(&orders{Dir: dir}, nil, func(told) {})
	ctx := context.Background()
	eventually(t, "end of the relay's process", func() bool {
		return c.Call(ctx, http.MethodPost, "/relay/end", nil, nil) != nil
	})
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func noSecrets(t testing.TB, where, text string, keys map[string]relay.Config) {
	t.Helper()
	for key, cfg := range keys {
		for _, d := range append(cfg.Destinations, relay.Destination{Key: key}) {
			if d.Key != "" && strings.Contains(text, d.Key) {
				t.Errorf("the key %q is in the %s", d.Key, where)
			}
		}
	}
}

// folder is a data folder whose path is short enough for a socket.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "relay-child-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// platform runs a pretend platform and returns it as a destination.
func platform(t testing.TB, id string) (*rtmpsim.Sim, relay.Destination) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sim := &rtmpsim.Sim{}
	go func() { _ = sim.Serve(ln) }()
	t.Cleanup(sim.Close)
	return sim, relay.Destination{ID: id, Name: "Platform " + id, Server: "rtmp://" + ln.Addr().String() + "/app", Key: "destination-secret-" + id}
}

// encoder publishes made-up pictures and sound.
type encoder struct {
	t    testing.TB
	p    *rtmp.Publisher
	ms   uint32
	n    int
	mu   sync.Mutex
	sent []uint64
}

func publish(t testing.TB, addr, key string) (*rtmp.Publisher, error) {
	t.Helper()
	target, err := rtmp.ParseTarget("rtmp://"+addr+"/live", key)
	if err != nil {
		t.Fatal(err)
	}
	return (&rtmp.Dialer{}).Publish(t.Context(), target)
}

func encode(t testing.TB, addr, key string) *encoder {
	t.Helper()
	p, err := publish(t, addr, key)
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	t.Cleanup(func() { _ = p.Close() })
	e := &encoder{t: t, p: p}
	e.send(rtmp.TypeVideo, append([]byte{0x17, 0, 0, 0, 0}, avcC...))
	e.send(rtmp.TypeAudio, []byte{0xAF, 0, 0x11, 0x90})
	return e
}

// avcC is a real decoder configuration (Main, 640x360).
var avcC = []byte{
	0x01, 0x4D, 0x40, 0x1F, 0xFF, 0xE1, 0x00, 0x19, 0x67, 0x4D, 0x40, 0x1F, 0xA6, 0x11, 0x02, 0x80, 0xBF, 0xE5, 0x84, 0x00, 0x00,
	0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xC8, 0x3C, 0x60, 0xC8, 0x46, 0x01, 0x00, 0x05, 0x68, 0xE8, 0x43, 0x32, 0xC8,
}

func (e *encoder) send(typ byte, payload []byte) bool {
	e.mu.Lock()
	e.sent = append(e.sent, rtmpsim.Hash(payload))
	e.mu.Unlock()
	return e.p.Send(rtmp.Message{Type: typ, Time: e.ms, Payload: payload}) == nil
}

// picture sends one, a keyframe at each 25th, and some sound, and moves the clock by 40 ms.
func (e *encoder) picture() bool {
	nal := bytes.Repeat([]byte{byte(e.n), byte(e.n >> 8)}, 700)
	p := []byte{0x27, 1, 0, 0, 0, 0, 0, 5, 0x78}
	if e.n%25 == 0 {
		p[0] = 0x17
	}
	ok := e.send(rtmp.TypeVideo, append(p, nal...)) && e.send(rtmp.TypeAudio, []byte{0xAF, 1, byte(e.n), byte(e.n >> 8), byte(e.ms)})
	e.n++
	e.ms += 40
	return ok
}

// keepOn sends pictures, about ten times faster than life, until the connection ends or stop is called, which gives what was sent.
func (e *encoder) keepOn() (stop func() []uint64) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil && e.picture() {
			time.Sleep(4 * time.Millisecond)
		}
	}()
	end := sync.OnceFunc(func() { cancel(); <-done })
	e.t.Cleanup(end)
	return func() []uint64 {
		end()
		e.mu.Lock()
		defer e.mu.Unlock()
		return slices.Clone(e.sent)
	}
}

// media is what a platform got.
func media(s *rtmpsim.Session) (out []uint64) {
	if s == nil {
		return nil
	}
	for _, r := range s.Records() {
		out = append(out, r.Hash)
	}
	return out
}

func stranger(dir string) error {
	if err := syscall.Setuid(65534); err != nil {
		return nil // then it is no stranger
	}
	c, err := net.Dial("unix", filepath.Join(dir, child.SocketName))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /relay/hello HTTP/1.1\r\nHost: relay\r\n\r\n"); err != nil {
		return err
	}
	_, err = bufio.NewReader(c).ReadString('\n')
	return err
}
