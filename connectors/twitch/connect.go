package twitch

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
