package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb/bulk"
	"hawker/internal/sqldb/stored"
)

const (
	sqlSeq   = `UPDATE tills SET seq = seq + 1 WHERE merchant_id = $1 AND epoch = $2 AND seq = $3`
	sqlFence = `UPDATE tills SET seq = seq + 1, entry = $1, hash = $2 WHERE merchant_id = $3 AND epoch = $4 AND seq = $5 AND entry = $6`
	// Two statements, because a CHECK looks at what an upsert would insert, although it updates: held = -2 never passes.
	sqlStockNew = `INSERT INTO stock (merchant_id, variant_id, available) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING`
	sqlStockSet = `UPDATE stock SET held = held + $1, sold = sold + $2, available = $3, short = $4, safety = $5, endless = $6, read_ms = $7
WHERE merchant_id = $8 AND variant_id = $9`
	sqlOrder = `INSERT INTO orders (merchant_id, store, name, show_id, state, total_minor, currency, lines, holds, draft, took, unfilled, late, paid, test,
platform, viewer_id, created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT (merchant_id, store) DO UPDATE SET name = excluded.name, show_id = excluded.show_id, state = excluded.state, total_minor = excluded.total_minor,
currency = excluded.currency, lines = excluded.lines, holds = excluded.holds, draft = excluded.draft, took = excluded.took,
unfilled = excluded.unfilled, late = excluded.late, paid = excluded.paid, test = excluded.test, platform = excluded.platform, viewer_id = excluded.viewer_id,
updated_ms = excluded.updated_ms`
	sqlBind = `INSERT INTO viewers (merchant_id, platform, viewer_id, name, person, joined_ms, seen_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (merchant_id, platform, viewer_id) DO UPDATE SET person = excluded.person, joined_ms = excluded.joined_ms`
	sqlInbox = `UPDATE inbox SET done = 1, body = '' WHERE merchant_id = $1 AND webhook_id = $2` // its buyer's name and address go
	sqlShow  = `INSERT INTO shows (merchant_id, show_id, name, title, state, hold_ms, holds, styles, on_air, paused_ms, started_ms, ended_ms, cap, pay_once_ms, guard)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (merchant_id, show_id) DO UPDATE SET name = excluded.name, title = excluded.title, state = excluded.state, hold_ms = excluded.hold_ms,
holds = excluded.holds, styles = excluded.styles, on_air = excluded.on_air, paused_ms = excluded.paused_ms, started_ms = excluded.started_ms,
ended_ms = excluded.ended_ms, cap = excluded.cap, pay_once_ms = excluded.pay_once_ms, guard = excluded.guard`
	sqlShowChannelsGone = `DELETE FROM show_channels WHERE merchant_id = $1 AND show_id = $2`
	sqlShowChannel      = `INSERT INTO show_channels (merchant_id, show_id, platform, channel_id, live) VALUES ($1, $2, $3, $4, $5)`
)

// forms are the statements of which a batch has many rows.
type forms struct {
	ledger, claim, receipt, stock, holdNew, holdMade, hold, placeNew, place, mark, effects, effectsLeft, effectsDone bulk.Form
}

func newForms() *forms {
	return &forms{
		ledger: bulk.Insert("ledger", "ledger", "merchant_id, seq, at_ms, show_id, kind, v, body, prev, hash", "nnnntnbbb"),
		claim: bulk.Insert("claims", "claims", "merchant_id, platform, message_id, part, show_id, viewer_platform, viewer_id, kind, number, variant_id, quantity, reason, hold_id, decided_ms",
			"nttnnttt"+"nnntnn"),
		receipt: bulk.Insert("receipts", "receipts", "merchant_id, receipt_id, show_id, platform, viewer_id, name, generation", "nnntttn"),
		stock:   bulk.Update("stock", "stock", "held, sold", "merchant_id, variant_id", "nnnn", "held, sold"),
		// As nearly all holds begin: what happened to none of them yet stands in the table's defaults.
		holdNew: bulk.Insert("holds", "holds", "merchant_id, hold_id, show_id, number, variant_id, platform, viewer_id, person, receipt_id, quantity, price_minor, currency, state, "+
			"claim_platform, claim_message, claim_part, decided_ms, due_ms, expires_ms", "nnnnntttnnnttttn"+"nnn"),
		holdMade: bulk.Insert("holds made", "holds", "quantity, state, person, due_ms, expires_ms, opened, reminded, unheard, extended, draft, checkout, draft_ms, contained, order_store, late, "+
			"merchant_id, hold_id, show_id, number, variant_id, platform, viewer_id, receipt_id, price_minor, currency, claim_platform, claim_message, claim_part, decided_ms",
			"nttnnnnnnttnntn"+"nnnnnttnnttt"+"nn"),
		hold: bulk.Update("holds changed", "holds", "quantity, state, person, due_ms, expires_ms, opened, reminded, unheard, extended, draft, checkout, draft_ms, contained, order_store, late",
			"merchant_id, hold_id", "nttnnnnnnttnntn"+"nn", ""),
		placeNew: bulk.Insert("places", "places", "quantity, state, person, merchant_id, place_id, show_id, number, variant_id, platform, viewer_id, receipt_id, price_minor, currency, "+
			"answer_kind, answer_platform, answer_channel, answer_message, since_ms, claim_platform, claim_message, claim_part", "nttnnnnnttnntntttnttn"),
		place:       bulk.Update("places changed", "places", "quantity, state, person", "merchant_id, place_id", "nttnn", ""),
		mark:        bulk.Update("marks", "channels", "mark_ms", "merchant_id, platform, channel_id", "nntt", "").Raising(),
		effects:     bulk.Insert("effects", "effects", "merchant_id, effect_id, kind, body, not_after_ms", "nntbn"),
		effectsLeft: bulk.Update("effects left", "effects", "body", "merchant_id, effect_id", "bnn", ""),
		effectsDone: bulk.Delete("effects done", "effects", "merchant_id, effect_id", "nn"),
	}
}

// order has the forms that may wait in the journal as they are to run.
func (f *forms) order() []*bulk.Form {
	return []*bulk.Form{
		&f.ledger, &f.claim, &f.receipt, &f.holdNew, &f.holdMade, &f.placeNew, &f.effects, &f.hold, &f.place, &f.effectsLeft, &f.effectsDone, &f.mark,
	}
}

// parts are a batch as writes, the fence first: where it fails nothing else is tried.
func (db *DB) parts(bt *commerce.Batch) []bulk.Part {
	m := int64(bt.Merchant)
	out := make([]bulk.Part, 0, 12)
	add := func(sql string, args ...any) {
		out = append(out, bulk.Part{One: bulk.Statement{SQL: sql, Args: args, Rows: -1}})
	}
	many := func(f *bulk.Form, count int) *bulk.Rows {
		r := &bulk.Rows{Form: f, Vals: make([]bulk.Value, 0, count*len(f.Kinds))}
		if count > 0 {
			out = append(out, bulk.Part{Many: r})
		}
		return r
	}
	if k := len(bt.Entries); k == 0 {
		out = append(out, bulk.Part{One: bulk.Statement{SQL: sqlSeq, Args: []any{m, bt.Epoch, bt.Seq}, Rows: 1, Err: commerce.ErrFenced}})
	} else {
		first, last := &bt.Entries[0], &bt.Entries[k-1]
		out = append(out, bulk.Part{One: bulk.Statement{SQL: sqlFence, Args: []any{last.Seq, last.Hash[:], m, bt.Epoch, bt.Seq, first.Seq - 1}, Rows: 1, Err: commerce.ErrFenced}})
		many(&db.forms.ledger, 1).Add(bulk.Num(m), bulk.Num(last.Seq), bulk.Num(stored.MS(bt.At)), bulk.Num(0), bulk.Str(blockKind), bulk.Num(blockVersion), bulk.Bytes(packEntries(bt.Entries)),
			bulk.Bytes(first.Prev[:]), bulk.Bytes(last.Hash[:]))
	}
	claims := many(&db.forms.claim, len(bt.Decisions))
	for i := range bt.Decisions {
		d := &bt.Decisions[i]
		claims.Add(bulk.Num(m), bulk.Str(d.Key.Platform), bulk.Str(d.Key.Message), bulk.Num(d.Key.Part), bulk.Num(d.Show), bulk.Str(d.Viewer.Platform), bulk.Str(d.Viewer.ID), bulk.Str(d.Kind), bulk.Num(d.Number), bulk.Num(d.Variant), bulk.Num(d.Quantity),
			bulk.Str(d.Reason), bulk.Num(d.Hold), bulk.Num(stored.MS(d.At)))
	}
	receipts := many(&db.forms.receipt, len(bt.Receipts))
	for _, r := range bt.Receipts {
		receipts.Add(bulk.Num(m), bulk.Num(r.ID), bulk.Num(r.Show), bulk.Str(r.Viewer.Platform), bulk.Str(r.Viewer.ID), bulk.Str(r.Viewer.Name), bulk.Num(r.Generation))
	}
	moves := &bulk.Rows{Form: &db.forms.stock}
	for _, x := range bt.Stock {
		if x.Set {
			add(sqlStockNew, m, int64(x.Variant))
			add(sqlStockSet, x.Held, x.Sold, x.To.Available, x.To.Short, x.To.Safety, stored.Flag(x.To.Endless), stored.MS(x.To.Read), m, int64(x.Variant))
		} else {
			moves.Add(bulk.Num(x.Held), bulk.Num(x.Sold), bulk.Num(m), bulk.Num(x.Variant))
		}
	}
	if moves.Len() > 0 {
		out = append(out, bulk.Part{Many: moves})
	}
	out = db.holdParts(out, m, bt)
	for i := range bt.Shows { // all of them first, so that a channel may go from one to the other
		add(sqlShowChannelsGone, m, int64(bt.Shows[i].ID))
	}
	for i := range bt.Shows {
		for _, st := range showStatements(m, &bt.Shows[i]) {
			out = append(out, bulk.Part{One: st})
		}
	}
	for i := range bt.Orders {
		o := &bt.Orders[i]
		add(sqlOrder, m, o.Store, o.Name, int64(o.Show), string(o.State), o.Total.Minor, o.Total.Currency, asJSON(o.Lines), asJSON(o.Holds), o.Draft, asJSON(o.Took),
			o.Unfilled, stored.Flag(o.Late), stored.Flag(o.Paid), stored.Flag(o.Test), string(o.Viewer.Platform), o.Viewer.ID, stored.MS(o.Created), stored.MS(o.Updated))
	}
	for _, v := range bt.Bindings {
		add(sqlBind, m, string(v.Viewer.Platform), v.Viewer.ID, v.Viewer.Name, v.Person, stored.MS(v.At), stored.MS(bt.At))
	}
	marks := many(&db.forms.mark, len(bt.Watermarks))
	for c, t := range bt.Watermarks {
		marks.Add(bulk.Num(stored.MS(t)), bulk.Num(m), bulk.Str(c.Platform), bulk.Str(c.ID))
	}
	if bt.Reopened {
		add(`UPDATE tills SET restored_ms = 0 WHERE merchant_id = $1`, m)
	}
	for _, id := range bt.Inbox {
		add(sqlInbox, m, id)
	}
	return out
}

// untouched reports whether nothing happened to a hold since it was made.
func untouched(h *commerce.Hold) bool {
	return !h.Opened && !h.Reminded && !h.Unheard && !h.Extended && !h.Contained && !h.Late && h.Draft == "" && h.Checkout == "" && h.Order == "" && h.DraftAt.IsZero()
}

// holdParts are the holds and places of a batch.
func (db *DB) holdParts(out []bulk.Part, m int64, bt *commerce.Batch) []bulk.Part {
	fresh, made, changed := &bulk.Rows{Form: &db.forms.holdNew}, &bulk.Rows{Form: &db.forms.holdMade}, &bulk.Rows{Form: &db.forms.hold}
	fresh.Vals = make([]bulk.Value, 0, len(bt.NewHolds)*len(db.forms.holdNew.Kinds))
	for i := range bt.Holds {
		h := &bt.Holds[i]
		isNew := bt.NewHolds[h.ID]
		if isNew && untouched(h) {
			fresh.Add(bulk.Num(m), bulk.Num(h.ID), bulk.Num(h.Show), bulk.Num(h.Number), bulk.Num(h.Variant), bulk.Str(h.Viewer.Platform), bulk.Str(h.Viewer.ID), bulk.Str(h.Person), bulk.Num(h.Receipt), bulk.Num(h.Quantity), bulk.Num(h.Price.Minor),
				bulk.Str(h.Price.Currency), bulk.Str(h.State), bulk.Str(h.Claim.Platform), bulk.Str(h.Claim.Message), bulk.Num(h.Claim.Part),
				bulk.Num(stored.MS(h.Decided)), bulk.Num(stored.MS(h.Due)), bulk.Num(stored.MS(h.Expires)))
			continue
		}
		r := changed
		if isNew {
			r = made
		}
		r.Add(bulk.Num(h.Quantity), bulk.Str(h.State), bulk.Str(h.Person), bulk.Num(stored.MS(h.Due)), bulk.Num(stored.MS(h.Expires)),
			bulk.Num(stored.Flag(h.Opened)), bulk.Num(stored.Flag(h.Reminded)), bulk.Num(stored.Flag(h.Unheard)), bulk.Num(stored.Flag(h.Extended)), bulk.Str(h.Draft),
			bulk.Str(h.Checkout), bulk.Num(stored.MS(h.DraftAt)), bulk.Num(stored.Flag(h.Contained)), bulk.Str(h.Order), bulk.Num(stored.Flag(h.Late)), bulk.Num(m), bulk.Num(h.ID))
		if isNew {
			r.Add(bulk.Num(h.Show), bulk.Num(h.Number), bulk.Num(h.Variant), bulk.Str(h.Viewer.Platform), bulk.Str(h.Viewer.ID), bulk.Num(h.Receipt), bulk.Num(h.Price.Minor), bulk.Str(h.Price.Currency), bulk.Str(h.Claim.Platform),
				bulk.Str(h.Claim.Message), bulk.Num(h.Claim.Part), bulk.Num(stored.MS(h.Decided)))
		}
	}
	newPlaces, places := &bulk.Rows{Form: &db.forms.placeNew}, &bulk.Rows{Form: &db.forms.place}
	for i := range bt.Places {
		p := &bt.Places[i]
		if !bt.NewPlaces[p.ID] {
			places.Add(bulk.Num(p.Quantity), bulk.Str(p.State), bulk.Str(p.Person), bulk.Num(m), bulk.Num(p.ID))
			continue
		}
		a := public(p.Answer)
		newPlaces.Add(bulk.Num(p.Quantity), bulk.Str(p.State), bulk.Str(p.Person), bulk.Num(m), bulk.Num(p.ID), bulk.Num(p.Show), bulk.Num(p.Number), bulk.Num(p.Variant), bulk.Str(p.Viewer.Platform), bulk.Str(p.Viewer.ID), bulk.Num(p.Receipt),
			bulk.Num(p.Price.Minor), bulk.Str(p.Price.Currency), bulk.Num(int(a.Kind)), bulk.Str(a.Channel.Platform), bulk.Str(a.Channel.ID), bulk.Str(a.Message),
			bulk.Num(stored.MS(p.Since)), bulk.Str(p.Claim.Platform), bulk.Str(p.Claim.Message),
			bulk.Num(p.Claim.Part))
	}
	for _, r := range []*bulk.Rows{fresh, made, changed, newPlaces, places} {
		if r.Len() > 0 {
			out = append(out, bulk.Part{Many: r})
		}
	}
	return out
}

// public is where an answer goes when the private way to the viewer has ended: the channel.
func public(a chat.Answer) chat.Answer {
	if a.Kind == chat.ToPrivate {
		return chat.Answer{Kind: chat.ToChannel, Channel: a.Channel}
	}
	return a
}

// blob is b, and not NULL when it is empty.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // our own plain types
		panic(err)
	}
	return string(b)
}

func showStatements(m int64, s *commerce.Show) []bulk.Statement {
	id := int64(s.ID)
	out := []bulk.Statement{{SQL: sqlShow, Args: []any{
		m, id, s.Name, s.Title, string(s.State), s.Hold.Milliseconds(), string(s.Holds), asJSON(s.Lineup.Styles), s.Lineup.OnAir, pausedMS(s),
		stored.MS(s.Started), stored.MS(s.Ended), s.Cap, s.PayOnce.Milliseconds(), asJSON(s.Guard),
	}, Rows: 1, Err: errors.New("no show row")}}
	add := func(sql string, args ...any) { out = append(out, bulk.Statement{SQL: sql, Args: args, Rows: -1}) }
	for _, c := range s.Channels {
		add(sqlShowChannel, m, id, string(c.Platform), c.ID, stored.Flag(s.State == commerce.ShowLive))
	}
	add(`DELETE FROM items WHERE merchant_id = $1 AND show_id = $2`, m, id)
	for i := range s.Lineup.Items {
		it := &s.Lineup.Items[i]
		add(`INSERT INTO items (merchant_id, show_id, number, position, product_id, code, cap, hold_ms, price_minor, currency, closed, first_paid)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			m, id, it.Number, i, int64(it.Product.ID), it.Code, it.Cap, it.Hold.Milliseconds(), it.Price.Minor, it.Price.Currency, stored.Flag(it.Closed), stored.Flag(it.FirstPaid))
	}
	return out
}

func pausedMS(s *commerce.Show) int64 {
	if !s.Paused {
		return 0
	}
	return stored.MS(s.PausedAt)
}

var _ commerce.Ledger = (*DB)(nil)

// Commit writes a batch behind its fence, all or nothing, synced to disk when it returns nil. Errors are those of
// commerce.Ledger, ErrTaken where a show's name or channel is another's, or the database's own; after any error nothing
// of the batch is written, except that after commerce.ErrUnknown nobody knows. On SQLite ctx counts until the batch is
// handed in.
func (db *DB) Commit(ctx context.Context, bt *commerce.Batch) error {
	parts, done := db.parts(bt), db.outbox.plan(db.forms, bt)
	parts = append(parts, done.parts...)
	var err error
	if db.pool != nil {
		err = db.journal.Commit(ctx, bt, parts)
		var f *bulk.Failed
		if errors.As(err, &f) && !errors.Is(err, commerce.ErrRepeated) {
			err = told(f.Err, f.Part)
		}
	} else {
		err = db.commitLite(ctx, parts)
	}
	if err == nil {
		done.keep()
	}
	if errors.Is(err, commerce.ErrFenced) && db.rules(ctx, bt) {
		return errors.New("the ledger does not end where the batch goes on")
	}
	return err
}

// rules reports whether the fence still stands where a refused batch says, so that it was not refused because of another owner.
func (db *DB) rules(ctx context.Context, bt *commerce.Batch) bool {
	var epoch, seq int64
	err := db.read.QueryRowContext(ctx, `SELECT epoch, seq FROM tills WHERE merchant_id = $1`, int64(bt.Merchant)).Scan(&epoch, &seq)
	return err == nil && epoch == bt.Epoch && seq == bt.Seq
}

// told says what a failed part means to who committed the batch.
func told(err error, p *bulk.Part) error {
	if !isTaken(err) {
		return err
	}
	switch {
	case p.Many != nil && p.Many.Form.Name == "claims": // one of its keys had been decided before
		return commerce.ErrRepeated
	case p.One.SQL == sqlShow:
		return fmt.Errorf("show %v: %w", p.One.Args[2], ErrTaken)
	case p.One.SQL == sqlShowChannel:
		return fmt.Errorf("channel %v/%v is in another live show: %w", p.One.Args[2], p.One.Args[3], ErrTaken)
	}
	return err
}
