package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/counted"
	"hawker/internal/live/speaker"
	"hawker/internal/sqldb"
)

// turn is one batch on its way.
type turn struct {
	now      time.Time
	asks     []asked
	heard    []*heard
	lines    map[commerce.Key]*heard // the lines that claims came from
	done     []commerce.ID
	marks    map[chat.Channel]time.Time
	speeches []speechOf // answers to lines that change nothing
	outcomes []commerce.Outcome
	effects  []planned
	rows     []commerce.Effect // of effects that are stored
	said     []planned         // what rules want because of lines and of what else happened; planning anew leaves it
	saidRows []commerce.Effect // likewise
	undo     counted.Undo      // of what rules remember because of outcomes
	saidUndo counted.Undo      // and because of lines
	depth    int               // how many rounds of rules led to it
	batch    *commerce.Batch   // nil when nothing was written
	begun    bool              // its plan is open in the desk
	added    int               // how many of asks are in it
	mixed    bool              // not all that is asked is plain
}

// asked is a request of a turn with who asks: a line, a command, or time.
type asked struct {
	req   commerce.Request
	heard *heard
	call  *call
}

// ask adds a request of a line.
func (t *turn) ask(h *heard, r commerce.Request) {
	t.asks, t.mixed = append(t.asks, asked{req: r, heard: h}), t.mixed || !plain(r)
}

// turn decides what waits. While a batch is on its way it decides in memory and leaves the turn open; else the turn is made
// durable, on its way or at once. With jobs nil it is the last: all is done when it returns.
func (m *Merchant) turn(ctx context.Context, jobs []job) {
	t := m.open
	if t == nil {
		t = &turn{now: time.Now()}
	}
	m.open = t
	looks := jobs == nil
	for i := range jobs {
		if i > 0 && i%fewLines == 0 && !looks {
			t = m.early(t)
		}
		switch {
		case jobs[i].heard != nil:
			if h := jobs[i].heard; len(t.asks) > t.added && h.looks() {
				m.add(t)
			}
			m.hear(t, jobs[i].heard)
		case jobs[i].cmd != nil:
			c := jobs[i].cmd
			if claim, ok := c.req.(commerce.Claim); ok && m.manners.Blocked(claim.Viewer) {
				claim.Unclear = commerce.Blocked
				c.req = claim
			}
			t.asks, t.depth, t.mixed = append(t.asks, asked{req: c.req, call: c}), max(t.depth, c.depth), true
		case jobs[i].happened != nil:
			m.happened(t, jobs[i].happened)
		case jobs[i].query != nil:
			looks = true
		}
	}
	if m.flight != nil {
		if !looks && !t.mixed && len(t.asks) < batchMax {
			m.add(t)
			return
		}
		m.land(ctx)
	}
	if m.open = nil; m.desk != nil {
		m.clock(t, jobs == nil)
		if looks || t.mixed || len(t.asks) == 0 {
			m.finish(ctx, t)
		} else if m.add(t); !m.fly(ctx, t) {
			m.after(t)
		}
	}
	for i := range jobs {
		switch {
		case jobs[i].query == nil:
		case m.desk == nil: // it looks at what is loaded anew
			m.looks = append(m.looks, jobs[i])
		default:
			m.letOut() // who looks sees all that was decided
			jobs[i].query()
		}
	}
}

// fewLines is after how many lines those are answered of which nothing has to be stored.
const fewLines = 16

// early lets out what was decided of a turn so far, where the disk is not needed for it: who asked for what is sold out does not wait
// until everybody else was read. It returns the turn for what else waits, t itself where something has to be stored.
func (m *Merchant) early(t *turn) *turn {
	if m.flight != nil || t.mixed || len(t.saidRows) > 0 || t.depth > 0 {
		return t
	}
	if m.add(t); len(t.rows) > 0 || !m.desk.Nothing() {
		return t
	}
	m.seal(t)
	m.desk.CommitNothing()
	m.open = &turn{now: t.now, marks: t.marks}
	m.after(t)
	return m.open
}

// fly sends a turn on its way; false when there is nothing to write.
func (m *Merchant) fly(ctx context.Context, t *turn) bool {
	b := m.seal(t)
	if b.Empty() {
		m.desk.CommitNothing()
		return false
	}
	m.launch(ctx, t, b)
	return true
}

// finish makes a turn durable at once.
func (m *Merchant) finish(ctx context.Context, t *turn) {
	tries := bisectMost
	if lost(m.decide(ctx, t, &tries)) {
		m.desk = nil // whoever rules now, what is stored is the truth: load it anew
	}
}

// writeOffAfter is how long rows of effects that were done may stand, when no other batch takes them along.
const writeOffAfter = time.Second

// clock adds to a turn what time asks for, what became of answers, and what could not be stored before.
func (m *Merchant) clock(t *turn, last bool) {
	now := time.Now()
	if len(m.again) > 0 && !now.Before(m.rest) {
		t.asks, m.again, t.mixed = append(t.asks, m.again...), nil, true
	}
	if len(t.asks) > 0 || last || !m.writeOff.IsZero() && !now.Before(m.writeOff) {
		m.writeOff = time.Time{}
		heard, unheard := m.told.Take()
		for _, id := range heard {
			m.desk.Told(id)
		}
		if len(unheard) > 0 {
			t.ask(nil, commerce.Unheard{Holds: unheard})
		}
		t.done = m.box.Take()
	}
	m.tick(t, now)
	if due, ok := m.desk.NextDue(); ok && !due.After(now) && !now.Before(m.rest) {
		t.ask(nil, commerce.Expire{})
	}
}

// lost reports whether the desk's memory is worth nothing after an error of a commit.
func lost(err error) bool {
	return errors.Is(err, commerce.ErrFenced) || errors.Is(err, commerce.ErrUnknown)
}

// bisectMost bounds how many batches are tried to find the requests that the database refuses.
const bisectMost = 64

// pingFor is how long it may take the database to say that it is there.
const pingFor = 2 * time.Second

// restFor is how long a merchant does nothing by itself after a batch that could not be stored.
const restFor = time.Second

// decide makes a turn durable and lets out what follows from it. One request that the database refuses for a reason that
// nobody foresaw must not take the others with it: the turn is halved until that one is found, and only that one fails.
func (m *Merchant) decide(ctx context.Context, t *turn, tries *int) error {
	err := m.commit(ctx, t)
	if err == nil {
		m.after(t)
		m.settleCalls(t, nil)
		return nil
	}
	t.speeches = nil // they may rest on what was not stored
	parts := t.parts()
	if !m.refused(ctx, err) || *tries <= 0 || len(t.asks) == 0 {
		m.fail(t, err)
		return err
	}
	if len(parts) == 1 {
		m.drop(t, err)
		return nil
	}
	var all error
	for _, p := range parts {
		if *tries--; lost(all) {
			m.fail(p, all)
			continue
		}
		all = errors.Join(all, m.decide(ctx, p, tries))
	}
	return all
}

// refused reports whether the database is there and does not want a batch, for a reason that trying again does not mend.
func (m *Merchant) refused(ctx context.Context, err error) bool {
	if lost(err) || errors.Is(err, commerce.ErrRepeated) || errors.Is(err, sqldb.ErrTaken) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingFor)
	defer cancel()
	return m.hub.DB.Ping(ctx) == nil
}

// parts are a turn in pieces: what asks for nothing, and the two halves of its requests. A turn of one request and nothing else
// is one piece.
func (t *turn) parts() []*turn {
	of := map[*heard]int{}
	for i, a := range t.asks {
		if _, ok := of[a.heard]; !ok && a.heard != nil {
			of[a.heard] = i
		}
	}
	rest := &turn{
		now: t.now, lines: t.lines, done: t.done, marks: t.marks, speeches: t.speeches, said: t.said, saidRows: t.saidRows, saidUndo: t.saidUndo, depth: t.depth,
	}
	half := (len(t.asks) + 1) / 2
	a, b := &turn{now: t.now, lines: t.lines, asks: t.asks[:half], depth: t.depth}, &turn{now: t.now, lines: t.lines, asks: t.asks[half:], depth: t.depth}
	for _, h := range t.heard {
		switch i, ok := of[h]; {
		case !ok:
			rest.heard = append(rest.heard, h)
		case i < half:
			a.heard = append(a.heard, h)
		default:
			b.heard = append(b.heard, h)
		}
	}
	var out []*turn
	if len(rest.heard)+len(rest.done)+len(rest.marks)+len(rest.speeches)+len(rest.said) > 0 {
		out = append(out, rest)
	}
	for _, p := range []*turn{a, b} {
		if len(p.asks) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// fail tells who asked in a turn that nothing came of it. Nothing is promised; the feed and !why say that it was heard.
func (m *Merchant) fail(t *turn, err error) {
	m.letOut()
	t.undo.All()
	t.saidUndo.All()
	m.box.Back(t.done)
	m.failed.Add(1)
	m.rest = t.now.Add(restFor)
	m.log.Error("nothing was decided: the batch could not be stored", "requests", len(t.asks), "err", err)
	for _, a := range t.asks {
		if h := a.heard; h != nil {
			m.limited.Add(1)
			m.noteWhy(h, commerce.Limited)
			m.sayHalted(h, t.now)
		}
		switch r := a.req.(type) {
		case commerce.Expire: // it comes again by itself
		case commerce.Unheard:
			for _, id := range r.Holds {
				m.told.Add(id, false)
			}
		default:
			if a.heard == nil && a.call == nil && len(m.again) < shedAt { // a line was taken away
				m.again = append(m.again, a)
			}
		}
	}
	m.settleCalls(t, err)
}

// drop leaves the one request of a turn out that the database refuses.
func (m *Merchant) drop(t *turn, err error) {
	m.letOut()
	m.failed.Add(1)
	a := t.asks[0]
	key := commerce.Key{}
	switch {
	case a.heard != nil:
		key = a.heard.key()
		m.limited.Add(1)
		m.noteWhy(a.heard, commerce.Limited)
		m.say(speechOf{
			Speech: Speech{To: a.heard.msg.Answer, Rank: speaker.RankInfo, Text: "@" + m.voice.Lang.NameOr(a.heard.msg.Viewer.Name) + " " + m.voice.Lang.Failed}, notAfter: t.now.Add(answerFor),
		})
	case a.call != nil:
		key = a.call.key
	}
	if _, ok := a.req.(commerce.Expire); ok {
		m.rest = t.now.Add(commerce.Grace) // it comes again; the others must not wait for it each time
	}
	m.log.Error("a request is left out: the database refuses it", "key", key.String(), "request", fmt.Sprintf("%T", a.req), "err", err)
	m.settleCalls(t, err)
}

// haltedEvery is how often a chat is told that nothing can be stored.
const haltedEvery = time.Minute

// sayHalted tells a channel, once in a while, that claims cannot be taken: the database is away.
func (m *Merchant) sayHalted(h *heard, now time.Time) {
	to := h.msg.Answer
	if h.show == 0 || to.Channel.ID == "" {
		return
	}
	k := stateTold{to.Channel, halted}
	if now.Sub(m.stated[k]) < haltedEvery {
		return
	}
	m.stated[k] = now
	m.say(speechOf{
		Speech: Speech{To: chat.Answer{Kind: chat.ToChannel, Channel: to.Channel}, Rank: speaker.RankHeld, Text: m.voice.Lang.Halted}, notAfter: now.Add(answerFor),
	})
}

// halted stands in stateTold for a database that is away; it is no reason of a line.
const halted commerce.Reason = "halted"

// commit plans and stores the turn; after an error it is as if it had not been planned. A key that turns out to be decided already is
// learnt, and the rest planned anew.
func (m *Merchant) commit(ctx context.Context, t *turn) error {
	for range 4 {
		m.add(t)
		b := m.seal(t)
		if b.Empty() {
			m.desk.CommitNothing()
			return nil
		}
		err := m.write(ctx, b)
		if err == nil {
			m.desk.Commit()
			m.box.Removed(b.Done)
			m.commits.Add(1)
			t.batch = b
			return nil
		}
		m.desk.Rollback()
		t.restart()
		if errors.Is(err, sqldb.ErrTaken) && t.giveUpShows(err) {
			continue
		}
		if !errors.Is(err, commerce.ErrRepeated) {
			return err
		}
		keys := make([]commerce.Key, 0, len(b.Decisions))
		for _, d := range b.Decisions {
			keys = append(keys, d.Key)
		}
		known, err := m.hub.DB.Decided(ctx, m.ID, keys)
		if err != nil {
			return err
		}
		for _, d := range known {
			m.desk.Known(d, t.now)
		}
	}
	return errors.New("keys of the batch are decided by somebody else at this moment")
}

// write makes a batch durable. A batch on its way to the disk is not torn down; but a database that does not answer must not hold
// the shop for ever.
func (m *Merchant) write(ctx context.Context, b *commerce.Batch) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitFor)
	defer cancel()
	return m.hub.DB.Commit(ctx, b)
}

// giveUpShows takes the shows to be stored out of a turn, because a name is another merchant's: nobody else's request must
// fail with them. False when there is none.
func (t *turn) giveUpShows(why error) bool {
	n := len(t.asks)
	var gone []asked
	t.asks = slices.DeleteFunc(slices.Clone(t.asks), func(a asked) bool {
		_, is := a.req.(commerce.SetShow)
		if is {
			gone = append(gone, a)
		}
		return is
	})
	for _, a := range gone {
		if a.call != nil {
			a.call.tell(result{err: why})
		}
	}
	return len(t.asks) < n
}

// settleCalls answers the commands of a turn.
func (m *Merchant) settleCalls(t *turn, err error) {
	for _, a := range t.asks {
		c := a.call
		if c == nil {
			continue
		}
		if err != nil {
			c.tell(result{err: fmt.Errorf("not done, try again: %w", err)})
			continue
		}
		var r result
		if c.key.Message != "" {
			for i := range t.outcomes {
				if t.outcomes[i].Key == c.key {
					r.out = t.outcomes[i]
					break
				}
			}
		}
		if set, ok := c.req.(commerce.SetShow); ok {
			for i := range t.outcomes {
				if o := &t.outcomes[i]; o.What == commerce.Refused && o.Show == set.Show.ID {
					r.err = &ClashError{o.Title}
				}
			}
		}
		c.tell(r)
	}
}

// after does what follows a durable batch. What the next batch does not rest on waits until that is on its way to the disk, so
// that answers are let out while the disk works; when nothing waits to be decided it is done at once.
func (m *Merchant) after(t *turn) {
	m.letOut()
	staged := false
	for i := range t.outcomes {
		switch t.outcomes[i].What {
		case commerce.Begun, commerce.Over, commerce.Aired, commerce.Gated:
			staged = true
		}
	}
	if m.store != nil && t.batch != nil {
		m.store.Follow(m.desk, t.batch)
	}
	for _, a := range t.asks {
		switch r := a.req.(type) {
		case commerce.SetShow:
			staged = true
			m.changed[r.Show.ID] = true
		case commerce.Bind:
			m.rules.Buyers.Joined(r.Viewer, r.Person)
		case commerce.Gate:
			if s := m.desk.Show(r.Show); a.heard != nil && r.Number == 0 && s != nil && s.Paused == r.Closed {
				m.paused(a.heard, s.ID, r.Closed, t.now)
			}
		}
	}
	if staged {
		m.restage()
		m.hush()
		m.resumed(t)
	}
	m.telling(t.effects)
	m.tellDecided(t)
	if m.durable = t; len(m.jobs) == 0 && m.open == nil {
		m.letOut()
	}
}

// letOut does what follows the last durable batch and has waited: memory for the pages, the chat log, the effects. It reads
// nothing of the desk that a plan under way might change.
func (m *Merchant) letOut() {
	t := m.durable
	if t == nil {
		return
	}
	m.durable = nil
	for i := range t.outcomes {
		m.note(t, &t.outcomes[i])
	}
	m.logLines(t)
	for i := range t.effects {
		m.perform(t.effects[i])
	}
	for i := range t.said {
		m.perform(t.said[i])
	}
	for _, s := range t.speeches {
		m.say(s)
	}
}

// tellDecided tells what became of the lines and forms of a durable turn to who measures.
func (m *Merchant) tellDecided(t *turn) {
	tell := m.hub.Decided
	if tell == nil {
		return
	}
	for i := range t.outcomes {
		if o := &t.outcomes[i]; o.What == commerce.Claimed && o.Key.Message != "" {
			tell(o.Key, o.Reason)
		}
	}
	for _, h := range t.heard {
		if k := h.key(); t.lines[k] != h { // no request of it decided
			tell(k, h.why)
		}
	}
}
