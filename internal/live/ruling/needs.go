package ruling

import (
	"slices"

	"hawker/internal/chat"
	"hawker/rules/rule"
)

// Needs are what rules wait for and do in chats, so that a chat asks its platform for that and no more. Rules that are off need
// nothing.
func Needs(all []rule.Rule) (kinds []chat.Kind, deeds []chat.DeedKind) {
	for i := range all {
		if all[i].Off {
			continue
		}
		if k := kindOf(all[i].When.Event); k != 0 {
			kinds = append(kinds, k)
		}
		for _, a := range all[i].Then {
			if d := deedOf(a.Do); d != "" {
				deeds = append(deeds, d)
			}
		}
	}
	slices.Sort(kinds)
	slices.Sort(deeds)
	return slices.Compact(kinds), slices.Compact(deeds)
}

// kindOf is what a chat tells of an event, 0 for what no chat tells beside lines.
func kindOf(e rule.Event) chat.Kind {
	switch e {
	case rule.Followed:
		return chat.Followed
	case rule.Subscribed:
		return chat.Subscribed
	case rule.Resubscribed, rule.Membership:
		return chat.Resubscribed
	case rule.Gifted:
		return chat.Gifted
	case rule.Raided:
		return chat.Raided
	case rule.Redeemed:
		return chat.Redeemed
	case rule.Entered:
		return chat.Entered
	case rule.StreamUp:
		return chat.StreamUp
	case rule.StreamDown:
		return chat.StreamDown
	case rule.AdBreak:
		return chat.AdBreak
	case rule.AdBreakOver:
		return chat.AdBreakOver
	case rule.PollEnded:
		return chat.Polled
	}
	return 0
}

// deedOf is what an action does in a chat beside saying a line, empty for none.
func deedOf(k rule.ActionKind) chat.DeedKind {
	switch k {
	case rule.Announce:
		return chat.Announce
	case rule.DirectMessage:
		return chat.DirectMessage
	case rule.Pin:
		return chat.PinCard
	case rule.Marker:
		return chat.Mark
	case rule.GiveRole:
		return chat.GiveRole
	case rule.TakeRole:
		return chat.TakeRole
	case rule.DeleteLine:
		return chat.DeleteLine
	case rule.TimeOut:
		return chat.TimeOut
	case rule.FulfilReward:
		return chat.FulfilReward
	case rule.RefundReward:
		return chat.RefundReward
	case rule.ShoutCreator:
		return chat.ShoutOutCreator
	}
	return ""
}
