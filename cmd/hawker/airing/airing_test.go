package airing_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/cmd/hawker/airing"
	"hawker/commerce"
	"hawker/connectors/twitch"
	"hawker/connectors/twitch/channel"
	"hawker/connectors/twitch/twitchsim"
	"hawker/connectors/youtube"
	"hawker/connectors/youtube/broadcast"
	"hawker/connectors/youtube/quota"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
	"hawker/internal/sqldb/videobook"
	"hawker/internal/studio"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// watched runs a platform's Watch until it said what is wanted.
func watched(t *testing.T, p *studio.Platform, id string, x videobook.Session, want func(studio.Reception) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	var last studio.Reception
	ok := false
	err := p.Watch(ctx, 1, id, x, func(r studio.Reception) {
		mu.Lock()
		defer mu.Unlock()
		if last = r; want(r) {
			ok = true
			cancel()
		}
	})
	mu.Lock()
	defer mu.Unlock()
	if !ok {
		t.Errorf("it said last: %+v; %v", last, err)
	}
}

// A connected Twitch channel gives its key and the nearest server, takes the show's title where that was granted, and says whether
// viewers see it.
func TestTwitch(t *testing.T) {
	sim := twitchsim.New(twitchsim.Options{ClientID: "app", ClientSecret: "app-secret"})
	sim.AddUser(twitchsim.User{ID: "1001", Login: "anaslive", Name: "AnasLive"})
	irc, web := listen(t), listen(t)
	sim.Start(irc, web)
	t.Cleanup(sim.Close)
	sim.SetIngests(twitchsim.Ingest{Name: "here", Server: "rtmp://here.example/app", Secure: "rtmps://here.example:443/app", Default: true})
	at := "http://" + web.Addr().String()
	var scopes []string
	tw := &airing.Twitch{Log: slog.New(slog.DiscardHandler), Scopes: func(context.Context, commerce.ID, string) ([]string, error) { return scopes, nil }}
	tw.Channel = func(context.Context, commerce.ID, string) (*channel.Client, error) {
		tok := sim.Grant("1001", scopes...)
		token := chat.Token{Access: tok.Access, Refresh: tok.Refresh, Expires: tok.Expires, Scopes: tok.Scopes}
		return channel.New(twitch.Options{APIURL: at + "/helix", AuthURL: at + "/oauth2", ClientID: "app", ClientSecret: "app-secret"}, twitch.Owner{
			Account: chat.Account{Platform: chat.Twitch, ID: "1001", Name: "anaslive", Token: token}, Save: func(context.Context, chat.Token) error { return nil },
			Load: func(context.Context) (chat.Token, error) { return token, nil },
		}, at+"/ingests")
	}
	p := tw.Platform()
	ctx := t.Context()
	if text, err := p.Needs(ctx, 1, "1001"); err != nil || !strings.Contains(text, "stream key") {
		t.Errorf("without the scope it needs %q, %v", text, err)
	}
	if _, err := p.Open(ctx, 1, "1001", studio.Show{Title: "Spring"}, videobook.Session{}); err == nil {
		t.Error("without the scope it gives a key")
	}
	scopes = []string{channel.ScopeStreamKey}
	x, err := p.Open(ctx, 1, "1001", studio.Show{Title: "Spring"}, videobook.Session{})
	if err != nil || x.Key != sim.StreamKey("1001") || x.Server != "rtmps://here.example:443/app" {
		t.Fatalf("%v to %q, the right key: %t, %v", x, x.Server, x.Key == sim.StreamKey("1001"), err)
	}
	if title, _, _ := sim.Title("1001"); title == "Spring" {
		t.Error("the title is set without the scope")
	}
	scopes = append(scopes, channel.ScopeBroadcast)
	if _, err = p.Open(ctx, 1, "1001", studio.Show{Title: "Spring"}, x); err != nil {
		t.Fatal(err)
	}
	if title, _, _ := sim.Title("1001"); title != "Spring" {
		t.Errorf("the title is %q", title)
	}
	if text, err := p.Needs(ctx, 1, "1001"); err != nil || text != "" {
		t.Errorf("with the scope it needs %q, %v", text, err)
	}
	if server, key, err := p.Probe(ctx, 1, "1001"); err != nil || server == "" || key != x.Key {
		t.Errorf("for a test: %q, %v", server, err)
	}
	watched(t, &p, "1001", x, func(r studio.Reception) bool { return r.Known && !r.Good })
	sim.GoLive("1001")
	watched(t, &p, "1001", x, func(r studio.Reception) bool { return r.Known && r.Good })
}

// A connected YouTube channel gets one broadcast for a show, says when viewers see it, and the broadcast ends with the show.
func TestYouTube(t *testing.T) {
	sim := youtubesim.New(youtubesim.Config{Channels: []youtubesim.Channel{{ID: "UCana", Title: "Ana"}}})
	sim.Start(listen(t))
	t.Cleanup(sim.Close)
	access, refresh, expires := sim.Grant("UCana")
	yt := &airing.YouTube{Broadcasts: func(ctx context.Context, _ commerce.ID, id string) (*broadcast.Client, error) {
		return broadcast.New(ctx, youtube.Options{
			APIURL: sim.URL(), AuthURL: sim.AuthURL(), TokenURL: sim.TokenURL(), RevokeURL: sim.RevokeURL(), Units: quota.NewMeter(0, nil), Log: slog.New(slog.DiscardHandler),
			Owner: chat.Account{Platform: chat.YouTube, ID: id, Token: chat.Token{Access: access, Refresh: refresh, Expires: expires}},
		})
	}}
	p := yt.Platform()
	ctx, show := t.Context(), studio.Show{Title: "Spring", Description: "Shop live: https://x.example/live/spring"}
	x, err := p.Open(ctx, 1, "UCana", show, videobook.Session{})
	if err != nil || x.Key == "" || x.Server == "" || x.Backup == "" || x.Broadcast == "" || !x.Made {
		t.Fatalf("opened: %v to %q, %v", x, x.Server, err)
	}
	again, err := p.Open(ctx, 1, "UCana", show, x)
	if err != nil || again.Broadcast != x.Broadcast || again.Key != x.Key {
		t.Errorf("opened again: %v, %v", again, err)
	}
	if all := sim.Broadcasts("UCana"); len(all) != 1 || all[0].Title != "Spring" || !strings.Contains(all[0].Description, "/live/spring") {
		t.Errorf("broadcasts: %+v", all)
	}
	watched(t, &p, "UCana", x, func(r studio.Reception) bool { return r.Known && !r.Good && r.Text != "" })
	sim.Ingest(x.Key, true)
	watched(t, &p, "UCana", x, func(r studio.Reception) bool { return r.Known && r.Good })
	for range 2 {
		if err := p.Close(ctx, 1, "UCana", x); err != nil {
			t.Fatal(err)
		}
	}
	if all := sim.Broadcasts("UCana"); len(all) != 1 || all[0].State != "complete" {
		t.Errorf("after the show: %+v", all)
	}
}
