package desk

import (
	"fmt"
	"strconv"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
)

// feed puts the newest lines into words. Each has a key that stays, so that the page moves lines instead of writing them
// anew; lines of one moment are told apart by their order.
func (p *showPage) feed(s *live.ShowPage, place *time.Location) {
	open := map[commerce.ID]bool{}
	for i := range s.Open {
		open[s.Open[i].ID] = true
	}
	for i := range s.Offers {
		open[s.Offers[i].ID] = true
	}
	for i := range min(len(s.Feed), feedShown) {
		p.Feed = append(p.Feed, feedOf(&s.Feed[i], open, place))
	}
	before := map[string]int{}
	for i := len(p.Feed) - 1; i >= 0; i-- {
		key := p.Feed[i].Key
		before[key]++
		p.Feed[i].Key = fmt.Sprintf("%s-%d", key, before[key])
	}
}

func feedOf(l *live.FeedLine, open map[commerce.ID]bool, place *time.Location) feedRow {
	row := feedRow{
		At: clock(l.At, place), ISO: l.At.UTC().Format(time.RFC3339), Platform: l.Viewer.Platform.Title(), Who: nameOf(l.Viewer), Text: l.Text, Number: l.Number,
		Quantity: l.Quantity, What: what(l.Title, l.Label), Key: fmt.Sprintf("%d-%s-%s", l.At.UnixMilli(), l.Viewer.Platform, l.Hold),
	}
	row.State, row.Word = wordsOf(l.What, l.Reason)
	if l.Place > 0 && l.Reason == commerce.Waitlisted {
		row.Word += ", place " + strconv.Itoa(l.Place)
	}
	if l.Order != "" { // what an order is about is more than one item can say
		row.What = what("order "+l.Order, row.What)
		if l.Viewer.ID == "" {
			row.Who, row.Platform = "Somebody", "Store"
		}
	}
	if open[l.Hold] {
		row.Hold = l.Hold
	}
	return row
}

// wordsOf is the state and the word for what became of a line.
func wordsOf(w commerce.What, why commerce.Reason) (state, word string) {
	switch w {
	case commerce.Promoted:
		if why == commerce.Offered {
			return "waiting", "offered, was in line"
		}
		return "held", "held, was in line"
	case commerce.Extended:
		return "held", "held once more: not told before"
	case commerce.Expired:
		return "gone", "time is up"
	case commerce.Released:
		return "gone", "released"
	case commerce.Settled:
		return "paid", "paid"
	case commerce.Late:
		return "paid", "paid late, was there"
	case commerce.Unfilled:
		return "trouble", "paid, not there: act"
	case commerce.Undone:
		return "gone", "order undone"
	case commerce.Edited:
		return "paid", "order changed"
	}
	switch why {
	case commerce.Held:
		return "held", "held"
	case commerce.PartlyHeld:
		return "held", "partly held"
	case commerce.Changed:
		return "held", "changed"
	case commerce.Offered:
		return "waiting", "offered, not held"
	case commerce.Waitlisted:
		return "waiting", "in line"
	case commerce.NeedsVariant:
		return "waiting", "which one?"
	case commerce.NeedsItem:
		return "waiting", "which item?"
	case commerce.Blocked:
		return "trouble", "blocked"
	case commerce.Limited:
		return "trouble", "too many lines"
	}
	return "gone", map[commerce.Reason]string{
		commerce.Capped: "at the cap", commerce.SoldOut: "sold out", commerce.NotOnSale: "not on sale", commerce.Paused: "paused", commerce.Ended: "show is over",
		commerce.UnknownItem: "no such item", commerce.Duplicate: "said twice", commerce.TooOld: "came too late", commerce.Passed: "given back",
		commerce.NothingHeld: "nothing held", commerce.Info: "asked", commerce.HostOnly: "for the host only", commerce.Question: "a question",
		commerce.Chat: "chat", commerce.Entered: "entered",
	}[why]
}
