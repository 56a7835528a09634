// Package command is the form in which changes travel to the node that serves a merchant: the requests of package commerce, as
// JSON.
package command

import (
	"encoding/json"
	"fmt"

	"hawker/commerce"
	"hawker/internal/chat"
)

// Command is a change that somebody asks for: a page, the API, a form in the room, a member in the dashboard. The same
// Key always gets the same outcome. Kind says how to read Body.
type Command struct {
	Key  commerce.Key    `json:"key"`
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
}

// Kinds of command, named like the requests of package commerce that they become.
const (
	KindClaim    = "claim"
	KindPass     = "pass"
	KindChange   = "change"
	KindRelease  = "release"
	KindOpened   = "opened"
	KindDrafted  = "drafted"
	KindPaid     = "paid"
	KindRead     = "read"
	KindSetStock = "set_stock"
	KindAir      = "air"
	KindGate     = "gate"
	KindSetShow  = "set_show"
	KindBind     = "bind"
	KindReopen   = "reopen"
)

// New packs a request of package commerce.
func New(key commerce.Key, r commerce.Request) (Command, error) {
	kind := ""
	switch r.(type) {
	case commerce.Claim:
		kind = KindClaim
	case commerce.Pass:
		kind = KindPass
	case commerce.Change:
		kind = KindChange
	case commerce.Release:
		kind = KindRelease
	case commerce.Opened:
		kind = KindOpened
	case commerce.Drafted:
		kind = KindDrafted
	case commerce.Paid:
		kind = KindPaid
	case commerce.Read:
		kind = KindRead
	case commerce.SetStock:
		kind = KindSetStock
	case commerce.Air:
		kind = KindAir
	case commerce.Gate:
		kind = KindGate
	case commerce.SetShow:
		kind = KindSetShow
	case commerce.Bind:
		kind = KindBind
	case commerce.Reopen:
		kind = KindReopen
	default:
		return Command{}, fmt.Errorf("command of type %T: not for outside", r)
	}
	body, err := json.Marshal(r)
	return Command{key, kind, body}, err
}

// Request unpacks a command. The key of what is decided once is the command's own.
func (c Command) Request() (commerce.Request, error) {
	switch c.Kind {
	case KindClaim:
		r, err := unpack[commerce.Claim](c)
		r.Ask = c.ask(r.Ask)
		return r, err
	case KindPass:
		r, err := unpack[commerce.Pass](c)
		r.Ask = c.ask(r.Ask)
		return r, err
	case KindChange:
		r, err := unpack[commerce.Change](c)
		r.Ask = c.ask(r.Ask)
		return r, err
	case KindRelease:
		r, err := unpack[commerce.Release](c)
		r.Key = c.Key
		return r, err
	case KindOpened:
		return unpack[commerce.Opened](c)
	case KindDrafted:
		return unpack[commerce.Drafted](c)
	case KindPaid:
		return unpack[commerce.Paid](c)
	case KindRead:
		return unpack[commerce.Read](c)
	case KindSetStock:
		r, err := unpack[commerce.SetStock](c)
		r.Key = c.Key
		return r, err
	case KindAir:
		r, err := unpack[commerce.Air](c)
		r.Key = c.Key
		return r, err
	case KindGate:
		r, err := unpack[commerce.Gate](c)
		r.Key = c.Key
		return r, err
	case KindSetShow:
		return unpack[commerce.SetShow](c)
	case KindBind:
		return unpack[commerce.Bind](c)
	case KindReopen:
		return unpack[commerce.Reopen](c)
	}
	return nil, fmt.Errorf("command of kind %q: unknown", c.Kind)
}

func (c Command) ask(a commerce.Ask) commerce.Ask {
	a.Key, a.Viewer.Name = c.Key, chat.Clean(a.Viewer.Name)
	a.Answer = chat.Answer{Kind: chat.ToRequest}
	return a
}

func unpack[R any](c Command) (R, error) {
	var r R
	if err := json.Unmarshal(c.Body, &r); err != nil {
		return r, fmt.Errorf("command %s: %w", c.Kind, err)
	}
	return r, nil
}
