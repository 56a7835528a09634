package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
)

// What a show lets one person have, and when it falls due: as typed, as stored, and as the form shows it again.
func TestTermsOfAShow(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	ps := h.products(m)
	c := h.as("owner")
	post := func(path string, pairs ...string) answer {
		form := []string{"title", "Spring sale", "name", "spring", "hold", "90 s", "product", ps[0].ID.String(), "number", "1", "code", "A1", "price", "", "cap", "2", "item_hold", "2 h", "first", "1"}
		return c.post(path, append(pairs, form...)...)
	}
	show := func() commerce.Show {
		all, err := h.hub.Shows(t.Context(), m)
		h.must(err)
		return all[0]
	}
	if r := post("/shows/new", "pay_once", "45", "cap_show", "4", "share", "25 %", "unpaid", "0"); r.status != http.StatusSeeOther {
		t.Fatalf("new show: %d\n%s", r.status, r.body)
	}
	s := show()
	if it := s.Lineup.Items[0]; s.Hold != 90*time.Second || s.PayOnce != 45*time.Minute || s.Cap != 4 || s.Guard != (commerce.Guard{Share: 25, Unpaid: -1}) || it.Hold != 2*time.Hour || !it.FirstPaid || it.Code != "A1" {
		t.Errorf("show = %+v", s)
	}
	at := "/shows/" + s.ID.String() + "/edit"
	form := c.get(at).body
	for _, want := range []string{`name="hold" value="90 s"`, `name="pay_once" value="45 min"`, `name="cap_show" value="4"`, `name="share" value="25"`, `name="unpaid" value="0"`, `name="item_hold" value="2 h"`, `value="1" selected`, `name="code" value="A1"`} {
		if !strings.Contains(form, want) {
			t.Errorf("the form lacks %s", want)
		}
	}
	version := regexp.MustCompile(`name="version" value="(\w+)"`).FindStringSubmatch(form)[1]
	if r := post(at, "version", version, "pay_once", "0", "cap_show", "", "share", "30", "unpaid", "3"); r.status != http.StatusSeeOther {
		t.Fatalf("saving: %d\n%s", r.status, r.body)
	}
	if s := show(); s.PayOnce != 0 || s.Cap != 0 || s.Guard != (commerce.Guard{}) {
		t.Errorf("show = %+v", s)
	}
	for _, tt := range []struct{ field, typed, want string }{
		{"pay_once", "8 days", "8 days is not within the bounds. From 1 minute to 7 days. Or 0"},
		{"pay_once", "soon", "That is no time."},
		{"cap_show", "-1", "from 1 to 9999"},
		{"cap_show", "x", "from 1 to 9999"},
		{"share", "0", "from 1 to 100"},
		{"share", "101", "from 1 to 100"},
		{"unpaid", "-1", "or 0 for never"},
		{"unpaid", "1001", "or 0 for never"},
		{"code", "12", "not digits alone"},
		{"code", "A 1", "letters and digits"},
		{"code", "é", "letters and digits"},
		{"code", "ABCDEFGHIJKLMNOPQRSTU", "at most 20"},
	} {
		r := post("/shows/new", tt.field, tt.typed)
		if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, tt.want) || !strings.Contains(r.body, `value="`+tt.typed+`"`) {
			t.Errorf("%s = %q: %d without %q", tt.field, tt.typed, r.status, tt.want)
		}
	}
}

// A form that is older than what somebody else saved overwrites nothing unasked, and loses nothing that was typed.
func TestShowChangedMeanwhile(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	ps := h.products(m)
	show := h.show(m, ps[:2], commerce.ShowLive)
	at := "/shows/" + show.String() + "/edit"
	one, two := h.as("owner"), h.as("manager")
	version := func(c *client, body string) string {
		return regexp.MustCompile(`name="version" value="(\w+)"`).FindStringSubmatch(body)[1]
	}
	save := func(c *client, version, title, cap string) answer {
		return c.post(at, "version", version, "title", title, "name", "spring", "hold", "10", "holds", "draft", "channel", twitchChannel().String(), "channel", youtubeChannel().String(),
			"product", ps[0].ID.String(), "number", "1", "price", "", "cap", cap, "product", ps[1].ID.String(), "number", "2", "price", "", "cap", "2")
	}
	before := version(one, one.get(at).body)
	// What the host does while the form is open is no change of it.
	one.post("/shows/"+show.String()+"/air", "number", "2")
	one.post("/shows/"+show.String()+"/gate", "number", "1", "closed", "1")
	if r := save(two, before, "Spring kiln opening", "5"); r.status != http.StatusSeeOther {
		t.Fatalf("saving: %d\n%s", r.status, r.body)
	}
	r := save(one, before, "Mine <b>", "2")
	for _, want := range []string{"Not saved yet: somebody else changed this show meanwhile.", "It differs from what is stored now in: title; item 1.", `value="Mine &lt;b&gt;"`} {
		if r.status != http.StatusConflict || !strings.Contains(r.body, want) {
			t.Fatalf("an old form: %d without %q\n%s", r.status, want, r.body)
		}
	}
	p := h.until(m, show, "the show", func(live.ShowPage) bool { return true })
	if p.Show.Title != "Spring kiln opening" || p.Show.Lineup.Items[0].Cap != 5 || p.Show.Lineup.OnAir != 2 || !p.Show.Lineup.Items[0].Closed {
		t.Errorf("stored is %+v", p.Show)
	}
	// Who saves again has seen it.
	if r := save(one, version(one, r.body), "Mine", "2"); r.status != http.StatusSeeOther {
		t.Errorf("saving again: %d", r.status)
	}
	p = h.until(m, show, "the show", func(live.ShowPage) bool { return true })
	if p.Show.Title != "Mine" || p.Show.Lineup.OnAir != 2 || !p.Show.Lineup.Items[0].Closed {
		t.Errorf("stored is %+v", p.Show)
	}
	// Two forms that say the same are no quarrel; one that clashes with another show keeps what was typed.
	if r := save(two, before, "Mine", "2"); r.status != http.StatusSeeOther {
		t.Errorf("the same again: %d", r.status)
	}
}

// The form of a show says what each style would have made of what was said, before it is turned on.
func TestStylesPreview(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	c := h.as("owner")
	at := "/shows/" + show.String() + "/edit"
	if r := c.get(at); strings.Count(r.body, "No line was heard yet to try it on.") != 3 {
		t.Errorf("before anybody wrote:\n%s", r.body)
	}
	for i, line := range []string{"sold 1", "hello", "mine 2 moss", "2+1"} {
		h.says(m, fmt.Sprint("p", i), "ana", line)
		h.until(m, show, "the line", func(p live.ShowPage) bool { return len(p.Chat) == i+1 })
	}
	r := c.get(at)
	for _, want := range []string{
		"Would have made 2 claims more in the last 4 lines, for example “mine 2 moss”, “sold 1”.", "Would have made 1 claim more in the last 4 lines: “2&#43;1”.", "Would have made no claim more in the last 4 lines.",
	} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the form lacks %q:\n%s", want, r.body)
		}
	}
	if r := c.get("/shows/new"); strings.Contains(r.body, "Would have made") || strings.Contains(r.body, "No line was heard") {
		t.Error("a show that is not there yet shows what lines would have made")
	}
}
