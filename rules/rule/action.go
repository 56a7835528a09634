package rule

import "time"

// ActionKind is what an action does. It is also its key in YAML and JSON: {say: "Hello {user}"}.
type ActionKind string

// What rules can do, and which fields of Action each reads beside After and If. Where a platform lacks it, nothing happens and
// the page says so.
const (
	Claim   ActionKind = "claim"   // Item, Quantity (0 is 1): as if the viewer had typed !buy; also of an item that is closed to others
	Pass    ActionKind = "pass"    // Item: gives back what the viewer holds
	Promote ActionKind = "promote" // Item: the viewer's place in line becomes a hold where pieces are free

	Reply         ActionKind = "reply"          // Text, to the line
	Say           ActionKind = "say"            // Text, Channels
	Announce      ActionKind = "announce"       // Text, Channels: made to stand out by the platform
	DirectMessage ActionKind = "direct message" // Text, to the viewer alone
	Pin           ActionKind = "pin"            // Text, Channels: a line that stays in sight
	ShoutOut      ActionKind = "shout-out"      // Text, Channels: said, and shown on the overlay
	Card          ActionKind = "card"           // Text, Picture, Sound, For: on the overlay only

	Air      ActionKind = "air"       // Item, never 0
	NextItem ActionKind = "next item" // nothing
	Hot      ActionKind = "hot"       // On, For: the show is marked hot
	Price    ActionKind = "price"     // Amount as "19.99", Item
	Stock    ActionKind = "stock"     // Amount as "+5", "-2" or "5", Item

	DiscountCode ActionKind = "discount code" // Amount as "10%" or "5.00", For until it ends, Name as its beginning, Text with {code} to hand it over
	Question     ActionKind = "question"      // Text, onto the desk
	Marker       ActionKind = "marker"        // Text, into the stream

	DestinationOn  ActionKind = "destination on"  // Name
	DestinationOff ActionKind = "destination off" // Name
	Slate          ActionKind = "slate"           // On

	GiveRole ActionKind = "role"      // Name, in Discord
	TakeRole ActionKind = "take role" // Name
	Call     ActionKind = "webhook"   // URL, Text: an outgoing webhook
	Set      ActionKind = "set"       // Name, Value: a counter of the merchant when Value is a number, a variable when it is text

	DeleteLine   ActionKind = "delete line"        // nothing
	TimeOut      ActionKind = "time out"           // For, Text as the reason
	FulfilReward ActionKind = "fulfil reward"      // nothing: the redemption is done
	RefundReward ActionKind = "refund reward"      // nothing: the points go back
	ShoutCreator ActionKind = "platform shout-out" // nothing: of who raided, by the platform's own means
	Stop         ActionKind = "stop"               // nothing: rules after this one do not look
)

// ActionKinds are all kinds, in the order in which pages list them.
func ActionKinds() []ActionKind {
	return []ActionKind{
		Reply, Say, Announce, DirectMessage, Pin, ShoutOut, Card, Claim, Pass, Promote, Air, NextItem, Hot, Price, Stock, DiscountCode, Question, Marker,
		DestinationOn, DestinationOff, Slate, GiveRole, TakeRole, Call, Set, DeleteLine, TimeOut, FulfilReward, RefundReward, ShoutCreator, Stop,
	}
}

// Action is one thing that a rule does. Do says which, and which of the fields it reads; the others stay empty.
type Action struct {
	Do ActionKind
	// After is how long to wait, at most MaxAfter. If is an expression that must hold for this action alone; when it does not,
	// the actions behind it go on.
	After time.Duration
	If    string

	Text     string
	Channels []string // platforms ("twitch") and channels ("twitch/1001"); empty means all channels of the show
	Item     int      // its number; 0 is the item that it is about, else the item on air
	Quantity int
	Amount   string
	For      time.Duration
	Name     string
	Value    string // an expression
	URL      string
	On       bool
	Picture  string // an https address; empty is the item's picture
	Sound    string // an https address
}

// Param names a field of Action.
type Param uint8

// The fields.
const (
	PText Param = iota + 1
	PChannels
	PItem
	PQuantity
	PAmount
	PFor
	PName
	PValue
	PURL
	POn
	PPicture
	PSound
)

// Key is the parameter's key in YAML and JSON where it is not the main one.
func (p Param) Key() string {
	return [...]string{"", "text", "in", "item", "quantity", "amount", "for", "name", "to", "url", "on", "picture", "sound"}[p]
}

// Form says which parameters a kind of action has.
type Form struct {
	Main  Param   // stands behind the kind itself; 0 where there is none ("stop: yes")
	Must  []Param // beside Main, which is always needed but for PItem
	Extra []Param
}

// FormOf is the form of a kind; false when there is no such kind.
func FormOf(k ActionKind) (Form, bool) {
	switch k {
	case Claim:
		return Form{PItem, nil, []Param{PQuantity}}, true
	case Pass, Promote, Air:
		return Form{PItem, nil, nil}, true
	case Reply, DirectMessage, Question, Marker:
		return Form{PText, nil, nil}, true
	case Say, Announce, Pin:
		return Form{PText, nil, []Param{PChannels}}, true
	case ShoutOut:
		return Form{PText, nil, []Param{PChannels, PPicture}}, true
	case Card:
		return Form{PText, nil, []Param{PPicture, PSound, PFor}}, true
	case Hot:
		return Form{POn, nil, []Param{PFor}}, true
	case Slate:
		return Form{POn, nil, nil}, true
	case Price, Stock:
		return Form{PAmount, nil, []Param{PItem}}, true
	case DiscountCode:
		return Form{PAmount, []Param{PText}, []Param{PFor, PName}}, true
	case DestinationOn, DestinationOff, GiveRole, TakeRole:
		return Form{PName, nil, nil}, true
	case Call:
		return Form{PURL, nil, []Param{PText}}, true
	case Set:
		return Form{PName, []Param{PValue}, nil}, true
	case TimeOut:
		return Form{PFor, nil, []Param{PText}}, true
	case NextItem, DeleteLine, FulfilReward, RefundReward, ShoutCreator, Stop:
		return Form{}, true
	}
	return Form{}, false
}

// ForViewer reports whether k is done to or for the viewer behind the event.
func (k ActionKind) ForViewer() bool {
	switch k {
	case Claim, Pass, Promote, DirectMessage, DiscountCode, GiveRole, TakeRole, TimeOut, ShoutCreator:
		return true
	}
	return false
}
