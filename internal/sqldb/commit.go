package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"hawker/commerce"
	"hawker/internal/chat"
)

// statement is one write with its arguments. Rows, when not negative, is how many rows it must touch.
type statement struct {
	sql  string
	args []any
	rows int64
	err  error // returned when rows differ
}

// part is one step of a batch: a statement, or rows of one form.
type part struct {
	one  statement
	many *rows
}

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
	sqlMark  = `UPDATE channels SET mark_ms = $1 WHERE merchant_id = $2 AND platform = $3 AND channel_id = $4 AND mark_ms < $1`
	sqlInbox = `UPDATE inbox SET done = 1, body = '' WHERE merchant_id = $1 AND webhook_id = $2` // its buyer's name and address go
	sqlShow  = `INSERT INTO shows (merchant_id, show_id, name, title, state, hold_ms, holds, styles, on_air, paused_ms, started_ms, ended_ms, cap, pay_once_ms, guard)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (merchant_id, show_id) DO UPDATE SET name = excluded.name, title = excluded.title, state = excluded.state, hold_ms = excluded.hold_ms,
holds = excluded.holds, styles = excluded.styles, on_air = excluded.on_air, paused_ms = excluded.paused_ms, started_ms = excluded.started_ms,
ended_ms = excluded.ended_ms, cap = excluded.cap, pay_once_ms = excluded.pay_once_ms, guard = excluded.guard`
	sqlShowChannelsGone = `DELETE FROM show_channels WHERE merchant_id = $1 AND show_id = $2`
	sqlShowChannel      = `INSERT INTO show_channels (merchant_id, show_id, platform, channel_id, live) VALUES ($1, $2, $3, $4, $5)`
	sqlLedger           = `INSERT INTO ledger (merchant_id, seq, at_ms, show_id, kind, v, body, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
)

// forms are the statements of which a batch has many rows.
type forms struct {
	claim, receipt, stock, holdNew, holdMade, hold, placeNew, place form
}

func newForms() *forms {
	return &forms{
		claim: insert("claims", "merchant_id, platform, message_id, part, show_id, viewer_platform, viewer_id, kind, number, variant_id, quantity, reason, hold_id, decided_ms",
			"nttnnttt"+"nnntnn", ""),
		receipt: insert("receipts", "merchant_id, receipt_id, show_id, platform, viewer_id, name, generation", "nnntttn", ""),
		stock:   update("stock", "held, sold", "merchant_id, variant_id", "nnnn", "held, sold"),
		// As nearly all holds begin: what happened to none of them yet stands in the table's defaults.
		holdNew: insert("holds", "merchant_id, hold_id, show_id, number, variant_id, platform, viewer_id, person, receipt_id, quantity, price_minor, currency, state, "+
			"claim_platform, claim_message, claim_part, decided_ms, due_ms, expires_ms", "nnnnntttnnnttttn"+"nnn", ""),
		holdMade: insert("holds", "quantity, state, person, due_ms, expires_ms, opened, reminded, unheard, extended, draft, checkout, draft_ms, contained, order_store, late, "+
			"merchant_id, hold_id, show_id, number, variant_id, platform, viewer_id, receipt_id, price_minor, currency, claim_platform, claim_message, claim_part, decided_ms",
			"nttnnnnnnttnntn"+"nnnnnttnnttt"+"nn", ""),
		hold: update("holds", "quantity, state, person, due_ms, expires_ms, opened, reminded, unheard, extended, draft, checkout, draft_ms, contained, order_store, late",
			"merchant_id, hold_id", "nttnnnnnnttnntn"+"nn", ""),
		placeNew: insert("places", "quantity, state, person, merchant_id, place_id, show_id, number, variant_id, platform, viewer_id, receipt_id, price_minor, currency, "+
			"answer_kind, answer_platform, answer_channel, answer_message, since_ms, claim_platform, claim_message, claim_part", "nttnnnnnttnntntttnttn", ""),
		place: update("places", "quantity, state, person", "merchant_id, place_id", "nttnn", ""),
	}
}

// parts are a batch as writes, the fence first: where it fails nothing else is tried.
func (db *DB) parts(bt *commerce.Batch) []part {
	m := int64(bt.Merchant)
	out := make([]part, 0, 12)
	add := func(sql string, args ...any) { out = append(out, part{one: statement{sql: sql, args: args, rows: -1}}) }
	many := func(f *form, count int) *rows {
		r := &rows{form: f, vals: make([]value, 0, count*len(f.kinds))}
		if count > 0 {
			out = append(out, part{many: r})
		}
		return r
	}
	if k := len(bt.Entries); k == 0 {
		out = append(out, part{one: statement{sqlSeq, []any{m, bt.Epoch, bt.Seq}, 1, commerce.ErrFenced}})
	} else {
		first, last := &bt.Entries[0], &bt.Entries[k-1]
		out = append(out, part{one: statement{sqlFence, []any{last.Seq, last.Hash[:], m, bt.Epoch, bt.Seq, first.Seq - 1}, 1, commerce.ErrFenced}})
		add(sqlLedger, m, last.Seq, ms(bt.At), 0, blockKind, blockVersion, packEntries(bt.Entries), first.Prev[:], last.Hash[:])
	}
	claims := many(&db.forms.claim, len(bt.Decisions))
	for i := range bt.Decisions {
		d := &bt.Decisions[i]
		claims.add(num(m), str(d.Key.Platform), str(d.Key.Message), num(d.Key.Part), num(d.Show), str(d.Viewer.Platform), str(d.Viewer.ID), str(d.Kind), num(d.Number), num(d.Variant), num(d.Quantity),
			str(d.Reason), num(d.Hold), num(ms(d.At)))
	}
	receipts := many(&db.forms.receipt, len(bt.Receipts))
	for _, r := range bt.Receipts {
		receipts.add(num(m), num(r.ID), num(r.Show), str(r.Viewer.Platform), str(r.Viewer.ID), str(r.Viewer.Name), num(r.Generation))
	}
	moves := &rows{form: &db.forms.stock}
	for _, x := range bt.Stock {
		if x.Set {
			add(sqlStockNew, m, int64(x.Variant))
			add(sqlStockSet, x.Held, x.Sold, x.To.Available, x.To.Short, x.To.Safety, flag(x.To.Endless), ms(x.To.Read), m, int64(x.Variant))
		} else {
			moves.add(num(x.Held), num(x.Sold), num(m), num(x.Variant))
		}
	}
	if moves.len() > 0 {
		out = append(out, part{many: moves})
	}
	out = db.holdParts(out, m, bt)
	for i := range bt.Shows { // all of them first, so that a channel may go from one to the other
		add(sqlShowChannelsGone, m, int64(bt.Shows[i].ID))
	}
	for i := range bt.Shows {
		for _, st := range showStatements(m, &bt.Shows[i]) {
			out = append(out, part{one: st})
		}
	}
	for i := range bt.Orders {
		o := &bt.Orders[i]
		add(sqlOrder, m, o.Store, o.Name, int64(o.Show), string(o.State), o.Total.Minor, o.Total.Currency, asJSON(o.Lines), asJSON(o.Holds), o.Draft, asJSON(o.Took),
			o.Unfilled, flag(o.Late), flag(o.Paid), flag(o.Test), string(o.Viewer.Platform), o.Viewer.ID, ms(o.Created), ms(o.Updated))
	}
	for _, v := range bt.Bindings {
		add(sqlBind, m, string(v.Viewer.Platform), v.Viewer.ID, v.Viewer.Name, v.Person, ms(v.At), ms(bt.At))
	}
	for c, t := range bt.Watermarks {
		add(sqlMark, ms(t), m, string(c.Platform), c.ID)
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
func (db *DB) holdParts(out []part, m int64, bt *commerce.Batch) []part {
	fresh, made, changed := &rows{form: &db.forms.holdNew}, &rows{form: &db.forms.holdMade}, &rows{form: &db.forms.hold}
	fresh.vals = make([]value, 0, len(bt.NewHolds)*len(db.forms.holdNew.kinds))
	for i := range bt.Holds {
		h := &bt.Holds[i]
		isNew := bt.NewHolds[h.ID]
		if isNew && untouched(h) {
			fresh.add(num(m), num(h.ID), num(h.Show), num(h.Number), num(h.Variant), str(h.Viewer.Platform), str(h.Viewer.ID), str(h.Person), num(h.Receipt), num(h.Quantity), num(h.Price.Minor),
				str(h.Price.Currency), str(h.State), str(h.Claim.Platform), str(h.Claim.Message), num(h.Claim.Part), num(ms(h.Decided)), num(ms(h.Due)), num(ms(h.Expires)))
			continue
		}
		r := changed
		if isNew {
			r = made
		}
		r.add(num(h.Quantity), str(h.State), str(h.Person), num(ms(h.Due)), num(ms(h.Expires)), num(flag(h.Opened)), num(flag(h.Reminded)), num(flag(h.Unheard)), num(flag(h.Extended)), str(h.Draft),
			str(h.Checkout), num(ms(h.DraftAt)), num(flag(h.Contained)), str(h.Order), num(flag(h.Late)), num(m), num(h.ID))
		if isNew {
			r.add(num(h.Show), num(h.Number), num(h.Variant), str(h.Viewer.Platform), str(h.Viewer.ID), num(h.Receipt), num(h.Price.Minor), str(h.Price.Currency), str(h.Claim.Platform),
				str(h.Claim.Message), num(h.Claim.Part), num(ms(h.Decided)))
		}
	}
	newPlaces, places := &rows{form: &db.forms.placeNew}, &rows{form: &db.forms.place}
	for i := range bt.Places {
		p := &bt.Places[i]
		if !bt.NewPlaces[p.ID] {
			places.add(num(p.Quantity), str(p.State), str(p.Person), num(m), num(p.ID))
			continue
		}
		a := public(p.Answer)
		newPlaces.add(num(p.Quantity), str(p.State), str(p.Person), num(m), num(p.ID), num(p.Show), num(p.Number), num(p.Variant), str(p.Viewer.Platform), str(p.Viewer.ID), num(p.Receipt),
			num(p.Price.Minor), str(p.Price.Currency), num(int(a.Kind)), str(a.Channel.Platform), str(a.Channel.ID), str(a.Message), num(ms(p.Since)), str(p.Claim.Platform), str(p.Claim.Message),
			num(p.Claim.Part))
	}
	for _, r := range []*rows{fresh, made, changed, newPlaces, places} {
		if r.len() > 0 {
			out = append(out, part{many: r})
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

func showStatements(m int64, s *commerce.Show) []statement {
	id := int64(s.ID)
	out := []statement{{sqlShow, []any{
		m, id, s.Name, s.Title, string(s.State), s.Hold.Milliseconds(), string(s.Holds), asJSON(s.Lineup.Styles), s.Lineup.OnAir, pausedMS(s),
		ms(s.Started), ms(s.Ended), s.Cap, s.PayOnce.Milliseconds(), asJSON(s.Guard),
	}, 1, errors.New("no show row")}}
	add := func(sql string, args ...any) { out = append(out, statement{sql: sql, args: args, rows: -1}) }
	for _, c := range s.Channels {
		add(sqlShowChannel, m, id, string(c.Platform), c.ID, flag(s.State == commerce.ShowLive))
	}
	add(`DELETE FROM items WHERE merchant_id = $1 AND show_id = $2`, m, id)
	for i := range s.Lineup.Items {
		it := &s.Lineup.Items[i]
		add(`INSERT INTO items (merchant_id, show_id, number, position, product_id, code, cap, hold_ms, price_minor, currency, closed, first_paid)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			m, id, it.Number, i, int64(it.Product.ID), it.Code, it.Cap, it.Hold.Milliseconds(), it.Price.Minor, it.Price.Currency, flag(it.Closed), flag(it.FirstPaid))
	}
	return out
}

func pausedMS(s *commerce.Show) int64 {
	if !s.Paused {
		return 0
	}
	return ms(s.PausedAt)
}

var _ commerce.Ledger = (*DB)(nil)

// Commit writes a batch behind its fence, all or nothing, synced to disk when it returns nil. Errors are those of
// commerce.Ledger, ErrTaken where a show's name or channel is another's, or the database's own; after any error nothing
// of the batch is written, except that after commerce.ErrUnknown nobody knows. On SQLite ctx counts until the batch is
// handed in.
func (db *DB) Commit(ctx context.Context, bt *commerce.Batch) error {
	parts, done := db.parts(bt), db.outbox.plan(bt)
	parts = append(parts, done.parts...)
	var err error
	if db.pool != nil {
		err = db.commitPostgres(ctx, parts)
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

// statementError says which statement failed, by its first words, without its arguments.
type statementError struct {
	sql string
	err error
}

func (e *statementError) Error() string { return fmt.Sprintf("%.24s...: %v", e.sql, e.err) }

func (e *statementError) Unwrap() error { return e.err }

// told says what a failed part means to who committed the batch.
func told(err error, p *part) error {
	if !isTaken(err) {
		return err
	}
	switch {
	case p.many != nil && p.many.form.name == "claims": // one of its keys had been decided before
		return commerce.ErrRepeated
	case p.one.sql == sqlShow:
		return fmt.Errorf("show %v: %w", p.one.args[2], ErrTaken)
	case p.one.sql == sqlShowChannel:
		return fmt.Errorf("channel %v/%v is in another live show: %w", p.one.args[2], p.one.args[3], ErrTaken)
	}
	return err
}
