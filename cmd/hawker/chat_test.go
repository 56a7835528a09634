package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"

	"hawker/connectors/discord/discordsim"
	"hawker/connectors/twitch/twitchsim"
	"hawker/connectors/youtube/youtubesim"
)

// terminal is a running `hawker chat`.
type terminal struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	done  chan struct{}
	mu    sync.Mutex
	out   []map[string]any
	raw   strings.Builder
	err   strings.Builder
	exits error
}

type both struct {
	mu *sync.Mutex
	w  io.Writer
}

func (b both) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.w.Write(p)
}

// chatLine runs the built command with these settings and nothing else of ours in the environment.
func chatLine(t *testing.T, env map[string]string, args ...string) *terminal {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	x := &terminal{t: t, cmd: exec.CommandContext(ctx, exe), done: make(chan struct{})}
	x.cmd.Args = append([]string{"hawker", "chat"}, args...) // by this name the test is the program, see TestMain
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "HAWKER_") {
			x.cmd.Env = append(x.cmd.Env, kv)
		}
	}
	for k, v := range env {
		x.cmd.Env = append(x.cmd.Env, k+"="+v)
	}
	out, err := x.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if x.in, err = x.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	x.cmd.Stderr = both{&x.mu, &x.err}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(x.done)
		for s := bufio.NewScanner(out); s.Scan(); {
			var v map[string]any
			e := json.Unmarshal(s.Bytes(), &v)
			x.mu.Lock()
			x.raw.WriteString(s.Text() + "\n")
			if e == nil {
				x.out = append(x.out, v)
			}
			x.mu.Unlock()
		}
		x.exits = x.cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		<-x.done
		t.Logf("printed:\n%s%s", x.raw.String(), x.err.String())
		for name, v := range env {
			if secret := strings.HasSuffix(name, "_TOKEN") || strings.HasSuffix(name, "_SECRET"); secret && strings.Contains(x.raw.String()+x.err.String(), v) {
				t.Errorf("%s was printed", name)
			}
		}
	})
	return x
}

// wants waits for a line that has at least these values, and gives it.
func (x *terminal) wants(values map[string]any) (found map[string]any) {
	x.t.Helper()
	eventually(x.t, "a line with "+text(values), func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, v := range x.out {
			has := true
			for k, want := range values {
				has = has && reflect.DeepEqual(v[k], want)
			}
			if has {
				found = v
				return true
			}
		}
		return false
	})
	return found
}

// exactly waits for a line that is just this.
func (x *terminal) exactly(want map[string]any) {
	x.t.Helper()
	if got := x.wants(map[string]any{"type": want["type"], "id": want["id"]}); !reflect.DeepEqual(got, want) {
		x.t.Errorf("printed %s, want %s", text(got), text(want))
	}
}

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func (x *terminal) types(lines ...string) {
	x.t.Helper()
	for _, l := range lines {
		if _, err := io.WriteString(x.in, l+"\n"); err != nil {
			x.t.Fatal(err)
		}
	}
}

// ends closes the input and waits for the end.
func (x *terminal) ends() error {
	_ = x.in.Close()
	<-x.done
	return x.exits
}

const fullScopes = "user:bot chat:read chat:edit user:read:chat user:write:chat"

// twitchEnv is a pretend Twitch and the settings to reach it as the bot.
func twitchEnv(t *testing.T, scopes string) (*twitchsim.Sim, map[string]string) {
	t.Helper()
	s := twitchsim.New(twitchsim.Options{ClientID: "cid-12345", ClientSecret: "csec-12345"})
	irc, web := listenLocal(t), listenLocal(t)
	s.AddUser(twitchsim.User{ID: channelID, Login: "anaslive", Name: "Ana"})
	s.AddUser(twitchsim.User{ID: "1002", Login: "bobslive", Name: "Bob"})
	s.AddUser(twitchsim.User{ID: botID, Login: "hawkerbot", Name: "hawkerbot"})
	s.Start(irc, web)
	t.Cleanup(s.Close)
	tok := s.Grant(botID, strings.Fields(scopes)...)
	base := "http://" + web.Addr().String()
	return s, map[string]string{
		"HAWKER_TWITCH_CLIENT_ID": "cid-12345", "HAWKER_TWITCH_CLIENT_SECRET": "csec-12345",
		"HAWKER_TWITCH_API_URL": base + "/helix", "HAWKER_TWITCH_AUTH_URL": base + "/oauth2", "HAWKER_TWITCH_IRC_URL": "irc://" + irc.Addr().String(),
		"HAWKER_TWITCH_EVENTSUB_URL": "ws://" + web.Addr().String() + "/ws", "HAWKER_TWITCH_USER_TOKEN": tok.Access, "HAWKER_TWITCH_REFRESH_TOKEN": tok.Refresh,
		"HAWKER_TWITCH_BOT_LOGIN": "hawkerbot", "HAWKER_TWITCH_BOT_ID": botID, "HAWKER_TWITCH_CHANNEL_IDS": channelID,
	}
}

// TestChatLine: every road prints what viewers do with the promised names, and does what is asked for.
func TestChatLine(t *testing.T) {
	viewer := twitchsim.User{ID: "50001", Name: "bob"}
	for _, road := range []string{"irc", "eventsub", "both"} {
		t.Run(road, func(t *testing.T) {
			s, env := twitchEnv(t, fullScopes)
			s.Mod(channelID, "50001", true)
			x := chatLine(t, env, "twitch", "AnasLive", "--json", "--road", road, "-v")
			x.wants(map[string]any{"type": "joined", "channel": "AnasLive"})
			id := s.Type(channelID, viewer, "  !buy 3 <b>&  ")
			x.exactly(map[string]any{"type": "chat", "id": id, "channel": "AnasLive", "user_id": "50001", "text": "  !buy 3 <b>&  ", "mod": true})
			id = s.Post(twitchsim.Line{Channel: channelID, User: viewer, Text: "cheer100 waves", Bits: 100, ReplyTo: "parent", Action: true})
			x.exactly(map[string]any{
				"type": "chat", "id": id, "channel": "AnasLive", "user_id": "50001", "text": "cheer100 waves", "bits": 100.0, "reply_to": "parent", "mod": true, "action": true,
			})
			id = s.Post(twitchsim.Line{Channel: channelID, User: twitchsim.User{ID: "50002", Name: "cy"}, Text: "!buy 4", Source: "1002"})
			x.exactly(map[string]any{"type": "chat", "id": id, "channel": "AnasLive", "user_id": "50002", "text": "!buy 4", "source_room_id": "1002"})
			s.Sub(channelID, "50003", true)
			id = s.Type(channelID, twitchsim.User{ID: "50003", Name: "di"}, "！ｂｕｙ　３ \U000E0000")
			x.exactly(map[string]any{"type": "chat", "id": id, "channel": "AnasLive", "user_id": "50003", "text": "！ｂｕｙ　３ \U000E0000", "sub": true})
			id = s.Type(channelID, twitchsim.User{ID: channelID}, "hello")
			x.exactly(map[string]any{"type": "chat", "id": id, "channel": "AnasLive", "user_id": channelID, "text": "hello", "broadcaster": true})
			s.Delete(channelID, id)
			x.wants(map[string]any{"type": "deleted", "id": id})
			s.Raid(channelID, viewer, 12)
			x.wants(map[string]any{"type": "raid", "count": 12.0, "user_id": "50001"})

			x.types(`{"op":"say","channel":"anaslive","text":"hi\r\nPRIVMSG #x :y","reply_to":"`+id+`"}`, `{"op":"say","channel":"nowhere","text":"x"}`, `nonsense`, `{"op":"dance"}`)
			x.wants(map[string]any{"type": "sent", "channel": "anaslive"})
			x.wants(map[string]any{"type": "send_failed", "code": "no_channel", "channel": "nowhere"})
			x.wants(map[string]any{"type": "bad_input"})
			if l := s.Spoken(channelID); len(l) != 1 || strings.ContainsAny(l[0].Text, "\r\n") || l[0].ReplyTo != id {
				t.Errorf("said %+v", l)
			}
			s.RefuseNext("msg_followersonly", "Only followers may talk.")
			x.types(`{"op":"say","channel":"anaslive","text":"two"}`)
			x.wants(map[string]any{"type": "send_failed", "code": "msg_followersonly", "channel": "anaslive"})

			x.types(`{"op":"join","channel":"bobslive"}`)
			x.wants(map[string]any{"type": "joined", "channel": "bobslive"})
			id = s.Type("1002", viewer, "next door")
			x.wants(map[string]any{"type": "chat", "id": id, "channel": "bobslive"})
			x.types(`{"op":"say","channel":"bobslive","text":"three"}`)
			if err := x.ends(); err != nil {
				t.Errorf("ends with %v", err)
			}
			if l := s.Spoken("1002"); len(l) != 1 || s.OverLimit() != 0 {
				t.Errorf("said %+v before the end of input; %d over the limit", l, s.OverLimit())
			}
		})
	}
}

// TestChatLineFinds: ids that were not given are asked for; without a login IRC is heard all the same.
func TestChatLineFinds(t *testing.T) {
	for name, without := range map[string][]string{
		"ids":       {"HAWKER_TWITCH_CHANNEL_IDS", "HAWKER_TWITCH_BOT_ID", "HAWKER_TWITCH_BOT_LOGIN"},
		"anonymous": {"HAWKER_TWITCH_CHANNEL_IDS", "HAWKER_TWITCH_BOT_ID", "HAWKER_TWITCH_BOT_LOGIN", "HAWKER_TWITCH_USER_TOKEN", "HAWKER_TWITCH_REFRESH_TOKEN", "HAWKER_TWITCH_CLIENT_ID"},
	} {
		t.Run(name, func(t *testing.T) {
			s, env := twitchEnv(t, fullScopes)
			maps.DeleteFunc(env, func(k, _ string) bool { return strings.Contains(strings.Join(without, " "), k) })
			x := chatLine(t, env, "twitch", "#anaslive", "bobslive", "--json")
			x.wants(map[string]any{"type": "joined", "channel": "anaslive"})
			x.wants(map[string]any{"type": "joined", "channel": "bobslive"})
			id := s.Type(channelID, twitchsim.User{ID: "50001", Name: "bob"}, "hello")
			x.exactly(map[string]any{"type": "chat", "id": id, "channel": "anaslive", "user_id": "50001", "text": "hello"})
			if err := x.ends(); err != nil {
				t.Errorf("ends with %v", err)
			}
		})
	}
}

// TestChatLineRevoked: a permission that is withdrawn is told as such and ends the program; a login that never worked is told
// otherwise; neither is tried again and again.
func TestChatLineRevoked(t *testing.T) {
	for _, road := range []string{"irc", "eventsub", "both"} {
		t.Run("revoked "+road, func(t *testing.T) {
			s, env := twitchEnv(t, fullScopes)
			x := chatLine(t, env, "twitch", "anaslive", "--json", "--road", road)
			x.wants(map[string]any{"type": "joined"})
			s.Revoke()
			if road == "irc" {
				s.DropChat()
			} else {
				s.RevokeSubscriptions("channel.chat.message", "authorization_revoked")
			}
			x.wants(map[string]any{"type": "revoked"})
			<-x.done
			if x.exits == nil || s.Logins() > 3 {
				t.Errorf("ends with %v after %d logins", x.exits, s.Logins())
			}
		})
		t.Run("auth_failed "+road, func(t *testing.T) {
			s, env := twitchEnv(t, fullScopes)
			s.Revoke()
			x := chatLine(t, env, "twitch", "anaslive", "--json", "--road", road, "-v")
			x.wants(map[string]any{"type": "auth_failed"})
			<-x.done
			if x.exits == nil || s.Logins() > 2 || s.Refreshes() > 2 {
				t.Errorf("ends with %v after %d logins, %d refreshes", x.exits, s.Logins(), s.Refreshes())
			}
		})
	}
	t.Run("wrong scope", func(t *testing.T) {
		_, env := twitchEnv(t, "chat:read")
		x := chatLine(t, env, "twitch", "anaslive", "--json")
		x.wants(map[string]any{"type": "trouble", "missing": []any{"user:read:chat", "user:write:chat"}})
		x.types(`{"op":"say","channel":"anaslive","text":"one"}`)
		x.wants(map[string]any{"type": "send_failed", "code": "missing_scope"})
	})
}

func TestChatLineYouTube(t *testing.T) {
	s := youtubesim.New(youtubesim.Config{DailyUnits: 10_000_000, Channels: []youtubesim.Channel{{ID: "UCana", Title: "Ana", Live: true, Persistent: true}}})
	s.Start(listenLocal(t))
	t.Cleanup(s.Close)
	access, refresh, _ := s.Grant("UCana")
	x := chatLine(t, map[string]string{
		"HAWKER_YOUTUBE_API_URL": s.URL(), "HAWKER_GOOGLE_AUTH_URL": s.AuthURL(), "HAWKER_GOOGLE_TOKEN_URL": s.TokenURL(), "HAWKER_GOOGLE_REVOKE_URL": s.RevokeURL(),
		"HAWKER_GOOGLE_CLIENT_ID": "client", "HAWKER_GOOGLE_CLIENT_SECRET": "secret-of-google", "HAWKER_GOOGLE_DAILY_UNITS": "10000000",
		"HAWKER_YOUTUBE_ACCESS_TOKEN": access, "HAWKER_YOUTUBE_REFRESH_TOKEN": refresh,
	}, "youtube", "UCana", "--json", "-v")
	x.wants(map[string]any{"type": "joined", "channel": "UCana"})
	id := s.Type("UCana", youtubesim.Viewer{ID: "UCv", Name: "bob"}, "!buy 3")
	x.exactly(map[string]any{"type": "chat", "id": id, "channel": "UCana", "user_id": "UCv", "text": "!buy 3"})
	x.types(`{"op":"say","channel":"UCana","text":"held"}`, `{"op":"join","channel":"UCbob"}`)
	x.wants(map[string]any{"type": "sent"})
	x.wants(map[string]any{"type": "join_failed", "code": "unsupported"})
	if err := x.ends(); err != nil {
		t.Errorf("ends with %v", err)
	}
}

func TestChatLineDiscord(t *testing.T) {
	s := discordsim.New(discordsim.Config{Guilds: []discordsim.Guild{{ID: "3003", Name: "Ana's", Owner: "50099", Channels: []discordsim.Channel{{ID: "4004", Name: "shop"}, {ID: "4005", Name: "lounge"}}}}})
	s.Start(listenLocal(t))
	t.Cleanup(s.Close)
	x := chatLine(t, map[string]string{"HAWKER_DISCORD_API_URL": s.URL(), "HAWKER_DISCORD_BOT_TOKEN": s.Token()}, "discord", "4004", "--json", "-v")
	x.wants(map[string]any{"type": "joined", "channel": "4004"})
	id := s.Type("4004", discordsim.Viewer{ID: "50001", Name: "ana"}, "!buy 3")
	x.exactly(map[string]any{"type": "chat", "id": id, "channel": "4004", "user_id": "50001", "text": "!buy 3"})
	x.types(`{"op":"say","channel":"4004","text":"@everyone held"}`, `{"op":"join","channel":"4005"}`, `{"op":"join","channel":"9"}`)
	x.wants(map[string]any{"type": "sent"})
	x.wants(map[string]any{"type": "joined", "channel": "4005"})
	x.wants(map[string]any{"type": "join_failed", "channel": "9"})
	if err := x.ends(); err != nil {
		t.Errorf("ends with %v", err)
	}
	if s.Figures().Pings != 0 {
		t.Error("people were notified")
	}
}

// TestChatLineForPeople: what is printed for people cannot steer their terminal.
func TestChatLineForPeople(t *testing.T) {
	s, env := twitchEnv(t, fullScopes)
	x := chatLine(t, env, "twitch", "anaslive", "--road", "irc")
	eventually(t, "the channel", func() bool { return s.Watching(channelID) == 1 })
	s.Type(channelID, twitchsim.User{ID: "50001", Name: "bob"}, "red \x1b[31m\u202e text "+env["HAWKER_TWITCH_USER_TOKEN"])
	eventually(t, "the line", func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		return strings.Contains(x.raw.String(), "bob: red [31m text [secret]\n")
	})
	if err := x.ends(); err != nil {
		t.Errorf("ends with %v", err)
	}
}
