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

// happening is what a group is told by, before it is put into words: a crowd's outcomes are mostly of one or two.
type happening struct {
	form         string
	number       int
	title, label string
	left         time.Duration // in whole minutes, timeless where it is not told
}

const timeless = -1

// minutes is d in whole minutes, rounded up as Span does.
func minutes(d time.Duration) time.Duration {
	return (max(d, 0) + time.Minute - 1).Truncate(time.Minute)
}

// Joined is the line for outcomes: one part for each thing that happened, in the order in which it first did.
func (t *Teller) Joined(outcomes []*commerce.Outcome, link string) string {
	return t.joined(outcomes, len(outcomes), link)
}

// joined names the first of them, and counts the others.
func (t *Teller) joined(outcomes []*commerce.Outcome, named int, link string) string {
	l := t.Lang
	var groups []*group
	seen, known := map[happening]*group{}, map[[3]string]*group{}
	pays := named < len(outcomes) // who is not named needs the page
	now := time.Now()
	for i, o := range outcomes {
		h := happening{number: o.Number, title: o.Title, label: o.Label, left: timeless}
		who := ""
		if i < named {
			who = l.NameOr(o.Viewer.Name)
		}
		switch {
		case o.What == commerce.Reminded:
			h.form, h.left, pays = l.JoinReminder, minutes(o.Due.Sub(now)), true
		case o.Reason == commerce.Offered:
			h.form, pays = l.JoinOffered, true
		case o.What == commerce.Promoted, o.What == commerce.Extended, o.Reason == commerce.Held, o.Reason == commerce.PartlyHeld, o.Reason == commerce.Changed:
			h.form, h.left, pays = l.JoinHeld, minutes(heldFor(o.Due, now)), true
			switch {
			case o.What == commerce.Promoted && t.PayOnce:
				h.form, h.left = l.JoinPromotedOnce, timeless
			case o.What == commerce.Promoted:
				h.form = l.JoinPromoted
			case t.PayOnce:
				h.form, h.left = l.JoinHeldOnce, timeless
			}
			if o.Holding > 1 {
				who += " x" + strconv.Itoa(o.Holding)
			}
			if o.Waiting > 0 {
				who += " (+" + strconv.Itoa(o.Waiting) + ")"
			}
		case o.Reason == commerce.Waitlisted:
			h.form = l.JoinWaiting
			who += " (" + strconv.Itoa(o.Place) + ")"
		case o.Reason == commerce.Capped:
			h.form = l.JoinCapped
		case o.Reason == commerce.Passed:
			h.form = l.JoinPassed
		default:
			h.form = l.JoinSoldOut
		}
		g := seen[h]
		if g == nil {
			what, span := strconv.Itoa(o.Number)+" "+what(o, 1, Short), ""
			if h.left != timeless {
				span = l.Span(h.left)
			}
			if g = known[[3]string{h.form, what, span}]; g == nil {
				g = &group{form: h.form, what: what, time: span}
				groups, known[[3]string{h.form, what, span}] = append(groups, g), g
			}
			seen[h] = g
		}
		if i < named {
			g.people = append(g.people, who)
		} else {
			g.more++
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
