package live

import (
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/aired"
	"hawker/rules"
)

// tooOld is the age past which a line never claims (product rule: what a platform delivers late must not take stock).
const tooOld = 120 * time.Second

// stage is what a line of one channel is read against. It is replaced, never changed.
type stage struct {
	show    commerce.ID
	grammar *rules.Grammar
	aired   aired.Log
}

// heard is a line with what it means, as parsed by the goroutine that brought it.
type heard struct {
	msg   chat.Message
	cmd   rules.Command
	show  commerce.ID
	onAir int             // the item on air that its viewer saw
	why   commerce.Reason // what became of it, where no request decides that
	event chat.Event      // deletions; msg is empty then
}

// Deliver takes what a chat tells. It never blocks: a shared connection must go on answering its platform. It parses in
// the caller's goroutine and queues for the merchant's.
func (m *Merchant) Deliver(e chat.Event) {
	switch e.Kind {
	case chat.Said, chat.Edited:
		m.lines.Add(1)
		st := (*m.stages.Load())[e.Channel]
		h := &heard{msg: e.Message}
		if h.msg.Received.IsZero() {
			h.msg.Received = time.Now()
		}
		h.cmd.Name, h.cmd.Reason = rules.Chat, commerce.Chat
		if st != nil {
			h.show = st.show
			on, sure := st.aired.Seen(e.Message.Sent)
			h.onAir = on
			h.cmd = st.grammar.Parse(e.Message.Text, rules.Context{
				OnAir: on, Unsure: !sure, Reply: e.Message.ReplyTo != "", Tap: e.Message.Command,
				Mute: e.Message.Own || e.Message.Bot || e.Message.Source != "",
			})
		}
		talk := h.cmd.Name == rules.Chat || h.cmd.Name == rules.Question
		if talk && len(m.jobs) > shedAt {
			m.unseen.Add(1)
			return
		}
		select {
		case m.jobs <- job{heard: h}:
		default:
			m.limited.Add(1)
		}
	case chat.Deleted, chat.Cleared:
		select {
		case m.jobs <- job{heard: &heard{event: e}}:
		default:
			m.limited.Add(1)
		}
	case chat.Revoked:
		m.setTrouble(e.Channel, e.Reason)
	case chat.Joined, chat.Left, chat.Gap:
		word := map[chat.Kind]string{chat.Joined: "joined", chat.Left: "left", chat.Gap: "gap"}[e.Kind]
		m.log.Info("chat", "channel", e.Channel.String(), "what", word, "reason", e.Reason)
	}
}

func (m *Merchant) setTrouble(c chat.Channel, why string) {
	for _, a := range m.accounts {
		for _, ac := range a.Channels {
			if ac == c {
				a.mu.Lock()
				a.trouble = why
				a.mu.Unlock()
			}
		}
	}
}

// restage makes the grammars of the live shows anew, after a change of a show.
func (m *Merchant) restage() {
	old := *m.stages.Load()
	fresh, names := map[chat.Channel]*stage{}, map[commerce.ID]string{}
	for _, s := range m.desk.Shows() {
		names[s.ID] = s.Name
		if s.State != commerce.ShowLive {
			continue
		}
		g := rules.NewGrammar(&s.Lineup, rules.Options{Language: m.about.Language})
		channels := append([]chat.Channel{{Platform: chat.Room, ID: s.ID.String()}}, s.Channels...)
		for _, c := range channels {
			st := &stage{show: s.ID, grammar: g}
			if was := old[c]; was != nil && was.show == s.ID {
				st.aired = was.aired
			}
			st.aired = st.aired.With(time.Now(), s.Lineup.OnAir)
			fresh[c] = st
		}
	}
	// A channel without a live show still answers !cart, !me, !pass, !why; without a lineup nothing can be claimed.
	idle := rules.NewGrammar(nil, rules.Options{Language: m.about.Language})
	for c := range m.speakers {
		if fresh[c] == nil {
			fresh[c] = &stage{grammar: idle}
		}
	}
	m.stages.Store(&fresh)
	m.names.Store(&names)
}

// hear turns a line into requests, or into an answer that changes nothing.
func (m *Merchant) hear(t *turn, h *heard) {
	if h.event.Kind != 0 {
		m.retract(t, h.event)
		return
	}
	msg := &h.msg
	if t.marks == nil {
		t.marks = map[chat.Channel]time.Time{}
	}
	if msg.Channel.Platform != chat.Room && msg.Sent.After(t.marks[msg.Channel]) {
		t.marks[msg.Channel] = msg.Sent
	}
	m.showChat(h)
	t.heard = append(t.heard, h)
	h.why = h.cmd.Reason
	c := h.cmd
	if c.Name == rules.Chat || c.Name == rules.Question {
		return
	}
	m.commands.Add(1)
	if h.show != 0 && m.blocked[who(msg.Viewer)] {
		m.noteWhy(h, commerce.Blocked)
		return
	}
	old := t.now.Sub(msg.Sent) > tooOld && msg.Channel.Platform != chat.Room
	if mark := m.desk.Watermark(msg.Channel); !old && !mark.IsZero() && msg.Sent.Before(mark) && mark.Before(m.loaded) {
		old = true // it was read before the last start
	}
	if old && (c.Name.Claims() || c.Name.Host()) {
		m.noteWhy(h, commerce.TooOld)
		return
	}
	if ok, same := m.pace.May(msg.Viewer, c.Signature, t.now); !ok {
		m.noteWhy(h, commerce.Limited)
		return
	} else if same && c.Name.Claims() {
		m.noteWhy(h, commerce.Duplicate)
		return
	}
	switch {
	case c.Name.Claims():
		m.claims(t, h)
	case c.Name.Host():
		m.host(t, h)
	default:
		m.info(t, h)
	}
}

// who is a viewer without a name, as maps key it.
func who(v chat.Viewer) chat.Viewer { return chat.Viewer{Platform: v.Platform, ID: v.ID} }

func askOf(h *heard) commerce.Ask {
	return commerce.Ask{
		Key: commerce.Key{Platform: h.msg.Channel.Platform, Message: h.msg.ID}, Show: h.show, Viewer: h.msg.Viewer, Answer: h.msg.Answer, Sent: h.msg.Sent,
	}
}

// claims turns a claiming line into a request.
func (m *Merchant) claims(t *turn, h *heard) {
	c, a := h.cmd, askOf(h)
	if h.show == 0 && c.Name != rules.Pass { // no show sells here: silence, whatever was asked
		m.noteWhy(h, commerce.NotOnSale)
		return
	}
	if t.lines == nil {
		t.lines = map[commerce.Key]*heard{}
	}
	t.lines[a.Key] = h
	if c.Reason != "" { // unclear: it is asked about; nothing is taken, given back or changed by guessing
		t.reqs = append(t.reqs, commerce.Claim{Ask: a, Number: c.Item, Quantity: c.Quantity, Unclear: c.Reason})
		return
	}
	switch c.Name {
	case rules.Buy, rules.Wait:
		t.reqs = append(t.reqs, commerce.Claim{
			Ask: a, Number: c.Item, Variant: c.Variant, Quantity: c.Quantity, Add: c.Add, Wait: c.Name == rules.Wait,
		})
	case rules.Pass:
		a.Show = m.showFor(h)
		t.reqs = append(t.reqs, commerce.Pass{Ask: a, Number: c.Item, Variant: c.Variant})
	case rules.Less:
		t.reqs = append(t.reqs, commerce.Change{Ask: a, Number: c.Item, Variant: c.Variant, Delta: -c.Quantity})
	case rules.More:
		t.reqs = append(t.reqs, commerce.Change{Ask: a, Number: c.Item, Variant: c.Variant, Delta: c.Quantity})
	}
}

// showFor is the show a line is about: the live one of its channel, else the newest in which the viewer has a receipt.
func (m *Merchant) showFor(h *heard) commerce.ID {
	if h.show != 0 {
		return h.show
	}
	for _, s := range m.desk.Shows() {
		if m.desk.ReceiptOf(s.ID, h.msg.Viewer) != 0 {
			return s.ID
		}
	}
	return 0
}

// retract undoes claims of lines that were taken away.
func (m *Merchant) retract(t *turn, e chat.Event) {
	if e.Kind == chat.Deleted {
		t.reqs = append(t.reqs, commerce.Retract{Message: e.Channel.Platform, ID: e.ID, ByMod: e.ByMod})
		return
	}
	if e.Viewer.ID == "" { // the view was cleared, nobody was banned
		return
	}
	show := m.desk.LiveShow(e.Channel)
	if show == 0 {
		return
	}
	t.reqs = append(t.reqs, commerce.Pass{Ask: commerce.Ask{Show: show, Viewer: e.Viewer}})
}

// host carries out what the host and moderators type.
func (m *Merchant) host(t *turn, h *heard) {
	if !h.msg.Roles.Has(chat.Moderator | chat.Owner) {
		m.noteWhy(h, commerce.HostOnly)
		return
	}
	s := m.desk.Show(h.show)
	if s == nil {
		m.noteWhy(h, commerce.NotOnSale)
		return
	}
	c := h.cmd
	if c.Reason != "" { // which item, or how many? Guessing would take the item off air
		m.noteWhy(h, c.Reason)
		return
	}
	m.noteWhy(h, commerce.Info)
	switch c.Name {
	case rules.Next:
		t.reqs = append(t.reqs, commerce.Air{Show: s.ID, Number: nextItem(s)})
	case rules.Air:
		t.reqs = append(t.reqs, commerce.Air{Show: s.ID, Number: c.Item})
	case rules.Off:
		t.reqs = append(t.reqs, commerce.Air{Show: s.ID})
	case rules.Close, rules.Open:
		if c.Item != 0 {
			t.reqs = append(t.reqs, commerce.Gate{Show: s.ID, Number: c.Item, Closed: c.Name == rules.Close})
		}
	case rules.Pause, rules.Resume:
		t.reqs = append(t.reqs, commerce.Gate{Show: s.ID, Closed: c.Name == rules.Pause})
	case rules.Stock:
		m.hostStock(t, s, c)
	case rules.Release, rules.Block:
		m.hostPerson(t, s, h)
	}
}

// nextItem is the number of the item after the one on air that is for sale; the first after the last.
func nextItem(s *commerce.Show) int {
	at := -1
	for i := range s.Lineup.Items {
		if s.Lineup.Items[i].Number == s.Lineup.OnAir {
			at = i
		}
	}
	for i := range s.Lineup.Items {
		if it := &s.Lineup.Items[(at+1+i)%len(s.Lineup.Items)]; !it.Closed {
			return it.Number
		}
	}
	return s.Lineup.OnAir
}

func (m *Merchant) hostStock(t *turn, s *commerce.Show, c rules.Command) {
	it := s.Lineup.Item(c.Item)
	if it == nil {
		return
	}
	v := c.Variant
	if v == 0 && len(it.Product.Variants) == 1 {
		v = it.Product.Variants[0].ID
	}
	if v == 0 || it.Variant(v).Inventory != "" { // a store's stock is changed in the store
		return
	}
	n, err := strconv.ParseInt(c.Arg, 10, 32)
	if err != nil {
		return
	}
	r := commerce.SetStock{Variant: v}
	if strings.HasPrefix(c.Arg, "+") || strings.HasPrefix(c.Arg, "-") {
		r.Add = n
	} else {
		r.Available = &n
	}
	t.reqs = append(t.reqs, r)
}

// hostPerson frees the holds of a viewer named in chat, or stops their claims for this show.
func (m *Merchant) hostPerson(t *turn, s *commerce.Show, h *heard) {
	name := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(h.cmd.Arg), "@"))
	if name == "" {
		return
	}
	mem := m.memoryOf(s.ID)
	for v := range mem.spoke {
		if v.Platform != h.msg.Channel.Platform || strings.ToLower(v.Name) != name {
			continue
		}
		if h.cmd.Name == rules.Block {
			m.blocked[who(v)] = true
		}
		t.reqs = append(t.reqs, commerce.Pass{Ask: commerce.Ask{Show: s.ID, Viewer: v}})
	}
}
