package twitch

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hawker/connectors/twitch/eventsub"
	"hawker/internal/chat"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestParseSaid(t *testing.T) {
	const who, src = "room-id=1001;user-id=7", " :ana!ana@ana.tmi.twitch.tv PRIVMSG #shop "
	for _, tt := range []struct {
		line string
		want chat.Message
	}{
		{"@id=a;" + who + ";display-name=Ana;tmi-sent-ts=1700000000123" + src + ":!buy 3", chat.Message{ID: "a", Text: "!buy 3", Sent: time.UnixMilli(1700000000123)}},
		{"@id=a;" + who + src + ":  two  blanks ", chat.Message{ID: "a", Text: "  two  blanks ", Viewer: chat.Viewer{Name: "ana"}}},
		{"@id=a;" + who + ";display-name=Ana" + src + "::) a :b", chat.Message{ID: "a", Text: ":) a :b"}},
		{"@id=a;" + who + ";display-name=Ana" + src + ":\x01ACTION waves\x01", chat.Message{ID: "a", Text: "waves", Action: true}},
		{"@id=a;" + who + ";display-name=Ana" + src + ":\x01ACTION cut off", chat.Message{ID: "a", Text: "cut off", Action: true}},
		{"@id=a;" + who + ";display-name=Ana" + src + ":\x01ACTIONx\x01", chat.Message{ID: "a", Text: "\x01ACTIONx\x01"}},
		{"@id=a;" + who + ";display-name=Ana;badges=moderator;emotes=25:0-4,x" + src + ":", chat.Message{ID: "a", Roles: chat.Moderator}},
		{"@id=a;" + who + ";display-name=Ana;badges=moderator/1,subscriber/12,,x" + src + ":hi", chat.Message{ID: "a", Text: "hi", Roles: chat.Moderator | chat.Subscriber}},
		{"@id=a;" + who + ";display-name=Ana;vip=1;badges=founder/0,vip/1" + src + ":hi", chat.Message{ID: "a", Text: "hi", Roles: chat.VIP | chat.Subscriber}},
		{"@id=a;" + who + ";display-name=Ana;vip=0" + src + ":hi", chat.Message{ID: "a", Text: "hi"}},
		{"@id=a;" + who + ";display-name=Ana;bits=100" + src + ":cheer100", chat.Message{ID: "a", Text: "cheer100", Bits: 100}},
		{"@id=a;" + who + ";display-name=Ana;bits=-5" + src + ":x", chat.Message{ID: "a", Text: "x"}},
		{"@id=a;" + who + ";display-name=Ana;reply-parent-msg-id=p" + src + ":@bob yes", chat.Message{ID: "a", Text: "@bob yes", ReplyTo: "p"}},
		{"@id=a;" + who + ";display-name=Ana;source-room-id=55;source-id=z;source-badges=moderator/1" + src + ":hi", chat.Message{ID: "a", Text: "hi", Source: "55"}},
		{"@id=a;" + who + ";display-name=Ana;source-room-id=1001;source-id=a" + src + ":hi", chat.Message{ID: "a", Text: "hi"}},
		{`@id=a;` + who + `;display-name=A\\sn\sa\:\\` + src + ":hi", chat.Message{ID: "a", Text: "hi", Viewer: chat.Viewer{Name: `A\sn a;\`}}},
		{"@id=a;" + who + `;display-name=Ana\` + src + ":hi", chat.Message{ID: "a", Text: "hi"}},
		{"@id=a;" + who + ";display-name=Ana;tmi-sent-ts=99999999999999999999" + src + ":hi", chat.Message{ID: "a", Text: "hi", Sent: now}},
		{"@id=a;" + who + ";login=ana;display-name=Ana;msg-id=resub :tmi.twitch.tv USERNOTICE #shop :!buy 3", chat.Message{ID: "a", Text: "!buy 3"}},
	} {
		want := tt.want
		want.Channel, want.Viewer.Platform, want.Viewer.ID, want.Received = channel("1001"), chat.Twitch, "7", now
		want.Answer = chat.Answer{Kind: chat.ToReply, Channel: want.Channel, Message: "a"}
		if want.Viewer.Name == "" {
			want.Viewer.Name = "Ana"
		}
		if want.Sent.IsZero() {
			want.Sent = now
		}
		in := parse(tt.line, now)
		if in.what != event || in.event.Kind != chat.Said || in.event.Message != want {
			t.Errorf("parse(%q)\n got %d %+v\nwant %+v", tt.line, in.what, in.event.Message, want)
		}
	}
}

func TestParseOther(t *testing.T) {
	for _, tt := range []struct {
		line string
		want incoming
	}{
		{"PING :tmi.twitch.tv", incoming{what: ping, text: "tmi.twitch.tv"}},
		{"PING", incoming{what: ping}},
		{":tmi.twitch.tv 001 hawkerbot :Welcome, GLHF!", incoming{what: welcome}},
		{":tmi.twitch.tv RECONNECT", incoming{what: reconnect}},
		{":tmi.twitch.tv NOTICE * :Login authentication failed", incoming{what: refusal, room: "*", text: "Login authentication failed"}},
		{":tmi.twitch.tv NOTICE * :Improperly formatted auth", incoming{what: refusal, room: "*", text: "Improperly formatted auth"}},
		{
			"@msg-id=msg_banned :tmi.twitch.tv NOTICE #shop :You are banned.",
			incoming{what: notice, room: "shop", code: "msg_banned", text: "You are banned."},
		},
		{"@badges=moderator/1;mod=1 :tmi.twitch.tv USERSTATE #shop", incoming{what: userState, room: "shop", mod: true}},
		{"@badges=broadcaster/1;mod=0 :tmi.twitch.tv USERSTATE #shop", incoming{what: userState, room: "shop", mod: true}},
		{"@badges=vip/1;mod=0 :tmi.twitch.tv USERSTATE #shop", incoming{what: userState, room: "shop", vip: true}},
		{"@room-id=1001;slow=0 :tmi.twitch.tv ROOMSTATE #shop", incoming{what: roomState, room: "shop", roomID: "1001"}},
		{":bot!bot@bot.tmi.twitch.tv PART #shop", incoming{}},
		{
			"@login=bob;room-id=;target-msg-id=m;tmi-sent-ts=1700000000123 :tmi.twitch.tv CLEARMSG #shop :bad words",
			incoming{what: event, room: "shop", event: chat.Event{Kind: chat.Deleted, Channel: channel(""), ID: "m", ByMod: true, At: time.UnixMilli(1700000000123)}},
		},
		{
			"@room-id=1001;target-user-id=8 :tmi.twitch.tv CLEARCHAT #shop :bob",
			incoming{what: event, room: "shop", event: chat.Event{Kind: chat.Cleared, Channel: channel("1001"), Viewer: chat.Viewer{Platform: chat.Twitch, ID: "8", Name: "bob"}, ByMod: true, At: now}},
		},
		{
			"@room-id=1001 :tmi.twitch.tv CLEARCHAT #shop",
			incoming{what: event, room: "shop", event: chat.Event{Kind: chat.Cleared, Channel: channel("1001"), ByMod: true, At: now}},
		},
		{"@room-id=1001 :tmi.twitch.tv CLEARCHAT #shop :bob", incoming{}},
		{"@id=a;room-id=1001 :ana!ana@ana.tmi.twitch.tv PRIVMSG #shop :nobody said this", incoming{}},
		{"@id=a;room-id=1001;user-id=7;msg-id=ritual :tmi.twitch.tv USERNOTICE #shop", incoming{}},
		{"", incoming{}},
		{":x", incoming{}},
		{"PRIVMSG", incoming{}},
		{"@a=b", incoming{}},
		{"CLEARCHAT", incoming{}},
		{"PINGX", incoming{}},
	} {
		if got := parse(tt.line, now); got != tt.want {
			t.Errorf("parse(%q)\n got %+v\nwant %+v", tt.line, got, tt.want)
		}
	}
}

// TestParseNotices: recorded notices, and what they tell.
func TestParseNotices(t *testing.T) {
	const who, src = "@room-id=1001;user-id=7;login=gil;display-name=Gil;id=a;badges=subscriber/0;", " :tmi.twitch.tv USERNOTICE #shop"
	gil := chat.Viewer{Platform: chat.Twitch, ID: "7", Name: "Gil"}
	nobody := chat.Viewer{Platform: chat.Twitch, ID: eventsub.Nobody().ID, Name: eventsub.Nobody().Name}
	for _, tt := range []struct {
		tags, text string
		want       chat.Event
		gift       string
	}{
		{"msg-id=sub;msg-param-cumulative-months=0;msg-param-sub-plan=Prime", "", chat.Event{Kind: chat.Subscribed, ID: "sub:a", Viewer: gil, Support: chat.Support{Months: 1, Tier: "Prime"}}, ""},
		{"msg-id=resub;msg-param-cumulative-months=23;msg-param-sub-plan=1000", " :\x01ACTION Kappa\x01", chat.Event{Kind: chat.Resubscribed, ID: "resub:a", Viewer: gil, Support: chat.Support{Months: 23, Tier: "1000", Text: "Kappa"}}, ""},
		{"msg-id=resub;msg-param-cumulative-months=-1", "", chat.Event{Kind: chat.Resubscribed, ID: "resub:a", Viewer: gil}, ""},
		{"msg-id=subgift;msg-param-sub-plan=2000;msg-param-origin-id=da\\s39", "", chat.Event{Kind: chat.Gifted, ID: "gift:a", Viewer: gil, Support: chat.Support{Count: 1, Tier: "2000"}}, "origin da 39"},
		{"msg-id=anonsubgift;msg-param-sub-plan=1000", "", chat.Event{Kind: chat.Gifted, ID: "gift:a", Viewer: nobody, Support: chat.Support{Count: 1, Tier: "1000"}}, ""},
		{"msg-id=submysterygift;msg-param-mass-gift-count=20;msg-param-community-gift-id=7;msg-param-origin-id=x", "", chat.Event{Kind: chat.Gifted, ID: "gift:a", Viewer: gil, Support: chat.Support{Count: 20}}, "7"},
		{"msg-id=submysterygift;msg-param-mass-gift-count=999999999999", "", chat.Event{Kind: chat.Gifted, ID: "gift:a", Viewer: gil, Support: chat.Support{Count: 1}}, ""},
		{"msg-id=anongiftpaidupgrade", "", chat.Event{Kind: chat.Resubscribed, ID: "resub:a", Viewer: gil}, ""},
		{"msg-id=raid;msg-param-viewerCount=430", "", chat.Event{Kind: chat.Raided, ID: "raid:a", Viewer: gil, Support: chat.Support{Count: 430}}, ""},
		{"msg-id=unraid", "", chat.Event{}, ""},
		{"msg-id=sub;source-room-id=1002", "", chat.Event{}, ""},
		{"msg-id=sharedchatnotice;source-msg-id=sub;source-room-id=1002", "", chat.Event{}, ""},
	} {
		in := parse(who+tt.tags+src+tt.text, now)
		got := in.event
		if tt.text != "" {
			if in.event.Kind != chat.Said || in.also == nil {
				t.Errorf("%s: %+v", tt.tags, in)
				continue
			}
			got = *in.also
		}
		want := tt.want
		if want.Kind != 0 {
			want.Channel, want.At = channel("1001"), now
			if want.Viewer == gil {
				want.Roles = chat.Subscriber
			}
		}
		if got != want || in.gift != tt.gift || (in.what == event) != (want.Kind != 0) {
			t.Errorf("%s\n got %+v of gift %q\nwant %+v", tt.tags, got, in.gift, want)
		}
	}
}

// TestRecordedLines reads files of raw lines: the package's own, and a longer one where there is any (the name in
// HAWKER_TWITCH_LINES, or shared/platforms/twitch-lines.txt beside the project). Comments begin with "# ".
func TestRecordedLines(t *testing.T) {
	files := []string{filepath.Join("testdata", "lines.txt")}
	if f := os.Getenv("HAWKER_TWITCH_LINES"); f != "" {
		files = append(files, f)
	} else if f := filepath.Join("..", "..", "..", "shared", "platforms", "twitch-lines.txt"); exists(f) {
		files = append(files, f)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		n, lines := 0, bufio.NewScanner(f)
		for lines.Scan() {
			raw := lines.Text()
			if raw == "" || strings.HasPrefix(raw, "# ") {
				continue
			}
			n++
			in := parse(raw, now)
			// A line with all ids and words must be heard, whatever else is on it.
			whole := strings.Contains(raw, "tmi.twitch.tv PRIVMSG #") && strings.Contains(raw, ";id=") && strings.Contains(raw, "user-id=") && strings.Contains(raw, "room-id=")
			if whole && (in.what != event || in.event.Kind != chat.Said) {
				t.Errorf("%s: not heard: %s", name, raw)
			}
			if in.event.Kind == chat.Said && strings.ContainsAny(in.event.Message.Text, "\r\n") {
				t.Errorf("%s: line break in %q", name, in.event.Message.Text)
			}
		}
		if err := lines.Err(); err != nil || n == 0 {
			t.Errorf("%s: %d lines, %v", name, n, err)
		}
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// FuzzLine: no bytes panic the parser, and what is heard has an identity.
func FuzzLine(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("testdata", "lines.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for l := range strings.Lines(string(b)) {
		f.Add(strings.TrimSuffix(l, "\n"))
	}
	f.Fuzz(func(t *testing.T, raw string) {
		in := parse(raw, now)
		e := in.event
		if in.also != nil && (e.Kind != chat.Said || in.also.Channel != e.Channel) {
			t.Errorf("parse(%q) tells %+v beside %+v", raw, in.also, e)
		}
		for _, h := range []*chat.Event{&e, in.also} {
			if h != nil && h.Kind >= chat.Followed && (h.ID == "" || h.Viewer.ID == "" || h.Channel.ID == "" || h.Support.Count < 0 || h.At.IsZero()) {
				t.Errorf("parse(%q) tells %+v", raw, h)
			}
		}
		switch e.Kind {
		case chat.Said:
			m := e.Message
			if m.ID == "" || m.Viewer.ID == "" || m.Channel.ID == "" || m.Channel != e.Channel || m.Bits < 0 || m.Sent.IsZero() || m.Answer.Message != m.ID {
				t.Errorf("parse(%q) = %+v", raw, m)
			}
		case chat.Deleted:
			if e.ID == "" {
				t.Errorf("parse(%q) deletes nothing", raw)
			}
		case chat.Cleared:
			if e.Viewer != (chat.Viewer{}) && e.Viewer.ID == "" {
				t.Errorf("parse(%q) clears a viewer without id", raw)
			}
		}
	})
}

// FuzzClean: whatever the text, what goes to Twitch is one line, no command, and not empty unless refused.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"hi", "/ban ana", " .timeout", "a\r\nb", "\u200b/x", "\x00", "\u2060\u2060./", "é\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if strings.ContainsAny(got, "\r\n\x00") || strings.HasPrefix(strings.TrimSpace(got), "/") || strings.HasPrefix(strings.TrimSpace(got), ".") {
			t.Errorf("clean(%q) = %q", s, got)
		}
		if again := clean(got); again != got {
			t.Errorf("clean(%q) = %q, then %q", s, got, again)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	const line = "@badge-info=;badges=moderator/1;color=;display-name=Ana;emotes=;first-msg=0;flags=;id=0f6d;mod=1;returning-chatter=0;room-id=1001;subscriber=0;tmi-sent-ts=1700000000123;turbo=0;user-id=7;user-type= :ana!ana@ana.tmi.twitch.tv PRIVMSG #shop :!buy 3 x2"
	b.ReportAllocs()
	for b.Loop() {
		parse(line, now)
	}
}
