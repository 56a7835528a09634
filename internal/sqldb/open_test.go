package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"hawker/internal/pgtest"
)

// tables are the tables that the migrations make and leave, in their order.
func tables(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, file := range []string{"00001_house.sql", "00004_rules.sql"} {
		text, err := migrations.ReadFile("migrations/" + file)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, m := range regexp.MustCompile(`CREATE TABLE (\w+)`).FindAllStringSubmatch(up, -1) {
			out = append(out, m[1])
		}
		out = slices.DeleteFunc(out, func(table string) bool { return strings.Contains(up, "DROP TABLE "+table+";") })
	}
	return out
}

// Opening makes every table, and opening again finds what is there.
func TestOpen(t *testing.T) {
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) {
			o := f.make(t)
			db := open(t, o)
			id := merchant(t, db, "ana")
			for _, table := range tables(t) {
				if _, err := db.read.ExecContext(t.Context(), "SELECT COUNT(*) FROM "+table); err != nil {
					t.Errorf("table %s: %v", table, err)
				}
			}
			if err := db.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if want := map[string]string{"SQLite": "sqlite", "PostgreSQL": "postgres"}[f.name]; db.Kind() != want {
				t.Errorf("Kind = %q, want %q", db.Kind(), want)
			}
			again := open(t, o)
			if m, err := again.Merchant(t.Context(), id); err != nil || m.Slug != "ana" {
				t.Errorf("opened again: %+v, %v", m, err)
			}
		})
	}
}

// Nodes that start at the same moment on an empty database do not get into each other's way.
func TestOpenAtOnce(t *testing.T) {
	o := Options{URL: pgtest.NewWith(t, pgtest.Options{NoSync: true}), Key: testKey(t)}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			db, err := Open(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			_ = db.Close()
		})
	}
	all.Wait()
}

// Every migration goes back and comes again.
func TestMigrations(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		p, err := db.migrator()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.DownTo(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		for _, table := range tables(t) {
			if _, err := db.read.ExecContext(t.Context(), "SELECT COUNT(*) FROM "+table); err == nil {
				t.Errorf("table %s is left", table)
			}
		}
		if _, err := p.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		merchant(t, db, "ana")
	})
}

func TestOpenRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"a folder that is not there", Options{Dir: filepath.Join(t.TempDir(), "none")}, "open "},
		{"no address of a database", Options{URL: "postgres://user:hunter2@host:port/name"}, "not of the form"},
		{"nobody there", Options{URL: "postgres://user:hunter2@127.0.0.1:1/name?sslmode=disable"}, "reach PostgreSQL at 127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(t.Context(), tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Open = %v; want %q and no password", err, tt.want)
			}
		})
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hawker.db"), []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Dir: dir}); err == nil {
		t.Error("a file that is no database was opened")
	}
}

// A pragma that did not take is refused: SQLite passes over what it does not know.
func TestSafe(t *testing.T) {
	all := []string{"_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)"}
	try := func(pragmas []string) error {
		lite, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "a.db")+"?"+strings.Join(pragmas, "&"))
		if err != nil {
			t.Fatal(err)
		}
		defer lite.Close()
		lite.SetMaxOpenConns(1)
		return safe(t.Context(), lite)
	}
	if err := try(all); err != nil {
		t.Error(err)
	}
	for i, p := range all {
		for name, bad := range map[string][]string{
			"left out": slices.Delete(slices.Clone(all), i, i+1), "misspelt": slices.Replace(slices.Clone(all), i, i+1, strings.Replace(p, "(", "s(", 1)),
		} {
			if i == 1 {
				bad = append(bad, "_pragma=synchronous(NORMAL)") // FULL is what SQLite does by itself
			}
			if err := try(bad); err == nil || !strings.Contains(err.Error(), "would not be safe") {
				t.Errorf("%s %s: %v", p, name, err)
			}
		}
	}
	// The connections of an open database have them, every one.
	db := open(t, Options{Dir: t.TempDir(), Key: testKey(t)})
	for name, pool := range map[string]*sql.DB{"write": db.write.DB, "read": db.read} {
		if err := safe(t.Context(), pool); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := db.read.ExecContext(t.Context(), "DELETE FROM merchants"); err == nil {
		t.Error("the readers' connections can write")
	}
}

// The data folder may have any name.
func TestOddFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Ana's shop? 100% #1 & more; ü")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	merchant(t, open(t, Options{Dir: dir, Key: testKey(t)}), "ana")
	if _, err := os.Stat(filepath.Join(dir, "hawker.db")); err != nil {
		t.Error(err)
	}
}

// A write that fails half way leaves nothing.
func TestInTx(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		want := errors.New("half way")
		err := db.inTx(t.Context(), func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO settings (name, value) VALUES ($1, $2)`, "a", []byte("b")); err != nil {
				return err
			}
			return want
		})
		if !errors.Is(err, want) {
			t.Errorf("inTx = %v", err)
		}
		if _, err := db.Setting(t.Context(), "a"); !IsNotFound(err) {
			t.Errorf("Setting = %v, want ErrNotFound", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := db.PutSetting(gone, "a", "b"); !errors.Is(err, context.Canceled) {
			t.Errorf("PutSetting = %v, want context.Canceled", err)
		}
	})
}
