package sqldb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/commerce/audit"
	"hawker/internal/chat"
)

// sale sells at a merchant: some hold, one passes, one pays, one waits.
func sale(t testing.TB, db *DB, slug string) (commerce.ID, []commerce.ID) {
	t.Helper()
	id := merchant(t, db, slug)
	p := commerce.Product{Title: "Mug", Variants: []commerce.Variant{{SKU: "M", Price: commerce.Money{Minor: 1800, Currency: "EUR"}}}}
	made, err := db.PutProducts(t.Context(), id, []commerce.Product{p})
	if err != nil {
		t.Fatal(err)
	}
	st, err := db.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	d, now := commerce.NewDesk(id, st), time.Now()
	show := commerce.Show{ID: commerce.NewID(now), Name: slug, State: commerce.ShowLive, Lineup: commerce.Lineup{Items: []commerce.Item{{Number: 1, Product: made[0]}}}}
	v, five := made[0].Variants[0].ID, int64(5)
	var holds []commerce.ID
	do := func(reqs ...commerce.Request) {
		t.Helper()
		b, _ := d.Plan(now, reqs)
		if err := db.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		d.Commit()
		for _, h := range b.Holds {
			if b.NewHolds[h.ID] {
				holds = append(holds, h.ID)
			}
		}
	}
	n := 0
	ask := func(name string) commerce.Ask {
		n++
		return commerce.Ask{Key: commerce.Key{Platform: chat.Twitch, Message: fmt.Sprint(slug, n)}, Show: show.ID, Viewer: chat.Viewer{Platform: chat.Twitch, ID: name, Name: name + " <é>"}}
	}
	do(commerce.SetShow{Show: show}, commerce.SetStock{Variant: v, Available: &five})
	do(commerce.Claim{Ask: ask("ana"), Number: 1, Quantity: 2}, commerce.Claim{Ask: ask("bob"), Number: 1, Quantity: 1})
	do(commerce.Claim{Ask: ask("cy"), Number: 1, Quantity: 2}, commerce.Claim{Ask: ask("dee"), Number: 1, Quantity: 1})
	do(commerce.Pass{Ask: ask("ana"), Number: 1})
	do(commerce.Paid{Order: commerce.Order{
		Store: "O1", Name: "#1", State: commerce.OrderPaid, Holds: holds[1:2], Lines: []commerce.OrderLine{{Variant: "v", Quantity: 1}}, Created: now, Updated: now,
		Total: commerce.Money{Minor: 1800, Currency: "EUR"},
	}, Variants: map[string]commerce.ID{"v": v}})
	return id, holds
}

func TestLedgerInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		id, _ := sale(t, db, "ana")
		sale(t, db, "bob")
		var seqs []int64
		err := db.Ledger(t.Context(), id, 2, func(e commerce.Entry) error {
			seqs = append(seqs, e.Seq)
			if e.Hash != e.Chain() {
				t.Errorf("entry %d is not what was hashed", e.Seq)
			}
			return nil
		})
		if err != nil || len(seqs) < 5 {
			t.Fatal(seqs, err)
		}
		for i, s := range seqs {
			if s != int64(i+3) {
				t.Fatalf("entries %v", seqs)
			}
		}
		enough := errors.New("enough")
		if err := db.Ledger(t.Context(), id, 0, func(commerce.Entry) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("Ledger = %v", err)
		}
	})
}

func TestAudit(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		id, holds := sale(t, db, "ana")
		told := int64(0)
		a, err := db.Audit(t.Context(), id, func(done, of int64) { told = of })
		if err != nil {
			t.Fatal(err)
		}
		if a.Rows != int64(len(holds)) || a.Paid != 1 || a.Passed != 1 || a.Figures != 1 || a.Claims < 5 || a.Older != 0 || a.Claims != a.Decisions || told != a.Entries || a.OpenedBy[holds[0]] == 0 {
			t.Errorf("%+v, told %d", a, told)
		}
		if s := strings.Join(a.Sentences(time.UTC), " "); !strings.Contains(s, "The database says the same") {
			t.Error(s)
		}
		empty := merchant(t, db, "empty")
		if a, err := db.Audit(t.Context(), empty, nil); err != nil || a.Entries != 0 || len(a.Sentences(time.UTC)) != 1 {
			t.Errorf("%+v, %v", a, err)
		}
		var file bytes.Buffer
		if err := db.ExportLedger(t.Context(), Merchant{ID: id, Slug: "ana"}, &file); err != nil {
			t.Fatal(err)
		}
		if h, p, err := audit.Verify(&file); err != nil || h.Merchant != "ana" || p.Hash != a.Hash {
			t.Errorf("%+v, %+v, %v", h, p, err)
		}
	})
}

// Whoever changes a row behind the ledger's back is found out, and the row is named.
func TestAuditFindsRows(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		id, _ := sale(t, db, "ana")
		for _, tt := range []struct{ change, back, want string }{
			{`UPDATE stock SET sold = sold - 1`, `UPDATE stock SET sold = sold + 1`, "the ledger's last word"},
			{`UPDATE holds SET quantity = quantity + 1 WHERE state = 'held'`, `UPDATE holds SET quantity = quantity - 1 WHERE state = 'held'`, "stock, variant"},
			{`UPDATE holds SET state = 'expired' WHERE state = 'passed'`, `UPDATE holds SET state = 'passed' WHERE state = 'expired'`, "holds, hold"},
			{`UPDATE holds SET state = 'passed' WHERE state = 'paid'`, `UPDATE holds SET state = 'paid' WHERE order_store = 'O1'`, "the ledger's last word is paid"},
			{`UPDATE claims SET reason = 'sold_out' WHERE reason = 'passed'`, `UPDATE claims SET reason = 'passed' WHERE reason = 'sold_out'`, "the ledger says passed"},
			{`UPDATE claims SET message_id = 'x' || message_id`, `UPDATE claims SET message_id = SUBSTR(message_id, 2)`, "no entry of the ledger names it"},
			{`UPDATE claims SET merchant_id = merchant_id + 1 WHERE reason = 'passed'`, `UPDATE claims SET merchant_id = merchant_id - 1 WHERE reason = 'passed'`, "decisions that the ledger names"},
			{`UPDATE tills SET entry = entry - 1`, `UPDATE tills SET entry = entry + 1`, "tills"},
			{`UPDATE holds SET hold_id = hold_id + 1 WHERE state = 'passed'`, `UPDATE holds SET hold_id = hold_id - 1 WHERE state = 'passed'`, "no entry of the ledger opens it"},
		} {
			if _, err := db.write.ExecContext(t.Context(), tt.change); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Audit(t.Context(), id, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v; want %q", tt.change, err, tt.want)
			}
			if _, err := db.write.ExecContext(t.Context(), tt.back); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Audit(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// An audit sees one moment, however much is sold meanwhile, and keeps nobody waiting.
func TestAuditWhileSelling(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		id, _ := sale(t, db, "ana")
		ctx, stop := context.WithCancel(t.Context())
		sold := make(chan error, 1)
		go func() {
			st, err := db.Load(ctx, id)
			d := commerce.NewDesk(id, st)
			for n := 0; err == nil && ctx.Err() == nil; n++ {
				b, _ := d.Plan(time.Now(), []commerce.Request{commerce.SetStock{Variant: st.Stock[0].Variant, Add: 1}})
				err = db.Commit(context.WithoutCancel(ctx), b)
				d.Commit()
			}
			sold <- err
		}()
		last := int64(0)
		for range 1000 {
			a, err := db.Audit(t.Context(), id, nil)
			if err != nil {
				t.Fatal(err)
			}
			if last > 0 && a.Entries > last+20 {
				break
			}
			if last == 0 {
				last = a.Entries
			}
		}
		stop()
		if err := <-sold; err != nil {
			t.Fatal(err)
		}
	})
}
