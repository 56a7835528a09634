package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"time"

	"hawker/connectors/twitch"
	"hawker/internal/bench"
)

// benchCmd measures hawker on this machine.
type benchCmd struct {
	Till  benchTillCmd  `cmd:"" help:"How many claims a second are decided, each on disk before its answer, beside a till as one writes it by hand."`
	Siege benchSiegeCmd `cmd:"" help:"What honest viewers get of a scarce item while trolls besiege it."`
	Chat  benchChatCmd  `cmd:"" help:"How many lines of chat a second are heard and decided, from a pretend Twitch in a process of its own, and whose work that is."`
	Rules benchRulesCmd `cmd:"" help:"How many lines of chat a second are read and decided about by rules, on one core, beside a bot library's bare parse of them."`
	Relay benchRelayCmd `cmd:"" help:"What one stream to many destinations costs, beside nginx with its RTMP module where that is installed."`
}

// each is how long is measured; 0 means what each benchmark has for it.
type each struct {
	Each time.Duration `placeholder:"TIME" help:"How long each case is measured, of till and rules in each round, such as 500ms."`
}

// Validate refuses what is no length of time.
func (e each) Validate() error {
	if e.Each < 0 {
		return errors.New("--each is a length of time, such as 500ms")
	}
	return nil
}

type benchChatCmd struct {
	Road  string `enum:"both,irc,eventsub" default:"both" help:"Over which of Twitch's servers lines are heard: both, irc or eventsub."`
	Long  bool   `help:"The first case for ten minutes."`
	JSON  bool   `name:"json" help:"One JSON object a case."`
	each  `embed:""`
	Child bool `hidden:"" help:"Be the pretend Twitch."`
}

// Run measures and prints.
func (c *benchChatCmd) Run(ctx context.Context, o out) error {
	if c.Child {
		return bench.ChatChild(ctx, os.Stdin, o.Out)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return bench.Chat(ctx, bench.ChatOptions{
		Child: func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, self, "bench", "chat", "--child") },
		Road:  twitch.Road(c.Road), Long: c.Long, JSON: c.JSON, Each: c.Each,
	}, o.Out)
}

type benchTillCmd struct {
	DatabaseURL string `placeholder:"URL" help:"A PostgreSQL database without shops, to be filled; without it a fresh SQLite file."`
	Long        bool   `help:"More cases, for longer."`
	JSON        bool   `name:"json" help:"One JSON object a case."`
	each        `embed:""`
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

type benchRulesCmd struct {
	Lines string `placeholder:"FILE" help:"Raw lines of Twitch's chat server, to be mixed into the everyday chat."`
	JSON  bool   `name:"json" help:"One JSON object a case."`
	each  `embed:""`
}

// Run measures and prints.
func (c *benchRulesCmd) Run(ctx context.Context, o out) error {
	return bench.Rules(ctx, bench.RulesOptions{Lines: c.Lines, Each: c.Each, JSON: c.JSON}, o.Out)
}

type benchRelayCmd struct {
	File  string   `placeholder:"FILE" help:"An FLV file to publish over and over; without it a made-up stream of 6.2 Mbit/s."`
	Long  bool     `help:"Three rounds for longer; a destination stalls for a minute, the encoder is away for 30 s."`
	JSON  bool     `name:"json" help:"One JSON object a case."`
	Case  []string `placeholder:"NAME" help:"Only these cases: 1, 3, 10, 50, stalled, flapping, mute, rejecting, refusing, stalled-50, gone-3."`
	each  `embed:""`
	Child bool `hidden:"" help:"Be the relay that is measured."`
}

// Run measures and prints.
func (c *benchRelayCmd) Run(ctx context.Context, o out) error {
	if c.Child {
		return bench.RelayChild(ctx, os.Stdin, o.Out)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return bench.Relay(ctx, bench.RelayOptions{
		Child: func(ctx context.Context) *exec.Cmd {
			return exec.CommandContext(ctx, self, "bench", "relay", "--child")
		},
		File: c.File, Long: c.Long, JSON: c.JSON, Only: c.Case, Each: c.Each,
	}, o.Out)
}
