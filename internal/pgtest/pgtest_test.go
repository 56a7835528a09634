package pgtest

import (
	"database/sql"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

func connect(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestNew(t *testing.T) {
	a, b := connect(t, New(t)), connect(t, New(t))
	for _, db := range []*sql.DB{a, b} {
		// The same name twice: each test has a database of its own.
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE only_one (id BIGINT PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
	}
	for setting, want := range map[string]string{
		"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "server_encoding": "UTF8", "lc_collate": "C", "TimeZone": "UTC",
	} {
		var got string
		if err := a.QueryRowContext(t.Context(), "SELECT current_setting($1)", setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", setting, got, err, want)
		}
	}
}

// The database goes with its test, though somebody is connected.
func TestDropped(t *testing.T) {
	var db *sql.DB
	t.Run("inner", func(inner *testing.T) {
		db = connect(t, New(inner))
		if err := db.PingContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("the database is still there")
	}
}

// One server serves all tests of the binary, and its folder goes when it is stopped; the next test gets a new one.
func TestOneServer(t *testing.T) {
	var folder string
	t.Run("first", func(t *testing.T) {
		New(t)
		folder = one.server.folder
		New(t)
		if one.server.folder != folder {
			t.Error("a second server was started")
		}
	})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", folder, err)
	}
	db := connect(t, NewWith(t, Options{NoSync: true}))
	var sync string
	if err := db.QueryRowContext(t.Context(), "SHOW fsync").Scan(&sync); err != nil || sync != "off" {
		t.Errorf("fsync = %q, %v", sync, err)
	}
}

func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := program("no-such-program"); err == nil || !strings.Contains(err.Error(), "package postgresql") {
		t.Errorf("program = %v; want the package's name", err)
	}
	if p, err := program("initdb"); err != nil || !strings.HasPrefix(p, "/usr/lib/postgresql/") {
		t.Errorf("program = %q, %v", p, err)
	}
}

// A database that is away refuses everybody until it is back; one that is cut off is there at once.
func TestAway(t *testing.T) {
	url := New(t)
	db := connect(t, url)
	ping := func(want bool, when string) {
		t.Helper()
		if err := db.PingContext(t.Context()); (err == nil) != want {
			t.Errorf("%s: %v", when, err)
		}
	}
	ping(true, "before")
	back := Away(t, url)
	ping(false, "away")
	back()
	ping(true, "back")
	Cut(t, url)
	db.SetMaxIdleConns(0)
	ping(true, "after a cut")
}
