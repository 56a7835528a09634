package live

import (
	"context"
	"fmt"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/speaker"
	"hawker/internal/live/timing"
	"hawker/internal/sqldb"
	"hawker/rules"
)

// readBook compiles a merchant's rules; a merchant without any has the defaults.
func (m *Merchant) readBook(ctx context.Context) (*rules.Book, error) {
	all, err := m.hub.DB.Rules(ctx, m.ID)
	if err != nil {
		return nil, fmt.Errorf("rules of merchant %s: %w", m.about.Slug, err)
	}
	if len(all) == 0 {
		all = rules.DefaultRules(m.voice.Lang.Bought)
	}
	b, err := rules.NewBook(all)
	if err != nil {
		return nil, fmt.Errorf("rules of merchant %s: %w", m.about.Slug, err)
	}
	return b, nil
}

// ReloadRules puts a merchant's rules as they are stored now into force, between two batches: no chat is left for it.
func (h *Hub) ReloadRules(ctx context.Context, merchant commerce.ID) error {
	m := h.Merchant(merchant)
	if m == nil {
		return ErrNotHere
	}
	b, err := m.readBook(ctx)
	if err != nil {
		return err
	}
	return m.look(ctx, func() { m.book = b })
}

// zone is the merchant's time zone; UTC when the system does not know it.
func zone(info sqldb.Merchant) *time.Location {
	if z, err := time.LoadLocation(info.Timezone); err == nil {
		return z
	}
	return time.UTC
}

// effects are what the outcomes of a turn cause in the world: answers, and what the merchant's rules want.
func (m *Merchant) effects(t *turn, outs []commerce.Outcome) []planned {
	var out []planned
	for i := range outs {
		o := &outs[i]
		if p, ok := m.answerTo(t, o); ok {
			out = append(out, p)
		}
		if e, ok := eventOf(o); ok && !o.Repeat {
			out = append(out, m.ruled(t, e, o)...)
		}
	}
	return out
}

// tellState is how often a chat is told that sales are paused or over, however many claim.
const tellState = 30 * time.Second

// stateTold is a state of the show that a chat was told.
type stateTold struct {
	channel chat.Channel
	reason  commerce.Reason
}

// answerTo is the answer to a line, or the news for somebody who was promoted.
func (m *Merchant) answerTo(t *turn, o *commerce.Outcome) (planned, bool) {
	switch o.What {
	case commerce.Claimed:
	case commerce.Promoted:
		if o.Answer.Channel.ID == "" || o.Answer.Kind == chat.ToRequest { // who got in line on a page need not have it open any more
			o.Answer = m.reach(o.Show, o.Viewer)
		}
	case commerce.Reminded, commerce.Extended:
		if o.Reason == commerce.Offered { // it takes nothing from its owner when it ends
			return planned{}, false
		}
		o.Answer = m.reach(o.Show, o.Viewer) // a way that was private has ended by now
	default:
		return planned{}, false
	}
	if o.Answer.Channel.ID == "" || o.Answer.Kind == chat.ToRequest {
		return planned{}, false
	}
	if o.Repeat && !o.Answer.Private() { // it was answered when it first came
		return planned{}, false
	}
	switch o.Reason {
	case commerce.Duplicate, commerce.Chat, commerce.Question, commerce.Blocked, commerce.Limited, commerce.TooOld:
		if !o.Answer.Private() {
			return planned{}, false
		}
	}
	if (o.Reason == commerce.Paused || o.Reason == commerce.Ended) && !o.Answer.Private() { // what holds for all is told to all, once in a while
		k := stateTold{o.Answer.Channel, o.Reason}
		if t.now.Sub(m.stated[k]) < tellState {
			return planned{}, false
		}
		m.stated[k] = t.now
	}
	p := planned{
		id: m.ids.Next(t.now), kind: effectSay, show: o.Show, notAfter: t.now.Add(answerFor), timing: &m.answering,
		speech: Speech{To: o.Answer, Rank: speaker.RankOf(o), Outcome: o, Generation: m.generation(o.Receipt)},
	}
	if h := t.lines[o.Key]; h != nil {
		p.from = h.msg.Received
	}
	// What was promised is said even after a crash; a refusal that nobody heard costs nobody anything.
	p.stored = o.What == commerce.Promoted || o.Hold != 0 || o.Place != 0
	if o.Repeat {
		p.stored = false
	} else {
		p.tells = tells(o)
	}
	if o.What == commerce.Reminded && o.Due.Before(p.notAfter) {
		p.notAfter = o.Due
	}
	if p.speech.To.Token != "" {
		token, id := p.speech.To.Token, p.id
		p.private = func() []byte { return m.hub.Key.Seal([]byte(token), m.tokenContext(id)) }
	}
	return p, true
}

// tells is the hold that an outcome tells its owner of for the first time, 0 when it tells of none.
func tells(o *commerce.Outcome) commerce.ID {
	if o.What == commerce.Reminded {
		return 0
	}
	return o.Hold
}

// reach is where a viewer is told what nobody asked for: the channel of the viewer's last command, else the show's channel on
// that platform. The zero Answer when there is none: who is in the room alone sees it there.
func (m *Merchant) reach(show commerce.ID, v chat.Viewer) chat.Answer {
	if c, ok := m.memoryOf(show).Where(v); ok {
		return chat.Answer{Kind: chat.ToChannel, Channel: c}
	}
	if s := m.desk.Show(show); s != nil {
		for _, c := range s.Channels {
			if c.Platform == v.Platform {
				return chat.Answer{Kind: chat.ToChannel, Channel: c}
			}
		}
	}
	return chat.Answer{}
}

// generation is the generation of a receipt's address.
func (m *Merchant) generation(receipt commerce.ID) int {
	return m.desk.Generation(receipt)
}

// eventOf is the event that an outcome is for rules.
func eventOf(o *commerce.Outcome) (rules.Event, bool) {
	switch o.What {
	case commerce.Settled, commerce.Late:
		return rules.OrderPaid, true
	case commerce.Promoted:
		return rules.Promoted, true
	case commerce.Expired:
		return rules.HoldExpired, o.Reason != commerce.Offered // nothing was set aside, so nothing came free
	case commerce.Aired:
		return rules.ItemOnAir, o.Number != 0
	case commerce.Begun:
		return rules.ShowStarted, true
	case commerce.Over:
		return rules.ShowEnded, true
	case commerce.Claimed:
		switch o.Reason {
		case commerce.Held, commerce.PartlyHeld:
			return rules.HoldMade, true
		case commerce.SoldOut:
			return rules.SoldOut, true
		}
	}
	return "", false
}

// ruled is what the merchant's rules want done about an outcome.
func (m *Merchant) ruled(t *turn, e rules.Event, o *commerce.Outcome) []planned {
	s := m.desk.Show(o.Show)
	if s == nil {
		return nil
	}
	f := &rules.Facts{
		User: m.voice.Lang.NameOr(o.Viewer.Name), Platform: string(o.Viewer.Platform), Show: s.Title, Number: o.Number, Item: o.Title, Variant: o.Label, Quantity: o.Wanted,
		Left: o.Left, Place: o.Place, Price: o.Price, Total: o.Total, Order: o.Order,
	}
	var out []planned
	for _, x := range m.book.Decide(e, f) {
		var timing *timing.Timing
		var from time.Time
		if x.ShoutOut {
			id := m.ids.Next(t.now)
			out = append(out, planned{
				id: id, kind: effectShout, stored: true, show: s.ID, notAfter: t.now.Add(shoutFor),
				shout: &Shout{ID: id, Text: x.Text, Who: f.User, Title: o.Title, Image: image(s, o.Number), Show: s.ID},
			})
			if from = t.paidAt(o); !from.IsZero() {
				timing = &m.paying
			}
		}
		for _, c := range s.Channels {
			p := planned{
				id: m.ids.Next(t.now), kind: effectSay, stored: true, show: s.ID, notAfter: t.now.Add(shoutFor), from: from, timing: timing,
				speech: Speech{To: chat.Answer{Kind: chat.ToChannel, Channel: c}, Rank: speaker.RankReminder, Text: x.Text},
			}
			out = append(out, p)
		}
	}
	return out
}

func image(s *commerce.Show, number int) string {
	if it := s.Lineup.Item(number); it != nil {
		return it.Product.Image
	}
	return ""
}

// paidAt is when the webhook came that an outcome settles; zero when it was no webhook.
func (t *turn) paidAt(o *commerce.Outcome) time.Time {
	for _, a := range t.asks {
		if p, ok := a.req.(commerce.Paid); ok && a.call != nil && p.Order.Name == o.Order {
			return a.call.paid
		}
	}
	return time.Time{}
}
