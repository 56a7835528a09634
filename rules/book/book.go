// Package book decides by a merchant's rules: New compiles them, Decide says what they want done about one thing that happened.
// It is pure: the same rules and the same Input give the same Result for ever, byte for byte.
//
// What a line costs does not grow with the number of rules: commands are found by their word, words and the required parts of
// patterns by one automaton, everything else by what happened. A rule that would do too much is stopped within its message's
// budget and says so in the trace; it never keeps others from being decided.
package book

import (
	"time"

	"hawker/commerce"
	"hawker/rules"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// What one message may cost. What is over it is cut and told in the trace.
const (
	MaxEffects = 20        // of all rules together
	MaxSteps   = 10_000    // rounds through lists in expressions, all rules together
	MaxWork    = 1_000_000 // bytes of line times instructions of patterns, all rules together: a few ms at the worst
)

// Options are what compiling needs to know of the merchant.
type Options struct {
	// Zone is the merchant's; nil is UTC.
	Zone *time.Location
	// Grammar are the merchant's command words: a rule cannot wait for one of ours.
	Grammar rules.Options
}

// Input is one thing that happened.
type Input struct {
	// Event is what happened; rule.Line for a line of a chat, whatever it says.
	Event rule.Event
	// Rule, when not 0, is the one rule that is asked: for Every, At and AfterLines, which happen to a rule.
	Rule commerce.ID
	// Facts are what is known. Decide sets At, Chance, Message.Word and Message.Args in it, and may call its Load.
	Facts *facts.Facts
	// Command is what Grammar.Parse read in a line.
	Command rules.Command
	// Now is the moment of decision, Seed what is drawn by lot: the same for a back-test.
	Now  time.Time
	Seed uint64
	// Counter is what was counted for a rule so far; nil when nothing was.
	Counter func(Key) Count
	// Trace asks for a Look of every rule that waits for such an event, also of those that do not match.
	Trace bool
	// Try asks rules that are off, too, and forgets no trace; for the page.
	Try bool
}

// Scope says whose firings are counted.
type Scope uint8

// The scopes.
const (
	PerPerson Scope = iota + 1
	PerChannel
	PerShow
)

// Key names a count. Of is the viewer as "twitch/1001" or the channel as chat.Channel.String; empty for PerShow.
type Key struct {
	Rule  commerce.ID
	Scope Scope
	Show  commerce.ID
	Of    string
}

// Count is how often a rule fired, and when it last did.
type Count struct {
	N    int64
	Last time.Time
}

// Change is what a count is from now on. It is to be stored in the same transaction as what was decided.
type Change struct {
	Key   Key
	Count Count
}

// Setting is what a counter or a variable of the merchant is from now on.
type Setting struct {
	Name   string
	Number bool // a counter, N; else a variable, Text
	N      int64
	Text   string
}

// Effect is something that a rule wants done: an action with all its facts filled in. It holds all that is needed to do it later
// but who was meant, which the caller knows.
type Effect struct {
	Rule   commerce.ID     `json:"rule"`
	Name   string          `json:"name"`   // the rule's
	Index  int             `json:"index"`  // of the rule, from 0
	Action int             `json:"action"` // of the rule's actions, from 0
	Do     rule.ActionKind `json:"do"`
	After  time.Duration   `json:"after,omitzero"`

	// Text holds facts.CodeMark where a discount code goes. Keep are the parts of it that are not to be cut through
	// (facts.Cut).
	Text     string       `json:"text,omitzero"`
	Keep     []facts.Span `json:"keep,omitzero"`
	Channels []string     `json:"channels,omitzero"` // as in rule.Action
	// Item is a number, never 0 for actions that are about one: what the rule left open is filled in.
	Item     int           `json:"item,omitzero"`
	Quantity int           `json:"quantity,omitzero"`
	Amount   string        `json:"amount,omitzero"`
	For      time.Duration `json:"for,omitzero"`
	Title    string        `json:"title,omitzero"` // rule.Action.Name
	URL      string        `json:"url,omitzero"`
	On       bool          `json:"on,omitzero"`
	Picture  string        `json:"picture,omitzero"`
	Sound    string        `json:"sound,omitzero"`
}

// Look is one line of a trace: that a rule looked, and what came of it.
type Look struct {
	Rule  commerce.ID `json:"rule"`
	Name  string      `json:"name"`
	Index int         `json:"index"`
	Fired bool        `json:"fired"`
	// Why says why it did not fire, or what of it was left out. Empty when all went as the rule says.
	Why string `json:"why,omitzero"`
}

// Result is what the rules want. It is used again from message to message: what Decide puts into it is good until the next
// Decide with it, and its memory stays. It is not to be copied.
type Result struct {
	Effects  []Effect
	Counts   []Change
	Settings []Setting
	Looks    []Look
	// Fired are the rules that fired, by index, in order.
	Fired []int
	// Stopped is set when a rule stopped those after it; Cut when the message's budget did.
	Stopped, Cut bool

	scratch scratch
}

// New compiles rules. Its error is a *rule.Error for the first rule that is at fault. Rules that are off are checked all the
// same.
func New(all []rule.Rule, o Options) (*Book, error) {
	b, errs := compile(all, o, true)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return b, nil
}

// Load compiles what can be compiled, and says what could not: rules that were stored by another version must not keep a show
// from starting.
func Load(all []rule.Rule, o Options) (*Book, []*rule.Error) { return compile(all, o, false) }
