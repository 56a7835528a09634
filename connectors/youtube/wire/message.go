package wire

import (
	"math"
	"time"

	yt "google.golang.org/api/youtube/v3"

	"hawker/internal/chat"
)

// Events translates an item of the chat, in the order in which to hear them. None means that it tells nothing we have a word
// for (jewels, a poll that is still open, a type that was invented later). A member's milestone with a comment tells two
// things: the milestone, and a line that may hold a command.
func Events(ch chat.Channel, item *yt.LiveChatMessage, received time.Time) []chat.Event {
	var out []chat.Event
	if e, ok := happening(ch, item); ok {
		out = append(out, e)
	}
	if e, ok := event(ch, item, received); ok {
		out = append(out, e)
	}
	return out
}

// event is what an item tells of lines.
func event(ch chat.Channel, item *yt.LiveChatMessage, received time.Time) (chat.Event, bool) {
	sn := item.Snippet
	if sn == nil || item.Id == "" {
		return chat.Event{}, false
	}
	sent, err := time.Parse(time.RFC3339, sn.PublishedAt)
	if err != nil {
		sent = received
	}
	e := chat.Event{Channel: ch, At: received}
	switch sn.Type {
	case "tombstone":
		// A line that was taken away before we read it, or again in the history after we did.
		e.Kind, e.ID, e.ByMod = chat.Deleted, item.Id, true
		return e, true
	case "messageDeletedEvent":
		if sn.MessageDeletedDetails == nil || sn.MessageDeletedDetails.DeletedMessageId == "" {
			return e, false
		}
		e.Kind, e.ID, e.ByMod = chat.Deleted, sn.MessageDeletedDetails.DeletedMessageId, true
		return e, true
	case "messageRetractedEvent":
		if sn.MessageRetractedDetails == nil || sn.MessageRetractedDetails.RetractedMessageId == "" {
			return e, false
		}
		e.Kind, e.ID, e.Viewer = chat.Deleted, sn.MessageRetractedDetails.RetractedMessageId, author(item)
		return e, true
	case "userBannedEvent":
		if sn.UserBannedDetails == nil || sn.UserBannedDetails.BannedUserDetails == nil {
			return e, false
		}
		who := sn.UserBannedDetails.BannedUserDetails
		if who.ChannelId == "" { // an empty Viewer would clear everybody
			return e, false
		}
		e.Kind, e.ByMod = chat.Cleared, true
		e.Viewer = chat.Viewer{Platform: chat.YouTube, ID: who.ChannelId, Name: who.DisplayName}
		return e, true
	}
	m := chat.Message{
		ID: item.Id, Channel: ch, Viewer: author(item), Roles: roles(item.AuthorDetails), Sent: sent, Received: received,
		Answer: chat.Answer{Kind: chat.ToChannel, Channel: ch},
	}
	if !say(&m, sn) || m.Viewer.ID == "" {
		return e, false
	}
	e.Kind, e.Message = chat.Said, m
	return e, true
}

// say fills in what was typed and paid; false when the item is no line.
func say(m *chat.Message, sn *yt.LiveChatMessageSnippet) bool {
	switch sn.Type {
	case "textMessageEvent":
		if sn.TextMessageDetails == nil {
			return false
		}
		m.Text = sn.TextMessageDetails.MessageText
	case "superChatEvent":
		d := sn.SuperChatDetails
		if d == nil {
			return false
		}
		// displayMessage also holds the amount and the name; what was typed is userComment.
		m.Text, m.PaidMicros, m.PaidCurrency = d.UserComment, micros(d.AmountMicros), d.Currency
	case "superStickerEvent":
		d := sn.SuperStickerDetails
		if d == nil {
			return false
		}
		m.PaidMicros, m.PaidCurrency = micros(d.AmountMicros), d.Currency
	case "fanFundingEvent":
		d := sn.FanFundingEventDetails
		if d == nil {
			return false
		}
		m.Text, m.PaidMicros, m.PaidCurrency = d.UserComment, micros(d.AmountMicros), d.Currency
	case "memberMilestoneChatEvent":
		d := sn.MemberMilestoneChatDetails
		if d == nil || d.UserComment == "" {
			return false
		}
		m.Text = d.UserComment
	default:
		return false
	}
	return true
}

func micros(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

func author(item *yt.LiveChatMessage) chat.Viewer {
	v := chat.Viewer{Platform: chat.YouTube, ID: item.Snippet.AuthorChannelId}
	if a := item.AuthorDetails; a != nil {
		v.Name = a.DisplayName
		if a.ChannelId != "" {
			v.ID = a.ChannelId
		}
	}
	return v
}

func roles(a *yt.LiveChatMessageAuthorDetails) chat.Roles {
	var r chat.Roles
	if a == nil {
		return r
	}
	if a.IsChatOwner {
		r |= chat.Owner
	}
	if a.IsChatModerator {
		r |= chat.Moderator
	}
	if a.IsChatSponsor {
		r |= chat.Subscriber
	}
	return r
}
