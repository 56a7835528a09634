package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/setup"
	"hawker/internal/sqldb"
)

type applyCmd struct {
	File     string `arg:"" help:"The set-up, a YAML file; - reads standard input. Secrets stand in it as names of environment variables."`
	Config   string `env:"HAWKER_CONFIG" placeholder:"FILE" help:"A file of NAME=value lines with the settings of serve."`
	settings `embed:""`
}

// Run brings a merchant to what the file says: through the hub that runs in the data folder, else by itself.
func (c *applyCmd) Run(ctx context.Context, o out) error {
	data, err := read(c.File)
	if err != nil {
		return err
	}
	f, err := setup.Parse(data)
	if err != nil {
		return fmt.Errorf("%s:\n%w", c.File, err)
	}
	ord := order{File: data, Env: map[string]string{}}
	for _, name := range f.Env() {
		if v, ok := os.LookupEnv(name); ok {
			ord.Env[name] = v
		}
	}
	body, err := json.Marshal(ord)
	if err != nil {
		return err
	}
	answer, err := tell(ctx, c.Data, "POST", "/apply", body)
	if errors.Is(err, errNobody) {
		answer, err = alone(ctx, c.settings, o, func(ctx context.Context, h *house, hub *live.Hub) ([]byte, error) { return h.apply(ctx, hub, ord) })
	}
	if err != nil {
		return fmt.Errorf("%s:\n%w", c.File, err)
	}
	var r setup.Report
	if err := json.Unmarshal(answer, &r); err != nil {
		return fmt.Errorf("answer of the hub: %w", err)
	}
	_, err = io.WriteString(o.Out, report(&r))
	return err
}

func read(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, maxControl))
	}
	return os.ReadFile(name)
}

// alone does something with the house while no hub runs in its data folder: no chat is read and no store is asked to hold.
func alone(ctx context.Context, set settings, o out, f func(context.Context, *house, *live.Hub) ([]byte, error)) (_ []byte, err error) {
	if err := set.check(); err != nil {
		return nil, err
	}
	public := set.PublicURL
	if public == "" {
		public = "http://" + set.Listen
	}
	h, err := openHouse(ctx, set, logger(o.Err, set.LogJSON, slog.LevelWarn), public)
	if err != nil {
		return nil, err
	}
	h.ingest = h.ingestFor(set.RTMPListen)
	defer func() { err = errors.Join(err, h.close()) }()
	return h.quietly(ctx, func(ctx context.Context, hub *live.Hub) ([]byte, error) { return f(ctx, h, hub) })
}

// quietly does something with a hub that serves all merchants and is connected to nothing.
func (h *house) quietly(ctx context.Context, f func(context.Context, *live.Hub) ([]byte, error)) (_ []byte, err error) {
	hub := h.newHub(nil)
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(run) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	select {
	case <-hub.Started():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return f(ctx, hub)
}

// report is what a set-up came to, for people.
func report(r *setup.Report) string {
	var b strings.Builder
	if len(r.Changes) == 0 {
		b.WriteString("Nothing to change: all is as the file says.\n")
	}
	for _, c := range r.Changes {
		fmt.Fprintf(&b, "  %s\n", c)
	}
	fmt.Fprintf(&b, "\nmerchant   %s\ndashboard  %s\ningest     %s\n", r.Merchant, r.Dashboard, r.Ingest)
	for _, s := range r.Shows {
		state := ""
		if s.Live {
			state = " (live)"
		}
		fmt.Fprintf(&b, "\nshow %s%s\n  room     %s\n  desk     %s\n  overlay  %s\n", s.Name, state, s.Room, s.Desk, s.Overlay)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "\nnote: %s\n", n)
	}
	return b.String()
}

type exportCmd struct {
	Merchant string `arg:"" optional:"" help:"The merchant's name in addresses. Not needed when there is only one."`
	Config   string `env:"HAWKER_CONFIG" placeholder:"FILE" help:"A file of NAME=value lines with the settings of serve."`
	settings `embed:""`
}

// Run writes a merchant's set-up.
func (c *exportCmd) Run(ctx context.Context, o out) error {
	answer, err := tell(ctx, c.Data, "GET", "/export?merchant="+url.QueryEscape(c.Merchant), nil)
	if errors.Is(err, errNobody) {
		var db *sqldb.DB
		if db, err = c.openToRead(ctx); err == nil { // what is not there is not made, only to find nothing in it
			err = db.Close()
		}
		if err == nil {
			answer, err = alone(ctx, c.settings, o, func(ctx context.Context, h *house, _ *live.Hub) ([]byte, error) { return h.export(ctx, c.Merchant) })
		}
	}
	if err != nil {
		return err
	}
	_, err = o.Out.Write(answer)
	return err
}

// apply brings a merchant to what a file says and returns the report as JSON.
func (h *house) apply(ctx context.Context, hub *live.Hub, o order) ([]byte, error) {
	f, err := setup.Parse(o.File)
	if err != nil {
		return nil, err
	}
	s := &setup.Setup{
		DB: h.db, Hub: hub, Getenv: func(name string) string { return o.Env[name] }, Ingest: h.ingest,
		Catalogue: func(ctx context.Context, m commerce.ID, st sqldb.Store) ([]commerce.Product, error) {
			c, err := h.shopClient(m, st)
			if err != nil {
				return nil, err
			}
			var all []commerce.Product
			err = c.Catalogue(ctx, func(page []commerce.Product) error { all = append(all, page...); return nil })
			return all, err
		},
	}
	r, err := s.Apply(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, x := range r.Shows { // keys and destinations may have changed
		merchant, show, err := h.db.ShowNamed(ctx, x.Name)
		if err != nil {
			return nil, err
		}
		h.video.forget(show.String())
		if err := h.video.sync(ctx, merchant, show); err != nil {
			return nil, fmt.Errorf("video of show %s: %w", x.Name, err)
		}
	}
	return json.Marshal(r)
}

// export writes a merchant's set-up; an empty slug means the only merchant.
func (h *house) export(ctx context.Context, slug string) ([]byte, error) {
	all, err := h.db.Merchants(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range all {
		if m.Slug == slug || slug == "" && len(all) == 1 {
			s := &setup.Setup{DB: h.db, Hub: h.hub}
			return s.Export(ctx, m.ID)
		}
		names = append(names, m.Slug)
	}
	if len(names) == 0 {
		return nil, errors.New("no merchant is set up here")
	}
	return nil, fmt.Errorf("name one of the merchants: %s", strings.Join(names, ", "))
}
