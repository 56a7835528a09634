package rulebook

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb/stored"
)

// Discount is a code that a rule had made in the store for one person.
type Discount struct {
	Rule   commerce.ID
	Person string
	Code   string
	Show   commerce.ID
	Made   time.Time
	Ends   time.Time // zero when it does not end
	Ready  bool      // the store has it
	// Trouble is why the store does not have it, a sentence for the merchant.
	Trouble string
}

// TakeDiscount notes that a person is to get a code by a rule, before the store is asked. There is one for each person and rule:
// when one was noted before, that is what comes back, and fresh is false.
func (b *Book) TakeDiscount(ctx context.Context, merchant commerce.ID, d Discount) (got Discount, fresh bool, err error) {
	got = d
	err = b.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO discounts (merchant_id, rule_id, person, code, show_id, made_ms, ends_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			int64(merchant), int64(d.Rule), d.Person, d.Code, int64(d.Show), stored.MS(d.Made), stored.MS(d.Ends))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			fresh = true
			return err
		}
		got, err = scanDiscount(tx.QueryRowContext(ctx, `SELECT `+discountColumns+` WHERE merchant_id = $1 AND rule_id = $2 AND person = $3`, int64(merchant), int64(d.Rule), d.Person))
		if errors.Is(err, sql.ErrNoRows) {
			err = b.NotFound
		}
		return err
	})
	return got, fresh, err
}

// EndDiscount notes that the store has a code (trouble empty), or why it has not.
func (b *Book) EndDiscount(ctx context.Context, merchant commerce.ID, d Discount, trouble string) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE discounts SET ready = $1, trouble = $2, code = $3 WHERE merchant_id = $4 AND rule_id = $5 AND person = $6`,
			stored.Flag(trouble == ""), trouble, d.Code, int64(merchant), int64(d.Rule), d.Person)
		return err
	})
}

// Discounts are the codes of a person that the store has and that have not ended, the newest first.
func (b *Book) Discounts(ctx context.Context, merchant commerce.ID, person string) ([]Discount, error) {
	var out []Discount
	err := b.rows(ctx, func(r *sql.Rows) error {
		d, err := scanDiscount(r)
		out = append(out, d)
		return err
	}, `SELECT `+discountColumns+` WHERE merchant_id = $1 AND person = $2 AND ready = 1 AND (ends_ms = 0 OR ends_ms > $3) ORDER BY made_ms DESC`,
		int64(merchant), person, time.Now().UnixMilli())
	return out, err
}

// Discounted are the persons who have a code that has not ended.
func (b *Book) Discounted(ctx context.Context, merchant commerce.ID) ([]string, error) {
	var out []string
	err := b.rows(ctx, func(r *sql.Rows) error {
		var person string
		err := r.Scan(&person)
		out = append(out, person)
		return err
	}, `SELECT DISTINCT person FROM discounts WHERE merchant_id = $1 AND ready = 1 AND (ends_ms = 0 OR ends_ms > $2) ORDER BY person`, int64(merchant), time.Now().UnixMilli())
	return out, err
}

const discountColumns = `rule_id, person, code, show_id, made_ms, ends_ms, ready, trouble FROM discounts`

func scanDiscount(r interface{ Scan(into ...any) error }) (Discount, error) {
	var d Discount
	var made, ends int64
	err := r.Scan(&d.Rule, &d.Person, &d.Code, &d.Show, &made, &ends, &d.Ready, &d.Trouble)
	d.Made, d.Ends = stored.Time(made), stored.Time(ends)
	return d, err
}
