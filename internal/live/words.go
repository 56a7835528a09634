package live

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/seal"
)

// Bounds of a product's title in a chat line; it is cut further where the platform's lines are short.
const (
	titleLong  = 48
	titleShort = 20
)

// ownKind is the kind of the token in private links: it binds the browser that opens them.
const ownKind = "own"

// room is the address of a show's page, empty when links lead nowhere in the channel.
func (m *Merchant) room(show commerce.ID, c chat.Channel) string {
	if !m.linkable(c) {
		return ""
	}
	if name := (*m.names.Load())[show]; name != "" {
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

// Loopback reports whether an address leads nowhere for anybody but this machine.
func Loopback(public string) bool {
	u, err := url.Parse(public)
	if err != nil {
		return true
	}
	host := strings.ToLower(u.Hostname())
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") || host == "::1" || host == "0.0.0.0" || host == "::"
}

// what names what is held: the item, its variant, and how many when more than one.
func what(o *commerce.Outcome, qty, limit int) string {
	s := shorten(o.Title, limit)
	if o.Label != "" {
		s += " " + o.Label
	}
	if qty > 1 {
		s += " x" + strconv.Itoa(qty)
	}
	return s
}

// shorten cuts a text to limit code points.
func shorten(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	r := []rune(s)
	return strings.TrimRight(string(r[:limit-1]), " ") + "…"
}

// clock is a time of day as the merchant's viewers read it.
func (m *Merchant) clock(t time.Time) string { return t.In(m.zone).Format("15:04 MST") }

// heldFor is the whole time that a hold lasts, as told when it is made.
func heldFor(due, now time.Time) time.Duration { return max(due.Sub(now)-commerce.SeeAnswer, 0) }

// sayOutcome puts an outcome into words for one viewer. It runs in the Speaker's goroutine and reads nothing that the
// merchant's owns.
func (m *Merchant) sayOutcome(s *Speech, private bool) Words {
	o, to := s.Outcome, s.To
	b := chat.Budget{Replies: true}
	if sp := m.speakers[to.Channel]; sp != nil {
		b = sp.Chat.Budget(to.Channel)
	}
	var w Words
	if public := b.PublicOnly && !private; public {
		w.Link = m.room(o.Show, to.Channel)
	} else if w.Link = m.receiptLink(o.Receipt, s.Generation, to.Channel, private); w.Link == "" {
		w.Link = m.room(o.Show, to.Channel)
	}
	mention := ""
	if !private && (to.Kind != chat.ToReply || !b.Replies) {
		mention = "@" + m.lang.NameOr(o.Viewer.Name) + " "
	}
	limit := titleLong
	for {
		w.Text = mention + m.sentenceOf(o, w.Link, limit)
		if b.MaxRunes == 0 || limit == titleShort || utf8.RuneCountInString(w.Text) <= b.MaxRunes {
			break
		}
		limit = titleShort
	}
	if w.Link == "" || !strings.Contains(w.Text, w.Link) {
		w.Link = ""
	}
	return w
}

// sentenceOf is what came of a request, in a sentence, with the link where it has something to pay.
func (m *Merchant) sentenceOf(o *commerce.Outcome, link string, limit int) string {
	l := m.lang
	n := strconv.Itoa(o.Number)
	got := o.Holding
	if o.What == commerce.Promoted {
		got = o.Holding
	}
	pairs := []string{
		"n", n, "what", what(o, got, limit), "item", shorten(o.Title, limit), "qty", strconv.Itoa(o.Holding), "waiting", strconv.Itoa(o.Waiting),
		"place", strconv.Itoa(o.Place), "cap", strconv.Itoa(o.Cap), "time", l.Span(heldFor(o.Due, time.Now())), "until", m.clock(o.Due), "link", link,
		"choices", choices(o.Choices), "choice", first(o.Choices),
	}
	say := func(s string) string { return lang.Fill(s, pairs...) }
	pay := ""
	if link != "" {
		pay = say(l.Pay)
	}
	if o.What == commerce.Promoted {
		return say(l.Promoted) + pay
	}
	switch o.Reason {
	case commerce.Held:
		return say(l.Held) + pay
	case commerce.PartlyHeld:
		if o.Waiting > 0 {
			pairs[3] = what(o, 1, limit)
			return say(l.Partly) + pay
		}
		pairs[3] = what(o, 1, limit)
		return say(l.PartlyCapped) + pay
	case commerce.Waitlisted:
		pairs[3] = what(o, o.Waiting, limit)
		return say(l.Waitlisted)
	case commerce.Capped:
		return say(l.Capped)
	case commerce.SoldOut:
		return say(l.SoldOut)
	case commerce.NeedsVariant:
		return say(l.NeedsVariant)
	case commerce.NeedsItem:
		return l.NeedsItem
	case commerce.UnknownItem:
		return l.UnknownItem
	case commerce.NotOnSale:
		return say(l.Closed)
	case commerce.Paused:
		return l.Paused
	case commerce.Ended:
		return l.Ended
	case commerce.Passed:
		if o.Number > 0 && o.Wanted <= 1 {
			return say(l.PassedOne)
		}
		return l.Passed
	case commerce.Changed:
		pairs[3] = what(o, 1, limit)
		return say(l.Changed) + pay
	case commerce.NothingHeld:
		return l.NothingHeld
	}
	return l.Unclear
}

// choices lists labels to choose from, at most eight.
func choices(labels []string) string {
	if len(labels) > 8 {
		return strings.Join(labels[:8], ", ") + " …"
	}
	return strings.Join(labels, ", ")
}

func first(labels []string) string {
	if len(labels) == 0 {
		return ""
	}
	return labels[0]
}

// sentence is an outcome for the dashboard's feed.
func (m *Merchant) sentence(o *commerce.Outcome) string {
	l := m.lang
	pairs := []string{"qty", strconv.Itoa(o.Holding), "total", o.Total.String(), "order", o.Order}
	switch o.What {
	case commerce.Promoted:
		return lang.Fill(l.FeedPromoted, pairs...)
	case commerce.Expired:
		return l.FeedExpired
	case commerce.Released:
		return l.FeedReleased
	case commerce.Settled:
		return lang.Fill(l.FeedPaid, pairs...)
	case commerce.Late:
		return lang.Fill(l.FeedLate, pairs...)
	case commerce.Unfilled:
		return lang.Fill(l.FeedUnfilled, pairs...)
	case commerce.Undone:
		return lang.Fill(l.FeedUndone, pairs...)
	}
	return l.Reasons[o.Reason]
}
