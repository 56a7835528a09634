package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hawker/commerce"
)

// Errors of Checkout, for the viewer.
var (
	ErrNothingToPay = errors.New("nothing of this is held any more")
	ErrNoStore      = errors.New("this shop takes no payment online")
)

// errChanged means that a hold ended while the store made a checkout of it.
var errChanged = errors.New("what is held changed meanwhile")

// checkoutFor bounds the making of a checkout: the store's time and ours around it.
const checkoutFor = storeCall + 2*doFor

// TakesPayment reports whether a merchant has a store that takes payments; without one the host takes them by hand.
func (h *Hub) TakesPayment(merchant commerce.ID) bool {
	m := h.Merchant(merchant)
	return m != nil && m.store != nil
}

// Checkout is where a viewer pays for all that a receipt holds. The first time it makes the store set the pieces aside and
// adds five minutes; later it gives the same address again. It asks the store, so it may take seconds; the hold stands
// whatever comes of it. A second tap waits for the first and gets its address, because two checkouts of one hold would both
// be paid. What was begun is finished although the browser goes away, so that no draft is left that nobody knows of.
func (h *Hub) Checkout(ctx context.Context, merchant, receipt commerce.ID) (url string, err error) {
	m := h.Merchant(merchant)
	if m == nil {
		return "", ErrNotHere
	}
	if m.store == nil {
		return "", ErrNoStore
	}
	leave, err := m.store.paying.Enter(ctx, receipt)
	if err != nil {
		return "", err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkoutFor)
	defer cancel()
	for range 3 {
		if url, err = m.checkout(ctx, receipt); !errors.Is(err, errChanged) {
			break
		}
	}
	return url, err
}

// checkout is one try of Checkout.
func (m *Merchant) checkout(ctx context.Context, receipt commerce.ID) (string, error) {
	var fresh []commerce.HoldView
	var url string
	var mode commerce.StoreHolds
	var open, tried []commerce.ID
	err := m.look(ctx, func() {
		v, ok := m.desk.Receipt(receipt, time.Now())
		if !ok {
			return
		}
		mode = v.Show.Holds
		for _, x := range v.Holds {
			switch {
			case x.State != commerce.StateHeld:
			case x.Draft != "":
				url = x.Checkout
			default:
				fresh = append(fresh, x)
				open = append(open, x.ID)
				if x.Opened {
					tried = append(tried, x.ID)
				}
			}
		}
	})
	if err != nil {
		return "", err
	}
	if len(fresh) == 0 {
		if url == "" {
			return "", ErrNothingToPay
		}
		return url, nil
	}
	// The clock first: what the store is asked to reserve must not end before ours.
	if _, err := m.ask(ctx, &call{req: commerce.Opened{Holds: open}}); err != nil {
		return "", err
	}
	d := Draft{}
	err = m.look(ctx, func() {
		for _, id := range open {
			x, ok := m.desk.Hold(id)
			if !ok || x.State != commerce.StateHeld {
				continue
			}
			s := m.desk.Show(x.Show)
			it := s.Lineup.Item(x.Number)
			if it == nil || it.Variant(x.Variant) == nil {
				continue
			}
			v := it.Variant(x.Variant)
			d.Holds = append(d.Holds, x.ID)
			d.Lines = append(d.Lines, DraftLine{v.Store, x.Quantity, x.Price})
			d.Again = d.Again || slices.Contains(tried, x.ID)
			if x.Expires.After(d.Until) {
				d.Until = x.Expires
			}
		}
	})
	if err != nil {
		return "", err
	}
	if len(d.Holds) == 0 {
		return "", ErrNothingToPay
	}
	if mode == commerce.HoldsLink {
		return m.store.store.CartLink(d)
	}
	var made Drafted
	err = m.store.call(ctx, func(ctx context.Context) (err error) { made, err = m.store.store.Draft(ctx, d); return err })
	if err != nil {
		return "", fmt.Errorf("the shop did not make the checkout: %w", err)
	}
	if _, err := m.ask(ctx, &call{req: commerce.Drafted{Holds: d.Holds, Draft: made.ID, URL: made.URL, Created: made.Created}}); err != nil {
		return "", err
	}
	kept := false
	err = m.look(ctx, func() {
		x, ok := m.desk.Hold(d.Holds[0])
		kept = ok && x.Draft == made.ID
	})
	if err != nil {
		return "", err
	}
	if !kept {
		m.store.release(made.ID)
		return "", errChanged
	}
	return made.URL, nil
}
