// Package hls shows live streams to browsers: low-latency HLS (RFC 8216 and its second edition's parts) made of the relay's
// messages, without touching pictures or sound.
//
// A stream is packaged only while somebody watches; what the relay's ring still holds makes a picture that comes at once. All
// viewers are given the same bytes. An encoder that comes back with another configuration, the slate, another codec: players
// see a discontinuity in one playlist, whose numbers go on. Picture and sound are in one playlist, so a viewer costs one request
// for each part. What is kept is bounded by time and bytes; how many may watch by number and by what the line carries.
//
// Goroutines: one for each stream that is watched (it ends a minute after the last viewer). All have ended when Run returns.
package hls

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"hawker/relay"
)

const (
	// DefaultIdle is how long a stream is packaged for nobody, unless a Server says otherwise.
	DefaultIdle = time.Minute
	// viewerAfter is how long a viewer who asks for nothing is counted. A player asks for a playlist several times a second, a plain
	// one at least every other second.
	viewerAfter = 12 * time.Second
	// patience is how long a request waits for what is about to come.
	patience = 5 * time.Second
	// endedFor is how long the end of a stream is told to its viewers.
	endedFor = 20 * time.Second
	// maxID bounds what viewers call themselves, in bytes.
	maxID = 64
)

// Server serves HLS. Fill the fields, then Run; ServeHTTP answers while Run runs.
type Server struct {
	// Open opens a tap on a live stream: relay.Server.Tap.
	Open func(streamID string) (*relay.Tap, error)
	// MaxViewers is how many may watch at once, over all streams; 0 does not bound them.
	MaxViewers int
	// MaxKbps is how much may be sent to viewers, in kbit/s over all streams; 0 does not bound it. Behind a CDN, which fetches each
	// part once, it bounds nothing sensible.
	MaxKbps int
	Idle    time.Duration // how long a stream is packaged for nobody; 0 is DefaultIdle
	Log     *slog.Logger  // nil discards

	once    sync.Once
	wanted  chan *show
	ended   chan struct{}
	mu      sync.Mutex
	shows   map[string]*show
	viewers map[viewer]time.Time // when they last asked
	breaks  map[string]int64     // how many discontinuities a stream had in all its packagings
	swept   time.Time
}

// viewer is who watches: a name that the player gave itself, else its address.
type viewer struct{ stream, name string }

func (s *Server) setUp() {
	s.once.Do(func() { s.wanted, s.ended = make(chan *show), make(chan struct{}) })
}

// Run packages what is watched until ctx ends, and waits for what it started. It returns nil.
func (s *Server) Run(ctx context.Context) error {
	s.setUp()
	defer close(s.ended)
	var all sync.WaitGroup
	defer all.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-s.wanted:
			all.Go(func() { s.pack(ctx, w) })
		}
	}
}

// pack runs a show to its end, and forgets it.
func (s *Server) pack(ctx context.Context, w *show) {
	defer w.tap.Close()
	idle := s.Idle
	if idle <= 0 {
		idle = DefaultIdle
	}
	err := w.run(ctx, idle)
	w.finish()
	if s.Log != nil {
		s.Log.InfoContext(ctx, "room packaging ended", "stream", w.id, "reason", err.Error())
	}
	if !errors.Is(err, errIdle) { // tell its viewers that it is over
		t := time.NewTimer(endedFor)
		defer t.Stop()
		select {
		case <-t.C:
		case <-w.replaced:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.breaks[w.id] = max(s.breaks[w.id], w.broken()+1)
	if s.shows[w.id] == w {
		delete(s.shows, w.id)
	}
}

// shown is the show of a stream that is watched, or ended a moment ago; nil when there is none.
func (s *Server) shown(id string) *show {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.shows[id]
	if w != nil {
		w.asked.Store(time.Now().UnixNano())
	}
	return w
}

// watch is shown, and begins the show of a live stream when there is none, or one that is over.
func (s *Server) watch(ctx context.Context, id string) *show {
	if w := s.shown(id); w != nil && !w.isOver() {
		return w
	}
	s.mu.Lock()
	w := s.shows[id]
	if w != nil && !w.isOver() { // somebody else was faster
		s.mu.Unlock()
		return w
	}
	tap, err := s.Open(id)
	if err != nil {
		s.mu.Unlock()
		return w
	}
	if s.shows == nil {
		s.shows, s.breaks = map[string]*show{}, map[string]int64{}
	}
	if w != nil {
		s.breaks[id] = w.broken() + 1
		close(w.replaced)
	}
	w = newShow(id, tap, s.breaks[id])
	s.shows[id] = w
	s.mu.Unlock()
	select {
	case s.wanted <- w:
		return w
	case <-s.ended:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tap.Close()
	w.finish()
	if s.shows[id] == w {
		delete(s.shows, id)
	}
	return nil
}

// State is what is known of a stream's viewers.
type State struct {
	Live    bool `json:"live"` // somebody watches, or could
	Viewers int  `json:"viewers"`
	Kbps    int  `json:"kbps"` // of the stream, 0 when not known
}

// State says who watches a stream.
func (s *Server) State(id string) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(time.Now())
	var out State
	for v := range s.viewers {
		if v.stream == id {
			out.Viewers++
		}
	}
	if w := s.shows[id]; w != nil {
		out.Live, out.Kbps = !w.isOver(), w.kbps()
	}
	return out
}

// sweep forgets viewers who are gone. s.mu is held.
func (s *Server) sweep(now time.Time) {
	if now.Sub(s.swept) < time.Second {
		return
	}
	s.swept = now
	for v, last := range s.viewers {
		if now.Sub(last) > viewerAfter {
			delete(s.viewers, v)
		}
	}
}

// admit counts a viewer, and says whether there is room for it.
func (s *Server) admit(w *show, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.sweep(now)
	v := viewer{w.id, name}
	if _, known := s.viewers[v]; !known {
		if s.MaxViewers > 0 && len(s.viewers) >= s.MaxViewers {
			return false
		}
		if s.MaxKbps > 0 {
			kbps := w.kbps()
			for v := range s.viewers {
				if other := s.shows[v.stream]; other != nil {
					kbps += other.kbps()
				}
			}
			if kbps > s.MaxKbps {
				return false
			}
		}
	}
	if s.viewers == nil {
		s.viewers = map[viewer]time.Time{}
	}
	s.viewers[v] = now
	return true
}

// The sentences that a request without video is answered with, by the word in "error".
const (
	offWord, offText   = "off", "No video comes for this show right now."
	fullWord, fullText = "full", "As many people watch here as the line carries. Watch on the show's other platforms, or come back in a while."
)

// ServeHTTP serves /STREAM/FILE: index.m3u8 for players of low-latency HLS, plain.m3u8 for all others, state for figures, and what
// these name. A viewer may be named by ?v=NAME, so that one who comes back is not counted twice.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.setUp()
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "method", "This can be read only.")
		return
	}
	id, file, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !ok || id == "" {
		refuse(w, http.StatusNotFound, "unknown", "There is no such file.")
		return
	}
	if file == "state" {
		h.Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.State(id)) // who went away needs no answer
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	switch file {
	case indexFile, plainFile, partsFile:
		s.servePlaylist(ctx, w, r, id, file)
	default:
		s.serveMedia(ctx, w, r, id, file)
	}
}

func refuse(w http.ResponseWriter, status int, word, text string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "15")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": word, "message": text})
}

func (s *Server) servePlaylist(ctx context.Context, w http.ResponseWriter, r *http.Request, id, file string) {
	show := s.watch(ctx, id)
	if show == nil || !show.await(ctx, show.ready) || file == indexFile && show.isOver() {
		refuse(w, http.StatusNotFound, offWord, offText)
		return
	}
	q := r.URL.Query()
	name := q.Get("v")
	if name == "" || len(name) > maxID {
		name = r.RemoteAddr
		if at := strings.LastIndexByte(name, ':'); at >= 0 {
			name = name[:at]
		}
	}
	if !s.admit(show, name) {
		refuse(w, http.StatusServiceUnavailable, fullWord, fullText)
		return
	}
	var b []byte
	switch file {
	case indexFile:
		b = show.index(q.Get("v"))
	case plainFile:
		b = show.playlist(false)
		w.Header().Set("Cache-Control", "public, max-age=1")
	default:
		if msn := q.Get("_HLS_msn"); msn != "" {
			seg, err := strconv.ParseUint(msn, 10, 63)
			part, partErr := uint64(0), error(nil)
			whole := q.Get("_HLS_part") == ""
			if !whole {
				part, partErr = strconv.ParseUint(q.Get("_HLS_part"), 10, 31)
			}
			if err != nil || partErr != nil || show.tooFar(int64(seg)) {
				refuse(w, http.StatusBadRequest, "unknown", "That is not about to come.")
				return
			}
			if !show.await(ctx, func() bool { return show.has(int64(seg), int(part), whole) }) {
				refuse(w, http.StatusServiceUnavailable, "late", "The video pauses.")
				return
			}
		}
		b = show.playlist(true)
		w.Header().Set("Cache-Control", "no-cache")
	}
	w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // who went away needs no answer
}

// serveMedia serves the beginning of a configuration, a segment or a part. What a name stands for never changes.
func (s *Server) serveMedia(ctx context.Context, w http.ResponseWriter, _ *http.Request, id, file string) {
	show := s.shown(id)
	if show == nil {
		refuse(w, http.StatusNotFound, offWord, offText)
		return
	}
	if show.isNext(file) { // announced, and about to come
		show.await(ctx, func() bool { return !show.isNext(file) })
	}
	all := show.find(file)
	if all == nil {
		refuse(w, http.StatusNotFound, "gone", "This is not kept any more.")
		return
	}
	n := 0
	for _, b := range all {
		n += len(b)
	}
	h := w.Header()
	h.Set("Content-Type", "video/mp4")
	h.Set("Cache-Control", "public, max-age=3600, immutable")
	h.Set("Content-Length", strconv.Itoa(n))
	for _, b := range all {
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}
