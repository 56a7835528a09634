package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/internal/browsertest"
)

// printed is what a command writes, readable while it writes.
type printed struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// play starts the demo as its command does and returns the address it prints.
func play(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var stdout printed
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"demo", "--listen", "127.0.0.1:0"}, &stdout, io.Discard) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("demo: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the demo does not end")
		}
	})
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/demo`)
	eventually(t, "the demo's address", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("demo: %v", err)
		default:
		}
		return address.MatchString(stdout.String())
	})
	return address.FindString(stdout.String())
}

// TestDemoJourney is what a newcomer does: claim in the chat, open the receipt, pay in the shop, be thanked in every chat and
// on the video.
func TestDemoJourney(t *testing.T) {
	address := play(t)
	b := browsertest.Open(t)
	view := browsertest.View{Width: 1280, Height: 1000}
	demo := b.Page(t, view, "favicon")
	demo.Go(address)
	demo.Await("document.querySelectorAll('h1').length === 1")
	demo.Click("#pause")
	overlay := b.Page(t, view)
	overlay.Go(strings.TrimSuffix(address, "/demo") + demo.Text("document.querySelector('[data-overlay]').dataset.overlay"))
	demo.Await("[...document.querySelectorAll('video')].length === 2 && [...document.querySelectorAll('video')].every(v => v.videoWidth > 0)")

	// A buyer on Twitch, whose answer carries a receipt.
	demo.Type("#me", "Nia Newcomer")
	demo.Text("document.querySelector('#me').dispatchEvent(new Event('change', {bubbles: true}))")
	demo.Type("#text-twitch", "!buy 3")
	demo.Click("#say-twitch button")
	answer := `[...document.querySelectorAll('[data-chat=twitch] a')].filter(a => a.href.includes('/c/') && a.closest('li, article, div').textContent.includes('#3')).pop()`
	demo.Await(fmt.Sprintf("document.querySelector('#receipt').hidden === false && document.querySelector('#receipt').href.includes('/c/') && (%s || true)", answer))
	receipt := b.Page(t, browsertest.View{Width: 390, Height: 844, Mobile: true})
	receipt.Go(demo.Text("document.querySelector('#receipt').href"))
	receipt.AwaitText(".slip", "Mug")
	receipt.Await("document.querySelector('.slip-time')")
	// Who has the link may look and pay, and change nothing.
	receipt.Await("!document.querySelector('button[name=pass]')")
	receipt.AwaitText("#box", "!connect ")
	receipt.Check("receipt")
	receipt.Shot("receipt")

	// The code on the page, typed in the chat, binds this browser once the page was asked.
	code := regexp.MustCompile(`!connect \d{6}`).FindString(receipt.Text("document.querySelector('#box').textContent"))
	demo.Type("#text-twitch", code)
	demo.Click("#say-twitch button")
	receipt.AwaitText("#box", "Nia")
	receipt.Click("#box button[name=join]")
	receipt.Await("document.querySelector('button[name=pass]')")

	receipt.Click("form[action$='/checkout'] button")
	receipt.Await("location.pathname.startsWith('/checkouts/')")
	receipt.Shot("checkout")
	receipt.Await("[...document.querySelectorAll('button')].some(b => b.textContent.includes('Pay now'))")
	receipt.Text("[...document.querySelectorAll('button')].find(b => b.textContent.includes('Pay now')).click()")
	receipt.Await("location.pathname.endsWith('/thank-you')")
	overlay.AwaitText(".shout", "Nia")
	overlay.Shot("overlay")
	for _, c := range []string{"twitch", "youtube", "discord"} {
		demo.AwaitText("[data-chat="+c+"]", "Nia_Newcomer just bought")
	}

	// The same on the two others: YouTube's answer is public and carries the show's page, Discord's slash command is answered
	// to the viewer alone.
	demo.Type("#text-youtube", "!buy 3")
	demo.Click("#say-youtube button")
	demo.AwaitText("[data-chat=youtube]", "/live/spring")
	demo.Type("#text-discord", "/buy 3")
	demo.Click("#say-discord button")
	demo.Await("[...document.querySelectorAll('[data-chat=discord] *')].some(e => /only you/i.test(e.textContent))")
	demo.Check("demo")
	demo.Shot("demo")

	// The host sees it on the dashboard, signed in by the demo.
	desk := b.Page(t, view)
	desk.Go(demo.Text("[...document.querySelectorAll('a')].find(a => a.textContent.includes('Dashboard')).href"))
	desk.AwaitText("main", "Nia")
	desk.Check("desk")
	desk.Shot("desk")

	// And a tap in the live room holds a piece too.
	room := b.Page(t, browsertest.View{Width: 390, Height: 844, Mobile: true})
	room.Go(demo.Text("[...document.querySelectorAll('a')].find(a => a.textContent.includes('Live room')).href"))
	room.Click(".room button.main[form=act]")
	room.Await("[...document.querySelectorAll('a')].some(a => a.href.includes('/c/')) || document.querySelector('h-countdown')")
	room.Check("room")
	room.Shot("room")
}
