package viewer_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/seal"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/rule"
)

// stream is an open stream of a page.
type stream struct {
	t  *testing.T
	sc *bufio.Scanner
	// all is what came so far.
	all string
}

func (b *browser) stream(address string, query ...string) *stream {
	b.h.t.Helper()
	r, err := http.NewRequestWithContext(b.h.t.Context(), http.MethodGet, address+"/events"+strings.Join(query, ""), nil)
	b.h.must(err)
	res, err := b.http.Do(r)
	b.h.must(err)
	b.h.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		b.h.t.Fatalf("stream: %d %v", res.StatusCode, res.Header)
	}
	s := &stream{t: b.h.t, sc: bufio.NewScanner(res.Body)}
	s.sc.Buffer(nil, 8<<20)
	return s
}

// until reads on until a text comes, and gives what came since the last call.
func (s *stream) until(part string) string {
	s.t.Helper()
	begun := len(s.all)
	for s.sc.Scan() {
		s.all += strings.TrimPrefix(s.sc.Text(), "data: ") + "\n"
		if strings.Contains(s.all[begun:], part) {
			return s.all[begun:]
		}
	}
	s.t.Fatalf("the stream ended before %q came: %v\n%s", part, s.sc.Err(), s.all[begun:])
	return ""
}

// The room follows the show: stock, the item on air, the chat, and to each browser its own holds.
func TestRoomStream(t *testing.T) {
	h := newHouse(t)
	room := h.web.URL + "/live/spring"
	b, other := h.browser(), h.browser()
	b.get(room)
	other.get(room)
	s, o := b.stream(room), other.stream(room)
	s.until("</hx-partial>")
	o.until("</hx-partial>")
	h.types("<b>eve</b>", "<script>alert(3)</script> hello")
	if got := s.until("hello"); strings.Contains(got, "<script>") || strings.Contains(got, "<b>eve") || !strings.Contains(got, "#chat") {
		t.Errorf("a line of chat came as %s", got)
	}
	h.bans("<b>eve</b>")
	s.until(`hx-target="[id='line-twitch-`)
	if again := b.get(room).body; strings.Contains(again, "hello") {
		t.Error("what a banned viewer said is shown to who comes")
	}
	b.post(room+"/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("4", "VASE"))
	s.until("Give it back")
	if got := o.until("all held, join the line"); strings.Contains(got, "Give it back") {
		t.Errorf("another browser got the first one's holds: %s", got)
	}
	h.ask(commerce.Air{Show: h.show, Number: 5})
	o.until("Studio shirt")
	h.ask(commerce.Gate{Show: h.show, Closed: true})
	s.until(`<span class="countdown frozen">paused</span>`)
	if strings.Contains(o.all, "Give it back") {
		t.Error("another browser got the first one's holds")
	}
	code := find(t, b.post(room+"/act", true, "code", "1").body, `!connect (\d{6})`)
	h.types("ana", "!connect "+code)
	s.until("Are you ana on Twitch?")
}

// A receipt follows its holds, and the question comes when the code was typed.
func TestReceiptStream(t *testing.T) {
	h := newHouse(t)
	link := h.claims("ana", "!buy 3")
	b := h.browser()
	code := find(t, b.get(link).body, `!connect (\d{6})`)
	s := b.stream(link)
	s.until("!connect " + code)
	h.types("ana", "!connect "+code)
	s.until("Are you ana on Twitch?")
	b.post(link+"/act", true, "join", "yes:twitch/id-ana")
	s.until("Give it back")
	h.types("ana", "!buy 3 x2")
	s.until("€36.00")
	h.ask(commerce.Release{Hold: h.page().Open[0].ID})
	s.until("taken back by the host")
}

// The overlay shows the item on air and who bought; when there is nothing, it is empty.
func TestOverlayStream(t *testing.T) {
	h := newHouse(t)
	h.claims("ana", "!buy 3 x2")
	s := h.browser().stream(h.overlay)
	if got := s.until(`hx-target="#shout"`); !strings.Contains(got, "Speckled mug") || strings.Contains(got, "plate shout") {
		t.Errorf("at first: %s", got)
	}
	x := h.page().Open[0]
	h.ask(commerce.Paid{
		Order: commerce.Order{
			Store: "o1", Name: "#1", State: commerce.OrderPaid, Total: x.Total(), Created: time.Now(), Updated: time.Now(), Holds: []commerce.ID{x.ID},
			Lines: []commerce.OrderLine{{Variant: "v", Quantity: 2, Price: x.Price}},
		},
		Variants: map[string]commerce.ID{"v": x.Variant},
	})
	s.until(`<p class="shout-who">ana</p>`)
	h.ask(commerce.Air{Show: h.show})
	if got := s.until(`hx-target="#onair"`); strings.Contains(got, "plate air") {
		t.Errorf("nothing is on air, and the overlay has %s", got)
	}
	card := rule.Rule{Name: "Cards", When: rule.When{Event: rule.Contains, Words: []string{"glaze"}}, Then: []rule.Action{{Do: rule.Card, Text: "{user} asks about the glaze", Sound: "https://a.example/ding.mp3?a=1&b=2", For: time.Minute}}}
	h.rule(card)
	quiet := h.browser().stream(h.overlay, "?mute")
	quiet.until(`hx-target="#card"`)
	h.types("eve", "which glaze is it?")
	if got := s.until(`<p class="shout-all">eve asks about the glaze</p>`) + s.until("</hx-partial>"); !strings.Contains(got, `src="https://a.example/ding.mp3?a=1&amp;b=2" autoplay></audio>`) {
		t.Errorf("the card has no sound: %s", got)
	}
	if got := quiet.until("eve asks about the glaze") + quiet.until("</hx-partial>"); strings.Contains(got, "<audio") {
		t.Errorf("a source that is muted has %s", got)
	}
}

// rule puts one rule into force.
func (h *house) rule(r rule.Rule) {
	h.t.Helper()
	_, err := h.db.Rulebook().Put(h.t.Context(), h.merchant, rulebook.Version{Rules: []rule.Rule{r}}, rulebook.Any)
	h.must(err)
	h.must(h.hub.ReloadRules(h.t.Context(), h.merchant))
}
