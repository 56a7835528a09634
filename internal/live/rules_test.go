package live

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live/lines"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/rule"
)

// rules puts rules into force, each under a name of its own.
func (s *stall) rules(all ...rule.Rule) {
	s.t.Helper()
	for i := range all {
		if all[i].Name == "" {
			all[i].Name = "rule " + string(rune('a'+i))
		}
	}
	ctx := context.Background()
	if _, err := s.db.Rulebook().Put(ctx, s.merchant, rulebook.Version{Author: "test", Rules: all}, rulebook.Any); err != nil {
		s.t.Fatal(err)
	}
	if err := s.hub.ReloadRules(ctx, s.merchant); err != nil {
		s.t.Fatal(err)
	}
}

func byWord(word string, then ...rule.Action) rule.Rule {
	return rule.Rule{When: rule.When{Event: rule.Command, Words: []string{word}}, Then: then}
}

func on(e rule.Event, then ...rule.Action) rule.Rule {
	return rule.Rule{When: rule.When{Event: e}, Then: then}
}

func say(text string) rule.Action { return rule.Action{Do: rule.Say, Text: text} }

// happens has the platform tell something of a viewer.
func (s *stall) happens(k chat.Kind, name, id string, what chat.Support) {
	s.chat.hear(chat.Event{Kind: k, Channel: here, ID: id, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "id-" + name, Name: name}, Support: what, At: time.Now()})
}

// saidTimes is how many lines the bot said that hold a text.
func (s *stall) saidTimes(text string) int {
	n := 0
	for _, x := range s.chat.texts() {
		n += strings.Count(x, text)
	}
	return n
}

// Do is that of a platform which has no announcements.
func (c *typed) Do(_ context.Context, d chat.Deed) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d.Kind == chat.Announce {
		return &chat.Refused{Code: "unsupported"}
	}
	c.did = append(c.did, d)
	return nil
}

func (c *typed) deeds() []chat.Deed {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.did)
}

func TestRulesAnswerLines(t *testing.T) {
	dir := t.TempDir()
	s := openStall(t, dir)
	hi := byWord("hi", rule.Action{Do: rule.Reply, Text: "Hello {user}, on air is {item}"})
	hi.ID, hi.AtMost.PerPerson = 11, 1
	s.rules(hi, rule.Rule{When: rule.When{Event: rule.Contains, Words: []string{"shipping"}}, Then: []rule.Action{say("Shipping is free, {user}")}},
		on(rule.FirstLine, say("Welcome {user}!")))
	if _, err := s.hub.Ask(t.Context(), s.merchant, commerce.Key{}, commerce.Air{Show: s.show, Number: 4}); err != nil {
		t.Fatal(err)
	}
	line := s.types("ana", "!hi")
	got := s.says("Hello ana, on air is Vase")
	if !slices.ContainsFunc(s.chat.lines(), func(l chat.Line) bool { return l.Text == got && l.To.Message == line }) {
		t.Errorf("%q is no reply to the line", got)
	}
	s.says("Welcome ana!")
	s.types("bob", "what is SHIPPING please?", func(m *chat.Message) { m.ID = "twice" })
	s.types("bob", "what is SHIPPING please?", func(m *chat.Message) { m.ID = "twice" }) // the platform told it twice
	s.says("Shipping is free, bob")
	s.types("bob", "!why")
	s.says("The rule rule b, rule c did something about it.")
	s.types("ana", "!hi")
	s.types("own", "shipping", func(m *chat.Message) { m.Own = true })
	s.types("old", "shipping", func(m *chat.Message) { m.Sent = m.Sent.Add(-3 * time.Minute) })
	s.types("cy", "!hi")
	s.says("Hello cy")
	if n := s.saidTimes("Shipping"); n != 1 {
		t.Errorf("shipping was answered %d times: %q", n, s.chat.texts())
	}
	if n := s.saidTimes("Hello ana"); n != 1 {
		t.Errorf("ana was greeted %d times", n)
	}
	all, err := s.hub.Traces(t.Context(), s.merchant)
	if err != nil || len(all) < 3 {
		t.Fatalf("traces: %+v, %v", all, err)
	}
	found := false
	for _, x := range all {
		if x.Viewer.Name == "ana" && x.Text == "!hi" && len(x.Did) == 0 {
			found = len(x.Looks) > 0 && !x.Looks[0].Fired && x.Looks[0].Why != ""
		}
	}
	if !found {
		t.Errorf("no trace says why ana's second !hi did not fire: %+v", all)
	}
	if f, err := s.hub.Fired(t.Context(), s.merchant, s.show); err != nil || f[11].Times != 2 || time.Since(f[11].Last) > time.Minute {
		t.Errorf("fired %+v, %v", f, err)
	}
	// The limit is kept over a restart.
	s.stop()
	s = openStall(t, dir)
	s.types("ana", "!hi")
	s.types("dee", "!hi")
	s.says("Hello dee")
	if n := s.saidTimes("Hello ana"); n != 0 {
		t.Error("ana was greeted again after a restart")
	}
}

// What was counted is there after a crash too: it is stored with what was decided.
func TestRulesCountIsDurable(t *testing.T) {
	s := openStall(t, t.TempDir())
	raid := on(rule.Raided, say("Welcome {count} raiders of {user}"))
	raid.ID, raid.AtMost.PerShow = 12, 1
	s.rules(raid, byWord("add", rule.Action{Do: rule.Set, Name: "goal", Value: "counters.goal + 5"}, rule.Action{Do: rule.Reply, Text: "goal {counters.goal}"}))
	s.happens(chat.Raided, "kim", "e1", chat.Support{Count: 40})
	s.happens(chat.Raided, "kim", "e1", chat.Support{Count: 40}) // told twice
	s.says("Welcome 40 raiders of kim")
	s.types("ana", "!add")
	s.says("goal 5")
	st, err := s.db.Load(context.Background(), s.merchant) // as a node does that takes over after a crash
	if err != nil {
		t.Fatal(err)
	}
	stored, err := s.db.Rulebook().Load(context.Background(), s.merchant)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range st.Effects {
		if e.Kind == effectCount {
			var m rulebook.Memory
			if err := json.Unmarshal(e.Body, &m); err != nil {
				t.Fatal(err)
			}
			stored.Counters, stored.Settings = append(stored.Counters, m.Counters...), append(stored.Settings, m.Settings...)
		}
	}
	if !slices.ContainsFunc(stored.Counters, func(c rulebook.Counter) bool { return c.Rule == 12 && c.Show == s.show && c.Fired == 1 }) ||
		!slices.ContainsFunc(stored.Settings, func(x rulebook.Setting) bool { return x.Name == "goal" && x.N == 5 }) {
		t.Errorf("stored: %+v", stored)
	}
}

// What a batch counted that could not be stored was never counted: the rule fires when its parts are decided anew.
func TestRulesCountAnewBesideAPoisonedRequest(t *testing.T) {
	s := openStall(t, t.TempDir())
	first := on(rule.HoldMade, say("{user} was first"))
	first.AtMost.PerShow = 1
	s.rules(first)
	m := s.hub.Merchant(s.merchant)
	bad := make(chan error, 1)
	if err := m.look(t.Context(), func() { // what comes now is one batch
		show := commerce.Show{ID: commerce.NewID(time.Now()), Name: "bad", Title: "Bad", State: commerce.ShowPlanned}
		show.Lineup.Items = []commerce.Item{{Number: 0}} // the table takes no such number
		m.jobs <- job{cmd: &call{req: commerce.SetShow{Show: show}, after: func(r result) { bad <- r.err }}}
		s.types("ana", "!buy 3")
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-bad; err == nil {
		t.Error("the database took an item number 0")
	}
	s.says("ana was first")
}

// What rules were to do later about somebody who is forgotten is not done, and nothing of it is kept.
func TestForgottenBeforeARuleIsDue(t *testing.T) {
	s := openStall(t, t.TempDir())
	later := say("Thank you {user}")
	later.After = 30 * time.Minute
	s.rules(on(rule.HoldMade, later))
	is := func(id string) func(*chat.Message) { return func(m *chat.Message) { m.Viewer.ID = id } }
	s.types("Annegret", "!buy 3", is("7"))
	s.types("Bernhard", "!buy 3", is("8"))
	s.until("both hold", func() bool { return s.page().HeldPieces == 2 })
	if err := s.hub.Forget(t.Context(), s.merchant, chat.Viewer{Platform: here.Platform, ID: "7"}); err != nil {
		t.Fatal(err)
	}
	s.types("end", "!buy 4")
	s.says("#4 Vase held")
	st, err := s.db.Load(t.Context(), s.merchant)
	if err != nil {
		t.Fatal(err)
	}
	left := ""
	for _, e := range st.Effects {
		left += string(e.Body)
	}
	if strings.Contains(left, "Annegret") || !strings.Contains(left, "Bernhard") {
		t.Errorf("what is left to do: %s", left)
	}
}

func TestRulesChangeTheShow(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.rules(
		byWord("gimme", rule.Action{Do: rule.Claim, Item: 3, Quantity: 2}),
		byWord("restock", rule.Action{Do: rule.Stock, Amount: "+7", Item: 3}, rule.Action{Do: rule.Price, Amount: "9.50", Item: 3}, rule.Action{Do: rule.Air, Item: 5}),
		on(rule.HoldMade, say("{user} holds {qty} of {item}, {left} left")),
		rule.Rule{When: rule.When{Event: rule.StockAt, Left: 2}, Then: []rule.Action{say("Only {left} of {item} left!")}},
		on(rule.ItemOnAir, say("Now: {item}")),
	)
	s.types("ana", "!gimme")
	s.says("#3 Mug x2 held")
	s.says("ana holds 2 of Mug, 3 left")
	s.types("bob", "!buy 3")
	s.says("Only 2 of Mug left!")
	s.types("mod", "!restock")
	s.says("Now: Shirt")
	s.until("stock and price are changed", func() bool {
		p := s.page()
		return p.Items[0].Free == 9 && p.Items[0].Price.Minor == 950 && p.Show.Lineup.OnAir == 5
	})
}

// Rules about orders know what a person bought before, and whether it was cancelled or refunded.
func TestRulesAboutOrders(t *testing.T) {
	s := openStall(t, t.TempDir())
	first := on(rule.OrderPaid, say("{user} ordered for the first time: {order}, {total}"))
	first.Only.FirstBuyer = rule.Yes
	again := on(rule.OrderPaid, say("{user} is back, after {orders} and {spent}"))
	again.Only.FirstBuyer = rule.No
	s.rules(first, again, on(rule.OrderCancelled, say("{order} was cancelled")), on(rule.OrderRefunded, say("{order} was refunded")))
	order := func(name string, state commerce.OrderState, item int) {
		t.Helper()
		p := s.page()
		o := commerce.Order{Store: "gid://" + name, Name: name, State: state, Total: commerce.Money{Minor: 1800, Currency: "EUR"}, Created: time.Now(), Updated: time.Now()}
		req := commerce.Paid{Variants: map[string]commerce.ID{}}
		for _, it := range p.Items {
			if it.Number == item {
				req.Variants["v"] = it.Product.Variants[0].ID
				o.Lines = commerce.OrderLines{{Variant: "v", Quantity: 1, Price: o.Total}}
			}
		}
		for _, h := range p.Open {
			if h.Number == item {
				o.Holds = append(o.Holds, h.ID)
			}
		}
		req.Order = o
		if _, err := s.hub.Ask(t.Context(), s.merchant, commerce.Key{}, req); err != nil {
			t.Fatal(err)
		}
	}
	s.types("ana", "!buy 3")
	s.says("#3 Mug held")
	order("#1001", commerce.OrderPaid, 3)
	s.says("ana ordered for the first time: #1001, €18.00")
	s.types("ana", "!buy 4")
	s.says("#4 Vase held")
	order("#1002", commerce.OrderPaid, 4)
	s.says("ana is back, after 1 and €18.00")
	order("#1002", commerce.OrderCancelled, 4)
	s.says("#1002 was cancelled")
	order("#1001", commerce.OrderRefunded, 3)
	s.says("#1001 was refunded")
	if n := s.saidTimes("for the first time"); n != 1 {
		t.Errorf("ana ordered for the first time %d times", n)
	}
}

// Rules that feed each other end.
func TestRulesEnd(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.rules(on(rule.ItemOnAir, rule.Action{Do: rule.NextItem}, say("round {item}")))
	if _, err := s.hub.Ask(t.Context(), s.merchant, commerce.Key{}, commerce.Air{Show: s.show, Number: 3}); err != nil {
		t.Fatal(err)
	}
	// 3, 4, 5, 3: the fourth is no more looked at.
	s.until("three rounds", func() bool { return s.page().Show.Lineup.OnAir == 3 && s.saidTimes("round") >= 3 })
	s.types("ana", "!buy 4")
	s.says("#4 Vase held")
	if n := s.saidTimes("round"); n != 3 {
		t.Errorf("%d rounds, want 3", n)
	}
}

// What is to be done later is done after a restart.
func TestRulesLater(t *testing.T) {
	dir := t.TempDir()
	s := openStall(t, dir)
	s.rules(byWord("later", rule.Action{Do: rule.Say, Text: "A moment has gone by, {user}", After: 2 * time.Second}))
	s.types("ana", "!later")
	s.until("it is decided", func() bool { // and stored: who looks sees what is durable
		all, err := s.hub.Traces(t.Context(), s.merchant)
		return err == nil && len(all) > 0
	})
	s.stop()
	if n := s.saidTimes("A moment"); n != 0 {
		t.Fatalf("said at once: %q", s.chat.texts())
	}
	s = openStall(t, dir)
	s.says("A moment has gone by, ana")
}

// A webhook goes out signed and with its facts; one that comes in is an event.
func TestRulesWebhooks(t *testing.T) {
	var mu sync.Mutex
	var body map[string]any
	var header http.Header
	srv := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		b, _ := io.ReadAll(r.Body)
		header = r.Header
		_ = json.Unmarshal(b, &body)
	}))
	defer srv.Close()
	trusted := filepath.Join(t.TempDir(), "trusted.pem")
	if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", trusted) // read once in a process, when the first certificate is looked at
	s := openStallWith(t, t.TempDir(), func(h *Hub) { h.AllowPrivate = true })
	tip := rule.Rule{When: rule.When{Event: rule.Webhook, Title: "tips"}, Then: []rule.Action{say("{webhook.from} tipped {webhook.amount}")}}
	s.rules(on(rule.HoldMade, rule.Action{Do: rule.Call, URL: srv.URL + "/in"}), tip)
	s.types("ana", "!buy 3 x2")
	s.until("the webhook came", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return body != nil
	})
	mu.Lock()
	facts, _ := body["facts"].(map[string]any)
	if body["event"] != "hold made" || body["rule"] != "rule a" || facts["user"] != "ana" || facts["item"] != "Mug" || facts["qty"] != "2" || !strings.HasPrefix(header.Get("Webhook-Signature"), "v1,") {
		t.Errorf("came %v with %v", body, header)
	}
	mu.Unlock()
	s.until("the work is shown", func() bool {
		w := s.hub.RuleWork(s.merchant)
		return len(w.Hooks) == 1 && w.Hooks[0].Taken == 1
	})
	if err := s.hub.HookCame(t.Context(), s.merchant, "tips", map[string]string{"from": "Zoe", "amount": "5"}); err != nil {
		t.Fatal(err)
	}
	s.says("Zoe tipped 5")
	// On another node, which does not serve the merchant.
	node := &Hub{DB: s.db, Bus: s.hub.Bus, Key: s.hub.Key}
	if err := node.HookCame(t.Context(), s.merchant, "tips", map[string]string{"from": "Yan", "amount": "6"}); err != nil {
		t.Fatal(err)
	}
	s.says("Yan tipped 6")
	if _, err := s.db.Rulebook().Put(t.Context(), s.merchant, rulebook.Version{Rules: []rule.Rule{{Name: "other", When: rule.When{Event: rule.Command, Words: []string{"gone"}}, Then: []rule.Action{say("never")}}}}, 1); err != nil {
		t.Fatal(err)
	}
	if err := node.ReloadRules(t.Context(), s.merchant); err != nil {
		t.Fatal(err)
	}
	if err := node.HookCame(t.Context(), s.merchant+1, "tips", nil); !errors.Is(err, ErrNotHere) {
		t.Errorf("a merchant that nobody serves: %v", err)
	}
	s.until("the new version is in force", func() bool { return s.logged("hello").Rules == 2 })
}

// logged types a line and gives what the chat log has of it.
func (s *stall) logged(text string) LogLine {
	s.t.Helper()
	id := s.types("log", text)
	var found LogLine
	s.until("the line is logged", func() bool {
		if err := s.hub.Bus.Logged(context.Background()); err != nil {
			s.t.Fatal(err)
		}
		records, err := s.hub.Bus.ReadLog(context.Background(), bus.Range{Merchant: int64(s.merchant)})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range records {
			all, err := lines.Read(r.Data)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, l := range all {
				if l.Message.ID == id {
					found = l
				}
			}
		}
		return found.V != 0
	})
	return found
}

// Deeds are done by the account of the channel; what a platform lacks is said instead, or shown as trouble.
func TestRulesDeeds(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.rules(
		rule.Rule{When: rule.When{Event: rule.Contains, Words: []string{"spam"}}, Then: []rule.Action{{Do: rule.DeleteLine}, {Do: rule.TimeOut, For: time.Minute}}},
		byWord("news", rule.Action{Do: rule.Announce, Text: "Big news from {user}"}),
		byWord("ask", rule.Action{Do: rule.Question, Text: "{args}"}),
		on(rule.DestinationDown, say("{title} is down")),
	)
	line := s.types("eve", "buy my spam")
	s.until("the line is deleted and eve timed out", func() bool {
		d := s.chat.deeds()
		return len(d) == 2 && d[0].Kind == chat.DeleteLine && d[0].Message == line && d[1].Kind == chat.TimeOut && d[1].Viewer.ID == "id-eve" && d[1].For == time.Minute
	})
	s.types("mod", "!news")
	s.says("Big news from mod")
	s.types("fay", "!ask How tall is it?")
	s.until("the question is on the desk", func() bool {
		q, err := s.db.Rulebook().Questions(context.Background(), s.merchant, s.show)
		return err == nil && len(q) == 1 && q[0].Text == "How tall is it?" && q[0].Viewer.Name == "fay"
	})
	s.hub.RelayEvent(s.merchant, s.show, "Twitch", false)
	s.says("Twitch is down")
}
