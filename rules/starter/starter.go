// Package starter holds the rules that a new merchant begins with, and templates of rules for what many want. The commands,
// answers and reminders of the hub itself are no rules: they work without any.
package starter

import (
	"time"

	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/rules/rule"
)

// Rules are what a merchant has who never wrote any: thanks for an order, a note when few pieces are left, a welcome for raids.
// tag is the merchant's language. Their ids are 1, 2 and 3 for ever.
func Rules(tag string) []rule.Rule {
	w := lang.For(tag)
	return []rule.Rule{
		{ID: 1, Name: "Thank buyers", When: rule.When{Event: rule.OrderPaid}, Then: []rule.Action{{Do: rule.ShoutOut, Text: w.Bought}}},
		{ID: 2, Name: "Few left", When: rule.When{Event: rule.StockAt, Left: 3}, Only: rule.Only{Show: rule.ShowLive}, Then: []rule.Action{{Do: rule.Say, Text: w.RuleLow}}},
		{
			ID: 3, Name: "Welcome raids", When: rule.When{Event: rule.Raided}, Then: []rule.Action{{Do: rule.Say, Text: w.RuleRaid, Channels: []string{string(chat.Twitch)}}},
			AtMost: rule.AtMost{PersonCooldown: time.Hour},
		},
	}
}

// Template is a rule to begin with. Key stays, Title and About are for the page.
type Template struct {
	Key, Title, About string
	Rule              rule.Rule
}

// Templates are the templates, in the order in which the page offers them.
func Templates(tag string) []Template {
	w := lang.For(tag)
	day := 24 * time.Hour
	return []Template{
		{
			"first-buyer", "First-buyer discount", "Who types !welcome and never bought here before gets a code of 10 %, good for a day. Each person gets one a show.",
			rule.Rule{
				Name: "First-buyer discount", When: rule.When{Event: rule.Command, Words: []string{"welcome"}}, Only: rule.Only{FirstBuyer: rule.Yes, Show: rule.ShowLive},
				Then:   []rule.Action{{Do: rule.DiscountCode, Amount: "10%", For: day, Name: "WELCOME", Text: w.RuleDiscount}},
				AtMost: rule.AtMost{PerPerson: 1},
			},
		},
		{
			"early-access", "Sub-only early access", "Subscribers and VIPs claim the item on air by !early. Keep the item closed for the others (!close 3), and open it to all when you like (!open 3).",
			rule.Rule{
				Name: "Early access", When: rule.When{Event: rule.Command, Words: []string{"early"}}, Only: rule.Only{Roles: []rule.Role{rule.Subscriber, rule.VIP}, Show: rule.ShowLive},
				Then: []rule.Action{{Do: rule.Claim, Quantity: 1}}, AtMost: rule.AtMost{PersonCooldown: 3 * time.Second},
			},
		},
		{
			"raid-code", "Raid code", "When another creator raids you with five viewers or more, everybody in the chat gets a code of 10 % for an hour.",
			rule.Rule{
				Name: "Raid code", When: rule.When{Event: rule.Raided}, Only: rule.Only{Amount: "5..", Show: rule.ShowLive},
				Then:   []rule.Action{{Do: rule.DiscountCode, Amount: "10%", For: time.Hour, Name: "RAID", Text: w.RuleRaidCode}},
				AtMost: rule.AtMost{PersonCooldown: day, ShowCooldown: 10 * time.Minute},
			},
		},
		{
			"shop-list", "Hourly shop list", "Says once an hour what is on sale, while a show is live.",
			rule.Rule{Name: "Shop list", When: rule.When{Event: rule.Every, Every: time.Hour}, Only: rule.Only{Show: rule.ShowLive}, Then: []rule.Action{{Do: rule.Say, Text: w.RuleShop}}},
		},
		{
			"spam-guard", "Spam guard", "Deletes lines that sell followers and viewers, and times their authors out for ten minutes. Subscribers, VIPs and moderators are left alone.",
			rule.Rule{
				Name: "Spam guard",
				When: rule.When{Event: rule.Contains, Words: []string{
					"buy followers", "cheap followers", "free followers", "buy viewers", "cheap viewers", "best viewers", "promo your channel", "grow your channel", "become famous",
				}},
				Only: rule.Only{NotRoles: []rule.Role{rule.Subscriber, rule.VIP, rule.Moderator, rule.Owner}},
				Then: []rule.Action{{Do: rule.DeleteLine}, {Do: rule.TimeOut, For: 10 * time.Minute, Text: w.RuleSpam}, {Do: rule.Stop}},
			},
		},
		{
			"question-desk", "Question desk", "Puts lines that end with a question mark on your desk, so that none is lost in the chat. One a minute from each viewer.",
			rule.Rule{
				Name: "Question desk", When: rule.When{Event: rule.Matches, Pattern: `\w.*\?[ !?]*$`},
				Only: rule.Only{NotRoles: []rule.Role{rule.Moderator, rule.Owner}, Show: rule.ShowLive},
				Then: []rule.Action{{Do: rule.Question, Text: "{text}"}}, AtMost: rule.AtMost{PersonCooldown: time.Minute},
			},
		},
		{
			"buyer-role", "Thank-you role in Discord", "Who pays an order and came from Discord gets the role Customer there. Make the role first, below the bot's own.",
			rule.Rule{
				Name: "Customer role", When: rule.When{Event: rule.OrderPaid}, Only: rule.Only{Platforms: []chat.Platform{chat.Discord}},
				Then: []rule.Action{{Do: rule.GiveRole, Name: "Customer"}},
			},
		},
	}
}
