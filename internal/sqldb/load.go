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

// closedFor is how long holds that ended stay in a desk's memory, for payments that come late.
const closedFor = 30 * 24 * time.Hour

// Load takes a merchant over: it raises the fence, so that a former owner's next batch is void, and reads what a desk
// needs.
func (db *DB) Load(ctx context.Context, merchant commerce.ID) (commerce.State, error) {
	m := int64(merchant)
	var st commerce.State
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO tills (merchant_id, epoch, seq) VALUES ($1, 0, 0) ON CONFLICT DO NOTHING`, m); err != nil {
			return err
		}
		var hash []byte
		var restored int64
		err := tx.QueryRowContext(ctx, `UPDATE tills SET epoch = epoch + 1, seq = seq + 1 WHERE merchant_id = $1 RETURNING epoch, seq, entry, hash, restored_ms`, m).
			Scan(&st.Epoch, &st.Seq, &st.LastEntry, &hash, &restored)
		st.Restored = stored.Time(restored)
		copy(st.LastHash[:], hash)
		return err
	})
	if err != nil {
		return st, fmt.Errorf("take merchant %d over: %w", merchant, err)
	}
	// Now that the fence stands nothing comes to the journal from who ruled before; what is there goes to its tables.
	if err := db.settled(ctx, merchant); err != nil {
		return st, fmt.Errorf("load merchant %d: %w", merchant, err)
	}
	now := time.Now()
	for _, step := range []func() error{
		func() (err error) { st.Shows, err = db.Shows(ctx, merchant); return err },
		func() error { return db.loadStock(ctx, m, &st) },
		func() error { return db.loadHolds(ctx, m, now, &st) },
		func() error { return db.loadPlaces(ctx, m, &st) },
		func() error { return db.loadOrders(ctx, m, &st) },
		func() error { return db.loadRest(ctx, m, now, &st) },
	} {
		if err := step(); err != nil {
			return st, fmt.Errorf("load merchant %d: %w", merchant, err)
		}
	}
	nameViewers(&st)
	return st, nil
}

// nameViewers gives holds, places, orders and decisions the names of their viewers, which stand with the receipts. The database
// is not asked to join them: of tables that grew in the last minutes PostgreSQL knows nothing, and may go through one for every
// row of the other.
func nameViewers(st *commerce.State) {
	type page struct {
		show   commerce.ID
		viewer chat.Viewer
	}
	names, of := make(map[page]string, len(st.Receipts)), make(map[commerce.ID]string, len(st.Receipts))
	for i := range st.Receipts {
		r := &st.Receipts[i]
		of[r.ID] = r.Viewer.Name
		names[page{r.Show, chat.Viewer{Platform: r.Viewer.Platform, ID: r.Viewer.ID}}] = r.Viewer.Name
	}
	for i := range st.Holds {
		st.Holds[i].Viewer.Name = of[st.Holds[i].Receipt]
	}
	for i := range st.Places {
		st.Places[i].Viewer.Name = of[st.Places[i].Receipt]
	}
	for i := range st.Orders {
		st.Orders[i].Viewer.Name = names[page{st.Orders[i].Show, st.Orders[i].Viewer}]
	}
	for i := range st.Recent {
		st.Recent[i].Viewer.Name = names[page{st.Recent[i].Show, st.Recent[i].Viewer}]
	}
}

func (db *DB) loadStock(ctx context.Context, m int64, st *commerce.State) error {
	return db.rows(ctx, func(r *sql.Rows) error {
		var s commerce.Stock
		var read int64
		if err := r.Scan(&s.Variant, &s.Available, &s.Held, &s.Sold, &s.Short, &s.Safety, &s.Endless, &read); err != nil {
			return err
		}
		s.Read = stored.Time(read)
		st.Stock = append(st.Stock, s)
		return nil
	}, `SELECT variant_id, available, held, sold, short, safety, endless, read_ms FROM stock WHERE merchant_id = $1 ORDER BY variant_id`, m)
}

const holdColumns = `h.hold_id, h.show_id, h.number, h.variant_id, h.platform, h.viewer_id, h.person, h.receipt_id, h.quantity, h.price_minor,
h.currency, h.state, h.claim_platform, h.claim_message, h.claim_part, h.decided_ms, h.due_ms, h.expires_ms, h.opened, h.reminded, h.unheard, h.extended, h.draft, h.checkout, h.draft_ms, h.contained, h.order_store, h.late`

func scanHold(r *sql.Rows) (commerce.Hold, error) {
	var h commerce.Hold
	var decided, due, expires, draftAt int64
	err := r.Scan(&h.ID, &h.Show, &h.Number, &h.Variant, &h.Viewer.Platform, &h.Viewer.ID, &h.Person, &h.Receipt, &h.Quantity, &h.Price.Minor,
		&h.Price.Currency, &h.State, &h.Claim.Platform, &h.Claim.Message, &h.Claim.Part, &decided, &due, &expires, &h.Opened, &h.Reminded, &h.Unheard, &h.Extended, &h.Draft, &h.Checkout, &draftAt,
		&h.Contained, &h.Order, &h.Late)
	h.Decided, h.Due, h.Expires, h.DraftAt = stored.Time(decided), stored.Time(due), stored.Time(expires), stored.Time(draftAt)
	return h, err
}

func (db *DB) loadHolds(ctx context.Context, m int64, now time.Time, st *commerce.State) error {
	return db.rows(ctx, func(r *sql.Rows) error {
		h, err := scanHold(r)
		st.Holds = append(st.Holds, h)
		return err
	}, `SELECT `+holdColumns+` FROM holds h
WHERE h.merchant_id = $1 AND (h.state IN ('held', 'offered') OR h.decided_ms > $2) ORDER BY h.hold_id`, m, stored.MS(now.Add(-closedFor)))
}

func (db *DB) loadPlaces(ctx context.Context, m int64, st *commerce.State) error {
	err := db.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(place_id), 0) FROM places WHERE merchant_id = $1`, m).Scan(&st.LastPlace)
	if err != nil {
		return err
	}
	return db.rows(ctx, func(r *sql.Rows) error {
		var p commerce.Place
		var since int64
		if err := r.Scan(&p.ID, &p.Show, &p.Number, &p.Variant, &p.Viewer.Platform, &p.Viewer.ID, &p.Person, &p.Receipt, &p.Quantity,
			&p.Price.Minor, &p.Price.Currency, &p.Answer.Kind, &p.Answer.Channel.Platform, &p.Answer.Channel.ID, &p.Answer.Message, &since, &p.State,
			&p.Claim.Platform, &p.Claim.Message, &p.Claim.Part); err != nil {
			return err
		}
		p.Since = stored.Time(since)
		st.Places = append(st.Places, p)
		return nil
	}, `SELECT p.place_id, p.show_id, p.number, p.variant_id, p.platform, p.viewer_id, p.person, p.receipt_id, p.quantity, p.price_minor, p.currency,
p.answer_kind, p.answer_platform, p.answer_channel, p.answer_message, p.since_ms, p.state, p.claim_platform, p.claim_message, p.claim_part FROM places p
WHERE p.merchant_id = $1 AND p.state = 'waiting' ORDER BY p.place_id`, m)
}

func (db *DB) loadOrders(ctx context.Context, m int64, st *commerce.State) error {
	return db.rows(ctx, func(r *sql.Rows) error {
		var o commerce.OrderRow
		var lines, holds, took string
		var created, updated int64
		if err := r.Scan(&o.Store, &o.Name, &o.Show, &o.State, &o.Total.Minor, &o.Total.Currency, &lines, &holds, &o.Draft, &took, &o.Unfilled, &o.Late,
			&o.Paid, &o.Test, &o.Viewer.Platform, &o.Viewer.ID, &created, &updated); err != nil {
			return err
		}
		o.Created, o.Updated = stored.Time(created), stored.Time(updated)
		err := errors.Join(json.Unmarshal([]byte(lines), &o.Lines), json.Unmarshal([]byte(holds), &o.Holds), json.Unmarshal([]byte(took), &o.Took))
		if err != nil {
			return fmt.Errorf("order %s: %w", o.Store, err)
		}
		st.Orders = append(st.Orders, o)
		return nil
	}, `SELECT o.store, o.name, o.show_id, o.state, o.total_minor, o.currency, o.lines, o.holds, o.draft, o.took, o.unfilled, o.late, o.paid, o.test,
o.platform, o.viewer_id, o.created_ms, o.updated_ms FROM orders o WHERE o.merchant_id = $1`, m)
}

func (db *DB) loadRest(ctx context.Context, m int64, now time.Time, st *commerce.State) error {
	err := db.rows(ctx, func(r *sql.Rows) error {
		var x commerce.Receipt
		if err := r.Scan(&x.ID, &x.Show, &x.Viewer.Platform, &x.Viewer.ID, &x.Viewer.Name, &x.Generation); err != nil {
			return err
		}
		st.Receipts = append(st.Receipts, x)
		return nil
	}, `SELECT receipt_id, show_id, platform, viewer_id, name, generation FROM receipts WHERE merchant_id = $1`, m)
	if err != nil {
		return err
	}
	err = db.rows(ctx, func(r *sql.Rows) error {
		var b commerce.Bind
		var at int64
		if err := r.Scan(&b.Viewer.Platform, &b.Viewer.ID, &b.Viewer.Name, &b.Person, &at); err != nil {
			return err
		}
		b.At = stored.Time(at)
		st.Joined = append(st.Joined, b)
		return nil
	}, `SELECT platform, viewer_id, name, person, joined_ms FROM viewers WHERE merchant_id = $1 AND person <> ''`, m)
	if err != nil {
		return err
	}
	err = db.rows(ctx, func(r *sql.Rows) error {
		var person string
		err := r.Scan(&person)
		st.Payers = append(st.Payers, person)
		return err
	}, `SELECT DISTINCT person FROM holds WHERE merchant_id = $1 AND state = 'paid'`, m)
	if err != nil {
		return err
	}
	st.Recent, err = db.Decisions(ctx, commerce.ID(m), now.Add(-10*time.Minute), 100_000)
	if err != nil {
		return err
	}
	var blocks []*effectBlock
	err = db.rows(ctx, func(r *sql.Rows) error {
		bl, err := scanEffects(r)
		if err != nil {
			return err
		}
		blocks = append(blocks, bl)
		for _, e := range bl.left {
			st.Effects = append(st.Effects, unpackEffect(e))
		}
		return nil
	}, `SELECT effect_id, kind, body, not_after_ms FROM effects WHERE merchant_id = $1 ORDER BY effect_id`, m)
	if err != nil {
		return err
	}
	db.outbox.load(commerce.ID(m), blocks)
	st.Watermarks = map[chat.Channel]time.Time{}
	return db.rows(ctx, func(r *sql.Rows) error {
		var c chat.Channel
		var at int64
		if err := r.Scan(&c.Platform, &c.ID, &at); err != nil {
			return err
		}
		st.Watermarks[c] = stored.Time(at)
		return nil
	}, `SELECT platform, channel_id, mark_ms FROM channels WHERE merchant_id = $1 AND mark_ms > 0`, m)
}

// Decisions are what was decided since a time, the oldest first, at most limit. Viewers have no names here.
func (db *DB) Decisions(ctx context.Context, merchant commerce.ID, since time.Time, limit int) ([]commerce.Decision, error) {
	if err := db.settled(ctx, merchant); err != nil {
		return nil, err
	}
	var out []commerce.Decision
	err := db.rows(ctx, func(r *sql.Rows) error {
		d, err := scanDecision(r)
		out = append(out, d)
		return err
	}, `SELECT `+decisionColumns+` WHERE c.merchant_id = $1 AND c.decided_ms > $2 ORDER BY c.decided_ms LIMIT $3`, int64(merchant), stored.MS(since), limit)
	return out, err
}

// Decided are the stored decisions among keys. Viewers have no names here.
func (db *DB) Decided(ctx context.Context, merchant commerce.ID, keys []commerce.Key) ([]commerce.Decision, error) {
	if err := db.settled(ctx, merchant); err != nil {
		return nil, err
	}
	var out []commerce.Decision
	for _, k := range keys {
		err := db.rows(ctx, func(r *sql.Rows) error {
			d, err := scanDecision(r)
			out = append(out, d)
			return err
		}, `SELECT `+decisionColumns+` WHERE c.merchant_id = $1 AND c.platform = $2 AND c.message_id = $3 AND c.part = $4`,
			int64(merchant), string(k.Platform), k.Message, k.Part)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

const decisionColumns = `c.platform, c.message_id, c.part, c.show_id, c.viewer_platform, c.viewer_id, c.kind, c.number, c.variant_id, c.quantity, c.reason, c.hold_id,
c.decided_ms FROM claims c`

func scanDecision(r *sql.Rows) (commerce.Decision, error) {
	var d commerce.Decision
	var at int64
	err := r.Scan(&d.Key.Platform, &d.Key.Message, &d.Key.Part, &d.Show, &d.Viewer.Platform, &d.Viewer.ID, &d.Kind, &d.Number, &d.Variant,
		&d.Quantity, &d.Reason, &d.Hold, &at)
	d.At = stored.Time(at)
	return d, err
}
