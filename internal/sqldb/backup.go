package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"hawker/internal/sqldb/archive"
	"hawker/internal/sqldb/stored"
)

// gooseTable is where the migrations keep their versions.
const gooseTable = "goose_db_version"

// migrationBackups is how many backups made before a migration are kept.
const migrationBackups = 5

// OpenToRead opens a database that is there, without bringing its tables up to date: a hub may run on it. What it opens is
// for Backup, Audit and the like. The error is ErrNotFound when there is no database.
func OpenToRead(ctx context.Context, o Options) (*DB, error) {
	if _, err := os.Stat(sqliteFile(o)); o.URL == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("database %s: %w", sqliteFile(o), ErrNotFound)
	}
	db, err := openPools(ctx, o)
	if err != nil {
		return nil, err
	}
	if v, err := version(ctx, db.read, db.Kind()); err != nil || v == 0 {
		_ = db.Close()
		if err == nil {
			err = fmt.Errorf("the database has no tables of hawker: %w", ErrNotFound)
		}
		return nil, err
	}
	return db, nil
}

func sqliteFile(o Options) string { return filepath.Join(o.Dir, "hawker.db") }

// openPools opens a database and leaves its tables as they are. Nothing commits batches.
func openPools(ctx context.Context, o Options) (*DB, error) {
	db := newDB(o)
	close(db.done)
	close(db.checked)
	var err error
	if o.URL != "" {
		err = db.openPostgres(ctx, o.URL)
	} else {
		err = db.openSQLite(ctx, sqliteFile(o))
	}
	if err != nil {
		_ = db.closePools()
		return nil, err
	}
	return db, nil
}

// NewestSchema is the version of the tables that this program works with.
func NewestSchema() int64 {
	newest := int64(0)
	for _, f := range migrationFiles() {
		if v, err := goose.NumericComponent(path.Base(f)); err == nil {
			newest = max(newest, v)
		}
	}
	return newest
}

// migrationFiles are the migrations of both databases, the oldest first.
func migrationFiles() []string {
	var out []string
	err := fs.WalkDir(migrations, "migrations", func(name string, d fs.DirEntry, err error) error {
		if path.Ext(name) == ".sql" {
			out = append(out, name)
		}
		return err
	})
	if err != nil { // they are inside the program
		panic(err)
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
	return out
}

// Schema is the version of the database's tables; an audit needs NewestSchema.
func (db *DB) Schema(ctx context.Context) (int64, error) { return version(ctx, db.read, db.Kind()) }

// version is the version of the tables, 0 when there are none.
func version(ctx context.Context, from asker, kind string) (int64, error) {
	var there int
	query := `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1`
	if kind == "postgres" {
		query = `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1`
	}
	if err := from.QueryRowContext(ctx, query, gooseTable).Scan(&there); err != nil || there == 0 {
		return 0, err
	}
	var v int64
	err := from.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM `+gooseTable).Scan(&v)
	return v, err
}

// ourTables are those tables of the migrations that are there; one that others refer to comes before them.
func ourTables(ctx context.Context, from asker, kind string) ([]string, error) {
	there := map[string]bool{}
	query := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if kind == "postgres" {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`
	}
	err := stored.Each(ctx, from, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		there[name] = true
		return err
	}, query)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range migrationFiles() { // in the order of their making, in which a table can refer to earlier ones only
		text, err := migrations.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for _, m := range regexp.MustCompile(`CREATE TABLE (?:IF NOT EXISTS )?(\w+)`).FindAllStringSubmatch(string(text), -1) {
			if there[m[1]] && !slices.Contains(out, m[1]) {
				out = append(out, m[1])
			}
		}
	}
	return out, nil
}

// columnsOf are a table's columns, each with what it holds.
func columnsOf(ctx context.Context, from asker, kind, table string) ([]archive.Column, error) {
	query := `SELECT name, type FROM pragma_table_info($1) ORDER BY cid`
	if kind == "postgres" {
		query = `SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`
	}
	var out []archive.Column
	err := stored.Each(ctx, from, func(r *sql.Rows) error {
		var name, typ string
		if err := r.Scan(&name, &typ); err != nil {
			return err
		}
		c := archive.Column{Name: name}
		switch strings.ToLower(typ) {
		case "bigint", "integer", "int", "smallint":
			c.Kind = archive.Int
		case "text":
			c.Kind = archive.Text
		case "bytea", "blob":
			c.Kind = archive.Bytes
		default:
			return fmt.Errorf("column %s of table %s is of the type %s, which a backup cannot hold", name, table, typ)
		}
		out = append(out, c)
		return nil
	}, query, table)
	return out, err
}

// BackupOptions say what goes into a backup beside the tables.
type BackupOptions struct {
	Product string // the version of the program
	Key     []byte // the sealing key as its file has it, or nil to leave it out
	// Files are files that go in as well: where they are, by the names that they have in the backup.
	Files map[string]string
}

// Backup writes everything but sessions into a file, as it stands at one moment; a hub may go on selling. It returns
// what the file holds and the SHA-256 of the whole file. The file is for its owner's eyes alone and is there only when all
// of it is on disk.
func (db *DB) Backup(ctx context.Context, file string, o BackupOptions) (m archive.Manifest, sum string, err error) {
	w, err := archive.Create(file)
	if err != nil {
		return m, "", err
	}
	w.Manifest.Product, w.Manifest.From, w.Manifest.Made = o.Product, db.Kind(), time.Now()
	if o.Key != nil {
		err = w.Key(o.Key)
	}
	if err == nil { // not needed, but the fewer rows are in the journal, the more of a backup can be read by eye
		err = db.journal.Settle(ctx, 0)
	}
	if err == nil {
		err = db.snapshot(ctx, func(tx asker) error { return db.writeTables(ctx, tx, w) })
	}
	for _, name := range slices.Sorted(maps.Keys(o.Files)) {
		if err == nil {
			err = w.File(name, o.Files[name])
		}
	}
	if err != nil {
		w.Abort()
		return m, "", fmt.Errorf("backup: %w", err)
	}
	sum, err = w.Close()
	return w.Manifest, sum, err
}

func (db *DB) writeTables(ctx context.Context, tx asker, w *archive.Writer) (err error) {
	if w.Manifest.Schema, err = version(ctx, tx, db.Kind()); err != nil {
		return err
	}
	tables, err := ourTables(ctx, tx, db.Kind())
	if err != nil {
		return err
	}
	for _, table := range tables {
		if table == "sessions" { // who was signed in then signs in again
			continue
		}
		columns, err := columnsOf(ctx, tx, db.Kind(), table)
		if err != nil {
			return err
		}
		names := make([]string, len(columns))
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i, c := range columns {
			names[i], into[i] = c.Name, &values[i]
		}
		err = w.Table(table, columns, func(row func([]any) error) error {
			return stored.Each(ctx, tx, func(r *sql.Rows) error {
				if err := r.Scan(into...); err != nil {
					return err
				}
				return row(values)
			}, `SELECT `+strings.Join(names, ", ")+` FROM `+table)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// backupBefore makes a backup in dir/backups when migrations are about to change tables that are there. Its error keeps the
// migrations from running.
func (db *DB) backupBefore(ctx context.Context, dir string) error {
	from, err := version(ctx, db.read, db.Kind())
	if err != nil {
		return err
	}
	to := NewestSchema()
	if from > to {
		return fmt.Errorf("the database is at version %d and this program knows version %d: a newer hawker made it; start that one", from, to)
	}
	if from == 0 || from == to {
		return nil
	}
	if db.pool != nil { // another node may be in the midst of making the tables; then there is nothing left to do
		unlock, err := db.lockMigrations(ctx)
		if err != nil {
			return err
		}
		defer unlock()
		if from, err = version(ctx, db.read, db.Kind()); err != nil || from == to {
			return err
		}
	}
	if dir == "" {
		return errors.New("no folder is set for the backup that is made before tables change")
	}
	dir = filepath.Join(dir, "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file := filepath.Join(dir, fmt.Sprintf("before-%d-%s", to, time.Now().UTC().Format("20060102T150405.000Z")))
	if db.pool != nil {
		_, _, err = db.Backup(ctx, file+".zip", BackupOptions{Product: "hawker, before a migration"})
	} else {
		err = db.copySQLite(ctx, file+".db")
	}
	if err != nil {
		return fmt.Errorf("the backup that is made before tables change: %w", err)
	}
	db.log.Info("backup made before tables change", "folder", dir, "from", from, "to", to)
	return keepNewest(dir, migrationBackups)
}

// lockMigrations waits until no node changes tables, and keeps all from beginning to.
func (db *DB) lockMigrations(ctx context.Context) (unlock func(), err error) {
	l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return nil, err
	}
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.SessionLock(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() {
		_ = l.SessionUnlock(context.WithoutCancel(ctx), conn)
		_ = conn.Close()
	}, nil
}

// copySQLite writes a whole copy of the database, from one moment, on disk before it has its name.
func (db *DB) copySQLite(ctx context.Context, file string) error {
	f, err := os.CreateTemp(filepath.Dir(file), "copy-*") // mode 0600, and empty, as VACUUM INTO takes it
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = db.write.DB.ExecContext(ctx, `VACUUM INTO $1`, f.Name())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	return archive.SyncFolder(filepath.Dir(file))
}

// keepNewest removes all but the newest backups made before migrations.
func keepNewest(dir string, keep int) error {
	files, err := filepath.Glob(filepath.Join(dir, "before-*-*Z.*"))
	if err != nil {
		return err
	}
	made := func(file string) string { // the time in its name
		s := filepath.Base(file)
		return s[strings.LastIndexByte(s, '-')+1:]
	}
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(made(a), made(b)) })
	for _, f := range files[:max(0, len(files)-keep)] {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	return nil
}
