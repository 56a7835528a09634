// Package pgtest gives tests a real PostgreSQL of their own: one server for a test binary, in a temporary folder, on
// a Unix socket, without a port; one fresh database for each test. It uses the programs of Debian's package
// "postgresql". Where they are missing the test fails and names the package; it never skips.
//
// A package that uses it stops the server in its TestMain:
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
package pgtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Options changes the server. They count when the first test of a binary asks for a database.
type Options struct {
	// NoSync turns fsync off: faster, and fine for whatever does not test what survives a crash.
	NoSync bool
}

// one is the binary's server. A test binary is one process with one TestMain, so this is the one place where a
// package-level variable says what is true.
var one struct {
	mu      sync.Mutex
	server  *server
	err     error
	started bool
	main    atomic.Bool
}

// Main runs the tests and stops the server, when one was started. It ends the process.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a TestMain that has more to do: it returns the exit code.
func Run(m *testing.M) int {
	one.main.Store(true)
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		code = max(code, 1)
	}
	return code
}

func stop() error {
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.server == nil {
		return nil
	}
	s := one.server
	one.server, one.started = nil, false
	return s.stop()
}

// New makes a database and gives its address (postgres://...), for a new, empty one in each call. The database is
// dropped when the test ends, whoever is still connected to it.
func New(t testing.TB) string { return NewWith(t, Options{}) }

// NewWith is New with options for the server, should it not run yet.
func NewWith(t testing.TB, o Options) string {
	t.Helper()
	if !one.main.Load() {
		t.Fatal("pgtest: the package needs func TestMain(m *testing.M) { pgtest.Main(m) }, else its server outlives it")
	}
	s, err := running(o)
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	if err := s.exec("CREATE DATABASE " + name); err != nil {
		t.Fatal("pgtest: ", err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return s.url(name)
}

func running(o Options) (*server, error) {
	one.mu.Lock()
	defer one.mu.Unlock()
	if !one.started {
		one.started = true
		one.server, one.err = start(o)
	}
	return one.server, one.err
}

// url is the address of a database. The socket's folder stands in the query, as libpq and pgx read it.
func (s *server) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(owner), Path: "/" + database}
	u.RawQuery = url.Values{"host": {s.folder}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// exec runs one statement in the server's own database, by a connection of its own.
func (s *server) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
