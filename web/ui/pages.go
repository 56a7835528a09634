package ui

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"hawker/commerce"
)

// Layout is the frame around a page.
type Layout string

// Layouts. Member has the navigation, Viewer is for phones first, Bare is for sign-in and errors, Overlay is empty and
// transparent.
const (
	Member  Layout = "member"
	Viewer  Layout = "viewer"
	Bare    Layout = "bare"
	Overlay Layout = "overlay"
)

// Frame is what the layout shows around a page.
type Frame struct {
	Layout Layout
	Title  string
	Lang   string // BCP 47, empty means en
	// Merchant is the shop's name. Practice puts the mark on the page.
	Merchant string
	Practice bool
	Style    string // a style sheet besides app.css
	Nav      []Link
	Who      string // who is signed in
	// Stream is the address of the page's events, empty for pages that stand still.
	Stream string
	// Media lets the page play video (CSP media-src and worker-src).
	Media bool
	// Sounds lets a page without video play sounds from https addresses anywhere (CSP media-src).
	Sounds bool
	// Framed lets pages of our own show the page in a frame.
	Framed bool
	// Private marks pages whose address is a secret: no referrer, no caching.
	Private bool
	// Notice is a sentence on what was just done, Trouble on what went wrong.
	Notice, Trouble string
	// Alarm is a strip on the page that stays until what it says is over; nil for none.
	Alarm *Alarm
	// Skip, Lost and Mark are the frame's own words in the page's language; empty means English.
	Skip, Lost, Mark string
	Status           int // 0 means 200
}

// Alarm is something that a member must not overlook, with a button that ends it.
type Alarm struct{ Text, Action, Button string }

// Link is a link of the navigation.
type Link struct {
	Href, Text string
	Here       bool
}

// shell is what the layout's template reads.
type shell struct {
	Frame
	Page any
	Kit  *Kit
}

// Pages are the templates of one folder, one a page. A page's file defines "main"; the layout and the parts of package
// ui are there for all.
type Pages struct {
	kit  *Kit
	byID map[string]*template.Template
}

// Pages parses every .html file of a folder as a page of its own, named like the file without its ending. Files whose
// name begins with "_" are shared by the folder's pages.
func (k *Kit) Pages(fsys fs.FS, dir string) (*Pages, error) {
	files, err := fs.Glob(fsys, path.Join(dir, "*.html"))
	if err != nil {
		return nil, err
	}
	return k.pages(fsys, files...)
}

func (k *Kit) pages(fsys fs.FS, files ...string) (*Pages, error) {
	base := template.New("").Funcs(k.funcs())
	if _, err := base.ParseFS(templates, "templates/layout.html", "templates/parts.html"); err != nil {
		return nil, err
	}
	p := &Pages{kit: k, byID: map[string]*template.Template{}}
	var own []string
	for _, f := range files {
		if !strings.HasPrefix(path.Base(f), "_") {
			own = append(own, f)
		} else if _, err := base.ParseFS(fsys, f); err != nil {
			return nil, err
		}
	}
	for _, f := range own {
		t, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if _, err := t.ParseFS(fsys, f); err != nil {
			return nil, err
		}
		if t.Lookup("main") == nil {
			return nil, fmt.Errorf("%s defines no %q", f, "main")
		}
		p.byID[strings.TrimSuffix(path.Base(f), ".html")] = t
	}
	return p, nil
}

// Names are the names of all pages.
func (p *Pages) Names() []string {
	var out []string
	for n := range p.byID {
		out = append(out, n)
	}
	return out
}

// Render writes a whole page. What the template needs must be in data already: a template that fails gives an error page
// and a line in the log.
func (p *Pages) Render(w http.ResponseWriter, r *http.Request, name string, f Frame, data any) {
	var b bytes.Buffer
	if err := p.execute(&b, name, "layout", shell{f, data, p.kit}); err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store") // every page shows what is true now, and most are somebody's own
	if f.Media || f.Framed || f.Sounds {
		h.Set("Content-Security-Policy", policy(&f))
	}
	if f.Private && p.kit.trusted {
		h.Set("Referrer-Policy", "no-referrer")
	}
	if f.Status != 0 {
		w.WriteHeader(f.Status)
	}
	_, _ = w.Write(b.Bytes()) // who went away needs no page
}

// Part renders one partial of a page.
func (p *Pages) Part(page, block string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := p.execute(&b, page, block, data)
	return b.Bytes(), err
}

func (p *Pages) execute(b *bytes.Buffer, page, block string, data any) error {
	t := p.byID[page]
	if t == nil {
		return fmt.Errorf("page %q: no such template", page)
	}
	if err := t.ExecuteTemplate(b, block, data); err != nil {
		return fmt.Errorf("page %s: %w", page, err)
	}
	return nil
}

// funcs are the functions that all templates may call.
func (k *Kit) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":   func(name string) string { return k.Assets.URL(name) },
		"picture": func(src string) string { return k.pictures.url(src) },
		"icon":    icon,
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"unix":    func(t time.Time) int64 { return t.UnixMilli() },
		"dash":    dash,
		"plural":  plural,
		"dict":    dict,
		"tag":     func(number int) tagView { return tagView{Number: number} },
		"bigtag":  func(number int) tagView { return tagView{number, "big"} },
	}
}

type tagView struct {
	Number int
	Size   string
}

// dash shows a dash for what was not measured or does not exist: empty text, zero time or duration, money without
// currency.
func dash(v any) string {
	s := ""
	switch v := v.(type) {
	case string:
		s = v
	case time.Duration:
		if v > 0 {
			s = Short(v)
		}
	case commerce.Money:
		if v.Currency != "" {
			s = v.String()
		}
	case int:
		if v != 0 {
			s = fmt.Sprint(v)
		}
	default:
		s = fmt.Sprint(v)
	}
	if s == "" {
		return "–"
	}
	return s
}

// Short writes a duration as people say it: 240 ms, 1.4 s, 3 min, 2 h.
func Short(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: %d arguments", len(pairs))
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		k, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: key %v is no text", pairs[i])
		}
		m[k] = pairs[i+1]
	}
	return m, nil
}

// icon is a small drawing beside a word; it is hidden from screen readers, which get the word.
func icon(name string) (template.HTML, error) {
	paths := map[string]string{
		"next":  `<path d="M5 12h13M13 6l6 6-6 6"/>`,
		"pause": `<path d="M8 5v14M16 5v14"/>`,
		"play":  `<path d="M7 5l12 7-12 7z"/>`,
		"copy":  `<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M15 9V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h3"/>`,
		"open":  `<path d="M14 4h6v6M20 4l-9 9M19 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1h5"/>`,
		"air":   `<circle cx="12" cy="12" r="3"/><path d="M6.3 17.7a8 8 0 0 1 0-11.4M17.7 6.3a8 8 0 0 1 0 11.4"/>`,
		"plus":  `<path d="M12 5v14M5 12h14"/>`,
		"minus": `<path d="M5 12h14"/>`,
		"more":  `<path d="M5 12h.01M12 12h.01M19 12h.01"/>`,
		"sound": `<path d="M4 10v4h4l5 4V6l-5 4zM16.5 9a4 4 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11"/>`,
		"mute":  `<path d="M4 10v4h4l5 4V6l-5 4zM17 9.5l5 5M22 9.5l-5 5"/>`,
		"up":    `<path d="M12 19V6M6 11l6-6 6 6"/>`,
	}
	p, ok := paths[name]
	if !ok {
		return "", fmt.Errorf("icon %q: not drawn", name)
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">` + p + `</svg>`), nil //nolint:gosec // all of it is written above
}
