package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hawker/relay"
)

// relayKey is the stream key of the encoder.
const relayKey = "bench"

// relayFigures are what one relay did in one case.
type relayFigures struct {
	cpu, rss, grew, p50, p99, equal, silence, first float64
	lost, back, reconnects                          int
	bytes                                           int64
}

// usage is what a process has used.
type usage struct {
	CPU time.Duration `json:"cpu_ns"`
	RSS int64         `json:"rss_bytes"`
}

// relayUnder is a relay that is measured, in a process of its own.
type relayUnder interface {
	start(ctx context.Context, servers []string) (addr string, err error)
	usage() (usage, error)
	pid() int
	stop() error
}

// ownRelay is this program's.
type ownRelay struct {
	command func(ctx context.Context) *exec.Cmd
	slate   bool
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func (o *ownRelay) start(ctx context.Context, servers []string) (string, error) {
	o.cmd = o.command(ctx)
	o.cmd.Stderr = os.Stderr
	var err error
	if o.in, err = o.cmd.StdinPipe(); err != nil {
		return "", err
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	o.out = bufio.NewReader(out)
	if err := o.cmd.Start(); err != nil {
		return "", err
	}
	var addr string
	return addr, o.ask(relayOrders{servers, o.slate}, &addr)
}

// relayOrders are what the relay's process is told first.
type relayOrders struct {
	Servers []string `json:"servers"`
	// Slate says that the slate is what is measured. Else there is none: on a busy machine the encoder itself falls silent.
	Slate bool `json:"slate"`
}

func (o *ownRelay) ask(question, answer any) error {
	if err := json.NewEncoder(o.in).Encode(question); err != nil {
		return err
	}
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the relay's process: %w", err)
	}
	return json.Unmarshal(line, answer)
}

func (o *ownRelay) usage() (u usage, err error) { return u, o.ask("usage", &u) }

func (o *ownRelay) pid() int { return o.cmd.Process.Pid }

func (o *ownRelay) stop() error {
	if o.in == nil {
		return nil
	}
	_ = o.in.Close()
	return o.cmd.Wait()
}

// RelayChild is the relay that is measured. It reads what to do from in and writes where it listens to out; then it answers each
// line with what the process has used, until in ends.
func RelayChild(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines, answer := json.NewDecoder(in), json.NewEncoder(out)
	var orders relayOrders
	if err := lines.Decode(&orders); err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	cfg := relay.Config{ID: "bench"}
	for i, s := range orders.Servers {
		cfg.Destinations = append(cfg.Destinations, relay.Destination{ID: strconv.Itoa(i), Name: strconv.Itoa(i), Server: s})
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &relay.Server{Stream: func(_ context.Context, key string) (relay.Config, error) {
		if key != relayKey {
			return relay.Config{}, relay.ErrUnknownKey
		}
		return cfg, nil
	}}
	if !orders.Slate {
		srv.SlateAfter = time.Hour
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	relay.Settle()
	wg.Go(func() { _ = srv.Run(ctx, ln) })
	if err := answer.Encode(ln.Addr().String()); err != nil {
		return err
	}
	for {
		var what string
		if err := lines.Decode(&what); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		u, err := selfUsage()
		if err == nil {
			err = answer.Encode(u)
		}
		if err != nil {
			return err
		}
	}
}

// nginxRelay is nginx with its RTMP module, as Debian has it.
type nginxRelay struct {
	module string
	dir    string
	cmd    *exec.Cmd
}

// findNginx returns the path of nginx's RTMP module, or why there is nothing to compare with.
func findNginx() (module, why string) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		return "", "this system does not tell what a process uses"
	}
	if _, err := exec.LookPath("nginx"); err != nil {
		return "", "nginx is not installed"
	}
	for _, dir := range []string{"/usr/lib/nginx/modules", "/usr/share/nginx/modules", "/usr/lib64/nginx/modules"} {
		path := filepath.Join(dir, "ngx_rtmp_module.so")
		if _, err := os.Stat(path); err == nil {
			return path, ""
		}
	}
	return "", "nginx has no RTMP module"
}

func (n *nginxRelay) start(ctx context.Context, servers []string) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	addr := ln.Addr().String()
	_ = ln.Close() // nginx listens there itself
	if n.dir, err = os.MkdirTemp("", "hawker-bench-nginx-"); err != nil {
		return "", err
	}
	var conf strings.Builder
	// One process, so that what it uses is in one place. The rest is as it comes.
	fmt.Fprintf(&conf, "load_module %s;\ndaemon off;\nmaster_process off;\npid %s/pid;\nerror_log %s/error.log crit;\nevents { worker_connections 1024; }\n",
		n.module, n.dir, n.dir)
	fmt.Fprintf(&conf, "rtmp { access_log off; server { listen %s; application live { live on;\n", addr)
	for _, s := range servers {
		fmt.Fprintf(&conf, "push %s;\n", s)
	}
	conf.WriteString("} } }\n")
	file := filepath.Join(n.dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		return "", err
	}
	n.cmd = exec.CommandContext(ctx, "nginx", "-p", n.dir, "-c", file)
	n.cmd.Stderr = io.Discard
	return addr, n.cmd.Start()
}

// usage reads the main thread's time, which is the only one (schedstat: ns on a processor, first).
func (n *nginxRelay) usage() (usage, error) {
	dir := "/proc/" + strconv.Itoa(n.cmd.Process.Pid)
	b, err := os.ReadFile(dir + "/schedstat")
	if err != nil {
		return usage{}, err
	}
	f := strings.Fields(string(b))
	if len(f) == 0 {
		return usage{}, errors.New("schedstat is empty")
	}
	ns, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil {
		return usage{}, err
	}
	rss, err := residentOf(dir)
	return usage{CPU: time.Duration(ns), RSS: rss}, err
}

func (n *nginxRelay) pid() int { return n.cmd.Process.Pid }

func (n *nginxRelay) stop() error {
	if n.cmd != nil && n.cmd.Process != nil {
		_ = n.cmd.Process.Kill()
		_ = n.cmd.Wait() // killed
	}
	if n.dir == "" {
		return nil
	}
	return os.RemoveAll(n.dir)
}

// residentOf reads VmRSS of a process, in bytes.
func residentOf(dir string) (int64, error) {
	b, err := os.ReadFile(dir + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("no VmRSS")
}

// pictureWait is how long all good destinations may take for their first picture.
const pictureWait = 20 * time.Second

// measureRelays runs one case with each relay of a team at once, each with its own encoder and destinations.
func measureRelays(ctx context.Context, team []relayUnder, src *source, p relayPlan) ([]relayFigures, error) {
	out := make([]relayFigures, len(team))
	errs := make([]error, len(team))
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i, u := range team {
		wg.Go(func() {
			// Not in the same instant: they would wait for each other's work.
			time.Sleep(time.Duration(i) * 7 * time.Millisecond)
			out[i], errs[i] = measureRelay(ctx, u, src, p)
			if errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	for _, err := range slices.Backward(errs) {
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	return out, errors.Join(errs...)
}

func measureRelay(ctx context.Context, u relayUnder, src *source, p relayPlan) (f relayFigures, err error) {
	log := &sent{}
	to, err := newPlatforms(p.Sinks, p.Bad, log)
	if err != nil {
		return f, err
	}
	defer to.close()
	defer func() { err = errors.Join(err, u.stop()) }()
	addr, err := u.start(ctx, to.servers())
	if err != nil {
		return f, err
	}
	encoder := newEncoder(ctx, src, addr, log)
	defer encoder.stop()
	for end := time.Now().Add(pictureWait); !to.ready(); {
		if err := encoder.pause(ctx, 20*time.Millisecond); err != nil {
			return f, err
		}
		if time.Now().After(end) {
			return f, errors.New("a good destination got no picture")
		}
	}
	to.open()
	before, err := u.usage()
	if err != nil {
		return f, err
	}
	most := before.RSS
	var memory []int64
	watch := func(d time.Duration) error {
		for end := time.Now().Add(d); time.Now().Before(end); {
			if err := encoder.pause(ctx, min(time.Second, time.Until(end))); err != nil {
				return err
			}
			// From outside, so that looking costs it nothing. Where the system does not tell, the end must do.
			if rss, err := residentOf("/proc/" + strconv.Itoa(u.pid())); err == nil {
				most, memory = max(most, rss), append(memory, rss)
			}
		}
		return nil
	}
	if p.Bad == badGone {
		const still = 2 * time.Second
		if err := watch(still); err != nil {
			return f, err
		}
		encoder.stop()
		if err := watch(p.over); err != nil {
			return f, err
		}
		encoder = newEncoder(ctx, src, addr, log)
		defer encoder.stop()
		if err := watch(2 * still); err != nil {
			return f, err
		}
	} else if err := watch(p.over); err != nil {
		return f, err
	}
	after, err := u.usage()
	if err != nil {
		return f, err
	}
	f = to.sum()
	f.rss = float64(max(most, after.RSS)) / 1e6
	if q := len(memory) / 4; q > 0 {
		f.grew = float64(slices.Max(memory[3*q:])-slices.Max(memory[2*q:3*q])) / 1e6
	}
	if f.bytes > 0 {
		f.cpu = (after.CPU - before.CPU).Seconds() / (float64(f.bytes) / 1e9)
	}
	return f, nil
}

// encoder publishes in the background.
type encoder struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // set before done closes
}

func newEncoder(ctx context.Context, src *source, addr string, log *sent) *encoder {
	ctx, cancel := context.WithCancel(ctx)
	e := &encoder{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(e.done)
		e.err = src.publish(ctx, addr, 0, log)
	}()
	return e
}

// pause waits, and returns the error of an encoder that was cut off meanwhile.
func (e *encoder) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.done:
		if e.err != nil {
			return e.err
		}
		<-t.C
	}
	return nil
}

func (e *encoder) stop() {
	e.cancel()
	<-e.done
}
