// Package ui is what all pages of the house share: the frame around a page, the look, the headers that keep pages safe,
// cookies, limits, the words for errors, and the streams by which pages stay up to date. It knows nothing of single
// pages; web/desk and web/viewer bring their templates and their data.
//
// A page is one Go struct and one template. What changes while people look is a partial: a {{define}}d part of that
// template, rendered by the same struct for the first load and for the stream, so that the two cannot differ.
//
// Goroutines: one for each cast (see Casts) while anybody looks at it; all end before Kit.Close returns.
package ui

import (
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"hawker/internal/seal"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

// Options say what a Kit is made for.
type Options struct {
	// Public is the address people reach the pages at, without a final slash. Cookies are Secure when it is https.
	Public string
	// Key signs the addresses of pictures.
	Key *seal.Key
	// Pictures fetches product pictures; it must refuse private addresses (internal/dial). nil shows no pictures.
	Pictures *http.Client
	// Static are folders with more files that pages load, each under its own name; a style sheet of a part of the house
	// is named by Frame.Style.
	Static []fs.FS
	// Proxies are who may tell the browser's address by X-Forwarded-For; loopback may always.
	Proxies []netip.Prefix
	Log     *slog.Logger // nil means silence
	// Version is shown at the foot of members' pages.
	Version string
}

// Kit is what pages are made with. Its methods may be called by many goroutines.
type Kit struct {
	Assets *Assets
	Casts  *Casts
	// Posts bounds how often one session or address may change something.
	Posts *Limiter

	public   string
	version  string
	trusted  bool
	secure   bool
	key      *seal.Key
	pictures *pictures
	proxies  []netip.Prefix
	log      *slog.Logger
	errors   *Pages
}

// New makes a Kit. Close it when the server shuts down, or streams keep it from ending.
func New(o Options) (*Kit, error) {
	k := &Kit{
		public: o.Public, version: o.Version, secure: strings.HasPrefix(o.Public, "https://"), key: o.Key, proxies: o.Proxies, log: o.Log,
		Posts: &Limiter{Rate: 5, Burst: 40},
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	k.trusted = trustworthy(o.Public)
	k.Casts = newCasts(k.log)
	k.pictures = newPictures(o.Key, o.Pictures, k.log)
	var err error
	if k.Assets, err = newAssets(o.Static); err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	if k.errors, err = k.pages(templates, "templates/error.html"); err != nil {
		return nil, fmt.Errorf("error page: %w", err)
	}
	return k, nil
}

// trustworthy reports whether browsers tell us where a request comes from (Sec-Fetch-Site), which they do over https and
// to loopback only (W3C Secure Contexts, 3.1). Elsewhere Origin must do, and a page without any referrer sends none: its
// forms would be refused. There pages keep the policy same-origin, which tells other sites just as little.
func trustworthy(public string) bool {
	u, err := url.Parse(public)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost") || err == nil && a.IsLoopback()
}

// Close ends all streams and waits for what feeds them.
func (k *Kit) Close() { k.Casts.close() }

// Public is the address people reach the pages at.
func (k *Kit) Public() string { return k.public }

// Version is the program's version.
func (k *Kit) Version() string { return k.version }

// Mount adds what all pages need to a mux: /static/ and /picture/.
func (k *Kit) Mount(mux *http.ServeMux) {
	mux.Handle("GET /static/{file}", k.Assets)
	mux.Handle("GET /favicon.ico", http.RedirectHandler(k.Assets.URL("mark.svg"), http.StatusFound))
	mux.Handle("GET /picture/{token}", k.pictures)
}
