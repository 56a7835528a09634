package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/live/turns"
)

// Times of the store worker.
const (
	readEvery   = 30 * time.Second // readings while a show is live; past commerce.StaleAfter items pause
	ordersEvery = time.Minute      // orders are asked for as well: some webhooks never come (Shopify, "Webhooks best practices")
	hooksEvery  = 10 * time.Minute // subscriptions that failed too often are deleted by the store
	overlap     = 5 * time.Minute  // how far a question for orders reaches back over the last one
	storeCall   = 20 * time.Second
	hintAfter   = 6 * time.Second // a reading right after a change of ours may lack it or not; wait until it is sure
)

// storeWorker makes all calls to a merchant's store, so that the merchant's goroutine never waits for it.
type storeWorker struct {
	m     *Merchant
	store Store
	wake  chan struct{}
	came  chan struct{} // a webhook came
	// reachable says that the store can send webhooks to our address; if not, orders are only asked for.
	reachable bool

	mu       sync.Mutex
	hint     time.Time // when stock should be read because it changed; zero when nothing said so
	releases []string  // drafts to let go
	trouble  string
	stuck    string // why the inbox is not empty
	lastRead time.Time

	nextOrders, nextHooks time.Time // of run alone

	paying turns.Turns // receipts whose checkout is being made
}

func newStoreWorker(m *Merchant, s Store) *storeWorker {
	return &storeWorker{m: m, store: s, wake: make(chan struct{}, 1), came: make(chan struct{}, 1)}
}

func (w *storeWorker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// wakeAll makes the worker read everything, after a start or a takeover.
func (w *storeWorker) wakeAll() {
	w.mu.Lock()
	w.hint = time.Now()
	w.mu.Unlock()
	w.nudge()
	w.webhook()
}

// webhook tells that the inbox has something.
func (w *storeWorker) webhook() {
	select {
	case w.came <- struct{}{}:
	default:
	}
}

// follow lets go of what the store reserves for holds that ended without payment. A draft that other open holds share
// stays until they end. It runs in the merchant's goroutine, after the batch became durable.
func (w *storeWorker) follow(b *commerce.Batch) {
	for i := range b.Holds {
		h := &b.Holds[i]
		if h.Draft == "" || h.State == commerce.StateHeld || h.State == commerce.StatePaid {
			continue
		}
		shared := false
		if r, ok := w.m.desk.Receipt(h.Receipt, b.At); ok {
			shared = slices.ContainsFunc(r.Holds, func(x commerce.HoldView) bool { return x.Draft == h.Draft && x.State == commerce.StateHeld })
		}
		if shared {
			continue
		}
		w.release(h.Draft)
	}
}

// release has the store let a draft go.
func (w *storeWorker) release(draft string) {
	w.mu.Lock()
	if !slices.Contains(w.releases, draft) {
		w.releases = append(w.releases, draft)
	}
	w.mu.Unlock()
	w.nudge()
}

// run serves the store until ctx ends.
func (w *storeWorker) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
		timer.Reset(w.once(ctx))
	}
}

// takeIn works the inbox off until ctx ends. It asks the store nothing, so that payments wait for no slow store. It looks by
// itself as well, for what another node stored and what was stored although its request ended.
func (w *storeWorker) takeIn(ctx context.Context) {
	for ctx.Err() == nil {
		wait, stuck := ordersEvery, ""
		if err := w.settle(ctx); err != nil && ctx.Err() == nil {
			w.m.log.Warn("webhooks wait", "err", err)
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

// once does what is due and returns when to look again. The order is that of importance when the store is slow: letting go,
// then orders, then readings.
func (w *storeWorker) once(ctx context.Context) time.Duration {
	w.mu.Lock()
	releases := w.releases
	w.releases = nil
	w.mu.Unlock()
	var errs []error
	for i, d := range releases {
		if err := w.call(ctx, func(ctx context.Context) error { return w.store.Release(ctx, d) }); err != nil {
			errs = append(errs, fmt.Errorf("let a draft go: %w", err))
			w.mu.Lock()
			w.releases = append(append(w.releases, releases[i+1:]...), d) // it goes behind the others, which may be let go
			w.mu.Unlock()
			break
		}
		w.hintStock(time.Now().Add(hintAfter))
	}
	now := time.Now()
	if w.reachable && now.After(w.nextHooks) {
		err := w.call(ctx, func(ctx context.Context) error { return w.store.Ready(ctx, w.m.hub.Public+"/webhooks/shopify") })
		if err != nil {
			errs = append(errs, fmt.Errorf("webhooks: %w", err))
		} else {
			w.nextHooks = now.Add(hooksEvery)
		}
	}
	if now.After(w.nextOrders) {
		if err := w.orders(ctx); err != nil {
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
	if !due.After(now) {
		if err := w.read(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stock: %w", err))
		}
	}
	err := errors.Join(errs...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = ""
	if !w.reachable {
		w.trouble = "The store cannot tell us of payments, because our address leads only to this machine; they are asked for every minute. Set HAWKER_PUBLIC_URL."
	}
	if err != nil && ctx.Err() == nil {
		w.trouble = err.Error()
		w.m.log.Warn("store", "err", err)
		return 2 * time.Second
	}
	next := w.lastRead.Add(readEvery)
	if !w.hint.IsZero() && w.hint.Before(next) {
		next = w.hint
	}
	if w.nextOrders.Before(next) {
		next = w.nextOrders
	}
	return min(max(time.Until(next), 50*time.Millisecond), ordersEvery)
}

func (w *storeWorker) call(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, storeCall)
	defer cancel()
	return f(ctx)
}

func (w *storeWorker) hintStock(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hint.IsZero() || at.Before(w.hint) {
		w.hint = at
	}
}

// settle works the inbox off, oldest first. An order that cannot be taken in is tried again later and keeps no other from it.
func (w *storeWorker) settle(ctx context.Context) error {
	for {
		hooks, err := w.m.hub.DB.OpenWebhooks(ctx, w.m.ID, 100)
		if err != nil || len(hooks) == 0 {
			return err
		}
		var left []error
		for _, h := range hooks {
			n, err := w.store.Read(h.Topic, h.Body)
			if err != nil {
				w.m.log.Error("webhook cannot be read; it is left out", "topic", h.Topic, "id", h.ID, "err", err)
			}
			if n.Stock != "" {
				w.hintStock(time.Now().Add(hintAfter))
			}
			if n.Order == nil {
				if err := w.m.hub.DB.DropWebhook(ctx, w.m.ID, h.ID); err != nil {
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
func (w *storeWorker) order(ctx context.Context, o commerce.Order, inbox string, came time.Time) error {
	ids := make([]string, 0, len(o.Lines))
	for _, l := range o.Lines {
		ids = append(ids, l.Variant)
	}
	variants, err := w.m.hub.DB.VariantsByStore(ctx, w.m.ID, ids)
	if err != nil {
		return err
	}
	_, err = w.m.ask(ctx, &call{req: commerce.Paid{Order: o, Variants: variants}, inbox: inbox, paid: came})
	if err == nil {
		w.hintStock(time.Now().Add(hintAfter))
	}
	return err
}

// orders asks for what changed, because webhooks can be lost.
func (w *storeWorker) orders(ctx context.Context) error {
	st, err := w.m.hub.DB.Store(ctx, w.m.ID)
	if err != nil {
		return err
	}
	since := st.OrdersRead.Add(-overlap)
	if st.OrdersRead.IsZero() {
		since = time.Now().Add(-24 * time.Hour)
	}
	var newest time.Time
	var left error // an order that cannot be taken in is asked for again, and keeps no other from it
	err = w.call(ctx, func(ctx context.Context) error {
		return w.store.OrdersSince(ctx, since, func(o commerce.Order) error {
			if o.Updated.After(newest) {
				newest = o.Updated
			}
			if err := w.order(ctx, o, "", time.Time{}); err != nil {
				left = fmt.Errorf("order %s: %w", o.Name, err)
			}
			return ctx.Err()
		})
	})
	if err = errors.Join(err, left); err != nil || newest.IsZero() {
		return err
	}
	return w.m.hub.DB.SetOrdersRead(ctx, w.m.ID, newest)
}

// read reads the stock of everything the live shows sell.
func (w *storeWorker) read(ctx context.Context) error {
	byInventory := map[string][]commerce.ID{}
	err := w.m.look(ctx, func() {
		for _, s := range w.m.desk.Shows() {
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
	w.mu.Lock()
	w.hint = time.Time{}
	w.mu.Unlock()
	ids := make([]string, 0, len(byInventory))
	for id := range byInventory {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for chunk := range slices.Chunk(ids, 50) {
		var got map[string]commerce.Reading
		err := w.call(ctx, func(ctx context.Context) (err error) { got, err = w.store.Stock(ctx, chunk); return err })
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
		if _, err := w.m.ask(ctx, &call{req: commerce.Read{Readings: rs}}); err != nil {
			return err
		}
	}
	w.mu.Lock()
	w.lastRead = time.Now()
	w.mu.Unlock()
	return nil
}

// Webhook takes note that a webhook of the merchant was stored.
func (h *Hub) Webhook(merchant commerce.ID) {
	if m := h.Merchant(merchant); m != nil && m.store != nil {
		m.store.webhook()
	}
}
