// Package shop talks to a merchant's store, beside the merchant's goroutine, which never waits for it: it makes checkouts, lets
// go of what ended, takes payments in and reads stock.
package shop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/live/turns"
	"hawker/internal/sqldb"
)

// Times of the store worker.
const (
	readEvery   = 30 * time.Second // readings while a show is live; past commerce.StaleAfter items pause
	ordersEvery = time.Minute      // orders are asked for as well: some webhooks never come (Shopify, "Webhooks best practices")
	hooksEvery  = 10 * time.Minute // subscriptions that failed too often are deleted by the store
	ordersSoon  = 5 * time.Second  // between two questions for orders because of drafts that were paid
	overlap     = 5 * time.Minute  // how far a question for orders reaches back over the last one
	storeCall   = 20 * time.Second
	// restoreReach is how far back orders are asked for after a restore from a backup that knew of none (Shopify shows an app
	// the orders of the last 60 days, "Access scopes", read_orders).
	restoreReach = 60 * 24 * time.Hour
	hintAfter    = 6 * time.Second // a reading right after a change of ours may lack it or not; wait until it is sure
)

// Till is the merchant that a Worker works for.
type Till interface {
	// Look runs f in the merchant's goroutine, between two batches. After an error f does not run any more.
	Look(ctx context.Context, f func(d *commerce.Desk)) error
	// Decide has a request decided and stored. inbox, when set, is the id of the webhook that it settles, which came at a time.
	Decide(ctx context.Context, r commerce.Request, inbox string, came time.Time) error
	// Unwell says what is wrong with the accounts of the merchant's chats, empty when they are known to be well.
	Unwell() string
}

// Worker makes all calls to a merchant's store. Set the fields, then call Run and TakeIn; its other methods may be called at any
// time, by many goroutines.
type Worker struct {
	Till     Till
	Store    Store
	DB       *sqldb.DB
	Merchant commerce.ID
	Log      *slog.Logger
	// Callback is where the store sends its webhooks; empty when it cannot reach us, then orders are only asked for.
	Callback string

	once sync.Once
	wake chan struct{}
	came chan struct{} // a webhook came

	mu       sync.Mutex
	hint     time.Time // when stock should be read because it changed; zero when nothing said so
	drafted  bool      // a draft was paid whose holds are not: orders should be asked for
	after    time.Time // when once more, because something changed that a reading at hint may lack; zero when nothing did
	releases []string  // drafts to let go
	trouble  string
	stuck    string // why the inbox is not empty
	waits    string // what selling waits for after a restore
	lastRead time.Time

	nextOrders, nextHooks time.Time // of Run alone
	askedOrders           time.Time // when orders were last asked for; of Run alone
	toldTo                time.Time // how far the last question for orders came, which did not end; of Run alone
	compared              time.Time // the restore after which orders and stock were read; of Run alone

	paying turns.Turns // receipts whose checkout is being made
}

func (w *Worker) init() {
	w.once.Do(func() { w.wake, w.came = make(chan struct{}, 1), make(chan struct{}, 1) })
}

// State is the store as measured: when stock was last read, what is wrong, and what selling waits for after a restore.
func (w *Worker) State() (read time.Time, trouble, waits string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lastRead, cmp.Or(w.stuck, w.trouble), w.waits
}

// Nudge makes the worker look whether something is due.
func (w *Worker) Nudge() {
	w.init()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// WakeAll makes the worker read everything, after a start or a takeover.
func (w *Worker) WakeAll() {
	w.mu.Lock()
	w.hint = time.Now()
	w.mu.Unlock()
	w.Nudge()
	w.Webhook()
}

// Webhook tells that the inbox has something.
func (w *Worker) Webhook() {
	w.init()
	select {
	case w.came <- struct{}{}:
	default:
	}
}

// Follow lets go of what the store reserves for holds that ended without payment. A draft that other open holds share
// stays until they end. It runs in the merchant's goroutine, after the batch became durable.
func (w *Worker) Follow(d *commerce.Desk, b *commerce.Batch) {
	for i := range b.Holds {
		h := &b.Holds[i]
		if h.Draft != "" && !h.Open() && h.State != commerce.StatePaid && !d.DraftOpen(h.Draft) {
			w.Release(h.Draft)
		}
	}
}

// Release has the store let a draft go.
func (w *Worker) Release(draft string) {
	w.mu.Lock()
	if !slices.Contains(w.releases, draft) {
		w.releases = append(w.releases, draft)
	}
	w.mu.Unlock()
	w.Nudge()
}

// Run serves the store until ctx ends.
func (w *Worker) Run(ctx context.Context) {
	w.init()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
		timer.Reset(w.round(ctx))
	}
}

// TakeIn works the inbox off until ctx ends. It asks the store nothing, so that payments wait for no slow store. It looks by
// itself as well, for what another node stored and what was stored although its request ended.
func (w *Worker) TakeIn(ctx context.Context) {
	w.init()
	for ctx.Err() == nil {
		wait, stuck := ordersEvery, ""
		if err := w.settle(ctx); err != nil && ctx.Err() == nil {
			w.Log.Warn("webhooks wait", "err", err)
			wait, stuck = 2*time.Second, err.Error()
		}
		w.mu.Lock()
		w.stuck = stuck
		w.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-w.came:
		case <-time.After(wait):
		}
	}
}

// round does what is due and returns when to look again. The order is that of importance when the store is slow: letting go,
// then orders, then readings.
func (w *Worker) round(ctx context.Context) time.Duration {
	w.mu.Lock()
	releases := w.releases
	w.releases = nil
	w.mu.Unlock()
	var errs []error
	for i, d := range releases {
		if err := w.Call(ctx, func(ctx context.Context) error { return w.Store.Release(ctx, d) }); err != nil {
			errs = append(errs, fmt.Errorf("let a draft go: %w", err))
			w.mu.Lock()
			w.releases = append(append(w.releases, releases[i+1:]...), d) // it goes behind the others, which may be let go
			w.mu.Unlock()
			break
		}
		w.HintStock(time.Now().Add(hintAfter))
	}
	now, restored := time.Now(), w.restored(ctx)
	compare := !restored.IsZero() && !restored.Equal(w.compared)
	if w.Callback != "" && now.After(w.nextHooks) {
		err := w.Call(ctx, func(ctx context.Context) error { return w.Store.Ready(ctx, w.Callback) })
		if err != nil {
			errs = append(errs, fmt.Errorf("webhooks: %w", err))
		} else {
			w.nextHooks = now.Add(hooksEvery)
		}
	}
	if compare || now.After(w.nextOrders) || w.draftsPaid(now) {
		w.askedOrders = now
		if err := w.orders(ctx, restored); err != nil {
			errs = append(errs, fmt.Errorf("orders: %w", err))
		} else {
			w.nextOrders = now.Add(ordersEvery)
		}
	}
	w.mu.Lock()
	due := w.lastRead.Add(readEvery)
	if !w.hint.IsZero() && w.hint.Before(due) {
		due = w.hint
	}
	w.mu.Unlock()
	if compare || !due.After(now) {
		if err := w.read(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stock: %w", err))
		}
	}
	err := errors.Join(errs...)
	waits := ""
	if !restored.IsZero() {
		waits = w.reopen(ctx, restored, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble, w.waits = "", waits
	if w.Callback == "" {
		w.trouble = "The store cannot tell us of payments, because our address leads only to this machine; they are asked for every minute. Set HAWKER_PUBLIC_URL."
	}
	if err != nil && ctx.Err() == nil {
		w.trouble = err.Error()
		w.Log.Warn("store", "err", err)
		return 2 * time.Second
	}
	if waits != "" {
		return time.Second
	}
	next := w.lastRead.Add(readEvery)
	if !w.hint.IsZero() && w.hint.Before(next) {
		next = w.hint
	}
	if w.nextOrders.Before(next) {
		next = w.nextOrders
	}
	if at := w.askedOrders.Add(ordersSoon); w.drafted && at.Before(next) {
		next = at
	}
	return min(max(time.Until(next), 50*time.Millisecond), ordersEvery)
}

// restored is when the merchant's data came from a backup, zero when all is well.
func (w *Worker) restored(ctx context.Context) (at time.Time) {
	_ = w.Till.Look(ctx, func(d *commerce.Desk) { at = d.Restored() }) // where it fails, the next round asks again
	return at
}

// reopen lets the merchant sell again after a restore, once orders and stock were read without an error and the chats are
// well. It says in words what that waits for still, empty when the merchant sells.
func (w *Worker) reopen(ctx context.Context, restored time.Time, err error) (waits string) {
	if err != nil {
		return "The store's orders and stock must be read first: " + err.Error()
	}
	w.compared = restored
	if why := w.Till.Unwell(); why != "" {
		return why
	}
	if err := w.Till.Decide(ctx, commerce.Reopen{By: "store"}, "", time.Time{}); err != nil {
		return "The sale could not be opened: " + err.Error()
	}
	w.Log.InfoContext(ctx, "the store was read after the restore; selling goes on", "restored", restored)
	return ""
}

// Call asks the store something, within its time.
func (w *Worker) Call(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, storeCall)
	defer cancel()
	return f(ctx)
}

// HintStock asks for a reading of stock at a time. One that comes earlier does not do: it may lack what changed. Many hints
// are two readings, at the earliest time and at the latest.
func (w *Worker) HintStock(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hint.IsZero() {
		w.hint = at
		return
	}
	late := at
	if at.Before(w.hint) {
		w.hint, late = at, w.hint
	}
	if late.After(w.after) && late.After(w.hint) {
		w.after = late
	}
}

// hinted takes the hint that a reading made now answers.
func (w *Worker) hinted() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); w.after.After(now) {
		w.hint, w.after = w.after, time.Time{}
	} else if !w.hint.After(now) {
		w.hint, w.after = time.Time{}, time.Time{}
	}
}

// draftsPaid reports whether orders are to be asked for because of drafts that were paid, and takes note that they are.
func (w *Worker) draftsPaid(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	yes := w.drafted && now.Sub(w.askedOrders) >= ordersSoon
	w.drafted = w.drafted && !yes
	return yes
}

// draftPaid takes note that a draft was paid. Where its order told what it pays, nothing is left to do.
func (w *Worker) draftPaid(ctx context.Context, draft string) {
	open := false
	_ = w.Till.Look(ctx, func(d *commerce.Desk) { open = d.DraftOpen(draft) }) // where it fails, the next minute asks for orders
	if !open {
		return
	}
	w.mu.Lock()
	w.drafted = true
	w.mu.Unlock()
	w.Nudge()
}

// settle works the inbox off, oldest first. An order that cannot be taken in is tried again later and keeps no other from it.
func (w *Worker) settle(ctx context.Context) error {
	for {
		hooks, err := w.DB.OpenWebhooks(ctx, w.Merchant, 100)
		if err != nil || len(hooks) == 0 {
			return err
		}
		var left []error
		for _, h := range hooks {
			n, err := w.Store.Read(h.Topic, h.Body)
			if err != nil {
				w.Log.Error("webhook cannot be read; it is left out", "topic", h.Topic, "id", h.ID, "err", err)
			}
			if n.Stock != "" {
				w.HintStock(time.Now().Add(hintAfter))
			}
			if n.Draft != "" {
				w.draftPaid(ctx, n.Draft)
			}
			if n.Order == nil {
				if err := w.DB.DropWebhook(ctx, w.Merchant, h.ID); err != nil {
					return err
				}
				continue
			}
			if err := w.order(ctx, *n.Order, h.ID, h.Came); err != nil {
				left = append(left, fmt.Errorf("order %s: %w", n.Order.Name, err))
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if len(left) > 0 {
			return errors.Join(left...)
		}
	}
}

// order hands an order to the merchant's goroutine.
func (w *Worker) order(ctx context.Context, o commerce.Order, inbox string, came time.Time) error {
	ids := make([]string, 0, len(o.Lines))
	for _, l := range o.Lines {
		ids = append(ids, l.Variant)
	}
	variants, err := w.DB.VariantsByStore(ctx, w.Merchant, ids)
	if err != nil {
		return err
	}
	err = w.Till.Decide(ctx, commerce.Paid{Order: o, Variants: variants}, inbox, came)
	if err == nil {
		w.HintStock(time.Now().Add(hintAfter))
	}
	return err
}

// orders asks for what changed, because webhooks can be lost: since the last answer, and after a restore since a day before the
// last answer that the backup knew of.
func (w *Worker) orders(ctx context.Context, restored time.Time) error {
	st, err := w.DB.Store(ctx, w.Merchant)
	if err != nil {
		return err
	}
	since := st.OrdersRead.Add(-overlap)
	if st.OrdersRead.IsZero() {
		since = time.Now().Add(-24 * time.Hour)
	}
	switch {
	case restored.IsZero():
	case st.OrdersRead.IsZero(): // the backup knew of no order
		since = restored.Add(-restoreReach)
	default:
		since = since.Add(-24 * time.Hour)
	}
	if !w.toldTo.IsZero() {
		since = w.toldTo
	}
	var newest, upTo time.Time // of all, and up to where all were taken in
	var left error             // an order that cannot be taken in is asked for again, and keeps no other from it
	err = w.Call(ctx, func(ctx context.Context) error {
		return w.Store.OrdersSince(ctx, since, func(o commerce.Order) error {
			if o.Updated.After(newest) {
				newest = o.Updated
			}
			if err := w.order(ctx, o, "", time.Time{}); err != nil {
				left = fmt.Errorf("order %s: %w", o.Name, err)
			} else if left == nil {
				upTo = newest
			}
			return ctx.Err()
		})
	})
	if err = errors.Join(err, left); err != nil {
		if upTo.After(since) { // they come in order of their changes: the next question goes on from here
			w.toldTo = upTo
		}
		return err
	}
	w.toldTo = time.Time{}
	if newest.IsZero() {
		return nil
	}
	return w.DB.SetOrdersRead(ctx, w.Merchant, newest)
}

// read reads the stock of everything the live shows sell.
func (w *Worker) read(ctx context.Context) error {
	byInventory := map[string][]commerce.ID{}
	err := w.Till.Look(ctx, func(d *commerce.Desk) {
		for _, s := range d.EachShow() {
			if s.State == commerce.ShowEnded {
				continue
			}
			for i := range s.Lineup.Items {
				for _, v := range s.Lineup.Items[i].Product.Variants {
					if v.Inventory != "" && !slices.Contains(byInventory[v.Inventory], v.ID) {
						byInventory[v.Inventory] = append(byInventory[v.Inventory], v.ID)
					}
				}
			}
		}
	})
	if err != nil {
		return err
	}
	w.hinted()
	ids := make([]string, 0, len(byInventory))
	for id := range byInventory {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for chunk := range slices.Chunk(ids, 50) {
		var got map[string]commerce.Reading
		err := w.Call(ctx, func(ctx context.Context) (err error) { got, err = w.Store.Stock(ctx, chunk); return err })
		if err != nil {
			return err
		}
		var rs []commerce.Reading
		for _, id := range chunk {
			r, ok := got[id]
			if !ok {
				continue
			}
			for _, v := range byInventory[id] {
				r.Variant = v
				rs = append(rs, r)
			}
		}
		if err := w.Till.Decide(ctx, commerce.Read{Readings: rs}, "", time.Time{}); err != nil {
			return err
		}
	}
	w.mu.Lock()
	w.lastRead = time.Now()
	w.mu.Unlock()
	return nil
}
