//go:build !linux

package pgtest

import (
	"context"
	"os/exec"
)

// command prepares a program of PostgreSQL. Elsewhere than on Linux tests are not expected to run as root.
func command(ctx context.Context, folder, name string, args ...string) (*exec.Cmd, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = folder
	return c, nil
}
