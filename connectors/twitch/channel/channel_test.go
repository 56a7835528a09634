package channel_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/channel"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
)

const anaID = "1001"

// stand is a pretend Twitch with one channel, and its owner's login, which is stored.
type stand struct {
	sim *twitchsim.Sim
	o   twitch.Options
	web string

	mu    sync.Mutex
	token chat.Token
	saves int
}

func newStand(t *testing.T, scopes ...string) *stand {
	t.Helper()
	var at [2]net.Listener
	for i := range at {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		at[i] = l
	}
	s := &stand{sim: twitchsim.New(twitchsim.Options{ClientID: "app", ClientSecret: "app-secret"}), web: "http://" + at[1].Addr().String()}
	s.sim.AddUser(twitchsim.User{ID: anaID, Login: "anaslive", Name: "AnasLive"})
	s.sim.Start(at[0], at[1])
	t.Cleanup(s.sim.Close)
	tok := s.sim.Grant(anaID, scopes...)
	s.token = chat.Token{Access: tok.Access, Refresh: tok.Refresh, Expires: tok.Expires, Scopes: tok.Scopes}
	s.o = twitch.Options{APIURL: s.web + "/helix", AuthURL: s.web + "/oauth2", ClientID: "app", ClientSecret: "app-secret", Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	return s
}

// client is one with the token as it is stored now.
func (s *stand) client(t *testing.T) *channel.Client {
	t.Helper()
	load := func(context.Context) (chat.Token, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.token, nil
	}
	tok, _ := load(t.Context())
	c, err := channel.New(s.o, twitch.Owner{
		Account: chat.Account{Platform: chat.Twitch, ID: anaID, Name: "anaslive", Token: tok}, Load: load,
		Save: func(_ context.Context, tok chat.Token) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.token, s.saves = tok, s.saves+1
			return nil
		},
	}, s.web+"/ingests")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func code(err error) string {
	var re *chat.Refused
	if errors.As(err, &re) {
		return re.Code
	}
	return fmt.Sprint(err)
}

// TestStreamKey: the key is the owner's, of now, and is shown by nothing that prints it.
func TestStreamKey(t *testing.T) {
	s := newStand(t, channel.ScopeStreamKey)
	c := s.client(t)
	for range 2 {
		key, err := c.StreamKey(t.Context())
		if err != nil || key.Reveal() != s.sim.StreamKey(anaID) {
			t.Fatalf("%v; the key of Twitch: %t", err, key.Reveal() == s.sim.StreamKey(anaID))
		}
		if shown := fmt.Sprintf("%v %+v %#v %s", key, key, key, key); strings.Contains(shown, key.Reveal()) {
			t.Error("a key was printed")
		}
		s.sim.RotateKey(anaID)
	}
	test := channel.BandwidthTest("live_1001_x")
	if test.Reveal() != "live_1001_x?bandwidthtest=true" || channel.BandwidthTest(test) != test || channel.BandwidthTest("a?b=c").Reveal() != "a?b=c&bandwidthtest=true" || channel.BandwidthTest("") != "" {
		t.Errorf("%q", test.Reveal())
	}
}

// TestScopes: what nobody granted is named, and not asked for at Twitch when that is known.
func TestScopes(t *testing.T) {
	s := newStand(t, "channel:bot")
	title := "x"
	for range 2 {
		_, err := s.client(t).StreamKey(t.Context())
		if code(err) != "scope" || !strings.Contains(err.Error(), channel.ScopeStreamKey) {
			t.Errorf("the key without its scope: %v", err)
		}
		if err := s.client(t).Set(t.Context(), channel.Change{Title: &title}); code(err) != "scope" {
			t.Errorf("a title without its scope: %v", err)
		}
		s.token.Scopes = nil // now Twitch must say it
	}
	if _, err := s.client(t).Stream(t.Context()); err != nil {
		t.Errorf("whether it is live: %v", err)
	}
	for _, use := range []string{"stream-key", "title"} {
		if sc, ok := channel.Scope(use); !ok || !sc.Owner || sc.Reason == "" {
			t.Errorf("%s: %+v", use, sc)
		}
	}
	if _, ok := channel.Scope("all"); ok {
		t.Error("a use that is none has a scope")
	}
}

func TestStream(t *testing.T) {
	s := newStand(t)
	c := s.client(t)
	if st, err := c.Stream(t.Context()); err != nil || st != (channel.Stream{}) {
		t.Errorf("%+v, %v", st, err)
	}
	s.sim.GoLive(anaID)
	s.sim.Viewers(anaID, 12)
	st, err := c.Stream(t.Context())
	if err != nil || !st.Live || st.ID == "" || st.Title != "Hello" || st.Category != "Just Chatting" || st.Viewers != 12 || st.Started.IsZero() {
		t.Errorf("%+v, %v", st, err)
	}
	s.sim.EndStream(anaID)
	if st, err := c.Stream(t.Context()); err != nil || st.Live {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestSet(t *testing.T) {
	s := newStand(t, channel.ScopeBroadcast)
	c := s.client(t)
	found, err := c.Categories(t.Context(), "makers")
	if err != nil || len(found) != 1 || found[0].Name != "Makers & Crafting" {
		t.Fatalf("%v, %v", found, err)
	}
	title, tags := " Mugs,\nlive\x00 😀 ", []string{"#Handmade", "handmade", "", "Töpferei", "陶芸"}
	if err := c.Set(t.Context(), channel.Change{Title: &title, CategoryID: &found[0].ID, Tags: &tags}); err != nil {
		t.Fatal(err)
	}
	i, err := c.Info(t.Context())
	if err != nil || i.Title != "Mugs, live 😀" || i.Category != "Makers & Crafting" || i.CategoryID != found[0].ID || i.Language != "en" || !slices.Equal(i.Tags, []string{"Handmade", "Töpferei", "陶芸"}) {
		t.Errorf("%+v, %v", i, err)
	}
	none, empty := []string{}, ""
	if err := c.Set(t.Context(), channel.Change{Tags: &none, CategoryID: &empty}); err != nil {
		t.Fatal(err)
	}
	if i, _ := c.Info(t.Context()); len(i.Tags) != 0 || i.CategoryID != "" || i.Title != "Mugs, live 😀" {
		t.Errorf("%+v", i)
	}
	long, many, odd := strings.Repeat("ä", 141), strings.Split("a b c d e f g h i j k", " "), []string{"two words"}
	nowhere := "1"
	for want, ch := range map[string]channel.Change{
		"empty": {}, "bad_title": {Title: &long}, "bad_tag": {Tags: &many}, "400": {CategoryID: &nowhere},
	} {
		if err := c.Set(t.Context(), ch); code(err) != want {
			t.Errorf("%+v: %v, want %s", ch, err, want)
		}
	}
	if err := c.Set(t.Context(), channel.Change{Title: &empty}); code(err) != "bad_title" {
		t.Errorf("no title: %v", err)
	}
	if err := c.Set(t.Context(), channel.Change{Tags: &odd}); code(err) != "bad_tag" {
		t.Errorf("a tag of two words: %v", err)
	}
}

func TestIngests(t *testing.T) {
	s := newStand(t)
	s.sim.SetIngests(
		twitchsim.Ingest{Name: "Near", Server: "rtmp://127.0.0.1:1936/app", Secure: "rtmps://127.0.0.1:443/app", Default: true},
		twitchsim.Ingest{Name: "Odd", Server: "ftp://127.0.0.1/app"},
		twitchsim.Ingest{Name: "Plain", Server: "rtmp://127.0.0.1:1937/app"},
	)
	all, err := s.client(t).Ingests(t.Context())
	if err != nil || len(all) != 2 || all[0].Server != "rtmp://127.0.0.1:1936/app" || all[0].Secure != "rtmps://127.0.0.1:443/app" || !all[0].Default || all[1].Name != "Plain" || all[1].Secure != "" {
		t.Errorf("%+v, %v", all, err)
	}
	s.sim.SetIngests(twitchsim.Ingest{Server: "x"})
	if _, err := s.client(t).Ingests(t.Context()); code(err) != "odd_answer" {
		t.Errorf("none that is good: %v", err)
	}
	s.sim.Break(1)
	if _, err := s.client(t).Ingests(t.Context()); code(err) != "503" {
		t.Errorf("503: %v", err)
	}
}

// TestShared: a login that several clients share, on this node and others, is renewed once; the others take what was stored.
func TestShared(t *testing.T) {
	s := newStand(t, channel.ScopeStreamKey)
	a, b := s.client(t), s.client(t)
	s.sim.ExpireToken()
	var both sync.WaitGroup
	for _, c := range []*channel.Client{a, b} {
		both.Go(func() {
			if _, err := c.StreamKey(t.Context()); err != nil {
				t.Errorf("StreamKey: %v", err)
			}
		})
	}
	both.Wait()
	if s.saves != 1 || s.sim.Refreshes() > 2 {
		t.Errorf("%d tokens stored, %d refreshes", s.saves, s.sim.Refreshes())
	}
	s.sim.Revoke()
	_, err := a.StreamKey(t.Context())
	var re *chat.Refused
	if !errors.As(err, &re) || !re.Reconnect {
		t.Errorf("after the owner withdrew: %v", err)
	}
}
