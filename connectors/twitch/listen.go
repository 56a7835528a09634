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
// minute. It calls hear from its own goroutine only. It returns nil when ctx ended, and a *chat.Refused with Reconnect
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
	defer c.lost(errors.New("no longer listening"), func(chat.Event) {}) // after an end nobody is told any more

	alive, stop := context.WithCancelCause(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() {
		if err := c.tokens.keep(alive); err != nil {
			stop(err)
		}
	})
	defer keeper.Wait()
	defer stop(nil)

	err := c.connected(alive, hear)
	if ctx.Err() != nil {
		return nil
	}
	if cause := context.Cause(alive); cause != nil {
		err = cause
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
	pace := &pace{}
	pause, renewed, checked := firstPause, false, false
	for {
		began := time.Now()
		err := error(nil)
		if !checked {
			// Required at start (Twitch docs, "Validating Tokens"); it also tells the login and the scopes.
			err = c.tokens.validate(ctx)
			checked = err == nil
		}
		var access string
		if err == nil {
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

// lost tells that no channel is heard any more, and remembers that lines may be missing when they are again.
func (c *Client) lost(err error, hear func(chat.Event)) {
	c.mu.Lock()
	var left []chat.Event
	for _, r := range c.rooms {
		r.asked, r.again = time.Time{}, time.Time{}
		if r.joined {
			r.joined, r.gap = false, err.Error()
			left = append(left, chat.Event{Kind: chat.Left, Channel: channel(r.id), Reason: r.gap, At: time.Now()})
		}
	}
	c.mu.Unlock()
	slices.SortFunc(left, func(a, b chat.Event) int { return strings.Compare(a.Channel.ID, b.Channel.ID) })
	for _, e := range left {
		hear(e)
	}
}

// pace keeps JOINs under 20 in 10 s (Twitch docs, "Twitch IRC rate limits"), over all connections of a Listen.
type pace struct{ sent []time.Time }

// take reports whether another JOIN may be sent at now, and counts it.
func (p *pace) take(now time.Time) bool {
	const most, per = 19, 10500 * time.Millisecond // a margin for what the wire bunches together
	for len(p.sent) > 0 && now.Sub(p.sent[0]) >= per {
		p.sent = p.sent[1:]
	}
	if len(p.sent) >= most {
		return false
	}
	p.sent = append(p.sent, now)
	return true
}

// memory is the ids of the lines heard last, so that a line delivered twice is heard once, and their authors.
type memory struct {
	ring    []string
	next    int
	authors map[string]chat.Viewer
}

const remembered = 4096

// add reports whether the line is new.
func (m *memory) add(id string, v chat.Viewer) bool {
	if m.authors == nil {
		m.ring, m.authors = make([]string, remembered), make(map[string]chat.Viewer, remembered)
	}
	if _, ok := m.authors[id]; ok {
		return false
	}
	delete(m.authors, m.ring[m.next])
	m.ring[m.next], m.next = id, (m.next+1)%remembered
	m.authors[id] = v
	return true
}
