package twitch

import "context"

// Scopes by which lines carry the bot's badge.
const (
	scopeBot  = "user:bot"
	scopeLets = "channel:bot"
)

// badged is the application's token when a line in the channel may be said by it; else empty.
func (c *Client) badged(ctx context.Context, id string) string {
	if id == c.o.Bot.ID || !c.tokens.has(scopeBot) { // a broadcaster has another badge
		return ""
	}
	owner := c.ownerOf(id)
	c.mu.Lock()
	r := c.rooms[id]
	lets := r != nil && r.mod
	c.mu.Unlock()
	if !lets && (owner == nil || !owner.has(scopeLets)) {
		return ""
	}
	return c.badge.Token(ctx, id)
}
