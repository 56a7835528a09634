package main

import (
	"hawker/connectors/discord"
	"hawker/connectors/twitch"
	"hawker/internal/chat"
)

// permission says in a sentence what a permission of a platform is for, empty where that is not known.
func permission(p chat.Platform, name string) string {
	switch p {
	case chat.Twitch:
		return twitchPermission(name)
	case chat.Discord:
		return discordPermission(name)
	case chat.YouTube:
		if name == "youtube.force-ssl" || name == "https://www.googleapis.com/auth/youtube.force-ssl" {
			return "To read the live chat and to answer in it."
		}
	}
	return ""
}

// events and deeds are all that may need a permission of its own.
func events() []chat.Kind {
	return []chat.Kind{chat.Followed, chat.Subscribed, chat.Resubscribed, chat.Gifted, chat.Raided, chat.Redeemed, chat.Entered, chat.StreamUp, chat.StreamDown, chat.AdBreak, chat.Polled}
}

func deeds() []chat.DeedKind {
	return []chat.DeedKind{
		chat.DeleteLine, chat.TimeOut, chat.Announce, chat.DirectMessage, chat.Mark, chat.GiveRole, chat.TakeRole, chat.FulfilReward, chat.RefundReward, chat.PinCard,
		chat.ShoutOutCreator,
	}
}

func twitchPermission(name string) string {
	for _, s := range twitch.ScopesFor(events(), deeds()) {
		if s.Name == name {
			return s.Reason
		}
	}
	return map[string]string{
		"user:read:chat": "To hear the chat.", "chat:read": "To hear the chat over a second road, so that no line is lost.", "user:write:chat": "To answer in the chat.",
		"chat:edit": "To answer over a second road when the first is down.", "user:bot": "To be in chats as a bot.", "channel:bot": "Lets the bot be in your channel.",
	}[name]
}

func discordPermission(name string) string {
	if why, ok := map[string]string{
		"View Channel": "To see the channel at all.", "Send Messages": "To answer.", "Read Message History": "To reply to a line, and to fetch what was missed.",
		"Send Messages in Threads": "To answer in threads.", "Embed Links": "To put shout-outs into a frame.",
	}[name]; ok {
		return why
	}
	for _, d := range deeds() {
		if need, why := discord.NeedFor(d); need == name {
			return why
		}
	}
	return ""
}
