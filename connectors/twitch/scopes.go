package twitch

import (
	"slices"
	"strings"

	"hawker/internal/chat"
)

// Scope is one permission of Twitch (Twitch docs, "Twitch Access Token Scopes") and what it is for.
type Scope struct {
	Name string
	// Owner tells that the channel's owner grants it. Else the bot's account does, which also must be moderator of the
	// channel but for whispers; the owner's login is used where the bot lacks it.
	Owner bool
	// Optional scopes bring more of the same; without them nothing is missing.
	Optional bool
	// Reason is a sentence for the page on which it is asked for.
	Reason string
}

// ScopesFor names the scopes that these kinds of events and deeds need, each once, in the order of first need; what needs none
// brings none. BotScopes and BroadcasterScopes are needed always, and not among them.
func ScopesFor(kinds []chat.Kind, deeds []chat.DeedKind) []Scope {
	var out []Scope
	add := func(all ...Scope) {
		for _, s := range all {
			if i := slices.IndexFunc(out, func(o Scope) bool { return o.Name == s.Name }); i < 0 {
				out = append(out, s)
			} else {
				out[i].Optional = out[i].Optional && s.Optional
			}
		}
	}
	for _, k := range kinds {
		add(kindScopes(k)...)
	}
	for _, d := range deeds {
		if s, ok := deedScope(d); ok {
			add(s)
		}
	}
	return out
}

// kindScopes are what an event needs. Twitch's chat server tells subscriptions, gifts, raids and cheers to everybody, and
// EventSub whether the stream is live.
func kindScopes(k chat.Kind) []Scope {
	switch k {
	case chat.Followed:
		return []Scope{{Name: "moderator:read:followers", Owner: true, Reason: "To notice new followers."}}
	case chat.Redeemed:
		return []Scope{
			{Name: "channel:read:redemptions", Owner: true, Reason: "To notice what viewers buy with channel points."},
			{Name: "bits:read", Owner: true, Optional: true, Reason: "To notice custom Power-ups, which viewers buy with Bits."},
		}
	case chat.AdBreak, chat.AdBreakOver:
		return []Scope{{Name: "channel:read:ads", Owner: true, Reason: "To wait while adverts run."}}
	case chat.Polled:
		return []Scope{{Name: "channel:read:polls", Owner: true, Reason: "To know how polls end."}}
	}
	return nil
}

// deedScope is what a deed needs; false for what Twitch does not have.
func deedScope(d chat.DeedKind) (Scope, bool) {
	switch d {
	case chat.DeleteLine:
		return Scope{Name: "moderator:manage:chat_messages", Reason: "To take lines out of the chat."}, true
	case chat.PinCard:
		return Scope{Name: "moderator:manage:chat_messages", Reason: "To pin the item on air."}, true
	case chat.TimeOut:
		return Scope{Name: "moderator:manage:banned_users", Reason: "To time viewers out."}, true
	case chat.Announce:
		return Scope{Name: "moderator:manage:announcements", Reason: "To announce so that it stands out."}, true
	case chat.ShoutOutCreator:
		return Scope{Name: "moderator:manage:shoutouts", Reason: "To give a shout-out to another creator."}, true
	case chat.DirectMessage:
		return Scope{Name: "user:manage:whispers", Reason: "To whisper to one viewer; the bot's account needs a verified phone number."}, true
	case chat.Mark:
		return Scope{Name: "channel:manage:broadcast", Owner: true, Reason: "To set markers in the recording of the stream."}, true
	case chat.FulfilReward, chat.RefundReward:
		return Scope{
			Name: "channel:manage:redemptions", Owner: true, Reason: "To tick off or give back what viewers bought with channel points.",
		}, true
	}
	return Scope{}, false
}

// granted reports whether the scopes allow what the wanted one does: managing redemptions or polls includes reading them.
func granted(scopes []string, want string) bool {
	switch want {
	case "channel:read:redemptions":
		return slices.Contains(scopes, want) || slices.Contains(scopes, "channel:manage:redemptions")
	case "channel:read:polls":
		return slices.Contains(scopes, want) || slices.Contains(scopes, "channel:manage:polls")
	}
	return slices.Contains(scopes, want)
}

// Grants is what an account is asked for on connecting: always what it needs anyway, and of more what that account grants.
// both tells that the account is owner and bot in one.
func Grants(owner, both bool, more []Scope) []string {
	var out []string
	if owner {
		out = append(out, BroadcasterScopes()...)
	}
	if !owner || both {
		out = append(out, BotScopes()...)
	}
	for _, s := range more {
		if (both || s.Owner == owner) && !slices.Contains(out, s.Name) {
			out = append(out, s.Name)
		}
	}
	return out
}

// lacks are the scopes needed now that nobody granted for the channel.
func (c *Client) lacks(channelID string) []string {
	c.mu.Lock()
	need, mod := c.need, false
	if r := c.rooms[channelID]; r != nil {
		mod = r.mod
	}
	c.mu.Unlock()
	owner := c.ownerOf(channelID)
	var out []string
	for _, s := range need {
		switch {
		case s.Optional, owner != nil && (owner.has(s.Name) || !owner.known()):
		case !s.Owner && (c.tokens.has(s.Name) || !c.tokens.known()):
		case mod && strings.HasPrefix(s.Name, "moderator:") && c.tokens.has(s.Name):
		default:
			out = append(out, s.Name)
		}
	}
	return out
}

// ownerOf is the login of the channel's owner, or nil.
func (c *Client) ownerOf(channelID string) *tokens {
	if t := c.owners[channelID]; t != nil {
		return t
	}
	if channelID == c.o.Bot.ID {
		return c.tokens
	}
	return nil
}
