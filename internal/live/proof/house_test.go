// Package proof puts whole hubs into the failures that a till must survive: killed at any moment, two that believe they own
// one merchant, a database that goes away. It has tests only.
package proof

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/commerce/ledgertest"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/pgtest"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// childFolder is the folder in which the program that TestKillHub kills has its data, childURL its database when that is
// PostgreSQL.
const (
	childFolder = "HAWKER_TEST_HUB_IN"
	childURL    = "HAWKER_TEST_HUB_DATABASE"
)

// TestMain is also the program that TestKillHub kills.
func TestMain(m *testing.M) {
	if os.Getenv(childFolder) != "" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	pgtest.Main(m)
}

// Numbers of the items: of mugs there are enough, of vases there are not.
const (
	mugs  = 3
	vases = 4
)

func channel() chat.Channel { return chat.Channel{Platform: chat.Twitch, ID: "1001"} }

func testKey() (*seal.Key, error) {
	raw := sha256.Sum256([]byte("for tests"))
	return seal.NewKey(raw[:])
}

// house is where a database is: SQLite in a folder, or PostgreSQL.
type house struct {
	name string
	make func(t *testing.T) (dir, url string)
}

func both() []house {
	return []house{
		{"SQLite", func(t *testing.T) (dir, url string) { return t.TempDir(), "" }},
		{"PostgreSQL", func(t *testing.T) (dir, url string) {
			return t.TempDir(), pgtest.NewWith(t, pgtest.Options{NoSync: true})
		}},
	}
}

func openDB(ctx context.Context, dir, url string) (*sqldb.DB, error) {
	key, err := testKey()
	if err != nil {
		return nil, err
	}
	if url != "" {
		dir = ""
	}
	return sqldb.Open(ctx, sqldb.Options{Dir: dir, URL: url, Key: key})
}

// node is one hub with a chat.
type node struct {
	hub *live.Hub
	db  *sqldb.DB
	bus *bus.Bus
	end func() error
}

// start runs a hub on a database, with a bus of its own in busDir.
func start(ctx context.Context, dir, url, busDir string, c live.Chat, log *slog.Logger) (*node, error) {
	ctx, cancel := context.WithCancel(ctx)
	n := &node{}
	var err error
	if n.db, err = openDB(ctx, dir, url); err != nil {
		cancel()
		return nil, err
	}
	if n.bus, err = bus.Open(ctx, bus.Options{Dir: busDir}); err != nil {
		cancel()
		return nil, errors.Join(err, n.db.Close())
	}
	key, err := testKey()
	if err != nil {
		cancel()
		return nil, err
	}
	n.hub = &live.Hub{DB: n.db, Bus: n.bus, Key: key, Log: log, Public: "https://shop.example", Connect: func(context.Context, sqldb.Merchant) (live.Connections, error) {
		return live.Connections{Accounts: []live.Account{{Name: "bot", Chat: c, Channels: []chat.Channel{channel()}}}}, nil
	}}
	ended := make(chan error, 1)
	go func() { ended <- n.hub.Run(ctx) }()
	n.end = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-ended, n.bus.Close(), n.db.Close())
	})
	select {
	case <-n.hub.Started():
		return n, nil
	case err := <-ended:
		ended <- err
		return nil, errors.Join(err, n.end())
	}
}

// stock makes the merchant: a live show with mugs and vases.
func stock(t *testing.T, db *sqldb.DB, mug, vase int64) (merchant, show commerce.ID) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	merchant, err := db.PutMerchant(ctx, sqldb.Merchant{Slug: "ana", Name: "Ana", Currency: "EUR", Timezone: "UTC", Language: "en"})
	must(err)
	must(db.PutChannel(ctx, merchant, sqldb.Channel{Channel: channel(), Name: "ana"}))
	price := commerce.Money{Minor: 1800, Currency: "EUR"}
	products, err := db.PutProducts(ctx, merchant, []commerce.Product{
		{Title: "Mug", Variants: []commerce.Variant{{SKU: "M", Price: price}}}, {Title: "Vase", Variants: []commerce.Variant{{SKU: "V", Price: price}}},
	})
	must(err)
	st, err := db.Load(ctx, merchant)
	must(err)
	sh := commerce.Show{
		ID: commerce.NewID(time.Now()), Name: "spring", Title: "Spring", State: commerce.ShowLive, Channels: []chat.Channel{channel()},
		Guard: commerce.Guard{Share: 100, Unpaid: -1},
	}
	var reqs []commerce.Request
	for i, n := range []int64{mug, vase} {
		sh.Lineup.Items = append(sh.Lineup.Items, commerce.Item{Number: mugs + i, Product: products[i]})
		reqs = append(reqs, commerce.SetStock{Variant: products[i].Variants[0].ID, Available: &n})
	}
	b, _ := commerce.NewDesk(merchant, st).Plan(time.Now(), append(reqs, commerce.SetShow{Show: sh}))
	must(db.Commit(ctx, b))
	return merchant, sh.ID
}

// typed is a line of the chat.
type typed struct {
	ID, Viewer, Text string
	Mod              bool
	Sent             int64 // Unix milliseconds
}

func (l typed) event() chat.Event {
	sent := time.UnixMilli(l.Sent)
	m := chat.Message{
		ID: l.ID, Channel: channel(), Viewer: chat.Viewer{Platform: chat.Twitch, ID: l.Viewer, Name: l.Viewer}, Text: l.Text, Sent: sent, Received: time.Now(),
		Answer: chat.Answer{Kind: chat.ToReply, Channel: channel(), Message: l.ID},
	}
	if l.Mod {
		m.Roles = chat.Moderator
	}
	return chat.Event{Kind: chat.Said, Channel: channel(), Message: m, At: m.Received}
}

// answer is a line that the bot said.
type answer struct{ Text, To string }

// about reports whether a line is to a viewer: in reply to the message, or with the viewer's name in it.
func (a answer) about(viewer, message string) bool {
	return a.To == message || strings.Contains(a.Text, viewer)
}

// told reports whether a line tells somebody of something that is theirs.
func (a answer) told() bool {
	return strings.Contains(a.Text, " held") && !strings.Contains(a.Text, "all held")
}

// wire is a chat on a pair of pipes: lines come in, answers go out. A nil out keeps them.
type wire struct {
	in  io.Reader
	out io.Writer
	mu  sync.Mutex
	// kept are the answers where there is no out; hear is how a test types.
	kept   []answer
	hear   func(chat.Event)
	on     chan struct{}
	refuse error
}

func (w *wire) Listen(ctx context.Context, hear func(chat.Event)) error {
	if w.in == nil {
		w.mu.Lock()
		w.hear = hear
		w.mu.Unlock()
		close(w.on)
		<-ctx.Done()
		return nil
	}
	if _, err := fmt.Fprintln(w.out, `{"Text":"ready"}`); err != nil {
		return err
	}
	for lines := bufio.NewScanner(w.in); lines.Scan(); {
		var l typed
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return err
		}
		hear(l.event())
	}
	<-ctx.Done()
	return nil
}

func (w *wire) Say(_ context.Context, l chat.Line) (chat.Sent, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return chat.Sent{}, w.refuse
	}
	a := answer{l.Text, l.To.Message}
	if w.out == nil {
		w.kept = append(w.kept, a)
		return chat.Sent{ID: strconv.Itoa(len(w.kept)), At: time.Now()}, nil
	}
	b, err := json.Marshal(a)
	if err != nil {
		return chat.Sent{}, err
	}
	_, err = fmt.Fprintf(w.out, "%s\n", b)
	return chat.Sent{ID: l.Nonce, At: time.Now()}, err
}

func (w *wire) said() []answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]answer(nil), w.kept...)
}

func (w *wire) Budget(chat.Channel) chat.Budget {
	return chat.Budget{Lines: 1000, Per: time.Second, Pool: "x", MaxRunes: 500, Replies: true}
}

func (w *wire) States() []chat.State {
	return []chat.State{{Channel: channel(), Hears: true, Speaks: true}}
}

// serve is the program that is killed: a hub that hears the chat on its standard input and says its answers on its output.
func serve() error {
	dir := os.Getenv(childFolder)
	n, err := start(context.Background(), dir, os.Getenv(childURL), dir+"/nats", &wire{in: os.Stdin, out: os.Stdout}, nil)
	if err != nil {
		return err
	}
	defer func() { _ = n.end() }()
	select {}
}

// shop is a node that a test types into.
type shop struct {
	*node
	t              *testing.T
	wire           *wire
	merchant, show commerce.ID
	n              int
	name           string
}

// startShop runs a node on a database that has the merchant.
func startShop(t *testing.T, dir, url string, merchant, show commerce.ID, log *slog.Logger) *shop {
	t.Helper()
	s := &shop{t: t, wire: &wire{on: make(chan struct{})}, merchant: merchant, show: show, name: fmt.Sprint(time.Now().UnixNano())}
	var err error
	if s.node, err = start(context.Background(), dir, url, t.TempDir(), s.wire, log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	<-s.wire.on
	return s
}

// newShop makes a merchant in a database and runs a node on it.
func newShop(t *testing.T, dir, url string, mug, vase int64) *shop {
	t.Helper()
	db, err := openDB(t.Context(), dir, url)
	if err != nil {
		t.Fatal(err)
	}
	merchant, show := stock(t, db, mug, vase)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return startShop(t, dir, url, merchant, show, nil)
}

func (s *shop) stop() {
	if err := s.end(); err != nil {
		s.t.Error(err)
	}
}

// line is a line that a viewer types now.
func (s *shop) line(viewer, text string) typed {
	s.n++
	return typed{ID: fmt.Sprintf("%s-%d", s.name, s.n), Viewer: viewer, Text: text, Sent: time.Now().UnixMilli()}
}

func (s *shop) types(viewer, text string) typed {
	l := s.line(viewer, text)
	s.wire.hear(l.event())
	return l
}

// says waits until a viewer was told something with text in it.
func (s *shop) says(l typed, text string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%q to %s", text, l.Viewer), func() bool {
		return slices.ContainsFunc(s.wire.said(), func(a answer) bool { return a.about(l.Viewer, l.ID) && strings.Contains(a.Text, text) })
	})
}

func (s *shop) page() live.ShowPage {
	s.t.Helper()
	p, err := s.hub.Page(s.t.Context(), s.merchant, s.show)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// rows are what the database has of the merchant, after the node ended.
func rows(t *testing.T, dir, url string, merchant commerce.ID) commerce.State {
	t.Helper()
	db, err := openDB(t.Context(), dir, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	st, err := db.Load(t.Context(), merchant)
	if err != nil {
		t.Fatal(err)
	}
	held := map[commerce.ID]int64{}
	for _, h := range st.Holds {
		if h.State == commerce.StateHeld {
			held[h.Variant] += int64(h.Quantity)
		}
	}
	for _, s := range st.Stock {
		if s.Held != held[s.Variant] || s.Held+s.Sold > s.Available+s.Short {
			t.Errorf("%+v; holds hold %d", s, held[s.Variant])
		}
	}
	decided := map[commerce.Key]bool{}
	for _, d := range st.Recent {
		if decided[d.Key] {
			t.Errorf("%v was decided twice", d.Key)
		}
		decided[d.Key] = true
	}
	ledgertest.Audit(t, db, merchant, st)
	return st
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("never came: %s", what)
}
