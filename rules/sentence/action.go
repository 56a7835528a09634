package sentence

import (
	"strconv"
	"strings"

	"hawker/internal/chat"
	"hawker/rules/rule"
)

// Action is what an action does, to stand behind "then".
func Action(a *rule.Action) string {
	var b strings.Builder
	if a.After > 0 {
		b.WriteString("after " + span(a.After) + " ")
	}
	b.WriteString(does(a))
	if a.If != "" {
		b.WriteString(" if " + quote(a.If) + " holds")
	}
	return b.String()
}

func does(a *rule.Action) string {
	text := quote(a.Text)
	switch a.Do {
	case rule.Claim:
		n := ""
		if a.Quantity > 0 {
			n = " " + strconv.Itoa(a.Quantity) + " of"
		}
		return "claim" + n + " " + item(a) + " for the viewer"
	case rule.Pass:
		return "give " + item(a) + " back for the viewer"
	case rule.Promote:
		return "hold " + item(a) + " for the viewer if in line for it"
	case rule.Reply:
		return "reply " + text
	case rule.Say:
		return "say " + text + " in " + channels(a.Channels)
	case rule.Announce:
		return "announce " + text + " in " + channels(a.Channels)
	case rule.Pin:
		return "pin " + text + " in " + channels(a.Channels)
	case rule.DirectMessage:
		return "send the viewer " + text + " alone"
	case rule.ShoutOut:
		return "shout out " + text + " on the overlay" + with(a) + " and in " + channels(a.Channels)
	case rule.Card:
		s := "show " + text + " on the overlay" + with(a)
		if a.For > 0 {
			s += " for " + span(a.For)
		}
		return s
	case rule.Air:
		return "put " + item(a) + " on air"
	case rule.NextItem:
		return "put the next item on air"
	case rule.Hot:
		s := "mark the show as hot"
		if !a.On {
			s = "mark the show as no longer hot"
		}
		if a.For > 0 {
			s += " for " + span(a.For)
		}
		return s
	case rule.Price:
		return "set the price of " + item(a) + " to " + a.Amount
	case rule.Stock:
		if strings.HasPrefix(a.Amount, "+") || strings.HasPrefix(a.Amount, "-") {
			return "change the stock of " + item(a) + " by " + a.Amount
		}
		return "set the stock of " + item(a) + " to " + a.Amount
	}
	return doesElse(a, text)
}

func doesElse(a *rule.Action, text string) string {
	switch a.Do {
	case rule.DiscountCode:
		s := "make the viewer a discount code of " + a.Amount
		if a.Name != "" {
			s += " that begins with " + quote(a.Name)
		}
		if a.For > 0 {
			s += ", good for " + span(a.For) + ","
		}
		return s + " and say " + text
	case rule.Question:
		return "put " + text + " on the desk as a question"
	case rule.Marker:
		return "mark the stream with " + text
	case rule.DestinationOn:
		return "start the destination " + quote(a.Name)
	case rule.DestinationOff:
		return "stop the destination " + quote(a.Name)
	case rule.Slate:
		if a.On {
			return "show the slate"
		}
		return "take the slate away"
	case rule.GiveRole:
		return "give the viewer the Discord role " + quote(a.Name)
	case rule.TakeRole:
		return "take the Discord role " + quote(a.Name) + " from the viewer"
	case rule.Call:
		s := "call the webhook " + a.URL
		if a.Text != "" {
			s += " with " + text
		}
		return s
	case rule.Set:
		return "set " + a.Name + " to " + quote(a.Value)
	case rule.DeleteLine:
		return "delete the line"
	case rule.TimeOut:
		s := "time the viewer out for " + span(a.For)
		if a.Text != "" {
			s += " because of " + text
		}
		return s
	case rule.FulfilReward:
		return "mark the reward as fulfilled"
	case rule.RefundReward:
		return "give the points back"
	case rule.ShoutCreator:
		return "have the platform point at the creator"
	case rule.Stop:
		return "look at no further rules"
	}
	return "do something that is not chosen yet"
}

func item(a *rule.Action) string {
	if a.Item == 0 {
		return "the item"
	}
	return "item #" + strconv.Itoa(a.Item)
}

func with(a *rule.Action) string {
	var out []string
	if a.Picture != "" {
		out = append(out, "the picture "+a.Picture)
	}
	if a.Sound != "" {
		out = append(out, "the sound "+a.Sound)
	}
	if len(out) == 0 {
		return ""
	}
	return " with " + list(out, "and")
}

func channels(in []string) string {
	if len(in) == 0 {
		return "every chat"
	}
	out := make([]string, len(in))
	for i, s := range in {
		if out[i] = platform(chat.Platform(s)); strings.Contains(s, "/") {
			out[i] = "the channel " + s
		}
	}
	return list(out, "and")
}
