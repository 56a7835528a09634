package live

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/rules"
)

// How much of a list one answer has room for.
const (
	shopMost = 5
	mineMost = 4
)

// inStock is from how many pieces on the number is not told (product rule: stock words).
const inStock = 10

// info answers a line that changes nothing.
func (m *Merchant) info(t *turn, h *heard) {
	show := m.showFor(h)
	s := m.desk.Show(show)
	receipt := commerce.ID(0)
	if s != nil {
		receipt = m.desk.ReceiptOf(show, h.msg.Viewer)
	}
	text := m.infoText(t.now, h, s, receipt)
	if h.cmd.Name != rules.Why {
		m.noteWhy(h, commerce.Info)
	}
	if text == "" {
		return
	}
	to, user := h.msg.Answer, m.lang.NameOr(h.msg.Viewer.Name)
	generation := m.generation(receipt)
	m.later(t, speechOf{
		Speech: Speech{To: to, Rank: RankInfo}, notAfter: t.now.Add(answerFor), from: h.msg.Received, timing: &m.answering,
		words: func(private bool) Words {
			b := chat.Budget{Replies: true}
			if sp := m.speakers[to.Channel]; sp != nil {
				b = sp.Chat.Budget(to.Channel)
			}
			link := ""
			if private || !b.PublicOnly {
				link = m.receiptLink(receipt, generation, to.Channel, private)
			}
			if link == "" {
				link = m.room(show, to.Channel)
			}
			w := Words{Text: lang.Fill(text, "link", link), Link: link}
			if link == "" || !strings.Contains(w.Text, link) {
				w.Link = ""
			}
			if link == "" && h.cmd.Name == rules.Cart { // there is nothing to send
				w.Text = ""
			}
			if !private && (to.Kind != chat.ToReply || !b.Replies) && w.Text != "" {
				w.Text = "@" + user + " " + w.Text
			}
			return w
		},
	})
}

func (m *Merchant) later(t *turn, s speechOf) { t.speeches = append(t.speeches, s) }

// infoText is the answer; {link} in it is filled in when it is said. Empty means silence.
func (m *Merchant) infoText(now time.Time, h *heard, s *commerce.Show, receipt commerce.ID) string {
	l := m.lang
	switch h.cmd.Name {
	case rules.Help:
		return l.Help
	case rules.Connect:
		if m.codes.typed(strings.TrimSpace(h.cmd.Arg), h.msg.Viewer, now) {
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
		return l.CartEmpty
	}
	switch h.cmd.Name {
	case rules.Cart:
		if receipt == 0 {
			return l.CartEmpty
		}
		return l.Cart
	case rules.Me:
		return m.mine(now, receipt)
	case rules.Shop:
		return m.shop(s, now)
	case rules.Item:
		n := h.cmd.Item
		if n == 0 {
			n = s.Lineup.OnAir
		}
		v, ok := m.desk.View(s.ID, now)
		for i := range v.Items {
			if ok && v.Items[i].Number == n {
				return m.itemLine(&v.Items[i])
			}
		}
		return l.UnknownItem
	case rules.Why:
		w, ok := m.memoryOf(s.ID).why[who(h.msg.Viewer)]
		if !ok || now.Sub(w.at) > whyKept {
			return l.WhyNothing
		}
		return lang.Fill(l.Why, "reason", l.Reasons[w.reason])
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

// mine lists what a viewer holds and waits for.
func (m *Merchant) mine(now time.Time, receipt commerce.ID) string {
	l := m.lang
	v, ok := m.desk.Receipt(receipt, now)
	var parts []string
	for _, h := range v.Holds {
		if !ok || h.State != commerce.StateHeld || len(parts) == mineMost {
			continue
		}
		form := l.MeHold
		if h.Frozen {
			form = l.MeFrozen
		}
		o := commerce.Outcome{Title: h.Title, Label: h.Label}
		parts = append(parts, lang.Fill(form, "n", strconv.Itoa(h.Number), "what", what(&o, h.Quantity, titleShort), "time", l.Span(h.Due.Sub(now))))
	}
	for _, p := range v.Places {
		if len(parts) == mineMost {
			break
		}
		o := commerce.Outcome{Title: p.Title, Label: p.Label}
		parts = append(parts, lang.Fill(l.MePlace, "n", strconv.Itoa(p.Number), "what", what(&o, p.Quantity, titleShort), "place", strconv.Itoa(p.Position)))
	}
	if len(parts) == 0 {
		return l.CartEmpty
	}
	return lang.Fill(l.Me, "list", strings.Join(parts, "; ")) + l.Pay
}

// shop lists what is on sale, the item on air first.
func (m *Merchant) shop(s *commerce.Show, now time.Time) string {
	l := m.lang
	v, _ := m.desk.View(s.ID, now)
	var parts []string
	add := func(onAir bool) {
		for i := range v.Items {
			it := &v.Items[i]
			if !it.Closed && (it.Number == s.Lineup.OnAir) == onAir && len(parts) < shopMost {
				parts = append(parts, m.itemLine(it))
			}
		}
	}
	add(true)
	add(false)
	if len(parts) == 0 {
		return l.ShopEmpty
	}
	return lang.Fill(l.Shop, "list", strings.Join(parts, "; ")) + " {link}"
}

func (m *Merchant) itemLine(it *commerce.ItemView) string {
	l := m.lang
	left := l.InStock
	switch {
	case it.Free == 0 && it.Held > 0:
		left = l.AllHeld
	case it.Free == 0:
		left = l.Reasons[commerce.SoldOut]
	case it.Free > 0 && it.Free <= inStock:
		left = lang.Fill(l.LeftNumber, "n", strconv.FormatInt(it.Free, 10))
	}
	price := it.Price
	for i := range it.Stock {
		price = cmp.Or(price, it.Stock[i].Price)
	}
	return lang.Fill(l.ItemLine, "n", strconv.Itoa(it.Number), "item", shorten(it.Product.Title, titleShort), "price", price.String(), "left", left)
}
