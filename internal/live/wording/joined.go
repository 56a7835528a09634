package wording

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/lang"
)

// group are people to whom the same happened.
type group struct {
	form, what, time string
	people           []string
	more             int // who are counted only
}

// Joined is the line for outcomes: one part for each thing that happened, in the order in which it first did.
func (t *Teller) Joined(outcomes []*commerce.Outcome, link string) string {
	return t.joined(outcomes, len(outcomes), link)
}

// joined names the first of them, and counts the others.
func (t *Teller) joined(outcomes []*commerce.Outcome, named int, link string) string {
	l := t.Lang
	var groups []*group
	known := map[[3]string]int{}
	pays := named < len(outcomes) // who is not named needs the page
	for i, o := range outcomes {
		g := group{what: strconv.Itoa(o.Number) + " " + what(o, 1, Short)}
		who := ""
		if i < named {
			who = l.NameOr(o.Viewer.Name)
		}
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
		at, ok := known[[3]string{g.form, g.what, g.time}]
		if !ok {
			at = len(groups)
			groups, known[[3]string{g.form, g.what, g.time}] = append(groups, &g), at
		}
		if i < named {
			groups[at].people = append(groups[at].people, who)
		} else {
			groups[at].more++
		}
	}
	parts := make([]string, len(groups))
	for i, g := range groups {
		if g.more > 0 {
			g.people = append(g.people, "+"+strconv.Itoa(g.more))
		}
		parts[i] = lang.Fill(g.form, "what", g.what, "time", g.time, "list", strings.Join(g.people, ", "))
	}
	text := strings.Join(parts, " ")
	if pays && link != "" {
		text += lang.Fill(l.JoinMore, "link", link)
	}
	return text
}

// joinMost bounds how many people one line may name; no platform's line has room for more.
const joinMost = 200

// roomEach is about how many code points a name takes in a line.
const roomEach = 14

// JoinedIn is one line of outcomes that wait in a channel, and how many of them, from the first, it covers. It names as many people
// as maxRunes code points (0 for any number) have room for and is never cut inside a name.
func (t *Teller) JoinedIn(outcomes []*commerce.Outcome, link string, maxRunes int) (text string, covered int) {
	most := min(len(outcomes), joinMost)
	covered, text = 1, t.Joined(outcomes[:1], link)
	one := utf8.RuneCountInString(text)
	if maxRunes <= 0 {
		return t.Joined(outcomes[:most], link), most
	}
	// People take about the same room each, so the right number is guessed and then found in a few steps: to put every number into
	// words would cost more than to decide what they are about.
	n := min(most, 1+max(0, maxRunes-one)/roomEach)
	over := most + 1 // known to be too many
	for covered+1 < over && n > covered {
		next := t.Joined(outcomes[:n], link)
		size := utf8.RuneCountInString(next)
		if size > maxRunes {
			over = n
			n = max(covered+1, min(n-1, 1+(n-1)*max(0, maxRunes-one)/max(1, size-one)))
			continue
		}
		covered, text = n, next
		n = min(over-1, covered+max(1, (maxRunes-size)*covered/max(1, size)))
	}
	return text, covered
}
