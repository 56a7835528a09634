package viewer_test

import (
	"strings"
	"testing"

	"hawker/web/proof"
)

// Once the shop's ledger was checked, the receipt says which entry of it the hold is.
func TestReceiptNamesItsEntry(t *testing.T) {
	h := newHouse(t)
	r := proof.New(h.db, nil)
	t.Cleanup(r.Close)
	h.pages.Proofs = r
	page, b := h.claims("ana", "!buy 3"), h.browser()
	if body := b.get(page).body; strings.Contains(body, "ledger") {
		t.Errorf("it says something of a ledger that was never checked:\n%s", body)
	}
	r.Start(h.merchant)
	h.until("the audit", func() bool { s := r.Now(h.merchant); return !s.Running && s.Last != nil })
	if s := r.Now(h.merchant); s.Last.Broken != nil {
		t.Fatal(s.Last.Broken)
	}
	if body := b.get(page).body; !strings.Contains(body, "of this shop&#39;s ledger, in which every later change would show; it was checked less than a minute ago.") {
		t.Errorf("it does not say which entry it is:\n%s", body)
	}
}
