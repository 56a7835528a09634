// Command hawker is the hub: it listens to live chats, holds stock, links to checkouts, shouts out sales and relays the
// video. See `hawker --help`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
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
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "hawker:", err)
		os.Exit(1)
	}
}
