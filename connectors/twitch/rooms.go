package twitch

import (
	"context"
	"maps"
	"slices"
	"time"

	"hawker/internal/chat"
)

// byLogin finds a channel by the name of its room; the caller holds mu.
func (c *Client) byLogin(login string) *room {
	for _, r := range c.rooms {
		if r.login == login && login != "" {
			return r
		}
	}
	return nil
}

// setRoles notes the bot's own roles in the channel.
func (r *room) setRoles(mod, vip bool) { r.mod, r.vip = mod, vip }

// rooms sends what is due of JOIN and PART, and gives up on a JOIN without an answer.
func (s *session) rooms() error {
	if !s.in {
		return nil
	}
	now, c := time.Now(), s.c
	var join, late []*room
	c.mu.Lock()
	part := maps.Clone(s.sent)
	for _, id := range slices.Sorted(maps.Keys(c.rooms)) {
		switch r := c.rooms[id]; {
		case r.joined:
			delete(part, id)
		case !r.asked.IsZero():
			delete(part, id)
			if now.Sub(r.asked) > joinIn {
				late = append(late, r)
			}
		case !r.stale && !now.Before(r.again):
			join = append(join, r)
		}
	}
	c.mu.Unlock()
	for _, r := range late {
		s.left(r, "Twitch does not let the bot into the channel: banned there, suspended or renamed.", true)
	}
	for id, login := range part {
		delete(s.sent, id)
		if err := s.write("PART #" + login); err != nil {
			return err
		}
		if !c.wants(id) {
			s.hear(chat.Event{Kind: chat.Left, Channel: channel(id), Reason: "The bot was told to leave.", At: now})
		}
	}
	for _, r := range join {
		if !s.pace.take(now) {
			return nil // later; the ticker comes back
		}
		c.mu.Lock()
		r.asked = now
		login := r.login
		c.mu.Unlock()
		s.sent[r.id] = login
		if err := s.write("JOIN #" + login); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) wants(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rooms[id] != nil
}

// tell hands an event on, if it belongs to a channel that is heard.
func (s *session) tell(in incoming) {
	if e, ok := s.admit(in); ok {
		s.hear(e)
	}
}

func (s *session) admit(in incoming) (e chat.Event, ok bool) {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	e = in.event
	if e.Channel.ID == "" { // a deletion often names the room only
		if r := c.byLogin(in.room); r != nil {
			e.Channel.ID = r.id
		}
	}
	r := c.rooms[e.Channel.ID]
	if r == nil {
		return e, false
	}
	switch e.Kind {
	case chat.Said:
		m := &e.Message
		if m.Own = m.Viewer.ID == c.o.Bot.ID; m.Own && m.Source == "" {
			r.setRoles(in.mod, in.vip)
		}
		if !s.seen.add(m.ID, m.Viewer) {
			return e, false
		}
		r.state.LastHeard, r.state.Delay = m.Received, max(0, m.Received.Sub(m.Sent))
	case chat.Deleted:
		e.Viewer = s.seen.authors[e.ID]
	}
	return e, true
}

// entered notes that the bot is in a room: Twitch sent the room's state, which names the channel's id (the echo of
// JOIN does not). When it is another broadcaster's, because a login changed hands, the bot leaves at once: nobody
// must buy in the wrong room.
func (s *session) entered(login, id string) error {
	c := s.c
	c.mu.Lock()
	r := c.byLogin(login)
	switch {
	case r == nil || r.joined && r.id == id || id == "":
		c.mu.Unlock()
		return nil
	case r.id != id:
		c.mu.Unlock()
		s.left(r, "The channel's name belongs to another channel now.", true)
		delete(s.sent, r.id)
		return s.write("PART #" + login)
	}
	gap := r.gap
	r.joined, r.gap, r.state.Trouble = true, "", ""
	c.mu.Unlock()
	now := time.Now()
	if gap != "" {
		s.hear(chat.Event{Kind: chat.Gap, Channel: channel(id), Reason: gap, At: now})
	}
	s.hear(chat.Event{Kind: chat.Joined, Channel: channel(id), At: now})
	return nil
}

// leftRoom is left for the room of that name, if it is one of ours.
func (s *session) leftRoom(login, reason string, renamed bool) {
	s.c.mu.Lock()
	r := s.c.byLogin(login)
	s.c.mu.Unlock()
	if r != nil {
		s.left(r, reason, renamed)
	}
}

// left notes that a channel is not heard, and why. It is tried again after a minute, after a look at its present name
// when it may have been renamed.
func (s *session) left(r *room, reason string, renamed bool) {
	c, now := s.c, time.Now()
	c.mu.Lock()
	tell := r.joined || r.state.Trouble != reason
	if r.joined {
		r.gap = reason
	}
	r.joined, r.asked, r.again, r.stale = false, time.Time{}, now.Add(joinAgain), r.stale || renamed
	r.state.Trouble, r.state.Speaks = reason, false
	c.mu.Unlock()
	if tell {
		s.hear(chat.Event{Kind: chat.Left, Channel: channel(r.id), Reason: reason, At: now})
	}
}

// lookUp is the answer to a question for the logins of ids.
type lookUp struct {
	ids    []string
	logins map[string]string // nil when Twitch could not be asked
}

// stale are the channels whose login should be looked up now, at most 100; none while a look-up runs.
func (s *session) stale(now time.Time) []string {
	if s.looking {
		return nil
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	var ids []string
	for id, r := range s.c.rooms {
		if r.stale && !now.Before(r.look) && len(ids) < 100 {
			r.look = now.Add(joinAgain)
			ids = append(ids, id)
		}
	}
	return ids
}

func (c *Client) lookUp(ctx context.Context, ids []string) lookUp {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	access, err := c.tokens.access(ctx)
	if err != nil {
		return lookUp{ids: ids}
	}
	logins, err := c.api.logins(ctx, access, ids)
	if err != nil && ctx.Err() == nil {
		c.o.Log.WarnContext(ctx, "twitch channel names not found", "bot", c.o.Bot.ID, "err", err)
	}
	return lookUp{ids, logins}
}

// rename notes what the channels are called now. A name that did not change is tried again at its time, a new one at
// once.
func (s *session) rename(l lookUp) {
	if l.logins == nil {
		return
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for _, id := range l.ids {
		r, login := s.c.rooms[id], l.logins[id]
		switch {
		case r == nil:
		case !validLogin(login):
			r.state.Trouble = "Twitch knows no such channel any more."
		case r.login != login:
			r.login, r.stale, r.asked, r.again = login, false, time.Time{}, time.Time{}
		default:
			r.stale = false
		}
	}
}
