// Package answers puts together what viewers are told who ask: help, what is on sale, what they hold, why.
package answers

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live/codes"
	"hawker/internal/live/manners"
	"hawker/internal/live/traces"
	"hawker/internal/live/wording"
	"hawker/rules"
)

// Desk is a till as far as questions need it.
type Desk interface {
	View(show commerce.ID, now time.Time) (commerce.ShowView, bool)
	Receipt(receipt commerce.ID, now time.Time) (commerce.ReceiptView, bool)
	Person(v chat.Viewer) string
}

// House is what is asked about.
type House struct {
	Desk    Desk
	Codes   *codes.Codes
	Traces  *traces.Book
	Manners *manners.House
	Voice   *wording.Teller // of the show
	// Why is what became of the viewer's last line in the show.
	Why func(v chat.Viewer) (commerce.Reason, bool)
}

// Question is what a viewer asks.
type Question struct {
	Now     time.Time
	Viewer  chat.Viewer
	Command rules.Command
	Show    *commerce.Show // nil where no show is live and the viewer has no receipt
	Receipt commerce.ID    // of the viewer in the show, 0 for none
	Room    string         // address of the show's page, empty where links lead nowhere
	Limit   int            // code points that fit into a line, link included; 0 for no limit
}

// Text is the answer; {link} in it is filled in when it is said. Empty means silence. A list is made to fit with its link. changed
// says that the show's pages look different by it.
func (h *House) Text(q *Question) (text string, changed bool) {
	l, limit := h.Voice.Lang, q.Limit
	if q.Show != nil {
		limit -= utf8.RuneCountInString(q.Room)
	}
	switch q.Command.Name {
	case rules.Help:
		return h.Manners.Told(l.Help), false
	case rules.Connect:
		if h.Codes.Typed(strings.TrimSpace(q.Command.Arg), q.Viewer, q.Now) {
			return l.Connect, q.Show != nil
		}
		return l.ConnectUnknown, false
	}
	if q.Show == nil {
		switch q.Command.Name {
		case rules.Shop, rules.Item, rules.Why:
			return "", false // no show of ours here: silence
		case rules.Forget:
			return l.ForgetNothing, false
		}
		return l.CartEmpty, false
	}
	return h.inShow(q, limit), false
}

// Receipt is the receipt that a viewer's line is about, 0 for none. What is asked about is had in common with the viewer's other
// accounts; what is to be forgotten is this account's alone.
func Receipt(d *commerce.Desk, asks rules.Name, show commerce.ID, v chat.Viewer) commerce.ID {
	if asks == rules.Forget {
		return d.ReceiptOf(show, v)
	}
	return d.Cart(show, v)
}

func (h *House) inShow(q *Question, limit int) string {
	l, show := h.Voice.Lang, q.Show.ID
	switch q.Command.Name {
	case rules.Cart:
		if q.Receipt == 0 {
			return l.CartEmpty
		}
		return l.Cart
	case rules.Forget:
		if q.Receipt == 0 {
			return l.ForgetNothing
		}
		return l.Forget
	case rules.Me:
		if v, ok := h.Desk.Receipt(q.Receipt, q.Now); ok {
			return h.Voice.Mine(&v, q.Now, limit)
		}
		return l.CartEmpty
	case rules.Shop:
		if v, ok := h.Desk.View(show, q.Now); ok {
			return h.Voice.Shop(&v, limit)
		}
		return l.ShopEmpty
	case rules.Item:
		n := cmp.Or(q.Command.Item, q.Show.Lineup.OnAir)
		v, ok := h.Desk.View(show, q.Now)
		for i := range v.Items {
			if ok && v.Items[i].Number == n {
				return h.Voice.Item(&v.Items[i])
			}
		}
		return l.UnknownItem
	case rules.Why:
		var parts []string
		if why, ok := h.why(q); ok {
			parts = append(parts, lang.Fill(l.Why, "reason", l.Reasons[why]))
		}
		if names := h.Traces.Fired(q.Viewer, q.Now); len(names) > 0 {
			parts = append(parts, lang.Fill(l.WhyRule, "rule", strings.Join(names, ", ")))
		}
		return cmp.Or(strings.Join(parts, " "), l.WhyNothing)
	case rules.Order:
		v, _ := h.Desk.View(show, q.Now)
		for _, o := range v.Orders {
			if h.Desk.Person(o.Viewer) == h.Desk.Person(q.Viewer) && o.State == commerce.OrderPaid {
				return lang.Fill(l.Order, "order", o.Name)
			}
		}
		return l.OrderNone
	}
	return ""
}

// why is what became of a viewer's last line: as it was answered, or where that is not remembered, as the till has it. What was taken
// back since, with a line that was deleted, is told as given back.
func (h *House) why(q *Question) (commerce.Reason, bool) {
	why, known := h.Why(q.Viewer)
	if known && why != commerce.Held && why != commerce.PartlyHeld && why != commerce.Offered {
		return why, true
	}
	v, _ := h.Desk.Receipt(q.Receipt, q.Now)
	for _, x := range v.Holds { // the newest first
		if x.Viewer.Platform != q.Viewer.Platform || x.Viewer.ID != q.Viewer.ID {
			continue
		}
		switch x.State {
		case commerce.StatePassed, commerce.StateReleased:
			return commerce.Passed, true
		case commerce.StateOffered:
			return commerce.Offered, true
		case commerce.StateHeld, commerce.StatePaid:
			if !known {
				why = commerce.Held
			}
			return why, true
		}
		return why, known
	}
	if !known && len(v.Places) > 0 {
		return commerce.Waitlisted, true
	}
	return why, known
}

// Same is the answer where it is the same whoever asks, empty where it is not.
func (q *Question) Same(text string) string {
	switch q.Command.Name {
	case rules.Shop, rules.Item, rules.Help:
		return lang.Fill(text, "link", q.Room)
	}
	return ""
}
