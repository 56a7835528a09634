package shop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hawker/commerce"
)

// ErrNothingToPay is for the viewer: what was to be paid is held no more.
var ErrNothingToPay = errors.New("nothing of this is held any more")

// ErrGone is for the viewer: what was only offered went to who paid first. It is an ErrNothingToPay.
var ErrGone = fmt.Errorf("others paid first and nothing of it is left: %w", ErrNothingToPay)

// errChanged means that a hold ended while the store made a checkout of it.
var errChanged = errors.New("what is held changed meanwhile")

// tillFor is how long the till may take to decide.
const tillFor = 3 * time.Second

// checkoutFor bounds the making of a checkout: the store's time and ours around it.
const checkoutFor = storeCall + 2*tillFor

// Checkout is where a viewer pays for all that a receipt shows: what the person holds, with whichever account. The first time it makes the store set the pieces aside and
// adds five minutes; later it gives the same address again. It asks the store, so it may take seconds; the hold stands
// whatever comes of it. A second tap waits for the first and gets its address, because two checkouts of one hold would both
// be paid. What was begun is finished although the browser goes away, so that no draft is left that nobody knows of.
func (w *Worker) Checkout(ctx context.Context, receipt commerce.ID) (url string, err error) {
	cart := receipt
	if err := w.Till.Look(ctx, func(d *commerce.Desk) {
		if v, ok := d.Receipt(receipt, time.Now()); ok {
			cart = v.Cart
		}
	}); err != nil {
		return "", err
	}
	leave, err := w.paying.Enter(ctx, cart)
	if err != nil {
		return "", err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkoutFor)
	defer cancel()
	for range 3 {
		if url, err = w.checkout(ctx, receipt); !errors.Is(err, errChanged) {
			break
		}
	}
	return url, err
}

// checkout is one try of Checkout.
func (w *Worker) checkout(ctx context.Context, receipt commerce.ID) (string, error) {
	var url string
	var mode commerce.StoreHolds
	var open, offered, tried, over []commerce.ID
	gone, dead := false, ""
	err := w.Till.Look(ctx, func(desk *commerce.Desk) {
		v, ok := desk.Receipt(receipt, time.Now())
		if !ok {
			return
		}
		mode = v.Show.Holds
		there := payable(desk)
		for _, x := range v.Holds {
			if x.State == commerce.StateOffered && x.Draft != "" && there(&x.Hold) < x.Quantity {
				dead = x.Draft
			}
		}
		there = payable(desk)
		for _, x := range v.Holds {
			switch {
			case !x.Open():
				continue
			case x.State == commerce.StateOffered && dead != "" && x.Draft == dead:
				over = append(over, x.ID)
				continue
			case x.Draft != "":
				url = x.Checkout
				continue
			case x.State != commerce.StateOffered:
				open = append(open, x.ID)
			case there(&x.Hold) == 0:
				gone = true
				continue
			default:
				offered = append(offered, x.ID)
			}
			if x.Opened {
				tried = append(tried, x.ID)
			}
		}
	})
	if err != nil {
		return "", err
	}
	if dead != "" { // others paid first: this checkout asks for more than is there
		return "", w.drop(ctx, over, dead)
	}
	// What is held and what is only offered are paid apart: a checkout that sets one aside would set the other aside, too.
	reserve := len(open) > 0
	if !reserve {
		open = offered
	}
	if len(open) == 0 {
		switch {
		case url != "":
			return url, nil
		case gone:
			return "", ErrGone
		}
		return "", ErrNothingToPay
	}
	// The clock first: what the store is asked to reserve must not end before ours.
	if err := w.Till.Decide(ctx, commerce.Opened{Holds: open}, "", time.Time{}); err != nil {
		return "", err
	}
	d := Draft{}
	err = w.Till.Look(ctx, func(desk *commerce.Desk) {
		there := payable(desk)
		for _, id := range open {
			x, ok := desk.Hold(id)
			if !ok || !x.Open() {
				continue
			}
			s := desk.Show(x.Show)
			it := s.Lineup.Item(x.Number)
			if it == nil || it.Variant(x.Variant) == nil {
				continue
			}
			n := there(&x.Hold)
			if n == 0 {
				gone = true
				continue
			}
			d.Holds = append(d.Holds, x.ID)
			d.Lines = append(d.Lines, DraftLine{it.Variant(x.Variant).Store, n, x.Price})
			d.Again = d.Again || reserve && slices.Contains(tried, x.ID) // of an offer the one before may be on its way out, and keeps nothing
			if reserve && x.Expires.After(d.Until) {
				d.Until = x.Expires
			}
		}
	})
	if err != nil {
		return "", err
	}
	switch {
	case len(d.Holds) > 0:
	case gone:
		return "", ErrGone
	default:
		return "", ErrNothingToPay
	}
	if mode == commerce.HoldsLink {
		return w.Store.CartLink(d)
	}
	var made Drafted
	err = w.Call(ctx, func(ctx context.Context) (err error) { made, err = w.Store.Draft(ctx, d); return err })
	if err != nil {
		return "", fmt.Errorf("the shop did not make the checkout: %w", err)
	}
	if err := w.Till.Decide(ctx, commerce.Drafted{Holds: d.Holds, Draft: made.ID, URL: made.URL, Created: made.Created}, "", time.Time{}); err != nil {
		return "", err
	}
	kept := false
	err = w.Till.Look(ctx, func(desk *commerce.Desk) {
		x, ok := desk.Hold(d.Holds[0])
		kept = ok && x.Draft == made.ID
	})
	if err != nil {
		return "", err
	}
	if !kept {
		w.Release(made.ID)
		return "", errChanged
	}
	return made.URL, nil
}

// payable says how many pieces of each of several holds can be paid in one checkout: of what is only offered no more than there
// is.
func payable(desk *commerce.Desk) func(h *commerce.Hold) int {
	taken, now := map[commerce.ID]int64{}, time.Now()
	return func(h *commerce.Hold) int {
		n := desk.Payable(h.ID, now)
		if free := desk.Free(h.Variant); h.State == commerce.StateOffered && free >= 0 {
			n = int(min(int64(n), max(0, free-taken[h.Variant])))
			taken[h.Variant] += int64(n)
		}
		return n
	}
}

// drop ends a checkout of what was only offered and is not all there any more, before it is paid. What is left of it can have
// another one: that is errChanged.
func (w *Worker) drop(ctx context.Context, offers []commerce.ID, draft string) error {
	if err := w.Till.Decide(ctx, commerce.Drafted{Holds: offers}, "", time.Time{}); err != nil {
		return err
	}
	w.Release(draft)
	return errChanged
}
