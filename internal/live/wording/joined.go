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
	pays             bool // the page has something to do for them
	people           []string
	more             int // who are counted only
}

// happening is what a group is told by, before it is put into words: a crowd's outcomes are mostly of one or two.
type happening struct {
	form         string
	number       int
	title, label string
	left         time.Duration // in whole minutes, timeless where it is not told
	pays         bool
}

const timeless = -1

// minutes is d in whole minutes, rounded up as Span does.
func minutes(d time.Duration) time.Duration {
	return (max(d, 0) + time.Minute - 1).Truncate(time.Minute)
}

// happened is what one outcome is told as.
func (t *Teller) happened(o *commerce.Outcome, now time.Time) happening {
	l := t.Lang
	h := happening{number: o.Number, title: o.Title, label: o.Label, left: timeless}
	switch {
	case o.What == commerce.Reminded:
		h.form, h.left, h.pays = l.JoinReminder, minutes(o.Due.Sub(now)), true
	case o.Reason == commerce.Offered:
		h.form, h.pays = l.JoinOffered, true
	case isHeld(o):
		h.form, h.left, h.pays = l.JoinHeld, minutes(heldFor(o.Due, now)), true
		switch {
		case o.What == commerce.Promoted && t.PayOnce:
			h.form, h.left = l.JoinPromotedOnce, timeless
		case o.What == commerce.Promoted:
			h.form = l.JoinPromoted
		case t.PayOnce:
			h.form, h.left = l.JoinHeldOnce, timeless
		}
	case o.Reason == commerce.Waitlisted:
		h.form = l.JoinWaiting
	case o.Reason == commerce.Capped:
		h.form = l.JoinCapped
	case o.Reason == commerce.Passed:
		h.form = l.JoinPassed
	default:
		h.form = l.JoinSoldOut
	}
	return h
}

func isHeld(o *commerce.Outcome) bool {
	return o.What == commerce.Promoted || o.What == commerce.Extended || o.Reason == commerce.Held || o.Reason == commerce.PartlyHeld || o.Reason == commerce.Changed
}

// named is the viewer of an outcome as a line of many names them.
func (t *Teller) named(o *commerce.Outcome) string {
	who := t.Lang.NameOr(o.Viewer.Name)
	switch {
	case o.What == commerce.Reminded, o.Reason == commerce.Offered:
	case isHeld(o):
		if o.Holding > 1 {
			who += " x" + strconv.Itoa(o.Holding)
		}
		if o.Waiting > 0 {
			who += " (+" + strconv.Itoa(o.Waiting) + ")"
		}
	case o.Reason == commerce.Waitlisted:
		who += " (" + strconv.Itoa(o.Place) + ")"
	}
	return who
}

// joint are outcomes by what happened, so that lines of any number of them, with any number of names, can be tried: to put all into
// words for each try would cost more than to decide what they are about. What no line is tried with is not put into words at all.
type joint struct {
	t        *Teller
	outcomes []*commerce.Outcome
	link     string
	now      time.Time
	groups   []group // in the order in which they first happened
	of       []int   // the group of each outcome that was looked at
	names    []string
	seen     map[happening]int
	known    map[[3]string]int
}

func (t *Teller) joint(outcomes []*commerce.Outcome, link string) *joint {
	return &joint{
		t: t, outcomes: outcomes, link: link, now: time.Now(), names: make([]string, min(len(outcomes), joinMost)), seen: map[happening]int{}, known: map[[3]string]int{},
	}
}

// group is the group of an outcome. Outcomes are looked at in their order.
func (j *joint) group(i int) int {
	for len(j.of) <= i {
		o := j.outcomes[len(j.of)]
		h := j.t.happened(o, j.now)
		at, ok := j.seen[h]
		if !ok {
			what, span := strconv.Itoa(h.number)+" "+what(o, 1, Short), ""
			if h.left != timeless {
				span = j.t.Lang.Span(h.left)
			}
			k := [3]string{h.form, what, span}
			if at, ok = j.known[k]; !ok {
				at = len(j.groups)
				j.groups, j.known[k] = append(j.groups, group{form: h.form, what: what, time: span, pays: h.pays}), at
			}
			j.seen[h] = at
		}
		j.of = append(j.of, at)
	}
	return j.of[i]
}

func (j *joint) name(i int) string {
	if i >= len(j.names) {
		return j.t.named(j.outcomes[i])
	}
	if j.names[i] == "" {
		j.names[i] = j.t.named(j.outcomes[i])
	}
	return j.names[i]
}

// line is about the first covered outcomes: it names the first of them, and counts the others.
func (j *joint) line(covered, named int) string {
	for i := range j.groups {
		j.groups[i].people, j.groups[i].more = j.groups[i].people[:0], 0
	}
	pays := named < covered // who is not named needs the page
	for i := range covered {
		g := &j.groups[j.group(i)]
		pays = pays || g.pays
		if i < named {
			g.people = append(g.people, j.name(i))
		} else {
			g.more++
		}
	}
	var parts []string
	for i := range j.groups {
		g := &j.groups[i]
		if g.more > 0 {
			g.people = append(g.people, "+"+strconv.Itoa(g.more))
		}
		if len(g.people) > 0 {
			parts = append(parts, lang.Fill(g.form, "what", g.what, "time", g.time, "list", strings.Join(g.people, ", ")))
		}
	}
	text := strings.Join(parts, " ")
	if pays && j.link != "" {
		text += lang.Fill(j.t.Lang.JoinMore, "link", j.link)
	}
	return text
}

// Joined is the line for outcomes: one part for each thing that happened, in the order in which it first did.
func (t *Teller) Joined(outcomes []*commerce.Outcome, link string) string {
	return t.joint(outcomes, link).line(len(outcomes), len(outcomes))
}

// joinMost bounds how many people one line may name; no platform's line has room for more.
const joinMost = 200

// roomEach is about how many code points a name takes in a line.
const roomEach = 14

// JoinedIn is one line of outcomes that wait in a channel, and how many of them, from the first, it covers. It names as many people
// as maxRunes code points (0 for any number) have room for and is never cut inside a name.
func (t *Teller) JoinedIn(outcomes []*commerce.Outcome, link string, maxRunes int) (text string, covered int) {
	most := min(len(outcomes), joinMost)
	j := t.joint(outcomes[:most], link)
	if maxRunes <= 0 {
		return j.line(most, most), most
	}
	covered, text = 1, j.line(1, 1)
	one := utf8.RuneCountInString(text)
	// People take about the same room each, so the right number is guessed and then found in a few steps.
	n := min(most, 1+max(0, maxRunes-one)/roomEach)
	over := most + 1 // known to be too many
	for covered+1 < over && n > covered {
		next := j.line(n, n)
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
