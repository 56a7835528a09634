package wording

import (
	"slices"
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
	alone            int // code points of what it is told by, without people
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
	kinds    []kind
}

// kind is the group in which a happening is told. There are few, so that looking through all is cheaper than a map.
type kind struct {
	happening
	group int
}

func (t *Teller) joint(outcomes []*commerce.Outcome, link string) *joint {
	return &joint{t: t, outcomes: outcomes, link: link, now: time.Now(), names: make([]string, min(len(outcomes), joinMost)), of: make([]int, 0, min(len(outcomes), lineMost))}
}

// group is the group of an outcome. Outcomes are looked at in their order.
func (j *joint) group(i int) int {
	for len(j.of) <= i {
		o := j.outcomes[len(j.of)]
		h := j.t.happened(o, j.now)
		k := slices.IndexFunc(j.kinds, func(k kind) bool { return k.number == h.number && k.happening == h })
		if k < 0 {
			k = len(j.kinds)
			j.kinds = append(j.kinds, kind{h, j.told(o, &h)})
		}
		j.of = append(j.of, j.kinds[k].group)
	}
	return j.of[i]
}

// told is the group of a happening that is new: one that sounds the same, if there is one.
func (j *joint) told(o *commerce.Outcome, h *happening) int {
	g := group{form: h.form, what: strconv.Itoa(h.number) + " " + what(o, 1, Short), pays: h.pays}
	if h.left != timeless {
		g.time = j.t.Lang.Span(h.left)
	}
	at := slices.IndexFunc(j.groups, func(x group) bool { return x.what == g.what && x.form == g.form && x.time == g.time })
	if at < 0 {
		at = len(j.groups)
		g.alone = utf8.RuneCountInString(lang.Fill(g.form, "what", g.what, "time", g.time, "list", ""))
		j.groups = append(j.groups, g)
	}
	return at
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

// lineMost is about how many people a line of a platform names.
const lineMost = 32

// joinMost bounds how many people one line may name; no platform's line has room for more.
const joinMost = 200

// fit is how many outcomes, from the first, have room in a line of maxRunes code points that names all their people; at least one.
func (j *joint) fit(maxRunes int) int {
	size, pays := 0, false
	told := make([]bool, 0, 64) // groups
	for i := range j.outcomes {
		at := j.group(i)
		g := &j.groups[at]
		if told = append(told, make([]bool, len(j.groups)-len(told))...); !told[at] {
			told[at] = true
			size += g.alone + min(i, 1) // a blank between two
		} else {
			size += len(", ")
		}
		size += utf8.RuneCountInString(j.name(i))
		if g.pays && !pays && j.link != "" {
			pays = true
			size += utf8.RuneCountInString(lang.Fill(j.t.Lang.JoinMore, "link", j.link))
		}
		if size > maxRunes {
			return max(i, 1)
		}
	}
	return len(j.outcomes)
}

// JoinedIn is one line of outcomes that wait in a channel, and how many of them, from the first, it covers. It names as many people
// as maxRunes code points (0 for any number) have room for and is never cut inside a name.
func (t *Teller) JoinedIn(outcomes []*commerce.Outcome, link string, maxRunes int) (text string, covered int) {
	most := min(len(outcomes), joinMost)
	j := t.joint(outcomes[:most], link)
	if maxRunes <= 0 {
		return j.line(most, most), most
	}
	covered = j.fit(maxRunes)
	return j.line(covered, covered), covered
}
