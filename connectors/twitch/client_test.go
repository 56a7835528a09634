package twitch_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
	"hawker/internal/chat/chattest"
)

const (
	anaID = "1001" // the broadcaster
	botID = "2002"
)

// stand is a pretend Twitch with one broadcaster and one bot, and what a client of it needs.
type stand struct {
	sim *twitchsim.Sim
	o   twitch.Options

	mu    sync.Mutex
	saved []chat.Token
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newStand(t *testing.T) *stand {
	t.Helper()
	irc, web := listen(t), listen(t)
	sim := twitchsim.New(twitchsim.Options{ClientID: "app", ClientSecret: "app-secret"})
	sim.AddUser(twitchsim.User{ID: anaID, Login: "anaslive", Name: "AnasLive"})
	sim.AddUser(twitchsim.User{ID: botID, Login: "hawkerbot", Name: "HawkerBot"})
	sim.Start(irc, web)
	t.Cleanup(sim.Close)
	tok := sim.Grant(botID, twitch.BotScopes()...)
	s := &stand{sim: sim}
	s.o = twitch.Options{
		APIURL: "http://" + web.Addr().String() + "/helix", AuthURL: "http://" + web.Addr().String() + "/oauth2/", IRCURL: "irc://" + irc.Addr().String(),
		EventSubURL: "ws://" + web.Addr().String() + "/ws", Road: twitch.IRC, // TestChat and road_test.go try the others
		ClientID: "app", ClientSecret: "app-secret",
		Bot: chat.Account{
			Platform: chat.Twitch, ID: botID, Name: "hawkerbot",
			Token: chat.Token{Access: tok.Access, Refresh: tok.Refresh, Expires: tok.Expires, Scopes: tok.Scopes},
		},
		Channels: []twitch.ChannelRef{{ID: anaID, Login: "anaslive"}},
		Save: func(_ context.Context, tok chat.Token) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.saved = append(s.saved, tok)
			return nil
		},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	return s
}

func (s *stand) client(t *testing.T) *twitch.Client {
	t.Helper()
	c, err := twitch.New(s.o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// own gives the client the login of the channel's owner, with these scopes.
func (s *stand) own(scopes ...string) {
	tok := s.sim.Grant(anaID, scopes...)
	s.o.Owners = []twitch.Owner{{
		Account: chat.Account{Platform: chat.Twitch, ID: anaID, Name: "anaslive", Token: chat.Token{Access: tok.Access, Refresh: tok.Refresh}},
		Save:    s.o.Save,
	}}
}

// sim speaks the suite's words to the stand-in.
type sim struct {
	*twitchsim.Sim
	road twitch.Road
}

func (s sim) Type(c chat.Channel, v chat.Viewer, text string) string {
	return s.Sim.Type(c.ID, twitchsim.User{ID: v.ID, Name: v.Name}, text)
}

func (s sim) Spoken(c chat.Channel) []chattest.Spoken {
	var all []chattest.Spoken
	for _, l := range s.Sim.Spoken(c.ID) {
		all = append(all, chattest.Spoken{ID: l.ID, Text: l.Text, Channel: c, ReplyTo: l.ReplyTo, At: l.At})
	}
	return all
}

// Delete waits for the last of the roads: before it stands nobody is told.
func (s sim) Delete(c chat.Channel, id string) {
	for s.road != twitch.EventSub && s.Watching(c.ID) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	for want := map[twitch.Road]int{twitch.Both: 2, twitch.EventSub: 5}[s.road]; len(s.Subscriptions()) < want; {
		time.Sleep(5 * time.Millisecond)
	}
	s.Sim.Delete(c.ID, id)
}

// Post shows a line with all that Twitch has.
func (s sim) Post(c chat.Channel, m chat.Message) (id string, ok bool) {
	if m.PaidMicros != 0 || m.Bot || m.ReplyTo != "" && m.Bits != 0 {
		return "", false
	}
	s.Mod(c.ID, m.Viewer.ID, m.Roles.Has(chat.Moderator))
	s.VIP(c.ID, m.Viewer.ID, m.Roles.Has(chat.VIP))
	s.Sub(c.ID, m.Viewer.ID, m.Roles.Has(chat.Subscriber))
	return s.Sim.Post(twitchsim.Line{
		Channel: c.ID, User: twitchsim.User{ID: m.Viewer.ID, Name: m.Viewer.Name}, Text: m.Text, ReplyTo: m.ReplyTo, Bits: m.Bits, Source: m.Source, Action: m.Action, At: m.Sent,
	}), true
}

func (s sim) RefuseSendsBare(n int)              { s.RefuseBare(n) }
func (s sim) RefuseMode(chat.Channel)            { s.RefuseNext("msg_slowmode", "This room is in slow mode.") }
func (s sim) BanAccount(c chat.Channel, on bool) { s.Ban(c.ID, botID, on) }
func (s sim) Narrow()                            { s.Unscope("user:write:chat", "chat:edit") }

func (s sim) Repeat(c chat.Channel, id string) { s.Sim.Repeat(c.ID, id) }
func (s sim) Malformed(c chat.Channel)         { s.Sim.Malformed(c.ID) }

// TestChat tries every promise over each road. Over EventSub alone the bot is the channel's owner, for Twitch tells nobody there
// that they are a moderator before they speak.
func TestChat(t *testing.T) {
	for _, road := range []twitch.Road{twitch.IRC, twitch.EventSub, twitch.Both} {
		t.Run(string(road), func(t *testing.T) {
			chattest.Test(t, func(t *testing.T) chattest.Pair {
				s := newStand(t)
				s.o.Road = road
				channel := anaID
				if road == twitch.EventSub {
					channel = botID
					s.o.Channels = []twitch.ChannelRef{{ID: botID, Login: "hawkerbot"}}
				}
				s.sim.Mod(anaID, botID, true) // so that the suite need not wait a second between lines; TestBudget has the rest
				return chattest.Pair{Chat: s.client(t), Sim: sim{s.sim, road}, Channel: chat.Channel{Platform: chat.Twitch, ID: channel}}
			})
		})
	}
}
