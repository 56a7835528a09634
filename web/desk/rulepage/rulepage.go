// Package rulepage holds the pages on which a merchant's rules are made: the list, the form with its live sentence, trying a rule
// on what could happen, trying rules on a recorded show, versions, and rules as text. What a page may show and change is told by
// its visitor; package desk decides who is one.
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
	"hawker/web/desk/section"
	"hawker/web/trial"
	"hawker/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Static are the pages' own style sheet and script.
//
//go:embed static
var Static embed.FS

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

// Open reads the templates and gives the pages' addresses.
func (p *Pages) Open() ([]section.Route, error) {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if p.pages, err = p.Kit.Pages(templates, "templates"); err != nil {
		return nil, err
	}
	return []section.Route{
		{Pattern: "GET /rules", Need: section.See, Handle: p.list},
		{Pattern: "POST /rules/order", Need: section.Rules, Handle: p.order},
		{Pattern: "GET /rules/new", Need: section.Rules, Handle: p.newRule},
		{Pattern: "POST /rules/new", Need: section.Rules, Handle: p.edit},
		{Pattern: "POST /rules/draft", Need: section.Rules, Handle: p.draft},
		{Pattern: "POST /rules/sentence", Need: section.Rules, Handle: p.sentence},
		{Pattern: "GET /rules/rule/{id}", Need: section.See, Handle: p.rule},
		{Pattern: "POST /rules/rule/{id}", Need: section.Rules, Handle: p.edit},
		{Pattern: "POST /rules/rule/{id}/switch", Need: section.Rules, Handle: p.turn},
		{Pattern: "POST /rules/rule/{id}/move", Need: section.Rules, Handle: p.move},
		{Pattern: "POST /rules/rule/{id}/drop", Need: section.Rules, Handle: p.drop},
		{Pattern: "GET /rules/try", Need: section.See, Handle: p.try},
		{Pattern: "POST /rules/try", Need: section.See, Handle: p.try},
		{Pattern: "GET /rules/traces", Need: section.See, Handle: p.traces},
		{Pattern: "GET /rules/versions", Need: section.See, Handle: p.versions},
		{Pattern: "GET /rules/versions/{number}", Need: section.See, Handle: p.compare},
		{Pattern: "POST /rules/versions/{number}/restore", Need: section.Rules, Handle: p.restore},
		{Pattern: "GET /rules/text", Need: section.See, Handle: p.text},
		{Pattern: "POST /rules/text", Need: section.Rules, Handle: p.takeText},
		{Pattern: "GET /rules/export", Need: section.Rules, Handle: p.export},
		{Pattern: "GET /rules/hooks", Need: section.Rules, Handle: p.hooks},
		{Pattern: "POST /rules/hooks", Need: section.Rules, Handle: p.changeHooks},
		{Pattern: "GET /rules/backtest", Need: section.Rules, Handle: p.backtest},
		{Pattern: "GET /rules/backtest/events", Need: section.Rules, Handle: p.backtestEvents},
		{Pattern: "POST /rules/backtest", Need: section.Rules, Handle: p.startBacktest},
	}, nil
}

// show shows a page.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, v *section.Visitor, page, title string, change func(f *ui.Frame), data any) error {
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

// dated is a moment for people, in the shop's zone.
func dated(v *section.Visitor, t time.Time) when {
	return when{t, t.In(v.Place).Format("2 Jan 2006, 15:04")}
}

// recent is a moment of today by its clock, and any other by its day.
func recent(v *section.Visitor, t time.Time) when {
	if t.In(v.Place).YearDay() == time.Now().In(v.Place).YearDay() && time.Since(t) < 24*time.Hour {
		return when{t, t.In(v.Place).Format("15:04:05")}
	}
	return dated(v, t)
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
