package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hawker/commerce"
	"hawker/connectors/twitch"
	"hawker/connectors/twitch/channel"
	"hawker/internal/chat"
	"hawker/internal/sqldb"
)

// twitchOptions say where Twitch is, and as which application we come.
func (h *house) twitchOptions() twitch.Options {
	s := h.set.Twitch
	return twitch.Options{
		APIURL: s.APIURL, AuthURL: s.AuthURL, IRCURL: s.IRCURL, EventSubURL: s.EventSubURL, ClientID: s.ClientID, ClientSecret: s.ClientSecret, Log: h.log,
	}
}

// twitchChannel is a merchant's Twitch channel as its owner sees it: stream key, whether it is live, title. It is made for one use
// and may run on any node, beside the one that hears the chat. The error is sqldb's not found when the owner is not connected.
func (h *house) twitchChannel(ctx context.Context, m commerce.ID, channelID string) (*channel.Client, error) {
	accounts, err := h.db.Accounts(ctx, m)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(accounts, func(a sqldb.Account) bool {
		return a.Platform == chat.Twitch && a.ID == channelID && a.Purpose == sqldb.OwnerAccount && (a.Token.Access != "" || a.Token.Refresh != "")
	})
	if i < 0 {
		return nil, fmt.Errorf("owner of %s: %w", chat.Channel{Platform: chat.Twitch, ID: channelID}, sqldb.ErrNotFound)
	}
	a := accounts[i]
	return channel.New(h.twitchOptions(), twitch.Owner{Account: a.Account, Save: h.save(m, a), Load: h.load(m, a)}, h.set.Twitch.IngestURL)
}

// load is an account's token as it is stored now: another client of the account, here or on another node, may have renewed it.
func (h *house) load(m commerce.ID, a sqldb.Account) func(context.Context) (chat.Token, error) {
	return func(ctx context.Context) (chat.Token, error) {
		accounts, err := h.db.Accounts(ctx, m)
		if err != nil {
			return chat.Token{}, err
		}
		for _, x := range accounts {
			if x.Platform == a.Platform && x.ID == a.ID && x.Purpose == a.Purpose {
				return x.Token, nil
			}
		}
		return chat.Token{}, fmt.Errorf("account %s/%s: %w", a.Platform, a.ID, sqldb.ErrNotFound)
	}
}

// twitchUses are the scopes that pages ask for beside those of rules, by the words in the form's field "extra": see channel.Scope.
func twitchUses(extra string) []twitch.Scope {
	var out []twitch.Scope
	for _, use := range strings.Fields(extra) {
		if s, ok := channel.Scope(use); ok {
			out = append(out, s)
		}
	}
	return out
}
