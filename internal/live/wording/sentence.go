// Package wording puts what was decided into words, in the show's language: an answer for one, a line for many, the feed of
// the dashboard, lists of what is held and what is on sale. It is pure.
package wording

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/lang"
)

// Teller is a voice: a language, and a time zone for times of day.
type Teller struct {
	Lang *lang.Words
	Zone *time.Location
}

// Long and Short are how much of a product's title a chat line has, in code points; Short is for platforms with short lines
// and for lines of many.
const (
	Long  = 48
	Short = 20
)

// what names what is held: the item, its variant, and how many when more than one.
func what(o *commerce.Outcome, qty, limit int) string {
	s := shorten(o.Title, limit)
	if o.Label != "" {
		s += " " + o.Label
	}
	if qty > 1 {
		s += " x" + strconv.Itoa(qty)
	}
	return s
}

// shorten cuts a text to limit code points.
func shorten(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	r := []rune(s)
	return strings.TrimRight(string(r[:limit-1]), " ") + "…"
}

// Clock is a time of day as the merchant's viewers read it.
func (t *Teller) Clock(at time.Time) string { return at.In(t.Zone).Format("15:04 MST") }

// heldFor is the time that is left of a hold, as told: a hold of five minutes is not said to last six while its answer is read.
func heldFor(due, now time.Time) time.Duration { return max(due.Sub(now)-commerce.SeeAnswer, 0) }

// Sentence is what came of a request, in a sentence, with the link where it has something to pay.
func (t *Teller) Sentence(o *commerce.Outcome, link string, limit int) string {
	l := t.Lang
	n := strconv.Itoa(o.Number)
	pairs := []string{
		"n", n, "what", what(o, o.Holding, limit), "item", shorten(o.Title, limit), "qty", strconv.Itoa(o.Holding), "waiting", strconv.Itoa(o.Waiting),
		"place", strconv.Itoa(o.Place), "cap", strconv.Itoa(o.Cap), "time", l.Span(heldFor(o.Due, time.Now())), "until", t.Clock(o.Due), "link", link,
		"choices", choices(o.Choices), "choice", first(o.Choices),
	}
	say := func(s string) string { return lang.Fill(s, pairs...) }
	pay := ""
	if link != "" {
		pay = say(l.Pay)
	}
	if o.What == commerce.Promoted {
		return say(l.Promoted) + pay
	}
	switch o.Reason {
	case commerce.Held:
		return say(l.Held) + pay
	case commerce.PartlyHeld:
		if o.Waiting > 0 {
			pairs[3] = what(o, 1, limit)
			return say(l.Partly) + pay
		}
		pairs[3] = what(o, 1, limit)
		return say(l.PartlyCapped) + pay
	case commerce.Waitlisted:
		pairs[3] = what(o, o.Waiting, limit)
		return say(l.Waitlisted)
	case commerce.Capped:
		return say(l.Capped)
	case commerce.SoldOut:
		return say(l.SoldOut)
	case commerce.NeedsVariant:
		return say(l.NeedsVariant)
	case commerce.NeedsItem:
		return l.NeedsItem
	case commerce.UnknownItem:
		return l.UnknownItem
	case commerce.NotOnSale:
		return say(l.Closed)
	case commerce.Paused:
		return l.Paused
	case commerce.Ended:
		return l.Ended
	case commerce.Passed:
		if o.Number > 0 && o.Wanted <= 1 {
			return say(l.PassedOne)
		}
		return l.Passed
	case commerce.Changed:
		pairs[3] = what(o, 1, limit)
		return say(l.Changed) + pay
	case commerce.NothingHeld:
		return l.NothingHeld
	}
	return l.Unclear
}

// choices lists labels to choose from, at most eight.
func choices(labels []string) string {
	if len(labels) > 8 {
		return strings.Join(labels[:8], ", ") + " …"
	}
	return strings.Join(labels, ", ")
}

func first(labels []string) string {
	if len(labels) == 0 {
		return ""
	}
	return labels[0]
}

// Feed is an outcome for the dashboard's feed.
func (t *Teller) Feed(o *commerce.Outcome) string {
	l := t.Lang
	pairs := []string{"qty", strconv.Itoa(o.Holding), "total", o.Total.String(), "order", o.Order}
	switch o.What {
	case commerce.Promoted:
		return lang.Fill(l.FeedPromoted, pairs...)
	case commerce.Expired:
		return l.FeedExpired
	case commerce.Released:
		return l.FeedReleased
	case commerce.Settled:
		return lang.Fill(l.FeedPaid, pairs...)
	case commerce.Late:
		return lang.Fill(l.FeedLate, pairs...)
	case commerce.Unfilled:
		return lang.Fill(l.FeedUnfilled, pairs...)
	case commerce.Undone:
		return lang.Fill(l.FeedUndone, pairs...)
	}
	return l.Reasons[o.Reason]
}
