// Package channel is what a Twitch channel is beside its chat: the stream key, where to send the video, whether the stream is
// live, and what it is called. It acts as the channel's owner, and asks for no permission before somebody wants what needs it.
package channel

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hawker/connectors/twitch"
	"hawker/internal/chat"
	"hawker/internal/seal"
)

// DefaultIngestURL is where Twitch lists its ingest servers (Twitch docs, "Video Broadcast Reference").
const DefaultIngestURL = "https://ingest.twitch.tv/ingests"

// The scopes of what is done here; whatever names neither needs none.
const (
	ScopeStreamKey = "channel:read:stream_key"  // StreamKey
	ScopeBroadcast = "channel:manage:broadcast" // Set
)

// The limits of "Modify Channel Information" (Twitch API Reference).
const (
	MaxTitle = 140 // characters
	MaxTags  = 10
	MaxTag   = 25 // characters, letters and digits of any script
)

// Scope is what a use of the channel needs of its owner, by the word that the pages use for it: "stream-key" or "title".
func Scope(use string) (twitch.Scope, bool) {
	switch use {
	case "stream-key":
		return twitch.Scope{Name: ScopeStreamKey, Owner: true, Reason: "To send your video to your channel without you copying the stream key."}, true
	case "title":
		return twitch.Scope{Name: ScopeBroadcast, Owner: true, Reason: "To set the title, category and tags of your stream, and markers in its recording."}, true
	}
	return twitch.Scope{}, false
}

// Client is one channel, seen by its owner.
type Client struct {
	login  *twitch.Login
	ingest string
}

// New makes a client of the owner's channel. Of the options only where Twitch is, the application, the connections and the log
// count; ingestURL empty means Twitch itself. It may run beside a twitch.Client of the same account when both have Load.
func New(o twitch.Options, owner twitch.Owner, ingestURL string) (*Client, error) {
	l, err := twitch.NewLogin(o, owner)
	if err != nil {
		return nil, err
	}
	if ingestURL == "" {
		ingestURL = DefaultIngestURL
	}
	return &Client{l, strings.TrimRight(ingestURL, "/")}, nil
}

// lacking is the refusal when the owner is known not to have granted what a use needs: nothing is asked of Twitch then.
func (c *Client) lacking(use string) error {
	if s, ok := Scope(use); ok && c.login.Lacks(s.Name) {
		return &chat.Refused{Code: "scope", Reason: "Nobody has granted " + s.Name + " for the channel. " + s.Reason}
	}
	return nil
}

// get reads one object of Helix into v.
func (c *Client) get(ctx context.Context, path string, query url.Values, v any) error {
	body, err := c.login.Call(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	return read(body, v)
}

func read(body []byte, v any) error {
	if json.Unmarshal(body, v) != nil {
		return &chat.Refused{Code: "odd_answer", Reason: "Twitch answered something unreadable."}
	}
	return nil
}

func (c *Client) me() url.Values { return url.Values{"broadcaster_id": {c.login.ID()}} }

// StreamKey is the key by which the channel's video is sent to Twitch (ScopeStreamKey). The owner may change it at any time:
// ask before each stream. Every error is a *chat.Refused; Code is "scope" when the owner has not granted it.
func (c *Client) StreamKey(ctx context.Context) (seal.Secret, error) {
	if err := c.lacking("stream-key"); err != nil {
		return "", err
	}
	var v struct {
		Data []struct {
			Key string `json:"stream_key"`
		} `json:"data"`
	}
	if err := c.get(ctx, "/streams/key", c.me(), &v); err != nil {
		return "", err
	}
	if len(v.Data) == 0 || v.Data[0].Key == "" || strings.ContainsFunc(v.Data[0].Key, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return "", &chat.Refused{Code: "odd_answer", Reason: "Twitch answered without a stream key."}
	}
	return seal.Secret(v.Data[0].Key), nil
}

// BandwidthTest is a key under which Twitch takes the video, measures it for its Inspector (inspector.twitch.tv), and shows it to
// nobody (Twitch docs, "Video Broadcasting Overview": the parameter bandwidthtest of the stream key). Stream stays not live.
func BandwidthTest(key seal.Secret) seal.Secret {
	k := key.Reveal()
	switch {
	case k == "" || strings.Contains(k, "bandwidthtest="):
		return key
	case strings.Contains(k, "?"):
		return seal.Secret(k + "&bandwidthtest=true")
	}
	return seal.Secret(k + "?bandwidthtest=true")
}

// Ingest is a server that takes video.
type Ingest struct {
	ID      int
	Name    string // where it stands, such as "EU Central: Frankfurt, Germany"
	Server  string // rtmp://host/app
	Secure  string // the same as rtmps://; empty where Twitch names none
	Default bool   // Twitch's choice for whoever does not choose
}

// ingest is one as Twitch lists it.
type ingest struct {
	ID       int     `json:"_id"`
	Name     string  `json:"name"`
	Plain    string  `json:"url_template"`
	Secure   string  `json:"url_template_secure"`
	Default  bool    `json:"default"`
	Priority int     `json:"priority"`
	Up       float64 `json:"availability"`
}

// Ingests are Twitch's ingest servers, the nearest to this machine first, as Twitch sees it; none need any permission.
func (c *Client) Ingests(ctx context.Context) ([]Ingest, error) {
	body, err := c.login.Get(ctx, c.ingest)
	if err != nil {
		return nil, err
	}
	var v struct {
		Ingests []ingest `json:"ingests"`
	}
	if err := read(body, &v); err != nil {
		return nil, err
	}
	slices.SortStableFunc(v.Ingests, func(a, b ingest) int { return cmp.Compare(a.Priority, b.Priority) })
	var out []Ingest
	for _, x := range v.Ingests {
		i := Ingest{ID: x.ID, Name: chat.Clean(x.Name), Server: server(x.Plain, "rtmp"), Secure: server(x.Secure, "rtmps"), Default: x.Default}
		if i.Server != "" && x.Up > 0 {
			out = append(out, i)
		}
	}
	if len(out) == 0 {
		return nil, &chat.Refused{Code: "odd_answer", Reason: "Twitch named no ingest servers."}
	}
	return out, nil
}

// server is the address without the place of the key; empty when it is none that video can be sent to.
func server(template, scheme string) string {
	s, ok := strings.CutSuffix(template, "/{stream_key}")
	if u, err := url.Parse(s); !ok || err != nil || u.Scheme != scheme || u.Hostname() == "" {
		return ""
	}
	return s
}

// Stream is what viewers see of the channel now. The zero value is a stream that is not live.
type Stream struct {
	Live            bool
	ID              string
	Title, Category string
	Started         time.Time
	Viewers         int // as of a minute ago at most
}

// Stream asks whether Twitch shows the channel's video (Twitch API Reference, "Get Streams"). It takes some ten seconds to
// become true after the first video and as long to become false after the last.
func (c *Client) Stream(ctx context.Context) (Stream, error) {
	var v struct {
		Data []struct {
			ID       string    `json:"id"`
			Type     string    `json:"type"` // "live", or empty when Twitch is in trouble
			Title    string    `json:"title"`
			Category string    `json:"game_name"`
			Started  time.Time `json:"started_at"`
			Viewers  int       `json:"viewer_count"`
		} `json:"data"`
	}
	if err := c.get(ctx, "/streams", url.Values{"user_id": {c.login.ID()}}, &v); err != nil || len(v.Data) == 0 || v.Data[0].Type != "live" {
		return Stream{}, err
	}
	x := v.Data[0]
	return Stream{true, chat.Clean(x.ID), chat.Clean(x.Title), chat.Clean(x.Category), x.Started, max(0, x.Viewers)}, nil
}

// Info is what the channel is called, also while it is not live.
type Info struct {
	Title                string
	CategoryID, Category string
	Language             string // two letters of ISO 639-1, or "other"
	Tags                 []string
}

// Info asks what the channel is called.
func (c *Client) Info(ctx context.Context) (Info, error) {
	var v struct {
		Data []struct {
			Title    string   `json:"title"`
			ID       string   `json:"game_id"`
			Name     string   `json:"game_name"`
			Language string   `json:"broadcaster_language"`
			Tags     []string `json:"tags"`
		} `json:"data"`
	}
	if err := c.get(ctx, "/channels", c.me(), &v); err != nil {
		return Info{}, err
	}
	if len(v.Data) == 0 {
		return Info{}, &chat.Refused{Code: "odd_answer", Reason: "Twitch does not know the channel."}
	}
	x := v.Data[0]
	i := Info{chat.Clean(x.Title), chat.Clean(x.ID), chat.Clean(x.Name), chat.Clean(x.Language), nil}
	for _, t := range x.Tags {
		i.Tags = append(i.Tags, chat.Clean(t))
	}
	return i, nil
}

// Change is what to change; what is nil stays. An empty CategoryID takes the category away, empty Tags all tags.
type Change struct {
	Title, CategoryID, Language *string
	Tags                        *[]string
}

// Set changes what the channel is called (ScopeBroadcast). Every error is a *chat.Refused; before anything is asked of Twitch Code
// is "scope", "bad_title", "bad_tag" or "empty" when there is nothing to change.
func (c *Client) Set(ctx context.Context, ch Change) error {
	in := map[string]any{}
	if ch.Title != nil {
		title := strings.Join(strings.FieldsFunc(chat.Clean(*ch.Title), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
		if n := utf8.RuneCountInString(title); n == 0 || n > MaxTitle {
			return &chat.Refused{Code: "bad_title", Reason: "A title has 1 to " + strconv.Itoa(MaxTitle) + " characters."}
		}
		in["title"] = title
	}
	if ch.CategoryID != nil {
		in["game_id"] = *ch.CategoryID
	}
	if ch.Language != nil {
		in["broadcaster_language"] = *ch.Language
	}
	if ch.Tags != nil {
		tags, err := Tags(*ch.Tags)
		if err != nil {
			return err
		}
		in["tags"] = tags
	}
	if len(in) == 0 {
		return &chat.Refused{Code: "empty", Reason: "There is nothing to change."}
	}
	if err := c.lacking("title"); err != nil {
		return err
	}
	_, err := c.login.Call(ctx, http.MethodPatch, "/channels", c.me(), in)
	return err
}

// Tags are tags as Twitch takes them, without a leading "#" and each once; the error is a *chat.Refused with the code "bad_tag".
func Tags(all []string) ([]string, error) {
	out := []string{}
	for _, t := range all {
		t = strings.TrimPrefix(strings.TrimSpace(t), "#")
		odd := strings.ContainsFunc(t, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
		switch {
		case t == "":
			continue
		case odd || utf8.RuneCountInString(t) > MaxTag:
			return nil, &chat.Refused{Code: "bad_tag", Reason: "A tag has up to " + strconv.Itoa(MaxTag) + " letters and digits, without blanks: " + chat.Clean(t) + "."}
		case !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, t) }):
			out = append(out, t)
		}
	}
	if len(out) > MaxTags {
		return nil, &chat.Refused{Code: "bad_tag", Reason: "A channel has at most " + strconv.Itoa(MaxTags) + " tags."}
	}
	return out, nil
}

// Category is what a stream is about: a game, or such as "Makers & Crafting".
type Category struct{ ID, Name string }

// Categories are those whose names fit the words, the best fit first, at most 20.
func (c *Client) Categories(ctx context.Context, words string) ([]Category, error) {
	words = strings.TrimSpace(words)
	if words == "" {
		return nil, nil
	}
	var v struct {
		Data []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"data"`
	}
	if err := c.get(ctx, "/search/categories", url.Values{"query": {words}, "first": {"20"}}, &v); err != nil {
		return nil, err
	}
	var out []Category
	for _, x := range v.Data {
		out = append(out, Category{chat.Clean(x.ID), chat.Clean(x.Name)})
	}
	slices.SortStableFunc(out, func(a, b Category) int { return rank(a.Name, words) - rank(b.Name, words) })
	return out, nil
}

func rank(name, words string) int {
	switch name, words = strings.ToLower(name), strings.ToLower(words); {
	case name == words:
		return 0
	case strings.HasPrefix(name, words):
		return 1
	}
	return 2
}
