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

// errChanged means that a hold ended while the store made a checkout of it.
var errChanged = errors.New("what is held changed meanwhile")

// tillFor is how long the till may take to decide.
const tillFor = 3 * time.Second

// checkoutFor bounds the making of a checkout: the store's time and ours around it.
const checkoutFor = storeCall + 2*tillFor

// Checkout is where a viewer pays for all that a receipt holds. The first time it makes the store set the pieces aside and
// adds five minutes; later it gives the same address again. It asks the store, so it may take seconds; the hold stands
// whatever comes of it. A second tap waits for the first and gets its address, because two checkouts of one hold would both
// be paid. What was begun is finished although the browser goes away, so that no draft is left that nobody knows of.
func (w *Worker) Checkout(ctx context.Context, receipt commerce.ID) (url string, err error) {
	leave, err := w.paying.Enter(ctx, receipt)
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
	var open, offered, tried []commerce.ID
	err := w.Till.Look(ctx, func(desk *commerce.Desk) {
		v, ok := desk.Receipt(receipt, time.Now())
		if !ok {
			return
		}
		mode = v.Show.Holds
		for _, x := range v.Holds {
			switch {
			case !x.Open():
				continue
			case x.Draft != "":
				url = x.Checkout
				continue
			case x.State == commerce.StateOffered:
				offered = append(offered, x.ID)
			default:
				open = append(open, x.ID)
			}
			if x.Opened {
				tried = append(tried, x.ID)
			}
		}
	})
	if err != nil {
		return "", err
	}
	// What is held and what is only offered are paid apart: a checkout that sets one aside would set the other aside, too.
	reserve := len(open) > 0
	if !reserve {
		open = offered
	}
	if len(open) == 0 {
		if url == "" {
			return "", ErrNothingToPay
		}
		return url, nil
	}
	// The clock first: what the store is asked to reserve must not end before ours.
	if err := w.Till.Decide(ctx, commerce.Opened{Holds: open}, "", time.Time{}); err != nil {
		return "", err
	}
	d := Draft{}
	err = w.Till.Look(ctx, func(desk *commerce.Desk) {
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
			v := it.Variant(x.Variant)
			d.Holds = append(d.Holds, x.ID)
			d.Lines = append(d.Lines, DraftLine{v.Store, x.Quantity, x.Price})
			d.Again = d.Again || slices.Contains(tried, x.ID)
			if reserve && x.Expires.After(d.Until) {
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
