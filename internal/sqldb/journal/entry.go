// Package journal makes batches durable on PostgreSQL as one row each, and writes what is in them to their tables later.
package journal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/sqldb/bulk"
)

// On PostgreSQL a batch becomes durable as one row. To write its ledger block, claims, holds, receipts and effects each where
// they belong takes several times as long as the sync, and nobody reads them there in that moment: the desk has them in memory.
// So a commit is one statement that moves the fence, takes the pieces from the stock rows (whose constraint refuses
// overselling), looks whether a key had been decided before, and adds the other rows to the journal as they will be written;
// what is rare (shows, orders, joined persons) goes to its tables in the same transaction. The projector writes the journal's
// rows to their tables when the rush is over, or after journalAge, many batches at a time, and takes them out of the journal
// in the same transaction. What it has not written when the process dies is written by who loads the merchant next; a reader
// that must see all asks for it first (settle, stillSnapshot).

// entry is a batch as the journal holds it.
type entry struct {
	merchant, seq int64 // the batch's Seq
	body          []byte
	count         int // rows in body
	keys          []key
	holds, places []int64 // that it adds
	effects       []int64
	ledger        []int64
	receipts      []receiptRow
	since         time.Time
}

func (e *entry) receiptIDs() []int64 {
	out := make([]int64, len(e.receipts))
	for i := range out {
		out[i] = e.receipts[i].id
	}
	return out
}

// key is the key of a claim.
type key struct {
	merchant          int64
	platform, message string
	part              int64
}

// receiptRow is what a receipt's address is checked against.
type receiptRow struct{ merchant, id, generation int64 }

// appending builds the statement that commits by the journal. It fails inside the database, as counted says: the fence by a
// division by zero, the others by a text that is no number and says what is wrong.
type appending struct {
	with, checks []string
	args         []any
}

// arg is the name of a parameter.
func (a *appending) arg(v any) string {
	a.args = append(a.args, v)
	return "$" + strconv.Itoa(len(a.args))
}

func (a *appending) statement() bulk.Statement {
	return bulk.Statement{
		SQL: "WITH " + strings.Join(a.with, ",\n") + "\nSELECT 1 / (SELECT count(*) FROM f)" + strings.Join(a.checks, ""), Args: a.args, Rows: -1, Err: commerce.ErrFenced,
	}
}

// none adds a check that a query counts nothing.
func (a *appending) none(name, query, fault string) {
	a.with = append(a.with, name+" AS ("+query+")")
	a.checks = append(a.checks, ", (SELECT CASE WHEN n = 0 THEN '0' ELSE '"+fault+"' || n END FROM "+name+")::int")
}

// Faults that the statement names.
const (
	faultRepeated = "repeated "
	faultStock    = "no stock row "
	faultAbsent   = "no row to change "
	faultUsed     = "used ids of "
)

// above adds a check that new ids are greater than all in their table, unless they are than top, which is. Theirs are, because ids
// grow with time; where a clock was set back, the database must look at each.
func (a *appending) above(table, column, m string, ids []int64, top int64) {
	if len(ids) > 0 && slices.Min(ids) <= top {
		a.none("m"+table, fmt.Sprintf("SELECT count(*) AS n FROM (SELECT max(%[1]s) AS id FROM %[2]s WHERE merchant_id = %[3]s) AS x WHERE id >= %[4]s",
			column, table, m, a.arg(slices.Min(ids))), faultUsed+table+" ")
	}
}

// entryOf turns a batch into the statement that commits it and what goes with it in the same transaction. Not ok are rows that
// PostgreSQL would refuse later: they are to be refused now.
func (j *Journal) entryOf(bt *commerce.Batch, parts []bulk.Part, top *top) (e *entry, all []bulk.Part, ok bool) {
	e = &entry{merchant: int64(bt.Merchant), seq: bt.Seq}
	a := &appending{}
	m := a.arg(e.merchant)
	fence := parts[0].One.Args
	if len(bt.Entries) == 0 {
		a.with = append(a.with, fmt.Sprintf("f AS (UPDATE tills SET seq = seq + 1 WHERE merchant_id = %s AND epoch = %s AND seq = %s RETURNING 1)", m, a.arg(bt.Epoch), a.arg(bt.Seq)))
	} else {
		a.with = append(a.with, fmt.Sprintf("f AS (UPDATE tills SET seq = seq + 1, entry = %s, hash = %s WHERE merchant_id = %s AND epoch = %s AND seq = %s AND entry = %s RETURNING 1)",
			a.arg(fence[0]), a.arg(fence[1]), m, a.arg(bt.Epoch), a.arg(bt.Seq), a.arg(fence[5])))
	}
	all = []bulk.Part{{}}
	var rows []*bulk.Rows
	for _, p := range parts[1:] {
		r := p.Many
		switch {
		case r == nil:
			all = append(all, p)
			continue
		case r.Form == j.Forms.Stock:
			a.takePieces(r, m)
			continue
		case !j.Forms.plain(r):
			return nil, nil, false
		}
		j.note(e, a, r, m, top)
		rows = append(rows, r)
		e.count += r.Len()
	}
	a.above("holds", "hold_id", m, e.holds, top.holds)
	a.above("places", "place_id", m, e.places, top.places)
	a.above("receipts", "receipt_id", m, e.receiptIDs(), top.receipts)
	if len(rows) > 0 {
		e.body = j.packer.Pack(rows)
		a.with = append(a.with, fmt.Sprintf("j AS (INSERT INTO journal (merchant_id, seq, body) VALUES (%s, %s, %s))", m, a.arg(bt.Seq), a.arg(e.body)))
	}
	all[0].One = a.statement()
	return e, all, true
}

// takePieces moves stock rows.
func (a *appending) takePieces(r *bulk.Rows, m string) {
	if v := r.Vals; r.Len() == 1 {
		a.with = append(a.with, fmt.Sprintf("s AS (UPDATE stock SET held = held + %s, sold = sold + %s WHERE merchant_id = %s AND variant_id = %s RETURNING 1)",
			a.arg(v[0].N), a.arg(v[1].N), m, a.arg(v[3].N)))
	} else {
		c := r.Arrays()
		a.with = append(a.with, fmt.Sprintf(`s AS (UPDATE stock SET held = stock.held + v.held, sold = stock.sold + v.sold FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])
AS v (held, sold, variant_id) WHERE stock.merchant_id = %s AND stock.variant_id = v.variant_id RETURNING 1)`, a.arg(bulk.Raw(c[0])), a.arg(bulk.Raw(c[1])), a.arg(bulk.Raw(c[3])), m))
	}
	a.none("t", fmt.Sprintf("SELECT %s::bigint - (SELECT count(*) FROM s) AS n", a.arg(int64(r.Len()))), faultStock)
}

// note takes down what rows add, and has checked what they rely on.
func (j *Journal) note(e *entry, a *appending, r *bulk.Rows, m string, top *top) {
	w, f := len(r.Form.Kinds), &j.Forms
	ids := func(column string) (out []int64) {
		c := r.Form.Column(column)
		for at := 0; at < len(r.Vals); at += w {
			out = append(out, r.Vals[at+c].N)
		}
		return out
	}
	there := func(table, column string, unknown []int64) {
		if len(unknown) == 0 {
			return
		}
		one := bulk.Delete("", table, column, "n")
		ask := bulk.Rows{Form: &one}
		for _, id := range unknown {
			ask.Add(bulk.Num(id))
		}
		a.none("x"+table, fmt.Sprintf(`SELECT count(*) AS n FROM unnest(%s::bigint[]) AS v (id) LEFT JOIN LATERAL (SELECT 1 AS one FROM %s x WHERE x.merchant_id = %s AND x.%s = v.id LIMIT 1) AS x
ON true WHERE x.one IS NULL`, a.arg(bulk.Raw(ask.Array(0))), table, m, column), faultAbsent)
	}
	switch r.Form {
	case f.Ledger:
		e.ledger = ids("seq")
		a.above("ledger", "seq", m, e.ledger, top.ledger)
	case f.Effects:
		e.effects = ids("effect_id")
		a.above("effects", "effect_id", m, e.effects, top.effects)
	case f.Claim:
		e.keys = make([]key, r.Len())
		for i := range e.keys {
			v := r.Vals[i*w:]
			e.keys[i] = key{v[0].N, v[1].S, v[2].S, v[3].N}
		}
		a.none("k", fmt.Sprintf(`SELECT count(*) AS n FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS v (platform, message_id, part), LATERAL (SELECT 1 FROM claims c
WHERE c.merchant_id = %s AND c.platform = v.platform COLLATE "C" AND c.message_id = v.message_id COLLATE "C" AND c.part = v.part LIMIT 1) AS was`,
			a.arg(bulk.Raw(r.Array(1))), a.arg(bulk.Raw(r.Array(2))), a.arg(bulk.Raw(r.Array(3))), m), faultRepeated)
	case f.Receipt:
		for at := 0; at < len(r.Vals); at += w {
			e.receipts = append(e.receipts, receiptRow{e.merchant, r.Vals[at+1].N, r.Vals[at+6].N})
		}
	case f.HoldNew, f.HoldMade:
		e.holds = append(e.holds, ids("hold_id")...)
	case f.PlaceNew:
		e.places = append(e.places, ids("place_id")...)
	case f.Hold:
		there("holds", "hold_id", j.unknown(j.holds, e.merchant, ids("hold_id"), e.holds))
	case f.Place:
		there("places", "place_id", j.unknown(j.places, e.merchant, ids("place_id"), e.places))
	}
}

// longest is how long texts may be in the journal, in bytes. Those of a key must fit into a third of a page of its tree (PostgreSQL,
// "B-Tree Indexes": about 2,700 bytes); longer ones elsewhere only take the long way.
const longest = 1000

// plain reports whether PostgreSQL will take rows: who takes a batch into the journal must not fail to write it later. Texts
// must be valid UTF-8 without NUL, numbers fit their columns, and quantities and states be what the tables' checks want.
func (f *Forms) plain(r *bulk.Rows) bool {
	w, quantity, state := len(r.Form.Kinds), r.Form.Column("quantity"), r.Form.Column("state")
	if r.Form == f.Claim { // asks for any
		quantity = -1
	}
	var narrow []int
	for _, name := range []string{"part", "number", "quantity", "generation", "claim_part", "answer_kind", "v"} { // INTEGER
		if c := r.Form.Column(name); c >= 0 {
			narrow = append(narrow, c)
		}
	}
	for at := 0; at < len(r.Vals); at += w {
		row := r.Vals[at : at+w]
		for i, k := range r.Form.Kinds {
			if s := row[i].S; k == bulk.Text && (len(s) > longest || !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0) {
				return false
			}
		}
		for _, c := range narrow {
			if n := row[c].N; n != int64(int32(n)) {
				return false
			}
		}
		if quantity >= 0 && row[quantity].N <= 0 || state >= 0 && !f.state(r.Form, row[state].S) {
			return false
		}
	}
	return true
}

// state reports whether a hold or a place may have a state.
func (f *Forms) state(of *bulk.Form, s string) bool {
	if of == f.Place || of == f.PlaceNew {
		switch commerce.PlaceState(s) {
		case commerce.PlaceWaiting, commerce.PlacePromoted, commerce.PlaceLeft:
			return true
		}
		return false
	}
	switch commerce.HoldState(s) {
	case commerce.StateOffered, commerce.StateHeld, commerce.StatePaid, commerce.StateExpired, commerce.StatePassed, commerce.StateReleased:
		return true
	}
	return false
}
