package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"hawker/cmd/hawker/core"
)

type serveCmd struct {
	Config   string `env:"HAWKER_CONFIG" placeholder:"FILE" help:"A file of NAME=value lines with these settings; flags and the environment go before it."`
	settings `embed:""`
}

// Run runs the hub until ctx ends.
func (c *serveCmd) Run(ctx context.Context, o out) error {
	if err := c.check(); err != nil {
		return err
	}
	log := logger(o.Err, c.LogJSON, slog.LevelInfo)
	for _, name := range unknownSettings(os.Environ()) {
		log.Warn("no setting is called so; it is left out", "variable", name)
	}
	web, err := core.Listen(ctx, "HAWKER_LISTEN", c.Listen)
	if err != nil {
		return err
	}
	h, err := openHouse(ctx, c.settings, log, c.public(web.Addr()))
	if err != nil {
		_ = web.Close()
		return err
	}
	if h.ingest, err = h.video.start(ctx); err != nil {
		return errors.Join(err, web.Close(), h.close())
	}
	p, err := h.pages(extras{})
	if err == nil {
		err = h.greet(ctx, o, p)
	}
	if err != nil {
		return errors.Join(err, h.video.stop(ctx), web.Close(), h.close())
	}
	err = h.run(ctx, web, p)
	return errors.Join(err, h.close())
}
