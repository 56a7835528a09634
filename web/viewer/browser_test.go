package viewer_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"hawker/commerce"
	"hawker/internal/browsertest"
	"hawker/rules/rule"
)

// The pages in a real browser: on phones and wide, light and dark, no fault, nothing that keeps people from using them, and
// a sale from tap to checkout.
func TestInABrowser(t *testing.T) {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><title>The shop</title><link rel="icon" href="data:,"><h1>Pay ` + r.URL.Query().Get("a") + `</h1>`))
	}))
	defer shop.Close()
	b := browsertest.Open(t)
	for name, view := range browsertest.Views() {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.store.set(shop.URL+"/pay?a=1&b=2", nil)
			ana := h.claims("ana", "!buy 3 x2")
			p := b.Page(t, view)
			p.Go(h.web.URL + "/live/spring")
			p.Await("document.documentElement.dataset.stream === 'live'")
			p.Check("room")
			p.Text("document.querySelector('select[name=qty-air]').value = '2'")
			h.types("eve", "something rude")
			p.AwaitText("#chat", "something rude")
			h.bans("eve")
			p.Await("!document.querySelector('#chat').textContent.includes('something rude')")
			// Somebody else claims: the stock changes under the chosen amount.
			h.types("bob", "!buy 3")
			p.AwaitText("#onair", "2 left")
			p.Click("#onair button[name=air]")
			p.AwaitText("#notice", "Speckled mug ×2 held 10 min")
			p.AwaitText("#mine", "Speckled mug ×2")
			p.AwaitText("#onair", "all held, join the line")
			p.Click("button[name=code]")
			p.AwaitText("#box", "!connect ")
			p.Check("room with holds")
			p.Shot("room-" + name)

			p = b.Page(t, view, "net::ERR_") // ana's own
			p.Go(ana)
			p.Await("/^[0-9]+:[0-9]{2}$/.test(document.querySelector('h-countdown').textContent)")
			p.Check("receipt")
			h.types("ana", p.Text("document.querySelector('#code').textContent"))
			p.AwaitText("#box", "Are you ana on Twitch?")
			p.Check("receipt that asks")
			p.Click("button[name=join]")
			p.AwaitText("#notice", "Joined. You are ana here now.")
			p.Click("button[name=less]")
			p.AwaitText("#notice", "1 held now")
			p.AwaitText(".stepper output", "1")
			p.Check("receipt of my own")
			p.Shot("receipt-" + name)
			p.Click("button[name=code]")
			p.AwaitText("#box", "with your other name")
			h.types("anna_b", p.Text("document.querySelector('#code').textContent"))
			p.AwaitText("#box", "Join anna_b on Twitch?")
			p.Check("receipt that asks to join")
			p.Shot("receipt-join-" + name)
			p.Click("button[name=join]")
			p.AwaitText("#notice", "anna_b and you count as one now")
			p.AwaitText("#box", "can be undone until")
			h.change(func(s *commerce.Show) { s.Lineup.Item(4).FirstPaid = true })
			h.types("ana", "!buy 4")
			p.AwaitText("#holds", "first paid, first served")
			p.Check("receipt with an offer and a joined account")
			p.Shot("receipt-joined-" + name)
			p.Go(ana + "/forget")
			p.Check("forget")
			p.Shot("forget-" + name)
			chooses(t, p, h, ana, name)
			p.Go(ana)
			h.ask(commerce.Gate{Show: h.show, Closed: true})
			p.AwaitText(".countdown.frozen", "paused")
			h.ask(commerce.Gate{Show: h.show})
			p.Await("document.querySelector('h-countdown')")
			p.Click(".pay button")
			p.AwaitText("h1", "Pay 1") // at another origin
			p.Go(h.overlay)
			p.AwaitText("#onair", "Type !buy 3")
			p.Await("getComputedStyle(document.documentElement).backgroundColor === 'rgba(0, 0, 0, 0)' && getComputedStyle(document.body).backgroundColor === 'rgba(0, 0, 0, 0)'")
			p.Await("document.documentElement.dataset.stream === 'live'")
			h.ask(commerce.Air{Show: h.show})
			p.Await("!document.querySelector('.plate')")
			p.Shot("overlay-" + name)
			h.rule(rule.Rule{Name: "Ding", When: rule.When{Event: rule.Contains, Words: []string{"ding"}}, Then: []rule.Action{{Do: rule.Card, Text: "Ding, {user}", Sound: "https://127.0.0.1:1/ding.mp3"}}})
			h.types("eve", "ding")
			p.AwaitText("#card", "Ding, eve")
			p.Await("document.querySelector('#card audio').error?.code === 4") // it was looked for, and nobody is there
			p = b.Page(t, view)                                                // somebody who is nobody yet
			p.Go(h.web.URL + "/live/spring?item=")
			p.Check("which item")
			p.Shot("choose-item-" + name)
			p.Click("#item-5 a")
			p.Await("document.documentElement.dataset.stream === 'live'")
			p.AwaitText("#choose", "!buy 5 L")
			h.types("cy", "!buy 5 S")
			p.AwaitText("#say-1", "!buy 5 S")
			p.AwaitText(".say:first-of-type", "all held")
			p.Check("which one, for a guest")
			p.Shot("choose-room-" + name)
			p.Click("button[name=pick]:last-of-type")
			p.AwaitText("#notice", "number 1 in line")
			p.AwaitText("#mine", "Studio shirt S")
		})
	}
}

// chooses taps a variant on the page that a line led to.
func chooses(t *testing.T, p *browsertest.Page, h *house, receipt, name string) {
	t.Helper()
	p.Go(receipt + "?item=5&n=2")
	p.Await("document.documentElement.dataset.stream === 'live'")
	p.Check("which one, for its viewer")
	p.Shot("choose-mine-" + name)
	h.types("bob", "!buy 5 S")
	p.AwaitText("#choose", "1 left")
	p.Await("document.querySelector('#choose select').value === '2'")
	p.Click("#choose button[name=pick]:last-of-type")
	p.AwaitText("#notice", "#5 Studio shirt L ×2 held 10 min")
	p.AwaitText("#holds", "Studio shirt")
}
