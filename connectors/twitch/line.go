package twitch

import (
	"strconv"
	"strings"
	"time"

	irc "github.com/gempir/go-twitch-irc/v4"

	"hawker/connectors/twitch/eventsub"
	"hawker/connectors/twitch/ircv3"
	"hawker/internal/chat"
)

// what says what a line of the chat server is about.
type what uint8

const (
	nothing   what = iota // of no interest, or of no sense
	event                 // incoming.event is for the caller
	welcome               // the login was accepted
	refusal               // the login was refused; text says how
	roomState             // room exists and has roomID
	joined                // we are in room
	userState             // our own roles in room; of a line of ours code is its nonce and text its id, where Twitch tells
	notice                // a sentence about room; code and text
	ping                  // text must be sent back
	reconnect             // the server goes away soon
)

// incoming is one line of the chat server in our words.
type incoming struct {
	what   what
	event  chat.Event  // its Channel.ID may be empty: room then names the channel
	also   *chat.Event // a second thing the line tells, after event
	gift   string      // the community gift that a Gifted belongs to; empty for one gift
	whole  bool        // the Gifted is all of the community gift
	over   bool        // it came over EventSub
	room   string      // login of the channel
	roomID string
	code   string
	text   string
	mod    bool // the line's author is moderator or broadcaster
	vip    bool
}

// maxSent and minSent bound a believable time stamp of Twitch (2011 to 2100).
const minSent, maxSent = 1_300_000_000_000, 4_102_444_800_000

// parse reads one line of the chat server; at is when it came. It never fails: what makes no sense is nothing. The
// library tells the commands apart and never sees the tags: it unescapes them in several passes, trims them, panics on odd
// badges and emotes, and takes longer for them than for all the rest.
func parse(raw string, at time.Time) incoming {
	raw = strings.ToValidUTF8(raw, "\uFFFD")
	if rest, ok := strings.CutPrefix(raw, "PING"); ok && (rest == "" || rest[0] == ' ') {
		return incoming{what: ping, text: strings.TrimPrefix(strings.TrimSpace(rest), ":")}
	}
	var tags ircv3.Tags
	bare := raw
	if strings.HasPrefix(raw, "@") {
		var list string
		list, bare, _ = strings.Cut(raw[1:], " ")
		tags = ircv3.Parse(list)
	}
	switch m := library(bare).(type) {
	case *irc.PrivateMessage:
		return said(tags, m.Channel, m.User.Name, trailing(bare, m.Message), at)
	case *irc.UserNoticeMessage:
		return noticed(tags, m.Channel, trailing(bare, m.Message), at)
	case *irc.ClearMessage:
		if id := tags.Get("target-msg-id"); id != "" {
			e := chat.Event{Kind: chat.Deleted, Channel: channel(tags.Get("room-id")), ID: id, ByMod: true, At: sentAt(tags, at)}
			return incoming{what: event, event: e, room: m.Channel}
		}
	case *irc.ClearChatMessage:
		e := chat.Event{Kind: chat.Cleared, Channel: channel(tags.Get("room-id")), ByMod: true, At: sentAt(tags, at)}
		switch id := tags.Get("target-user-id"); {
		case id != "":
			e.Viewer = chat.Viewer{Platform: chat.Twitch, ID: id, Name: m.TargetUsername}
		case m.TargetUsername != "":
			return incoming{} // a viewer without an id: clearing everybody would be wrong
		}
		return incoming{what: event, event: e, room: m.Channel}
	case *irc.RoomStateMessage:
		return incoming{what: roomState, room: m.Channel, roomID: tags.Get("room-id")}
	case *irc.UserStateMessage:
		r := roles(tags)
		return incoming{what: userState, room: m.Channel, code: tags.Get("client-nonce"), text: tags.Get("id"), mod: r.Has(chat.Moderator | chat.Owner), vip: r.Has(chat.VIP)}
	case *irc.UserJoinMessage:
		return incoming{what: joined, room: m.Channel, text: m.User}
	case *irc.NoticeMessage:
		in := incoming{what: notice, room: m.Channel, code: tags.Get("msg-id"), text: trailing(bare, m.Message)}
		if m.Channel == "*" && loginRefused(in.text) {
			in.what = refusal
		}
		return in
	case *irc.ReconnectMessage:
		return incoming{what: reconnect}
	case *irc.RawMessage:
		if m.RawType == "001" {
			return incoming{what: welcome}
		}
	}
	return incoming{}
}

// Line reads one line of the chat server as Listen does; false where it tells nothing of a chat.
func Line(raw string, at time.Time) (chat.Event, bool) {
	in := parse(raw, at)
	return in.event, in.what == event
}

// library is ParseMessage behind a recover: it panics on short lines and odd tags.
func library(raw string) (m irc.Message) {
	defer func() {
		if recover() != nil {
			m = nil
		}
	}()
	return irc.ParseMessage(raw)
}

// loginRefused knows the sentences by which the chat server refuses a login (Twitch docs, "Authenticating with the
// Twitch IRC Server"); they have no code.
func loginRefused(text string) bool {
	for _, s := range []string{"Login authentication failed", "Improperly formatted auth", "Login unsuccessful", "Invalid NICK"} {
		if strings.HasPrefix(text, s) {
			return true
		}
	}
	return false
}

// said makes a viewer's line. Without ids of line, viewer and channel it is nothing: it could neither be decided once
// nor answered.
func said(tags ircv3.Tags, room, login, text string, at time.Time) incoming {
	m := chat.Message{
		ID: tags.Get("id"), Channel: channel(tags.Get("room-id")), Roles: roles(tags), Received: at, Sent: sentAt(tags, at),
		Viewer:  chat.Viewer{Platform: chat.Twitch, ID: tags.Get("user-id"), Name: tags.Get("display-name")},
		ReplyTo: tags.Get("reply-parent-msg-id"),
	}
	if m.ID == "" || m.Viewer.ID == "" || m.Channel.ID == "" {
		return incoming{}
	}
	if m.Viewer.Name == "" {
		m.Viewer.Name = login
	}
	m.Text, m.Action = eventsub.Unwrap(text)
	if n, err := strconv.Atoi(tags.Get("bits")); err == nil && n > 0 {
		m.Bits = n
	}
	if src := tags.Get("source-room-id"); src != "" && src != m.Channel.ID {
		m.Source = src
	}
	m.Answer = chat.Answer{Kind: chat.ToReply, Channel: m.Channel, Message: m.ID}
	return incoming{
		what: event, event: chat.Event{Kind: chat.Said, Channel: m.Channel, Message: m, At: m.Sent},
		room: room, roomID: m.Channel.ID, mod: m.Roles.Has(chat.Moderator | chat.Owner), vip: m.Roles.Has(chat.VIP),
	}
}

// trailing is the last parameter of a line without tags, exactly as sent; the library unwraps it in its own way. Where
// nothing is marked as the last parameter it is what the library found.
func trailing(bare, found string) string {
	if strings.HasPrefix(bare, ":") {
		_, bare, _ = strings.Cut(bare, " ")
	}
	if _, text, ok := strings.Cut(bare, " :"); ok {
		return text
	}
	return found
}

// roles are the author's in the channel the line is shown in; a shared chat's source-badges count nothing here.
func roles(tags ircv3.Tags) chat.Roles {
	var r chat.Roles
	if tags.Get("mod") == "1" {
		r |= chat.Moderator
	}
	if tags.Get("subscriber") == "1" {
		r |= chat.Subscriber
	}
	// vip is present without a value as well as with 1.
	if v, ok := tags.Find("vip"); ok && v != "0" {
		r |= chat.VIP
	}
	if id := tags.Get("user-id"); id != "" && id == tags.Get("room-id") {
		r |= chat.Owner
	}
	for badge := range strings.SplitSeq(tags.Get("badges"), ",") {
		name, _, _ := strings.Cut(badge, "/")
		r |= eventsub.RoleOf(name)
	}
	return r
}

func sentAt(tags ircv3.Tags, at time.Time) time.Time {
	if ms, err := strconv.ParseInt(tags.Get("tmi-sent-ts"), 10, 64); err == nil && ms > minSent && ms < maxSent {
		return time.UnixMilli(ms)
	}
	return at
}
