package web_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/browsertest"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/live/manners"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/rule"
	"hawker/web"
)

// behaves changes how the bot behaves, one after the other, so that the changes are listed in this order.
func (h *house) behaves(m commerce.ID, all ...manners.Manner) {
	h.t.Helper()
	for _, x := range all {
		if x.By == "" {
			x.By = "owner@example.test"
		}
		h.must(h.hub.Behave(h.t.Context(), m, x))
		time.Sleep(2 * time.Millisecond)
	}
}

// habits are something of every kind.
func habits() []manners.Manner {
	return []manners.Manner{
		{Kind: manners.Word, Name: "scam"},
		{Kind: manners.Veto},
		{Kind: manners.Call, Name: "shop", Value: "store"},
		{Kind: manners.Leave, Name: "help"},
		{Kind: manners.Block, Name: "twitch/77", Value: "<b>eve</b>", By: "twitch/9 mo"},
		{Kind: manners.Hide, Name: "youtube/UC8", Value: "rude <i>"},
		{Kind: manners.Alias, Name: "charcoal", Value: "Anthracite"},
		{Kind: manners.Alias, Name: "dark grey", Value: "Anthracite"},
		{Kind: manners.Mute, Name: youtubeChannel().String()},
	}
}

// manners puts habits into force, once all that waits was said.
func (h *house) manners(m commerce.ID) {
	h.t.Helper()
	for waits := true; waits; time.Sleep(5 * time.Millisecond) {
		all, err := h.hub.Chats(m)
		h.must(err)
		waits = slices.ContainsFunc(all, func(s live.ChannelState) bool { return s.Says.Waiting > 0 })
	}
	h.behaves(m, habits()...)
}

// mannerly ends them.
func (h *house) mannerly(m commerce.ID) {
	h.t.Helper()
	for _, x := range habits() {
		x.Off = true
		h.behaves(m, x)
	}
}

// The bot is silenced by one tap in a channel or a show; every page of members says so until one tap ends it; who did it is listed.
// A moderator may do it, and may not change names or commands.
func TestMuteOnPages(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.bustle(m)
	c, mod := h.as("owner"), h.as("moderator")
	pages := []string{"/", "/chats", "/channels", "/store", "/rules", "/audit", "/shows/" + show.String(), "/shows/" + show.String() + "/edit", "/rules/versions"}
	everywhere := func(text string, want bool) {
		t.Helper()
		for _, at := range pages {
			if r := c.get(at); r.status != http.StatusOK || strings.Contains(r.body, text) != want {
				t.Errorf("%s: %d, says %q: %v", at, r.status, text, !want)
			}
		}
	}
	everywhere("The bot is muted", false)
	if r := mod.post("/chats/mute", "channel", "twitch/1001", "on", "1"); r.status != http.StatusSeeOther || r.to != "/chats?said=muted" {
		t.Errorf("a moderator mutes: %d to %s", r.status, r.to)
	}
	everywhere("The bot is muted in Twitch / ana (by moderator@example.test", true)
	r := c.post("/chats/mute", "show", show.String(), "on", "1", "header HX-Request", "true")
	if r.status != http.StatusOK || !strings.Contains(r.body, `hx-target="#alarm"`) || !strings.Contains(r.body, "Spring kiln opening") {
		t.Errorf("the show is muted: %d\n%s", r.status, r.body)
	}
	everywhere("“Spring kiln opening” (by owner@example.test", true)
	if body := c.get("/shows/" + show.String()).body; !strings.Contains(body, "Let the bot speak again") || strings.Contains(body, `aria-label="Mute the bot"`) {
		t.Error("the show's page does not offer to end it")
	}
	if r := c.post("/chats/speak", "channel", "youtube/UCana"); r.status != http.StatusSeeOther { // where the show alone was muted
		t.Errorf("speak in one channel: %d", r.status)
	}
	everywhere("The bot is muted in Twitch / ana (by moderator@example.test", true)
	everywhere("Spring kiln opening” (by", false)
	if r := mod.post("/chats/speak"); r.status != http.StatusSeeOther || r.to != "/chats?said=speaks" {
		t.Errorf("speak: %d to %s", r.status, r.to)
	}
	everywhere("The bot is muted", false)
	body := c.get("/chats").body
	for _, want := range []string{"<strong>moderator@example.test</strong> muted the bot in Twitch / ana", "<strong>owner@example.test</strong> muted the bot in “Spring kiln opening”", "<strong>moderator@example.test</strong> let the bot speak in Twitch / ana"} {
		if !strings.Contains(body, want) {
			t.Errorf("not listed: %s", want)
		}
	}
	for _, at := range []string{"/chats/names", "/chats/values", "/chats/allow", "/chats/call"} {
		if r := mod.post(at, "words", "x"); r.status != http.StatusForbidden {
			t.Errorf("a moderator at %s: %d", at, r.status)
		}
	}
	if body := mod.get("/chats").body; strings.Contains(body, "<textarea") || !strings.Contains(body, "Send a test line") {
		t.Error("a moderator's page")
	}
}

// What makes no sense is refused in words, and changes nothing; what was typed is still there.
func TestChatsBadForms(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	c := h.as("owner")
	long := strings.Repeat("abc ", 30)
	many := ""
	for i := range manners.WordsMost + 1 {
		many += fmt.Sprintf("word%d\n", i)
	}
	for _, x := range []struct {
		status int
		says   string
		fields []string
	}{
		{404, "No account is connected", []string{"/chats/mute", "channel", "twitch/9", "on", "1"}},
		{404, "No account is connected", []string{"/chats/mute", "on", "1"}},
		{404, "", []string{"/chats/mute", "show", "12345", "on", "1"}},
		{404, "", []string{"/chats/mute", "show", "../x", "on", "1"}},
		{404, "No account is connected", []string{"/chats/test", "channel", "nowhere"}},
		{404, "No account is connected", []string{"/chats/speak", "channel", "x"}},
		{422, "is too short", []string{"/chats/names", "words", "fine\na!"}},
		{422, "is longer than", []string{"/chats/names", "words", long}},
		{422, "At most 500 words; these are 501.", []string{"/chats/names", "words", many}},
		{422, "more text than", []string{"/chats/names", "words", strings.Repeat("x", 70_000)}},
		{422, "more text than", []string{"/chats/names", "words", "\xff\xfe"}},
		{422, "Line 2 has no equals sign.", []string{"/chats/values", "values", "Sea = ocean\nAnthracite, charcoal"}},
		{422, "Line 1: A value and what viewers call it are needed", []string{"/chats/values", "values", "Sea = "}},
		{422, "Line 1: A value and what viewers call it are needed", []string{"/chats/values", "values", "= ocean"}},
		{422, "Line 1: “3” would be taken for the number", []string{"/chats/values", "values", "Sea = ocean, 3"}},
		{422, "Line 3: “ocean” stands for “Sea” already.", []string{"/chats/values", "values", "Sea = ocean\n\nBlue = OCEAN"}},
		{422, "Line 1: “Sea” is understood anyhow.", []string{"/chats/values", "values", "Sea = sea"}},
		{422, "is longer than 60 letters", []string{"/chats/values", "values", "Sea = " + long}},
		{422, "more text than", []string{"/chats/values", "values", strings.Repeat("x", 70_000)}},
		{400, "allowed again", []string{"/chats/allow", "kind", "mute", "viewer", "twitch/1"}},
		{422, "not a command of ours", []string{"/chats/call", "word", "nothing", "new", "x"}},
		{422, "What should it be called?", []string{"/chats/call", "word", "shop", "new", " ! "}},
		{422, "is a command already", []string{"/chats/call", "word", "shop", "new", "!buy"}},
		{422, "cannot be called", []string{"/chats/call", "word", "shop", "new", "two words"}},
		{422, "cannot be called", []string{"/chats/call", "word", "shop", "new", "<script>"}},
		{400, "Which shout-out", []string{"/shows/" + show.String() + "/veto", "shout", "x"}},
		{409, "out already", []string{"/shows/" + show.String() + "/veto", "shout", "77"}},
	} {
		r := c.post(x.fields[0], x.fields[1:]...)
		if r.status != x.status || !strings.Contains(r.body, x.says) {
			t.Errorf("%.80q: %d, want %d and %q", x.fields, r.status, x.status, x.says)
		}
	}
	for _, k := range []manners.Kind{manners.Mute, manners.Word, manners.Call, manners.Veto, manners.Leave, manners.Alias} {
		if all := h.hub.Manners(m).List(k); len(all) != 0 {
			t.Errorf("%s: %+v", k, all)
		}
	}
	if r := c.post("/chats/names", "words", "scam\n<b>", "wait", "1"); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "scam\n&lt;b&gt;</textarea>") || !strings.Contains(r.body, `value="1" checked`) {
		t.Errorf("what was typed is gone: %d\n%s", r.status, r.body)
	}
	if r := c.post("/chats/names", "words", " Scam, sc4m;Ärger\r\n\r\nscam", "wait", "1"); r.status != http.StatusSeeOther {
		t.Errorf("saved: %d\n%s", r.status, r.body)
	}
	if r := c.get("/chats"); !strings.Contains(r.body, "sc4m\nscam\närger</textarea>") {
		t.Errorf("the list:\n%s", r.body)
	}
	if r := c.post("/chats/names", "words", "scam"); r.status != http.StatusSeeOther || len(h.hub.Manners(m).List(manners.Word)) != 1 || len(h.hub.Manners(m).List(manners.Veto)) != 0 {
		t.Errorf("taken off the list: %d, %+v", r.status, h.hub.Manners(m).List(manners.Word))
	}
	if r := c.post("/chats/values", "values", "Sea = <b>\nno"); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "Sea = &lt;b&gt;\nno</textarea>") {
		t.Errorf("what was typed of values is gone: %d\n%s", r.status, r.body)
	}
	if r := c.post("/chats/values", "values", "Sea = Ocean,  deep  BLUE\r\n\r\nAnthracite=charcoal"); r.status != http.StatusSeeOther {
		t.Errorf("saved: %d\n%s", r.status, r.body)
	}
	if r := c.get("/chats"); !strings.Contains(r.body, ">Anthracite = charcoal\nSea = deep blue, ocean\n</textarea>") {
		t.Errorf("the values:\n%s", r.body)
	}
	if r := c.post("/chats/values", "values", "Sea = ocean"); r.status != http.StatusSeeOther || len(h.hub.Manners(m).List(manners.Alias)) != 1 {
		t.Errorf("taken off: %d, %+v", r.status, h.hub.Manners(m).List(manners.Alias))
	}
}

// echoing is a chat whose viewers are the test; what is said comes back.
type echoing struct {
	quiet
	mu     sync.Mutex
	hear   func(chat.Event)
	on     chan struct{}
	refuse *chat.Refused
}

func (e *echoing) Listen(ctx context.Context, hear func(chat.Event)) error {
	e.mu.Lock()
	e.hear = hear
	e.mu.Unlock()
	close(e.on)
	<-ctx.Done()
	return nil
}

func (e *echoing) Say(_ context.Context, l chat.Line) (chat.Sent, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse != nil {
		return chat.Sent{}, e.refuse
	}
	now := time.Now()
	e.hear(chat.Event{Kind: chat.Said, Channel: l.To.Channel, Message: chat.Message{ID: fmt.Sprint(now.UnixNano()), Channel: l.To.Channel, Own: true, Text: l.Text, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "2002", Name: "hawkerbot"}, Sent: now, Received: now}})
	return chat.Sent{At: now}, nil
}

func (e *echoing) refuses(r *chat.Refused) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refuse = r
}

func (e *echoing) says(name, text string, roles chat.Roles) {
	now := time.Now()
	e.hear(chat.Event{Kind: chat.Said, Channel: twitchChannel(), Message: chat.Message{
		ID: fmt.Sprint(now.UnixNano()), Channel: twitchChannel(), Viewer: chat.Viewer{Platform: chat.Twitch, ID: "v" + name, Name: name}, Roles: roles, Text: text, Sent: now, Received: now,
		Answer: chat.Answer{Kind: chat.ToChannel, Channel: twitchChannel()},
	}})
}

// The page of chats in a browser: it follows by itself what is heard and missed; a test line is proved by coming back, or refused with
// its reason; another bot that answers a command is told, and the command renamed; a shout-out that waits is made without its name.
func TestChatsInBrowser(t *testing.T) {
	h := newHouse(t, func(s *web.Server) {
		s.Connects = map[string]web.Connect{"twitch-bot": {}, "twitch-channel": {}, "youtube": {Needs: "The operator sets HAWKER_GOOGLE_CLIENT_ID."}}
		s.Permission = func(_ chat.Platform, name string) string { return "To do " + name + "." }
	})
	e := &echoing{quiet: quiet{[]chat.State{{Channel: twitchChannel(), Hears: true, Speaks: true}}}, on: make(chan struct{})}
	h.hub.Connect = func(ctx context.Context, m sqldb.Merchant) (live.Connections, error) {
		c, err := connect(ctx, m)
		c.Accounts[0].Chat = e
		return c, err
	}
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	<-e.on
	p := browsertest.Open(t).Page(t, browsertest.View{Width: 390, Height: 844, Mobile: true}, "status of 422")
	signIn(p, h, "owner")
	p.Go(h.url + "/chats")
	p.Await("document.documentElement.dataset.stream === 'live'")
	const card = "#chat-twitch-1001"
	p.AwaitText("#chat-youtube-UCana", "youtube.force-ssl: To do youtube.force-ssl.")
	p.AwaitText("#chat-youtube-UCana", "The operator sets HAWKER_GOOGLE_CLIENT_ID.")
	p.Click(card + " form[action='/chats/test'] button")
	p.AwaitText(card, "said, and heard back after")
	e.refuses(&chat.Refused{Code: "msg_banned", Reason: "The bot is banned in this channel."})
	p.Click(card + " form[action='/chats/test'] button")
	p.AwaitText(card, "The bot is banned in this channel. (msg_banned)")
	e.refuses(nil)
	now := time.Now()
	e.hear(chat.Event{Kind: chat.Left, Channel: twitchChannel(), Reason: "The connection broke.", At: now.Add(-40 * time.Second)})
	e.hear(chat.Event{Kind: chat.Joined, Channel: twitchChannel(), At: now})
	e.hear(chat.Event{Kind: chat.Said, Channel: twitchChannel(), Message: chat.Message{ID: "r1", Channel: twitchChannel(), Recovered: true, Text: "hi", Sent: now, Received: now}})
	p.AwaitText(card, "1 line recovered. The connection broke.")
	for i := range 2 {
		e.says(fmt.Sprint("asker", i), "!shop", 0)
		e.says("Nightbot", "Our shop is elsewhere", chat.Moderator)
	}
	p.AwaitText(card, "Nightbot answers !shop as well")
	p.Check("chats")
	p.Shot("chats-busy")
	p.Click(card + " .rival form button:not([name])")
	p.AwaitText("#list", "!shop is !store")
	p.Await("!document.querySelector('" + card + " .rival')")
	p.Click(card + " form[action='/chats/mute'] button")
	p.AwaitText("#alarm", "The bot is muted in Twitch / ana")
	p.AwaitText(card, "Muted by owner@example.test")
	p.Check("chats muted")
	p.Click("#alarm button")
	p.Await("!document.querySelector('#alarm .alarm')")

	h.hub.Manners(m).Hold = time.Hour // so that a slow machine is quick enough
	h.behaves(m, manners.Manner{Kind: manners.Veto})
	thanks := rule.Rule{Name: "thanks", When: rule.When{Event: rule.Command, Words: []string{"thanks"}}, Then: []rule.Action{{Do: rule.ShoutOut, Text: "{user} is great"}}}
	_, err := h.db.Rulebook().Put(t.Context(), m, rulebook.Version{Author: "test", Rules: []rule.Rule{thanks}}, rulebook.Any)
	h.must(err)
	h.must(h.hub.ReloadRules(t.Context(), m))
	p.Go(h.url + "/shows/" + show.String())
	p.Await("document.documentElement.dataset.stream === 'live'")
	p.Click("button[aria-label='Mute the bot']")
	p.AwaitText("#alarm", "The bot is muted in “Spring kiln opening”")
	p.Click("button[aria-label='Let the bot speak again']")
	p.Await("!document.querySelector('#alarm .alarm')")
	e.says("rude_name", "!thanks", 0)
	e.says("fine_name", "!thanks", 0)
	p.AwaitText("#pending", "rude_name is great")
	p.AwaitText("#pending", "fine_name is great")
	p.Check("desk pending")
	p.Shot("desk-pending")
	p.Await("document.querySelectorAll('#pending li')[0].textContent.includes('rude_name')") // in the order in which they were decided
	p.Click("#pending li:first-child button:not(.danger)")
	p.AwaitText("#pending", "a viewer is great")
	p.Await("!document.querySelector('#pending').textContent.includes('rude_name')")
	p.Click("#pending li:last-child button.danger")
	p.Await("document.querySelectorAll('#pending li').length === 1")
	p.Go(h.url + "/chats")
	p.AwaitText("#list", "called “a viewer”")
	p.Click("#list form[action='/chats/allow'] button")
	p.AwaitText("#list", "Nobody is blocked")
}
