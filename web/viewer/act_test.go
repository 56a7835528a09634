package viewer_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// held is how many pieces a viewer holds of an item.
func (h *house) held(v chat.Viewer, number int) int {
	n := 0
	for _, x := range h.page().Open {
		if x.Viewer.Platform == v.Platform && x.Viewer.ID == v.ID && x.Number == number {
			n += x.Quantity
		}
	}
	return n
}

func (h *house) pick(number, sku string) string { return number + ":" + h.variants[sku].String() }

func has(t *testing.T, g got, status int, parts ...string) {
	t.Helper()
	if g.status != status {
		t.Errorf("status %d, want %d", g.status, status)
	}
	for _, p := range parts {
		if !strings.Contains(g.body, p) {
			t.Errorf("answer lacks %q:\n%s", p, g.body)
		}
	}
}

func hasNot(t *testing.T, g got, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(g.body, p) {
			t.Errorf("answer has %q:\n%s", p, g.body)
		}
	}
}

// Whoever has a receipt's address may look and pay; only a browser that acts for its viewer may change it.
func TestWhoMayChangeAReceipt(t *testing.T) {
	h := newHouse(t)
	link := h.claims("ana", "!buy 3 x2")
	bob := h.claims("bob", "!buy 5 S")
	owner, stranger, other := h.browser(), h.browser(), h.browser()
	owner.bind(link, "ana")
	other.bind(bob, "bob")
	hold := find(t, owner.get(link).body, `name="pass" value="(\d+)"`)
	key := func() string { return seal.NewToken().Reveal() }
	change := func(b *browser, delta string) got {
		return b.post(link+"/act", true, "key", key(), map[string]string{"1": "more", "-1": "less"}[delta], h.pick("3", "MUG"))
	}
	has(t, stranger.get(link), http.StatusOK, "Speckled mug", "Continue to checkout", "Is this you?")
	hasNot(t, stranger.get(link), "Give it back", `name="more"`)
	for name, b := range map[string]*browser{"a stranger": stranger, "who is bound to another": other} {
		for what, g := range map[string]got{
			"change": change(b, "-1"), "pass": b.post(link+"/act", true, "key", key(), "pass", hold),
			"leave": b.post(link+"/act", false, "key", key(), "leave", h.pick("3", "MUG")),
		} {
			if g.status != http.StatusForbidden || !strings.Contains(g.body, "Only the browser of whoever claimed this") {
				t.Errorf("%s may %s: %d %s", name, what, g.status, g.body)
			}
		}
	}
	if n := h.held(viewerOf("ana"), 3); n != 2 {
		t.Fatalf("ana holds %d, want 2", n)
	}
	has(t, h.browser().post(link+"/checkout", false), http.StatusForbidden, "cookie") // a program, no browser
	has(t, stranger.post(link+"/checkout", false), http.StatusOK, "https://pay.example/checkout?a=1&amp;b=2")
	has(t, change(owner, "1"), http.StatusOK, "#3 Speckled mug ×3 held")
	has(t, change(owner, "1"), http.StatusOK, "the limit is 3 each")
	has(t, change(owner, "-1"), http.StatusOK, "2 held now")
	has(t, owner.post(link+"/act", true, "key", key(), "more", "3:1"), http.StatusOK, "You hold nothing of that")
	has(t, owner.post(link+"/act", true, "key", key(), "more", "99:1"), http.StatusOK, "notice bad")
	has(t, owner.post(link+"/act", true, "key", key(), "more", "3:x"), http.StatusBadRequest)
	has(t, owner.post(link+"/act", true, "key", "", "more", "3:1"), http.StatusBadRequest)
	has(t, owner.post(link+"/act", true, "key", key(), "pass", "0"), http.StatusBadRequest)
	// ana's browser names bob's hold on ana's page.
	theirs := find(t, other.get(bob).body, `name="pass" value="(\d+)"`)
	has(t, owner.post(link+"/act", true, "key", key(), "pass", theirs), http.StatusOK, "You hold nothing of that")
	if h.held(viewerOf("bob"), 5) != 1 {
		t.Error("bob lost his hold")
	}
	for _, x := range h.page().Open {
		if x.Viewer.Name == "ana" {
			has(t, owner.post(link+"/act", false, "key", key(), "pass", x.ID.String()), http.StatusOK, "given back. Thank you")
		}
	}
	if n := h.held(viewerOf("ana"), 3); n != 0 {
		t.Errorf("ana holds %d after giving back", n)
	}
	has(t, owner.get(link), http.StatusOK, "given back", "Nothing is held here any more.")
	hasNot(t, owner.get(link), "Continue to checkout", "Give it back")
}

// The same form again, by a second tap or a repeated request, gets the first answer and does nothing more.
func TestTheSameFormTwice(t *testing.T) {
	h := newHouse(t)
	link := h.claims("ana", "!buy 5 L")
	b := h.browser()
	b.bind(link, "ana")
	form := []string{"key", seal.NewToken().Reveal(), "more", h.pick("5", "L")}
	for range 3 {
		has(t, b.post(link+"/act", true, form...), http.StatusOK, "#5 Studio shirt L ×2 held")
	}
	if n := h.held(viewerOf("ana"), 5); n != 2 {
		t.Errorf("ana holds %d, want 2", n)
	}
	room := h.web.URL + "/live/spring"
	guest, thief := h.browser(), h.browser()
	guest.get(room)
	thief.get(room)
	claim := []string{"key", seal.NewToken().Reveal(), "pick", h.pick("3", "MUG"), "qty-3", "2"}
	for range 3 {
		has(t, guest.post(room+"/act", true, claim...), http.StatusOK, "Speckled mug ×2 held 10 min")
	}
	// The same key in another browser is another's claim, and with another item another claim.
	has(t, thief.post(room+"/act", true, claim...), http.StatusOK, "Speckled mug ×2 held 10 min")
	has(t, guest.post(room+"/act", true, "key", claim[1], "pick", h.pick("4", "VASE")), http.StatusOK, "vase held 10 min")
	if p := h.page(); p.HeldPieces != 2+2+2+1 {
		t.Errorf("%d pieces are held, want 7", p.HeldPieces)
	}
}

// A private answer's link binds the browser that opens it, and leaves the address; a forged one binds nothing.
func TestOwnLink(t *testing.T) {
	h := newHouse(t)
	link := h.claims("ana", "!buy 3")
	id, err := h.hub.Cart(context.Background(), h.merchant, h.show, viewerOf("ana"))
	h.must(err)
	own := h.hub.Key.Derive("own", int64(h.merchant), int64(id), 0).Reveal()
	b := h.browser()
	for _, forged := range []string{seal.NewToken().Reveal(), "x", strings.TrimPrefix(link, h.web.URL+"/c/"), "%22%3E"} {
		g := b.get(link + "?own=" + forged)
		has(t, g, http.StatusOK, "Is this you?")
		hasNot(t, g, "Give it back")
	}
	g := b.get(link + "?own=" + own)
	has(t, g, http.StatusOK, "Give it back", "You are ana on Twitch.")
	if g.url != link {
		t.Errorf("the address is %s, want %s", g.url, link)
	}
	if got := g.head.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("referrer policy = %q", got)
	}
	// What the browser's room claims now counts for ana.
	b.get(h.web.URL + "/live/spring")
	has(t, b.post(h.web.URL+"/live/spring/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("3", "MUG"), "qty-3", "3"), http.StatusOK, "Speckled mug ×3 held")
	if n := h.held(viewerOf("ana"), 3); n != 3 {
		t.Errorf("ana holds %d, want 3", n)
	}
}

// A code binds only by a yes on the page that showed it, and only to the viewer that the page named.
func TestConnect(t *testing.T) {
	h := newHouse(t)
	link := h.claims("ana", "!buy 3")
	b := h.browser()
	code := find(t, b.get(link).body, `!connect (\d{6})`)
	if again := find(t, b.get(link).body, `!connect (\d{6})`); again != code {
		t.Errorf("the code changes from %s to %s while it is good", code, again)
	}
	has(t, b.post(link+"/act", false, "join", "yes:twitch/id-ana"), http.StatusOK, "That code is not open any more")
	h.types("eve<b>", "!connect "+code) // faster than ana
	h.until("the question", func() bool { return strings.Contains(b.get(link).body, "Are you eveb on Twitch?") })
	hasNot(t, b.get(link), "!connect")
	has(t, b.post(link+"/act", false, "join", "yes:twitch/id-ana"), http.StatusOK, "That code is not open any more") // not whom it was asked about
	has(t, b.post(link+"/act", false, "join", "no:twitch/id-eve<b>"), http.StatusOK, "Not joined.")
	if _, err := h.db.ViewerOfBrowser(context.Background(), h.merchant, seal.NewToken()); !errors.Is(err, sqldb.ErrNotFound) {
		t.Errorf("a browser nobody knows: %v", err)
	}
	hasNot(t, b.get(link), "Give it back")
	b.bind(link, "ana")
	has(t, b.get(link), http.StatusOK, "Give it back")
}

// A guest of the room has its own receipt; when it is joined with a viewer of the chat, both count as one person.
func TestGuestBecomesViewer(t *testing.T) {
	h := newHouse(t)
	room := h.web.URL + "/live/spring"
	b, stranger := h.browser(), h.browser()
	has(t, b.get(room), http.StatusOK, "Nothing yet.", "Show my code")
	hasNot(t, b.get(room), "!connect")
	has(t, b.post(room+"/act", false, "key", seal.NewToken().Reveal(), "air", h.pick("3", "MUG"), "qty-air", "2"), http.StatusOK, "#3 Speckled mug ×2 held 10 min, until", "Give it back")
	link := h.web.URL + find(t, b.get(room).body, `href="(/c/[a-z2-7]{29})"`)
	has(t, b.get(link), http.StatusOK, "Give it back")
	g := stranger.get(link)
	has(t, g, http.StatusOK, "Continue to checkout")
	hasNot(t, g, "Give it back", "!connect") // nobody in a chat is this guest
	h.claims("ana", "!buy 3")
	code := find(t, b.post(room+"/act", false, "code", "1").body, `!connect (\d{6})`)
	h.types("ana", "!connect "+code)
	h.until("the question", func() bool { return strings.Contains(b.get(room).body, "Are you ana on Twitch?") })
	has(t, b.post(room+"/act", true, "join", "yes:twitch/id-ana"), http.StatusOK, "Joined. You are ana here now.", "You are ana on Twitch.")
	// Two as a guest and one as ana are three of three.
	has(t, b.post(room+"/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("3", "MUG"), "qty-3", "5"), http.StatusOK, "the limit is 3 each")
	hasNot(t, b.get(link), `name="more"`) // which of the two would it change?
	if n := strings.Count(b.get(room).body, `class="my"`); n != 2 {
		t.Errorf("the room lists %d holds, want both", n)
	}
	has(t, b.get(link), http.StatusOK, "Give it back")
	hold := find(t, b.get(room).body, `name="pass" value="(\d+)"`)
	has(t, stranger.post(room+"/act", true, "key", seal.NewToken().Reveal(), "pass", hold), http.StatusOK, "You hold nothing of that")
	has(t, b.post(room+"/act", true, "key", seal.NewToken().Reveal(), "pass", hold), http.StatusOK, "given back")
}

// A claim in the room is answered in a sentence, whatever comes of it.
func TestClaimInTheRoom(t *testing.T) {
	h := newHouse(t)
	room := h.web.URL + "/live/spring"
	b, second := h.browser(), h.browser()
	b.get(room)
	second.get(room)
	post := func(b *browser, pairs ...string) got {
		return b.post(room+"/act", true, append([]string{"key", seal.NewToken().Reveal()}, pairs...)...)
	}
	g := post(b, "pick", h.pick("5", "M"))
	has(t, g, http.StatusOK, "#5 Studio shirt M is sold out.", `name="wait" value="`+h.pick("5", "M")+`"`)
	has(t, post(b, "wait", h.pick("5", "M")), http.StatusOK, "You are number 1 in line.", "number 1 in line", "Leave the line")
	has(t, post(b, "pick", h.pick("4", "VASE")), http.StatusOK, "vase held 10 min")
	has(t, post(second, "pick", h.pick("4", "VASE")), http.StatusOK, "all held just now. You are number 1 in line.")
	has(t, post(second, "pick", h.pick("3", "MUG"), "qty-3", "5"), http.StatusOK, "3 held 10 min", "the limit is 3 each")
	has(t, post(b, "pick", "77:"+h.variants["MUG"].String()), http.StatusOK, "notice bad")
	has(t, post(b, "pick", h.pick("3", "VASE")), http.StatusOK, "notice bad")
	has(t, post(b, "pick", h.pick("5", "VASE")), http.StatusOK, "which one? There is S, L.")
	for _, bad := range []string{"", "3", "x:y", "3:", "-1:5", "99999999999:5", "3:99999999999999999999"} {
		if g := post(b, "pick", bad); g.status != http.StatusBadRequest {
			t.Errorf("pick=%s: %d", bad, g.status)
		}
	}
	for _, bad := range []string{"0", "-1", "100", "1.5", "x"} {
		if g := post(b, "pick", h.pick("3", "MUG"), "qty-3", bad); g.status != http.StatusBadRequest {
			t.Errorf("qty=%s: %d", bad, g.status)
		}
	}
	// Leaving the line, and with it nothing else.
	has(t, post(b, "leave", h.pick("5", "M")), http.StatusOK, "You left the line for #5 Studio shirt M.")
	has(t, post(b, "leave", h.pick("5", "M")), http.StatusOK, "You hold nothing of that.")
	h.ask(commerce.Gate{Show: h.show, Closed: true})
	has(t, post(b, "pick", h.pick("5", "S")), http.StatusOK, "Sales are paused")
	g = b.get(room)
	has(t, g, http.StatusOK, "Sales are paused", ">paused<")
	hasNot(t, g, `name="air"`, `name="pick"`)
	h.ask(commerce.Gate{Show: h.show})
	s := h.page().Show
	s.State, s.Ended = commerce.ShowEnded, time.Now()
	h.ask(commerce.SetShow{Show: s})
	g = b.get(room)
	has(t, g, http.StatusOK, "The show is over.", ">ended<", "vase")
	hasNot(t, g, `name="air"`, `name="pick"`)
	has(t, post(b, "pick", h.pick("5", "S")), http.StatusOK, "The show is over.")
}

func TestPlannedShow(t *testing.T) {
	h := newHouse(t, func(_ *sqldb.Merchant, s *commerce.Show) { s.State = commerce.ShowPlanned })
	b := h.browser()
	g := b.get(h.web.URL + "/live/spring")
	has(t, g, http.StatusOK, "starts soon", "The show has not started yet.", "Speckled mug")
	hasNot(t, g, `name="pick"`, "Nothing yet.")
	has(t, b.post(h.web.URL+"/live/spring/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("3", "MUG")), http.StatusOK, "#3 is not on sale just now.")
}

// One address cannot claim for a crowd of thrown-away browsers.
func TestClaimsOfOneAddressAreBounded(t *testing.T) {
	h := newHouse(t)
	refused := 0
	for range 40 {
		b := h.browser()
		b.get(h.web.URL + "/live/spring")
		g := b.post(h.web.URL+"/live/spring/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("5", "L"))
		if g.status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("forty browsers of one address claimed at once")
	}
	b := h.browser()
	g := b.post(h.web.URL+"/live/spring/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("5", "L"))
	has(t, g, http.StatusForbidden, "cookie")
}

// What goes wrong at the store is told, and the hold stands.
func TestCheckout(t *testing.T) {
	h := newHouse(t)
	link := h.claims("ana", "!buy 3")
	b := h.browser()
	b.get(link)
	h.store.set("", errors.New("secret shop trouble"))
	g := b.post(link+"/checkout", false)
	has(t, g, http.StatusBadGateway, "The shop did not answer. What is held stays held", "Continue to checkout", "Speckled mug")
	hasNot(t, g, "secret")
	if h.held(viewerOf("ana"), 3) != 1 {
		t.Error("the hold is gone")
	}
	h.store.set("javascript:alert(1)", nil)
	g = b.post(link+"/checkout", false)
	has(t, g, http.StatusBadGateway, "The shop did not answer.")
	hasNot(t, g, "javascript:")
	other := h.claims("bob", "!buy 4")
	h.store.set("https://pay.example/x", nil)
	g = b.post(other+"/checkout", false)
	has(t, g, http.StatusOK, `href="https://pay.example/x"`, "<h1>To the checkout</h1>")
	if got := g.head.Get("Refresh"); got != "0; url=https://pay.example/x" {
		t.Errorf("Refresh = %q", got)
	}
	order := commerce.Order{
		Store: "o1", Name: "#1", State: commerce.OrderPaid, Total: commerce.Money{Minor: 6400, Currency: "EUR"}, Created: time.Now(), Updated: time.Now(),
		Holds: []commerce.ID{h.page().Open[len(h.page().Open)-1].ID}, Lines: []commerce.OrderLine{{Variant: "v", Quantity: 1, Price: commerce.Money{Minor: 6400, Currency: "EUR"}}},
	}
	variants := map[string]commerce.ID{"v": h.variants["VASE"]}
	h.ask(commerce.Paid{Order: order, Variants: variants})
	has(t, b.get(other), http.StatusOK, "All paid. Thank you!", ">paid<")
	has(t, b.post(other+"/checkout", false), http.StatusConflict, "There is nothing to pay here any more.")
	order.State, order.Lines, order.Updated = commerce.OrderCancelled, nil, order.Updated.Add(time.Minute)
	h.ask(commerce.Paid{Order: order, Variants: variants})
	g = b.get(other)
	has(t, g, http.StatusOK, ">order cancelled<", "Nothing is held here any more.")
	hasNot(t, g, "taken back by the host", "All paid")
}

func TestNothingUnderTheAddress(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	for _, path := range []string{"/c/" + seal.NewToken().Reveal(), "/c/x", "/overlay/" + seal.NewToken().Reveal(), "/c/" + seal.NewToken().Reveal() + "/events", "/overlay/x/events"} {
		g := b.get(h.web.URL + path)
		what := "No receipt here"
		if strings.HasPrefix(path, "/overlay/") {
			what = "No overlay here"
		}
		has(t, g, http.StatusNotFound, what)
		if g.head.Get("X-Robots-Tag") != "noindex" || g.head.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, g.head)
		}
	}
	has(t, b.get(h.web.URL+"/live/winter"), http.StatusNotFound, "No show here")
	r, err := http.NewRequest(http.MethodGet, h.web.URL+"/live/winter", nil)
	h.must(err)
	r.Header.Set("Accept-Language", "pt;q=0.9, de-AT, en")
	has(t, b.do(r), http.StatusNotFound, "Hier ist keine Show", `<html lang="de"`)
}

// Who only waits in line reads a place, and neither a checkout nor that all is over; when it comes to them, a clock.
func TestOnlyInLine(t *testing.T) {
	h := newHouse(t)
	h.claims("bob", "!buy 4")
	link := h.claims("cy", "!buy 4")
	b := h.browser()
	has(t, b.get(link), http.StatusOK, "number 1 in line")
	hasNot(t, b.get(link), "Continue to checkout", "Nothing is held", "All paid", "h-countdown")
	s := b.stream(link)
	h.types("bob", "!pass 4")
	s.until("Continue to checkout")
	has(t, b.get(link), http.StatusOK, "h-countdown")
}
