package twitch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/nicklaw5/helix/v2"

	"hawker/internal/chat"
)

// Find looks up whose the token of o.Bot is, when o.Bot.ID is empty, and the ids of channels by their logins, at most 100. It
// renews the token when it must, by o.Save, and gives the account with the token of now. Its error is a *chat.Refused with
// Reconnect when only the account's owner can help.
func Find(ctx context.Context, o Options, logins []string) (bot chat.Account, ids map[string]string, err error) {
	bot, ids = o.Bot, map[string]string{}
	a, err := newAPI(o)
	if err != nil {
		return bot, ids, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := newTokens(a, Owner{o.Bot, o.Save, o.Load}, "the bot account", o.Log, func() {})
	if bot.ID == "" {
		if err := t.validate(ctx); err != nil {
			return bot, ids, err
		}
		t.mu.Lock()
		bot = t.account
		bot.Name, bot.Token = t.login, t.token
		t.mu.Unlock()
	}
	if len(logins) == 0 {
		return bot, ids, nil
	}
	var users []helix.User
	_, err = t.calls(ctx, func(h *helix.Client) error {
		res, err := h.GetUsers(&helix.UsersParams{Logins: logins[:min(len(logins), 100)]})
		if err == nil {
			users = res.Data.Users
		}
		return err
	})
	for _, u := range users {
		ids[strings.ToLower(u.Login)] = u.ID
	}
	t.mu.Lock()
	bot.Token = t.token
	t.mu.Unlock()
	if err != nil {
		return bot, ids, err
	}
	for _, l := range logins {
		if ids[strings.ToLower(l)] == "" {
			return bot, ids, fmt.Errorf("twitch has no channel called %s", l)
		}
	}
	return bot, ids, nil
}

// Login is how the room of a channel is called, as far as it is known.
func (c *Client) Login(id string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rooms[id]; r != nil {
		return r.login
	}
	return ""
}

// unknown is the key of a room whose channel's id the chat server will tell.
func unknown(login string) string { return "#" + login }

func isUnknown(id string) bool { return strings.HasPrefix(id, "#") }

var errNoRoom = errors.New("twitch: a channel needs its id, or over IRC its login")

// checkRef says whether a channel can be heard: by its id, or over the chat server by its login alone.
func (r Road) checkRef(ch ChannelRef) error {
	if ch.ID == "" && (r == EventSub || !validLogin(strings.ToLower(ch.Login))) {
		return errNoRoom
	}
	return nil
}

// adopt gives a room that was joined by its name alone the channel's id; the caller holds mu.
func (s *session) adopt(r *room, id string) {
	c := s.c
	if c.rooms[id] != nil { // it is heard under its id already
		delete(c.rooms, r.id)
		return
	}
	delete(c.rooms, r.id)
	delete(s.sent, r.id)
	r.id, r.state.Channel = id, channel(id)
	r.mod = id == c.o.Bot.ID
	c.rooms[id], s.sent[id] = r, r.login
	c.look()
}
