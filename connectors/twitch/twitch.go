// Package twitch is one Twitch account in many chats: it hears lines over two roads at once, Twitch's chat servers (IRC) and
// EventSub, says lines through the Helix API, keeps its token alive and connects accounts (OAuth). Twitch repeats nothing on
// either road: a line is lost only when both were away, and that is told as a Gap.
//
// What viewers do beside typing comes over the chat servers where they tell it (subscriptions, gifts, raids), else over
// EventSub, by the login of the channel's owner (follows, redemptions, ad breaks, polls) or of whoever there is (the stream's
// beginning and end). Beside lines EventSub is asked only for what Need names.
package twitch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"hawker/connectors/twitch/auth"
	"hawker/connectors/twitch/badge"
	"hawker/connectors/twitch/eventsub"
	"hawker/internal/chat"
)

// Where Twitch is. Options point elsewhere for a stand-in.
const (
	DefaultAPIURL  = "https://api.twitch.tv/helix"
	DefaultAuthURL = auth.DefaultURL
	DefaultIRCURL  = "ircs://irc.chat.twitch.tv:6697"

	DefaultEventSubURL = eventsub.DefaultURL
)

// MaxRunes is the longest line Twitch takes (Twitch API Reference, "Send Chat Message"). Say refuses a longer one
// before the wire; it never cuts.
const MaxRunes = 500

// ChannelRef names a channel to hear: ID is the broadcaster's user id, Login the name of the room. An empty or
// outdated Login is looked up by the ID, which never changes. Where the chat server is heard, an empty ID is learned from it.
type ChannelRef struct{ ID, Login string }

// Options are what a Client is made from. ClientID, Bot and Save are required.
type Options struct {
	APIURL, AuthURL, IRCURL string // empty means Twitch itself; IRCURL is ircs://host:port or irc://host:port (no TLS)
	EventSubURL             string // empty means Twitch itself; wss://host/path or ws://host/path (no TLS)
	// Road is where lines come from; empty means Both. What viewers do beside typing is asked for at EventSub on every road.
	Road Road

	// ClientID and ClientSecret are the registered application. The secret may be empty for a public client.
	ClientID, ClientSecret string
	// Bot is the account that hears and speaks, with its token. On the road IRC it may be left out, and Save with it: lines are
	// then heard without any login, and none said.
	Bot chat.Account
	// Verified says that Twitch lists the bot as verified: it may then join 2,000 channels in 10 s instead of 20.
	Verified bool
	// Channels are heard from the start; see Join and Leave for later.
	Channels []ChannelRef
	// Save stores a refreshed token. The new token is not used before Save returned nil.
	Save func(context.Context, chat.Token) error
	// Load is the token as it is stored now; nil when nobody else may have renewed it.
	Load func(context.Context) (chat.Token, error)
	// Owners are the logins of owners of channels, where they have one beside the bot's. Without them nothing is heard or
	// done that only an owner may.
	Owners []Owner

	// HTTP makes the web calls; nil means a client of our own over DialContext, with a time limit of 10 s.
	HTTP *http.Client
	// DialContext opens connections; nil means the net package's.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Log may be nil.
	Log *slog.Logger
}

// Owner is the account of a channel's owner, with its token; Save and Load are as in Options.
type Owner struct {
	Account chat.Account
	Save    func(context.Context, chat.Token) error
	Load    func(context.Context) (chat.Token, error)
}

// Client is one account. Make it with New.
type Client struct {
	o       Options
	api     *api
	tokens  *tokens
	owners  map[string]*tokens // by channel id
	sources []*source
	irc     *url.URL
	wake    chan struct{} // Join, Leave: the connection should look at rooms

	telling sync.Mutex // held while an event is told

	speaking chan *spoken // lines for the chat server; its connection takes them

	mu        sync.Mutex
	listening bool
	rooms     map[string]*room // by id
	logins    int              // of the chat server that were accepted
	sockets   int              // sessions of EventSub for lines that stood
	kinds     []chat.Kind      // wanted; see Need
	need      []Scope          // for what is wanted
	spent     map[string][]time.Time
	health    helixHealth
	badge     badge.Keeper
	gifts     gifts
	seen      memory
}

// room is one channel and what is known of it.
type room struct {
	id, login string
	joined    bool      // heard over the chat server, since joinedAt
	over      bool      // heard over EventSub, since overAt
	asked     time.Time // when JOIN was sent; zero when it was not on this connection
	again     time.Time // not before this is JOIN sent again
	stale     bool      // the login must be looked up
	look      time.Time // not before this is it looked up again
	gap       string    // why lines may be missing; empty when none are
	joinedAt  time.Time
	overAt    time.Time
	order     order
	mod, vip  bool // the bot's own roles there; mod includes the broadcaster
	state     chat.State
}

// New makes a client that does nothing yet; see Listen and Say.
func New(o Options) (*Client, error) {
	o.Road = o.road()
	if err := o.Road.check(); err != nil {
		return nil, err
	}
	if anonymous := o.Bot.ID == "" && o.Road == IRC; !anonymous && (o.ClientID == "" || o.Bot.ID == "" || o.Save == nil) {
		return nil, errors.New("twitch: ClientID, Bot and Save are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.DialContext == nil {
		o.DialContext = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	irc, err := ircURL(o.IRCURL)
	if err != nil {
		return nil, err
	}
	if err := eventsub.Check(o.EventSubURL); err != nil {
		return nil, err
	}
	a, err := newAPI(o)
	if err != nil {
		return nil, err
	}
	c := &Client{
		o: o, api: a, owners: map[string]*tokens{}, irc: irc, wake: make(chan struct{}, 1), rooms: map[string]*room{}, spent: map[string][]time.Time{},
		speaking: make(chan *spoken),
	}
	if o.ClientSecret != "" {
		c.badge.App = a.auth.App
	}
	mine := newSource(c, "")
	c.tokens = newTokens(a, Owner{o.Bot, o.Save, o.Load}, "the bot account", o.Log, mine.look)
	mine.t, c.tokens.told = c.tokens, mine.hears
	c.tokens.need, c.tokens.edits = o.Road.scopes(), o.Road != EventSub
	for _, w := range o.Owners {
		switch id := w.Account.ID; {
		case id == "" || w.Save == nil:
			return nil, errors.New("twitch: an owner needs an id and Save")
		case id != o.Bot.ID: // else the bot's login is the owner's
			s := newSource(c, id)
			s.t = newTokens(a, w, "the channel", o.Log, s.look)
			s.t.told = s.hears
			c.owners[id], c.sources = s.t, append(c.sources, s)
		}
	}
	c.sources = append(c.sources, mine)
	for _, ch := range o.Channels {
		if err := o.Road.checkRef(ch); err != nil {
			return nil, err
		}
		c.addRoom(ch)
	}
	return c, nil
}

func ircURL(s string) (*url.URL, error) {
	if s == "" {
		s = DefaultIRCURL
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Scheme != "irc" && u.Scheme != "ircs" {
		return nil, fmt.Errorf("twitch: chat address %q: want ircs://host:port or irc://host:port", s)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), map[string]string{"irc": "6667", "ircs": "6697"}[u.Scheme])
	}
	return u, nil
}

func (c *Client) addRoom(ch ChannelRef) {
	login := strings.ToLower(ch.Login)
	// A broadcaster is privileged in the own channel without being told.
	own := ch.ID == c.o.Bot.ID && ch.ID != ""
	if ch.ID == "" {
		ch.ID = unknown(login)
	}
	c.rooms[ch.ID] = &room{
		id: ch.ID, login: login, stale: !validLogin(login), mod: own,
		state: chat.State{Channel: channel(ch.ID)},
	}
}

// validLogin keeps anything but a login off the wire (Twitch logins: ASCII letters, digits, underscore; at most 25).
func validLogin(s string) bool {
	return s != "" && len(s) <= 50 && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
	}) < 0
}

func channel(id string) chat.Channel { return chat.Channel{Platform: chat.Twitch, ID: id} }

// Join adds a channel to those heard; hearing it begins with a Joined event. Joining twice changes nothing but the
// login.
func (c *Client) Join(ch ChannelRef) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.rooms[ch.ID]; ok {
		if login := strings.ToLower(ch.Login); !r.joined && validLogin(login) {
			r.login, r.stale, r.asked, r.again = login, false, time.Time{}, time.Time{}
		}
	} else if c.o.Road.checkRef(ch) == nil {
		c.addRoom(ch)
	}
	c.nudge()
	c.look()
}

// Leave stops hearing a channel. No line of it is heard after the Left event.
func (c *Client) Leave(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.rooms, id)
	c.nudge()
	c.look()
}

// Need says which events and deeds are wanted, instead of those named before: at first none. Only wanted events are asked for
// at EventSub, and only what they and the deeds lack is named as missing. Events that the chat server tells come anyhow.
func (c *Client) Need(kinds []chat.Kind, deeds []chat.DeedKind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kinds, c.need = slices.Clone(kinds), ScopesFor(kinds, deeds)
	c.look()
}

// look has every source of events look at what is wanted, and whether it may be had.
func (c *Client) look() {
	for _, s := range c.sources {
		s.look()
	}
}

func (c *Client) nudge() {
	select {
	case c.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Budget is how fast the account may speak in the channel: 20 lines in 30 s over all its channels, 100 where it is
// broadcaster or moderator; one line a second unless it is that or VIP; the same text not within 30 s (Twitch docs,
// "Chat & Chatbots: rate limits"). Roles are what Twitch last told.
func (c *Client) Budget(ch chat.Channel) chat.Budget {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := chat.Budget{
		Lines: 20, Per: 30 * time.Second, Pool: "twitch/" + c.o.Bot.ID, Every: time.Second,
		NoRepeat: 30 * time.Second, MaxRunes: MaxRunes, Replies: true, Announces: true,
	}
	if r := c.rooms[ch.ID]; r != nil {
		if r.mod {
			b.Lines = 100
		}
		if r.mod || r.vip {
			b.Every = 0
		}
	}
	return b
}

// States is the truth about each channel, in the order of their ids.
func (c *Client) States() []chat.State {
	missing, gone := c.tokens.missing(), c.tokens.goneErr()
	c.mu.Lock()
	states := make([]chat.State, 0, len(c.rooms))
	for _, id := range slices.Sorted(maps.Keys(c.rooms)) {
		r := c.rooms[id]
		s := r.state
		s.Hears, s.Reconnects, s.Missing = r.heard(), max(0, c.logins-1, c.sockets-1), missing
		if gone != nil {
			s.Speaks, s.Trouble = false, gone.Reason
		}
		states = append(states, s)
	}
	c.mu.Unlock()
	for i := range states {
		s := &states[i]
		s.Missing = slices.Concat(s.Missing, c.lacks(s.Channel.ID))
		for _, src := range c.sources {
			if why := src.why(s.Channel.ID); s.Trouble == "" {
				s.Trouble = why
			}
		}
	}
	return states
}
