package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hawker/commerce"
)

// counted is a statement that fails by itself, inside the database, where it does not touch as many rows as it must: all
// statements of a batch and its commit are sent at once, so nobody here could stop the commit when the count is seen. The
// failure is a division by zero, which is what plain SQL has for it.
func counted(sql string, rows string) string {
	return "WITH done AS (" + sql + " RETURNING 1) SELECT 1 / (CASE WHEN count(*) = " + rows + " THEN 1 ELSE 0 END) FROM done"
}

// isMiscounted reports whether a counted statement refused (division_by_zero; PostgreSQL, Appendix A).
func isMiscounted(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "22012"
}

// commitPostgres sends a batch and its commit in one round trip: a pipeline without BEGIN is one transaction, which the
// message at its end commits (PostgreSQL, "Frontend/Backend Protocol", Pipelining).
func (db *DB) commitPostgres(ctx context.Context, parts []part) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var pb pgx.Batch
	for i := range parts {
		p := &parts[i]
		switch {
		case p.many == nil && p.one.rows < 0:
			pb.Queue(p.one.sql, p.one.args...)
		case p.many == nil:
			pb.Queue(counted(p.one.sql, fmt.Sprint(p.one.rows)), p.one.args...)
		default:
			f := p.many.form
			args := make([]any, len(f.kinds), len(f.kinds)+1)
			for c := range args {
				args[c] = p.many.column(c)
			}
			sql := f.many
			if f.each {
				args = append(args, int64(p.many.len()))
				sql = counted(sql, fmt.Sprintf("$%d::bigint", len(args)))
			}
			pb.Queue(sql, args...)
		}
	}
	res := conn.SendBatch(ctx, &pb)
	for i := range parts {
		if _, err := res.Exec(); err != nil {
			_ = res.Close()
			return failure(err, &parts[i])
		}
	}
	if err := res.Close(); err != nil { // the commit itself
		return fmt.Errorf("%w: %w", commerce.ErrUnknown, err)
	}
	return nil
}

// failure says what a failed part of a batch means. Where the database did not say no itself, the connection broke, and the
// batch may have been committed.
func failure(err error, p *part) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return fmt.Errorf("%w: %w", commerce.ErrUnknown, err)
	}
	if isMiscounted(err) {
		if p.many != nil {
			return fmt.Errorf("no row of %s to change", p.many.form.name)
		}
		return p.one.err
	}
	name := p.one.sql
	if p.many != nil {
		name = p.many.form.name
	}
	return told(&statementError{strings.TrimSpace(name), err}, p)
}
