package sqldb

import (
	"context"
	"database/sql"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb/stored"
)

// Forget erases a viewer's name, and which browsers act for them. What names people by the platform's id alone stays: the
// ledger's chain, claims, holds and orders.
func (db *DB) Forget(ctx context.Context, merchant commerce.ID, v chat.Viewer) error {
	if err := db.settled(ctx, merchant); err != nil {
		return err
	}
	return db.inTx(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{
			`UPDATE viewers SET name = '' WHERE merchant_id = $1 AND platform = $2 AND viewer_id = $3`,
			`UPDATE receipts SET name = '' WHERE merchant_id = $1 AND platform = $2 AND viewer_id = $3`,
			`DELETE FROM questions WHERE merchant_id = $1 AND platform = $2 AND viewer_id = $3`,
			`DELETE FROM browsers WHERE merchant_id = $1 AND platform = $2 AND viewer_id = $3`,
		} {
			if _, err := tx.ExecContext(ctx, q, int64(merchant), string(v.Platform), v.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// JoinedTo are the viewers that were joined to a person after a time, the newest first.
func (db *DB) JoinedTo(ctx context.Context, merchant commerce.ID, person string, after time.Time) ([]commerce.Bind, error) {
	var out []commerce.Bind
	err := db.rows(ctx, func(r *sql.Rows) error {
		var at int64
		b := commerce.Bind{Person: person}
		if err := r.Scan(&b.Viewer.Platform, &b.Viewer.ID, &b.Viewer.Name, &at); err != nil {
			return err
		}
		b.At = stored.Time(at)
		out = append(out, b)
		return nil
	}, `SELECT platform, viewer_id, name, joined_ms FROM viewers WHERE merchant_id = $1 AND person = $2 AND joined_ms > $3 ORDER BY joined_ms DESC, viewer_id`,
		int64(merchant), person, stored.MS(after))
	return out, err
}
