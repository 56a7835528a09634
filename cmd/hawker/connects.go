package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hawker/commerce"
	"hawker/connectors/discord"
	"hawker/connectors/shopify"
	"hawker/connectors/twitch"
	"hawker/connectors/twitch/auth"
	"hawker/connectors/youtube"
	"hawker/internal/chat"
	"hawker/internal/live/ruling"
	"hawker/internal/sqldb"
	"hawker/rules/rule"
	"hawker/web"
)

// connects are the logins by which owners connect accounts, servers and stores.
func (h *house) connects() map[string]web.Connect {
	return map[string]web.Connect{
		"twitch-bot":     h.twitchConnect(sqldb.BotAccount),
		"twitch-channel": h.twitchConnect(sqldb.OwnerAccount),
		"youtube":        h.youtubeConnect(),
		"discord":        h.discordConnect(),
		"shopify":        h.shopifyConnect(),
	}
}

// needs says what the operator must set before a login can be used; empty when all is there.
func needs(where string, settings ...string) string {
	var missing []string
	for i := 0; i+1 < len(settings); i += 2 {
		if settings[i+1] == "" {
			missing = append(missing, settings[i])
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("Set %s, from your app at %s, and start hawker again.", strings.Join(missing, " and "), where)
}

func (h *house) twitchConnect(purpose string) web.Connect {
	s := h.set.Twitch
	c := &auth.Server{URL: s.AuthURL, ID: s.ClientID, Secret: s.ClientSecret}
	return web.Connect{
		Needs: needs("dev.twitch.tv/console", "HAWKER_TWITCH_CLIENT_ID", s.ClientID, "HAWKER_TWITCH_CLIENT_SECRET", s.ClientSecret),
		Start: func(ctx context.Context, m commerce.ID, state, redirect, extra string) (string, string, error) {
			scopes, err := h.twitchScopes(ctx, m, purpose, extra)
			return c.Address(state, redirect, scopes), "", err
		},
		Finish: func(ctx context.Context, m commerce.ID, back web.Back) (string, error) {
			a, err := c.Finish(ctx, back.Query.Get("code"), back.Redirect)
			if err != nil {
				return "", err
			}
			return a.Name, h.keepTwitch(ctx, m, a, purpose)
		},
		Code: h.twitchByCode(c, purpose),
	}
}

// rulesOf are the rules of a merchant that are in force.
func (h *house) rulesOf(ctx context.Context, m commerce.ID) ([]rule.Rule, error) {
	v, err := h.db.Rulebook().Rules(ctx, m)
	return v.Rules, err
}

// twitchScopes are the scopes to ask an account for: what it needs anyway, what the merchant's rules need now, what the page wants
// (see twitchUses), and what was granted before, because Twitch forgets what a later login does not ask for.
func (h *house) twitchScopes(ctx context.Context, m commerce.ID, purpose, extra string) ([]string, error) {
	all, err := h.rulesOf(ctx, m)
	if err != nil {
		return nil, err
	}
	accounts, err := h.db.Accounts(ctx, m)
	if err != nil {
		return nil, err
	}
	kinds, deeds := ruling.Needs(all)
	if slices.ContainsFunc(all, func(r rule.Rule) bool {
		return !r.Off && slices.ContainsFunc(r.Then, func(a rule.Action) bool { return a.Do == rule.ShoutOut })
	}) {
		deeds = append(deeds, chat.Announce) // so that shout-outs stand out; without it they are lines like others, and nothing is missing
	}
	scopes := twitch.Grants(purpose == sqldb.OwnerAccount, false, append(twitch.ScopesFor(kinds, deeds), twitchUses(extra)...))
	for _, a := range accounts {
		if a.Platform != chat.Twitch || a.Purpose != purpose {
			continue
		}
		for _, s := range a.Token.Scopes {
			if !slices.Contains(scopes, s) {
				scopes = append(scopes, s)
			}
		}
	}
	return scopes, nil
}

// keepTwitch stores an account of Twitch. A channel is heard by the merchant's bot, whichever of the two was connected first.
func (h *house) keepTwitch(ctx context.Context, m commerce.ID, a chat.Account, purpose string) error {
	if err := h.db.PutAccount(ctx, m, a, purpose); err != nil {
		return err
	}
	accounts, err := h.db.Accounts(ctx, m)
	if err != nil {
		return err
	}
	bot := ""
	for _, x := range accounts {
		if x.Platform == chat.Twitch && x.Purpose == sqldb.BotAccount && (bot == "" || x.ID == a.ID) {
			bot = x.ID
		}
	}
	channels, err := h.db.Channels(ctx, m)
	if err != nil {
		return err
	}
	channels = slices.DeleteFunc(channels, func(c sqldb.Channel) bool { return c.Platform != chat.Twitch })
	if purpose == sqldb.OwnerAccount {
		channels = slices.DeleteFunc(channels, func(c sqldb.Channel) bool { return c.ID == a.ID })
		channels = append(channels, sqldb.Channel{Channel: chat.Channel{Platform: chat.Twitch, ID: a.ID}, Name: a.Name, Owner: a.ID})
	}
	for _, c := range channels {
		c.Bot = bot
		if err := h.db.PutChannel(ctx, m, c); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) youtubeOptions() youtube.Options {
	s := h.set.YouTube
	return youtube.Options{
		APIURL: s.APIURL, AuthURL: s.AuthURL, TokenURL: s.TokenURL, RevokeURL: s.RevokeURL, ClientID: s.ClientID, ClientSecret: s.ClientSecret, Units: h.units, Log: h.log,
	}
}

func (h *house) youtubeConnect() web.Connect {
	s := h.set.YouTube
	c := youtube.NewConnect(h.youtubeOptions())
	return web.Connect{
		Needs: needs("console.cloud.google.com", "HAWKER_GOOGLE_CLIENT_ID", s.ClientID, "HAWKER_GOOGLE_CLIENT_SECRET", s.ClientSecret),
		Start: func(_ context.Context, _ commerce.ID, state, redirect, _ string) (string, string, error) {
			address, verifier := c.Start(state, redirect)
			return address, verifier, nil
		},
		Finish: func(ctx context.Context, m commerce.ID, back web.Back) (string, error) {
			a, err := c.Finish(ctx, back.Query.Get("code"), back.Verifier, back.Redirect)
			if err != nil {
				return "", err
			}
			if err := h.db.PutAccount(ctx, m, a, sqldb.OwnerAccount); err != nil {
				return "", err
			}
			return a.Name, h.db.PutChannel(ctx, m, sqldb.Channel{Channel: chat.Channel{Platform: chat.YouTube, ID: a.ID}, Name: a.Name, Owner: a.ID})
		},
	}
}

// discordConnect invites the operator's bot into a server. The server is kept like an account, without any token: the bot's
// own is the operator's.
func (h *house) discordConnect() web.Connect {
	s := h.set.Discord
	c := &discord.Connect{APIURL: s.APIURL, AuthURL: s.AuthURL, ClientID: s.ClientID, ClientSecret: s.ClientSecret}
	return web.Connect{
		Needs: needs("discord.com/developers", "HAWKER_DISCORD_CLIENT_ID", s.ClientID, "HAWKER_DISCORD_CLIENT_SECRET", s.ClientSecret, "HAWKER_DISCORD_BOT_TOKEN", s.BotToken),
		Start: func(ctx context.Context, m commerce.ID, state, redirect, _ string) (string, string, error) {
			all, err := h.rulesOf(ctx, m)
			asking := *c
			_, deeds := ruling.Needs(all)
			for _, d := range deeds {
				if permission, _ := discord.NeedFor(d); permission != "" && !slices.Contains(asking.Also, permission) {
					asking.Also = append(asking.Also, permission)
				}
			}
			return asking.Start(state, redirect), "", err
		},
		Finish: func(ctx context.Context, m commerce.ID, back web.Back) (string, error) {
			g, err := c.Finish(ctx, back.Query.Get("code"), back.Redirect)
			if err != nil {
				return "", err
			}
			return g.Name, h.db.PutAccount(ctx, m, chat.Account{Platform: chat.Discord, ID: g.ID, Name: g.Name}, sqldb.OwnerAccount)
		},
	}
}

// rooms are the Discord channels that the bot can see in the merchant's servers.
func (h *house) rooms(ctx context.Context, m commerce.ID) ([]sqldb.Channel, error) {
	accounts, err := h.db.Accounts(ctx, m)
	if err != nil {
		return nil, err
	}
	s := h.set.Discord
	var out []sqldb.Channel
	for _, a := range accounts {
		if a.Platform != chat.Discord || s.BotToken == "" {
			continue
		}
		c, err := discord.New(discord.Options{APIURL: s.APIURL, BotToken: s.BotToken, AppID: s.ClientID, Log: h.log})
		if err != nil {
			return nil, err
		}
		channels, err := c.TextChannels(ctx, a.ID)
		if err != nil {
			return nil, fmt.Errorf("channels of %s: %w", a.Name, err)
		}
		for _, x := range channels {
			name := a.Name + " #" + x.Name
			if len(x.Missing) > 0 {
				name += " (the bot lacks: " + strings.Join(x.Missing, ", ") + ")"
			}
			out = append(out, sqldb.Channel{Channel: chat.Channel{Platform: chat.Discord, ID: x.ID}, Name: name, Guild: a.ID})
		}
	}
	return out, nil
}

func (h *house) shopifyConnect() web.Connect {
	s := h.set.Shopify
	c := &shopify.Connect{URL: s.URL, ClientID: s.ClientID, ClientSecret: s.ClientSecret}
	return web.Connect{
		Needs: needs("dev.shopify.com/dashboard", "HAWKER_SHOPIFY_CLIENT_ID", s.ClientID, "HAWKER_SHOPIFY_CLIENT_SECRET", s.ClientSecret),
		Start: func(ctx context.Context, m commerce.ID, state, redirect, shop string) (string, string, error) {
			all, err := h.rulesOf(ctx, m)
			if err != nil {
				return "", "", err
			}
			asking := *c
			if slices.ContainsFunc(all, func(r rule.Rule) bool {
				return !r.Off && slices.ContainsFunc(r.Then, func(a rule.Action) bool { return a.Do == rule.DiscountCode })
			}) {
				asking.Also = []string{shopify.ScopeDiscounts}
			}
			shop = strings.ToLower(strings.TrimSpace(shop))
			if !strings.Contains(shop, ".") {
				shop += ".myshopify.com"
			}
			address, err := asking.Start(shop, state, redirect)
			return address, "", err
		},
		Finish: func(ctx context.Context, m commerce.ID, back web.Back) (string, error) {
			shop, t, err := c.Finish(ctx, back.Query, back.State)
			if err != nil {
				return "", err
			}
			st, err := h.db.Store(ctx, m)
			if err != nil && !sqldb.IsNotFound(err) {
				return "", err
			}
			if st.Holds == "" {
				st.Holds = commerce.HoldsDraft
			}
			st.Kind, st.Shop = "shopify", shop
			st.StoreSecret = sqldb.StoreSecret{Token: t.Access, Refresh: t.Refresh, Expires: t.Expires, Granted: strings.Join(t.Scopes, ",")}
			if err := h.db.PutStore(ctx, m, st); err != nil {
				return "", err
			}
			_, err = h.catalogue(ctx, m)
			return shop, err
		},
	}
}
