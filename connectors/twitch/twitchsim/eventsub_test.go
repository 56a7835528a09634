package twitchsim

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// caller speaks to a stand-in as an application would.
type caller struct {
	t    *testing.T
	sim  *Sim
	base string
}

func newCaller(t *testing.T) *caller {
	t.Helper()
	var l [2]net.Listener
	for i := range l {
		var err error
		if l[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	s := New(Options{})
	for i := range 12 {
		s.AddUser(User{ID: fmt.Sprint(1001 + i), Login: fmt.Sprint("room", i)})
	}
	s.Start(l[0], l[1])
	t.Cleanup(s.Close)
	return &caller{t, s, l[1].Addr().String()}
}

// session opens a socket and gives its session's id.
func (c *caller) session() string {
	c.t.Helper()
	ws, _, err := websocket.Dial(c.t.Context(), "ws://"+c.base+"/ws", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = ws.CloseNow() })
	_, b, err := ws.Read(c.t.Context())
	var v struct {
		Payload struct {
			Session struct{ ID string } `json:"session"`
		} `json:"payload"`
	}
	if err != nil || json.Unmarshal(b, &v) != nil || v.Payload.Session.ID == "" {
		c.t.Fatalf("no welcome: %s %v", b, err)
	}
	return v.Payload.Session.ID
}

func (c *caller) call(tok Token, method, path, body string) (int, string) {
	c.t.Helper()
	req, err := http.NewRequest(method, "http://"+c.base+"/helix"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tok.Access)
	req.Header.Set("Client-Id", "app")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	var v struct{ Message string }
	_ = json.NewDecoder(res.Body).Decode(&v)
	return res.StatusCode, v.Message
}

func (c *caller) subscribe(tok Token, session, typ, channel string) (int, string) {
	c.t.Helper()
	version := "1"
	if typ == "channel.follow" {
		version = "2"
	}
	return c.call(tok, "POST", "/eventsub/subscriptions", fmt.Sprintf(
		`{"type":%q,"version":%q,"condition":{"broadcaster_user_id":%q,"moderator_user_id":"1001"},"transport":{"method":"websocket","session_id":%q}}`,
		typ, version, channel, session))
}

// TestSubscriptionLimits: the stand-in is as strict as Twitch.
func TestSubscriptionLimits(t *testing.T) {
	c := newCaller(t)
	tok, other := c.sim.Grant("1001", "channel:read:polls"), c.sim.Grant("1002")
	one := c.session()
	for _, tt := range []struct {
		tok                   Token
		session, typ, channel string
		status                int
		message               string
	}{
		{tok, "gone", "stream.online", "1001", 400, "session"},
		{tok, one, "channel.dance", "1001", 400, "type"},
		{tok, one, "channel.follow", "1001", 403, "authorization"},
		{tok, one, "channel.poll.end", "1002", 403, "authorization"},
		{tok, one, "channel.poll.end", "1001", 202, ""},
		{tok, one, "channel.poll.end", "1001", 409, "exists"},
		{other, one, "stream.online", "1002", 400, "different users"},
		{tok, one, "stream.online", "1002", 202, ""}, // costs nothing: its owner has let the application in
		{Token{}, one, "stream.online", "1001", 401, "missing"},
	} {
		status, message := c.subscribe(tt.tok, tt.session, tt.typ, tt.channel)
		if status != tt.status || !strings.Contains(message, tt.message) {
			t.Errorf("%s on %s: %d %s, want %d %s", tt.typ, tt.channel, status, message, tt.status, tt.message)
		}
	}
	for i := range 11 {
		channel := fmt.Sprint(1003 + i%10)
		typ := []string{"stream.online", "stream.offline"}[i/10]
		if status, message := c.subscribe(tok, one, typ, channel); (status == 202) != (i < 10) || i == 10 && (status != 429 || !strings.Contains(message, "cost")) {
			t.Errorf("cost %d: %d %s", i+1, status, message)
		}
	}
	for i := range 3 {
		if status, message := c.subscribe(tok, c.session(), "channel.poll.end", "1001"); (status == 202) != (i < 2) {
			t.Errorf("socket %d: %d %s", i+2, status, message)
		}
	}
	if status, _ := c.call(tok, "GET", "/eventsub/subscriptions?type=stream.online&status=enabled", ""); status != 400 {
		t.Errorf("two filters: %d", status)
	}
	if status, _ := c.call(tok, "GET", "/eventsub/subscriptions?type=stream.online", ""); status != 200 {
		t.Errorf("one filter: %d", status)
	}
	if status, _ := c.call(tok, "DELETE", "/eventsub/subscriptions?id=x", ""); status != 404 {
		t.Errorf("deleting nothing: %d", status)
	}
	if n := len(c.sim.Subscriptions()); n != 14 {
		t.Errorf("%d subscriptions stand, want 14", n)
	}
}

// TestSocketCloses: what a client must not do ends its socket with Twitch's codes.
func TestSocketCloses(t *testing.T) {
	c := newCaller(t)
	for _, tt := range []struct {
		path string
		data string
		code int
	}{{"/ws", "hello", 4001}, {"/ws?move=nowhere", "", 4007}} {
		ws, _, err := websocket.Dial(t.Context(), "ws://"+c.base+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ws.CloseNow() }()
		if tt.data != "" {
			_ = ws.Write(t.Context(), websocket.MessageText, []byte(tt.data))
		}
		for err == nil {
			_, _, err = ws.Read(t.Context())
		}
		if int(websocket.CloseStatus(err)) != tt.code {
			t.Errorf("%s: %v, want %d", tt.path, err, tt.code)
		}
	}
}

// TestDeedLimits: rates are counted, whoever exceeds them.
func TestDeedLimits(t *testing.T) {
	c := newCaller(t)
	tok := c.sim.Grant("1001", "moderator:manage:announcements", "moderator:manage:shoutouts", "user:manage:whispers", "moderator:manage:banned_users")
	c.sim.GoLive("1001")
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/chat/announcements?broadcaster_id=1001&moderator_id=1001", `{"message":"a"}`, 204},
		{"POST", "/chat/announcements?broadcaster_id=1001&moderator_id=1001", `{"message":"b"}`, 429},
		{"POST", "/chat/announcements?broadcaster_id=1002&moderator_id=1001", `{"message":"c"}`, 403},
		{"POST", "/chat/announcements?broadcaster_id=1001&moderator_id=1002", `{"message":"d"}`, 401},
		{"POST", "/chat/shoutouts?from_broadcaster_id=1001&to_broadcaster_id=1002&moderator_id=1001", "", 204},
		{"POST", "/chat/shoutouts?from_broadcaster_id=1001&to_broadcaster_id=1003&moderator_id=1001", "", 429},
		{"POST", "/moderation/bans?broadcaster_id=1001&moderator_id=1001", `{"data":{"user_id":"1002","duration":0}}`, 400},
		{"POST", "/moderation/bans?broadcaster_id=1001&moderator_id=1001", `{"data":{"user_id":"1002","duration":1209601}}`, 400},
		{"POST", "/moderation/bans?broadcaster_id=1001&moderator_id=1001", `{"data":{"user_id":"1002"}}`, 200},
		{"DELETE", "/moderation/chat?broadcaster_id=1001&moderator_id=1001&message_id=x", "", 401},
		{"POST", "/whispers?from_user_id=1001&to_user_id=1001", `{"message":"x"}`, 400},
		{"POST", "/whispers?from_user_id=1001&to_user_id=77", `{"message":"x"}`, 404},
	} {
		if status, message := c.call(tok, tt.method, tt.path, tt.body); status != tt.status {
			t.Errorf("%s %s: %d %s, want %d", tt.method, tt.path, status, message, tt.status)
		}
	}
	d := c.sim.Deeds()
	if len(d) != 3 || d[2].Kind != "ban" || c.sim.OverLimit() != 2 || time.Since(d[0].At) > time.Hour {
		t.Errorf("deeds %+v, %d over limits", d, c.sim.OverLimit())
	}
}
