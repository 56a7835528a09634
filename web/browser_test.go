package web_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/browsertest"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/archive"
	"hawker/relay"
	"hawker/web"
)

// signIn gives a tab the session of a member.
func signIn(p *browsertest.Page, h *house, role string) {
	p.Go(h.url + "/sign-in")
	p.Text("document.cookie = 'hawker=" + h.session(role) + "; path=/'")
}

// Every page in every view: no fault in the console, nothing that keeps people out, nothing wider than the window.
func TestPagesInBrowser(t *testing.T) {
	h := newHouse(t, func(s *web.Server) {
		s.Connects = map[string]web.Connect{
			"twitch-bot": {}, "twitch-channel": {}, "youtube": {Needs: "To connect YouTube, the operator sets HAWKER_GOOGLE_CLIENT_ID and HAWKER_GOOGLE_CLIENT_SECRET and starts hawker anew."},
			"discord": {}, "shopify": {},
		}
	})
	first, err := h.server.FirstRun(t.Context())
	h.must(err)
	b := browsertest.Open(t)
	tabs := map[string]*browsertest.Page{}
	for view, v := range browsertest.Views() {
		tabs[view] = b.Page(t, v, "status of 404", "status of 409", "status of 422")
	}
	as := func(role string) {
		for _, p := range tabs {
			signIn(p, h, role)
		}
	}
	each := func(path, name string, ready ...string) {
		for view, p := range tabs {
			p.Go(h.url + path)
			for _, js := range ready {
				p.Await(js)
			}
			p.Check(name + " " + view)
			p.Shot(name + "-" + view)
		}
	}
	const streaming = "document.documentElement.dataset.stream === 'live'"
	each(first[len(h.url):], "start")
	each("/sign-in", "empty")
	merchant := h.merchant()
	each("/sign-in", "sign-in")
	as("owner")
	each("/", "shows-empty")
	show := h.bustle(merchant)
	h.video(merchant, show)
	h.asks(merchant, show)
	desk := "/shows/" + show.String()
	each("/", "shows")
	each(desk, "desk", streaming)
	each(desk+"/edit", "edit")
	for view, p := range tabs { // somebody else saves while the form is open
		p.Go(h.url + desk + "/edit")
		h.must(h.retitle(merchant, show, "Spring kiln opening, "+view))
		p.Type("#title", "Mine")
		p.Type("#hold", "8 days")
		p.Click("form.form button.main")
		p.AwaitText("#hold-wrong", "8 days is not within the bounds")
		p.Check("edit with a fault " + view)
		p.Shot("edit-wrong-" + view)
		p.Type("#hold", "90 s")
		p.Click("form.form button.main")
		p.AwaitText("#meanwhile-title", "changed meanwhile")
		p.Check("edit meanwhile " + view)
		p.Shot("edit-meanwhile-" + view)
	}
	each("/shows/new", "new")
	each("/channels", "channels")
	h.manners(merchant)
	each("/chats", "chats", streaming)
	h.mannerly(merchant)
	each("/store", "store")
	each("/rules", "rules")
	each("/rules/new", "rules-new")
	for _, key := range []string{"empty", "first-buyer", "raid-code", "spam-guard"} {
		each("/rules/new?from="+key, "rules-edit-"+key)
	}
	each("/rules/try", "rules-try")
	each("/rules/traces", "rules-traces")
	each("/rules/versions", "rules-versions")
	each("/rules/versions/0", "rules-compare")
	each("/rules/text", "rules-text")
	each("/rules/hooks", "rules-hooks")
	h.audited(merchant)
	each("/audit", "audit", streaming)
	each("/nowhere", "not-found")
	as("moderator")
	each(desk, "desk-moderator", streaming)
	each("/rules", "rules-moderator")
	each("/rules/rule/1", "rules-view")
}

// retitle gives a show another title.
func (h *house) retitle(merchant, show commerce.ID, title string) error {
	p, err := h.hub.Page(h.t.Context(), merchant, show)
	if err != nil {
		return err
	}
	p.Show.Title = title
	_, err = h.hub.Ask(h.t.Context(), merchant, commerce.Key{}, commerce.SetShow{Show: p.Show})
	return err
}

// video makes a show's video look live.
func (h *house) video(merchant, show commerce.ID) {
	h.t.Helper()
	ctx := h.t.Context()
	h.must(h.db.PutIngest(ctx, merchant, show, "abcdefghijklmnopqrstuvwxyz"))
	good, err := h.db.PutDestination(ctx, merchant, sqldb.Destination{Show: show, Name: "Twitch", Server: "rtmp://live.twitch.tv/app", Key: "secret", Enabled: true})
	h.must(err)
	time.Sleep(2 * time.Millisecond) // listed in this order
	bad, err := h.db.PutDestination(ctx, merchant, sqldb.Destination{Show: show, Name: "YouTube", Server: "rtmps://a.rtmps.youtube.com/live2", Key: "secret", Enabled: true})
	h.must(err)
	h.must(h.db.PutAccount(ctx, merchant, chat.Account{Platform: chat.Twitch, ID: "2002", Name: "hawkerbot"}, sqldb.BotAccount))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.relay = []relay.StreamStatus{{ID: show.String(), Uptime: time.Minute, Ingest: relay.IngestStatus{
		Connected: true, Kbps: 4480, Video: "H.264", Audio: "AAC", Width: 1920, Height: 1080, FPS: 30, KeyframeEvery: 2 * time.Second,
	}, Destinations: []relay.DestinationStatus{
		{ID: good.String(), Name: "Twitch", State: relay.Live},
		{ID: bad.String(), Name: "YouTube", State: relay.Retrying, Reason: relay.KeyRejected, Error: "The platform rejected the stream key."},
	}}}
}

// The host's hand: the desk follows the chat by itself, Next and Pause answer a tap, stock changes in a menu that stays
// open, clocks run on while the page changes.
func TestDeskInBrowser(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.bustle(m)
	p := browsertest.Open(t).Page(t, browsertest.View{Width: 390, Height: 844, Mobile: true})
	signIn(p, h, "owner")
	p.Go(h.url + "/shows/" + show.String())
	p.Await("document.documentElement.dataset.stream === 'live'")
	p.AwaitText("#onair", "Speckled mug")
	h.says(m, "late1", "zoe <b>", "!buy 1")
	p.AwaitText("#feed", "zoe <b>")
	p.AwaitText("#chat", "zoe <b>")
	p.AwaitText("#holds", "zoe <b>")
	p.Click("#nextbar button.main")
	p.AwaitText("#onair", "Wide bowl")
	p.AwaitText("#nextbar", "Next: 3")
	p.Click("#nextbar form:last-of-type button")
	p.AwaitText("#head", "paused")
	p.AwaitText("#holds", "paused")
	p.Click("#nextbar form:last-of-type button")
	p.AwaitText("#nextbar", "Pause")
	h.asks(m, show)
	h.hub.QuestionsChanged(m, show)
	p.AwaitText("#head", "3 questions")
	p.AwaitText("#questions li:first-child", "<b>Which</b> glaze")
	p.Check("desk with questions")
	p.Click("#questions li:first-child button")
	p.AwaitText("#questions li:first-child", "Restocked")
	p.AwaitText("#head", "2 questions")
	p.Click("#questions li:first-child button")
	p.AwaitText("#head", "1 question")
	p.AwaitText("#questions li:first-child", "How tall")
	p.Click("#questions li:first-child button")
	p.Await("getComputedStyle(document.querySelector('#questions')).display === 'none'")
	once := p.Text("document.querySelector('#once input').value")
	p.Click("[popovertarget=more-1]")
	p.Await("document.querySelector('#more-1').matches(':popover-open')")
	p.Type("#more-1 .set input", "4")
	p.Text("[...Array(2)].forEach(() => document.querySelector(\"#more-1 [aria-label='One more']\").click())") // a double click is one
	p.AwaitText("#shelf li:first-child", "2 left")
	p.Await("document.querySelector('#once input').value !== '" + once + "'")
	p.Click("#more-1 [aria-label='One more']") // the next one is another
	p.AwaitText("#shelf li:first-child", "3 left")
	p.Click("#more-1 [aria-label='One fewer']")
	p.AwaitText("#shelf li:first-child", "2 left")
	p.Await("document.querySelector('#more-1').matches(':popover-open')")
	p.Await("document.querySelector('#more-1 .set input').value === '4'")
	p.Shot("desk-stock-phone")
	p.Await("[...document.querySelectorAll('#holds h-countdown')].every(e => /^\\d+:\\d\\d$/.test(e.textContent))")
	p.Click("#more-1 .set button")
	h.until(m, show, "four pieces in all", func(s live.ShowPage) bool { return s.Items[0].Free+s.Items[0].Held == 4 })
	if n := p.Text("document.querySelectorAll('#chat li[id]').length"); n != p.Text("new Set([...document.querySelectorAll('#chat li[id]')].map(e => e.id)).size") {
		t.Errorf("the chat has %s lines, some twice", n)
	}
}

// A page that could not get its stream says so, and gets it as soon as there is one.
func TestStreamIsFoundAgain(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.bustle(m)
	h.deaf.Store(true)
	p := browsertest.Open(t).Page(t, browsertest.View{Width: 1280, Height: 900}, "status of 503", "HTTP 503")
	signIn(p, h, "owner")
	p.Go(h.url + "/shows/" + show.String())
	p.Await("document.documentElement.dataset.stream === 'lost' && !document.querySelector('[data-lost]').hidden")
	h.deaf.Store(false)
	p.Await("document.documentElement.dataset.stream === 'live' && document.querySelector('[data-lost]').hidden")
	h.says(m, "after", "zoe", "!buy 1")
	p.AwaitText("#feed", "zoe")
}

// A shop that was restored from a backup says so, and what it waits for; its owner may open it, a moderator may not. Offers and
// a show that is paid once look as what they are.
func TestRestoredShopInBrowser(t *testing.T) {
	before := newHouse(t)
	m := before.merchant()
	show := before.bustle(m)
	p, err := before.hub.Page(t.Context(), m, show)
	before.must(err)
	p.Show.PayOnce, p.Show.Lineup.Items[1].FirstPaid = 30*time.Minute, true
	_, err = before.hub.Ask(t.Context(), m, commerce.Key{}, commerce.SetShow{Show: p.Show})
	before.must(err)
	before.says(m, "offer", "hal", "!buy 2 moss")
	before.until(m, show, "an offer", func(p live.ShowPage) bool { return len(p.Offers) == 1 })
	file, dir := filepath.Join(t.TempDir(), "backup.zip"), t.TempDir()
	_, _, err = before.db.Backup(t.Context(), file, sqldb.BackupOptions{Product: "test"})
	before.must(err)
	r, err := archive.Open(file)
	before.must(err)
	_, err = sqldb.Restore(t.Context(), sqldb.Options{Dir: dir, Key: houseKey(t)}, r, false)
	before.must(err)
	before.must(r.Close())
	h := newHouseIn(t, dir)
	at := "/shows/" + show.String()
	mod := h.as("moderator")
	if r := mod.get(at); !strings.Contains(r.body, "Selling is closed: this shop was restored from a backup") || strings.Contains(r.body, "Open now") {
		t.Errorf("a moderator reads\n%s", r.body)
	}
	if r := mod.post(at + "/reopen"); r.status != http.StatusForbidden {
		t.Errorf("a moderator opens the shop: %d", r.status)
	}
	b := browsertest.Open(t)
	for view, v := range browsertest.Views() {
		p := b.Page(t, v)
		signIn(p, h, "owner")
		p.Go(h.url + at)
		p.Await("document.documentElement.dataset.stream === 'live'")
		p.AwaitText("#head", "Waits for this: Compare what is in stock")
		p.AwaitText("#holds", "offered")
		p.AwaitText("#holds", "after the show")
		p.Check("restored " + view)
		p.Shot("desk-restored-" + view)
	}
	c := h.as("owner")
	if r := c.post(at + "/reopen"); r.status != http.StatusSeeOther || r.to != at+"?said=reopened" {
		t.Errorf("opening: %d to %s", r.status, r.to)
	}
	if r := c.get(at); strings.Contains(r.body, "restored from a backup") {
		t.Error("the shop still says that it was restored")
	}
}
