package live

import (
	"cmp"
	"slices"
	"time"

	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live/crew"
	"hawker/internal/live/signal"
	"hawker/internal/live/speaker"
	"hawker/rules/rule"
)

// laterMost bounds how much waits for its time. What comes then is given up and counted.
const laterMost = 10_000

// enact does what a rule wants, or keeps it until its time. It waits for nothing.
func (m *Merchant) enact(p planned) {
	w, now := p.want, time.Now()
	if w.At.After(now) || m.desk == nil {
		if len(m.later) >= laterMost {
			m.unsaid.Add(1)
			m.done(p)
			return
		}
		i, _ := slices.BinarySearchFunc(m.later, w.At, func(x planned, at time.Time) int { return cmp.Or(x.want.At.Compare(at), -1) }) // behind its equals
		m.later = slices.Insert(m.later, i, p)
		if w.Do == rule.ShoutOut { // the host may stop it
			m.changed[w.Show] = true
		}
		return
	}
	if w.Asks() {
		m.asks(p, now)
		return
	}
	switch w.Do {
	case rule.Reply, rule.Say, rule.ShoutOut:
		for _, s := range m.spoken(now, w, false, nil) {
			m.perform(s)
		}
	case rule.Card:
		m.hub.signal(m.ID, Signal{Kind: signal.Carded, Show: w.Show, Card: &Card{ID: p.id, Text: w.Text, Picture: w.Picture, Sound: w.Sound, For: w.For}})
	case rule.Hot:
		m.rules.SetHot(w.Show, w.On, w.For, now)
		m.changed[w.Show] = true
	default:
		m.crew.Do(m.jobOf(p))
		return
	}
	m.done(p)
}

// jobOf is what a rule wants, for the crew.
func (m *Merchant) jobOf(p planned) crew.Job {
	w := p.want
	j := crew.Job{ID: p.id, Want: w, NotAfter: p.notAfter, Fit: func(c chat.Channel) string { return w.Fit("", m.budget(c)) }}
	if s := m.desk.Show(w.Show); s != nil {
		j.Channels = s.Channels
	}
	if w.Do == rule.DiscountCode && w.Viewer.ID != "" {
		j.Person = m.desk.Person(w.Viewer)
		link := m.room(w.Show, w.Channel)
		if r := m.desk.Cart(w.Show, w.Viewer); r != 0 && !m.budget(w.Channel).PublicOnly {
			link = m.receiptLink(r, m.desk.Generation(r), w.Channel, false)
		}
		if link != "" {
			j.Hint = "@" + m.voice.Lang.NameOr(w.Viewer.Name) + " " + lang.Fill(m.voice.Lang.CodeWaits, "link", link)
		}
	}
	return j
}

// asks has the till decide what a rule asks for, in a batch of its own. A crash asks again, and the key makes that harmless.
func (m *Merchant) asks(p planned, now time.Time) {
	r, key, err := p.want.Request(m.desk, p.id, now)
	if err != nil {
		m.crew.Fail(m.jobOf(p), err)
		return
	}
	c := &call{req: r, key: key, depth: p.want.Depth, after: func(r result) {
		if r.err != nil {
			m.log.Warn("what a rule asked for was not done", "rule", p.want.Name, "err", r.err)
		}
		m.done(p)
	}}
	select {
	case m.jobs <- job{cmd: c}:
	default:
		m.limited.Add(1)
		m.done(p)
	}
}

// tellPlain says a text of a rule that the crew could not bring across otherwise.
func (m *Merchant) tellPlain(to chat.Answer, text string, notAfter time.Time) {
	m.say(speechOf{Speech: Speech{To: to, Rank: speaker.RankReminder, Text: text}, notAfter: notAfter})
}
