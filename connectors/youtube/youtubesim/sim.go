// Package youtubesim stands in for YouTube: the part of the Data API and of Google's OAuth that a live chat needs, on
// any listener, with the documented costs, limits, page tokens and errors; and broadcasts with their streams. It keeps everything in
// memory, forgets it when closed, and has verbs to be viewer, moderator, encoder and bad weather. It does not ingest or show video.
package youtubesim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Config is what a Sim starts with. The zero value works and has no channel.
type Config struct {
	Channels []Channel
	// ClientID and ClientSecret are the OAuth client's; empty accepts any.
	ClientID, ClientSecret string
	// DailyUnits is the project's quota until midnight Pacific; 0 means 10,000 (page "Quota Calculator").
	DailyUnits int
	// Costs by method; nil means DefaultCosts.
	Costs map[string]int
	// StreamFor is how long one stream call lasts; 0 means 10 s.
	StreamFor time.Duration
	// PollingInterval is what list answers tell readers to wait; 0 means 5 s.
	PollingInterval time.Duration
	// TokenLife is how long an access token works; 0 means 1 h.
	TokenLife time.Duration
	// History is how many lines a read without a page token gives; 0 means 75.
	History int
	// Keep is how many lines of a chat stay readable; a page token older than that is invalid. 0 means 20,000.
	Keep int
	// IngestServer is where encoders are told to send video, such as rtmp://127.0.0.1:1935/live2, without any RTMPS address or
	// backup; empty means YouTube's own. The platform takes no video itself: Ingest tells it what came.
	IngestServer string
	// TransitionFor is how long a broadcast stays in testStarting and liveStarting; 0 means 1 s.
	TransitionFor time.Duration
}

// Channel is a YouTube channel and, while live, its broadcast.
type Channel struct {
	ID, Title string
	// Live starts with an active broadcast.
	Live bool
	// Persistent makes its broadcasts "Go live now" ones, which liveBroadcasts.list shows only when asked for all.
	Persistent bool
	// Moderators are ids of channels that moderate here.
	Moderators []string
}

// DefaultCosts are the units of each method as the discovery document or, for broadcasts, the page "Quota Calculator" states them.
// A method that is missing costs 1.
func DefaultCosts() map[string]int {
	return map[string]int{
		"liveBroadcasts.list": 1, "videos.list": 1, "channels.list": 1,
		"liveChatMessages.list": 5, "liveChatMessages.stream": 5,
		"liveChatMessages.insert": 20, "liveChatMessages.delete": 20, "liveChatBans.insert": 50,
		"liveBroadcasts.insert": 50, "liveBroadcasts.update": 50, "liveBroadcasts.delete": 50, "liveBroadcasts.bind": 50,
		"liveBroadcasts.transition": 50, "liveStreams.list": 1, "liveStreams.insert": 50,
	}
}

// Sim is the platform. Its methods may be called from any goroutine.
type Sim struct {
	cfg Config
	srv *http.Server

	running sync.WaitGroup // accept loops and connections
	done    chan struct{}  // closed by Close
	close   sync.Once

	mu       sync.Mutex
	url      string
	conns    map[net.Conn]bool
	channels map[string]*channel
	chats    map[string]*liveChat // by live chat id, ended ones too
	shows    []*broadcast         // oldest first, completed ones too
	streams  []*stream            // oldest first
	access   map[string]*grant    // by access token
	refresh  map[string]*grant    // by refresh token
	codes    map[string]*consent  // by authorization code
	serial   int
	quota    quota
	weather  weather
	logins   int
	renewals int
	over     int
}

// weather is what the verbs ordered.
type weather struct {
	breaks, refusals, losses int
	noStream, noAutoStart    bool
	skew                     time.Duration
	suspended                map[string]bool // channels whose owner's account may write nothing
	bare                     int             // sends to refuse with nothing but a status
	down                     time.Time       // until then all is refused
	shut                     bool
	hang                     chan struct{}      // closed when it ends
	orders                   map[string][]fault // by method: how to answer the next calls
}

// New makes a platform that serves nothing yet.
func New(cfg Config) *Sim {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	num := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	def(&cfg.StreamFor, 10*time.Second)
	def(&cfg.PollingInterval, 5*time.Second)
	def(&cfg.TokenLife, time.Hour)
	def(&cfg.TransitionFor, time.Second)
	num(&cfg.DailyUnits, 10_000)
	num(&cfg.History, 75)
	num(&cfg.Keep, 20_000)
	if cfg.Costs == nil {
		cfg.Costs = DefaultCosts()
	}
	s := &Sim{
		cfg: cfg, done: make(chan struct{}),
		conns: map[net.Conn]bool{}, channels: map[string]*channel{}, chats: map[string]*liveChat{},
		access: map[string]*grant{}, refresh: map[string]*grant{}, codes: map[string]*consent{},
	}
	for _, c := range cfg.Channels {
		s.AddChannel(c)
	}
	s.srv = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, new(sync.Once))
		},
		ConnState: func(c net.Conn, st http.ConnState) {
			s.mu.Lock()
			defer s.mu.Unlock()
			switch st {
			case http.StateNew:
				s.running.Add(1)
				s.conns[c] = true
			case http.StateClosed, http.StateHijacked:
				delete(s.conns, c)
				s.running.Done()
			}
		},
	}
	return s
}

type connKey struct{}

// Start serves on l until Close. It may be called for several listeners; URL names the first.
func (s *Sim) Start(l net.Listener) {
	s.mu.Lock()
	if s.url == "" {
		s.url = "http://" + l.Addr().String()
	}
	s.mu.Unlock()
	s.running.Go(func() {
		if err := s.srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			_ = l.Close() // the listener broke; there is nobody to tell but the readers, who see it
		}
	})
}

// Close ends every connection, request and goroutine, and waits for them.
func (s *Sim) Close() {
	s.close.Do(func() { close(s.done) })
	_ = s.srv.Close()
	s.running.Wait()
}

// URL is where the Data API and OAuth are: the base to which youtube/v3/ is appended.
func (s *Sim) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// AuthURL, TokenURL and RevokeURL are the OAuth addresses.
func (s *Sim) AuthURL() string { return s.URL() + "/o/oauth2/v2/auth" }

// TokenURL is where codes and refresh tokens become access tokens.
func (s *Sim) TokenURL() string { return s.URL() + "/token" }

// RevokeURL is where a grant is withdrawn.
func (s *Sim) RevokeURL() string { return s.URL() + "/revoke" }

// AddChannel adds a channel, live when it says so. An id that exists is replaced.
func (s *Sim) AddChannel(c Channel) {
	s.mu.Lock()
	s.channels[c.ID] = &channel{Channel: c, mods: map[string]bool{}}
	for _, m := range c.Moderators {
		s.channels[c.ID].mods[m] = true
	}
	s.mu.Unlock()
	if c.Live {
		s.GoLive(c.ID)
	}
}

// next makes an id that is unique in this platform. Call with mu held.
func (s *Sim) next(prefix string) string {
	s.serial++
	return fmt.Sprintf("%s%08d", prefix, s.serial)
}
