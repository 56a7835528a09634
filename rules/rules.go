// Package rules decides what a line in a chat means: Grammar.Parse reads it as a claim or a command over a show's lineup. What
// is done about it beside that, by the merchant's own rules, is decided by the packages in it: rule (their form), facts (what they
// name), book (deciding), sentence and starter. All of them are pure: they read no clock, keep no state, talk to nobody, and give
// the same answer to the same input for ever.
//
// It prefers to ask. A wrong claim takes stock from somebody and a missed one costs a second line, so whatever a line
// leaves open is refused with a reason and never guessed.
package rules

import "hawker/commerce"

// Name names what a line asks for.
type Name string

// The names. Buy and Wait claim, Pass, Less and More change a claim, Cart to Help are answered, Next to Block are for
// the host and moderators. Custom is a command of the merchant's own rules. Question and Chat ask for nothing.
const (
	Buy  Name = "buy"
	Wait Name = "wait"
	Pass Name = "pass"
	Less Name = "less"
	More Name = "more"

	Cart    Name = "cart"
	Me      Name = "me"
	Shop    Name = "shop"
	Item    Name = "item"
	Why     Name = "why"
	Order   Name = "order"
	Connect Name = "connect"
	Forget  Name = "forget"
	Help    Name = "help"

	Next    Name = "next"
	Air     Name = "air"
	Off     Name = "off"
	Stock   Name = "stock"
	Close   Name = "close"
	Open    Name = "open"
	Pause   Name = "pause"
	Resume  Name = "resume"
	Release Name = "release"
	Block   Name = "block"

	Custom   Name = "custom"
	Question Name = "question"
	Chat     Name = "chat"
)

// Claims reports whether n takes, changes or gives back stock.
func (n Name) Claims() bool { return n == Buy || n == Wait || n == Pass || n == Less || n == More }

// Host reports whether n is for the host and moderators only.
func (n Name) Host() bool {
	switch n {
	case Next, Air, Off, Stock, Close, Open, Pause, Resume, Release, Block:
		return true
	}
	return false
}

// Style says in which form a line was written.
type Style uint8

// The forms. A show turns on all but ByCommand and ByTap (commerce.Styles).
const (
	ByTalk    Style = iota // no command at all
	ByCommand              // !buy 3
	ByTap                  // a structured command of the platform, such as a slash command
	ByKeyword              // sold 12 m
	ByPlus                 // A1+1
	ByNumber               // 12
)

// Command is what a line means. It is a plain value: comparing two with == compares what they ask for.
type Command struct {
	Name Name `json:"name,omitzero"`
	// Item is the item's number; 0 when the line names none and none is on air. For Pass 0 means everything.
	Item int `json:"item,omitzero"`
	// Shown is set when the line named no item and Item is the one on air.
	Shown bool `json:"shown,omitzero"`
	// Variant is what was picked; 0 when the item has just one, when none was meant, or when Reason is NeedsVariant.
	Variant commerce.ID `json:"variant,omitzero"`
	// Quantity is 1 to 9,999 for Buy and Wait, and by how much for Less and More; for Stock it is Arg without its sign; 0 for
	// commands without an amount.
	Quantity int `json:"quantity,omitzero"`
	// Add means Quantity comes on top of what is held (plus forms), else it replaces it.
	Add   bool  `json:"add,omitzero"`
	Style Style `json:"style,omitzero"`
	// Arg is the rest of the line for Connect, Release, Block and Custom, as typed, without invisible characters and at most
	// 200 code points. For Stock it is the amount with its sign: "+5", "-2", or "5" to set it.
	Arg string `json:"arg,omitzero"`
	// Word is the command word of a Custom command, folded, without its sign.
	Word string `json:"word,omitzero"`
	// Reason is set when nothing can be claimed: NeedsItem, NeedsVariant, UnknownItem, NotOnSale (no lineup), Question or
	// Chat. NeedsItem also asks where an amount is unclear. Empty means the command is clear.
	Reason commerce.Reason `json:"reason,omitzero"`
	// Signature is equal for two lines that ask for the same thing in the same form. A viewer's second line with the same
	// signature within 3 s counts once. 0 for Chat and Question.
	Signature uint64 `json:"signature,omitzero"`
}

// Context is what Parse must know of a line beside its text.
type Context struct {
	// OnAir is the number of the item the viewer saw when the line was sent, 0 for none. Unsure is set within 3 s of a
	// change: a claim without an item is then asked about.
	OnAir  int
	Unsure bool
	// Reply is set when the line answers another line, ReplyTo is that line's author as a mention would name them.
	Reply   bool
	ReplyTo string
	// Tap is set for a structured command (a slash command, a button): the text is the equal chat line.
	Tap bool
	// Mute is set for lines that never act: of bots, of our own, forwarded, shared from another channel.
	Mute bool
	// Bots are the names and ids our bot is mentioned by.
	Bots []string
}
