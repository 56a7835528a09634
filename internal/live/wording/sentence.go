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

// Teller is a voice: a language, and a time zone for times of day. PayOnce is for shows whose holds are paid together after
// their end: no clock is told of them.
type Teller struct {
	Lang    *lang.Words
	Zone    *time.Location
	PayOnce bool
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

// Clock is when something ends as the merchant's viewers read it.
func (t *Teller) Clock(at time.Time) string { return t.Lang.Until(at.In(t.Zone), time.Now()) }

// heldFor is the time that is left of a hold, as told: a hold of five minutes is not said to last six while its answer is read.
func heldFor(due, now time.Time) time.Duration { return max(due.Sub(now)-commerce.SeeAnswer, 0) }

// Sentence is what came of a request, in a sentence, with the link where it has something to pay.
func (t *Teller) Sentence(o *commerce.Outcome, link string, limit int) string {
	l := t.Lang
	n, held := strconv.Itoa(o.Number), o.Holding-o.Offers
	pairs := []string{
		"n", n, "what", what(o, held, limit), "item", shorten(o.Title, limit), "qty", strconv.Itoa(held), "waiting", strconv.Itoa(o.Waiting),
		"place", strconv.Itoa(o.Place), "cap", strconv.Itoa(o.Cap), "time", l.Span(heldFor(o.Due, time.Now())), "until", t.Clock(o.Due), "link", link,
		"choices", choices(o.Choices, limit), "choice", strings.ReplaceAll(first(o.Choices), " / ", " "),
	}
	say := func(s string) string { return lang.Fill(s, pairs...) }
	pay, choose := "", ""
	if link != "" {
		pay, choose = say(l.Pay), say(l.Choose)
		if t.PayOnce {
			pay = say(l.Details)
		}
	}
	switch {
	case o.Offers > 0 && (o.Reason == commerce.Offered || held == 0):
		pairs[3] = what(o, o.Offers, limit)
	case o.What == commerce.Reminded, o.What == commerce.Extended, o.Reason == commerce.Offered:
		pairs[3] = what(o, max(o.Holding, o.Wanted), limit)
	case o.What == commerce.Claimed && o.Reason == commerce.PartlyHeld:
		pairs[3] = what(o, 1, limit)
	}
	if o.Reason == commerce.Changed && held == 0 && o.Offers > 0 {
		return say(l.Offered) + pay
	}
	if t.PayOnce {
		if s, ok := t.once(o, say); ok {
			return s + pay
		}
	}
	switch o.What {
	case commerce.Promoted:
		if o.Reason == commerce.Offered {
			return say(l.Offered) + pay
		}
		return say(l.Promoted) + pay
	case commerce.Reminded:
		pairs[15] = l.Span(time.Until(o.Due)) // it is seen at once or too late: nothing is taken off for reading it
		return say(l.Reminder) + pay
	case commerce.Extended:
		return say(l.Extended) + pay
	}
	switch o.Reason {
	case commerce.Offered:
		return say(l.Offered) + pay
	case commerce.Held:
		return say(l.Held) + pay
	case commerce.PartlyHeld:
		if o.Waiting > 0 {
			return say(l.Partly) + pay
		}
		return say(l.PartlyCapped) + pay
	case commerce.Waitlisted:
		pairs[3] = what(o, o.Waiting, limit)
		return say(l.Waitlisted)
	case commerce.Capped:
		return say(l.Capped)
	case commerce.SoldOut:
		return say(l.SoldOut)
	case commerce.NeedsVariant:
		return say(l.NeedsVariant) + choose
	case commerce.NeedsItem:
		return l.NeedsItem + choose
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

// once is what came of a request whose holds are paid together after the show; false for what is said alike in every show.
func (t *Teller) once(o *commerce.Outcome, say func(string) string) (string, bool) {
	l := t.Lang
	switch {
	case o.Reason == commerce.Offered:
	case o.What == commerce.Promoted:
		return say(l.PromotedOnce), true
	case o.What == commerce.Extended || o.What == commerce.Claimed && (o.Reason == commerce.Held || o.Reason == commerce.Changed):
		return say(l.HeldOnce), true
	case o.What == commerce.Claimed && o.Reason == commerce.PartlyHeld && o.Waiting > 0:
		return say(l.PartlyOnce), true
	case o.What == commerce.Claimed && o.Reason == commerce.PartlyHeld:
		return say(l.PartlyCappedOnce), true
	}
	return "", false
}

// choices lists labels to choose from: at most eight, or three where a line must be short, so that the link behind them has room.
func choices(labels []string, limit int) string {
	most, more := 8, ""
	if limit <= Short {
		most = 3
	}
	if len(labels) > most {
		labels, more = labels[:most], " …"
	}
	return strings.Join(labels, ", ") + more
}

func first(labels []string) string {
	if len(labels) == 0 {
		return ""
	}
	return labels[0]
}

// itemMark is what tells a page that something is to be chosen there.
const itemMark = "item="

// Label names the button of a link to one of our pages, which begin with public.
func Label(l *lang.Words, link, public string) string {
	_, query, _ := strings.Cut(link, "?")
	switch {
	case strings.HasPrefix(query, itemMark), strings.Contains(query, "&"+itemMark):
		return l.ToChoice
	case strings.HasPrefix(link, public+"/c/"):
		return l.ToReceipt
	}
	return l.ToShow
}

// Choosing makes a link lead to where the viewer can choose what an unclear claim meant: a variant of the item, or of all that is
// on the shelf.
func Choosing(o *commerce.Outcome, link string) string {
	if link == "" || o.Number == 0 && o.Reason == commerce.NeedsVariant || o.What != commerce.Claimed || o.Reason != commerce.NeedsVariant && o.Reason != commerce.NeedsItem {
		return link
	}
	sep := "?"
	if strings.Contains(link, "?") {
		sep = "&"
	}
	if o.Number == 0 {
		return link + sep + itemMark
	}
	return link + sep + itemMark + strconv.Itoa(o.Number)
}

// Zone is a merchant's time zone by its name; UTC when the system does not know it.
func Zone(name string) *time.Location {
	if z, err := time.LoadLocation(name); err == nil {
		return z
	}
	return time.UTC
}
