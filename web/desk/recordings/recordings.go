// Package recordings holds the pages of the recordings of a merchant's shows: what there is, with the moments of the show beside it;
// watching, downloading, deleting. Package desk decides who may see them. They work without script.
package recordings

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/relay/record"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Static is the pages' own style sheet.
//
//go:embed static
var Static embed.FS

// Pages serves the pages. Set the fields, then Open.
type Pages struct {
	DB    *sqldb.DB
	Kit   *ui.Kit
	Shelf *record.Shelf // nil where nothing is recorded

	pages *ui.Pages
}

// Open reads the templates and gives the pages' addresses.
func (p *Pages) Open() ([]section.Route, error) {
	var err error
	if p.pages, err = p.Kit.Pages(templates, "templates"); err != nil {
		return nil, err
	}
	return []section.Route{
		{Pattern: "GET /recordings", Need: section.Plan, Handle: p.list},
		{Pattern: "GET /recordings/{name}", Need: section.Plan, Handle: p.one},
		{Pattern: "GET /recordings/{name}/video.mp4", Need: section.Plan, Handle: p.video},
		{Pattern: "GET /recordings/{name}/moments.vtt", Need: section.Plan, Handle: p.moments},
		{Pattern: "POST /recordings/{name}/delete", Need: section.Plan, Handle: p.remove},
	}, nil
}

// row is a recording.
type row struct {
	Name, At, Title string // At: its address
	Show            string // the address of its show, empty when that is gone
	Started         time.Time
	Date            string // in the shop's time zone
	Length, Size    string
	Picture         string
	Live            bool
	Trouble, File   string
	Cues            bool
}

// listPage is the list.
type listPage struct {
	Off   bool // nothing is recorded here
	Rows  []row
	Show  string // when only those of one show are listed, its title
	Space string
	// Trouble says that nothing is recorded for want of room, or will soon not be.
	Trouble string
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	page := &listPage{Off: p.Shelf == nil}
	if p.Shelf == nil {
		return p.render(w, r, v, "list", "Recordings", page)
	}
	folder := v.Merchant.ID.String()
	all, err := p.Shelf.List(folder)
	if err != nil {
		return err
	}
	shows, err := p.shows(r, v)
	if err != nil {
		return err
	}
	only := r.URL.Query().Get("show")
	for i := range all {
		if only == "" || all[i].Stream == only {
			page.Rows = append(page.Rows, rowOf(&all[i], shows, v.Place))
		}
	}
	if s, ok := shows[only]; ok {
		page.Show = s.Title
	}
	space, err := p.Shelf.Room(folder)
	if err != nil {
		return err
	}
	page.Space = Size(space.Used) + " used"
	if space.Quota > 0 {
		page.Space = Size(space.Used) + " of " + Size(space.Quota) + " used"
	}
	switch old := len(all) > 1; {
	case space.Free >= 0 && space.Free < space.MinFree:
		page.Trouble = "The disk is nearly full: " + Size(space.Free) + " are free, and " + Size(space.MinFree) + " must stay so. Nothing is recorded until there is room."
	case space.Quota > 0 && space.Used > space.Quota/10*9 && old:
		page.Trouble = "Nearly all room for recordings is used. The oldest ones make place for new ones: download what you want to keep."
	}
	return p.render(w, r, v, "list", "Recordings", page)
}

// shows are the merchant's, by their ID as streams are called.
func (p *Pages) shows(r *http.Request, v *section.Visitor) (map[string]commerce.Show, error) {
	all, err := p.DB.Shows(r.Context(), v.Merchant.ID)
	if err != nil {
		return nil, err
	}
	out := make(map[string]commerce.Show, len(all))
	for i := range all {
		out[all[i].ID.String()] = all[i]
	}
	return out, nil
}

func rowOf(x *record.Recording, shows map[string]commerce.Show, place *time.Location) row {
	s, known := shows[x.Stream]
	out := row{
		Name: x.Name, At: "/recordings/" + url.PathEscape(x.Name), Title: "A show that was removed", Started: x.Started,
		Date: x.Started.In(place).Format("2 January 2006 15:04"), Length: Length(x.Length), Size: Size(x.Bytes), Live: x.Live, Trouble: x.Trouble, Cues: x.Cues,
		File: "show-" + x.Started.In(place).Format("2006-01-02-1504") + ".mp4",
	}
	if known {
		out.Title, out.Show = s.Title, "/shows/"+x.Stream
		out.File = s.Name + x.Started.In(place).Format("-2006-01-02-1504") + ".mp4"
	}
	if x.Width > 0 {
		out.Picture = strconv.Itoa(x.Width) + " × " + strconv.Itoa(x.Height)
	}
	return out
}

// moment is a cue point on the page.
type moment struct {
	At, Text string
	Seconds  int
}

// onePage is a recording with its player.
type onePage struct {
	row
	Moments []moment
}

// get finds the recording of an address.
func (p *Pages) get(r *http.Request, v *section.Visitor) (record.Recording, error) {
	if p.Shelf == nil {
		return record.Recording{}, live.ErrNotFound
	}
	x, err := p.Shelf.Get(v.Merchant.ID.String(), r.PathValue("name"))
	if errors.Is(err, fs.ErrNotExist) {
		return x, live.ErrNotFound
	}
	return x, err
}

// cued is get, with the merchant's shows and the recording's cue points.
func (p *Pages) cued(r *http.Request, v *section.Visitor) (x record.Recording, shows map[string]commerce.Show, cues []record.Cue, err error) {
	if x, err = p.get(r, v); err != nil {
		return x, nil, nil, err
	}
	if shows, err = p.shows(r, v); err != nil {
		return x, nil, nil, err
	}
	cues, err = cuesOf(r.Context(), p.DB, v.Merchant.ID, &x, shows, nil)
	return x, shows, cues, err
}

func (p *Pages) one(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	x, shows, cues, err := p.cued(r, v)
	if err != nil {
		return err
	}
	page := &onePage{row: rowOf(&x, shows, v.Place)}
	for _, c := range cues {
		page.Moments = append(page.Moments, moment{Length(c.At), c.Text, int(c.At.Seconds())})
	}
	page.Cues = len(cues) > 0
	return p.render(w, r, v, "one", "Recording of "+page.Title, page)
}

// video sends the file, or the parts of it that are asked for.
func (p *Pages) video(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	x, err := p.get(r, v)
	if err != nil {
		return err
	}
	f, err := p.Shelf.Open(v.Merchant.ID.String(), x.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return live.ErrNotFound
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	shows, err := p.shows(r, v)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return err
	}
	h := w.Header()
	how := "inline"
	if r.URL.Query().Has("download") {
		how = "attachment"
	}
	h.Set("Content-Type", "video/mp4")
	h.Set("Content-Disposition", fmt.Sprintf("%s; filename=%q", how, rowOf(&x, shows, v.Place).File))
	h.Set("Cache-Control", "private, no-cache")
	// A download may go on with what it has only as long as the file is the same: it grows, and is given its index once.
	h.Set("ETag", fmt.Sprintf(`"%x-%x"`, st.Size(), st.ModTime().UnixNano()))
	http.ServeContent(w, r, "", st.ModTime(), f)
	return nil
}

// moments sends the cue points, for players.
func (p *Pages) moments(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	x, shows, cues, err := p.cued(r, v)
	if err != nil {
		return err
	}
	b := record.VTT(cues, x.Length)
	h := w.Header()
	h.Set("Content-Type", "text/vtt; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	if r.URL.Query().Has("download") {
		file := rowOf(&x, shows, v.Place).File
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", file[:len(file)-len(".mp4")]+".vtt"))
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	return nil
}

// remove deletes a recording.
func (p *Pages) remove(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	x, err := p.get(r, v)
	if err != nil {
		return err
	}
	err = p.Shelf.Delete(v.Merchant.ID.String(), x.Name)
	if errors.Is(err, record.ErrLive) {
		return ui.Problem(http.StatusConflict, "This is still being recorded. It can be deleted when the video is over.")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	http.Redirect(w, r, "/recordings?said=dropped", http.StatusSeeOther)
	return nil
}

func (p *Pages) render(w http.ResponseWriter, r *http.Request, v *section.Visitor, page, title string, data any) error {
	f := v.Frame
	f.Title, f.Style, f.Media = title, "recordings.css", page == "one"
	p.pages.Render(w, r, page, f, data)
	return nil
}

// Size is a number of bytes for people, in units of 1000 as disks are sold.
func Size(n int64) string {
	switch x := float64(n); {
	case n >= 1e9:
		return strconv.FormatFloat(x/1e9, 'f', 1, 64) + " GB"
	case n >= 1e6:
		return strconv.FormatFloat(x/1e6, 'f', 0, 64) + " MB"
	}
	return strconv.FormatInt((n+999)/1000, 10) + " kB"
}

// Length is a time in a recording: 1:02:03, or 2:03.
func Length(d time.Duration) string {
	s := int(d.Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
