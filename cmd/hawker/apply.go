package main

import (
	"context"
)

type applyCmd struct{}

func (*applyCmd) Run() error { return nil }

type exportCmd struct{}

func (*exportCmd) Run() error { return nil }

type demoCmd struct{}

func (*demoCmd) Run() error { return nil }

func (h *house) apply(ctx context.Context, o order) ([]byte, error) { return nil, nil }

func (h *house) export(ctx context.Context, m string) ([]byte, error) { return nil, nil }

func (c *serveCmd) greet(ctx context.Context, o out, h *house, p *pages, rtmp any) error { return nil }
