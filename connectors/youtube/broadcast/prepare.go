package broadcast

import (
	"context"
	"fmt"
	"strings"
	"time"

	yt "google.golang.org/api/youtube/v3"

	"hawker/internal/chat"
	"hawker/internal/seal"
)

// Plan is what a broadcast is to be.
type Plan struct {
	// Title is cut to 100 characters and Description to 5,000 bytes; angle brackets, which YouTube refuses, are replaced. Title and
	// description together are by which a broadcast is found again whose id a crash lost: let the description hold the show's address.
	Title, Description string
	// Start is the planned time; a time that has passed, or none, means now.
	Start   time.Time
	Privacy Privacy
	Latency Latency
	// ForKids is the creator's word that the broadcast is made for children. YouTube then gives it no chat.
	ForKids bool
	// StreamName is how our streams of the channel are called, where only the creator sees it; empty means "hawker".
	StreamName string
}

// settle is how long after a lost answer YouTube is asked whether the call had its effect.
const settle = 2 * time.Second

// Prepare makes a broadcast with a stream bound to it, or finds those that were made before, and says where to send the video. Its
// ids hold whatever exists also when it returns an error, and must be stored then too. Nothing is made twice: ids of known that
// still serve are used; lost ones are found again, the stream by its name and the broadcast by its title and description. A
// broadcast of the creator's is used by naming it in known, without Made. One that is over is replaced by a new one, since YouTube
// reopens none. The first time costs 150 units and some reads, later 2.
//
// A broadcast that is made starts by itself when video comes, which costs nothing and needs nobody's hand while only the relay
// runs. It does not end by itself: YouTube would close it and its chat for good a minute after the encoder's line broke.
// It has no monitor stream, since that puts a second step before going live.
func (c *Client) Prepare(ctx context.Context, p Plan, known IDs) (IDs, Ingest, error) {
	if p.StreamName == "" {
		p.StreamName = "hawker"
	}
	p.Title, p.Description = title(p.Title), description(p.Description)
	ids := known
	var b Broadcast
	var err error
	if known.Broadcast != "" {
		if b, err = c.find(ctx, known.Broadcast); err != nil {
			return ids, Ingest{}, err
		}
		if b.State.Over() {
			ids.Broadcast, ids.Made, b = "", false, Broadcast{}
		}
	}
	var all []Broadcast
	if b.ID == "" || !bound(b, known.Stream) {
		if all, err = c.Broadcasts(ctx); err != nil {
			return ids, Ingest{}, err
		}
	}
	if b.ID == "" {
		if b, err = c.made(ctx, p, all); err != nil {
			return ids, Ingest{}, err
		}
		ids.Broadcast, ids.Made = b.ID, true
	}
	if bound(b, known.Stream) {
		s, err := c.streamByID(ctx, b.Stream)
		switch {
		case err != nil:
			return ids, Ingest{}, err
		case s != nil:
			ids.Stream = b.Stream
			return ids, ingest(s), nil
		case !open(b):
			return ids, Ingest{}, &chat.Refused{Code: "liveStreamNotFound", Reason: "YouTube does not know the stream of this broadcast any more"}
		}
		if all == nil { // the stream was deleted: take another
			if all, err = c.Broadcasts(ctx); err != nil {
				return ids, Ingest{}, err
			}
		}
	}
	s, err := c.stream(ctx, p.StreamName, ids.Stream, b, all)
	if err != nil {
		return ids, Ingest{}, err
	}
	ids.Stream = s.Id
	if b.Stream != s.Id {
		err = c.calls.Do(ctx, tries, func(ctx context.Context) error {
			_, err := c.api.LiveBroadcasts.Bind(b.ID, []string{"id", "contentDetails"}).StreamId(s.Id).Context(ctx).Do()
			return err
		})
	}
	return ids, ingest(s), err
}

// bound reports whether nothing is left to bind: the stream is the one we know; or the broadcast runs, and takes no other any more.
func bound(b Broadcast, stream string) bool {
	return b.Stream != "" && (b.Stream == stream || !open(b))
}

// open reports whether a stream can be bound.
func open(b Broadcast) bool { return b.State == Created || b.State == Ready }

// made is the plan's broadcast: the one that was made before, or a new one.
func (c *Client) made(ctx context.Context, p Plan, all []Broadcast) (Broadcast, error) {
	if b, ok := match(p, all); ok {
		return b, nil
	}
	b, err := c.insert(ctx, p, true)
	if word := code(err); word == "invalidAutoStart" || word == "invalidAutoStop" {
		b, err = c.insert(ctx, p, false) // Follow has it go live
	}
	if r := refused(err); r == nil || !r.Unknown {
		return b, err
	}
	// The answer was lost: the broadcast may be there.
	if pause(ctx, settle); ctx.Err() != nil {
		return b, err
	}
	if all, again := c.Broadcasts(ctx); again == nil {
		if b, ok := match(p, all); ok {
			return b, nil
		}
	}
	return b, err
}

// match finds the plan's broadcast among those that are live or planned.
func match(p Plan, all []Broadcast) (Broadcast, bool) {
	for _, b := range all {
		if words(b.Title) == words(p.Title) && words(b.Description) == words(p.Description) {
			return b, true
		}
	}
	return Broadcast{}, false
}

// words is a text without what YouTube may change about it.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }

func (c *Client) insert(ctx context.Context, p Plan, auto bool) (Broadcast, error) {
	start := p.Start
	if soon := time.Now().Add(time.Minute); start.Before(soon) { // YouTube wants a time to come, by its own clock
		start = soon
	}
	if p.Privacy == "" {
		p.Privacy = Public
	}
	if p.Latency == "" {
		p.Latency = Low
	}
	var made Broadcast
	err := c.calls.Do(ctx, 1, func(ctx context.Context) error {
		res, err := c.api.LiveBroadcasts.Insert(parts(), &yt.LiveBroadcast{
			Snippet: &yt.LiveBroadcastSnippet{Title: p.Title, Description: p.Description, ScheduledStartTime: start.UTC().Format(time.RFC3339)},
			Status: &yt.LiveBroadcastStatus{
				PrivacyStatus: string(p.Privacy), SelfDeclaredMadeForKids: p.ForKids, ForceSendFields: []string{"SelfDeclaredMadeForKids"},
			},
			ContentDetails: &yt.LiveBroadcastContentDetails{
				EnableAutoStart: auto, EnableAutoStop: false, EnableDvr: true, RecordFromStart: true, LatencyPreference: string(p.Latency),
				MonitorStream:   &yt.MonitorStreamInfo{EnableMonitorStream: new(bool)},
				ForceSendFields: []string{"EnableAutoStart", "EnableAutoStop"},
			},
		}).Context(ctx).Do()
		if err == nil {
			made = read(res)
		}
		return err
	})
	return made, err
}

// stream is the stream to feed b with: the one known or bound to it, else one of ours that feeds no other broadcast, else a new
// one. Two planned broadcasts on one stream would both start with the first.
func (c *Client) stream(ctx context.Context, name, known string, b Broadcast, all []Broadcast) (*yt.LiveStream, error) {
	busy := map[string]bool{}
	for _, other := range all {
		if other.ID != b.ID {
			busy[other.Stream] = true
		}
	}
	ours, err := c.streams(ctx)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	var free *yt.LiveStream
	for _, s := range ours {
		if s.Snippet.Title != name && !strings.HasPrefix(s.Snippet.Title, name+" ") {
			continue
		}
		taken[s.Snippet.Title] = true
		switch {
		case busy[s.Id]:
		case s.Id == known || s.Id == b.Stream:
			return s, nil
		case free == nil || s.Snippet.Title < free.Snippet.Title:
			free = s
		}
	}
	if free != nil {
		return free, nil
	}
	fresh := name
	for n := 2; taken[fresh]; n++ {
		fresh = fmt.Sprintf("%s %d", name, n)
	}
	s, err := c.insertStream(ctx, fresh)
	if r := refused(err); r == nil || !r.Unknown {
		return s, err
	}
	if pause(ctx, settle); ctx.Err() != nil {
		return nil, err
	}
	if ours, again := c.streams(ctx); again == nil {
		for _, s := range ours {
			if s.Snippet.Title == fresh {
				return s, nil
			}
		}
	}
	return nil, err
}

func streamParts() []string { return []string{"id", "snippet", "cdn", "contentDetails"} }

// streams are the channel's reusable RTMP streams that take any picture.
func (c *Client) streams(ctx context.Context) ([]*yt.LiveStream, error) {
	var out []*yt.LiveStream
	err := c.calls.Do(ctx, tries, func(ctx context.Context) error {
		out = out[:0]
		return c.api.LiveStreams.List(streamParts()).Mine(true).MaxResults(50).Pages(ctx, func(res *yt.LiveStreamListResponse) error {
			for _, s := range res.Items {
				if s.Snippet != nil && s.Cdn != nil && s.Cdn.IngestionInfo != nil && s.Cdn.IngestionType == "rtmp" && s.Cdn.Resolution == "variable" &&
					s.ContentDetails != nil && s.ContentDetails.IsReusable {
					out = append(out, s)
				}
			}
			return nil
		})
	})
	return out, err
}

func (c *Client) streamByID(ctx context.Context, id string) (found *yt.LiveStream, err error) {
	err = c.calls.Do(ctx, tries, func(ctx context.Context) error {
		res, err := c.api.LiveStreams.List(streamParts()).Id(id).Context(ctx).Do()
		if err == nil && len(res.Items) > 0 {
			found = res.Items[0]
		}
		return err
	})
	return found, err
}

func (c *Client) insertStream(ctx context.Context, name string) (made *yt.LiveStream, err error) {
	err = c.calls.Do(ctx, 1, func(ctx context.Context) error {
		// With a fixed size YouTube complains of every picture of another, and it can never be changed.
		res, err := c.api.LiveStreams.Insert(streamParts(), &yt.LiveStream{
			Snippet:        &yt.LiveStreamSnippet{Title: name},
			Cdn:            &yt.CdnSettings{IngestionType: "rtmp", Resolution: "variable", FrameRate: "variable"},
			ContentDetails: &yt.LiveStreamContentDetails{IsReusable: true},
		}).Context(ctx).Do()
		made = res
		return err
	})
	return made, err
}

func ingest(s *yt.LiveStream) Ingest {
	if s == nil || s.Cdn == nil || s.Cdn.IngestionInfo == nil {
		return Ingest{}
	}
	i := s.Cdn.IngestionInfo
	out := Ingest{
		Server: i.RtmpsIngestionAddress, Backup: i.RtmpsBackupIngestionAddress, Plain: i.IngestionAddress, PlainBackup: i.BackupIngestionAddress,
		Key: seal.Secret(i.StreamName),
	}
	if out.Server == "" {
		out.Server = out.Plain
	}
	if out.Backup == "" {
		out.Backup = out.PlainBackup
	}
	return out
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Retitle gives a broadcast another title and description, also while it is live. It costs 51 units, or 1 when it has them already.
func (c *Client) Retitle(ctx context.Context, ids IDs, to, text string) error {
	to, text = title(to), description(text)
	var was *yt.LiveBroadcastSnippet
	err := c.calls.Do(ctx, tries, func(ctx context.Context) error {
		res, err := c.api.LiveBroadcasts.List([]string{"id", "snippet"}).Id(ids.Broadcast).Context(ctx).Do()
		if err == nil && len(res.Items) > 0 {
			was = res.Items[0].Snippet
		}
		return err
	})
	if err != nil {
		return err
	}
	if was == nil {
		return gone()
	}
	if was.Title == to && words(was.Description) == words(text) {
		return nil
	}
	return c.calls.Do(ctx, tries, func(ctx context.Context) error {
		// An update replaces the whole part: what is not sent is lost.
		_, err := c.api.LiveBroadcasts.Update([]string{"id", "snippet"}, &yt.LiveBroadcast{Id: ids.Broadcast, Snippet: &yt.LiveBroadcastSnippet{
			Title: to, Description: text, ScheduledStartTime: was.ScheduledStartTime, ScheduledEndTime: was.ScheduledEndTime, CategoryId: was.CategoryId,
			ForceSendFields: []string{"Description"},
		}}).Context(ctx).Do()
		return err
	})
}

func gone() *chat.Refused {
	return &chat.Refused{Code: "liveBroadcastNotFound", Reason: "YouTube does not know this broadcast any more"}
}
