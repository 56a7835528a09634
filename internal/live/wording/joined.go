package wording

import (
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/lang"
)

// group are people to whom the same happened.
type group struct {
	form, what, time string
	people           []string
}

// Joined is the line for outcomes: one part for each thing that happened, in the order in which it first did.
func (t *Teller) Joined(outcomes []*commerce.Outcome, link string) string {
	l := t.Lang
	var groups []*group
	pays := false
	for _, o := range outcomes {
		g := group{what: strconv.Itoa(o.Number) + " " + what(o, 1, Short)}
		who := l.NameOr(o.Viewer.Name)
		switch {
		case o.What == commerce.Reminded:
			g.form, g.time, pays = l.JoinReminder, l.Span(max(time.Until(o.Due), 0)), true
		case o.Reason == commerce.Offered:
			g.form, pays = l.JoinOffered, true
		case o.What == commerce.Promoted, o.What == commerce.Extended, o.Reason == commerce.Held, o.Reason == commerce.PartlyHeld, o.Reason == commerce.Changed:
			g.form, g.time, pays = l.JoinHeld, l.Span(heldFor(o.Due, time.Now())), true
			switch {
			case o.What == commerce.Promoted && t.PayOnce:
				g.form, g.time = l.JoinPromotedOnce, ""
			case o.What == commerce.Promoted:
				g.form = l.JoinPromoted
			case t.PayOnce:
				g.form, g.time = l.JoinHeldOnce, ""
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
