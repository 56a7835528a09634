package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"hawker/connectors/discord/discordsim"
	"hawker/connectors/twitch/twitchsim"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
	"hawker/internal/demo/crowd"
	"hawker/internal/live"
	"hawker/internal/setup"
	"hawker/rules"
	"hawker/web/ui"
)

// eventually waits for a state.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("never came: %s", what)
}

// market is a running demo with its pages, and no hub.
type market struct {
	*Demo
	url string
}

func open(t *testing.T, h House) *market {
	t.Helper()
	d, err := Start(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	d.crowd.Seed = 1
	mux := http.NewServeMux()
	page := d.Handler(h)
	mux.Handle("/demo", page)
	mux.Handle("/demo/", page)
	static, err := ui.New(ui.Options{})
	if err != nil {
		t.Fatal(err)
	}
	static.Mount(mux)
	srv := httptest.NewServer(mux)
	if h.Public == "" {
		h.Public = srv.URL
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		srv.Close()
		static.Close()
		d.Close()
	})
	return &market{d, srv.URL}
}

const key = "0123456789abcdef0123456789abcdef"

// watcher reads a page's stream.
type watcher struct {
	t *testing.T
	r *bufio.Scanner
}

func (m *market) watch(t *testing.T, key, name string) *watcher {
	t.Helper()
	resp, err := http.Get(m.url + "/demo/events?" + url.Values{"key": {key}, "name": {name}}.Encode()) //nolint:noctx // ended below
	if err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(20*time.Second, func() { _ = resp.Body.Close() })
	t.Cleanup(func() { timer.Stop(); _ = resp.Body.Close() })
	return &watcher{t, bufio.NewScanner(resp.Body)}
}

// until reads until an event of that name satisfies want.
func (w *watcher) until(name string, want func(data []byte) bool) {
	w.t.Helper()
	event := ""
	for w.r.Scan() {
		if n, ok := strings.CutPrefix(w.r.Text(), "event: "); ok {
			event = n
		}
		if data, ok := strings.CutPrefix(w.r.Text(), "data: "); ok && event == name && want([]byte(data)) {
			return
		}
	}
	w.t.Fatalf("the stream ended before the %s that was waited for", name)
}

func (w *watcher) line(want func(l line) bool) (found line) {
	w.t.Helper()
	w.until("line", func(data []byte) bool {
		found = line{}
		if err := json.Unmarshal(data, &found); err != nil {
			w.t.Fatal(err)
		}
		return want(found)
	})
	return found
}

func (m *market) post(t *testing.T, path string, v url.Values, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.url+path, strings.NewReader(v.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(b))
}

func TestNewcomerIsHeard(t *testing.T) {
	m := open(t, House{})
	w := m.watch(t, key, "Ana <b>")
	for _, p := range platforms() {
		if code, body := m.post(t, "/demo/say", url.Values{"key": {key}, "name": {"Ana <b>"}, "chat": {string(p)}, "text": {"hello\nfrom me"}}); code != http.StatusNoContent {
			t.Fatalf("%s: %d %s", p, code, body)
		}
		l := w.line(func(l line) bool { return l.Mine })
		if l.Platform != p || l.Text != "hello from me" || l.Bot || l.Who == "" {
			t.Errorf("%s: shown as %+v", p, l)
		}
		unsay := func(key string) int {
			code, _ := m.post(t, "/demo/unsay", url.Values{"key": {key}, "name": {"x"}, "chat": {string(p)}, "line": {l.ID}})
			return code
		}
		if code := unsay(strings.Repeat("f", 32)); code != http.StatusNotFound {
			t.Errorf("%s: a stranger deletes it: %d", p, code)
		}
		if code := unsay(key); code != http.StatusNoContent {
			t.Errorf("%s: deleting it: %d", p, code)
		}
		w.line(func(g line) bool { return g.Gone && g.ID == l.ID })
		if code := unsay(key); code != http.StatusNotFound {
			t.Errorf("%s: deleting it again: %d", p, code)
		}
		_, _ = m.post(t, "/demo/say", url.Values{"key": {key}, "name": {"Ana <b>"}, "chat": {string(p)}, "text": {"hello from me"}})
		w.line(func(l line) bool { return l.Mine })
	}
	stranger := m.watch(t, strings.Repeat("f", 32), "other")
	if l := stranger.line(func(l line) bool { return l.Text == "hello from me" }); l.Mine {
		t.Error("a stranger's page takes the line for its own")
	}
}

// TestBotAnswers plays the hub's part on the wire of each platform, and looks at what the newcomer's page makes of it.
func TestBotAnswers(t *testing.T) {
	m := open(t, House{})
	m.crowd.Set(crowd.State{Size: 1, Paused: true})
	w := m.watch(t, key, "newcomer")
	_, _ = m.post(t, "/demo/say", url.Values{"key": {key}, "name": {"newcomer"}, "chat": {"twitch"}, "text": {"!buy 3"}})
	mine := w.line(func(l line) bool { return l.Mine })
	m.twitch.Post(twitchLine(botID, botName, "#3 Studio Mug held 5 min, until 12:00 CET. Pay: http://hub/c/abc", mine.ID))
	if l := w.line(func(l line) bool { return l.Bot }); !l.ToMe || l.Reply == nil || l.Reply.Who != "newcomer" || l.Reply.Text != "!buy 3" {
		t.Errorf("the answer is shown as %+v", l)
	}
	w.until("timing", func(data []byte) bool {
		var g timing
		return json.Unmarshal(data, &g) == nil && g.Answers[chat.Twitch] != nil && g.Answers[chat.Twitch].Count == 1
	})
	if code, body := m.post(t, "/demo/say", url.Values{"key": {key}, "chat": {"discord"}, "text": {"/buy 3"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, "/buy") {
		t.Errorf("a command that no bot registered: %d %s", code, body)
	}
	m.sawDiscord(discordPrivate(newcomer{key, "newcomer"}.on(chat.Discord).ID))
	if l := w.line(func(l line) bool { return l.Private }); !l.ToMe || l.Text != "a_b held" || len(l.Links) != 1 {
		t.Errorf("the private answer is shown as %+v", l)
	}
	stranger := m.watch(t, strings.Repeat("f", 32), "other")
	m.youtube.Type(youtubeID, youtubeViewer("end"), "end")
	stranger.line(func(l line) bool {
		if l.Private {
			t.Error("a stranger sees a private answer")
		}
		return l.Text == "end"
	})
}

func TestCrowdControl(t *testing.T) {
	m := open(t, House{})
	w := m.watch(t, key, "x")
	if code, _ := m.post(t, "/demo/crowd", url.Values{"size": {"1000"}}); code != http.StatusNoContent {
		t.Fatalf("size: %d", code)
	}
	is := func(want crowd.State) func([]byte) bool {
		return func(data []byte) bool {
			var s crowd.State
			return json.Unmarshal(data, &s) == nil && s == want
		}
	}
	w.until("crowd", is(crowd.State{Size: 1000}))
	_, _ = m.post(t, "/demo/crowd", url.Values{"paused": {"true"}})
	w.until("crowd", is(crowd.State{Size: 1000, Paused: true}))
	if code, _ := m.post(t, "/demo/crowd", url.Values{"size": {"many"}}); code != http.StatusBadRequest {
		t.Errorf("no number: %d", code)
	}
	if code, _ := m.post(t, "/demo/crowd", url.Values{"size": {"7"}}, "Accept", "text/html"); code != http.StatusOK || m.crowd.State().Size != 7 {
		t.Errorf("without script: %d, size %d", code, m.crowd.State().Size)
	}
}

func TestRefusals(t *testing.T) {
	m := open(t, House{})
	say := url.Values{"key": {key}, "name": {"x"}, "chat": {"twitch"}, "text": {"hi"}}
	for what, tt := range map[string]struct {
		v      url.Values
		header []string
		want   int
	}{
		"another site":     {say, []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"no such chat":     {url.Values{"chat": {"irc"}, "text": {"hi"}}, nil, http.StatusBadRequest},
		"no key of ours":   {url.Values{"key": {"k"}, "chat": {"twitch"}, "text": {"hi"}}, nil, http.StatusBadRequest},
		"far too long":     {url.Values{"chat": {"twitch"}, "text": {strings.Repeat("x", 1<<20)}}, nil, http.StatusRequestEntityTooLarge},
		"nothing":          {url.Values{"chat": {"twitch"}, "text": {" \n"}}, nil, http.StatusNoContent},
		"without a script": {url.Values{"chat": {"twitch"}, "text": {"hi"}}, nil, http.StatusNoContent},
	} {
		if code, body := m.post(t, "/demo/say", tt.v, tt.header...); code != tt.want {
			t.Errorf("%s: %d %s, want %d", what, code, body, tt.want)
		}
	}
	for range 60 {
		if code, _ := m.post(t, "/demo/say", say); code == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("sixty lines at once were all taken")
}

// TestPageLaws holds the page to what all pages keep.
func TestPageLaws(t *testing.T) {
	m := open(t, House{Room: `/live/"><script>`, Overlay: "/overlay/x", Dashboard: "/"})
	resp, err := http.Get(m.url + "/demo") //nolint:noctx // a test's
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	page := string(b)
	csp := resp.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "frame-src 'self'", "worker-src 'self'", "media-src 'self' blob:", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	for what, pattern := range map[string]string{"an inline script": `<script[^>]*>[^<]`, "a handler in an attribute": `\son\w+=`, "a foreign address": `(src|href)="https?://[^1]`} {
		if regexp.MustCompile(pattern).MatchString(page) {
			t.Errorf("the page has %s", what)
		}
	}
	if n := strings.Count(page, "<h1"); n != 1 {
		t.Errorf("%d h1", n)
	}
	for _, id := range regexp.MustCompile(`<input[^>]* id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `for="`+id[1]+`"`) && !regexp.MustCompile(`<label[^>]*>[^/]*id="`+id[1]+`"`).MatchString(page) {
			t.Errorf("input %s has no label", id[1])
		}
	}
	for _, a := range regexp.MustCompile(`"(/demo/static/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		resp, err := http.Get(m.url + a[1]) //nolint:noctx // a test's
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", a[1], resp.Status)
		}
	}
}

// TestTalkClaimsNothing reads all that the crowd says beside its claims as the hub does, with every form allowed.
func TestTalkClaimsNothing(t *testing.T) {
	l := lineup()
	l.Styles.NumberOnly = true
	g := rules.NewGrammar(l, rules.Options{Language: "en"})
	for _, item := range goods() {
		for _, s := range crowd.Talk(item.Item) {
			if c := g.Parse(s, rules.Context{OnAir: item.Number}); c.Name != rules.Chat && c.Name != rules.Question {
				t.Errorf("%q on item %d is read as %s", s, item.Number, c.Name)
			}
		}
	}
}

// TestSetupIsValid reads the set-up file as hawker apply does.
func TestSetupIsValid(t *testing.T) {
	d, err := Start(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	yaml, env := d.Setup()
	f, err := setup.Parse(yaml)
	if err != nil {
		t.Fatalf("%v\n%s", err, yaml)
	}
	for _, name := range f.Env() {
		if env[name] == "" {
			t.Errorf("%s has no value", name)
		}
	}
	if len(f.Env()) != len(env) {
		t.Errorf("the file names %v; there are values for %d", f.Env(), len(env))
	}
	for name, v := range d.Settings() {
		if !strings.HasPrefix(name, "HAWKER_") || v == "" {
			t.Errorf("setting %s=%q", name, v)
		}
	}
	for _, n := range goods() {
		if n.Title == "" || len(n.variants) == 0 {
			t.Errorf("item %d names no product of the shop", n.Number)
		}
	}
}

// TestCameraAndIngests publishes to a pretend platform in the hub's place, and fetches what its page plays.
func TestCameraAndIngests(t *testing.T) {
	d, err := Start(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.film(ctx, House{IngestServer: "rtmp://" + d.rtmp[0] + "/app", IngestKey: d.keys[0]})
	}()
	eventually(t, "a picture on platform A", func() bool { return d.pictures() == [2]bool{true, false} })
	page := d.Handler(House{})
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
		return w
	}
	list := get("/demo/ingest/1/index.m3u8").Body.String()
	video := regexp.MustCompile(`(?m)^video\S+m3u8`).FindString(list)
	if video == "" || !strings.Contains(get("/demo/ingest/1/"+video).Body.String(), "#EXTINF") {
		t.Errorf("platform A plays %q", list)
	}
	if w := get("/demo/ingest/2/index.m3u8"); w.Code != http.StatusNotFound {
		t.Errorf("platform B, which gets nothing, answers %d", w.Code)
	}
	cancel()
	<-ended
}

func TestPayments(t *testing.T) {
	m := open(t, House{Timing: func(context.Context) (live.Timings, error) {
		var x live.Timings
		x.Decide.Count, x.Decide.P50 = 1, 2*time.Millisecond
		return x, nil
	}})
	m.crowd.Set(crowd.State{Size: 1, Paused: true})
	hooks := make(chan string, 9)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hooks <- r.Header.Get("X-Shopify-Topic") })} //nolint:gosec // a test's
	go func() { _ = srv.Serve(ln) }()
	defer func() { _ = srv.Close() }()
	m.shop.Subscribe("ORDERS_PAID", "http://"+ln.Addr().String())
	if _, err := m.shop.BuyOnline("MUG-1", 1); err != nil {
		t.Fatal(err)
	}
	if topic := <-hooks; topic != "orders/paid" {
		t.Fatalf("webhook %s", topic)
	}
	w := m.watch(t, key, "x")
	text := strings.NewReplacer("{user}", "Robin", "{item}", "Studio Mug").Replace(crowd.BoughtText)
	m.twitch.Post(twitchLine(botID, botName, text, ""))
	w.until("timing", func(data []byte) bool {
		var g timing
		return json.Unmarshal(data, &g) == nil && g.Shouts[chat.Twitch] != nil && g.Hub["decide"] != nil && g.Hub["decide"].Median == 2
	})
	if f := m.stopwatch.timing(); f.Answers[chat.Twitch] != nil || f.Shouts[chat.YouTube] != nil {
		t.Errorf("figures of what did not happen: %+v", f)
	}
}

func TestNamesOfNewcomers(t *testing.T) {
	for _, tt := range []struct{ in, twitch, youtube, discord string }{
		{"Ana Lopez", "Ana_Lopez", "Ana Lopez", "Ana Lopez"},
		{"", someone, someone, someone},
		{"@everyone", "everyone", "@everyone", someone},
		{"<b>x</b>", "bxb", "bx/b", "<b>x</b>"},
		{"Łukasz", "Łukasz", "Łukasz", "Łukasz"},
		{"Discord", "Discord", "Discord", someone},
		{strings.Repeat("é", 60), strings.Repeat("é", 25), strings.Repeat("é", 50), strings.Repeat("é", 32)},
		{"\u202e\u200b", someone, someone, someone},
	} {
		if a, b, c := TwitchName(tt.in), YouTubeName(tt.in), DiscordName(tt.in); a != tt.twitch || b != tt.youtube || c != tt.discord {
			t.Errorf("%q is %q, %q, %q", tt.in, a, b, c)
		}
	}
}

func TestSlash(t *testing.T) {
	for in, want := range map[string]string{
		"/buy 3": "/buy item:3", "/buy 3 x2": "/buy item:3 amount:2", "/buy 1 ink 2": "/buy item:1 amount:2 variant:ink", "/me": "/me", "/buy": "/buy",
		"/buy item:3": "/buy item:3", "/connect 482193": "/connect code:482193", "/pass 3": "/pass item:3", "/shop now": "/shop now",
	} {
		if got := slash(in); got != want {
			t.Errorf("slash(%q) = %q, want %q", in, got, want)
		}
	}
}

func twitchLine(user, name, text, reply string) twitchsim.Line {
	return twitchsim.Line{Channel: ownerID, User: twitchsim.User{ID: user, Login: botLogin, Name: name}, Text: text, ReplyTo: reply, Sent: true}
}

func youtubeViewer(id string) youtubesim.Viewer { return youtubesim.Viewer{ID: id, Name: id} }

func discordPrivate(who string) discordsim.Shown {
	return discordsim.Shown{
		Kind: discordsim.Private, ID: "1", Channel: discordID, Author: discordsim.Viewer{ID: appID, Name: "hawker", Bot: true}, Own: true, Text: `a\_b held`, For: who,
		Buttons: []discordsim.Button{{Label: "hub", URL: "http://hub/c/abc"}}, At: time.Now(),
	}
}

// TestNothingStaysBehind opens and ends everything, and counts what still runs.
func TestNothingStaysBehind(t *testing.T) {
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()
	t.Run("a whole life", func(t *testing.T) {
		d, err := Start(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(d.Handler(House{}))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- d.Run(ctx, House{Public: srv.URL, IngestServer: "rtmp://" + d.rtmp[0] + "/app", IngestKey: d.keys[0]})
		}()
		w := (&market{d, srv.URL}).watch(t, key, "x")
		w.line(func(line) bool { return true })
		eventually(t, "the camera", func() bool { return d.ingests[0].Session() != nil })
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		for w.r.Scan() { // the stream ends with Run
		}
		srv.Close()
		d.Close()
		d.Close() // twice is harmless
	})
	http.DefaultClient.CloseIdleConnections()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
}
