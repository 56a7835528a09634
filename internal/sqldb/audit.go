package sqldb

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"hawker/commerce"
	"hawker/commerce/audit"
	"hawker/internal/sqldb/stored"
)

// Mismatch is a row of the database that does not say what the ledger says.
type Mismatch struct {
	Table, Row string
	Why        string
}

func (m *Mismatch) Error() string { return fmt.Sprintf("%s, %s: %s", m.Table, m.Row, m.Why) }

// Audit is what an audit of a merchant proved.
type Audit struct {
	audit.Report
	Made time.Time
	// Claims, Rows and Figures are the decisions, holds and stock rows that say what the ledger says. Older are claims from
	// before the ledger named what was decided, which it cannot vouch for.
	Claims, Older, Rows, Figures int64
	// OpenedBy is, for each hold of the last Recent, the entry that opened it.
	OpenedBy map[commerce.ID]int64
}

// Recent is how long back an Audit tells which entry opened a hold.
const Recent = 14 * 24 * time.Hour

// Sentences say what was proved, for people.
func (a *Audit) Sentences(place *time.Location) []string {
	out := a.Report.Sentences(place)
	if a.Entries == 0 {
		return out
	}
	out = append(out, fmt.Sprintf("The database says the same: the ledger's head, %s, %s and %s.",
		audit.Count(a.Claims, "decision", "decisions"), audit.Count(a.Rows, "hold", "holds"), audit.Count(a.Figures, "stock figure", "stock figures")))
	if a.Older > 0 {
		out = append(out, audit.Count(a.Older, "decision is", "decisions are")+" from before the ledger named decisions; each stands in the database once.")
	}
	return out
}

// Audit replays a merchant's ledger and compares the database with it, all as it stands at one moment; a hub may go on
// selling. progress, when not nil, is told now and then how many entries of how many were read. The error is an
// *audit.Broken or a *Mismatch where something is not as it must be; anything else means that nothing was proved. What
// was read until then is returned with it.
func (db *DB) Audit(ctx context.Context, merchant commerce.ID, progress func(done, of int64)) (Audit, error) {
	a := Audit{Made: time.Now().UTC(), OpenedBy: map[commerce.ID]int64{}}
	err := db.stillSnapshot(ctx, merchant, func(tx asker) error {
		r := audit.New()
		head, hash, err := tillHead(ctx, tx, merchant)
		if err != nil {
			return err
		}
		err = ledger(ctx, tx, merchant, 0, func(e commerce.Entry) error {
			if e.Seq%1024 == 1 && progress != nil {
				progress(e.Seq, head)
			}
			return r.Add(e)
		})
		a.Report = r.Report()
		if err != nil {
			return err
		}
		if a.Last != head || head > 0 && !bytes.Equal(hash, a.Hash[:]) {
			return &Mismatch{"tills", "the merchant's row", fmt.Sprintf("it names entry %d as the last; the ledger ends with entry %d (hash %s)", head, a.Last, a.Head())}
		}
		for _, step := range []func(context.Context, asker, commerce.ID, *audit.Replay, *Audit) error{auditStock, auditHolds, auditClaims} {
			if err := step(ctx, tx, merchant, r, &a); err != nil {
				return err
			}
		}
		return nil
	})
	return a, err
}

// tillHead is the last entry of a merchant's ledger by the till's row: its number and hash.
func tillHead(ctx context.Context, from asker, merchant commerce.ID) (entry int64, hash []byte, err error) {
	err = from.QueryRowContext(ctx, `SELECT entry, hash FROM tills WHERE merchant_id = $1`, int64(merchant)).Scan(&entry, &hash)
	if errors.Is(err, sql.ErrNoRows) { // nobody served the merchant yet
		return 0, nil, nil
	}
	return entry, hash, err
}

// auditStock compares the stock rows with the ledger's last word, and their held pieces with the holds.
func auditStock(ctx context.Context, tx asker, merchant commerce.ID, r *audit.Replay, a *Audit) error {
	want := r.Stock()
	err := stored.Each(ctx, tx, func(rs *sql.Rows) error {
		var s commerce.StockFact
		var holds int64
		if err := rs.Scan(&s.Variant, &s.Available, &s.Held, &s.Sold, &s.Short, &s.Endless, &holds); err != nil {
			return err
		}
		broken := func(why string, v ...any) error {
			return &Mismatch{"stock", "variant " + s.Variant.String(), fmt.Sprintf(why, v...)}
		}
		w, known := want[s.Variant]
		w.Variant = s.Variant // one that no entry names has nothing
		if s != w {
			return broken("it has %s; the ledger's last word is %s", figure(s), figure(w))
		}
		if s.Held != holds {
			return broken("%d pieces are held, and the open holds that it counts have %d", s.Held, holds)
		}
		if known {
			a.Figures++
		}
		return nil
	}, `SELECT s.variant_id, s.available, s.held, s.sold, s.short, s.endless, CAST(COALESCE(h.n, 0) AS BIGINT) FROM stock s
LEFT JOIN (SELECT variant_id, SUM(quantity) AS n FROM holds WHERE merchant_id = $1 AND state = 'held' AND contained = 0 GROUP BY variant_id) h
ON h.variant_id = s.variant_id WHERE s.merchant_id = $1 ORDER BY s.variant_id`, int64(merchant))
	if err == nil && a.Figures != int64(len(want)) {
		return &Mismatch{"stock", "the merchant's rows", fmt.Sprintf("there are %d of the %d variants that the ledger names", a.Figures, len(want))}
	}
	return err
}

func figure(s commerce.StockFact) string {
	if s.Endless {
		return fmt.Sprintf("%d held, %d sold, no end", s.Held, s.Sold)
	}
	return fmt.Sprintf("%d available, %d held, %d sold, %d short", s.Available, s.Held, s.Sold, s.Short)
}

// auditHolds compares every hold with the ledger's last word on it.
func auditHolds(ctx context.Context, tx asker, merchant commerce.ID, r *audit.Replay, a *Audit) error {
	since := stored.MS(a.Made.Add(-Recent))
	open := int64(0)
	err := stored.Each(ctx, tx, func(rs *sql.Rows) error {
		var id, variant commerce.ID
		var state commerce.HoldState
		var quantity int
		var order string
		var decided int64
		if err := rs.Scan(&id, &variant, &state, &quantity, &order, &decided); err != nil {
			return err
		}
		broken := func(why string, v ...any) error {
			return &Mismatch{"holds", "hold " + id.String(), fmt.Sprintf(why, v...)}
		}
		h, ok := r.Hold(id)
		if !ok {
			return broken("no entry of the ledger opens it")
		}
		stands := h.State == commerce.StateHeld || h.State == commerce.StateOffered
		if stands {
			open++
		}
		a.Rows++
		if decided > since {
			a.OpenedBy[id] = h.Seq
		}
		switch state {
		case commerce.StateHeld, commerce.StateOffered:
			if h.State != state || h.Quantity != quantity {
				return broken("it is %s with %d pieces; the ledger's last word is %s with %d", state, quantity, h.State, h.Quantity)
			}
			if h.Variant != 0 && h.Variant != variant {
				return broken("it is for variant %s; the ledger says %s", variant, h.Variant)
			}
		case commerce.StatePaid: // of an older entry of an order the holds that it does not name are known by the order
			switch known := h.Unsure && r.Settled(order); {
			case h.State != state && !known:
				return broken("it is paid by order %q; the ledger has no payment of it", order)
			case h.Quantity != quantity && !known:
				return broken("%d pieces of it are paid; the ledger's last word is %d", quantity, h.Quantity)
			}
		default:
			if h.State != state && !(h.Unsure && state == commerce.StateReleased && r.Settled(order)) { // its order was undone
				return broken("it is %s; the ledger's last word is %s", state, h.State)
			}
		}
		return nil
	}, `SELECT hold_id, variant_id, state, quantity, order_store, decided_ms FROM holds WHERE merchant_id = $1 ORDER BY hold_id`, int64(merchant))
	if err == nil && open != a.Open {
		return &Mismatch{"holds", "the merchant's rows", fmt.Sprintf("there are %d of the %d holds that the ledger has as open", open, a.Open)}
	}
	return err
}

// auditClaims compares the decisions, both ways: each row is named by the ledger with the same reason, and what the ledger
// names is there.
func auditClaims(ctx context.Context, tx asker, merchant commerce.ID, r *audit.Replay, a *Audit) error {
	since := r.NamedSince()
	err := stored.Each(ctx, tx, func(rs *sql.Rows) error {
		var k commerce.Key
		var reason commerce.Reason
		var at int64
		if err := rs.Scan(&k.Platform, &k.Message, &k.Part, &reason, &at); err != nil {
			return err
		}
		broken := func(why string, v ...any) error {
			return &Mismatch{"claims", "message " + k.String(), fmt.Sprintf(why, v...)}
		}
		switch said, ok := r.Decided(k); {
		case ok && said != reason:
			return broken("its reason is %s; the ledger says %s", reason, said)
		case ok:
			a.Claims++
		case since.IsZero() || stored.Time(at).Before(since):
			a.Older++
		default:
			return broken("no entry of the ledger names it")
		}
		return nil
	}, `SELECT platform, message_id, part, reason, decided_ms FROM claims WHERE merchant_id = $1`, int64(merchant))
	if err == nil && a.Claims != a.Decisions {
		return &Mismatch{"claims", "the merchant's rows", fmt.Sprintf("there are %d of the %d decisions that the ledger names", a.Claims, a.Decisions)}
	}
	return err
}

// ExportLedger writes a merchant's ledger as a file that anybody can verify with SHA-256 alone; see audit.Verify.
func (db *DB) ExportLedger(ctx context.Context, m Merchant, to io.Writer) error {
	return db.stillSnapshot(ctx, m.ID, func(tx asker) error {
		head, hash, err := tillHead(ctx, tx, m.ID)
		if err != nil {
			return err
		}
		if err := audit.WriteHeader(to, m.Slug, m.ID, time.Now(), head, [32]byte(append(hash, make([]byte, 32)...)[:32])); err != nil {
			return err
		}
		var line []byte
		return ledger(ctx, tx, m.ID, 0, func(e commerce.Entry) error {
			var err error
			if line, err = audit.AppendLine(line[:0], &e); err != nil {
				return err
			}
			_, err = to.Write(line)
			return err
		})
	})
}
