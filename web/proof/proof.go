// Package proof audits merchants' ledgers in the background and keeps what came of it, for the pages that show it. Nothing of
// a merchant's sales waits for it: it reads one snapshot of the database.
//
// Goroutines: one while any audit runs or waits. Audits run one after the other, so that those of many merchants take the
// machine from no show. Close ends them.
package proof

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/commerce/audit"
	"hawker/internal/sqldb"
	"hawker/web/watch"
)

// Result is what an audit came to.
type Result struct {
	At    time.Time
	Audit sqldb.Audit
	// Broken is what is not as it must be, nil when all is well. Failed says that nothing was proved: the database could not
	// be read.
	Broken error
	Failed bool
}

// State is where a merchant's audits stand.
type State struct {
	Running  bool    // or waiting for its turn
	Done, Of int64   // entries read, of how many; Of is 0 until that is known
	Last     *Result // nil when none was made since the program started
}

// Runner runs audits. Make it by New.
type Runner struct {
	db  *sqldb.DB
	log *slog.Logger

	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	states  map[commerce.ID]*State
	waiting []commerce.ID // the first of them runs

	watch watch.Watchers // told with the mutex held
}

// New makes a Runner; nil for the log is silence.
func New(db *sqldb.DB, log *slog.Logger) *Runner {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Runner{db: db, log: log, states: map[commerce.ID]*State{}}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

// Close ends the audit under way and waits for it.
func (r *Runner) Close() {
	r.mu.Lock()
	r.stop()
	r.mu.Unlock()
	r.wg.Wait()
}

// Start begins an audit of a merchant, unless one runs or waits.
func (r *Runner) Start(merchant commerce.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state(merchant)
	if s.Running || r.ctx.Err() != nil {
		return
	}
	s.Running, s.Done, s.Of = true, 0, 0
	r.waiting = append(r.waiting, merchant)
	if len(r.waiting) == 1 {
		r.wg.Go(r.run)
	}
	r.watch.Tell(merchant)
}

// state is a merchant's state; the mutex is held.
func (r *Runner) state(merchant commerce.ID) *State {
	s := r.states[merchant]
	if s == nil {
		s = &State{}
		r.states[merchant] = s
	}
	return s
}

// run makes the audits that wait.
func (r *Runner) run() {
	for {
		r.mu.Lock()
		merchant := r.waiting[0]
		r.mu.Unlock()
		res := r.audit(merchant)
		r.mu.Lock()
		s := r.state(merchant)
		s.Running = false
		if r.ctx.Err() == nil {
			s.Last = res
		}
		r.watch.Tell(merchant)
		r.waiting = r.waiting[1:]
		over := len(r.waiting) == 0
		r.mu.Unlock()
		if over {
			return
		}
	}
}

func (r *Runner) audit(merchant commerce.ID) *Result {
	a, err := r.db.Audit(r.ctx, merchant, func(done, of int64) {
		r.mu.Lock()
		defer r.mu.Unlock()
		s := r.state(merchant)
		s.Done, s.Of = done, of
		r.watch.Tell(merchant)
	})
	res := &Result{At: time.Now(), Audit: a, Broken: err}
	var broken *audit.Broken
	var row *sqldb.Mismatch
	res.Failed = err != nil && !errors.As(err, &broken) && !errors.As(err, &row)
	if err != nil && r.ctx.Err() == nil {
		r.log.Error("audit found what must not be", "merchant", merchant, "err", err)
	}
	return res
}

// Now is where a merchant's audits stand.
func (r *Runner) Now(merchant commerce.ID) State {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.states[merchant]; s != nil {
		return *s
	}
	return State{}
}

// Entry is the ledger entry that opened a hold and when the ledger was checked, as far as the last audit of the merchant that
// found all well knows.
func (r *Runner) Entry(merchant, hold commerce.ID) (seq int64, checked time.Time, ok bool) {
	s := r.Now(merchant)
	if s.Last == nil || s.Last.Broken != nil {
		return 0, time.Time{}, false
	}
	seq, ok = s.Last.Audit.OpenedBy[hold]
	return seq, s.Last.At, ok
}

// Watch calls tell whenever a merchant's state changes, until stop is called. tell must not wait, and must not call the
// Runner.
func (r *Runner) Watch(merchant commerce.ID, tell func()) (stop func()) {
	return r.watch.Add(merchant, tell)
}
