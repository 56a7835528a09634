package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// reportTimeout is how long a new process may take to say that it is ready.
	reportTimeout = 30 * time.Second
	// maxTrace is how much of what a process wrote when it crashed is logged, in bytes.
	maxTrace = 16 << 10
)

// kept are the variables that a process gets of the hub's environment: what Go itself reads, and nothing that may hold a secret.
func kept(environ []string) []string {
	var out []string
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		switch name {
		case "PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG", "GOTRACEBACK", "GORACE", "GOCOVERDIR",
			"SSL_CERT_FILE", "SSL_CERT_DIR", "LOCALDOMAIN", "RES_OPTIONS":
			out = append(out, kv)
		}
	}
	return out
}

// spawn starts a process and waits until it is ready. Its error is what the process says that hinders it.
func (c *Client) spawn(ctx context.Context, before []string) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	trace, err := c.trace()
	if err != nil {
		return err
	}
	defer trace.Close()
	f := first{Start: Start{Settings: c.Settings, Before: before}, Tied: c.Tied, Away: c.Away, Level: c.Level, Settle: true}
	in, err := json.Marshal(f)
	if err != nil {
		return err
	}
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		return err
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		_, _ = theirIn.Close(), ourOut.Close()
		return err
	}
	defer func() { _, _ = ourIn.Close(), ourOut.Close() }()
	cmd := exec.Command(self(executable), c.Args...) //nolint:gosec,noctx // this program; it is to outlive ctx
	cmd.Args[0], cmd.Dir, cmd.Env = "hawker", c.Dir, kept(os.Environ())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirIn, theirOut, trace
	apart(cmd)
	err = cmd.Start()
	_, _ = theirIn.Close(), theirOut.Close()
	if err != nil {
		return fmt.Errorf("start the relay's process: %w", err)
	}
	c.mu.Lock()
	c.pid = cmd.Process.Pid
	c.mu.Unlock()
	go func() { _ = cmd.Wait() }() // so that it leaves no zombie; it may outlive us
	stop := context.AfterFunc(ctx, func() { _ = ourIn.Close() })
	defer stop()
	if _, err := ourOut.Write(in); err != nil {
		return c.stillborn(cmd, err)
	}
	_ = ourOut.Close()
	if err := ourIn.SetReadDeadline(time.Now().Add(reportTimeout)); err != nil {
		return c.stillborn(cmd, err)
	}
	var r report
	if err := json.NewDecoder(ourIn).Decode(&r); err != nil {
		return c.stillborn(cmd, err)
	}
	if r.Err != "" {
		return errors.New(r.Err)
	}
	return nil
}

// stillborn ends a process that did not say that it is ready.
func (c *Client) stillborn(cmd *exec.Cmd, err error) error {
	_ = cmd.Process.Kill()
	return fmt.Errorf("the relay's process did not begin: %w", err)
}

// trace opens the file for what a process writes when it crashes. What the one before wrote there is logged first.
func (c *Client) trace() (*os.File, error) {
	path := filepath.Join(c.Dir, TraceName)
	if old, err := os.ReadFile(path); err == nil && len(bytes.TrimSpace(old)) > 0 {
		c.log().Error("what the last relay process wrote before it ended", "trace", string(old[:min(len(old), maxTrace)]))
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
}
