package viewer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/relay"
	"hawker/web/ui"
	"hawker/web/viewer"
)

// pretendChat is a platform that the test types into.
type pretendChat struct {
	mu   sync.Mutex
	hear func(chat.Event)
	on   chan struct{}
	said []chat.Line
}

func (c *pretendChat) Listen(ctx context.Context, hear func(chat.Event)) error {
	c.mu.Lock()
	c.hear = hear
	c.mu.Unlock()
	close(c.on)
	<-ctx.Done()
	return nil
}

func (c *pretendChat) Say(_ context.Context, l chat.Line) (chat.Sent, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, l)
	return chat.Sent{At: time.Now()}, nil
}

func (c *pretendChat) Budget(chat.Channel) chat.Budget {
	return chat.Budget{Lines: 1000, Per: time.Second, Pool: "x", MaxRunes: 500, Replies: true}
}

func (c *pretendChat) States() []chat.State {
	return []chat.State{{Channel: twitch, Hears: true, Speaks: true}}
}

// pretendStore is a shop whose checkout the test decides.
type pretendStore struct {
	mu     sync.Mutex
	url    string
	broken error
	drafts []live.Draft
}

func (s *pretendStore) set(url string, broken error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url, s.broken = url, broken
}

func (s *pretendStore) Draft(_ context.Context, d live.Draft) (live.Drafted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return live.Drafted{}, s.broken
	}
	s.drafts = append(s.drafts, d)
	return live.Drafted{ID: "draft-" + d.Holds[0].String(), URL: s.url, Created: time.Now()}, nil
}

func (*pretendStore) Stock(context.Context, []string) (map[string]commerce.Reading, error) {
	return nil, nil
}
func (*pretendStore) Release(context.Context, string) error               { return nil }
func (*pretendStore) Adjust(context.Context, string, int64, string) error { return nil }
func (*pretendStore) CartLink(live.Draft) (string, error)                 { return "", errors.New("no cart link here") }
func (*pretendStore) Ready(context.Context, string) error                 { return nil }
func (*pretendStore) Read(string, []byte) (live.Notice, error)            { return live.Notice{}, nil }

func (*pretendStore) OrdersSince(context.Context, time.Time, func(commerce.Order) error) error {
	return nil
}

var twitch = chat.Channel{Platform: chat.Twitch, ID: "1001"} //nolint:gochecknoglobals // the channel of all tests

const mug = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" fill="#cfe3d4"/><path d="M10 12h16v16q0 3-3 3H13q-3 0-3-3z" fill="#a0522d"/></svg>`

// house is a shop with its show: item 3 Mug (5 pieces, at most 3 each), item 4 Vase (1), item 5 Shirt (S 2, M none, L 40).
type house struct {
	t        *testing.T
	db       *sqldb.DB
	hub      *live.Hub
	kit      *ui.Kit
	chat     *pretendChat
	store    *pretendStore
	web      *httptest.Server
	pages    *viewer.Pages
	merchant commerce.ID
	show     commerce.ID
	variants map[string]commerce.ID // by SKU
	overlay  string
	n        int
	video    http.Handler // of the shows, when there is any
	streams  func() []relay.StreamStatus
}

func newHouse(t *testing.T, change ...func(*sqldb.Merchant, *commerce.Show)) *house {
	t.Helper()
	h := &house{t: t, chat: &pretendChat{on: make(chan struct{})}, store: &pretendStore{url: "https://pay.example/checkout?a=1&b=2"}, variants: map[string]commerce.ID{}}
	ctx, cancel := context.WithCancel(context.Background())
	key, err := seal.NewKey(bytes.Repeat([]byte{7}, 32))
	h.must(err)
	dir := t.TempDir()
	h.db, err = sqldb.Open(ctx, sqldb.Options{Dir: dir, Key: key})
	h.must(err)
	b, err := bus.Open(ctx, bus.Options{Dir: dir + "/nats"})
	h.must(err)
	mux := http.NewServeMux()
	var handler http.Handler
	h.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	h.hub = &live.Hub{DB: h.db, Bus: b, Key: key, Public: h.web.URL, Connect: func(context.Context, sqldb.Merchant) (live.Connections, error) {
		return live.Connections{Accounts: []live.Account{{Name: "bot", Chat: h.chat, Channels: []chat.Channel{twitch}, Local: true}}, Store: h.store}, nil
	}}
	h.setUp(ctx, change)
	ended := make(chan error, 1)
	go func() { ended <- h.hub.Run(ctx) }()
	<-h.hub.Started()
	<-h.chat.on
	h.kit, err = ui.New(ui.Options{Public: h.web.URL, Key: key, Pictures: http.DefaultClient, Static: []fs.FS{viewer.Static}})
	h.must(err)
	h.streams = func() []relay.StreamStatus { return nil }
	h.pages = &viewer.Pages{
		DB: h.db, Hub: h.hub, Kit: h.kit, Streams: func() []relay.StreamStatus { return h.streams() },
		Video: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.video.ServeHTTP(w, r) }),
	}
	h.must(h.pages.Mount(mux))
	h.kit.Mount(mux)
	mux.HandleFunc("GET /mug.svg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = w.Write([]byte(mug))
	})
	mux.HandleFunc("GET /pay", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<title>pay</title><h1>The shop</h1>"))
	})
	handler = h.kit.Wrap(mux)
	tok, err := h.db.OverlayToken(ctx, h.merchant, h.show)
	h.must(err)
	h.overlay = h.web.URL + "/overlay/" + tok.Reveal()
	t.Cleanup(func() {
		h.kit.Close()
		h.web.Close()
		cancel()
		if err := errors.Join(<-ended, b.Close(), h.db.Close()); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) setUp(ctx context.Context, change []func(*sqldb.Merchant, *commerce.Show)) {
	m := sqldb.Merchant{Slug: "ana", Name: "Ana's Ceramics", Currency: "EUR", Timezone: "UTC", Language: "en"}
	show := commerce.Show{
		ID: commerce.NewID(time.Now()), Name: "spring", Title: "Spring <kiln>", State: commerce.ShowLive, Holds: commerce.HoldsDraft, Channels: []chat.Channel{twitch},
	}
	for _, f := range change {
		f(&m, &show)
	}
	var err error
	h.merchant, err = h.db.PutMerchant(ctx, m)
	h.must(err)
	h.must(h.db.PutChannel(ctx, h.merchant, sqldb.Channel{Channel: twitch, Name: "ana"}))
	eur := func(minor int64) commerce.Money { return commerce.Money{Minor: minor, Currency: "EUR"} }
	products, err := h.db.PutProducts(ctx, h.merchant, []commerce.Product{
		{Title: "Speckled mug", Image: h.web.URL + "/mug.svg", Variants: []commerce.Variant{{SKU: "MUG", Price: eur(1800), Store: "gid://v/1"}}},
		{Title: "Moon <script>alert(1)</script> vase", Variants: []commerce.Variant{{SKU: "VASE", Price: eur(6400), Store: "gid://v/2"}}},
		{Title: "Studio shirt", Options: []string{"Size"}, Variants: []commerce.Variant{
			{SKU: "S", Options: []string{"S"}, Price: eur(2500)}, {SKU: "M", Options: []string{"M"}, Price: eur(2500)}, {SKU: "L", Options: []string{"L"}, Price: eur(2700)},
		}},
	})
	h.must(err)
	st, err := h.db.Load(ctx, h.merchant)
	h.must(err)
	var reqs []commerce.Request
	stock := map[string]int64{"MUG": 5, "VASE": 1, "S": 2, "M": 0, "L": 40}
	for i, p := range products {
		it := commerce.Item{Number: i + 3, Product: p}
		if i == 0 {
			it.Cap = 3
		}
		show.Lineup.Items = append(show.Lineup.Items, it)
		for _, v := range p.Variants {
			h.variants[v.SKU] = v.ID
			n := stock[v.SKU]
			reqs = append(reqs, commerce.SetStock{Variant: v.ID, Available: &n})
		}
	}
	show.Lineup.OnAir = 3
	h.show = show.ID
	b, _ := commerce.NewDesk(h.merchant, st).Plan(time.Now(), append(reqs, commerce.SetShow{Show: show}))
	h.must(h.db.Commit(ctx, b))
}

// types has a viewer type a line in the chat.
func (h *house) types(name, text string) {
	h.t.Helper()
	h.n++
	now := time.Now()
	id := commerce.NewID(now).String()
	h.chat.mu.Lock()
	hear := h.chat.hear
	h.chat.mu.Unlock()
	hear(chat.Event{Kind: chat.Said, Channel: twitch, At: now, Message: chat.Message{
		ID: id, Channel: twitch, Viewer: viewerOf(name), Text: text, Sent: now, Received: now, Answer: chat.Answer{Kind: chat.ToReply, Channel: twitch, Message: id},
	}})
}

// bans has a moderator ban a viewer in the chat, which takes the viewer's lines away.
func (h *house) bans(name string) {
	h.t.Helper()
	h.chat.mu.Lock()
	hear := h.chat.hear
	h.chat.mu.Unlock()
	hear(chat.Event{Kind: chat.Cleared, Channel: twitch, Viewer: viewerOf(name), ByMod: true, At: time.Now()})
}

func viewerOf(name string) chat.Viewer {
	return chat.Viewer{Platform: chat.Twitch, ID: "id-" + name, Name: name}
}

// ask does a request of the host's.
func (h *house) ask(r commerce.Request) {
	h.t.Helper()
	_, err := h.hub.Ask(context.Background(), h.merchant, commerce.Key{}, r)
	h.must(err)
}

func (h *house) page() live.ShowPage {
	h.t.Helper()
	p, err := h.hub.Page(context.Background(), h.merchant, h.show)
	h.must(err)
	return p
}

// claims has a viewer claim in the chat and gives the address of the receipt.
func (h *house) claims(name, text string) string {
	h.t.Helper()
	h.types(name, text)
	return h.receipt(viewerOf(name))
}

// receipt waits until a viewer has a receipt, and is its address.
func (h *house) receipt(v chat.Viewer) string {
	h.t.Helper()
	link := ""
	h.until("the receipt of "+v.Name, func() bool {
		id, err := h.hub.Cart(context.Background(), h.merchant, h.show, v)
		h.must(err)
		link = h.web.URL + "/c/" + h.db.ReceiptToken(h.merchant, id, 0).Reveal()
		return id != 0
	})
	return link
}

// until waits for a state.
func (h *house) until(what string, f func() bool) {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	h.t.Fatalf("never came: %s", what)
}

// browser is somebody's browser: its cookies, and no script.
type browser struct {
	h    *house
	http *http.Client
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	h.must(err)
	return &browser{h, &http.Client{Jar: jar}}
}

// got is an answer.
type got struct {
	status int
	head   http.Header
	body   string
	url    string
}

func (b *browser) do(r *http.Request) got {
	b.h.t.Helper()
	res, err := b.http.Do(r)
	b.h.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	b.h.must(err)
	return got{res.StatusCode, res.Header, string(body), res.Request.URL.String()}
}

func (b *browser) get(address string) got {
	b.h.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	b.h.must(err)
	return b.do(r)
}

// post sends a form as a browser without script does, or with hx as htmx does.
func (b *browser) post(address string, hx bool, pairs ...string) got {
	b.h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	b.h.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if hx {
		r.Header.Set("HX-Request", "true")
	}
	return b.do(r)
}

// bind joins the browser with a viewer of the chat, by the code of the receipt's page.
func (b *browser) bind(receipt, name string) {
	b.h.t.Helper()
	code := find(b.h.t, b.get(receipt).body, `!connect (\d{6})`)
	b.h.types(name, "!connect "+code)
	b.h.until("the question", func() bool { return strings.Contains(b.get(receipt).body, `name="join"`) })
	g := b.post(receipt+"/act", false, "join", "yes:twitch/id-"+name)
	if !strings.Contains(g.body, "Joined. You are "+name) {
		b.h.t.Fatalf("not bound: %s", g.body)
	}
}

func find(t *testing.T, s, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("no %s in:\n%s", pattern, s)
	}
	return m[1]
}
