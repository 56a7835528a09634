package live

import (
	"context"
	"runtime"
	"slices"

	"hawker/commerce"
)

// flight is a turn whose batch is on its way to the disk. While it is, the next turn is decided in memory, as its continuation:
// in a rush the merchant's goroutine never waits for the disk. Only turns of plain claims fly; everything else (a host's
// command, a form, a page that looks, what time asks for) waits until nothing is in the air and is then done step by step.
type flight struct {
	t     *turn
	batch *commerce.Batch
	done  chan error // gets the fate of the batch, once
}

// landing is where the fate of the batch under way comes in; nil while there is none.
func (m *Merchant) landing() <-chan error {
	if m.flight == nil {
		return nil
	}
	return m.flight.done
}

// plain reports whether a request may be decided beside a batch that is on its way.
func plain(r commerce.Request) bool {
	c, ok := r.(commerce.Claim)
	return ok && !c.Edited
}

// launch sends a turn's batch on its way, and meanwhile lets out what follows the one before.
func (m *Merchant) launch(ctx context.Context, t *turn, b *commerce.Batch) {
	f := &flight{t, b, make(chan error, 1)}
	m.flight = f
	go func() { f.done <- m.write(ctx, b) }()
	runtime.Gosched() // the batch is on its way before anything else is done
	m.letOut()
}

// land waits for the batch under way, if there is one, and does what follows it.
func (m *Merchant) land(ctx context.Context) {
	if m.flight != nil {
		m.landed(ctx, <-m.flight.done, false)
	}
}

// landed does what follows the batch that was under way. Where it failed the turn that was begun beside it is begun anew; else
// that is sent on its way first, if onward says so: the disk is to wait for nobody.
func (m *Merchant) landed(ctx context.Context, err error, onward bool) {
	f := m.flight
	m.flight = nil
	if err == nil {
		m.desk.Commit()
		m.box.Removed(f.batch.Done)
		m.commits.Add(1)
		f.t.batch = f.batch
		if t := m.open; onward && t != nil && !t.mixed && len(t.asks) > 0 {
			m.onward(ctx, f.t, t)
		} else {
			m.after(f.t)
		}
		return
	}
	m.desk.Rollback()
	if m.open != nil {
		m.open.restart()
		m.open.speeches = nil // what they tell may rest on what was not stored
	}
	if !lost(err) {
		tries := bisectMost
		f.t.restart()
		err = m.decide(ctx, f.t, &tries)
	} else {
		m.fail(f.t, err)
	}
	if !lost(err) {
		return
	}
	m.desk = nil // whoever rules now, what is stored is the truth: load it anew
	if m.open != nil {
		m.fail(m.open, err)
		m.open = nil
	}
}

// onward makes the open turn durable, on its way before what follows the one that landed.
func (m *Merchant) onward(ctx context.Context, landed, t *turn) {
	m.open = nil
	m.clock(t, false)
	if t.mixed { // time asks for something
		m.after(landed)
		m.finish(ctx, t)
		return
	}
	m.add(t)
	flies := m.fly(ctx, t)
	m.after(landed)
	if flies {
		m.letOut()
	} else {
		m.after(t)
	}
}

// restart forgets what was planned of a turn.
func (t *turn) restart() {
	t.undo.All()
	t.added, t.begun, t.effects, t.rows, t.outcomes = 0, false, nil, nil, nil
}

// add decides in memory what was asked in a turn and not decided yet.
func (m *Merchant) add(t *turn) {
	if !t.begun {
		t.begun = true
		m.desk.Begin(t.now, len(t.asks))
	}
	for _, a := range t.asks[t.added:] {
		m.reqs = append(m.reqs, a.req)
	}
	t.added = len(t.asks)
	from := len(t.effects)
	t.effects = slices.Grow(t.effects, len(m.reqs))
	m.effects(t, m.desk.Add(m.reqs...))
	clear(m.reqs)
	m.reqs = m.reqs[:0]
	for i := range t.effects[from:] {
		if e := &t.effects[from+i]; e.stored {
			t.rows = append(t.rows, e.row())
		}
	}
}

// seal ends the plan of a turn.
func (m *Merchant) seal(t *turn) *commerce.Batch {
	b, outs := m.desk.Seal()
	t.outcomes = outs
	for i := range t.effects {
		if e := &t.effects[i]; e.tells != 0 && e.speech.Outcome.What == commerce.Claimed && !b.NewHolds[e.speech.Outcome.Hold] {
			e.tells = 0 // its owner was told of the hold when it was made
		}
	}
	if b.Effects, b.Done = t.rows, t.done; len(t.saidRows) > 0 {
		b.Effects = slices.Concat(t.saidRows, t.rows)
	}
	for _, a := range t.asks {
		if a.call != nil && a.call.inbox != "" {
			b.Inbox = append(b.Inbox, a.call.inbox)
		}
	}
	if !b.Empty() {
		b.Watermarks = t.marks
	}
	return b
}
