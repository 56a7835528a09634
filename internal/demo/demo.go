// Package demo is a whole market on one machine, for who wants to see hawker work before giving it an account of anything:
// pretend chats of Twitch, YouTube and Discord, a pretend shop, two pretend video platforms, an audience, a camera, and
// the page to watch and play. The hub itself is the real one, and knows these stand-ins only by their addresses.
//
// Goroutines: those of the simulators (Start, ended by Close); one for each watched chat, the crowd's and its payments,
// the camera, the stockroom and the clock of the figures (Run, which waits for them); one for each page that is open (its
// request's).
package demo

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"hawker/connectors/discord/discordsim"
	"hawker/connectors/shopify/shopifysim"
	"hawker/connectors/twitch"
	"hawker/connectors/twitch/twitchsim"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
	"hawker/internal/demo/clip"
	"hawker/internal/demo/crowd"
	"hawker/internal/lang"
	"hawker/internal/live"
	"hawker/relay/rtmpsim"
	"hawker/web/ui"
)

//go:embed page
var pageFiles embed.FS

// Who is who on the pretend platforms.
const (
	ownerID, ownerLogin, ownerName = "1001", "ana", "Ana"
	botID, botLogin, botName       = "2002", "hawkerbot", "HawkerBot"
	youtubeID, youtubeName         = "UCana0000000000000000000", "Ana's Ceramics"
	guildID, discordID             = "3003", "4004"
	appID                          = "7001"
	showName                       = "spring"
)

// The credentials of the pretend platforms. They open nothing else.
const (
	clientID, clientSecret = "demo-client", "demo-secret"
	shopSecret             = "demo-shop-secret"
	discordToken           = "demo-bot-token"
)

// dailyUnits is the quota of the pretend Google project: the demo must not end after the hour that a real one pays for. The
// hub's own meter needs it too (quota.NewMeter), or it saves what need not be saved.
const dailyUnits = 10_000_000

// Demo is the running stand-ins and what is seen of them.
type Demo struct {
	log     *slog.Logger
	twitch  *twitchsim.Sim
	youtube *youtubesim.Sim
	discord *discordsim.Sim
	shop    *shopifysim.Sim
	ingests [2]*rtmpsim.Sim
	kit     *ui.Kit

	irc, web   string // addresses of the pretend Twitch
	rtmp       [2]string
	keys       [2]string
	ingestKey  string
	bot, owner twitchsim.Token
	google     [2]string // access and refresh token
	serving    sync.WaitGroup
	board      *board
	stopwatch  *stopwatch
	crowd      *crowd.Crowd
	says       *rate.Limiter
}

// House is the hub, as the demo knows it.
type House struct {
	// Public is where the hub's pages are, without a final slash.
	Public string
	// IngestServer (rtmp://host:port/app) and IngestKey are where the camera sends to. An empty key means that of Setup.
	IngestServer, IngestKey string
	// Room, Overlay and Dashboard are addresses or paths of the hub's pages; the page leaves out links to empty ones.
	Room, Overlay, Dashboard string
	// Timing are the hub's own figures; nil shows none.
	Timing func(ctx context.Context) (live.Timings, error)
	// HTTP is what the crowd opens receipts with; nil is a client of its own.
	HTTP *http.Client
}

// Start starts the stand-ins on free ports of 127.0.0.1. Close ends them.
func Start(ctx context.Context, log *slog.Logger) (_ *Demo, err error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	d := &Demo{log: log, board: newBoard(), says: rate.NewLimiter(10, 20), keys: [2]string{"platform-a-key", "platform-b-key"}, ingestKey: "demo-ingest-key"}
	d.stopwatch = newStopwatch()
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	listen := func() (l net.Listener) {
		if err == nil {
			l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		}
		return l
	}
	var ls [7]net.Listener
	for i := range ls {
		if ls[i] = listen(); err != nil {
			for _, l := range ls[:i] {
				_ = l.Close()
			}
			return nil, fmt.Errorf("pretend platforms: %w", err)
		}
	}
	d.startTwitch(ls[0], ls[1])
	d.youtube = youtubesim.New(youtubesim.Config{
		Channels: []youtubesim.Channel{{ID: youtubeID, Title: youtubeName, Live: true}}, ClientID: clientID, ClientSecret: clientSecret, DailyUnits: dailyUnits,
	})
	d.youtube.Start(ls[2])
	d.google[0], d.google[1], _ = d.youtube.Grant(youtubeID)
	d.discord = discordsim.New(discordsim.Config{
		Token: discordToken, AppID: appID, BotName: "hawker", ClientSecret: clientSecret,
		Guilds: []discordsim.Guild{{ID: guildID, Name: "Ana's Studio", Owner: "3000", Channels: []discordsim.Channel{{ID: discordID, Name: "live-sale"}}}},
	})
	d.discord.Start(ls[3])
	d.shop = shopifysim.New(shopifysim.Options{
		ClientID: clientID, ClientSecret: shopSecret, HTTP: &http.Client{Transport: &tap{to: &http.Transport{MaxIdleConnsPerHost: 8}, paid: d.stopwatch.paid}},
	})
	d.shop.Start(ls[4])
	for i := range d.ingests {
		s := &rtmpsim.Sim{Watch: true}
		s.Accept(d.keys[i])
		d.ingests[i], d.rtmp[i] = s, ls[5+i].Addr().String()
		d.serving.Go(func() { _ = s.Serve(ls[5+i]) })
	}
	files, err := fs.Sub(pageFiles, "page/static")
	if err != nil {
		return nil, err
	}
	if d.kit, err = ui.New(ui.Options{Static: []fs.FS{files}, Log: log}); err != nil {
		return nil, err
	}
	d.crowd = d.newCrowd()
	return d, nil
}

func (d *Demo) startTwitch(irc, web net.Listener) {
	d.twitch = twitchsim.New(twitchsim.Options{ClientID: clientID, ClientSecret: clientSecret})
	d.twitch.AddUser(twitchsim.User{ID: ownerID, Login: ownerLogin, Name: ownerName})
	d.twitch.AddUser(twitchsim.User{ID: botID, Login: botLogin, Name: botName})
	d.twitch.Mod(ownerID, botID, true) // as a shop does: Twitch lets moderators speak faster
	d.bot, d.owner = d.twitch.Grant(botID, twitch.BotScopes()...), d.twitch.Grant(ownerID, twitch.BroadcasterScopes()...)
	d.twitch.Start(irc, web)
	d.irc, d.web = irc.Addr().String(), web.Addr().String()
}

// Close ends the stand-ins and every stream of the page, and waits for them.
func (d *Demo) Close() {
	d.board.close()
	if d.twitch != nil {
		d.twitch.Close()
	}
	if d.youtube != nil {
		d.youtube.Close()
	}
	if d.discord != nil {
		d.discord.Close()
	}
	if d.shop != nil {
		d.shop.Close()
	}
	for _, s := range d.ingests {
		if s != nil {
			s.Close()
		}
	}
	d.serving.Wait()
	if d.kit != nil {
		d.kit.Close()
	}
}

// Settings point a hub at the stand-ins, by the names of its environment variables.
func (d *Demo) Settings() map[string]string {
	return map[string]string{
		"HAWKER_GOOGLE_DAILY_UNITS": strconv.Itoa(dailyUnits),
		"HAWKER_TWITCH_API_URL":     "http://" + d.web + "/helix", "HAWKER_TWITCH_AUTH_URL": "http://" + d.web + "/oauth2", "HAWKER_TWITCH_IRC_URL": "irc://" + d.irc,
		"HAWKER_TWITCH_EVENTSUB_URL": "ws://" + d.web + "/ws",
		"HAWKER_TWITCH_CLIENT_ID":    clientID, "HAWKER_TWITCH_CLIENT_SECRET": clientSecret,
		"HAWKER_YOUTUBE_API_URL": d.youtube.URL() + "/", "HAWKER_GOOGLE_AUTH_URL": d.youtube.AuthURL(), "HAWKER_GOOGLE_TOKEN_URL": d.youtube.TokenURL(),
		"HAWKER_GOOGLE_REVOKE_URL": d.youtube.RevokeURL(), "HAWKER_GOOGLE_CLIENT_ID": clientID, "HAWKER_GOOGLE_CLIENT_SECRET": clientSecret,
		"HAWKER_DISCORD_API_URL": d.discord.URL() + "/", "HAWKER_DISCORD_AUTH_URL": d.discord.AuthURL(), "HAWKER_DISCORD_BOT_TOKEN": discordToken,
		"HAWKER_DISCORD_CLIENT_ID": appID, "HAWKER_DISCORD_CLIENT_SECRET": clientSecret,
		"HAWKER_SHOPIFY_URL": d.shop.URL(), "HAWKER_SHOPIFY_CLIENT_ID": clientID, "HAWKER_SHOPIFY_CLIENT_SECRET": shopSecret,
		"HAWKER_ALLOW_PRIVATE_TARGETS": "true",
	}
}

// ShopURL is where the pretend shop's pages are.
func (d *Demo) ShopURL() string { return d.shop.URL() }

// Run watches the chats, lets the crowd in and the camera run until ctx ends; then all of it has ended.
func (d *Demo) Run(ctx context.Context, h House) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	d.crowd.Receipts = h.Public + "/c/"
	d.crowd.Pay = (&crowd.Shopper{HTTP: h.HTTP}).Pay
	lines, stop := d.twitch.Watch(ownerID)
	wg.Go(func() {
		for l := range lines {
			d.sawTwitch(l)
		}
	})
	wg.Go(func() { d.youtube.Watch(ctx, youtubeID, d.sawYouTube) })
	wg.Go(func() { d.discord.Watch(ctx, discordID, d.sawDiscord) })
	wg.Go(func() { d.film(ctx, h) })
	wg.Go(func() { d.keepStock(ctx) })
	wg.Go(func() { d.measure(ctx, h) })
	wg.Go(func() { d.crowd.Run(ctx) })
	<-ctx.Done()
	stop()
	d.board.close()
	return nil
}

// film keeps the camera on. The hub's ingest may not listen yet, or drop us: then it is tried again.
func (d *Demo) film(ctx context.Context, h House) {
	key := h.IngestKey
	if key == "" {
		key = d.ingestKey
	}
	for wait := time.Second; ctx.Err() == nil && h.IngestServer != ""; {
		began := time.Now()
		if err := clip.Publish(ctx, h.IngestServer, key, nil); err != nil {
			d.log.DebugContext(ctx, "camera", "err", err)
		}
		if time.Since(began) > time.Minute {
			wait = time.Second
		}
		rest(ctx, wait)
		wait = min(2*wait, 15*time.Second)
	}
}

func rest(ctx context.Context, wait time.Duration) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// What the stockroom does: an item that the shop has fewer than low of is filled up.
const (
	stockEvery = 5 * time.Second
	stockLow   = 3
	stockMore  = 12
)

// keepStock fills up what runs low in the shop, so that the demo never ends for want of goods.
func (d *Demo) keepStock(ctx context.Context) {
	for ctx.Err() == nil {
		for _, g := range goods() {
			for _, v := range g.variants {
				if s, ok := d.shop.Stock(v.SKU); ok && s.Available < stockLow && g.Number != rare {
					d.put(v.SKU, s.Available+stockMore)
				}
			}
		}
		rest(ctx, stockEvery)
	}
}

func (d *Demo) put(sku string, n int64) {
	if err := d.shop.SetStock(sku, n); err != nil {
		d.log.Warn("demo: shelf not filled", "sku", sku, "err", err)
	}
}

// restock puts more of an item on the shelf: all were held, or sold.
func (d *Demo) restock(number int) {
	for _, g := range goods() {
		if g.Number != number {
			continue
		}
		more := int64(stockMore)
		if number == rare {
			more = 1
		}
		for _, v := range g.variants {
			if s, ok := d.shop.Stock(v.SKU); ok {
				d.put(v.SKU, s.Available+more)
			}
		}
	}
}

func (d *Demo) newCrowd() *crowd.Crowd {
	c := &crowd.Crowd{Seed: uint64(time.Now().UnixNano()), Log: d.log, Restock: d.restock}
	for _, g := range goods() {
		c.Items = append(c.Items, g.Item)
	}
	c.Say = func(p chat.Platform, v crowd.Viewer, text string) string { return d.say(p, v, text) }
	c.Slash = func(v crowd.Viewer, text string) bool {
		d.stopwatch.ask(chat.Discord, asked{"", v.ID, lang.Name(v.Name), time.Now()})
		_, err := d.discord.Use(discordID, discordViewer(v), text)
		return err == nil
	}
	c.Host = func(text string) {
		d.twitch.Type(ownerID, twitchsim.User{ID: ownerID, Login: ownerLogin, Name: ownerName}, text)
	}
	return c
}

func discordViewer(v crowd.Viewer) discordsim.Viewer {
	return discordsim.Viewer{ID: v.ID, Name: strings.ToLower(strings.ReplaceAll(v.Name, " ", "_")), Global: v.Name}
}

// say has a viewer type a line, and returns its id.
func (d *Demo) say(p chat.Platform, v crowd.Viewer, text string) string {
	switch p {
	case chat.Twitch:
		return d.twitch.Type(ownerID, twitchsim.User{ID: v.ID, Name: v.Name}, text)
	case chat.YouTube:
		return d.youtube.Type(youtubeID, youtubesim.Viewer{ID: v.ID, Name: v.Name}, text)
	case chat.Discord:
		return d.discord.Type(discordID, discordViewer(v), text)
	}
	return ""
}
