package discord

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/bwmarrin/discordgo"

	"hawker/connectors/discord/gate"
	"hawker/connectors/discord/markup"
	"hawker/connectors/discord/perm"
	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

const (
	// sayFor bounds one line with all its tries.
	sayFor = 20 * time.Second
	tries  = 4
	// restFor is how long a lasting refusal is repeated without asking, unless the permissions change before.
	restFor = time.Minute
)

// Message flags (page "Message Resource").
const (
	flagNoEmbeds  = 1 << 2 // links show no preview: it would fill the chat, and Discord would open every viewer's page
	flagEphemeral = 1 << 6
	flagLoading   = 1 << 7
)

// draft is a message as we ask for it. Components have no omitempty: an edit that leaves them out keeps the old ones.
type draft struct {
	Content    string                            `json:"content"`
	Nonce      string                            `json:"nonce,omitempty"`
	Enforce    bool                              `json:"enforce_nonce,omitempty"`
	Flags      int                               `json:"flags,omitempty"`
	Mentions   *discordgo.MessageAllowedMentions `json:"allowed_mentions"`
	Components []discordgo.MessageComponent      `json:"components"`
	Embeds     []*discordgo.MessageEmbed         `json:"embeds,omitempty"`
	Reference  *discordgo.MessageReference       `json:"message_reference,omitempty"`
	link       string
}

// Say says a line: to the channel, as a reply to a message in it (without notifying its author; plainly when the message
// is gone or the bot may not read the history), or privately through an interaction's token, until it ends. The text is
// shown letter for letter, mentions nobody, and is cut when escaping makes it longer than MaxRunes; a text that is
// longer before that is refused. Where an answer was lost or Discord had trouble the line is sent again under the same
// nonce, which posts once; later private answers, which have none, are not. Every error is a *chat.Refused.
func (c *Client) Say(ctx context.Context, l chat.Line) (chat.Sent, error) {
	ch := l.To.Channel
	if _, ok := wire.Snowflake(ch.ID); !ok || ch.Platform != chat.Discord {
		return chat.Sent{}, &chat.Refused{Code: "no_channel", Reason: "The line is for no Discord channel."}
	}
	d, re := compose(l)
	if re != nil {
		return chat.Sent{}, re
	}
	ctx, cancel := context.WithTimeout(ctx, sayFor)
	defer cancel()
	switch l.To.Kind {
	case chat.ToPrivate:
		return c.whisper(ctx, l, d)
	case chat.ToRequest:
		return chat.Sent{}, &chat.Refused{Code: "no_request", Reason: "A waiting request is not answered in a Discord channel."}
	}
	if re := c.resting(ch.ID); re != nil {
		return chat.Sent{}, re
	}
	d.Nonce, d.Enforce = nonce(ch.ID, l.Nonce), true
	if _, ok := wire.Snowflake(l.To.Message); ok && l.To.Kind == chat.ToReply && !c.lacks(ch.ID, perm.History) {
		no := false
		d.Reference = &discordgo.MessageReference{MessageID: l.To.Message, ChannelID: ch.ID, FailIfNotExists: &no}
	}
	post := func(ctx context.Context) ([]byte, error) { return c.post(ctx, ch.ID, d) }
	id, re := c.repeat(ctx, &d, harmless, post)
	if re != nil && re.Code == gate.NoHistory && d.Reference != nil {
		d.Reference = nil
		id, re = c.repeat(ctx, &d, harmless, post)
	}
	c.noteSaid(ch.ID, re)
	if re != nil {
		return chat.Sent{}, re
	}
	return chat.Sent{ID: id, At: time.Now()}, nil
}

// compose makes the message of a line.
func compose(l chat.Line) (draft, *chat.Refused) {
	if n := utf8.RuneCountInString(l.Text); n > MaxRunes {
		return draft{}, &chat.Refused{Code: "too_long", Reason: "The line has " + strconv.Itoa(n) + " characters; Discord takes 2,000."}
	}
	d := draft{
		Content: markup.Escape(l.Text, MaxRunes), Flags: flagNoEmbeds, Components: []discordgo.MessageComponent{},
		Mentions: &discordgo.MessageAllowedMentions{Parse: []discordgo.AllowedMentionType{}}, // "parse": null is refused
	}
	if l.Link != "" {
		if b, ok := button(l.Link, l.LinkLabel); ok {
			d.link = l.Link
			d.Components = []discordgo.MessageComponent{discordgo.ActionsRow{Components: []discordgo.MessageComponent{b}}}
		} else {
			d.spell(l.Link)
		}
	}
	if d.Content == "" && d.link == "" {
		return d, &chat.Refused{Code: gate.EmptyMessage, Reason: "The line has no text."}
	}
	return d, nil
}

// button is a link as a button (page "Component Reference"): an address of at most 512 characters, a label of at most 80.
func button(link, label string) (b discordgo.Button, ok bool) {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || utf8.RuneCountInString(link) > 512 {
		return b, false
	}
	if label = gate.Plain(label); label == "" {
		label = u.Host
	}
	if r := []rune(label); len(r) > 80 {
		label = string(r[:79]) + "…"
	}
	return discordgo.Button{Style: discordgo.LinkButton, Label: label, URL: link}, true
}

// spell puts the link into the text instead of a button.
func (d *draft) spell(link string) {
	d.link, d.Components = "", []discordgo.MessageComponent{}
	if link = markup.Escape(link, MaxRunes/2); strings.Contains(d.Content, link) {
		return
	}
	r := []rune(d.Content)
	if room := MaxRunes - utf8.RuneCountInString(link) - 1; len(r) > room {
		r = append(r[:room-1], '…')
	}
	if d.Content = string(r); d.Content != "" {
		d.Content += "\n"
	}
	d.Content += link
}

// nonce is Discord's key of a line (at most 25 characters). It is unique to bot and channel: one line said in two
// channels must not be taken for a repeat. Without a nonce of the caller's, repeats of ours alone are harmless.
func nonce(channelID, given string) string {
	if given == "" {
		return rand.Text()[:25]
	}
	h := sha256.Sum256([]byte(channelID + "/" + given))
	return base32.StdEncoding.EncodeToString(h[:])[:25]
}

// manner is how a call may be repeated.
type manner uint8

const (
	// harmless calls may be made again when it is unknown what became of them.
	harmless manner = 1 << iota
	// patient calls wait for a limit where there is time for it; others leave that to the caller.
	patient
)

// repeat calls until there is an answer, with growing pauses. A button that Discord does not take becomes text. It
// returns the id of the message.
func (c *Client) repeat(ctx context.Context, d *draft, how manner, call func(ctx context.Context) ([]byte, error)) (string, *chat.Refused) {
	unknown := false
	for try := 1; ; {
		id, re := once(ctx, call)
		if re == nil {
			return id, nil
		}
		if re.Code == gate.InvalidForm && d.link != "" {
			d.spell(d.link)
			continue
		}
		unknown = unknown || re.Unknown
		wait := time.Duration(-1)
		switch {
		case re.Code == gate.TooFast && how&patient != 0:
			wait = re.RetryAfter
		case re.Code != gate.TooFast && (re.Unknown && how&harmless != 0 || re.Code == gate.Network && !re.Unknown):
			wait = time.Duration(try*try) * 200 * time.Millisecond
		}
		end, _ := ctx.Deadline()
		if try++; wait < 0 || try > tries || time.Until(end) < wait || gate.Pause(ctx, wait) != nil {
			re.Unknown = unknown
			return "", re
		}
	}
}

// once makes one call and reads the id of the message it answers with.
func once(ctx context.Context, call func(ctx context.Context) ([]byte, error)) (string, *chat.Refused) {
	b, re := ask(ctx, call)
	if re != nil {
		return "", re
	}
	var m struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(b, &m) != nil || m.ID == "" {
		re := gate.Unreadable()
		re.Unknown = true
		return "", re
	}
	return m.ID, nil
}

// ask makes one call. A refusal says whether the call may have been taken all the same.
func ask(ctx context.Context, call func(ctx context.Context) ([]byte, error)) ([]byte, *chat.Refused) {
	var wrote atomic.Bool
	b, err := call(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }}))
	if err != nil {
		re := *gate.Refusal(err) // a copy: it may be told twice
		if re.Code == gate.Network {
			re.Unknown = wrote.Load()
		}
		return nil, &re
	}
	return b, nil
}

func (c *Client) post(ctx context.Context, channelID string, d draft) ([]byte, error) {
	to := discordgo.EndpointChannelMessages(channelID)
	return c.rest.RequestWithBucketID("POST", to, d, to, discordgo.WithContext(ctx))
}

// sendRoute is the gate's name for posting in a channel.
func sendRoute(channelID string) string {
	return "POST api/v9/channels/" + channelID + "/messages"
}

// resting is a lasting refusal that needs not be heard again, or nil.
func (c *Client) resting(channelID string) *chat.Refused {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.channels[channelID]
	if p == nil || p.refused == nil {
		return nil
	}
	if time.Now().After(p.refusedTo) {
		p.refused = nil
		return nil
	}
	re := *p.refused
	return &re
}

func (c *Client) lacks(channelID, permission string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.channels[channelID]
	return p != nil && p.lacks(permission)
}

// noteSaid keeps the truth about speaking in a channel.
func (c *Client) noteSaid(channelID string, re *chat.Refused) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.channels[channelID]
	switch {
	case re != nil && re.Reconnect:
		c.trouble = re.Reason
	case p == nil:
	case re == nil:
		p.said, p.refused = time.Now(), nil
	case gate.Lasting(re):
		told := *re
		p.refused, p.refusedTo = &told, time.Now().Add(restFor)
		if missing := gate.Missing(re); missing != "" && !p.lacks(missing) {
			p.missing = append(p.missing, missing)
		}
	}
}
