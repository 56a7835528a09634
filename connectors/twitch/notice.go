package twitch

import (
	"strconv"
	"time"

	"hawker/connectors/twitch/eventsub"
	"hawker/connectors/twitch/ircv3"
	"hawker/internal/chat"
)

// noticed reads a USERNOTICE (Twitch docs, "Twitch IRC: Tags, USERNOTICE"). What a viewer typed with it stands in the chat
// like any line, and may be a command: it is a line of its own, before what happened. One road tells each happening: this one
// tells subscriptions, gifts and raids, because it needs no permission and names each by an id; see eventsub.Read for the other.
func noticed(tags ircv3.Tags, room, text string, at time.Time) incoming {
	happening := happened(tags, text, at)
	in := incoming{}
	switch {
	case text != "":
		if in = said(tags, room, tags.Get("login"), text, at); in.what == event {
			in.also = happening
		}
	case happening != nil:
		in = incoming{what: event, event: *happening, room: room, roomID: tags.Get("room-id")}
	}
	if happening != nil && happening.Kind == chat.Gifted {
		in.gift, in.whole = giftOf(tags)
	}
	return in
}

// happened is what a notice tells beside its words, or nil.
func happened(tags ircv3.Tags, text string, at time.Time) *chat.Event {
	id, roomID := tags.Get("id"), tags.Get("room-id")
	if id == "" || roomID == "" || tags.Get("user-id") == "" {
		return nil
	}
	// A shared chat shows other channels' notices too, as "sharedchatnotice": not for us. Our own carry our own room.
	if src := tags.Get("source-room-id"); src != "" && src != roomID {
		return nil
	}
	e := chat.Event{
		Channel: channel(roomID), Roles: roles(tags), At: sentAt(tags, at),
		Viewer: chat.Viewer{Platform: chat.Twitch, ID: tags.Get("user-id"), Name: chat.Clean(tags.Get("display-name"))},
	}
	if e.Viewer.Name == "" {
		e.Viewer.Name = chat.Clean(tags.Get("login"))
	}
	e.Support.Tier = tags.Get("msg-param-sub-plan")
	switch tags.Get("msg-id") {
	case "sub":
		e.Kind = chat.Subscribed
		e.Support.Months = max(1, param(tags, "msg-param-cumulative-months"))
	case "resub":
		e.Kind = chat.Resubscribed
		e.Support.Months = param(tags, "msg-param-cumulative-months")
		e.Support.Text, _ = eventsub.Unwrap(chat.Clean(text))
	case "giftpaidupgrade", "anongiftpaidupgrade", "primepaidupgrade":
		e.Kind = chat.Resubscribed // goes on with a month that was given; Twitch tells no number
	case "subgift", "anonsubgift":
		e.Kind, e.Support.Count = chat.Gifted, 1
	case "submysterygift", "anonsubmysterygift":
		e.Kind, e.Support.Count = chat.Gifted, max(1, param(tags, "msg-param-mass-gift-count"))
	case "raid":
		e.Kind, e.Support.Count = chat.Raided, param(tags, "msg-param-viewerCount")
	default:
		return nil // announcement, ritual, bitsbadgetier, viewermilestone and what is yet to come: their words are a line
	}
	if m := tags.Get("msg-id"); m == "anonsubgift" || m == "anonsubmysterygift" || e.Kind == chat.Gifted && e.Viewer.ID == eventsub.Nobody().ID {
		e.Viewer, e.Roles = eventsub.Nobody(), 0
	}
	e.ID = e.Kind.String() + ":" + id
	return &e
}

// giftOf names the community gift that a notice is about or belongs to. The older tag, origin-id, also stands on single gifts,
// where it is the same for all of them: it joins gifts only where a community gift announced itself by it.
func giftOf(tags ircv3.Tags) (id string, whole bool) {
	whole = tags.Get("msg-id") == "submysterygift" || tags.Get("msg-id") == "anonsubmysterygift"
	if id = tags.Get("msg-param-community-gift-id"); id != "" {
		return id, whole
	}
	if id = tags.Get("msg-param-origin-id"); id != "" {
		id = "origin " + id
	}
	return id, whole
}

// param is a number in a notice; 0 when there is none or it makes no sense.
func param(tags ircv3.Tags, key string) int {
	n, err := strconv.Atoi(tags.Get(key))
	if err != nil || n < 0 || n > 10_000_000 {
		return 0
	}
	return n
}

// gifts remembers community gifts, which Twitch tells as one notice and then as one for each who got something, so that
// nothing is counted twice, nor lost where the first notice was.
type gifts struct {
	ring   []string
	next   int
	counts map[string]gift
}

type gift struct {
	told   bool // as a whole
	single int  // counted one by one before that
}

const rememberedGifts = 1024

// left is how many of n gifts were not counted yet.
func (g *gifts) left(id string, whole bool, n int) int {
	if g.counts == nil {
		g.ring, g.counts = make([]string, rememberedGifts), map[string]gift{}
	}
	was, ok := g.counts[id]
	if !ok {
		delete(g.counts, g.ring[g.next])
		g.ring[g.next], g.next = id, (g.next+1)%rememberedGifts
	}
	now, left := was, n
	switch {
	case was.told:
		left = 0
	case whole:
		now.told, left = true, max(0, n-was.single)
	default:
		now.single++
	}
	g.counts[id] = now
	return left
}
