// Package badge keeps the application's own token, by which lines carry the chat bot's badge (Twitch API Reference, "Send Chat
// Message": user:bot of the bot's account, and channel:bot of the broadcaster or the bot being a moderator). It remembers where
// Twitch will not have it.
package badge

import (
	"context"
	"errors"
	"sync"
	"time"

	"hawker/internal/chat"
)

const (
	// again is after how long what was refused is put to the test again.
	again = time.Hour
	// ahead is how long before its end a token is replaced; it cannot be renewed, and lives for about 60 days.
	ahead = 10 * time.Minute
	// askIn bounds a question for a token.
	askIn = 5 * time.Second
)

// Keeper holds the token. The zero value has none.
type Keeper struct {
	// App asks for a token; nil means that there is none to be had.
	App func(context.Context) (chat.Token, error)

	turn chan struct{} // see Token
	once sync.Once

	mu      sync.Mutex
	token   chat.Token
	failed  time.Time            // when none could be had
	renewed time.Time            // when one was found to be no good
	barred  map[string]time.Time // channels in which Twitch would not have it, and since when
}

// Token is the application's token for a line in a channel; empty when there is none, or none to be used there.
func (k *Keeper) Token(ctx context.Context, channel string) string {
	if k.App == nil {
		return ""
	}
	k.once.Do(func() { k.turn = make(chan struct{}, 1) })
	select { // one question at a time
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return ""
	}
	k.mu.Lock()
	token, not := k.token, time.Since(k.failed) < again || time.Since(k.barred[channel]) < again
	k.mu.Unlock()
	switch {
	case not:
		return ""
	case token.Access != "" && (token.Expires.IsZero() || time.Until(token.Expires) > ahead):
		return token.Access
	}
	ctx, cancel := context.WithTimeout(ctx, askIn)
	defer cancel()
	token, err := k.App(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		if !errors.Is(ctx.Err(), context.Canceled) { // else the caller left
			k.failed = time.Now()
		}
		return ""
	}
	k.token = token
	return token.Access
}

// No notes that Twitch refused a line by the token. One that is no good is asked for anew, once in a while; what is not allowed in
// a channel is not tried there again so soon.
func (k *Keeper) No(channel string, unauthorized bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if unauthorized && time.Since(k.renewed) > again {
		k.token, k.renewed = chat.Token{}, time.Now()
		return
	}
	if k.barred == nil {
		k.barred = map[string]time.Time{}
	}
	k.barred[channel] = time.Now()
}
