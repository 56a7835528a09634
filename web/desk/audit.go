package desk

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"time"

	"hawker/commerce/audit"
	"hawker/internal/live"
	"hawker/web/ui"
)

// auditPage is what the last audit of the merchant's ledger proved.
type auditPage struct {
	Running   bool
	Progress  string // how far it is
	Ran       bool
	Good      bool
	At        time.Time // of the last audit
	AtText    string    // in the shop's time zone
	Sentences []string
	Trouble   string // the first thing that is wrong
	Until     string // what was proved before it
	Failed    bool   // nothing was proved
	Head      string
}

func (d *Desk) audit(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	return d.render(w, r, v, "audit", "Audit", ui.Frame{Stream: "/audit/events"}, d.auditPage(v))
}

func (d *Desk) auditPage(v *Visitor) *auditPage {
	s := d.Proofs.Now(v.Merchant.ID)
	p := &auditPage{Running: s.Running}
	switch {
	case s.Running && s.Of > 0:
		p.Progress = "Checking: " + audit.Count(s.Done, "entry", "entries") + " of " + audit.Count(s.Of, "entry", "entries") + "."
	case s.Running:
		p.Progress = "Checking …"
	}
	if s.Last == nil {
		return p
	}
	a := &s.Last.Audit
	p.Ran, p.Good, p.Failed, p.At = true, s.Last.Broken == nil, s.Last.Failed, s.Last.At
	p.AtText = s.Last.At.In(v.Place).Format("2 January 2006 15:04:05")
	switch {
	case p.Good:
		p.Sentences = a.Sentences(v.Place)
	case !p.Failed:
		p.Trouble = s.Last.Broken.Error()
		if a.Entries > 0 {
			p.Until = "Up to ledger entry " + strings.TrimSuffix(audit.Count(a.Last, "", ""), " ") + " the chain and the stock are as they must be."
		}
	}
	if a.Entries > 0 && p.Good {
		p.Head = a.Head()
	}
	return p
}

func (d *Desk) auditEvents(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	return d.Kit.Casts.Serve(w, r, "audit/"+v.Merchant.ID.String(), ui.Source{
		Watch: func(tell func(live.Signal)) (func(), error) {
			return d.Proofs.Watch(v.Merchant.ID, func() { tell(live.Signal{}) }), nil
		},
		Render: func(context.Context) ([]ui.Part, error) {
			b, err := d.pages.Part("audit", "audit-result", d.auditPage(v))
			return []ui.Part{{Target: "#result", HTML: b}}, err
		},
	}, nil)
}

// runAudit begins an audit; it runs in the background.
func (d *Desk) runAudit(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	d.Proofs.Start(v.Merchant.ID)
	return done(w, r, "/audit")
}

// exportLedger sends the ledger as a file that anybody can verify.
func (d *Desk) exportLedger(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	h := w.Header()
	h.Set("Content-Type", "application/jsonl; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="ledger-`+v.Merchant.Slug+"-"+time.Now().In(v.Place).Format("2006-01-02")+`.jsonl"`)
	h.Set("Cache-Control", "no-store")
	buf := bufio.NewWriterSize(w, 64<<10)
	if err := d.DB.ExportLedger(r.Context(), v.Merchant, buf); err != nil {
		// The file's first line says how many entries it must have, so that a short one is found out.
		d.Log.Warn("ledger not exported", "merchant", v.Merchant.Slug, "err", err)
		panic(http.ErrAbortHandler)
	}
	_ = buf.Flush()
	return nil
}
