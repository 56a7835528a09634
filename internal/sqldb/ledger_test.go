package sqldb

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/commerce/ledgertest"
	"hawker/internal/chat"
	"hawker/internal/pgtest"
	"hawker/internal/seal"
)

// TestMain is also the program that TestKill kills.
func TestMain(m *testing.M) {
	if os.Getenv(childFolder) != "" {
		if err := sell(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	pgtest.Main(m)
}

func testKey(t testing.TB) *seal.Key {
	t.Helper()
	raw := sha256.Sum256([]byte("for tests"))
	k, err := seal.NewKey(raw[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// fresh is where an empty database is: SQLite in a folder, or a new database of PostgreSQL.
type fresh struct {
	name string
	make func(t testing.TB) Options
}

func both() []fresh {
	return []fresh{
		{"SQLite", func(t testing.TB) Options { return Options{Dir: t.TempDir(), Key: testKey(t)} }},
		// Nothing here ends the server, so it need not survive that.
		{"PostgreSQL", func(t testing.TB) Options {
			return Options{URL: pgtest.NewWith(t, pgtest.Options{NoSync: true}), Key: testKey(t)}
		}},
	}
}

func open(t testing.TB, o Options) *DB {
	t.Helper()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// onBoth runs a test on an empty database of either kind.
func onBoth(t *testing.T, test func(t *testing.T, db *DB)) {
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) { test(t, open(t, f.make(t))) })
	}
}

func merchant(t testing.TB, db *DB, slug string) commerce.ID {
	t.Helper()
	id, err := db.PutMerchant(t.Context(), Merchant{Slug: slug, Name: slug, Currency: "EUR", Timezone: "UTC", Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// setup is an empty database for the suite.
func (f *fresh) setup(t *testing.T) ledgertest.Setup {
	o := f.make(t)
	n := 0
	return ledgertest.Setup{
		Open: func(t *testing.T) ledgertest.Store { return open(t, o) },
		Merchant: func(t *testing.T, s ledgertest.Store, ps []commerce.Product, cs []chat.Channel) commerce.ID {
			db := s.(*DB)
			n++
			id := merchant(t, db, fmt.Sprint("merchant-", n))
			if _, err := db.PutProducts(t.Context(), id, ps); err != nil {
				t.Fatal(err)
			}
			for _, c := range cs {
				if err := db.PutChannel(t.Context(), id, Channel{Channel: c, Name: c.ID}); err != nil {
					t.Fatal(err)
				}
			}
			return id
		},
		Webhook: func(t *testing.T, s ledgertest.Store, merchant commerce.ID, id string) bool {
			isNew, err := s.(*DB).PutWebhook(t.Context(), merchant, Webhook{ID: id, Topic: "orders/paid", Body: []byte("{}"), Came: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			return isNew
		},
		Waiting: func(t *testing.T, s ledgertest.Store, merchant commerce.ID) []string {
			ws, err := s.(*DB).OpenWebhooks(t.Context(), merchant, 100)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, w := range ws {
				ids = append(ids, w.ID)
			}
			return ids
		},
		Look: look,
	}
}

// look reads what Load reads and leaves the fence as it was.
func look(t *testing.T, s ledgertest.Store, merchant commerce.ID) commerce.State {
	t.Helper()
	db := s.(*DB)
	st, err := db.Load(t.Context(), merchant)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.write.ExecContext(t.Context(), `UPDATE tills SET epoch = epoch - 1, seq = seq - 1 WHERE merchant_id = $1`, int64(merchant)); err != nil {
		t.Fatal(err)
	}
	return st
}

func TestLedger(t *testing.T) {
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) { ledgertest.Test(t, f.setup) })
	}
}

func TestRandom(t *testing.T) {
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) { ledgertest.Random(t, f.setup) })
	}
}

// A batch that comes after Close, or waits while the database closes, is told so.
func TestCommitAfterClose(t *testing.T) {
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) {
			db, err := Open(t.Context(), f.make(t))
			if err != nil {
				t.Fatal(err)
			}
			id := merchant(t, db, "ana")
			st, err := db.Load(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				b, _ := commerce.NewDesk(id, st).Plan(time.Now(), []commerce.Request{commerce.SetStock{Variant: 1, Add: 1}})
				if err := db.Commit(t.Context(), b); err == nil || errors.Is(err, commerce.ErrFenced) {
					t.Errorf("Commit = %v", err)
				}
			}
		})
	}
}
