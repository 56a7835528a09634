// Package counted is what a merchant's rules remember: how often each fired for whom, counters and variables. Memory is what the
// merchant's goroutine decides by. What changes is stored twice: at once, in the transaction of what was decided, as an effect
// that is to be done; and within a second, by a Saver, in the tables, after which the effect is done. So a limit holds to the
// number after a crash at any point, and what was decided never waits for a second transaction.
package counted

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/book"
)

// Memory is what a merchant's rules remember. Make it with New; it is not safe for two goroutines.
type Memory struct {
	counts  map[book.Key]book.Count
	numbers map[string]int64
	vars    map[string]string
}

// New is the memory that was stored.
func New(m rulebook.Memory) *Memory {
	x := &Memory{counts: make(map[book.Key]book.Count, len(m.Counters)), numbers: map[string]int64{}, vars: map[string]string{}}
	x.Take(m)
	return x
}

// Take makes stored changes.
func (x *Memory) Take(m rulebook.Memory) {
	for _, c := range m.Counters {
		x.counts[book.Key{Rule: c.Rule, Scope: book.Scope(c.Scope), Show: c.Show, Of: c.Of}] = book.Count{N: c.Fired, Last: c.Last}
	}
	for _, s := range m.Settings {
		x.set(book.Setting{Name: s.Name, Number: s.Number, N: s.N, Text: s.Text})
	}
}

// Count is what was counted so far, for book.Input.Counter.
func (x *Memory) Count(k book.Key) book.Count { return x.counts[k] }

// Numbers and Vars are the merchant's counters and variables, for facts.Facts; they are only to be read, in the goroutine that
// owns the memory.
func (x *Memory) Numbers() map[string]int64 { return x.numbers }

// Vars are the merchant's variables.
func (x *Memory) Vars() map[string]string { return x.vars }

func (x *Memory) set(s book.Setting) {
	switch {
	case s.Number:
		x.numbers[s.Name] = s.N
	case s.Text == "":
		delete(x.vars, s.Name)
	default:
		x.vars[s.Name] = s.Text
	}
}

// Undo takes changes back that were not stored after all.
type Undo []func()

// All takes everything back, the newest first, and forgets it.
func (u *Undo) All() {
	for i := len(*u) - 1; i >= 0; i-- {
		(*u)[i]()
	}
	*u = nil
}

// Apply makes what a decision changes, and returns it as it is stored. It notes in u how to take it back.
func (x *Memory) Apply(changes []book.Change, settings []book.Setting, u *Undo) rulebook.Memory {
	var m rulebook.Memory
	for _, c := range changes {
		was, there := x.counts[c.Key]
		*u = append(*u, func() {
			if x.counts[c.Key] = was; !there {
				delete(x.counts, c.Key)
			}
		})
		x.counts[c.Key] = c.Count
		m.Counters = append(m.Counters, rulebook.Counter{Rule: c.Key.Rule, Show: c.Key.Show, Scope: int(c.Key.Scope), Of: c.Key.Of, Fired: c.Count.N, Last: c.Count.Last})
	}
	for _, s := range settings {
		n, isNumber := x.numbers[s.Name]
		text := x.vars[s.Name]
		*u = append(*u, func() {
			if !s.Number {
				x.set(book.Setting{Name: s.Name, Text: text})
			} else if x.numbers[s.Name] = n; !isNumber {
				delete(x.numbers, s.Name)
			}
		})
		x.set(s)
		m.Settings = append(m.Settings, rulebook.Setting{Name: s.Name, Number: s.Number, N: s.N, Text: s.Text})
	}
	return m
}

// Times of a Saver.
const (
	saveEvery = time.Second      // changes of so long are stored together
	saveFor   = 10 * time.Second // one try
)

// Saver writes changes into the tables, those of a second together. Set the fields, then call Run.
type Saver struct {
	Save func(ctx context.Context, m rulebook.Memory) error
	// Done is told of each effect whose changes are in the tables.
	Done func(effect commerce.ID)
	Log  *slog.Logger

	mu   sync.Mutex
	wait []change
	wake chan struct{}
	once sync.Once
}

type change struct {
	effect commerce.ID
	m      rulebook.Memory
}

func (s *Saver) init() { s.once.Do(func() { s.wake = make(chan struct{}, 1) }) }

// Add hands in changes that are stored as an effect. It never blocks.
func (s *Saver) Add(effect commerce.ID, m rulebook.Memory) {
	s.init()
	s.mu.Lock()
	s.wait = append(s.wait, change{effect, m})
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run writes what is handed in until ctx ends, and what is left then last.
func (s *Saver) Run(ctx context.Context) {
	s.init()
	for {
		select {
		case <-ctx.Done():
		case <-s.wake:
			select {
			case <-ctx.Done():
			case <-time.After(saveEvery):
			}
		}
		s.save(ctx)
		if ctx.Err() != nil {
			return
		}
	}
}

// save writes all that waits. When it cannot it is tried again with what comes, or in a while.
func (s *Saver) save(ctx context.Context) {
	s.mu.Lock()
	all := s.wait
	s.wait = nil
	s.mu.Unlock()
	if len(all) == 0 {
		return
	}
	tctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveFor)
	defer cancel()
	if err := s.Save(tctx, merged(all)); err != nil {
		s.Log.Warn("what rules remember was not stored; trying again", "err", err)
		s.mu.Lock()
		s.wait = append(all, s.wait...)
		s.mu.Unlock()
		select {
		case s.wake <- struct{}{}:
		default:
		}
		return
	}
	for _, c := range all {
		s.Done(c.effect)
	}
}

// merged are changes as one: of each counter the last.
func merged(all []change) rulebook.Memory {
	type key struct {
		rule, show commerce.ID
		scope      int
		of         string
	}
	type name struct {
		name   string
		number bool
	}
	var out rulebook.Memory
	at, named := map[key]int{}, map[name]int{}
	for _, c := range all {
		for _, x := range c.m.Counters {
			k := key{x.Rule, x.Show, x.Scope, x.Of}
			if i, ok := at[k]; ok {
				out.Counters[i] = x
				continue
			}
			at[k] = len(out.Counters)
			out.Counters = append(out.Counters, x)
		}
		for _, x := range c.m.Settings {
			k := name{x.Name, x.Number}
			if i, ok := named[k]; ok {
				out.Settings[i] = x
				continue
			}
			named[k] = len(out.Settings)
			out.Settings = append(out.Settings, x)
		}
	}
	return out
}
