package broadcast

import (
	"context"
	"time"

	"hawker/connectors/youtube/quota"
	"hawker/internal/chat"
)

// How often YouTube is asked. A look costs 1 or 2 units: eight hours of good video cost about 600.
const (
	gapStart = 5 * time.Second  // video has just begun, or is about to
	gapIdle  = 30 * time.Second // none comes
	gapBad   = 15 * time.Second // something is wrong with it
	gapGood  = time.Minute
	gapLow   = 5 * time.Minute // nine tenths of the day's units are spent
	// whole is how often the broadcast is asked for beside its stream once it is live.
	whole = 5 * time.Minute
)

// How patient we are.
const (
	// autoStart is how long YouTube may take to start by itself once video comes. Then we start it, up to starts times, each time
	// waiting twice as long, since a try costs 50 units.
	autoStart = 20 * time.Second
	starts    = 5
	// step is the gap between looks at a state that passes by itself; we look steps times.
	step  = 2 * time.Second
	steps = 20
)

// Follow runs a broadcast while the relay sends to it: it asks YouTube how things stand as often as is useful, has the broadcast go
// live when YouTube does not start it by itself, and tells each change from the calling goroutine; tell must not block. A value
// from poke has it look at once, for when the relay's destination went up or down. It returns nil when ctx ends or the broadcast
// is over, and a *chat.Refused when only the owner can help.
func (c *Client) Follow(ctx context.Context, ids IDs, poke <-chan struct{}, tell func(Status)) error {
	f := &follower{c: c, ids: ids, changed: time.Now()}
	for ctx.Err() == nil {
		s, err := f.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if !f.told || !s.same(f.last) {
			f.changed, f.told = time.Now(), true
			tell(s)
		}
		f.last = s
		if r := refused(err); r != nil && r.Reconnect {
			return err
		}
		if s.Known && s.State.Over() {
			return nil
		}
		t := time.NewTimer(f.gap(err))
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-poke:
			f.whole, f.changed = time.Time{}, time.Now()
		}
		t.Stop()
	}
	return nil
}

// follower is one run of Follow.
type follower struct {
	c   *Client
	ids IDs

	last    Status
	told    bool
	changed time.Time // when something changed last, or the relay poked
	whole   time.Time // when the broadcast itself was asked for last
	active  time.Time // since when video comes to a broadcast that is not live
	tried   time.Time // when we tried to start it last
	starts  int
	stuck   string // why it does not start
}

// look asks for what may have changed. With an error the Status is the last one, marked as old.
func (f *follower) look(ctx context.Context) (Status, error) {
	s, now := f.last, time.Now()
	ask := func() error {
		if s.State != Live || s.Stream != "active" || now.Sub(f.whole) >= whole {
			if err := f.c.lookBroadcast(ctx, f.ids, &s); err != nil {
				return err
			}
			f.whole = now
		}
		return f.c.lookStream(ctx, f.ids, &s)
	}
	if err := ask(); err != nil {
		s = f.last
		s.Known, s.Received, s.Trouble = false, false, "YouTube does not say how the video arrives: "+err.Error()
		if r := refused(err); r != nil {
			s.Trouble = "YouTube does not say how the video arrives: " + r.Reason
		}
		return s, err
	}
	f.start(ctx, &s)
	return s, nil
}

// start has a broadcast go live that gets video and does not start by itself.
func (f *follower) start(ctx context.Context, s *Status) {
	now := time.Now()
	if s.Stream != "active" || s.State.OnAir() || s.State.Over() {
		f.active, f.starts, f.stuck = time.Time{}, 0, ""
		return
	}
	if f.active.IsZero() {
		f.active = now
	}
	wait := time.Duration(autoStart)
	if !s.autoStart {
		wait = 0
	}
	if now.Sub(f.active) >= wait && f.starts < starts && now.Sub(f.tried) >= autoStart<<max(f.starts-1, 0) {
		f.tried = now
		f.starts++
		f.stuck = ""
		if err := f.c.Live(ctx, f.ids); err != nil {
			f.stuck = "The broadcast does not start: " + err.Error()
			if r := refused(err); r != nil {
				f.stuck = "The broadcast does not start: " + r.Reason + "."
			}
			if f.starts >= starts {
				f.stuck += " Start it in YouTube Studio."
			}
		} else if err := f.c.lookBroadcast(ctx, f.ids, s); err == nil {
			return
		}
	}
	if f.stuck != "" {
		s.Trouble = f.stuck
	}
}

// gap is how long to leave YouTube alone.
func (f *follower) gap(err error) time.Duration {
	s, u := f.last, f.c.calls.Usage()
	since := time.Since(f.changed)
	gap := gapGood
	switch {
	case err != nil:
		gap = gapBad
		if r := refused(err); r != nil {
			gap = max(gap, r.RetryAfter)
		}
	case s.Stream == "active" && s.State != Live:
		gap = gapStart
	case s.Stream != "active" && since < time.Minute:
		gap = gapStart
	case s.Stream != "active":
		gap = gapIdle
	case s.Health != "good" || s.Trouble != "":
		gap = gapBad
	}
	if since > 10*time.Minute { // nothing is new: what is asked often tells no more
		gap = max(gap, gapGood)
	}
	if (quota.Plan{Daily: u.Daily, Left: u.Daily - u.Units}).Low() {
		gap = max(gap, gapLow)
	}
	return gap
}

// Live has a broadcast go live now, which needs video (else Refused says errorStreamInactive). One that is live already is left
// alone; one with a monitor stream goes through testing first. It costs 51 units, or 101, and waits for up to a minute.
func (c *Client) Live(ctx context.Context, ids IDs) error {
	asked := State("")
	for range steps {
		b, err := c.find(ctx, ids.Broadcast)
		if err != nil {
			return err
		}
		to := Live
		switch b.State {
		case Live:
			return nil
		case LiveStarting, TestStarting:
			to = ""
		case Ready:
			if b.monitored {
				to = Testing
			}
		case Testing:
		case "":
			return gone()
		default:
			return c.transition(ctx, ids, Live) // YouTube says why not
		}
		if to != "" && to != asked {
			if err := c.transition(ctx, ids, to); err != nil {
				return err
			}
			asked = to
		}
		if pause(ctx, step); ctx.Err() != nil {
			return stopped()
		}
	}
	return &chat.Refused{Code: "timeout", Reason: "YouTube takes long to start the broadcast"}
}

// transition asks for a state. To be in it already is no error. A try costs 50 units: Follow tries again by itself.
func (c *Client) transition(ctx context.Context, ids IDs, to State) error {
	n := 1
	if to == Complete {
		n = tries
	}
	err := c.calls.Do(ctx, n, func(ctx context.Context) error {
		_, err := c.api.LiveBroadcasts.Transition(string(to), ids.Broadcast, []string{"id", "status"}).Context(ctx).Do()
		return err
	})
	if code(err) == "redundantTransition" {
		return nil
	}
	return err
}

// End closes a broadcast with its show, so that nothing stays live or planned on the channel: one that is live is completed, one
// that Prepare made and that never went live is deleted, the creator's own plan is left. What is over or gone already is no error.
// It costs 51 units and waits for up to a minute for a broadcast that is just starting.
func (c *Client) End(ctx context.Context, ids IDs) error {
	var err error
	for range steps {
		var b Broadcast
		if b, err = c.find(ctx, ids.Broadcast); err != nil {
			return err
		}
		switch {
		case b.State.Over():
			return nil
		case b.State == Created || b.State == Ready:
			if !ids.Made {
				return nil
			}
			err = c.calls.Do(ctx, tries, func(ctx context.Context) error {
				return c.api.LiveBroadcasts.Delete(ids.Broadcast).Context(ctx).Do()
			})
		case b.State == Live || b.State == Testing:
			err = c.transition(ctx, ids, Complete)
		}
		switch code(err) {
		case "liveBroadcastNotFound":
			return nil
		case "", "invalidTransition", "liveBroadcastDeletionNotAllowed": // its state changed meanwhile: look again
			if err == nil && b.State != LiveStarting && b.State != TestStarting {
				return nil
			}
		default:
			return err
		}
		if pause(ctx, step); ctx.Err() != nil {
			return stopped()
		}
	}
	return err
}

func stopped() *chat.Refused {
	return &chat.Refused{Code: "network", Reason: "YouTube was not waited for", Unknown: true}
}
