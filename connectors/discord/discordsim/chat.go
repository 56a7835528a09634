package discordsim

import (
	"context"
	"maps"
	"strings"
	"time"
)

// Kind says what a Shown is.
type Kind uint8

// A new line, a line's new text, a line taken away, and an answer that only one viewer sees.
const (
	Line Kind = iota
	Edited
	Deleted
	Private
)

// Shown is what people see in a channel.
type Shown struct {
	Kind     Kind
	ID       string
	Channel  string
	Author   Viewer
	Own      bool // said by the bot under test
	Text     string
	Buttons  []Button
	Frames   []string // texts of embeds
	Spread   bool     // published to those who follow the announcement channel
	ReplyTo  string
	For      string // the id of the only viewer who sees it (Private)
	Thinking bool   // a private answer that is still to come
	At       time.Time
}

// Button is a button below a line: a link, or one that can be pressed.
type Button struct{ Label, URL, CustomID string }

// line is a message that exists.
type line struct {
	Shown
	typ     int
	webhook string
	edited  time.Time
}

type watcher struct {
	queue []Shown
	bell  chan struct{}
}

// show tells the watchers of a channel.
func (c *channel) show(sh Shown) {
	for w := range c.watchers {
		w.queue = append(w.queue, sh)
		select {
		case w.bell <- struct{}{}:
		default:
		}
	}
}

// Watch shows everything that appears in the channel from now on, in order, private answers marked with For. It
// blocks until ctx ends or the platform closes.
func (s *Sim) Watch(ctx context.Context, channelID string, show func(Shown)) {
	s.mu.Lock()
	c := s.channels[channelID]
	if c == nil {
		s.mu.Unlock()
		return
	}
	w := &watcher{bell: make(chan struct{}, 1)}
	c.watchers[w] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(c.watchers, w)
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.done:
			return
		case <-w.bell:
		}
		s.mu.Lock()
		queue := w.queue
		w.queue = nil
		s.mu.Unlock()
		for _, sh := range queue {
			show(sh)
		}
	}
}

// Type has a viewer say text in a channel and returns the message's id.
func (s *Sim) Type(channelID string, v Viewer, text string) string {
	return s.Reply(channelID, v, text, "")
}

// Reply has a viewer answer a message.
func (s *Sim) Reply(channelID string, v Viewer, text, to string) string {
	return s.post(channelID, &line{Shown: Shown{Author: v, Text: text, ReplyTo: to}})
}

// Webhook has a webhook of the channel say text.
func (s *Sim) Webhook(channelID, name, text string) string {
	return s.post(channelID, &line{Shown: Shown{Author: Viewer{ID: "9001", Name: name, Bot: true}, Text: text}, webhook: "9001"})
}

// Joins shows the notice that a member joined: a message of type 7, which nobody typed.
func (s *Sim) Joins(channelID string, v Viewer) string {
	return s.post(channelID, &line{Shown: Shown{Author: v}, typ: 7})
}

func (s *Sim) post(channelID string, l *line) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channelID]
	if c == nil {
		return ""
	}
	if v := l.Author; !v.Bot && v.ID != "" {
		c.guild.members[v.ID] = v
	}
	s.add(c, l)
	return l.ID
}

// keepLines is how many messages of a channel stay editable.
const keepLines = 20_000

func (s *Sim) add(c *channel, l *line) {
	l.ID, l.Channel, l.At = s.snowflake(), c.ID, s.now()
	if l.ReplyTo != "" && l.typ == 0 {
		l.typ = 19
	}
	c.byID[l.ID] = l
	if c.lines = append(c.lines, l); len(c.lines) > keepLines {
		delete(c.byID, c.lines[0].ID)
		c.lines = c.lines[1:]
	}
	s.deliver(c, l, "MESSAGE_CREATE")
	c.show(l.Shown)
}

// deliver sends a message to the sessions that may see the channel.
func (s *Sim) deliver(c *channel, l *line, t string) {
	if s.allowed(c)&ViewChannel == 0 || c.user != "" { // private ones need an intent that nobody asks for
		return
	}
	m := s.message(c, l)
	var bare map[string]any
	if !l.Own && !strings.Contains(l.Text, "<@"+s.cfg.AppID+">") && !strings.Contains(l.Text, "<@!"+s.cfg.AppID+">") {
		bare = maps.Clone(m)
		bare["content"], bare["components"] = "", []any{}
	}
	if bare == nil {
		s.dispatch(intentMessages, t, m, nil)
		return
	}
	s.dispatch(intentMessages, t, m, bare)
}

// message is the wire's message object (page "Message Resource").
func (s *Sim) message(c *channel, l *line) map[string]any {
	m := map[string]any{
		"id": l.ID, "channel_id": c.ID, "guild_id": c.guild.ID, "type": l.typ, "content": l.Text,
		"timestamp": l.At.UTC().Format("2006-01-02T15:04:05.000000+00:00"), "edited_timestamp": nil,
		"author": user(l.Author), "tts": false, "mention_everyone": false, "mentions": []any{}, "mention_roles": []any{},
		"attachments": []any{}, "embeds": []any{}, "pinned": false, "flags": 0, "components": components(l.Buttons),
	}
	if !l.edited.IsZero() {
		m["edited_timestamp"] = l.edited.UTC().Format("2006-01-02T15:04:05.000000+00:00")
	}
	if l.webhook != "" {
		m["webhook_id"] = l.webhook
	} else {
		m["member"] = member(l.Author)
	}
	if l.ReplyTo != "" {
		m["message_reference"] = map[string]any{"type": 0, "message_id": l.ReplyTo, "channel_id": c.ID, "guild_id": c.guild.ID}
	}
	return m
}

func components(bs []Button) []any {
	if len(bs) == 0 {
		return []any{}
	}
	var row []any
	for _, b := range bs {
		o := map[string]any{"type": 2, "style": 5, "label": b.Label, "url": b.URL}
		if b.URL == "" {
			o = map[string]any{"type": 2, "style": 1, "label": b.Label, "custom_id": b.CustomID}
		}
		row = append(row, o)
	}
	return []any{map[string]any{"type": 1, "components": row}}
}

// Edit has the author change a line.
func (s *Sim) Edit(channelID, id, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, l := s.find(channelID, id)
	if l == nil {
		return
	}
	l.Text, l.edited = text, s.now()
	s.deliver(c, l, "MESSAGE_UPDATE")
	sh := l.Shown
	sh.Kind = Edited
	c.show(sh)
}

// Embed has the platform add a preview to a line, which is an update without an edit.
func (s *Sim) Embed(channelID, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, l := s.find(channelID, id); l != nil {
		s.deliver(c, l, "MESSAGE_UPDATE")
	}
}

// Delete has a moderator take lines away: one as MESSAGE_DELETE, several as MESSAGE_DELETE_BULK.
func (s *Sim) Delete(channelID string, ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channelID]
	if c == nil || len(ids) == 0 {
		return
	}
	for _, id := range ids {
		delete(c.byID, id)
		c.show(Shown{Kind: Deleted, ID: id, Channel: channelID, At: time.Now()})
	}
	if len(ids) == 1 {
		s.dispatch(intentMessages, "MESSAGE_DELETE", map[string]any{"id": ids[0], "channel_id": c.ID, "guild_id": c.guild.ID}, nil)
		return
	}
	s.dispatch(intentMessages, "MESSAGE_DELETE_BULK", map[string]any{"ids": ids, "channel_id": c.ID, "guild_id": c.guild.ID}, nil)
}

// Repeat delivers a line a second time, as a new event.
func (s *Sim) Repeat(channelID, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, l := s.find(channelID, id); l != nil {
		s.deliver(c, l, "MESSAGE_CREATE")
	}
}

func (s *Sim) find(channelID, id string) (*channel, *line) {
	c := s.channels[channelID]
	if c == nil {
		return nil, nil
	}
	return c, c.byID[id]
}

// Spoken is every line that the bot said in the channel, oldest first.
func (s *Sim) Spoken(channelID string) []Shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Shown
	if c := s.channels[channelID]; c != nil {
		for _, l := range c.lines {
			if l.Own {
				out = append(out, l.Shown)
			}
		}
	}
	return out
}
