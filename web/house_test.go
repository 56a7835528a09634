package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/setup"
	"hawker/internal/sqldb"
	"hawker/internal/studio"
	"hawker/relay"
	"hawker/web"
)

// house is the whole house without platforms: SQLite, the bus in process, the hub, and the pages on a socket.
type house struct {
	t      *testing.T
	db     *sqldb.DB
	hub    *live.Hub
	server *web.Server
	url    string

	deaf   atomic.Bool // streams are refused
	studio *studio.Studio
	did    []string // what the relay was asked to do

	mu    sync.Mutex
	relay []relay.StreamStatus
}

// quiet stands in for a platform's connector, which only the roof may know: it hears nobody and says everything.
type quiet struct{ states []chat.State }

func (q *quiet) Listen(ctx context.Context, _ func(chat.Event)) error { <-ctx.Done(); return nil }

func (q *quiet) Say(context.Context, chat.Line) (chat.Sent, error) {
	return chat.Sent{At: time.Now()}, nil
}

func (q *quiet) Budget(chat.Channel) chat.Budget {
	return chat.Budget{Lines: 100, Per: time.Second, MaxRunes: 500}
}

func (q *quiet) States() []chat.State { return q.states }

func newHouse(t *testing.T, change ...func(*web.Server)) *house {
	t.Helper()
	return newHouseIn(t, t.TempDir(), change...)
}

// houseKey is the sealing key of the tests' houses.
func houseKey(t *testing.T) *seal.Key {
	t.Helper()
	key, err := seal.NewKey(bytes.Repeat([]byte{9}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newHouseIn is a house over the database of a folder.
func newHouseIn(t *testing.T, dir string, change ...func(*web.Server)) *house {
	t.Helper()
	key := houseKey(t)
	h := &house{t: t}
	var err error
	if h.db, err = sqldb.Open(t.Context(), sqldb.Options{Dir: dir, Key: key}); err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir(), Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	h.hub = &live.Hub{DB: h.db, Bus: b, Key: key, Public: "http://localhost", Connect: connect}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.hub.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	<-h.hub.Started()
	h.studio = &studio.Studio{Book: h.db.Videobook(), Relay: carrier{h}, Changed: h.hub.RelayChanged, Dir: t.TempDir(), Node: "test", Platforms: platforms(), Show: func(context.Context, commerce.ID, commerce.ID) (studio.Show, error) {
		return studio.Show{Title: "Spring kiln opening"}, nil
	}}
	running.Go(func() {
		if err := h.studio.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	ts := httptest.NewUnstartedServer(nil)
	h.url = "http://" + ts.Listener.Addr().String()
	h.server = &web.Server{DB: h.db, Hub: h.hub, Public: h.url, Version: "test", IngestServer: "rtmp://localhost:1935/live", Relay: carrier{h}.Status, Studio: h.studio}
	for _, f := range change {
		f(h.server)
	}
	pages, err := h.server.Open()
	if err != nil {
		t.Fatal(err)
	}
	ts.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.deaf.Load() && strings.HasSuffix(r.URL.Path, "/events") {
			http.Error(w, "one moment", http.StatusServiceUnavailable)
			return
		}
		pages.ServeHTTP(w, r)
	})
	ts.Start()
	t.Cleanup(func() {
		h.server.Close()
		ts.Close()
		stop()
		running.Wait()
		b.Close()
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func twitchChannel() chat.Channel  { return chat.Channel{Platform: chat.Twitch, ID: "1001"} }
func youtubeChannel() chat.Channel { return chat.Channel{Platform: chat.YouTube, ID: "UCana"} }

func connect(context.Context, sqldb.Merchant) (live.Connections, error) {
	return live.Connections{Accounts: []live.Account{
		{Name: "hawkerbot", Chat: &quiet{[]chat.State{{Channel: twitchChannel(), Hears: true, Speaks: true, Delay: 340 * time.Millisecond}}}, Channels: []chat.Channel{twitchChannel()}},
		{Name: "Ana", Chat: &quiet{[]chat.State{{Channel: youtubeChannel(), Hears: true, Trouble: "YouTube's daily budget is used up until 09:00", Missing: []string{"youtube.force-ssl"}}}}, Channels: []chat.Channel{youtubeChannel()}},
	}}, nil
}

const password = "three odd words"

// merchant makes a merchant with a member of each role.
func (h *house) merchant() commerce.ID {
	h.t.Helper()
	id, err := h.db.PutMerchant(h.t.Context(), sqldb.Merchant{Slug: "ana", Name: "Ana's Ceramics", Currency: "EUR", Timezone: "Europe/Berlin", Language: "en", Practice: true})
	h.must(err)
	hash := setup.HashPassword(password)
	for _, role := range []string{"owner", "manager", "creator", "moderator"} {
		_, err := h.db.PutMember(h.t.Context(), sqldb.Member{Merchant: id, Email: role + "@example.test", Role: role, PasswordHash: hash})
		h.must(err)
	}
	h.must(h.db.PutChannel(h.t.Context(), id, sqldb.Channel{Channel: twitchChannel(), Name: "ana", Bot: "2002"}))
	h.must(h.db.PutChannel(h.t.Context(), id, sqldb.Channel{Channel: youtubeChannel(), Name: "Ana", Owner: "UCana"}))
	h.must(h.hub.Serve(h.t.Context(), id))
	return id
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// products are three of the merchant's own and one of a store's.
func (h *house) products(merchant commerce.ID) []commerce.Product {
	h.t.Helper()
	eur := func(n int64) commerce.Money { return commerce.Money{Minor: n, Currency: "EUR"} }
	ps := []commerce.Product{
		{Title: "Speckled mug, morning blue", Variants: []commerce.Variant{{SKU: "MUG-1", Price: eur(2400)}}},
		{Title: "Wide bowl for two hungry people", Options: []string{"Glaze"}, Variants: []commerce.Variant{{SKU: "B-1", Options: []string{"Sand"}, Price: eur(4800)}, {SKU: "B-2", Options: []string{"Moss"}, Price: eur(5200)}}},
		{Title: "Tall vase", Variants: []commerce.Variant{{SKU: "V-1", Price: eur(8900), Store: "gid://shopify/ProductVariant/7", Inventory: "gid://shopify/InventoryItem/7"}}},
		{Title: "Espresso cup", Variants: []commerce.Variant{{SKU: "C-1", Price: eur(1450)}}},
	}
	for i := range ps { // listed in this order
		ps[i].ID = commerce.NewID(time.Now().Add(time.Duration(i) * time.Millisecond))
	}
	ps, err := h.db.PutProducts(h.t.Context(), merchant, ps)
	h.must(err)
	for i, n := range []int64{3, 12, 5, 1} {
		for j := range ps[i].Variants {
			_, err := h.hub.Ask(h.t.Context(), merchant, commerce.Key{}, commerce.SetStock{Variant: ps[i].Variants[j].ID, Available: &n})
			h.must(err)
		}
	}
	return ps
}

// show puts a show in place.
func (h *house) show(merchant commerce.ID, ps []commerce.Product, state commerce.ShowState) commerce.ID {
	h.t.Helper()
	s := commerce.Show{
		ID: commerce.NewID(time.Now()), Name: "spring", Title: "Spring kiln opening", State: state, Hold: 10 * time.Minute, Holds: commerce.HoldsDraft,
		Channels: []chat.Channel{twitchChannel(), youtubeChannel()},
	}
	for i := range ps {
		s.Lineup.Items = append(s.Lineup.Items, commerce.Item{Number: i + 1, Product: ps[i], Cap: 2})
	}
	_, err := h.hub.Ask(h.t.Context(), merchant, commerce.Key{}, commerce.SetShow{Show: s})
	h.must(err)
	return s.ID
}

// says is a viewer's line in the Twitch chat.
func (h *house) says(merchant commerce.ID, id, name, text string) {
	now := time.Now()
	h.hub.Merchant(merchant).Deliver(chat.Event{Kind: chat.Said, Channel: twitchChannel(), Message: chat.Message{
		ID: id, Channel: twitchChannel(), Viewer: chat.Viewer{Platform: chat.Twitch, ID: "v" + name, Name: name}, Text: text, Sent: now, Received: now,
		Answer: chat.Answer{Kind: chat.ToChannel, Channel: twitchChannel()},
	}})
}

// until waits for a state of a show.
func (h *house) until(merchant, show commerce.ID, what string, ok func(live.ShowPage) bool) live.ShowPage {
	h.t.Helper()
	for range 2000 {
		p, err := h.hub.Page(h.t.Context(), merchant, show)
		if err == nil && ok(p) {
			return p
		}
		if !errors.Is(err, context.DeadlineExceeded) { // a page may have to wait long behind what a test asks for
			h.must(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	h.t.Fatalf("it never came to this: %s", what)
	return live.ShowPage{}
}

// bustle makes a show that has something of everything in it.
func (h *house) bustle(merchant commerce.ID) commerce.ID {
	h.t.Helper()
	ps := h.products(merchant)
	show := h.show(merchant, ps, commerce.ShowLive)
	_, err := h.hub.Ask(h.t.Context(), merchant, commerce.Key{}, commerce.Air{Show: show, Number: 1})
	h.must(err)
	for i, line := range []string{"!buy 1", "!buy 2 moss x2", "!buy 3", "!buy 4", "!buy 4", "hello from Lisbon", "!buy 99", "!buy 2"} {
		names := []string{"ana_pottery", "<script>alert(1)</script>", "bob", "cy", "dee", "eli", "fay", "gus"}
		h.says(merchant, fmt.Sprint("m", i), names[i], line)
		h.until(merchant, show, "the line is read", func(p live.ShowPage) bool { return len(p.Chat) == i+1 })
		time.Sleep(2 * time.Millisecond) // ids are by the millisecond; the pages are to list things in one order
	}
	p := h.until(merchant, show, "seven decisions", func(p live.ShowPage) bool { return len(p.Feed) >= 7 && len(p.Open) >= 4 })
	for _, x := range p.Open {
		if x.Number == 3 {
			_, err := h.hub.Ask(h.t.Context(), merchant, commerce.Key{}, commerce.Paid{Order: commerce.Order{
				Store: "gid://shopify/Order/1", Name: "#1001", State: commerce.OrderPaid, Total: commerce.Money{Minor: 8900, Currency: "EUR"},
				Lines: []commerce.OrderLine{{Variant: "gid://shopify/ProductVariant/7", Quantity: 1}}, Holds: []commerce.ID{x.ID}, Created: time.Now(), Updated: time.Now(),
			}, Variants: map[string]commerce.ID{"gid://shopify/ProductVariant/7": x.Variant}})
			h.must(err)
		}
	}
	h.until(merchant, show, "an order", func(p live.ShowPage) bool { return p.PaidOrders == 1 })
	return show
}

// client is a browser without a screen.
type client struct {
	t   *testing.T
	url string
	*http.Client
}

func (h *house) client() *client {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	h.must(err)
	return &client{h.t, h.url, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as signs a role in.
func (h *house) as(role string) *client {
	h.t.Helper()
	c := h.client()
	if r := c.post("/sign-in", "email", role+"@example.test", "password", password); r.status != http.StatusSeeOther {
		h.t.Fatalf("sign in as %s: %d\n%s", role, r.status, r.body)
	}
	return c
}

// session is a session of a member, as its cookie holds it.
func (h *house) session(role string) string {
	h.t.Helper()
	all, err := h.db.MembersByEmail(h.t.Context(), role+"@example.test")
	h.must(err)
	t := seal.NewToken()
	h.must(h.db.PutSession(h.t.Context(), t, all[0], time.Now().Add(time.Hour)))
	return t.Reveal()
}

type answer struct {
	status int
	to     string
	body   string
	header http.Header
}

func (c *client) get(path string, header ...string) answer {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.do(req, header)
}

func (c *client) post(path string, fields ...string) answer {
	c.t.Helper()
	form := url.Values{}
	var header []string
	for i := 0; i+1 < len(fields); i += 2 {
		if name, ok := strings.CutPrefix(fields[i], "header "); ok {
			header = append(header, name, fields[i+1])
			continue
		}
		form.Add(fields[i], fields[i+1])
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(req, header)
}

func (c *client) do(req *http.Request, header []string) answer {
	c.t.Helper()
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header.Get("Location"), string(b), res.Header}
}

func discordChannel() chat.Channel { return chat.Channel{Platform: chat.Discord, ID: "4004"} }

func farAway() time.Time { return time.Now().Add(time.Hour) }
