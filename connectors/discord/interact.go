package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/bwmarrin/discordgo"

	"hawker/connectors/discord/gate"
	"hawker/connectors/discord/markup"
	"hawker/connectors/discord/slash"
	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

const (
	// firstWithin is Discord's time for the first answer to an interaction, tokenLife the time for all others (page
	// "Receiving and Responding").
	firstWithin = 3 * time.Second
	tokenLife   = 15 * time.Minute
	// spare is how much earlier we stop, for the way to Discord.
	spare = 5 * time.Second
	// whisperFor bounds one call about a private answer.
	whisperFor = 10 * time.Second
)

// Types of a first answer (page "Receiving and Responding").
const (
	answerMessage  = 4
	answerDeferred = 5
	answerNothing  = 6 // a component stays as it is
)

// private is an interaction that can be answered. It lives as long as its token.
type private struct {
	app   string
	until time.Time
	acked chan struct{} // closed when the first answer was given or given up
	void  *chat.Refused // after acked: why nothing can follow
	turn  chan struct{} // held by the line under way; it guards what follows

	looked bool                 // whether we know what stands in the first place
	first  string               // key of the line that took the place of "thinking", or empty
	said   map[string]chat.Sent // by key
}

// elsewhere stands for what took the first place and is not ours to change.
const elsewhere = "\x00"

func newPrivate(until time.Time) *private {
	return &private{until: until, acked: make(chan struct{}), turn: make(chan struct{}, 1), said: map[string]chat.Sent{}}
}

// onInteraction gives the first answer at once, a private one that is still to come, and tells the equal chat line.
func (l *listener) onInteraction(ctx context.Context, data []byte) {
	in, ok := wire.ReadInteraction(data)
	if !ok || !l.c.dedupe.add(in.ID) {
		return
	}
	c, now := l.c, time.Now()
	line := slash.Line(in)
	sent, _ := wire.Snowflake(in.ID)
	c.mu.Lock()
	if c.app == "" {
		c.app = in.App
	}
	place := c.channels[in.Channel]
	if place == nil || line == "" {
		c.mu.Unlock()
		answer := map[string]any{"type": answerNothing}
		if in.Type == wire.TypeCommand {
			answer = map[string]any{"type": answerMessage, "data": draft{
				Content: markup.Escape(c.opts.Elsewhere, MaxRunes), Flags: flagEphemeral, Components: []discordgo.MessageComponent{},
				Mentions: &discordgo.MessageAllowedMentions{Parse: []discordgo.AllowedMentionType{}},
			}}
		}
		l.work.Go(func() { _ = c.acknowledge(ctx, in, answer) })
		return
	}
	until := now.Add(tokenLife - spare)
	if l.recovering && sent.Add(tokenLife-spare).Before(until) { // it waited for us; else a wrong clock of ours would count
		until = sent.Add(tokenLife - spare)
	}
	p := newPrivate(until)
	p.app, p.looked = in.App, true
	c.keep(in.Token, p, now)
	place.heard = now
	m := chat.Message{
		ID: in.ID, Channel: at(in.Channel), Viewer: chat.Viewer{Platform: chat.Discord, ID: in.User.ID, Name: wire.Name(*in.User, in.Member)},
		Roles: c.guilds.Roles(place.guild, in.User.ID, in.Member), Text: line, Sent: sent, Received: now, Bot: in.User.Bot,
		Recovered: l.recovering, Command: true,
		Answer: chat.Answer{Kind: chat.ToPrivate, Channel: at(in.Channel), Token: in.Token, Until: until},
	}
	c.mu.Unlock()
	l.work.Go(func() {
		defer close(p.acked)
		p.void = c.acknowledge(ctx, in, map[string]any{"type": answerDeferred, "data": map[string]any{"flags": flagEphemeral}})
	})
	l.hear(chat.Event{Kind: chat.Said, Channel: m.Channel, Message: m, At: now})
}

// keep remembers an interaction and forgets those that ended. Call with mu held.
func (c *Client) keep(token string, p *private, now time.Time) {
	if now.After(c.swept.Add(time.Minute)) {
		c.swept = now
		for t, old := range c.private {
			if now.After(old.until) {
				delete(c.private, t)
			}
		}
	}
	c.private[token] = p
}

// acknowledge gives the first answer within Discord's time, again where it may have been lost. It goes on when ctx ends:
// a viewer waits for it. The result says why the interaction cannot be answered any more.
func (c *Client) acknowledge(ctx context.Context, in wire.Interaction, answer map[string]any) *chat.Refused {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), firstWithin)
	defer cancel()
	select {
	case c.acks <- struct{}{}:
		defer func() { <-c.acks }()
	case <-ctx.Done():
		return &chat.Refused{Code: gate.UnknownInteraction, Reason: "Too many commands at once: this one got no answer within 3 seconds."}
	}
	for try := 1; ; try++ {
		_, err := c.direct(ctx, http.MethodPost, "interactions/"+in.ID+"/"+in.Token+"/callback", answer)
		var e *gate.Error
		switch {
		case err == nil, errors.As(err, &e) && e.Code == gate.Acknowledged: // an earlier try came through
			return nil
		case e != nil && e.Status < 500 && e.Status != http.StatusTooManyRequests:
			c.log.WarnContext(ctx, "discord command not acknowledged", "channel", in.Channel, "err", gate.Refusal(err))
			return gate.Refusal(err)
		}
		wait := time.Duration(try) * 100 * time.Millisecond
		if e != nil {
			wait = max(wait, e.After)
		}
		if end, _ := ctx.Deadline(); time.Until(end) < wait || gate.Pause(ctx, wait) != nil {
			c.log.WarnContext(ctx, "discord command not acknowledged", "channel", in.Channel, "err", gate.Refusal(err))
			return nil // perhaps it was; the next call will tell
		}
	}
}

// whisper answers an interaction: first in the place of "thinking", then below. An interaction that an earlier run of the
// program heard is looked at before.
func (c *Client) whisper(ctx context.Context, l chat.Line, d draft) (chat.Sent, error) {
	token := l.To.Token
	over := &chat.Refused{Code: gate.WebhookToken, Reason: "The time for a private answer is over."}
	switch now := time.Now(); {
	case !wire.Token(token):
		return chat.Sent{}, &chat.Refused{Code: "no_token", Reason: "The line has no private address."}
	case !l.To.Until.IsZero() && now.After(l.To.Until):
		return chat.Sent{}, over
	}
	p := c.known(token, l.To.Until)
	if time.Now().After(p.until) {
		return chat.Sent{}, over
	}
	select {
	case <-p.acked:
	case <-ctx.Done():
		return chat.Sent{}, gate.Refusal(ctx.Err())
	}
	if p.void != nil {
		re := *p.void
		return chat.Sent{}, &re
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return chat.Sent{}, gate.Refusal(ctx.Err())
	}
	key := l.Nonce
	if key == "" {
		key = "text " + l.Text
	}
	if sent, ok := p.said[key]; ok {
		return sent, nil
	}
	d.Flags |= flagEphemeral
	id, re := c.place(ctx, p, token, key, d)
	if re != nil {
		return chat.Sent{}, re
	}
	sent := chat.Sent{ID: id, At: time.Now()}
	p.said[key] = sent
	return sent, nil
}

// place puts a private answer where it belongs. Call with p's turn.
func (c *Client) place(ctx context.Context, p *private, token, key string, d draft) (id string, re *chat.Refused) {
	if p.app == "" {
		if p.app, re = c.appID(ctx); re != nil {
			return "", re
		}
	}
	hook := "webhooks/" + p.app + "/" + token
	if !p.looked {
		if id, re = c.look(ctx, p, hook, key, d); re != nil || id != "" {
			return id, re
		}
	}
	if p.first == "" || p.first == key {
		p.first = key
		id, re = c.repeat(ctx, &d, harmless|patient, func(ctx context.Context) ([]byte, error) {
			return c.direct(ctx, http.MethodPatch, hook+"/messages/@original", d)
		})
		if re == nil {
			return id, nil
		}
		if re.Code != gate.UnknownMessage {
			if !re.Unknown {
				p.first = ""
			}
			return "", re
		}
		p.first = elsewhere // the viewer dismissed it
	}
	return c.repeat(ctx, &d, patient, func(ctx context.Context) ([]byte, error) { return c.direct(ctx, http.MethodPost, hook, d) })
}

// look learns what stands in the first place of an interaction that we did not hear ourselves. id is the message's when
// it is this very line.
func (c *Client) look(ctx context.Context, p *private, hook, key string, d draft) (id string, re *chat.Refused) {
	var m struct {
		ID      string `json:"id"`
		Content string `json:"content"`
		Flags   int    `json:"flags"`
	}
	b, err := c.direct(ctx, http.MethodGet, hook+"/messages/@original", nil)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	switch {
	case err == nil && m.Flags&flagLoading != 0:
	case err == nil && m.Content == d.Content && m.ID != "":
		id, p.first = m.ID, key
	case err == nil:
		p.first = elsewhere
	default:
		re = gate.Refusal(err)
		if re.Code != gate.UnknownMessage {
			re.Unknown = false // nothing was said yet
			return "", re
		}
		re, p.first = nil, elsewhere
	}
	p.looked = true
	return id, re
}

// known is what we know of an interaction; one that we did not hear ourselves is remembered from now on.
func (c *Client) known(token string, until time.Time) *private {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.private[token]
	if p == nil {
		now := time.Now()
		if until.IsZero() || until.After(now.Add(tokenLife)) {
			until = now.Add(tokenLife)
		}
		p = newPrivate(until)
		close(p.acked)
		c.keep(token, p, now)
	}
	return p
}

// appID is the application's id, from the gateway or by asking.
func (c *Client) appID(ctx context.Context) (string, *chat.Refused) {
	c.mu.Lock()
	id := c.app
	c.mu.Unlock()
	if id != "" {
		return id, nil
	}
	to := discordgo.EndpointOAuth2Application("@me")
	b, err := c.rest.RequestWithBucketID("GET", to, nil, to, discordgo.WithContext(ctx))
	var a struct {
		ID string `json:"id"`
	}
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil || a.ID == "" {
		re := *gate.Refusal(err)
		re.Unknown = false
		return "", &re
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.app = a.ID
	return a.ID, nil
}

// direct makes a call that needs no bot token, because its path holds an interaction's. It does not go through
// discordgo, which would keep a bucket for every path for ever.
func (c *Client) direct(ctx context.Context, method, path string, v any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, whisperFor)
	defer cancel()
	var body io.Reader
	if v != nil {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, apiBase+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.rest.UserAgent)
	if v != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}
