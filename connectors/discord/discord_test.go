package discord_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hawker/connectors/discord"
	"hawker/connectors/discord/discordsim"
	"hawker/internal/chat"
	"hawker/internal/chat/chattest"
)

const (
	shopID  = "4004" // the channel that sells
	otherID = "4005" // one that does not
	guildID = "3003"
	modRole = "3100"
)

var (
	shop = chat.Channel{Platform: chat.Discord, ID: shopID}
	ana  = discordsim.Viewer{ID: "50001", Name: "ana"}
)

// config is a server with two text channels.
func config() discordsim.Config {
	return discordsim.Config{Guilds: []discordsim.Guild{{
		ID: guildID, Name: "Ana's Ceramics", Owner: "50099",
		Roles:    []discordsim.Role{{ID: modRole, Name: "mods", Permissions: discordsim.ManageMessages}},
		Channels: []discordsim.Channel{{ID: shopID, Name: "shop"}, {ID: otherID, Name: "lounge"}},
	}}}
}

// stand is a pretend Discord, and what a client of it needs.
type stand struct {
	*discordsim.Sim
	o    discord.Options
	away atomic.Bool // in a bubble: Discord cannot be reached
}

func newStand(t *testing.T, cfg discordsim.Config) *stand {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sim := discordsim.New(cfg)
	sim.Start(l)
	t.Cleanup(sim.Close)
	return &stand{Sim: sim, o: options(t, sim)}
}

func options(t *testing.T, sim *discordsim.Sim) discord.Options {
	return discord.Options{
		APIURL: sim.URL(), BotToken: sim.Token(), Channels: map[string]string{shopID: guildID},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func (s *stand) client(t *testing.T) *discord.Client {
	t.Helper()
	c, err := discord.New(s.o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// suite speaks the words of chattest to the stand-in.
type suite struct {
	*discordsim.Sim
	c *discord.Client
}

func (s suite) Type(c chat.Channel, v chat.Viewer, text string) string {
	return s.Sim.Type(c.ID, discordsim.Viewer{ID: v.ID, Name: v.Name}, text)
}

func (s suite) Spoken(c chat.Channel) (all []chattest.Spoken) {
	for _, l := range s.Sim.Spoken(c.ID) {
		all = append(all, chattest.Spoken{ID: l.ID, Text: l.Text, Channel: c, ReplyTo: l.ReplyTo, At: l.At})
	}
	return all
}

func (s suite) Delete(c chat.Channel, id string) { s.Sim.Delete(c.ID, id) }
func (s suite) Repeat(c chat.Channel, id string) { s.Sim.Repeat(c.ID, id) }
func (s suite) Malformed(c chat.Channel)         { s.Sim.Malformed(c.ID) }
func (s suite) ExpireToken()                     {} // a bot token has no end
func (s suite) Logins() int                      { return s.Figures().Logins }
func (s suite) RefuseSendsBare(n int)            { s.RefuseBare(n) }
func (s suite) RefuseMode(chat.Channel)          { s.RefuseSlowly(1) }
func (s suite) Narrow()                          { s.Forbid(shopID, discordsim.SendMessages) }

// BanAccount has an administrator remove the bot, or invite it again, of which the client hears by the gateway.
func (s suite) BanAccount(_ chat.Channel, on bool) {
	if on {
		s.RemoveBot(guildID)
		return
	}
	s.AddGuild(config().Guilds[0])
	for end := time.Now().Add(time.Minute); !s.c.States()[0].Speaks && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
	}
}

// Post shows what Discord has: moderators, replies and bots. Ids are times there, so that no line comes out of order.
func (s suite) Post(c chat.Channel, m chat.Message) (string, bool) {
	if m.Roles.Has(chat.VIP|chat.Subscriber) || m.Bits != 0 || m.PaidMicros != 0 || m.Action || m.Source != "" || !m.Sent.IsZero() {
		return "", false
	}
	v := discordsim.Viewer{ID: m.Viewer.ID, Name: m.Viewer.Name, Bot: m.Bot}
	if m.Roles.Has(chat.Moderator) {
		v.Roles = []string{modRole}
	}
	return s.Sim.Reply(c.ID, v, m.Text, m.ReplyTo), true
}

func (s suite) Pings() int { return s.Figures().Pings }

func TestChat(t *testing.T) {
	chattest.Test(t, func(t *testing.T) chattest.Pair {
		cfg := config()
		cfg.SendWindow = 500 * time.Millisecond // so that the suite need not wait 5 s again and again; TestBudget has the real one
		s := newStand(t, cfg)
		c := s.client(t)
		return chattest.Pair{Chat: c, Sim: suite{s.Sim, c}, Channel: shop, Recovers: true}
	})
}

// ear is a running Listen and all it heard.
type ear struct {
	t    *testing.T
	stop func()
	done chan struct{}
	err  error // after done

	mu  sync.Mutex
	all []chat.Event
}

func hearing(t *testing.T, c *discord.Client) *ear {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e := &ear{t: t, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(e.done)
		e.err = c.Listen(ctx, func(ev chat.Event) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.all = append(e.all, ev)
		})
	}()
	t.Cleanup(func() { cancel(); <-e.done })
	return e
}

// joined starts c and waits until it hears a channel and offers its commands.
func joined(t *testing.T, c *discord.Client, s *discordsim.Sim) *ear {
	t.Helper()
	e := hearing(t, c)
	e.until("the channel is heard", func() bool { return e.count(chat.Joined) > 0 })
	e.until("commands are offered", func() bool { return len(s.Commands(guildID)) > 0 })
	return e
}

func (e *ear) until(what string, ok func() bool) {
	e.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			kinds := map[chat.Kind]int{}
			for _, ev := range e.events() {
				kinds[ev.Kind]++
			}
			e.t.Fatalf("waited in vain: %s; events by kind: %v", what, kinds)
		}
	}
}

func (e *ear) events(kinds ...chat.Kind) (found []chat.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.all {
		if len(kinds) == 0 || slices.Contains(kinds, ev.Kind) {
			found = append(found, ev)
		}
	}
	return found
}

func (e *ear) count(k chat.Kind) int { return len(e.events(k)) }

// line waits for a message by its id.
func (e *ear) line(id string) (m chat.Message) {
	e.t.Helper()
	e.until("line "+id, func() bool {
		for _, ev := range e.events(chat.Said) {
			if ev.Message.ID == id {
				m = ev.Message
				return true
			}
		}
		return false
	})
	return m
}

func refused(t *testing.T, err error) *chat.Refused {
	t.Helper()
	var re *chat.Refused
	if !errors.As(err, &re) {
		t.Fatalf("error %v (%T), want *chat.Refused", err, err)
	}
	if re.Code == "" || re.Reason == "" || strings.Contains(re.Error(), "itoken") {
		t.Errorf("refusal %+v: want a code and a sentence without secrets", re)
	}
	return re
}

func line(text string) chat.Line {
	return chat.Line{To: chat.Answer{Kind: chat.ToChannel, Channel: shop}, Text: text}
}
