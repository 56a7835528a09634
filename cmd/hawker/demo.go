package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"hawker/cmd/hawker/core"
	"hawker/commerce"
	"hawker/internal/demo"
	"hawker/internal/live"
	"hawker/internal/setup"
	"hawker/internal/sqldb"
	"hawker/web/ui"
)

type demoCmd struct {
	Listen  string `default:"127.0.0.1:8080" help:"Address of the pages; when it is taken, a free port of the same host."`
	Verbose bool   `short:"v" help:"Show the hub's log."`
}

// Run plays a sale until ctx ends. It keeps nothing.
func (c *demoCmd) Run(ctx context.Context, o out) (err error) {
	began := time.Now()
	level := slog.LevelError
	if c.Verbose {
		level = slog.LevelInfo
	}
	log := logger(o.Err, false, level)
	data, err := os.MkdirTemp("", "hawker-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	d, err := demo.Start(ctx, log)
	if err != nil {
		return err
	}
	defer d.Close()
	set, err := settingsOf(d.Settings())
	if err != nil {
		return err
	}
	set.Data, set.Listen, set.RTMPListen, set.RecordGB = data, c.Listen, "127.0.0.1:0", 1
	web, err := listenNear(ctx, c.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = web.Close() }()
	h, err := openHouse(ctx, set, log, set.public(web.Addr()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	h.video.tie()
	if h.ingest, err = h.video.start(ctx); err != nil {
		return err
	}
	run := false
	defer func() {
		if !run {
			err = errors.Join(err, h.video.stop(ctx))
		}
	}()
	m, show, house, err := h.stageDemo(ctx, d)
	if err != nil {
		return err
	}
	house.Timing = func(ctx context.Context) (live.Timings, error) {
		page, err := h.hub.Page(ctx, m, show)
		return page.Timing, err
	}
	p, err := h.pages(extras{
		more: []func(*http.ServeMux, *ui.Kit) error{func(mux *http.ServeMux, _ *ui.Kit) error {
			mux.Handle("/demo", d.Handler(house))
			mux.Handle("/demo/", d.Handler(house))
			return nil
		}},
		signInAs: func(ctx context.Context) (sqldb.Member, bool) {
			all, err := h.db.Members(ctx, m)
			if err != nil || len(all) == 0 {
				return sqldb.Member{}, false
			}
			return all[0], true
		},
	})
	if err != nil {
		return err
	}
	run = true
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.run(ctx, web, p) })
	g.Go(func() error {
		select {
		case <-h.hub.Started():
		case <-ctx.Done():
			return nil
		}
		fmt.Fprintf(o.Out, "A whole sale is playing on this machine: three pretend chats, a pretend shop, two pretend video platforms.\n\n    %s/demo\n\nReady after %d ms. Ctrl-C ends it; nothing is kept.\n",
			h.public, time.Since(began).Milliseconds())
		return d.Run(ctx, house)
	})
	return g.Wait()
}

// stageDemo sets the demo's merchant up and says where its pages are.
func (h *house) stageDemo(ctx context.Context, d *demo.Demo) (merchant, show commerce.ID, house demo.House, err error) {
	file, env := d.Setup()
	answer, err := h.quietly(ctx, func(ctx context.Context, hub *live.Hub) ([]byte, error) {
		return h.apply(ctx, hub, order{File: file, Env: env})
	})
	if err != nil {
		return 0, 0, house, fmt.Errorf("set the demo up: %w", err)
	}
	var r setup.Report
	if err := json.Unmarshal(answer, &r); err != nil {
		return 0, 0, house, err
	}
	if len(r.Shows) == 0 {
		return 0, 0, house, errors.New("the demo has no show")
	}
	s := r.Shows[0]
	path := func(address string) string { return strings.TrimPrefix(address, h.public) }
	merchant, show, err = h.db.ShowNamed(ctx, s.Name)
	return merchant, show, demo.House{Public: h.public, IngestServer: h.ingest, Room: path(s.Room), Overlay: path(s.Overlay), Dashboard: path(s.Desk)}, err
}

// listenNear opens addr, or a free port of its host when it is taken.
func listenNear(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := core.Listen(ctx, "--listen", addr)
	if err == nil {
		return ln, nil
	}
	host, _, bad := net.SplitHostPort(addr)
	if bad != nil {
		return nil, err
	}
	return core.Listen(ctx, "--listen", net.JoinHostPort(host, "0"))
}

// settingsOf are settings by their environment names.
func settingsOf(values map[string]string) (settings, error) {
	var s settings
	left := len(values)
	var fill func(reflect.Value) error
	fill = func(v reflect.Value) error {
		for i := range v.NumField() {
			f, field := v.Field(i), v.Type().Field(i)
			if f.Kind() == reflect.Struct {
				if err := fill(f); err != nil {
					return err
				}
				continue
			}
			x, ok := values[field.Tag.Get("env")]
			if !ok {
				continue
			}
			left--
			switch f.Kind() {
			case reflect.String:
				f.SetString(x)
			case reflect.Bool:
				f.SetBool(x == "true")
			case reflect.Int:
				n, err := strconv.Atoi(x)
				if err != nil {
					return fmt.Errorf("setting %s: %w", field.Name, err)
				}
				f.SetInt(int64(n))
			default:
				return fmt.Errorf("setting %s is of a kind that has no text", field.Name)
			}
		}
		return nil
	}
	if err := fill(reflect.ValueOf(&s).Elem()); err != nil {
		return s, err
	}
	if left != 0 {
		return s, fmt.Errorf("%d of the settings do not exist", left)
	}
	return s, nil
}
