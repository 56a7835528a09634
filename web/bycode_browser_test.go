package web_test

import (
	"testing"
	"time"

	"hawker/internal/browsertest"
	"hawker/web"
	"hawker/web/desk"
)

// TestCodeInBrowser: the page with a code goes on by itself when its owner agreed elsewhere, and says when the code is over.
func TestCodeInBrowser(t *testing.T) {
	a := &codeAsker{answer: desk.ErrWaiting}
	h := newHouse(t, func(s *web.Server) { s.Connects = map[string]web.Connect{"twitch-bot": a.connect()} })
	h.merchant()
	b := browsertest.Open(t)
	for view, v := range browsertest.Views() {
		p := b.Page(t, v, "status of 409")
		signIn(p, h, "owner")
		a.set(desk.ErrWaiting)
		p.Go(h.url + "/channels")
		p.Click(`form[action="/oauth/twitch-bot/code"] button`)
		p.Await("document.querySelector('#code')?.value === 'ABCDEFGH'")
		p.Check("code " + view)
		p.Shot("code-" + view)
		before := a.asked.Load()
		for end := time.Now().Add(time.Minute); a.asked.Load() < before+2; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the page does not ask")
			}
		}
		a.set(nil)
		p.Await("location.pathname + location.search === '/channels?said=connected'")
		a.set(desk.ErrWaiting)
		p.Click(`form[action="/oauth/twitch-bot/code"] button`)
		p.Await("document.querySelector('#code') !== null")
		a.set(desk.ErrCodeOver)
		p.Await("document.querySelector('h1').textContent === 'This code is over'")
		p.Check("code over " + view)
		p.Shot("code-over-" + view)
	}
}
