package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"hawker/commerce"
	"hawker/internal/dial"
	"hawker/internal/sqldb"
	"hawker/relay"
)

// video joins the relay to the database: keys to shows, shows to destinations, events to pages.
type video struct {
	h      *house
	server *relay.Server

	mu     sync.Mutex
	owners map[string]commerce.ID // merchants by the stream's ID, which is the show's
}

func newVideo(h *house) *video {
	v := &video{h: h, owners: map[string]commerce.ID{}}
	d := &dial.Dialer{AllowPrivate: h.set.AllowPrivateTargets}
	v.server = &relay.Server{Stream: v.stream, DialContext: d.DialContext, Log: h.log, OnEvent: v.event}
	return v
}

// stream answers the relay who publishes under a key.
func (v *video) stream(ctx context.Context, key string) (relay.Config, error) {
	merchant, show, err := v.h.db.ShowOfKey(ctx, key)
	if sqldb.IsNotFound(err) {
		return relay.Config{}, relay.ErrUnknownKey
	}
	if err != nil {
		return relay.Config{}, err
	}
	to, err := v.destinations(ctx, merchant, show)
	if err != nil {
		return relay.Config{}, err
	}
	v.mu.Lock()
	v.owners[show.String()] = merchant
	v.mu.Unlock()
	return relay.Config{ID: show.String(), Destinations: to}, nil
}

func (v *video) destinations(ctx context.Context, merchant, show commerce.ID) ([]relay.Destination, error) {
	all, err := v.h.db.Destinations(ctx, merchant, show)
	if err != nil {
		return nil, fmt.Errorf("destinations of show %s: %w", show, err)
	}
	var out []relay.Destination
	for _, d := range all {
		if d.Enabled {
			out = append(out, relay.Destination{ID: d.ID.String(), Name: d.Name, Server: d.Server, Key: d.Key})
		}
	}
	return out, nil
}

// sync puts a show's destinations as they are stored now into force, when it is being streamed.
func (v *video) sync(ctx context.Context, merchant, show commerce.ID) error {
	to, err := v.destinations(ctx, merchant, show)
	if err != nil {
		return err
	}
	if err := v.server.Set(show.String(), to); err != nil && err != relay.ErrNoStream { //nolint:errorlint // returned bare; not live is fine
		return err
	}
	v.h.hub.RelayChanged(merchant, show)
	return nil
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
		d.Enabled = on
		if _, err := v.h.db.PutDestination(ctx, merchant, d); err != nil {
			return err
		}
		return v.sync(ctx, merchant, show)
	}
	return fmt.Errorf("the show has no destination %q", name)
}

// slate covers the pictures of a show, or ends that.
func (v *video) slate(show commerce.ID, on bool) error {
	if err := v.server.Slate(show.String(), on); err != nil {
		return fmt.Errorf("no video comes for the show: %w", err)
	}
	return nil
}

// event tells the pages of a show that something about its video changed, and rules of its destinations.
func (v *video) event(e relay.Event) {
	v.mu.Lock()
	merchant := v.owners[e.Stream]
	v.mu.Unlock()
	if show, err := commerce.ParseID(e.Stream); err == nil && merchant != 0 {
		v.h.hub.RelayChanged(merchant, show)
		switch e.Kind {
		case relay.DestinationUp, relay.DestinationDown:
			v.h.hub.RelayEvent(merchant, show, e.Name, e.Kind == relay.DestinationUp)
		}
	}
	v.h.log.Info("video", "event", string(e.Kind), "show", e.Stream, "destination", e.Name, "reason", string(e.Reason))
}

// status are all streams as they stand.
func (v *video) status() []relay.StreamStatus { return v.server.Status() }
