package eventsub

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hawker/internal/chat"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// samples are events as Twitch's reference shows them, one of each kind.
func samples() map[string]string {
	return map[string]string{
		Follow:     `{"user_id":"7","user_login":"bob","user_name":"Bob","broadcaster_user_id":"1001","followed_at":"2026-11-24T11:59:59.171Z"}`,
		Redemption: `{"id":"red1","broadcaster_user_id":"1001","user_id":"7","user_login":"bob","user_name":"","user_input":"pogchamp","status":"unfulfilled","reward":{"id":"r1","title":"title","cost":100,"prompt":"p"},"redeemed_at":"2026-11-24T11:59:59Z"}`,
		PowerUp:    `{"id":"red2","broadcaster_user_id":"1001","user_id":"1001","user_login":"ana","user_name":"Ana","user_input":"","custom_power_up":{"id":"p1","title":"Confetti","bits":100},"redeemed_at":"1999-01-01T00:00:00Z"}`,
		Online:     `{"id":"9001","broadcaster_user_id":"1001","type":"live","started_at":"2026-11-24T11:59:00Z"}`,
		Offline:    `{"broadcaster_user_id":"1001"}`,
		AdBreak:    `{"duration_seconds":"60","started_at":"2026-11-24T11:59:59Z","is_automatic":true,"broadcaster_user_id":"1001","requester_user_id":"1001"}`,
		PollEnd:    `{"id":"poll1","broadcaster_user_id":"1001","title":"Which?","choices":[{"id":"1","title":"Blue","votes":120},{"id":"2","title":"Red","votes":140}],"status":"completed","ended_at":"2026-11-24T11:59:59.5Z"}`,
	}
}

func TestRead(t *testing.T) {
	sec := now.Add(-time.Second)
	ch, viewer := chat.Channel{Platform: chat.Twitch, ID: "1001"}, chat.Viewer{Platform: chat.Twitch, ID: "7", Name: "Bob"}
	lower := viewer
	lower.Name = "bob"
	for typ, want := range map[string]chat.Event{
		Follow:     {Kind: chat.Followed, ID: "follow:1001:7:2026-11-24T11:59:59.171Z", Viewer: viewer, At: sec.Add(171 * time.Millisecond)},
		Redemption: {Kind: chat.Redeemed, ID: "redemption:red1", Viewer: lower, At: sec, Support: chat.Support{Title: "title", Text: "pogchamp", Reward: "r1", Redemption: "red1"}},
		PowerUp: {
			Kind: chat.Redeemed, ID: "redemption:red2", Viewer: chat.Viewer{Platform: chat.Twitch, ID: "1001", Name: "Ana"}, Roles: chat.Owner, At: now,
			Support: chat.Support{Title: "Confetti", Reward: "p1", Redemption: "red2"},
		},
		Online:  {Kind: chat.StreamUp, ID: "stream_up:9001", At: now.Add(-time.Minute)},
		Offline: {Kind: chat.StreamDown, ID: "stream_down:m1", At: now},
		AdBreak: {Kind: chat.AdBreak, ID: "ad_break:1001:2026-11-24T11:59:59Z", At: sec, Support: chat.Support{For: time.Minute}},
		PollEnd: {Kind: chat.Polled, ID: "poll:poll1", At: sec.Add(500 * time.Millisecond), Support: chat.Support{Title: "Which?", Text: "Red"}},
	} {
		want.Channel = ch
		got, ok := Read(Notification{ID: "m1", Type: typ, Version: Version(typ), At: now, Event: json.RawMessage(samples()[typ])})
		if !ok || got != want {
			t.Errorf("%s: %v\n got %+v\nwant %+v", typ, ok, got, want)
		}
	}
	for _, tt := range [][2]string{
		{"channel.update", `{"broadcaster_user_id":"1001"}`},
		{Online, `{"broadcaster_user_id":"1001","id":"9","type":"rerun"}`},
		{PollEnd, strings.Replace(samples()[PollEnd], "completed", "archived", 1)},
		{AdBreak, `{"broadcaster_user_id":"1001","duration_seconds":-1}`},
		{Redemption, `{"broadcaster_user_id":"1001","user_id":"7","id":"x","reward":null}`},
		{Follow, `{"broadcaster_user_id":"1001"}`},
	} {
		if e, ok := Read(Notification{ID: "m", Type: tt[0], At: now, Event: json.RawMessage(tt[1])}); ok {
			t.Errorf("%s %s told %+v", tt[0], tt[1], e)
		}
	}
}

func TestMemory(t *testing.T) {
	m, at := &memory{}, now
	for i, tt := range []struct {
		id    string
		after time.Duration
		fresh bool
	}{{"a", 0, true}, {"a", 0, false}, {"b", 9 * time.Minute, true}, {"a", 2 * time.Minute, false}, {"b", 9 * time.Minute, false}, {"c", 2 * time.Minute, true}, {"b", 0, true}} {
		at = at.Add(tt.after)
		if got := m.add(tt.id, at); got != tt.fresh {
			t.Errorf("%d: add(%s) = %v", i, tt.id, got)
		}
	}
}

// FuzzRead: no bytes panic the reader, and what it tells has a channel, a kind and an id; a frame never brings the session down.
func FuzzRead(f *testing.F) {
	for typ, s := range samples() {
		f.Add(typ, s)
	}
	f.Fuzz(func(t *testing.T, typ, s string) {
		_ = json.Unmarshal([]byte(s), &frame{})
		e, ok := Read(Notification{ID: "m", Type: typ, At: now, Event: json.RawMessage(s)})
		if !ok {
			return
		}
		if e.Channel.ID == "" || e.Channel.Platform != chat.Twitch || e.Kind < chat.Followed || e.ID == "" || e.At.IsZero() || e.Support.For < 0 {
			t.Errorf("%s %q told %+v", typ, s, e)
		}
		if strings.Contains(e.Viewer.Name+e.Support.Text+e.Support.Title+e.ID+e.Channel.ID, "\x00") {
			t.Errorf("%s %q told a NUL: %+v", typ, s, e)
		}
		if again, _ := Read(Notification{ID: "m", Type: typ, At: now, Event: json.RawMessage(s)}); again != e {
			t.Errorf("%s %q told two things", typ, s)
		}
	})
}
