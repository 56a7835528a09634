package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"hawker/cmd/hawker/core"
)

// cli is the command line.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the hub: chats, till, store, pages and video relay."`
	Demo    demoCmd    `cmd:"" help:"Play a whole sale on this machine: pretend chats, a pretend shop and pretend video platforms. Needs nothing."`
	Apply   applyCmd   `cmd:"" help:"Set up a merchant from a YAML file: shop, channels, shows, lineup, video destinations, rules."`
	Export  exportCmd  `cmd:"" help:"Write a merchant's set-up as the YAML that apply reads."`
	Audit   auditCmd   `cmd:"" help:"Prove from the ledger that nothing was oversold, nothing decided twice and nothing changed afterwards."`
	Backup  backupCmd  `cmd:"" help:"Write everything into one file, also while a hub runs."`
	Restore restoreCmd `cmd:"" help:"Put a backup into an empty data folder or database."`
	Verify  verifyCmd  `cmd:"" help:"Prove that a backup is whole and can be restored."`
	Chat    chatCmd    `cmd:"" help:"Hear and speak in one chat from the terminal, without a hub: to hunt a fault, or to try a login."`
	Connect connectCmd `cmd:"" help:"Get a login at Twitch by a code that its owner types there, into a file for hawker chat."`
	Bench   benchCmd   `cmd:"" help:"Measure hawker on this machine."`
	Health  healthCmd  `cmd:"" help:"Ask a running hub whether it can sell (for health checks)."`
	Version versionCmd `cmd:"" help:"Print the version."`

	RelayCore relayCoreCmd `cmd:"" name:"relay-core" hidden:"" help:"The relay's own process; hawker serve starts it."`
}

// relayCoreCmd is the relay's process, which the hub starts.
type relayCoreCmd struct {
	Data string `required:"" type:"existingdir" help:"The hub's data folder."`
}

// Run is the life of the process.
func (c *relayCoreCmd) Run(ctx context.Context) error {
	ownFiles()
	return core.Main(ctx, c.Data, build())
}

// out is where a command writes: Out what was asked for, Err everything else.
type out struct{ Out, Err io.Writer }

const description = `hawker sells live in chat. A viewer types "!buy 3" in a Twitch, YouTube or Discord chat; hawker holds the
piece, answers with a link to pay in Shopify, and thanks in every chat and on the video when it is paid.
A relay sends one video stream to many platforms.

See it work, with nothing but this program:

  hawker demo`

// run carries out a command line. It returns when the command is done or ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c cli
	var done bool
	file, err := settingsFile(args)
	if err != nil {
		return err
	}
	p, err := kong.New(&c, kong.Name("hawker"), kong.Description(description), kong.UsageOnError(), kong.Writers(stdout, stderr),
		kong.Exit(func(int) { done = true }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}), kong.Resolvers(file),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(out{stdout, stderr}))
	if err != nil {
		return err
	}
	hideSettings(p.Model.Node)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := p.Parse(args)
	if done { // help was printed
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w\nSee: hawker --help", err)
	}
	return k.Run()
}

// hideSettings leaves settings out of the help of commands that take them only because one environment or file does for all.
func hideSettings(root *kong.Node) {
	for _, c := range root.Children {
		if c.Name == "serve" || c.Name == "chat" || c.Name == "connect" || c.Name == "health" {
			continue
		}
		for _, f := range c.Flags {
			if len(f.Envs) > 0 && !slices.Contains([]string{"config", "data", "key", "database-url", "nats-url"}, f.Name) {
				f.Hidden = true
			}
		}
	}
}

// settingsFile reads the file that --config or HAWKER_CONFIG names: lines of NAME=value, as the environment has them. Flags
// and the environment itself go before it.
func settingsFile(args []string) (kong.Resolver, error) {
	name := os.Getenv("HAWKER_CONFIG")
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			name = v
		} else if a == "--config" && i+1 < len(args) {
			name = args[i+1]
		}
	}
	values := map[string]string{}
	if name != "" {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("settings file: %w", err)
		}
		if values, err = parseSettings(string(data)); err != nil {
			return nil, fmt.Errorf("settings file %s: %w", name, err)
		}
	}
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, env := range flag.Envs {
			if _, set := os.LookupEnv(env); set {
				return nil, nil //nolint:nilnil // kong's way to say that the environment has it
			}
			if v, ok := values[env]; ok {
				return v, nil
			}
		}
		return nil, nil //nolint:nilnil // kong's way to say that we have none
	}), nil
}

// parseSettings reads NAME=value lines; # begins a comment line, quotes around a value are taken off.
func parseSettings(text string) (map[string]string, error) {
	known := map[string]bool{}
	for _, n := range settingNames() {
		known[n] = true
	}
	out := map[string]string{}
	row := 0
	for line := range strings.Lines(text) {
		row++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok:
			return nil, fmt.Errorf("line %d: want NAME=value", row)
		case !known[name]:
			return nil, fmt.Errorf("line %d: no setting is called %s", row, name)
		}
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("line %d: %s stands here a second time", row, name)
		}
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		out[name] = value
	}
	return out, nil
}
