package twitch

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"hawker/internal/chat"
)

const (
	firstPause = 500 * time.Millisecond
	longest    = time.Minute
	// steady is how long a connection must have lasted for the next pause to be the first again.
	steady = 2 * time.Minute
)

var (
	errLogin     = errors.New("chat at Twitch refused the login")
	errReconnect = errors.New("chat at Twitch asked for a new connection")
	errSilent    = errors.New("chat at Twitch fell silent")
	errBusy      = errors.New("twitch: Listen is running already")
)

// Listen connects, hears all channels and connects again whenever the connection is lost, with a pause that grows to a
// minute. Calls of hear never overlap. It returns nil when ctx ended, and a *chat.Refused with Reconnect
// after a Revoked event for each channel when only the account's owner can help; the client is then spent, and
// another is made from the newly connected account.
func (c *Client) Listen(ctx context.Context, hear func(chat.Event)) error {
	if ctx.Err() != nil {
		return nil
	}
	if !c.claim(true) {
		return errBusy
	}
	defer c.claim(false)
	defer func() { // after an end nobody is told any more
		_ = c.overLost("no longer listening", false)
		c.lost(errors.New("no longer listening"), func(chat.Event) {})
	}()

	alive, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	hear = oneAtATime(hear)
	var beside sync.WaitGroup
	if !c.anonymous() {
		beside.Go(func() {
			if err := c.tokens.keep(alive); err != nil {
				stop(err)
			}
		})
		beside.Go(func() { c.release(alive, hear) })
		for _, s := range c.sources {
			beside.Go(func() { s.run(alive, hear) })
		}
	}

	err := error(nil)
	if c.o.Road == EventSub {
		err = c.overOnly(alive)
	} else {
		err = c.connected(alive, hear)
	}
	if cause := context.Cause(alive); cause != nil {
		err = cause
	}
	stop(nil)
	beside.Wait()
	if ctx.Err() != nil {
		return nil
	}
	reason := err.Error()
	if re := (*chat.Refused)(nil); errors.As(err, &re) {
		reason = re.Reason
	}
	for _, s := range c.States() {
		hear(chat.Event{Kind: chat.Revoked, Channel: s.Channel, Reason: reason, At: time.Now()})
	}
	return err
}

// oneAtATime makes hear safe for the two roads that call it: lines come over the chat server, happenings over EventSub as well.
func oneAtATime(hear func(chat.Event)) func(chat.Event) {
	var mu sync.Mutex
	return func(e chat.Event) {
		mu.Lock()
		defer mu.Unlock()
		hear(e)
	}
}

// claim takes or gives back the right to be the one Listen.
func (c *Client) claim(on bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if on && c.listening {
		return false
	}
	c.listening = on
	return true
}

// connected holds one connection after the other until ctx ends or the account is of no more use.
func (c *Client) connected(ctx context.Context, hear func(chat.Event)) error {
	pace := &pace{most: 19} // one fewer than allowed, for what the wire bunches together
	if c.o.Verified {
		pace.most = 1990
	}
	pause, renewed, checked := firstPause, false, false
	for {
		began := time.Now()
		err := error(nil)
		if !checked && !c.anonymous() {
			// Required at start (Twitch docs, "Validating Tokens"); it also tells the login and the scopes.
			err = c.tokens.validate(ctx)
			checked = err == nil
			if err != nil && !permanent(err) && c.tokens.name() != "" {
				// A login server that is out of order keeps nobody from the chat; keep asks it again.
				c.o.Log.WarnContext(ctx, "twitch token not checked", "account", c.o.Bot.ID, "err", err)
				err = nil
			}
		}
		var access string
		if err == nil && !c.anonymous() {
			access, err = c.tokens.access(ctx)
		}
		if err == nil {
			var in bool
			in, err = c.session(ctx, access, pace, hear)
			renewed = renewed && !in
		}
		if errors.Is(err, errLogin) && ctx.Err() == nil {
			// The token is refreshed once; a fresh one that is refused too means that only the owner can help.
			if renewed {
				return c.tokens.end("login_refused", "Twitch chat does not let the bot account in: connect it again.")
			}
			if _, err = c.tokens.refresh(ctx, access); err == nil {
				renewed, checked = true, false // look again how the account is called now
				continue
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if permanent(err) {
			return err
		}
		c.lost(err, hear)
		c.o.Log.InfoContext(ctx, "twitch chat connection lost", "bot", c.o.Bot.ID, "err", err)
		if time.Since(began) > steady {
			pause = firstPause
		}
		if !sleep(ctx, pause/2+rand.N(pause)) {
			return ctx.Err()
		}
		pause = min(2*pause, longest)
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// lost notes that the chat server is away: no channel is heard over it any more.
func (c *Client) lost(err error, hear func(chat.Event)) {
	c.mu.Lock()
	var tell []chat.Event
	for _, r := range c.rooms {
		r.asked, r.again = time.Time{}, time.Time{}
		tell = append(tell, c.fails(r, IRC, err.Error(), errors.Is(err, errSilent))...)
	}
	c.mu.Unlock()
	byChannel(tell)
	for _, e := range tell {
		hear(e)
	}
}

func byChannel(all []chat.Event) {
	slices.SortStableFunc(all, func(a, b chat.Event) int { return strings.Compare(a.Channel.ID, b.Channel.ID) })
}

// pace keeps JOINs under 20 in 10 s, 2,000 for verified bots (Twitch docs, "Twitch IRC rate limits"), over all connections of a
// Listen.
type pace struct {
	most int
	sent []time.Time
}

// take reports whether another JOIN may be sent at now, and counts it.
func (p *pace) take(now time.Time) bool {
	const per = 10500 * time.Millisecond
	for len(p.sent) > 0 && now.Sub(p.sent[0]) >= per {
		p.sent = p.sent[1:]
	}
	if len(p.sent) >= p.most {
		return false
	}
	p.sent = append(p.sent, now)
	return true
}

// memory is the ids of the lines heard lately and their authors, so that a line delivered twice, or over two roads, is heard
// once. It is in two generations: each is kept for at least a minute, or until it is full.
type memory struct {
	young, old map[string]chat.Viewer
	since      time.Time // when young began
}

// A generation has at least remembered ids, however old, and at most mostRemembered.
const remembered, mostRemembered = 4096, 200_000

// add reports whether the line is new.
func (m *memory) add(id string, v chat.Viewer) bool {
	if m.has(id) {
		return false
	}
	if n := len(m.young); m.young == nil || n >= remembered && (n >= mostRemembered || time.Since(m.since) > time.Minute) {
		m.old, m.young, m.since = m.young, make(map[string]chat.Viewer, min(n, remembered)), time.Now()
	}
	m.young[id] = v
	return true
}

func (m *memory) has(id string) bool {
	_, young := m.young[id]
	_, old := m.old[id]
	return young || old
}

// author is whose line it was, if it is still known.
func (m *memory) author(id string) chat.Viewer {
	if v, ok := m.young[id]; ok {
		return v
	}
	return m.old[id]
}
