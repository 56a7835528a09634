package live

import (
	"context"
	"time"

	"hawker/commerce"
	"hawker/internal/live/account"
)

// till is a merchant as its store's worker sees it.
type till struct{ m *Merchant }

// Look is that of shop.Till.
func (t till) Look(ctx context.Context, f func(d *commerce.Desk)) error {
	return t.m.look(ctx, func() { f(t.m.desk) })
}

// Decide is that of shop.Till.
func (t till) Decide(ctx context.Context, r commerce.Request, inbox string, came time.Time) error {
	_, err := t.m.ask(ctx, &call{req: r, inbox: inbox, paid: came})
	return err
}

// Unwell is that of shop.Till: after a restore the credentials of chats came from the backup too.
func (t till) Unwell() string { return account.Unwell(t.m.accounts) }

// TakesPayment reports whether a merchant has a store that takes payments; without one the host takes them by hand.
func (h *Hub) TakesPayment(merchant commerce.ID) bool {
	m := h.Merchant(merchant)
	return m != nil && m.store != nil
}

// Checkout is where a viewer pays for all that a receipt holds; see shop.Worker.Checkout. Errors: ErrNotHere, ErrNoStore,
// ErrNothingToPay, ErrGone, the store's own.
func (h *Hub) Checkout(ctx context.Context, merchant, receipt commerce.ID) (url string, err error) {
	m := h.Merchant(merchant)
	if m == nil {
		return "", ErrNotHere
	}
	if m.store == nil {
		return "", ErrNoStore
	}
	return m.store.Checkout(ctx, receipt)
}

// Webhook takes note that a webhook of the merchant was stored.
func (h *Hub) Webhook(merchant commerce.ID) {
	if m := h.Merchant(merchant); m != nil && m.store != nil {
		m.store.Webhook()
	}
}
