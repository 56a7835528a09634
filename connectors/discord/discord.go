// Package discord connects hawker to Discord: it hears the lines of text channels over the gateway, answers in the
// channel or privately, and offers slash commands, which work without the privileged Message Content intent. One
// Client is one bot token; it may serve many servers and channels. It sends no files and uses no voice. Lines that were
// said while the gateway's session was lost are fetched from the channel's history, where the bot may read it.
package discord

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"

	"hawker/connectors/discord/gate"
	"hawker/connectors/discord/perm"
	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

// DefaultAPIURL is where Discord is when Options name no other address.
const DefaultAPIURL = "https://discord.com/"

// apiBase is where discordgo sends every request: a constant of that library's whole process. The gate replaces it but
// for the path, so that each Client can have its own address.
const apiBase = "https://discord.com/api/v9/"

// Options is what a Client is made from. Only BotToken is required.
type Options struct {
	// APIURL is where Discord is; "api/v9/" is appended. The gateway's address comes from there.
	APIURL string
	// BotToken is a secret of the operator's application.
	BotToken string
	// AppID is the application's id (client id). When empty it is learned from the gateway or asked for.
	AppID string
	// Channels are the channels to hear at the start: channel id to guild id.
	Channels map[string]string
	// After are the newest lines that were heard of channels before the start, as SaveCursor was given them: what was said since
	// is fetched. SaveCursor is called for every line, from Listen's goroutine, and must not block.
	After      map[string]string
	SaveCursor func(c chat.Channel, id string)
	// CommandsOnly leaves the Message Content intent out: only slash commands, buttons, and lines that mention the bot
	// can be read then. A bot that may not have the intent falls back to it by itself.
	CommandsOnly bool
	// Members asks for the privileged Server Members intent, by which Discord tells who joins a server (chat.Entered). A bot
	// that may not have it does without and says so. See WantMembers.
	Members bool
	// NoCommands leaves the guilds' slash commands as they are.
	NoCommands bool
	// Elsewhere is the private answer to a command used in a channel that no show uses. Empty means an English one.
	Elsewhere string
	// DialContext opens every connection, nil means the net package's.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Log is where trouble goes; nil discards it.
	Log *slog.Logger
}

// Client is one bot. Its methods may be called from any goroutine; Listen runs once at a time.
type Client struct {
	opts    Options
	log     *slog.Logger
	gate    *gate.Gate
	http    *http.Client // REST, through the gate
	web     *http.Client // the gateway's handshake, not through the gate
	rest    *discordgo.Session
	changed chan struct{} // rings when channels were joined or left
	acks    chan struct{} // bounds first answers under way

	listening atomic.Bool
	dedupe    seen // used by Listen alone
	mods      mods // likewise

	mu       sync.Mutex
	channels map[string]*place
	guilds   perm.Guilds
	commands map[string]string // what is wrong with a guild's commands
	me       string            // the bot's user id
	app      string
	ready    bool                // the gateway's session is alive
	sessions int                 // connections that became ready
	trouble  string              // of the whole account
	limited  bool                // the Message Content intent is missing
	members  bool                // the Server Members intent is wanted
	blind    bool                // and missing
	private  map[string]*private // by token
	swept    time.Time           // when private was last cleared of what ended
}

// place is one channel we were told to hear.
type place struct {
	guild     string
	told      told
	last      string // the newest line, or the first id that was possible when we began to hear
	heard     time.Time
	said      time.Time
	delay     time.Duration
	trouble   string
	missing   []string
	refused   *chat.Refused // a lasting refusal, repeated without asking until refusedTo
	refusedTo time.Time
}

func (p *place) lacks(permission string) bool { return slices.Contains(p.missing, permission) }

// told is what the listener was last told of a channel.
type told uint8

const (
	toldNothing told = iota
	toldJoined
	toldLeft
)

// New makes a client that is not listening yet.
func New(o Options) (*Client, error) {
	if o.BotToken == "" {
		return nil, errors.New("discord: no bot token")
	}
	base, err := address(o.APIURL, DefaultAPIURL)
	if err != nil {
		return nil, fmt.Errorf("discord: API address: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Elsewhere == "" {
		o.Elsewhere = "There is nothing to buy in this channel."
	}
	tr := transport(o.DialContext)
	ws := tr.Clone()
	ws.ForceAttemptHTTP2 = false // a websocket is upgraded from HTTP/1.1
	ws.DisableKeepAlives = true
	ws.ResponseHeaderTimeout = 0
	c := &Client{
		opts: o, log: o.Log, gate: gate.New(tr, base), web: &http.Client{Transport: ws},
		changed: make(chan struct{}, 1), acks: make(chan struct{}, 64), app: o.AppID, members: o.Members,
		channels: map[string]*place{}, commands: map[string]string{}, private: map[string]*private{}, mods: mods{},
	}
	c.http = &http.Client{Transport: c.gate, CheckRedirect: stay}
	s, err := discordgo.New("Bot " + strings.TrimPrefix(o.BotToken, "Bot "))
	if err != nil {
		return nil, fmt.Errorf("discord: %w", err)
	}
	s.Client, s.ShouldRetryOnRateLimit, s.MaxRestRetries, s.StateEnabled = c.http, false, 0, false
	c.rest = s
	for ch, g := range o.Channels {
		c.channels[ch] = &place{guild: g}
		if _, ok := wire.Snowflake(o.After[ch]); ok {
			c.channels[ch].last = o.After[ch]
		}
	}
	return c, nil
}

// transport opens every connection by dial, nil means the net package's and the environment's proxy.
func transport(dial func(ctx context.Context, network, addr string) (net.Conn, error)) *http.Transport {
	tr := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial, ForceAttemptHTTP2: dial == nil,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
		ResponseHeaderTimeout: 8 * time.Second, // a silent answer is lost; there is time to ask again
	}
	if dial != nil {
		tr.Proxy = nil
	}
	return tr
}

// stay follows no redirect: Discord's API has none, and a secret must not go elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// address reads an http or https address; a final slash may be absent.
func address(s, standard string) (*url.URL, error) {
	if s == "" {
		s = standard
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no http or https address", s)
	}
	if u.Path == "" {
		u.Path = "/" // else what is joined becomes a relative path
	}
	return u, nil
}

// Join hears one more channel. Doing it twice changes nothing.
func (c *Client) Join(channelID, guildID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.channels[channelID]; p != nil && p.guild == guildID {
		return
	}
	c.channels[channelID] = &place{guild: guildID}
	c.ring()
}

// Leave stops hearing a channel. No event tells of it.
func (c *Client) Leave(channelID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.channels, channelID)
	c.gate.Forget(sendRoute(channelID))
}

func (c *Client) ring() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// States is the truth about every channel, ordered by id.
func (c *Client) States() []chat.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]chat.State, 0, len(c.channels))
	for id, p := range c.channels {
		s := chat.State{
			Channel: at(id), Hears: c.ready && p.told == toldJoined, LastHeard: p.heard, LastSaid: p.said, Delay: p.delay,
			Reconnects: max(0, c.sessions-1), Missing: slices.Clone(p.missing),
		}
		s.Speaks = s.Hears && p.refused == nil && !p.lacks(perm.Send) && !p.lacks(perm.Threads)
		switch {
		case c.trouble != "":
			s.Trouble, s.Speaks = c.trouble, false
		case p.trouble != "":
			s.Trouble = p.trouble
		case p.refused != nil:
			s.Trouble = p.refused.Reason
		case c.commands[p.guild] != "":
			s.Trouble = c.commands[p.guild]
		case c.limited:
			s.Trouble = noContent
		case c.members && c.blind:
			s.Trouble = noMembers
		default:
			s.Trouble = wrongClock(c.gate.Skew())
		}
		if c.limited {
			s.Missing = append(s.Missing, contentIntent)
		}
		if c.members && c.blind {
			s.Missing = append(s.Missing, membersIntent)
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b chat.State) int { return strings.Compare(a.Channel.ID, b.Channel.ID) })
	return out
}

// wrongClock is a sentence on a clock that is off by more than goes without a word. ahead is how far Discord's is ahead of ours.
func wrongClock(ahead time.Duration) string {
	switch {
	case ahead > 30*time.Second:
		return fmt.Sprintf("The clock of this machine is %v behind Discord's: set it right.", ahead.Round(time.Second))
	case ahead < -30*time.Second:
		return fmt.Sprintf("The clock of this machine is %v ahead of Discord's: set it right.", (-ahead).Round(time.Second))
	}
	return ""
}

// contentIntent is in State.Missing where chat lines cannot be read, noContent says why. The name is the portal's.
const (
	contentIntent = "Message Content Intent"
	noContent     = "The Message Content Intent is not switched on for this bot: only slash commands are heard. " +
		"Switch it on in Discord's developer portal under Bot, then connect again."
)

// membersIntent is in State.Missing where Discord does not tell who joins a server though that is wanted; noMembers says why.
const (
	membersIntent = "Server Members Intent"
	noMembers     = "The Server Members Intent is not switched on for this bot: who joins the server is not heard. " +
		"Switch it on in Discord's developer portal under Bot, then connect again."
)

// WantMembers says whether to hear who joins a server (chat.Entered), as Options.Members does at the start. Switching it on
// while Listen runs begins a new session, since Discord fixes what it tells when one begins; lines of that moment may be lost,
// and a Gap says so.
func (c *Client) WantMembers(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.members = on; on {
		c.ring()
	}
}

// Need says what is wanted of the server: its new members are asked for only then. Nothing else needs to be asked for.
func (c *Client) Need(kinds []chat.Kind, _ []chat.DeedKind) {
	if on := slices.Contains(kinds, chat.Entered); on != c.wantsMembers() {
		c.WantMembers(on)
	}
}

func at(channelID string) chat.Channel { return chat.Channel{Platform: chat.Discord, ID: channelID} }

// MaxRunes is the longest message in code points (page "Message Resource", Create Message).
const MaxRunes = 2000

// Budget is how fast the bot may speak in a channel: what Discord's headers said on the last line there, and a
// cautious guess before the first. Private answers are outside of it.
func (c *Client) Budget(ch chat.Channel) chat.Budget {
	b := chat.Budget{Lines: 4, Per: 5 * time.Second, Pool: "discord/" + ch.ID, MaxRunes: MaxRunes, Replies: true, Private: true}
	if limit, per := c.gate.Learned(sendRoute(ch.ID)); limit > 0 && per > 0 {
		b.Lines, b.Per = limit, (per + time.Second - 1).Truncate(time.Second)
	}
	return b
}

// seen remembers the newest ids, to drop what is delivered twice.
type seen struct {
	ids  map[string]bool
	ring []string
	next int
}

// seenSize is far more than Discord replays at once in practice.
const seenSize = 16384

// add reports whether id is new.
func (s *seen) add(id string) bool {
	if s.ids[id] {
		return false
	}
	if s.ids == nil {
		s.ids, s.ring = make(map[string]bool, seenSize), make([]string, seenSize)
	}
	delete(s.ids, s.ring[s.next])
	s.ring[s.next], s.ids[id] = id, true
	s.next = (s.next + 1) % seenSize
	return true
}
