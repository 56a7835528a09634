package web_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"hawker/commerce"
	"hawker/internal/goldentest"
	"hawker/web"
	"hawker/web/desk"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// everyPage is the body of each page by its name, in a house with something of everything.
func everyPage(t *testing.T) map[string]string {
	t.Helper()
	h := newHouse(t, func(s *web.Server) {
		s.Connects = map[string]web.Connect{
			"twitch-bot": {Code: (&codeAsker{answer: desk.ErrWaiting}).connect().Code}, "twitch-channel": {}, "discord": {}, "shopify": {Start: func(context.Context, commerce.ID, string, string, string) (string, string, error) {
				return "https://shop.example/auth", "", nil
			}},
			"youtube": {Needs: "The operator sets HAWKER_GOOGLE_CLIENT_ID."},
		}
	})
	pages := map[string]string{}
	c := h.client()
	keep := func(name string, r answer, status int) {
		t.Helper()
		if r.status != status {
			t.Errorf("%s: status %d, want %d", name, r.status, status)
		}
		pages[name] = r.body
	}
	first, err := h.server.FirstRun(t.Context())
	h.must(err)
	keep("start", c.get(strings.TrimPrefix(first, h.url)), http.StatusOK)
	keep("empty", c.get("/sign-in"), http.StatusOK)
	m := h.merchant()
	keep("sign-in", c.get("/sign-in"), http.StatusOK)
	cookies(c, h.session("owner"))
	keep("shows-first", c.get("/"), http.StatusOK)
	keep("store-empty", c.get("/store"), http.StatusOK)
	planned := h.show(m, nil, commerce.ShowPlanned)
	keep("show-planned", c.get("/shows/"+planned.String()), http.StatusOK)
	h.must(h.rename(m, planned))
	show := h.bustle(m)
	h.video(m, show)
	h.asks(m, show)
	at := "/shows/" + show.String()
	keep("shows", c.get("/"), http.StatusOK)
	keep("show", c.get(at), http.StatusOK)
	keep("edit", c.get(at+"/edit"), http.StatusOK)
	keep("edit-wrong", c.post("/shows/new", "title", "", "hold", "x", "product", "1", "number", "1", "price", "", "cap", ""), http.StatusUnprocessableEntity)
	keep("channels", c.get("/channels"), http.StatusOK)
	h.manners(m)
	keep("chats", c.get("/chats"), http.StatusOK)
	keep("chats-wrong", c.post("/chats/names", "words", "scam\nx", "wait", "1"), http.StatusUnprocessableEntity)
	h.mannerly(m)
	keep("store", c.get("/store"), http.StatusOK)
	h.rulePages(m, c, keep)
	keep("audit", c.get("/audit"), http.StatusOK)
	keep("onward", c.post("/oauth/shopify", "extra", "demo.myshopify.com"), http.StatusOK)
	c.post("/oauth/twitch-bot/code")
	keep("code", c.get("/oauth/twitch-bot/code"), http.StatusOK)
	keep("error", c.get("/nowhere"), http.StatusNotFound)
	mod := h.client()
	cookies(mod, h.session("moderator"))
	keep("show-moderator", mod.get(at), http.StatusOK)
	h.videoPages(m, planned, show, c, keep)
	return pages
}

// rename gives a show another address, so that the next may have it.
func (h *house) rename(merchant, show commerce.ID) error {
	p, err := h.hub.Page(h.t.Context(), merchant, show)
	if err != nil {
		return err
	}
	p.Show.Name, p.Show.Title = "later", "Later"
	_, err = h.hub.Ask(h.t.Context(), merchant, commerce.Key{}, commerce.SetShow{Show: p.Show})
	return err
}

// steady replaces what differs from run to run: ids, secrets, times, hashes of assets, figures that were measured.
func steady(body string) string {
	ids := map[string]string{}
	body = regexp.MustCompile(`\b\d{17,19}\b`).ReplaceAllStringFunc(body, func(s string) string {
		if ids[s] == "" {
			ids[s] = fmt.Sprintf("ID%d", len(ids)+1)
		}
		return ids[s]
	})
	for _, x := range []struct{ find, put string }{
		{`/static/([a-z0-9-]+)(\.min)?\.[0-9a-f]{10}\.`, "/static/$1$2.HASH."},
		{`\b[a-z2-7]{26}\b`, "TOKEN"},
		{`/hooks/[a-z0-9]{20,}`, "/hooks/TOKEN"},
		{`whsec_[A-Za-z0-9+/=&#;]+`, "SECRET"},
		{`127\.0\.0\.1:\d+`, "HOST"},
		{`name="version" value="[0-9a-f]+"`, `name="version" value="VERSION"`},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "ISO"},
		{`\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d`, "DAY"},
		{`\b\d\d:\d\d:\d\d\b`, "CLOCK"},
		{`\b\d\d:\d\d UTC`, "CLOCK"},
		{`\b1[78]\d{11}\b`, "MS"},
		{`<dd class="num">[^<]*</dd>`, `<dd class="num">NUM</dd>`},
		{`<td>\d+(\.\d)? m?s</td>`, "<td>SPAN</td>"},
		{`<span class="spark">.*?</svg><span class="num">[^<]*</span></span>`, ""},
	} {
		body = regexp.MustCompile(x.find).ReplaceAllString(body, x.put)
	}
	return body
}

func TestGoldenPages(t *testing.T) {
	pages := everyPage(t)
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		goldentest.Check(t, *update, name+".golden", steady(pages[name]))
	}
}

// The laws of every page.
func TestLaws(t *testing.T) {
	for name, body := range everyPage(t) {
		if strings.Contains(body, "<script>alert") {
			t.Errorf("%s shows a viewer's name unescaped", name)
		}
		doc, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		l := law{t: t, page: name, ids: map[string]int{}}
		l.collect(doc)
		l.check(doc, false)
		if l.h1 != 1 {
			t.Errorf("%s has %d h1", name, l.h1)
		}
		for id, n := range l.ids {
			if n > 1 {
				t.Errorf("%s has the id %s %d times", name, id, n)
			}
		}
		for _, mark := range []string{"main", "header"} {
			if !l.has[mark] {
				t.Errorf("%s has no %s", name, mark)
			}
		}
	}
}

type law struct {
	t      *testing.T
	page   string
	ids    map[string]int
	labels map[string]bool // ids that a label is for
	has    map[string]bool
	h1     int
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func (l *law) collect(n *html.Node) {
	if l.labels == nil {
		l.labels, l.has = map[string]bool{}, map[string]bool{}
	}
	if n.Type == html.ElementNode {
		l.has[n.Data] = true
		if id, ok := attr(n, "id"); ok {
			l.ids[id]++
		}
		if n.Data == "h1" {
			l.h1++
		}
		if f, ok := attr(n, "for"); ok {
			l.labels[f] = true
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		l.collect(c)
	}
}

func (l *law) check(n *html.Node, labelled bool) {
	if n.Type == html.ElementNode {
		labelled = labelled || n.Data == "label"
		l.element(n, labelled)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		l.check(c, labelled)
	}
}

func (l *law) element(n *html.Node, labelled bool) {
	kind, _ := attr(n, "type")
	id, _ := attr(n, "id")
	_, aria := attr(n, "aria-label")
	switch n.Data {
	case "input", "select", "textarea":
		if kind != "hidden" && !labelled && !l.labels[id] && !aria {
			l.t.Errorf("%s: %s %q has no label", l.page, n.Data, id)
		}
	case "script":
		if _, ok := attr(n, "src"); !ok {
			l.t.Errorf("%s holds a script of its own", l.page)
		}
	case "style":
		l.t.Errorf("%s holds a style of its own", l.page)
	case "button", "a":
		if !aria && strings.TrimSpace(text(n)) == "" {
			l.t.Errorf("%s: a %s without words", l.page, n.Data)
		}
	case "img":
		if _, ok := attr(n, "alt"); !ok {
			l.t.Errorf("%s: a picture without alt", l.page)
		}
	case "form":
		role, _ := attr(n, "role")
		if m, _ := attr(n, "method"); m != "post" && role != "search" {
			l.t.Errorf("%s: a form that is no post", l.page)
		}
	}
	for _, a := range n.Attr {
		if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") {
			l.t.Errorf("%s: %s needs inline script", l.page, a.Key)
		}
		switch a.Key {
		case "aria-labelledby", "aria-describedby", "popovertarget", "list", "data-copy-from", "data-to":
			for id := range strings.FieldsSeq(a.Val) {
				if l.ids[id] == 0 {
					l.t.Errorf("%s: %s=%q names nothing", l.page, a.Key, id)
				}
			}
		}
	}
}

func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(text(c))
	}
	return b.String()
}

// Every template is shown by a page above, every file that pages load is there and used.
func TestNothingLiesAround(t *testing.T) {
	shown := everyPage(t)
	for _, dir := range []string{"templates", "desk/templates", "desk/rulepage/templates", "desk/relaypage/templates"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.html"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", dir, files, err)
		}
		for _, f := range files {
			name := strings.TrimSuffix(filepath.Base(f), ".html")
			switch dir {
			case "desk/rulepage/templates":
				name = "rules-" + name
			case "desk/relaypage/templates":
				name = "video-" + name
			}
			if _, ok := shown[name]; !ok && !strings.HasPrefix(filepath.Base(f), "_") {
				t.Errorf("%s is shown by no page of the test", f)
			}
		}
	}
	all := ""
	for _, body := range shown {
		all += body
	}
	css, err := os.ReadFile("ui/static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	player, err := os.ReadFile("ui/static/app.js")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*/static/*")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("desk/*/static/*")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, more...)
	for _, f := range files {
		name := filepath.Base(f)
		base := strings.TrimSuffix(name, filepath.Ext(name))
		if strings.HasPrefix(f, "viewer/") || strings.HasPrefix(f, "desk/recordings/") { // their own tests look after them
			continue
		}
		if !strings.Contains(all, "/static/"+base+".") && !strings.Contains(string(css), name) && !strings.Contains(string(player), name) {
			t.Errorf("%s is loaded by no page", f)
		}
	}
	for _, m := range regexp.MustCompile(`/static/missing-[^"]*`).FindAllString(all, -1) {
		t.Errorf("a page loads %s", m)
	}
}
