// Package desk holds the pages of members: the shows, the live desk of a show, its set-up, channels and store. Who may
// see and do what stands in one table (role.go).
package desk

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/internal/studio"
	"hawker/relay"
	"hawker/relay/record"
	"hawker/web/desk/chatspage"
	"hawker/web/desk/section"
	"hawker/web/proof"
	"hawker/web/trial"
	"hawker/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Static is the desk's own style sheet.
//
//go:embed static
var Static embed.FS

// Desk serves the pages of members. Set the fields, then Mount.
type Desk struct {
	DB  *sqldb.DB
	Hub *live.Hub
	Kit *ui.Kit
	Log *slog.Logger

	// Relay tells the state of all streams; their ID is the show's. nil shows no video.
	Relay func() []relay.StreamStatus
	// Studio decides about the video of shows; nil where none is carried.
	Studio *studio.Studio
	// Recordings is where the videos of shows are kept; nil where none is.
	Recordings *record.Shelf
	// IngestServer is the address that people put into OBS, rtmp://host:port/live; IngestSecure the same as rtmps://, "" when there is
	// none.
	IngestServer, IngestSecure string
	// Connects are the logins of platforms by name: twitch-bot, twitch-channel, youtube, discord, shopify.
	Connects map[string]Connect
	// Rooms are the Discord channels that the bot can see, for the merchant to choose from.
	Rooms func(ctx context.Context, merchant commerce.ID) ([]sqldb.Channel, error)
	// Catalogue reads the store's products into ours and says how many there are.
	Catalogue func(ctx context.Context, merchant commerce.ID) (int, error)
	// Proofs runs the audits.
	Proofs *proof.Runner
	// Trials runs back-tests of rules.
	Trials *trial.Runner

	// Permission says in a sentence what a permission of a platform is for, empty when that is not known; nil knows none.
	Permission func(p chat.Platform, name string) string

	pages *ui.Pages
	turns turnstiles
	chats *chatspage.Pages
}

// Connect is the login of a platform or store by its owner.
type Connect struct {
	// Needs, when set, says in one sentence what the operator must set before it can be used.
	Needs string
	// Start is where the browser is sent, and a PKCE verifier where the platform takes one. extra is what the owner typed:
	// the shop's name.
	Start func(ctx context.Context, merchant commerce.ID, state, redirect, extra string) (address, verifier string, err error)
	// Finish turns what came back into an account or a store, and stores it. It returns its name for the owner.
	Finish func(ctx context.Context, merchant commerce.ID, back Back) (name string, err error)
	// Code, when set, is a second way, which may be used even where Needs is set.
	Code *ByCode
}

// Back is what a browser brought back from a platform. State has been checked.
type Back struct {
	Query                     url.Values
	State, Verifier, Redirect string
}

// Visitor is a signed-in member at a page.
type Visitor struct {
	Member   sqldb.Member
	Merchant sqldb.Merchant
	Place    *time.Location // the merchant's time zone
	alarm    *ui.Alarm
}

// Handler is a page of members.
type Handler func(w http.ResponseWriter, r *http.Request, v *Visitor) error

// Guard lets only members in who have a right, and shows errors.
type Guard func(right Right, h Handler) http.Handler

// Mount puts the pages into a mux.
func (d *Desk) Mount(mux *http.ServeMux, guard Guard) error {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if d.pages, err = d.Kit.Pages(templates, "templates"); err != nil {
		return err
	}
	guard, err = d.mountChats(mux, guard)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		pattern string
		right   Right
		h       Handler
	}{
		{"GET /{$}", See, d.shows},
		{"GET /shows/new", Plan, d.newShow},
		{"POST /shows/new", Plan, d.saveShow},
		{"GET /shows/{id}", See, d.show},
		{"GET /shows/{id}/events", See, d.events},
		{"GET /shows/{id}/edit", Plan, d.editShow},
		{"POST /shows/{id}/edit", Plan, d.saveShow},
		{"POST /shows/{id}/start", Plan, d.start},
		{"POST /shows/{id}/end", Plan, d.end},
		{"POST /shows/{id}/reopen", Store, d.reopen},
		{"POST /shows/{id}/air", Run, d.air},
		{"POST /shows/{id}/gate", Run, d.gate},
		{"POST /shows/{id}/release", Run, d.release},
		{"POST /shows/{id}/answered", Run, d.answered},
		{"POST /shows/{id}/veto", Run, d.veto},
		{"POST /shows/{id}/paid", Money, d.paid},
		{"POST /shows/{id}/stock", ChangeStock, d.stock},
		{"POST /shows/{id}/keep", ChangeStock, d.keep},
		{"GET /channels", Connects, d.channels},
		{"POST /channels/add", Connects, d.addRoom},
		{"POST /channels/drop", Connects, d.dropChannel},
		{"POST /accounts/drop", Connects, d.dropAccount},
		{"GET /store", Store, d.store},
		{"POST /store/products", Store, d.addProduct},
		{"POST /store/read", Store, d.readCatalogue},
		{"POST /store/drop", Store, d.dropStore},
		{"GET /audit", Audit, d.audit},
		{"GET /audit/events", Audit, d.auditEvents},
		{"POST /audit/run", Audit, d.runAudit},
		{"GET /audit/export", Audit, d.exportLedger},
	} {
		mux.Handle(x.pattern, guard(x.right, x.h))
	}
	return errors.Join(d.mountRules(mux, guard), d.mountVideo(mux, guard), d.mountRecordings(mux, guard))
}

// mountSection puts the pages of a section into a mux; page is what the frame calls them.
func mountSection(mux *http.ServeMux, guard Guard, page string, routes []section.Route) {
	rights := map[section.Need]Right{section.See: See, section.Run: Run, section.Plan: Plan, section.Rules: Rules}
	for _, x := range routes {
		mux.Handle(x.Pattern, guard(rights[x.Need], func(w http.ResponseWriter, r *http.Request, v *Visitor) error {
			sv := &section.Visitor{
				Member: v.Member, Merchant: v.Merchant, Place: v.Place, Run: v.May(Run), Plan: v.May(Plan), Connect: v.May(Connects), Rules: v.May(Rules),
			}
			frame(r, v, page, &sv.Frame)
			return x.Handle(w, r, sv)
		}))
	}
}

// render shows a page inside the members' frame.
func (d *Desk) render(w http.ResponseWriter, r *http.Request, v *Visitor, page, title string, f ui.Frame, data any) error {
	f.Title = title
	frame(r, v, page, &f)
	d.pages.Render(w, r, page, f, data)
	return nil
}

// frame fills in what the members' frame says on every page.
func frame(r *http.Request, v *Visitor, page string, f *ui.Frame) {
	f.Layout, f.Merchant, f.Practice, f.Who, f.Style = ui.Member, v.Merchant.Name, v.Merchant.Practice, v.Member.Email, "desk.css"
	f.Alarm = v.alarm
	for _, l := range []struct {
		href, text string
		right      Right
	}{{"/", "Shows", See}, {"/video", "Video", See}, {"/recordings", "Recordings", Plan}, {"/chats", "Chats", See}, {"/channels", "Channels", Connects}, {"/store", "Store", Store}, {"/rules", "Rules", See}, {"/audit", "Audit", Audit}} {
		if v.May(l.right) {
			here := r.URL.Path == l.href || l.href == "/" && (page == "show" || page == "edit") || l.href == "/video" && page == "video" || strings.HasPrefix(r.URL.Path, l.href+"/")
			f.Nav = append(f.Nav, ui.Link{Href: l.href, Text: l.text, Here: here})
		}
	}
	if s := said(r.URL.Query().Get("said")); s != "" && f.Notice == "" {
		f.Notice = s
	}
}

// said are the sentences that follow a change; the address carries their names only.
func said(name string) string {
	return map[string]string{
		"saved": "Saved.", "made": "The show is made.", "started": "The show is live.", "ended": "The show has ended.", "dropped": "Removed.",
		"connected": "Connected.", "added": "Added.", "reopened": "Selling is open again.", "signed-in": "Welcome.",
	}[name]
}

// done ends a change: htmx gets partials or nothing, a plain form is sent on.
func done(w http.ResponseWriter, r *http.Request, to string) error {
	if ui.Hx(r) {
		w.WriteHeader(http.StatusNoContent) // the stream brings what changed
		return nil
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// showID reads the show of an address.
func showID(r *http.Request) (commerce.ID, error) {
	id, err := commerce.ParseID(r.PathValue("id"))
	if err != nil {
		return 0, live.ErrNotFound
	}
	return id, nil
}
