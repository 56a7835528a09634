package live

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live/crew"
	"hawker/internal/live/ruling"
	"hawker/internal/live/speaker"
	"hawker/internal/live/traces"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/facts"
	"hawker/rules/rule"
	"hawker/rules/starter"
)

// startRules reads a merchant's rules and readies what does what they want.
func (m *Merchant) startRules(ctx context.Context) error {
	m.rules = ruling.New(ruling.House{Desk: func() *commerce.Desk { return m.desk }, Name: m.voice.Lang.NameOr, Link: m.room, Item: m.voice.Item})
	m.crew.Merchant, m.crew.Book, m.crew.Log, m.crew.Done, m.crew.Tell, m.crew.Destination, m.crew.Slate = m.ID, m.hub.DB.Rulebook(), m.log, m.effectDone, m.tellPlain, m.hub.Destination, m.hub.Slate
	m.crew.Currency = m.about.Currency
	m.crew.Asked = func(show commerce.ID) { m.hub.QuestionsChanged(m.ID, show) }
	m.crew.Hooks.Dialer.AllowPrivate = m.hub.AllowPrivate
	b, version, err := m.readBook(ctx)
	if err == nil {
		m.rules.Use(b, version)
	}
	return err
}

// readBook compiles a merchant's rules; a merchant without any has the defaults. One that was stored by another version and means
// nothing here is left out: a show must not fail to start for it.
func (m *Merchant) readBook(ctx context.Context) (*book.Book, int64, error) {
	v, err := m.hub.DB.Rulebook().Rules(ctx, m.ID)
	if err != nil {
		return nil, 0, fmt.Errorf("rules of merchant %s: %w", m.about.Slug, err)
	}
	if v.Number == 0 {
		v.Rules = starter.Rules(m.about.Language)
	}
	b, faults := book.Load(v.Rules, book.Options{Zone: m.voice.Zone, Grammar: rules.Options{Language: m.about.Language}})
	for _, f := range faults {
		m.log.Warn("a rule is left out", "rule", f.Name, "err", f)
	}
	return b, v.Number, nil
}

// grammar is what lines are read by beside a lineup.
func (m *Merchant) grammar() rules.Options {
	return rules.Options{Language: m.about.Language, Names: m.manners.Names(), Aliases: m.manners.Aliases(), Custom: m.rules.Book.Commands()}
}

// tellRules hands what a chat tells of its viewers to rules. It never blocks.
func (m *Merchant) tellRules(e *chat.Event) {
	var show commerce.ID
	if st := (*m.stages.Load())[e.Channel]; st != nil {
		show = st.Show
	}
	if h, ok := ruling.OfChat(e, show); ok {
		m.happen(&h)
	}
}

// happen queues something for rules; when too much waits it is left out and counted, and false.
func (m *Merchant) happen(h *ruling.Happening) bool {
	select {
	case m.jobs <- job{happened: h}:
		return true
	default:
		m.unseen.Add(1)
		return false
	}
}

// happened decides about something that is no line.
func (m *Merchant) happened(t *turn, h *ruling.Happening) {
	m.tell(t, m.rules.Happened(t.now, h, &t.saidUndo))
}

// tell takes into a turn what rules make of lines and of what else happened.
func (m *Merchant) tell(t *turn, d ruling.Decided) {
	if !d.Any() {
		return
	}
	n := len(t.said)
	t.said = m.wants(t.now, d, t.said)
	for i := range t.said[n:] {
		if p := &t.said[n+i]; p.stored {
			t.saidRows = append(t.saidRows, p.row())
		}
	}
}

// ruleLine decides about a line by the merchant's rules.
func (m *Merchant) ruleLine(t *turn, h *heard, first bool) {
	msg := &h.msg
	if msg.Own || msg.Bot || msg.Source != "" || msg.Edited {
		return
	}
	a := ruling.About{
		Show: h.show, Number: h.onAir, Channel: msg.Channel, Viewer: msg.Viewer, Roles: msg.Roles, Answer: msg.Answer, Message: msg.ID, From: msg.Received,
	}
	d, seed := m.rules.Line(t.now, msg, h.cmd, &a, first, func() bool { return !m.old(h, t.now) && (h.show == 0 || !m.manners.Blocked(msg.Viewer)) }, &t.saidUndo)
	h.seed, h.told = seed, m.rules.Told()
	m.tell(t, d)
	m.rules.Counted(t.now, &a, &t.saidUndo, func(d ruling.Decided) { m.tell(t, d) })
}

// tick takes into a turn what the clock says to rules, and what they wanted done by now.
func (m *Merchant) tick(t *turn, now time.Time) {
	for len(m.later) > 0 && !now.Before(m.later[0].want.At) {
		p := m.later[0]
		m.later = m.later[1:]
		m.enact(p)
	}
	if next := m.rules.NextTick(); next.IsZero() || now.Before(next) {
		return
	}
	m.rules.Tick(now, m.desk.Shows(), &t.saidUndo, func(d ruling.Decided) { m.tell(t, d) })
}

// ruled adds what the merchant's rules want done about an outcome.
func (m *Merchant) ruled(t *turn, o *commerce.Outcome, out []planned) []planned {
	m.rules.Buyers.Note(o)
	var state commerce.OrderState
	var came time.Time
	if o.Order != "" {
		state, came = t.paid(o.Order)
	}
	if e, ok := ruling.EventOf(o, state); ok && t.depth < ruling.MaxRounds && m.rules.Book.Waits(e) && m.desk.Show(o.Show) != nil {
		h, _ := ruling.OfOutcome(o, state, t.now)
		h.Depth = t.depth
		if line := t.lines[o.Key]; line != nil {
			h.Roles, h.Message = line.msg.Roles, line.msg.ID
		}
		if h.Answer.Channel.ID == "" && o.Viewer.ID != "" {
			h.Answer = m.reach(o.Show, o.Viewer)
		}
		if h.Channel.ID == "" {
			h.Channel = h.Answer.Channel
		}
		h.From = came
		out = m.wants(t.now, m.rules.Happened(t.now, &h, &t.undo), out)
	}
	return out
}

// moved adds what the merchant's rules want done because fewer pieces are free of items that outcomes are about.
func (m *Merchant) moved(t *turn, outs []commerce.Outcome, out []planned) []planned {
	if t.depth >= ruling.MaxRounds {
		return out
	}
	for i := range outs {
		o := &outs[i]
		s := m.desk.Show(o.Show)
		if s == nil || i > 0 && outs[i-1].Show == o.Show && outs[i-1].Number == o.Number {
			continue
		}
		if before, left, ok := m.rules.StockMoved(s, o.Number, &t.undo); ok {
			out = m.wants(t.now, m.rules.Happened(t.now, &ruling.Happening{
				About: ruling.About{Show: s.ID, Number: o.Number, Depth: t.depth}, Event: rule.StockAt, Stock: true, Left: left, Before: before,
			}, &t.undo), out)
		}
	}
	return out
}

// wants makes effects of what rules want and remember.
func (m *Merchant) wants(now time.Time, d ruling.Decided, out []planned) []planned {
	if len(d.Changes.Counters)+len(d.Changes.Settings) > 0 {
		out = append(out, planned{id: m.ids.Next(now), kind: effectCount, stored: true, changes: &d.Changes})
	}
	for i := range d.Wants {
		w := &d.Wants[i]
		if wait := m.manners.Wait(); wait > 0 && w.Do == rule.ShoutOut && w.After == 0 && w.Viewer.Name != "" { // the host may take the name out
			w.After, w.At = wait, w.At.Add(wait)
		}
		if w.After == 0 && w.Spoken() {
			out = m.spoken(now, w, w.Lasting(), out)
			continue
		}
		p := planned{id: m.ids.Next(now), kind: effectRule, stored: w.Lasting(), want: w, show: w.Show, notAfter: w.At.Add(w.Matters())}
		m.seals(&p, w.Answer)
		out = append(out, p)
	}
	return out
}

// spoken makes effects of what a rule wants said.
func (m *Merchant) spoken(now time.Time, w *ruling.Want, stored bool, out []planned) []planned {
	name := m.voice.Lang.NameOr(w.Viewer.Name)
	var channels []chat.Channel
	s := m.desk.Show(w.Show)
	if s != nil {
		channels = s.Channels
	}
	if text := m.manners.Decent(w.Viewer, w.Text, m.voice.Lang.Somebody); text != w.Text {
		w.Text, w.Keep = text, nil
	}
	base := planned{kind: effectSay, stored: stored, show: w.Show, notAfter: now.Add(shoutFor), from: w.From}
	if w.Do == rule.ShoutOut && s != nil {
		p := base
		p.id, p.kind = m.ids.Next(now), effectShout
		p.shout = &Shout{ID: p.id, Text: w.Text, Who: name, Image: w.Picture, Show: s.ID}
		if it := s.Lineup.Item(w.Item); it != nil {
			p.shout.Title, p.shout.Image = it.Product.Title, cmp.Or(w.Picture, it.Product.Image)
		}
		out = append(out, p)
	}
	for _, l := range w.Lines(channels, name, m.budget) {
		p := base
		p.id, p.speech = m.ids.Next(now), Speech{To: l.To, Rank: speaker.RankReminder, Text: l.Text}
		switch {
		case l.Reply:
			p.speech.Rank, p.timing = speaker.RankInfo, &m.answering
		case w.Do == rule.ShoutOut:
			p.speech.Loud, p.timing = true, &m.paying
		}
		m.seals(&p, l.To)
		out = append(out, p)
	}
	return out
}

func (m *Merchant) budget(c chat.Channel) chat.Budget {
	if sp := m.speakers[c]; sp != nil {
		return sp.Chat.Budget(c)
	}
	return chat.Budget{Replies: true}
}

// ReloadRules puts a merchant's rules as they are stored now into force, between two batches, on the node that serves the
// merchant: no chat is left for it. Errors: ErrNotHere when none does, the database's own.
func (h *Hub) ReloadRules(ctx context.Context, merchant commerce.ID) error {
	if m := h.Merchant(merchant); m != nil {
		return m.reload(ctx)
	}
	return h.pass(ctx, merchant, came{Reload: true})
}

func (m *Merchant) reload(ctx context.Context) error {
	b, version, err := m.readBook(ctx)
	if err != nil {
		return err
	}
	return m.look(ctx, func() {
		m.rules.Use(b, version)
		m.crew.Need(ruling.Needs(b.Rules()))
		m.restage() // its commands are read as such
	})
}

// HookCame tells that somebody posted to an address of the merchant's (rulebook.Hook), with the fields that were in it. It is an
// event for the show that is live, on whatever node serves the merchant. Errors: ErrNotHere when none does.
func (h *Hub) HookCame(ctx context.Context, merchant commerce.ID, name string, fields map[string]string) error {
	c := came{Hook: name, Fields: fields}
	if m := h.Merchant(merchant); m != nil {
		return m.came(ctx, c)
	}
	return h.pass(ctx, merchant, c)
}

// came is what travels to the node that serves a merchant and is no command: a webhook that came in, or news of the rules.
type came struct {
	Hook   string            `json:"hook,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
	Reload bool              `json:"reload,omitempty"`
}

// pass hands something to the node that serves a merchant.
func (h *Hub) pass(ctx context.Context, merchant commerce.ID, c came) error {
	data, err := json.Marshal(c)
	if err != nil { // our own plain type
		panic(err)
	}
	ctx, cancel := context.WithTimeout(ctx, doFor)
	defer cancel()
	_, err = h.Bus.Request(ctx, doSubject(merchant), data)
	if errors.Is(err, bus.ErrNobody) || errors.Is(err, bus.ErrBusy) {
		return ErrNotHere
	}
	return err
}

func (m *Merchant) came(ctx context.Context, c came) error {
	if c.Reload {
		return m.reload(ctx)
	}
	if !m.happen(&ruling.Happening{About: ruling.About{Show: m.liveShow()}, Event: rule.Webhook, Support: facts.Support{Title: c.Hook}, Webhook: c.Fields}) {
		return ErrNotHere
	}
	return nil
}

// RelayEvent tells rules that a destination of a show's video went down or came back.
func (h *Hub) RelayEvent(merchant, show commerce.ID, destination string, up bool) {
	m := h.Merchant(merchant)
	if m == nil {
		return
	}
	e := rule.DestinationDown
	if up {
		e = rule.DestinationUp
	}
	m.happen(&ruling.Happening{About: ruling.About{Show: show}, Event: e, Support: facts.Support{Title: destination}})
}

// liveShow is a live show of the merchant, 0 when there is none; of several the one that began to be served first.
func (m *Merchant) liveShow() commerce.ID {
	var show commerce.ID
	for _, st := range *m.stages.Load() {
		if st.Show != 0 && (show == 0 || st.Show < show) {
			show = st.Show
		}
	}
	return show
}

// Traces are what rules made of what happened in the last minutes, the newest first. Errors: ErrNotHere.
func (h *Hub) Traces(ctx context.Context, merchant commerce.ID) ([]traces.Trace, error) {
	return seen(ctx, h, merchant, func(m *Merchant) []traces.Trace { return m.rules.Traces.List(time.Now()) })
}

// Fired are the rules that fired in a show since this node serves the merchant: how often, and when last. Errors: ErrNotHere.
func (h *Hub) Fired(ctx context.Context, merchant, show commerce.ID) (map[commerce.ID]ruling.Fired, error) {
	return seen(ctx, h, merchant, func(m *Merchant) map[commerce.ID]ruling.Fired { return m.rules.Fired(show) })
}

// RuleWork is how it stands with what rules want done beside saying lines.
func (h *Hub) RuleWork(merchant commerce.ID) crew.Work {
	if m := h.Merchant(merchant); m != nil {
		return m.crew.Work()
	}
	return crew.Work{}
}

// Codes are the discount codes of a viewer that are good still, the newest first; for the viewer's own eyes. Errors: ErrNotHere, the
// database's own.
func (h *Hub) Codes(ctx context.Context, merchant commerce.ID, v chat.Viewer) ([]rulebook.Discount, error) {
	person, err := h.Person(ctx, merchant, v)
	if m := h.Merchant(merchant); m != nil && err == nil {
		return m.crew.Discounts(ctx, person)
	}
	return nil, err
}
