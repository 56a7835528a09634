package sqldb

import (
	"context"
	"database/sql"
	"fmt"
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

// Ingest is where a show's video comes in. The key itself is shown once; SQL holds its hash and its last characters.
type Ingest struct {
	Show    commerce.ID
	KeyTail string
}

// PutIngest gives a show a stream key.
func (db *DB) PutIngest(ctx context.Context, merchant, show commerce.ID, key string) error {
	_, err := db.write.ExecContext(ctx, `INSERT INTO ingests (merchant_id, show_id, key_hash, key_tail) VALUES ($1, $2, $3, $4)
ON CONFLICT (merchant_id, show_id) DO UPDATE SET key_hash = excluded.key_hash, key_tail = excluded.key_tail`,
		int64(merchant), int64(show), seal.Hash(seal.Token(key)), tail(key))
	if isTaken(err) {
		return fmt.Errorf("stream key: %w", ErrTaken)
	}
	return err
}

func tail(s string) string {
	if len(s) < 12 {
		return ""
	}
	return s[len(s)-4:]
}

// IngestOf is a show's ingest; ErrNotFound when it has none.
func (db *DB) IngestOf(ctx context.Context, merchant, show commerce.ID) (Ingest, error) {
	in := Ingest{Show: show}
	err := db.read.QueryRowContext(ctx, `SELECT key_tail FROM ingests WHERE merchant_id = $1 AND show_id = $2`, int64(merchant), int64(show)).Scan(&in.KeyTail)
	return in, oneRow(err)
}

// ShowOfKey finds the show a stream key belongs to; ErrNotFound when it is nobody's.
func (db *DB) ShowOfKey(ctx context.Context, key string) (merchant, show commerce.ID, err error) {
	err = db.read.QueryRowContext(ctx, `SELECT merchant_id, show_id FROM ingests WHERE key_hash = $1`, seal.Hash(seal.Token(key))).Scan(&merchant, &show)
	return merchant, show, oneRow(err)
}

// Destination is a platform that the relay pushes a show's video to. Server and Key are kept exactly as pasted.
type Destination struct {
	ID      commerce.ID
	Show    commerce.ID
	Name    string
	Server  string
	Key     string // secret
	Enabled bool
}

func destinationContext(merchant, id commerce.ID) string {
	return seal.Context("destinations", "stream_key", int64(merchant), int64(id))
}

// PutDestination writes a destination, found by its show and name; an empty key leaves the stored one.
func (db *DB) PutDestination(ctx context.Context, merchant commerce.ID, d Destination) (commerce.ID, error) {
	old, err := db.Destinations(ctx, merchant, d.Show)
	if err != nil {
		return 0, err
	}
	for _, o := range old {
		if o.Name == d.Name {
			d.ID = o.ID
			if d.Key == "" {
				d.Key = o.Key
			}
		}
	}
	if d.ID == 0 {
		d.ID = commerce.NewID(time.Now())
	}
	_, err = db.write.ExecContext(ctx, `INSERT INTO destinations (merchant_id, destination_id, show_id, name, server, stream_key, enabled) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (merchant_id, destination_id) DO UPDATE SET name = excluded.name, server = excluded.server, stream_key = excluded.stream_key, enabled = excluded.enabled`,
		int64(merchant), int64(d.ID), int64(d.Show), d.Name, d.Server, db.key.Seal([]byte(d.Key), destinationContext(merchant, d.ID)), flag(d.Enabled))
	return d.ID, err
}

// DropDestination removes a destination.
func (db *DB) DropDestination(ctx context.Context, merchant, id commerce.ID) error {
	_, err := db.write.ExecContext(ctx, `DELETE FROM destinations WHERE merchant_id = $1 AND destination_id = $2`, int64(merchant), int64(id))
	return err
}

// Destinations are where a show's video goes, with their keys.
func (db *DB) Destinations(ctx context.Context, merchant, show commerce.ID) ([]Destination, error) {
	var out []Destination
	err := db.rows(ctx, func(r *sql.Rows) error {
		d := Destination{Show: show}
		var sealed []byte
		if err := r.Scan(&d.ID, &d.Name, &d.Server, &sealed, &d.Enabled); err != nil {
			return err
		}
		key, err := db.key.Open(sealed, destinationContext(merchant, d.ID))
		if err != nil {
			return fmt.Errorf("destination %s: %w", d.Name, err)
		}
		d.Key = string(key)
		out = append(out, d)
		return nil
	}, `SELECT destination_id, name, server, stream_key, enabled FROM destinations WHERE merchant_id = $1 AND show_id = $2 ORDER BY destination_id`,
		int64(merchant), int64(show))
	return out, err
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
