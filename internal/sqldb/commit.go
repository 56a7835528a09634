package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
)

// statement is one write with its arguments. Rows, when not negative, is how many rows it must touch.
type statement struct {
	sql  string
	args []any
	rows int64
	err  error // returned when rows differ
}

const (
	sqlFence = `UPDATE tills SET seq = seq + 1, entry = $1, hash = $2 WHERE merchant_id = $3 AND epoch = $4 AND seq = $5`
	sqlClaim = `INSERT INTO claims (merchant_id, platform, message_id, part, show_id, viewer_platform, viewer_id, kind, number, variant_id, quantity, reason, hold_id,
decided_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	sqlHoldNew = `INSERT INTO holds (quantity, state, person, due_ms, expires_ms, opened, reminded, unheard, extended, draft, checkout, draft_ms, contained, order_store,
late, merchant_id, hold_id, show_id, number, variant_id, platform, viewer_id, receipt_id, price_minor, currency, claim_platform, claim_message, claim_part, decided_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)`
	sqlHold = `UPDATE holds SET quantity = $1, state = $2, person = $3, due_ms = $4, expires_ms = $5, opened = $6, reminded = $7, unheard = $8, extended = $9, draft = $10,
checkout = $11, draft_ms = $12, contained = $13, order_store = $14, late = $15 WHERE merchant_id = $16 AND hold_id = $17`
	sqlReceipt  = `INSERT INTO receipts (merchant_id, receipt_id, show_id, platform, viewer_id, generation, token_hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	sqlPlaceNew = `INSERT INTO places (quantity, state, person, merchant_id, place_id, show_id, number, variant_id, platform, viewer_id, receipt_id, price_minor, currency,
answer_kind, answer_platform, answer_channel, answer_message, since_ms, claim_platform, claim_message, claim_part)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`
	sqlPlace     = `UPDATE places SET quantity = $1, state = $2, person = $3 WHERE merchant_id = $4 AND place_id = $5`
	sqlStockMove = `UPDATE stock SET held = held + $1, sold = sold + $2 WHERE merchant_id = $3 AND variant_id = $4`
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
	sqlViewer = `INSERT INTO viewers (merchant_id, platform, viewer_id, name, seen_ms) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (merchant_id, platform, viewer_id) DO UPDATE SET name = excluded.name, seen_ms = excluded.seen_ms`
	sqlBind = `INSERT INTO viewers (merchant_id, platform, viewer_id, name, person, joined_ms, seen_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (merchant_id, platform, viewer_id) DO UPDATE SET person = excluded.person, joined_ms = excluded.joined_ms`
	sqlEffect     = `INSERT INTO effects (merchant_id, effect_id, kind, body, not_after_ms) VALUES ($1, $2, $3, $4, $5)`
	sqlEffectDone = `DELETE FROM effects WHERE merchant_id = $1 AND effect_id = $2`
	sqlMark       = `UPDATE channels SET mark_ms = $1 WHERE merchant_id = $2 AND platform = $3 AND channel_id = $4 AND mark_ms < $1`
	sqlInbox      = `UPDATE inbox SET done = 1, body = '' WHERE merchant_id = $1 AND webhook_id = $2` // its buyer's name and address go
	sqlShow       = `INSERT INTO shows (merchant_id, show_id, name, title, state, hold_ms, holds, styles, on_air, paused_ms, started_ms, ended_ms, cap, pay_once_ms, guard)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (merchant_id, show_id) DO UPDATE SET name = excluded.name, title = excluded.title, state = excluded.state, hold_ms = excluded.hold_ms,
holds = excluded.holds, styles = excluded.styles, on_air = excluded.on_air, paused_ms = excluded.paused_ms, started_ms = excluded.started_ms,
ended_ms = excluded.ended_ms, cap = excluded.cap, pay_once_ms = excluded.pay_once_ms, guard = excluded.guard`
	sqlShowChannelsGone = `DELETE FROM show_channels WHERE merchant_id = $1 AND show_id = $2`
	sqlShowChannel      = `INSERT INTO show_channels (merchant_id, show_id, platform, channel_id, live) VALUES ($1, $2, $3, $4, $5)`
	sqlLedger           = `INSERT INTO ledger (merchant_id, seq, at_ms, show_id, kind, v, body, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
)

// statements are a batch as writes, the fence first: where it fails nothing else is tried.
func (db *DB) statements(b *commerce.Batch) []statement {
	m := int64(b.Merchant)
	out := make([]statement, 0, 2+len(b.Decisions)+len(b.Holds)+len(b.Effects)+len(b.Entries)+len(b.Stock))
	add := func(sql string, args ...any) { out = append(out, statement{sql: sql, args: args, rows: -1}) }
	if n := len(b.Entries); n > 0 {
		out = append(out, statement{sqlFence, []any{b.Entries[n-1].Seq, b.Entries[n-1].Hash[:], m, b.Epoch, b.Seq}, 1, commerce.ErrFenced})
	} else {
		out = append(out, statement{`UPDATE tills SET seq = seq + 1 WHERE merchant_id = $1 AND epoch = $2 AND seq = $3`, []any{m, b.Epoch, b.Seq}, 1, commerce.ErrFenced})
	}
	for _, d := range b.Decisions {
		add(sqlClaim, m, string(d.Key.Platform), d.Key.Message, d.Key.Part, int64(d.Show), string(d.Viewer.Platform), d.Viewer.ID, d.Kind, d.Number, int64(d.Variant), d.Quantity,
			string(d.Reason), int64(d.Hold), ms(d.At))
	}
	for _, r := range b.Receipts {
		add(sqlReceipt, m, int64(r.ID), int64(r.Show), string(r.Viewer.Platform), r.Viewer.ID, r.Generation, db.receiptHash(b.Merchant, r.ID, r.Generation))
	}
	for _, s := range b.Stock {
		if s.Set {
			add(sqlStockNew, m, int64(s.Variant))
			add(sqlStockSet, s.Held, s.Sold, s.To.Available, s.To.Short, s.To.Safety, flag(s.To.Endless), ms(s.To.Read), m, int64(s.Variant))
		} else {
			out = append(out, statement{sqlStockMove, []any{s.Held, s.Sold, m, int64(s.Variant)}, 1, errors.New("no stock row")})
		}
	}
	for i := range b.Holds {
		h := &b.Holds[i]
		args := []any{
			h.Quantity, string(h.State), h.Person, ms(h.Due), ms(h.Expires), flag(h.Opened), flag(h.Reminded), flag(h.Unheard), flag(h.Extended), h.Draft, h.Checkout, ms(h.DraftAt), flag(h.Contained),
			h.Order, flag(h.Late), m, int64(h.ID),
		}
		if b.NewHolds[h.ID] {
			add(sqlHoldNew, append(args, int64(h.Show), h.Number, int64(h.Variant), string(h.Viewer.Platform), h.Viewer.ID, int64(h.Receipt), h.Price.Minor,
				h.Price.Currency, string(h.Claim.Platform), h.Claim.Message, h.Claim.Part, ms(h.Decided))...)
		} else {
			out = append(out, statement{sqlHold, args, 1, fmt.Errorf("no hold %d", h.ID)})
		}
	}
	for i := range b.Places {
		p := &b.Places[i]
		if b.NewPlaces[p.ID] {
			a := public(p.Answer)
			add(sqlPlaceNew, p.Quantity, string(p.State), p.Person, m, int64(p.ID), int64(p.Show), p.Number, int64(p.Variant), string(p.Viewer.Platform), p.Viewer.ID,
				int64(p.Receipt), p.Price.Minor, p.Price.Currency, int(a.Kind), string(a.Channel.Platform), a.Channel.ID, a.Message, ms(p.Since),
				string(p.Claim.Platform), p.Claim.Message, p.Claim.Part)
		} else {
			out = append(out, statement{sqlPlace, []any{p.Quantity, string(p.State), p.Person, m, int64(p.ID)}, 1, fmt.Errorf("no place %d", p.ID)})
		}
	}
	for i := range b.Shows { // all of them first, so that a channel may go from one to the other
		add(sqlShowChannelsGone, m, int64(b.Shows[i].ID))
	}
	for i := range b.Shows {
		out = append(out, showStatements(m, &b.Shows[i])...)
	}
	for i := range b.Orders {
		o := &b.Orders[i]
		add(sqlOrder, m, o.Store, o.Name, int64(o.Show), string(o.State), o.Total.Minor, o.Total.Currency, asJSON(o.Lines), asJSON(o.Holds), o.Draft, asJSON(o.Took),
			o.Unfilled, flag(o.Late), flag(o.Paid), flag(o.Test), string(o.Viewer.Platform), o.Viewer.ID, ms(o.Created), ms(o.Updated))
	}
	for _, v := range b.Viewers {
		add(sqlViewer, m, string(v.Platform), v.ID, v.Name, ms(b.At))
	}
	for _, v := range b.Bindings {
		add(sqlBind, m, string(v.Viewer.Platform), v.Viewer.ID, v.Viewer.Name, v.Person, ms(v.At), ms(b.At))
	}
	for _, e := range b.Effects {
		add(sqlEffect, m, int64(e.ID), e.Kind, blob(e.Body), ms(e.NotAfter))
	}
	for _, id := range b.Done {
		add(sqlEffectDone, m, int64(id))
	}
	for c, t := range b.Watermarks {
		add(sqlMark, ms(t), m, string(c.Platform), c.ID)
	}
	if b.Reopened {
		add(`UPDATE tills SET restored_ms = 0 WHERE merchant_id = $1`, m)
	}
	for _, id := range b.Inbox {
		add(sqlInbox, m, id)
	}
	for i := range b.Entries {
		e := &b.Entries[i]
		add(sqlLedger, m, e.Seq, ms(e.At), int64(e.Show), e.Kind, commerce.EntryVersion, blob(e.Body), e.Prev[:], e.Hash[:])
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

// receiptHash is what SQL holds of a receipt's secret address.
func (db *DB) receiptHash(merchant, receipt commerce.ID, generation int) []byte {
	return seal.Hash(db.ReceiptToken(merchant, receipt, generation))
}

// commitCall is a batch on its way to the SQLite committer.
type commitCall struct {
	stmts []statement
	err   chan error
}

var _ commerce.Ledger = (*DB)(nil)

// Commit writes a batch behind its fence, all or nothing, synced to disk when it returns nil. Errors are those of
// commerce.Ledger, ErrTaken where a show's name or channel is another's, or the database's own; after any error nothing
// of the batch is written, except that after commerce.ErrUnknown nobody knows. On SQLite ctx counts until the batch is
// handed in.
func (db *DB) Commit(ctx context.Context, b *commerce.Batch) error {
	stmts := db.statements(b)
	if db.pool != nil {
		return db.commitPostgres(ctx, stmts)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	call := commitCall{stmts, make(chan error, 1)}
	select {
	case db.commit <- call:
	case <-ctx.Done():
		return ctx.Err()
	case <-db.stop:
		return errClosing
	}
	select {
	case err := <-call.err:
		return err
	case <-db.done: // it was handed in while the committer was leaving
		select {
		case err := <-call.err:
			return err
		default:
			return errClosing
		}
	}
}

// committer joins the batches that wait, of all merchants, into one transaction and so into one disk sync. It has a
// connection of its own, so that its statements stay prepared.
func (db *DB) committer(conn *sql.Conn) {
	defer close(db.done)
	c := &liteCommitter{conn: conn, prepared: map[string]*sql.Stmt{}}
	defer c.close()
	for {
		var calls []commitCall
		select {
		case call := <-db.commit:
			calls = append(calls, call)
		case <-db.stop:
			for { // who handed a batch in gets an answer
				select {
				case call := <-db.commit:
					call.err <- errClosing
				default:
					return
				}
			}
		}
		for len(calls) < cap(db.commit) {
			select {
			case call := <-db.commit:
				calls = append(calls, call)
				continue
			default:
			}
			break
		}
		give := db.write.take()
		errs := c.write(calls)
		give()
		for i, err := range errs {
			calls[i].err <- err
		}
	}
}

var errClosing = errors.New("the database is closing")

type liteCommitter struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

func (c *liteCommitter) close() {
	for _, s := range c.prepared {
		_ = s.Close()
	}
	_ = c.conn.Close()
}

// exec runs one statement, prepared the first time. A commit takes milliseconds and is never torn down half done, hence
// the background context.
func (c *liteCommitter) exec(st statement) error {
	p, ok := c.prepared[st.sql]
	if !ok {
		var err error
		if p, err = c.conn.PrepareContext(context.Background(), st.sql); err != nil {
			return &statementError{st.sql, err}
		}
		c.prepared[st.sql] = p
	}
	res, err := p.ExecContext(context.Background(), st.args...)
	return checkRows(res, err, st)
}

func (c *liteCommitter) do(sql string) error { return c.exec(statement{sql: sql, rows: -1}) }

// write commits the calls in one transaction; a call that fails is taken out and the rest committed.
func (c *liteCommitter) write(calls []commitCall) []error {
	errs := make([]error, len(calls))
	fail := func(err error) []error {
		_ = c.do("ROLLBACK")
		for i := range errs {
			if errs[i] == nil {
				errs[i] = err
			}
		}
		return errs
	}
	if err := c.do("BEGIN IMMEDIATE"); err != nil {
		return fail(err)
	}
	for i, call := range calls {
		if len(calls) == 1 { // nobody else to save from this call's failure
			if err := c.all(call.stmts); err != nil {
				return fail(err)
			}
			break
		}
		if err := c.do("SAVEPOINT batch"); err != nil {
			return fail(err)
		}
		if errs[i] = c.all(call.stmts); errs[i] != nil {
			if err := c.do("ROLLBACK TO batch"); err != nil {
				return fail(err)
			}
		}
		if err := c.do("RELEASE batch"); err != nil {
			return fail(err)
		}
	}
	if err := c.do("COMMIT"); err != nil {
		return fail(fmt.Errorf("%w: %w", commerce.ErrUnknown, err))
	}
	return errs
}

func (c *liteCommitter) all(stmts []statement) error {
	for _, st := range stmts {
		if err := c.exec(st); err != nil {
			return told(err, st)
		}
	}
	return nil
}

// statementError says which statement failed, by its first words, without its arguments.
type statementError struct {
	sql string
	err error
}

func (e *statementError) Error() string { return fmt.Sprintf("%.24s...: %v", e.sql, e.err) }

func (e *statementError) Unwrap() error { return e.err }

func checkRows(res sql.Result, err error, st statement) error {
	if err != nil {
		return &statementError{st.sql, err}
	}
	if st.rows < 0 {
		return nil
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n != st.rows {
		return st.err
	}
	return nil
}

// told says what a failed statement means to who committed the batch.
func told(err error, st statement) error {
	if !isTaken(err) {
		return err
	}
	switch st.sql {
	case sqlClaim: // one of its keys had been decided before
		return commerce.ErrRepeated
	case sqlShow:
		return fmt.Errorf("show %v: %w", st.args[2], ErrTaken)
	case sqlShowChannel:
		return fmt.Errorf("channel %v/%v is in another live show: %w", st.args[2], st.args[3], ErrTaken)
	}
	return err
}

// commitPostgres sends all statements at once, so that a batch costs one round trip and the commit another.
func (db *DB) commitPostgres(ctx context.Context, stmts []statement) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	var pb pgx.Batch
	for _, st := range stmts {
		pb.Queue(st.sql, st.args...)
	}
	res := tx.SendBatch(ctx, &pb)
	for _, st := range stmts {
		tag, err := res.Exec()
		if err == nil && st.rows >= 0 && tag.RowsAffected() != st.rows {
			err = st.err
		} else if err != nil {
			err = &statementError{st.sql, err}
		}
		if err != nil {
			_ = res.Close()
			return told(err, st)
		}
	}
	if err := res.Close(); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("%w: %w", commerce.ErrUnknown, err)
	}
	return nil
}
