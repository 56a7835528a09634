package live

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live/speaker"
	"hawker/rules"
)

// info answers a line that changes nothing.
func (m *Merchant) info(t *turn, h *heard) {
	show := m.showFor(h)
	s := m.desk.Show(show)
	receipt := commerce.ID(0)
	if s != nil {
		receipt = m.desk.ReceiptOf(show, h.msg.Viewer)
	}
	to, user := h.msg.Answer, m.voice.Lang.NameOr(h.msg.Viewer.Name)
	b := chat.Budget{Replies: true}
	if sp := m.speakers[to.Channel]; sp != nil {
		b = sp.Chat.Budget(to.Channel)
	}
	text := m.infoText(t.now, h, s, receipt, b.MaxRunes-utf8.RuneCountInString("@"+user+" "))
	if h.cmd.Name != rules.Why {
		m.noteWhy(h, commerce.Info)
	}
	if text == "" {
		return
	}
	generation := m.generation(receipt)
	t.speeches = append(t.speeches, speechOf{
		Speech: Speech{To: to, Rank: speaker.RankInfo}, notAfter: t.now.Add(answerFor), from: h.msg.Received, timing: &m.answering,
		words: func(private bool) speaker.Words {
			link := ""
			if h.cmd.Name != rules.Shop && (private || !b.PublicOnly) { // what is on sale is on the show's page, for everybody
				link = m.receiptLink(receipt, generation, to.Channel, private)
			}
			if link == "" {
				link = m.room(show, to.Channel)
			}
			w := speaker.Words{Text: lang.Fill(text, "link", link), Link: link}
			m.label(&w)
			if link == "" && strings.Contains(text, "{link}") && (h.cmd.Name == rules.Cart || h.cmd.Name == rules.Forget) { // there is nothing to send
				w.Text = ""
			}
			if !private && (to.Kind != chat.ToReply || !b.Replies) && w.Text != "" {
				w.Text = "@" + user + " " + w.Text
			}
			return w
		},
	})
}

// infoText is the answer; {link} in it is filled in when it is said. Empty means silence. A list is made to fit in limit code
// points with its link.
func (m *Merchant) infoText(now time.Time, h *heard, s *commerce.Show, receipt commerce.ID, limit int) string {
	l := m.voice.Lang
	if s != nil {
		limit -= utf8.RuneCountInString(m.room(s.ID, h.msg.Answer.Channel))
	}
	switch h.cmd.Name {
	case rules.Help:
		return l.Help
	case rules.Connect:
		if m.codes.Typed(strings.TrimSpace(h.cmd.Arg), h.msg.Viewer, now) {
			if s != nil {
				m.changed[s.ID] = true
			}
			return l.Connect
		}
		return l.ConnectUnknown
	}
	if s == nil {
		if h.cmd.Name == rules.Shop || h.cmd.Name == rules.Item || h.cmd.Name == rules.Why {
			return "" // no show of ours here: silence
		}
		if h.cmd.Name == rules.Forget {
			return l.ForgetNothing
		}
		return l.CartEmpty
	}
	switch h.cmd.Name {
	case rules.Cart:
		if receipt == 0 {
			return l.CartEmpty
		}
		return l.Cart
	case rules.Forget:
		if receipt == 0 {
			return l.ForgetNothing
		}
		return l.Forget
	case rules.Me:
		return m.mine(now, receipt, limit)
	case rules.Shop:
		return m.shop(s.ID, now, limit)
	case rules.Item:
		n := h.cmd.Item
		if n == 0 {
			n = s.Lineup.OnAir
		}
		v, ok := m.desk.View(s.ID, now)
		for i := range v.Items {
			if ok && v.Items[i].Number == n {
				return m.voice.Item(&v.Items[i])
			}
		}
		return l.UnknownItem
	case rules.Why:
		var parts []string
		if why, ok := m.memoryOf(s.ID).Why(h.msg.Viewer, now); ok {
			parts = append(parts, lang.Fill(l.Why, "reason", l.Reasons[why]))
		}
		if names := m.rules.Traces.Fired(h.msg.Viewer, now); len(names) > 0 {
			parts = append(parts, lang.Fill(l.WhyRule, "rule", strings.Join(names, ", ")))
		}
		return cmp.Or(strings.Join(parts, " "), l.WhyNothing)
	case rules.Order:
		v, _ := m.desk.View(s.ID, now)
		for _, o := range v.Orders {
			if who(o.Viewer) == who(h.msg.Viewer) && o.State == commerce.OrderPaid {
				return lang.Fill(l.Order, "order", o.Name)
			}
		}
		return l.OrderNone
	}
	return ""
}

func (m *Merchant) mine(now time.Time, receipt commerce.ID, limit int) string {
	v, ok := m.desk.Receipt(receipt, now)
	if !ok {
		return m.voice.Lang.CartEmpty
	}
	return m.voiceOf(v.Show.ID).Mine(&v, now, limit)
}

func (m *Merchant) shop(show commerce.ID, now time.Time, limit int) string {
	v, ok := m.desk.View(show, now)
	if !ok {
		return m.voice.Lang.ShopEmpty
	}
	return m.voice.Shop(&v, limit)
}
