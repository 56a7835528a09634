package discord

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/connectors/discord/markup"
	"hawker/connectors/discord/perm"
	"hawker/connectors/discord/slash"
	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

// maxSkip is how far a sequence number may be ahead; further is nonsense.
const maxSkip = 1 << 20

// dispatch acts on one event. Events that were seen before (a sequence number not above the last) and events that do
// not decode are dropped.
func (l *listener) dispatch(ctx context.Context, p wire.Frame) {
	last := l.seq.Load()
	if p.Seq <= last || p.Seq-last > maxSkip {
		return
	}
	l.seq.Store(p.Seq)
	switch p.Event {
	case "READY":
		l.onReady(ctx, p.Data)
	case "RESUMED":
		l.alive, l.recovering = true, false
		l.c.count()
	case "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK":
		if !l.waits(p) {
			l.message(p)
		}
	case "GUILD_MEMBER_ADD":
		l.onEntry(p.Data)
	case "INTERACTION_CREATE":
		l.onInteraction(ctx, p.Data)
	default:
		l.c.mu.Lock()
		guild, what := l.c.guilds.Learn(p.Event, p.Data)
		l.c.mu.Unlock()
		if what == perm.Gone { // and with the bot its commands
			delete(l.member, guild)
			delete(l.registered, guild)
		}
		if what != perm.Nothing {
			l.settle(ctx)
		}
	}
}

// message acts on an event of a message.
func (l *listener) message(p wire.Frame) {
	switch p.Event {
	case "MESSAGE_CREATE":
		l.onMessage(p.Data, false)
	case "MESSAGE_UPDATE":
		l.onMessage(p.Data, true)
	default:
		l.onDelete(p.Data)
	}
}

func (l *listener) onReady(ctx context.Context, data []byte) {
	r, ok := wire.ReadReady(data)
	if !ok {
		return
	}
	l.session, l.resumeURL = r.Session, r.ResumeURL
	if !strings.HasPrefix(r.ResumeURL, "ws://") && !strings.HasPrefix(r.ResumeURL, "wss://") {
		l.resumeURL = l.url
	}
	clear(l.member)
	for _, g := range r.Guilds {
		l.member[g.ID] = true
	}
	c := l.c
	c.mu.Lock()
	c.me = r.User.ID
	if c.app == "" {
		c.app = r.Application.ID
	}
	if c.app == "" {
		c.app = r.User.ID // the two are one for every bot made since 2016
	}
	c.guilds.Reset(c.me)
	type missed struct{ id, guild, after string }
	var all []missed
	for id, p := range c.channels {
		if p.last != "" && p.told != toldLeft {
			all = append(all, missed{id, p.guild, p.last})
		}
	}
	c.mu.Unlock()
	l.alive = true
	l.connected++
	c.count()
	why := l.lost
	if why == "" {
		why = "Lines may have been said while hawker was not connected."
	}
	for _, m := range all {
		l.back(ctx, m.id, m.guild, m.after, why)
	}
	l.lost = ""
	l.settle(ctx)
}

// count marks the account as connected.
func (c *Client) count() {
	c.setReady(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions++
}

func (l *listener) onMessage(data []byte, edit bool) {
	m, ok := wire.ReadMessage(data, edit)
	if !ok {
		return
	}
	sent, _ := wire.Snowflake(m.ID)
	c, now, key := l.c, time.Now(), m.ID
	if edit { // a preview that comes after an edit brings the same edit again
		key += " " + m.Edited
	}
	c.mu.Lock()
	p := c.channels[m.Channel]
	if p == nil || !c.dedupe.add(key) {
		c.mu.Unlock()
		return
	}
	joined := p.told != toldJoined
	p.told, p.heard = toldJoined, now
	if !edit && !l.recovering {
		p.delay = max(0, now.Add(c.gate.Skew()).Sub(sent))
	}
	if older(p.last, m.ID) {
		p.last = m.ID
	}
	own := m.Author.ID == c.me
	if m.Member == nil && l.recovering { // what is fetched does not tell the author's roles
		m.Member = c.mods[p.guild+"/"+m.Author.ID]
	}
	roles := c.guilds.Roles(p.guild, m.Author.ID, m.Member)
	c.mods.learn(p.guild, m.Author.ID, m.Member, roles)
	text, toUs := slash.Mentioned(m.Content, c.me)
	c.mu.Unlock()
	if joined { // the guild's own description came late or says less than the line itself
		l.hear(chat.Event{Kind: chat.Joined, Channel: at(m.Channel), At: now})
	}
	if !toUs {
		text = m.Content
	}
	line := chat.Message{
		ID: m.ID, Channel: at(m.Channel), Viewer: chat.Viewer{Platform: chat.Discord, ID: m.Author.ID, Name: wire.Name(*m.Author, m.Member)},
		Roles: roles, Text: text, Sent: sent, Received: now, Own: own, Bot: m.Author.Bot || m.Webhook != "",
		Edited: edit, Recovered: l.recovering, ReplyTo: m.ReplyTo(), Answer: chat.Answer{Kind: chat.ToReply, Channel: at(m.Channel), Message: m.ID},
	}
	if own {
		line.Text = markup.Plain(line.Text) // pages show it as people read it
	}
	kind, when := chat.Said, now
	if edit {
		kind = chat.Edited
		when, _ = time.Parse(time.RFC3339, m.Edited) // zero when it cannot be read
	}
	l.hear(chat.Event{Kind: kind, Channel: line.Channel, Message: line, At: when})
	if c.opts.SaveCursor != nil && !edit {
		c.opts.SaveCursor(line.Channel, m.ID)
	}
}

func (l *listener) onDelete(data []byte) {
	d, ok := wire.ReadDeletion(data)
	if !ok || !l.c.wants(d.Channel) {
		return
	}
	for _, id := range d.IDs {
		l.hear(chat.Event{Kind: chat.Deleted, Channel: at(d.Channel), ID: id, ByMod: d.Bulk, At: time.Now()})
	}
}

// onEntry tells a new member of a server once, in the first of its channels that we serve.
func (l *listener) onEntry(data []byte) {
	m, ok := wire.ReadEntry(data)
	if !ok || m.User.Bot {
		return
	}
	id := m.Guild + "/" + m.User.ID
	when, err := time.Parse(time.RFC3339, m.Joined)
	if err != nil {
		when = time.Now()
	} else {
		id += "/" + strconv.FormatInt(when.UnixMilli(), 10) // who comes back is a new member again
	}
	c := l.c
	c.mu.Lock()
	ch := c.first(m.Guild)
	if !c.members || ch == "" || !c.dedupe.add("entered "+id) {
		c.mu.Unlock()
		return
	}
	roles := c.guilds.Roles(m.Guild, m.User.ID, &m.Member)
	c.mu.Unlock()
	l.hear(chat.Event{
		Kind: chat.Entered, Channel: at(ch), ID: id, Roles: roles, At: when,
		Viewer: chat.Viewer{Platform: chat.Discord, ID: m.User.ID, Name: wire.Name(*m.User, &m.Member)},
	})
}

// first is the oldest channel of a guild among those that are heard, or else among those that we were told to hear. Call
// with mu held.
func (c *Client) first(guildID string) (id string) {
	best := toldNothing
	for ch, p := range c.channels {
		rank := toldNothing
		if p.told == toldJoined {
			rank = toldJoined
		}
		older := len(ch) < len(id) || len(ch) == len(id) && ch < id // ids are numbers that rise
		if p.guild == guildID && (id == "" || rank > best || rank == best && older) {
			id, best = ch, rank
		}
	}
	return id
}

func (c *Client) wants(channelID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.channels[channelID] != nil
}

// settle tells which channels are heard from now on and which are not, and sees to the commands of their guilds.
func (l *listener) settle(ctx context.Context) {
	var events []chat.Event
	var register []string
	c := l.c
	c.mu.Lock()
	for id, p := range c.channels {
		known := c.guilds.Known(p.guild)
		reason, missing := c.guilds.See(p.guild, id)
		switch {
		case !known && l.member[p.guild]:
			reason = "" // its description is still to come
		case !known:
			known = true // that we are not in it
		default:
			if !slices.Equal(p.missing, missing) {
				p.refused = nil
			}
			p.missing = missing
			if !l.registered[p.guild] && !c.opts.NoCommands {
				l.registered[p.guild] = true
				register = append(register, p.guild)
			}
		}
		p.trouble = reason
		switch {
		case !known || !c.ready:
		case reason == "" && p.told != toldJoined:
			if p.told = toldJoined; p.last == "" {
				p.last = wire.SnowflakeAt(c.gate.Now().Add(-time.Second))
			}
			events = append(events, chat.Event{Kind: chat.Joined, Channel: at(id), At: time.Now()})
		case reason != "" && p.told != toldLeft:
			p.told = toldLeft
			events = append(events, chat.Event{Kind: chat.Left, Channel: at(id), Reason: reason, At: time.Now()})
		}
	}
	c.mu.Unlock()
	for _, e := range events {
		l.hear(e)
	}
	for _, g := range register {
		l.work.Go(func() { c.register(ctx, g) })
	}
}
