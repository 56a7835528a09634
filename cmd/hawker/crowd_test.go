package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/commerce"
	"hawker/connectors/twitch"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live/speaker"
	"hawker/internal/live/wording"
	"hawker/internal/pipetest"
)

// crowdAnswer is the answer to the i-th of 3,000 claims, with what a rush brings: some held, most waiting or too late.
func crowdAnswer(i int) (*commerce.Outcome, string) {
	o := &commerce.Outcome{
		What: commerce.Claimed, Show: 7, Number: 12, Title: "Mug", Label: "M", Wanted: 1,
		Viewer: chat.Viewer{Platform: chat.Twitch, ID: strconv.Itoa(i), Name: fmt.Sprintf("viewer_%04d", i)},
	}
	switch k := i % 10; {
	case k < 3:
		o.Reason, o.Holding, o.Due = commerce.Held, 1, time.Now().Add(commerce.SeeAnswer+10*time.Minute)
		return o, "held"
	case k < 5:
		o.Reason, o.Place = commerce.Waitlisted, i
		return o, "waitlisted"
	case k < 8:
		o.Reason = commerce.SoldOut
		return o, "sold out"
	case k == 8:
		o.Reason = commerce.Capped
		return o, "limit"
	}
	o.What, o.Reason, o.Holding, o.Due = commerce.Promoted, commerce.Held, 1, time.Now().Add(commerce.SeeAnswer+10*time.Minute)
	return o, "promoted"
}

// TestCrowd: 3,000 claims in ten seconds on one channel. Everybody is covered within 15 s by a line that names or counts them and
// leads to the page; no send is over a limit of Twitch, as the stand-in counts; what matters more goes first; nothing is said twice.
func TestCrowd(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mod   bool
		limit int
	}{{"20 lines in 30 s", false, 20}, {"100 lines in 30 s", true, 100}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { crowd(t, tt.mod, tt.limit) })
		})
	}
}

// crowdLink is where lines lead that count people.
const crowdLink = "https://shop.example/live/spring"

func crowdVoice() *wording.Teller { return &wording.Teller{Lang: lang.For("en"), Zone: time.UTC} }

// speakerOn is the real Speaker on the real client before the stand-in, which has 20 lines in 30 s for it, or 100 where it is moderator. more are scopes
// that were granted beside those of bots.
func speakerOn(t *testing.T, mod bool, more ...string) (*twitchsim.Sim, *speaker.Speaker) {
	irc, web := pipetest.Listen(), pipetest.Listen()
	sim := twitchsim.New(twitchsim.Options{})
	sim.AddUser(twitchsim.User{ID: channelID, Login: "anaslive"})
	sim.AddUser(twitchsim.User{ID: botID, Login: "hawkerbot"})
	sim.Mod(channelID, botID, mod)
	sim.Start(irc, web)
	t.Cleanup(sim.Close)
	sim.Slow(80 * time.Millisecond)
	tok := sim.Grant(botID, append(twitch.BotScopes(), more...)...)
	client, err := twitch.New(twitch.Options{
		APIURL: "http://web/helix", AuthURL: "http://web/oauth2", IRCURL: "irc://chat:1", EventSubURL: "ws://web/ws", Road: twitch.IRC, ClientID: "app",
		Bot:      chat.Account{ID: botID, Name: "hawkerbot", Token: chat.Token{Access: tok.Access, Refresh: tok.Refresh}},
		Channels: []twitch.ChannelRef{{ID: channelID, Login: "anaslive"}}, Save: func(context.Context, chat.Token) error { return nil },
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if strings.HasPrefix(addr, "chat") {
				return irc.Dial(ctx, network, addr)
			}
			return web.Dial(ctx, network, addr)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	voice := crowdVoice()
	s := &speaker.Speaker{Chat: client, Log: slog.New(slog.DiscardHandler), Join: func(_ chat.Channel, all []*commerce.Outcome, most int, crowd bool) (speaker.Words, int) {
		if crowd {
			text, n := voice.Crowd(all, crowdLink, most)
			return speaker.Words{Text: text, Link: crowdLink}, n
		}
		text, n := voice.JoinedIn(all, crowdLink, most)
		return speaker.Words{Text: text, Link: crowdLink}, n
	}}
	ctx, stop := context.WithCancel(t.Context())
	var parts sync.WaitGroup
	parts.Go(func() { _ = client.Listen(ctx, func(chat.Event) {}) })
	parts.Go(func() { s.Run(ctx) })
	t.Cleanup(func() { stop(); parts.Wait() })
	for len(client.States()) == 0 || !client.States()[0].Hears {
		time.Sleep(time.Second)
	}
	time.Sleep(time.Second)
	return sim, s
}

func crowd(t *testing.T, mod bool, limit int) {
	sim, s := speakerOn(t, mod)
	voice, link := crowdVoice(), crowdLink
	const claims, over = 3000, 10 * time.Second
	parent := sim.Type(channelID, twitchsim.User{ID: "50001", Name: "viewer_0000"}, "!buy 12")
	here := chat.Channel{Platform: chat.Twitch, ID: channelID}
	var mu sync.Mutex
	took, kinds, info := map[string]time.Duration{}, map[string]int{}, 0
	began, last := time.Now(), time.Time{}
	for i := range claims {
		o, kind := crowdAnswer(i)
		asked := time.Now()
		s.Say(&speaker.Utterance{
			ID: commerce.ID(i + 1), Rank: speaker.RankOf(o), To: chat.Answer{Kind: chat.ToReply, Channel: here, Message: parent}, Joined: o,
			Words: func(bool) speaker.Words {
				return speaker.Words{Text: voice.Sentence(o, link, wording.Long), Link: link}
			},
			Done: func(at time.Time, err error) {
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("%s: %v", o.Viewer.Name, err)
					return
				}
				kinds[kind]++
				took[kind] = max(took[kind], at.Sub(asked))
				last = at
			},
		})
		if i%100 == 0 { // somebody asks for help all the time
			s.Say(&speaker.Utterance{
				Rank: speaker.RankInfo, To: chat.Answer{Kind: chat.ToChannel, Channel: here}, NotAfter: asked.Add(30 * time.Second),
				Words: func(bool) speaker.Words { return speaker.Words{Text: fmt.Sprintf("Type !buy and a number. (%d)", i)} },
				Done:  func(_ time.Time, err error) { mu.Lock(); defer mu.Unlock(); info += map[bool]int{true: 1}[err == nil] },
			})
		}
		time.Sleep(over / claims)
	}
	time.Sleep(15 * time.Second)
	synctest.Wait()
	mu.Lock()
	defer mu.Unlock()
	covered := 0
	for kind, n := range kinds {
		covered += n
		if took[kind] > 15*time.Second {
			t.Errorf("%s: covered after %v", kind, took[kind])
		}
	}
	f := s.Figures()
	if covered != claims {
		t.Errorf("%d of %d covered within 15 s", covered, claims)
	}
	if sim.OverLimit() != 0 {
		t.Errorf("%d sends over a limit", sim.OverLimit())
	}
	named, counted, alone := people(t, sim.Spoken(channelID))
	if named+counted+alone != claims {
		t.Errorf("lines name %d, count %d and answer %d of %d people", named, counted, alone, claims)
	}
	for kind, n := range kinds {
		t.Logf("%-10s %4d answers, the last covered after %v", kind, n, took[kind].Round(10*time.Millisecond))
	}
	t.Logf("%d claims: %d named, %d counted, in %d lines (limit %d in 30 s), %d of them for crowds, %d times help; all covered %v after the first claim",
		claims, named, counted, f.Lines, limit, f.Crowds, info, last.Sub(began).Round(10*time.Millisecond))
}

// people are how many people lines name, how many they count, and how many replies there are to one alone. A name stands in one line
// only; who is counted is led to the page.
func people(t *testing.T, lines []twitchsim.Line) (named, counted, alone int) {
	t.Helper()
	seen, texts := map[string]bool{}, map[string]bool{}
	for _, l := range lines {
		if texts[l.Text] {
			t.Errorf("said twice: %q", l.Text)
		}
		texts[l.Text] = true
		if l.ReplyTo != "" {
			alone++
			continue
		}
		for _, name := range regexp.MustCompile(`viewer_\d+`).FindAllString(l.Text, -1) {
			if len(name) != len("viewer_0000") {
				t.Errorf("a name is cut: %q", l.Text)
			}
			if seen[name] {
				t.Errorf("%s is named twice", name)
			}
			seen[name] = true
			named++
		}
		more := regexp.MustCompile(`[ :]\+(\d+)`).FindAllStringSubmatch(l.Text, -1)
		for _, m := range more {
			n, _ := strconv.Atoi(m[1])
			counted += n
		}
		if len(more) > 0 && !strings.Contains(l.Text, "https://shop.example/live/") && !strings.Contains(l.Text, "http://127.0.0.1") {
			t.Errorf("no way to the page: %q", l.Text)
		}
	}
	return named, counted, alone
}

// TestRush: the whole house in such a rush: 3,000 viewers claim at once. Every line is decided, everybody is answered by name, by
// number or by reply, and no send is over a limit of Twitch.
func TestRush(t *testing.T) {
	s := newStage(t, "")
	defer s.stop()
	ctx := context.Background()
	var numbers []int
	eventually(t, "the stock is read", func() bool {
		p, err := s.hub.Page(ctx, s.merchant, s.show)
		if err != nil {
			t.Fatal(err)
		}
		numbers = nil
		for _, it := range p.Items {
			if len(it.Stock) == 1 && it.Free > 0 {
				numbers = append(numbers, it.Number)
			}
		}
		return len(numbers) > 0 && len(p.Channels) == 1 && p.Channels[0].Hears
	})
	const claims = 3000
	began := time.Now()
	for i := range claims {
		s.twitch.Type(channelID, twitchsim.User{ID: strconv.Itoa(60_000 + i), Name: fmt.Sprintf("viewer_%04d", i)}, fmt.Sprintf("!buy %d", numbers[i%len(numbers)]))
	}
	var named, counted, alone int
	eventually(t, "everybody is covered", func() bool {
		named, counted, alone = people(t, s.twitch.Spoken(channelID))
		return named+counted+alone >= claims
	})
	if n := s.twitch.OverLimit(); n != 0 {
		t.Errorf("%d sends over a limit", n)
	}
	lines := s.twitch.Spoken(channelID)
	t.Logf("%d named, %d counted, %d replies in %d lines, the last %v after the first claim: %q", named, counted, alone, len(lines),
		lines[len(lines)-1].At.Sub(began).Round(time.Millisecond), lines[len(lines)-1].Text)
}
