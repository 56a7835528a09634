package chat

import "time"

// DeedKind says what is to be done in a chat beside saying a line.
type DeedKind string

// What can be done; see Deed for what each needs. No platform has all of them: a chat answers Refused with the code
// "unsupported" to what its platform lacks.
const (
	DeleteLine      DeedKind = "delete line"      // Message
	TimeOut         DeedKind = "time out"         // Viewer, For, Text as the reason
	Announce        DeedKind = "announce"         // Text, made to stand out by the platform
	DirectMessage   DeedKind = "direct message"   // Viewer, Text; seen by that viewer alone
	Mark            DeedKind = "stream marker"    // Text as the marker's description, at most 140 characters on Twitch
	GiveRole        DeedKind = "give role"        // Viewer, Role
	TakeRole        DeedKind = "take role"        // Viewer, Role
	FulfilReward    DeedKind = "fulfil reward"    // Reward, Redemption
	RefundReward    DeedKind = "refund reward"    // Reward, Redemption: the points go back
	PinCard         DeedKind = "pin card"         // Text: a line that stays in sight until the next
	ShoutOutCreator DeedKind = "shoutout creator" // Viewer: another creator of the platform, such as who raided
)

// Deed is something to do in a chat beside saying a line. Doing it twice does no harm but for Announce, DirectMessage, Mark and
// ShoutOutCreator.
type Deed struct {
	Kind    DeedKind      `json:"kind"`
	Channel Channel       `json:"channel"`
	Viewer  Viewer        `json:"viewer,omitzero"`
	Message string        `json:"message,omitzero"`
	Text    string        `json:"text,omitzero"`
	For     time.Duration `json:"for_ns,omitzero"`
	// Role is the platform's id of a role, or its name where just one role has it.
	Role       string `json:"role,omitzero"`
	Reward     string `json:"reward,omitzero"`
	Redemption string `json:"redemption,omitzero"`
}
