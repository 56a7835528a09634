package sqldb

import (
	"context"
	"database/sql"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
)

// ReceiptToken is the secret part of a receipt's address. It is derived, so that it can be shown again without being
// stored.
func (db *DB) ReceiptToken(merchant, receipt commerce.ID, generation int) seal.Token {
	return db.key.DeriveAddressed(seal.Receipt, int64(merchant), int64(receipt), int64(generation))
}

// ReceiptOf finds whose receipt a token opens; ErrNotFound when it opens none.
func (db *DB) ReceiptOf(ctx context.Context, t seal.Token) (merchant, receipt commerce.ID, err error) {
	id, ok := seal.Address(t)
	if !ok {
		return 0, 0, ErrNotFound
	}
	if m, generation, ok := db.journal.Receipt(id); ok {
		if db.key.OpensAddressed(t, seal.Receipt, m, id, generation) {
			return commerce.ID(m), commerce.ID(id), nil
		}
		return 0, 0, ErrNotFound
	}
	merchant, receipt, err = db.receiptOf(ctx, t, id)
	if err != ErrNotFound || db.pool == nil {
		return merchant, receipt, err
	}
	if err := db.readOthers(ctx); err != nil { // it may be there
		return 0, 0, err
	}
	return db.receiptOf(ctx, t, id)
}

func (db *DB) receiptOf(ctx context.Context, t seal.Token, id int64) (merchant, receipt commerce.ID, err error) {
	err = db.rows(ctx, func(r *sql.Rows) error {
		var m, generation int64
		if err := r.Scan(&m, &generation); err != nil {
			return err
		}
		if db.key.OpensAddressed(t, seal.Receipt, m, id, generation) {
			merchant, receipt = commerce.ID(m), commerce.ID(id)
		}
		return nil
	}, `SELECT r.merchant_id, r.generation FROM merchants m JOIN receipts r ON r.merchant_id = m.merchant_id AND r.receipt_id = $1`, id)
	if err == nil && receipt == 0 {
		err = ErrNotFound
	}
	return merchant, receipt, err
}

// OverlayToken is the secret part of a show's overlay address, made on first use.
func (db *DB) OverlayToken(ctx context.Context, merchant, show commerce.ID) (seal.Token, error) {
	generation := 0
	err := db.read.QueryRowContext(ctx, `SELECT generation FROM overlays WHERE merchant_id = $1 AND show_id = $2`, int64(merchant), int64(show)).Scan(&generation)
	if err != nil && oneRow(err) != ErrNotFound {
		return "", err
	}
	t := db.key.Derive(seal.Overlay, int64(merchant), int64(show), int64(generation))
	if err != nil {
		_, err = db.write.ExecContext(ctx, `INSERT INTO overlays (merchant_id, show_id, generation, token_hash) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING`,
			int64(merchant), int64(show), seal.Hash(t))
	}
	return t, err
}

// OverlayOf finds the show whose overlay a token opens; ErrNotFound when it opens none.
func (db *DB) OverlayOf(ctx context.Context, t seal.Token) (merchant, show commerce.ID, err error) {
	err = db.read.QueryRowContext(ctx, `SELECT merchant_id, show_id FROM overlays WHERE token_hash = $1`, seal.Hash(t)).Scan(&merchant, &show)
	return merchant, show, oneRow(err)
}

// ShowNamed finds a show by its name in addresses; ErrNotFound when there is none.
func (db *DB) ShowNamed(ctx context.Context, name string) (merchant, show commerce.ID, err error) {
	err = db.read.QueryRowContext(ctx, `SELECT merchant_id, show_id FROM shows WHERE name = $1`, name).Scan(&merchant, &show)
	return merchant, show, oneRow(err)
}

// BindBrowser says that the browser with this secret may act for a viewer.
func (db *DB) BindBrowser(ctx context.Context, merchant commerce.ID, browser seal.Token, v chat.Viewer) error {
	_, err := db.write.ExecContext(ctx, `INSERT INTO browsers (merchant_id, browser_hash, platform, viewer_id, name, bound_ms) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (merchant_id, browser_hash) DO UPDATE SET platform = excluded.platform, viewer_id = excluded.viewer_id, name = excluded.name, bound_ms = excluded.bound_ms`,
		int64(merchant), seal.Hash(browser), string(v.Platform), v.ID, v.Name, time.Now().UnixMilli())
	return err
}

// ViewerOfBrowser is the viewer that a browser may act for; ErrNotFound when it is bound to none.
func (db *DB) ViewerOfBrowser(ctx context.Context, merchant commerce.ID, browser seal.Token) (chat.Viewer, error) {
	var v chat.Viewer
	err := db.read.QueryRowContext(ctx, `SELECT platform, viewer_id, name FROM browsers WHERE merchant_id = $1 AND browser_hash = $2`, int64(merchant), seal.Hash(browser)).Scan(&v.Platform, &v.ID, &v.Name)
	return v, oneRow(err)
}

// Entries are ledger rows from seq on, in order, at most limit.
func (db *DB) Entries(ctx context.Context, merchant commerce.ID, from int64, limit int) ([]commerce.Entry, error) {
	if err := db.settled(ctx, merchant); err != nil {
		return nil, err
	}
	var out []commerce.Entry
	err := db.rows(ctx, func(r *sql.Rows) error {
		es, err := scanBlock(r)
		for _, e := range es {
			if e.Seq >= from && len(out) < limit {
				out = append(out, e)
			}
		}
		return err
	}, `SELECT `+ledgerColumns+` FROM ledger WHERE merchant_id = $1 AND seq >= $2 ORDER BY seq LIMIT $3`, int64(merchant), from, limit)
	return out, err
}
