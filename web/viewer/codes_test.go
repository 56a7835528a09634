package viewer_test

import (
	"strings"
	"testing"
	"time"

	"hawker/internal/sqldb/rulebook"
)

// A discount code is for the eyes of who it was made for: the page of a receipt, whose address may stand in a chat, shows it in a
// bound browser alone.
func TestCodes(t *testing.T) {
	h := newHouse(t)
	ana := h.claims("ana", "!buy 3")
	d := rulebook.Discount{Rule: 7, Person: "twitch:id-ana", Code: "FIRST-A<B>C", Show: h.show, Made: time.Now(), Ends: time.Now().Add(72 * time.Hour)}
	_, _, err := h.db.Rulebook().TakeDiscount(t.Context(), h.merchant, d)
	h.must(err)
	h.must(h.db.Rulebook().EndDiscount(t.Context(), h.merchant, d, ""))
	stranger, own := h.browser(), h.browser()
	if strings.Contains(stranger.get(ana).body, "FIRST") || strings.Contains(own.get(ana).body, "FIRST") {
		t.Error("a browser that is bound to nobody sees the code")
	}
	own.bind(ana, "ana")
	for _, page := range []string{ana, h.web.URL + "/live/spring"} {
		if body := own.get(page).body; !strings.Contains(body, "<code>FIRST-A&lt;B&gt;C</code>") || !strings.Contains(body, "good until ") {
			t.Errorf("%s does not show ana the code", page)
		}
	}
	if strings.Contains(stranger.get(ana).body, "FIRST") {
		t.Error("a stranger sees the code")
	}
	bob := h.claims("bob", "!buy 3")
	other := h.browser()
	other.bind(bob, "bob")
	if strings.Contains(other.get(ana).body+other.get(h.web.URL+"/live/spring").body, "FIRST") {
		t.Error("bob sees ana's code")
	}
}
