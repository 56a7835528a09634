package chat

import "time"

// Kind says what an Event tells.
type Kind uint8

// What a chat tells of its lines and of itself. Said is a line; Edited a line's new text (Message holds it); Deleted a line
// taken away by its author or a moderator (ID names it); Cleared all lines of one viewer, or of everybody when Viewer is empty;
// Joined: the channel is heard from now on; Left: it is not, see Reason; Gap: lines may be missing between Message.Sent of the
// last line and now, see Reason; Revoked: the platform withdrew the account's permission, the owner must connect again.
const (
	Said Kind = iota + 1
	Edited
	Deleted
	Cleared
	Joined
	Left
	Gap
	Revoked
)

// What a chat tells of its viewers beside what they type; Event.Support holds the figures. A cheer and a Super Chat are lines
// (Message.Bits, Message.PaidMicros) and come as Said. Followed, Subscribed (a first month; YouTube: a new member),
// Resubscribed (a later month; YouTube: a milestone), Gifted (subscriptions or memberships for others), Raided (a creator came
// with an audience), Redeemed (channel points), Entered (a new member of the Discord server), StreamUp and StreamDown (the
// platform says that the video is live or over), AdBreak (adverts run for Support.For), AdBreakOver (they
// are over, by our clock: no platform tells), Polled (a poll ended).
const (
	Followed Kind = iota + 32
	Subscribed
	Resubscribed
	Gifted
	Raided
	Redeemed
	Entered
	StreamUp
	StreamDown
	AdBreak
	Polled
	AdBreakOver
)

// String is the kind in one word, as logs and `hawker chat` print it.
func (k Kind) String() string {
	switch k {
	case Said:
		return "chat"
	case Edited:
		return "edited"
	case Deleted:
		return "deleted"
	case Cleared:
		return "cleared"
	case Joined:
		return "joined"
	case Left:
		return "left"
	case Gap:
		return "gap"
	case Revoked:
		return "revoked"
	case Followed:
		return "follow"
	case Subscribed:
		return "sub"
	case Resubscribed:
		return "resub"
	case Gifted:
		return "gift"
	case Raided:
		return "raid"
	case Redeemed:
		return "redemption"
	case Entered:
		return "member_joined"
	case StreamUp:
		return "stream_up"
	case StreamDown:
		return "stream_down"
	case AdBreak:
		return "ad_break"
	case AdBreakOver:
		return "ad_break_over"
	case Polled:
		return "poll"
	}
	return "unknown"
}

// Support are the figures of what a viewer gave or did; a field is zero where the platform does not tell it.
type Support struct {
	// Count is how many subscriptions were gifted, or viewers came with a raid.
	Count int
	// Months is for how many months the viewer has been a subscriber or member, all together.
	Months int
	// Tier is the platform's word for the level: "1000", "2000", "3000" or "Prime" on Twitch, the level's name on YouTube.
	Tier string
	// Title is the reward's title (Redeemed), or the poll's question.
	Title string
	// Reward and Redemption are the platform's ids of a redemption, by which it is fulfilled or refunded.
	Reward, Redemption string
	// Text is what the viewer typed with it (a resub's message, a redemption's input), or a poll's winning answer.
	Text string
	// For is how long an ad break lasts.
	For time.Duration
}

// Event is one thing a chat tells.
type Event struct {
	Kind    Kind
	Channel Channel
	Message Message // Said, Edited
	// ID is the line that was Deleted. For what viewers did it is the platform's id of the happening, unique within the
	// platform: the same happening told twice has the same.
	ID     string
	Viewer Viewer // Cleared; Deleted when the platform names the author; who did what Support tells
	// Roles are the roles of Viewer where the platform tells them with the happening.
	Roles   Roles
	Support Support
	ByMod   bool   // Deleted, Cleared: by a moderator, where the platform tells
	Reason  string // Left, Gap, Revoked: a sentence for the dashboard, no secrets
	// At is when it was heard. Edited: when the text was changed, by the platform's clock; zero where the platform does not tell.
	// What viewers did: when it happened, by the platform's clock.
	At time.Time
}
