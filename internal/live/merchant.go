package live

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live/account"
	"hawker/internal/live/buyers"
	"hawker/internal/live/codes"
	"hawker/internal/live/command"
	"hawker/internal/live/counted"
	"hawker/internal/live/crew"
	"hawker/internal/live/edits"
	"hawker/internal/live/manners"
	"hawker/internal/live/outbox"
	"hawker/internal/live/pace"
	"hawker/internal/live/recall"
	"hawker/internal/live/ruling"
	"hawker/internal/live/shop"
	"hawker/internal/live/speaker"
	"hawker/internal/live/stage"
	"hawker/internal/live/timing"
	"hawker/internal/live/told"
	"hawker/internal/live/wording"
	"hawker/internal/sqldb"
)

// Bounds of a merchant's queue. Over shedAt waiting, lines that are no command leave the view; when it is full, claims
// get reason limited. Both are counted and shown: overload is never silent.
const (
	queueCap = 65_536
	shedAt   = 4_096
	batchMax = 1_024
)

// commitFor bounds how long a batch may take to become durable.
const commitFor = 20 * time.Second

// job is one thing in a merchant's queue; exactly one of its fields is set.
type job struct {
	heard *heard
	cmd   *call
	query func()
	// happened is something for rules that is no line.
	happened *ruling.Happening
}

// call is a command with its asker.
type call struct {
	req   commerce.Request
	key   commerce.Key
	inbox string    // id of the webhook that it settles
	paid  time.Time // when that webhook came
	reply chan<- result
	depth int          // how many rounds of rules led to it
	after func(result) // told instead of reply
}

func (c *call) tell(r result) {
	if c.after != nil {
		c.after(r)
		return
	}
	c.reply <- r
}

type result struct {
	out commerce.Outcome
	err error
}

// Merchant is one merchant as served by this node. Its goroutine (run) owns all of it but what is atomic or guarded.
type Merchant struct {
	ID  commerce.ID
	hub *Hub
	log *slog.Logger

	jobs      chan job
	stages    atomic.Pointer[map[chat.Channel]*stage.Stage]
	about     sqldb.Merchant
	voice     wording.Teller
	local     map[chat.Channel]bool // chats on this machine, where loopback links lead somewhere
	shows     atomic.Pointer[map[commerce.ID]showFacts]
	codes     codes.Codes
	paying    timing.Timing // from a payment's webhook to its shout-out said
	answering timing.Timing // from a line's arrival to its answer said
	deciding  timing.Timing // from a line's arrival to its durable decision
	counters

	ready    chan struct{} // closed once the desk was loaded for the first time
	accounts []*account.Run
	speakers map[chat.Channel]*speaker.Speaker
	store    *shop.Worker

	ended chan struct{} // closed once nothing is decided any more

	box  outbox.Box
	told told.Told // what became of answers that promise something
	crew crew.Crew // does what rules want beside saying lines

	manners manners.House

	// The rest belongs to run.
	toLog     chan logged
	poke      chan struct{} // the loop is to look at its timer again
	flight    *flight
	looks     []job              // that wait for a desk, and lines that were taken away
	again     []asked            // for lines that were taken away, and not stored
	reqs      []commerce.Request // of the turn that is decided just now; kept for its room
	open      *turn              // begun while a batch is on its way
	writeOff  time.Time          // when effects that were done are written off at the latest; zero when nothing waits
	durable   *turn              // the last batch, while what follows it waits
	desk      *commerce.Desk
	rules     *ruling.Rules
	later     []planned // what rules want done later, the soonest first
	memory    map[commerce.ID]*recall.Show
	pace      pace.Pace
	changed   map[commerce.ID]bool // shows to signal
	signalled time.Time            // when that was done last
	stated    map[stateTold]time.Time
	edits     edits.Edits
	rest      time.Time // nothing is tried by itself until then, because the database did not take the last batch
	loaded    time.Time // when the desk was taken over
	ids       outbox.IDs
}

func (h *Hub) newMerchant(ctx context.Context, info sqldb.Merchant) (*Merchant, error) {
	m := &Merchant{
		ID: info.ID, hub: h, log: h.Log.With("merchant", info.Slug), about: info, voice: wording.Teller{Lang: lang.For(info.Language), Zone: wording.Zone(info.Timezone)}, local: map[chat.Channel]bool{}, jobs: make(chan job, queueCap), toLog: make(chan logged, logMost), poke: make(chan struct{}, 1), ready: make(chan struct{}), ended: make(chan struct{}), memory: map[commerce.ID]*recall.Show{},
		changed: map[commerce.ID]bool{}, stated: map[stateTold]time.Time{}, speakers: map[chat.Channel]*speaker.Speaker{},
	}
	m.stages.Store(&map[chat.Channel]*stage.Stage{})
	m.shows.Store(&map[commerce.ID]showFacts{})
	c := Connections{}
	var err error
	if h.Connect != nil {
		if c, err = h.Connect(ctx, info); err != nil {
			return nil, fmt.Errorf("connect merchant %s: %w", info.Slug, err)
		}
	}
	m.manners = manners.House{Merchant: m.ID, Book: h.DB.Manners(), Log: m.log, Own: []string{info.Name}}
	m.manners.Taken = func(ctx context.Context) (all []string, err error) {
		err = m.look(ctx, func() { all = m.rules.Book.Commands() })
		return all, err
	}
	for _, a := range c.Accounts { // nobody is thanked under the shop's name or the bot's
		_, name, _ := strings.Cut(a.Name, "/")
		m.manners.Own = append(m.manners.Own, name, a.Name)
	}
	if err := m.manners.Load(ctx); err != nil {
		return nil, err
	}
	m.voice.Lang.Shows = m.manners.Allows
	if err := m.startRules(ctx); err != nil {
		return nil, err
	}
	for _, a := range c.Accounts {
		r := &account.Run{Account: a, Log: m.log, Speaker: &speaker.Speaker{Chat: a.Chat, Log: m.log.With("account", a.Name), Join: m.join}}
		r.Open()
		m.crew.Add(a.Chat, a.Channels, m.log.With("account", a.Name))
		m.accounts = append(m.accounts, r)
		for _, ch := range a.Channels {
			m.speakers[ch], m.local[ch] = r.Speaker, a.Local
		}
	}
	m.crew.Need(ruling.Needs(m.rules.Book.Rules()))
	if c.Store != nil {
		m.crew.Codes, _ = c.Store.(shop.Discounts)
		m.store = &shop.Worker{Till: till{m}, Store: c.Store, DB: h.DB, Merchant: m.ID, Log: m.log}
		if h.Public != "" && (!h.loopback || c.StoreLocal) {
			m.store.Callback = h.Public + "/webhooks/shopify"
		}
	}
	return m, nil
}

// run serves the merchant until ctx ends. What was being said then is written off last, or the next start would say it again.
func (m *Merchant) run(ctx context.Context) {
	var parts sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for _, a := range m.accounts {
		parts.Go(func() { a.Speaker.Run(ctx) })
		parts.Go(func() { m.listen(ctx, a) })
	}
	parts.Go(func() { m.crew.Run(ctx) })
	parts.Go(func() { m.manners.Run(ctx) })
	if m.store != nil {
		parts.Go(func() { m.store.Run(ctx) })
		parts.Go(func() { m.store.TakeIn(ctx) })
	}
	var logged sync.WaitGroup
	logged.Go(m.writeLog)
	m.loop(ctx)
	close(m.ended)
	m.refuseAll()
	stop()
	parts.Wait()
	if m.desk != nil {
		m.turn(context.WithoutCancel(ctx), nil)
	}
	m.letOut()
	close(m.toLog)
	logged.Wait()
}

// listen hears one account. Nothing is heard before the shows are known: a claim that came then would be read as talk.
func (m *Merchant) listen(ctx context.Context, a *account.Run) {
	select {
	case <-m.ready:
		a.Listen(ctx, m.Deliver)
	case <-ctx.Done():
	}
}

// loop is the merchant's goroutine: it takes all that waits, decides it as one batch, makes it durable, lets the answers
// out.
func (m *Merchant) loop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	jobs := []job{} // never nil: that would be the last turn
	for ctx.Err() == nil {
		if m.desk == nil && !m.takeOver(ctx) {
			m.refuseAll()
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			continue
		}
		m.signalChanged()
		timer.Reset(m.nextWake(time.Now()))
		jobs, m.looks = append(jobs[:0], m.looks...), nil
		if len(jobs) > 0 {
			m.turn(ctx, jobs)
			continue
		}
		select {
		case <-ctx.Done(): // what waits is decided still
		case j := <-m.jobs:
			jobs = append(jobs, j)
			if len(m.jobs) < fewLines {
				runtime.Gosched() // who is about to ask comes along: turns of one line each cost several times as much
			}
		case err := <-m.landing():
			m.landed(ctx, err, true)
			if m.desk == nil || m.flight != nil {
				continue
			}
		case <-m.poke:
			continue
		case <-timer.C:
		}
	more:
		for len(jobs) < batchMax {
			select {
			case j := <-m.jobs:
				jobs = append(jobs, j)
			default:
				break more
			}
		}
		m.turn(ctx, jobs)
	}
}

// refuseAll answers who waits while nobody decides. Lines that were taken away are kept until somebody does.
func (m *Merchant) refuseAll() {
	var kept []job
	for {
		var j job
		if len(m.looks) > 0 {
			j, m.looks = m.looks[0], m.looks[1:]
		} else {
			select {
			case j = <-m.jobs:
			default:
				m.looks = kept
				return
			}
		}
		switch h := j.heard; {
		case j.query != nil:
			j.query()
		case j.cmd != nil:
			j.cmd.tell(result{err: ErrNotHere})
		case h != nil && h.event != nil && len(kept) < shedAt:
			kept = append(kept, j)
		case h != nil && h.cmd.Name.Claims():
			m.limited.Add(1)
			m.sayHalted(h, time.Now())
		}
	}
}

// nextWake is how long nothing needs to be done: until the next hold ends, or a moment when something said is to be
// written off.
func (m *Merchant) nextWake(now time.Time) time.Duration {
	wait := time.Minute
	if len(m.changed) > 0 {
		wait = max(m.signalled.Add(signalEvery).Sub(now), 0)
	}
	if m.flight != nil { // what else is due waits until it has landed
		return wait
	}
	if due, ok := m.desk.NextDue(); ok {
		wait = min(wait, max(due.Sub(now), 0))
	}
	if m.box.Waiting() || m.told.Waiting() || len(m.again) > 0 {
		if m.writeOff.IsZero() {
			m.writeOff = now.Add(writeOffAfter)
		}
		wait = min(wait, max(m.writeOff.Sub(now), 0))
	}
	if len(m.later) > 0 {
		wait = min(wait, max(m.later[0].want.At.Sub(now), 0))
	}
	if tick := m.rules.NextTick(); !tick.IsZero() {
		wait = min(wait, max(tick.Sub(now), 0))
	}
	return max(wait, m.rest.Sub(now))
}

// takeOver loads the merchant from the database. It says again what a crash left unsaid.
func (m *Merchant) takeOver(ctx context.Context) bool {
	st, err := m.hub.DB.Load(ctx, m.ID)
	if err != nil {
		if ctx.Err() == nil {
			m.log.Error("merchant cannot be loaded; trying again", "err", err)
		}
		return false
	}
	memory, err := m.hub.DB.Rulebook().Load(ctx, m.ID)
	if err != nil {
		if ctx.Err() == nil {
			m.log.Error("what rules remember cannot be loaded; trying again", "err", err)
		}
		return false
	}
	m.desk, m.loaded = commerce.NewDesk(m.ID, st), time.Now()
	m.rules.TakeOver(counted.New(memory), buyers.New(st.Orders, st.Joined), m.loaded)
	m.restage()
	m.hush()
	left := make([]planned, len(st.Effects))
	for i, e := range st.Effects {
		left[i] = m.revive(e)
		m.ids.After(e.ID)
	}
	m.telling(left)
	for _, e := range left {
		m.perform(e)
	}
	if m.store != nil {
		m.store.WakeAll()
	}
	select {
	case <-m.ready:
	default: // loaded anew, the feeds know it all
		m.remember(st)
		close(m.ready)
	}
	return true
}

// do hands a command to the merchant's goroutine and waits for its outcome.
func (m *Merchant) do(ctx context.Context, c command.Command) (commerce.Outcome, error) {
	req, err := c.Request()
	if err != nil {
		return commerce.Outcome{}, err
	}
	return m.ask(ctx, &call{req: req, key: c.Key})
}

func (m *Merchant) ask(ctx context.Context, c *call) (commerce.Outcome, error) {
	reply := make(chan result, 1)
	c.reply = reply
	select {
	case m.jobs <- job{cmd: c}:
	case <-m.ended:
		return commerce.Outcome{}, ErrNotHere
	case <-ctx.Done():
		return commerce.Outcome{}, ctx.Err()
	}
	select {
	case r := <-reply:
		return r.out, r.err
	case <-m.ended:
		select {
		case r := <-reply: // it was decided last
			return r.out, r.err
		default:
			return commerce.Outcome{}, ErrNotHere
		}
	case <-ctx.Done():
		return commerce.Outcome{}, ctx.Err()
	}
}

// answer is do for another node.
func (m *Merchant) answer(ctx context.Context, data []byte) ([]byte, error) {
	var c struct {
		command.Command
		came
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	if c.Hook != "" || c.Reload {
		return nil, m.came(ctx, c.came)
	}
	o, err := m.do(ctx, c.Command)
	if err != nil {
		return nil, err
	}
	return json.Marshal(o)
}

// look runs f in the merchant's goroutine, between two batches. After an error f does not run any more, so that what it fills in
// is the caller's alone.
func (m *Merchant) look(ctx context.Context, f func()) error {
	done := make(chan struct{})
	ran := false
	var begun atomic.Bool // by the merchant's goroutine, or given up
	select {
	case m.jobs <- job{query: func() {
		defer close(done)
		if m.desk != nil && begun.CompareAndSwap(false, true) {
			ran = true
			f()
		}
	}}:
	case <-m.ended:
		return ErrNotHere
	case <-ctx.Done():
		return ctx.Err()
	}
	err := ErrNotHere
	select {
	case <-done:
	case <-m.ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if begun.CompareAndSwap(false, true) {
		return err
	}
	if <-done; !ran {
		return ErrNotHere
	}
	return nil
}

// signalEvery is how often the pages of a show are told at most that it changed: in a rush every batch does, and nobody sees more.
const signalEvery = 50 * time.Millisecond

// signalChanged tells the pages of the shows that changed.
func (m *Merchant) signalChanged() {
	now := time.Now()
	if len(m.changed) == 0 || now.Sub(m.signalled) < signalEvery {
		return // nextWake comes back to it
	}
	m.signalled = now
	for show := range m.changed {
		m.hub.signal(m.ID, Signal{Kind: SignalChanged, Show: show})
	}
	clear(m.changed)
}

// effectDone notes that an effect was done (or given up); the next batch removes its row.
func (m *Merchant) effectDone(id commerce.ID) {
	if id == 0 {
		return
	}
	if m.box.Done(id) {
		m.nudge()
	}
}

// nudge makes the loop look at its timer again.
func (m *Merchant) nudge() {
	select {
	case m.poke <- struct{}{}:
	default:
	}
}
