// Package twitchsim is Twitch on your own listeners: chat over IRC, the Helix calls and the logins that a selling bot
// needs, happenings over EventSub's WebSocket and what a moderator may do, with the documented rates, errors and odd habits.
// It stands in for Twitch in tests, demonstrations and practice shows, so it is fast, keeps little and leaves nothing behind
// after Close. It does not know video, webhooks or anything else.
package twitchsim

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say what the pretend Twitch knows from the start. The zero value works: any client id is welcome then.
type Options struct {
	// ClientID and ClientSecret are the one registered application; empty ones are not checked.
	ClientID, ClientSecret string
	// TokenLife is how long an access token lives; 0 means four hours.
	TokenLife time.Duration
	// AskEvery is how often a machine may ask about a login by code; 0 means five seconds.
	AskEvery time.Duration
	// Verified gives every account the rates of a verified bot: 2,000 joins in 10 s.
	Verified bool
}

// User is an account. A channel is a user's: its id is the user's id, its login the name of the room.
type User struct{ ID, Login, Name string }

// Token is what a user granted to the application.
type Token struct {
	Access, Refresh string
	Expires         time.Time
	Scopes          []string
}

// Line is one line shown in a channel, from a viewer or from the bot.
type Line struct {
	ID      string
	Channel string // the channel's user id
	User    User
	Text    string // as shown: without the wrapping of /me
	ReplyTo string
	At      time.Time
	Action  bool // a /me line
	Bits    int
	// Source is the id of the channel the line was typed in, when that is another (shared chat).
	Source string
	// Sent marks a line that came in through the API or a chat connection, not through Type; App one that carries the chat bot's
	// badge, because the application's own token said it; Over one that came in through a chat connection.
	Sent, App, Over bool
}

type grant struct {
	Token
	user   string // empty for the application's own
	public bool   // of a public application: its refresh token ends after 30 days without use
	used   time.Time
}

type room struct {
	lines    []Line            // the newest keepLines
	raw      map[string]string // wire form of lines, by id
	spoken   []Line            // the newest keepLines of those with Sent
	mods     map[string]bool
	vips     map[string]bool
	banned   map[string]bool
	subs     map[string]bool
	noApps   bool
	watchers map[chan Line]bool
	last     map[string]time.Time // sender -> last line
	texts    map[string]time.Time // sender and text -> last time said
}

// keepLines is how many lines of a channel are remembered for Repeat, Lines and Spoken.
const keepLines = 20_000

// Sim is the pretend Twitch. All methods may be called at any time from any goroutine.
type Sim struct {
	o   Options
	web *http.Server
	wg  sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	listeners []net.Listener
	users     map[string]User   // by id
	names     map[string]string // login -> id
	accounts  []string          // ids that may log in, in the order of AddUser
	grants    []*grant
	codes     map[string]code
	approve   string
	rooms     map[string]*room // by channel id
	conns     map[*conn]bool
	webConns  map[net.Conn]bool
	sends     map[string][]time.Time // per sender, the last 30 s
	muted     map[string]time.Time   // sender -> until when the platform ignores it
	points    map[string][]time.Time // per user, Helix calls of the last minute
	loginsAt  map[string][]time.Time
	joinsAt   map[string][]time.Time
	logins    int
	refreshes int
	overLimit int
	broken    int
	refuse429 int
	bare429   int
	lose      int
	muteSays  bool
	shut      bool          // connections are closed as soon as they stand
	skew      time.Duration // how far this clock is off
	byApp     bool          // while an application's own token says a line
	posts     int
	drops     []drop
	slow      time.Duration

	// EventSub.
	sockets     int
	sessions    []*session
	sitting     map[*socket]bool
	twice, mute bool
	refuseSubs  []reply
	live        map[string]string // by channel id: the stream's id
	redemptions map[string]redemption
	strange     map[string]bool // rewards of other applications

	deeds   []Deed
	deedsAt map[string][]time.Time
	noPhone map[string]bool

	shown   map[string]*shown // by channel id: what the channel is beside its chat
	ingests []Ingest

	devices map[string]*device // by device code
}

type drop struct{ code, message string }

// New makes a pretend Twitch that serves nothing yet; see Start.
func New(o Options) *Sim {
	if o.TokenLife == 0 {
		o.TokenLife = 4 * time.Hour
	}
	s := &Sim{
		o: o, users: map[string]User{}, names: map[string]string{}, codes: map[string]code{}, rooms: map[string]*room{}, conns: map[*conn]bool{},
		webConns: map[net.Conn]bool{}, sends: map[string][]time.Time{}, muted: map[string]time.Time{},
		points: map[string][]time.Time{}, loginsAt: map[string][]time.Time{}, joinsAt: map[string][]time.Time{},
		sitting: map[*socket]bool{}, live: map[string]string{}, redemptions: map[string]redemption{}, strange: map[string]bool{},
		deedsAt: map[string][]time.Time{}, noPhone: map[string]bool{}, shown: map[string]*shown{}, devices: map[string]*device{},
	}
	s.web = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, ConnState: s.connState}
	return s
}

// Start serves chat on irc and, on web, the calls under /helix and /oauth2 and EventSub's socket at /ws, until Close. It takes
// the listeners over.
func (s *Sim) Start(irc, web net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, irc, web)
	s.wg.Go(func() { s.serveIRC(irc) })
	s.wg.Go(func() {
		if err := s.web.Serve(web); err != nil && !errors.Is(err, http.ErrServerClosed) {
			_ = web.Close() // the listener broke; nothing more is served on it
		}
	})
}

// Close cuts everything and waits until every goroutine of the sim has ended.
func (s *Sim) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	for _, l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.conns {
		c.close()
	}
	for k := range s.sitting {
		k.stop()
	}
	for _, r := range s.rooms {
		for w := range r.watchers {
			close(w)
		}
		clear(r.watchers)
	}
	s.mu.Unlock()
	_ = s.web.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.web.Shutdown(ctx) // waits for running handlers
	s.wg.Wait()
}

func (s *Sim) connState(c net.Conn, st http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch st {
	case http.StateNew:
		s.webConns[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(s.webConns, c)
	}
}

// AddUser makes an account that can own a channel and log in. An empty Login is made from Name, an empty Name from
// Login.
func (s *Sim) AddUser(u User) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	u = s.addUser(u)
	if !slices.Contains(s.accounts, u.ID) {
		s.accounts = append(s.accounts, u.ID)
	}
	s.room(u.ID)
	return u
}

func (s *Sim) addUser(u User) User {
	if u.Login == "" {
		u.Login = login(u)
		if id, taken := s.names[u.Login]; taken && id != u.ID {
			u.Login += u.ID
		}
	}
	if u.Name == "" {
		u.Name = u.Login
	}
	if old, ok := s.users[u.ID]; ok && s.names[old.Login] == u.ID {
		delete(s.names, old.Login)
	}
	s.users[u.ID], s.names[u.Login] = u, u.ID
	return u
}

// login makes the ASCII login that a name in any script stands beside.
func login(u User) string {
	l := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return -1
	}, strings.ToLower(u.Name))
	if l == "" {
		return "user" + u.ID
	}
	return l
}

// Grant gives the application a token for the user, as if the user had just agreed.
func (s *Sim) Grant(userID string, scopes ...string) Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grant(userID, scopes).Token
}

// AddToken makes known a token that something else handed out.
func (s *Sim) AddToken(userID string, t Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Expires.IsZero() {
		t.Expires = time.Now().Add(s.o.TokenLife)
	}
	s.grants = append(s.grants, &grant{Token: t, user: userID, used: time.Now()})
}

func (s *Sim) grant(userID string, scopes []string) *grant {
	g := &grant{user: userID, used: time.Now(), Token: Token{
		Access: random(), Refresh: random(), Expires: time.Now().Add(s.o.TokenLife), Scopes: slices.Clone(scopes),
	}}
	s.grants = append(s.grants, g)
	return g
}

func (s *Sim) byAccess(access string) *grant {
	for _, g := range s.grants {
		if access != "" && g.Access == access && time.Now().Before(g.Expires) {
			return g
		}
	}
	return nil
}

func (s *Sim) room(channelID string) *room {
	r := s.rooms[channelID]
	if r == nil {
		r = &room{
			raw: map[string]string{}, mods: map[string]bool{}, vips: map[string]bool{}, banned: map[string]bool{}, subs: map[string]bool{},
			watchers: map[chan Line]bool{}, last: map[string]time.Time{}, texts: map[string]time.Time{},
		}
		s.rooms[channelID] = r
	}
	return r
}

func (s *Sim) byLogin(name string) (User, bool) {
	u, ok := s.users[s.names[name]]
	return u, ok
}

func random() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// within drops the times older than d before now.
func within(ts []time.Time, now time.Time, d time.Duration) []time.Time {
	i := 0
	for i < len(ts) && now.Sub(ts[i]) >= d {
		i++
	}
	return ts[i:]
}
