// Command hawker is the hub: it listens to live chats, holds stock, links to checkouts, shouts out sales and relays the
// video. See `hawker --help`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	_ "time/tzdata" // merchants name time zones, and an empty container has none
)

// gcPercent lets the heap grow to four times what is in use before memory is cleared: in a rush that saves a fifth of the
// machine's work, and at rest the heap is small. GOGC, where it is set, goes before it.
const gcPercent = 300

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // a closed terminal ends it as cleanly as Ctrl-C; under nohup it goes on
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if ctx.Err() != nil && canceled(err) {
		err = errors.New("stopped before it was done")
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "hawker:", err)
		os.Exit(1)
	}
}

// canceled reports whether an error says nothing else than that a context ended, however many there are in it.
func canceled(err error) bool {
	switch x := err.(type) {
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(x.Unwrap(), func(err error) bool { return !canceled(err) })
	case interface{ Unwrap() error }:
		return canceled(x.Unwrap())
	}
	return errors.Is(err, context.Canceled)
}
