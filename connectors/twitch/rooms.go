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

// setRoles notes the bot's own roles in the channel, by which it may hear more or less; the caller holds mu.
func (c *Client) setRoles(r *room, mod, vip bool) {
	if mod != r.mod {
		c.sources[len(c.sources)-1].look() // the bot's
	}
	r.mod, r.vip = mod, vip
}

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
		if s.echoed[r.login] { // no room's state, but the bot is in; lines name their channel by its id
			s.told(c.stands(r.id, IRC))
			continue
		}
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

// tell hands an event on, if it belongs to a channel that is heard. Both roads bring the same lines in the same order; whichever
// is ahead is heard, one line at a time, so that the order is kept.
func (c *Client) tell(in incoming, hear func(chat.Event)) {
	c.telling.Lock()
	defer c.telling.Unlock()
	for _, in := range c.inOrder(in) {
		c.tellOne(in, hear)
	}
}

func (c *Client) tellOne(in incoming, hear func(chat.Event)) {
	if e, ok := c.admit(in, in.event); ok {
		hear(e)
	}
	if in.also == nil {
		return
	}
	if e, ok := c.admit(in, *in.also); ok {
		hear(e)
	}
}

func (c *Client) admit(in incoming, e chat.Event) (_ chat.Event, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.Channel.ID == "" { // a deletion often names the room only
		if r := c.byLogin(in.room); r != nil {
			e.Channel.ID = r.id
		}
	}
	r := c.rooms[e.Channel.ID]
	if r == nil {
		return e, false
	}
	// Of all but lines and their end one road tells, for not all have an id that is the same on both.
	if in.over && r.joined && e.Kind != chat.Said && e.Kind != chat.Deleted {
		return e, false
	}
	switch e.Kind {
	case chat.Said:
		m := &e.Message
		if m.Own = m.Viewer.ID == c.o.Bot.ID; m.Own && m.Source == "" {
			c.setRoles(r, in.mod, in.vip)
		}
		if !c.seen.add(m.ID, m.Viewer) {
			return e, false
		}
		r.state.LastHeard, r.state.Delay = m.Received, max(0, m.Received.Sub(m.Sent))
	case chat.Deleted:
		e.Viewer = c.seen.author(e.ID)
		return e, c.seen.add("deleted:"+e.ID, e.Viewer)
	case chat.Cleared:
	default:
		if !c.seen.add(e.ID, e.Viewer) {
			return e, false
		}
		if in.gift != "" {
			e.Support.Count = c.gifts.left(e.Channel.ID+" "+in.gift, in.whole, e.Support.Count)
		}
		return e, e.Kind != chat.Gifted || e.Support.Count > 0
	}
	return e, true
}

// proven takes a line with the channel's own id as proof that the bot is in the room, should Twitch never send the room's state.
func (s *session) proven(in incoming) {
	if in.event.Kind != chat.Said || in.room == "" {
		return
	}
	s.c.mu.Lock()
	r := s.c.rooms[in.event.Channel.ID]
	if named := s.c.byLogin(in.room); r == nil && named != nil && isUnknown(named.id) {
		s.adopt(named, in.event.Channel.ID)
		r = named
	}
	asked := r != nil && !r.joined && !r.asked.IsZero() && r.login == in.room
	s.c.mu.Unlock()
	if asked {
		s.told(s.c.stands(r.id, IRC))
	}
}

func (s *session) told(all []chat.Event) {
	for _, e := range all {
		s.hear(e)
	}
}

// entered notes that the bot is in a room: Twitch sent the room's state, which names the channel's id (the echo of
// JOIN does not). When it is another broadcaster's, because a login changed hands, the bot leaves at once: nobody
// must buy in the wrong room.
func (s *session) entered(login, id string) error {
	c := s.c
	c.mu.Lock()
	r := c.byLogin(login)
	if r != nil && id != "" && isUnknown(r.id) {
		s.adopt(r, id)
	}
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
	c.mu.Unlock()
	s.told(c.stands(id, IRC))
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
	tell := c.fails(r, IRC, reason, false)
	if len(tell) == 0 && !r.heard() && r.state.Trouble != reason { // it never was let in
		tell = []chat.Event{{Kind: chat.Left, Channel: channel(r.id), Reason: reason, At: now}}
	}
	r.asked, r.again, r.stale = time.Time{}, now.Add(joinAgain), r.stale || renamed
	if !r.heard() {
		r.state.Trouble, r.state.Speaks = reason, false
	}
	c.mu.Unlock()
	s.told(tell)
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
		case isUnknown(id):
			r.stale = false // it has no id to be looked up by; the name is tried again
		case !validLogin(login):
			r.state.Trouble = "Twitch knows no such channel any more."
		case r.login != login:
			r.login, r.stale, r.asked, r.again = login, false, time.Time{}, time.Time{}
		default:
			r.stale = false
		}
	}
}
