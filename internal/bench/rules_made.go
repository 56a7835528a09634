package bench

import (
	"fmt"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/rules/rule"
)

// benchRules are n rules as merchants have them. The first ten are those that fire now and then in the chat of a run; the others
// are of the same kinds, about things that are seldom talked of.
func benchRules(n int) []rule.Rule {
	all := []rule.Rule{
		{Name: "discord", When: rule.When{Event: rule.Command, Words: []string{"discord", "socials"}}, AtMost: rule.AtMost{ChannelCooldown: 10 * time.Second}, Then: says("{user}, our Discord: discord.example/ana")},
		{Name: "raffle", When: rule.When{Event: rule.Command, Words: []string{"raffle"}}, Only: rule.Only{Roles: []rule.Role{rule.Subscriber}}, Then: []rule.Action{{Do: rule.Set, Name: "raffle", Value: "counters.raffle + 1"}, {Do: rule.Reply, Text: "You are in, number {counters.raffle}."}}},
		{Name: "sellers of viewers", When: rule.When{Event: rule.Contains, Words: []string{"cheap viewers", "free followers", "buy followers", "best viewers"}}, Only: rule.Only{NotRoles: []rule.Role{rule.Moderator, rule.VIP, rule.Owner}}, Then: []rule.Action{{Do: rule.DeleteLine}}},
		{Name: "how much", When: rule.When{Event: rule.Matches, Pattern: `\bhow much\b|\bwhat'?s the price\b|\bcuánto cuesta\b`}, Only: rule.Only{Show: rule.ShowLive}, AtMost: rule.AtMost{ChannelCooldown: 20 * time.Second}, Then: says("{item} is {price}.")},
		{Name: "shipping", When: rule.When{Event: rule.Contains, Words: []string{"shipping", "versand", "postage"}}, Only: rule.Only{Expr: `len(text) > 12 and not subscriber`}, Then: says("We ship on Mondays.")},
		{Name: "first line", When: rule.When{Event: rule.FirstLine}, Only: rule.Only{Chance: 30}, Then: says("Welcome, {user}!")},
		{Name: "shady links", When: rule.When{Event: rule.Matches, Pattern: `(bit\.ly|tinyurl\.com)/\w+`}, Only: rule.Only{NotRoles: []rule.Role{rule.Moderator}}, Then: []rule.Action{{Do: rule.DeleteLine}, {Do: rule.TimeOut, For: time.Minute}}},
		{Name: "cheers", When: rule.When{Event: rule.Cheered}, Only: rule.Only{Amount: "50.."}, Then: []rule.Action{{Do: rule.ShoutOut, Text: "{user} cheered {amount}!"}}},
		{Name: "shouting", When: rule.When{Event: rule.Matches, Pattern: `[!?]{5,}`}, Only: rule.Only{Roles: []rule.Role{rule.Viewer}, NotRoles: []rule.Role{rule.VIP}}, AtMost: rule.AtMost{PersonCooldown: time.Minute}, Then: says("{user}, not so loud, please.")},
		{Name: "thanks", When: rule.When{Event: rule.OrderPaid}, Then: []rule.Action{{Do: rule.ShoutOut, Text: "{user} bought {item}!"}}},
	}
	for i := len(all); i < n; i++ {
		all = append(all, seldom(i))
	}
	for i := range all {
		all[i].ID = commerce.ID(i + 1)
	}
	return all[:n]
}

func says(text string) []rule.Action { return []rule.Action{{Do: rule.Reply, Text: text}} }

// word is a made-up word, another one for each number.
func word(n int) string {
	syllables := [...]string{"vel", "mo", "ra", "tar", "sin", "ku", "lo", "ben", "da", "fi", "gra", "shu", "pol", "ne", "wi", "zan"}
	out := ""
	for k := n*7 + 13; len(out) < 5 || k > 0; k /= len(syllables) {
		out += syllables[k%len(syllables)]
	}
	return out
}

// seldom is a rule about something that is seldom talked of.
func seldom(i int) rule.Rule {
	r := rule.Rule{Name: fmt.Sprintf("rule %d: %s", i, word(i)), Then: says("{user}: see the page about " + word(i) + ".")}
	switch i % 10 {
	case 0, 5:
		r.When = rule.When{Event: rule.Command, Words: []string{word(i), word(i) + "info"}}
		r.AtMost = rule.AtMost{PersonCooldown: 30 * time.Second}
	case 1:
		r.When = rule.When{Event: rule.Contains, Words: []string{word(i), "the " + word(i), word(i) + " please"}}
	case 2:
		r.When = rule.When{Event: rule.Contains, Words: []string{"where is my " + word(i), "i like the " + word(i)}}
		r.Only = rule.Only{Platforms: []chat.Platform{chat.Twitch}, NotRoles: []rule.Role{rule.Owner}}
	case 3:
		r.When = rule.When{Event: rule.Matches, Pattern: `\b(` + word(i) + `|` + word(i+1000) + `)s?\s+(sold|back|left)\b`}
	case 4:
		r.When = rule.When{Event: rule.Matches, Pattern: word(i) + `\W+\d{1,3}`}
		r.Only = rule.Only{From: "08:00", To: "23:00", Expr: `hasPrefix(lower(text), "is") or len(text) > 60`}
	case 6:
		r.When, r.Then = rule.When{Event: rule.HoldMade}, []rule.Action{{Do: rule.Say, Text: "{left} of {item} are left."}}
		r.Only = rule.Only{Items: []int{i}, Stock: "..3"}
	case 7:
		r.When = rule.When{Event: rule.Contains, Words: []string{word(i) + " " + word(i+1)}}
		r.Only, r.Then = rule.Only{Roles: []rule.Role{rule.Subscriber, rule.VIP}}, []rule.Action{{Do: rule.Question, Text: "{user}: {text}"}}
	case 8:
		r.When, r.Then = rule.When{Event: rule.Every, Every: time.Duration(10+i%40) * time.Minute}, []rule.Action{{Do: rule.Say, Text: "Have you seen " + word(i) + "?"}}
	case 9:
		r.When = rule.When{Event: rule.Redeemed, Title: word(i)}
	}
	return r
}
