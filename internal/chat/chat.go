// Package chat holds what every live chat has in common: who spoke where, what was said, where an answer goes,
// and what came of saying it. It does no I/O; connectors translate their platform's wire to these types and back.
package chat

import (
	"fmt"
	"strings"
	"time"
)

// Platform names where a chat lives.
type Platform string

// The platforms hawker listens to. Room is our own live room: its viewers are browsers, its message ids are the
// UUIDs of submitted forms.
const (
	Twitch  Platform = "twitch"
	YouTube Platform = "youtube"
	Discord Platform = "discord"
	Room    Platform = "room"
)

// Title is the platform's name as people write it.
func (p Platform) Title() string {
	switch p {
	case Twitch:
		return "Twitch"
	case YouTube:
		return "YouTube"
	case Discord:
		return "Discord"
	case Room:
		return "Live room"
	}
	return string(p)
}

// Channel is one chat on one platform, by the platform's own id: a Twitch broadcaster id, a YouTube channel id, a
// Discord channel id. Names change, ids do not.
type Channel struct {
	Platform Platform `json:"platform"`
	ID       string   `json:"id"`
}

// String is the channel as settings write it, for example "twitch/1001".
func (c Channel) String() string { return string(c.Platform) + "/" + c.ID }

// ParseChannel reads what String writes.
func ParseChannel(s string) (Channel, error) {
	p, id, ok := strings.Cut(s, "/")
	c := Channel{Platform(p), id}
	if !ok || id == "" {
		return Channel{}, fmt.Errorf("channel %q: want platform/id, for example twitch/1001", s)
	}
	switch c.Platform {
	case Twitch, YouTube, Discord, Room:
		return c, nil
	}
	return Channel{}, fmt.Errorf("channel %q: platform is twitch, youtube, discord or room", s)
}

// Viewer is who speaks in a chat. Platform and ID are the identity; Name is for showing only, may be in any script
// and may change.
type Viewer struct {
	Platform Platform `json:"platform"`
	ID       string   `json:"id"`
	Name     string   `json:"name,omitempty"`
}

// Roles is the set of roles a viewer has in the channel a message came from.
type Roles uint8

// Roles a platform can tell us. A subscriber is a paying supporter of the channel: Twitch subscriber, YouTube member.
const (
	Subscriber Roles = 1 << iota
	VIP
	Moderator
	Owner
)

// Has reports whether any of the roles in r2 is in r.
func (r Roles) Has(r2 Roles) bool { return r&r2 != 0 }

// Message is one line of a chat as its platform delivered it.
type Message struct {
	// ID is the platform's id of the line, unique within the platform. It is the key under which the line is decided
	// once, however often it is delivered.
	ID      string  `json:"id,omitzero"`
	Channel Channel `json:"channel,omitzero"`
	Viewer  Viewer  `json:"viewer,omitzero"`
	Roles   Roles   `json:"roles,omitzero"`
	// Text is what the viewer typed; /me is unwrapped (see Action), nothing is trimmed.
	Text string `json:"text,omitzero"`
	// Sent is the platform's own time stamp, Received ours.
	Sent     time.Time `json:"sent,omitzero"`
	Received time.Time `json:"received,omitzero"`
	// ReplyTo is the id of the message this one answers, or empty.
	ReplyTo string `json:"reply_to,omitzero"`
	// Bits is the number of Twitch bits cheered with the line.
	Bits int `json:"bits,omitzero"`
	// PaidMicros and PaidCurrency are a YouTube Super Chat's amount in millionths of the currency. It is support for the
	// creator, never money for an order.
	PaidMicros   int64  `json:"paid_micros,omitzero"`
	PaidCurrency string `json:"paid_currency,omitzero"`
	// Source is the id of the channel the line was typed in when that is not Channel (Twitch shared chat). Such a line is
	// shown and never acts.
	Source string `json:"source,omitzero"`
	// Bot marks a line of another program (Discord bot or webhook); Own marks our own. Neither acts.
	Bot bool `json:"bot,omitzero"`
	Own bool `json:"own,omitzero"`
	// Action marks a /me line.
	Action bool `json:"action,omitzero"`
	// Recovered marks a line fetched after a gap in the connection.
	Recovered bool `json:"recovered,omitzero"`
	// Edited marks the new text of a line that was read before under the same ID (Discord).
	Edited bool `json:"edited,omitzero"`
	// Command is set when the platform delivered a structured command instead of text (a Discord slash command or
	// button); Text then holds the equal chat line, such as "!buy 3 x2".
	Command bool `json:"command,omitzero"`
	// Answer is where an answer to this line goes.
	Answer Answer `json:"answer,omitzero"`
}

// AnswerKind says what sort of address an Answer is.
type AnswerKind uint8

// An answer goes to the whole channel; to the channel as a reply to one message; privately to one viewer through a
// token that ends (a Discord interaction: 3 s for the first answer, 15 min for later ones); or to a request that
// waits for it (a form in the live room or the dashboard).
const (
	ToChannel AnswerKind = iota
	ToReply
	ToPrivate
	ToRequest
)

// Answer is the address of an answer. The zero value is no address.
type Answer struct {
	Kind    AnswerKind `json:"kind"`
	Channel Channel    `json:"channel"`
	// Message is the id replied to (ToReply).
	Message string `json:"message,omitempty"`
	// Token is the platform's private token (ToPrivate), a secret until Until.
	Token string    `json:"token,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// Private reports whether only the viewer who asked will see the answer.
func (a Answer) Private() bool { return a.Kind == ToPrivate || a.Kind == ToRequest }

// Line is something to say.
type Line struct {
	To   Answer
	Text string
	// Nonce makes repeating harmless where the platform supports it (Discord enforce_nonce): the same nonce within
	// minutes posts once. At most 25 bytes.
	Nonce string
	// Link, when set, is offered as a button where the platform has buttons; elsewhere it must be part of Text.
	Link      string
	LinkLabel string
}

// Sent is the proof that the platform accepted a line. ID is the platform's id of the new message, or empty where
// the platform names none.
type Sent struct {
	ID string
	At time.Time
}

// ReplyGone is the code of a Refused when the line that was to be answered is gone: nothing was said, and the same may be said
// to the channel.
const ReplyGone = "reply_gone"

// Refused is the error of a line that the platform did not accept, or may not have accepted.
type Refused struct {
	// Code is the platform's word for it ("msg_slowmode", "rateLimitExceeded", "50013"), or "network".
	Code string
	// Reason is a sentence for the dashboard, without secrets.
	Reason string
	// RetryAfter is how long to leave the account alone; 0 when the platform named no time.
	RetryAfter time.Duration
	// Unknown means the line may have been posted after all (the connection broke while waiting for the answer):
	// repeat it only where that cannot double.
	Unknown bool
	// Reconnect means the account's permission is gone and only its owner can restore it.
	Reconnect bool
}

func (r *Refused) Error() string {
	if r.Reason == "" {
		return "refused: " + r.Code
	}
	return "refused: " + r.Code + ": " + r.Reason
}

// Budget is how fast an account may speak in a channel. The Speaker never exceeds it.
type Budget struct {
	// Lines in any window of Per, over all channels of the account that share the same Pool name.
	Lines int
	Per   time.Duration
	Pool  string
	// Every is the shortest time between two lines in this channel, 0 for none.
	Every time.Duration
	// NoRepeat is how long the same text is dropped by the platform, 0 for never.
	NoRepeat time.Duration
	// MaxRunes is the longest line the platform takes, in Unicode code points.
	MaxRunes int
	// Replies and Private tell whether the platform has replies and private answers.
	Replies, Private bool
	// Announces means that what is announced (see Announce) stands in the chat in a form of the platform's own, so that a shout-out is
	// better said so.
	Announces bool
	// PublicOnly means everything said is seen by all, so that no personal link may be in it (YouTube).
	PublicOnly bool
}

// State is the truth about one channel as measured, for the dashboard.
type State struct {
	Channel    Channel       `json:"channel"`
	Hears      bool          `json:"hears"`
	LastHeard  time.Time     `json:"last_heard,omitzero"`
	Speaks     bool          `json:"speaks"`
	LastSaid   time.Time     `json:"last_said,omitzero"`
	Delay      time.Duration `json:"delay_ns"`
	Reconnects int           `json:"reconnects"`
	// Trouble is a sentence on what is wrong, empty when all is well. Missing names permissions by the platform's names.
	Trouble string   `json:"trouble,omitempty"`
	Missing []string `json:"missing,omitempty"`
}
