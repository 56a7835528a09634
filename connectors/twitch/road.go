package twitch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"hawker/connectors/twitch/eventsub"
	"hawker/internal/chat"
)

// Road says over which of Twitch's servers the lines of a chat come.
type Road string

// The roads. Both are heard side by side and joined by the lines' ids, so that the loss of one loses nothing: Twitch repeats
// nothing on either. IRC needs chat:read, or no login at all; EventSub needs user:read:chat, and costs one of ten subscriptions
// for a channel whose owner has not let the application in.
const (
	Both     Road = "both"
	IRC      Road = "irc"
	EventSub Road = "eventsub"
)

// types are the subscriptions by which a chat is heard. Beside IRC it is only lines and their deletion, which may undo a claim: of
// the rest IRC tells.
func (r Road) types() []string {
	switch r {
	case Both:
		return []string{eventsub.Message, eventsub.Deletion}
	case EventSub:
		return []string{eventsub.Message, eventsub.Deletion, eventsub.ClearViewer, eventsub.Clear, eventsub.Announcement}
	}
	return nil
}

// costs is 0 where a subscription to the channel's chat is known to cost nothing: its owner's login is here.
func (c *Client) costs(id string) int {
	if c.ownerOf(id) != nil {
		return 0
	}
	return 1
}

// anonymous reports whether there is no login: lines are heard, and none said.
func (c *Client) anonymous() bool { return c.o.Bot.ID == "" }

// nick is the name for the chat server. Any name of this form is let in without a login, to read.
func (c *Client) nick() string {
	if c.anonymous() {
		return fmt.Sprintf("justinfan%d", 10000+rand.N(80000))
	}
	return c.tokens.name()
}

func (r Road) check() error {
	switch r {
	case Both, IRC, EventSub:
		return nil
	}
	return fmt.Errorf("twitch: road %q: want both, irc or eventsub", r)
}

// scopes are what the account needs to hear on the road.
func (r Road) scopes() []string {
	switch r {
	case IRC:
		return []string{scopeRead, scopeWrite}
	case EventSub:
		return []string{scopeChat, scopeWrite}
	}
	return []string{scopeRead, scopeChat, scopeWrite}
}

// road is the road of Options, Both when it names none. A Twitch that is elsewhere is so with all its parts: without an address
// of its own for EventSub it has none, and Twitch itself knows none of its logins.
func (o *Options) road() Road {
	if o.Road != "" && o.Road != Both {
		return o.Road
	}
	elsewhere := o.APIURL != "" && o.APIURL != DefaultAPIURL
	if elsewhere && (o.EventSubURL == "" || o.EventSubURL == DefaultEventSubURL) {
		return IRC
	}
	return Both
}

// heard reports whether lines of the channel come over any road; the caller holds mu.
func (r *room) heard() bool { return r.joined || r.over }

// newer is how long one road must have stood beside another that died in silence for nothing to be missing: longer than it
// takes to notice.
const newer = silentFor + 5*time.Second

// stands notes that lines of a channel come over a road, and gives what there is to tell: nothing when they came already.
func (c *Client) stands(id string, road Road) (tell []chat.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, now := c.rooms[id], time.Now()
	if r == nil {
		return nil
	}
	was := r.heard()
	if was {
		r.order.begin(road, now)
	}
	if road == IRC || !was {
		r.state.Trouble = ""
	}
	if road == IRC {
		r.joined, r.joinedAt = true, now
	} else {
		r.over, r.overAt = true, now
		r.state.Speaks = r.state.Speaks || r.state.Trouble == "" && c.tokens.has(scopeWrite)
	}
	if r.gap != "" {
		tell = append(tell, chat.Event{Kind: chat.Gap, Channel: channel(id), Reason: r.gap, At: now})
		r.gap = ""
	}
	if !was {
		tell = append(tell, chat.Event{Kind: chat.Joined, Channel: channel(id), At: now})
	}
	return tell
}

// fails notes that a road to a channel is lost. silent tells that it died without a word, some time ago: what the other road
// cannot have heard since may be missing. The caller holds mu.
func (c *Client) fails(r *room, road Road, reason string, silent bool) (tell []chat.Event) {
	now := time.Now()
	mine, other, since := &r.joined, r.over, r.overAt
	if road == EventSub {
		mine, other, since = &r.over, r.joined, r.joinedAt
	}
	was := *mine
	*mine = false
	if was && r.order.ahead != road {
		r.order.until = now // nothing is left to wait for
	}
	switch {
	case !was:
		return nil
	case !other:
		r.gap, r.state.Trouble = reason, reason
		return []chat.Event{{Kind: chat.Left, Channel: channel(r.id), Reason: reason, At: now}}
	case silent && now.Sub(since) < newer:
		return []chat.Event{{Kind: chat.Gap, Channel: channel(r.id), Reason: reason, At: now}}
	}
	return nil
}

// overLost notes that no channel is heard over EventSub.
func (c *Client) overLost(reason string, silent bool) (tell []chat.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.rooms {
		tell = append(tell, c.fails(r, EventSub, reason, silent)...)
	}
	byChannel(tell)
	return tell
}

// overEnded notes the same of one channel.
func (c *Client) overEnded(id, reason string) []chat.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rooms[id]; r != nil {
		return c.fails(r, EventSub, reason, false)
	}
	return nil
}

// toldOf is a notification of a chat in the words of the chat server's lines.
func toldOf(n eventsub.Notification, at time.Time) (incoming, bool) {
	t, ok := eventsub.ReadChat(n, at)
	if !ok {
		return incoming{}, false
	}
	in := incoming{what: event, over: true, gift: t.Gift, whole: t.Whole, also: t.Also}
	switch {
	case t.Event != nil:
		in.event = *t.Event
	default:
		in.event, in.also = *t.Also, nil
	}
	in.roomID = in.event.Channel.ID
	in.mod, in.vip = in.event.Message.Roles.Has(chat.Moderator|chat.Owner), in.event.Message.Roles.Has(chat.VIP)
	return in, true
}

// overOnly keeps the login for Listen where no chat server is spoken to, until ctx ends or the account is of no more use.
func (c *Client) overOnly(ctx context.Context) error {
	if err := c.tokens.untilValid(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}
