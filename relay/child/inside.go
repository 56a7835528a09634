package child

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"hawker/relay"
)

// Inside is a relay in the hub's own process, for systems where it cannot have one of its own, and for those who want it so. It
// ends with the hub. Fill the fields, then Start, then Run.
type Inside struct {
	Asks

	// Dir is the data folder: a process that a hub before this one left there is ended first. "" looks for none.
	Dir      string
	Open     Open
	Settings []byte
	Log      *slog.Logger

	mu      sync.Mutex
	core    *Core             // nil before Start
	tags    map[string]string // by stream
	started time.Time
}

// Start implements Relay.
func (i *Inside) Start(ctx context.Context) error {
	log := i.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err := i.dismiss(ctx); err != nil {
		return err
	}
	core, err := i.Open(ctx, Start{Settings: i.Settings, Log: log})
	if err != nil {
		return err
	}
	srv := core.Server
	srv.Stream, srv.OnEvent = i.stream, i.event
	if srv.Log == nil {
		srv.Log = log
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.core, i.tags, i.started = core, map[string]string{}, time.Now()
	return nil
}

// dismiss ends a process that another hub has left, and which would be in our way.
func (i *Inside) dismiss(ctx context.Context) error {
	if i.Dir == "" {
		return nil
	}
	c := &Client{Dir: i.Dir, Log: i.Log}
	c.open()
	defer c.api.CloseIdleConnections()
	h, err := c.ask(ctx)
	switch {
	case err != nil:
		return nil // nobody, as it should be; or the port will tell
	case h.Streams > 0:
		return fmt.Errorf("the relay's process %d carries the video of a show; the relay can run inside the hub when that is over", h.PID)
	case !c.replace(ctx, &h):
		return fmt.Errorf("the relay's process %d does not end", h.PID)
	}
	return nil
}

// Run implements Relay.
func (i *Inside) Run(ctx context.Context) error {
	core := i.get()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return core.Server.Run(ctx, core.Listeners...) })
	if core.Run != nil {
		g.Go(func() error { return core.Run(ctx) })
	}
	return g.Wait()
}

// get gives the core; before Start one on which nothing is live.
func (i *Inside) get() *Core {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.core == nil {
		return &Core{Server: &relay.Server{}}
	}
	return i.core
}

func (i *Inside) stream(ctx context.Context, key string) (relay.Config, error) {
	cfg, tag, err := i.Stream(ctx, key)
	if err == nil {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.tags[cfg.ID] = tag
	}
	return cfg, err
}

func (i *Inside) event(e relay.Event) {
	if i.OnEvent == nil {
		return
	}
	i.mu.Lock()
	tag := i.tags[e.Stream]
	i.mu.Unlock()
	i.OnEvent(tag, e)
}

// Addrs implements Relay.
func (i *Inside) Addrs() (out []string) {
	for _, l := range i.get().Listeners {
		out = append(out, l.Addr().String())
	}
	return out
}

// Process implements Relay.
func (i *Inside) Process() Process {
	i.mu.Lock()
	defer i.mu.Unlock()
	return Process{PID: os.Getpid(), Started: i.started, State: Within}
}

// Status implements Relay.
func (i *Inside) Status() []relay.StreamStatus { return i.get().Server.Status() }

// Set implements Relay.
func (i *Inside) Set(streamID string, all []relay.Destination) error {
	return i.get().Server.Set(streamID, all)
}

// Add implements Relay.
func (i *Inside) Add(streamID string, d relay.Destination) error {
	return i.get().Server.Add(streamID, d)
}

// Remove implements Relay.
func (i *Inside) Remove(streamID, destinationID string) error {
	return i.get().Server.Remove(streamID, destinationID)
}

// Cut implements Relay.
func (i *Inside) Cut(streamID string) error { return i.get().Server.Cut(streamID) }

// Slate implements Relay.
func (i *Inside) Slate(streamID string, on bool) error { return i.get().Server.Slate(streamID, on) }

// Use implements Relay.
func (i *Inside) Use(streamID string, backup bool) error { return i.get().Server.Use(streamID, backup) }

// Admit implements Relay.
func (i *Inside) Admit(streamID string) error { return i.get().Server.Admit(streamID) }

// End implements Relay.
func (i *Inside) End(streamID string) error { return i.get().Server.End(streamID) }

// Tune implements Relay.
func (i *Inside) Tune(streamID string, c relay.Config) error {
	return i.get().Server.Tune(streamID, c)
}

// Forget implements Relay: here the hub is asked about every key, always.
func (i *Inside) Forget(string) error { return nil }

// Proxy implements Relay.
func (i *Inside) Proxy() http.Handler {
	return outside(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := i.get().Handler; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	}))
}

// Call implements Relay.
func (i *Inside) Call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	w := &written{header: http.Header{}, status: http.StatusOK}
	i.Proxy().ServeHTTP(w, r)
	switch {
	case w.status >= http.StatusMultipleChoices:
		return &Refused{w.status, strings.TrimSpace(w.body.String())}
	case out == nil:
		return nil
	}
	return json.Unmarshal(w.body.Bytes(), out)
}

// written is an answer that is kept.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *written) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *written) WriteHeader(status int) { w.status = status }

// Write implements http.ResponseWriter.
func (w *written) Write(b []byte) (int, error) { return w.body.Write(b) }

var (
	_ Relay = (*Client)(nil)
	_ Relay = (*Inside)(nil)
)
