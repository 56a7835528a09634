package viewer_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// change sets the show up anew.
func (h *house) change(f func(s *commerce.Show)) {
	h.t.Helper()
	s := h.page().Show
	f(&s)
	h.ask(commerce.SetShow{Show: s})
}

// chooses sends the form of a page on which something is chosen, as a browser without script does.
func (b *browser) chooses(address, number string, pairs ...string) got {
	b.h.t.Helper()
	g := b.get(address + "?item=" + number)
	key := find(b.h.t, g.body, `name="key" value="([a-z2-7]{26})"`)
	return b.post(address+"/act", false, append([]string{"key", key, "item", number}, pairs...)...)
}

// A line that left the variant open leads to the item: who sits at a browser that acts for the viewer taps, everybody else
// sees what to type.
func TestChooseAVariant(t *testing.T) {
	h := newHouse(t)
	link := h.claims("ana", "!buy 3")
	owner, stranger := h.browser(), h.browser()
	owner.bind(link, "ana")
	g := owner.get(link + "?item=5&n=2")
	has(t, g, http.StatusOK, "<h1>Which one?</h1>", "You asked for #5 Studio shirt ×2.", `name="pick" value="`+h.pick("5", "S")+`"`, "2 left", "in stock", "<option selected>2</option>",
		`name="wait" value="`+h.pick("5", "M")+`"`, `name="item" value="5"`)
	hasNot(t, g, "!buy 5", "!connect")
	// A stranger who has the address reads the lines, and how to show that it is them. A sold one leads to the line.
	g = stranger.get(link + "?item=5")
	has(t, g, http.StatusOK, `<code id="say-1">!buy 5 S</code>`, `<code id="say-2">!wait 5 M</code>`, `<code id="say-3">!buy 5 L</code>`, "!connect ", `href="/live/spring?item=5&amp;n=1"`)
	hasNot(t, g, `name="pick"`, `name="wait"`)
	has(t, stranger.chooses(link, "5", "pick", h.pick("5", "S")), http.StatusForbidden, "Only the browser of whoever claimed this")
	// A tap holds, once however often it is sent, and leads to the receipt.
	key := seal.NewToken().Reveal()
	for range 2 {
		g = owner.post(link+"/act", false, "key", key, "item", "5", "pick", h.pick("5", "S"), "qty-5", "2")
		has(t, g, http.StatusOK, "#5 Studio shirt S ×2 held 10 min", "Give it back")
		if g.url != link {
			t.Errorf("a claim leads to %s", g.url)
		}
	}
	if n := h.held(viewerOf("ana"), 5); n != 2 {
		t.Errorf("ana holds %d, want 2", n)
	}
	// What cannot be had leads back to the choice.
	g = owner.chooses(link, "5", "pick", h.pick("5", "M"), "qty-5", "3")
	has(t, g, http.StatusOK, "is sold out", "<h1>Which one?</h1>", "×3")
	if !strings.HasSuffix(g.url, "?item=5&n=3") {
		t.Errorf("a refusal leads to %s", g.url)
	}
	has(t, owner.chooses(link, "5", "wait", h.pick("5", "M")), http.StatusOK, "number 1 in line")
}

// In the room a guest may type or tap; a bound browser taps for whom it acts.
func TestChooseInTheRoom(t *testing.T) {
	h := newHouse(t)
	room := h.web.URL + "/live/spring"
	guest := h.browser()
	g := guest.get(room + "?item=5")
	has(t, g, http.StatusOK, "!buy 5 S", "Or tap Claim here. It is then held for this browser, as Guest ", `name="pick" value="`+h.pick("5", "S")+`"`, "!connect ")
	g = guest.chooses(room, "5", "pick", h.pick("5", "L"))
	has(t, g, http.StatusOK, "#5 Studio shirt L held 10 min", `id="mine"`)
	ana := h.claims("ana", "!buy 3")
	owner := h.browser()
	owner.bind(ana, "ana")
	g = owner.get(room + "?item=4")
	has(t, g, http.StatusOK, `name="pick" value="`+h.pick("4", "VASE")+`"`, ">Claim<")
	hasNot(t, g, "!buy 4", "<script>alert")
	owner.chooses(room, "4", "pick", h.pick("4", "VASE"))
	if n := h.held(viewerOf("ana"), 4); n != 1 {
		t.Errorf("ana holds %d vases", n)
	}
	// All held is no end: a place in line is had by the same line.
	has(t, guest.get(room+"?item=4"), http.StatusOK, `<code id="say-1">!buy 4</code>`, "all held, join the line", ">Join the line<")
}

// Which item: the shelf with its numbers. A number that nobody has says so.
func TestChooseAnItem(t *testing.T) {
	h := newHouse(t)
	room := h.web.URL + "/live/spring"
	b := h.browser()
	g := b.get(room + "?item=")
	has(t, g, http.StatusOK, "<h1>Which item?</h1>", `href="/live/spring?item=3&amp;n=1"`, `href="/live/spring?item=5&amp;n=1"`, "Speckled mug")
	hasNot(t, g, `name="pick"`)
	has(t, b.get(room+"?item=99"), http.StatusOK, "No item has the number 99.", "Speckled mug")
	for _, odd := range []string{"x", "-1", "0", "5%22%3E", "99999999999999999999"} {
		has(t, b.get(room+"?item="+odd+"&n="+odd), http.StatusOK, "<h1>Which item?</h1>")
	}
	h.ask(commerce.Gate{Show: h.show, Closed: true})
	g = b.get(room + "?item=3")
	has(t, g, http.StatusOK, "Sales are paused")
	hasNot(t, g, `name="pick"`, "!buy 3")
}

// The page follows what is left, and who sits there.
func TestChooseStream(t *testing.T) {
	h := newHouse(t)
	link := h.claims("ana", "!buy 3")
	b := h.browser()
	code := find(t, b.get(link+"?item=5").body, `!connect (\d{6})`)
	s := b.stream(link, "?item=5&n=1")
	h.types("bob", "!buy 5 S")
	s.until("1 left")
	h.types("ana", "!connect "+code)
	s.until("Are you ana on Twitch?")
	has(t, b.post(link+"/act", false, "item", "5", "join", "yes:twitch/id-ana"), http.StatusOK, "Joined. You are ana here now.", `name="pick"`)
	s.until(`name="pick"`)
}

// An offer says that nothing is set aside, wherever it is seen, and can be paid and given back.
func TestOffers(t *testing.T) {
	h := newHouse(t)
	h.change(func(s *commerce.Show) { s.Lineup.Item(3).FirstPaid = true })
	room := h.web.URL + "/live/spring"
	b := h.browser()
	has(t, b.get(room), http.StatusOK, "First paid, first served: nothing is set aside · at most 3 each")
	g := b.post(room+"/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("3", "MUG"), "qty-3", "2")
	has(t, g, http.StatusOK, "nothing is set aside. First paid, first served.", "not set aside")
	g = b.get(h.web.URL + find(t, b.get(room).body, `href="(/c/[a-z2-7]{29})"`))
	has(t, g, http.StatusOK, ">not set aside<", "Not set aside: first paid, first served.", "Continue to checkout", "€36.00", "Give it back")
	hasNot(t, g, "h-countdown", `name="more"`)
	if p := h.page(); p.HeldPieces != 0 || len(p.Offers) != 1 || p.Items[0].Free != 5 {
		t.Errorf("%d held, %d offered, %d free", p.HeldPieces, len(p.Offers), p.Items[0].Free)
	}
	link := g.url
	stock := func(n int64) {
		_, err := h.hub.Ask(t.Context(), h.merchant, commerce.Key{}, commerce.SetStock{Variant: h.page().Items[0].Stock[0].Variant.ID, Available: &n})
		h.must(err)
	}
	stock(0)
	has(t, b.post(link+"/checkout", false), http.StatusConflict, "Others paid first, and nothing is left of it. You paid nothing.")
	stock(5)
	g = b.post(link+"/act", false, "key", seal.NewToken().Reveal(), "pass", h.page().Offers[0].ID.String())
	has(t, g, http.StatusOK, "given back")
}

// A show whose holds are paid together says so before, at the claim and on the receipt, and shows no clock until it is over.
func TestPayOnce(t *testing.T) {
	h := newHouse(t)
	h.change(func(s *commerce.Show) { s.PayOnce, s.Cap = 30*time.Minute, 4 })
	room := h.web.URL + "/live/spring"
	b := h.browser()
	has(t, b.get(room), http.StatusOK, "You pay once, when the show is over; then you have 30 min.", "At most 4 pieces each in this show.")
	g := b.post(room+"/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("5", "L"), "qty-5", "2")
	has(t, g, http.StatusOK, "#5 Studio shirt L ×2 held. You pay once, after the show.", "after the show")
	link := h.web.URL + find(t, b.get(room).body, `href="(/c/[a-z2-7]{29})"`)
	g = b.get(link)
	has(t, g, http.StatusOK, "You pay once, when the show is over", "after the show", "Continue to checkout")
	hasNot(t, g, "h-countdown")
	h.change(func(s *commerce.Show) { s.State = commerce.ShowEnded })
	g = b.get(link)
	has(t, g, http.StatusOK, "h-countdown", "The show is over.")
}

// Two names of one person: joined by a code typed with the second name, counted as one, and undone within a day.
func TestJoinAccounts(t *testing.T) {
	h := newHouse(t)
	link, other := h.claims("ana", "!buy 3 x2"), h.claims("anna_b", "!buy 3")
	b := h.browser()
	b.bind(link, "ana")
	has(t, b.get(link), http.StatusOK, "Do you buy on another platform too?", "Show my code")
	g := b.post(link+"/act", false, "code", "1")
	has(t, g, http.StatusOK, "Type this in the chat there, with your other name:")
	h.types("anna_b", "!connect "+find(t, g.body, `!connect (\d{6})`))
	h.until("the question", func() bool { return strings.Contains(b.get(link).body, "Join anna_b on Twitch?") })
	has(t, b.get(link), http.StatusOK, "anna_b and ana then count as one person in this shop", "one cart, one limit, one place in line", "Yes, join them")
	has(t, b.post(link+"/act", true, "join", "yes:twitch/id-anna_b"), http.StatusOK, "Joined. anna_b and you count as one now.", "Joined with you", "can be undone until")
	// The browser acts for whom it did, not for the name that was typed last.
	room := h.web.URL + "/live/spring"
	has(t, b.get(room), http.StatusOK, "You are ana on Twitch.")
	has(t, b.post(room+"/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("4", "VASE")), http.StatusOK, "vase held")
	if n := h.held(viewerOf("ana"), 4); n != 1 {
		t.Errorf("a claim of the browser gives ana %d, want 1", n)
	}
	// One person has one limit: three mugs together.
	h.types("anna_b", "!buy 3 x3")
	h.types("ana", "!buy 5 L")
	h.until("the last line", func() bool { return h.held(viewerOf("ana"), 5) == 1 })
	if n := h.held(viewerOf("ana"), 3) + h.held(viewerOf("anna_b"), 3); n != 3 {
		t.Errorf("both hold %d mugs, want 3", n)
	}
	has(t, b.get(other), http.StatusOK, "Give it back") // the other receipt is hers too
	// One person has one cart: either receipt shows all, the room shows it once, and one checkout pays for it.
	for _, at := range []string{link, other, room} {
		if page := b.get(at).body; strings.Count(page, `name="pass"`) != 4 {
			t.Errorf("%s does not show the four holds of both accounts once:\n%s", at, page)
		}
	}
	b.post(link+"/checkout", false)
	b.post(other+"/checkout", false)
	if d := h.store.drafts; len(d) != 1 || len(d[0].Holds) != 4 {
		t.Errorf("drafts of the joined accounts: %+v, want one of four holds", d)
	}
	stranger := h.browser()
	stranger.bind(h.claims("eve", "!buy 5 L"), "eve")
	has(t, stranger.post(link+"/act", true, "part", "twitch/id-anna_b"), http.StatusOK, "notice bad")
	has(t, b.post(link+"/act", true, "part", "twitch/id-anna_b"), http.StatusOK, "anna_b counts alone again.")
	hasNot(t, b.get(link), "Joined with you")
	hasNot(t, b.get(other), "Give it back")
	if me, err := h.hub.Person(context.Background(), h.merchant, viewerOf("anna_b")); err != nil || strings.Contains(me, "id-ana/") {
		t.Errorf("anna_b is %s, %v", me, err)
	}
}

// Being forgotten asks first, only by a form, and only in a browser that acts for the viewer.
func TestForgetMe(t *testing.T) {
	h := newHouse(t)
	link := h.claims("ana", "!buy 3 x2")
	b, stranger := h.browser(), h.browser()
	b.bind(link, "ana")
	hasNot(t, stranger.get(link), "/forget")
	has(t, stranger.get(link+"/forget"), http.StatusForbidden, "Only the browser of whoever claimed this")
	has(t, stranger.post(link+"/forget", false), http.StatusForbidden, "Only the browser of whoever claimed this")
	has(t, b.get(link), http.StatusOK, `href="`+strings.TrimPrefix(link, h.web.URL)+`/forget"`)
	g := b.get(link + "/forget")
	has(t, g, http.StatusOK, "Forget you in this shop?", "Erased at once:", "What stays:", "ana · Twitch", "Yes, forget me")
	if n := h.held(viewerOf("ana"), 3); n != 2 {
		t.Fatalf("looking at the question gave something back: %d", n)
	}
	has(t, b.post(link+"/forget", false), http.StatusOK, "You are forgotten here")
	if n := h.held(viewerOf("ana"), 3); n != 0 {
		t.Errorf("%d are still held", n)
	}
	for _, l := range h.page().Chat {
		if l.Viewer.Name == "ana" {
			t.Error("the chat still has the name")
		}
	}
	hasNot(t, b.get(link), "/forget", "You are ana")
	has(t, b.post(link+"/forget", false), http.StatusForbidden, "Only the browser")
	if _, err := h.db.ViewerOfBrowser(context.Background(), h.merchant, seal.NewToken()); !sqldb.IsNotFound(err) {
		t.Error(err)
	}
	h.types("ana", "!buy 3") // and is new
	h.until("a hold", func() bool { return h.held(chat.Viewer{Platform: chat.Twitch, ID: "id-ana"}, 3) == 1 })
}

// Everybody who reads a line to type can type it: it means just that variant.
func TestLinesToTypeAreUnderstood(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	lines := regexp.MustCompile(`<code id="say-\d">([^<]+)</code>`).FindAllStringSubmatch(b.get(h.web.URL+"/live/spring?item=5&n=2").body, -1)
	if len(lines) != 3 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, l := range lines {
		h.types("typist", l[1])
		h.until(l[1], func() bool {
			p := h.page()
			for _, x := range p.Open {
				if x.Viewer.Name == "typist" && x.Variant == p.Items[2].Stock[i].Variant.ID && x.Quantity == 2 {
					return true
				}
			}
			for _, x := range p.Waiting {
				if x.Viewer.Name == "typist" && x.Variant == p.Items[2].Stock[i].Variant.ID && x.Quantity == 2 {
					return true
				}
			}
			return false
		})
	}
}

// A hold that ends soon says so, in words besides the clock.
func TestEndsSoon(t *testing.T) {
	h := newHouse(t, func(_ *sqldb.Merchant, s *commerce.Show) { s.Hold = time.Minute })
	b := h.browser()
	has(t, b.get(h.claims("ana", "!buy 3")), http.StatusOK, "Ends soon. Pay now, or it goes to the next in line.", "h-countdown")
	room := h.web.URL + "/live/spring"
	b.get(room)
	has(t, b.post(room+"/act", true, "key", seal.NewToken().Reveal(), "pick", h.pick("5", "L")), http.StatusOK, "Ends soon.")
}
