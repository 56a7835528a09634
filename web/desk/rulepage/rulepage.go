// Package rulepage holds the pages on which a merchant's rules are made: the list, the form with its live sentence, trying a rule
// on what could happen, trying rules on a recorded show, versions, and rules as text. What a page may show and change is told by
// its Visitor; package desk decides who is one.
//
// Every page works without script: a button "Continue" stands for what a change of the form shows by itself otherwise.
package rulepage

import (
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/web/trial"
	"hawker/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Static are the pages' own style sheet and script.
//
//go:embed static
var Static embed.FS

// Visitor is a member at a page.
type Visitor struct {
	Member   sqldb.Member
	Merchant sqldb.Merchant
	Place    *time.Location // the merchant's time zone
	Edit     bool           // may change rules; else they are only shown
	Frame    ui.Frame       // of members, without a title
}

// Pages serves the pages. Set the fields, then Open.
type Pages struct {
	DB  *sqldb.DB
	Hub *live.Hub
	Kit *ui.Kit
	Log *slog.Logger
	// Trials runs back-tests.
	Trials *trial.Runner

	pages *ui.Pages
}

// Route is an address with its page. Edit says that it is for those only who may change rules.
type Route struct {
	Pattern string
	Edit    bool
	Handle  func(w http.ResponseWriter, r *http.Request, v *Visitor) error
}

// Open reads the templates and gives the pages' addresses.
func (p *Pages) Open() ([]Route, error) {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if p.pages, err = p.Kit.Pages(templates, "templates"); err != nil {
		return nil, err
	}
	return []Route{
		{"GET /rules", false, p.list},
		{"POST /rules/order", true, p.order},
		{"GET /rules/new", true, p.newRule},
		{"POST /rules/new", true, p.edit},
		{"POST /rules/draft", true, p.draft},
		{"POST /rules/sentence", true, p.sentence},
		{"GET /rules/rule/{id}", false, p.rule},
		{"POST /rules/rule/{id}", true, p.edit},
		{"POST /rules/rule/{id}/switch", true, p.turn},
		{"POST /rules/rule/{id}/move", true, p.move},
		{"POST /rules/rule/{id}/drop", true, p.drop},
		{"GET /rules/try", false, p.try},
		{"POST /rules/try", false, p.try},
		{"GET /rules/traces", false, p.traces},
		{"GET /rules/versions", false, p.versions},
		{"GET /rules/versions/{number}", false, p.compare},
		{"POST /rules/versions/{number}/restore", true, p.restore},
		{"GET /rules/text", false, p.text},
		{"POST /rules/text", true, p.takeText},
		{"GET /rules/export", true, p.export},
		{"GET /rules/hooks", true, p.hooks},
		{"POST /rules/hooks", true, p.changeHooks},
		{"GET /rules/backtest", true, p.backtest},
		{"GET /rules/backtest/events", true, p.backtestEvents},
		{"POST /rules/backtest", true, p.startBacktest},
	}, nil
}

// show shows a page.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, v *Visitor, page, title string, change func(f *ui.Frame), data any) error {
	f := v.Frame
	f.Title = title
	if s := said(r.URL.Query().Get("said")); s != "" {
		f.Notice = s
	}
	if change != nil {
		change(&f)
	}
	p.pages.Render(w, r, page, f, data)
	return nil
}

// said are the sentences that follow a change; the address carries their names only.
func said(name string) string {
	return map[string]string{
		"saved": "Saved. It holds from now on.", "dropped": "The rule is removed. It is still in the versions.", "restored": "Restored as a new version.", "added": "Added.",
		"moved": "Moved.", "on": "Turned on.", "off": "Turned off.", "hook": "The address is made.", "hook-renewed": "The address is a new one; the old one opens nothing any more.",
		"hook-dropped": "The address is removed.", "secret-renewed": "There is a new secret; the old one proves nothing any more.",
	}[name]
}

// trouble is what a frame says that goes with a page shown again.
func trouble(status int, text string) func(*ui.Frame) {
	return func(f *ui.Frame) { f.Status, f.Trouble, f.Notice = status, text, "" }
}

// onward ends a change.
func onward(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// at is a moment for people, in the shop's zone.
func (v *Visitor) at(t time.Time) when { return when{t, t.In(v.Place).Format("2 Jan 2006, 15:04")} }

// recent is a moment of today by its clock, and any other by its day.
func (v *Visitor) recent(t time.Time) when {
	if t.In(v.Place).YearDay() == time.Now().In(v.Place).YearDay() && time.Since(t) < 24*time.Hour {
		return when{t, t.In(v.Place).Format("15:04:05")}
	}
	return v.at(t)
}

// when is a moment with its words.
type when struct {
	Time time.Time
	Text string
}

// HTML is the moment as an element.
func (w when) HTML() template.HTML {
	if w.Time.IsZero() {
		return "–"
	}
	return template.HTML(`<time datetime="` + w.Time.UTC().Format(time.RFC3339) + `">` + w.Text + `</time>`) //nolint:gosec // both are made by Format
}
