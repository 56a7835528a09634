package live

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/speaker"
	"hawker/internal/live/wording"
	"hawker/internal/seal"
)

// ownKind is the kind of the token in private links: it binds the browser that opens them.
const ownKind = "own"

// showFacts is what answers need of a show in whatever goroutine they are put into words.
type showFacts struct {
	name string // as in addresses
	once bool   // it is live, and its holds are paid together after its end
}

func (m *Merchant) facts(show commerce.ID) showFacts { return (*m.shows.Load())[show] }

// voiceOf is the merchant's voice for a show.
func (m *Merchant) voiceOf(show commerce.ID) *wording.Teller {
	v := m.voice
	v.PayOnce = m.facts(show).once
	return &v
}

// room is the address of a show's page, empty when links lead nowhere in the channel.
func (m *Merchant) room(show commerce.ID, c chat.Channel) string {
	if !m.linkable(c) {
		return ""
	}
	if name := m.facts(show).name; name != "" {
		return m.hub.Public + "/live/" + url.PathEscape(name)
	}
	return ""
}

// receiptLink is the address of a viewer's page. In a private answer it also binds the browser that opens it to the viewer.
func (m *Merchant) receiptLink(receipt commerce.ID, generation int, c chat.Channel, private bool) string {
	if receipt == 0 || !m.linkable(c) {
		return ""
	}
	link := m.hub.Public + "/c/" + m.hub.DB.ReceiptToken(m.ID, receipt, generation).Reveal()
	if private {
		link += "?own=" + m.hub.ownToken(m.ID, receipt, generation).Reveal()
	}
	return link
}

func (h *Hub) ownToken(merchant, receipt commerce.ID, generation int) seal.Token {
	return h.Key.Derive(ownKind, int64(merchant), int64(receipt), int64(generation))
}

// linkable reports whether our links lead somewhere for who reads the channel. A loopback address is never put into a chat
// of the world outside.
func (m *Merchant) linkable(c chat.Channel) bool {
	return m.hub.Public != "" && (!m.hub.loopback || m.local[c])
}

// label names the button of a link, and drops a link that is not in the text.
func (m *Merchant) label(w *speaker.Words) {
	if w.Link == "" || !strings.Contains(w.Text, w.Link) {
		w.Link = ""
	} else {
		w.LinkLabel = wording.Label(m.voice.Lang, w.Link, m.hub.Public)
	}
}

// sayOutcome puts an outcome into words for one viewer. It runs in the Speaker's goroutine and reads nothing that the
// merchant's owns.
func (m *Merchant) sayOutcome(s *Speech, private bool) speaker.Words {
	o, to := s.Outcome, s.To
	b := chat.Budget{Replies: true}
	if sp := m.speakers[to.Channel]; sp != nil {
		b = sp.Chat.Budget(to.Channel)
	}
	var w speaker.Words
	if public := b.PublicOnly && !private; public {
		w.Link = m.room(o.Show, to.Channel)
	} else if w.Link = m.receiptLink(o.Receipt, s.Generation, to.Channel, private); w.Link == "" {
		w.Link = m.room(o.Show, to.Channel)
	}
	w.Link = wording.Choosing(o, w.Link)
	mention, voice := "", m.voiceOf(o.Show)
	if !private && (to.Kind != chat.ToReply || !b.Replies) {
		mention = "@" + m.voice.Lang.NameOr(o.Viewer.Name) + " "
	}
	limit := wording.Long
	for {
		w.Text = mention + voice.Sentence(o, w.Link, limit)
		if b.MaxRunes == 0 || limit == wording.Short || utf8.RuneCountInString(w.Text) <= b.MaxRunes {
			break
		}
		limit = wording.Short
	}
	m.label(&w)
	return w
}
