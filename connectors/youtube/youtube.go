// Package youtube is a creator's YouTube live chat: it finds the active broadcast, reads its chat within the daily quota,
// speaks as the channel itself, and connects the creator's account by OAuth. It never scrapes the watch page, has no
// replies and no whispers (YouTube has none: everything said is public). Broadcasts are made by its package broadcast.
package youtube

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	yt "google.golang.org/api/youtube/v3"

	"hawker/connectors/youtube/quota"
	"hawker/internal/chat"
)

// Google's own addresses, used where Options name none.
const (
	DefaultAPIURL    = "https://youtube.googleapis.com/"
	DefaultAuthURL   = "https://accounts.google.com/o/oauth2/v2/auth"
	DefaultTokenURL  = "https://oauth2.googleapis.com/token"
	DefaultRevokeURL = "https://oauth2.googleapis.com/revoke"
)

// callTimeout ends every call but the stream; the API answers within a second or two.
const callTimeout = 15 * time.Second

// Options says where YouTube is, who speaks and how much may be spent. Only Owner is needed.
type Options struct {
	// APIURL is the Data API's base, to which youtube/v3/ is appended; a final slash may be absent. AuthURL, TokenURL and
	// RevokeURL are OAuth's. Empty means Google's.
	APIURL, AuthURL, TokenURL, RevokeURL string
	// ClientID and ClientSecret are the operator's Google project.
	ClientID, ClientSecret string
	// Owner is the channel that is heard, and as which we speak: a channel's own account is exempt from the chat's rate
	// limit and may post links.
	Owner chat.Account
	// Save keeps a renewed token; nil keeps it in memory alone.
	Save func(context.Context, chat.Token) error
	// HTTP carries the calls; nil makes a client that dials with DialContext (nil: net.Dialer).
	HTTP        *http.Client
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	Log         *slog.Logger
	// Units counts the project's quota. All clients of one ClientID must share one; nil makes one of DailyUnits and Costs.
	Units      *quota.Meter
	DailyUnits int
	Costs      quota.Costs
	// Until is the planned end of the show: reads are spread over the time up to it (or the quota's next midnight, if
	// that is sooner). Zero, or past, means 8 h from the start of Listen, or midnight.
	Until time.Time
	// PageToken is what SaveCursor was last given, or empty for a fresh start. SaveCursor is called after each page was
	// heard, from Listen's goroutine, and must not block.
	PageToken  string
	SaveCursor func(c chat.Channel, token string)
	// Poll is how often to look for a broadcast while there is none; 0 means 60 s (1 unit each).
	Poll time.Duration
	// Pace is the shortest time between two lines; 0 means 2 s, so that a burst costs at most 600 units a minute.
	Pace time.Duration
	// EchoWait is how long Say looks for its line in the chat when its answer was lost; 0 means 5 s.
	EchoWait time.Duration
}

func (o Options) withDefaults() Options {
	text := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	text(&o.APIURL, DefaultAPIURL)
	text(&o.AuthURL, DefaultAuthURL)
	text(&o.TokenURL, DefaultTokenURL)
	text(&o.RevokeURL, DefaultRevokeURL)
	// The Google client drops a base path that does not end in a slash.
	o.APIURL = strings.TrimRight(o.APIURL, "/") + "/"
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Units == nil {
		o.Units = quota.NewMeter(o.DailyUnits, o.Costs)
	}
	if o.Poll <= 0 {
		o.Poll = time.Minute
	}
	if o.Pace <= 0 {
		o.Pace = 2 * time.Second
	}
	if o.EchoWait <= 0 {
		o.EchoWait = 5 * time.Second
	}
	return o
}

// Client hears and speaks in one channel's live chat. Its methods may be called from any goroutine; Listen runs once at
// a time.
type Client struct {
	o       Options
	channel chat.Channel
	log     *slog.Logger
	calls   *Caller
	http    *http.Client // that of calls
	api     *yt.Service  // likewise
	keeper  *keeper
	meter   *quota.Meter
	echoes  echoes
	nudge   chan struct{}

	mu        sync.Mutex
	listening bool
	chatID    string // of the broadcast that is live, or empty
	interest  quota.Interest
	state     chat.State
	mute      string // why lines are refused for good, until one is accepted
}

// New makes a client; it calls nobody yet.
func New(ctx context.Context, o Options) (*Client, error) {
	o = o.withDefaults()
	if o.Owner.ID == "" {
		return nil, fmt.Errorf("youtube: the owner's channel id is missing")
	}
	c := &Client{
		o: o, channel: chat.Channel{Platform: chat.YouTube, ID: o.Owner.ID},
		log: o.Log.With("channel", "youtube/"+o.Owner.ID), meter: o.Units, nudge: make(chan struct{}, 1),
	}
	c.state.Channel = c.channel
	c.echoes.owner = o.Owner.ID
	var err error
	if c.calls, err = NewCaller(ctx, o); err != nil {
		return nil, err
	}
	c.http, c.api, c.keeper = c.calls.http, c.calls.API, c.calls.keeper
	if missing := c.calls.Missing(); missing != nil {
		c.state.Missing = missing
	}
	return c, nil
}

// Attend sets how closely the chat is followed from now on.
func (c *Client) Attend(i quota.Interest) {
	c.mu.Lock()
	more := i > c.interest
	c.interest = i
	c.mu.Unlock()
	if more {
		c.Nudge()
	}
}

// Nudge has Listen look at once: the creator went live, or the relay's ingest started.
func (c *Client) Nudge() {
	select {
	case c.nudge <- struct{}{}:
	default: // one is waiting already
	}
}

// Units is what was spent today, for the dashboard.
func (c *Client) Units() quota.Usage { return c.meter.Usage(time.Now()) }

// Budget is how fast we speak in a chat. YouTube exempts the channel's owner from its rate (Help page "Live chat"); the
// pace is ours (Options.Pace), and the Developer Policies forbid repeated posts: callers send at most one shout-out per 10 s.
func (c *Client) Budget(chat.Channel) chat.Budget {
	return chat.Budget{
		Lines: 1, Per: c.o.Pace, Pool: "youtube/" + c.o.Owner.ID, Every: c.o.Pace,
		NoRepeat: 10 * time.Minute, MaxRunes: MaxRunes, PublicOnly: true,
	}
}

// States is the truth about the channel.
func (c *Client) States() []chat.State {
	c.mu.Lock()
	s := c.state
	s.Missing = append([]string(nil), s.Missing...)
	if s.Trouble == "" {
		s.Trouble = c.mute
	}
	c.mu.Unlock()
	if s.Trouble == "" {
		s.Trouble = c.warning()
	}
	return []chat.State{s}
}

// wrongClock is how far our clock may be off without a word.
const wrongClock = 30 * time.Second

// warning is a sentence on what is not wrong yet, or empty.
func (c *Client) warning() string {
	u := c.Units()
	left := u.Daily - u.Units
	if (quota.Plan{Daily: u.Daily, Left: left}).Low() {
		return fmt.Sprintf("YouTube's daily quota is nearly used up: %d of %d units are left, enough for %d lines. It is whole again at %s.",
			left, u.Daily, left/c.meter.Cost(quota.MessagesInsert), u.Until.UTC().Format("15:04 MST"))
	}
	switch d := c.calls.way.skew(); {
	case d > wrongClock:
		return fmt.Sprintf("The clock of this machine is %v behind YouTube's: set it right.", d.Round(time.Second))
	case d < -wrongClock:
		return fmt.Sprintf("The clock of this machine is %v ahead of YouTube's: set it right.", (-d).Round(time.Second))
	}
	return ""
}

func (c *Client) note(f func(*chat.State)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.state)
}
