package ui_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/web/ui"
)

func newKit(t *testing.T, o ui.Options) *ui.Kit {
	t.Helper()
	key, err := seal.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	o.Key = key
	if o.Public == "" {
		o.Public = "http://localhost:8080"
	}
	k, err := ui.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func onePage(t *testing.T, k *ui.Kit, body string) *ui.Pages {
	t.Helper()
	p, err := k.Pages(fstest.MapFS{"one.html": {Data: []byte(body)}}, ".")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func get(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPage(t *testing.T) {
	k := newKit(t, ui.Options{})
	p := onePage(t, k, `{{define "main"}}<h1>{{.}}</h1>{{template "tag" (tag 3)}}{{template "block" .}}{{end}}{{define "block"}}<p>{{.}}</p>{{end}}`)
	h := k.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.Render(w, r, "one", ui.Frame{Layout: ui.Member, Title: "<b>", Practice: true, Stream: "/e"}, "<script>alert(1)</script>")
	}))
	w := get(t, h, "/")
	body := w.Body.String()
	for _, want := range []string{
		`<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>`, `<title>&lt;b&gt;`, `class="practice-mark"`, `hx-sse:connect="/e"`, `<html lang="en" class="member practice">`,
		`<a class="skip" href="#main">`, `role="status"`, `<nav aria-label="Main">`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("page lacks %s:\n%s", want, body)
		}
	}
	part, err := p.Part("one", "block", "<i>")
	if err != nil || string(part) != "<p>&lt;i&gt;</p>" {
		t.Errorf("Part = %q, %v", part, err)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; " +
			"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Permissions-Policy": "camera=(), microphone=()", "Cache-Control": "no-store",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	// Everything that the page names is there.
	mux := http.NewServeMux()
	k.Mount(mux)
	for _, m := range regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`).FindAllStringSubmatch(body, -1) {
		if got := get(t, mux, m[1]); got.Code != http.StatusOK {
			t.Errorf("%s: status %d", m[1], got.Code)
		}
	}
}

// On plain http beyond loopback browsers name no Sec-Fetch-Site, and a page without any referrer sends its forms with
// "Origin: null": there secret pages keep the policy same-origin.
func TestSecretPageOnPlainHTTP(t *testing.T) {
	for public, want := range map[string]string{
		"http://192.168.1.5:8080": "same-origin", "http://127.0.0.1:8080": "no-referrer", "http://[::1]:8080": "no-referrer", "https://shop.example": "no-referrer",
	} {
		k := newKit(t, ui.Options{Public: public})
		p := onePage(t, k, `{{define "main"}}<h1>x</h1>{{end}}`)
		w := get(t, k.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p.Render(w, r, "one", ui.Frame{Layout: ui.Viewer, Private: true}, nil)
		})), "/")
		if got := w.Header().Get("Referrer-Policy"); got != want {
			t.Errorf("%s: %q, want %q", public, got, want)
		}
	}
}

func TestPageWithVideo(t *testing.T) {
	k := newKit(t, ui.Options{})
	p := onePage(t, k, `{{define "main"}}<h1>x</h1>{{end}}`)
	w := get(t, k.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.Render(w, r, "one", ui.Frame{Layout: ui.Viewer, Media: true, Private: true}, nil)
	})), "/")
	if got := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(got, "; media-src 'self' blob:; worker-src 'self'") {
		t.Errorf("policy = %q", got)
	}
	if got := w.Header().Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("referrer policy of a secret page = %q", got)
	}
}

func TestAssets(t *testing.T) {
	k := newKit(t, ui.Options{Static: []fs.FS{fstest.MapFS{"static/more.css": {Data: []byte("@layer pages { a { color: red } }")}}}})
	mux := http.NewServeMux()
	k.Mount(mux)
	for _, name := range k.Assets.Names() {
		w := get(t, mux, k.Assets.URL(name), "Accept-Encoding", "gzip")
		if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		if zip := w.Header().Get("Content-Encoding") == "gzip"; strings.HasSuffix(name, ".js") && !zip || strings.HasSuffix(name, ".woff2") && zip {
			t.Errorf("%s: gzip is %v", name, zip)
		}
	}
	css := get(t, mux, k.Assets.URL("app.css")).Body.String()
	fonts := regexp.MustCompile(`url\((/static/[^)]+)\)`).FindAllStringSubmatch(css, -1)
	if len(fonts) != 2 {
		t.Errorf("style names %d fonts", len(fonts))
	}
	for _, f := range fonts {
		if w := get(t, mux, f[1]); w.Code != http.StatusOK {
			t.Errorf("%s: %d", f[1], w.Code)
		}
	}
	if w := get(t, mux, "/static/missing.js"); w.Code != http.StatusNotFound {
		t.Errorf("missing file: %d", w.Code)
	}
}

func TestCrossOrigin(t *testing.T) {
	k := newKit(t, ui.Options{})
	h := k.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for site, want := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 200, "": 200} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("a=1"))
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("POST of %q: %d, want %d", site, w.Code, want)
		}
	}
}

func TestBodyIsBounded(t *testing.T) {
	k := newKit(t, ui.Options{})
	h := k.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			k.Fail(w, r, err)
		}
	}))
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("a="+strings.Repeat("x", 300<<10)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("form of 300 KB: %d", w.Code)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	k := newKit(t, ui.Options{})
	w := get(t, k.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") })), "/")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") || !strings.Contains(w.Body.String(), "<h1>") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestErrors(t *testing.T) {
	k := newKit(t, ui.Options{})
	for _, tt := range []struct {
		err  error
		want int
	}{
		{fmt.Errorf("x: %w", live.ErrNotHere), 503},
		{live.ErrNotFound, 404},
		{sqldb.ErrNotFound, 404},
		{sqldb.ErrTaken, 409},
		{context.DeadlineExceeded, 503},
		{ui.ErrTooFast, 429},
		{ui.Problem(418, "I am a <teapot>."), 418},
		{errors.New("password is hunter2"), 500},
	} {
		for _, hx := range []string{"", "true"} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if hx != "" {
				r.Header.Set("HX-Request", hx)
			}
			w := httptest.NewRecorder()
			k.Fail(w, r, tt.err)
			body := w.Body.String()
			if w.Code != tt.want || strings.Contains(body, "hunter2") || strings.Contains(body, "<teapot>") || (hx == "") == strings.Contains(body, "<hx-partial") {
				t.Errorf("%v, hx %q: %d %s", tt.err, hx, w.Code, body)
			}
			if (w.Header().Get("Retry-After") != "") != (tt.want == 503 || tt.want == 429) {
				t.Errorf("%v: Retry-After %q", tt.err, w.Header().Get("Retry-After"))
			}
		}
	}
}

func TestMasked(t *testing.T) {
	tok := seal.NewToken().Reveal()
	for in, want := range map[string]string{"/c/" + tok + "/events": "/c/[token]/events", "/live/spring": "/live/spring"} {
		if got := ui.Masked(in); got != want {
			t.Errorf("Masked = %s, want %s", got, want)
		}
	}
}

func TestCookies(t *testing.T) {
	for public, want := range map[string]string{"https://shop.example": "__Host-hawker-browser", "http://localhost:1": "hawker-browser"} {
		k := newKit(t, ui.Options{Public: public})
		w := httptest.NewRecorder()
		tok := k.Browser(w, httptest.NewRequest(http.MethodGet, "/", nil))
		c := w.Result().Cookies()[0]
		if c.Name != want || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != strings.HasPrefix(public, "https") || c.Path != "/" {
			t.Errorf("%s: %+v", public, c)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(c)
		w = httptest.NewRecorder()
		if again := k.Browser(w, r); again != tok || len(w.Result().Cookies()) != 0 {
			t.Error("a known browser gets a new secret")
		}
	}
}

func TestAddress(t *testing.T) {
	k := newKit(t, ui.Options{})
	for _, tt := range []struct{ remote, forwarded, want string }{
		{"203.0.113.9:1", "", "203.0.113.9"},
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9"}, // nobody we know says so
		{"127.0.0.1:1", "6.6.6.6, 198.51.100.1", "198.51.100.1"},
		{"[2001:db8:1:2:3:4:5:6]:1", "", "2001:db8:1:2::/64"},
		{"[::ffff:203.0.113.9]:1", "", "203.0.113.9"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.remote
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := k.Address(r); got != tt.want {
			t.Errorf("%s by %s = %s, want %s", tt.forwarded, tt.remote, got, tt.want)
		}
	}
}

func TestLimiter(t *testing.T) {
	l := &ui.Limiter{Rate: .001, Burst: 2}
	first, second, third, other := l.Allow("a"), l.Allow("a"), l.Allow("a"), l.Allow("b")
	if !first || !second || third || !other {
		t.Error("the budget of two is not two for each")
	}
	for i := range 30_000 { // forgets rather than grows
		l.Allow(fmt.Sprint(i))
	}
}

func TestPictures(t *testing.T) {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", map[bool]string{true: "text/html", false: "image/png"}[r.URL.Path == "/page"])
		fmt.Fprint(w, "PNG")
	}))
	defer shop.Close()
	k := newKit(t, ui.Options{Pictures: shop.Client()})
	p := onePage(t, k, `{{define "main"}}{{template "picture" (dict "Src" . "Alt" "Mug")}}{{end}}`)
	mux := http.NewServeMux()
	k.Mount(mux)
	address := func(src string) string {
		b, err := p.Part("one", "main", src)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`src="([^"]*)"`).FindSubmatch(b)
		if m == nil {
			return ""
		}
		return strings.ReplaceAll(string(m[1]), "&amp;", "&")
	}
	good := address(shop.URL + "/mug.png")
	w := get(t, mux, good)
	if w.Code != http.StatusOK || w.Body.String() != "PNG" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%s: %d %v", good, w.Code, w.Header())
	}
	if w := get(t, mux, strings.Replace(good, "mug", "cup", 1)); w.Code != http.StatusNotFound {
		t.Errorf("an address that no page showed: %d", w.Code)
	}
	if w := get(t, mux, address(shop.URL+"/page")); w.Code != http.StatusBadGateway {
		t.Errorf("a page for a picture: %d", w.Code)
	}
	if got := address("javascript:alert(1)"); got != "" {
		t.Errorf("picture at %q", got)
	}
}

func TestRemoved(t *testing.T) {
	if got := string(ui.Partials(ui.Removed("line-youtube-LCC.Ehw_K=")...)); got != "<hx-partial hx-target=\"[id='line-youtube-LCC.Ehw_K=']\" hx-swap=\"delete\"></hx-partial>\n" {
		t.Error(got)
	}
	for _, id := range []string{"x'],body,[id='", `x"`, "x<b>", "x\\"} {
		if got := ui.Removed(id); got != nil {
			t.Errorf("%q becomes %+v", id, got)
		}
	}
}
