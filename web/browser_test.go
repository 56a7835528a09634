package web_test

import (
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/browsertest"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/sqldb"
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
		tabs[view] = b.Page(t, v, "status of 404")
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
	desk := "/shows/" + show.String()
	each("/", "shows")
	each(desk, "desk", streaming)
	each(desk+"/edit", "edit")
	each("/shows/new", "new")
	each("/channels", "channels")
	each("/store", "store")
	each("/rules", "rules")
	each("/nowhere", "not-found")
	as("moderator")
	each(desk, "desk-moderator", streaming)
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
	p.Click("[popovertarget=more-1]")
	p.Await("document.querySelector('#more-1').matches(':popover-open')")
	p.Type("#more-1 .set input", "4")
	p.Click("#more-1 [aria-label='One more']")
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
