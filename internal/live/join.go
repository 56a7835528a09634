package live

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
)

// joinMost bounds how many people one line may name; no platform's line has room for more.
const joinMost = 200

// join makes one line of outcomes that wait in a channel, and says how many of them, from the first, it covers. It names as
// many people as the platform's line has room for and is never cut inside a name. It carries the show's page, never a
// personal link.
func (m *Merchant) join(c chat.Channel, outcomes []*commerce.Outcome, maxRunes int) (Words, int) {
	link := m.room(outcomes[0].Show, c)
	covered, text := 1, m.joined(outcomes[:1], link)
	for n := 2; n <= min(len(outcomes), joinMost); n++ {
		next := m.joined(outcomes[:n], link)
		if maxRunes > 0 && utf8.RuneCountInString(next) > maxRunes {
			break
		}
		covered, text = n, next
	}
	return Words{Text: text, Link: link}, covered
}

// group are people to whom the same happened.
type group struct {
	form, what, time string
	people           []string
}

// joined is the line for outcomes: one part for each thing that happened, in the order in which it first did.
func (m *Merchant) joined(outcomes []*commerce.Outcome, link string) string {
	l := m.lang
	var groups []*group
	pays := false
	for _, o := range outcomes {
		g := group{what: strconv.Itoa(o.Number) + " " + what(o, 1, titleShort)}
		who := m.lang.NameOr(o.Viewer.Name)
		switch {
		case o.What == commerce.Promoted, o.Reason == commerce.Held, o.Reason == commerce.PartlyHeld, o.Reason == commerce.Changed:
			g.form, g.time, pays = l.JoinHeld, l.Span(heldFor(o.Due, time.Now())), true
			if o.What == commerce.Promoted {
				g.form = l.JoinPromoted
			}
			if o.Holding > 1 {
				who += " x" + strconv.Itoa(o.Holding)
			}
			if o.Waiting > 0 {
				who += " (+" + strconv.Itoa(o.Waiting) + ")"
			}
		case o.Reason == commerce.Waitlisted:
			g.form = l.JoinWaiting
			who += " (" + strconv.Itoa(o.Place) + ")"
		case o.Reason == commerce.Capped:
			g.form = l.JoinCapped
		case o.Reason == commerce.Passed:
			g.form = l.JoinPassed
		default:
			g.form = l.JoinSoldOut
		}
		at := -1
		for i, x := range groups {
			if x.form == g.form && x.what == g.what && x.time == g.time {
				at = i
			}
		}
		if at < 0 {
			groups = append(groups, &g)
			at = len(groups) - 1
		}
		groups[at].people = append(groups[at].people, who)
	}
	parts := make([]string, len(groups))
	for i, g := range groups {
		parts[i] = lang.Fill(g.form, "what", g.what, "time", g.time, "list", strings.Join(g.people, ", "))
	}
	text := strings.Join(parts, " ")
	if pays && link != "" {
		text += lang.Fill(l.JoinMore, "link", link)
	}
	return text
}
