// Package sentence reads a rule back as one English sentence, so that whoever made it hears what it does. Every field that is
// set is heard. It is pure.
package sentence

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"hawker/internal/chat"
	"hawker/rules/rule"
)

// Of is a rule as a sentence. A rule that is not finished reads as far as it goes.
func Of(r *rule.Rule) string {
	var b strings.Builder
	if r.Off {
		b.WriteString("(Off.) ")
	}
	b.WriteString("When " + When(&r.When))
	if c := Only(&r.Only); c != "" {
		b.WriteString(", only if " + c)
	}
	b.WriteString(", then ")
	if len(r.Then) == 0 {
		b.WriteString("do nothing yet")
	}
	for i := range r.Then {
		if i > 0 {
			b.WriteString("; then ")
		}
		b.WriteString(Action(&r.Then[i]))
	}
	if m := AtMost(&r.AtMost); m != "" {
		b.WriteString(", " + m)
	}
	return b.String() + "."
}

// list writes words for people: a, b or c.
func list(words []string, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + and + " " + words[len(words)-1]
}

func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = quote(w)
	}
	return out
}

func quote(s string) string { return "“" + s + "”" }

// named adds what something is called.
func named(title, what, called string) string {
	if title == "" {
		return what
	}
	return called + " " + quote(title)
}

// When is what a rule waits for, to stand behind "when".
func When(w *rule.When) string {
	switch w.Event {
	case rule.Command:
		words := make([]string, len(w.Words))
		for i, x := range w.Words {
			words[i] = "!" + x
		}
		return "somebody types " + list(words, "or")
	case rule.Contains:
		return "a line contains " + list(quoted(w.Words), "or")
	case rule.Matches:
		return "a line matches the pattern " + quote(w.Pattern)
	case rule.StockAt:
		return "an item's stock goes down to " + strconv.FormatInt(w.Left, 10)
	case rule.Every:
		return "a show has gone on for another " + span(w.Every)
	case rule.At:
		return "it is " + w.At
	case rule.AfterLines:
		return strconv.Itoa(w.Lines) + " lines were typed in a chat"
	case rule.Redeemed:
		return "somebody redeems " + named(w.Title, "channel points", "the reward")
	case rule.PollEnded:
		return named(w.Title, "a poll", "the poll") + " ends"
	case rule.DestinationDown:
		return named(w.Title, "a destination", "the destination") + " goes down"
	case rule.DestinationUp:
		return named(w.Title, "a destination", "the destination") + " comes back"
	case rule.Webhook:
		return "the webhook " + quote(w.Title) + " is called"
	}
	if s := Event(w.Event); s != "" {
		return s
	}
	return "something happens that is not chosen yet"
}

// Event is what happens, to stand behind "when", for an event of which a rule says nothing more; empty for the others.
func Event(e rule.Event) string {
	switch e {
	case rule.FirstLine:
		return "a viewer types for the first time in a show"
	case rule.Subscribed:
		return "somebody subscribes"
	case rule.Resubscribed:
		return "somebody renews a subscription"
	case rule.Gifted:
		return "somebody gives subscriptions away"
	case rule.Cheered:
		return "somebody cheers with bits"
	case rule.SuperChat:
		return "somebody sends a Super Chat"
	case rule.Membership:
		return "somebody becomes or stays a member"
	case rule.Followed:
		return "somebody follows"
	case rule.Raided:
		return "another creator raids the channel"
	case rule.Entered:
		return "somebody joins the Discord server"
	case rule.ItemOnAir:
		return "an item goes on air"
	case rule.HoldMade:
		return "something is held"
	case rule.ReminderDue:
		return "a hold is about to end"
	case rule.HoldExpired:
		return "a hold's time is up"
	case rule.Promoted:
		return "a place in line becomes a hold"
	case rule.OrderPaid:
		return "an order is paid"
	case rule.OrderCancelled:
		return "an order is cancelled"
	case rule.OrderRefunded:
		return "an order is refunded"
	case rule.SoldOut:
		return "an item is sold out"
	case rule.ShowStarted:
		return "a show starts"
	case rule.ShowEnded:
		return "a show ends"
	case rule.StreamUp:
		return "the stream comes up"
	case rule.StreamDown:
		return "the stream goes down"
	case rule.AdBreak:
		return "an ad break begins"
	case rule.AdBreakOver:
		return "an ad break is over"
	}
	return ""
}

// bound is a bound in words, behind what is counted.
func bound(b rule.Bound) string {
	from, to, two := strings.Cut(string(b), "..")
	switch {
	case !two:
		return "exactly " + from
	case to == "":
		return "at least " + from
	case from == "":
		return "at most " + to
	}
	return "from " + from + " to " + to
}

func texts[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

func roles(in []rule.Role) string {
	out := texts(in)
	for i, s := range out {
		switch {
		case s == string(rule.VIP):
			out[i] = "a VIP"
		case strings.HasPrefix(s, "o"):
			out[i] = "an " + s
		default:
			out[i] = "a " + s
		}
	}
	return list(out, "or")
}

func platforms(in []chat.Platform) string {
	out := make([]string, len(in))
	for i, p := range in {
		out[i] = platform(p)
	}
	return list(out, "or")
}

func platform(p chat.Platform) string {
	if p == chat.Room {
		return "the live room"
	}
	return p.Title()
}

// Only are the conditions, to stand behind "only if"; empty when there are none.
func Only(c *rule.Only) string {
	var out []string
	add := func(set bool, s string) {
		if set {
			out = append(out, s)
		}
	}
	add(len(c.Platforms) > 0, "it is on "+platforms(c.Platforms))
	add(len(c.Roles) > 0, "the viewer is "+roles(c.Roles))
	add(len(c.NotRoles) > 0, "the viewer is not "+roles(c.NotRoles))
	add(c.FirstBuyer == rule.Yes, "the person never bought here before")
	add(c.FirstBuyer == rule.No, "the person bought here before")
	add(c.Bought != "", "the person paid "+bound(c.Bought)+" orders before")
	add(c.Spent != "", "the person spent "+bound(c.Spent)+" before")
	add(c.Show == rule.ShowNone, "no show is live")
	add(c.Show != "" && c.Show != rule.ShowNone, "the show is "+string(c.Show))
	items := make([]string, len(c.Items))
	for i, n := range c.Items {
		items[i] = "#" + strconv.Itoa(n)
	}
	add(len(c.Items) > 0, "it is about item "+list(items, "or"))
	add(len(c.Tags) > 0, "the item is tagged "+list(quoted(c.Tags), "or"))
	add(c.Stock != "", bound(c.Stock)+" pieces are left")
	add(c.Amount != "", "the amount is "+bound(c.Amount))
	add(c.Months != "", "the viewer has subscribed for "+bound(c.Months)+" months")
	switch {
	case c.From != "" && c.To != "":
		out = append(out, "it is between "+c.From+" and "+c.To)
	case c.From != "":
		out = append(out, "it is "+c.From+" or later")
	case c.To != "":
		out = append(out, "it is before "+c.To)
	}
	days := make([]string, len(c.Days))
	for i, d := range c.Days {
		days[i] = day(d)
	}
	add(len(c.Days) > 0, "it is "+list(days, "or"))
	add(c.Expr != "", quote(c.Expr)+" holds")
	add(c.Chance > 0, "a chance of "+strconv.Itoa(c.Chance)+" in 100 comes")
	return list(out, "and")
}

func day(d rule.Day) string {
	for i, x := range rule.Days() {
		if x == d {
			return time.Weekday((i + 1) % 7).String()
		}
	}
	return string(d)
}

// AtMost is how often, behind the actions; empty when there is no bound.
func AtMost(a *rule.AtMost) string {
	var out []string
	for _, x := range []struct {
		n     int
		whose string
	}{{a.PerPerson, "per person a show"}, {a.PerChannel, "per channel a show"}, {a.PerShow, "a show"}} {
		if x.n > 0 {
			out = append(out, times(x.n)+" "+x.whose)
		}
	}
	s := ""
	if len(out) > 0 {
		s = "at most " + list(out, "and")
	}
	out = nil
	for _, x := range []struct {
		d     time.Duration
		whose string
	}{{a.PersonCooldown, " for the same person"}, {a.ChannelCooldown, " in the same channel"}, {a.ShowCooldown, ""}} {
		if x.d > 0 {
			out = append(out, "not again within "+span(x.d)+x.whose)
		}
	}
	if s != "" && len(out) > 0 {
		s += ", "
	}
	return s + list(out, "and")
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return strconv.Itoa(n) + " times"
}

// span is a length of time in words.
func span(d time.Duration) string {
	var out []string
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		n := d / u.d
		if d -= n * u.d; n == 1 {
			out = append(out, "1 "+u.name)
		} else if n > 1 {
			out = append(out, fmt.Sprintf("%d %ss", n, u.name))
		}
	}
	return list(out, "and")
}
