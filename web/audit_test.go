package web_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/commerce/audit"
	"hawker/internal/browsertest"
	"hawker/web/proof"
)

// audited waits until the merchant's audit has run.
func (h *house) audited(merchant commerce.ID) proof.State {
	h.t.Helper()
	h.server.Proofs().Start(merchant)
	for range 2000 {
		if s := h.server.Proofs().Now(merchant); !s.Running && s.Last != nil {
			return s
		}
		time.Sleep(5 * time.Millisecond)
	}
	h.t.Fatal("the audit never ended")
	return proof.State{}
}

// The page says in words what an audit proved; the download can be verified by anybody.
func TestAuditPage(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.bustle(m)
	c := h.as("manager")
	if r := c.get("/audit"); r.status != http.StatusOK || !strings.Contains(r.body, "No audit was run") {
		t.Errorf("%d\n%s", r.status, r.body)
	}
	if r := c.post("/audit/run"); r.status != http.StatusSeeOther || r.to != "/audit" {
		t.Errorf("%d to %s", r.status, r.to)
	}
	s := h.audited(m)
	if s.Last.Broken != nil || s.Last.Audit.Paid != 1 || s.Last.Audit.Entries < 10 {
		t.Fatalf("%+v", s.Last)
	}
	r := c.get("/audit")
	for _, want := range []string{"All is well", "Never oversold", "The database says the same", s.Last.Audit.Head()} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the page does not say %q\n%s", want, r.body)
		}
	}
	file := c.get("/audit/export")
	hd, p, err := audit.Verify(bytes.NewReader([]byte(file.body)))
	if err != nil || hd.Merchant != "ana" || p.Entries < 10 || !strings.Contains(file.header.Get("Content-Disposition"), "ledger-ana-") {
		t.Errorf("%+v, %+v, %v, %v", hd, p, err, file.header)
	}
	// A hold of the show is an entry that the audit knows.
	page, err := h.hub.Page(t.Context(), m, show)
	h.must(err)
	seq, checked, ok := h.server.Proofs().Entry(m, page.Open[0].ID)
	if !ok || seq < 1 || checked.IsZero() {
		t.Errorf("entry %d, %v, %v", seq, checked, ok)
	}
	if _, _, ok := h.server.Proofs().Entry(m, 1); ok {
		t.Error("a hold that is not there is an entry")
	}
}

func TestProofSentence(t *testing.T) {
	for _, tt := range []struct {
		tag  string
		seq  int64
		ago  time.Duration
		want string
	}{
		{"en", 1234, 5 * time.Minute, "entry 1,234 of this shop's ledger, in which every later change would show; it was checked 5 min ago."},
		{"en-GB", 7, time.Second, "entry 7 of this shop's ledger, in which every later change would show; it was checked less than a minute ago."},
		{"de-AT", 1234567, 3 * time.Hour, "Eintrag 1.234.567 im Verzeichnis dieses Ladens, in dem jede spätere Änderung auffiele; geprüft vor 3 Std."},
		{"es", 1, 72 * time.Hour, "hace 3 días"},
		{"fr", 1000, time.Minute, "entrée 1\u202f000 du registre"},
		{"xx", 1, time.Minute, "Your hold"},
	} {
		if got := proof.Sentence(tt.tag, tt.seq, tt.ago); !strings.Contains(got, tt.want) {
			t.Errorf("Sentence(%s) = %q; want %q", tt.tag, got, tt.want)
		}
	}
}

// Run now shows its progress and then what was proved, without a reload.
func TestAuditInBrowser(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	h.bustle(m)
	p := browsertest.Open(t).Page(t, browsertest.View{Width: 390, Height: 844, Mobile: true})
	signIn(p, h, "owner")
	p.Go(h.url + "/audit")
	p.Await("document.documentElement.dataset.stream === 'live'")
	p.AwaitText("#result", "No audit was run")
	p.Click(".audit button.main")
	p.AwaitText("#result", "All is well")
}
