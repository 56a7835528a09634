package rule

import (
	"slices"
	"strings"
	"time"

	"hawker/internal/chat"
	"hawker/internal/plain"
)

// action checks one action: that it has what its kind needs and nothing else, and that somebody is there to do it to.
func (c *checker) action(i int, a *Action) {
	f, ok := FormOf(a.Do)
	if !ok {
		c.fault("then", i, "%s", nothing(string(a.Do), ActionKinds()))
		return
	}
	e := c.r.When.Event
	switch {
	case (a.Do.ForViewer() || a.Do == Reply) && !e.ByViewer():
		c.fault(string(a.Do), i, "no viewer stands behind %q", e)
	case a.Do == DeleteLine && !e.OfLines():
		c.fault(string(a.Do), i, "%q is no line that could be deleted", e)
	case (a.Do == FulfilReward || a.Do == RefundReward) && e != Redeemed:
		c.fault(string(a.Do), i, "only a redemption has a reward")
	case a.Do == ShoutCreator && e != Raided:
		c.fault(string(a.Do), i, "only a raid has a creator to point at")
	}
	if a.After < 0 || a.After > MaxAfter || a.After%time.Second != 0 {
		c.fault("after", i, "want whole seconds, at most 1h")
	}
	if a.Do == Stop && a.After != 0 {
		c.fault("after", i, "stop takes effect at once")
	}
	if a.If != "" {
		c.line("if", i, a.If, MaxExpr)
	}
	for p := PText; p <= PSound; p++ {
		field := p.Key()
		if p == f.Main {
			field = string(a.Do)
		}
		has := a.has(p)
		known := p == f.Main || slices.Contains(f.Must, p) || slices.Contains(f.Extra, p)
		switch must := p == f.Main && p != PItem && p != POn || slices.Contains(f.Must, p); {
		case has && !known:
			c.fault(field, i, "%q has no %s", a.Do, field)
		case must && !has:
			c.fault(field, i, "%s is missing", field)
		case has:
			c.param(i, a, p, field)
		}
	}
	if a.Do == Air && a.Item == 0 {
		c.fault("air", i, "say which item goes on air, by its number")
	}
}

// has reports whether a field is set.
func (a *Action) has(p Param) bool {
	switch p {
	case PText:
		return a.Text != ""
	case PChannels:
		return len(a.Channels) > 0
	case PItem:
		return a.Item != 0
	case PQuantity:
		return a.Quantity != 0
	case PAmount:
		return a.Amount != ""
	case PFor:
		return a.For != 0
	case PName:
		return a.Name != ""
	case PValue:
		return a.Value != ""
	case PURL:
		return a.URL != ""
	case POn:
		return a.On
	case PPicture:
		return a.Picture != ""
	case PSound:
		return a.Sound != ""
	}
	return false
}

func (c *checker) param(i int, a *Action, p Param, field string) {
	switch p {
	case PText:
		c.line(field, i, a.Text, MaxText)
	case PChannels:
		c.channels(i, a.Channels)
	case PItem:
		if a.Item < 1 || a.Item > 9999 {
			c.fault(field, i, "an item's number is from 1 to 9999")
		}
	case PQuantity:
		if a.Quantity < 1 || a.Quantity > 9999 {
			c.fault(field, i, "want a number from 1 to 9999")
		}
	case PAmount:
		c.amount(i, a, field)
	case PFor:
		longest := time.Duration(MaxSpan)
		switch a.Do {
		case Card:
			longest = time.Minute
		case Hot:
			longest = 24 * time.Hour
		case TimeOut:
			longest = MaxTimeOut
		}
		if a.For < time.Second || a.For > longest || a.For%time.Second != 0 {
			c.fault(field, i, "want whole seconds, from 1s to %s", Span(longest))
		}
	case PName:
		switch a.Do {
		case Set:
			if !nameForm.MatchString(a.Name) {
				c.fault(field, i, "a counter or variable has a name of small letters, digits and _, such as raffle_entries")
			}
		case DiscountCode:
			if !codeNameForm.MatchString(a.Name) {
				c.fault(field, i, "a code begins with letters and digits, at most 20")
			}
		default:
			c.line(field, i, a.Name, 100)
		}
	case PValue:
		c.line(field, i, a.Value, MaxExpr)
	case PURL, PPicture, PSound:
		s := a.URL + a.Picture
		if p == PSound {
			s = a.Sound
		}
		if p == PPicture {
			s = a.Picture
		}
		if !httpsAddress(s) {
			c.fault(field, i, "want an address that begins with https://")
		}
	}
}

func (c *checker) channels(i int, list []string) {
	if len(list) > MaxList {
		c.fault("in", i, "more than %d channels", MaxList)
		return
	}
	for n, s := range list {
		if strings.Contains(s, "/") {
			if _, err := chat.ParseChannel(s); err != nil || !c.line("in", i, s, 100) {
				c.fault("in", i, "channel %q; want a platform, or platform/id such as twitch/1001", plain.Cut(s))
			}
		} else if p := chat.Platform(s); p != chat.Twitch && p != chat.YouTube && p != chat.Discord && p != chat.Room {
			c.fault("in", i, "a platform is twitch, youtube, discord or room, not %q", plain.Cut(s))
		}
		if slices.Contains(list[:n], s) {
			c.fault("in", i, "%s stands there twice", s)
		}
	}
}

func (c *checker) amount(i int, a *Action, field string) {
	positive := strings.Trim(a.Amount, "0.") != ""
	switch a.Do {
	case Price:
		if !priceForm.MatchString(a.Amount) || !positive {
			c.fault(field, i, "want an amount such as 19.99")
		}
	case Stock:
		if !stockForm.MatchString(a.Amount) {
			c.fault(field, i, "want +5 or -2 to change it, or 5 to set it")
		}
	default:
		if !percentForm.MatchString(a.Amount) && (!priceForm.MatchString(a.Amount) || !positive) {
			c.fault(field, i, "want 1%% to 100%%, or an amount such as 5.00")
		}
	}
}
