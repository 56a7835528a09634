package main

import (
	"context"
	"time"

	"hawker/internal/bench"
)

// benchCmd measures hawker on this machine.
type benchCmd struct {
	Till  benchTillCmd  `cmd:"" help:"How many claims a second are decided, each on disk before its answer, beside a till as one writes it by hand."`
	Siege benchSiegeCmd `cmd:"" help:"What honest viewers get of a scarce item while trolls besiege it."`
}

type benchTillCmd struct {
	DatabaseURL string        `placeholder:"URL" help:"A PostgreSQL database without shops, to be filled; without it a fresh SQLite file."`
	Long        bool          `help:"More cases, for longer."`
	JSON        bool          `name:"json" help:"One JSON object a case."`
	Each        time.Duration `placeholder:"TIME" help:"How long each case runs in each round."`
}

// Run measures and prints.
func (c *benchTillCmd) Run(ctx context.Context, o out) error {
	opt := bench.TillOptions{DatabaseURL: c.DatabaseURL, Long: c.Long, JSON: c.JSON, Each: c.Each}
	if c.Long && c.Each == 0 {
		opt.Each = 5 * time.Second
	}
	return bench.Till(ctx, opt, o.Out)
}

type benchSiegeCmd struct {
	JSON bool   `name:"json" help:"One JSON object a line."`
	Seed uint64 `default:"1" placeholder:"N" help:"Which chance is played; the same number plays the same show."`
}

// Run plays the show twice and prints what honest viewers got.
func (c *benchSiegeCmd) Run(ctx context.Context, o out) error {
	opt := bench.NewSiege()
	opt.JSON, opt.Seed = c.JSON, c.Seed
	return bench.Siege(ctx, opt, o.Out)
}
