package twitch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
)

var shop = chat.Channel{Platform: chat.Twitch, ID: anaID}

func line(text string) chat.Line {
	return chat.Line{To: chat.Answer{Kind: chat.ToChannel, Channel: shop}, Text: text}
}

func refusal(t *testing.T, err error) *chat.Refused {
	t.Helper()
	var re *chat.Refused
	if !errors.As(err, &re) {
		t.Fatalf("error %v (%T), want *chat.Refused", err, err)
	}
	return re
}

func TestSayRefusals(t *testing.T) {
	s := newStand(t)
	s.sim.Mod(anaID, botID, true)
	c := s.client(t)
	say := func(l chat.Line) *chat.Refused {
		t.Helper()
		_, err := c.Say(t.Context(), l)
		return refusal(t, err)
	}
	s.sim.RefuseNext("msg_slowmode", "This room is in slow mode.")
	if re := say(line("a")); re.Code != "msg_slowmode" || re.Reason == "" || re.Unknown {
		t.Errorf("slow mode: %+v", re)
	}
	s.sim.RefuseSends(1)
	if re := say(line("b")); re.Code != "429" || re.RetryAfter < time.Second || re.RetryAfter > 3*time.Second || re.Unknown {
		t.Errorf("429: %+v", re)
	}
	s.sim.Break(1)
	if re := say(line("c")); re.Code != "503" || strings.Contains(re.Reason, "<") {
		t.Errorf("503: %+v", re)
	}
	if re := say(line(strings.Repeat("x", 501))); re.Code != "msg_too_long" {
		t.Errorf("501 characters: %+v", re)
	}
	if re := say(line(" \r\n\u200b")); re.Code != "empty" {
		t.Errorf("no text: %+v", re)
	}
	if re := say(chat.Line{To: chat.Answer{Kind: chat.ToPrivate, Channel: shop}, Text: "x"}); re.Code != "no_private_answers" {
		t.Errorf("private: %+v", re)
	}
	if re := say(chat.Line{Text: "x"}); re.Code != "no_channel" {
		t.Errorf("no channel: %+v", re)
	}
	if re := say(chat.Line{To: chat.Answer{Kind: chat.ToReply, Channel: shop, Message: "gone"}, Text: "x"}); re.Code != chat.ReplyGone || re.Unknown || re.Reconnect {
		t.Errorf("reply to nothing: %+v", re)
	}
	if _, err := c.Say(t.Context(), line("twice")); err != nil {
		t.Error(err)
	}
	if re := say(line("twice")); re.Code != "msg_duplicate" {
		t.Errorf("the same text: %+v", re)
	}
	s.sim.Ban(anaID, botID, true)
	if re := say(line("d")); re.Code != "403" || re.Reconnect {
		t.Errorf("banned: %+v", re)
	}
	if st := c.States()[0]; st.Speaks || st.Trouble == "" {
		t.Errorf("state of a banned bot: %+v", st)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Say(ctx, line("e"))
	if re := refusal(t, err); re.Code != "network" {
		t.Errorf("ended ctx: %+v", re)
	}
	if n := len(s.sim.Spoken(anaID)); n != 1 {
		t.Errorf("%d lines posted, want 1", n)
	}
}

func TestMissingScope(t *testing.T) {
	s := newStand(t)
	tok := s.sim.Grant(botID, "chat:read")
	s.o.Bot.Token = chat.Token{Access: tok.Access, Refresh: tok.Refresh}
	_, err := s.client(t).Say(t.Context(), line("x"))
	if re := refusal(t, err); re.Code != "missing_scope" || !re.Reconnect {
		t.Errorf("%+v", re)
	}
	if s.sim.Refreshes() != 0 {
		t.Error("a token was refreshed for a missing scope")
	}
}

// TestOneRefresh: however many lines meet the end of the token, it is refreshed once and stored before it is used.
func TestOneRefresh(t *testing.T) {
	s := newStand(t)
	s.sim.Mod(anaID, botID, true)
	s.sim.ExpireToken()
	c := s.client(t)
	var all sync.WaitGroup
	for i := range 15 {
		all.Go(func() {
			if _, err := c.Say(t.Context(), line(fmt.Sprintf("line %d", i))); err != nil {
				t.Errorf("line %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if n := s.sim.Refreshes(); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	if len(s.saved) != 1 || s.saved[0].Access == "" || s.saved[0].Refresh == "" || s.saved[0].Expires.IsZero() || len(s.saved[0].Scopes) == 0 {
		t.Errorf("saved %d tokens", len(s.saved))
	}
	if n := len(s.sim.Spoken(anaID)); n != 15 {
		t.Errorf("%d lines posted, want 15", n)
	}
}

// TestSaveFails: a token that could not be stored is not used, nor is another fetched.
func TestSaveFails(t *testing.T) {
	s := newStand(t)
	s.sim.ExpireToken()
	var disk error = errors.New("disk full")
	save := s.o.Save
	s.o.Save = func(ctx context.Context, tok chat.Token) error {
		if disk != nil {
			return disk
		}
		return save(ctx, tok)
	}
	c := s.client(t)
	for range 3 {
		_, err := c.Say(t.Context(), line("x"))
		if re := refusal(t, err); re.Reconnect || re.Unknown {
			t.Errorf("%+v", re)
		}
	}
	if s.sim.Refreshes() != 1 || len(s.sim.Spoken(anaID)) != 0 {
		t.Errorf("%d refreshes, %d lines; want 1, 0", s.sim.Refreshes(), len(s.sim.Spoken(anaID)))
	}
}

func TestOddAnswers(t *testing.T) {
	var body string
	var status int
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer web.Close()
	s := newStand(t)
	s.o.APIURL = web.URL
	c := s.client(t)
	for _, tt := range []struct {
		status  int
		body    string
		code    string
		unknown bool
	}{
		{200, "null", "odd_answer", true},
		{200, "", "odd_answer", true},
		{200, "[]", "odd_answer", true},
		{200, `{"data":null}`, "odd_answer", true},
		{200, `{"data":[{"is_sent":false}]}`, "not_sent", false},
		{200, `{"data":[{"is_sent":false,"drop_reason":{"code":"msg_rejected","message":"held"}}]}`, "msg_rejected", false},
		{403, "<html>", "403", false},
		{422, `{"message":"The message is too large"}`, "422", false},
		{500, `{"message":7}`, "500", true},
		{204, "", "odd_answer", true},
	} {
		status, body = tt.status, tt.body
		_, err := c.Say(t.Context(), line("x"))
		re := refusal(t, err)
		if tt.status == 204 {
			tt.code = "204"
		}
		if re.Code != tt.code || re.Unknown != tt.unknown || re.Reason == "" {
			t.Errorf("%d %q: %+v", tt.status, tt.body, re)
		}
	}
}

// TestBrokenMidway: the connection ends while the answer is awaited, so the line may have been posted.
func TestBrokenMidway(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer web.Close()
	s := newStand(t)
	s.o.APIURL = web.URL
	_, err := s.client(t).Say(t.Context(), line("x"))
	if re := refusal(t, err); re.Code != "network" || !re.Unknown {
		t.Errorf("cut while waiting: %+v", re)
	}
	web.Close()
	s.o.APIURL = web.URL
	_, err = s.client(t).Say(t.Context(), line("x"))
	if re := refusal(t, err); re.Code != "network" || re.Unknown || strings.Contains(re.Error(), "127.0.0.1") {
		t.Errorf("no connection: %+v", re)
	}
}

func TestNewRefuses(t *testing.T) {
	s := newStand(t)
	for name, spoil := range map[string]func(*twitch.Options){
		"no client id": func(o *twitch.Options) { o.ClientID = "" },
		"no bot":       func(o *twitch.Options) { o.Bot.ID, o.Road = "", twitch.Both },
		"road":         func(o *twitch.Options) { o.Road = "main" },
		"no save":      func(o *twitch.Options) { o.Save = nil },
		"chat address": func(o *twitch.Options) { o.IRCURL = "wss://x" },
		"api address":  func(o *twitch.Options) { o.APIURL = "nowhere" },
		"channel":      func(o *twitch.Options) { o.Channels = []twitch.ChannelRef{{Login: "x y"}} },
	} {
		o := s.o
		spoil(&o)
		if _, err := twitch.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestBudget(t *testing.T) {
	s := newStand(t)
	s.o.Channels = append(s.o.Channels, twitch.ChannelRef{ID: botID, Login: "hawkerbot"}, twitch.ChannelRef{ID: "1002", Login: "bobslive"}, twitch.ChannelRef{ID: "1003", Login: "cyslive"})
	s.sim.AddUser(twitchsim.User{ID: "1002", Login: "bobslive"})
	s.sim.AddUser(twitchsim.User{ID: "1003", Login: "cyslive"})
	s.sim.Mod("1002", botID, true)
	s.sim.VIP("1003", botID, true)
	c := s.client(t)
	listening(t, c, 4)
	for _, tt := range []struct {
		id    string
		lines int
		every time.Duration
	}{{anaID, 20, time.Second}, {botID, 100, 0}, {"1002", 100, 0}, {"1003", 20, 0}, {"unknown", 20, time.Second}} {
		b := c.Budget(chat.Channel{Platform: chat.Twitch, ID: tt.id})
		if b.Lines != tt.lines || b.Every != tt.every || b.Per != 30*time.Second || b.NoRepeat != 30*time.Second || b.MaxRunes != 500 || b.Pool != "twitch/"+botID || !b.Replies || b.Private || b.PublicOnly {
			t.Errorf("%s: %+v", tt.id, b)
		}
	}
	for _, st := range c.States() {
		if !st.Speaks || !st.Hears || len(st.Missing) != 0 {
			t.Errorf("state %+v", st)
		}
	}
}
