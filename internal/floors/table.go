package floors

// kind says what a package is for, beside its floor.
type kind int

const (
	house   kind = iota
	edge         // translates one platform; only the roof imports it
	support      // helps tests; only tests and the roof import it
	sim          // a platform's stand-in: imports nothing of ours; only tests and the roof import it
	roof         // may import everything
)

// place is where a package stands. Its sub-packages stand there too unless they have a line of their own.
type place struct {
	path  string // from the module's root
	floor int
	kind  kind
}

// table says who may import whom: a package imports from lower floors, and from its own family (the packages under
// one line of this table). A new package needs a line here, with its reason, unless a line covers its folder.
func table() []place {
	return []place{
		// The words of chat, and small things that know nothing of the house.
		{"internal/chat", 0, house},
		{"internal/object", 0, house},          // JSON by hand, for what is written once for each decision
		{"internal/press", 0, house},           // smaller records, for what is written often and read seldom
		{"internal/byhash", 0, house},          // a map for a crowd
		{"internal/chat/chattest", 1, support}, // the suite every chat passes
		{"internal/chatline", 1, house},        // one chat in a terminal
		{"internal/seal", 0, house},
		{"internal/dial", 0, house},
		{"internal/plain", 0, house}, // YAML with places, for set-ups and rules
		{"internal/lang", 2, house},  // words for commerce's reasons
		{"internal/floors", 0, house},
		{"internal/pgtest", 0, support},
		{"internal/pipetest", 0, support},   // a network in memory
		{"internal/goldentest", 0, support}, // files that pages and exports are compared with
		{"internal/browsertest", 0, support},
		{"relay", 0, house}, // asks for funcs, so it needs nothing of ours
		{"relay/rtmpsim", 0, sim},
		{"relay/relaytest", 1, support}, // an encoder for tests
		// The promise and its arithmetic.
		{"commerce", 1, house},
		{"commerce/ledgertest", 2, support}, // the suite every ledger passes
		{"rules", 2, house},
		{"rules/starter", 3, house}, // its texts are those of internal/lang
		// The edges: each speaks to one thing outside.
		{"connectors/twitch", 3, edge},
		{"connectors/twitch/twitchsim", 0, sim},
		{"connectors/youtube", 3, edge},
		{"connectors/youtube/youtubesim", 0, sim},
		{"connectors/discord", 3, edge},
		{"connectors/discord/discordsim", 0, sim},
		{"connectors/shopify", 3, edge},
		{"connectors/shopify/shopifysim", 0, sim},
		{"internal/sqldb", 3, house}, // concrete types for live, setup and web
		{"internal/bus", 3, house},   // likewise
		// What acts, what sets up, what shows.
		{"internal/live", 4, house},
		{"internal/setup", 5, house},
		{"internal/studio", 5, house},   // the video of shows: joins relay and database
		{"internal/backtest", 5, house}, // replays what live recorded, with live's own parts
		{"web", 6, house},
		{"web/static/vendor", 0, house}, // files that others wrote
		// The roof wires. Only cmd/hawker imports demo and bench.
		{"internal/demo", 7, roof},
		{"internal/bench", 7, roof},
		{"cmd/hawker", 8, roof},
		{"scripts", 0, house}, // small programs that make releases
	}
}

// guard keeps packages of others in the part of the house that is about them.
type guard struct {
	prefix  string   // of the import path
	allowed []string // our packages that may import it, with their sub-packages
	tests   bool     // every test may, too
}

func guards() []guard {
	sql := []string{"internal/sqldb", "internal/pgtest"}
	return []guard{
		{"github.com/nicklaw5/helix", []string{"connectors/twitch", "internal/bench"}, false},
		{"github.com/gempir/go-twitch-irc", []string{"connectors/twitch", "internal/bench"}, false},
		{"github.com/bwmarrin/discordgo", []string{"connectors/discord", "internal/bench"}, false},
		{"google.golang.org/api", []string{"connectors/youtube", "internal/bench"}, false},
		{"github.com/bold-commerce/go-shopify", []string{"connectors/shopify", "internal/bench"}, false},
		{"github.com/bluenviron/", []string{"relay", "internal/bench"}, false},
		{"github.com/datarhei/gosrt", []string{"relay", "internal/bench"}, false},
		{"github.com/pion/", []string{"relay", "internal/bench"}, false},
		{"database/sql", sql, false},
		{"modernc.org/sqlite", sql, false},
		{"github.com/jackc/pgx", sql, false},
		{"github.com/pressly/goose", sql, false},
		{"github.com/nats-io/", []string{"internal/bus"}, false},
		{"github.com/alecthomas/kong", []string{"cmd/hawker"}, false},
		{"github.com/chromedp/", []string{"internal/browsertest"}, true},
	}
}
