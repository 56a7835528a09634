package ledgertest

import (
	"testing"

	"hawker/commerce"
	"hawker/commerce/audit"
)

// Audit replays a merchant's ledger from its first entry and compares its last word with rows. It returns how many entries
// there are.
func Audit(t testing.TB, s Store, merchant commerce.ID, rows commerce.State) int64 {
	t.Helper()
	r := audit.New()
	for {
		page, err := s.Entries(t.Context(), merchant, r.Report().Last+1, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if err := r.Add(e); err != nil {
				t.Fatalf("audit: %v\n%s %s", err, e.Kind, e.Body)
			}
		}
	}
	compare(t, r, rows)
	return r.Report().Last
}

// failing is a testing.TB or a rapid.T.
type failing interface {
	Helper()
	Fatalf(format string, args ...any)
}

// compare checks that a ledger's last word is what the rows say.
func compare(t failing, r *audit.Replay, rows commerce.State) {
	t.Helper()
	rep := r.Report()
	if rep.Last != rows.LastEntry || rep.Hash != rows.LastHash {
		t.Fatalf("the ledger ends with row %d, the fence says %d", rep.Last, rows.LastEntry)
	}
	for _, s := range rows.Stock {
		f, ok := r.Stock()[s.Variant]
		if ok && (f.Held != s.Held || f.Sold != s.Sold || f.Available != s.Available || f.Short != s.Short || f.Endless != s.Endless) {
			t.Fatalf("the ledger's last word on variant %d is %+v; it is %+v", s.Variant, f, s)
		}
		if !ok && (s.Held != 0 || s.Sold != 0 || s.Available != 0 || s.Short != 0) {
			t.Fatalf("the ledger knows nothing of variant %d: %+v", s.Variant, s)
		}
	}
	open := int64(0)
	for _, h := range rows.Holds {
		if h.Open() {
			open++
		}
		if x, ok := r.Hold(h.ID); !ok || x.State != h.State || x.Quantity != h.Quantity || x.Variant != h.Variant || x.Unsure {
			t.Fatalf("the ledger's last word on hold %d is %+v, %v; it is %s, %d of %d", h.ID, x, ok, h.State, h.Quantity, h.Variant)
		}
	}
	if rep.Open != open {
		t.Fatalf("the ledger has %d open holds, the rows %d", rep.Open, open)
	}
	for _, d := range rows.Recent {
		if why, ok := r.Decided(d.Key); ok && why != d.Reason {
			t.Fatalf("the ledger has %v decided as %s; it is %s", d.Key, why, d.Reason)
		}
	}
}
