// Package stored reads rows, and says how times and flags stand in their columns.
package stored

import (
	"context"
	"database/sql"
	"time"
)

// Asker is what rows are read from: the database as it stands, a transaction, or a snapshot.
type Asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Each runs a query and hands each row to scan, whose error ends it.
func Each(ctx context.Context, from Asker, scan func(*sql.Rows) error, query string, args ...any) error {
	rs, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rs.Close()
	for rs.Next() {
		if err := scan(rs); err != nil {
			return err
		}
	}
	return rs.Err()
}

// IDs runs a query for one column of ids.
func IDs(ctx context.Context, from Asker, query string, args ...any) (all []int64, err error) {
	err = Each(ctx, from, func(r *sql.Rows) error {
		var id int64
		if err := r.Scan(&id); err != nil {
			return err
		}
		all = append(all, id)
		return nil
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// MS is a time as a column has it: milliseconds since 1970 UTC, and 0 for none.
func MS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time is what MS wrote.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Flag is a condition as a column has it: 1 or 0.
func Flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
