// Package backtest tries rules on a show that was recorded: it reads the show's lines from the chat log and what came of them from
// the ledger, and has package replay run it again.
package backtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/backtest/replay"
	"hawker/internal/bus"
	"hawker/internal/lang"
	"hawker/internal/live/lines"
	"hawker/internal/live/wording"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/manners"
	"hawker/rules"
	"hawker/rules/rule"
	"hawker/rules/starter"
)

// Errors of Run.
var (
	ErrNoLines = errors.New("the chat log has no lines of this show: they are kept for 30 days")
	ErrBusy    = errors.New("another try of rules runs for this merchant; wait for its end")
)

// House is where recordings are. Set the fields; its methods may be called by many goroutines.
type House struct {
	DB     *sqldb.DB
	Bus    *bus.Bus
	Public string // where the pages are, without a final slash

	mu     sync.Mutex
	runs   map[commerce.ID]bool
	counts map[commerce.ID]*count
}

// count is how many lines of each show were found in a merchant's log so far.
type count struct {
	mu    sync.Mutex
	next  uint64 // where to read on
	lines map[commerce.ID]int
}

// Show is a show that can be tried on.
type Show struct {
	ID      commerce.ID
	Name    string
	Title   string
	Started time.Time
	Ended   time.Time // zero while it is live
	Lines   int       // in the chat log
}

// page is how many records of the chat log are read at once.
const page = 2000

// Shows are a merchant's shows that began, the newest first.
func (h *House) Shows(ctx context.Context, merchant commerce.ID) ([]Show, error) {
	all, err := h.DB.Shows(ctx, merchant)
	if err != nil {
		return nil, err
	}
	n, err := h.count(ctx, merchant)
	if err != nil {
		return nil, err
	}
	var out []Show
	for i := range all {
		if s := &all[i]; !s.Started.IsZero() {
			one := Show{ID: s.ID, Name: s.Name, Title: s.Title, Started: s.Started, Lines: n[s.ID]}
			if s.State == commerce.ShowEnded {
				one.Ended = s.Ended
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// count counts the lines of a merchant's shows. What was counted before is not read again, so that lines which were erased since
// are counted still.
func (h *House) count(ctx context.Context, merchant commerce.ID) (map[commerce.ID]int, error) {
	h.mu.Lock()
	if h.counts == nil {
		h.counts = map[commerce.ID]*count{}
	}
	c := h.counts[merchant]
	if c == nil {
		c = &count{lines: map[commerce.ID]int{}}
		h.counts[merchant] = c
	}
	h.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		records, err := h.Bus.ReadLog(ctx, bus.Range{Merchant: int64(merchant), From: c.next, Limit: page})
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			c.next = r.Seq + 1
			shows, err := lines.Shows(r.Data)
			if err != nil {
				continue
			}
			for _, id := range shows {
				c.lines[id]++
			}
		}
		if len(records) < page {
			out := make(map[commerce.ID]int, len(c.lines))
			for id, n := range c.lines {
				out[id] = n
			}
			return out, nil
		}
	}
}

// Run replays a show of a merchant under the rules that were in force and under edited ones. progress, when set, is told how many
// lines are done of about how many, about every thousand lines and at the end. Errors: *rule.Error of the edited rules,
// sqldb.ErrNotFound when there is no such show, ErrNoLines, ErrBusy, and ctx's.
func (h *House) Run(ctx context.Context, merchant, show commerce.ID, edited []rule.Rule, o replay.Options, progress func(done, of int)) (replay.Result, error) {
	h.mu.Lock()
	if h.runs == nil {
		h.runs = map[commerce.ID]bool{}
	}
	busy := h.runs[merchant]
	h.runs[merchant] = true
	h.mu.Unlock()
	if busy {
		return replay.Result{}, ErrBusy
	}
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.runs, merchant)
	}()
	r, err := h.recording(ctx, merchant, show)
	if err != nil {
		return replay.Result{}, err
	}
	began, ok := r.Began()
	if !ok {
		return replay.Result{}, ErrNoLines
	}
	if err := h.Bus.Logged(ctx); err != nil {
		return replay.Result{}, err
	}
	n, err := h.count(ctx, merchant)
	if err != nil {
		return replay.Result{}, err
	}
	if r.Lines = n[show]; r.Lines == 0 {
		return replay.Result{}, ErrNoLines
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return r.Run(ctx, h.lines(ctx, bus.Range{Merchant: int64(merchant), Since: began.Add(-time.Minute), Until: logged(&r.Show), Limit: page}, show), edited, o, progress)
}

// called are the merchant's commands, and values of variants, that are called otherwise. Lines from before they were renamed have the old words.
func (h *House) called(ctx context.Context, merchant commerce.ID) (names map[rules.Name][]string, aliases map[string][]string, err error) {
	all, err := h.DB.Manners().All(ctx, merchant)
	words := map[string]string{}
	for _, m := range all {
		if m.Kind == manners.Call {
			words[m.Name] = m.Value
		}
	}
	return rules.AlsoCalled(words), manners.Aliases(slices.Values(all)), err
}

// recording reads all of a show but its lines.
func (h *House) recording(ctx context.Context, merchant, show commerce.ID) (*replay.Recording, error) {
	about, err := h.DB.Merchant(ctx, merchant)
	if err != nil {
		return nil, err
	}
	shows, err := h.DB.Shows(ctx, merchant)
	if err != nil {
		return nil, err
	}
	r := &replay.Recording{Language: about.Language, Zone: time.UTC}
	if r.Names, r.Aliases, err = h.called(ctx, merchant); err != nil {
		return nil, err
	}
	for i := range shows {
		if shows[i].ID == show {
			r.Show = shows[i]
		}
	}
	if r.Show.ID == 0 {
		return nil, sqldb.ErrNotFound
	}
	if z, err := time.LoadLocation(about.Timezone); err == nil {
		r.Zone = z
	}
	words := wording.Teller{Lang: lang.For(about.Language), Zone: r.Zone}
	r.Words = replay.Words{Name: words.Lang.NameOr, Link: strings.TrimSuffix(h.Public, "/") + "/live/" + url.PathEscape(r.Show.Name), Item: words.Item}
	r.Rules = func(version int64) ([]rule.Rule, bool, error) { return h.rules(ctx, merchant, about.Language, version) }
	if err := h.DB.Ledger(ctx, merchant, 0, func(e commerce.Entry) error { return r.Enter(&e) }); err != nil {
		return nil, fmt.Errorf("read the ledger for a replay: %w", err)
	}
	if r.Stock, err = h.DB.Stock(ctx, merchant); err != nil {
		return nil, err
	}
	return r, nil
}

// rules are a merchant's rules of a version; of those that are kept no more the oldest that is.
func (h *House) rules(ctx context.Context, merchant commerce.ID, language string, version int64) (all []rule.Rule, kept bool, err error) {
	if version == 0 {
		return starter.Rules(language), true, nil
	}
	v, err := h.DB.Rulebook().Version(ctx, merchant, version)
	if !errors.Is(err, sqldb.ErrNotFound) {
		return v.Rules, true, err
	}
	list, err := h.DB.Rulebook().Versions(ctx, merchant)
	if err != nil || len(list) == 0 {
		return starter.Rules(language), false, err
	}
	v, err = h.DB.Rulebook().Version(ctx, merchant, list[len(list)-1].Number)
	return v.Rules, false, err
}

// logged is when all lines of a show are in the log; zero while it is not over.
func logged(s *commerce.Show) time.Time {
	if s.State != commerce.ShowEnded || s.Ended.IsZero() {
		return time.Time{}
	}
	return s.Ended.Add(10 * time.Minute)
}

// lines are the lines of a show in a part of the log, as they were logged. They are read ahead while those before are replayed.
func (h *House) lines(ctx context.Context, r bus.Range, show commerce.ID) iter.Seq2[*replay.Line, error] {
	return func(yield func(*replay.Line, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		pages := make(chan []replay.Line, 4)
		var failed error
		var reader sync.WaitGroup
		reader.Go(func() {
			defer close(pages)
			failed = h.read(ctx, r, show, pages)
		})
		defer reader.Wait()
		defer stop()
		for all := range pages {
			for i := range all {
				if !yield(&all[i], nil) {
					return
				}
			}
		}
		if failed != nil {
			yield(nil, failed)
		}
	}
}

// read hands over the lines of a show, record by record.
func (h *House) read(ctx context.Context, r bus.Range, show commerce.ID, to chan<- []replay.Line) error {
	for {
		records, err := h.Bus.ReadLog(ctx, r)
		if err != nil {
			return err
		}
		var all []replay.Line
		for _, x := range records {
			r.From = x.Seq + 1
			some, err := lines.Read(x.Data)
			if err != nil { // written by a version that is newer than this one
				continue
			}
			for i := range some {
				if some[i].Show == show {
					all = append(all, some[i])
				}
			}
			if len(all) >= page {
				select {
				case to <- all:
					all = nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		select {
		case to <- all:
		case <-ctx.Done():
			return ctx.Err()
		}
		if len(records) < page {
			return nil
		}
	}
}
