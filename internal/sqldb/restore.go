package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
	"hawker/internal/sqldb/archive"
	"hawker/internal/sqldb/videobook"
)

// ErrNotEmpty means that a restore would go over data that is there.
var ErrNotEmpty = errors.New("there is data here already")

// ErrWrongKey means that the sealing key opens nothing of what is sealed in a backup.
var ErrWrongKey = errors.New("the sealing key is not the one that this backup was sealed with")

// copyRows is how many rows go to PostgreSQL at once.
const copyRows = 1000

// Restored is what a restore did.
type Restored struct {
	Merchants int64
	// Aside is where the data went that was there before, or empty.
	Aside string
}

// Restore puts a backup into the database that o names, and brings its tables up to date. The database must be absent or
// empty (else ErrNotEmpty); with force, what is there is moved aside. Where it fails all is as it was. Every merchant is
// marked as restored: nothing is sold until commerce.Reopen.
func Restore(ctx context.Context, o Options, r *archive.Reader, force bool) (Restored, error) {
	if s := r.Manifest.Schema; s < 1 || s > NewestSchema() {
		return Restored{}, fmt.Errorf("the backup is of tables at version %d and this program knows versions 1 to %d: use the hawker that made it (%s), or a newer one",
			s, NewestSchema(), r.Manifest.Product)
	}
	if o.URL != "" {
		return restorePostgres(ctx, o, r, force)
	}
	return restoreSQLite(ctx, o, r, force)
}

// restoreSQLite fills a new file beside the old one and then gives it the name.
func restoreSQLite(ctx context.Context, o Options, r *archive.Reader, force bool) (out Restored, err error) {
	file := sqliteFile(o)
	old := false
	if _, err := os.Stat(file); err == nil {
		old = true
		empty, err := emptyFile(ctx, o)
		if err != nil && !force {
			return out, fmt.Errorf("%s: %w (what is there cannot be read: %w)", file, ErrNotEmpty, err)
		}
		if err == nil && !empty && !force {
			return out, fmt.Errorf("%s: %w", file, ErrNotEmpty)
		}
	}
	dir, err := os.MkdirTemp(o.Dir, "restore-*")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	next := o
	next.Dir = dir
	db, err := openPools(ctx, next)
	if err != nil {
		return out, err
	}
	out.Merchants, err = db.fill(ctx, r)
	if err = errors.Join(err, db.Close()); err != nil { // the last to close it writes everything into the one file
		return out, err
	}
	f, err := os.OpenFile(sqliteFile(next), os.O_RDWR, 0)
	if err != nil {
		return out, err
	}
	if err := errors.Join(f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return out, err
	}
	if old {
		out.Aside = file + ".before-restore-" + time.Now().UTC().Format("20060102T150405.000Z")
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.Rename(file+end, out.Aside+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return out, err
			}
		}
	}
	if err := os.Rename(sqliteFile(next), file); err != nil {
		return out, err
	}
	return out, archive.SyncFolder(o.Dir)
}

// emptyFile reports whether a SQLite file has no rows of ours.
func emptyFile(ctx context.Context, o Options) (bool, error) {
	db, err := openPools(ctx, o)
	if err != nil {
		return false, err
	}
	empty, err := db.empty(ctx)
	return empty, errors.Join(err, db.Close())
}

// empty reports whether the database has no rows of ours; who is signed in does not count.
func (db *DB) empty(ctx context.Context) (bool, error) {
	tables, err := ourTables(ctx, db.read, db.Kind())
	if err != nil {
		return false, err
	}
	for _, t := range tables {
		var one int
		err := db.read.QueryRowContext(ctx, `SELECT 1 FROM `+t+` LIMIT 1`).Scan(&one)
		if err == nil && t != "sessions" {
			return false, nil
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
	}
	return true, nil
}

// restorePostgres moves the tables that are there into a schema of their own, and back where it fails.
func restorePostgres(ctx context.Context, o Options, r *archive.Reader, force bool) (out Restored, err error) {
	db, err := openPools(ctx, o)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	empty, err := db.empty(ctx)
	if err != nil {
		return out, err
	}
	if !empty && !force {
		return out, fmt.Errorf("the PostgreSQL database: %w", ErrNotEmpty)
	}
	aside := "hawker_before_restore_" + strings.ToLower(time.Now().UTC().Format("20060102t150405"))
	moved, err := db.moveAside(ctx, aside)
	if err != nil {
		return out, fmt.Errorf("move the old tables to the schema %s: %w", aside, err)
	}
	if out.Merchants, err = db.fill(ctx, r); err != nil {
		if back := db.moveBack(context.WithoutCancel(ctx), aside, moved); back != nil {
			err = errors.Join(err, fmt.Errorf("the old tables are in the schema %s: %w", aside, back))
		}
		return out, err
	}
	switch {
	case len(moved) == 0 || empty:
		_, err = db.write.ExecContext(ctx, `DROP SCHEMA `+aside+` CASCADE`)
	default:
		out.Aside = "schema " + aside
	}
	return out, err
}

func (db *DB) moveAside(ctx context.Context, aside string) (moved []string, err error) {
	err = db.inTx(ctx, func(tx *sql.Tx) error {
		if moved, err = ourTables(ctx, tx, db.Kind()); err != nil {
			return err
		}
		if v, err := version(ctx, tx, db.Kind()); err != nil {
			return err
		} else if v > 0 || len(moved) > 0 {
			moved = append(moved, gooseTable)
		}
		if _, err := tx.ExecContext(ctx, `CREATE SCHEMA `+aside); err != nil {
			return err
		}
		for _, t := range moved {
			if _, err := tx.ExecContext(ctx, `ALTER TABLE IF EXISTS `+t+` SET SCHEMA `+aside); err != nil {
				return err
			}
		}
		return nil
	})
	return moved, err
}

func (db *DB) moveBack(ctx context.Context, aside string, moved []string) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		tables, err := ourTables(ctx, tx, db.Kind())
		if err != nil {
			return err
		}
		var home string
		if err := tx.QueryRowContext(ctx, `SELECT current_schema()`).Scan(&home); err != nil {
			return err
		}
		for _, t := range append(tables, gooseTable) {
			if _, err := tx.ExecContext(ctx, `DROP TABLE IF EXISTS `+t+` CASCADE`); err != nil {
				return err
			}
		}
		for _, t := range moved {
			if _, err := tx.ExecContext(ctx, `ALTER TABLE IF EXISTS `+aside+`.`+t+` SET SCHEMA `+pgx.Identifier{home}.Sanitize()); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `DROP SCHEMA `+aside)
		return err
	})
}

// fill makes the tables as the backup had them, puts its rows in, brings the tables up to date and marks every merchant as
// restored. It returns how many merchants there are.
func (db *DB) fill(ctx context.Context, r *archive.Reader) (merchants int64, err error) {
	p, err := db.migrator()
	if err != nil {
		return 0, err
	}
	if _, err := p.UpTo(ctx, r.Manifest.Schema); err != nil {
		return 0, fmt.Errorf("make the tables: %w", err)
	}
	if db.pool != nil {
		err = db.copyIn(ctx, r)
	} else {
		err = db.inTx(ctx, func(tx *sql.Tx) error { return db.insertAll(ctx, tx, r) })
	}
	if err != nil {
		return 0, err
	}
	if _, err := p.Up(ctx); err != nil {
		return 0, fmt.Errorf("bring the tables up to date: %w", err)
	}
	if err := db.readOthers(ctx); err != nil {
		return 0, err
	}
	// The fence rises: a node that served a merchant before the restore, and still runs, commits nothing more.
	res, err := db.write.ExecContext(ctx, `INSERT INTO tills (merchant_id, epoch, seq, restored_ms) SELECT merchant_id, 1, 1, CAST($1 AS BIGINT) FROM merchants WHERE true
ON CONFLICT (merchant_id) DO UPDATE SET epoch = tills.epoch + 1, seq = tills.seq + 1, restored_ms = excluded.restored_ms`, time.Now().UnixMilli())
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// intoTable checks that a part fits the table and returns the names of its columns.
func (db *DB) intoTable(ctx context.Context, p *archive.Part) ([]string, error) {
	there, err := columnsOf(ctx, db.read, db.Kind(), p.Table)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(p.Columns))
	for i, c := range p.Columns {
		if !slices.Contains(there, c) {
			return nil, fmt.Errorf("the backup has a column %s (%s) of table %s, which the tables of its version do not have", c.Name, c.Kind, p.Table)
		}
		names[i] = c.Name
	}
	return names, nil
}

// insertAll puts all rows into SQLite.
func (db *DB) insertAll(ctx context.Context, tx *sql.Tx, r *archive.Reader) error {
	for i := range r.Manifest.Parts {
		p := &r.Manifest.Parts[i]
		names, err := db.intoTable(ctx, p)
		if err != nil {
			return err
		}
		marks := make([]string, len(names))
		for i := range marks {
			marks[i] = fmt.Sprintf("$%d", i+1)
		}
		st, err := tx.PrepareContext(ctx, `INSERT INTO `+p.Table+` (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)`)
		if err != nil {
			return fmt.Errorf("table %s: %w", p.Table, err)
		}
		n := int64(0)
		err = r.Table(p, func(row []any) error {
			n++
			if _, err := st.ExecContext(ctx, row...); err != nil {
				return fmt.Errorf("table %s, row %d: %w", p.Table, n, err)
			}
			return nil
		})
		if err = errors.Join(err, st.Close()); err != nil {
			return err
		}
	}
	return nil
}

// copyIn puts all rows into PostgreSQL, in one transaction.
func (db *DB) copyIn(ctx context.Context, r *archive.Reader) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for i := range r.Manifest.Parts {
		p := &r.Manifest.Parts[i]
		names, err := db.intoTable(ctx, p)
		if err != nil {
			return err
		}
		var rows [][]any
		flush := func() error {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{p.Table}, names, pgx.CopyFromRows(rows))
			rows = rows[:0]
			if err != nil {
				return fmt.Errorf("table %s: %w", p.Table, err)
			}
			return nil
		}
		err = r.Table(p, func(row []any) error {
			if rows = append(rows, slices.Clone(row)); len(rows) == copyRows {
				return flush()
			}
			return nil
		})
		if err == nil {
			err = flush()
		}
		if err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

// Seals are what a sealing key opens of what is sealed in a backup.
type Seals struct {
	Opened int
	Closed []string // what it does not open, in words
}

// CheckKey tries a key on everything that is sealed in a backup, and on the addresses of receipts, which are made with it.
// The error is ErrWrongKey when there is something and nothing opens.
func CheckKey(r *archive.Reader, key *seal.Key) (Seals, error) {
	var s Seals
	for i := range r.Manifest.Parts {
		p := &r.Manifest.Parts[i]
		at := map[string]int{}
		for j, c := range p.Columns {
			at[c.Name] = j
		}
		err := r.Table(p, func(row []any) error {
			text := func(name string) string { v, _ := row[at[name]].(string); return v }
			number := func(name string) int64 { v, _ := row[at[name]].(int64); return v }
			var what, place, column string
			switch p.Table {
			case "settings":
				what, place, column = "setting "+text("name"), seal.Context("settings", "value", text("name")), "value"
			case "accounts":
				a := chat.Account{Platform: chat.Platform(text("platform")), ID: text("platform_id")}
				what, column = fmt.Sprintf("the %s login of %s (%s)", a.Platform.Title(), text("name"), text("purpose")), "token"
				place = accountContext(commerce.ID(number("merchant_id")), a, text("purpose"))
			case "stores":
				what, place, column = "the login of the store "+text("shop"), seal.Context("stores", "secret", number("merchant_id")), "secret"
			case "destinations":
				what, column = "the stream key of "+text("name"), "stream_key"
				place = videobook.Context(commerce.ID(number("merchant_id")), commerce.ID(number("destination_id")))
			default:
				return nil
			}
			sealed, ok := row[at[column]].([]byte)
			if !ok {
				return nil
			}
			if _, err := key.Open(sealed, place); err != nil {
				s.Closed = append(s.Closed, what)
			} else {
				s.Opened++
			}
			return nil
		})
		if err != nil {
			return s, err
		}
	}
	if s.Opened == 0 && len(s.Closed) > 0 {
		return s, ErrWrongKey
	}
	return s, nil
}

// VerifyBackup proves that a backup can be restored: it is restored into a temporary database, and there each merchant's
// ledger is audited. tell is called for each merchant; an error of an audit is handed to it and returned at the end.
func VerifyBackup(ctx context.Context, r *archive.Reader, tell func(Merchant, Audit, error)) error {
	dir, err := os.MkdirTemp("", "hawker-verify-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o := Options{Dir: filepath.Clean(dir)}
	if _, err := Restore(ctx, o, r, false); err != nil {
		return err
	}
	db, err := OpenToRead(ctx, o)
	if err != nil {
		return err
	}
	defer db.Close()
	all, err := db.Merchants(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range all {
		a, err := db.Audit(ctx, m.ID, nil)
		tell(m, a, err)
		if err != nil {
			errs = append(errs, fmt.Errorf("merchant %s: %w", m.Slug, err))
		}
	}
	return errors.Join(errs...)
}
