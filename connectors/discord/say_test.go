package discord_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"hawker/connectors/discord/discordsim"
	"hawker/internal/chat"
)

func TestSay(t *testing.T) {
	cfg := config()
	cfg.SendLimit = 100
	s := newStand(t, cfg)
	c := s.client(t) // speaking needs no Listen
	id := s.Type(shopID, ana, "!buy 3")
	l := chat.Line{
		To: chat.Answer{Kind: chat.ToReply, Channel: shop, Message: id}, Nonce: "1",
		Text: "@ana *3* Mug held https://shop.example/live/my_show_1\n# not a heading <@50001> @everyone",
		Link: "https://shop.example/live/my_show_1", LinkLabel: "Open the show",
	}
	sent, err := c.Say(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Spoken(shopID)[0]
	want := "@ana \\*3\\* Mug held https://shop.example/live/my_show_1\n\\# not a heading \\<@50001> @\u200beveryone"
	if got.ID != sent.ID || got.Text != want || got.ReplyTo != id || len(got.Buttons) != 1 ||
		got.Buttons[0] != (discordsim.Button{Label: "Open the show", URL: l.Link}) {
		t.Errorf("posted %+v, want %q", got, want)
	}
	l.To.Message, l.Nonce = "1", "2" // gone: posted as a plain line
	if _, err := c.Say(t.Context(), l); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct{ link, label, text, button string }{
		{"https://shop.example/" + strings.Repeat("x", 500), "Pay", "held\nhttps://shop.example/" + strings.Repeat("x", 500), ""},
		{"javascript:alert(1)", "Pay", "held\njavascript:alert(1)", ""},
		{"/c/TOKEN", "Pay", "held\n/c/TOKEN", ""},
		{"https://shop.example/c/T", strings.Repeat("é", 100), "held", strings.Repeat("é", 79) + "…"},
		{"https://shop.example/c/T", " ", "held", "shop.example"},
	} {
		if _, err := c.Say(t.Context(), chat.Line{To: line("").To, Text: "held", Link: tt.link, LinkLabel: tt.label}); err != nil {
			t.Errorf("%s: %v", tt.link, err)
			continue
		}
		all := s.Spoken(shopID)
		got, button := all[len(all)-1], ""
		if len(got.Buttons) > 0 {
			button = got.Buttons[0].Label
		}
		if got.Text != tt.text || button != tt.button {
			t.Errorf("%s: posted %q with button %q, want %q, %q", tt.link, got.Text, button, tt.text, tt.button)
		}
	}
	if f := s.Figures(); f.Pings != 0 || f.OverLimit != 0 || f.Invalid != 0 {
		t.Errorf("%+v", f)
	}
}

func TestSayRefusals(t *testing.T) {
	s := newStand(t, config())
	c := s.client(t)
	to := func(a chat.Answer, text string) *chat.Refused {
		t.Helper()
		_, err := c.Say(t.Context(), chat.Line{To: a, Text: text})
		return refused(t, err)
	}
	if re := to(chat.Answer{Channel: shop}, strings.Repeat("x", 2001)); re.Code != "too_long" {
		t.Errorf("2,001 characters: %+v", re)
	}
	if re := to(chat.Answer{Channel: shop}, " \r\n\u200b"); re.Code != "50006" {
		t.Errorf("no text: %+v", re)
	}
	if re := to(chat.Answer{}, "x"); re.Code != "no_channel" {
		t.Errorf("no channel: %+v", re)
	}
	if re := to(chat.Answer{Channel: chat.Channel{Platform: chat.Twitch, ID: shopID}}, "x"); re.Code != "no_channel" {
		t.Errorf("another platform: %+v", re)
	}
	if re := to(chat.Answer{Channel: chat.Channel{Platform: chat.Discord, ID: "../users/@me"}}, "x"); re.Code != "no_channel" {
		t.Errorf("an odd channel: %+v", re)
	}
	if re := to(chat.Answer{Kind: chat.ToRequest, Channel: shop}, "x"); re.Code != "no_request" {
		t.Errorf("a request: %+v", re)
	}
	if re := to(chat.Answer{Kind: chat.ToPrivate, Channel: shop}, "x"); re.Code != "no_token" {
		t.Errorf("no token: %+v", re)
	}
	if re := to(chat.Answer{Channel: chat.Channel{Platform: chat.Discord, ID: "12345"}}, "x"); re.Code != "10003" {
		t.Errorf("no such channel: %+v", re)
	}
	s.RefuseSends(1)
	if re := to(chat.Answer{Channel: shop}, "x"); re.Code != "429" || re.RetryAfter < 200*time.Millisecond || re.RetryAfter > time.Second || re.Unknown {
		t.Errorf("429: %+v", re)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Say(ctx, line("x"))
	if re := refused(t, err); re.Code != "network" || re.Unknown {
		t.Errorf("ended ctx: %+v", re)
	}
	if n := len(s.Spoken(shopID)); n != 0 {
		t.Errorf("%d lines posted", n)
	}
	full := strings.Repeat("*x", 1000) // 2,000 characters that become 3,000
	if _, err := c.Say(t.Context(), line(full)); err != nil {
		t.Error(err)
	}
	if got := s.Spoken(shopID)[0].Text; utf8.RuneCountInString(got) > 2000 || !strings.HasSuffix(got, "…") || strings.HasSuffix(got, "\\…") {
		t.Errorf("posted %d characters, ending in %q", utf8.RuneCountInString(got), got[len(got)-8:])
	}
}

// TestNonce: a line whose answer was lost is posted once, whoever repeats it.
func TestNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		l := line("sold out")
		l.Nonce = "9007199254740993"
		s.LoseAnswers(2)
		sent, err := c.Say(t.Context(), l)
		if err != nil {
			t.Fatalf("two lost answers: %v", err)
		}
		again, err := s.client(t).Say(t.Context(), l) // after a crash
		if err != nil || again.ID != sent.ID {
			t.Errorf("said again: %+v, %v; want id %s", again, err, sent.ID)
		}
		if n := len(s.Spoken(shopID)); n != 1 {
			t.Errorf("posted %d times", n)
		}
		time.Sleep(time.Minute)
		l.Nonce = "2"
		s.LoseAnswers(100)
		_, err = c.Say(t.Context(), l)
		if re := refused(t, err); !re.Unknown || re.Code != "network" {
			t.Errorf("all answers lost: %+v", re)
		}
		s.LoseAnswers(0)
		time.Sleep(time.Minute)
		if _, err := c.Say(t.Context(), l); err != nil {
			t.Error(err)
		}
		if n := len(s.Spoken(shopID)); n != 2 {
			t.Errorf("%d lines, want 2", n)
		}
		// The same key in another channel, and no key at all, are other lines.
		time.Sleep(time.Minute)
		l.To.Channel.ID = otherID
		if _, err := c.Say(t.Context(), l); err != nil {
			t.Error(err)
		}
		for range 2 {
			if _, err := c.Say(t.Context(), line("sold out")); err != nil {
				t.Error(err)
			}
		}
		if a, b := len(s.Spoken(shopID)), len(s.Spoken(otherID)); a != 4 || b != 1 {
			t.Errorf("%d and %d lines, want 4 and 1", a, b)
		}
	})
}

// TestBudget: the pace is learned from Discord, kept, and told.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.SendLimit, cfg.SendWindow = 3, 7*time.Second
		s := bubble(t, cfg)
		c := s.client(t)
		b := c.Budget(shop)
		if b.Lines < 1 || b.Per <= 0 || b.MaxRunes != 2000 || !b.Replies || !b.Private || b.PublicOnly {
			t.Errorf("before the first line: %+v", b)
		}
		if other := c.Budget(chat.Channel{Platform: chat.Discord, ID: otherID}); other.Pool == b.Pool {
			t.Error("two channels share a pool: Discord's limit is per channel")
		}
		began := time.Now()
		for i := range 30 {
			if _, err := c.Say(t.Context(), line(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(began); d < 63*time.Second || d > 75*time.Second {
			t.Errorf("30 lines took %v", d)
		}
		if b := c.Budget(shop); b.Lines != 3 || b.Per != 7*time.Second {
			t.Errorf("learned %+v", b)
		}
		// Two windows cannot pass while we wait: then the caller is told how long.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var last *chat.Refused
		for range 4 {
			if _, err := c.Say(ctx, line("hurry")); err != nil {
				last = refused(t, err)
			}
		}
		if last == nil || last.Code != "429" || last.RetryAfter <= 0 || last.RetryAfter > 7*time.Second || last.Unknown {
			t.Errorf("in a hurry: %+v", last)
		}
		if s.OverLimit() != 0 {
			t.Errorf("%d over the limit", s.OverLimit())
		}
	})
}

// TestGlobalLimit: during the global limit nothing that has the token goes out, from whatever caller; commands are
// answered all the same.
func TestGlobalLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		s.RefuseAll(1, 30*time.Second)
		_, err := c.Say(t.Context(), line("x"))
		if re := refused(t, err); re.Code != "429" || re.RetryAfter != 30*time.Second || re.Unknown || re.Reconnect {
			t.Errorf("%+v", re)
		}
		before := s.Figures().Invalid
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				l := line("x")
				l.To.Channel.ID = []string{shopID, otherID}[i%2]
				_, err := c.Say(t.Context(), l)
				if re := refused(t, err); re.Code != "429" || re.RetryAfter < 20*time.Second {
					t.Errorf("%+v", re)
				}
			})
		}
		all.Wait()
		if _, err := c.TextChannels(t.Context(), guildID); err == nil {
			t.Error("another route went through")
		}
		in, m := s.use(t, e, "/buy item:3")
		if _, err := c.Say(t.Context(), whisper(m, "held", "1")); err != nil {
			t.Errorf("a private answer: %v", err)
		}
		if got, err := in.Wait(t.Context()); err != nil || got.Text != "held" {
			t.Errorf("the viewer saw %+v, %v", got, err)
		}
		time.Sleep(30 * time.Second)
		if _, err := c.Say(t.Context(), line("y")); err != nil {
			t.Error(err)
		}
		if f := s.Figures(); f.Invalid != before || f.OverLimit != 0 {
			t.Errorf("%d refused requests during the limit", f.Invalid-before)
		}
	})
}

// TestBan: 429 with HTML is the gatekeeper before Discord: nothing at all goes out until it ends.
func TestBan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		s.Ban(1, time.Minute)
		_, err := c.Say(t.Context(), line("x"))
		if re := refused(t, err); re.Code != "429" || re.RetryAfter != time.Minute || strings.ContainsAny(re.Reason, "<>") {
			t.Errorf("%+v", re)
		}
		before := s.Figures().Invalid
		_, err = c.Say(t.Context(), line("x"))
		if re := refused(t, err); re.Code != "429" || re.RetryAfter < 50*time.Second {
			t.Errorf("%+v", re)
		}
		_, m := s.use(t, e, "/buy item:3")
		_, err = c.Say(t.Context(), whisper(m, "held", "1"))
		if re := refused(t, err); re.Code != "429" || re.RetryAfter < 50*time.Second {
			t.Errorf("a private answer: %+v", re)
		}
		if f := s.Figures(); f.Invalid != before {
			t.Errorf("%d requests during the ban", f.Invalid-before)
		}
		e.line(s.Type(shopID, ana, "we still hear"))
		time.Sleep(time.Minute)
		if _, err := c.Say(t.Context(), line("y")); err != nil {
			t.Error(err)
		}
		s.Ban(3, 0) // one that names no time
		_, err = c.Say(t.Context(), line("z"))
		if re := refused(t, err); re.Code != "429" || re.RetryAfter < 30*time.Second {
			t.Errorf("no time named: %+v", re)
		}
	})
}

func TestOddAnswers(t *testing.T) {
	var mu sync.Mutex
	var status int
	var body, kind string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", kind)
		w.Header().Set("X-RateLimit-Remaining", "many")
		w.Header().Set("Location", "https://elsewhere.example/")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer web.Close()
	s := newStand(t, config())
	s.o.APIURL = web.URL
	for _, tt := range []struct {
		status    int
		body      string
		code      string
		unknown   bool
		reconnect bool
	}{
		{200, "null", "odd_answer", true, false},
		{200, "", "odd_answer", true, false},
		{200, "<html>", "odd_answer", true, false},
		{200, `{"id":7}`, "odd_answer", true, false},
		{302, "", "302", false, false},
		{308, "", "308", false, false},
		{400, `{"code":50035,"message":"Invalid Form Body"}`, "50035", false, false},
		{400, `{"code":"x","message":7}`, "400", false, false},
		{400, `{"code":200000,"message":"blocked"}`, "200000", false, false},
		{401, `{"code":0,"message":"401: Unauthorized"}`, "401", false, true},
		{401, `{"code":50014,"message":"Invalid authentication token"}`, "401", false, true},
		{403, "<html>secret", "403", false, false},
		{403, `{"code":40333,"message":"internal network error"}`, "40333", false, false},
		{404, `[]`, "404", false, false},
		{429, `{"retry_after":-5,"global":"no"}`, "429", false, false},
		{429, `{"retry_after":1e99}`, "429", false, false},
		{500, `{"code":0}`, "500", true, false},
		{502, "", "502", true, false},
		{504, "<html>", "504", true, false},
	} {
		mu.Lock()
		status, body, kind = tt.status, tt.body, "application/json"
		mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond) // no time to try again
		_, err := s.client(t).Say(ctx, line("x"))
		cancel()
		re := refused(t, err)
		if re.Code != tt.code || re.Unknown != tt.unknown || re.Reconnect != tt.reconnect || strings.ContainsAny(re.Reason, "<>") {
			t.Errorf("%d %s: %+v, want code %s, unknown %v, reconnect %v", tt.status, tt.body, re, tt.code, tt.unknown, tt.reconnect)
		}
		if re.RetryAfter < 0 || re.RetryAfter > 24*time.Hour || (tt.status == 429) != (re.RetryAfter > 0) {
			t.Errorf("%d %s: retry after %v", tt.status, tt.body, re.RetryAfter)
		}
	}
}

// TestRefusedButton: an address that Discord takes for no button is written out.
func TestRefusedButton(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		b := new(strings.Builder)
		buf := make([]byte, 4096)
		n, _ := r.Body.Read(buf)
		b.Write(buf[:n])
		bodies = append(bodies, b.String())
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(b.String(), `"url"`) {
			w.WriteHeader(400)
			_, _ = w.Write([]byte(`{"code":50035,"message":"Invalid Form Body"}`))
			return
		}
		_, _ = w.Write([]byte(`{"id":"99"}`))
	}))
	defer web.Close()
	s := newStand(t, config())
	s.o.APIURL = web.URL
	l := line("held")
	l.Link, l.LinkLabel = "http://127.0.0.1:8080/c/T_1", "Pay"
	sent, err := s.client(t).Say(t.Context(), l)
	if err != nil || sent.ID != "99" || len(bodies) != 2 {
		t.Fatalf("%+v, %v; %q", sent, err, bodies)
	}
	for _, part := range []string{`"content":"held\nhttp://127.0.0.1:8080/c/T_1"`, `"parse":[]`, `"enforce_nonce":true`, `"components":[]`} {
		if !strings.Contains(bodies[1], part) {
			t.Errorf("%s is not in %s", part, bodies[1])
		}
	}
}
