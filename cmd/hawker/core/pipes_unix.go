//go:build unix

package core

import (
	"os/signal"
	"syscall"
)

// ignoreBrokenPipes makes writing to nobody an error that ends nothing.
func ignoreBrokenPipes() { signal.Ignore(syscall.SIGPIPE) }
