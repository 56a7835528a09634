package demo

import (
	"testing"

	"github.com/chromedp/chromedp"

	"hawker/internal/browsertest"
	"hawker/internal/chat"
	"hawker/internal/demo/crowd"
)

// TestPageInBrowser plays the newcomer in Chromium, and the bot on the wire.
func TestPageInBrowser(t *testing.T) {
	b := browsertest.Open(t)
	for name, v := range browsertest.Views() {
		t.Run(name, func(t *testing.T) {
			m := open(t, House{Dashboard: "/"})
			p := b.Page(t, v)
			p.Do(chromedp.Navigate(m.url + "/demo"))
			p.Await("document.querySelectorAll('[data-chat=twitch] .line').length > 0")
			m.crowd.Set(crowd.State{Size: 30, Paused: true})
			p.Type("#text-twitch", "!buy 3")
			p.Click("#say-twitch button")
			p.AwaitText("[data-chat=twitch] .line.mine .text", "!buy 3")
			mine := p.Text("document.querySelector('[data-chat=twitch] .line.mine').dataset.id")
			m.twitch.Post(twitchLine(botID, botName, "#3 Studio Mug held 5 min, until 12:00 CET. Pay: "+m.url+"/c/abc", mine))
			p.AwaitText("[data-chat=twitch] .line.bot.tome .quote", "@newcomer !buy 3")
			p.Await("document.querySelector('#receipt').href.endsWith('/c/abc') && !document.querySelector('#receipt').hidden")
			p.Await("document.querySelector('.line.tome a').target === '_blank'")
			m.sawDiscord(discordPrivate(newcomer{p.Text("JSON.parse(localStorage.getItem('hawker-demo')).key"), "x"}.on(chat.Discord).ID))
			p.AwaitText("[data-chat=discord] .line.private .buttons a", "hub")
			p.AwaitText("[data-row=twitch] td", "ms")
			p.Await("document.querySelector('#pause').textContent === 'Resume'")
			if v.Mobile {
				p.Await("document.querySelector('[data-tab=discord].news')")
				p.Click("[data-tab=discord]")
				p.Await("document.querySelector('[data-chat=discord]').offsetHeight > 100 && !document.querySelector('[data-chat=twitch]').offsetHeight")
			}
			p.Check("demo " + name)
			p.Shot("demo-" + name)
			p.Click("[data-chat=twitch] .line.mine .unsay")
			p.Await("!document.querySelector('[data-chat=twitch] .line.mine')")
			p.Click("#pause")
			p.Await("document.querySelector('#pause').textContent === 'Pause'")
			if s := m.crowd.State(); s.Paused || s.Size != 30 {
				t.Errorf("the crowd is %+v", s)
			}
		})
	}
}
