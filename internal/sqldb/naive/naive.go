// Package naive is the till that a team writes by hand in an afternoon, on the same databases: one transaction for each
// claim, with a conditional update of the stock row. It is what hawker's till is measured against.
package naive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// Connections is how many connections it keeps, as connection pools of web programs do.
const Connections = 64

// Shop is an open till.
type Shop struct{ db *sql.DB }

const schema = `
CREATE TABLE IF NOT EXISTS naive_stock (shop BIGINT NOT NULL, item BIGINT NOT NULL, available BIGINT NOT NULL, held BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (shop, item), CHECK (held >= 0 AND held <= available));
CREATE TABLE IF NOT EXISTS naive_claims (message TEXT NOT NULL PRIMARY KEY, shop BIGINT NOT NULL, viewer TEXT NOT NULL, item BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS naive_holds (id BIGINT NOT NULL PRIMARY KEY, shop BIGINT NOT NULL, viewer TEXT NOT NULL, item BIGINT NOT NULL, quantity BIGINT NOT NULL,
  state TEXT NOT NULL, expires_ms BIGINT NOT NULL)`

// Open opens the till: on PostgreSQL at address, or on the SQLite file naive.db in dir when address is empty. SQLite syncs
// each commit to the disk, as the till that it is compared with does.
func Open(ctx context.Context, address, dir string) (*Shop, error) {
	driver, dsn := "pgx", address
	if address == "" {
		q := url.Values{"_pragma": {"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(FULL)"}}
		driver, dsn = "sqlite", "file:"+(&url.URL{Path: filepath.Join(dir, "naive.db")}).EscapedPath()+"?"+q.Encode()+"&_txlock=immediate"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(Connections)
	db.SetMaxIdleConns(Connections)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("make the naive till's tables: %w", err), db.Close())
	}
	return &Shop{db}, nil
}

// Close removes the till's tables and closes it.
func (s *Shop) Close(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DROP TABLE naive_stock; DROP TABLE naive_claims; DROP TABLE naive_holds`)
	return errors.Join(err, s.db.Close())
}

// Stock puts pieces of each of a shop's items, from 0 on, up for sale.
func (s *Shop) Stock(ctx context.Context, shop, items, pieces int64) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for item := range items {
		if _, err := tx.ExecContext(ctx, `INSERT INTO naive_stock (shop, item, available) VALUES ($1, $2, $3)`, shop, item, pieces); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Claim holds one piece for a viewer; false when none is left. The rows that are the claim's own come first and the stock row
// last, because everybody waits for whoever has updated it.
func (s *Shop) Claim(ctx context.Context, shop, item, id int64, message, viewer string, expiresMS int64) (bool, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, `INSERT INTO naive_claims (message, shop, viewer, item) VALUES ($1, $2, $3, $4)`, message, shop, viewer, item); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO naive_holds (id, shop, viewer, item, quantity, state, expires_ms) VALUES ($1, $2, $3, $4, 1, 'held', $5)`,
		id, shop, viewer, item, expiresMS); err != nil {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `UPDATE naive_stock SET held = held + 1 WHERE shop = $1 AND item = $2 AND held < available`, shop, item)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	return true, tx.Commit()
}
