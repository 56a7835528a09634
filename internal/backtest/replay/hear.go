package replay

import (
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/edits"
	"hawker/internal/live/hosting"
	"hawker/internal/live/ruling"
	"hawker/rules"
)

// heard is a line of a step with what it means, as Merchant.hear of package live takes it.
type heard struct {
	line  *Line
	at    int // in the step
	first bool
	old   bool
	added int
	cmd   rules.Command
}

// key is the key under which the line is decided once.
func (h *heard) key() commerce.Key {
	m := &h.line.Message
	k := commerce.Key{Platform: m.Channel.Platform, Message: m.ID}
	if m.Edited {
		k.Part = edits.Part(time.Time{}, time.Time{}, m.Text) // any other than that of the line and of another edit
	}
	return k
}

// answer says in a line's answer what the till decided.
func (h *heard) answer(a *Answer, o *commerce.Outcome) {
	a.Reason, a.Number, a.Title, a.Label, a.Holding, a.Waiting, a.Place = o.Reason, o.Number, o.Title, o.Label, o.Holding, o.Waiting, o.Place
}

// hear takes a line into the step: what rules make of it, and what it asks of the till.
func (w *world) hear(now time.Time, shared *heard) {
	x := *shared
	h := &x
	l := h.line
	m := &l.Message
	h.at, h.cmd = len(w.answers), w.parse(l)
	w.turn = append(w.turn, h)
	w.answers = append(w.answers, Answer{Reason: h.cmd.Reason, own: h.cmd.Reason})
	why := func(r commerce.Reason) { w.answers[h.at].Reason, w.answers[h.at].own = r, r }
	mute := m.Own || m.Bot || m.Source != ""
	if !mute && !m.Roles.Has(chat.Moderator|chat.Owner) {
		w.desk.Seen(w.show, m.Viewer, trusted(m.Roles), now)
	}
	c := h.cmd
	if edits.Editable(m.Channel.Platform) && w.edited(h) {
		why(commerce.Duplicate)
		return
	}
	if c.Name == rules.Chat || c.Name == rules.Question {
		w.askRules(now, h)
		return
	}
	if w.blocked[who(m.Viewer)] || l.Reason == commerce.Blocked {
		why(commerce.Blocked)
		return
	}
	w.where[who(m.Viewer)] = m.Channel
	if (c.Name.Claims() || c.Name.Host()) && h.old {
		why(commerce.TooOld)
		return
	}
	ok, same := w.pace.May(m.Viewer, c.Signature, now)
	switch {
	case !ok || l.Reason == commerce.Limited: // or it could not be decided in the show, whatever it meant
		why(commerce.Limited)
		return
	case same && c.Name.Claims() && !m.Edited:
		why(commerce.Duplicate)
		return
	}
	w.askRules(now, h)
	switch {
	case c.Name.Claims():
		w.claims(h)
	case c.Name.Host():
		w.host(h, why)
	case c.Name != rules.Why:
		why(commerce.Info)
	}
}

// parse reads a line as its viewer meant it. Whether the item on air had just changed is not recorded; a line that named none and
// was asked about then tells it.
func (w *world) parse(l *Line) rules.Command {
	m := &l.Message
	in := rules.Context{OnAir: l.OnAir, Reply: m.ReplyTo != "", Tap: m.Command, Mute: m.Own || m.Bot || m.Source != ""}
	if s := w.desk.Show(w.show); w.r.onAirThen != s.Lineup.OnAir { // rules put another item on air than was in the show
		in.OnAir = s.Lineup.OnAir
	}
	c := w.grammar.Parse(m.Text, in)
	if l.Command.Reason == commerce.NeedsItem && c.Reason == "" && c.Shown {
		in.Unsure = true
		c = w.grammar.Parse(m.Text, in)
	}
	return c
}

func (w *world) askRules(now time.Time, h *heard) {
	l := h.line
	m := &l.Message
	if m.Own || m.Bot || m.Source != "" || m.Edited {
		return
	}
	about := ruling.About{Show: w.show, Number: l.OnAir, Channel: m.Channel, Viewer: m.Viewer, Roles: m.Roles, Answer: m.Answer, Message: m.ID}
	w.take(now, w.ask.line(now, l, h, about, func() bool { return !h.old && !w.blocked[who(m.Viewer)] }), nil, h)
	w.ask.counted(now, m.Channel, func(x *ruling.Happening, made made) { w.take(now, made, x, nil) })
}

// edited reads an edit against what its line meant before; true when it means the same.
func (w *world) edited(h *heard) (same bool) {
	m, c := &h.line.Message, h.cmd
	before, known := w.edits.Note(m.Channel.Platform, m.ID, c)
	if !m.Edited {
		return false
	}
	if known && edits.Alike(before, c) {
		return true
	}
	if c.Name != rules.Buy && c.Name != rules.Wait || c.Reason != "" {
		w.asks = append(w.asks, commerce.Retract{Message: m.Channel.Platform, ID: m.ID})
		return false
	}
	if c.Add && known && before.Add && before.Reason == "" && before.Item == c.Item && before.Variant == c.Variant {
		h.added = before.Quantity
	}
	return false
}

// request adds what a line asks of the till.
func (w *world) request(h *heard, k commerce.Key, r commerce.Request) {
	w.byKey[k] = h
	w.asks = append(w.asks, r)
}

// claims turns a claiming line into a request.
func (w *world) claims(h *heard) {
	c, m := h.cmd, &h.line.Message
	a := commerce.Ask{Key: h.key(), Show: w.show, Viewer: m.Viewer, Answer: m.Answer, Sent: m.Sent, Trusted: trusted(m.Roles)}
	ask := func(r commerce.Request) { w.request(h, a.Key, r) }
	if c.Reason != "" {
		ask(commerce.Claim{Ask: a, Number: c.Item, Quantity: c.Quantity, Edited: m.Edited, Unclear: c.Reason})
		return
	}
	if n := c.Quantity - h.added; h.added > 0 {
		if c.Quantity = n; n < 0 {
			ask(commerce.Change{Ask: a, Number: c.Item, Variant: c.Variant, Delta: n})
			return
		}
	}
	switch c.Name {
	case rules.Buy, rules.Wait:
		ask(commerce.Claim{Ask: a, Number: c.Item, Variant: c.Variant, Quantity: c.Quantity, Add: c.Add, Wait: c.Name == rules.Wait, Edited: m.Edited})
	case rules.Pass:
		ask(commerce.Pass{Ask: a, Number: c.Item, Variant: c.Variant})
	case rules.Less:
		ask(commerce.Change{Ask: a, Number: c.Item, Variant: c.Variant, Delta: -c.Quantity})
	case rules.More:
		ask(commerce.Change{Ask: a, Number: c.Item, Variant: c.Variant, Delta: c.Quantity})
	}
}

// host turns what the host or a moderator typed into requests.
func (w *world) host(h *heard, why func(commerce.Reason)) {
	c, key, m := h.cmd, h.key(), &h.line.Message
	if !m.Roles.Has(chat.Moderator | chat.Owner) {
		why(commerce.HostOnly)
		return
	}
	if c.Reason != "" {
		why(c.Reason)
		return
	}
	why(commerce.Info)
	ask := func(r commerce.Request) { w.asks = append(w.asks, r) }
	s := w.desk.Show(w.show)
	switch c.Name {
	case rules.Next:
		ask(commerce.Air{Key: key, Show: s.ID, Number: hosting.Next(&s.Lineup)})
	case rules.Air:
		ask(commerce.Air{Key: key, Show: s.ID, Number: c.Item})
	case rules.Off:
		ask(commerce.Air{Key: key, Show: s.ID})
	case rules.Close, rules.Open:
		if c.Item != 0 {
			ask(commerce.Gate{Key: key, Show: s.ID, Number: c.Item, Closed: c.Name == rules.Close})
		}
	case rules.Pause, rules.Resume:
		ask(commerce.Gate{Key: key, Show: s.ID, Closed: c.Name == rules.Pause})
	case rules.Stock:
		if r, ok := hosting.Stock(&s.Lineup, c); ok {
			w.stocked(r)
			r.Key = key
			ask(r)
		}
	case rules.Release, rules.Block:
		name := strings.TrimPrefix(strings.TrimSpace(c.Arg), "@")
		if name == "" {
			return
		}
		for i, v := range w.r.named(m.Channel.Platform, name) {
			if c.Name == rules.Block {
				w.blocked[who(v)] = true
			}
			key.Part = h.key().Part + i
			ask(commerce.Pass{Ask: commerce.Ask{Key: key, Show: s.ID, Viewer: v}})
		}
	}
}

// stocked notes what a change of stock does to the supply.
func (w *world) stocked(r commerce.SetStock) {
	if r.Available != nil {
		st, _ := w.desk.Stock(r.Variant)
		w.supply[r.Variant] = max(0, *r.Available) + st.Sold
	}
	w.supply[r.Variant] += r.Add
}
