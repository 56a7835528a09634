package demo

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify/shopifysim"
	"hawker/internal/demo/crowd"
)

// good is an item of the show.
type good struct {
	crowd.Item
	sku      string // of its first variant
	limit    int    // pieces for one person
	price    string // in this show, empty for the shop's
	options  []string
	variants []shopifysim.Variant
}

// rare is the number of the item of which there are only a few: it shows what a line is like.
const rare = 6

// goods are what the show sells, in the order of showing. Item 3, which the page invites to buy, comes first and has one
// kind and plenty of pieces; it costs what the tag in the camera's picture says.
func goods() []good {
	out := []good{
		{Item: crowd.Item{Number: 3, Noun: "mug"}, sku: "MUG-1", limit: 3, price: "12.00"},
		{Item: crowd.Item{Number: 4, Noun: "plate"}, sku: "PLATE-1", limit: 4},
		{Item: crowd.Item{Number: 5, Noun: "bowl"}, sku: "BOWL-NOODLE", limit: 2},
		{Item: crowd.Item{Number: rare, Noun: "vase"}, sku: "VASE-1", limit: 1},
		{Item: crowd.Item{Number: 1, Noun: "cup"}, sku: "CUP-OAT", limit: 4},
		{Item: crowd.Item{Number: 2, Noun: "bowl"}, sku: "BOWL-OAT", limit: 2},
	}
	shelf := shopifysim.Ceramics()
	for i := range out {
		g := &out[i]
		for _, p := range shelf {
			if !slices.ContainsFunc(p.Variants, func(v shopifysim.Variant) bool { return v.SKU == g.sku }) {
				continue
			}
			g.Title, g.options, g.variants = p.Title, p.Options, p.Variants
			for _, v := range p.Variants {
				if len(v.Options) > 0 {
					g.Variants = append(g.Variants, strings.Join(v.Options, " "))
				}
			}
		}
	}
	return out
}

// styles are the forms of claims that the show allows without a command sign.
func styles() commerce.Styles { return commerce.Styles{Boutique: true, Plus: true} }

// lineup is the show's as the hub has it, by which the stopwatch knows what is a claim.
func lineup() *commerce.Lineup {
	l := &commerce.Lineup{OnAir: goods()[0].Number, Styles: styles()}
	id := commerce.ID(1)
	for _, g := range goods() {
		it := commerce.Item{Number: g.Number, Product: commerce.Product{Title: g.Title, Options: g.options}}
		for _, v := range g.variants {
			it.Product.Variants = append(it.Product.Variants, commerce.Variant{ID: id, SKU: v.SKU, Options: v.Options})
			id++
		}
		l.Items = append(l.Items, it)
	}
	return l
}

// Setup is the set-up file of the market that the stand-ins make up, and what the environment variables hold that it
// names.
func (d *Demo) Setup() (yaml []byte, env map[string]string) {
	env = map[string]string{
		"DEMO_SHOP_TOKEN": "shpat_sim", "DEMO_OWNER_TOKEN": d.owner.Access, "DEMO_OWNER_REFRESH": d.owner.Refresh, "DEMO_BOT_TOKEN": d.bot.Access,
		"DEMO_BOT_REFRESH": d.bot.Refresh, "DEMO_YOUTUBE_TOKEN": d.google[0], "DEMO_YOUTUBE_REFRESH": d.google[1], "DEMO_INGEST_KEY": d.ingestKey,
		"DEMO_A_KEY": d.keys[0], "DEMO_B_KEY": d.keys[1],
	}
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# The market of hawker demo. A real one looks the same: see the documentation of hawker apply.")
	line("merchant: {name: Ana's Ceramics, currency: EUR, timezone: %s, language: en, practice: true}", zone())
	line("members: [{email: ana@example.test, role: owner}]")
	line("store: {kind: shopify, shop: demo.myshopify.com, token_env: DEMO_SHOP_TOKEN, holds: draft}")
	line("channels:")
	line("  - {platform: twitch, id: %q, name: %s, owner: {token_env: DEMO_OWNER_TOKEN, refresh_env: DEMO_OWNER_REFRESH},", ownerID, ownerLogin)
	line("     bot: {id: %q, name: %s, token_env: DEMO_BOT_TOKEN, refresh_env: DEMO_BOT_REFRESH}}", botID, botLogin)
	line("  - {platform: youtube, id: %s, name: %q, owner: {token_env: DEMO_YOUTUBE_TOKEN, refresh_env: DEMO_YOUTUBE_REFRESH}}", youtubeID, youtubeName)
	line("  - {platform: discord, id: %q, name: \"#live-sale\", guild: %q}", discordID, guildID)
	line("shows:")
	line("  - name: %s", showName)
	line("    title: Spring kiln")
	line("    live: true")
	line("    hold: 5m")
	line("    styles: [boutique, plus]")
	line("    channels: [twitch/%s, youtube/%s, discord/%s]", ownerID, youtubeID, discordID)
	line("    lineup:")
	for _, g := range goods() {
		price := ""
		if g.price != "" {
			price = ", price: " + g.price
		}
		line("      - {number: %d, sku: %s, cap: %d%s} # %s", g.Number, g.sku, g.limit, price, g.Title)
	}
	line("    ingest: {key_env: DEMO_INGEST_KEY}")
	line("    destinations:")
	for i, name := range []string{"A", "B"} {
		line("      - {name: Platform %s, server: %q, key_env: DEMO_%s_KEY}", name, "rtmp://"+d.rtmp[i]+"/app", name)
	}
	line("rules:")
	line("  - {name: Thank buyers, when: order paid, then: [{shout-out: %s}]}", strconv.Quote(crowd.BoughtText))
	line("  - {name: Say what is on air, when: item on air, then: [{say: %s}]}", strconv.Quote(crowd.OnAirText))
	return b.Bytes(), env
}

// zone is this machine's time zone by its IANA name, so that "held until 18:05" is the time on the newcomer's wall; UTC
// when it cannot be told.
func zone() string {
	name := os.Getenv("TZ")
	if name == "" {
		if to, err := os.Readlink("/etc/localtime"); err == nil {
			_, name, _ = strings.Cut(to, "zoneinfo/")
		}
	}
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return "UTC"
	}
	return name
}
