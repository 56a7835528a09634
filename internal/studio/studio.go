// Package studio runs the video of shows: whose stream key is whose, where the video goes, what platforms say that they receive, the
// slate, and the test before a show. It decides and remembers; package relay carries.
//
// Goroutines: Run has one that looks at the streams, one for each merchant whose connected accounts are being asked for a key, one
// for each destination whose platform is asked what it receives, and those of clips and tests that are under way. All have ended when
// Run returns.
package studio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/videobook"
	"hawker/relay"
)

// Times of a Studio.
const (
	// lookEvery is how often streams are looked at, and how far apart the points of their rates are.
	lookEvery = 2 * time.Second
	// Points is how many rates are kept of each destination: two minutes.
	Points = 60
	// openWithin bounds asking a platform for a key, and ending a broadcast.
	openWithin = 30 * time.Second
	// openAgain is how long a platform that gave no key is left alone.
	openAgain = 20 * time.Second
	// endedEvery is how often it is asked whether a show is over whose video is.
	endedEvery = 10 * time.Second
	// keptFor is how long a broadcast is kept after the video ended while the show goes on: an encoder that is set up anew finds it.
	keptFor = 15 * time.Minute
)

// Relay carries the streams: a relay.Server, or one in another process. Every method is as there.
type Relay interface {
	Status() []relay.StreamStatus
	Set(streamID string, all []relay.Destination) error
	Tune(streamID string, c relay.Config) error
	Cut(streamID string) error
	Slate(streamID string, on bool) error
	Use(streamID string, backup bool) error
	Admit(streamID string) error
}

// Show is what a platform may be told of a show.
type Show struct {
	ID                 commerce.ID
	Title, Description string
	Ended              bool
}

// Platform gives server and key of a merchant's connected channel, and says what it receives.
type Platform struct {
	// Open makes the channel ready for a show and says where to send. known is what it gave before, if anything; what it gives is
	// kept also when there is an error beside it.
	Open func(ctx context.Context, merchant commerce.ID, account string, show Show, known videobook.Session) (videobook.Session, error)
	// Watch tells what the platform receives until ctx ends; nil where it cannot tell.
	Watch func(ctx context.Context, merchant commerce.ID, account string, s videobook.Session, tell func(Reception)) error
	// Close ends what Open made; nil where there is nothing to end.
	Close func(ctx context.Context, merchant commerce.ID, account string, s videobook.Session) error
	// Probe gives server and key for a test; nil where there is no mode in which nobody sees it.
	Probe func(ctx context.Context, merchant commerce.ID, account string) (server, key string, err error)
	// Needs says in one sentence why the channel cannot be used yet, "" when it can.
	Needs func(ctx context.Context, merchant commerce.ID, account string) (string, error)
}

// Reception is what a platform says of what it gets.
type Reception struct {
	Known bool // else nobody can say
	Good  bool // viewers see it
	Text  string
	At    time.Time
}

// Studio is the video of all shows of this node. Set the fields, then Run.
type Studio struct {
	Book  *videobook.Book
	Relay Relay
	// Show reads what platforms may be told of a show.
	Show func(ctx context.Context, merchant, show commerce.ID) (Show, error)
	// Platforms are those whose connected channels can be sent to without a pasted key.
	Platforms map[chat.Platform]Platform
	// Changed is told that something about a show's video is to be shown anew.
	Changed func(merchant, show commerce.ID)
	// Forget is told that a key of a stream is void; nil when nobody remembers keys.
	Forget func(streamID string)
	// Dir is where slates are kept.
	Dir string
	// Node is this node's name: broadcasts are ended by the node that opened them.
	Node string
	// DialContext and TLS are how tests reach destinations; nil as in relay.Server.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS         *tls.Config
	Log         *slog.Logger // nil means silence

	mu      sync.Mutex
	ctx     context.Context // of Run, for what pages begin
	tasks   sync.WaitGroup
	streams map[commerce.ID]*stream // by show
	tests   map[commerce.ID]*Test   // by show
	clips   map[commerce.ID]*clipWork
	opening map[commerce.ID]bool // merchants whose platforms are being asked
	poke    chan struct{}
}

// stream is what is remembered of a show's video while it runs.
type stream struct {
	merchant commerce.ID
	seen     videobook.Settings // as stored
	rates    map[string][]int   // kbit/s by destination, "" is the ingest; the newest last
	lamps    map[commerce.ID]*lamp
	troubles map[commerce.ID]trouble // why a connected account gave no key
	opened   map[commerce.ID]videobook.Session
	checked  map[commerce.ID]bool // whose account was asked for this stream
	sound    int                  // Hz, as the encoder sends
	live     bool
	ended    time.Time // when it was last seen live; zero while it is
	asked    time.Time // when it was asked last whether the show is over
}

type trouble struct {
	text string
	next time.Time
}

func (s *Studio) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// of returns what is remembered of a show; the mutex is held.
func (s *Studio) of(merchant, show commerce.ID) *stream {
	if s.streams == nil {
		s.streams = map[commerce.ID]*stream{}
	}
	st := s.streams[show]
	if st == nil {
		st = &stream{
			merchant: merchant, rates: map[string][]int{}, lamps: map[commerce.ID]*lamp{}, troubles: map[commerce.ID]trouble{},
			opened: map[commerce.ID]videobook.Session{}, checked: map[commerce.ID]bool{}, ended: time.Now(),
		}
		s.streams[show] = st
	}
	return st
}

// Config answers the relay who publishes under a key and what shall be done with the stream. The error is relay.ErrUnknownKey when
// the key is nobody's. No platform is asked here: an encoder that comes back must not wait for one.
func (s *Studio) Config(ctx context.Context, key string) (relay.Config, commerce.ID, error) {
	o, err := s.Book.OwnerOf(ctx, key)
	if errors.Is(err, s.Book.NotFound) {
		return relay.Config{}, 0, relay.ErrUnknownKey
	}
	if err != nil {
		return relay.Config{}, 0, err
	}
	c, err := s.config(ctx, o.Merchant, o.Show)
	if err != nil {
		return relay.Config{}, 0, err
	}
	if c.Destinations, err = s.Targets(ctx, o.Merchant, o.Show); err != nil {
		return relay.Config{}, 0, err
	}
	c.Backup = o.Backup
	s.mu.Lock()
	s.of(o.Merchant, o.Show)
	s.mu.Unlock()
	if c.Slate == nil {
		s.fitClip(o.Merchant, o.Show) // nothing was prepared yet, or that was cut short
	}
	s.look()
	return c, o.Merchant, nil
}

// config are a show's settings as the relay takes them, without destinations.
func (s *Studio) config(ctx context.Context, merchant, show commerce.ID) (relay.Config, error) {
	set, err := s.Book.Settings(ctx, merchant, show)
	if err != nil {
		return relay.Config{}, fmt.Errorf("settings of show %s: %w", show, err)
	}
	c := relay.Config{ID: show.String(), AskHost: set.AskHost, UplinkKbps: set.UplinkKbps, Grace: set.Grace}
	if !set.NoRecord {
		c.Record = merchant.String()
	}
	if set.Clip != "" {
		if c.Slate, err = s.slateOf(merchant, show, &set); err != nil {
			s.log().WarnContext(ctx, "slate not read", "show", show, "err", err) // the last picture does instead
		}
	}
	return c, nil
}

// Targets are where the video of a show is to go now, the most important first. What a connected account gives its key for is among
// them once it has.
func (s *Studio) Targets(ctx context.Context, merchant, show commerce.ID) ([]relay.Destination, error) {
	all, err := s.Book.Destinations(ctx, merchant, show)
	if err != nil {
		return nil, fmt.Errorf("destinations of show %s: %w", show, err)
	}
	var out []relay.Destination
	for i := range all {
		d := &all[i]
		if !d.Enabled {
			continue
		}
		to := relay.Destination{ID: d.ID.String(), Name: d.Name, Server: d.Server, Key: d.Key, Priority: len(all) - i}
		if d.Account != "" {
			x, err := s.Book.Session(ctx, merchant, d.ID)
			if err != nil && !errors.Is(err, s.Book.NotFound) {
				return nil, err
			}
			if x.Key == "" {
				continue
			}
			to.Server, to.Key = x.Server, x.Key
			if d.Preset == BackupPreset && x.Backup != "" {
				to.Server = x.Backup
			}
		}
		out = append(out, to)
	}
	return out, nil
}

// BackupPreset is YouTube's second ingest.
const BackupPreset = "youtube-backup"

// Account are the parts of a Destination's Account.
func Account(of string) (chat.Platform, string) {
	platform, id, _ := strings.Cut(of, "/")
	return chat.Platform(platform), id
}

// Sync puts what is stored of a show's video into force, when it is being streamed, and has the pages show it.
func (s *Studio) Sync(ctx context.Context, merchant, show commerce.ID) error {
	to, err := s.Targets(ctx, merchant, show)
	if err != nil {
		return err
	}
	c, err := s.config(ctx, merchant, show)
	if err != nil {
		return err
	}
	if err := errors.Join(s.Relay.Set(show.String(), to), s.Relay.Tune(show.String(), c)); err != nil && !errors.Is(err, relay.ErrNoStream) {
		return err
	}
	s.look()
	s.changed(merchant, show)
	return nil
}

func (s *Studio) changed(merchant, show commerce.ID) {
	if s.Changed != nil {
		s.Changed(merchant, show)
	}
}

// Drop removes a destination. A broadcast that nothing else of the show needs is ended.
func (s *Studio) Drop(ctx context.Context, merchant, show, id commerce.ID) error {
	all, err := s.Book.Destinations(ctx, merchant, show)
	if err != nil {
		return err
	}
	var account string
	shared := false
	for i := range all {
		if all[i].ID == id {
			account = all[i].Account
		}
	}
	for i := range all {
		shared = shared || all[i].ID != id && account != "" && all[i].Account == account
	}
	x, err := s.Book.Session(ctx, merchant, id)
	if err != nil && !errors.Is(err, s.Book.NotFound) {
		return err
	}
	if err := s.Book.DropDestination(ctx, merchant, id); err != nil {
		return err
	}
	if err := s.Sync(ctx, merchant, show); err != nil {
		return err
	}
	if account != "" && !shared {
		s.task(func(ctx context.Context) { s.close(ctx, merchant, account, x) })
	}
	return nil
}

// task runs f beside everything else, until Run ends. Before Run and after it, f does not run.
func (s *Studio) task(f func(ctx context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil || s.ctx.Err() != nil {
		return
	}
	ctx := s.ctx
	s.tasks.Go(func() { f(ctx) })
}

// look has Run look at the streams at once.
func (s *Studio) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poke == nil {
		return
	}
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// folder is where a show's slate is kept.
func (s *Studio) folder(merchant, show commerce.ID) string {
	return filepath.Join(s.Dir, merchant.String(), show.String())
}

// isGone says whether an error means that something is not there.
func isGone(err error) bool { return sqldb.IsNotFound(err) }
