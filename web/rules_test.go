package web_test

import (
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/browsertest"
	"hawker/internal/live/traces"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/rule"
	"hawker/rules/starter"
)

// ruleNames are the rules in force, by name; those that are off in brackets.
func (h *house) ruleNames(m commerce.ID) string {
	h.t.Helper()
	v, err := h.db.Rulebook().Rules(h.t.Context(), m)
	h.must(err)
	var out []string
	for _, r := range v.Rules {
		if r.Off {
			out = append(out, "("+r.Name+")")
		} else {
			out = append(out, r.Name)
		}
	}
	return strings.Join(out, ", ")
}

// putRules saves rules that are read from text.
func (h *house) putRules(m commerce.ID, text string) []rule.Rule {
	h.t.Helper()
	all, err := rule.Parse([]byte(text))
	h.must(err)
	for i := range all {
		all[i].ID = commerce.ID(i + 1)
	}
	_, err = h.db.Rulebook().Put(h.t.Context(), m, rulebook.Version{Author: "owner@example.test", Note: "test", Rules: all}, rulebook.Any)
	h.must(err)
	h.must(h.hub.ReloadRules(h.t.Context(), m))
	return all
}

// fields are the fields of a page's form of a rule as a browser would send them.
func fields(body string) []string {
	form := regexp.MustCompile(`(?s)<form id="rule-form".*?</form>`).FindString(body)
	var out []string
	add := func(name, value string) { out = append(out, html.UnescapeString(name), html.UnescapeString(value)) }
	for _, m := range regexp.MustCompile(`(?s)<input ([^>]*)>|<textarea ([^>]*)>(.*?)</textarea>|<select ([^>]*)>(.*?)</select>`).FindAllStringSubmatch(form, -1) {
		attrs := m[1] + m[2] + m[4]
		get := func(name string) string {
			if x := regexp.MustCompile(`(?:^| )` + name + `="([^"]*)"`).FindStringSubmatch(attrs); x != nil {
				return x[1]
			}
			return ""
		}
		name := get("name")
		switch {
		case name == "":
		case m[4] != "":
			options := regexp.MustCompile(`<option value="([^"]*)"( selected)?>`).FindAllStringSubmatch(m[5], -1)
			value := ""
			for i, o := range options {
				if i == 0 || o[2] != "" {
					value = o[1]
				}
			}
			add(name, value)
		case m[2] != "":
			add(name, m[3])
		case get("type") == "checkbox":
			if strings.Contains(attrs, " checked") {
				add(name, get("value"))
			}
		default:
			add(name, get("value"))
		}
	}
	return out
}

// with puts other values into a form.
func with(form []string, pairs ...string) []string {
	out := slices.Clone(form)
	for i := 0; i+1 < len(pairs); i += 2 {
		kept := out[:0:0]
		for k := 0; k+1 < len(out); k += 2 {
			if out[k] != pairs[i] {
				kept = append(kept, out[k], out[k+1])
			}
		}
		out = append(kept, pairs[i], pairs[i+1])
	}
	return out
}

// rulePages keeps the pages of rules for the golden files.
func (h *house) rulePages(m commerce.ID, c *client, keep func(name string, r answer, status int)) {
	h.t.Helper()
	keep("rules-list", c.get("/rules"), http.StatusOK)
	keep("rules-new", c.get("/rules/new"), http.StatusOK)
	keep("rules-edit", c.get("/rules/new?from=first-buyer"), http.StatusOK)
	form := fields(c.get("/rules/new?from=question-desk").body)
	keep("rules-wrong", c.post("/rules/new", with(form, "name", "<b>Thank buyers</b>", "expr", "left <", "a0_text", "{usr}", "per_person", "x", "do", "save")...), http.StatusUnprocessableEntity)
	keep("rules-try", c.post("/rules/try", "try_event", "command", "try_text", "is it <b>blue</b>?", "do", "try"), http.StatusOK)
	keep("rules-text", c.post("/rules/text", "text", "name: Hello\nwhen: first line\nthen:\n  - reply: \"Hi {usr}\"\n", "do", "check"), http.StatusUnprocessableEntity)
	for _, r := range []answer{c.post("/rules/rule/2/switch", "on", "0"), c.post("/rules/hooks", "name", "restocked"), c.post("/rules/new", with(fields(c.get("/rules/new?from=spam-guard").body), "do", "save")...)} {
		if r.status != http.StatusSeeOther {
			h.t.Errorf("a change: %d\n%s", r.status, r.body)
		}
	}
	keep("rules-versions", c.get("/rules/versions"), http.StatusOK)
	keep("rules-compare", c.get("/rules/versions/0"), http.StatusOK)
	keep("rules-hooks", c.get("/rules/hooks"), http.StatusOK)
	keep("rules-backtest", c.post("/rules/backtest", "do", "version", "version", "0"), http.StatusOK)
	mod := h.client()
	cookies(mod, h.session("moderator"))
	keep("rules-view", mod.get("/rules/rule/2"), http.StatusOK)
	h.must(h.traced(m))
	r := c.get("/rules/traces")
	keep("rules-traces", r, http.StatusOK)
}

// traced waits until a line that a rule fired for is in the traces.
func (h *house) traced(m commerce.ID) error {
	h.says(m, "trace", "bot", "cheap viewers here")
	for {
		all, err := h.hub.Traces(h.t.Context(), m)
		if err != nil || slices.ContainsFunc(all, func(x traces.Trace) bool { return x.Message == "trace" }) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// A rule is made of a template, changed, tried, saved, turned off, restored; each save is a version.
func TestRuleFromTemplate(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	h.show(m, h.products(m), commerce.ShowLive)
	c := h.as("owner")
	begin := fields(c.get("/rules/new?from=question-desk").body)
	r := c.post("/rules/new", with(begin, "name", "Questions", "person_cooldown", "2 min", "do", "save")...)
	if r.status != http.StatusSeeOther || !strings.HasPrefix(r.to, "/rules?said=saved#rule-") {
		t.Fatalf("save: %d to %s\n%s", r.status, r.to, r.body)
	}
	if got := h.ruleNames(m); got != "Thank buyers, Few left, Welcome raids, Questions" {
		t.Errorf("rules are %s", got)
	}
	at := "/rules/rule/" + strings.TrimPrefix(r.to, "/rules?said=saved#rule-")
	v, err := h.db.Rulebook().Rules(t.Context(), m)
	h.must(err)
	last := v.Rules[3]
	if v.Number != 1 || v.Author != "owner@example.test" || v.Note != "added Questions" || last.AtMost.PersonCooldown != 2*time.Minute || last.When.Pattern != starter.Templates("en")[5].Rule.When.Pattern {
		t.Errorf("saved is version %d by %s (%s): %+v", v.Number, v.Author, v.Note, last)
	}
	// Saving what is saved already is no version; what was not touched comes back as it was.
	if r := c.post(at, with(fields(c.get(at).body), "do", "save")...); r.status != http.StatusSeeOther {
		t.Errorf("saving again: %d\n%s", r.status, r.body)
	}
	if v, _ := h.db.Rulebook().Rules(t.Context(), m); v.Number != 1 {
		t.Errorf("saving nothing made version %d", v.Number)
	}
	c.post(at+"/switch", "on", "0")
	c.post(at+"/switch", "on", "0")
	if got := h.ruleNames(m); got != "Thank buyers, Few left, Welcome raids, (Questions)" {
		t.Errorf("turned off: %s", got)
	}
	c.post("/rules/rule/3/drop")
	if r := c.get("/rules/versions/1"); !strings.Contains(r.body, "Welcome raids") || !strings.Contains(r.body, "turned off") || !strings.Contains(r.body, "removed") {
		t.Errorf("comparing:\n%s", r.body)
	}
	if r := c.post("/rules/versions/1/restore", "base", "2"); r.status != http.StatusConflict {
		t.Errorf("restoring beside an old list: %d", r.status)
	}
	if r := c.post("/rules/versions/1/restore", "base", "3"); r.status != http.StatusSeeOther {
		t.Errorf("restoring: %d\n%s", r.status, r.body)
	}
	if got := h.ruleNames(m); got != "Thank buyers, Few left, Welcome raids, Questions" {
		t.Errorf("restored: %s", got)
	}
	if r := c.post("/rules/versions/0/restore", "base", "4"); r.status != http.StatusSeeOther || h.ruleNames(m) != "Thank buyers, Few left, Welcome raids" {
		t.Errorf("the beginning restored: %d, %s", r.status, h.ruleNames(m))
	}
}

// Each rule that can be written goes through the form and comes out as it went in.
func TestRuleFormKeepsEverything(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	c := h.as("manager")
	all := h.putRules(m, everyRule)
	for _, r := range all {
		at := "/rules/rule/" + r.ID.String()
		body := c.get(at).body
		if a := c.post(at, with(fields(body), "do", "save")...); a.status != http.StatusSeeOther {
			t.Errorf("%s: %d\n%s", r.Name, a.status, wrongs(a.body))
		}
	}
	v, err := h.db.Rulebook().Rules(t.Context(), m)
	h.must(err)
	if v.Number != 1 {
		t.Errorf("forms that nobody touched made %d versions", v.Number-1)
	}
	for i := range v.Rules {
		if was, is := rule.Text(all[i]), rule.Text(v.Rules[i]); was != is {
			t.Errorf("was\n%s\nis\n%s", was, is)
		}
	}
}

// wrongs are what a page says is wrong.
func wrongs(body string) string {
	var out []string
	for _, m := range regexp.MustCompile(`(?s)class="wrong"[^>]*>(.*?)</(?:span|p)>`).FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return strings.Join(out, "\n")
}

const everyRule = `
- name: Everything
  when: {command: [raffle, tombola]}
  only if:
    platforms: [twitch, room]
    roles: [subscriber, vip]
    not roles: [owner]
    first buyer: no
    bought: 1..5
    spent: 10.50..
    show: live
    items: [3, 12]
    tags: [mug, "two, words"]
    stock: ..10
    from: "18:00"
    to: "02:00"
    days: [fri, sat]
    chance: 50
    expression: left < 5 && !first_buyer
  then:
    - reply: "{user} is in, {{braces}}"
      after: 1m30s
      if: left > 1
    - say: Hello
      in: [twitch, twitch/1001, discord/77]
    - claim: 3
      quantity: 2
    - pass: on air
    - discount code: 10%
      text: "Your code: {code}"
      for: 24h
      name: RAFFLE
    - card: Look
      picture: https://example.com/a.png
      sound: https://example.com/a.mp3
      for: 10s
    - hot: no
      for: 5m
    - set: entries
      to: counters.entries + 1
    - webhook: https://example.com/in?key=secret
      text: "{user}"
    - time out: 10m
      text: Enough
  at most: {per person: 1, per channel: 5, per show: 9, person cooldown: 30s, channel cooldown: 1h, cooldown: 90s}
- {name: Contains, off: true, when: {line contains: ["free followers", "a, b"]}, then: [{delete line: yes}, {stop: yes}]}
- {name: Matches, when: {line matches: '\bgift ?card\b'}, then: [{question: "{text}"}]}
- {name: Every, when: {every: 1h30m}, then: [{next item: yes}]}
- {name: At, when: {at: "20:00"}, then: [{air: 3}, {price: 19.99, item: 3}, {stock: "+5"}]}
- {name: Lines, when: {after lines: 100}, then: [{announce: "{shop}"}], at most: {per channel: 3}}
- {name: Stock, when: {stock at: 3}, then: [{shout-out: "{left} left", picture: "https://example.com/b.png"}]}
- {name: Cheer, when: cheer, only if: {amount: 100}, then: [{say: "{bits}"}]}
- {name: Resub, when: resub, only if: {months: 3..}, then: [{direct message: "{months}"}]}
- {name: Reward, when: {redemption: Choose}, then: [{fulfil reward: yes}, {refund reward: yes}, {pin: "{text}"}]}
- {name: Raid, when: raid, then: [{platform shout-out: yes}, {marker: raid}]}
- {name: Hook, when: {webhook: restocked}, then: [{destination on: YouTube}, {destination off: Twitch}, {slate: yes}]}
- {name: Member, when: member joined, then: [{role: Guest}, {take role: Old}, {promote: 2}]}
- {name: Down, when: {destination down: Twitch}, then: [{slate: no}]}
- {name: Up, when: stream up, then: [{say: hi}], at most: {per channel: 1}}
`

// What is wrong is said beside it, all of it at once, with the place in a text; what was typed stays.
func TestRuleFaults(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	c := h.as("owner")
	begin := fields(c.get("/rules/new?from=empty").body)
	r := c.post("/rules/new", with(begin, "name", "thank buyers", "words", "buy", "expr", "left < nobody", "chance", "many", "per_person", "-3", "person_cooldown", "soon",
		"a0_text", "Hello {usr}, <b>", "a0_if", "user", "do", "save")...)
	if r.status != http.StatusUnprocessableEntity {
		t.Fatalf("status %d", r.status)
	}
	for _, want := range []string{
		"Another rule is called so", "stands for buy already", "nothing is called &#34;nobody&#34;", "left &lt; <mark>nobody</mark>", "A number is written in digits", "That is no time", "nothing is called &#34;usr&#34;",
		"Hello {<mark>usr</mark>}", `>Hello {usr}, &lt;b&gt;</textarea>`, `value="soon"`, `value="many"`,
	} {
		if !strings.Contains(r.body, want) && !strings.Contains(strings.ToLower(r.body), strings.ToLower(want)) {
			t.Errorf("no %q in\n%s", want, wrongs(r.body))
		}
	}
	if v, err := h.db.Rulebook().Rules(t.Context(), m); err != nil || v.Number != 0 {
		t.Errorf("something was saved: %+v, %v", v, err)
	}
	if r := c.post("/rules/new", "name", "x"); r.status != http.StatusBadRequest {
		t.Errorf("half a form: %d", r.status)
	}
	for _, path := range []string{"/rules/rule/77", "/rules/rule/x", "/rules/new?from=nothing", "/rules/new?copy=77", "/rules/versions/9", "/rules/versions/-1", "/rules/versions/x"} {
		if r := c.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.status)
		}
	}
}

// The form changes its shape by buttons, without script, and loses nothing on the way.
func TestRuleFormWithoutScript(t *testing.T) {
	h := newHouse(t)
	h.merchant()
	c := h.as("owner")
	form := with(fields(c.get("/rules/new?from=empty").body), "name", "Shapes", "words", "hello", "a0_text", "Hi {user}", "bought_from", "2", "role", "vip")
	r := c.post("/rules/new", with(form, "event", "stock at", "do", "continue")...)
	if r.status != http.StatusOK || !strings.Contains(r.body, `name="left"`) || strings.Contains(r.body, `id="f-words"`) || strings.Contains(r.body, `id="f-role"`) {
		t.Fatalf("another event: %d\n%s", r.status, r.body)
	}
	form = with(fields(r.body), "left", "3", "a0_do", "say")
	r = c.post("/rules/new", with(form, "event", "command", "do", "continue")...)
	for _, want := range []string{">hello</textarea>", `name="words"`, ">Hi {user}</textarea>", `name="bought_from" value="2"`, `name="role" value="vip" checked`} {
		if !strings.Contains(r.body, want) && !strings.Contains(r.body, strings.ReplaceAll(want, ">hello</textarea>", `value="hello"`)) {
			t.Errorf("back again without %q", want)
		}
	}
	form = with(fields(r.body), "do", "add")
	r = c.post("/rules/new", form...)
	form = with(fields(r.body), "a1_do", "stop", "do", "up-1")
	r = c.post("/rules/new", form...)
	if got := strings.Join(fields(r.body), " "); !strings.Contains(got, "a0_do stop") || !strings.Contains(got, "a1_do say") || !strings.Contains(got, "a1_text Hi {user}") {
		t.Errorf("moved up: %s", got)
	}
	r = c.post("/rules/new", with(fields(r.body), "do", "drop-0")...)
	if got := strings.Join(fields(r.body), " "); !strings.Contains(got, "a0_do say") || strings.Contains(got, "a1_do") {
		t.Errorf("dropped: %s", got)
	}
	r = c.post("/rules/new", with(fields(r.body), "try_text", "!hello", "try_role", "vip", "try_orders", "3", "do", "try")...)
	for _, want := range []string{"1 rule fires", "Hi ana", "It is read as the command !hello."} {
		if !strings.Contains(r.body, want) {
			t.Errorf("tried without %q:\n%s", want, r.body)
		}
	}
	// By htmx only what changes comes back.
	if r := c.post("/rules/sentence", with(fields(r.body), "header HX-Request", "true")...); !strings.HasPrefix(r.body, `<hx-partial hx-target="#said"`) || !strings.Contains(r.body, "When somebody types !hello") {
		t.Errorf("sentence: %s", r.body)
	}
	if r := c.post("/rules/draft", with(fields(r.body), "header HX-Request", "true", "do", "add")...); !strings.HasPrefix(r.body, `<hx-partial hx-target="#rule-form"`) {
		t.Errorf("draft: %s", r.body)
	}
}

// Who saves a rule that somebody else changed meanwhile sees both, and may save over it then. Other rules are no quarrel.
func TestRuleChangedMeanwhile(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	one, two := h.as("owner"), h.as("manager")
	at := "/rules/rule/1"
	mine, theirs, other := fields(one.get(at).body), fields(two.get(at).body), fields(two.get("/rules/rule/2").body)
	if r := two.post("/rules/rule/2", with(other, "left", "5", "do", "save")...); r.status != http.StatusSeeOther {
		t.Fatalf("another rule: %d", r.status)
	}
	if r := two.post(at, with(theirs, "a0_text", "{user} has {item} now", "do", "save")...); r.status != http.StatusSeeOther {
		t.Fatalf("beside a change of another rule: %d\n%s", r.status, r.body)
	}
	mine = with(mine, "a0_text", "Thanks <b>{user}</b>", "do", "save")
	r := one.post(at, mine...)
	for _, want := range []string{"this rule was changed meanwhile", "manager@example.test", "{user} has {item} now", "Thanks &lt;b&gt;{user}&lt;/b&gt;", "<del>", "<ins>"} {
		if r.status != http.StatusConflict || !strings.Contains(r.body, want) {
			t.Fatalf("an old form: %d without %q\n%s", r.status, want, r.body)
		}
	}
	if r := one.post(at, with(fields(r.body), "do", "save")...); r.status != http.StatusSeeOther {
		t.Errorf("saving again: %d", r.status)
	}
	v, err := h.db.Rulebook().Rules(t.Context(), m)
	h.must(err)
	if v.Rules[0].Then[0].Text != "Thanks <b>{user}</b>" || v.Rules[1].When.Left != 5 {
		t.Errorf("stored: %+v", v.Rules)
	}
	two.post(at + "/drop")
	r = one.post(at, mine...)
	if r.status != http.StatusConflict || !strings.Contains(r.body, "this rule was removed meanwhile") {
		t.Fatalf("a removed rule: %d\n%s", r.status, r.body)
	}
	if r := one.post(at, with(fields(r.body), "do", "save")...); r.status != http.StatusSeeOther || !strings.Contains(h.ruleNames(m), "Thank buyers") {
		t.Errorf("saving a removed rule again: %d", r.status)
	}
}

// Rules are moved among those of their kind, by buttons and by dragging.
func TestRuleOrder(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	h.putRules(m, `
- {name: A, when: first line, then: [{reply: a}]}
- {name: P, when: order paid, then: [{say: p}]}
- {name: B, when: {line contains: b}, then: [{reply: b}]}
- {name: C, when: {command: c}, then: [{reply: c}]}
`)
	c := h.as("owner")
	for _, tt := range []struct{ id, to, want string }{
		{"4", "up", "A, P, C, B"}, {"4", "up", "C, P, A, B"}, {"4", "up", "C, P, A, B"}, {"1", "down", "C, P, B, A"}, {"2", "down", "C, P, B, A"},
	} {
		if r := c.post("/rules/rule/"+tt.id+"/move", "to", tt.to); r.status != http.StatusSeeOther || h.ruleNames(m) != tt.want {
			t.Errorf("%s %s: %d, %s, want %s", tt.id, tt.to, r.status, h.ruleNames(m), tt.want)
		}
	}
	r := c.post("/rules/order", "rule", "1", "rule", "3", "rule", "4", "header HX-Request", "true")
	if r.status != http.StatusOK || !strings.HasPrefix(r.body, `<hx-partial hx-target="#rule-list"`) || h.ruleNames(m) != "A, P, B, C" {
		t.Errorf("dragged: %d, %s", r.status, h.ruleNames(m))
	}
	for _, ids := range [][]string{{"1", "3"}, {"1", "3", "3"}, {"1", "2", "3"}, {"1", "3", "99"}, {"x"}, {}} {
		var form []string
		for _, id := range ids {
			form = append(form, "rule", id)
		}
		if r := c.post("/rules/order", form...); r.status != http.StatusConflict && r.status != http.StatusBadRequest {
			t.Errorf("the order %q: %d", ids, r.status)
		}
	}
	if got := h.ruleNames(m); got != "A, P, B, C" {
		t.Errorf("after orders that are none: %s", got)
	}
	if r := c.get("/rules?q=CONTAINS+b"); !strings.Contains(r.body, "1 rule of 4 found") || strings.Contains(r.body, `data-sort`) {
		t.Errorf("search:\n%s", r.body)
	}
}

// A merchant's way through the pages in a browser: from a template to a rule that was tried and saved, off, and back.
func TestRulesInBrowser(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	h.show(m, h.products(m), commerce.ShowLive)
	p := browsertest.Open(t).Page(t, browsertest.View{Width: 1280, Height: 900}, "status of 422")
	signIn(p, h, "owner")
	p.Go(h.url + "/rules")
	p.Click("a[href='/rules/new']")
	p.Click("a[href='/rules/new?from=first-buyer']")
	p.AwaitText("#said", "When somebody types !welcome")
	p.Type("#f-words", "hello")
	p.AwaitText("#said", "When somebody types !hello")
	p.Type("#f-a0_text", "")
	p.AwaitText("#said", "Not ready yet. Action 1, what the viewer is told")
	p.Click("#facts summary")
	p.Click("[data-fact-text='{user}']")
	p.Await("document.querySelector('#f-a0_text').value === '{user}'")
	p.Type("#f-a0_text", "{user}, take {code}")
	// Another event asks other things; what was typed comes back with the former one.
	choose := func(css, value string) {
		p.Await("document.querySelector('" + css + "')")
		p.Text("(() => { const e = document.querySelector('" + css + "'); e.value = '" + value + "'; e.dispatchEvent(new Event('change', {bubbles: true})); return '' })()")
	}
	choose("#f-event", "stock at")
	p.Await("document.querySelector('#f-left') && !document.querySelector('#f-words')")
	choose("#f-event", "command")
	p.Await("document.querySelector('#f-words') && document.querySelector('#f-words').value === 'hello'")
	p.Await("document.querySelector('#f-a0_text').value === '{user}, take {code}'")
	p.Type("#f-try_text", "!hello")
	p.Click("button[value=try]")
	p.AwaitText("#tried", "ana, take ANA-7K2Q")
	p.Click("button[value=add]")
	p.Await("document.querySelector('#f-a1_do')")
	choose("#f-a1_do", "say")
	p.Type("#f-a1_text", "Welcome {usr}")
	p.Click("button[value=save]")
	p.AwaitText("#f-a1_text-wrong", "usr")
	p.AwaitText("#f-a1_text-wrong mark", "usr")
	p.Type("#f-a1_text", "Welcome {user}")
	p.Click("button[value=save]")
	p.Await("location.pathname === '/rules'")
	p.AwaitText(".rule .sentence", "When somebody types !hello")
	id := p.Text("[...document.querySelectorAll('.rule')].find(e => e.textContent.includes('!hello')).dataset.rule")
	p.Click("#switch-" + id)
	p.AwaitText("#rule-"+id+" .pill", "off")
	// Dragging: the list has two rules of this kind now.
	h.must(h.secondRule(m))
	p.Go(h.url + "/rules")
	p.Await("document.querySelectorAll('#group-chat + .rules > .rule').length === 2")
	p.Text(`(() => {
		const [a, b] = document.querySelectorAll('#group-chat + .rules > .rule');
		const data = new DataTransfer(), box = b.getBoundingClientRect();
		a.draggable = true;
		a.dispatchEvent(new DragEvent('dragstart', {bubbles: true, dataTransfer: data}));
		const at = {bubbles: true, cancelable: true, dataTransfer: data, clientX: box.left + 5, clientY: box.bottom - 2};
		b.dispatchEvent(new DragEvent('dragover', at));
		b.dispatchEvent(new DragEvent('drop', at));
		a.dispatchEvent(new DragEvent('dragend', {bubbles: true}));
		return ''
	})()`)
	p.Await("document.querySelector('#group-chat + .rules > .rule:last-child').dataset.rule === '" + id + "' && document.querySelector('#down-" + id + "').disabled")
	p.Go(h.url + "/rules/versions/1")
	p.AwaitText(".diff", "turned off")
	p.Text("window.confirm = () => true")
	p.Click("form[action='/rules/versions/1/restore'] button")
	p.Await("location.pathname === '/rules'")
	p.AwaitText("#rule-"+id+" .pill", "on")
	if got := h.ruleNames(m); got != "Thank buyers, Few left, Welcome raids, First-buyer discount" {
		t.Errorf("in the end there are: %s", got)
	}
}

// secondRule adds a rule for lines.
func (h *house) secondRule(m commerce.ID) error {
	v, err := h.db.Rulebook().Rules(h.t.Context(), m)
	if err != nil {
		return err
	}
	v.Rules = append(v.Rules, rule.Rule{Name: "Second", When: rule.When{Event: rule.FirstLine}, Then: []rule.Action{{Do: rule.Reply, Text: "hi"}}})
	v.Note = "second"
	_, err = h.db.Rulebook().Put(h.t.Context(), m, v, rulebook.Any)
	return err
}
