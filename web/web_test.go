package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/web"
	"hawker/web/desk"
)

func TestFirstStart(t *testing.T) {
	h := newHouse(t)
	c := h.client()
	if r := c.get("/"); r.status != http.StatusSeeOther || r.to != "/sign-in" {
		t.Errorf("/ of an empty house: %d to %s", r.status, r.to)
	}
	if r := c.get("/sign-in"); !strings.Contains(r.body, "one-time link") {
		t.Errorf("sign-in of an empty house does not say what to do:\n%s", r.body)
	}
	void, err := h.server.FirstRun(t.Context())
	h.must(err)
	link, err := h.server.FirstRun(t.Context())
	h.must(err)
	path := strings.TrimPrefix(link, h.url)
	if r := c.get(strings.TrimPrefix(void, h.url)); r.status != http.StatusNotFound {
		t.Errorf("a former link: %d", r.status)
	}
	if r := c.get("/start/" + seal.NewToken().Reveal()); r.status != http.StatusNotFound {
		t.Errorf("a guessed link: %d", r.status)
	}
	if r := c.get(path); r.status != http.StatusOK || r.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the link: %d, referrer policy %q", r.status, r.header.Get("Referrer-Policy"))
	}
	bad := c.post(path, "shop", "Ana's Ceramics", "currency", "EUR", "timezone", "Mars/Base", "language", "de", "email", "ana", "password", "short")
	for _, want := range []string{`value="Ana&#39;s Ceramics"`, "A time zone is a place", "This is no e-mail address", "At least 10 letters"} {
		if bad.status != http.StatusUnprocessableEntity || !strings.Contains(bad.body, want) {
			t.Errorf("wrong answers: %d, no %q in\n%s", bad.status, want, bad.body)
		}
	}
	if strings.Contains(bad.body, "short\"") {
		t.Error("the password is sent back")
	}
	good := []string{"shop", "Ana's Ceramics", "currency", "eur", "timezone", "Europe/Berlin", "language", "de", "email", "Ana@Example.test", "password", password}
	if r := c.post(path, good...); r.status != http.StatusSeeOther {
		t.Fatalf("right answers: %d\n%s", r.status, r.body)
	}
	if r := c.get("/"); r.status != http.StatusOK || !strings.Contains(r.body, "Connect a store") {
		t.Errorf("the first page: %d\n%s", r.status, r.body)
	}
	if r := h.client().post(path, good...); r.status != http.StatusNotFound {
		t.Errorf("the link a second time: %d", r.status)
	}
	if link, err := h.server.FirstRun(t.Context()); link != "" || err != nil {
		t.Errorf("FirstRun of a house with a shop = %q, %v", link, err)
	}
	all, err := h.db.Merchants(t.Context())
	h.must(err)
	if len(all) != 1 || all[0].Slug != "ana-s-ceramics" || all[0].Currency != "EUR" || all[0].Language != "de" {
		t.Errorf("merchants = %+v", all)
	}
}

func TestSession(t *testing.T) {
	h := newHouse(t)
	h.merchant()
	c := h.client()
	if r := c.get("/channels"); r.status != http.StatusSeeOther || r.to != "/sign-in?to=%2Fchannels" {
		t.Errorf("a page without a session: %d to %s", r.status, r.to)
	}
	wrong := c.post("/sign-in", "email", "owner@example.test", "password", "wrong words here", "to", "/channels")
	unknown := c.post("/sign-in", "email", "nobody@example.test", "password", "wrong words here", "to", "/channels")
	if wrong.status != http.StatusUnauthorized || unknown.status != http.StatusUnauthorized || strings.ReplaceAll(unknown.body, "nobody", "owner") != wrong.body {
		t.Errorf("wrong password and unknown address tell themselves apart: %d, %d", wrong.status, unknown.status)
	}
	r := c.post("/sign-in", "email", " Owner@example.test ", "password", password, "to", "/channels")
	if r.status != http.StatusSeeOther || r.to != "/channels" {
		t.Fatalf("sign in: %d to %s", r.status, r.to)
	}
	cookie := r.header.Get("Set-Cookie")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") || !strings.HasPrefix(cookie, "hawker=") {
		t.Errorf("session cookie: %s", regexp.MustCompile(`=\w{26}`).ReplaceAllString(cookie, "=..."))
	}
	if r := c.get("/channels"); r.status != http.StatusOK {
		t.Errorf("a page with a session: %d", r.status)
	}
	if r := c.get("/sign-in?to=%2Fstore"); r.to != "/store" {
		t.Errorf("signing in when signed in leads to %s", r.to)
	}
	c.post("/sign-out")
	if r := c.get("/channels"); r.status != http.StatusSeeOther {
		t.Errorf("a page after signing out: %d", r.status)
	}
	for _, to := range []string{"https://evil.example/", "//evil.example/", "/\\evil.example"} {
		if r := h.client().post("/sign-in", "email", "owner@example.test", "password", password, "to", to); r.to != "/" {
			t.Errorf("signing in leads to %s", r.to)
		}
	}
}

func TestSignInIsLimited(t *testing.T) {
	h := newHouse(t)
	h.merchant()
	c := h.client()
	last := 0
	for range 12 {
		last = c.post("/sign-in", "email", "owner@example.test", "password", "no").status
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the twelfth try: %d", last)
	}
}

func TestPostsAreLimited(t *testing.T) {
	h := newHouse(t)
	h.merchant()
	c := h.as("owner")
	for i := range 100 {
		if r := c.post("/rules/rule/1234567/switch", "on", "1"); r.status == http.StatusTooManyRequests {
			return
		} else if r.status != http.StatusNotFound {
			t.Fatalf("change %d: %d", i, r.status)
		}
	}
	t.Error("a hundred changes in a moment were taken")
}

func TestOtherSitesChangeNothing(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	c := h.as("owner")
	r := c.post("/shows/"+show.String()+"/air", "number", "1", "header Sec-Fetch-Site", "cross-site", "header Origin", "https://evil.example")
	if r.status != http.StatusForbidden {
		t.Errorf("status %d", r.status)
	}
	if p, err := h.hub.Page(t.Context(), m, show); err != nil || p.Show.Lineup.OnAir != 0 {
		t.Errorf("item %d is on air, %v", p.Show.Lineup.OnAir, err)
	}
}

// The one table of roles, against the real pages.
func TestRoles(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.bustle(m)
	at := "/shows/" + show.String()
	for _, tt := range []struct {
		path  string
		right desk.Right
	}{
		{"/", desk.See},
		{at, desk.See},
		{at + "/edit", desk.Plan},
		{"/shows/new", desk.Plan},
		{"/channels", desk.Connects},
		{"/store", desk.Store},
		{"/audit", desk.Audit},
		{"/audit/export", desk.Audit},
		{"POST /audit/run", desk.Audit},
		{"/rules", desk.See},
		{"/rules/rule/1", desk.See},
		{"/rules/try", desk.See},
		{"/rules/traces", desk.See},
		{"/rules/versions", desk.See},
		{"/rules/versions/0", desk.See},
		{"/rules/text", desk.See},
		{"/rules/new", desk.Rules},
		{"/rules/export", desk.Rules},
		{"/rules/hooks", desk.Rules},
		{"/rules/backtest", desk.Rules},
		{"POST /rules/backtest", desk.Rules},
		{"POST /rules/new", desk.Rules},
		{"POST /rules/draft", desk.Rules},
		{"POST /rules/sentence", desk.Rules},
		{"POST /rules/order", desk.Rules},
		{"POST /rules/rule/1", desk.Rules},
		{"POST /rules/rule/1/switch", desk.Rules},
		{"POST /rules/rule/1/move", desk.Rules},
		{"POST /rules/rule/1/drop", desk.Rules},
		{"POST /rules/versions/0/restore", desk.Rules},
		{"POST /rules/text", desk.Rules},
		{"POST /rules/hooks", desk.Rules},
		{"POST " + at + "/air", desk.Run},
		{"POST " + at + "/stock", desk.ChangeStock},
		{"POST " + at + "/keep", desk.ChangeStock},
		{"POST " + at + "/end", desk.Plan},
		{"POST /oauth/shopify", desk.Store},
		{"POST /oauth/youtube", desk.Connects},
		{"POST /store/drop", desk.Store},
		{"POST /channels/drop", desk.Connects},
	} {
		for _, role := range []string{"owner", "manager", "creator", "moderator"} {
			c := h.client()
			cookies(c, h.session(role))
			var r answer
			if path, ok := strings.CutPrefix(tt.path, "POST "); ok {
				if desk.May(role, tt.right) {
					continue // what is allowed is tested where it is done
				}
				r = c.post(path)
			} else {
				r = c.get(tt.path)
			}
			if want := desk.May(role, tt.right); (r.status == http.StatusOK) != want || !want && r.status != http.StatusForbidden {
				t.Errorf("%s as %s: %d", tt.path, role, r.status)
			}
		}
	}
	c := h.client()
	cookies(c, h.session("moderator"))
	if body := c.get(at).body; strings.Contains(body, "Held, not paid") || strings.Contains(body, "/overlay/") || !strings.Contains(body, "Release") {
		t.Error("the moderator's desk shows money or the overlay's address, or cannot release")
	}
	for _, role := range []string{"", "operator", "Owner"} {
		for _, r := range desk.Rights() {
			if desk.May(role, r) {
				t.Errorf("role %q may %s", role, r)
			}
		}
	}
	if !slices.Contains(desk.Rights(), desk.Money) || desk.May("moderator", desk.Money) || !desk.May("creator", desk.Money) {
		t.Error("money is not for creators, or for moderators")
	}
}

func cookies(c *client, session string) {
	u, err := url.Parse(c.url)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Jar.SetCookies(u, []*http.Cookie{{Name: "hawker", Value: session, Path: "/"}})
}

// A member of one shop sees nothing of another's.
func TestShopsAreApart(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.bustle(m)
	other, err := h.db.PutMerchant(t.Context(), sqldb.Merchant{Slug: "bob", Name: "Bob", Currency: "USD", Timezone: "UTC", Language: "en"})
	h.must(err)
	id, err := h.db.PutMember(t.Context(), sqldb.Member{Merchant: other, Email: "bob@example.test", Role: "owner"})
	h.must(err)
	h.must(h.hub.Serve(t.Context(), other))
	tok := seal.NewToken()
	h.must(h.db.PutSession(t.Context(), tok, sqldb.Member{Merchant: other, ID: id}, farAway()))
	c := h.client()
	cookies(c, tok.Reveal())
	for _, path := range []string{"", "/edit", "/events"} {
		if r := c.get("/shows/" + show.String() + path); r.status != http.StatusNotFound {
			t.Errorf("another shop's show%s: %d", path, r.status)
		}
	}
	if r := c.get("/"); strings.Contains(r.body, "Spring") {
		t.Error("another shop's show is listed")
	}
}

func TestDeskActions(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.bustle(m)
	at := "/shows/" + show.String()
	c := h.as("creator")
	page := func() live.ShowPage {
		p, err := h.hub.Page(t.Context(), m, show)
		h.must(err)
		return p
	}
	// Without script a change leads back to the desk, with htmx its answer holds the parts of the page.
	if r := c.post(at+"/air", "number", "2"); r.status != http.StatusSeeOther || r.to != at || page().Show.Lineup.OnAir != 2 {
		t.Errorf("air: %d to %s, on air %d", r.status, r.to, page().Show.Lineup.OnAir)
	}
	if r := c.post(at+"/air", "number", "3", "header HX-Request", "true"); r.status != http.StatusOK || !strings.Contains(r.body, `<hx-partial hx-target="#onair" hx-swap="innerMorph">`) {
		t.Errorf("air by htmx: %d\n%s", r.status, r.body)
	}
	c.post(at+"/gate", "number", "2", "closed", "1")
	c.post(at+"/gate", "number", "0", "closed", "1")
	if p := page(); !p.Items[1].Closed || !p.Show.Paused {
		t.Error("closing an item and pausing the show did nothing")
	}
	c.post(at+"/gate", "number", "0", "closed", "0")
	own := page().Items[0].Stock[0]
	for _, tt := range []struct {
		text string
		want int64
	}{{"+1", own.Free + 1}, {"-1", own.Free}, {"9", 9 - own.Held}} {
		if r := c.post(at+"/stock", "variant", own.Variant.ID.String(), "stock", tt.text); r.status != http.StatusSeeOther || page().Items[0].Stock[0].Free != tt.want {
			t.Errorf("stock %s: %d, %d free, want %d", tt.text, r.status, page().Items[0].Stock[0].Free, tt.want)
		}
	}
	// A safety amount is kept back of each variant, and comes back when it is let go.
	two := page().Items[1]
	for _, n := range []int64{2, 2, 0} {
		if r := c.post(at+"/keep", "number", "2", "kept", strconv.FormatInt(n, 10)); r.status != http.StatusSeeOther {
			t.Errorf("keep %d back: %d", n, r.status)
		}
		for i, x := range page().Items[1].Stock {
			if x.Safety != n || x.Free != max(0, two.Stock[i].Free-n) {
				t.Errorf("%d kept back, want %d; %d free, %d before", x.Safety, n, x.Free, two.Stock[i].Free)
			}
		}
		if kept := strings.Count(c.get(at).body, "2 kept back"); kept != len(two.Stock)*int(n)/2 {
			t.Errorf("%d kept back: the desk says so %d times", n, kept)
		}
	}
	for _, wrong := range [][]string{{"2", "-1"}, {"2", "many"}, {"2", ""}, {"2", "1000001"}, {"0", "1"}, {"x", "1"}} {
		if r := c.post(at+"/keep", "number", wrong[0], "kept", wrong[1]); r.status != http.StatusBadRequest {
			t.Errorf("keep %v back: %d", wrong, r.status)
		}
	}
	if r := c.post(at+"/keep", "number", "99", "kept", "1"); r.status != http.StatusNotFound {
		t.Errorf("keep back of no item: %d", r.status)
	}
	if r := c.post(at+"/stock", "variant", own.Variant.ID.String(), "stock", "many"); r.status != http.StatusBadRequest {
		t.Errorf("stock of many: %d", r.status)
	}
	if r := c.post(at+"/stock", "variant", page().Items[2].Stock[0].Variant.ID.String(), "stock", "5"); r.status != http.StatusBadRequest || !strings.Contains(r.body, "how many more or fewer") {
		t.Errorf("setting the stock of the store: %d", r.status)
	}
	if r := c.post(at+"/stock", "variant", page().Items[2].Stock[0].Variant.ID.String(), "stock", "+1"); r.status != http.StatusConflict || !strings.Contains(r.body, "not connected") {
		t.Errorf("stock of a store that is not connected: %d", r.status)
	}
	var hold commerce.ID
	for _, x := range page().Open {
		if x.Number == 4 {
			hold = x.ID
		}
	}
	c.post(at+"/release", "hold", hold.String())
	if p := page(); len(p.Waiting) != 0 || !slices.ContainsFunc(p.Open, func(x commerce.HoldView) bool { return x.Number == 4 && x.Viewer.Name == "dee" }) {
		t.Error("what was released did not go to the next in line")
	}
	if r := c.post(at+"/release", "hold", hold.String()); r.status != http.StatusConflict {
		t.Errorf("releasing twice: %d", r.status)
	}
	before := page()
	if len(before.Open) == 0 {
		t.Fatal("nothing is held any more")
	}
	if r := c.post(at+"/paid", "hold", before.Open[0].ID.String()); r.status != http.StatusSeeOther || page().PaidOrders != before.PaidOrders+1 || len(page().Open) != len(before.Open)-1 {
		t.Errorf("paid by hand: %d, %d orders paid, had %d", r.status, page().PaidOrders, before.PaidOrders)
	}
	if r := c.post(at+"/paid", "hold", before.Open[0].ID.String()); r.status != http.StatusConflict {
		t.Errorf("paid by hand twice: %d", r.status)
	}
	if r := c.post(at + "/end"); r.status != http.StatusSeeOther || page().Show.State != commerce.ShowEnded {
		t.Errorf("end: %d", r.status)
	}
	if r := c.post(at + "/start"); r.status != http.StatusConflict {
		t.Errorf("starting a show that ended: %d", r.status)
	}
}

func TestPlanAShow(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	ps := h.products(m)
	c := h.as("owner")
	id := func(i int) string { return ps[i].ID.String() }
	form := []string{
		"title", "Spring sale", "name", "", "hold", "15", "holds", "draft", "channel", "twitch/1001", "channel", "twitch/6666", "boutique", "on",
		"product", id(0), "number", "7", "price", "19,90", "cap", "2", "product", id(1), "number", "", "price", "", "cap", "", "product", "", "number", "", "price", "", "cap", "",
	}
	r := c.post("/shows/new", form...)
	if r.status != http.StatusSeeOther {
		t.Fatalf("new show: %d\n%s", r.status, r.body)
	}
	shows, err := h.hub.Shows(t.Context(), m)
	h.must(err)
	s := shows[0]
	if s.Name != "spring-sale" || s.Hold.Minutes() != 15 || len(s.Channels) != 1 || s.Channels[0] != twitchChannel() || !s.Lineup.Styles.Boutique || s.Lineup.Styles.Plus {
		t.Errorf("show = %+v", s)
	}
	if it := s.Lineup.Items; len(it) != 2 || it[0].Number != 7 || it[0].Price.Minor != 1990 || it[0].Cap != 2 || it[1].Number != 1 || it[1].Price.Minor != 0 {
		t.Errorf("lineup = %+v", s.Lineup.Items)
	}
	// What is wrong is said beside it, and what was typed stays.
	bad := c.post("/shows/new", "title", "<b>Another</b>", "name", "spring-sale", "hold", "0", "product", id(0), "number", "x", "price", "free", "cap", "", "product", id(1), "number", "3", "price", "", "cap", "-1")
	for _, want := range []string{"Another show has this address", "From 1 minute", "The number is 1 to 9999", "The cap is a number", `value="&lt;b&gt;Another&lt;/b&gt;"`, `value="free"`} {
		if bad.status != http.StatusUnprocessableEntity || !strings.Contains(bad.body, want) {
			t.Errorf("wrong form: %d without %q", bad.status, want)
		}
	}
	at := "/shows/" + s.ID.String()
	if r := c.post(at + "/start"); r.status != http.StatusSeeOther {
		t.Errorf("start: %d\n%s", r.status, r.body)
	}
	second := c.post("/shows/new", "title", "Second", "hold", "10", "channel", "twitch/1001", "product", id(2), "number", "1", "price", "", "cap", "")
	r = c.post(strings.TrimSuffix(second.to, "/edit?said=made") + "/start")
	if r.status != http.StatusConflict || !strings.Contains(r.body, "Spring sale") {
		t.Errorf("a second live show in one channel: %d\n%s", r.status, r.body)
	}
}

func TestOwnProducts(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	c := h.as("owner")
	if r := c.post("/store/products", "title", "", "price", "x", "stock", "-1"); r.status != http.StatusUnprocessableEntity || strings.Count(r.body, `class="wrong"`) != 3 {
		t.Errorf("wrong product: %d\n%s", r.status, r.body)
	}
	if r := c.post("/store/products", "title", "Mug", "price", "12.50", "stock", "4"); r.status != http.StatusSeeOther {
		t.Fatalf("product: %d\n%s", r.status, r.body)
	}
	ps, err := h.db.Products(t.Context(), m)
	h.must(err)
	show := h.show(m, ps, commerce.ShowLive)
	if p, err := h.hub.Page(t.Context(), m, show); err != nil || p.Items[0].Free != 4 || p.Items[0].Stock[0].Price.Minor != 1250 {
		t.Errorf("item = %+v, %v", p.Items, err)
	}
}

// A login at a platform: state once, bound to the browser, within its time.
func TestOAuth(t *testing.T) {
	var got web.Back
	var of commerce.ID
	h := newHouse(t, func(s *web.Server) {
		s.Connects = map[string]web.Connect{
			"youtube": {
				Start: func(_ context.Context, _ commerce.ID, state, redirect, extra string) (string, string, error) {
					return "https://accounts.example/auth?state=" + state + "&redirect_uri=" + url.QueryEscape(redirect), "verify-me", nil
				},
				Finish: func(_ context.Context, m commerce.ID, b web.Back) (string, error) { got, of = b, m; return "Ana", nil },
			},
			"shopify": {Start: func(_ context.Context, _ commerce.ID, _, _, shop string) (string, string, error) {
				return "", "", fmt.Errorf("shop %q: not of the form NAME.myshopify.com", shop)
			}},
			"discord": {Needs: "Set HAWKER_DISCORD_CLIENT_ID."},
		}
	})
	m := h.merchant()
	c := h.as("owner")
	start := func(c *client) string {
		t.Helper()
		r := c.post("/oauth/youtube")
		to, ok := strings.CutPrefix(r.header.Get("Refresh"), "0; url=")
		if r.status != http.StatusOK || !ok || !strings.Contains(r.body, "accounts.example") {
			t.Fatalf("start: %d %v\n%s", r.status, r.header, r.body)
		}
		u, err := url.Parse(to)
		if err != nil || u.Query().Get("redirect_uri") != h.url+"/oauth/youtube" {
			t.Fatalf("sent to %s, %v", to, err)
		}
		return u.Query().Get("state")
	}
	state := start(c)
	if r := h.as("owner").get("/oauth/youtube?code=1&state=" + state); r.status != http.StatusConflict {
		t.Errorf("another browser finishes the login: %d", r.status)
	}
	if r := c.get("/oauth/youtube?code=1&state=" + seal.NewToken().Reveal()); r.status != http.StatusConflict {
		t.Errorf("another state: %d", r.status)
	}
	if r := c.get("/oauth/youtube?code=1&state=" + state); r.status != http.StatusConflict {
		t.Errorf("the state after a wrong one: %d", r.status)
	}
	state = start(c)
	r := c.get("/oauth/youtube?code=xyz&state=" + state)
	if r.status != http.StatusSeeOther || r.to != "/channels?said=connected" || of != m || got.Verifier != "verify-me" || got.Query.Get("code") != "xyz" || got.Redirect != h.url+"/oauth/youtube" {
		t.Errorf("finish: %d to %s, %+v", r.status, r.to, got)
	}
	if r := c.get("/oauth/youtube?code=xyz&state=" + state); r.status != http.StatusConflict {
		t.Errorf("the same state again: %d", r.status)
	}
	state = start(c)
	if r := c.get("/oauth/youtube?error=access_denied&state=" + state); r.status != http.StatusConflict || !strings.Contains(r.body, "nothing was connected") {
		t.Errorf("refused there: %d", r.status)
	}
	if r := c.post("/oauth/shopify", "extra", "evil"); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "NAME.myshopify.com") {
		t.Errorf("a shop that is none: %d", r.status)
	}
	if r := c.post("/oauth/discord"); r.status != http.StatusConflict || !strings.Contains(r.body, "HAWKER_DISCORD_CLIENT_ID") {
		t.Errorf("a login that is not set up: %d", r.status)
	}
	if r := c.get("/channels"); !strings.Contains(r.body, "HAWKER_DISCORD_CLIENT_ID") || !strings.Contains(r.body, "This installation has no login for Twitch") {
		t.Errorf("channels do not say what to set:\n%s", r.body)
	}
}

func TestChannels(t *testing.T) {
	h := newHouse(t, func(s *web.Server) {
		s.Rooms = func(context.Context, commerce.ID) ([]sqldb.Channel, error) {
			return []sqldb.Channel{{Channel: discordChannel(), Name: "#sales", Guild: "3003"}}, nil
		}
	})
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	c := h.as("owner")
	r := c.get("/channels")
	for _, want := range []string{"340 ms", "youtube.force-ssl", "#sales"} {
		if !strings.Contains(r.body, want) {
			t.Errorf("channels lack %q", want)
		}
	}
	if r := c.post("/channels/add", "channel", "discord/666"); r.status != http.StatusConflict {
		t.Errorf("a channel that the bot does not see: %d", r.status)
	}
	if r := c.post("/channels/add", "channel", "discord/4004"); r.status != http.StatusSeeOther {
		t.Errorf("add: %d", r.status)
	}
	if r := c.post("/channels/drop", "channel", "twitch/1001"); r.status != http.StatusConflict {
		t.Errorf("dropping a channel of a live show: %d", r.status)
	}
	c.post("/shows/" + show.String() + "/end")
	if r := c.post("/channels/drop", "channel", "twitch/1001"); r.status != http.StatusSeeOther {
		t.Errorf("drop: %d", r.status)
	}
	all, err := h.db.Channels(t.Context(), m)
	h.must(err)
	if len(all) != 2 || all[0].Channel != discordChannel() {
		t.Errorf("channels = %+v", all)
	}
}

// While nobody serves the merchant, pages say so and ask to be asked again.
func TestOneMoment(t *testing.T) {
	h := newHouse(t)
	id, err := h.db.PutMerchant(t.Context(), sqldb.Merchant{Slug: "new", Name: "New", Currency: "EUR", Timezone: "UTC", Language: "en"})
	h.must(err)
	m, err := h.db.PutMember(t.Context(), sqldb.Member{Merchant: id, Email: "new@example.test", Role: "owner"})
	h.must(err)
	tok := seal.NewToken()
	h.must(h.db.PutSession(t.Context(), tok, sqldb.Member{Merchant: id, ID: m}, farAway()))
	c := h.client()
	cookies(c, tok.Reveal())
	if r := c.get("/"); r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || !strings.Contains(r.body, "One moment") {
		t.Errorf("%d %v\n%s", r.status, r.header, r.body)
	}
}

func TestDemoSignsIn(t *testing.T) {
	var who sqldb.Member
	h := newHouse(t, func(s *web.Server) {
		s.SignInAs = func(context.Context) (sqldb.Member, bool) { return who, who.ID != 0 }
	})
	h.merchant()
	c := h.client()
	if r := c.get("/"); r.status != http.StatusSeeOther {
		t.Errorf("nobody to be: %d", r.status)
	}
	all, err := h.db.MembersByEmail(t.Context(), "owner@example.test")
	h.must(err)
	who = all[0]
	if r := c.get("/"); r.status != http.StatusOK || !strings.Contains(r.header.Get("Set-Cookie"), "hawker=") {
		t.Errorf("automatic sign-in: %d", r.status)
	}
	if r := c.get("/"); r.header.Get("Set-Cookie") != "" {
		t.Error("a browser that has a session gets another")
	}
}

// The stream of the desk: the parts of the page as they stand, for members only, ended when the server is told to stop.
func TestDeskStream(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.bustle(m)
	at := "/shows/" + show.String() + "/events"
	if r := h.client().get(at, "Accept", "text/html, text/event-stream"); r.status != http.StatusUnauthorized {
		t.Errorf("stream without a session: %d to %s", r.status, r.to)
	}
	c := h.client()
	cookies(c, h.session("owner"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+at, nil)
	h.must(err)
	res, err := c.Do(req)
	h.must(err)
	defer res.Body.Close()
	seen, buf := "", make([]byte, 64<<10)
	for !strings.Contains(seen, `hx-target="#timing"`) || !strings.Contains(seen, `hx-target="#chat"`) {
		n, err := res.Body.Read(buf)
		seen += string(buf[:n])
		h.must(err)
	}
	if strings.Contains(seen, "<script>alert") || !strings.Contains(seen, "&lt;script&gt;alert(1)&lt;/script&gt;") || !strings.Contains(seen, "\nid: ") {
		t.Errorf("stream = %s", seen)
	}
	h.server.Close()
	for err == nil {
		_, err = res.Body.Read(buf)
	}
}
