// Package speaker says what an account has to say, at the pace its platform allows and never faster: one Speaker keeps the
// pace of one account over all its channels. It does not know what it says; who asks it brings the words.
package speaker

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// Rank orders what waits to be said (product rule); the lowest goes first. Rank 0 is kept for results of drops.
type Rank uint8

// Ranks of an answer.
const (
	RankDrop Rank = iota
	RankPromoted
	RankHeld
	RankReminder
	RankNo // sold out, limit
	RankInfo
)

// Utterance is something to be said, before it is put into words for its place.
type Utterance struct {
	// ID is its row in the effects table; 0 when it was not stored.
	ID   commerce.ID
	Rank Rank
	To   chat.Answer
	// Words makes the text for one viewer alone. Joined, when set, is the outcome that may stand in one line with others.
	Words  func(private bool) Words
	Joined *commerce.Outcome
	// Merge says that others of its kind may follow in the same line: shout-outs must not take a line each where lines are few.
	Merge bool
	// Loud is said so that it stands out, where the platform has a form for that: a shout-out.
	Loud bool
	// Anyway is said although the channel is muted: that it falls silent.
	Anyway bool
	// Asker is the name of whom it answers. Shared is an answer that is the same for all who asked: who waits for the same is told by
	// one line that names them all.
	Shared, Asker string
	// NotBefore is when it may be said at the earliest; zero means at once. Private answers do not wait.
	NotBefore time.Time
	// NotAfter is when it matters to nobody any more; zero means never.
	NotAfter time.Time
	// From is when the line came that this answers, for the timing.
	From time.Time
	// Done is told once, when it was said (err nil), given up or dropped.
	Done func(at time.Time, err error)

	tries int // that did not reach the platform
}

// A line that never left, because no connection could be made, is tried again up to mostTries times, at first after firstRest and then
// after twice as long each time. Whatever may have reached the platform is not.
const (
	mostTries = 5
	firstRest = time.Second
)

// Words is a text and the link that belongs to it.
type Words struct {
	Text, Link, LinkLabel string
}

// To is the same with the name of whom it is for in front, where there is a text and a name.
func (w Words) To(name string) Words {
	if w.Text != "" && name != "" {
		w.Text = "@" + name + " " + w.Text
	}
	return w
}

// Errors that an utterance can end with when it was never sent.
var (
	ErrTooLate = errors.New("it matters no more")
	ErrTold    = errors.New("the same was just said")
	ErrFull    = errors.New("too much waits to be said")
	ErrMuted   = errors.New("the channel is muted")
)

// Backlog bounds what waits in one channel. Joining makes one line of many, so this is minutes of answers; past it the
// lowest rank is dropped and counted.
const Backlog = 4096

// Chat is a platform as far as a Speaker needs it. A refusal of Say is a *chat.Refused.
type Chat interface {
	Say(ctx context.Context, l chat.Line) (chat.Sent, error)
	Budget(c chat.Channel) chat.Budget
}

// Speaker says what one account has to say, at the pace its platform allows and never faster. Answers that wait in one
// channel become one line. Private answers cost no budget and go at once.
type Speaker struct {
	Chat Chat
	Log  *slog.Logger
	// Join makes one line of the outcomes that wait in a channel, and says how many of them, from the first, it covers (at least 1).
	// It names each; when crowd is set there is no time to name everybody, and those who are not named are counted and find
	// themselves behind the link: such a line covers all it can.
	Join func(c chat.Channel, outcomes []*commerce.Outcome, maxRunes int, crowd bool) (Words, int)

	in struct { // what turn has not taken in yet: who says something does not wait while lines are made
		sync.Mutex
		us []*Utterance
	}
	mu      sync.Mutex
	muted   map[chat.Channel]bool
	figures Figures
	queues  map[chat.Channel]*speech
	private []*Utterance
	later   []*Utterance          // that may not be said yet, the soonest first
	pools   map[string][]*sending // of the last window, per pool, in the order of their ends
	wake    chan struct{}
	once    sync.Once
}

// CoverIn is within which time everybody who waits is to be covered by a line.
const CoverIn = 10 * time.Second

// sameFor is how long a text is not said twice in a row, also where the platform would take it.
const sameFor = 30 * time.Second

// sending is a line that counts against what is allowed: from when it was said, which is when the platform's answer came, for nobody
// knows when the line reached it. While it is on its way it counts as said just now.
type sending struct {
	at    time.Time
	under bool
}

// speech is what waits in one channel.
type speech struct {
	waiting []*Utterance
	busy    bool      // a line is on its way
	last    time.Time // when the last line was said
	rest    time.Time // the platform asked to be left alone until then
	said    map[string]time.Time
	text    string // the last line's
	figures Figures
}

// sayFor is how long one line may take to be accepted.
const sayFor = 10 * time.Second

func (s *Speaker) init() {
	s.once.Do(func() {
		s.muted = map[chat.Channel]bool{}
		s.queues, s.pools, s.wake = map[chat.Channel]*speech{}, map[string][]*sending{}, make(chan struct{}, 1)
	})
}

// Say queues an utterance. It never blocks.
func (s *Speaker) Say(u *Utterance) {
	s.init()
	s.in.Lock()
	s.in.us = append(s.in.us, u)
	s.in.Unlock()
	if s.mu.TryLock() {
		out := s.takeIn()
		s.mu.Unlock()
		tell(out)
	}
	s.rouse()
}

// ended is an utterance that will not be said, and why.
type ended struct {
	u   *Utterance
	why error
}

func tell(all []ended) {
	for _, x := range all {
		x.u.Done(time.Now(), x.why)
	}
}

// takeIn puts what was said since the last time where it waits. Its caller holds mu.
func (s *Speaker) takeIn() (out []ended) {
	s.in.Lock()
	us := s.in.us
	s.in.us = nil
	s.in.Unlock()
	now := time.Now()
	for len(s.later) > 0 && !s.later[0].NotBefore.After(now) {
		us, s.later = append(us, s.later[0]), s.later[1:]
	}
	for _, u := range us {
		switch {
		case u.To.Private():
			s.private = append(s.private, u)
		case s.muted[u.To.Channel] && !u.Anyway:
			s.count(s.queueOf(u.To.Channel), func(f *Figures) { f.Muted++ })
			out = append(out, ended{u, ErrMuted})
		case u.NotBefore.After(now) && len(s.later) >= Backlog:
			s.count(s.queueOf(u.To.Channel), func(f *Figures) { f.Full++ })
			out = append(out, ended{u, ErrFull})
		case u.NotBefore.After(now):
			i, _ := slices.BinarySearchFunc(s.later, u, func(a, b *Utterance) int { return cmp.Or(a.NotBefore.Compare(b.NotBefore), -1) })
			s.later = slices.Insert(s.later, i, u)
		default:
			q := s.queueOf(u.To.Channel)
			i, _ := slices.BinarySearchFunc(q.waiting, u, func(a, b *Utterance) int {
				if c := cmp.Compare(a.Rank, b.Rank); c != 0 {
					return c
				}
				return -1 // behind its equals
			})
			q.waiting = slices.Insert(q.waiting, i, u)
			if last := len(q.waiting) - 1; last >= Backlog {
				out = append(out, ended{q.waiting[last], ErrFull})
				q.waiting = q.waiting[:last]
				s.count(q, func(f *Figures) { f.Full++ })
			}
		}
	}
	return out
}

// queueOf is what waits in a channel. Its caller holds mu.
func (s *Speaker) queueOf(c chat.Channel) *speech {
	q := s.queues[c]
	if q == nil {
		q = &speech{said: map[string]time.Time{}}
		s.queues[c] = q
	}
	return q
}

func (s *Speaker) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Mute keeps a channel silent, or ends that. What waits there and what comes is dropped: it would make no sense later, and everybody's
// page tells it. Private answers are given all the same.
func (s *Speaker) Mute(c chat.Channel, on bool) {
	s.init()
	s.mu.Lock()
	gone := s.takeIn()
	var out []*Utterance
	if s.muted[c] = on; !on {
		delete(s.muted, c)
	} else {
		q := s.queueOf(c)
		out, q.waiting = q.waiting, nil
		out = slices.DeleteFunc(out, func(u *Utterance) bool {
			if u.Anyway {
				q.waiting = append(q.waiting, u)
			}
			return u.Anyway
		})
		s.later = slices.DeleteFunc(s.later, func(u *Utterance) bool {
			if u.To.Channel == c {
				out = append(out, u)
			}
			return u.To.Channel == c
		})
		s.count(q, func(f *Figures) { f.Muted += len(out) })
	}
	s.mu.Unlock()
	tell(gone)
	for _, x := range out {
		x.Done(time.Now(), ErrMuted)
	}
}

// Run says what is queued until ctx ends, and waits for the lines on their way.
func (s *Speaker) Run(ctx context.Context) {
	s.init()
	var lines sync.WaitGroup
	defer lines.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := s.turn(ctx, &lines, time.Now())
		if next.IsZero() {
			timer.Reset(time.Hour)
		} else {
			timer.Reset(max(time.Until(next), time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// turn starts every line that may go now and returns when the next one may; zero when nothing waits for time.
func (s *Speaker) turn(ctx context.Context, lines *sync.WaitGroup, now time.Time) (next time.Time) {
	s.mu.Lock()
	gone := s.takeIn()
	private := s.private
	s.private = nil
	if len(s.later) > 0 {
		next = s.later[0].NotBefore
	}
	type ready struct {
		c    chat.Channel
		q    *speech
		rank Rank
	}
	var can []ready
	for c, q := range s.queues {
		if len(q.waiting) > 0 && !q.busy {
			can = append(can, ready{c, q, q.waiting[0].Rank})
		}
	}
	slices.SortFunc(can, func(a, b ready) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), a.q.last.Compare(b.q.last), cmp.Compare(a.c.ID, b.c.ID))
	})
	type going struct {
		line chat.Line
		us   []*Utterance
		q    *speech
		sent *sending
		pool string
	}
	var go1 []going
	var dead []*Utterance
	var why []error
	for _, r := range can {
		b := s.Chat.Budget(r.c)
		if at := s.may(r.q, b, r.rank, now); at.After(now) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		line, us, ds, ws := s.compose(r.c, r.q, b, len(can), now)
		dead, why = append(dead, ds...), append(why, ws...)
		if len(us) == 0 {
			continue
		}
		r.q.busy, r.q.last, r.q.text = true, now, line.Text
		r.q.said[line.Text] = now
		sent := &sending{now, true}
		s.pools[b.Pool] = append(s.pools[b.Pool], sent)
		go1 = append(go1, going{line, us, r.q, sent, b.Pool})
	}
	s.mu.Unlock()
	tell(gone)
	for i, u := range dead {
		u.Done(now, why[i])
	}
	for _, u := range private {
		w := u.Words(true)
		line := chat.Line{To: u.To, Text: w.Text, Link: w.Link, LinkLabel: w.LinkLabel, Nonce: nonce(u)}
		lines.Go(func() { s.post(ctx, line, []*Utterance{u}, nil, nil, "") })
	}
	for _, g := range go1 {
		lines.Go(func() { s.post(ctx, g.line, g.us, g.q, g.sent, g.pool) })
	}
	return next
}

// nonce makes repeating a line harmless; empty for what has no id, because two lines must not share one.
func nonce(u *Utterance) string {
	if u.ID == 0 {
		return ""
	}
	return u.ID.String()
}

// may is the earliest time at which a line of a rank may go into a channel. Half of what the platform allows goes at once when it is
// wanted; the other half is spread over the time until more is allowed, so that nobody waits for long in silence. Information
// leaves a quarter to what is more urgent.
func (s *Speaker) may(q *speech, b chat.Budget, rank Rank, now time.Time) time.Time {
	at := now
	later := func(t time.Time) {
		if t.After(at) {
			at = t
		}
	}
	if b.Every > 0 && !q.last.IsZero() {
		later(q.last.Add(b.Every))
	}
	later(q.rest)
	if b.Lines <= 0 || b.Per <= 0 {
		return at
	}
	p := s.pools[b.Pool]
	for len(p) > 0 && !p[0].under && !p[0].at.Add(b.Per+slack).After(now) {
		p = p[1:]
	}
	s.pools[b.Pool] = p
	when := func(i int) time.Time {
		if p[i].under {
			return now
		}
		return p[i].at
	}
	most := b.Lines
	if rank >= RankInfo {
		most = max(1, b.Lines-b.Lines/4)
	}
	if len(p) >= most {
		later(when(len(p) - most).Add(b.Per + slack))
	} else if n := len(p); n > b.Lines/2 {
		more, last := when(0).Add(b.Per+slack), when(n-1)
		later(last.Add(more.Sub(last) / time.Duration(b.Lines-n+1)))
	}
	return at
}

// slack is added to the platform's window.
const slack = 250 * time.Millisecond

// lines is about how many lines may go into a channel within CoverIn, where others of the account have something to say too.
func (s *Speaker) lines(b chat.Budget, others int) int {
	n := 1 << 20
	if b.Lines > 0 && b.Per > 0 {
		n = int(min(float64(n), float64(b.Lines)*float64(CoverIn)/float64(b.Per)+float64(max(0, b.Lines/2-len(s.pools[b.Pool])))))
	}
	n /= max(1, others)
	if b.Every > 0 {
		n = min(n, int(CoverIn/b.Every))
	}
	return max(1, n)
}

// Announcer is a chat that can do more than say lines; see chat.Announce. A refusal is a *chat.Refused.
type Announcer interface {
	Do(ctx context.Context, d chat.Deed) error
}

// send says a line, so that it stands out where that is wanted and the platform takes it in that form.
func (s *Speaker) send(ctx context.Context, line chat.Line, loud bool) (chat.Sent, error) {
	if a, ok := s.Chat.(Announcer); ok && loud && line.To.Kind == chat.ToChannel && s.Chat.Budget(line.To.Channel).Announces {
		err := a.Do(ctx, chat.Deed{Kind: chat.Announce, Channel: line.To.Channel, Text: line.Text})
		var refused *chat.Refused
		if err == nil || !errors.As(err, &refused) || refused.Unknown || refused.Reconnect {
			return chat.Sent{At: time.Now()}, err
		}
	}
	return s.Chat.Say(ctx, line)
}

// settle moves a line that was said to where it belongs in its pool: those said stand in the order of time, those under way behind.
func settle(pool []*sending, said *sending) {
	for i := slices.Index(pool, said); i > 0 && (pool[i-1].under || pool[i-1].at.After(said.at)); i-- {
		pool[i-1], pool[i] = pool[i], pool[i-1]
	}
}

// post says one line and tells its utterances what came of it. It is said once: what the platform refused is not repeated, except
// that the channel rests when the platform asks for it, and that a line which never left is tried again.
func (s *Speaker) post(ctx context.Context, line chat.Line, us []*Utterance, q *speech, counts *sending, pool string) {
	// A line under way is finished when the program stops, else nobody would know whether it was said.
	say, cancel := context.WithTimeout(context.WithoutCancel(ctx), sayFor)
	sent, err := s.send(say, line, us[0].Loud)
	cancel()
	at := sent.At
	if at.IsZero() {
		at = time.Now()
	}
	var refused *chat.Refused
	again := false
	s.mu.Lock()
	if q != nil {
		q.busy, q.last = false, time.Now()
		counts.at, counts.under = q.last, false
		settle(s.pools[pool], counts)
		if errors.As(err, &refused) && refused.RetryAfter > 0 {
			q.rest = time.Now().Add(refused.RetryAfter)
			again = !refused.Unknown && !refused.Reconnect
		}
		if errors.As(err, &refused) && refused.Code == "network" && !refused.Unknown && !refused.Reconnect && us[0].tries < mostTries {
			q.rest = time.Now().Add(firstRest << us[0].tries)
			us[0].tries++
			again = true
		}
		if err != nil && (refused == nil || !refused.Unknown) {
			delete(q.said, line.Text) // it was not said
			q.text = ""
		}
		if again { // refused for its pace alone: it was not posted, so it waits its turn again
			q.waiting = append(slices.Clone(us), q.waiting...)
		}
	}
	switch {
	case err == nil:
		s.count(q, func(f *Figures) { f.add(us) })
	case !again:
		s.count(q, func(f *Figures) { f.Failed += len(us) })
	}
	s.mu.Unlock()
	if err != nil {
		s.Log.Warn("line not said", "channel", line.To.Channel.String(), "again", again, "err", err)
	}
	if !again {
		for _, u := range us {
			u.Done(at, err)
		}
	}
	s.rouse()
}
