package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"hawker/cmd/hawker/core"
	"hawker/commerce"
	"hawker/internal/studio"
	"hawker/relay"
	"hawker/relay/child"
)

// Where the relay runs.
const (
	relayOwn    = "own"    // in a process of its own, which outlives the hub
	relayInside = "inside" // in the hub's
)

// video joins the relay to the database: keys to shows, shows to destinations, events to pages.
type video struct {
	h      *house
	relay  child.Relay
	studio *studio.Studio
	notOwn error // why the relay has no process of its own, nil when it has or is not to have one
}

func newVideo(h *house) (*video, error) {
	v := &video{h: h}
	dir, err := filepath.Abs(h.set.Data)
	if err != nil {
		return nil, fmt.Errorf("data folder (HAWKER_DATA): %w", err)
	}
	settings, err := json.Marshal(h.set.core(dir))
	if err != nil {
		return nil, err
	}
	asks := child.Asks{Stream: v.stream, OnFound: v.found, OnEvent: v.event}
	own := h.set.RelayProcess != relayInside
	if own {
		v.notOwn = child.Usable(dir)
	}
	if own && v.notOwn == nil {
		v.relay = &child.Client{
			Asks: asks, Dir: dir, Version: build(), Args: []string{"relay-core", "--data", dir}, Settings: settings,
			Level: levelOf(h.log), Ready: h.hub.Started(), Log: h.log,
		}
	} else {
		v.relay = &child.Inside{Asks: asks, Dir: dir, Open: core.Open, Settings: settings, Log: h.log}
	}
	v.studio = h.newStudio(v.relay, v.forget)
	return v, nil
}

// core are the settings of the relay's process, whose data folder is dir.
func (s *settings) core(dir string) core.Settings {
	return core.Settings{
		Data: dir, RTMPListen: s.RTMPListen, RTMPSListen: s.RTMPSListen, RTMPSCert: absolute(s.RTMPSCert), RTMPSKey: absolute(s.RTMPSKey), AllowPrivate: s.AllowPrivateTargets,
		Room: s.room(dir),
	}
}

// levelOf is the lowest level that a log takes.
func levelOf(log *slog.Logger) slog.Level {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if log.Enabled(context.Background(), l) {
			return l
		}
	}
	return slog.LevelError
}

// tie makes the relay end with this hub, whatever is live.
func (v *video) tie() {
	if c, ok := v.relay.(*child.Client); ok {
		c.Tied = true
	}
}

// start finds or starts the relay, and says where encoders come.
func (v *video) start(ctx context.Context) (ingest string, err error) {
	if v.notOwn != nil {
		v.h.log.Warn("the relay runs in the hub's own process and ends with it", "why", v.notOwn)
	}
	if err := v.relay.Start(ctx); err != nil {
		return "", err
	}
	if all := v.relay.Addrs(); len(all) > 0 {
		return v.h.ingestFor(all[0]), nil
	}
	return v.h.ingestFor(v.h.set.RTMPListen), nil
}

// stop lets go of a relay that was started and will not be run.
func (v *video) stop(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return v.relay.Run(ctx)
}

// stream answers the relay who publishes under a key. The tag of a stream is its merchant.
func (v *video) stream(ctx context.Context, key string) (relay.Config, string, error) {
	c, merchant, err := v.studio.Config(ctx, key)
	return c, merchant.String(), err
}

// forget makes the relay ask again whose the keys of a stream are.
func (v *video) forget(streamID string) {
	if err := v.relay.Forget(streamID); err != nil && !errors.Is(err, relay.ErrNoStream) {
		v.h.log.Error("a stream key that was taken away may be let in while the hub is away", "stream", streamID, "err", err)
	}
}

// sync puts a show's video as it is stored now into force, when it is being streamed.
func (v *video) sync(ctx context.Context, merchant, show commerce.ID) error {
	return v.studio.Sync(ctx, merchant, show)
}

// turn turns a destination of a show on or off, by its name.
func (v *video) turn(ctx context.Context, merchant, show commerce.ID, name string, on bool) error {
	all, err := v.h.db.Destinations(ctx, merchant, show)
	if err != nil {
		return err
	}
	for _, d := range all {
		if !strings.EqualFold(d.Name, name) {
			continue
		}
		if err := v.studio.Book.Enable(ctx, merchant, d.ID, on); err != nil {
			return err
		}
		return v.sync(ctx, merchant, show)
	}
	return fmt.Errorf("the show has no destination %q", name)
}

// slate covers the pictures of a show, or ends that.
func (v *video) slate(show commerce.ID, on bool) error {
	if err := v.relay.Slate(show.String(), on); err != nil {
		return fmt.Errorf("no video comes for the show: %w", err)
	}
	return nil
}

// found is told of a stream that went on while there was no hub.
func (v *video) found(tag, streamID string) {
	show, err := commerce.ParseID(streamID)
	merchant, bad := commerce.ParseID(tag)
	if err != nil || bad != nil {
		return
	}
	v.studio.Event(merchant, show, relay.Event{Kind: relay.StreamStarted, At: time.Now(), Stream: streamID})
	v.h.hub.RelayChanged(merchant, show)
}

// event tells the pages of a show that something about its video changed, and rules of its destinations.
func (v *video) event(tag string, e relay.Event) {
	show, err := commerce.ParseID(e.Stream)
	merchant, bad := commerce.ParseID(tag)
	if err == nil && bad == nil {
		v.h.hub.RelayChanged(merchant, show)
		v.studio.Event(merchant, show, e)
		switch e.Kind {
		case relay.DestinationUp, relay.DestinationDown:
			v.h.hub.RelayEvent(merchant, show, e.Name, e.Kind == relay.DestinationUp)
		}
	}
}

// status are all streams as they stand.
func (v *video) status() []relay.StreamStatus { return v.relay.Status() }
