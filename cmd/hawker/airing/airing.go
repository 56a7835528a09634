// Package airing joins the platforms' connectors to the studio: how a connected channel gives server and key, what it says it
// receives, and what has to be ended with a show.
package airing

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/connectors/twitch/channel"
	"hawker/connectors/youtube/broadcast"
	"hawker/internal/sqldb/videobook"
	"hawker/internal/studio"
	"hawker/relay/preset"
)

// twitchLook is how often Twitch is asked whether it shows a stream: it finds out once a minute itself.
const twitchLook = 20 * time.Second

// Twitch sends to connected Twitch channels. Their key is the channel's own, and nothing has to be made or ended.
type Twitch struct {
	// Channel is a merchant's channel as its owner sees it; the error is sqldb's not found when the owner is not connected.
	Channel func(ctx context.Context, merchant commerce.ID, id string) (*channel.Client, error)
	// Scopes are those that the channel's owner granted.
	Scopes func(ctx context.Context, merchant commerce.ID, id string) ([]string, error)
	Log    *slog.Logger
}

// Platform is Twitch as the studio takes it.
func (t *Twitch) Platform() studio.Platform {
	return studio.Platform{Open: t.open, Watch: t.watch, Needs: t.needs, Probe: func(ctx context.Context, m commerce.ID, id string) (server, key string, err error) {
		_, x, err := t.keyed(ctx, m, id)
		return x.Server, x.Key, err
	}}
}

// keyed asks for server and key.
func (t *Twitch) keyed(ctx context.Context, m commerce.ID, id string) (*channel.Client, videobook.Session, error) {
	c, err := t.Channel(ctx, m, id)
	if err != nil {
		return nil, videobook.Session{}, err
	}
	key, err := c.StreamKey(ctx)
	if err != nil {
		return nil, videobook.Session{}, err
	}
	x := videobook.Session{Key: key.Reveal()}
	if all, err := c.Ingests(ctx); err == nil && len(all) > 0 {
		if x.Server = all[0].Secure; x.Server == "" {
			x.Server = all[0].Server
		}
	} else if p, ok := preset.Of("twitch.tv"); ok { // the list is a convenience
		x.Server = p.Server
	}
	return c, x, nil
}

func (t *Twitch) open(ctx context.Context, m commerce.ID, id string, show studio.Show, _ videobook.Session) (videobook.Session, error) {
	c, x, err := t.keyed(ctx, m, id)
	if err != nil {
		return x, err
	}
	if scopes, err := t.Scopes(ctx, m, id); err == nil && slices.Contains(scopes, channel.ScopeBroadcast) {
		if err := c.Set(ctx, channel.Change{Title: &show.Title}); err != nil {
			t.Log.WarnContext(ctx, "title not set on Twitch", "show", show.ID, "err", err) // the video matters more
		}
	}
	return x, nil
}

func (t *Twitch) watch(ctx context.Context, m commerce.ID, id string, _ videobook.Session, tell func(studio.Reception)) error {
	c, err := t.Channel(ctx, m, id)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		s, err := c.Stream(ctx)
		if err != nil {
			return err
		}
		r := studio.Reception{Known: true, Good: s.Live, At: time.Now(), Text: "Twitch does not show it yet. That takes up to a minute."}
		if s.Live {
			r.Text = "Twitch shows it."
		}
		tell(r)
		timer := time.NewTimer(twitchLook)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

func (t *Twitch) needs(ctx context.Context, m commerce.ID, id string) (string, error) {
	scopes, err := t.Scopes(ctx, m, id)
	if err != nil || slices.Contains(scopes, channel.ScopeStreamKey) {
		return "", err
	}
	return "Twitch has to be asked once more whether hawker may read the channel's stream key.", nil
}

// YouTube sends to connected YouTube channels: a broadcast is made for each show, or found again, and ended with it.
type YouTube struct {
	// Broadcasts are those of a merchant's channel, seen by its owner; the error is sqldb's not found when it is not connected.
	Broadcasts func(ctx context.Context, merchant commerce.ID, id string) (*broadcast.Client, error)
}

// Platform is YouTube as the studio takes it.
func (y *YouTube) Platform() studio.Platform {
	return studio.Platform{Open: y.open, Watch: y.watch, Close: y.close, Needs: y.needs}
}

func idsOf(x *videobook.Session) broadcast.IDs {
	return broadcast.IDs{Broadcast: x.Broadcast, Stream: x.Stream, Made: x.Made}
}

// with calls f with the channel's broadcasts.
func (y *YouTube) with(ctx context.Context, m commerce.ID, id string, f func(*broadcast.Client) error) error {
	c, err := y.Broadcasts(ctx, m, id)
	if err != nil {
		return err
	}
	defer c.Close()
	return f(c)
}

func (y *YouTube) open(ctx context.Context, m commerce.ID, id string, show studio.Show, known videobook.Session) (x videobook.Session, err error) {
	x = known // what was made before is not forgotten when YouTube cannot be asked
	err = y.with(ctx, m, id, func(c *broadcast.Client) error {
		ids, in, err := c.Prepare(ctx, broadcast.Plan{Title: show.Title, Description: show.Description}, idsOf(&known))
		x = videobook.Session{Server: in.Server, Backup: in.Backup, Key: in.Key.Reveal(), Broadcast: ids.Broadcast, Stream: ids.Stream, Made: ids.Made}
		return err
	})
	return x, err
}

func (y *YouTube) watch(ctx context.Context, m commerce.ID, id string, x videobook.Session, tell func(studio.Reception)) error {
	return y.with(ctx, m, id, func(c *broadcast.Client) error {
		return c.Follow(ctx, idsOf(&x), nil, func(s broadcast.Status) { tell(reception(&s)) })
	})
}

func (y *YouTube) close(ctx context.Context, m commerce.ID, id string, x videobook.Session) error {
	return y.with(ctx, m, id, func(c *broadcast.Client) error { return c.End(ctx, idsOf(&x)) })
}

func (y *YouTube) needs(ctx context.Context, m commerce.ID, id string) (text string, err error) {
	err = y.with(ctx, m, id, func(c *broadcast.Client) error {
		if len(c.Missing()) > 0 {
			text = "YouTube has to be connected once more, so that hawker may make broadcasts."
		}
		return nil
	})
	return text, err
}

// reception puts what YouTube says into words.
func reception(s *broadcast.Status) studio.Reception {
	r := studio.Reception{Known: s.Known, Good: s.Received && s.State.OnAir(), Text: s.Trouble, At: s.At}
	switch {
	case r.Text != "":
	case r.Good && len(s.Issues) > 0:
		r.Text = s.Issues[0].Text
	case r.Good:
		r.Text = "YouTube shows it."
	case s.Known && s.State.Over():
		r.Text = "The broadcast was ended on YouTube."
	case s.Received:
		r.Text = "YouTube receives it and starts the broadcast."
	default:
		r.Text = "YouTube receives nothing yet."
	}
	return r
}
