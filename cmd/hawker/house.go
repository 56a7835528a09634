package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"hawker/commerce"
	"hawker/connectors/youtube/quota"
	"hawker/internal/bus"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// house is everything that runs, joined. Open it, run it, close it.
type house struct {
	set     settings
	log     *slog.Logger
	public  string // where people reach the pages
	lock    *flock.Flock
	db      *sqldb.DB
	bus     *bus.Bus
	hub     *live.Hub
	video   *video
	units   *quota.Meter
	cursors cursors
	sealing *seal.Key
	ingest  string // the address that people put into their encoder
}

// newHub makes a hub over the house's database and bus; connect nil means that it is connected to nothing.
func (h *house) newHub(connect func(context.Context, sqldb.Merchant) (live.Connections, error)) *live.Hub {
	return &live.Hub{
		DB: h.db, Bus: h.bus, Key: h.sealing, Log: h.log, Public: h.public, Connect: connect, AllowPrivate: h.set.AllowPrivateTargets,
		Destination: func(ctx context.Context, merchant, show commerce.ID, name string, on bool) error {
			return h.video.turn(ctx, merchant, show, name, on)
		},
		Slate: func(_ context.Context, show commerce.ID, on bool) error { return h.video.slate(show, on) },
	}
}

// errInUse means that another hawker works in the data folder.
var errInUse = errors.New("another hawker runs in this data folder")

// openHouse opens the data folder, the database and the bus. public is where people reach the pages.
func openHouse(ctx context.Context, set settings, log *slog.Logger, public string) (_ *house, err error) {
	h := &house{set: set, log: log, public: public, units: quota.NewMeter(set.YouTube.DailyUnits, nil)}
	defer func() {
		if err != nil {
			_ = h.close()
		}
	}()
	ownFiles()
	if err := os.MkdirAll(set.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder (HAWKER_DATA): %w", err)
	}
	h.lock = flock.New(filepath.Join(set.Data, "hawker.lock"))
	got, err := h.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if !got {
		h.lock = nil
		return nil, fmt.Errorf("%s: %w", set.Data, errInUse)
	}
	key, err := set.key()
	if err != nil {
		return nil, err
	}
	if h.db, err = sqldb.Open(ctx, sqldb.Options{URL: set.DatabaseURL, Dir: set.Data, Key: key, Log: log}); err != nil {
		return nil, err
	}
	if h.bus, err = bus.Open(ctx, bus.Options{URL: set.NATSURL, Dir: filepath.Join(set.Data, "nats"), Name: set.node(), Log: log}); err != nil {
		return nil, err
	}
	h.sealing = key
	h.hub = h.newHub(h.connect)
	if h.video, err = newVideo(h); err != nil {
		return nil, err
	}
	return h, nil
}

// key is the sealing key: from the settings, else from the data folder, where it is made on first start.
func (s *settings) key() (*seal.Key, error) {
	if s.Key != "" {
		k, err := seal.ParseKey(s.Key)
		if err != nil {
			return nil, fmt.Errorf("HAWKER_KEY: %w", err)
		}
		return k, nil
	}
	return seal.ReadKey(s.Data)
}

// close closes what openHouse opened.
func (h *house) close() error {
	var errs []error
	if h.bus != nil {
		errs = append(errs, h.bus.Close())
	}
	if h.db != nil {
		errs = append(errs, h.db.Close())
	}
	if h.lock != nil {
		errs = append(errs, h.lock.Unlock())
	}
	return errors.Join(errs...)
}

// run serves pages on web, video, and all merchants, until ctx ends; then everything it started has ended, except a relay that is
// still needed.
func (h *house) run(ctx context.Context, web net.Listener, p *pages) error {
	defer p.close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.hub.Run(ctx) })
	g.Go(func() error { h.cursors.run(ctx, h); return nil })
	g.Go(func() error { return h.video.relay.Run(ctx) })
	g.Go(func() error { return h.video.studio.Run(ctx) })
	g.Go(func() error { return h.keepCues(ctx) })
	g.Go(func() error { return serveHTTP(ctx, web, p.handler, h.log) })
	g.Go(func() error { return h.control(ctx) })
	return g.Wait()
}

// serveHTTP serves a handler on ln until ctx ends. Streams end with ctx; other requests have five seconds to finish.
func serveHTTP(ctx context.Context, ln net.Listener, handler http.Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler: handler, BaseContext: func(net.Listener) context.Context { return ctx }, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve pages: %w", err)
	case <-ctx.Done():
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(wait); err != nil {
		_ = srv.Close()
	}
	<-ended
	return nil
}

// removeStale removes a socket file that a crash left behind.
func removeStale(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
