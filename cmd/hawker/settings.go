package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"hawker/relay/room"
)

// settings are what `hawker serve` can be told, by flag, by environment or by a file of NAME=value lines.
type settings struct {
	Listen    string `env:"HAWKER_LISTEN" default:"127.0.0.1:8080" help:"Address of the web pages."`
	PublicURL string `env:"HAWKER_PUBLIC_URL" placeholder:"https://shop.example" help:"Where people reach the pages: used in chat links and sign-in redirects. Default: http on the listening address."`
	Data      string `env:"HAWKER_DATA" default:"./hawker-data" help:"Folder for the database, the sealing key and recordings."`
	Key       string `env:"HAWKER_KEY" placeholder:"BASE64" help:"The sealing key, 32 bytes in base64 or hex. Default: hawker.key in the data folder, made on first start."`

	DatabaseURL string   `env:"HAWKER_DATABASE_URL" placeholder:"postgres://..." help:"PostgreSQL instead of SQLite in the data folder. Needs --nats-url as well."`
	NATSURL     string   `name:"nats-url" env:"HAWKER_NATS_URL" placeholder:"nats://a,b,c" help:"NATS servers instead of the built-in one. Needs --database-url as well."`
	Proxies     []string `env:"HAWKER_PROXIES" placeholder:"CIDR" help:"Networks of web servers in front, whose X-Forwarded-For is believed; loopback always is."`
	Node        string   `env:"HAWKER_NODE" help:"This node's name. Default: the host name."`

	RTMPListen          string `name:"rtmp-listen" env:"HAWKER_RTMP_LISTEN" default:"127.0.0.1:1935" help:"Address of the video ingest."`
	RTMPSListen         string `name:"rtmps-listen" env:"HAWKER_RTMPS_LISTEN" placeholder:"HOST:PORT" help:"Address of the encrypted video ingest. Needs --rtmps-cert and --rtmps-key as well."`
	RTMPSCert           string `name:"rtmps-cert" env:"HAWKER_RTMPS_CERT" placeholder:"FILE" help:"Its certificate with the chain, PEM, which may be the web server's. It is read anew when it was renewed."`
	RTMPSKey            string `name:"rtmps-key" env:"HAWKER_RTMPS_KEY" placeholder:"FILE" help:"The certificate's private key, PEM."`
	AllowPrivateTargets bool   `env:"HAWKER_ALLOW_PRIVATE_TARGETS" help:"Let destinations be on loopback or private addresses (tests, a LAN)."`
	RelayProcess        string `name:"relay-process" env:"HAWKER_RELAY_PROCESS" default:"own" placeholder:"own|inside" help:"Where the video relay runs: in a process of its own, which goes on when the hub does not, or inside the hub."`
	RoomViewers         int    `env:"HAWKER_ROOM_VIEWERS" default:"0" help:"How many may watch in live rooms at once; 0 does not bound them."`
	RoomMbit            int    `env:"HAWKER_ROOM_MBIT" default:"200" help:"How much video is sent to live rooms, in Mbit/s; 0 does not bound it."`
	RecordGB            int    `name:"record-gb" env:"HAWKER_RECORD_GB" default:"20" help:"Room for each merchant's recordings, in GB; the oldest are deleted to make room. 0 records nothing."`
	RecordFreeGB        int    `name:"record-free-gb" env:"HAWKER_RECORD_FREE_GB" default:"2" help:"Nothing is recorded while the disk has less free than this, in GB."`
	LogJSON             bool   `name:"log-json" env:"HAWKER_LOG_JSON" help:"Log JSON even on a terminal."`
	MetricsToken        string `env:"HAWKER_METRICS_TOKEN" placeholder:"TOKEN" help:"Lets /metrics be read from elsewhere than this machine, with this bearer token."`

	Twitch  twitchSettings  `embed:"" prefix:"twitch-"`
	YouTube youtubeSettings `embed:""`
	Discord discordSettings `embed:"" prefix:"discord-"`
	Shopify shopifySettings `embed:"" prefix:"shopify-"`
}

type twitchSettings struct {
	ClientID     string `env:"HAWKER_TWITCH_CLIENT_ID" placeholder:"ID" help:"The operator's Twitch app."`
	ClientSecret string `env:"HAWKER_TWITCH_CLIENT_SECRET" placeholder:"SECRET" help:"Its secret."`
	APIURL       string `name:"api-url" env:"HAWKER_TWITCH_API_URL" default:"https://api.twitch.tv/helix" help:"Where Helix is."`
	AuthURL      string `name:"auth-url" env:"HAWKER_TWITCH_AUTH_URL" default:"https://id.twitch.tv/oauth2" help:"Where signing in is."`
	IRCURL       string `name:"irc-url" env:"HAWKER_TWITCH_IRC_URL" default:"ircs://irc.chat.twitch.tv:6697" help:"Where chat is read (irc:// for plain)."`
	IngestURL    string `name:"ingest-url" env:"HAWKER_TWITCH_INGEST_URL" default:"https://ingest.twitch.tv/ingests" help:"Where the servers that take video are listed."`
	EventSubURL  string `name:"eventsub-url" env:"HAWKER_TWITCH_EVENTSUB_URL" default:"wss://eventsub.wss.twitch.tv/ws" help:"Where events beside chat are told (ws:// for plain)."`
}

type youtubeSettings struct {
	ClientID     string `name:"google-client-id" env:"HAWKER_GOOGLE_CLIENT_ID" placeholder:"ID" help:"The operator's Google project."`
	ClientSecret string `name:"google-client-secret" env:"HAWKER_GOOGLE_CLIENT_SECRET" placeholder:"SECRET" help:"Its secret."`
	DailyUnits   int    `name:"google-daily-units" env:"HAWKER_GOOGLE_DAILY_UNITS" default:"10000" help:"The project's YouTube quota a day, in units; Google raises it on request."`
	APIURL       string `name:"youtube-api-url" env:"HAWKER_YOUTUBE_API_URL" default:"https://youtube.googleapis.com/" help:"Where the Data API is."`
	AuthURL      string `name:"google-auth-url" env:"HAWKER_GOOGLE_AUTH_URL" default:"https://accounts.google.com/o/oauth2/v2/auth" help:"Where signing in is."`
	TokenURL     string `name:"google-token-url" env:"HAWKER_GOOGLE_TOKEN_URL" default:"https://oauth2.googleapis.com/token" help:"Where tokens are."`
	RevokeURL    string `name:"google-revoke-url" env:"HAWKER_GOOGLE_REVOKE_URL" default:"https://oauth2.googleapis.com/revoke" help:"Where tokens are given back."`
}

type discordSettings struct {
	ClientID     string `env:"HAWKER_DISCORD_CLIENT_ID" placeholder:"ID" help:"The operator's Discord app."`
	ClientSecret string `env:"HAWKER_DISCORD_CLIENT_SECRET" placeholder:"SECRET" help:"Its secret."`
	BotToken     string `env:"HAWKER_DISCORD_BOT_TOKEN" placeholder:"TOKEN" help:"Its bot's token."`
	APIURL       string `name:"api-url" env:"HAWKER_DISCORD_API_URL" default:"https://discord.com/" help:"Where the API is."`
	AuthURL      string `name:"auth-url" env:"HAWKER_DISCORD_AUTH_URL" default:"https://discord.com/oauth2/authorize" help:"Where bots are invited."`
}

type shopifySettings struct {
	ClientID     string `env:"HAWKER_SHOPIFY_CLIENT_ID" placeholder:"ID" help:"The operator's Shopify app."`
	ClientSecret string `env:"HAWKER_SHOPIFY_CLIENT_SECRET" placeholder:"SECRET" help:"Its secret."`
	URL          string `name:"url" env:"HAWKER_SHOPIFY_URL" placeholder:"URL" help:"Where every store is, instead of https://SHOP.myshopify.com."`
}

// room is how much video is shown in live rooms, and kept in the data folder.
func (s *settings) room(dir string) room.Options {
	const gb = 1_000_000_000
	o := room.Options{Quota: int64(s.RecordGB) * gb, MinFree: int64(s.RecordFreeGB) * gb, Viewers: s.RoomViewers, Kbps: s.RoomMbit * 1000}
	if s.RecordGB > 0 {
		o.Recordings = filepath.Join(dir, "recordings")
	}
	return o
}

// check reports what cannot work, in a sentence that says what to do.
func (s *settings) check() error {
	if (s.DatabaseURL == "") != (s.NATSURL == "") {
		return errors.New("set both HAWKER_DATABASE_URL and HAWKER_NATS_URL or neither: several nodes that share a database need a bus they share as well, " +
			"and a bus is of no use without a database that all nodes see")
	}
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		return fmt.Errorf("HAWKER_LISTEN %q: want host:port, for example 127.0.0.1:8080", s.Listen)
	}
	if _, _, err := net.SplitHostPort(s.RTMPListen); err != nil {
		return fmt.Errorf("HAWKER_RTMP_LISTEN %q: want host:port, for example 127.0.0.1:1935", s.RTMPListen)
	}
	if err := s.checkRTMPS(); err != nil {
		return err
	}
	if s.RelayProcess != "" && s.RelayProcess != relayOwn && s.RelayProcess != relayInside {
		return fmt.Errorf("HAWKER_RELAY_PROCESS %q: want %s or %s", s.RelayProcess, relayOwn, relayInside)
	}
	if _, err := s.proxies(); err != nil {
		return err
	}
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	if s.PublicURL != "" {
		u, err := url.Parse(s.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("HAWKER_PUBLIC_URL %q: want an address such as https://shop.example", s.PublicURL)
		}
	}
	return nil
}

// proxies are the networks whose word about a browser's address is taken.
func (s *settings) proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, x := range s.Proxies {
		p, err := netip.ParsePrefix(strings.TrimSpace(x))
		if err != nil {
			return nil, fmt.Errorf("HAWKER_PROXIES %q: want a network such as 172.16.0.0/12", x)
		}
		out = append(out, p)
	}
	return out, nil
}

// node is this node's name.
func (s *settings) node() string {
	if s.Node != "" {
		return s.Node
	}
	if h, err := os.Hostname(); err == nil {
		return h
	}
	return "hawker"
}

// public is where people reach the pages.
func (s *settings) public(listening net.Addr) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	host, port, _ := net.SplitHostPort(listening.String())
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
