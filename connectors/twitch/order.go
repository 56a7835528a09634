package twitch

import (
	"context"
	"slices"
	"time"

	"hawker/internal/chat"
)

// catchUp is how long the lines of a road that just came to stand wait for the other road, which may be behind: what it has on its
// way would else be heard after them. While the other brings lines they wait on, up to catchUpMost.
const (
	catchUp     = 800 * time.Millisecond
	catchUpMost = 15 * time.Second
)

// mostHeld bounds what waits in one channel; more is heard at once.
const mostHeld = 20_000

// order keeps the order of a channel's lines while one of its two roads just came to stand.
type order struct {
	ahead Road       // the new road; empty when none is new
	held  []incoming // its lines that the other did not bring yet
	until time.Time
	most  time.Time
}

func (o *order) begin(road Road, now time.Time) {
	if o.ahead == "" {
		o.ahead, o.until, o.most = road, now.Add(catchUp), now.Add(catchUpMost)
	}
}

func (o *order) end() []incoming {
	held := o.held
	*o = order{}
	return held
}

// inOrder is what is to be heard now that a line came: mostly that line.
func (c *Client) inOrder(in incoming) []incoming {
	now := []incoming{in}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[in.event.Channel.ID]
	if r == nil || r.order.ahead == "" || in.what != event {
		return now
	}
	o, id := &r.order, in.event.Message.ID
	switch in.event.Kind {
	case chat.Said:
	case chat.Deleted:
		if slices.ContainsFunc(o.held, func(h incoming) bool { return h.event.Kind == chat.Said && h.event.Message.ID == in.event.ID }) {
			o.held = append(o.held, in) // after the line it takes away
			return nil
		}
		return now
	default:
		return now
	}
	switch isNew := in.over == (o.ahead == EventSub); {
	case !time.Now().Before(o.until), isNew && (len(o.held) >= mostHeld || c.seen.has(id)): // the other road is not behind
		return append(o.end(), in)
	case isNew:
		o.held = append(o.held, in)
		return nil
	case len(o.held) > 0 && o.held[0].event.Message.ID == id: // it has caught up
		return append(now, o.end()[1:]...)
	}
	if o.until = time.Now().Add(catchUp); o.until.After(o.most) {
		o.until = o.most
	}
	return now
}

// release lets lines go whose time to wait is over, until ctx ends.
func (c *Client) release(ctx context.Context, hear func(chat.Event)) {
	if c.o.Road != Both {
		return
	}
	tick := time.NewTicker(catchUp / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c.telling.Lock()
		var late []incoming
		c.mu.Lock()
		for _, r := range c.rooms {
			if r.order.ahead != "" && !time.Now().Before(r.order.until) {
				late = append(late, r.order.end()...)
			}
		}
		c.mu.Unlock()
		for _, in := range late {
			c.tellOne(in, hear)
		}
		c.telling.Unlock()
	}
}
