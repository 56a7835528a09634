package twitch_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
)

var (
	botDeeds = []string{
		"moderator:manage:chat_messages", "moderator:manage:banned_users", "moderator:manage:announcements", "moderator:manage:shoutouts", "user:manage:whispers",
	}
	ownerDeeds = []string{"channel:manage:broadcast", "channel:manage:redemptions"}
	viewer     = chat.Viewer{Platform: chat.Twitch, ID: "7", Name: "Bob"}
)

// mayAct gives the bot and the owner what deeds need, and makes the bot moderator.
func (s *stand) mayAct(bot, owner []string) {
	tok := s.sim.Grant(botID, append(twitch.BotScopes(), bot...)...)
	s.o.Bot.Token = chat.Token{Access: tok.Access, Refresh: tok.Refresh, Scopes: tok.Scopes}
	s.own(owner...)
	s.o.Owners[0].Account.Token.Scopes = owner
	s.sim.Mod(anaID, botID, true)
	s.sim.AddUser(twitchsim.User{ID: "7", Login: "bob", Name: "Bob"})
}

// TestDeeds: each deed arrives as it was meant, by whom it was meant.
func TestDeeds(t *testing.T) {
	s := newStand(t)
	s.mayAct(botDeeds, ownerDeeds)
	c := s.client(t)
	c.Need([]chat.Kind{chat.Redeemed}, nil)
	e := listening(t, c, 1)
	s.subscribed(e, 1)
	s.sim.GoLive(anaID)
	bad := s.sim.Type(anaID, bob, "bad words")
	e.until("the line", func() bool { return e.count(chat.Said) == 1 })
	keep, _ := s.sim.Redeem(anaID, bob, "r1", "Unlock", "")
	back, _ := s.sim.Redeem(anaID, bob, "r1", "Unlock", "")
	e.until("redemptions", func() bool { return e.count(chat.Redeemed) == 2 })
	for _, tt := range []struct {
		d    chat.Deed
		want twitchsim.Deed
	}{
		{chat.Deed{Kind: chat.DeleteLine, Message: bad}, twitchsim.Deed{Kind: "delete line", Channel: anaID, By: botID, User: "7", Message: bad, Text: "bad words"}},
		{
			chat.Deed{Kind: chat.TimeOut, Viewer: viewer, For: 10 * time.Minute, Text: "too\nmany links"},
			twitchsim.Deed{Kind: "time out", Channel: anaID, By: botID, User: "7", Text: "too many links", For: 10 * time.Minute},
		},
		{chat.Deed{Kind: chat.Announce, Text: "/me Mugs are here"}, twitchsim.Deed{Kind: "announce", Channel: anaID, By: botID, Text: "\u2060/me Mugs are here"}},
		{chat.Deed{Kind: chat.Mark, Text: strings.Repeat("é", 150)}, twitchsim.Deed{Kind: "stream marker", Channel: anaID, By: anaID, Text: strings.Repeat("é", 139) + "…"}},
		{chat.Deed{Kind: chat.ShoutOutCreator, Viewer: viewer}, twitchsim.Deed{Kind: "shoutout creator", Channel: anaID, By: botID, User: "7"}},
		{chat.Deed{Kind: chat.DirectMessage, Viewer: viewer, Text: "Your code: ABC"}, twitchsim.Deed{Kind: "direct message", By: botID, User: "7", Text: "Your code: ABC"}},
		{chat.Deed{Kind: chat.FulfilReward, Reward: "r1", Redemption: keep}, twitchsim.Deed{Kind: "fulfil reward", Channel: anaID, By: anaID, Redemption: keep}},
		{chat.Deed{Kind: chat.RefundReward, Reward: "r1", Redemption: back}, twitchsim.Deed{Kind: "refund reward", Channel: anaID, By: anaID, Redemption: back}},
		{chat.Deed{Kind: chat.PinCard, Text: "No. 3: mug"}, twitchsim.Deed{Kind: "pin card", Channel: anaID, By: botID, Text: "No. 3: mug"}},
	} {
		tt.d.Channel = shop
		if err := c.Do(t.Context(), tt.d); err != nil {
			t.Errorf("%s: %v", tt.d.Kind, err)
			continue
		}
		all := s.sim.Deeds()
		got := all[len(all)-1]
		got.At = time.Time{}
		if tt.want.Kind == "pin card" {
			got.Message = ""
		}
		if got != tt.want {
			t.Errorf("%s\n got %+v\nwant %+v", tt.d.Kind, got, tt.want)
		}
	}
	if s.sim.Redemption(keep) != "FULFILLED" || s.sim.Redemption(back) != "CANCELED" {
		t.Errorf("redemptions %s, %s", s.sim.Redemption(keep), s.sim.Redemption(back))
	}
	e.until("what it did is heard", func() bool {
		return e.count(chat.Deleted) == 1 && e.count(chat.Cleared) == 1 && e.count(chat.Said) == 3
	})
	if m := e.events(chat.Said)[1].Message; !m.Own || !strings.HasSuffix(m.Text, "Mugs are here") {
		t.Errorf("the announcement is heard as %+v", m)
	}
	if s.sim.OverLimit() != 0 {
		t.Errorf("%d over a limit", s.sim.OverLimit())
	}
}

// TestDeedRefusals: what cannot be done is refused with a code and a sentence, and does nothing.
func TestDeedRefusals(t *testing.T) {
	s := newStand(t)
	s.mayAct(botDeeds, ownerDeeds)
	c := s.client(t)
	listening(t, c, 1)
	s.sim.NoPhone(botID, true)
	s.sim.Strange("r9")
	for _, tt := range []struct {
		what string
		d    chat.Deed
		code string
	}{
		{"a role", chat.Deed{Kind: chat.GiveRole, Viewer: viewer, Role: "x"}, "unsupported"},
		{"an unknown deed", chat.Deed{Kind: "dance"}, "unsupported"},
		{"no line", chat.Deed{Kind: chat.DeleteLine}, "bad_deed"},
		{"a line that is gone", chat.Deed{Kind: chat.DeleteLine, Message: "gone"}, "404"},
		{"no time", chat.Deed{Kind: chat.TimeOut, Viewer: viewer}, "bad_deed"},
		{"too long", chat.Deed{Kind: chat.TimeOut, Viewer: viewer, For: 15 * 24 * time.Hour}, "bad_deed"},
		{"the host", chat.Deed{Kind: chat.TimeOut, Viewer: chat.Viewer{ID: anaID}, For: time.Minute}, "400"},
		{"nothing to announce", chat.Deed{Kind: chat.Announce, Text: " \n"}, "empty"},
		{"too much to announce", chat.Deed{Kind: chat.Announce, Text: strings.Repeat("x", 501)}, "msg_too_long"},
		{"not live", chat.Deed{Kind: chat.Mark, Text: "x"}, "404"},
		{"not live either", chat.Deed{Kind: chat.ShoutOutCreator, Viewer: viewer}, "400"},
		{"oneself", chat.Deed{Kind: chat.ShoutOutCreator, Viewer: chat.Viewer{ID: anaID}}, "bad_deed"},
		{"no phone", chat.Deed{Kind: chat.DirectMessage, Viewer: viewer, Text: "x"}, "phone"},
		{"no viewer", chat.Deed{Kind: chat.DirectMessage, Text: "x"}, "bad_deed"},
		{"no redemption", chat.Deed{Kind: chat.FulfilReward, Reward: "r1"}, "bad_deed"},
		{"an unknown redemption", chat.Deed{Kind: chat.FulfilReward, Reward: "r1", Redemption: "x"}, "404"},
		{"another's reward", chat.Deed{Kind: chat.RefundReward, Reward: "r9", Redemption: "x"}, "403"},
	} {
		tt.d.Channel = shop
		re := refusal(t, c.Do(t.Context(), tt.d))
		if re.Code != tt.code || re.Reason == "" || re.Unknown || re.Reconnect {
			t.Errorf("%s: %+v, want code %s", tt.what, re, tt.code)
		}
	}
	if re := refusal(t, c.Do(t.Context(), chat.Deed{Kind: chat.Announce, Text: "x"})); re.Code != "no_channel" {
		t.Errorf("no channel: %+v", re)
	}
	if n := len(s.sim.Deeds()); n != 0 || s.sim.Refreshes() != 0 {
		t.Errorf("%d deeds, %d refreshes", n, s.sim.Refreshes())
	}
	// What was refused cost nothing of the rates.
	s.sim.GoLive(anaID)
	if err := c.Do(t.Context(), chat.Deed{Kind: chat.ShoutOutCreator, Channel: shop, Viewer: viewer}); err != nil {
		t.Errorf("a shout-out after a refused one: %v", err)
	}
}

// TestDeedScopes: without a scope the refusal names it; the owner's stands in for the bot's; the bot's never for the owner's.
func TestDeedScopes(t *testing.T) {
	s := newStand(t)
	s.mayAct([]string{"channel:manage:broadcast"}, []string{"moderator:manage:announcements", "moderator:manage:shoutouts"})
	s.sim.Mod(anaID, botID, false)
	c := s.client(t)
	listening(t, c, 1)
	for k, scope := range map[chat.DeedKind]string{
		chat.DeleteLine: "moderator:manage:chat_messages", chat.TimeOut: "moderator:manage:banned_users", chat.Mark: "channel:manage:broadcast",
		chat.RefundReward: "channel:manage:redemptions", chat.DirectMessage: "user:manage:whispers",
	} {
		d := chat.Deed{Kind: k, Channel: shop, Viewer: viewer, Message: "m", For: time.Minute, Text: "x", Reward: "r", Redemption: "x"}
		if re := refusal(t, c.Do(t.Context(), d)); re.Code != "scope" || !strings.Contains(re.Reason, scope) {
			t.Errorf("%s: %+v", k, re)
		}
	}
	if err := c.Do(t.Context(), chat.Deed{Kind: chat.Announce, Channel: shop, Text: "by the owner"}); err != nil {
		t.Error(err)
	}
	if d := s.sim.Deeds(); len(d) != 1 || d[0].By != anaID {
		t.Errorf("deeds %+v", d)
	}
}

// TestDeedFaults: 429, 503, an ended token, a lost connection and answers that make no sense.
func TestDeedFaults(t *testing.T) {
	s := newStand(t)
	s.mayAct(botDeeds, ownerDeeds)
	s.sim.GoLive(anaID)
	c := s.client(t)
	mark := chat.Deed{Kind: chat.Mark, Channel: shop, Text: "x"}
	s.sim.Break(1)
	if re := refusal(t, c.Do(t.Context(), mark)); re.Code != "503" || !re.Unknown || strings.Contains(re.Reason, "<") {
		t.Errorf("503: %+v", re)
	}
	s.sim.ExpireToken()
	if err := c.Do(t.Context(), mark); err != nil || s.sim.Refreshes() != 1 {
		t.Errorf("ended token: %v, %d refreshes", err, s.sim.Refreshes())
	}
	s.sim.Revoke()
	s.sim.ExpireToken()
	for range 2 {
		if re := refusal(t, c.Do(t.Context(), mark)); !re.Reconnect || !strings.Contains(re.Reason, "channel again") {
			t.Errorf("revoked: %+v", re)
		}
	}
	if _, err := c.Say(t.Context(), line("the bot's login is another")); err == nil || strings.Contains(err.Error(), "channel again") {
		t.Errorf("the bot after the owner's end: %v", err)
	}

	var mu sync.Mutex
	var status int
	var body string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Ratelimit-Reset", fmt.Sprint(time.Now().Add(20*time.Second).Unix()))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer web.Close()
	s = newStand(t)
	s.mayAct(botDeeds, ownerDeeds)
	s.o.APIURL = web.URL
	c = s.client(t)
	for _, tt := range []struct {
		status  int
		body    string
		code    string
		unknown bool
	}{
		{429, `{"error":"Too Many Requests","status":429,"message":"slow down"}`, "429", false},
		{0, "", "network", true},
		{200, "null", "odd_answer", true},
		{200, "<html>", "odd_answer", true},
		{403, "<html>", "403", false},
		{401, `{"status":401,"message":"Missing scope: channel:manage:redemptions"}`, "scope", false},
		{500, `[]`, "500", true},
		{200, `{"data":[]}`, "", false},
		{204, ``, "", false},
	} {
		mu.Lock()
		status, body = tt.status, tt.body
		mu.Unlock()
		err := c.Do(t.Context(), chat.Deed{Kind: chat.FulfilReward, Channel: shop, Reward: "r", Redemption: "x"})
		if tt.code == "" {
			if err != nil {
				t.Errorf("%d %q: %v", tt.status, tt.body, err)
			}
			continue
		}
		re := refusal(t, err)
		if re.Code != tt.code || re.Unknown != tt.unknown || re.Reason == "" || strings.Contains(re.Error(), "127.0.0.1") {
			t.Errorf("%d %q: %+v", tt.status, tt.body, re)
		}
		if tt.code == "429" && (re.RetryAfter < 10*time.Second || re.RetryAfter > 30*time.Second) {
			t.Errorf("429: wait %s", re.RetryAfter)
		}
	}
}

// TestDeedRates: Twitch's rates are kept here already, and say for how long.
func TestDeedRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, twitchsim.Options{})
		s.mayAct(botDeeds, ownerDeeds)
		s.sim.GoLive(anaID)
		c := s.client(t)
		listening(t, c, 1)
		for i := range 50 {
			s.sim.AddUser(twitchsim.User{ID: fmt.Sprint(8000 + i), Login: fmt.Sprint("fan", i)})
		}
		do := func(k chat.DeedKind, id string) *chat.Refused {
			err := c.Do(t.Context(), chat.Deed{Kind: k, Channel: shop, Viewer: chat.Viewer{ID: id}, Text: "x"})
			var re *chat.Refused
			if err != nil && !errors.As(err, &re) {
				t.Fatal(err)
			}
			return re
		}
		for _, step := range []struct {
			kind  chat.DeedKind
			to    string
			sleep time.Duration
			wait  time.Duration // 0 is done
		}{
			{chat.ShoutOutCreator, "8000", 0, 0},
			{chat.ShoutOutCreator, "8001", time.Minute, time.Minute},
			{chat.ShoutOutCreator, "8001", time.Minute, 0},
			{chat.ShoutOutCreator, "8000", 28 * time.Minute, 30 * time.Minute},
			{chat.ShoutOutCreator, "8000", 30 * time.Minute, 0},
			{chat.Announce, "", 0, 0},
			{chat.Announce, "", time.Second, time.Second},
			{chat.Announce, "", time.Second, 0},
		} {
			time.Sleep(step.sleep)
			re := do(step.kind, step.to)
			if step.wait == 0 && re != nil || step.wait > 0 && (re == nil || re.Code != "too_fast" || re.RetryAfter != step.wait) {
				t.Errorf("%s to %s: %+v, want wait %s", step.kind, step.to, re, step.wait)
			}
		}
		said, first := 0, 0
		for i := range 200 {
			to := 8000 + i%50
			switch re := do(chat.DirectMessage, fmt.Sprint(to)); {
			case re == nil:
				said++
				first = max(first, to)
			case re.Code != "too_fast" || re.RetryAfter <= 0:
				t.Errorf("whisper %d: %+v", i, re)
			}
			time.Sleep(200 * time.Millisecond)
		}
		if said < 40 || said > 110 || first > 8050 {
			t.Errorf("%d whispers said", said)
		}
		if s.sim.OverLimit() != 0 {
			t.Errorf("%d over a limit", s.sim.OverLimit())
		}
	})
}

// TestGrants: an account is asked for what it grants, each scope once.
func TestGrants(t *testing.T) {
	more := twitch.ScopesFor([]chat.Kind{chat.Followed, chat.Subscribed, chat.Redeemed}, []chat.DeedKind{chat.RefundReward, chat.FulfilReward, chat.Announce, chat.GiveRole})
	for _, tt := range []struct {
		owner, both bool
		want        string
	}{
		{true, false, "channel:bot moderator:read:followers channel:read:redemptions bits:read channel:manage:redemptions"},
		{false, false, "user:read:chat user:write:chat user:bot chat:read chat:edit moderator:manage:announcements"},
		{true, true, "channel:bot user:read:chat user:write:chat user:bot chat:read chat:edit moderator:read:followers channel:read:redemptions bits:read channel:manage:redemptions moderator:manage:announcements"},
	} {
		if got := strings.Join(twitch.Grants(tt.owner, tt.both, more), " "); got != tt.want {
			t.Errorf("owner %v, both %v: %s", tt.owner, tt.both, got)
		}
	}
	for _, s := range more {
		if s.Reason == "" {
			t.Errorf("%s has no reason", s.Name)
		}
	}
}
