package live

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/timing"
	"hawker/internal/seal"
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
}

// ChannelState is a channel as measured.
type ChannelState struct {
	chat.State
	Account string
	// Waiting is how much waits to be said by the account, Dropped what was given up since the start.
	Waiting, Dropped int
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
		mem := m.memoryOf(show)
		p.Feed, p.Chat, p.Viewers, p.Claimers = mem.feed.List(), mem.chat.List(), len(mem.spoke), len(mem.claimed)
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
		m.store.mu.Lock()
		p.Store = StoreState{true, m.store.lastRead, cmp.Or(m.store.stuck, m.store.trouble)}
		m.store.mu.Unlock()
	}
	p.Timing = Timings{m.deciding.Figures(), m.answering.Figures(), m.paying.Figures()}
	return p, nil
}

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
		if s.Trouble == "" && !m.linkable(c) {
			s.Trouble = "Answers carry no links, because our address leads only to this machine. Set HAWKER_PUBLIC_URL to what viewers can reach."
		}
		out = append(out, s)
	}
	return out
}

// Shows are a merchant's shows, the newest first.
func (h *Hub) Shows(ctx context.Context, merchant commerce.ID) ([]commerce.Show, error) {
	m := h.Merchant(merchant)
	if m == nil {
		return nil, ErrNotHere
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var out []commerce.Show
	err := m.look(ctx, func() { out = m.desk.Shows() })
	return out, err
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
	m := h.Merchant(merchant)
	if m == nil {
		return 0, ErrNotHere
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var id commerce.ID
	err := m.look(ctx, func() { id = m.desk.ReceiptOf(show, v) })
	return id, err
}

// Code is the code that binds a browser to whoever types it in a chat: "!connect CODE".
func (h *Hub) Code(merchant commerce.ID, browser seal.Token) (string, error) {
	m := h.Merchant(merchant)
	if m == nil {
		return "", ErrNotHere
	}
	return m.codes.Code(browser, time.Now())
}

// Typed is the viewer who typed the browser's code and whom its page asks about; false when nobody did.
func (h *Hub) Typed(merchant commerce.ID, browser seal.Token) (chat.Viewer, bool) {
	m := h.Merchant(merchant)
	if m == nil {
		return chat.Viewer{}, false
	}
	return m.codes.Waiting(browser, time.Now())
}

// Confirm binds the browser to the viewer who typed its code, or with yes false forgets that somebody did. The browser may
// then change and give back what that viewer holds.
func (h *Hub) Confirm(ctx context.Context, merchant commerce.ID, browser seal.Token, yes bool) error {
	m := h.Merchant(merchant)
	if m == nil {
		return ErrNotHere
	}
	v, ok := m.codes.Waiting(browser, time.Now())
	if !ok {
		return errors.New("nobody typed the code of this page yet")
	}
	if yes {
		if err := h.DB.BindBrowser(ctx, merchant, browser, v); err != nil {
			return err
		}
	}
	m.codes.Take(browser)
	return nil
}

// Own binds a browser to the viewer of a receipt by the token that only that viewer's private answers carry. ErrNotFound when
// the token is not the receipt's.
func (h *Hub) Own(ctx context.Context, merchant, receipt commerce.ID, token, browser seal.Token) error {
	v, err := h.Receipt(ctx, merchant, receipt)
	if err != nil {
		return err
	}
	want := h.ownToken(merchant, receipt, v.Receipt.Generation)
	if subtle.ConstantTimeCompare([]byte(want.Reveal()), []byte(token.Reveal())) != 1 {
		return ErrNotFound
	}
	return h.DB.BindBrowser(ctx, merchant, browser, v.Receipt.Viewer)
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

// Person is the person that a viewer counts as: the same for viewers that were joined.
func (h *Hub) Person(ctx context.Context, merchant commerce.ID, v chat.Viewer) (string, error) {
	m := h.Merchant(merchant)
	if m == nil {
		return "", ErrNotHere
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var person string
	err := m.look(ctx, func() { person = m.desk.Person(v) })
	return person, err
}
