// Package trial runs back-tests in the background and keeps the last one of each merchant, for the page that shows it. Nothing of
// a merchant's sales waits for it.
//
// Goroutines: one for each merchant whose rules are being tried. Close ends them.
package trial

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/backtest"
	"hawker/internal/backtest/replay"
	"hawker/rules/rule"
	"hawker/web/watch"
)

// ErrRuns means that a try of the merchant's runs already.
var ErrRuns = errors.New("a back-test runs already; wait for its end, or stop it")

// ErrStopped is the error of a try that somebody stopped.
var ErrStopped = errors.New("it was stopped")

// Ask is what is tried.
type Ask struct {
	Show  commerce.ID
	Title string // of the show
	// Rules are all rules as they would be. Draft is the one of them that is being written, as JSON, and Version the version that
	// they are; both say where they came from, so that the same can be asked again. What says it in words.
	Rules   []rule.Rule
	Draft   string
	Version int64
	What    string
	Pieces  int64 // more of each item; Options.Extra is made of it
	Item    int   // of this one only, when it is not 0
	Options replay.Options
}

// State is where a merchant's tries stand.
type State struct {
	Running  bool
	Done, Of int // lines
	Ask      Ask // of the one that runs, else of the last one
	// Result is what the last one came to, or Err why it came to nothing; both are nil when none was made since the start.
	Result *replay.Result
	Err    error
	At     time.Time
	Took   time.Duration
}

// Runner runs tries. Make it by New.
type Runner struct {
	house *backtest.House
	log   *slog.Logger

	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	states map[commerce.ID]*State
	stops  map[commerce.ID]context.CancelFunc // of those that run

	watch watch.Watchers // told with the mutex held
}

// New makes a Runner; nil for the log is silence.
func New(house *backtest.House, log *slog.Logger) *Runner {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Runner{house: house, log: log, states: map[commerce.ID]*State{}, stops: map[commerce.ID]context.CancelFunc{}}
	r.ctx, r.stop = context.WithCancel(context.Background()) // ended by Close
	return r
}

// Close ends all tries and waits for them.
func (r *Runner) Close() {
	r.mu.Lock()
	r.stop()
	r.mu.Unlock()
	r.wg.Wait()
}

// Shows are the shows of a merchant that can be tried on, the newest first.
func (r *Runner) Shows(ctx context.Context, merchant commerce.ID) ([]backtest.Show, error) {
	return r.house.Shows(ctx, merchant)
}

// Start begins a try. The error is ErrRuns when one of the merchant's runs.
func (r *Runner) Start(merchant commerce.ID, a Ask) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stops[merchant] != nil {
		return ErrRuns
	}
	if r.ctx.Err() != nil {
		return ErrStopped
	}
	ctx, stop := context.WithCancel(r.ctx)
	r.stops[merchant] = stop
	r.states[merchant] = &State{Running: true, Ask: a}
	r.wg.Go(func() {
		defer stop()
		r.run(ctx, merchant, a)
	})
	r.watch.Tell(merchant)
	return nil
}

func (r *Runner) run(ctx context.Context, merchant commerce.ID, a Ask) {
	began := time.Now()
	res, err := r.house.Run(ctx, merchant, a.Show, a.Rules, a.Options, func(done, of int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		s := r.states[merchant]
		s.Done, s.Of = done, of
		r.watch.Tell(merchant)
	})
	var wrong *rule.Error
	switch {
	case ctx.Err() != nil:
		err = ErrStopped
	case err != nil && !errors.As(err, &wrong) && !errors.Is(err, backtest.ErrNoLines) && !errors.Is(err, backtest.ErrBusy):
		r.log.Error("rules not tried", "merchant", merchant, "show", a.Show, "err", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &State{Ask: a, At: time.Now(), Took: time.Since(began), Err: err}
	if err == nil {
		s.Result = &res
	}
	r.states[merchant] = s
	delete(r.stops, merchant)
	r.watch.Tell(merchant)
}

// Stop ends a merchant's try; it does nothing when none runs.
func (r *Runner) Stop(merchant commerce.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stop := r.stops[merchant]; stop != nil {
		stop()
	}
}

// Now is where a merchant's tries stand. Its Result is shared and only to be read.
func (r *Runner) Now(merchant commerce.ID) State {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.states[merchant]; s != nil {
		return *s
	}
	return State{}
}

// Watch calls tell whenever a merchant's state changes, until stop is called. tell must not wait, and must not call the Runner.
func (r *Runner) Watch(merchant commerce.ID, tell func()) (stop func()) {
	return r.watch.Add(merchant, tell)
}
