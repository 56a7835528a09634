package web_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/web"
	"hawker/web/desk"
)

// codeAsker is a platform whose owner types a code when told.
type codeAsker struct {
	mu     sync.Mutex
	answer error
	asked  atomic.Int32
	now    atomic.Int32 // questions under way
	most   atomic.Int32
	begun  atomic.Int32
	extra  string
}

func (a *codeAsker) set(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = err
}

func (a *codeAsker) connect() web.Connect {
	return web.Connect{Needs: "The operator sets HAWKER_TWITCH_CLIENT_SECRET.", Code: &web.ByCode{
		Begin: func(_ context.Context, _ commerce.ID, extra string) (web.ShownCode, error) {
			a.extra = extra
			return web.ShownCode{
				Code: "ABCDEFGH", Address: "https://www.twitch.example/activate?device-code=ABCDEFGH", Ends: time.Now().Add(30 * time.Minute), Every: time.Nanosecond, Secret: fmt.Append(nil, "of-the-machine ", a.begun.Add(1)),
			}, nil
		},
		Ask: func(_ context.Context, _ commerce.ID, c web.ShownCode) (string, error) {
			a.asked.Add(1)
			a.most.Store(max(a.most.Load(), a.now.Add(1)))
			defer a.now.Add(-1)
			if !strings.HasPrefix(string(c.Secret), "of-the-machine ") {
				return "", desk.ErrCodeOver
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			return "anaslive", a.answer
		},
	}}
}

// TestByCode: a login by a code needs no address that a platform could come back to. It is the browser's that began it, one
// question at a time is asked, and nothing of the machine's secret is on the page.
func TestByCode(t *testing.T) {
	a := &codeAsker{answer: desk.ErrWaiting}
	h := newHouse(t, func(s *web.Server) { s.Connects = map[string]web.Connect{"twitch-bot": a.connect(), "youtube": {}} })
	h.merchant()
	c := h.as("owner")
	if r := c.get("/channels"); !strings.Contains(r.body, `action="/oauth/twitch-bot/code"`) || strings.Contains(r.body, `action="/oauth/twitch-bot"`) || strings.Contains(r.body, "CLIENT_SECRET") {
		t.Errorf("channels offer a login that cannot be, or not the one that can:\n%s", r.body)
	}
	if r := c.post("/oauth/twitch-bot"); r.status != http.StatusSeeOther || r.to != "/oauth/twitch-bot/code" {
		t.Errorf("a login that can be by a code alone: %d to %s", r.status, r.to)
	}
	if r := h.as("owner").get("/oauth/twitch-bot/code"); r.status != http.StatusConflict {
		t.Errorf("another browser: %d", r.status)
	}
	if r := c.post("/oauth/youtube/code"); r.status != http.StatusNotFound {
		t.Errorf("a login that has no codes: %d", r.status)
	}
	if r := h.as("owner").get("/oauth/twitch-bot/code"); r.status != http.StatusConflict || !strings.Contains(r.body, "This code is over") {
		t.Errorf("without a code: %d", r.status)
	}
	if r := c.post("/oauth/twitch-bot/code", "extra", "stream-key"); r.status != http.StatusSeeOther || r.to != "/oauth/twitch-bot/code" || a.extra != "stream-key" {
		t.Fatalf("begin: %d to %s, extra %q", r.status, r.to, a.extra)
	}
	r := c.get("/oauth/twitch-bot/code")
	if r.status != http.StatusOK || !strings.Contains(r.body, "ABCDEFGH") || !strings.Contains(r.body, `href="https://www.twitch.example/activate`) || strings.Contains(r.body, "of-the-machine") {
		t.Fatalf("the code: %d\n%s", r.status, r.body)
	}
	if r := h.as("owner").get("/oauth/twitch-bot/code"); r.status != http.StatusConflict || strings.Contains(r.body, "ABCDEFGH") {
		t.Errorf("another browser sees the code: %d", r.status)
	}
	look := func() answer { return c.get("/oauth/twitch-bot/code", "HX-Request", "true") }
	if r := look(); r.status != http.StatusNoContent || r.header.Get("HX-Redirect") != "" {
		t.Errorf("nobody typed it: %d %v", r.status, r.header)
	}
	a.set(context.DeadlineExceeded)
	if r := look(); r.status != http.StatusNoContent || r.header.Get("HX-Redirect") != "" {
		t.Errorf("the platform is out of order: %d %v", r.status, r.header)
	}
	if r := c.get("/oauth/twitch-bot/code"); !strings.Contains(r.body, "did not answer") {
		t.Errorf("it is not said that the platform did not answer:\n%s", r.body)
	}
	a.set(nil)
	var all sync.WaitGroup
	var connected atomic.Int32
	before := a.asked.Load()
	for range 8 {
		all.Go(func() {
			if r := look(); r.status == http.StatusNoContent && r.header.Get("HX-Redirect") == "/channels?said=connected" {
				connected.Add(1)
			}
		})
	}
	all.Wait()
	if a.asked.Load()-before != 1 || a.most.Load() != 1 || connected.Load() == 0 {
		t.Errorf("%d questions, %d at once; %d pages went on", a.asked.Load()-before, a.most.Load(), connected.Load())
	}
	if r := c.get("/oauth/twitch-bot/code"); r.status != http.StatusConflict {
		t.Errorf("the code after it was used: %d", r.status)
	}
}

// TestByCodeOver: a code that is refused there ends the waiting, with a way to another.
func TestByCodeOver(t *testing.T) {
	a := &codeAsker{answer: desk.ErrCodeOver}
	h := newHouse(t, func(s *web.Server) { s.Connects = map[string]web.Connect{"twitch-bot": a.connect()} })
	h.merchant()
	c := h.as("owner")
	c.post("/oauth/twitch-bot/code")
	if r := c.get("/oauth/twitch-bot/code"); r.status != http.StatusConflict || !strings.Contains(r.body, "Get another code") || strings.Contains(r.body, "ABCDEFGH") {
		t.Errorf("%d\n%s", r.status, r.body)
	}
	if r := h.as("moderator").post("/oauth/twitch-bot/code"); r.status != http.StatusForbidden {
		t.Errorf("a moderator connects accounts: %d", r.status)
	}
}
