package live

import (
	"encoding/json"
	"errors"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/ruling"
	"hawker/internal/live/signal"
	"hawker/internal/live/speaker"
	"hawker/internal/live/speech"
	"hawker/internal/live/timing"
	"hawker/internal/seal"
	"hawker/internal/sqldb/rulebook"
)

// Kinds of stored effects.
const (
	effectSay   = "say"   // an answer or a line, Speech
	effectShout = "shout" // a shout-out on the overlay, Shout
	effectRule  = "rule"  // what a rule wants done, ruling.Want
	effectCount = "count" // what rules remember from now on, rulebook.Memory
)

// How long an answer matters. Results matter while the viewer wonders, a shout-out while the moment lasts.
const (
	answerFor = 2 * time.Minute
	shoutFor  = 5 * time.Minute
)

// Speech is a stored answer.
type Speech = speech.Speech

// planned is an effect of the batch under way.
type planned struct {
	id       commerce.ID
	kind     string
	stored   bool
	speech   Speech
	shout    *Shout
	want     *ruling.Want
	changes  *rulebook.Memory
	show     commerce.ID
	notAfter time.Time
	from     time.Time      // when came what it answers
	timing   *timing.Timing // where its time counts
	private  func() []byte
	tells    commerce.ID // the hold that its owner learns of by it; see tells
}

// row is the effect as stored.
func (p *planned) row() commerce.Effect {
	var body []byte
	var err error
	switch p.kind {
	case effectShout:
		body, err = json.Marshal(p.shout)
	case effectCount:
		body, err = json.Marshal(p.changes)
	case effectRule:
		w := *p.want
		if w.Answer.Token != "" {
			w.Sealed = p.private()
			w.Answer.Token = ""
		}
		body, err = json.Marshal(w)
	default:
		s := p.speech
		if s.To.Token != "" {
			s.Sealed = p.private()
			s.To.Token = ""
		}
		body = s.Append(make([]byte, 0, 768))
	}
	if err != nil { // our own plain types
		panic(err)
	}
	return commerce.Effect{ID: p.id, Kind: p.kind, Body: body, NotAfter: p.notAfter}
}

func (m *Merchant) tokenContext(id commerce.ID) string {
	return seal.Context("effects", "token", int64(m.ID), int64(id))
}

// revive makes a stored effect ready to be performed, after a crash or a takeover.
func (m *Merchant) revive(e commerce.Effect) planned {
	p := planned{id: e.ID, kind: e.Kind, stored: true, notAfter: e.NotAfter}
	switch e.Kind {
	case effectShout:
		p.shout = &Shout{}
		if err := json.Unmarshal(e.Body, p.shout); err != nil {
			p.notAfter = time.Unix(1, 0)
		}
	case effectCount:
		p.changes = &rulebook.Memory{}
		if err := json.Unmarshal(e.Body, p.changes); err == nil {
			m.rules.Memory.Take(*p.changes)
		}
	case effectRule:
		p.want = &ruling.Want{}
		if err := json.Unmarshal(e.Body, p.want); err != nil {
			p.notAfter = time.Unix(1, 0)
		}
		p.want.Answer.Token = m.unsealed(p.want.Sealed, e.ID)
	default:
		if err := json.Unmarshal(e.Body, &p.speech); err != nil {
			p.notAfter = time.Unix(1, 0) // what cannot be read is not said
		}
		if p.speech.Outcome != nil {
			p.tells = tells(p.speech.Outcome)
		}
		p.speech.To.Token = m.unsealed(p.speech.Sealed, e.ID)
	}
	return p
}

// unsealed is the token of a stored answer, empty when there is none that can be read.
func (m *Merchant) unsealed(sealed []byte, effect commerce.ID) string {
	if len(sealed) == 0 {
		return ""
	}
	token, err := m.hub.Key.Open(sealed, m.tokenContext(effect))
	if err != nil {
		return ""
	}
	return string(token)
}

// seals has the token of an answer sealed when the effect is stored.
func (m *Merchant) seals(p *planned, to chat.Answer) {
	if id := p.id; to.Token != "" {
		p.private = func() []byte { return m.hub.Key.Seal([]byte(to.Token), m.tokenContext(id)) }
	}
}

// telling notes which holds their owners are about to be told of.
func (m *Merchant) telling(effects []planned) {
	for i := range effects {
		if id := effects[i].tells; id != 0 {
			m.desk.Telling(id)
		}
	}
}

// perform lets an effect out, after its batch became durable.
func (m *Merchant) perform(p planned) {
	if p.stored && !m.box.Begin(p.id) {
		return
	}
	if !p.notAfter.IsZero() && time.Now().After(p.notAfter) {
		m.done(p)
		m.heardOf(p.tells, false)
		return
	}
	switch p.kind {
	case effectShout:
		m.hub.signal(m.ID, Signal{Kind: signal.Shouted, Show: p.shout.Show, Shout: p.shout})
		m.done(p)
		return
	case effectCount:
		m.crew.Saver.Add(p.id, *p.changes)
		return
	case effectRule:
		m.enact(p)
		return
	}
	m.say(speechOf{Speech: p.speech, id: p.id, stored: p.stored, tells: p.tells, notAfter: p.notAfter, from: p.from, timing: p.timing})
}

// done forgets an effect.
func (m *Merchant) done(p planned) {
	if p.stored {
		m.effectDone(p.id)
	}
}

// heardOf notes that the owner of a hold was told of it, or could not be.
func (m *Merchant) heardOf(hold commerce.ID, ok bool) {
	if m.told.Add(hold, ok) {
		m.nudge()
	}
}

// speechOf is an answer on its way to a Speaker.
type speechOf struct {
	Speech
	id       commerce.ID
	stored   bool // under id, until it is done
	tells    commerce.ID
	notAfter time.Time
	from     time.Time
	timing   *timing.Timing
	words    func(private bool) speaker.Words // instead of Outcome and Text
	shared   string                           // the text where it is the same for all who asked, and who did
	asker    string
	// notBefore is when it may be said at the earliest, zero for at once.
	notBefore time.Time
}

// say hands an answer to the Speaker of its channel. An answer to a waiting request is told by the request's outcome.
func (m *Merchant) say(s speechOf) {
	if s.To.Kind == chat.ToRequest || s.To.Channel.ID == "" {
		s.done(m, true)
		return
	}
	sp := m.speakers[s.To.Channel]
	if sp == nil {
		m.unsaid.Add(1)
		s.done(m, false)
		return
	}
	u := &speaker.Utterance{ID: s.id, Rank: s.Rank, To: s.To, NotAfter: s.notAfter, Words: s.words, Loud: s.Loud, Shared: s.shared, Asker: s.asker, NotBefore: s.notBefore}
	if s.To.Kind == chat.ToPrivate && !s.To.Until.IsZero() && time.Now().After(s.To.Until) {
		u.To = chat.Answer{Kind: chat.ToChannel, Channel: s.To.Channel} // the private way is closed
	}
	if s.Outcome != nil {
		o := s.Outcome
		u.Words = func(private bool) speaker.Words {
			sp := s.Speech
			sp.To = u.To
			return m.sayOutcome(&sp, private)
		}
		if speaker.Joins(o) {
			u.Joined = o
		}
	} else if u.Words == nil {
		text := s.Text
		u.Words, u.Merge = func(bool) speaker.Words { return speaker.Words{Text: text} }, s.Rank == speaker.RankReminder
	}
	u.Done = func(at time.Time, err error) {
		var refused *chat.Refused
		if errors.As(err, &refused) && (u.To.Kind == chat.ToPrivate && !refused.Unknown && !refused.Reconnect || u.To.Kind == chat.ToReply && refused.Code == chat.ReplyGone) {
			if words := s.words; words != nil && u.To.Kind == chat.ToReply { // a reply names nobody
				s.words = func(bool) speaker.Words { return words(false).To(s.asker) }
			}
			s.To = chat.Answer{Kind: chat.ToChannel, Channel: s.To.Channel} // the way is closed: better openly than not at all
			m.say(s)
			return
		}
		if err == nil {
			m.said.Add(1)
			if s.timing != nil && !s.from.IsZero() {
				s.timing.Add(at.Sub(s.from))
			}
		} else {
			m.unsaid.Add(1)
		}
		s.done(m, err == nil || errors.Is(err, speaker.ErrTold))
	}
	sp.Say(u)
}

// done forgets a stored answer, and notes whether it was told.
func (s *speechOf) done(m *Merchant, ok bool) {
	if s.stored {
		m.effectDone(s.id)
	}
	m.heardOf(s.tells, ok)
}
