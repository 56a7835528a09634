// Package web is the house's front door: it puts the pages of members (web/desk) and viewers (web/viewer) together with
// signing in, the first start, and the logins of platforms, and guards them.
package web

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/backtest"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/internal/studio"
	"hawker/relay"
	"hawker/relay/record"
	"hawker/web/desk"
	"hawker/web/desk/chatspage"
	"hawker/web/desk/recordings"
	"hawker/web/desk/relaypage"
	"hawker/web/desk/rulepage"
	"hawker/web/proof"
	"hawker/web/trial"
	"hawker/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Connect is the login of a platform by its owner.
type Connect = desk.Connect

// ByCode is a login by a code that its owner types at the platform; ShownCode is that code.
type (
	ByCode    = desk.ByCode
	ShownCode = desk.ShownCode
)

// Back is what a browser brought back from a platform.
type Back = desk.Back

// Server serves all pages. Set the fields, then Open.
type Server struct {
	DB  *sqldb.DB
	Hub *live.Hub
	Log *slog.Logger // nil means silence
	// Public is the address people reach the pages at, without a final slash; logins of platforms come back there.
	Public  string
	Version string
	// Proxies are who may tell the browser's address by X-Forwarded-For; loopback may always.
	Proxies []netip.Prefix
	// Pictures fetches product pictures (dial.Dialer.Client); nil shows none.
	Pictures *http.Client

	// Webhooks takes POST /webhooks/shopify.
	Webhooks http.Handler
	// Connects are the logins of platforms by name: twitch-bot, twitch-channel, youtube, discord, shopify.
	Connects map[string]Connect
	// Rooms, Catalogue, Relay, Studio, IngestServer and IngestSecure are the desk's; see desk.Desk.
	Rooms        func(ctx context.Context, merchant commerce.ID) ([]sqldb.Channel, error)
	Catalogue    func(ctx context.Context, merchant commerce.ID) (int, error)
	Relay        func() []relay.StreamStatus
	Studio       *studio.Studio
	IngestServer string
	IngestSecure string
	// Permission says what a permission of a platform is for; see desk.Desk.
	Permission func(p chat.Platform, name string) string
	// Recordings is where the videos of shows are kept; nil where none is.
	Recordings *record.Shelf
	// SignInAs, when set, says who a browser without a session is; the demo signs everybody in.
	SignInAs func(ctx context.Context) (sqldb.Member, bool)
	// More adds further pages to the mux: those of viewers (web/viewer), the demo's. Static are their files for /static/.
	More   []func(mux *http.ServeMux, kit *ui.Kit) error
	Static []fs.FS

	kit    *ui.Kit
	pages  *ui.Pages
	signIn *ui.Limiter // by address and by e-mail
	hooks  *ui.Limiter // by address of webhooks
	proofs *proof.Runner
	trials *trial.Runner

	mu      sync.Mutex
	streams map[string]map[*context.CancelFunc]bool // how to end the streams of a session, by the hash of its token
	first   []byte                                  // hash of the one-time link of the first start
	used    map[string]time.Time                    // states of logins that came back, until they are over
	codes   codes
}

// Open builds the handler of everything. Close it after the HTTP server was told to shut down, or from
// http.Server.RegisterOnShutdown: open streams would keep it from ending.
func (s *Server) Open() (http.Handler, error) {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	s.kit, err = ui.New(ui.Options{
		Public: s.Public, Key: s.Hub.Key, Pictures: s.Pictures, Proxies: s.Proxies, Log: s.Log, Version: s.Version,
		Static: append([]fs.FS{desk.Static, rulepage.Static, relaypage.Static, recordings.Static, chatspage.Static}, s.Static...),
	})
	if err != nil {
		return nil, err
	}
	if s.pages, err = s.kit.Pages(templates, "templates"); err != nil {
		return nil, err
	}
	s.proofs = proof.New(s.DB, s.Log)
	s.trials = trial.New(&backtest.House{DB: s.DB, Bus: s.Hub.Bus, Public: s.Public}, s.Log)
	s.used, s.signIn = map[string]time.Time{}, &ui.Limiter{Rate: .1, Burst: 10}
	s.hooks = &ui.Limiter{Rate: hookRate, Burst: hookBurst}
	mux := http.NewServeMux()
	s.kit.Mount(mux)
	d := &desk.Desk{
		DB: s.DB, Hub: s.Hub, Kit: s.kit, Log: s.Log, Relay: s.Relay, Studio: s.Studio, IngestServer: s.IngestServer, IngestSecure: s.IngestSecure, Connects: s.Connects, Rooms: s.Rooms, Recordings: s.Recordings,
		Catalogue: s.Catalogue, Proofs: s.proofs, Trials: s.trials, Permission: s.Permission,
	}
	if err := d.Mount(mux, s.guard); err != nil {
		return nil, fmt.Errorf("desk: %w", err)
	}
	mux.HandleFunc("GET /sign-in", s.signInPage)
	mux.HandleFunc("POST /sign-in", s.signInNow)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.HandleFunc("GET /start/{token}", s.startPage)
	mux.HandleFunc("POST /start/{token}", s.startNow)
	mux.HandleFunc("POST /oauth/{name}", s.oauthStart)
	mux.HandleFunc("GET /oauth/{name}", s.oauthBack)
	mux.HandleFunc("POST /oauth/{name}/code", s.codeBegin)
	mux.HandleFunc("GET /oauth/{name}/code", s.codeWait)
	if s.Webhooks != nil {
		mux.Handle("POST /webhooks/shopify", s.Webhooks)
	}
	mux.HandleFunc("POST /hooks/{token}", s.hookCame)
	mux.HandleFunc("/", s.kit.NotFound)
	for _, more := range s.More {
		if err := more(mux, s.kit); err != nil {
			return nil, err
		}
	}
	return s.kit.Wrap(mux), nil
}

// Proofs runs the audits of this server's pages; it is there once Open was called.
func (s *Server) Proofs() *proof.Runner { return s.proofs }

// Close ends all streams, audits and back-tests, and waits for what feeds them.
func (s *Server) Close() {
	if s.proofs != nil {
		s.proofs.Close()
	}
	if s.trials != nil {
		s.trials.Close()
	}
	if s.kit != nil {
		s.kit.Close()
	}
}

// guard lets only members in who have a right.
func (s *Server) guard(right desk.Right, h desk.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, key, err := s.visitor(w, r)
		switch {
		case sqldb.IsNotFound(err):
			s.toSignIn(w, r)
			return
		case err != nil:
			s.kit.Fail(w, r, err)
			return
		case !v.May(right):
			s.kit.Fail(w, r, ui.Problem(http.StatusForbidden, "Your role in this shop does not include this. Its owner can change that."))
			return
		case r.Method == http.MethodPost && !s.kit.Posts.Allow(key):
			s.kit.Fail(w, r, ui.ErrTooFast)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/events") {
			ctx, ended := s.whileSignedIn(r, right)
			defer ended()
			r = r.WithContext(ctx)
		}
		if err := h(w, r, v); err != nil {
			s.kit.Fail(w, r, err)
		}
	})
}

// signedInLook is how often an open stream looks whether its member may still look: a session that was ended on another node,
// by a new password or by another role is told by nothing.
const signedInLook = 15 * time.Second

// whileSignedIn is the context of a stream of a member: it ends with the session, and when the member may not look any more.
// ended is called when the stream is over.
func (s *Server) whileSignedIn(r *http.Request, right desk.Right) (ctx context.Context, ended func()) {
	t, ok := s.kit.Session(r)
	if !ok { // the demo signs in with this very request; nobody can have signed out of it
		return r.Context(), func() {}
	}
	ctx, stop := context.WithCancel(r.Context())
	key, mine := string(seal.Hash(t)), &stop
	s.mu.Lock()
	if s.streams == nil {
		s.streams = map[string]map[*context.CancelFunc]bool{}
	}
	if s.streams[key] == nil {
		s.streams[key] = map[*context.CancelFunc]bool{}
	}
	s.streams[key][mine] = true
	s.mu.Unlock()
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(signedInLook)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if m, err := s.DB.Session(ctx, t); sqldb.IsNotFound(err) || err == nil && !desk.May(m.Role, right) {
				stop()
			}
		}
	})
	return ctx, func() {
		stop()
		looking.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if delete(s.streams[key], mine); len(s.streams[key]) == 0 {
			delete(s.streams, key)
		}
	}
}

// endStreams ends the open streams of a session.
func (s *Server) endStreams(t seal.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stop := range s.streams[string(seal.Hash(t))] {
		(*stop)()
	}
}

// visitor finds who is signed in, and the key that limits count them by; sqldb.ErrNotFound when nobody is.
func (s *Server) visitor(w http.ResponseWriter, r *http.Request) (*desk.Visitor, string, error) {
	m, key, err := s.member(w, r)
	if err != nil {
		return nil, "", err
	}
	merchant, err := s.DB.Merchant(r.Context(), m.Merchant)
	if err != nil {
		return nil, "", fmt.Errorf("merchant of member %s: %w", m.ID, err)
	}
	place, err := time.LoadLocation(merchant.Timezone)
	if err != nil {
		place = time.UTC
	}
	return &desk.Visitor{Member: m, Merchant: merchant, Place: place}, key, nil
}

func (s *Server) member(w http.ResponseWriter, r *http.Request) (sqldb.Member, string, error) {
	if t, ok := s.kit.Session(r); ok {
		m, err := s.DB.Session(r.Context(), t)
		if err == nil || !sqldb.IsNotFound(err) {
			return m, "session " + string(seal.Hash(t)), err
		}
	}
	if s.SignInAs == nil {
		return sqldb.Member{}, "", sqldb.ErrNotFound
	}
	m, ok := s.SignInAs(r.Context())
	if !ok {
		return sqldb.Member{}, "", sqldb.ErrNotFound
	}
	t, err := s.open(w, r, m)
	return m, "session " + string(seal.Hash(t)), err
}

// open makes a session.
func (s *Server) open(w http.ResponseWriter, r *http.Request, m sqldb.Member) (seal.Token, error) {
	t := seal.NewToken()
	if err := s.DB.PutSession(r.Context(), t, m, time.Now().Add(ui.SessionFor)); err != nil {
		return t, fmt.Errorf("sign in: %w", err)
	}
	s.kit.SetSession(w, t)
	return t, nil
}
