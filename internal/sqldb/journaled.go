package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"hawker/commerce"
	"hawker/internal/sqldb/journal"
)

// Settle waits until all that was committed here stands in its tables. On SQLite it always does.
func (db *DB) Settle(ctx context.Context) error { return db.journal.Settle(ctx, 0) }

// settled waits until all that was committed of a merchant stands in its tables, also what was committed elsewhere, or before.
func (db *DB) settled(ctx context.Context, merchant commerce.ID) error {
	return errors.Join(db.journal.Settle(ctx, merchant), db.readStored(ctx, int64(merchant)))
}

// journal has the forms that may be in the journal.
func (f *forms) journal() journal.Forms {
	return journal.Forms{
		Order: f.order(), Ledger: &f.ledger, Stock: &f.stock, Claim: &f.claim, Receipt: &f.receipt, HoldNew: &f.holdNew, HoldMade: &f.holdMade, Hold: &f.hold,
		PlaceNew: &f.placeNew, Place: &f.place, Effects: &f.effects,
	}
}

// readStored writes to their tables what the database's journal has of a merchant, whoever added it.
func (db *DB) readStored(ctx context.Context, merchant int64) error {
	if db.pool != nil {
		return db.journal.Take(ctx, merchant)
	}
	found := false
	if err := db.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM journal WHERE merchant_id = $1)`, merchant).Scan(&found); err != nil || !found {
		return err
	}
	f := db.forms.journal()
	return db.inTx(ctx, func(tx *sql.Tx) error { return journal.WriteStored(ctx, tx, &f, merchant) })
}

// readOthers writes to their tables what the journal has of merchants that this process committed nothing of.
func (db *DB) readOthers(ctx context.Context) error {
	var all []int64
	err := db.rows(ctx, func(r *sql.Rows) error {
		var m int64
		err := r.Scan(&m)
		all = append(all, m)
		return err
	}, `SELECT DISTINCT merchant_id FROM journal`)
	for _, m := range all {
		if err == nil && !db.journal.Has(m) {
			err = db.readStored(ctx, m)
		}
	}
	return err
}

// stillSnapshot is snapshot at a moment in which nothing of a merchant waits in the journal. A hub may go on selling: its next
// commit waits for as long as the last rows of the journal take.
func (db *DB) stillSnapshot(ctx context.Context, merchant commerce.ID, f func(asker) error) error {
	if err := db.readStored(ctx, int64(merchant)); err != nil { // nearly all, before anybody waits
		return err
	}
	if db.pool == nil {
		return db.snapshot(ctx, f)
	}
	// Who holds a fence needs more connections. Of many who wait for one with a connection in their hands none would get another.
	select {
	case db.stilling <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	next := sync.OnceFunc(func() { <-db.stilling })
	defer next()
	return db.snapshot(ctx, func(from asker) error {
		if err := db.still(ctx, int64(merchant), from); err != nil {
			return err
		}
		next()
		return f(from)
	})
}

// still lets a snapshot that was not looked at yet begin at a moment in which nothing of a merchant waits.
func (db *DB) still(ctx context.Context, merchant int64, from asker) error {
	stop, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = stop.Rollback() }()
	var seq int64
	err = stop.QueryRowContext(ctx, `SELECT seq FROM tills WHERE merchant_id = $1 FOR UPDATE`, merchant).Scan(&seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := db.readStored(ctx, merchant); err != nil {
		return err
	}
	return from.QueryRowContext(ctx, `SELECT 1`).Scan(&seq) // from here on it sees what stands now
}
