// Package crew does what a merchant's rules want done that is slow or somebody else's: webhooks, deeds on platforms, codes in the
// store, what stands on the desk, destinations of the video. None of it is done in the merchant's goroutine, and what one of
// them keeps waiting keeps no other waiting.
//
// Goroutines: Run owns one for the tables, one for webhooks (and one more for each address), one for the house's own chores, one
// for codes of the store, and one for each account. All end before Run returns.
package crew

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/chores"
	"hawker/internal/live/counted"
	"hawker/internal/live/hook"
	"hawker/internal/live/ruling"
	"hawker/internal/live/shop"
	"hawker/internal/seal"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/rule"
)

// errLacking means that what a rule wants is nothing that this installation, or this merchant, has.
var errLacking = errors.New("there is nothing here that can do it")

// Doer is a chat that can do more than say lines. A refusal is a *chat.Refused.
type Doer interface {
	Do(ctx context.Context, d chat.Deed) error
}

// Asker is a chat that asks its platform for what is wanted of it and no more.
type Asker interface {
	Need(kinds []chat.Kind, deeds []chat.DeedKind)
}

// Need tells every account what is wanted from now on. Call it after the last Add, and whenever the rules change.
func (c *Crew) Need(kinds []chat.Kind, deeds []chat.DeedKind) {
	for _, a := range c.accounts {
		if a.asker != nil {
			a.asker.Need(kinds, deeds)
		}
	}
}

// unsupported is the code of a refusal of what a platform does not have.
const unsupported = "unsupported"

// Crew works for one merchant. Set the fields and Add the accounts, then call Run; its other methods may be called at any time, by
// many goroutines.
type Crew struct {
	Merchant commerce.ID
	Book     *rulebook.Book
	Log      *slog.Logger
	Saver    counted.Saver
	Hooks    hook.Sender
	// Done is told of each effect that is over.
	Done func(effect commerce.ID)
	// Tell says a text in a channel in place of what its platform lacks, or to a viewer alone.
	Tell func(to chat.Answer, text string, notAfter time.Time)
	// Asked is told when the questions of a show changed.
	Asked func(show commerce.ID)
	// Codes makes discount codes, of amounts in Currency; nil where no store does.
	Codes    shop.Discounts
	Currency string
	// Destination turns a destination of a show on or off; nil where there is no video.
	Destination func(ctx context.Context, merchant, show commerce.ID, name string, on bool) error
	// Slate covers the pictures of a show, or ends that; nil where there is no video.
	Slate func(ctx context.Context, show commerce.ID, on bool) error

	mu      sync.Mutex
	persons map[string]bool // who may have a code; nil until that was read

	own      chores.Queue
	codes    chores.Queue // of the store
	accounts []*account
}

type account struct {
	doer     Doer  // nil when it only says lines
	asker    Asker // nil when it tells all it can anyhow
	channels []chat.Channel
	deeds    chores.Queue
}

// Add adds an account, before Run. x may be a Doer and an Asker.
func (c *Crew) Add(x any, channels []chat.Channel, log *slog.Logger) {
	a := &account{channels: channels, deeds: chores.Queue{Log: log}}
	a.doer, _ = x.(Doer)
	a.asker, _ = x.(Asker)
	c.accounts = append(c.accounts, a)
}

// Run works until ctx ends.
func (c *Crew) Run(ctx context.Context) {
	c.Saver.Save = func(ctx context.Context, m rulebook.Memory) error { return c.Book.Save(ctx, c.Merchant, m) }
	c.Saver.Done, c.Saver.Log, c.Hooks.Log, c.own.Log = c.Done, c.Log, c.Log, c.Log
	c.codes.Log = c.Log
	c.Hooks.Secret = func(ctx context.Context) (seal.Secret, error) { return c.Book.SigningSecret(ctx, c.Merchant) }
	var all sync.WaitGroup
	for _, run := range []func(context.Context){c.Saver.Run, c.Hooks.Run, c.own.Run, c.codes.Run} {
		all.Go(func() { run(ctx) })
	}
	for _, a := range c.accounts {
		all.Go(func() { a.deeds.Run(ctx) })
	}
	all.Wait()
}

// Job is a rule's wish that is an effect.
type Job struct {
	ID       commerce.ID
	Want     *ruling.Want
	NotAfter time.Time
	Channels []chat.Channel // of its show
	// Fit is the text as a channel takes it.
	Fit func(c chat.Channel) string
	// Person is whom the viewer counts as. Hint, where it is not empty, tells the viewer in public where a code is to be seen.
	Person string
	Hint   string
}

// Do has a job done. It waits for nothing.
func (c *Crew) Do(j Job) {
	w := j.Want
	switch w.Do {
	case rule.Call:
		c.Hooks.Send(hook.Post{ID: "msg_" + j.ID.String(), URL: w.URL, Body: w.Body(j.ID), NotAfter: j.NotAfter, Done: func(error) { c.Done(j.ID) }})
	case rule.Question:
		q := rulebook.Question{ID: j.ID, Show: w.Show, Channel: w.Channel, Viewer: w.Viewer, Text: w.Text, At: w.At}
		c.chore(j, func(ctx context.Context) error {
			err := c.Book.PutQuestion(ctx, c.Merchant, q)
			if err == nil {
				c.Asked(w.Show)
			}
			return err
		})
	case rule.DiscountCode:
		c.codes.Add(chores.Chore{What: what(w), NotAfter: j.NotAfter, Do: func(ctx context.Context) error { return c.discount(ctx, j) }, Done: func(error) { c.Done(j.ID) }})
	case rule.DestinationOn, rule.DestinationOff:
		c.chore(j, func(ctx context.Context) error {
			if c.Destination == nil {
				return errLacking
			}
			return c.Destination(ctx, c.Merchant, w.Show, w.Title, w.Do == rule.DestinationOn)
		})
	case rule.Slate:
		c.chore(j, func(ctx context.Context) error {
			if c.Slate == nil {
				return errLacking
			}
			return c.Slate(ctx, w.Show, w.On)
		})
	default:
		if _, ok := w.Deed(w.Channel); ok {
			c.deed(j)
			return
		}
		c.Fail(j, errLacking)
	}
}

// Fail notes why a job cannot be done.
func (c *Crew) Fail(j Job, err error) { c.chore(j, func(context.Context) error { return err }) }

func (c *Crew) chore(j Job, do func(ctx context.Context) error) {
	c.own.Add(chores.Chore{What: what(j.Want), NotAfter: j.NotAfter, Do: do, Done: func(error) { c.Done(j.ID) }})
}

// what is a wish in a few words.
func what(w *ruling.Want) string { return w.Name + ": " + string(w.Do) }

// deed has something done on platforms, in each channel by the account that serves it.
func (c *Crew) deed(j Job) {
	w := j.Want
	where := w.Where(j.Channels)
	if len(where) == 0 {
		c.Done(j.ID)
	}
	left := &atomic.Int64{}
	left.Store(int64(len(where)))
	for _, ch := range where {
		d, _ := w.Deed(ch)
		d.Text = j.Fit(ch)
		ended := func(err error) {
			var no *chat.Refused
			if errors.As(err, &no) && no.Code == unsupported && (w.Do == rule.Announce || w.Do == rule.Pin) { // a plain line instead
				c.Tell(chat.Answer{Kind: chat.ToChannel, Channel: ch}, d.Text, j.NotAfter)
			}
			if left.Add(-1) == 0 {
				c.Done(j.ID)
			}
		}
		a := c.accountOf(ch)
		if a == nil {
			ended(errLacking)
			continue
		}
		a.deeds.Add(chores.Chore{What: what(w), NotAfter: j.NotAfter, Done: ended, Do: func(ctx context.Context) error {
			if a.doer == nil {
				return &chat.Refused{Code: unsupported, Reason: "This chat cannot do it."}
			}
			return a.doer.Do(ctx, d)
		}})
	}
}

// accountOf is the account that serves a channel, nil when none does.
func (c *Crew) accountOf(ch chat.Channel) *account {
	for _, a := range c.accounts {
		if slices.Contains(a.channels, ch) {
			return a
		}
	}
	return nil
}

// Work is what became of what rules wanted done beside saying lines: the addresses of webhooks, and what went wrong lately.
type Work struct {
	Hooks   []hook.State
	Trouble []chores.Trouble
}

// Work is how it stands.
func (c *Crew) Work() Work {
	w := Work{Hooks: c.Hooks.States()}
	for _, q := range c.queues() {
		if t := q.Trouble(); t.Why != "" {
			w.Trouble = append(w.Trouble, t)
		}
	}
	return w
}

func (c *Crew) queues() []*chores.Queue {
	out := []*chores.Queue{&c.own, &c.codes}
	for _, a := range c.accounts {
		out = append(out, &a.deeds)
	}
	return out
}
