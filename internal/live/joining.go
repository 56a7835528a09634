package live

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/joining"
	"hawker/internal/seal"
)

// UnjoinFor is how long joining two accounts can be undone (product rule).
const UnjoinFor = joining.UnjoinFor

// Joining and Joined are what pages ask and list; see package joining.
type (
	Joining = joining.Joining
	Joined  = joining.Joined
)

// joining is where the accounts of a merchant's viewers are joined. Errors: ErrNotHere.
func (h *Hub) joining(merchant commerce.ID) (*joining.Desk, error) {
	m := h.Merchant(merchant)
	if m == nil {
		return nil, ErrNotHere
	}
	return &joining.Desk{
		Merchant: merchant, DB: h.DB, Codes: &m.codes, Person: func(ctx context.Context, v chat.Viewer) (string, error) { return h.Person(ctx, merchant, v) },
		Bind: func(ctx context.Context, b commerce.Bind) error { _, err := m.ask(ctx, &call{req: b}); return err },
	}, nil
}

// Code is the code that binds a browser to whoever types it in a chat: "!connect CODE".
func (h *Hub) Code(merchant commerce.ID, browser seal.Token) (string, error) {
	d, err := h.joining(merchant)
	if err != nil {
		return "", err
	}
	return d.Codes.Code(browser, time.Now())
}

// Asked is what the browser's page asks, after somebody typed its code; false when nobody did.
func (h *Hub) Asked(ctx context.Context, merchant commerce.ID, browser seal.Token) (Joining, bool) {
	if d, err := h.joining(merchant); err == nil {
		return d.Asked(ctx, browser)
	}
	return Joining{}, false
}

// Confirm takes the answer of a browser's page; see joining.Desk.Confirm.
func (h *Hub) Confirm(ctx context.Context, merchant commerce.ID, browser seal.Token, yes bool) error {
	d, err := h.joining(merchant)
	if err != nil {
		return err
	}
	return d.Confirm(ctx, browser, yes)
}

// JoinedOf are the accounts that were joined to the person of a viewer and can still be taken out, the newest first.
func (h *Hub) JoinedOf(ctx context.Context, merchant commerce.ID, v chat.Viewer) ([]Joined, error) {
	d, err := h.joining(merchant)
	if err != nil {
		return nil, err
	}
	return d.JoinedOf(ctx, v)
}

// Unjoin makes a viewer a person of their own again; see joining.Desk.Unjoin. ErrNotFound where the browser may not.
func (h *Hub) Unjoin(ctx context.Context, merchant commerce.ID, browser seal.Token, v chat.Viewer) error {
	d, err := h.joining(merchant)
	if err != nil {
		return err
	}
	if err = d.Unjoin(ctx, browser, v); errors.Is(err, joining.ErrNotTheir) {
		return ErrNotFound
	}
	return err
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

// Person is the person that a viewer counts as: the same for viewers that were joined.
func (h *Hub) Person(ctx context.Context, merchant commerce.ID, v chat.Viewer) (string, error) {
	return seen(ctx, h, merchant, func(m *Merchant) string { return m.desk.Person(v) })
}

// Visited notes that a viewer has a page of a show open: who is present counts where pieces are scarce. It never blocks.
func (h *Hub) Visited(merchant, show commerce.ID, v chat.Viewer) {
	m := h.Merchant(merchant)
	if m == nil {
		return
	}
	select {
	case m.jobs <- job{query: func() {
		if m.desk != nil {
			m.desk.Seen(show, v, false, time.Now())
		}
	}}:
	default: // overload: claims go first
	}
}
