package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/dial"
	"hawker/internal/live/command"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// doFor is how long a command may take, here or on the node that serves the merchant.
const doFor = 3 * time.Second

// Hub serves merchants. Set the fields, then call Run; the zero value of Log is silence.
type Hub struct {
	DB  *sqldb.DB
	Bus *bus.Bus
	Key *seal.Key
	Log *slog.Logger
	// Public is the address people reach the pages at, without a final slash.
	Public string
	// Connect makes the connections of a merchant: its chats and its store (nil when it has none). It is called when a
	// merchant starts and when Reconnect is.
	Connect func(ctx context.Context, m sqldb.Merchant) (Connections, error)
	// AllowPrivate lets outgoing webhooks of rules go to addresses that are not on the public internet.
	AllowPrivate bool
	// Destination turns a destination of a show on or off, by its name; nil where there is no video.
	Destination func(ctx context.Context, merchant, show commerce.ID, name string, on bool) error
	// Slate covers the pictures of a show, or ends that; nil where there is no video.
	Slate func(ctx context.Context, show commerce.ID, on bool) error
	// Decided, when set before Run, is told what became of each line and form once that is durable, refusals too. It is called
	// in the merchant's goroutine, so it must not wait; it is for measuring.
	Decided func(key commerce.Key, reason commerce.Reason)

	serving   sync.Mutex // held while a merchant is started or started anew
	erasing   sync.Mutex // held while lines are erased from the chat log: two at once would put back what the other takes out
	mu        sync.RWMutex
	merchants map[commerce.ID]*running
	group     sync.WaitGroup
	ctx       context.Context // of Run; nil when the hub does not run
	started   chan struct{}
	once      sync.Once
	loopback  bool // Public leads nowhere for anybody but this machine
}

// Connections are what a merchant is connected to.
type Connections struct {
	Accounts []Account
	Store    Store
	// StoreLocal says that the store is on this machine too (a stand-in), so that it can send webhooks to a loopback address.
	StoreLocal bool
}

// running is a merchant with its own end.
type running struct {
	m    *Merchant
	stop context.CancelFunc
	done chan struct{}
}

func (h *Hub) init() {
	h.once.Do(func() {
		h.merchants, h.started = map[commerce.ID]*running{}, make(chan struct{})
		h.loopback = dial.Loopback(h.Public)
		if h.Log == nil {
			h.Log = slog.New(slog.DiscardHandler)
		}
	})
}

// Run serves all merchants until ctx ends, and waits for everything it started.
func (h *Hub) Run(ctx context.Context) error {
	h.init()
	all, err := h.DB.Merchants(ctx)
	if err != nil {
		return fmt.Errorf("list merchants: %w", err)
	}
	h.mu.Lock()
	h.ctx = ctx
	h.mu.Unlock()
	for _, m := range all {
		if err := h.Serve(ctx, m.ID); err != nil {
			h.Log.ErrorContext(ctx, "merchant not served", "merchant", m.Slug, "err", err)
		}
	}
	h.waitReady(ctx)
	<-ctx.Done()
	h.mu.Lock()
	h.ctx = nil
	h.mu.Unlock()
	h.group.Wait()
	return nil
}

// waitReady closes started once every merchant that is served has its desk.
func (h *Hub) waitReady(ctx context.Context) {
	h.mu.RLock()
	var all []*Merchant
	for _, r := range h.merchants {
		all = append(all, r.m)
	}
	h.mu.RUnlock()
	for _, m := range all {
		select {
		case <-m.ready:
		case <-ctx.Done():
			return
		}
	}
	close(h.started)
}

// Started is closed when every merchant is served.
func (h *Hub) Started() <-chan struct{} {
	h.init()
	return h.started
}

// Serve starts serving a merchant, or starts it anew with its connections as they are stored now. What was begun is finished
// although ctx ends: who asked may be a browser that goes away, and its shop must not stand still for that. When a merchant
// cannot be started it is tried again every few seconds.
func (h *Hub) Serve(ctx context.Context, id commerce.ID) error {
	h.init()
	h.serving.Lock()
	defer h.serving.Unlock()
	return h.serve(context.WithoutCancel(ctx), id)
}

// serveAgain is how long after a failure a merchant is tried again.
const serveAgain = 5 * time.Second

// tryAgain serves a merchant later, unless it is served by then.
func (h *Hub) tryAgain(id commerce.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx := h.ctx
	if ctx == nil {
		return
	}
	h.group.Go(func() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(serveAgain):
		}
		h.serving.Lock()
		defer h.serving.Unlock()
		if h.Merchant(id) != nil {
			return
		}
		if err := h.serve(context.WithoutCancel(ctx), id); err != nil && ctx.Err() == nil {
			h.Log.ErrorContext(ctx, "merchant not served; trying again", "merchant", id.String(), "err", err)
		}
	})
}

// serve is Serve; serving is held.
func (h *Hub) serve(ctx context.Context, id commerce.ID) error {
	info, err := h.DB.Merchant(ctx, id)
	if err != nil {
		if !sqldb.IsNotFound(err) {
			h.tryAgain(id)
		}
		return fmt.Errorf("merchant %s: %w", id, err)
	}
	h.mu.Lock()
	old, parent := h.merchants[id], h.ctx
	h.mu.Unlock()
	if parent == nil {
		return ErrNotHere
	}
	if old != nil {
		old.stop()
		<-old.done
	}
	m, err := h.newMerchant(ctx, info)
	if err != nil {
		h.tryAgain(id)
		return err
	}
	own, stop := context.WithCancel(parent)
	r := &running{m: m, stop: stop, done: make(chan struct{})}
	sub, err := h.Bus.Answer(doSubject(id), func(ctx context.Context, data []byte) ([]byte, error) { return m.answer(ctx, data) })
	if err != nil {
		stop()
		h.tryAgain(id)
		return fmt.Errorf("serve merchant %s: %w", info.Slug, err)
	}
	h.mu.Lock()
	if h.ctx == nil { // the hub ended meanwhile, and waits for nobody new
		h.mu.Unlock()
		stop()
		sub.Close()
		return ErrNotHere
	}
	defer h.mu.Unlock()
	h.merchants[id] = r
	h.group.Go(func() {
		defer close(r.done)
		defer stop()
		defer sub.Close()
		m.run(own)
		h.mu.Lock()
		if h.merchants[id] == r {
			delete(h.merchants, id)
		}
		h.mu.Unlock()
	})
	return nil
}

func doSubject(merchant commerce.ID) string { return bus.Subject("do", merchant.String()) }

// Merchant is the merchant as served by this node, nil when it is not.
func (h *Hub) Merchant(id commerce.ID) *Merchant {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if r := h.merchants[id]; r != nil {
		return r.m
	}
	return nil
}

// Do carries a command out at the node that serves the merchant. Errors: ErrNotHere when none does; the command's own.
// What was decided is durable when Do returns.
func (h *Hub) Do(ctx context.Context, merchant commerce.ID, c command.Command) (commerce.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, doFor)
	defer cancel()
	if m := h.Merchant(merchant); m != nil {
		return m.do(ctx, c)
	}
	data, err := json.Marshal(c)
	if err != nil {
		return commerce.Outcome{}, err
	}
	reply, err := h.Bus.Request(ctx, doSubject(merchant), data)
	if err != nil {
		if errors.Is(err, bus.ErrNobody) || errors.Is(err, bus.ErrBusy) {
			return commerce.Outcome{}, ErrNotHere
		}
		return commerce.Outcome{}, err
	}
	var o commerce.Outcome
	return o, json.Unmarshal(reply, &o)
}

// Ask packs a request and does it.
func (h *Hub) Ask(ctx context.Context, merchant commerce.ID, key commerce.Key, r commerce.Request) (commerce.Outcome, error) {
	c, err := command.New(key, r)
	if err != nil {
		return commerce.Outcome{}, err
	}
	return h.Do(ctx, merchant, c)
}

// counters are figures for operators, over all merchants of a hub.
type counters struct {
	lines, commands, unseen, limited, commits, failed, said, unsaid, unlogged atomic.Int64
}
