package live

import (
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// Bounds of what a show remembers for its pages and !why.
const (
	whyKept   = 10 * time.Minute
	whyMost   = 20_000
	streamMax = 10 // chat lines a second that pages are sent; a person cannot read more
)

func (m *Merchant) memoryOf(show commerce.ID) *showMemory {
	mem := m.memory[show]
	if mem == nil {
		mem = newShowMemory()
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
	mem := m.memoryOf(o.Show)
	mem.feed.Add(FeedLine{
		At: at, Viewer: o.Viewer, Channel: c, Text: text, What: o.What, Reason: o.Reason, Number: o.Number, Title: o.Title, Label: o.Label, Quantity: o.Wanted,
		Holding: o.Holding, Waiting: o.Waiting, Place: o.Place, Hold: o.Hold, Order: o.Order, Total: o.Total, Sentence: m.voice.Feed(o),
	})
	m.changed[o.Show] = true
}

// note remembers an outcome for the pages.
func (m *Merchant) note(t *turn, o *commerce.Outcome) {
	if o.Repeat {
		return
	}
	if o.Show == 0 { // stock is of no show: whoever sells it shows it anew
		for _, s := range m.desk.Shows() {
			if s.State != commerce.ShowEnded {
				m.changed[s.ID] = true
			}
		}
		return
	}
	m.changed[o.Show] = true
	switch o.What {
	case commerce.Claimed:
		mem := m.memoryOf(o.Show)
		mem.claimed[who(o.Viewer)] = true
		h := t.lines[o.Key]
		text, c := "", chat.Channel{Platform: o.Viewer.Platform}
		if h != nil {
			text, c = h.msg.Text, h.msg.Channel
			m.deciding.Add(time.Since(h.msg.Received))
		}
		m.setWhy(mem, o.Viewer, whyLine{t.now, o.Reason, *o})
		m.feed(o, t.now, text, c)
	case commerce.Promoted, commerce.Expired, commerce.Released, commerce.Settled, commerce.Late, commerce.Unfilled, commerce.Undone:
		m.feed(o, t.now, "", chat.Channel{Platform: o.Viewer.Platform})
	}
}

func (m *Merchant) setWhy(mem *showMemory, v chat.Viewer, w whyLine) {
	if len(mem.why) > max(mem.whyMost, whyMost) {
		for k, x := range mem.why {
			if w.at.Sub(x.at) > whyKept {
				delete(mem.why, k)
			}
		}
		mem.whyMost = 2 * len(mem.why) // not for every line of a crowd that has said something lately
	}
	mem.why[who(v)] = w
}

// noteWhy remembers the reason of a line that was refused before any stock was looked at.
func (m *Merchant) noteWhy(h *heard, why commerce.Reason) {
	h.why = why
	if h.show == 0 {
		return
	}
	o := commerce.Outcome{What: commerce.Claimed, Reason: why, Show: h.show, Number: h.cmd.Item, Wanted: h.cmd.Quantity, Viewer: h.msg.Viewer}
	if why != commerce.Info { // a question does not hide what became of the claim before it
		m.setWhy(m.memoryOf(h.show), h.msg.Viewer, whyLine{time.Now(), why, o})
		m.feed(&o, time.Now(), h.msg.Text, h.msg.Channel)
	}
}

// showChat puts a line into the view of its show's chats.
func (m *Merchant) showChat(h *heard) {
	if h.show == 0 {
		return
	}
	mem := m.memoryOf(h.show)
	l := ChatLine{
		ID: h.msg.ID, At: h.msg.Received, Channel: h.msg.Channel, Viewer: h.msg.Viewer, Text: h.msg.Text, Own: h.msg.Own, Roles: h.msg.Roles, Reason: h.cmd.Reason,
	}
	if !h.msg.Own && !h.msg.Bot {
		v := h.msg.Viewer
		if len(mem.spoke) < 200_000 {
			mem.spoke[v] = true
		}
	}
	mem.chat.Add(l)
	if s := l.At.Unix(); s != mem.second {
		mem.second, mem.streamed = s, 0
	}
	if mem.streamed++; mem.streamed <= streamMax {
		m.hub.signal(m.ID, Signal{Kind: SignalChat, Show: h.show, Line: &l})
	}
}
