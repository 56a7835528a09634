package live

import (
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/answers"
	"hawker/internal/live/clock"
	"hawker/internal/live/edits"
	"hawker/internal/live/hosting"
	"hawker/internal/live/manners"
	"hawker/internal/live/ruling"
	"hawker/internal/live/stage"
	"hawker/rules"
)

// tooOld is the age past which a line never claims (product rule: what a platform delivers late must not take stock).
const tooOld = 120 * time.Second

// heard is a line with what it means, as parsed by the goroutine that brought it.
type heard struct {
	msg   chat.Message
	cmd   rules.Command
	show  commerce.ID
	onAir int             // the item on air that its viewer saw
	why   commerce.Reason // what became of it, where no request decides that
	part  int             // 0 for the line as it was first said, else which edit of it
	added int             // what a plus form that was edited had asked for before
	clock *clock.Offset   // of its channel, nil where nothing is known of it
	seen  rules.Context   // what it was read beside
	hold  commerce.ID     // what it holds since
	event *chat.Event     // a deletion; nil for a line
	seed  uint64          // what rules drew by lot
	told  *ruling.Told    // what rules were told of it; nil for nothing
}

// key is the key under which the line is decided once.
func (h *heard) key() commerce.Key {
	return commerce.Key{Platform: h.msg.Channel.Platform, Message: h.msg.ID, Part: h.part}
}

// looks reports whether what the line means, or is answered, rests on what the lines before it became.
func (h *heard) looks() bool {
	n := h.cmd.Name
	return h.event == nil && !n.Claims() && n != rules.Chat && n != rules.Question && n != rules.Custom
}

// age is how old the line is, by our clock.
func (h *heard) age(now time.Time) time.Duration {
	if h.clock == nil {
		return now.Sub(h.msg.Sent)
	}
	return now.Sub(h.clock.Ours(h.msg.Sent))
}

// Deliver takes what a chat tells. It never blocks: a shared connection must go on answering its platform. It parses in
// the caller's goroutine and queues for the merchant's.
func (m *Merchant) Deliver(e chat.Event) {
	switch e.Kind {
	case chat.Said, chat.Edited:
		m.lines.Add(1)
		h := m.read(&e)
		talk := h.cmd.Name == rules.Chat || h.cmd.Name == rules.Question
		if talk && !h.msg.Edited && len(m.jobs) > shedAt { // an edit to talk gives back
			m.unseen.Add(1)
			return
		}
		select {
		case m.jobs <- job{heard: h}:
		default:
			m.limited.Add(1)
		}
	case chat.Deleted, chat.Cleared:
		gone := e // e itself stays off the heap: most are lines
		select {
		case m.jobs <- job{heard: &heard{event: &gone}}:
		default:
			m.limited.Add(1)
		}
	case chat.Revoked, chat.Joined, chat.Left, chat.Gap:
		m.log.Info("chat", "channel", e.Channel.String(), "what", e.Kind.String(), "reason", e.Reason)
		m.chatsChanged()
	default:
		m.tellRules(&e)
	}
}

// read says what a line means beside the show of its channel.
func (m *Merchant) read(e *chat.Event) *heard {
	h := &heard{msg: e.Message}
	msg := &h.msg
	msg.ID, msg.Text, msg.Viewer.ID, msg.Viewer.Name = chat.Clean(msg.ID), chat.Clean(msg.Text), chat.Clean(msg.Viewer.ID), chat.Clean(msg.Viewer.Name)
	if msg.Received.IsZero() {
		msg.Received = time.Now()
	}
	if e.Kind == chat.Edited {
		msg.Edited, h.part = true, edits.Part(msg.Sent, e.At, msg.Text)
		if e.At.After(msg.Sent) { // the new text was sent then
			msg.Sent = e.At
		}
	}
	h.cmd.Name, h.cmd.Reason = rules.Chat, commerce.Chat
	st := (*m.stages.Load())[e.Channel]
	if st == nil {
		return h
	}
	h.show, h.clock = st.Show, st.Clock
	h.cmd, h.seen = st.Read(msg)
	h.onAir = h.seen.OnAir
	return h
}

// restage makes the grammars of the live shows anew, after a change of a show.
func (m *Merchant) restage() {
	old := *m.stages.Load()
	fresh, facts := map[chat.Channel]*stage.Stage{}, map[commerce.ID]showFacts{}
	for _, s := range m.desk.Shows() {
		facts[s.ID] = showFacts{name: s.Name, once: s.State == commerce.ShowLive && s.PayOnce > 0}
		if s.State != commerce.ShowLive {
			continue
		}
		m.rules.Baseline(&s)
		g := rules.NewGrammar(&s.Lineup, m.grammar())
		channels := append([]chat.Channel{{Platform: chat.Room, ID: s.ID.String()}}, s.Channels...)
		for _, c := range channels {
			fresh[c] = stage.New(s.ID, g, c, old[c])
			fresh[c].OnAir = fresh[c].OnAir.With(time.Now(), s.Lineup.OnAir)
		}
	}
	// A channel without a live show still answers !cart, !me, !pass, !why; without a lineup nothing can be claimed.
	idle := rules.NewGrammar(nil, m.grammar())
	for c := range m.speakers {
		if fresh[c] == nil {
			fresh[c] = stage.New(0, idle, c, old[c])
		}
	}
	m.stages.Store(&fresh)
	m.shows.Store(&facts)
}

// hear turns a line into requests, or into an answer that changes nothing.
func (m *Merchant) hear(t *turn, h *heard) {
	if h.event != nil {
		m.retract(t, *h.event)
		return
	}
	msg := &h.msg
	if t.marks == nil {
		t.marks = map[chat.Channel]time.Time{}
	}
	if msg.Channel.Platform != chat.Room && msg.Sent.After(t.marks[msg.Channel]) {
		t.marks[msg.Channel] = msg.Sent
	}
	first := m.showChat(h)
	if h.show != 0 && !h.seen.Mute && !msg.Roles.Has(chat.Moderator|chat.Owner) { // no piece is kept for who runs the show
		m.desk.Seen(h.show, msg.Viewer, trusted(msg.Roles), t.now)
	}
	t.heard = append(t.heard, h)
	h.why = h.cmd.Reason
	c := h.cmd
	if edits.Editable(msg.Channel.Platform) && m.edited(t, h) {
		h.why = commerce.Duplicate
		return
	}
	if c.Name == rules.Chat || c.Name == rules.Question {
		m.ruleLine(t, h, first)
		return
	}
	m.commands.Add(1)
	if h.show != 0 && m.manners.Blocked(msg.Viewer) {
		m.noteWhy(h, commerce.Blocked)
		return
	}
	if h.show != 0 {
		m.memoryOf(h.show).At(msg.Viewer, msg.Channel, t.now)
	}
	if (c.Name.Claims() || c.Name.Host()) && m.old(h, t.now) {
		m.noteWhy(h, commerce.TooOld)
		return
	}
	if ok, same := m.pace.May(msg.Viewer, c.Signature, t.now); !ok {
		m.noteWhy(h, commerce.Limited)
		return
	} else if same && c.Name.Claims() && !msg.Edited { // an edit is no second line
		m.noteWhy(h, commerce.Duplicate)
		return
	}
	m.ruleLine(t, h, first)
	switch {
	case c.Name == rules.Custom: // it is for rules alone
		m.noteWhy(h, commerce.Info)
	case c.Name.Claims():
		m.claims(t, h)
	case c.Name.Host():
		m.host(t, h)
	default:
		m.info(t, h)
	}
}

// old reports whether a line comes too late to act.
func (m *Merchant) old(h *heard, now time.Time) bool {
	if h.age(now) > tooOld && h.msg.Channel.Platform != chat.Room {
		return true
	}
	mark := m.desk.Watermark(h.msg.Channel)
	return !mark.IsZero() && h.msg.Sent.Before(mark) && mark.Before(m.loaded) // it was read before the last start
}

// edited reads an edit against what its line meant before. It reports true when it means the same, so that nothing changes. What
// is no claim any more, or an unclear one, takes back what the line was given, as if its author had deleted it.
func (m *Merchant) edited(t *turn, h *heard) (same bool) {
	msg, c := &h.msg, h.cmd
	before, known := m.edits.Note(msg.Channel.Platform, msg.ID, c)
	if !msg.Edited {
		return false
	}
	if known && edits.Alike(before, c) {
		return true
	}
	if c.Name != rules.Buy && c.Name != rules.Wait || c.Reason != "" {
		t.ask(nil, commerce.Retract{Message: msg.Channel.Platform, ID: msg.ID})
		return false
	}
	if c.Add && known && before.Add && before.Reason == "" && before.Item == c.Item && before.Variant == c.Variant {
		h.added = before.Quantity
	}
	return false
}

// who is a viewer without a name, as maps key it.
func who(v chat.Viewer) chat.Viewer { return chat.Viewer{Platform: v.Platform, ID: v.ID} }

func askOf(h *heard) commerce.Ask {
	return commerce.Ask{
		Key: h.key(), Show: h.show, Viewer: h.msg.Viewer, Answer: h.msg.Answer, Sent: h.msg.Sent,
		Trusted: trusted(h.msg.Roles),
	}
}

// trusted reports whether somebody vouches for who has the roles.
func trusted(r chat.Roles) bool {
	return r.Has(chat.Subscriber | chat.VIP | chat.Moderator | chat.Owner)
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
		t.ask(h, commerce.Claim{Ask: a, Number: c.Item, Quantity: c.Quantity, Edited: h.msg.Edited, Unclear: c.Reason})
		return
	}
	if n := c.Quantity - h.added; h.added > 0 { // "+1" became "+3": it is two more, not three
		if c.Quantity = n; n < 0 {
			t.ask(h, commerce.Change{Ask: a, Number: c.Item, Variant: c.Variant, Delta: n})
			return
		}
	}
	switch c.Name {
	case rules.Buy, rules.Wait:
		t.ask(h, commerce.Claim{
			Ask: a, Number: c.Item, Variant: c.Variant, Quantity: c.Quantity, Add: c.Add, Wait: c.Name == rules.Wait, Edited: h.msg.Edited,
		})
	case rules.Pass:
		a.Show = m.showFor(h)
		t.ask(h, commerce.Pass{Ask: a, Number: c.Item, Variant: c.Variant})
	case rules.Less:
		t.ask(h, commerce.Change{Ask: a, Number: c.Item, Variant: c.Variant, Delta: -c.Quantity})
	case rules.More:
		t.ask(h, commerce.Change{Ask: a, Number: c.Item, Variant: c.Variant, Delta: c.Quantity})
	}
}

// showFor is the show a line is about: the live one of its channel, else the newest in which the viewer has a receipt.
func (m *Merchant) showFor(h *heard) commerce.ID {
	if h.show != 0 && (h.cmd.Name != rules.Forget || answers.Receipt(m.desk, h.cmd.Name, h.show, h.msg.Viewer) != 0) {
		return h.show
	}
	for _, s := range m.desk.EachShow() {
		if answers.Receipt(m.desk, h.cmd.Name, s.ID, h.msg.Viewer) != 0 {
			return s.ID
		}
	}
	return h.show
}

// retract undoes claims of lines that were taken away, and shows them no more.
func (m *Merchant) retract(t *turn, e chat.Event) {
	show := m.desk.LiveShow(e.Channel)
	m.unshow(show, e.Channel, e.ID, e.Viewer)
	if e.Kind == chat.Deleted {
		t.ask(nil, commerce.Retract{Message: e.Channel.Platform, ID: e.ID, ByMod: e.ByMod})
		return
	}
	if show != 0 && e.Viewer.ID != "" { // else the view was cleared, nobody was banned
		t.ask(nil, commerce.Pass{Ask: commerce.Ask{Show: show, Viewer: e.Viewer}})
	}
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
	c, key := h.cmd, h.key()
	if c.Reason != "" { // which item, or how many? Guessing would take the item off air
		m.noteWhy(h, c.Reason)
		return
	}
	m.noteWhy(h, commerce.Info)
	if c.Name == rules.Release || c.Name == rules.Block {
		m.hostPerson(t, s, h)
	} else if r, ok := hosting.Request(s, c, key); ok {
		t.ask(h, r)
	}
}

// hostPerson frees the holds of a viewer named in chat, or stops their claims until a member lets them claim again.
func (m *Merchant) hostPerson(t *turn, s *commerce.Show, h *heard) {
	name := strings.TrimPrefix(strings.TrimSpace(h.cmd.Arg), "@")
	if name == "" {
		return
	}
	key := h.key()
	for i, v := range m.memoryOf(s.ID).Named(h.msg.Channel.Platform, name) {
		if h.cmd.Name == rules.Block {
			m.manners.Note(manners.Manner{Kind: manners.Block, Name: manners.OfViewer(v), Value: v.Name, By: manners.ByViewer(h.msg.Viewer)})
		}
		key.Part = h.part + i
		t.ask(h, commerce.Pass{Ask: commerce.Ask{Key: key, Show: s.ID, Viewer: v}})
	}
}
