package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
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
	web, err := listen(ctx, "HAWKER_LISTEN", c.Listen)
	if err != nil {
		return err
	}
	rtmp, err := listen(ctx, "HAWKER_RTMP_LISTEN", c.RTMPListen)
	if err != nil {
		_ = web.Close()
		return err
	}
	h, err := openHouse(ctx, c.settings, log, c.public(web.Addr()))
	if err != nil {
		_, _ = web.Close(), rtmp.Close()
		return err
	}
	h.ingest = h.ingestServer(rtmp.Addr())
	p, err := h.pages(extras{})
	if err == nil {
		err = h.greet(ctx, o, p)
	}
	if err != nil {
		_, _ = web.Close(), rtmp.Close()
		return errors.Join(err, h.close())
	}
	err = h.run(ctx, web, rtmp, p)
	return errors.Join(err, h.close())
}

// listen opens a port; where it is taken the error says which setting moves it.
func listen(ctx context.Context, setting, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program; set %s to a free address", addr, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return ln, nil
}
