// Package core is the relay's own process: hawker relay-core, which the hub starts and which goes on without it (see package
// relay/child). Where the relay has no process of its own the hub opens the same in its own.
package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sync/errgroup"

	"hawker/internal/dial"
	"hawker/relay"
	"hawker/relay/child"
	"hawker/relay/room"
	"hawker/relay/secure"
)

// Settings is what the process is told when it starts. A process that was told something else is replaced when no stream is live.
// No secrets: they are asked of the hub, stream by stream.
type Settings struct {
	Data         string // the data folder, absolute
	RTMPListen   string
	RTMPSListen  string // "" for none
	RTMPSCert    string // files, absolute
	RTMPSKey     string
	AllowPrivate bool // destinations may be on loopback or private addresses
	Room         room.Options
}

// core is what runs in the process.
type core struct {
	Settings

	log *slog.Logger
}

// Main is the life of the process. version names this very program.
func Main(ctx context.Context, data, version string) error {
	ignoreBrokenPipes() // whoever reads what we say may end before us
	if runtime.GOOS == "linux" {
		_ = os.WriteFile("/proc/self/comm", []byte("hawker-relay"), 0) //nolint:gosec // the process's name, for ps; it was "exe"
	}
	return child.Main(ctx, data, version, os.Stdin, os.Stdout, Open)
}

// Open opens what runs in the process.
func Open(ctx context.Context, s child.Start) (*child.Core, error) {
	c := &core{log: s.Log}
	if err := json.Unmarshal(s.Settings, &c.Settings); err != nil {
		return nil, fmt.Errorf("settings of the relay: %w", err)
	}
	lns, err := c.listen(ctx, s.Before)
	if err != nil {
		return nil, err
	}
	srv, mux := &relay.Server{DialContext: Dial(c.AllowPrivate), Log: c.log}, http.NewServeMux()
	run := room.Join(srv, mux, c.Room, c.log)
	return &child.Core{Server: srv, Listeners: lns, Handler: mux, Run: func(ctx context.Context) error {
		g, ctx := errgroup.WithContext(ctx)
		for _, f := range run {
			g.Go(func() error { return f(ctx) })
		}
		return g.Wait()
	}}, nil
}

// Dial is the way to destinations. What it does not allow is relay.ErrPrivate.
func Dial(private bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &dial.Dialer{AllowPrivate: private}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if errors.Is(err, dial.ErrPrivate) {
			err = fmt.Errorf("%w: %w", relay.ErrPrivate, err)
		}
		return c, err
	}
}

// listen opens the doors for encoders, where the process before listened if there was one.
func (c *core) listen(ctx context.Context, before []string) ([]net.Listener, error) {
	plain, err := listenAgain(ctx, "HAWKER_RTMP_LISTEN", c.RTMPListen, before, 0)
	if err != nil || c.RTMPSListen == "" {
		return []net.Listener{plain}, err
	}
	cert, err := secure.Load(c.RTMPSCert, c.RTMPSKey, c.log)
	if err == nil {
		var ln net.Listener
		if ln, err = listenAgain(ctx, "HAWKER_RTMPS_LISTEN", c.RTMPSListen, before, 1); err == nil {
			return []net.Listener{plain, cert.Listen(ln)}, nil
		}
	}
	_ = plain.Close()
	return nil, err
}

// listenAgain is Listen, at what before has at i when any port would do.
func listenAgain(ctx context.Context, setting, addr string, before []string, i int) (net.Listener, error) {
	if _, port, _ := net.SplitHostPort(addr); port == "0" && i < len(before) {
		if ln, err := Listen(ctx, setting, before[i]); err == nil {
			return ln, nil
		}
	}
	return Listen(ctx, setting, addr)
}

// Listen opens a port; where it is taken the error says which setting moves it.
func Listen(ctx context.Context, setting, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program; set %s to a free address", addr, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return ln, nil
}
