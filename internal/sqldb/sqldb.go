// Package sqldb keeps everything hawker must not forget: on SQLite inside the data folder, or on PostgreSQL. One set of
// statements serves both. It imports the database drivers; nothing else does.
package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"hawker/internal/seal"
	"hawker/internal/sqldb/journal"
	"hawker/internal/sqldb/stored"
)

//go:embed migrations
var migrations embed.FS

// ErrNotFound is returned where one row was asked for and there is none.
var ErrNotFound = errors.New("not found")

// ErrTaken is returned where something of that name is there already.
var ErrTaken = errors.New("taken")

// Options say where the database is. With URL empty it is the SQLite file hawker.db in Dir.
type Options struct {
	URL string    // postgres://...
	Dir string    // also where backups go that are made before tables change
	Key *seal.Key // seals secrets and derives receipt addresses
	Log *slog.Logger
}

// DB is an open database.
type DB struct {
	key    *seal.Key
	log    *slog.Logger
	read   *sql.DB
	write  *writer
	pool   *pgxpool.Pool // PostgreSQL only
	commit chan commitCall
	stop   chan struct{}
	done   chan struct{} // closed when the committer has ended
	// SQLite only: closed when the checkpointer has ended; how many transactions were committed.
	checked  chan struct{}
	commits  *atomic.Int64
	forms    *forms
	outbox   *effectBlocks
	journal  *journal.Journal // PostgreSQL only
	stilling chan struct{}    // see stillSnapshot
}

// newDB is a DB that is not connected yet.
func newDB(o Options) *DB {
	db := &DB{
		key: o.Key, log: o.Log, stop: make(chan struct{}), done: make(chan struct{}), checked: make(chan struct{}), forms: newForms(), outbox: &effectBlocks{},
		commits: &atomic.Int64{}, stilling: make(chan struct{}, 1),
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	return db
}

// Open opens the database and brings its tables up to date.
func Open(ctx context.Context, o Options) (*DB, error) {
	db := newDB(o)
	var err error
	if o.URL != "" {
		err = db.openPostgres(ctx, o.URL)
	} else {
		err = db.openSQLite(ctx, filepath.Join(o.Dir, "hawker.db"))
	}
	if err != nil {
		db.closePools()
		return nil, err
	}
	p, err := db.migrator()
	if err == nil {
		err = db.backupBefore(ctx, o.Dir)
	}
	if err == nil {
		_, err = p.Up(ctx)
	}
	if err != nil {
		db.closePools()
		return nil, fmt.Errorf("bring the database up to date: %w", err)
	}
	if db.pool == nil {
		file := filepath.Join(o.Dir, "hawker.db")
		conn, err := openCommitter(file)
		var second *zombie.Conn
		if err == nil {
			if second, err = openCommitter(file); err != nil {
				_ = conn.Close()
			}
		}
		if err != nil {
			db.closePools()
			return nil, fmt.Errorf("open the committing connection: %w", err)
		}
		db.commit = make(chan commitCall, 256)
		go db.committer(conn)
		go db.checkpointer(second)
	} else {
		close(db.done)
		close(db.checked)
		db.journal.Start()
	}
	return db, nil
}

// migrator brings tables up to date. On PostgreSQL it holds a lock, because nodes may start at the same moment.
func (db *DB) migrator() (*goose.Provider, error) {
	shared, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	own, err := fs.Sub(shared, db.Kind())
	if err != nil {
		return nil, err
	}
	files := overlay{shared, own}
	if db.pool == nil {
		return goose.NewProvider(goose.DialectSQLite3, db.write.DB, files)
	}
	l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120)) // asks every second, for two minutes
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db.write.DB, files, goose.WithSessionLocker(l))
}

// overlay is two folders seen as one: the migrations of both databases, and those that say the same in the words of one.
type overlay struct{ shared, own fs.FS }

// Open opens a file of either.
func (o overlay) Open(name string) (fs.File, error) {
	if f, err := o.own.Open(name); err == nil {
		return f, nil
	}
	return o.shared.Open(name)
}

// Glob lists the files of both.
func (o overlay) Glob(pattern string) ([]string, error) {
	a, err := fs.Glob(o.shared, pattern)
	if err != nil {
		return nil, err
	}
	b, err := fs.Glob(o.own, pattern)
	return append(a, b...), err
}

func (db *DB) openPostgres(ctx context.Context, u string) error {
	cfg, err := pgxpool.ParseConfig(u)
	if err != nil {
		return errors.New("the database address (HAWKER_DATABASE_URL) is not of the form postgres://user:password@host/name")
	}
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		// The statements of a batch are the same for every batch; to plan them anew for each would take as long as to run them.
		_, err := c.Exec(ctx, `SET plan_cache_mode = force_generic_plan`)
		return err
	}
	// A node that loses its power keeps its locks until the server misses it; by default that takes hours (PostgreSQL manual,
	// "TCP Settings"). Where the settings mean nothing (a Unix socket) the server passes over them.
	for name, seconds := range map[string]string{"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"} {
		if _, set := cfg.ConnConfig.RuntimeParams[name]; !set {
			cfg.ConnConfig.RuntimeParams[name] = seconds
		}
	}
	cfg.MaxConns = int32(max(8, 4*runtime.NumCPU()))
	if db.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return fmt.Errorf("open PostgreSQL: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := db.pool.Ping(ctx); err != nil {
		return fmt.Errorf("reach PostgreSQL at %s: %w", cfg.ConnConfig.Host, err)
	}
	db.read = stdlib.OpenDBFromPool(db.pool)
	db.write = &writer{DB: db.read}
	db.journal = journal.New()
	db.journal.Pool, db.journal.Forms, db.journal.Log = db.pool, db.forms.journal(), db.log
	return nil
}

// openSQLite opens the file for one writer and several readers. synchronous=FULL: a hold that was answered survives a
// power cut.
func (db *DB) openSQLite(ctx context.Context, file string) error {
	dsn := func(more ...string) string {
		q := url.Values{"_pragma": append([]string{
			"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)", "cache_size(-16000)",
		}, more...)}
		return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode() + "&_txlock=immediate"
	}
	lite, err := sql.Open("sqlite", dsn())
	if err != nil {
		return err
	}
	db.write = &writer{DB: lite, queue: true}
	db.write.SetMaxOpenConns(1)
	if err := safe(ctx, db.write.DB); err != nil {
		return fmt.Errorf("open %s: %w", file, err)
	}
	if db.read, err = sql.Open("sqlite", dsn("query_only(1)")); err != nil {
		return err
	}
	db.read.SetMaxOpenConns(max(4, runtime.NumCPU()))
	return nil
}

// openCommitter opens the connection that commits batches, as durable as the others.
func openCommitter(file string) (*zombie.Conn, error) {
	c, err := zombie.OpenConn(file, zombie.OpenReadWrite, zombie.OpenWAL)
	if err != nil {
		return nil, err
	}
	c.SetBusyTimeout(10 * time.Second)
	for _, p := range []struct{ set, name, want string }{
		{"PRAGMA synchronous = FULL", "synchronous", "2"},
		{"PRAGMA foreign_keys = 1", "foreign_keys", "1"},
		{"PRAGMA cache_size = -16000", "cache_size", "-16000"},
		{"PRAGMA temp_store = MEMORY", "temp_store", "2"},
		{"PRAGMA journal_mode", "journal_mode", "wal"},
		{"PRAGMA wal_autocheckpoint = 0", "wal_autocheckpoint", "0"},
	} {
		err = errors.Join(err, sqlitex.ExecuteTransient(c, p.set, nil), sqlitex.ExecuteTransient(c, "PRAGMA "+p.name, &sqlitex.ExecOptions{ResultFunc: func(st *zombie.Stmt) error {
			if got := st.ColumnText(0); got != p.want {
				return fmt.Errorf("%s is %s where %s was asked for: holds would not be safe", p.name, got, p.want)
			}
			return nil
		}}))
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// safe asks the open database whether it took the pragmas that holds rely on: a misspelt one is passed over in silence.
func safe(ctx context.Context, lite *sql.DB) error {
	for _, p := range []struct{ name, want string }{{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"}} {
		var got string
		if err := lite.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&got); err != nil {
			return err
		}
		if got != p.want {
			return fmt.Errorf("%s is %s where %s was asked for: holds would not be safe", p.name, got, p.want)
		}
	}
	return nil
}

// Kind is "sqlite" or "postgres".
func (db *DB) Kind() string {
	if db.pool != nil {
		return "postgres"
	}
	return "sqlite"
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.read.PingContext(ctx) }

// Close waits for the commit under way and closes the database.
func (db *DB) Close() error {
	close(db.stop)
	<-db.done
	<-db.checked
	db.journal.Stop()
	return db.closePools()
}

func (db *DB) closePools() error {
	var errs []error
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil && db.write.DB != db.read {
		errs = append(errs, db.write.Close())
	}
	if db.pool != nil {
		db.pool.Close()
	}
	return errors.Join(errs...)
}

// isTaken reports whether a statement failed because of a unique key.
func isTaken(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505" // unique_violation (PostgreSQL, Appendix A)
	}
	if code := zombie.ErrCode(err); code == zombie.ResultConstraintUnique || code == zombie.ResultConstraintPrimaryKey {
		return true
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// oneRow turns "no rows" into ErrNotFound.
func oneRow(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// rows runs a query and hands each row to scan.
func (db *DB) rows(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	return stored.Each(ctx, db.read, scan, query, args...)
}
