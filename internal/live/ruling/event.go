package ruling

import (
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/counted"
	"hawker/rules/book"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// OfChat is what a chat tells of its viewers, as a happening in a show; false for what is none.
func OfChat(e *chat.Event, show commerce.ID) (Happening, bool) {
	s, v := e.Support, e.Viewer
	v.ID, v.Name = chat.Clean(v.ID), chat.Clean(v.Name)
	h := Happening{
		About: About{Show: show, Channel: e.Channel, Viewer: v, Roles: e.Roles, Answer: chat.Answer{Kind: chat.ToChannel, Channel: e.Channel}, Reward: s.Reward, Redeem: s.Redemption},
		Text:  chat.Clean(s.Text), Support: facts.Support{Tier: chat.Clean(s.Tier), Months: s.Months, Count: s.Count, Title: chat.Clean(s.Title)},
	}
	if e.ID != "" {
		h.ID = string(e.Channel.Platform) + "/event/" + e.ID
	}
	switch e.Kind {
	case chat.Followed:
		h.Event = rule.Followed
	case chat.Subscribed:
		h.Event = rule.Subscribed
		if e.Channel.Platform == chat.YouTube {
			h.Event = rule.Membership
		}
	case chat.Resubscribed:
		h.Event = rule.Resubscribed
		if e.Channel.Platform == chat.YouTube {
			h.Event = rule.Membership
		}
	case chat.Gifted:
		h.Event = rule.Gifted
	case chat.Raided:
		h.Event = rule.Raided
	case chat.Redeemed:
		h.Event = rule.Redeemed
	case chat.Entered:
		h.Event = rule.Entered
	case chat.StreamUp:
		h.Event = rule.StreamUp
	case chat.StreamDown:
		h.Event = rule.StreamDown
	case chat.AdBreak:
		h.Event = rule.AdBreak
	case chat.AdBreakOver:
		h.Event = rule.AdBreakOver
	case chat.Polled:
		h.Event, h.Text, h.Support.Text = rule.PollEnded, "", h.Text
	default:
		return h, false
	}
	return h, true
}

// EventOf is what an outcome is for rules; false for what they cannot wait for. state is that of the order that it is about.
func EventOf(o *commerce.Outcome, state commerce.OrderState) (rule.Event, bool) {
	offered := o.Reason == commerce.Offered // nothing is set aside, so nothing comes free
	switch o.What {
	case commerce.Claimed:
		switch o.Reason {
		case commerce.Held, commerce.PartlyHeld:
			return rule.HoldMade, true
		case commerce.SoldOut:
			return rule.SoldOut, true
		}
	case commerce.Settled, commerce.Late:
		return rule.OrderPaid, true
	case commerce.Undone:
		if state == commerce.OrderCancelled {
			return rule.OrderCancelled, true
		}
		return rule.OrderRefunded, true
	case commerce.Promoted:
		return rule.Promoted, true
	case commerce.Reminded:
		return rule.ReminderDue, !offered
	case commerce.Expired:
		return rule.HoldExpired, !offered
	case commerce.Aired:
		return rule.ItemOnAir, o.Number != 0
	case commerce.Begun:
		return rule.ShowStarted, true
	case commerce.Over:
		return rule.ShowEnded, true
	}
	return "", false
}

// OfOutcome is an outcome as a happening; false where EventOf is.
func OfOutcome(o *commerce.Outcome, state commerce.OrderState, now time.Time) (Happening, bool) {
	e, ok := EventOf(o, state)
	if !ok {
		return Happening{}, false
	}
	h := Happening{
		About: About{Show: o.Show, Number: o.Number, Variant: o.Variant, Channel: o.Answer.Channel, Viewer: o.Viewer, Answer: o.Answer, Order: o.Order},
		Event: e, Title: o.Title, Label: o.Label, Price: o.Price, Hold: facts.Hold{Quantity: o.Wanted, Place: o.Place}, Left: o.Left, Stock: o.What == commerce.Claimed,
	}
	if o.Order != "" {
		h.Bought = facts.Order{Name: o.Order, Total: o.Total, Quantity: o.Wanted}
	}
	if !o.Due.IsZero() {
		h.Hold.Minutes = int((max(o.Due.Sub(now), 0) + time.Minute - 1) / time.Minute)
	}
	return h, true
}

// catchUp is how far back the clock is looked at after a start: what was due while nobody served is done then, and nothing twice.
const catchUp = 2 * time.Minute

// clockScope is the scope under which it is noted when a rule of the clock was last asked. Package book uses none below 1.
const clockScope book.Scope = 0

// tickEvery is how often the clock is looked at.
const tickEvery = 5 * time.Second

// NextTick is when the clock is to be looked at again; zero when no rule waits for it.
func (r *Rules) NextTick() time.Time {
	if !r.timed {
		return time.Time{}
	}
	return r.ticked.Truncate(tickEvery).Add(tickEvery)
}

// Tick decides what rules make of the time that went by, in each of the shows that is live.
func (r *Rules) Tick(now time.Time, shows []commerce.Show, undo *counted.Undo, tell func(Decided)) {
	if !r.timed || now.Before(r.NextTick()) {
		return
	}
	from := r.ticked
	r.ticked = now
	for i := range shows {
		s := &shows[i]
		if s.State != commerce.ShowLive {
			continue
		}
		for _, id := range r.Book.Due(s.Started, from, now) {
			k := book.Key{Rule: id, Scope: clockScope, Show: s.ID}
			was := r.Memory.Count(k)
			if from.Before(r.since) && was.Last.After(from) {
				continue // it was asked before the start
			}
			tell(Decided{Changes: r.Memory.Apply([]book.Change{{Key: k, Count: book.Count{N: was.N + 1, Last: now}}}, nil, undo)})
			h := Happening{About: About{Show: s.ID}, Event: r.eventOf(id), Rule: id}
			if d := r.Happened(now, &h, undo); d.Any() {
				tell(d)
			}
		}
	}
}

// eventOf is what a rule of the clock waits for.
func (r *Rules) eventOf(id commerce.ID) rule.Event {
	for _, x := range r.Book.Rules() {
		if x.ID == id {
			return x.When.Event
		}
	}
	return rule.Every
}
