package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/connectors/discord"
	"hawker/connectors/shopify"
	"hawker/connectors/twitch"
	"hawker/connectors/youtube"
	"hawker/internal/chat"
	"hawker/internal/dial"
	"hawker/internal/live"
	"hawker/internal/sqldb"
)

// connect makes the connections of a merchant to its platforms and its store. A platform that cannot be connected is left
// out and said; it must not keep the others from the viewers.
func (h *house) connect(ctx context.Context, m sqldb.Merchant) (live.Connections, error) {
	var out live.Connections
	channels, err := h.db.Channels(ctx, m.ID)
	if err != nil {
		return out, err
	}
	accounts, err := h.db.Accounts(ctx, m.ID)
	if err != nil {
		return out, err
	}
	add := func(platform chat.Platform, a []live.Account, err error) {
		if err != nil {
			h.log.Error("platform is not connected", "merchant", m.Slug, "platform", string(platform), "err", err)
		}
		out.Accounts = append(out.Accounts, a...)
	}
	a, err := h.twitch(m.ID, channels, accounts)
	add(chat.Twitch, a, err)
	a, err = h.youtube(ctx, m.ID, channels, accounts)
	add(chat.YouTube, a, err)
	a, err = h.discord(m.ID, channels)
	add(chat.Discord, a, err)
	st, err := h.db.Store(ctx, m.ID)
	switch {
	case sqldb.IsNotFound(err), err == nil && st.Kind != "shopify":
		return out, nil
	case err != nil:
		return out, err
	}
	c, err := h.shopClient(m.ID, st)
	if err != nil {
		h.log.Error("store is not connected", "merchant", m.Slug, "err", err)
		return out, nil
	}
	out.Store, out.StoreLocal = shopStore{c, slices.Contains(strings.Split(st.Granted, ","), shopify.ScopeDiscounts)}, dial.Loopback(h.set.Shopify.URL) && h.set.Shopify.URL != ""
	return out, nil
}

// account finds a connected account; the bot's before the owner's when both have the id.
func account(all []sqldb.Account, p chat.Platform, id string) (sqldb.Account, bool) {
	var found sqldb.Account
	ok := false
	for _, a := range all {
		if a.Platform == p && a.ID == id && (!ok || a.Purpose == sqldb.BotAccount) {
			found, ok = a, true
		}
	}
	return found, ok
}

// save stores a renewed token, unless the account was disconnected meanwhile.
func (h *house) save(m commerce.ID, a sqldb.Account) func(context.Context, chat.Token) error {
	return func(ctx context.Context, t chat.Token) error {
		a.Token = t
		return h.db.RenewToken(ctx, m, a.Account, a.Purpose)
	}
}

// twitch makes one client for each account that hears and speaks: the bot, or the owner where there is none.
func (h *house) twitch(m commerce.ID, channels []sqldb.Channel, accounts []sqldb.Account) ([]live.Account, error) {
	refs, by := map[string][]twitch.ChannelRef{}, map[string][]chat.Channel{}
	for _, c := range channels {
		if c.Platform != chat.Twitch {
			continue
		}
		id := c.Bot
		if id == "" {
			id = c.Owner
		}
		if id == "" {
			id = c.ID
		}
		refs[id] = append(refs[id], twitch.ChannelRef{ID: c.ID, Login: c.Name})
		by[id] = append(by[id], c.Channel)
	}
	var out []live.Account
	for _, id := range slices.Sorted(maps.Keys(refs)) {
		a, ok := account(accounts, chat.Twitch, id)
		if !ok {
			return out, fmt.Errorf("no account %s is connected for channel %s", id, by[id][0])
		}
		if a.Purpose == sqldb.OwnerAccount && len(a.Token.Scopes) > 0 && !slices.ContainsFunc(twitch.BotScopes(), func(sc string) bool { return slices.Contains(a.Token.Scopes, sc) }) {
			h.log.Info("no bot is connected yet", "merchant", m.String(), "channel", by[id][0].String())
			continue // the owner let a bot in, and granted nobody to hear or speak as them
		}
		o := h.twitchOptions()
		o.Bot, o.Channels, o.Save, o.Load = a.Account, refs[id], h.save(m, a), h.load(m, a)
		o.Owners, o.Log = h.owners(m, by[id], accounts), h.log.With("account", "twitch/"+a.Name)
		c, err := twitch.New(o)
		if err != nil {
			return out, err
		}
		out = append(out, live.Account{Name: "twitch/" + a.Name, Chat: c, Channels: by[id], Local: dial.Loopback(h.set.Twitch.APIURL)})
	}
	return out, nil
}

// owners are the logins of the owners of Twitch channels, who alone hear and do some things there.
func (h *house) owners(m commerce.ID, channels []chat.Channel, accounts []sqldb.Account) []twitch.Owner {
	var out []twitch.Owner
	for _, a := range accounts {
		known := a.Token.Access != "" || a.Token.Refresh != ""
		if known && a.Purpose == sqldb.OwnerAccount && slices.Contains(channels, chat.Channel{Platform: a.Platform, ID: a.ID}) {
			out = append(out, twitch.Owner{Account: a.Account, Save: h.save(m, a), Load: h.load(m, a)})
		}
	}
	return out
}

// youtube makes one client for each channel, as its owner.
func (h *house) youtube(ctx context.Context, m commerce.ID, channels []sqldb.Channel, accounts []sqldb.Account) ([]live.Account, error) {
	var out []live.Account
	for _, c := range channels {
		if c.Platform != chat.YouTube {
			continue
		}
		id := c.Owner
		if id == "" {
			id = c.ID
		}
		a, ok := account(accounts, chat.YouTube, id)
		if !ok {
			return out, fmt.Errorf("no account is connected for channel %s", c.Channel)
		}
		s := h.set.YouTube
		y, err := youtube.New(ctx, youtube.Options{
			APIURL: s.APIURL, AuthURL: s.AuthURL, TokenURL: s.TokenURL, RevokeURL: s.RevokeURL, ClientID: s.ClientID, ClientSecret: s.ClientSecret,
			Owner: a.Account, Save: h.save(m, a), Log: h.log.With("account", "youtube/"+a.Name), Units: h.units,
			PageToken: c.Cursor, SaveCursor: func(c chat.Channel, token string) { h.cursors.put(m, c, token) },
		})
		if err != nil {
			return out, err
		}
		out = append(out, live.Account{Name: "youtube/" + a.Name, Chat: y, Channels: []chat.Channel{c.Channel}, Local: dial.Loopback(s.APIURL)})
	}
	return out, nil
}

// discord makes the operator's bot hear a merchant's channels.
func (h *house) discord(m commerce.ID, channels []sqldb.Channel) ([]live.Account, error) {
	guilds, after := map[string]string{}, map[string]string{}
	var mine []chat.Channel
	for _, c := range channels {
		if c.Platform == chat.Discord {
			guilds[c.ID], after[c.ID] = c.Guild, c.Cursor
			mine = append(mine, c.Channel)
		}
	}
	if len(mine) == 0 {
		return nil, nil
	}
	s := h.set.Discord
	if s.BotToken == "" {
		return nil, fmt.Errorf("set HAWKER_DISCORD_BOT_TOKEN for channel %s", mine[0])
	}
	c, err := discord.New(discord.Options{
		APIURL: s.APIURL, BotToken: s.BotToken, AppID: s.ClientID, Channels: guilds, Log: h.log.With("account", "discord"),
		After: after, SaveCursor: func(c chat.Channel, id string) { h.cursors.put(m, c, id) },
	})
	if err != nil {
		return nil, err
	}
	return []live.Account{{Name: "discord", Chat: c, Channels: mine, Local: dial.Loopback(s.APIURL)}}, nil
}

// cursors keeps where reading goes on, without making who reads wait for the disk.
type cursors struct {
	mu      sync.Mutex
	waiting map[cursorKey]string
}

type cursorKey struct {
	merchant commerce.ID
	channel  chat.Channel
}

func (c *cursors) put(m commerce.ID, ch chat.Channel, token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = map[cursorKey]string{}
	}
	c.waiting[cursorKey{m, ch}] = token
}

// run writes what waits, every two seconds and once more at the end. A crash loses two seconds: those lines are read again
// and found to be decided.
func (c *cursors) run(ctx context.Context, h *house) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for end := false; !end; {
		select {
		case <-ctx.Done():
			end = true
		case <-tick.C:
		}
		c.mu.Lock()
		waiting := c.waiting
		c.waiting = nil
		c.mu.Unlock()
		for k, token := range waiting {
			if err := h.db.SetCursor(context.WithoutCancel(ctx), k.merchant, k.channel, token); err != nil {
				h.log.Warn("reading position not stored", "channel", k.channel.String(), "err", err)
			}
		}
	}
}
