package main

import (
	"context"

	"hawker/cmd/hawker/airing"
	"hawker/cmd/hawker/core"
	"hawker/commerce"
	"hawker/connectors/youtube/broadcast"
	"hawker/internal/chat"
	"hawker/internal/sqldb"
	"hawker/internal/studio"
)

// newStudio makes the part that decides about video, over a relay that carries it.
func (h *house) newStudio(r studio.Relay, forget func(streamID string)) *studio.Studio {
	tw, yt := &airing.Twitch{Channel: h.twitchChannel, Scopes: h.ownerScopes, Log: h.log}, &airing.YouTube{Broadcasts: h.broadcasts}
	return &studio.Studio{
		Book: h.db.Videobook(), Relay: r, Show: h.aboutShow, Changed: h.hub.RelayChanged, Forget: forget, Dir: h.set.slates(), Node: h.set.node(),
		DialContext: core.Dial(h.set.AllowPrivateTargets), Log: h.log,
		Platforms: map[chat.Platform]studio.Platform{chat.Twitch: tw.Platform(), chat.YouTube: yt.Platform()},
	}
}

// aboutShow is what platforms are told of a show.
func (h *house) aboutShow(ctx context.Context, m, id commerce.ID) (studio.Show, error) {
	all, err := h.db.Shows(ctx, m)
	if err != nil {
		return studio.Show{}, err
	}
	for i := range all {
		if s := &all[i]; s.ID == id {
			return studio.Show{ID: id, Title: s.Title, Description: s.Title + "\n\nShop live: " + h.public + "/live/" + s.Name, Ended: s.State == commerce.ShowEnded}, nil
		}
	}
	return studio.Show{}, sqldb.ErrNotFound
}

// ownerScopes are those that the owner of a Twitch channel granted; none when nobody is connected.
func (h *house) ownerScopes(ctx context.Context, m commerce.ID, id string) ([]string, error) {
	accounts, err := h.db.Accounts(ctx, m)
	for _, a := range accounts {
		if a.Platform == chat.Twitch && a.ID == id && a.Purpose == sqldb.OwnerAccount {
			return a.Token.Scopes, nil
		}
	}
	return nil, err
}

// broadcasts are those of a merchant's connected YouTube channel. The error is sqldb's not found when it is not connected.
func (h *house) broadcasts(ctx context.Context, m commerce.ID, id string) (*broadcast.Client, error) {
	accounts, err := h.db.Accounts(ctx, m)
	if err != nil {
		return nil, err
	}
	a, ok := account(accounts, chat.YouTube, id)
	if !ok {
		return nil, sqldb.ErrNotFound
	}
	o := h.youtubeOptions()
	o.Owner, o.Save = a.Account, h.save(m, a)
	return broadcast.New(ctx, o)
}
