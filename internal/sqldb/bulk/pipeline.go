package bulk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"hawker/commerce"
)

// Counted is a statement that fails by itself, inside the database, where it does not touch as many rows as it must: all
// statements of a batch and its commit are sent at once, so nobody here could stop the commit when the count is seen. The
// failure is a division by zero, which is what plain SQL has for it.
func Counted(sql, rows string) string {
	return "WITH done AS (" + sql + " RETURNING 1) SELECT 1 / (CASE WHEN count(*) = " + rows + " THEN 1 ELSE 0 END) FROM done"
}

// IsMiscounted reports whether a counted statement refused (division_by_zero; PostgreSQL, Appendix A).
func isMisCounted(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "22012"
}

// Pipeline sends writes and their commit in one round trip: a pipeline without BEGIN is one transaction, which the message at
// its end commits (PostgreSQL, "Frontend/Backend Protocol", Pipelining). It speaks to the connection itself: a batch is columns
// of numbers and texts, and to let pgx look at each of them would take as long as to plan what is in them.
func Pipeline(ctx context.Context, pool *pgxpool.Pool, parts []Part) error {
	pooled, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer pooled.Release()
	conn := pooled.Conn()
	stmts := make([]*pgconn.StatementDescription, len(parts))
	for i := range parts { // known to the connection but for the first time
		sql := parts[i].postgres()
		if stmts[i], err = conn.Prepare(ctx, sql, sql); err != nil {
			return &StatementError{strings.TrimSpace(sql), err}
		}
	}
	p := conn.PgConn().StartPipeline(ctx)
	for i := range parts {
		values, err := parts[i].values(stmts[i].ParamOIDs)
		if err != nil {
			return errors.Join(err, p.Close())
		}
		need := room(0)
		for _, v := range values {
			need += room(len(v) + 16)
		}
		conn.PgConn().Frontend().Send(need)
		p.SendQueryStatement(stmts[i], values, binaryForm(len(values)), nil)
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

// room is a message of nothing that makes room for the next, of so many bytes: pgproto3 begins each time with a kilobyte, and to grow
// from there copies a large message several times.
type room int

func (room) Frontend()           {}
func (room) Decode([]byte) error { return nil }

func (n room) Encode(to []byte) ([]byte, error) { return slices.Grow(to, int(n)+1024), nil }

// postgres is a part's statement as PostgreSQL gets it.
func (p *Part) postgres() string {
	switch {
	case p.Many == nil && p.One.Rows < 0:
		return p.One.SQL
	case p.Many == nil:
		return Counted(p.One.SQL, strconv.FormatInt(p.One.Rows, 10))
	case p.Many.Form.Each:
		return Counted(p.Many.Form.Many, "$"+strconv.Itoa(len(p.Many.Form.Kinds)+1)+"::bigint")
	}
	return p.Many.Form.Many
}

// values are a part's parameters in binary form, for the types that the statement has.
func (p *Part) values(oids []uint32) ([][]byte, error) {
	if p.Many == nil {
		out := make([][]byte, len(p.One.Args))
		for i, a := range p.One.Args {
			var err error
			if out[i], err = encode(a, oids[i]); err != nil {
				return nil, &StatementError{p.One.SQL, fmt.Errorf("argument %d: %w", i+1, err)}
			}
		}
		return out, nil
	}
	out := p.Many.Arrays()
	if p.Many.Form.Each {
		out = append(out, binary.BigEndian.AppendUint64(nil, uint64(p.Many.Len())))
	}
	return out, nil
}

// encode is one value in binary form (PostgreSQL, the receive functions of the types).
func encode(a any, oid uint32) ([]byte, error) {
	if i, ok := a.(int); ok {
		a = int64(i)
	}
	switch a := a.(type) {
	case Raw:
		return a, nil
	case int64:
		switch oid {
		case pgtype.Int8OID:
			return binary.BigEndian.AppendUint64(nil, uint64(a)), nil
		case pgtype.Int4OID:
			if a < math.MinInt32 || a > math.MaxInt32 {
				return nil, fmt.Errorf("%d is too large", a)
			}
			return binary.BigEndian.AppendUint32(nil, uint32(a)), nil
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

// binaryForm says of n parameters that they are in binary form.
func binaryForm(n int) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = pgtype.BinaryFormatCode
	}
	return out
}

// failure says what a failed part of a batch means. Where the database did not say no itself, the connection broke, and the
// batch may have been committed.
func failure(err error, p *Part) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return fmt.Errorf("%w: %w", commerce.ErrUnknown, err)
	}
	if isMisCounted(err) {
		if p.Many != nil {
			return fmt.Errorf("no row of %s to change", p.Many.Form.Name)
		}
		return p.One.Err
	}
	name := p.One.SQL
	if p.Many != nil {
		name = p.Many.Form.Name
	}
	return &Failed{Part: p, Err: &StatementError{strings.TrimSpace(name), err}}
}

// Failed is the error of a part that the database refused.
type Failed struct {
	Part *Part
	Err  error
}

func (e *Failed) Error() string { return e.Err.Error() }

// Unwrap gives the database's error.
func (e *Failed) Unwrap() error { return e.Err }
