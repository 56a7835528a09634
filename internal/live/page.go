package live

import (
	"context"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/shop"
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
	Pending           []Pending // shout-outs that the host may stop, the next first
	Store             StoreState
	Timing            Timings
	// Restored is when the merchant's data came from a backup, zero when all is well: nothing is sold until RestoreWaits, which
	// says in words what selling waits for, has come.
	Restored     time.Time
	RestoreWaits string
}

// What is measured; see packages shop and timing.
type (
	StoreState = shop.State
	Figures    = timing.Figures
	Timings    = timing.All
)

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
		p.Restored, p.Pending = m.desk.Restored(), m.pendings(show, time.Now())
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
	slices.Reverse(p.Feed)
	p.Merchant = m.about
	p.Channels = m.channelStates(p.Show.Channels)
	if m.store != nil {
		read, trouble, waits := m.store.State()
		p.Store, p.RestoreWaits = StoreState{Connected: true, Read: read, Trouble: trouble}, waits
	}
	switch {
	case p.Restored.IsZero():
		p.RestoreWaits = ""
	case m.store == nil:
		p.RestoreWaits = "Compare what is in stock with what is shown here, then open the sale."
	case p.RestoreWaits == "":
		p.RestoreWaits = "The store is being read."
	}
	p.Timing = Timings{Decide: m.deciding.Figures(), Answer: m.answering.Figures(), Shout: m.paying.Figures()}
	return p, nil
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
	found := false
	v, err := seen(ctx, h, merchant, func(m *Merchant) (v commerce.ReceiptView) {
		v, found = m.desk.Receipt(receipt, time.Now())
		return v
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return v, err
}

// Cart is the receipt at which a viewer sees all that they have in a show, 0 when that is nothing.
func (h *Hub) Cart(ctx context.Context, merchant, show commerce.ID, v chat.Viewer) (commerce.ID, error) {
	return seen(ctx, h, merchant, func(m *Merchant) commerce.ID { return m.desk.Cart(show, v) })
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
