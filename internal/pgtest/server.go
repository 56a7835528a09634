package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// owner is the role that owns everything in the server, and the account it runs by when the tests run as root
// (PostgreSQL refuses to).
const owner = "postgres"

const missing = "not found in PATH or /usr/lib/postgresql/*/bin: install the Debian package postgresql"

type server struct {
	folder    string // data, socket and log; short, since a socket's path has at most 107 bytes
	cmd       *exec.Cmd
	ended     chan struct{} // closed when the process ended
	err       error         // why, set before ended closes
	databases atomic.Int64
}

// program finds one of PostgreSQL's programs: the newest version where several are installed.
func program(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("%s %s", name, missing)
	}
	version := func(p string) int {
		n, _ := strconv.Atoi(strings.Split(p, "/")[4]) // 0 for a name that is no number: last choice
		return n
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
}

func start(o Options) (s *server, err error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := program("postgres")
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	data := filepath.Join(folder, "data")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	// Every database of the tests is alike wherever they run: UTF-8, bytes compared as bytes. No password: only this
	// user's processes reach the socket.
	c, err := command(ctx, folder, initdb, "--pgdata="+data, "--username="+owner, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	if err != nil {
		return nil, err
	}
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	return run(folder, data, postgres, o)
}

func run(folder, data, postgres string, o Options) (*server, error) {
	args := []string{
		"-D", data, "-k", folder, "-c", "listen_addresses=",
		"-c", "max_connections=200", "-c", "timezone=UTC", "-c", "log_min_messages=warning",
	}
	if o.NoSync {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the server has its own copy
	s := &server{folder: folder, ended: make(chan struct{})}
	s.cmd, err = command(context.Background(), folder, postgres, args...)
	if err != nil {
		return nil, err
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	started := make(chan error)
	go func() {
		// The kernel ends the server when the thread that started it ends (PR_SET_PDEATHSIG), so that thread stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.err = s.cmd.Wait()
		}
		close(s.ended)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	for until := time.Now().Add(time.Minute); ; {
		err := s.exec("SELECT 1")
		if err == nil {
			return s, nil
		}
		select {
		case <-s.ended:
			return nil, fmt.Errorf("postgres ended: %w: %s", s.err, s.log())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(until) {
			return nil, errors.Join(fmt.Errorf("postgres does not answer: %w: %s", err, s.log()), s.stop())
		}
	}
}

func (s *server) log() []byte {
	b, err := os.ReadFile(filepath.Join(s.folder, "log"))
	if err != nil {
		return []byte(err.Error())
	}
	return bytes.TrimSpace(b)
}

// stop ends the server without waiting for its clients (SIGINT is PostgreSQL's fast shutdown) and removes its folder.
func (s *server) stop() error {
	err := s.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		err = errors.Join(err, errors.New("postgres did not stop; killed"), s.cmd.Process.Kill())
		<-s.ended
	}
	if errors.Is(err, os.ErrProcessDone) {
		err = fmt.Errorf("postgres ended before the tests did: %s", s.log())
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}
