package eventsub

import (
	"encoding/json"
	"strings"
	"time"

	"hawker/internal/chat"
)

// The subscriptions of a chat itself (Twitch docs, "EventSub Subscription Types", "Channel Chat ..."): all are the reading
// account's, by user:read:chat.
const (
	Message      = "channel.chat.message"
	Deletion     = "channel.chat.message_delete"
	Clear        = "channel.chat.clear"
	ClearViewer  = "channel.chat.clear_user_messages"
	Announcement = "channel.chat.notification" // subscriptions, gifts, raids, and what is typed with them
)

// OfChat reports whether a subscription is one of a chat, whose condition names the reading account.
func OfChat(typ string) bool { return strings.HasPrefix(typ, "channel.chat.") }

// Told is what a chat's notification tells.
type Told struct {
	// Event is a line or what happened to lines; Also what a viewer did beside typing Event, or alone when Event is nil.
	Event, Also *chat.Event
	// Gift is the community gift that Also belongs to, empty for one gift; Whole tells that it is all of it.
	Gift  string
	Whole bool
}

// Nobody stands for who gives without a name: Twitch's own account for it. On the older notices of this sort the gift seems to
// come from the channel's owner.
func Nobody() chat.Viewer {
	return chat.Viewer{Platform: chat.Twitch, ID: "274598607", Name: "AnAnonymousGifter"}
}

// chatter are the fields that name who typed.
type chatter struct {
	Channel string `json:"broadcaster_user_id"`
	ID      string `json:"chatter_user_id"`
	Login   string `json:"chatter_user_login"`
	Name    string `json:"chatter_user_name"`
	Badges  []struct {
		Set string `json:"set_id"`
	} `json:"badges"`
	LineID  string `json:"message_id"`
	Message struct {
		Text string `json:"text"`
	} `json:"message"`
	Source string `json:"source_broadcaster_user_id"`
}

func (c *chatter) viewer() chat.Viewer {
	v := chat.Viewer{Platform: chat.Twitch, ID: chat.Clean(c.ID), Name: chat.Clean(c.Name)}
	if v.Name == "" {
		v.Name = chat.Clean(c.Login)
	}
	return v
}

// roles are the author's in the channel the line is shown in; source_badges count nothing here.
func (c *chatter) roles() chat.Roles {
	var r chat.Roles
	for _, b := range c.Badges {
		r |= RoleOf(b.Set)
	}
	if c.ID != "" && c.ID == c.Channel {
		r |= chat.Owner
	}
	return r
}

// RoleOf is the role that a badge shows, 0 for one that shows none.
func RoleOf(badge string) chat.Roles {
	switch badge {
	case "broadcaster":
		return chat.Owner
	case "moderator", "lead_moderator":
		return chat.Moderator
	case "vip":
		return chat.VIP
	case "subscriber", "founder":
		return chat.Subscriber
	}
	return 0
}

// line makes a viewer's line of it, or nil when it could neither be decided once nor answered.
func (c *chatter) line(n Notification, at time.Time) *chat.Event {
	if c.LineID == "" || c.ID == "" || c.Channel == "" {
		return nil
	}
	m := chat.Message{
		ID: chat.Clean(c.LineID), Channel: chat.Channel{Platform: chat.Twitch, ID: chat.Clean(c.Channel)}, Viewer: c.viewer(), Roles: c.roles(),
		Sent: n.At, Received: at,
	}
	m.Text, m.Action = Unwrap(c.Message.Text)
	if c.Source != "" && c.Source != c.Channel {
		m.Source = chat.Clean(c.Source)
	}
	m.Answer = chat.Answer{Kind: chat.ToReply, Channel: m.Channel, Message: m.ID}
	return &chat.Event{Kind: chat.Said, Channel: m.Channel, Message: m, At: n.At}
}

// Unwrap takes /me off a text. Twitch cuts the closing mark off a line that is too long.
func Unwrap(text string) (string, bool) {
	if rest, ok := strings.CutPrefix(text, "\x01ACTION"); ok && (rest == "" || rest[0] == ' ' || rest[0] == '\x01') {
		return strings.TrimSuffix(strings.TrimPrefix(rest, " "), "\x01"), true
	}
	return text, false
}

// ReadChat says what a notification of a chat tells, heard at a time; false when it tells nothing of interest or of sense.
func ReadChat(n Notification, at time.Time) (Told, bool) {
	switch n.Type {
	case Message:
		return message(n, at)
	case Deletion, Clear, ClearViewer:
		return cleared(n)
	case Announcement:
		return announced(n, at)
	}
	return Told{}, false
}

func message(n Notification, at time.Time) (Told, bool) {
	var v struct {
		chatter
		Cheer struct {
			Bits int `json:"bits"`
		} `json:"cheer"`
		Reply struct {
			Parent string `json:"parent_message_id"`
		} `json:"reply"`
	}
	if json.Unmarshal(n.Event, &v) != nil {
		return Told{}, false
	}
	e := v.line(n, at)
	if e == nil {
		return Told{}, false
	}
	e.Message.ReplyTo, e.Message.Bits = chat.Clean(v.Reply.Parent), max(0, v.Cheer.Bits)
	return Told{Event: e}, true
}

func cleared(n Notification) (Told, bool) {
	var v struct {
		Channel string `json:"broadcaster_user_id"`
		ID      string `json:"target_user_id"`
		Name    string `json:"target_user_name"`
		LineID  string `json:"message_id"`
	}
	if json.Unmarshal(n.Event, &v) != nil || v.Channel == "" {
		return Told{}, false
	}
	e := chat.Event{Kind: chat.Cleared, Channel: chat.Channel{Platform: chat.Twitch, ID: chat.Clean(v.Channel)}, ByMod: true, At: n.At}
	if v.ID != "" {
		e.Viewer = chat.Viewer{Platform: chat.Twitch, ID: chat.Clean(v.ID), Name: chat.Clean(v.Name)}
	}
	switch {
	case n.Type == Deletion && v.LineID == "", n.Type == ClearViewer && v.ID == "":
		return Told{}, false // clearing everybody would be wrong
	case n.Type == Deletion:
		e.Kind, e.ID = chat.Deleted, chat.Clean(v.LineID)
	case n.Type == Clear:
		e.Viewer = chat.Viewer{}
	}
	return Told{Event: &e}, true
}

// announced reads subscriptions, gifts and raids, with the same ids as the chat server's notices of them.
func announced(n Notification, at time.Time) (Told, bool) {
	var v struct {
		chatter
		Anonymous bool   `json:"chatter_is_anonymous"`
		Type      string `json:"notice_type"`
		Sub       struct {
			Tier  string `json:"sub_tier"`
			Prime bool   `json:"is_prime"`
		} `json:"sub"`
		Resub struct {
			Tier   string `json:"sub_tier"`
			Prime  bool   `json:"is_prime"`
			Months int    `json:"cumulative_months"`
		} `json:"resub"`
		Gift struct {
			Tier string `json:"sub_tier"`
			Of   string `json:"community_gift_id"`
		} `json:"sub_gift"`
		Gifts struct {
			ID    string `json:"id"`
			Total int    `json:"total"`
			Tier  string `json:"sub_tier"`
		} `json:"community_sub_gift"`
		Raid struct {
			ID      string `json:"user_id"`
			Name    string `json:"user_name"`
			Viewers int    `json:"viewer_count"`
		} `json:"raid"`
	}
	if json.Unmarshal(n.Event, &v) != nil || v.Channel == "" || v.LineID == "" {
		return Told{}, false
	}
	t := Told{}
	if v.Message.Text != "" && !v.Anonymous {
		t.Event = v.line(n, at)
	}
	if v.Source != "" && v.Source != v.Channel { // another channel's, shown in a shared chat
		return t, t.Event != nil
	}
	e := &chat.Event{Channel: chat.Channel{Platform: chat.Twitch, ID: chat.Clean(v.Channel)}, Viewer: v.viewer(), Roles: v.roles(), At: n.At}
	tier := func(s string, prime bool) string {
		if prime {
			return "Prime"
		}
		return chat.Clean(s)
	}
	switch v.Type {
	case "sub":
		e.Kind, e.Support.Tier, e.Support.Months = chat.Subscribed, tier(v.Sub.Tier, v.Sub.Prime), 1
	case "resub":
		e.Kind, e.Support.Tier, e.Support.Months = chat.Resubscribed, tier(v.Resub.Tier, v.Resub.Prime), max(0, v.Resub.Months)
		e.Support.Text, _ = Unwrap(chat.Clean(v.Message.Text))
	case "gift_paid_upgrade", "prime_paid_upgrade":
		e.Kind = chat.Resubscribed // goes on with a month that was given; Twitch tells no number
	case "sub_gift":
		e.Kind, e.Support.Count, e.Support.Tier, t.Gift = chat.Gifted, 1, chat.Clean(v.Gift.Tier), v.Gift.Of
	case "community_sub_gift":
		e.Kind, e.Support.Count, e.Support.Tier, t.Gift, t.Whole = chat.Gifted, max(1, v.Gifts.Total), chat.Clean(v.Gifts.Tier), v.Gifts.ID, true
	case "raid":
		e.Kind, e.Support.Count = chat.Raided, max(0, v.Raid.Viewers)
		if v.Raid.ID != "" {
			e.Viewer = chat.Viewer{Platform: chat.Twitch, ID: chat.Clean(v.Raid.ID), Name: chat.Clean(v.Raid.Name)}
		}
	default:
		return t, t.Event != nil // announcement, bits_badge_tier, charity_donation and what is yet to come: their words are a line
	}
	if e.Kind == chat.Gifted && (v.Anonymous || v.ID == Nobody().ID) {
		e.Viewer, e.Roles = Nobody(), 0
	}
	if e.Viewer.ID == "" {
		return t, t.Event != nil
	}
	e.ID, t.Also = e.Kind.String()+":"+chat.Clean(v.LineID), e
	return t, true
}
