package live

import (
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/preview"
	"hawker/internal/live/recall"
)

// FeedLine and ChatLine are lines of a show's feed and chats, for pages.
type (
	FeedLine = recall.FeedLine
	ChatLine = recall.ChatLine
)

func (m *Merchant) memoryOf(show commerce.ID) *recall.Show {
	mem := m.memory[show]
	if mem == nil {
		mem = recall.New()
		m.memory[show] = mem
	}
	return mem
}

// remember fills the feeds with what was decided before the start.
func (m *Merchant) remember(st commerce.State) {
	for _, d := range st.Recent {
		o := commerce.Outcome{
			What: commerce.Claimed, Reason: d.Reason, Key: d.Key, Show: d.Show, Number: d.Number, Variant: d.Variant, Wanted: d.Quantity, Hold: d.Hold, Viewer: d.Viewer,
		}
		if s := m.desk.Show(d.Show); s != nil {
			if it := s.Lineup.Item(d.Number); it != nil {
				o.Title = it.Product.Title
				if v := it.Variant(d.Variant); v != nil {
					o.Label = v.Label()
				}
			}
		}
		m.feed(&o, d.At, "", chat.Channel{Platform: d.Key.Platform})
	}
}

// feed adds a line to a show's feed of claims.
func (m *Merchant) feed(o *commerce.Outcome, at time.Time, text string, c chat.Channel) {
	m.memoryOf(o.Show).Decided(FeedLine{
		At: at, Viewer: o.Viewer, Channel: c, Text: text, What: o.What, Reason: o.Reason, Number: o.Number, Title: o.Title, Label: o.Label, Quantity: o.Wanted,
		Holding: o.Holding, Waiting: o.Waiting, Place: o.Place, Hold: o.Hold, Order: o.Order, Total: o.Total,
	})
	m.changed[o.Show] = true
}

// note remembers an outcome for the pages.
func (m *Merchant) note(t *turn, o *commerce.Outcome) {
	h := t.lines[o.Key]
	if h != nil && o.What == commerce.Claimed {
		h.why, h.hold = o.Reason, o.Hold
	}
	if o.Repeat {
		return
	}
	if o.Show == 0 { // stock is of no show: whoever sells it shows it anew
		for _, s := range m.desk.EachShow() {
			if s.State != commerce.ShowEnded {
				m.changed[s.ID] = true
			}
		}
		return
	}
	m.changed[o.Show] = true
	switch o.What {
	case commerce.Expired:
		if o.Reason == commerce.Offered { // nothing was set aside, so nothing ended
			return
		}
		m.feed(o, t.now, "", chat.Channel{Platform: o.Viewer.Platform})
	case commerce.Claimed:
		mem := m.memoryOf(o.Show)
		mem.Claimed(o.Viewer, o.Reason, t.now)
		text, c := "", chat.Channel{Platform: o.Viewer.Platform}
		if h != nil {
			text, c = h.msg.Text, h.msg.Channel
			m.deciding.Add(time.Since(h.msg.Received))
		}
		m.feed(o, t.now, text, c)
	case commerce.Promoted, commerce.Extended, commerce.Released, commerce.Settled, commerce.Late, commerce.Unfilled, commerce.Undone, commerce.Edited:
		m.feed(o, t.now, "", chat.Channel{Platform: o.Viewer.Platform})
	}
}

// noteWhy remembers the reason of a line that was refused before any stock was looked at.
func (m *Merchant) noteWhy(h *heard, why commerce.Reason) {
	h.why = why
	if h.show == 0 {
		return
	}
	o := commerce.Outcome{What: commerce.Claimed, Reason: why, Show: h.show, Number: h.cmd.Item, Wanted: h.cmd.Quantity, Viewer: h.msg.Viewer}
	if why != commerce.Info { // a question does not hide what became of the claim before it
		m.memoryOf(h.show).SetWhy(h.msg.Viewer, why, time.Now())
		m.feed(&o, time.Now(), h.msg.Text, h.msg.Channel)
	}
}

// showChat puts a line into the view of its show's chats, and says whether it is the first one there of who said it.
func (m *Merchant) showChat(h *heard) (first bool) {
	if h.show == 0 {
		return false
	}
	if h.msg.Edited { // what it was goes
		m.unshow(h.show, h.msg.Channel, h.msg.ID, chat.Viewer{})
	}
	l := ChatLine{
		ID: h.msg.ID, At: h.msg.Received, Channel: h.msg.Channel, Viewer: h.msg.Viewer, Text: h.msg.Text, Own: h.msg.Own, Roles: h.msg.Roles, Reason: h.cmd.Reason,
	}
	stream, first := m.memoryOf(h.show).Heard(l, preview.Line{Text: h.msg.Text, Context: h.seen}, h.msg.Bot)
	if stream {
		sent := l // few are, so that the others make no garbage
		m.hub.signal(m.ID, Signal{Kind: SignalChat, Show: h.show, Line: &sent})
	}
	return first
}

// unshow takes lines out of the view of a show's chats; see recall.Show.Gone.
func (m *Merchant) unshow(show commerce.ID, c chat.Channel, line string, of chat.Viewer) {
	for _, l := range m.memoryOf(show).Gone(c, line, of) {
		m.hub.signal(m.ID, Signal{Kind: SignalChat, Show: show, Gone: &l})
	}
}
