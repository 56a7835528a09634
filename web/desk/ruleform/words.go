package ruleform

import (
	"cmp"
	"slices"

	"hawker/internal/chat"
	"hawker/rules/rule"
	"hawker/rules/sentence"
)

// Group is a kind of event, for the list and for the form. All events that one thing can be are in one group, so that the order
// within a group is the order in which rules look.
type Group struct {
	ID, Title string
	Events    []rule.Event
}

// Groups are all groups, in the order of the list.
func Groups() []Group {
	return []Group{
		{"chat", "When somebody writes in a chat", []rule.Event{rule.Command, rule.Contains, rule.Matches, rule.FirstLine, rule.Cheered, rule.SuperChat}},
		{"people", "When viewers subscribe, follow, raid or join", []rule.Event{
			rule.Subscribed, rule.Resubscribed, rule.Gifted, rule.Membership, rule.Followed, rule.Raided, rule.Redeemed, rule.Entered,
		}},
		{"orders", "When something is held or paid", []rule.Event{
			rule.HoldMade, rule.ReminderDue, rule.HoldExpired, rule.Promoted, rule.OrderPaid, rule.OrderCancelled, rule.OrderRefunded,
		}},
		{"items", "When items and stock change", []rule.Event{rule.ItemOnAir, rule.StockAt, rule.SoldOut}},
		{"show", "When the show or the clock says so", []rule.Event{rule.ShowStarted, rule.ShowEnded, rule.Every, rule.At, rule.AfterLines}},
		{"stream", "When something happens to the stream, or outside", []rule.Event{
			rule.StreamUp, rule.StreamDown, rule.AdBreak, rule.AdBreakOver, rule.PollEnded, rule.DestinationDown, rule.DestinationUp, rule.Webhook,
		}},
	}
}

// GroupOf is the group of an event, by its place; the last one takes what is not known.
func GroupOf(e rule.Event) int {
	all := Groups()
	for i := range all {
		if slices.Contains(all[i].Events, e) {
			return i
		}
	}
	return len(all) - 1
}

// EventWords are an event in the form: as a rule's sentence says it, where that does not depend on what the rule asks for.
func EventWords(e rule.Event) string {
	switch e {
	case rule.Command:
		return "somebody types a command, such as !raffle"
	case rule.Contains:
		return "a line contains words"
	case rule.Matches:
		return "a line matches a pattern"
	case rule.FirstLine:
		return "a viewer writes for the first time in the show"
	case rule.Redeemed:
		return "somebody redeems channel points (Twitch)"
	case rule.Entered:
		return "somebody joins the server (Discord)"
	case rule.StockAt:
		return "an item's stock goes down to a number"
	case rule.Every:
		return "some time has gone by, again and again"
	case rule.At:
		return "it is a time of day"
	case rule.AfterLines:
		return "so many lines were written"
	case rule.PollEnded:
		return "a poll ends"
	case rule.DestinationDown:
		return "a destination of the video goes down"
	case rule.DestinationUp:
		return "a destination of the video comes back"
	case rule.Webhook:
		return "a webhook is called from outside"
	case rule.Cheered, rule.Subscribed, rule.Resubscribed, rule.Followed, rule.Raided:
		return sentence.Event(e) + " (Twitch)"
	case rule.SuperChat, rule.Membership:
		return sentence.Event(e) + " (YouTube)"
	}
	return cmp.Or(sentence.Event(e), string(e))
}

// actionGroups are the kinds of actions as the form offers them.
func actionGroups() []struct {
	Title string
	Kinds []rule.ActionKind
} {
	return []struct {
		Title string
		Kinds []rule.ActionKind
	}{
		{"Say and show", []rule.ActionKind{rule.Reply, rule.Say, rule.Announce, rule.DirectMessage, rule.Pin, rule.ShoutOut, rule.Card}},
		{"Sell", []rule.ActionKind{rule.Claim, rule.Pass, rule.Promote, rule.Air, rule.NextItem, rule.Hot, rule.Price, rule.Stock, rule.DiscountCode}},
		{"Look after the chat", []rule.ActionKind{rule.Question, rule.DeleteLine, rule.TimeOut, rule.GiveRole, rule.TakeRole, rule.ShoutCreator, rule.FulfilReward, rule.RefundReward}},
		{"Stream and outside", []rule.ActionKind{rule.Marker, rule.DestinationOn, rule.DestinationOff, rule.Slate, rule.Call}},
		{"Rules", []rule.ActionKind{rule.Set, rule.Stop}},
	}
}

// kindWords are a kind of action in the form.
func kindWords(k rule.ActionKind) string {
	switch k {
	case rule.Reply:
		return "reply to the viewer in the chat"
	case rule.Say:
		return "say something in the chats"
	case rule.Announce:
		return "announce something, made to stand out"
	case rule.DirectMessage:
		return "write to the viewer alone"
	case rule.Pin:
		return "pin a line in the chats"
	case rule.ShoutOut:
		return "shout out: in the chats and on the overlay"
	case rule.Card:
		return "show a card on the overlay"
	case rule.Claim:
		return "claim an item for the viewer"
	case rule.Pass:
		return "give back what the viewer holds"
	case rule.Promote:
		return "hold an item for the viewer, if in line for it"
	case rule.Air:
		return "put an item on air"
	case rule.NextItem:
		return "put the next item on air"
	case rule.Hot:
		return "mark the show as hot"
	case rule.Price:
		return "change an item's price"
	case rule.Stock:
		return "change an item's stock"
	case rule.DiscountCode:
		return "make the viewer a discount code"
	case rule.Question:
		return "put a question on the desk"
	case rule.Marker:
		return "put a marker into the stream"
	}
	return kindWordsElse(k)
}

func kindWordsElse(k rule.ActionKind) string {
	switch k {
	case rule.DestinationOn:
		return "start a destination of the video"
	case rule.DestinationOff:
		return "stop a destination of the video"
	case rule.Slate:
		return "show the slate, or take it away"
	case rule.GiveRole:
		return "give the viewer a Discord role"
	case rule.TakeRole:
		return "take a Discord role from the viewer"
	case rule.Call:
		return "call a webhook"
	case rule.Set:
		return "set a counter or a variable"
	case rule.DeleteLine:
		return "delete the line"
	case rule.TimeOut:
		return "time the viewer out"
	case rule.FulfilReward:
		return "mark the reward as fulfilled"
	case rule.RefundReward:
		return "give the channel points back"
	case rule.ShoutCreator:
		return "have Twitch point at the creator who raided"
	case rule.Stop:
		return "look at no further rules"
	}
	return string(k)
}

// Platforms are those that rules know.
func Platforms() []chat.Platform {
	return []chat.Platform{chat.Twitch, chat.YouTube, chat.Discord, chat.Room}
}

// roleWords are a role in the form.
func roleWords(r rule.Role) string {
	switch r {
	case rule.Viewer:
		return "any viewer"
	case rule.Follower:
		return "follower"
	case rule.Subscriber:
		return "subscriber or member"
	case rule.VIP:
		return "VIP"
	case rule.Moderator:
		return "moderator"
	case rule.Owner:
		return "owner"
	}
	return string(r)
}
