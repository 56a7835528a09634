package live

import (
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live/answers"
	"hawker/internal/live/speaker"
	"hawker/rules"
)

// info answers a line that changes nothing.
func (m *Merchant) info(t *turn, h *heard) {
	show := m.showFor(h)
	s := m.desk.Show(show)
	receipt := commerce.ID(0)
	if s != nil {
		receipt = answers.Receipt(m.desk, h.cmd.Name, show, h.msg.Viewer)
	}
	to, user := h.msg.Answer, m.voice.Lang.NameOr(h.msg.Viewer.Name)
	b := chat.Budget{Replies: true}
	if sp := m.speakers[to.Channel]; sp != nil {
		b = sp.Chat.Budget(to.Channel)
	}
	var wait time.Duration
	page := false
	if !to.Private() && h.cmd.Name != rules.Connect && !h.msg.Roles.Has(chat.Moderator|chat.Owner) { // what costs no line, or is not for talk
		ok := false
		if wait, page, ok = m.pace.Ask(h.msg.Viewer, t.now); !ok {
			m.noteWhy(h, commerce.Limited)
			return
		}
	}
	q := &answers.Question{
		Now: t.now, Viewer: h.msg.Viewer, Command: h.cmd, Show: s, Receipt: receipt, Limit: b.MaxRunes - utf8.RuneCountInString("@"+user+" "), Room: m.room(show, to.Channel),
	}
	text, changed := (&answers.House{
		Desk: m.desk, Codes: &m.codes, Traces: &m.rules.Traces, Manners: &m.manners, Voice: m.voiceOf(show),
		Why: func(v chat.Viewer) (commerce.Reason, bool) { return m.memoryOf(show).Why(v, t.now) },
	}).Text(q)
	if changed {
		m.changed[show] = true
	}
	shared := q.Same(text)
	if h.cmd.Name != rules.Why {
		m.noteWhy(h, commerce.Info)
	}
	if page && q.Room != "" { // who asks all the time reads it there
		text = lang.Fill(m.voice.Lang.AllThere, "link", q.Room)
		shared = text
	}
	if text == "" {
		return
	}
	generation := m.desk.Generation(receipt)
	own := receipt == m.desk.ReceiptOf(show, h.msg.Viewer) // else the link makes no browser another account's
	t.speeches = append(t.speeches, speechOf{
		Speech: Speech{To: to, Rank: speaker.RankInfo}, notAfter: t.now.Add(answerFor), from: h.msg.Received, timing: &m.answering,
		shared: shared, asker: user, notBefore: t.now.Add(wait),
		words: func(private bool) speaker.Words {
			link := ""
			if h.cmd.Name != rules.Shop && (private || !b.PublicOnly) { // what is on sale is on the show's page, for everybody
				link = m.receiptLink(receipt, generation, to.Channel, private && own)
			}
			if link == "" {
				link = q.Room
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
