package twitch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"hawker/internal/chat"
)

// Scopes by Twitch's names (Twitch docs, "Twitch Access Token Scopes").
const (
	scopeRead  = "chat:read"
	scopeChat  = "user:read:chat"
	scopeWrite = "user:write:chat"
)

// BotScopes are what the account needs that hears and speaks: user:bot and user:read:chat let the broadcaster's
// consent count, chat:read and chat:edit are the chat server's.
func BotScopes() []string {
	return []string{scopeChat, scopeWrite, "user:bot", scopeRead, "chat:edit"}
}

// BroadcasterScopes are what the owner of a channel grants: that a bot may be there.
func BroadcasterScopes() []string { return []string{"channel:bot"} }

// Connect is the login of an account by its owner (Twitch docs, "Authorization code grant flow"). Making and checking
// the state is the caller's work.
type Connect struct {
	AuthURL                string // empty means Twitch itself
	ClientID, ClientSecret string
	// Scopes are asked for, and nothing else: BotScopes, BroadcasterScopes, or what Grants says when rules need more. Twitch
	// replaces what was granted before: what is still needed must be among them.
	Scopes []string
	// HTTP makes the calls; nil means a client with a time limit of 10 s over DialContext.
	HTTP        *http.Client
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Start is the address to send the owner's browser to. The redirect must be registered with the application, letter
// by letter. The owner is always asked, so that the bot's account is not connected by mistake for the own one.
func (c *Connect) Start(state, redirect string) string {
	base := strings.TrimRight(c.AuthURL, "/")
	if base == "" {
		base = DefaultAuthURL
	}
	return base + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {c.ClientID}, "redirect_uri": {redirect},
		"scope": {strings.Join(c.Scopes, " ")}, "state": {state}, "force_verify": {"true"},
	}.Encode()
}

// Finish turns the code that the browser brought back into the account with its token. The account's Name is its
// login.
func (c *Connect) Finish(ctx context.Context, code, redirect string) (chat.Account, error) {
	if code == "" {
		return chat.Account{}, errors.New("connect twitch: no code")
	}
	a, err := newAPI(Options{AuthURL: c.AuthURL, ClientID: c.ClientID, ClientSecret: c.ClientSecret, HTTP: c.HTTP, DialContext: c.DialContext})
	if err != nil {
		return chat.Account{}, err
	}
	t, err := a.token(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}})
	if err != nil {
		return chat.Account{}, fmt.Errorf("connect twitch: %w", err)
	}
	w, err := a.validate(ctx, t.Access)
	if err != nil {
		return chat.Account{}, fmt.Errorf("connect twitch: whose token: %w", err)
	}
	if w.ID == "" {
		return chat.Account{}, errors.New("connect twitch: the token belongs to no user")
	}
	t.Scopes = w.Scopes
	return chat.Account{Platform: chat.Twitch, ID: w.ID, Name: w.Login, Token: t}, nil
}
