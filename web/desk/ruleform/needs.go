package ruleform

import (
	"slices"

	"hawker/internal/chat"
	"hawker/rules/rule"
)

// Need is a permission that an action needs on a platform, by the platform's name for it.
type Need struct {
	Where, Permission string
	Known, Has        bool // whether it is there, as far as that is known
}

// scoped is a permission that logins carry with them.
type scoped struct {
	platform chat.Platform
	scope    string
	name     string // as its platform shows it; empty is the scope
}

// youtubeWrite is Google's name of the permission to manage a live chat.
const youtubeWrite = "https://www.googleapis.com/auth/youtube.force-ssl"

// scopesOf are the permissions of logins that an action needs, one for each platform that has it.
func scopesOf(k rule.ActionKind) []scoped {
	twitch := func(scope string) scoped { return scoped{chat.Twitch, scope, ""} }
	youtube := scoped{chat.YouTube, youtubeWrite, "manage the live chat"}
	switch k {
	case rule.Announce:
		return []scoped{twitch("moderator:manage:announcements")}
	case rule.DirectMessage:
		return []scoped{twitch("user:manage:whispers")}
	case rule.Pin:
		return []scoped{twitch("moderator:manage:chat_messages")}
	case rule.DeleteLine:
		return []scoped{twitch("moderator:manage:chat_messages"), youtube}
	case rule.TimeOut:
		return []scoped{twitch("moderator:manage:banned_users"), youtube}
	case rule.Marker:
		return []scoped{twitch("channel:manage:broadcast")}
	case rule.FulfilReward, rule.RefundReward:
		return []scoped{twitch("channel:manage:redemptions")}
	case rule.ShoutCreator:
		return []scoped{twitch("moderator:manage:shoutouts")}
	}
	return nil
}

// outside are permissions that no login carries: whoever runs the server or the store grants them there.
func outside(k rule.ActionKind) []Need {
	switch k {
	case rule.DeleteLine:
		return []Need{{Where: "Discord", Permission: "Manage Messages"}}
	case rule.TimeOut:
		return []Need{{Where: "Discord", Permission: "Moderate Members"}}
	case rule.GiveRole, rule.TakeRole:
		return []Need{{Where: "Discord", Permission: "Manage Roles, with the bot's own role above this one"}}
	case rule.DiscountCode:
		return []Need{{Where: "Shopify", Permission: "write_discounts"}}
	}
	return nil
}

// limits says in a sentence where an action does less than one might think; empty where it does not.
func limits(k rule.ActionKind) string {
	switch k {
	case rule.Announce:
		return "Where a platform has no announcements it is said as a usual line."
	case rule.DirectMessage:
		return "YouTube has no way for it: nothing is sent there. On Discord the viewer must let members of the server write to them."
	case rule.Pin:
		return "Only Twitch pins lines for programs; elsewhere it is said as a usual line."
	case rule.DiscountCode:
		return "Each person gets one code of this rule. It is handed over alone where the platform allows it, else on the viewer's receipt."
	case rule.Marker:
		return "Twitch only, while the stream is live."
	case rule.GiveRole, rule.TakeRole:
		return "Discord only. Make the role there first."
	case rule.TimeOut:
		return "Moderators and owners cannot be timed out."
	case rule.FulfilReward, rule.RefundReward:
		return "Twitch only, for rewards that were made by hawker's own app."
	case rule.ShoutCreator:
		return "Twitch takes one every two minutes."
	case rule.DestinationOn, rule.DestinationOff, rule.Slate:
		return "The show's video must run through hawker."
	case rule.Call:
		return "A signed POST, tried again for a day. Only public https addresses are called."
	case rule.Stock:
		return "Changes stock of your own, of items without variants. A store's stock is changed in the store."
	case rule.Claim:
		return "As if the viewer had typed !buy: all limits of the show hold."
	}
	return ""
}

// Granted tells which permissions there are.
type Granted struct {
	Scopes map[chat.Platform][]string // of all logins of a platform; nil where there is none
	Store  bool                       // a store is connected
	// StoreScopes are what the store granted; nil where it is not known.
	StoreScopes []string
}

// needs are what an action needs, with what is known of it.
func (g *Granted) needs(k rule.ActionKind) []Need {
	var out []Need
	for _, s := range scopesOf(k) {
		n := Need{Where: s.platform.Title(), Permission: s.name}
		if n.Permission == "" {
			n.Permission = s.scope
		}
		if scopes, there := g.Scopes[s.platform]; there && scopes != nil {
			n.Known, n.Has = true, slices.Contains(scopes, s.scope)
		}
		out = append(out, n)
	}
	for _, n := range outside(k) {
		if n.Where == "Shopify" && (!g.Store || g.StoreScopes != nil) {
			n.Known, n.Has = true, g.Store && slices.Contains(g.StoreScopes, n.Permission)
		}
		out = append(out, n)
	}
	return out
}
