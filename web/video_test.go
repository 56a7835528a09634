package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/browsertest"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/videobook"
	"hawker/relay"
	"hawker/web/desk"
)

// The page tells everything in words, and no key.
func TestVideoPage(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	at := "/shows/" + show.String() + "/video"
	c := h.as("owner")
	if r := c.get("/video"); r.status != http.StatusSeeOther || r.to != at {
		t.Errorf("/video: %d to %s", r.status, r.to)
	}
	for _, want := range []string{"There is no stream key yet", "The video goes nowhere yet", "no video", "Make a stream key"} {
		if r := c.get(at); r.status != http.StatusOK || !strings.Contains(r.body, want) {
			t.Errorf("before anything is set up: %d without %q", r.status, want)
		}
	}
	ids := h.carries(m, show)
	r := c.get(at)
	noSecrets(t, "the page", r.body)
	for _, want := range []string{
		"on air", "obs-studio 30.2", "1920 × 1080", "30 a second", "5.0 s", "AAC, 48 kHz", "set the keyframe interval to 2 s", "Your line carries 9 of 18 Mbit/s.", "&lt;b&gt;Larix&lt;/b&gt;",
		"key rejected", "left out", "240 ms", "Twitch takes up to 6320", "received: unknown", "the connected YouTube channel", "video.example.com", "••••••wxyz", "••••••dcba", `value="9"`, `value="15"`,
	} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	mod := h.as("moderator").get(at)
	noSecrets(t, "the moderator's page", mod.body)
	for _, no := range []string{"Make a new key", "rtmp://localhost", "/to/" + ids[0], "How it is carried"} {
		if strings.Contains(mod.body, no) {
			t.Errorf("the moderator's page has %q", no)
		}
	}
	if !strings.Contains(mod.body, "Cut the video") || !strings.Contains(mod.body, "Let it in") {
		t.Error("the moderator cannot act")
	}
	h.mu.Lock()
	h.relay = nil
	h.mu.Unlock()
	if r := c.get(at); !strings.Contains(r.body, "No video comes for this show") || strings.Contains(r.body, "data-cuttable") {
		t.Error("after the video the page does not say so")
	}
}

// Keys are shown once; Cut makes new ones at once, and shows them to whoever may see keys.
func TestVideoKeys(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	at := "/shows/" + show.String() + "/video"
	c := h.as("owner")
	find := func(body, id string) string {
		x := regexp.MustCompile(`id="` + id + `" readonly value="([a-z2-7]{26})"`).FindStringSubmatch(body)
		if x == nil {
			t.Fatalf("no %s is shown:\n%s", id, body)
		}
		return x[1]
	}
	key := find(c.post(at+"/key", "which", "main").body, "ingest-key")
	backup := find(c.post(at+"/key", "which", "backup", "header HX-Request", "true").body, "backup-key")
	owner := func(key string) videobook.Owner {
		o, err := h.db.Videobook().OwnerOf(t.Context(), key)
		if err != nil && !sqldb.IsNotFound(err) {
			t.Fatal(err)
		}
		return o
	}
	if o := owner(key); o != (videobook.Owner{Merchant: m, Show: show}) {
		t.Errorf("the key is %+v", o)
	}
	if o := owner(backup); !o.Backup || o.Show != show {
		t.Errorf("the second encoder's key is %+v", o)
	}
	if r := c.get(at); strings.Contains(r.body, key) || strings.Contains(r.body, backup) || !strings.Contains(r.body, key[22:]) {
		t.Error("a key is shown again, or its end is not")
	}
	if r := c.post(at+"/key", "which", "else"); r.status != http.StatusBadRequest {
		t.Errorf("another key: %d", r.status)
	}
	h.carries(m, show)
	mod := h.as("moderator").post(at+"/cut", "header HX-Request", "true")
	if !h.asked("cut") || mod.status != http.StatusOK || regexp.MustCompile(`value="[a-z2-7]{26}"`).MatchString(mod.body) || !strings.Contains(mod.body, "The video is cut") {
		t.Errorf("a moderator's cut: %d\n%s", mod.status, mod.body)
	}
	if o := owner("abcdefghijklmnopqrstuvwxyz"); o.Show != 0 {
		t.Error("the old key still opens")
	}
	r := c.post(at+"/cut", "header HX-Request", "true")
	now, second := find(r.body, "cut-key"), find(r.body, "cut-backup")
	if owner(now).Show != show || !owner(second).Backup || !strings.Contains(r.body, `hx-target="#now"`) || !strings.Contains(r.body, "shown this once") {
		t.Errorf("cut: %s", r.body)
	}
	if r := c.post(at + "/cut"); find(r.body, "cut-key") == now || owner(now).Show != 0 {
		t.Error("a cut without script makes no new key")
	}
	if r := c.post(at+"/key", "which", "no-backup"); r.status != http.StatusOK || strings.Contains(r.body, "Take it away</button></form></div>") {
		t.Errorf("taking the second key away: %d", r.status)
	}
}

// What the host taps goes to the relay; without video it is said why not.
func TestVideoActs(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	at := "/shows/" + show.String() + "/video"
	c := h.as("creator")
	for _, path := range []string{"/slate", "/use", "/admit"} {
		if r := c.post(at + path); r.status != http.StatusConflict {
			t.Errorf("%s without video: %d", path, r.status)
		}
	}
	if r := c.post(at+"/test", "rate", "6"); r.status != http.StatusConflict || !strings.Contains(r.body, "nothing to test") {
		t.Errorf("a test of nothing: %d", r.status)
	}
	ids := h.carries(m, show)
	for _, tt := range []struct{ path, name, value, want string }{
		{"/slate", "on", "1", "slate true"},
		{"/slate", "on", "0", "slate false"},
		{"/use", "backup", "1", "use true"},
		{"/admit", "", "", "admit"},
		{"/to/" + ids[0] + "/switch", "on", "0", "set YouTube,Kick,Facebook"},
		{"/to/" + ids[3] + "/move", "to", "up", "set YouTube,Facebook,Kick"},
		{"/to/" + ids[0] + "/switch", "on", "1", "set Twitch,YouTube,Facebook,Kick"},
		{"/to/" + ids[2] + "/drop", "", "", "set Twitch,YouTube,Facebook"},
		{"/settings", "grace", "5", "tune 0 5m0s false"},
	} {
		if r := c.post(at+tt.path, tt.name, tt.value); r.status != http.StatusSeeOther || !h.asked(tt.want) {
			t.Errorf("%s %s=%s: %d, not asked for %q", tt.path, tt.name, tt.value, r.status, tt.want)
		}
	}
	if r := c.post(at+"/to/"+ids[0]+"/switch", "on", "0", "header HX-Request", "true"); r.status != http.StatusOK || !strings.Contains(r.body, `hx-target="#ways"`) {
		t.Errorf("a switch with script: %d\n%s", r.status, r.body)
	}
	for _, path := range []string{"/to/5/switch", "/to/x/move", "/to/" + ids[2] + "/drop", "/to/" + ids[2]} {
		if r := c.post(at + path); r.status != http.StatusNotFound {
			t.Errorf("%s, which is not there: %d", path, r.status)
		}
	}
	if r := c.post(at+"/test", "rate", "6"); r.status != http.StatusConflict || !strings.Contains(r.body, "test before the encoder is started") {
		t.Errorf("a test while video comes: %d", r.status)
	}
	for _, rate := range []string{"", "0.1", "51", "x", "NaN", "-1"} {
		if r := c.post(at+"/test", "rate", rate); r.status != http.StatusUnprocessableEntity {
			t.Errorf("a test of %q Mbit/s: %d", rate, r.status)
		}
	}
	other, err := h.db.PutMerchant(t.Context(), sqldb.Merchant{Slug: "bob", Name: "Bob", Currency: "USD", Timezone: "UTC", Language: "en"})
	h.must(err)
	_ = other
	if r := c.get("/shows/1/video"); r.status != http.StatusNotFound {
		t.Errorf("a show of nobody: %d", r.status)
	}
}

// Settings that cannot be are told beside their fields, and what was typed stays.
func TestVideoSettings(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	at := "/shows/" + show.String() + "/video"
	c := h.as("owner")
	if r := c.post(at+"/settings", "uplink", "7,5", "grace", "20", "ask", "on", "record", "on"); r.status != http.StatusSeeOther {
		t.Fatalf("settings: %d\n%s", r.status, r.body)
	}
	got, err := h.db.Videobook().Settings(t.Context(), m, show)
	h.must(err)
	if want := (videobook.Settings{UplinkKbps: 7500, AskHost: true, Grace: 20 * time.Minute}); got != want {
		t.Errorf("stored is %+v", got)
	}
	for _, tt := range []struct{ uplink, grace, wrong string }{{"much", "15", "uplink-wrong"}, {"-1", "15", "uplink-wrong"}, {"1e9", "15", "uplink-wrong"}, {"", "0", "grace-wrong"}, {"", "241", "grace-wrong"}, {"", "x", "grace-wrong"}} {
		r := c.post(at+"/settings", "uplink", tt.uplink, "grace", tt.grace)
		if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `id="`+tt.wrong+`"`) || !strings.Contains(r.body, `name="grace" class="short" value="`+tt.grace+`"`) {
			t.Errorf("%q Mbit/s, %q minutes: %d without %s", tt.uplink, tt.grace, r.status, tt.wrong)
		}
	}
	if again, err := h.db.Videobook().Settings(t.Context(), m, show); err != nil || again != got {
		t.Errorf("what was wrong is stored: %+v, %v", again, err)
	}
}

// Destinations: server and key go in as pasted and the key never comes out; what is wrong is said beside its field.
func TestDestinationForm(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowPlanned)
	at := "/shows/" + show.String() + "/video"
	h.must(h.db.PutChannel(t.Context(), m, sqldb.Channel{Channel: twitchChannel(), Name: "ana", Bot: "2002", Owner: "1001"}))
	c := h.as("owner")
	r := c.get(at + "/to")
	for _, want := range []string{"Your connected channels", "account=youtube%2fUCana", "needs a yes", "Instagram", "LinkedIn", "Rumble", "Trovo", "TikTok", "YouTube, second ingest", "Any other server"} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the choice lacks %q", want)
		}
	}
	if r := c.get(at + "/to/new?preset=twitch"); !strings.Contains(r.body, "Primary stream key") || !strings.Contains(r.body, "Takes up to 6000 kbit/s of picture") || !strings.Contains(r.body, `value="rtmps://ingest.global-contribute.live-video.net:443/app"`) {
		t.Errorf("Twitch's form:\n%s", r.body)
	}
	for _, q := range []string{"preset=nowhere", "account=twitch/9", "account=discord/4004"} {
		if r := c.get(at + "/to/new?" + q); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", q, r.status)
		}
	}
	if r := c.get(at + "/to/new?account=twitch/1001"); !strings.Contains(r.body, "asked once more") || !strings.Contains(r.body, `action="/oauth/twitch-channel"`) || strings.Contains(r.body, `name="key"`) {
		t.Errorf("a connected channel that lacks a right:\n%s", r.body)
	}
	all := func() []videobook.Destination {
		all, err := h.db.Destinations(t.Context(), m, show)
		h.must(err)
		return all
	}
	for _, tt := range []struct{ name, server, key, want string }{
		{"", "rtmp://x/app", "k", "name-wrong"},
		{strings.Repeat("x", 61), "rtmp://x/app", "k", "name-wrong"},
		{"Web", "https://example.test", "k", "server-wrong"},
		{"Web", "", "k", "server-wrong"},
		{"Web", "rtmp://x", "", "key-wrong"},
		{"Web", "rtmp://x/app", "a b", "key-wrong"},
		{"Web", "rtmp://x/" + strings.Repeat("y", 2000), "k", "server-wrong"},
		{"Web", "rtmp://[::1", "k", "server-wrong"},
	} {
		r := c.post(at+"/to/new", "preset", "custom", "name", tt.name, "server", tt.server, "key", tt.key)
		if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `id="`+tt.want+`"`) {
			t.Errorf("%q, %q: %d without %s", tt.name, tt.server, r.status, tt.want)
		}
	}
	if n := len(all()); n != 0 {
		t.Fatalf("%d destinations are stored", n)
	}
	if r := c.post(at+"/to/new", "preset", "custom", "name", " Twitch ", "server", " rtmp://live.twitch.tv/app/ ", "key", " live_secret_1?x=1 "); r.status != http.StatusSeeOther {
		t.Fatalf("adding: %d\n%s", r.status, r.body)
	}
	d := all()[0]
	if d.Name != "Twitch" || d.Server != " rtmp://live.twitch.tv/app/ " || d.Key != " live_secret_1?x=1 " || d.Preset != "twitch" || !d.Enabled {
		t.Errorf("stored is %q %q, %d letters of key, preset %q, on %v", d.Name, d.Server, len(d.Key), d.Preset, d.Enabled)
	}
	edit := at + "/to/" + d.ID.String()
	r = c.get(edit)
	noSecrets(t, "the form", r.body)
	if !strings.Contains(r.body, "rtmp://live.twitch.tv/app/") || !strings.Contains(r.body, "kept; paste another") {
		t.Error("the form does not show the server, or that a key is kept")
	}
	r = c.post(edit, "name", "Twitch", "server", "rtmp://evil.example/app", "key", "")
	if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "sent nowhere else") || all()[0].Server != d.Server {
		t.Errorf("the stored key for another server: %d", r.status)
	}
	if r := c.post(edit, "name", "My Twitch", "server", "rtmps://live.twitch.tv/app", "key", ""); r.status != http.StatusSeeOther || all()[0].Key != d.Key || all()[0].Name != "My Twitch" {
		t.Errorf("another name: %d", r.status)
	}
	if r := c.post(at+"/to/new", "preset", "twitch", "name", "my twitch", "server", "rtmp://x/app", "key", "k"); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a name twice: %d", r.status)
	}
	// A server that holds the key is not shown either.
	if r := c.post(at+"/to/new", "preset", "custom", "name", "Whole", "server", "rtmp://video.example.com/live/secret-4", "key", ""); r.status != http.StatusSeeOther {
		t.Fatalf("a server with the key in it: %d\n%s", r.status, r.body)
	}
	whole := all()[1]
	r = c.get(at + "/to/" + whole.ID.String())
	noSecrets(t, "the form of a server that holds its key", r.body)
	if r := c.post(at+"/to/"+whole.ID.String(), "name", "Whole 2", "server", "", "key", ""); r.status != http.StatusSeeOther || all()[1].Server != whole.Server {
		t.Errorf("kept as it is: %d %q", r.status, all()[1].Server)
	}
	// A connected channel needs no key.
	if r := c.post(at+"/to/new", "account", "youtube/UCana", "preset", "youtube", "name", "YouTube", "server", "rtmp://evil.example/x", "key", "k"); r.status != http.StatusSeeOther {
		t.Fatalf("a connected channel: %d\n%s", r.status, r.body)
	}
	if d := all()[2]; d.Account != "youtube/UCana" || d.Server != "" || d.Key != "" || d.Preset != "youtube" {
		t.Errorf("stored is %v of %q", d, d.Account)
	}
	if r := c.post(at+"/to/new", "account", "youtube/UCother", "name", "Other"); r.status != http.StatusNotFound {
		t.Errorf("somebody else's channel: %d", r.status)
	}
	h.must(h.db.DropChannel(t.Context(), m, youtubeChannel()))
	if r := c.get(at + "/to/" + all()[2].ID.String()); r.status != http.StatusOK || !strings.Contains(r.body, "not connected any more") {
		t.Errorf("of a channel that is gone: %d", r.status)
	}
}

// send uploads a file.
func (c *client) send(path, field, name string, content []byte) answer {
	c.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	f, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+path, &b)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	return c.do(req, nil)
}

// An upload that is no slate is refused in a sentence.
func TestSlateUpload(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowPlanned)
	at := "/shows/" + show.String() + "/video"
	c := h.as("owner")
	for name, tt := range map[string]struct {
		r      answer
		status int
		want   string
	}{
		"no file":           {c.post(at + "/clip"), http.StatusUnprocessableEntity, "No file came"},
		"another field":     {c.send(at+"/clip", "other", "a.mp4", []byte("x")), http.StatusUnprocessableEntity, "No file came"},
		"text":              {c.send(at+"/clip", "clip", "a.mp4", []byte("hello")), http.StatusUnprocessableEntity, "cannot be read as a film"},
		"too large":         {c.send(at+"/clip", "clip", "a.mp4", make([]byte, 64<<20+1)), http.StatusRequestEntityTooLarge, "larger than 64 MB"},
		"by who may not":    {h.as("moderator").send(at+"/clip", "clip", "a.mp4", []byte("x")), http.StatusForbidden, ""},
		"by nobody we know": {h.client().send(at+"/clip", "clip", "a.mp4", []byte("x")), http.StatusUnauthorized, ""},
	} {
		if tt.r.status != tt.status || !strings.Contains(tt.r.body, tt.want) {
			t.Errorf("%s: %d, want %d with %q", name, tt.r.status, tt.status, tt.want)
		}
	}
	if r := c.get(at); !strings.Contains(r.body, "There is none.") {
		t.Error("there is a slate")
	}
}

// The host's hand in a browser: the page follows by itself and leaves forms alone; keys are copied and shown once; Cut answers a tap.
func TestVideoInBrowser(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	h.carries(m, show)
	at := h.url + "/shows/" + show.String() + "/video"
	b := browsertest.Open(t)
	for view, v := range browsertest.Views() {
		p := b.Page(t, v, "status of 404", "404 (Not Found)", "preloadMedia", "ERR_FILE_NOT_FOUND blob:")
		signIn(p, h, "owner")
		for name, path := range map[string]string{"video": "", "video-choose": "/to", "video-form": "/to/new?preset=youtube", "video-account": "/to/new?account=twitch/1001"} {
			if path != "" && v.Dark == v.Mobile { // each of the small pages in two views
				continue
			}
			p.Go(at + path)
			if path == "" {
				p.Await("document.documentElement.dataset.stream === 'live'")
				p.Await("document.querySelectorAll('#ways .spark').length > 0")
			}
			p.Check(name + " " + view)
			p.Shot(name + "-" + view)
		}
	}
	p := b.Page(t, browsertest.View{Width: 390, Height: 844, Mobile: true}, "status of 404", "404 (Not Found)", "preloadMedia", "ERR_FILE_NOT_FOUND blob:")
	signIn(p, h, "owner")
	p.Go(at)
	p.Await("document.documentElement.dataset.stream === 'live'")
	p.Type("#uplink", "12.5")
	p.Text("document.querySelector('#uplink').focus()")
	h.streams(func(s *relay.StreamStatus) {
		s.Line, s.Knocking, s.Destinations[2].State, s.Destinations[2].Error = "", nil, relay.Live, ""
		s.Ingest.Encoder = "vMix"
	})
	h.hub.RelayChanged(m, show)
	p.AwaitText("#ingest", "vMix")
	p.Await("!document.querySelector('#now').textContent.includes('Your line carries')")
	p.Await("document.activeElement.id === 'uplink' && document.activeElement.value.endsWith('12.5')")
	p.Text("window.confirm = () => true")
	p.Click("#cover")
	p.AwaitText("#now", "in place of the encoder")
	p.Click("#cover")
	p.AwaitText("#now", "Viewers see the encoder")
	p.Click("#ways li:first-child .switch")
	p.Await("document.querySelector('#ways li:first-child .switch').getAttribute('aria-checked') === 'false'")
	p.Click("#ways li:first-child .switch")
	p.Await("document.querySelector('#ways li:first-child .switch').getAttribute('aria-checked') === 'true'")
	p.Click("#new-key")
	p.Await("document.querySelector('#ingest-key')?.value.length === 26")
	first := p.Text("document.querySelector('#ingest-key').value")
	p.Text("navigator.clipboard.writeText = async (t) => { window.copied = t }")
	p.Click("[data-copy-from=ingest-key]")
	p.Await("window.copied === '" + first + "'")
	h.hub.RelayChanged(m, show)
	p.Await("document.querySelector('#ingest-key').value === '" + first + "'") // what is shown once is not taken away by the stream
	p.Click("#cut")
	p.AwaitText("#now", "The video is cut")
	p.Await("document.querySelector('#cut-key')?.value.length === 26 && document.querySelector('#cut-key').value !== '" + first + "'")
	p.Await("!document.querySelector('#ingest-key')") // what is void is not shown any more
	p.Shot("video-cut-phone")
	p.Go(at)
	p.Await("!document.querySelector('#cut-key') && document.querySelector('#keys').textContent.includes('••••••')")
}

// The rights of the page, beside those of the others.
func TestVideoRoles(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	at := "/shows/" + show.String() + "/video"
	for _, tt := range []struct {
		path  string
		right desk.Right
	}{
		{at, desk.See},
		{at + "/to", desk.Plan},
		{at + "/to/new?preset=twitch", desk.Plan},
		{"POST " + at + "/key", desk.Plan},
		{"POST " + at + "/settings", desk.Plan},
		{"POST " + at + "/clip", desk.Plan},
		{"POST " + at + "/clip/drop", desk.Plan},
		{"POST " + at + "/test", desk.Plan},
		{"POST " + at + "/to/new", desk.Plan},
		{"POST " + at + "/to/1", desk.Plan},
		{"POST " + at + "/to/1/switch", desk.Plan},
		{"POST " + at + "/to/1/move", desk.Plan},
		{"POST " + at + "/to/1/drop", desk.Plan},
	} {
		for _, role := range []string{"owner", "creator", "moderator"} {
			c := h.client()
			cookies(c, h.session(role))
			path, post := strings.CutPrefix(tt.path, "POST ")
			may := desk.May(role, tt.right)
			if post && may {
				continue // what is allowed is tested where it is done
			}
			r := answer{}
			if post {
				r = c.post(path)
			} else {
				r = c.get(path)
			}
			if (r.status == http.StatusOK) != may || !may && r.status != http.StatusForbidden {
				t.Errorf("%s as %s: %d", tt.path, role, r.status)
			}
		}
	}
}
