package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"hawker/relay"
)

const (
	// doTimeout is how long the process may take for a request.
	doTimeout = 5 * time.Second
	// statusFor is how long a status counts as new while nothing happens.
	statusFor = time.Second
	// statusAtMost is the shortest time between two statuses when much happens.
	statusAtMost = 100 * time.Millisecond
	// maxWord bounds what is read of an answer that is no success, in bytes.
	maxWord = 4 << 10
)

// Client is a hub's relay that runs in a process of its own. Fill the fields, then Start, then Run.
type Client struct {
	Asks

	Dir      string   // the data folder, absolute
	Version  string   // of this program; a process of another one is replaced when no stream is live
	Args     []string // make this program run Main for Dir
	Settings []byte   // what Open is to be told; no secrets. A process with others is replaced when no stream is live
	Tied     bool     // the process ends with this hub, whatever is live
	// Away is AwayLimit when 0.
	Away time.Duration
	// Level is that of the process's log.
	Level slog.Level
	// Ready is closed when OnEvent may be called; nil is at once. Questions are answered before.
	Ready <-chan struct{}
	// Log gets what happens to the process, and what the process itself logs. nil discards.
	Log *slog.Logger

	once  sync.Once
	api   *http.Client
	proxy http.Handler
	inbox chan item

	looking  sync.Mutex // held while a status is fetched
	looked   time.Time
	seen     []relay.StreamStatus
	outdated bool // guarded by mu

	mu       sync.Mutex
	pid      int // of the process that we started last
	hello    hello
	state    State
	restarts int
	trouble  string
	replaced bool // we ended the process ourselves
}

func (c *Client) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

// open makes what needs no process.
func (c *Client) open() {
	c.once.Do(func() {
		c.api = &http.Client{Transport: c.transport(8)}
		c.inbox = make(chan item, inboxSize)
		c.state = Starting
		c.proxy = &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", "relay", r.In.Host
			},
			Transport: c.transport(64), FlushInterval: -1, ErrorLog: slog.NewLogLogger(c.log().Handler(), slog.LevelDebug),
			ErrorHandler: func(w http.ResponseWriter, r *http.Request, _ error) {
				if r.Context().Err() == nil { // else nobody reads it
					w.Header().Set("Retry-After", "1")
					http.Error(w, "the video is away for a moment", http.StatusServiceUnavailable)
				}
			},
		}
	})
}

// transport connects to the socket and keeps so many idle connections.
func (c *Client) transport(idle int) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", filepath.Join(c.Dir, SocketName))
		},
		MaxIdleConnsPerHost: idle, IdleConnTimeout: time.Minute, DisableCompression: true,
	}
}

// send sends a request and returns the answer, whose body is to be closed. A status that is no success is a *Refused.
func (c *Client) send(ctx context.Context, method, path, kind string, body io.Reader) (*http.Response, error) {
	c.open()
	req, err := http.NewRequestWithContext(ctx, method, "http://relay"+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.api.Do(req)
	if err != nil {
		var u *url.Error // it names the path, which may name a secret of somebody
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("%w: %w", ErrAway, bare(err))
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		defer resp.Body.Close()
		word, _ := io.ReadAll(io.LimitReader(resp.Body, maxWord))
		return nil, &Refused{resp.StatusCode, strings.TrimSpace(string(word))}
	}
	return resp, nil
}

// Refused is an answer of the process that is no success.
type Refused struct {
	Status int // of HTTP
	Text   string
}

// Error implements error.
func (r *Refused) Error() string { return r.Text }

func refusedBy(err error, status int) bool {
	var r *Refused
	return errors.As(err, &r) && r.Status == status
}

// Call implements Relay.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	resp, err := c.send(ctx, method, path, "application/json", body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		_, err := io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// short is Call with the time that the process may take.
func (c *Client) short(method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), doTimeout)
	defer cancel()
	return c.Call(ctx, method, path, in, out)
}

// do has a deed done.
func (c *Client) do(d deed, slate []byte) error {
	d.Slate = digest(slate)
	err := c.short(http.MethodPost, "/relay/do", d, nil)
	if refusedBy(err, http.StatusConflict) {
		if err = c.bring(d.Slate, slate); err == nil {
			err = c.short(http.MethodPost, "/relay/do", d, nil)
		}
	}
	c.happened()
	switch {
	case refusedBy(err, http.StatusNotFound):
		return relay.ErrNoStream
	case err != nil && !c.known():
		return relay.ErrNoStream // there is no process, so nothing is live
	}
	return err
}

// known says whether there is a process, as far as we know.
func (c *Client) known() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hello.PID != 0
}

// bring brings a slate to the process.
func (c *Client) bring(name string, slate []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), doTimeout)
	defer cancel()
	resp, err := c.send(ctx, http.MethodPut, "/relay/slates/"+name, "video/x-flv", bytes.NewReader(slate))
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Set implements Relay.
func (c *Client) Set(streamID string, all []relay.Destination) error {
	return c.do(deed{What: doSet, Stream: streamID, Destinations: all}, nil)
}

// Add implements Relay.
func (c *Client) Add(streamID string, d relay.Destination) error {
	return c.do(deed{What: doAdd, Stream: streamID, Destinations: []relay.Destination{d}}, nil)
}

// Remove implements Relay.
func (c *Client) Remove(streamID, destinationID string) error {
	return c.do(deed{What: doRemove, Stream: streamID, ID: destinationID}, nil)
}

// Cut implements Relay. The keys of the stream are asked about anew.
func (c *Client) Cut(streamID string) error { return c.do(deed{What: doCut, Stream: streamID}, nil) }

// Slate implements Relay.
func (c *Client) Slate(streamID string, on bool) error {
	return c.do(deed{What: doSlate, Stream: streamID, On: on}, nil)
}

// Use implements Relay.
func (c *Client) Use(streamID string, backup bool) error {
	return c.do(deed{What: doUse, Stream: streamID, On: backup}, nil)
}

// Admit implements Relay.
func (c *Client) Admit(streamID string) error {
	return c.do(deed{What: doAdmit, Stream: streamID}, nil)
}

// End implements Relay. The keys of the stream are asked about anew.
func (c *Client) End(streamID string) error { return c.do(deed{What: doEnd, Stream: streamID}, nil) }

// Tune implements Relay.
func (c *Client) Tune(streamID string, cfg relay.Config) error {
	slate := cfg.Slate
	cfg.Slate, cfg.Destinations = nil, nil
	return c.do(deed{What: doTune, Stream: streamID, Config: &cfg}, slate)
}

// Forget implements Relay.
func (c *Client) Forget(streamID string) error {
	return c.do(deed{What: doForget, Stream: streamID}, nil)
}

// happened makes the next Status ask anew.
func (c *Client) happened() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outdated = true
}

// Status implements Relay. It asks the process at most once a second while nothing happens, however many look, and gives what was
// last seen when the process does not answer. What it returns is shared: it must not be changed.
func (c *Client) Status() []relay.StreamStatus {
	c.open()
	c.looking.Lock()
	defer c.looking.Unlock()
	c.mu.Lock()
	outdated, there := c.outdated, c.hello.PID != 0
	c.mu.Unlock()
	if !there {
		return nil
	}
	age := time.Since(c.looked)
	if age < statusAtMost || age < statusFor && !outdated {
		return c.seen
	}
	c.mu.Lock()
	c.outdated = false
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var all []relay.StreamStatus
	if err := c.Call(ctx, http.MethodGet, "/relay/status", nil, &all); err == nil {
		c.seen = all
	}
	c.looked = time.Now()
	return c.seen
}

// Addrs implements Relay.
func (c *Client) Addrs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.hello.Addrs)
}

// Process implements Relay.
func (c *Client) Process() Process {
	c.open()
	c.mu.Lock()
	defer c.mu.Unlock()
	return Process{
		PID: c.hello.PID, Started: c.hello.Started, Version: c.hello.Version, State: c.state, Restarts: c.restarts, Trouble: c.trouble,
	}
}

// Proxy implements Relay. What the process itself is told by, under /relay/, is not reached through it.
func (c *Client) Proxy() http.Handler {
	c.open()
	return outside(c.proxy)
}

// outside is a handler without the paths that are the hub's.
func outside(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := path.Clean("/" + r.URL.Path); p == "/relay" || strings.HasPrefix(p, "/relay/") {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
