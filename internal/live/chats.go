package live

import (
	"context"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live/account"
	"hawker/internal/live/manners"
	"hawker/internal/live/rival"
	"hawker/internal/live/signal"
	"hawker/internal/live/speaker"
	"hawker/rules"
	"hawker/rules/rule"
)

// Pending is a shout-out that waits for the host's veto.
type Pending struct {
	ID   commerce.ID
	Who  string // empty when no name is in it
	Text string
	Due  time.Time
}

// clockWrong is from what difference on a platform's clock is shown as wrong.
const clockWrong = 30 * time.Second

// channelStates are the states of channels, in their order; a channel that no account serves says so.
func (m *Merchant) channelStates(channels []chat.Channel) []ChannelState {
	out := account.States(m.accounts, channels, m.voice.Zone)
	for i := range out {
		s := &out[i]
		c := s.Channel
		if st := (*m.stages.Load())[c]; st != nil {
			s.Clock, s.Show = st.Clock.Least(), st.Show
			s.Rivals = slices.DeleteFunc(s.Rivals, func(f rival.Found) bool {
				return m.manners.Left(f.Word) || st.Grammar.Parse("!"+f.Word, rules.Context{}).Name == rules.Chat
			})
		}
		s.Muted, _ = m.manners.Muted(c, s.Show)
		if s.Trouble == "" && (s.Clock > clockWrong || s.Clock < -clockWrong) {
			s.Trouble = "Its clock and ours differ by " + s.Clock.Abs().Round(time.Second).String() + ". Claims are taken all the same."
		}
		if s.Trouble == "" && !m.linkable(c) {
			s.Trouble = "Answers carry no links, because our address leads only to this machine. Set HAWKER_PUBLIC_URL to what viewers can reach."
		}
	}
	return out
}

// Chats are the states of all channels of a merchant's accounts. Errors: ErrNotHere.
func (h *Hub) Chats(merchant commerce.ID) ([]ChannelState, error) {
	m := h.Merchant(merchant)
	if m == nil {
		return nil, ErrNotHere
	}
	var all []chat.Channel
	for _, a := range m.accounts {
		all = append(all, a.Channels...)
	}
	return m.channelStates(all), nil
}

// Manners are how a merchant's bot behaves in chats; nil when nobody serves the merchant here.
func (h *Hub) Manners(merchant commerce.ID) *manners.House {
	if m := h.Merchant(merchant); m != nil {
		return &m.manners
	}
	return nil
}

// Behave changes how a merchant's bot behaves in chats. It holds when it returns, and after a restart. Errors: ErrNotHere,
// *manners.FaultError, the database's own.
func (h *Hub) Behave(ctx context.Context, merchant commerce.ID, changes ...manners.Manner) error {
	m := h.Merchant(merchant)
	if m == nil {
		return ErrNotHere
	}
	if err := m.manners.Do(ctx, changes...); err != nil {
		return err
	}
	return m.look(ctx, func() {
		m.restage() // commands may be called otherwise
		m.hush()
	})
}

// hush silences the channels that are muted, and no others, and has the pages show it.
func (m *Merchant) hush() {
	for c, sp := range m.speakers {
		show := commerce.ID(0)
		if st := (*m.stages.Load())[c]; st != nil {
			show = st.Show
		}
		_, muted := m.manners.Muted(c, show)
		sp.Mute(c, muted)
	}
	m.chatsChanged()
	for _, s := range m.desk.EachShow() {
		if s.State == commerce.ShowLive {
			m.changed[s.ID] = true
		}
	}
}

// byPause marks a mute that came with "!pause", and ends with the pause.
const byPause = "pause"

// paused has the bot fall silent with a show that was paused by a line, after one word on it; or speak again.
func (m *Merchant) paused(h *heard, show commerce.ID, on bool, now time.Time) {
	m.manners.Note(manners.Manner{Kind: manners.Mute, Name: manners.OfShow(show), Value: byPause, By: manners.ByViewer(h.msg.Viewer), Off: !on})
	m.hush()
	if sp := m.speakers[h.msg.Channel]; on && sp != nil {
		to, text := chat.Answer{Kind: chat.ToChannel, Channel: h.msg.Channel}, m.voice.Lang.Paused
		sp.Say(&speaker.Utterance{
			Rank: speaker.RankDrop, To: to, NotAfter: now.Add(answerFor), Anyway: true,
			Words: func(bool) speaker.Words { return speaker.Words{Text: text} }, Done: func(time.Time, error) {},
		})
	}
}

// resumed ends the silence of shows that go on selling, whoever resumed them.
func (m *Merchant) resumed(t *turn) {
	for i := range t.outcomes {
		o := &t.outcomes[i]
		if o.What != commerce.Gated || o.Number != 0 || m.desk.Show(o.Show) == nil || m.desk.Show(o.Show).Paused {
			continue
		}
		if x, ok := m.manners.Muted(chat.Channel{}, o.Show); ok && x.Value == byPause {
			x.Off, x.By, x.At = true, "resume", t.now
			m.manners.Note(x)
			m.hush()
		}
	}
}

// chatsChanged tells pages that something about the chats changed.
func (m *Merchant) chatsChanged() { m.hub.signal(m.ID, Signal{Kind: signal.Chats}) }

// TryChannel says a test line in a channel; what comes of it is in the channel's state. by is who asked. Errors: ErrNotHere,
// ErrNotFound for a channel that no account serves.
func (h *Hub) TryChannel(merchant commerce.ID, c chat.Channel, by string) error {
	m := h.Merchant(merchant)
	if m == nil {
		return ErrNotHere
	}
	for _, a := range m.accounts {
		if a.Try(c, by, m.chatsChanged) {
			m.chatsChanged()
			return nil
		}
	}
	return ErrNotFound
}

// pendings are the shout-outs of a show that the host may still stop.
func (m *Merchant) pendings(show commerce.ID, now time.Time) []Pending {
	var out []Pending
	for i := range m.later {
		w := m.later[i].want
		if w.At.Sub(now) > max(m.manners.Wait(), manners.VetoFor) {
			break
		}
		if w.Do != rule.ShoutOut || w.Show != show {
			continue
		}
		p := Pending{ID: m.later[i].id, Text: m.manners.Decent(w.Viewer, w.Text, m.voice.Lang.Somebody), Due: w.At}
		if name := lang.Name(w.Viewer.Name); name != "" && m.manners.Allows(name) {
			p.Who = name
		}
		out = append(out, p)
	}
	return out
}

// Veto stops a shout-out that waits: with whole it is not made at all, else it is made without the name, and the viewer is not
// called by it from now on. Errors: ErrNotHere, ErrNotFound when it is out already.
func (h *Hub) Veto(ctx context.Context, merchant, shout commerce.ID, whole bool, by string) error {
	m := h.Merchant(merchant)
	if m == nil {
		return ErrNotHere
	}
	found := false
	err := m.look(ctx, func() {
		i := slices.IndexFunc(m.later, func(p planned) bool { return p.id == shout && p.want.Do == rule.ShoutOut })
		if found = i >= 0; !found {
			return
		}
		p := m.later[i]
		m.changed[p.want.Show] = true
		if whole {
			m.later = slices.Delete(m.later, i, i+1)
			m.done(p)
			m.log.Info("a shout-out was stopped", "by", by)
			return
		}
		m.manners.Note(manners.Manner{Kind: manners.Hide, Name: manners.OfViewer(p.want.Viewer), Value: p.want.Viewer.Name, By: by})
		m.chatsChanged()
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return err
}
