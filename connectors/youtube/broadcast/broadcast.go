// Package broadcast makes and runs a creator's YouTube broadcasts: it gives the relay a server and a key without anybody pasting
// one, tells what YouTube receives, and ends the broadcast with the show. It moves no video and reads no chat.
package broadcast

import (
	"context"
	"slices"
	"strings"
	"time"

	yt "google.golang.org/api/youtube/v3"

	"hawker/connectors/youtube"
	"hawker/internal/chat"
	"hawker/internal/seal"
)

// Scope is what all of this needs. The chat's login asks for it already.
const Scope = youtube.ScopeWrite

// State is where a broadcast is in its life (liveBroadcast.status.lifeCycleStatus). Empty: YouTube does not know the broadcast.
type State string

// The states, in their order. The two that end in Starting pass by themselves; a broadcast that is Complete cannot go on.
const (
	Created      State = "created" // no stream is bound
	Ready        State = "ready"
	TestStarting State = "testStarting"
	Testing      State = "testing"
	LiveStarting State = "liveStarting"
	Live         State = "live"
	Complete     State = "complete"
	Revoked      State = "revoked" // taken away by YouTube
)

// Over reports whether nothing can be broadcast any more.
func (s State) Over() bool { return s == Complete || s == Revoked || s == "" }

// OnAir reports whether viewers see it, or will within seconds.
func (s State) OnAir() bool { return s == Live || s == LiveStarting }

// Privacy is who finds a broadcast; empty means Public.
type Privacy string

// Public is found by everybody, Unlisted by who has the address, Private by the channel's owner.
const (
	Public   Privacy = "public"
	Unlisted Privacy = "unlisted"
	Private  Privacy = "private"
)

// Latency is how far behind viewers are; empty means Low.
type Latency string

// Low is a few seconds behind and takes every resolution. UltraLow is nearer but has neither 1440p nor 4K nor captions. Normal is
// half a minute behind, too far for a sale in chat.
const (
	Low      Latency = "low"
	UltraLow Latency = "ultraLow"
	Normal   Latency = "normal"
)

// Broadcast is a broadcast of the channel as YouTube describes it.
type Broadcast struct {
	ID, Title, Description string
	State                  State
	Privacy                Privacy
	// Start is the planned time, Began when it went live; zero where YouTube names none.
	Start, Began time.Time
	// Stream is the id of the stream that feeds it, Chat that of its live chat; empty for none.
	Stream, Chat        string
	AutoStart, AutoStop bool
	monitored           bool // passes through Testing before Live
}

// Address is the page where viewers watch.
func (b Broadcast) Address() string { return "https://www.youtube.com/watch?v=" + b.ID }

// IDs is what to remember of a show's broadcast. Nothing of it is secret.
type IDs struct {
	Broadcast string `json:"broadcast,omitempty"`
	Stream    string `json:"stream,omitempty"`
	// Made: Prepare made the broadcast. One that the creator planned keeps its title and settings, and is never deleted.
	Made bool `json:"made,omitempty"`
}

// Ingest is where to send the video: server and key in two fields, as encoders want them. Server and Backup are RTMPS where YouTube
// offers it; the backup takes the same key.
type Ingest struct {
	Server, Backup     string
	Plain, PlainBackup string // RTMP
	Key                seal.Secret
}

// Client makes and runs the broadcasts of one channel. Its methods may be called from any goroutine, but Prepare not twice at the
// same time for one show: each call would make a broadcast.
type Client struct {
	calls *youtube.Caller
	api   *yt.Service
}

// New makes a client for the channel o.Owner; it calls nobody yet.
func New(ctx context.Context, o youtube.Options) (*Client, error) {
	calls, err := youtube.NewCaller(ctx, o)
	if err != nil {
		return nil, err
	}
	return &Client{calls: calls, api: calls.API}, nil
}

// Close lets go of idle connections. The client may still be used.
func (c *Client) Close() { c.calls.Close() }

// Missing names the scope that the login is known to lack, or nothing.
func (c *Client) Missing() []string { return c.calls.Missing() }

// tries is how often a call is made that does no harm twice while YouTube has trouble.
const tries = 3

func parts() []string { return []string{"id", "snippet", "status", "contentDetails"} }

// Broadcasts are the channel's live and planned broadcasts, live ones first, soonest first. It costs 2 units. "Go live now" pages,
// which have no plan, are left out.
func (c *Client) Broadcasts(ctx context.Context) ([]Broadcast, error) {
	var out []Broadcast
	for _, status := range []string{"active", "upcoming"} {
		var page []Broadcast
		err := c.calls.Do(ctx, tries, func(ctx context.Context) error {
			res, err := c.api.LiveBroadcasts.List(parts()).BroadcastStatus(status).BroadcastType("event").MaxResults(50).Context(ctx).Do()
			if err != nil {
				return err
			}
			page = page[:0]
			for _, b := range res.Items {
				page = append(page, read(b))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(page, func(a, b Broadcast) int { return a.Start.Compare(b.Start) })
		out = append(out, page...)
	}
	return out, nil
}

// find asks for one broadcast (1 unit); the zero Broadcast means that YouTube does not know it. That is asked twice, since a list
// may lag behind what was just made, and to take that for a deletion would make another broadcast.
func (c *Client) find(ctx context.Context, id string) (Broadcast, error) {
	var found Broadcast
	ask := func() error {
		return c.calls.Do(ctx, tries, func(ctx context.Context) error {
			res, err := c.api.LiveBroadcasts.List(parts()).Id(id).Context(ctx).Do()
			if err == nil && len(res.Items) > 0 {
				found = read(res.Items[0])
			}
			return err
		})
	}
	err := ask()
	if err == nil && found.ID == "" {
		pause(ctx, settle)
		err = ask()
	}
	return found, err
}

func read(b *yt.LiveBroadcast) Broadcast {
	out := Broadcast{ID: b.Id}
	if s := b.Snippet; s != nil {
		out.Title, out.Description, out.Chat = s.Title, s.Description, s.LiveChatId
		out.Start, out.Began = when(s.ScheduledStartTime), when(s.ActualStartTime)
	}
	if s := b.Status; s != nil {
		out.State, out.Privacy = State(s.LifeCycleStatus), Privacy(s.PrivacyStatus)
	}
	if d := b.ContentDetails; d != nil {
		out.Stream, out.AutoStart, out.AutoStop = d.BoundStreamId, d.EnableAutoStart, d.EnableAutoStop
		// Without a word from YouTube there is one.
		out.monitored = d.MonitorStream == nil || d.MonitorStream.EnableMonitorStream == nil || *d.MonitorStream.EnableMonitorStream
	}
	return out
}

func when(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{} // YouTube writes none before it happened
	}
	return t
}

// What YouTube takes (page "LiveBroadcasts", snippet). Its limit for descriptions counts bytes.
const (
	maxTitle       = 100
	maxDescription = 5000
)

// title is a text as YouTube takes it for a title: one row without angle brackets, at most 100 characters.
func title(s string) string {
	s = strings.Join(strings.Fields(brackets(s)), " ")
	if r := []rune(s); len(r) > maxTitle {
		s = strings.TrimSpace(string(r[:maxTitle-1])) + "…"
	}
	if s == "" {
		return "Live"
	}
	return s
}

func description(s string) string {
	s = strings.TrimSpace(brackets(strings.ReplaceAll(s, "\r\n", "\n")))
	if len(s) <= maxDescription {
		return s
	}
	return strings.TrimSpace(strings.ToValidUTF8(s[:maxDescription-len("…")], "")) + "…"
}

// brackets replaces what YouTube refuses in titles and descriptions.
func brackets(s string) string {
	return strings.NewReplacer("<", "‹", ">", "›", "\x00", "").Replace(strings.ToValidUTF8(s, "\uFFFD"))
}

// refused is err as what Do returned, or nil.
func refused(err error) *chat.Refused {
	if r, ok := err.(*chat.Refused); ok { //nolint:errorlint // Do returns it bare
		return r
	}
	return nil
}

func code(err error) string {
	if r := refused(err); r != nil {
		return r.Code
	}
	return ""
}
