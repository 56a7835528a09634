//go:build unix

package child_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/child"
)

// A socket that a crash left behind, or anything else under its name, hinders nobody.
func TestStaleSocket(t *testing.T) {
	dir := folder(t)
	path := filepath.Join(dir, child.SocketName)
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	_ = ln.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
	one := start(t, show(dir))
	one.stop()
	if err := os.WriteFile(path, []byte("no socket"), 0o600); err != nil {
		t.Fatal(err)
	}
	two := start(t, show(dir))
	if p := two.process(); p.State != child.Up {
		t.Errorf("over a stale socket: %v", p)
	}
}

// A process that does not answer keeps no hub from starting, and is found when it answers again.
func TestSilentProcess(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	one := start(t, show(dir))
	pid := one.process().PID
	one.kill()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	c := newClient(&orders{Dir: dir}, nil, nil)
	eventually(t, "it stands still", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		return c.Call(ctx, http.MethodGet, "/relay/hello", nil, nil) != nil
	})
	two := start(t, show(dir))
	if p := two.process(); two.addr != "nowhere" || p.State != child.Silent {
		t.Errorf("at %s with %v", two.addr, p)
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is found", func() bool { p := two.process(); return p.State == child.Up && p.PID == pid })
}

// A process that speaks another protocol is left alone while it carries a stream, and replaced then.
func TestOtherProtocol(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	ln, err := net.Listen("unix", filepath.Join(dir, child.SocketName))
	if err != nil {
		t.Fatal(err)
	}
	var streams atomic.Int64
	streams.Store(1)
	var srv *http.Server
	srv = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // a test
		switch r.URL.Path {
		case "/relay/hello":
			_ = json.NewEncoder(w).Encode(map[string]any{"protocol": 99, "version": "0", "pid": 99999999, "addrs": []string{"127.0.0.1:1"}, "streams": streams.Load()})
		case "/relay/end":
			go func() { _ = srv.Close() }()
		default:
			t.Errorf("%s is asked of a process that speaks otherwise", r.URL.Path)
		}
	})}
	go func() { _ = srv.Serve(ln) }()
	defer srv.Close()
	h := start(t, show(dir))
	if p := h.process(); p.State != child.Older || p.PID != 99999999 {
		t.Errorf("with %v", p)
	}
	streams.Store(0)
	eventually(t, "a process that is understood", func() bool { p := h.process(); return p.State == child.Up && p.PID != 99999999 })
	encode(t, h.do(command{What: "addrs"}).Ready, ingestKey)
	eventually(t, "live", func() bool { return len(h.status()) == 1 })
}

// A relay inside the hub ends the process that a hub before it has left, and does not take its place while a stream is live.
func TestInsideAfterOwn(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	one := start(t, show(dir))
	pid := one.process().PID
	e := encode(t, one.addr, ingestKey)
	eventually(t, "live", func() bool { return len(one.status()) == 1 })
	one.kill()
	set, _ := json.Marshal(coreSettings{Listen: one.addr})
	in := &child.Inside{Dir: dir, Settings: set, Open: openCore}
	if err := in.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "carries the video") {
		t.Errorf("Start beside a stream: %v", err)
	}
	if err := e.p.End(); err != nil {
		t.Error(err)
	}
	eventually(t, "its turn", func() bool { return in.Start(t.Context()) == nil })
	gone(t, pid)
	keep(t, in)
}

// Where the port is taken the hub says so, in the relay's words.
func TestPortTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	o := show(folder(t))
	o.Listen = ln.Addr().String()
	h := start(t, o)
	if !strings.Contains(h.err, "the port is taken") {
		t.Errorf("%q, %q", h.addr, h.err)
	}
}

// Another user is sent away, even where the socket's file would let him in.
func TestStranger(t *testing.T) {
	h := start(t, show(folder(t)))
	dir := filepath.Dir(h.socket())
	if info, err := os.Stat(h.socket()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v, %v", info.Mode(), err)
	}
	if os.Geteuid() != 0 {
		return // nobody else to be; the check itself has a test of its own
	}
	try := func() error { return exec.Command(os.Args[0], "stranger", dir).Run() }
	if err := try(); err == nil {
		t.Error("another user is let in")
	}
	for path, mode := range map[string]os.FileMode{dir: 0o755, h.socket(): 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := try(); err == nil {
		t.Error("another user is let in where the file's rights are wide")
	}
	if s := h.status(); s == nil {
		t.Error("its hub is not let in any more")
	}
	eventually(t, "it is logged", func() bool { return logged(h, "another user tried") })
}

// No key is on the command line, in the environment, in a file of the data folder, in the status or in a log; and nothing of the
// hub's environment that may be a secret.
func TestNoSecretIsSeen(t *testing.T) {
	t.Setenv("HAWKER_KEY", "sealing-secret-0c0c")
	t.Setenv("PGPASSWORD", "database-secret-1d1d")
	dir := folder(t)
	_, a := platform(t, "a")
	o := show(dir, a)
	h := start(t, o)
	encode(t, h.addr, ingestKey).keepOn()
	eventually(t, "a live", func() bool { return h.state("a") == relay.Live })
	_, _ = publish(t, h.addr, otherKey)
	text, err := json.Marshal(h.status())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{"status": string(text), "process": h.process().String()}
	pid := strconv.Itoa(h.process().PID)
	if runtime.GOOS == "linux" {
		for _, name := range []string{"cmdline", "environ", "comm"} {
			b, err := os.ReadFile(filepath.Join("/proc", pid, name))
			if err != nil || len(b) == 0 {
				t.Fatalf("%s: %d bytes, %v", name, len(b), err)
			}
			seen[name] = string(b)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Type().IsRegular() {
			b, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			seen[f.Name()] = string(b)
		}
	}
	o.Keys[otherKey] = relay.Config{}
	for where, text := range seen {
		noSecrets(t, where, text, o.Keys)
		if strings.Contains(text, "sealing-secret") || strings.Contains(text, "database-secret") {
			t.Errorf("the hub's secrets are in the process's %s", where)
		}
	}
}

// What the hub passes on reaches the handlers beside the relay, as it comes, and nothing else does.
func TestProxy(t *testing.T) {
	dir := folder(t)
	h := start(t, show(dir))
	for name, r := range map[string]child.Relay{"own process": newClient(&orders{Dir: dir}, nil, nil), "inside": within(t)} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(r.Proxy())
			defer srv.Close()
			get := func(path string) (int, string) {
				c, err := net.Dial("tcp", srv.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				resp, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				b, _ := io.ReadAll(resp.Body)
				return resp.StatusCode, string(b)
			}
			if status, body := get("/room/show/index.m3u8?_HLS_msn=3"); status != http.StatusOK || body != "room /room/show/index.m3u8 shop.example" {
				t.Errorf("%d %q", status, body)
			}
			for _, path := range []string{"/relay/hello", "//relay/hello", "/room/../relay/hello", "/%72elay/hello", "/relay/../relay/status", "/relay"} {
				if status, body := get(path); status != http.StatusNotFound {
					t.Errorf("%s is reached: %d %q", path, status, body)
				}
			}
			// What is written arrives before the end.
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/room/slow", nil)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			first := make([]byte, 5)
			if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "first" {
				t.Errorf("%q, %v", first, err)
			}
			cancel()

			var back map[string]int
			if err := r.Call(t.Context(), http.MethodPost, "/room/echo", map[string]int{"a": 1}, &back); err != nil || back["a"] != 1 {
				t.Errorf("Call = %v, %v", back, err)
			}
			var refused *child.Refused
			if err := r.Call(t.Context(), http.MethodGet, "/nothing", nil, nil); !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
				t.Errorf("Call of nothing: %v", err)
			}
		})
	}
	h.stop()
	srv := httptest.NewServer(newClient(&orders{Dir: dir}, nil, nil).Proxy())
	defer srv.Close()
	resp, err := http.Get(srv.URL + "/room/show/index.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("without a process: %s", resp.Status)
	}
}

// within starts a relay in this process.
func within(t *testing.T) *child.Inside {
	t.Helper()
	_, r := inside(t, map[string]relay.Config{})
	return r
}

func inside(t *testing.T, keys map[string]relay.Config) (*heard, *child.Inside) {
	t.Helper()
	got := &heard{}
	set, _ := json.Marshal(coreSettings{Listen: "127.0.0.1:0"})
	r := &child.Inside{Settings: set, Open: openCore, Log: slog.New(slog.DiscardHandler), Asks: child.Asks{
		Stream: func(_ context.Context, key string) (relay.Config, string, error) {
			cfg, ok := keys[key]
			if !ok {
				return cfg, "", relay.ErrUnknownKey
			}
			return cfg, "tag", nil
		},
		OnEvent: got.add,
	}}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	keep(t, r)
	return got, r
}

// keep runs a relay until the test ends.
func keep(t *testing.T, r child.Relay) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

type heard struct {
	mu   sync.Mutex
	tags map[string]bool
	all  []relay.EventKind
}

func (h *heard) add(tag string, e relay.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tags == nil {
		h.tags = map[string]bool{}
	}
	h.tags[tag] = true
	h.all = append(h.all, e.Kind)
}

func (h *heard) has(k relay.EventKind) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range h.all {
		if x == k {
			return true
		}
	}
	return false
}

// Wherever the relay runs, its hub does the same with it and hears the same of it.
func TestBothKinds(t *testing.T) {
	for _, name := range []string{"own process", "inside"} {
		t.Run(name, func(t *testing.T) {
			_, a := platform(t, "a")
			_, b := platform(t, "b")
			keys := map[string]relay.Config{ingestKey: {ID: "show", Destinations: []relay.Destination{a}}}
			var got *heard
			var r child.Relay
			if name == "inside" {
				got, r = inside(t, keys)
			} else {
				dir := folder(t)
				got = &heard{}
				c := newClient(&orders{Dir: dir, Version: "1", Listen: "127.0.0.1:0", Tied: true, Keys: keys, mu: &sync.Mutex{}}, nil, func(told) {})
				c.OnEvent = got.add
				if err := c.Set("show", nil); !errors.Is(err, relay.ErrNoStream) {
					t.Errorf("before Start: %v", err)
				}
				if err := c.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				keep(t, c)
				r = c
			}
			state := func(id string) relay.State {
				for _, s := range r.Status() {
					for _, d := range s.Destinations {
						if d.ID == id {
							return d.State
						}
					}
				}
				return ""
			}
			for name, err := range map[string]error{
				"Set": r.Set("show", nil), "Add": r.Add("show", b), "Remove": r.Remove("show", "a"), "Cut": r.Cut("show"), "Slate": r.Slate("show", true),
				"Use": r.Use("show", true), "Admit": r.Admit("show"), "End": r.End("show"), "Tune": r.Tune("show", relay.Config{}),
			} {
				if !errors.Is(err, relay.ErrNoStream) {
					t.Errorf("%s without a stream: %v", name, err)
				}
			}
			if err := r.Forget("show"); err != nil {
				t.Errorf("Forget: %v", err)
			}
			if _, err := publish(t, r.Addrs()[0], otherKey); err == nil {
				t.Error("an unknown key is let in")
			}
			e := encode(t, r.Addrs()[0], ingestKey)
			e.keepOn()
			eventually(t, "a live", func() bool { return state("a") == relay.Live })
			check := func(what string, err error) {
				t.Helper()
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			check("Add", r.Add("show", b))
			eventually(t, "b live", func() bool { return state("b") == relay.Live })
			check("Remove", r.Remove("show", "a"))
			eventually(t, "a gone", func() bool { return state("a") == "" && got.has(relay.DestinationRemoved) })
			check("Slate", r.Slate("show", true))
			eventually(t, "slate", func() bool { return r.Status()[0].Slate && got.has(relay.SlateOn) })
			check("Slate", r.Slate("show", false))
			eventually(t, "no slate", func() bool { return !r.Status()[0].Slate && got.has(relay.SlateOff) })
			check("Use", r.Use("show", true))
			check("Tune", r.Tune("show", relay.Config{Slate: []byte("no clip")}))
			if err := r.Admit("show"); !errors.Is(err, relay.ErrNoStream) {
				t.Errorf("Admit when nobody knocks: %v", err)
			}
			check("Cut", r.Cut("show"))
			eventually(t, "cut", func() bool { return r.Status()[0].Cut })
			check("End", r.End("show"))
			eventually(t, "over", func() bool { return len(r.Status()) == 0 && got.has(relay.StreamStopped) })
			got.mu.Lock()
			defer got.mu.Unlock()
			if len(got.tags) != 1 {
				t.Errorf("tags %v", got.tags)
			}
		})
	}
}
