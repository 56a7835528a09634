// Package lang is the catalogue of everything viewers read: answers in chats, reasons, and names on their way out. One
// Words holds one language; all languages say the same things.
package lang

import (
	"strings"
	"time"

	"hawker/commerce"
)

// Words are the sentences of one language. In braces stand what is filled in: {user} {n} {what} {item} {qty} {time}
// {until} {waiting} {place} {cap} {choices} {choice} {link} {price} {left} {list} {reason} {total} {order}.
type Words struct {
	// Answers to a claim. Those in Once are for shows whose holds are paid together after their end.
	Held, Partly, PartlyCapped, Waitlisted, Capped, SoldOut, NeedsVariant, NeedsItem, UnknownItem, Closed string
	Paused, Ended, Passed, PassedOne, Changed, NothingHeld, Promoted, Unclear                             string
	Offered, HeldOnce, PartlyOnce, PartlyCappedOnce, PromotedOnce, Reminder, Extended                     string
	Halted, Failed                                                                                        string
	// Pay, Choose and Details lead somewhere and stand behind an answer: Choose behind an example, whose sentence it ends.
	Pay, Choose, Details string
	// Parts of a line for many.
	JoinHeld, JoinPromoted, JoinWaiting, JoinSoldOut, JoinCapped, JoinPassed, JoinMore string
	JoinHeldOnce, JoinPromotedOnce, JoinOffered, JoinReminder                          string
	// Answers to questions.
	Cart, CartEmpty, Me, MeHold, MeFrozen, MeOnce, MeOffered, MePlace, MePaid, Shop, ShopEmpty, ItemLine, Why, WhyNothing, Order, OrderNone string
	Connect, ConnectUnknown, Forget, ForgetNothing, Help, InStock, LeftNumber, AllHeld                                                      string
	// AllThere is for who asks all the time.
	AllThere string
	// What a button says that leads to a viewer's receipt, to the show's page, or to where something is to be chosen.
	ToReceipt, ToShow, ToChoice string
	// Shout-out when an order is paid, unless the merchant's rules say it otherwise.
	Bought string
	// Said in public where a discount code cannot be handed over in private.
	CodeWaits string
	// Said by !why of a line that a rule acted on, beside its reason where it has one.
	WhyRule string
	// Texts of the rules that a merchant begins with, and of the templates for more.
	RuleLow, RuleRaid, RuleDiscount, RuleRaidCode, RuleShop, RuleSpam string
	// Feed of the dashboard, for what is no answer to a line.
	// Times. Day is how a date is written, as time.Layout.
	Minutes, Hours, Days, Day string
	// Somebody stands where a name cannot be shown.
	Somebody string
	// Shows says which names may be shown at all; nil shows every name.
	Shows func(name string) bool
	// Reasons say why, in a sentence.
	Reasons map[commerce.Reason]string
}

// For is the words of a language, by its BCP 47 tag; English where we have none of it.
func For(tag string) *Words {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch base {
	case "de":
		return german()
	case "es":
		return spanish()
	case "fr":
		return french()
	}
	return english()
}

// Languages are the tags of the languages there are.
func Languages() []string { return []string{"en", "de", "es", "fr"} }

// Fill puts values into a sentence: Fill("#{n} held", "n", "3") is "#3 held". A value is never filled again, so a viewer
// called "{link}" stays that.
func Fill(sentence string, pairs ...string) string {
	if !strings.Contains(sentence, "{") {
		return sentence
	}
	room := len(sentence)
	for k := 1; k < len(pairs); k += 2 {
		room += len(pairs[k])
	}
	var b strings.Builder
	b.Grow(room)
	for {
		i := strings.IndexByte(sentence, '{')
		j := -1
		if i >= 0 {
			j = strings.IndexByte(sentence[i:], '}')
		}
		if j < 0 {
			b.WriteString(sentence)
			return b.String()
		}
		b.WriteString(sentence[:i])
		name := sentence[i+1 : i+j]
		found := false
		for k := 0; k+1 < len(pairs); k += 2 {
			if pairs[k] == name {
				b.WriteString(pairs[k+1])
				found = true
				break
			}
		}
		if !found {
			b.WriteString(sentence[i : i+j+1])
		}
		sentence = sentence[i+j+1:]
	}
}

// dayAfter is from when on a time of day alone does not say which day's it is.
const dayAfter = 12 * time.Hour

// Until is a time to come as it reads on a clock in its zone, with the date where the time of day alone would be taken for
// today's.
func (w *Words) Until(at, now time.Time) string {
	if at.Sub(now) > dayAfter && at.YearDay() != now.In(at.Location()).YearDay() {
		return at.Format(w.Day + " 15:04 MST")
	}
	return at.Format("15:04 MST")
}

// Span is a length of time in words, rounded up to whole minutes, from two hours on to hours, from two days on to days.
func (w *Words) Span(d time.Duration) string {
	n, s := (d+time.Minute-1)/time.Minute, w.Minutes
	switch {
	case d >= 48*time.Hour:
		n, s = (d+24*time.Hour-1)/(24*time.Hour), w.Days
	case d >= 2*time.Hour:
		n, s = (d+time.Hour-1)/time.Hour, w.Hours
	}
	return Fill(s, "n", itoa(int64(max(n, 0))))
}
