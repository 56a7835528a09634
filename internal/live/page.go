package live

import (
	"context"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/timing"
	"hawker/internal/sqldb"
)

// ShowPage is all that pages show of a show, as it stands.
type ShowPage struct {
	commerce.ShowView
	Merchant sqldb.Merchant
	Feed     []FeedLine // newest first
	Chat     []ChatLine // oldest first
	// Viewers is how many people spoke, Claimers how many claimed, since this node serves the show.
	Viewers, Claimers int
	Channels          []ChannelState
	Store             StoreState
	Timing            Timings
	// Restored is when the merchant's data came from a backup, zero when all is well: nothing is sold until RestoreWaits, which
	// says in words what selling waits for, has come.
	Restored     time.Time
	RestoreWaits string
}

// ChannelState is a channel as measured.
type ChannelState struct {
	chat.State
	Account string
	// Waiting is how much waits to be said by the account, Dropped what was given up since the start.
	Waiting, Dropped int
	// Clock is by how much the platform's time stamps lie behind our clock at least.
	Clock time.Duration
}

// StoreState is the store as measured.
type StoreState struct {
	Connected bool
	Read      time.Time // when stock was last read
	Trouble   string
}

// Figures sum measurements of one kind up.
type Figures = timing.Figures

// Timings are how fast it went, in the last 512 cases each.
type Timings struct {
	Decide timing.Figures // from a line's arrival to its durable decision
	Answer timing.Figures // from a line's arrival until the platform accepted the answer
	Shout  timing.Figures // from a payment's webhook until the first platform accepted the shout-out
}

// lookFor bounds how long a page waits for the merchant's goroutine.
const lookFor = 3 * time.Second

// Page is a show as it stands. ErrNotFound when there is no such show, ErrNotHere when nobody serves the merchant here.
func (h *Hub) Page(ctx context.Context, merchant, show commerce.ID) (ShowPage, error) {
	m := h.Merchant(merchant)
	if m == nil {
		return ShowPage{}, ErrNotHere
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var p ShowPage
	found := false
	err := m.look(ctx, func() {
		p.ShowView, found = m.desk.View(show, time.Now())
		if !found {
			return
		}
		p.Restored = m.desk.Restored()
		mem := m.memoryOf(show)
		p.Feed, p.Chat = mem.Feed(), mem.Chat()
		p.Viewers, p.Claimers = mem.Figures()
	})
	if err != nil {
		return p, err
	}
	if !found {
		return p, ErrNotFound
	}
	for i, j := 0, len(p.Feed)-1; i < j; i, j = i+1, j-1 {
		p.Feed[i], p.Feed[j] = p.Feed[j], p.Feed[i]
	}
	p.Merchant = m.about
	p.Channels = m.channelStates(p.Show.Channels)
	if m.store != nil {
		read, trouble, waits := m.store.State()
		p.Store, p.RestoreWaits = StoreState{true, read, trouble}, waits
	}
	switch {
	case p.Restored.IsZero():
		p.RestoreWaits = ""
	case m.store == nil:
		p.RestoreWaits = "Compare what is in stock with what is shown here, then open the sale."
	case p.RestoreWaits == "":
		p.RestoreWaits = "The store is being read."
	}
	p.Timing = Timings{m.deciding.Figures(), m.answering.Figures(), m.paying.Figures()}
	return p, nil
}

// clockWrong is from what difference on a platform's clock is shown as wrong.
const clockWrong = 30 * time.Second

// channelStates are the states of channels, in their order; a channel that no account serves says so.
func (m *Merchant) channelStates(channels []chat.Channel) []ChannelState {
	var out []ChannelState
	for _, c := range channels {
		s := ChannelState{State: chat.State{Channel: c, Trouble: "no account is connected for this channel"}}
		for _, a := range m.accounts {
			for _, st := range a.Chat.States() {
				if st.Channel != c {
					continue
				}
				s.State, s.Account = st, a.Name
				s.Waiting, s.Dropped = a.speaker.Waiting()
				a.mu.Lock()
				if a.trouble != "" {
					s.Trouble = a.trouble
				}
				a.mu.Unlock()
			}
		}
		if st := (*m.stages.Load())[c]; st != nil {
			s.Clock = st.clock.Least()
		}
		if s.Trouble == "" && (s.Clock > clockWrong || s.Clock < -clockWrong) {
			s.Trouble = "Its clock and ours differ by " + s.Clock.Abs().Round(time.Second).String() + ". Claims are taken all the same."
		}
		if s.Trouble == "" && !m.linkable(c) {
			s.Trouble = "Answers carry no links, because our address leads only to this machine. Set HAWKER_PUBLIC_URL to what viewers can reach."
		}
		out = append(out, s)
	}
	return out
}

// seen is what f sees in the goroutine of a merchant that is served here. Errors: ErrNotHere.
func seen[T any](ctx context.Context, h *Hub, merchant commerce.ID, f func(m *Merchant) T) (out T, err error) {
	m := h.Merchant(merchant)
	if m == nil {
		return out, ErrNotHere
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	err = m.look(ctx, func() { out = f(m) })
	return out, err
}

// Shows are a merchant's shows, the newest first.
func (h *Hub) Shows(ctx context.Context, merchant commerce.ID) ([]commerce.Show, error) {
	return seen(ctx, h, merchant, func(m *Merchant) []commerce.Show { return m.desk.Shows() })
}

// Receipt is a viewer's page as it stands.
func (h *Hub) Receipt(ctx context.Context, merchant, receipt commerce.ID) (commerce.ReceiptView, error) {
	m := h.Merchant(merchant)
	if m == nil {
		return commerce.ReceiptView{}, ErrNotHere
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var v commerce.ReceiptView
	found := false
	err := m.look(ctx, func() { v, found = m.desk.Receipt(receipt, time.Now()) })
	if err == nil && !found {
		err = ErrNotFound
	}
	return v, err
}

// ReceiptOf is the receipt of a viewer in a show, 0 when the viewer has none there.
func (h *Hub) ReceiptOf(ctx context.Context, merchant, show commerce.ID, v chat.Viewer) (commerce.ID, error) {
	return seen(ctx, h, merchant, func(m *Merchant) commerce.ID { return m.desk.ReceiptOf(show, v) })
}

// Totals are figures for operators, over all merchants served here.
type Totals struct {
	Lines, Commands, Unseen, Limited, Commits, Failed, Said, Unsaid, Unlogged, Waiting int64
	Merchants                                                                          int
}

// Totals adds the counters up.
func (h *Hub) Totals() Totals {
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := Totals{Merchants: len(h.merchants)}
	for _, r := range h.merchants {
		m := r.m
		t.Lines += m.lines.Load()
		t.Commands += m.commands.Load()
		t.Unseen += m.unseen.Load()
		t.Limited += m.limited.Load()
		t.Commits += m.commits.Load()
		t.Failed += m.failed.Load()
		t.Said += m.said.Load()
		t.Unsaid += m.unsaid.Load()
		t.Unlogged += m.unlogged.Load()
		t.Waiting += int64(len(m.jobs))
	}
	return t
}

// Ready reports an error while a merchant that this node should serve is not served yet.
func (h *Hub) Ready() error {
	h.init()
	select {
	case <-h.started:
		return nil
	default:
		return ErrNotHere
	}
}
