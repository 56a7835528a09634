package sqldb

import (
	"context"
	"database/sql"

	"hawker/commerce"
	"hawker/internal/sqldb/stored"
)

// asker is what rows are read from: the database as it stands, or one snapshot of it.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Ledger hands a merchant's ledger entries over, from the one after seq after, in their order and one at a time: a ledger
// may be larger than memory. An error of f ends it and is returned.
func (db *DB) Ledger(ctx context.Context, merchant commerce.ID, after int64, f func(commerce.Entry) error) error {
	if err := db.settled(ctx, merchant); err != nil {
		return err
	}
	return ledger(ctx, db.read, merchant, after, f)
}

func ledger(ctx context.Context, from asker, merchant commerce.ID, after int64, f func(commerce.Entry) error) error {
	return stored.Each(ctx, from, func(r *sql.Rows) error {
		entries, err := scanBlock(r)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Seq <= after {
				continue
			}
			if err := f(e); err != nil {
				return err
			}
		}
		return nil
	}, `SELECT `+ledgerColumns+` FROM ledger WHERE merchant_id = $1 AND seq > $2 ORDER BY seq`, int64(merchant), after)
}

// snapshot runs f over the database as it stands at one moment, whatever is written meanwhile. It keeps no writer waiting.
func (db *DB) snapshot(ctx context.Context, f func(asker) error) error {
	o := sql.TxOptions{ReadOnly: true} // on SQLite a plain BEGIN: in WAL its reads all see what stood at the first
	if db.pool != nil {
		o.Isolation = sql.LevelRepeatableRead
	}
	tx, err := db.read.BeginTx(ctx, &o)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return f(tx)
}
