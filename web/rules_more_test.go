package web_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb"
	"hawker/rules/rule"
)

// Rules go in and out as text; what is wrong is told with its line and column.
func TestRulesAsText(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	c := h.as("owner")
	bad := "- name: Hello\n  when: first line\n  then: [{reply: \"Hi {usr}\"}]\n- name: Thank buyers\n  when: nothing\n  then: [{say: hi}]\n"
	r := c.post("/rules/text", "text", bad, "do", "add")
	if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "Line 5, column 9.") {
		t.Errorf("a wrong text: %d\n%s", r.status, r.body)
	}
	r = c.post("/rules/text", "text", strings.ReplaceAll(bad, "nothing", "order paid"), "do", "add")
	if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "Line 4") || !strings.Contains(r.body, "already") {
		t.Errorf("a name that is taken: %d\n%s", r.status, r.body)
	}
	r = c.post("/rules/text", "text", strings.ReplaceAll(bad, "nothing", "order paid"), "do", "add", "replace", "1")
	if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "Line 3, column") || !strings.Contains(r.body, "usr") {
		t.Errorf("a text with an unknown fact: %d\n%s", r.status, r.body)
	}
	good := strings.ReplaceAll(strings.ReplaceAll(bad, "nothing", "order paid"), "usr", "user")
	r = c.post("/rules/text", "text", good, "do", "check", "replace", "1")
	if r.status != http.StatusOK || !strings.Contains(r.body, "replaces yours") || !strings.Contains(r.body, "reply “Hi {user}”") {
		t.Errorf("looking: %d\n%s", r.status, r.body)
	}
	if r := c.post("/rules/text", "text", good, "do", "add", "replace", "1"); r.status != http.StatusSeeOther {
		t.Errorf("adding: %d\n%s", r.status, r.body)
	}
	if got := h.ruleNames(m); got != "Thank buyers, Few left, Welcome raids, Hello" {
		t.Errorf("rules: %s", got)
	}
	r = c.get("/rules/export")
	if all, err := rule.Parse([]byte(r.body)); err != nil || len(all) != 4 || !strings.Contains(r.header.Get("Content-Disposition"), "rules-ana-") {
		t.Errorf("export: %v\n%s", err, r.body)
	}
	// Who may not change rules does not see the addresses of webhooks.
	h.putRules(m, everyRule)
	mod := h.as("moderator")
	for _, path := range []string{"/rules", "/rules/rule/1", "/rules/text", "/rules/versions/1"} {
		if r := mod.get(path); r.status != http.StatusOK || strings.Contains(r.body, "key=secret") {
			t.Errorf("%s of a moderator: %d, or it shows a secret", path, r.status)
		}
	}
	if r := c.get("/rules/text"); !strings.Contains(r.body, "key=secret") {
		t.Error("the owner does not see the address")
	}
}

// Trying a rule says what would be said and done, and why a rule does not fire; nothing is done.
func TestTryRules(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	h.putRules(m, `
- {name: Code, when: {command: code}, only if: {roles: [subscriber]}, then: [{discount code: 10%, text: "{user}: {code} for {item}"}], at most: {per person: 1}}
- {name: Off, off: true, when: {command: code}, then: [{reply: off}]}
- {name: Stop, when: {line contains: never}, then: [{delete line: yes}, {time out: 10m}, {stop: yes}]}
- {name: Big, when: order paid, only if: {amount: "100.."}, then: [{shout-out: "{user} paid {total}"}, {set: big, to: counters.big + 1}]}
`)
	c := h.as("moderator")
	for _, tt := range []struct {
		form []string
		want []string
	}{
		{[]string{"try_event", "command", "try_text", "!code"}, []string{"No rule fires", "role is subscriber, but ana is a viewer"}},
		{[]string{"try_event", "command", "try_text", "!code", "try_role", "subscriber", "try_name", "bob"}, []string{
			"1 rule fires", "bob: ANA-7K2Q for Speckled mug", "make the viewer a discount code of 10%", "is bounded by At most",
		}},
		{[]string{"try_event", "command", "try_text", "never ever"}, []string{"delete the line", "time the viewer out for 10 minutes", "the rules behind it are not looked at"}},
		{[]string{"try_event", "command", "try_text", "!buy 1 x2"}, []string{"The till itself reads it as buy of item 1"}},
		{[]string{"try_event", "order paid", "try_total", "99,99"}, []string{"No rule fires", "amount is at least 100, but it is 99.99"}},
		{[]string{"try_event", "order paid", "try_total", "100"}, []string{"ana paid €100.00", "big becomes 1", "Twitch, YouTube"}},
		{[]string{"try_event", "order paid", "try_total", "much"}, []string{"Not tried yet"}},
	} {
		r := c.post("/rules/try", append(tt.form, "do", "try")...)
		for _, want := range tt.want {
			if r.status != http.StatusOK || !strings.Contains(html.UnescapeString(r.body), want) {
				t.Errorf("%q: %d without %q\n%s", tt.form, r.status, want, regexp.MustCompile(`(?s)<div id="tried".*</section>`).FindString(r.body))
			}
		}
	}
	if p, err := h.hub.Page(t.Context(), m, show); err != nil || len(p.Open) != 0 || len(p.Chat) != 0 {
		t.Errorf("trying did something: %+v, %v", p.Open, err)
	}
}

// The rule in the form is tried on a show that was recorded, beside those that were in force, and with more pieces.
func TestBacktest(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	c := h.as("owner")
	if r := c.get("/rules/backtest"); !strings.Contains(r.body, "No show was recorded yet") {
		t.Errorf("before any show:\n%s", r.body)
	}
	h.putRules(m, `[{name: Lisbon, when: {line contains: lisbon}, then: [{reply: "Hello {user}"}]}]`)
	show := h.bustle(m)
	begin := with(fields(c.get("/rules/rule/1").body), "words", "buy", "do", "form")
	r := c.post("/rules/backtest", begin...)
	draft := regexp.MustCompile(`name="draft" value="([^"]*)"`).FindStringSubmatch(r.body)
	if r.status != http.StatusOK || draft == nil || !strings.Contains(r.body, "When a line contains “buy”") {
		t.Fatalf("from the form: %d\n%s", r.status, r.body)
	}
	if v, err := h.db.Rulebook().Rules(t.Context(), m); err != nil || v.Number != 1 {
		t.Errorf("trying saved version %d, %v", v.Number, err)
	}
	ask := []string{"do", "start", "show", show.String(), "draft", html.UnescapeString(draft[1])}
	for _, tt := range []struct{ field, value, want string }{
		{"pieces", "many", "A number of pieces"}, {"item", "77", "This show has no such item"}, {"hold", "soon", "That is no time"}, {"hold", "8 days", "From 1 minute to 7 days"}, {"show", "1", "Choose a show"},
	} {
		if r := c.post("/rules/backtest", with(ask, tt.field, tt.value)...); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, tt.want) {
			t.Errorf("%s %q: %d without %q", tt.field, tt.value, r.status, tt.want)
		}
	}
	done := func() string {
		t.Helper()
		for range 2000 {
			if r := c.get("/rules/backtest"); !strings.Contains(r.body, "runs-title") {
				return html.UnescapeString(r.body)
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatal("it never ends")
		return ""
	}
	if r := c.post("/rules/backtest", ask...); r.status != http.StatusSeeOther || r.to != "/rules/backtest" {
		t.Fatalf("start: %d\n%s", r.status, r.body)
	}
	body := done()
	for _, want := range []string{"“Lisbon” fired once before, 7 times now.", "8 lines would have been claimed or answered differently", "Hello ana_pottery", "<script>alert(1)</script>"} {
		if want == "<script>alert(1)</script>" {
			if strings.Contains(c.get("/rules/backtest").body, want) {
				t.Error("a viewer's name is not escaped")
			}
			continue
		}
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, regexp.MustCompile(`(?s)<div id="trial".*`).FindString(body))
		}
	}
	c.post("/rules/backtest", "do", "start", "show", show.String(), "pieces", "50", "item", "4", "hold", "5 min")
	if body := done(); !strings.Contains(body, "the rules in force over “Spring kiln opening”, with +50 pieces of item 4 and holds of 5 min") || !strings.Contains(body, "<del>1</del> <ins>51</ins>") {
		t.Errorf("with 50 more pieces:\n%s", regexp.MustCompile(`(?s)<div id="trial".*`).FindString(body))
	}
	if r := c.post("/rules/backtest", "do", "stop"); r.status != http.StatusSeeOther {
		t.Errorf("stopping what does not run: %d", r.status)
	}
}

func TestHooksPage(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	h.putRules(m, `[{name: Restock, when: {webhook: restocked}, then: [{say: "{webhook.sku} is back"}]}]`)
	c := h.as("owner")
	if r := c.get("/rules/hooks"); !strings.Contains(r.body, "Rules wait for") {
		t.Errorf("a rule without an address is not told of:\n%s", r.body)
	}
	if r := c.post("/rules/hooks", "name", "Re stock"); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `value="Re stock"`) {
		t.Errorf("a wrong name: %d", r.status)
	}
	c.post("/rules/hooks", "name", "restocked")
	address := regexp.MustCompile(`id="hook-(\d+)" readonly value="([^"]+)"`)
	first := address.FindStringSubmatch(c.get("/rules/hooks").body)
	if first == nil || !strings.HasPrefix(first[2], h.url+"/hooks/") {
		t.Fatalf("address %q", first)
	}
	c.post("/rules/hooks", "do", "renew", "hook", first[1])
	if second := address.FindStringSubmatch(c.get("/rules/hooks").body); second == nil || second[2] == first[2] {
		t.Errorf("renewed: %q", second)
	}
	secret := regexp.MustCompile(`value="(whsec_[^"]+)"`)
	was := secret.FindStringSubmatch(c.get("/rules/hooks").body)
	c.post("/rules/hooks", "do", "secret")
	if is := secret.FindStringSubmatch(c.get("/rules/hooks").body); was == nil || is == nil || is[1] == was[1] {
		t.Error("the secret was not renewed")
	}
	c.post("/rules/hooks", "do", "drop", "hook", first[1])
	if address.MatchString(c.get("/rules/hooks").body) {
		t.Error("the address is still there")
	}
}

// The form of a rule knows what the store grants, where the store told it.
func TestRuleFormKnowsTheStore(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	c := h.as("owner")
	for granted, want := range map[string]string{"": "pill plain\">needs", "read_orders,write_discounts": "pill good\">there", "read_orders": "pill trouble\">missing"} {
		h.must(h.db.PutStore(t.Context(), m, sqldb.Store{
			Kind: "shopify", Shop: "demo.myshopify.com", Holds: commerce.HoldsDraft, StoreSecret: sqldb.StoreSecret{Token: "t", Granted: granted},
		}))
		if body := c.get("/rules/new?from=raid-code").body; !strings.Contains(body, want+`</span> Shopify: <span class="code">write_discounts</span>`) {
			t.Errorf("granted %q: the form does not say %s", granted, want)
		}
	}
}

// What rules wanted and could not have done stands on their page, with its reason.
func TestRuleTroubles(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	h.show(m, h.products(m), commerce.ShowLive)
	h.putRules(m, "name: Cover\nwhen: {line contains: curtain}\nthen: [{slate: yes}]\n")
	owner := h.as("owner")
	if body := owner.get("/rules").body; strings.Contains(body, "note bad") {
		t.Error("there is trouble before anything happened")
	}
	h.says(m, "c1", "bob", "curtain please")
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		body := owner.get("/rules").body
		if strings.Contains(body, "there is nothing here that can do it") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the page says nothing of it: %s", body)
		}
	}
}
