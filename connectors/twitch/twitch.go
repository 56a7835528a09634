// Package twitch is one Twitch account in many chats: it hears lines over Twitch's chat servers (IRC), says lines
// through the Helix API, keeps its token alive and connects accounts (OAuth). Delivery on this road is at most once
// and never repeated: what was typed while the connection was away is lost, and told as a Gap.
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

	"hawker/internal/chat"
)

// Where Twitch is. Options point elsewhere for a stand-in.
const (
	DefaultAPIURL  = "https://api.twitch.tv/helix"
	DefaultAuthURL = "https://id.twitch.tv/oauth2"
	DefaultIRCURL  = "ircs://irc.chat.twitch.tv:6697"
)

// MaxRunes is the longest line Twitch takes (Twitch API Reference, "Send Chat Message"). Say refuses a longer one
// before the wire; it never cuts.
const MaxRunes = 500

// ChannelRef names a channel to hear: ID is the broadcaster's user id, Login the name of the room. An empty or
// outdated Login is looked up by the ID, which never changes.
type ChannelRef struct{ ID, Login string }

// Options are what a Client is made from. ClientID, Bot and Save are required.
type Options struct {
	APIURL, AuthURL, IRCURL string // empty means Twitch itself; IRCURL is ircs://host:port or irc://host:port (no TLS)

	// ClientID and ClientSecret are the registered application. The secret may be empty for a public client.
	ClientID, ClientSecret string
	// Bot is the account that hears and speaks, with its token.
	Bot chat.Account
	// Channels are heard from the start; see Join and Leave for later.
	Channels []ChannelRef
	// Save stores a refreshed token. The new token is not used before Save returned nil.
	Save func(context.Context, chat.Token) error

	// HTTP makes the web calls; nil means a client of our own over DialContext, with a time limit of 10 s.
	HTTP *http.Client
	// DialContext opens connections; nil means the net package's.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Log may be nil.
	Log *slog.Logger
}

// Client is one account. Make it with New.
type Client struct {
	o      Options
	api    *api
	tokens *tokens
	irc    *url.URL
	wake   chan struct{} // Join, Leave: the connection should look at rooms

	mu        sync.Mutex
	listening bool
	rooms     map[string]*room // by id
	logins    int              // of the chat server that were accepted

	seen memory // of Listen's goroutine alone
}

// room is one channel and what is known of it.
type room struct {
	id, login string
	joined    bool
	asked     time.Time // when JOIN was sent; zero when it was not on this connection
	again     time.Time // not before this is JOIN sent again
	stale     bool      // the login must be looked up
	look      time.Time // not before this is it looked up again
	gap       string    // why lines may be missing; empty when none are
	mod, vip  bool      // the bot's own roles there; mod includes the broadcaster
	state     chat.State
}

// New makes a client that does nothing yet; see Listen and Say.
func New(o Options) (*Client, error) {
	if o.ClientID == "" || o.Bot.ID == "" || o.Save == nil {
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
	a, err := newAPI(o)
	if err != nil {
		return nil, err
	}
	c := &Client{o: o, api: a, tokens: newTokens(a, o), irc: irc, wake: make(chan struct{}, 1), rooms: map[string]*room{}}
	for _, ch := range o.Channels {
		if ch.ID == "" {
			return nil, errors.New("twitch: a channel needs its id")
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
	own := ch.ID == c.o.Bot.ID
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
	} else if ch.ID != "" {
		c.addRoom(ch)
	}
	c.nudge()
}

// Leave stops hearing a channel. No line of it is heard after the Left event.
func (c *Client) Leave(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.rooms, id)
	c.nudge()
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
		NoRepeat: 30 * time.Second, MaxRunes: MaxRunes, Replies: true,
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
	defer c.mu.Unlock()
	states := make([]chat.State, 0, len(c.rooms))
	for _, id := range slices.Sorted(maps.Keys(c.rooms)) {
		r := c.rooms[id]
		s := r.state
		s.Hears, s.Reconnects, s.Missing = r.joined, max(0, c.logins-1), missing
		if gone != nil {
			s.Speaks, s.Trouble = false, gone.Reason
		}
		states = append(states, s)
	}
	return states
}
