package viewer_test

import (
	"flag"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"hawker/commerce"
	"hawker/internal/goldentest"
	"hawker/internal/lang"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

var update = flag.Bool("update", false, "write the golden pages anew") //nolint:gochecknoglobals // a flag

// scrub takes out of a page what differs from run to run.
func scrub(page string) string {
	for _, x := range []struct{ pattern, put string }{
		{`\b(?:[a-z2-7]{26}|[a-z2-7]{29})\b`, "TOKEN"},
		{`\b\d{15,}\b`, "ID"},
		{`data-at="[^"]*"`, `data-at="MS"`},
		{`datetime="[^"]*"`, `datetime="TIME"`},
		{`\d\d:\d\d (UTC|CEST|CET)`, "CLOCK"},
		{`\d{1,2} [A-Z][a-z]{2} CLOCK`, "CLOCK"},
		{`127\.0\.0\.1(:|%3[aA])\d+`, "HOST"},
		{`\.[0-9a-f]{10}\.(css|js|svg|woff2)`, ".HASH.$1"},
		{`!connect \d{6}`, "!connect CODE"},
		{`Guest \d{4}`, "Guest NUMBER"},
	} {
		page = regexp.MustCompile(x.pattern).ReplaceAllString(page, x.put)
	}
	return page
}

func golden(t *testing.T, name, page string) {
	t.Helper()
	// The frame around a page is package ui's.
	goldentest.Check(t, *update, name+".golden", scrub(find(t, page, `(?s)(<main .*</main>)`))+"\n")
}

// laws are what holds for every page.
func laws(t *testing.T, name, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	bad := func(format string, v ...any) {
		t.Helper()
		t.Errorf(name+": "+format, v...)
	}
	ids, labels, forms := map[string]bool{}, map[string]bool{}, []string{}
	headings := 0
	var nodes []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			nodes = append(nodes, n)
			if id := attr(n, "id"); id != "" {
				if ids[id] {
					bad("the id %s is there twice", id)
				}
				ids[id] = true
			}
			if n.Data == "label" {
				labels[attr(n, "for")] = true
			}
			if n.Data == "h1" {
				headings++
			}
		}
	}
	if headings != 1 {
		bad("%d elements h1", headings)
	}
	for _, n := range nodes {
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") {
				bad("<%s %s> is script in an attribute", n.Data, a.Key)
			}
		}
		switch n.Data {
		case "script":
			if attr(n, "src") == "" || n.FirstChild != nil {
				bad("an inline script: %s", text(n))
			}
		case "img":
			if !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "alt" }) {
				bad("a picture without alt")
			}
		case "input", "select", "textarea":
			if attr(n, "type") != "hidden" && attr(n, "aria-label") == "" && !labels[attr(n, "id")] && !inside(n, "label") {
				bad("<%s name=%s> has no label", n.Data, attr(n, "name"))
			}
		case "button", "a":
			if strings.TrimSpace(text(n)) == "" && attr(n, "aria-label") == "" {
				bad("a <%s> says nothing", n.Data)
			}
		case "form":
			if attr(n, "method") != "post" || !strings.HasPrefix(attr(n, "action"), "/") {
				bad("a form does not work without script: %v", n.Attr)
			}
			if hx := attr(n, "hx-post"); hx != "" && hx != attr(n, "action") {
				bad("a form goes to %s with script and to %s without", hx, attr(n, "action"))
			}
		}
		if f := attr(n, "form"); f != "" {
			forms = append(forms, f)
		}
	}
	for _, f := range forms {
		if !ids[f] {
			bad("a control belongs to the form %s, which is not there", f)
		}
	}
	if strings.Contains(page, "missing-") || strings.Contains(page, "ZgotmplZ") {
		bad("something is missing or was refused by the template")
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func inside(n *html.Node, name string) bool {
	for p := range n.Ancestors() {
		if p.Data == name {
			return true
		}
	}
	return false
}

func text(n *html.Node) string {
	s := ""
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			s += d.Data
		}
	}
	return s
}

// Every page in every language: as its golden file has it in English, and by the laws in all.
func TestPages(t *testing.T) {
	for _, language := range lang.Languages() {
		t.Run(language, func(t *testing.T) {
			h := newHouse(t, func(m *sqldb.Merchant, _ *commerce.Show) {
				m.Language, m.Practice, m.Timezone = language, language == "de", "Europe/Berlin"
			})
			room := h.web.URL + "/live/spring"
			check := func(name string, g got) {
				t.Helper()
				laws(t, name, g.body)
				if !strings.Contains(g.body, `<html lang="`+language+`"`) {
					t.Errorf("%s is not in %s", name, language)
				}
				if hole := regexp.MustCompile(`\{[a-z]+\}`).FindString(g.body); hole != "" {
					t.Errorf("%s: %s was not filled in", name, hole)
				}
				if language == "en" {
					golden(t, name, g.body)
				}
			}
			h.types("<script>alert(1)</script>", `<img src=x onerror="alert(2)">`)
			h.until("the line", func() bool { return len(h.page().Chat) == 1 })
			b := h.browser()
			check("room", b.get(room))
			ana := h.claims("ana<script>", "!buy 3 x2")
			check("receipt", b.get(ana))
			b.post(room+"/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("4", "VASE"))
			b.post(room+"/act", true, "key", seal.NewToken().Reveal(), "wait", h.pick("5", "M"))
			b.post(room+"/act", true, "code", "1")
			check("room-mine", b.get(room))
			check("choose-item", b.get(room+"?item=99"))
			check("choose-room", b.get(room+"?item=5&n=2"))
			check("choose-stranger", b.get(ana+"?item=5"))
			check("receipt-mine", b.get(h.web.URL+find(t, b.get(room).body, `href="(/c/[a-z2-7]{29})"`)))
			code := find(t, b.get(ana).body, `!connect (\d{6})`)
			h.types("ana<script>", "!connect "+code)
			h.until("the question", func() bool { return strings.Contains(b.get(ana).body, `name="join"`) })
			check("receipt-asked", b.get(ana))
			b.post(ana+"/act", false, "join", "yes:twitch/id-ana<script>")
			check("choose-mine", b.get(ana+"?item=5&n=2"))
			check("forget", b.get(ana+"/forget"))
			code = find(t, b.post(ana+"/act", false, "code", "1").body, `!connect (\d{6})`)
			h.types("anna_b", "!connect "+code)
			h.until("the second question", func() bool { return strings.Contains(b.get(ana).body, `name="join"`) })
			check("receipt-join", b.get(ana))
			b.post(ana+"/act", false, "join", "yes:twitch/id-anna_b")
			check("receipt-joined", b.get(ana))
			h.ask(commerce.Gate{Show: h.show, Closed: true})
			check("room-paused", b.get(room))
			check("receipt-paused", b.get(ana))
			h.ask(commerce.Gate{Show: h.show})
			check("leave", b.post(ana+"/checkout", false))
			check("overlay", b.get(h.overlay))
			r, err := http.NewRequest(http.MethodGet, h.web.URL+"/c/x", nil)
			h.must(err)
			r.Header.Set("Accept-Language", language)
			check("gone", b.do(r))
			if got, want := h.pages.Names(), []string{"choose", "forget", "gone", "leave", "overlay", "receipt", "room"}; !slices.Equal(got, want) {
				t.Errorf("templates %v, of which %v are tested", got, want)
			}
		})
	}
}

// What each page may do in a browser.
func TestHeaders(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	link := h.claims("ana", "!buy 3")
	for address, frames := range map[string]string{
		h.overlay: "frame-ancestors 'self'; media-src https:", h.overlay + "?mute": "frame-ancestors 'self'", link: "frame-ancestors 'none'", h.web.URL + "/live/spring": "frame-ancestors 'none'",
	} {
		g := b.get(address)
		if csp := g.head.Get("Content-Security-Policy"); !strings.HasSuffix(csp, frames) {
			t.Errorf("%s: policy %q", address, csp)
		}
		if g.head.Get("X-Robots-Tag") != "noindex" {
			t.Errorf("%s may be listed by search engines", address)
		}
		if private := g.head.Get("Referrer-Policy") == "no-referrer"; private == strings.HasSuffix(address, "/live/spring") {
			t.Errorf("%s: referrer policy %q", address, g.head.Get("Referrer-Policy"))
		}
	}
	g := b.get(h.overlay)
	has(t, g, http.StatusOK, "pauseOnBackground", `id="air-3"`, "Type !buy 3", `/events"`)
	has(t, b.get(h.overlay+"?mute"), http.StatusOK, `/events?mute"`)
	if len(g.head.Values("Set-Cookie")) != 0 {
		t.Error("the overlay sets a cookie")
	}
	r, err := http.NewRequest(http.MethodPost, link+"/checkout", strings.NewReader(""))
	h.must(err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if g := b.do(r); g.status != http.StatusForbidden {
		t.Errorf("another site's form: %d", g.status)
	}
}
