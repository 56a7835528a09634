package sqldb

import (
	"context"
	bin "encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

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
// message at its end commits (PostgreSQL, "Frontend/Backend Protocol", Pipelining). It speaks to the connection itself: a batch
// is columns of numbers and texts, and to let pgx look at each of them would take as long as to plan what is in them.
func (db *DB) commitPostgres(ctx context.Context, parts []part) error {
	pooled, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer pooled.Release()
	conn := pooled.Conn()
	stmts := make([]*pgconn.StatementDescription, len(parts))
	for i := range parts { // known to the connection but for the first time
		sql := parts[i].postgres()
		if stmts[i], err = conn.Prepare(ctx, sql, sql); err != nil {
			return &statementError{strings.TrimSpace(sql), err}
		}
	}
	p := conn.PgConn().StartPipeline(ctx)
	for i := range parts {
		values, err := parts[i].values(stmts[i].ParamOIDs)
		if err != nil {
			return errors.Join(err, p.Close())
		}
		p.SendQueryStatement(stmts[i], values, binary(len(values)), nil)
	}
	if err := p.Sync(); err != nil {
		return fmt.Errorf("%w: %w", commerce.ErrUnknown, errors.Join(err, p.Close()))
	}
	for i := 0; ; i++ {
		res, err := p.GetResults()
		if r, ok := res.(*pgconn.ResultReader); ok && err == nil {
			_, err = r.Close()
		}
		if err != nil {
			_ = p.Close()
			if i >= len(parts) { // the commit itself
				return fmt.Errorf("%w: %w", commerce.ErrUnknown, err)
			}
			return failure(err, &parts[i])
		}
		if _, ok := res.(*pgconn.PipelineSync); ok {
			return p.Close()
		}
		if res == nil {
			return fmt.Errorf("%w: %w", commerce.ErrUnknown, errors.Join(errors.New("the database said nothing of the commit"), p.Close()))
		}
	}
}

// postgres is a part's statement as PostgreSQL gets it.
func (p *part) postgres() string {
	switch {
	case p.many == nil && p.one.rows < 0:
		return p.one.sql
	case p.many == nil:
		return counted(p.one.sql, strconv.FormatInt(p.one.rows, 10))
	case p.many.form.each:
		return counted(p.many.form.many, "$"+strconv.Itoa(len(p.many.form.kinds)+1)+"::bigint")
	}
	return p.many.form.many
}

// values are a part's parameters in binary form, for the types that the statement has.
func (p *part) values(oids []uint32) ([][]byte, error) {
	if p.many == nil {
		out := make([][]byte, len(p.one.args))
		for i, a := range p.one.args {
			var err error
			if out[i], err = encode(a, oids[i]); err != nil {
				return nil, &statementError{p.one.sql, fmt.Errorf("argument %d: %w", i+1, err)}
			}
		}
		return out, nil
	}
	f := p.many.form
	out := make([][]byte, len(f.kinds), len(f.kinds)+1)
	for c := range f.kinds {
		out[c] = p.many.array(c)
	}
	if f.each {
		out = append(out, bin.BigEndian.AppendUint64(nil, uint64(p.many.len())))
	}
	return out, nil
}

// encode is one value in binary form (PostgreSQL, the receive functions of the types).
func encode(a any, oid uint32) ([]byte, error) {
	if i, ok := a.(int); ok {
		a = int64(i)
	}
	switch a := a.(type) {
	case int64:
		switch oid {
		case pgtype.Int8OID:
			return bin.BigEndian.AppendUint64(nil, uint64(a)), nil
		case pgtype.Int4OID:
			if a < math.MinInt32 || a > math.MaxInt32 {
				return nil, fmt.Errorf("%d is too large", a)
			}
			return bin.BigEndian.AppendUint32(nil, uint32(a)), nil
		}
	case string:
		if oid == pgtype.TextOID {
			return append([]byte{}, a...), nil
		}
	case []byte:
		if oid == pgtype.ByteaOID {
			return append([]byte{}, a...), nil
		}
	}
	return nil, fmt.Errorf("a %T for type %d", a, oid)
}

// array is one column of all rows as a PostgreSQL array in binary form: one dimension, no nulls (array_recv).
func (r *rows) array(c int) []byte {
	w, count := len(r.form.kinds), r.len()
	kind := r.form.kinds[c]
	size := 20 + 12*count
	if kind != aNumber {
		for i := range count {
			v := &r.vals[i*w+c]
			size += len(v.s) + len(v.b)
		}
	}
	out := make([]byte, 0, size)
	oid := [...]uint32{pgtype.Int8OID, pgtype.TextOID, pgtype.ByteaOID}[kind]
	for _, n := range [...]uint32{1, 0, oid, uint32(count), 1} {
		out = bin.BigEndian.AppendUint32(out, n)
	}
	for i := range count {
		v := &r.vals[i*w+c]
		switch kind {
		case aNumber:
			out = bin.BigEndian.AppendUint64(bin.BigEndian.AppendUint32(out, 8), uint64(v.n))
		case aText:
			out = append(bin.BigEndian.AppendUint32(out, uint32(len(v.s))), v.s...)
		default:
			out = append(bin.BigEndian.AppendUint32(out, uint32(len(v.b))), v.b...)
		}
	}
	return out
}

// binary says of n parameters that they are in binary form.
func binary(n int) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = pgtype.BinaryFormatCode
	}
	return out
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
