package live

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// UnjoinFor is how long joining two accounts can be undone (product rule).
const UnjoinFor = 24 * time.Hour

// Joining is what a browser's page asks: does the viewer who typed its code sit here?
type Joining struct {
	Typed chat.Viewer
	// Own is whom the browser acts for already, then Typed is joined to that person; zero when the browser is only bound.
	Own chat.Viewer
}

// Joined is an account that was joined to a person and can be taken out again until a time.
type Joined struct {
	Viewer chat.Viewer
	Until  time.Time
}

// Code is the code that binds a browser to whoever types it in a chat: "!connect CODE".
func (h *Hub) Code(merchant commerce.ID, browser seal.Token) (string, error) {
	m := h.Merchant(merchant)
	if m == nil {
		return "", ErrNotHere
	}
	return m.codes.Code(browser, time.Now())
}

// Asked is what the browser's page asks, after somebody typed its code; false when nobody did.
func (h *Hub) Asked(ctx context.Context, merchant commerce.ID, browser seal.Token) (Joining, bool) {
	m := h.Merchant(merchant)
	if m == nil {
		return Joining{}, false
	}
	typed, ok := m.codes.Waiting(browser, time.Now())
	if !ok {
		return Joining{}, false
	}
	own, err := h.DB.ViewerOfBrowser(ctx, merchant, browser)
	if err != nil || who(own) == who(typed) {
		own = chat.Viewer{}
	}
	return Joining{Typed: typed, Own: own}, true
}

// Confirm takes the answer of a browser's page. With yes, a browser that acts for nobody acts for the viewer who typed its code
// from now on; of one that acts for a viewer already, the viewer who typed becomes the same person, so that caps and places in
// line count them together. With no it is forgotten that somebody typed.
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
		if err := h.join(ctx, m, browser, v); err != nil {
			return err
		}
	}
	m.codes.Take(browser)
	return nil
}

func (h *Hub) join(ctx context.Context, m *Merchant, browser seal.Token, v chat.Viewer) error {
	own, err := h.DB.ViewerOfBrowser(ctx, m.ID, browser)
	switch {
	case sqldb.IsNotFound(err):
		return h.DB.BindBrowser(ctx, m.ID, browser, v)
	case err != nil:
		return err
	case who(own) == who(v):
		return nil
	}
	person, err := h.Person(ctx, m.ID, own)
	if err != nil {
		return err
	}
	_, err = m.ask(ctx, &call{req: commerce.Bind{Viewer: v, Person: person}})
	return err
}

// JoinedOf are the accounts that were joined to the person of a viewer and can still be taken out, the newest first.
func (h *Hub) JoinedOf(ctx context.Context, merchant commerce.ID, v chat.Viewer) ([]Joined, error) {
	person, err := h.Person(ctx, merchant, v)
	if err != nil {
		return nil, err
	}
	binds, err := h.DB.JoinedTo(ctx, merchant, person, time.Now().Add(-UnjoinFor))
	if err != nil {
		return nil, err
	}
	var out []Joined
	for _, b := range binds {
		if b.Viewer.Platform != chat.Room { // a browser's own claims went over to who sits at it
			out = append(out, Joined{b.Viewer, b.At.Add(UnjoinFor)})
		}
	}
	return out, nil
}

// Unjoin makes a viewer a person of their own again, with all that this viewer asked for. A browser may ask for it that acts for
// a viewer of the same person, for a day after the joining; else ErrNotFound.
func (h *Hub) Unjoin(ctx context.Context, merchant commerce.ID, browser seal.Token, v chat.Viewer) error {
	m := h.Merchant(merchant)
	if m == nil {
		return ErrNotHere
	}
	own, err := h.DB.ViewerOfBrowser(ctx, merchant, browser)
	if sqldb.IsNotFound(err) {
		return ErrNotFound
	} else if err != nil {
		return err
	}
	all, err := h.JoinedOf(ctx, merchant, own)
	if err != nil {
		return err
	}
	for _, j := range all {
		if who(j.Viewer) == who(v) {
			_, err := m.ask(ctx, &call{req: commerce.Bind{Viewer: v}})
			return err
		}
	}
	return ErrNotFound
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
