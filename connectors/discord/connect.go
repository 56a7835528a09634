package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"hawker/connectors/discord/gate"
	"hawker/connectors/discord/perm"
	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

// DefaultAuthURL is the page where an owner invites the bot.
const DefaultAuthURL = "https://discord.com/oauth2/authorize"

// Connect is how the owner of a server invites the bot (page "OAuth2", Advanced Bot Authorization). Making and checking
// the state is the caller's work. The bot's own token is none of its business.
type Connect struct {
	APIURL, AuthURL        string // empty means Discord itself
	ClientID, ClientSecret string
	// Also names permissions to ask for beside those of hearing and speaking; see NeedFor.
	Also []string
	// DialContext opens every connection, nil means the net package's.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Guild is a server by its id and name.
type Guild struct{ ID, Name string }

// Start is the address to send the owner's browser to. Discord asks there which server it shall be. The redirect must be
// registered with the application, letter by letter. The scope identify is asked for because Discord sends the browser
// back only for more than bot and commands; what it allows is not used.
func (c *Connect) Start(state, redirect string) string {
	base := c.AuthURL
	if base == "" {
		base = DefaultAuthURL
	}
	join := "?"
	if strings.Contains(base, "?") {
		join = "&"
	}
	return strings.TrimRight(base, "/") + join + url.Values{
		"response_type": {"code"}, "client_id": {c.ClientID}, "redirect_uri": {redirect}, "state": {state},
		"scope": {"bot applications.commands identify"}, "permissions": {strconv.FormatUint(uint64(perm.Invite|perm.Bits(c.Also...)), 10)},
		"integration_type": {"0"}, // into a server, not for one user
	}.Encode()
}

// Finish turns the code that the browser brought back into the server that the bot was added to. The guild_id beside the
// code is only a hint that anybody can write; this answer comes from Discord. The user's own token is thrown away.
func (c *Connect) Finish(ctx context.Context, code, redirect string) (Guild, error) {
	if code == "" {
		return Guild{}, errors.New("connect discord: no code")
	}
	base, err := address(c.APIURL, DefaultAPIURL)
	if err != nil {
		return Guild{}, fmt.Errorf("connect discord: API address: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupFor)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath("api/v9/oauth2/token").String(), strings.NewReader(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect},
	}.Encode()))
	if err != nil {
		return Guild{}, fmt.Errorf("connect discord: %w", err)
	}
	req.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", agent())
	tr := transport(c.DialContext)
	defer tr.CloseIdleConnections()
	res, err := (&http.Client{Transport: tr, CheckRedirect: stay}).Do(req)
	if err != nil {
		return Guild{}, errors.New("connect discord: no answer from Discord")
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return Guild{}, errors.New("connect discord: the answer broke off")
	}
	return grant(res.StatusCode, b)
}

// grant reads the answer to a code.
func grant(status int, body []byte) (Guild, error) {
	var a struct {
		Error string `json:"error"`
		Guild struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"guild"`
	}
	err := json.Unmarshal(body, &a)
	switch {
	case a.Error == "invalid_client" || status == http.StatusUnauthorized:
		return Guild{}, errors.New("connect discord: Discord refused the client id or secret")
	case a.Error == "invalid_grant":
		return Guild{}, errors.New("connect discord: the code is used up or too old; start again")
	case status != http.StatusOK || err != nil:
		return Guild{}, fmt.Errorf("connect discord: Discord answered %d", status)
	}
	if _, ok := wire.Snowflake(a.Guild.ID); !ok {
		return Guild{}, errors.New("connect discord: the bot was added to no server")
	}
	if a.Guild.Name == "" {
		a.Guild.Name = a.Guild.ID
	}
	return Guild{ID: a.Guild.ID, Name: gate.Plain(a.Guild.Name)}, nil
}

// agent is the form of User-Agent that Discord asks for (page "API Reference", User Agent).
func agent() string {
	return "DiscordBot (https://github.com/bwmarrin/discordgo, v" + discordgo.VERSION + ")"
}

// TextChannel is a channel that an owner can choose, with the permissions that the bot lacks there.
type TextChannel = perm.Channel

// TextChannels lists the text channels of a server that the bot is in, by position. It asks Discord and needs no Listen.
// Errors are *chat.Refused.
func (c *Client) TextChannels(ctx context.Context, guildID string) ([]TextChannel, error) {
	if _, ok := wire.Snowflake(guildID); !ok {
		return nil, &chat.Refused{Code: "no_guild", Reason: "This is no server of Discord."}
	}
	ctx, cancel := context.WithTimeout(ctx, lookupFor)
	defer cancel()
	var failed error
	get := func(to string) (b []byte) {
		if failed == nil {
			b, failed = c.rest.RequestWithBucketID("GET", to, nil, to, discordgo.WithContext(ctx))
		}
		return b
	}
	var me wire.User
	_ = json.Unmarshal(get(discordgo.EndpointUser("@me")), &me) // without an id the last question fails
	guild, channels := get(discordgo.EndpointGuild(guildID)), get(discordgo.EndpointGuildChannels(guildID))
	member := get(discordgo.EndpointGuildMember(guildID, me.ID))
	if failed != nil {
		re := gate.Refusal(failed)
		if re.Code == gate.MissingAccess || re.Code == gate.UnknownGuild {
			re = &chat.Refused{Code: re.Code, Reason: "The bot is not a member of this server. Invite it."}
		}
		return nil, re
	}
	chs, err := perm.Text(guild, channels, member)
	if err != nil {
		return nil, gate.Unreadable()
	}
	return chs, nil
}

// GuildOf is the server that a channel belongs to. It asks Discord and needs no Listen. Errors are *chat.Refused.
func (c *Client) GuildOf(ctx context.Context, channelID string) (string, error) {
	if _, ok := wire.Snowflake(channelID); !ok {
		return "", &chat.Refused{Code: "no_channel", Reason: "This is no channel of Discord."}
	}
	ctx, cancel := context.WithTimeout(ctx, lookupFor)
	defer cancel()
	to := discordgo.EndpointChannel(channelID)
	b, err := c.rest.RequestWithBucketID("GET", to, nil, to, discordgo.WithContext(ctx))
	if err != nil {
		re := gate.Refusal(err)
		re.Reconnect = re.Reconnect || re.Code == "401"
		return "", re
	}
	var ch struct {
		Guild string `json:"guild_id"`
	}
	if json.Unmarshal(b, &ch) != nil || ch.Guild == "" {
		return "", &chat.Refused{Code: "no_channel", Reason: "This is no channel of a server."}
	}
	return ch.Guild, nil
}
