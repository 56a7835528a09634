package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/connectors/twitch/channel"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
	"hawker/internal/sqldb"
)

// TestConnectFile: `hawker connect` shows a code, and when its owner typed it the login is in a file of the owner's alone, by which
// `hawker chat` works.
func TestConnectFile(t *testing.T) {
	sim := twitchsim.New(twitchsim.Options{ClientID: "public-app", AskEvery: time.Second})
	irc, web := listenLocal(t), listenLocal(t)
	sim.AddUser(twitchsim.User{ID: channelID, Login: "anaslive"})
	sim.AddUser(twitchsim.User{ID: botID, Login: "hawkerbot"})
	sim.Start(irc, web)
	t.Cleanup(sim.Close)
	base, file := "http://"+web.Addr().String(), filepath.Join(t.TempDir(), "bot.env")
	where := map[string]string{
		"HAWKER_TWITCH_CLIENT_ID": "public-app", "HAWKER_TWITCH_API_URL": base + "/helix", "HAWKER_TWITCH_AUTH_URL": base + "/oauth2",
		"HAWKER_TWITCH_IRC_URL": "irc://" + irc.Addr().String(), "HAWKER_TWITCH_EVENTSUB_URL": "ws://" + web.Addr().String() + "/ws",
	}
	for k, v := range where {
		t.Setenv(k, v)
	}
	var printed printed
	ended := make(chan error, 1)
	go func() {
		ended <- run(t.Context(), []string{"connect", "twitch", file, "--scope", "channel:read:ads"}, &printed, io.Discard)
	}()
	eventually(t, "a code", func() bool { return len(sim.Codes()) == 1 && strings.Contains(printed.String(), sim.Codes()[0]) })
	if !sim.Activate(sim.Codes()[0], botID, true) {
		t.Fatal("no such code")
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	st, _ := os.Stat(file)
	if st.Mode().Perm() != 0o600 || !strings.Contains(string(b), "HAWKER_TWITCH_BOT_ID="+botID) || !strings.Contains(string(b), "channel:read:ads") {
		t.Errorf("%v", st.Mode())
	}
	for l := range strings.Lines(string(b)) {
		if name, secret, ok := strings.Cut(strings.TrimSpace(l), "="); ok && strings.HasSuffix(name, "_TOKEN") && strings.Contains(printed.String(), secret) {
			t.Errorf("%s was printed", name)
		}
	}
	if err := run(t.Context(), []string{"connect", "twitch", file}, io.Discard, io.Discard); err == nil {
		t.Error("a login was written over another")
	}
	x := chatLine(t, where, "twitch", "anaslive", "--json", "--config", file)
	x.wants(map[string]any{"type": "joined", "channel": "anaslive"})
	x.types(`{"op":"say","channel":"anaslive","text":"hello"}`)
	x.wants(map[string]any{"type": "sent"})
	if err := x.ends(); err != nil {
		t.Errorf("ends with %v", err)
	}
}

// TestConnectRefused: a code that its owner refuses leaves nothing behind.
func TestConnectRefused(t *testing.T) {
	sim := twitchsim.New(twitchsim.Options{ClientID: "public-app", AskEvery: time.Second})
	sim.AddUser(twitchsim.User{ID: botID, Login: "hawkerbot"})
	web := listenLocal(t)
	sim.Start(listenLocal(t), web)
	t.Cleanup(sim.Close)
	file := filepath.Join(t.TempDir(), "bot.env")
	ended := make(chan error, 1)
	go func() {
		ended <- run(t.Context(), []string{"connect", "twitch", file, "--twitch-client-id", "public-app", "--twitch-auth-url", "http://" + web.Addr().String() + "/oauth2"}, io.Discard, io.Discard)
	}()
	eventually(t, "a code", func() bool { return len(sim.Codes()) == 1 })
	sim.Activate(sim.Codes()[0], botID, false)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("ends with %v", err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file: %v", err)
	}
}

// TestConnectByCode: a hub without a public address, with a public application that has no secret, connects a channel by a code; the
// page goes on by itself, and the stream key that was asked for can be read.
func TestConnectByCode(t *testing.T) {
	sim := twitchsim.New(twitchsim.Options{ClientID: "public-app", AskEvery: time.Second})
	irc, api, web := listenLocal(t), listenLocal(t), listenLocal(t)
	sim.AddUser(twitchsim.User{ID: channelID, Login: "anaslive", Name: "AnasLive"})
	sim.Start(irc, api)
	t.Cleanup(sim.Close)
	base := "http://" + api.Addr().String()
	set := settings{Data: t.TempDir(), AllowPrivateTargets: true, RTMPListen: "127.0.0.1:0"}
	set.Twitch = twitchSettings{
		ClientID: "public-app", APIURL: base + "/helix", AuthURL: base + "/oauth2", IRCURL: "irc://" + irc.Addr().String(), EventSubURL: "ws://" + api.Addr().String() + "/ws",
		IngestURL: base + "/ingests",
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	public := "http://" + web.Addr().String()
	h, err := openHouse(ctx, set, slog.New(slog.NewTextHandler(quiet{t}, nil)), public)
	if err != nil {
		t.Fatal(err)
	}
	merchant, err := h.db.PutMerchant(ctx, sqldb.Merchant{Slug: "ana", Name: "Ana's", Currency: "EUR", Timezone: "Europe/Berlin", Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	owner := sqldb.Member{Merchant: merchant, Email: "ana@example.test", Role: "owner"}
	if owner.ID, err = h.db.PutMember(ctx, owner); err != nil {
		t.Fatal(err)
	}
	h.video.tie()
	if _, err := h.video.start(ctx); err != nil {
		t.Fatal(err)
	}
	p, err := h.pages(extras{signInAs: func(context.Context) (sqldb.Member, bool) { return owner, true }})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx, web, p) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := h.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	<-h.hub.Started()
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	ask := func(req *http.Request, err error) (*http.Response, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		res, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res, string(b)
	}
	if _, body := ask(http.NewRequestWithContext(ctx, http.MethodGet, public+"/channels", http.NoBody)); !strings.Contains(body, `action="/oauth/twitch-channel/code"`) {
		t.Fatalf("the page offers no code:\n%s", body)
	}
	form := strings.NewReader(url.Values{"extra": {"stream-key"}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, public+"/oauth/twitch-channel/code", form)
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", public)
	}
	if res, body := ask(req, err); res.StatusCode != http.StatusOK || len(sim.Codes()) != 1 || !strings.Contains(body, sim.Codes()[0]) {
		t.Fatalf("%d, codes %v\n%s", res.StatusCode, sim.Codes(), body)
	}
	sim.Activate(sim.Codes()[0], channelID, true)
	eventually(t, "the page to go on", func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, public+"/oauth/twitch-channel/code", http.NoBody)
		if err == nil {
			req.Header.Set("HX-Request", "true")
		}
		res, _ := ask(req, err)
		return res.Header.Get("HX-Redirect") == "/channels?said=connected"
	})
	accounts, err := h.db.Accounts(ctx, merchant)
	if err != nil || len(accounts) != 1 || accounts[0].ID != channelID || accounts[0].Purpose != sqldb.OwnerAccount || !slices.Contains(accounts[0].Token.Scopes, channel.ScopeStreamKey) {
		t.Fatalf("%d accounts, %v", len(accounts), err)
	}
	known, err := h.db.Channels(ctx, merchant)
	if err != nil || len(known) != 1 || known[0].Channel != (chat.Channel{Platform: chat.Twitch, ID: channelID}) {
		t.Errorf("channels %+v, %v", known, err)
	}
	sim.ExpireToken() // of a public application: renewed without a secret, and stored
	c, err := h.twitchChannel(ctx, merchant, channelID)
	if err != nil {
		t.Fatal(err)
	}
	key, err := c.StreamKey(ctx)
	if err != nil || key.Reveal() != sim.StreamKey(channelID) {
		t.Errorf("the stream key: %v", err)
	}
	if again, _ := h.db.Accounts(ctx, merchant); len(again) != 1 || again[0].Token.Refresh == accounts[0].Token.Refresh {
		t.Error("the renewed login was not stored")
	}
	// What the merchant disconnects does not come back with the next renewal.
	if err := h.db.DropAccount(ctx, merchant, chat.Twitch, channelID, sqldb.OwnerAccount); err != nil {
		t.Fatal(err)
	}
	sim.ExpireToken()
	if _, err := c.StreamKey(ctx); err == nil {
		t.Error("the key of a channel that was disconnected")
	}
	if left, _ := h.db.Accounts(ctx, merchant); len(left) != 0 {
		t.Errorf("%d accounts after they were disconnected", len(left))
	}
	if all, err := c.Ingests(ctx); err != nil || len(all) != 2 {
		t.Errorf("%d ingest servers, %v", len(all), err)
	}
}
