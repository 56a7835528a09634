package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb/stored"
)

// Shows are a merchant's shows with their lineups, the newest first.
func (db *DB) Shows(ctx context.Context, merchant commerce.ID) ([]commerce.Show, error) {
	products, err := db.Products(ctx, merchant)
	if err != nil {
		return nil, err
	}
	byID := make(map[commerce.ID]commerce.Product, len(products))
	for _, p := range products {
		byID[p.ID] = p
	}
	m := int64(merchant)
	var out []commerce.Show
	at := map[commerce.ID]int{}
	err = db.rows(ctx, func(r *sql.Rows) error {
		var s commerce.Show
		var hold, paused, started, ended, payOnce int64
		var styles, guard string
		if err := r.Scan(&s.ID, &s.Name, &s.Title, &s.State, &hold, &s.Holds, &styles, &s.Lineup.OnAir, &paused, &started, &ended, &s.Cap, &payOnce, &guard); err != nil {
			return err
		}
		s.PayOnce = time.Duration(payOnce) * time.Millisecond
		s.Hold, s.Paused, s.PausedAt, s.Started, s.Ended = time.Duration(hold)*time.Millisecond, paused != 0, stored.Time(paused), stored.Time(started), stored.Time(ended)
		if err := errors.Join(json.Unmarshal([]byte(styles), &s.Lineup.Styles), json.Unmarshal([]byte(guard), &s.Guard)); err != nil {
			return fmt.Errorf("show %d: %w", s.ID, err)
		}
		at[s.ID] = len(out)
		out = append(out, s)
		return nil
	}, `SELECT show_id, name, title, state, hold_ms, holds, styles, on_air, paused_ms, started_ms, ended_ms, cap, pay_once_ms, guard FROM shows WHERE merchant_id = $1 ORDER BY show_id DESC`, m)
	if err != nil {
		return nil, err
	}
	err = db.rows(ctx, func(r *sql.Rows) error {
		var show commerce.ID
		var c chat.Channel
		if err := r.Scan(&show, &c.Platform, &c.ID); err != nil {
			return err
		}
		if i, ok := at[show]; ok {
			out[i].Channels = append(out[i].Channels, c)
		}
		return nil
	}, `SELECT show_id, platform, channel_id FROM show_channels WHERE merchant_id = $1 ORDER BY show_id, platform, channel_id`, m)
	if err != nil {
		return nil, err
	}
	err = db.rows(ctx, func(r *sql.Rows) error {
		var show, product commerce.ID
		var it commerce.Item
		var hold int64
		if err := r.Scan(&show, &it.Number, &product, &it.Code, &it.Cap, &hold, &it.Price.Minor, &it.Price.Currency, &it.Closed, &it.FirstPaid); err != nil {
			return err
		}
		it.Hold, it.Product = time.Duration(hold)*time.Millisecond, byID[product]
		if i, ok := at[show]; ok && len(it.Product.Variants) > 0 {
			out[i].Lineup.Items = append(out[i].Lineup.Items, it)
		}
		return nil
	}, `SELECT show_id, number, product_id, code, cap, hold_ms, price_minor, currency, closed, first_paid FROM items WHERE merchant_id = $1 ORDER BY show_id, position`, m)
	return out, err
}

// Products are a merchant's products with their variants.
func (db *DB) Products(ctx context.Context, merchant commerce.ID) ([]commerce.Product, error) {
	m := int64(merchant)
	var out []commerce.Product
	at := map[commerce.ID]int{}
	err := db.rows(ctx, func(r *sql.Rows) error {
		var p commerce.Product
		var options, tags string
		if err := r.Scan(&p.ID, &p.Title, &p.Image, &p.Store, &options, &tags); err != nil {
			return err
		}
		err := errors.Join(json.Unmarshal([]byte(options), &p.Options), json.Unmarshal([]byte(tags), &p.Tags))
		at[p.ID] = len(out)
		out = append(out, p)
		return err
	}, `SELECT product_id, title, image, store, options, tags FROM products WHERE merchant_id = $1 ORDER BY product_id`, m)
	if err != nil {
		return nil, err
	}
	err = db.rows(ctx, func(r *sql.Rows) error {
		var v commerce.Variant
		var product commerce.ID
		var options string
		if err := r.Scan(&v.ID, &product, &v.SKU, &options, &v.Price.Minor, &v.Price.Currency, &v.Store, &v.Inventory); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(options), &v.Options); err != nil {
			return fmt.Errorf("variant %d: %w", v.ID, err)
		}
		if i, ok := at[product]; ok {
			out[i].Variants = append(out[i].Variants, v)
		}
		return nil
	}, `SELECT variant_id, product_id, sku, options, price_minor, currency, store, inventory FROM variants WHERE merchant_id = $1 ORDER BY product_id, position`, m)
	return out, err
}

// PutProducts writes products as they are now. A product or variant that has a store id is found by it and keeps our ID;
// the products come back with the IDs they have. Variants that are gone stay, because holds and orders name them.
func (db *DB) PutProducts(ctx context.Context, merchant commerce.ID, products []commerce.Product) ([]commerce.Product, error) {
	now := time.Now()
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		for i := range products {
			if err := putProduct(ctx, tx, merchant, &products[i], now); err != nil {
				return fmt.Errorf("product %q: %w", products[i].Title, err)
			}
		}
		return nil
	})
	return products, err
}

func putProduct(ctx context.Context, tx *sql.Tx, merchant commerce.ID, p *commerce.Product, now time.Time) error {
	m := int64(merchant)
	find := func(id *commerce.ID, query, store string) error {
		if *id == 0 && store != "" {
			if err := tx.QueryRowContext(ctx, query, m, store).Scan(id); err != nil && err != sql.ErrNoRows { //nolint:errorlint // Scan returns it bare
				return err
			}
		}
		if *id == 0 {
			*id = commerce.NewID(now)
		}
		return nil
	}
	if err := find(&p.ID, `SELECT product_id FROM products WHERE merchant_id = $1 AND store = $2`, p.Store); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO products (merchant_id, product_id, title, image, store, options, tags) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (merchant_id, product_id) DO UPDATE SET title = excluded.title, image = excluded.image, options = excluded.options, tags = excluded.tags`,
		m, int64(p.ID), p.Title, p.Image, p.Store, asJSON(p.Options), asJSON(p.Tags)); err != nil {
		return err
	}
	for i := range p.Variants {
		v := &p.Variants[i]
		if err := find(&v.ID, `SELECT variant_id FROM variants WHERE merchant_id = $1 AND store = $2`, v.Store); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO variants (merchant_id, variant_id, product_id, position, sku, options, price_minor, currency, store, inventory)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (merchant_id, variant_id) DO UPDATE SET position = excluded.position, sku = excluded.sku, options = excluded.options,
price_minor = excluded.price_minor, currency = excluded.currency, inventory = excluded.inventory`,
			m, int64(v.ID), int64(p.ID), i, v.SKU, asJSON(v.Options), v.Price.Minor, v.Price.Currency, v.Store, v.Inventory); err != nil {
			return err
		}
	}
	return nil
}

// VariantsByStore finds our variants by the store's ids of them; unknown ones are left out.
func (db *DB) VariantsByStore(ctx context.Context, merchant commerce.ID, store []string) (map[string]commerce.ID, error) {
	out := map[string]commerce.ID{}
	for _, s := range store {
		if s == "" || out[s] != 0 {
			continue
		}
		var id commerce.ID
		err := db.read.QueryRowContext(ctx, `SELECT variant_id FROM variants WHERE merchant_id = $1 AND store = $2`, int64(merchant), s).Scan(&id)
		if err == nil {
			out[s] = id
		} else if err != sql.ErrNoRows { //nolint:errorlint // Scan returns it bare
			return nil, err
		}
	}
	return out, nil
}
