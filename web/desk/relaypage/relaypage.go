// Package relaypage holds the page of a show's video: what the encoder sends, where it goes and what arrives there, stream keys, the
// slate, the test before the show; and the forms by which destinations are added. What a page may show and change is told by its
// Visitor; package desk decides who is one.
//
// Every page works without script: what is shown live is then as of the page's load.
package relaypage

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/internal/studio"
	"hawker/relay"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Static is the pages' own style sheet.
//
//go:embed static
var Static embed.FS

// measured is how often what no event tells of is looked at: rates, queues.
const measured = time.Second

// Pages serves the pages. Set the fields, then Open.
type Pages struct {
	DB     *sqldb.DB
	Hub    *live.Hub
	Kit    *ui.Kit
	Log    *slog.Logger
	Studio *studio.Studio // nil where no video is carried
	// Server is what people put into their encoder, rtmp://host:port/live; Secure the same as rtmps://, "" when there is none.
	Server, Secure string

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
	const at = "/shows/{id}/video"
	return []section.Route{
		{Pattern: "GET /video", Need: section.See, Handle: p.index},
		{Pattern: "GET " + at, Need: section.See, Handle: p.show},
		{Pattern: "GET " + at + "/events", Need: section.See, Handle: p.events},
		{Pattern: "POST " + at + "/key", Need: section.Plan, Handle: p.key},
		{Pattern: "POST " + at + "/cut", Need: section.Run, Handle: p.cut},
		{Pattern: "POST " + at + "/slate", Need: section.Run, Handle: p.slate},
		{Pattern: "POST " + at + "/use", Need: section.Run, Handle: p.use},
		{Pattern: "POST " + at + "/admit", Need: section.Run, Handle: p.admit},
		{Pattern: "POST " + at + "/settings", Need: section.Plan, Handle: p.settings},
		{Pattern: "POST " + at + "/clip", Need: section.Plan, Handle: p.clip},
		{Pattern: "POST " + at + "/clip/drop", Need: section.Plan, Handle: p.dropClip},
		{Pattern: "POST " + at + "/test", Need: section.Plan, Handle: p.test},
		{Pattern: "GET " + at + "/to", Need: section.Plan, Handle: p.choose},
		{Pattern: "GET " + at + "/to/new", Need: section.Plan, Handle: p.newWay},
		{Pattern: "POST " + at + "/to/new", Need: section.Plan, Handle: p.saveWay},
		{Pattern: "GET " + at + "/to/{dest}", Need: section.Plan, Handle: p.editWay},
		{Pattern: "POST " + at + "/to/{dest}", Need: section.Plan, Handle: p.saveWay},
		{Pattern: "POST " + at + "/to/{dest}/switch", Need: section.Plan, Handle: p.turn},
		{Pattern: "POST " + at + "/to/{dest}/move", Need: section.Plan, Handle: p.move},
		{Pattern: "POST " + at + "/to/{dest}/drop", Need: section.Plan, Handle: p.drop},
	}, nil
}

// index leads to the video of the show that is live, else of the one that is planned next.
func (p *Pages) index(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	shows, err := p.Hub.Shows(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	best := -1
	for i := range shows { // the newest first
		switch s := &shows[i]; {
		case s.State == commerce.ShowEnded:
		case best < 0, s.State == commerce.ShowLive && shows[best].State != commerce.ShowLive:
			best = i
		}
	}
	if best >= 0 {
		http.Redirect(w, r, "/shows/"+shows[best].ID.String()+"/video", http.StatusSeeOther)
		return nil
	}
	return p.render(w, r, v, "none", "Video", nil, v)
}

// find is the show of an address.
func (p *Pages) find(r *http.Request, v *section.Visitor) (*commerce.Show, error) {
	id, err := commerce.ParseID(r.PathValue("id"))
	if err != nil {
		return nil, live.ErrNotFound
	}
	s, err := p.Hub.Page(r.Context(), v.Merchant.ID, id)
	if err != nil {
		return nil, err
	}
	if p.Studio == nil {
		return nil, ui.Problem(http.StatusNotFound, "This installation carries no video.")
	}
	return &s.Show, nil
}

// show shows the video of a show.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	return p.page(w, r, v, s, nil, func(*page) {})
}

// page shows the video of a show, with what a change adds to it.
func (p *Pages) page(w http.ResponseWriter, r *http.Request, v *section.Visitor, s *commerce.Show, frame func(*ui.Frame), change func(*page)) error {
	pg, err := p.look(r.Context(), v, s)
	if err != nil {
		return err
	}
	if pg.Others, err = p.others(r.Context(), v, s.ID); err != nil {
		return err
	}
	pg.fill()
	change(pg)
	return p.render(w, r, v, "video", "Video of "+s.Title, func(f *ui.Frame) {
		f.Stream, f.Media = pg.At+"/events", true
		if frame != nil {
			frame(f)
		}
	}, pg)
}

// events streams what changes. Members with the same rights get the same bytes.
func (p *Pages) events(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	key := "video/" + v.Merchant.ID.String() + "/" + s.ID.String() + "/" + v.Member.Role
	return p.Kit.Casts.Serve(w, r, key, ui.Source{
		Watch: func(tell func(live.Signal)) (func(), error) {
			return p.Hub.Watch(v.Merchant.ID, s.ID, func(x live.Signal) {
				if x.Kind != live.SignalChat {
					tell(x)
				}
			})
		},
		Render: func(ctx context.Context) ([]ui.Part, error) {
			pg, err := p.look(ctx, v, s)
			if err != nil {
				return nil, err
			}
			return p.parts(pg)
		},
		Every: measured,
	}, nil)
}

// blocks are the partials that change by themselves. Forms that are typed into stand beside them, never in them.
func blocks() []string {
	return []string{"now", "preview", "ingest", "ways", "clip-state", "test-state"}
}

func (p *Pages) parts(pg *page) ([]ui.Part, error) {
	var out []ui.Part
	for _, name := range blocks() {
		b, err := p.pages.Part("video", name, pg)
		if err != nil {
			return nil, err
		}
		out = append(out, ui.Part{Target: "#" + name, HTML: b})
	}
	return out, nil
}

// answer ends a change: htmx gets the page's live parts as they stand now, and what more there is; a plain form is sent on.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, v *section.Visitor, s *commerce.Show, said string, more ...ui.Part) error {
	if !ui.Hx(r) {
		http.Redirect(w, r, "/shows/"+s.ID.String()+"/video?said="+said, http.StatusSeeOther)
		return nil
	}
	pg, err := p.look(r.Context(), v, s)
	if err != nil {
		return err
	}
	parts, err := p.parts(pg)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(ui.Partials(append(parts, more...)...))
	return err
}

// notice is a sentence on what was done, for htmx.
func notice(text string) ui.Part {
	return ui.Part{Target: "#notice", Swap: "innerHTML", HTML: []byte(`<p class="notice good">` + text + `</p>`)}
}

// render shows a page.
func (p *Pages) render(w http.ResponseWriter, r *http.Request, v *section.Visitor, page, title string, change func(f *ui.Frame), data any) error {
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
		"saved": "Saved. It holds at once.", "way": "The destination is saved.", "dropped": "The destination is removed.", "on": "Turned on.", "off": "Turned off.", "moved": "Moved.",
		"clip": "The slate is taken. It is being prepared.", "no-clip": "The slate is taken away.", "slate": "Viewers see the slate now.", "picture": "Viewers see the encoder again.",
		"use": "It is switched at the next keyframe.", "admitted": "The encoder is let in.", "cut": "The video is cut.", "test": "The test runs.", "no-backup": "The second encoder's key is taken away.",
	}[name]
}

// notLive puts the relay's errors into words.
func notLive(err error) error {
	if errors.Is(err, relay.ErrNoStream) {
		return ui.Problem(http.StatusConflict, "No video comes for this show now.")
	}
	return err
}
