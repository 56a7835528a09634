package journal

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"hawker/internal/sqldb/bulk"
)

// stored are the oldest batches that the database's journal has of a merchant, up to one, as many as one transaction may write.
func (j *Journal) stored(ctx context.Context, merchant, last int64) (out []*entry, err error) {
	rs, err := j.Pool.Query(ctx, `SELECT seq, body FROM journal WHERE merchant_id = $1 AND seq <= $2 ORDER BY seq LIMIT 1000`, merchant, last)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	for rows := 0; rows < projectRows && rs.Next(); {
		e := &entry{merchant: merchant}
		if err := rs.Scan(&e.seq, &e.body); err != nil {
			return nil, err
		}
		all, err := bulk.Unpack(e.body, j.Forms.find)
		if err != nil {
			return nil, fmt.Errorf("journal of merchant %d: %w", merchant, err)
		}
		for _, r := range all {
			rows += r.Len()
		}
		out = append(out, e)
	}
	rs.Close()
	return out, rs.Err()
}

// Take writes to their tables what the database's journal has of a merchant at this moment, whoever added it (PostgreSQL).
func (j *Journal) Take(ctx context.Context, merchant int64) error {
	var last int64
	if err := j.Pool.QueryRow(ctx, `SELECT COALESCE(MAX(seq), -1) FROM journal WHERE merchant_id = $1`, merchant).Scan(&last); err != nil || last < 0 {
		return err
	}
	for {
		batch, err := j.stored(ctx, merchant, last)
		if err != nil || len(batch) == 0 {
			return err
		}
		if err := j.write(ctx, batch); err != nil && !errors.Is(err, errMoved) {
			return err
		}
	}
}

// WriteStored writes to their tables what a SQLite file's journal has of a merchant. A backup of PostgreSQL brought it there.
func WriteStored(ctx context.Context, tx *sql.Tx, f *Forms, merchant int64) error {
	type stored struct {
		seq  int64
		rows []*bulk.Rows
	}
	var all []stored
	rs, err := tx.QueryContext(ctx, `DELETE FROM journal WHERE merchant_id = $1 RETURNING seq, body`, merchant)
	if err != nil {
		return err
	}
	defer rs.Close()
	for rs.Next() {
		var x stored
		var body []byte
		if err := rs.Scan(&x.seq, &body); err != nil {
			return err
		}
		if x.rows, err = bulk.Unpack(body, f.find); err != nil {
			return fmt.Errorf("journal of merchant %d: %w", merchant, err)
		}
		all = append(all, x)
	}
	if err := errors.Join(rs.Err(), rs.Close()); err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b stored) int { return cmp.Compare(a.seq, b.seq) })
	batches := make([][]*bulk.Rows, len(all))
	for i := range all {
		batches[i] = all[i].rows
	}
	for _, r := range bulk.Merge(f.Order, batches) {
		if err := writeRows(ctx, tx, r); err != nil {
			return fmt.Errorf("journal of merchant %d, %s: %w", merchant, r.Form.Name, err)
		}
	}
	return nil
}

// writeRows runs a form for its rows.
func writeRows(ctx context.Context, tx *sql.Tx, r *bulk.Rows) error {
	st, err := tx.PrepareContext(ctx, r.Form.Lite)
	if err != nil {
		return err
	}
	defer st.Close()
	w := len(r.Form.Kinds)
	args := make([]any, w)
	for at := 0; at < len(r.Vals); at += w {
		for i, k := range r.Form.Kinds {
			switch v := &r.Vals[at+i]; k {
			case bulk.Number:
				args[i] = v.N
			case bulk.Text:
				args[i] = v.S
			default:
				args[i] = []byte(v.S)
			}
		}
		done, err := st.ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || r.Form.Each && n != 1 {
			return fmt.Errorf("%d rows were changed instead of one: %w", n, err)
		}
	}
	return nil
}
