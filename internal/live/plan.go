package live

import (
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/speaker"
)

// effects adds what outcomes of a turn cause in the world: answers, and what the merchant's rules want.
func (m *Merchant) effects(t *turn, outs []commerce.Outcome) {
	for i := range outs {
		o := &outs[i]
		if p, ok := m.answerTo(t, o); ok {
			t.effects = append(t.effects, p)
		}
		if !o.Repeat {
			t.effects = m.ruled(t, o, t.effects)
		}
	}
	t.effects = m.moved(t, outs, t.effects)
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
		was := m.stated[k]
		t.undo = append(t.undo, func() { m.stated[k] = was })
		m.stated[k] = t.now
	}
	p := planned{
		id: m.ids.Next(t.now), kind: effectSay, show: o.Show, notAfter: t.now.Add(answerFor), timing: &m.answering,
		speech: Speech{To: o.Answer, Rank: speaker.RankOf(o), Outcome: o, Generation: m.desk.Generation(o.Receipt)},
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
	m.seals(&p, p.speech.To)
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

// paid is what the store said of an order in a turn, and when its webhook came.
func (t *turn) paid(name string) (state commerce.OrderState, came time.Time) {
	for _, a := range t.asks {
		if p, ok := a.req.(commerce.Paid); ok && a.call != nil && p.Order.Name == name {
			return p.Order.State, a.call.paid
		}
	}
	return state, came
}
