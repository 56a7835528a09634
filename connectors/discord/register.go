package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/bwmarrin/discordgo"

	"hawker/connectors/discord/gate"
	"hawker/connectors/discord/slash"
)

// registerTries is how often a guild's commands are tried to be put in order in one run.
const registerTries = 6

// register sees to a guild's slash commands: it reads them, and overwrites them when they are not ours. 200 creations a
// day are allowed per guild, so nothing is written without need.
func (c *Client) register(ctx context.Context, guildID string) {
	for try := 1; ; try++ {
		err := c.registerOnce(ctx, guildID)
		if err == nil || ctx.Err() != nil {
			c.setCommands(guildID, "")
			return
		}
		re := gate.Refusal(err)
		again := re.Unknown || re.Code == gate.Network || re.Code == gate.TooFast
		c.log.WarnContext(ctx, "discord commands not registered", "guild", guildID, "err", re, "tries", try)
		switch {
		case re.Code == gate.MissingAccess || re.Code == "403":
			c.setCommands(guildID, "The bot may not offer slash commands in this server. Invite it again.")
		default:
			c.setCommands(guildID, "The slash commands could not be set up: "+re.Reason)
		}
		if !again || try == registerTries || gate.Pause(ctx, max(re.RetryAfter, time.Second<<try)) != nil {
			return
		}
	}
}

func (c *Client) registerOnce(ctx context.Context, guildID string) error {
	ctx, cancel := context.WithTimeout(ctx, lookupFor)
	defer cancel()
	app, refused := c.appID(ctx)
	if refused != nil {
		return refused
	}
	to := discordgo.EndpointApplicationGuildCommands(app, guildID)
	b, err := c.rest.RequestWithBucketID("GET", to, nil, to, discordgo.WithContext(ctx))
	if err != nil {
		return err
	}
	var have []slash.Command
	want := slash.Commands()
	if json.Unmarshal(b, &have) == nil {
		slices.SortFunc(have, func(a, b slash.Command) int { return cmp.Compare(a.Name, b.Name) })
		for i := range have {
			if len(have[i].Options) == 0 {
				have[i].Options = nil
			}
		}
		if reflect.DeepEqual(have, want) {
			return nil
		}
	}
	_, err = c.rest.RequestWithBucketID("PUT", to, want, to, discordgo.WithContext(ctx))
	return err
}

// setCommands keeps what is wrong with a guild's commands, empty for nothing.
func (c *Client) setCommands(guildID, trouble string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if trouble == "" {
		delete(c.commands, guildID)
		return
	}
	c.commands[guildID] = trouble
}
