package discord

import (
	"context"
	"net/url"
	"time"

	"github.com/bwmarrin/discordgo"

	"hawker/connectors/discord/gate"
	"hawker/connectors/discord/perm"
	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

const (
	// maxTimeOut is the longest time-out that Discord takes (page "Guild Resource", Modify Guild Member).
	maxTimeOut = 28 * 24 * time.Hour
	// maxReason keeps a reason for the server's audit log well under its 512 characters.
	maxReason = 160
)

// Do deletes a line, times a member out, announces (a message that stands out, and that followers of an announcement channel
// get too), sends a direct message, gives or takes a role. Other deeds are refused as "unsupported". A line that is gone
// already counts as deleted. It waits for Discord's limits while there is time, and asks again where that cannot double
// anything. Every error is a *chat.Refused; Unknown says that the deed may have been done.
func (c *Client) Do(ctx context.Context, d chat.Deed) error {
	if re := c.do(ctx, d); re != nil {
		if re.Reconnect {
			c.setTrouble(re.Reason)
		}
		return re
	}
	return nil
}

func (c *Client) do(ctx context.Context, d chat.Deed) *chat.Refused {
	if _, ok := wire.Snowflake(d.Channel.ID); !ok || d.Channel.Platform != chat.Discord {
		return &chat.Refused{Code: "no_channel", Reason: "This is for no Discord channel."}
	}
	ctx, cancel := context.WithTimeout(ctx, sayFor)
	defer cancel()
	switch d.Kind {
	case chat.DeleteLine:
		return c.deleteLine(ctx, d)
	case chat.Announce:
		return c.announce(ctx, d)
	case chat.TimeOut, chat.DirectMessage, chat.GiveRole, chat.TakeRole:
	default:
		_, why := NeedFor(d.Kind)
		return &chat.Refused{Code: "unsupported", Reason: why}
	}
	if _, ok := wire.Snowflake(d.Viewer.ID); !ok || d.Viewer.Platform != chat.Discord {
		return &chat.Refused{Code: "no_viewer", Reason: "This is for no viewer of Discord."}
	}
	if d.Kind == chat.DirectMessage {
		return c.tellAlone(ctx, d)
	}
	c.mu.Lock()
	p := c.channels[d.Channel.ID]
	c.mu.Unlock()
	switch {
	case p == nil:
		return &chat.Refused{Code: "no_channel", Reason: "This channel is not connected."}
	case d.Kind == chat.TimeOut:
		return c.timeOut(ctx, d, p.guild)
	}
	return c.changeRole(ctx, d, p.guild)
}

func (c *Client) deleteLine(ctx context.Context, d chat.Deed) *chat.Refused {
	if _, ok := wire.Snowflake(d.Message); !ok {
		return &chat.Refused{Code: gate.UnknownMessage, Reason: "This is no line of Discord."}
	}
	re := c.insist(ctx, func(ctx context.Context) error {
		return c.rest.ChannelMessageDelete(d.Channel.ID, d.Message, discordgo.WithContext(ctx), why(d, "deleted by a rule"))
	})
	if re != nil && re.Code == gate.UnknownMessage {
		return nil
	}
	return worded(re, d.Kind)
}

func (c *Client) timeOut(ctx context.Context, d chat.Deed, guild string) *chat.Refused {
	switch {
	case d.For < time.Second:
		return &chat.Refused{Code: "no_time", Reason: "A time-out lasts one second or more."}
	case d.For > maxTimeOut:
		return &chat.Refused{Code: "too_long", Reason: "Discord times nobody out for more than 28 days."}
	}
	until := time.Now().Add(d.For).UTC()
	return worded(c.insist(ctx, func(ctx context.Context) error {
		return c.rest.GuildMemberTimeout(guild, d.Viewer.ID, &until, discordgo.WithContext(ctx), why(d, "timed out by a rule"))
	}), d.Kind)
}

func (c *Client) changeRole(ctx context.Context, d chat.Deed, guild string) *chat.Refused {
	role, re := c.roleID(ctx, guild, d.Role)
	if re != nil {
		return re
	}
	change, reason := c.rest.GuildMemberRoleAdd, "given by a rule"
	if d.Kind == chat.TakeRole {
		change, reason = c.rest.GuildMemberRoleRemove, "taken by a rule"
	}
	return worded(c.insist(ctx, func(ctx context.Context) error {
		return change(guild, d.Viewer.ID, role, discordgo.WithContext(ctx), why(d, reason))
	}), d.Kind)
}

// roleID is the role that an id or a name means. What the gateway told of the server is asked first.
func (c *Client) roleID(ctx context.Context, guild, word string) (string, *chat.Refused) {
	c.mu.Lock()
	known := c.guilds.Known(guild)
	ids := c.guilds.FindRoles(guild, word)
	c.mu.Unlock()
	if !known {
		var b []byte
		re := c.insist(ctx, func(ctx context.Context) (err error) {
			to := discordgo.EndpointGuildRoles(guild)
			b, err = c.rest.RequestWithBucketID("GET", to, nil, to, discordgo.WithContext(ctx))
			return err
		})
		if re != nil {
			return "", re
		}
		var err error
		if ids, err = perm.FindRoles(guild, b, word); err != nil {
			return "", gate.Unreadable()
		}
	}
	switch len(ids) {
	case 0:
		return "", &chat.Refused{Code: gate.UnknownRole, Reason: "The server has no role " + gate.Plain(word) + "."}
	case 1:
		return ids[0], nil
	}
	return "", &chat.Refused{Code: "role_not_unique", Reason: "The server has several roles " + gate.Plain(word) + ": name one by its id."}
}

// announce posts a text in a frame of its own, or plainly where the bot may embed nothing, and publishes it to those who
// follow an announcement channel. That this last step failed is no error: the announcement stands, and must not come twice.
func (c *Client) announce(ctx context.Context, d chat.Deed) *chat.Refused {
	id := d.Channel.ID
	m, re := compose(chat.Line{Text: d.Text})
	if re != nil {
		return re
	}
	if re := c.resting(id); re != nil {
		return re
	}
	text, plainly := m.Content, m.Flags
	m.Content, m.Flags = "", 0 // the flag that hides previews would hide the frame as well
	m.Embeds = []*discordgo.MessageEmbed{{Type: discordgo.EmbedTypeRich, Description: text, Color: frameColor}}
	m.Nonce, m.Enforce = nonce(id, ""), true
	post := func(ctx context.Context) ([]byte, error) { return c.post(ctx, id, m) }
	msg, re := c.repeat(ctx, &m, harmless|patient, post)
	if re != nil && (re.Code == gate.MissingPermission || re.Code == gate.EmptyMessage) {
		m.Content, m.Flags, m.Embeds = text, plainly, nil
		msg, re = c.repeat(ctx, &m, harmless|patient, post)
	}
	c.noteSaid(id, re)
	if re != nil {
		return re
	}
	if !c.news(ctx, id) {
		return nil
	}
	re = c.insist(ctx, func(ctx context.Context) error {
		_, err := c.rest.ChannelMessageCrosspost(id, msg, discordgo.WithContext(ctx))
		return err
	})
	if re != nil && re.Code != gate.Crossposted {
		c.log.WarnContext(ctx, "discord announcement not published to followers", "channel", id, "code", re.Code, "reason", re.Reason)
	}
	return nil
}

// frameColor is the edge of an announcement's frame.
const frameColor = 0x0f766e

// news reports whether a channel is an announcement channel.
func (c *Client) news(ctx context.Context, id string) bool {
	c.mu.Lock()
	p := c.channels[id]
	known := p != nil && c.guilds.Known(p.guild)
	news := known && c.guilds.News(p.guild, id)
	c.mu.Unlock()
	if known {
		return news
	}
	var kind discordgo.ChannelType
	re := c.insist(ctx, func(ctx context.Context) error {
		ch, err := c.rest.Channel(id, discordgo.WithContext(ctx))
		if err == nil {
			kind = ch.Type
		}
		return err
	})
	return re == nil && kind == discordgo.ChannelTypeGuildNews
}

// tellAlone sends a direct message: it opens the private channel, which is the same one each time, and posts there.
func (c *Client) tellAlone(ctx context.Context, d chat.Deed) *chat.Refused {
	m, re := compose(chat.Line{Text: d.Text})
	if re != nil {
		return re
	}
	to := discordgo.EndpointUserChannels("@me")
	open := struct {
		To string `json:"recipient_id"`
	}{d.Viewer.ID}
	ch, re := c.repeat(ctx, &m, harmless|patient, func(ctx context.Context) ([]byte, error) {
		return c.rest.RequestWithBucketID("POST", to, open, to, discordgo.WithContext(ctx))
	})
	if re != nil {
		re.Unknown = false // nothing was said yet
		return re
	}
	if _, ok := wire.Snowflake(ch); !ok {
		return gate.Unreadable()
	}
	m.Nonce, m.Enforce = nonce(ch, ""), true
	_, re = c.repeat(ctx, &m, harmless|patient, func(ctx context.Context) ([]byte, error) {
		// One bucket of the library's for all: it keeps each for ever.
		return c.rest.RequestWithBucketID("POST", discordgo.EndpointChannelMessages(ch), m, to+"/messages", discordgo.WithContext(ctx))
	})
	c.gate.Forget(sendRoute(ch))
	return worded(re, d.Kind)
}

// insist makes a call that may be made twice until there is an answer, with growing pauses.
func (c *Client) insist(ctx context.Context, call func(ctx context.Context) error) *chat.Refused {
	unknown := false
	for try := 1; ; {
		_, re := ask(ctx, func(ctx context.Context) ([]byte, error) { return nil, call(ctx) })
		if re == nil {
			return nil
		}
		unknown = unknown || re.Unknown
		wait := time.Duration(-1)
		switch {
		case re.Code == gate.TooFast:
			wait = re.RetryAfter
		case re.Unknown || re.Code == gate.Network:
			wait = time.Duration(try*try) * 200 * time.Millisecond
		}
		end, _ := ctx.Deadline()
		if try++; wait < 0 || try > tries || time.Until(end) < wait || gate.Pause(ctx, wait) != nil {
			re.Unknown = unknown
			return re
		}
	}
}

// why is the reason that the server's audit log shows.
func why(d chat.Deed, otherwise string) discordgo.RequestOption {
	text := gate.Plain(d.Text)
	if text == "" || d.Kind == chat.DirectMessage {
		text = otherwise
	}
	if r := []rune(text); len(r) > maxReason {
		text = string(r[:maxReason])
	}
	return discordgo.WithAuditLogReason(url.PathEscape("hawker: " + text)) // page "API Reference", X-Audit-Log-Reason
}

// worded says of a missing permission which one a deed needs.
func worded(re *chat.Refused, k chat.DeedKind) *chat.Refused {
	if re != nil && re.Code == gate.MissingPermission {
		if p, reason := NeedFor(k); p != "" {
			re.Reason = reason
		}
	}
	return re
}

// NeedFor is the permission that a deed needs, by Discord's name for it, and a sentence on it. Without a permission the
// sentence says why Discord has no such deed, or, empty, that none is needed.
func NeedFor(k chat.DeedKind) (permission, reason string) {
	switch k {
	case chat.DeleteLine:
		return perm.ManageMessages, "To delete lines of others the bot needs the permission Manage Messages in the channel."
	case chat.TimeOut:
		return perm.ModerateMembers, "To time a member out the bot needs the permission Moderate Members (Time out members), and its highest role " +
			"must stand above the member's. Nobody can time out the server's owner or an administrator."
	case chat.GiveRole, chat.TakeRole:
		return perm.ManageRoles, "To give or take a role the bot needs the permission Manage Roles, and its highest role must stand above that role in " +
			"the server's settings under Roles. Roles of other bots and of boosters cannot be given."
	case chat.Announce:
		return perm.EmbedLinks, "An announcement has a frame when the bot has the permission Embed Links in the channel; without it, it is a plain line."
	case chat.DirectMessage:
		return "", ""
	case chat.Mark:
		return "", "Discord has no stream markers."
	case chat.FulfilReward, chat.RefundReward:
		return "", "Discord has no channel points."
	case chat.PinCard:
		return "", "In a Discord channel a pinned line is out of sight: announce it."
	case chat.ShoutOutCreator:
		return "", "Discord has no shout-outs of creators."
	}
	return "", "Discord does not know this."
}
