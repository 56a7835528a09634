package sqldb

import (
	"context"
	"database/sql"
	"sync"
)

// writer is the pool that writes. SQLite has one writer at a time and no queue for it: who comes second sleeps up to 0.1 s
// and looks again, and beside a committer that never rests may go hungry until busy_timeout. So here they queue: a
// payment's webhook waits for the batch under way and no longer. PostgreSQL has its own queues.
type writer struct {
	*sql.DB
	queue bool
	turn  sync.Mutex
}

// take waits for its turn; the func it returns ends it.
func (w *writer) take() func() {
	if !w.queue {
		return func() {}
	}
	w.turn.Lock()
	return w.turn.Unlock
}

// ExecContext is that of sql.DB, in its turn.
func (w *writer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	defer w.take()()
	return w.DB.ExecContext(ctx, query, args...)
}

// inTx runs f in one write transaction.
func (db *DB) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	defer db.write.take()()
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
