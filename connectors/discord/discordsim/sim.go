// Package discordsim stands in for Discord: the gateway and the part of the REST API that a chat bot needs, on any
// listener, with the documented payloads, limits and errors. It keeps everything in memory, forgets it when closed,
// and has verbs to be viewer, moderator, administrator and bad weather. It has no voice, no presence and no files.
package discordsim

import (
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Config is what a Sim starts with. The zero value works and has no guild.
type Config struct {
	Guilds []Guild
	// Token is the bot's token; empty means "sim-token".
	Token string
	// AppID is the application's id and the bot's user id; empty means "7001". BotName is empty for "hawker".
	AppID, BotName string
	// ClientSecret is the application's OAuth secret; empty accepts any.
	ClientSecret string
	// Heartbeat is the interval of Hello; 0 means 41.25 s (page "Gateway").
	Heartbeat time.Duration
	// SendLimit lines may be posted in a channel in each SendWindow; 0 means 5 in 5 s, as observed on the real route.
	SendLimit  int
	SendWindow time.Duration
	// GlobalLimit is requests a second over all routes; 0 means 50 (page "Rate Limits").
	GlobalLimit int
	// FirstAnswer is how long an interaction waits for its first answer; 0 means 3 s. TokenLife is how long its token
	// takes more; 0 means 15 min (page "Receiving and Responding").
	FirstAnswer, TokenLife time.Duration
	// NoContent is an application without the privileged Message Content intent: asking for it closes with 4014.
	NoContent bool
	// NoMembers is one without the privileged Server Members intent.
	NoMembers bool
	// Keep is how many events a session holds for a resume; 0 means 20,000.
	Keep int
}

// Guild is a server. Everyone is what the @everyone role may do; 0 means view, send, embed links and read history. Bot is what
// the bot's own role may do beside that, and BotPosition where that role stands; 0 means 10.
type Guild struct {
	ID, Name, Owner string
	Everyone        int64
	Bot             int64
	BotPosition     int
	Roles           []Role
	Channels        []Channel
}

// Role is a role of a guild with its permission bits. Position 0 means 1: a role above the bot's can be neither given nor taken
// by it, nor can one that is Managed by Discord.
type Role struct {
	ID, Name    string
	Permissions int64
	Position    int
	Managed     bool
}

// Channel is a text channel, or an announcement channel with News. Deny are permission bits taken from the bot here.
type Channel struct {
	ID, Name string
	Deny     int64
	News     bool
}

// Viewer is a user as a guild sees them. Name is the username, Global the display name, Nick the name in the guild.
type Viewer struct {
	ID, Name, Global, Nick string
	Roles                  []string
	Bot                    bool
}

// Title is the name that people see.
func (v Viewer) Title() string {
	switch {
	case v.Nick != "":
		return v.Nick
	case v.Global != "":
		return v.Global
	}
	return v.Name
}

// Permission bits (page "Permissions").
const (
	Administrator  = 1 << 3
	ViewChannel    = 1 << 10
	SendMessages   = 1 << 11
	ManageMessages = 1 << 13
	EmbedLinks     = 1 << 14
	ReadHistory    = 1 << 16
	ManageRoles    = 1 << 28
	Moderate       = 1 << 40 // "Moderate Members"
	allBits        = 1<<52 - 1
)

// Sim is the platform. Its methods may be called from any goroutine.
type Sim struct {
	cfg Config
	srv *http.Server

	handlers sync.WaitGroup
	done     chan struct{}
	close    sync.Once

	mu       sync.Mutex
	url      string
	conns    map[net.Conn]bool
	links    map[*link]bool // gateway connections
	sessions map[string]*session
	guilds   map[string]*guild
	channels map[string]*channel
	calls    map[string]*Interaction // interactions by token
	commands map[string][]command    // registered commands by guild
	codes    map[string]grant        // by OAuth code
	nonces   map[string]nonce
	private  map[string]*channel // direct message channels by the user's id
	dmsOff   map[string]bool     // users who take no direct messages
	audit    []Audit
	second   window // the global limit
	logins   window // identifies
	last     int64  // the newest id given
	weather  weather
	tally    tally
}

// weather is what the verbs ordered.
type weather struct {
	breaks, refusals, globals, bans, losses int
	histories                               int
	globalFor                               time.Duration
	mute, revoked                           bool
	skew                                    time.Duration
	slow                                    int       // posts to refuse because of slow mode
	bare                                    int       // posts to refuse with nothing but a status
	down                                    time.Time // until then all is refused
	shut                                    bool
	hang                                    chan struct{} // closed when it ends
}

// tally is what happened so far.
type tally struct {
	logins, identifies, resumes, over, pings, overwrites, repeats, invalid, histories int
	closes                                                                            []int
	paths                                                                             []string
}

type nonce struct {
	message map[string]any
	until   time.Time
}

// window counts requests in a fixed window that begins with the first.
type window struct {
	n     int
	until time.Time
}

// take counts one request and reports whether it is within the limit, and what remains.
func (w *window) take(now time.Time, limit int, per time.Duration) (left int, ok bool) {
	if !now.Before(w.until) {
		w.n, w.until = 0, now.Add(per)
	}
	if w.n >= limit {
		return 0, false
	}
	w.n++
	return limit - w.n, true
}

// New makes a platform that serves nothing yet.
func New(cfg Config) *Sim {
	text := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	long := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	num := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	text(&cfg.Token, "sim-token")
	text(&cfg.AppID, "7001")
	text(&cfg.BotName, "hawker")
	long(&cfg.Heartbeat, 41250*time.Millisecond)
	long(&cfg.SendWindow, 5*time.Second)
	long(&cfg.FirstAnswer, 3*time.Second)
	long(&cfg.TokenLife, 15*time.Minute)
	num(&cfg.SendLimit, 5)
	num(&cfg.GlobalLimit, 50)
	num(&cfg.Keep, 20_000)
	s := &Sim{
		cfg: cfg, done: make(chan struct{}),
		conns: map[net.Conn]bool{}, links: map[*link]bool{}, sessions: map[string]*session{},
		guilds: map[string]*guild{}, channels: map[string]*channel{}, calls: map[string]*Interaction{},
		commands: map[string][]command{}, codes: map[string]grant{}, nonces: map[string]nonce{},
		private: map[string]*channel{}, dmsOff: map[string]bool{},
	}
	for _, g := range cfg.Guilds {
		s.AddGuild(g)
	}
	s.srv = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second,
		ConnState: func(c net.Conn, st http.ConnState) {
			s.mu.Lock()
			defer s.mu.Unlock()
			switch st {
			case http.StateNew:
				s.conns[c] = true
			case http.StateClosed, http.StateHijacked:
				delete(s.conns, c)
			}
		},
	}
	return s
}

// Start serves on l until Close. It may be called for several listeners; URL names the first.
func (s *Sim) Start(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.url == "" {
		s.url = "http://" + l.Addr().String()
	}
	s.handlers.Go(func() { _ = s.srv.Serve(l) })
}

// Close ends every connection and goroutine.
func (s *Sim) Close() {
	s.close.Do(func() {
		s.mu.Lock()
		close(s.done)
		s.mu.Unlock()
	})
	_ = s.srv.Close()
	s.Drop()
	s.handlers.Wait()
}

// URL is the address of the first listener, for a client's API address.
func (s *Sim) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// AuthURL is where an owner invites the bot.
func (s *Sim) AuthURL() string { return s.URL() + "/oauth2/authorize" }

// Token is the bot's token.
func (s *Sim) Token() string { return s.cfg.Token }

// snowflake gives the next id: milliseconds since 2015 shifted by 22 bits, always rising (page "API Reference").
func (s *Sim) snowflake() string {
	s.last = max(s.last+1, (s.now().UnixMilli()-1420070400000)<<22)
	return strconv.FormatInt(s.last, 10)
}

// track runs a request's handler so that Close waits for it.
func (s *Sim) track(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.begin() {
			return
		}
		defer s.handlers.Done()
		s.silence(r.Context())
		h.ServeHTTP(w, r)
	})
}

// begin counts a handler, unless the platform is closed.
func (s *Sim) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.handlers.Add(1)
	return true
}

func (s *Sim) closed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}
