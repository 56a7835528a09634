package web_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/seal"
)

// Signing out ends the streams that the session has open, and those of nobody else.
func TestSignOutEndsStreams(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	open := func(c *client) io.ReadCloser {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/shows/"+show.String()+"/events", nil)
		h.must(err)
		res, err := c.Do(req)
		h.must(err)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("stream: %d", res.StatusCode)
		}
		return res.Body
	}
	leaves, stays := h.as("owner"), h.as("owner")
	first, second, other := open(leaves), open(leaves), open(stays)
	defer other.Close()
	leaves.post("/sign-out")
	for _, b := range []io.ReadCloser{first, second} {
		if _, err := io.Copy(io.Discard, b); err != nil {
			t.Errorf("the stream ended by %v", err)
		}
		b.Close()
	}
	if _, err := h.hub.Ask(t.Context(), m, commerce.Key{}, commerce.Air{Show: show, Number: 2}); err != nil {
		t.Fatal(err)
	}
	seen, buf := "", make([]byte, 64<<10)
	for !strings.Contains(seen, "Wide bowl") {
		n, err := other.Read(buf)
		seen += string(buf[:n])
		h.must(err)
	}
}

// A double click on the desk does once what a click does; a click on what the desk then shows does it again.
func TestDeskFormsTwice(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.bustle(m)
	at := "/shows/" + show.String()
	c, other := h.as("owner"), h.as("manager")
	p := h.until(m, show, "the show", func(live.ShowPage) bool { return true })
	own := p.Items[0].Stock[0]
	free := func() int64 {
		return h.until(m, show, "the show", func(live.ShowPage) bool { return true }).Items[0].Stock[0].Free
	}
	id := regexp.MustCompile(`<span id="once" hidden><input type="hidden" name="key" value="([a-z2-7]{26})">`).FindStringSubmatch(c.get(at).body)[1]
	plus := func(c *client, id string) answer {
		return c.post(at+"/stock", "key", id, "variant", own.Variant.ID.String(), "stock", "+1", "header HX-Request", "true")
	}
	var last answer
	for range 3 {
		if last = plus(c, id); last.status != http.StatusOK {
			t.Fatalf("one more: %d\n%s", last.status, last.body)
		}
	}
	if got := free(); got != own.Free+1 {
		t.Errorf("%d free after one click three times, want %d", got, own.Free+1)
	}
	next := regexp.MustCompile(`hx-target="#once" hx-swap="innerHTML">\s*<input type="hidden" name="key" value="([a-z2-7]{26})">`).FindStringSubmatch(last.body)
	if next == nil || next[1] == id {
		t.Fatalf("the answer brings no new id: %v", next)
	}
	plus(c, next[1])
	plus(other, id) // somebody else's click on the same page
	if got := free(); got != own.Free+3 {
		t.Errorf("%d free, want %d", got, own.Free+3)
	}
	hold := p.Open[0].ID.String()
	for range 2 {
		if r := c.post(at+"/release", "key", id, "hold", hold, "header HX-Request", "true"); r.status != http.StatusOK {
			t.Errorf("releasing by a double click: %d %s", r.status, r.body)
		}
	}
	for _, number := range []string{"2", "3", "2"} { // the same wish later, from a newer page, is a new one
		c.post(at+"/air", "key", seal.NewToken().Reveal(), "number", number)
	}
	if p := h.until(m, show, "the show", func(live.ShowPage) bool { return true }); p.Show.Lineup.OnAir != 2 {
		t.Errorf("on air is %d", p.Show.Lineup.OnAir)
	}
}

// A busy desk lists what comes first and says how much more there is; an order that changed is told in words.
func TestBusyDesk(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	ps := h.products(m)
	show := h.show(m, ps, commerce.ShowLive)
	many := int64(2000)
	_, err := h.hub.Ask(t.Context(), m, commerce.Key{}, commerce.SetStock{Variant: ps[1].Variants[0].ID, Available: &many})
	h.must(err)
	for i := range commerce.ViewMost + 240 {
		h.says(m, fmt.Sprint("hold", i), fmt.Sprint("hal", i), "!buy 2 sand")
	}
	for i := range 301 {
		h.says(m, fmt.Sprint("wait", i), fmt.Sprint("wim", i), "!buy 4")
	}
	h.until(m, show, "all are decided", func(p live.ShowPage) bool {
		return len(p.Open)+p.MoreOpen == commerce.ViewMost+241 && len(p.Waiting)+p.MoreWaiting == 300
	})
	at := "/shows/" + show.String()
	body := h.as("owner").get(at).body
	for _, want := range []string{
		`<p class="soft small rest">and 1181 more</p>`, `<p class="soft small rest">and 240 more</p>`, `<dt>In line</dt><dd>300<span`,
		`<dt>Held, not paid</dt><dd>€59534.50<span class="sub">1241 pieces</span>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the desk has no %s", want)
		}
	}
}
