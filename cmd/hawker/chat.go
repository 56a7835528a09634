package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/mattn/go-isatty"

	"hawker/connectors/discord"
	"hawker/connectors/twitch"
	"hawker/connectors/youtube"
	"hawker/internal/chat"
	"hawker/internal/chatline"
)

// chatCmd runs one connector alone.
type chatCmd struct {
	Platform string   `arg:"" enum:"twitch,youtube,discord" help:"twitch, youtube or discord."`
	Channels []string `arg:"" name:"channel" help:"Twitch: the channel's login. YouTube: the channel's id (UC...). Discord: the channel's id."`
	Config   string   `env:"HAWKER_CONFIG" placeholder:"FILE" help:"A file of NAME=value lines with these settings; flags and the environment go before it."`
	Road     string   `enum:"both,irc,eventsub" default:"both" help:"Twitch: over which servers lines are heard: both, irc or eventsub."`
	JSON     bool     `name:"json" help:"Print one JSON object for each event, and read one for each operation."`
	Verbose  bool     `short:"v" help:"Log what the connector does."`

	Twitch  twitchSettings  `embed:"" prefix:"twitch-"`
	YouTube youtubeSettings `embed:""`
	Discord discordSettings `embed:"" prefix:"discord-"`
	As      chatLogin       `embed:""`
}

// chatLogin is the account that hears and speaks; the hub itself keeps its accounts in its database.
type chatLogin struct {
	Twitch  twitchLogin  `embed:"" prefix:"twitch-"`
	YouTube youtubeLogin `embed:"" prefix:"youtube-"`
}

type twitchLogin struct {
	Access   string   `name:"user-token" env:"HAWKER_TWITCH_USER_TOKEN" placeholder:"TOKEN" help:"The bot's access token. Without it IRC is heard without a login, and nothing said."`
	Refresh  string   `name:"refresh-token" env:"HAWKER_TWITCH_REFRESH_TOKEN" placeholder:"TOKEN" help:"Its refresh token. A renewed pair is kept in memory alone."`
	Login    string   `name:"bot-login" env:"HAWKER_TWITCH_BOT_LOGIN" placeholder:"NAME" help:"The bot's login; asked for when it is empty."`
	ID       string   `name:"bot-id" env:"HAWKER_TWITCH_BOT_ID" placeholder:"ID" help:"The bot's user id; asked for when it is empty."`
	Channels []string `name:"channel-ids" env:"HAWKER_TWITCH_CHANNEL_IDS" placeholder:"ID" help:"The channels' user ids, in their order; asked for when they are missing."`
}

type youtubeLogin struct {
	Access  string `name:"access-token" env:"HAWKER_YOUTUBE_ACCESS_TOKEN" placeholder:"TOKEN" help:"The channel's access token."`
	Refresh string `name:"refresh-token" env:"HAWKER_YOUTUBE_REFRESH_TOKEN" placeholder:"TOKEN" help:"Its refresh token. A renewed pair is kept in memory alone."`
}

// Run hears and speaks until the end of input.
func (c *chatCmd) Run(ctx context.Context, o out) error {
	k := &chatSecrets{}
	k.add(c.Twitch.ClientSecret, c.As.Twitch.Access, c.As.Twitch.Refresh, c.YouTube.ClientSecret, c.As.YouTube.Access, c.As.YouTube.Refresh,
		c.Discord.ClientSecret, c.Discord.BotToken)
	level := slog.LevelError
	if c.Verbose {
		level = slog.LevelDebug
	}
	log := logger(chatline.Hide(o.Err, k.all), false, level)
	for i, name := range c.Channels {
		c.Channels[i] = plainName(name)
	}
	opt := chatline.Options{JSON: c.JSON, In: os.Stdin, Out: chatline.Hide(o.Out, k.all)}
	if f, ok := o.Out.(*os.File); ok {
		opt.Color = isatty.IsTerminal(f.Fd()) && os.Getenv("NO_COLOR") == ""
	}
	var err error
	switch c.Platform {
	case "twitch":
		err = c.twitch(ctx, &opt, k, log)
	case "youtube":
		err = c.youtube(ctx, &opt, k, log)
	default:
		err = c.discord(ctx, &opt, log)
	}
	if err == nil {
		err = chatline.Run(ctx, opt)
	} else if re := (*chat.Refused)(nil); errors.As(err, &re) && re.Reconnect {
		chatline.Refused(opt, re)
		err = fmt.Errorf("%w: %s", chatline.ErrAccount, re.Reason)
	}
	if err != nil {
		return k.hide(err)
	}
	return nil
}

// plainName takes the mark off that people write before a channel's name.
func plainName(s string) string { return strings.TrimPrefix(strings.TrimSpace(s), "#") }

// chatSecrets are the secrets of now, and those that were renewed.
type chatSecrets struct {
	mu   sync.Mutex
	list []string
}

func (k *chatSecrets) add(all ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range all {
		if s != "" {
			k.list = append(k.list, s)
		}
	}
}

func (k *chatSecrets) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.list[:len(k.list):len(k.list)]
}

// save keeps a renewed token out of what is printed; nothing is stored.
func (k *chatSecrets) save(_ context.Context, t chat.Token) error {
	k.add(t.Access, t.Refresh)
	return nil
}

// hide is an error without secrets.
func (k *chatSecrets) hide(err error) error {
	text := &strings.Builder{}
	_, _ = chatline.Hide(text, k.all).Write([]byte(err.Error()))
	if text.String() == err.Error() {
		return err
	}
	return errors.New(text.String())
}

// chatNames are the channels by the names that the operator gives them.
type chatNames struct {
	platform chat.Platform
	fold     func(string) string

	mu   sync.Mutex
	ids  map[string]string // name -> id
	name map[string]string // id -> name
}

func newChatNames(p chat.Platform, fold func(string) string) *chatNames {
	return &chatNames{platform: p, fold: fold, ids: map[string]string{}, name: map[string]string{}}
}

func (n *chatNames) put(name, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ids[n.fold(name)], n.name[id] = id, name
}

func (n *chatNames) id(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ids[n.fold(plainName(name))]
}

func (n *chatNames) of(c chat.Channel) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name := n.name[c.ID]; name != "" {
		return name
	}
	return c.ID
}

// find knows a channel by its name, and by its id.
func (n *chatNames) find(name string) (chat.Channel, bool) {
	id := n.id(name)
	if id == "" {
		n.mu.Lock()
		if _, ok := n.name[plainName(name)]; ok {
			id = plainName(name)
		}
		n.mu.Unlock()
	}
	return chat.Channel{Platform: n.platform, ID: id}, id != ""
}

func (c *chatCmd) twitch(ctx context.Context, opt *chatline.Options, k *chatSecrets, log *slog.Logger) error {
	t := c.As.Twitch
	if n := len(t.Channels); n != 0 && n != len(c.Channels) {
		return fmt.Errorf("HAWKER_TWITCH_CHANNEL_IDS has %d ids for %d channels: want one for each, in their order", n, len(c.Channels))
	}
	o := twitch.Options{
		APIURL: c.Twitch.APIURL, AuthURL: c.Twitch.AuthURL, IRCURL: c.Twitch.IRCURL, EventSubURL: c.Twitch.EventSubURL, Road: twitch.Road(c.Road),
		ClientID: c.Twitch.ClientID, ClientSecret: c.Twitch.ClientSecret, Save: k.save, Log: log,
		Bot: chat.Account{Platform: chat.Twitch, ID: t.ID, Name: strings.ToLower(t.Login), Token: chat.Token{
			Access: strings.TrimPrefix(t.Access, "oauth:"), Refresh: t.Refresh,
		}},
	}
	if anonymous := t.Access == "" && t.Refresh == ""; anonymous {
		if o.Road == twitch.EventSub {
			return errors.New("set HAWKER_TWITCH_USER_TOKEN and HAWKER_TWITCH_CLIENT_ID: EventSub is heard with a login only")
		}
		o.Road, o.Bot = twitch.IRC, chat.Account{}
	} else if o.ClientID == "" {
		return errors.New("set HAWKER_TWITCH_CLIENT_ID to the application that HAWKER_TWITCH_USER_TOKEN was made with")
	}
	names := newChatNames(chat.Twitch, strings.ToLower)
	look := func(ctx context.Context, logins []string) error {
		if o.ClientID == "" || o.Bot.Token.Access == "" && o.Bot.Token.Refresh == "" {
			return nil
		}
		bot, ids, err := twitch.Find(ctx, o, logins)
		o.Bot = bot
		for login, id := range ids {
			names.put(login, id)
		}
		return err
	}
	for i, id := range t.Channels {
		names.put(c.Channels[i], strings.TrimSpace(id))
	}
	var unknown []string
	if len(t.Channels) == 0 {
		unknown = c.Channels
	}
	if len(unknown) > 0 || o.Bot.ID == "" {
		err := look(ctx, unknown)
		if re := (*chat.Refused)(nil); err != nil && (errors.As(err, &re) && re.Reconnect || o.Bot.ID == "" || o.Road == twitch.EventSub) {
			return err
		} else if err != nil {
			log.Warn("channel ids not found; the chat server will tell them", "err", err)
		}
	}
	for _, name := range c.Channels {
		o.Channels = append(o.Channels, twitch.ChannelRef{ID: names.id(name), Login: strings.ToLower(name)})
	}
	client, err := twitch.New(o)
	if err != nil {
		return err
	}
	opt.Chat = client
	opt.Name = func(ch chat.Channel) string {
		if name := names.of(ch); name != ch.ID {
			return name
		}
		if login := client.Login(ch.ID); login != "" {
			names.put(login, ch.ID) // its id was learned from the chat server
			return login
		}
		return strings.TrimPrefix(ch.ID, "#")
	}
	opt.Find = func(name string) (chat.Channel, bool) { return names.find(name) }
	opt.Join = func(ctx context.Context, name string) error {
		name = plainName(name)
		if ch, ok := names.find(name); ok {
			client.Join(twitch.ChannelRef{ID: ch.ID, Login: strings.ToLower(name)})
			return nil
		}
		if err := look(ctx, []string{name}); err != nil && o.Road == twitch.EventSub {
			return err
		}
		client.Join(twitch.ChannelRef{ID: names.id(name), Login: strings.ToLower(name)})
		return nil
	}
	return nil
}

func (c *chatCmd) youtube(ctx context.Context, opt *chatline.Options, k *chatSecrets, log *slog.Logger) error {
	if len(c.Channels) != 1 {
		return errors.New("want one YouTube channel: its owner's token hears that one alone")
	}
	if c.As.YouTube.Access == "" && c.As.YouTube.Refresh == "" {
		return errors.New("set HAWKER_YOUTUBE_ACCESS_TOKEN or HAWKER_YOUTUBE_REFRESH_TOKEN to the channel's own")
	}
	s, id := c.YouTube, c.Channels[0]
	names := newChatNames(chat.YouTube, strings.TrimSpace)
	names.put(id, id)
	client, err := youtube.New(ctx, youtube.Options{
		APIURL: s.APIURL, AuthURL: s.AuthURL, TokenURL: s.TokenURL, RevokeURL: s.RevokeURL, ClientID: s.ClientID, ClientSecret: s.ClientSecret, DailyUnits: s.DailyUnits,
		Owner: chat.Account{Platform: chat.YouTube, ID: id, Name: id, Token: chat.Token{Access: c.As.YouTube.Access, Refresh: c.As.YouTube.Refresh}},
		Save:  k.save, Log: log,
	})
	if err != nil {
		return err
	}
	opt.Chat, opt.Name, opt.Find = client, names.of, names.find
	opt.Join = func(context.Context, string) error {
		return &chat.Refused{Code: "unsupported", Reason: "The owner's token hears one YouTube channel alone."}
	}
	return nil
}

func (c *chatCmd) discord(ctx context.Context, opt *chatline.Options, log *slog.Logger) error {
	if c.Discord.BotToken == "" {
		return errors.New("set HAWKER_DISCORD_BOT_TOKEN")
	}
	client, err := discord.New(discord.Options{APIURL: c.Discord.APIURL, BotToken: c.Discord.BotToken, AppID: c.Discord.ClientID, NoCommands: true, Log: log})
	if err != nil {
		return err
	}
	names := newChatNames(chat.Discord, strings.TrimSpace)
	join := func(ctx context.Context, id string) error {
		guild, err := client.GuildOf(ctx, plainName(id))
		if err != nil {
			return err
		}
		names.put(plainName(id), plainName(id))
		client.Join(plainName(id), guild)
		return nil
	}
	for _, id := range c.Channels {
		if err := join(ctx, id); err != nil {
			return fmt.Errorf("channel %s: %w", id, err)
		}
	}
	opt.Chat, opt.Name, opt.Find, opt.Join = client, names.of, names.find, join
	return nil
}
