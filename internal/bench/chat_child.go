package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/bench/talk"
)

// chatLines is how many lines of everyday chat are made; the pretend Twitch goes round them.
const chatLines = 4096

// chatAsk is one line to the pretend Twitch's process: to begin with that many channels, to show lines, or to tell what it used.
type chatAsk struct {
	Channels int           `json:"channels,omitempty"`
	PerS     int           `json:"per_s,omitempty"`
	For      time.Duration `json:"for_ns,omitempty"`
	Usage    bool          `json:"usage,omitempty"`
}

// chatPlace is where the pretend Twitch is, and who may log in.
type chatPlace struct {
	API, Auth, IRC, EventSub       string
	Bot, BotLogin, Access, Refresh string
	Channels                       []string
}

// chatTyped is how many lines were shown.
type chatTyped struct{ Lines int64 }

// chatUsage is what the process used since its start.
type chatUsage struct {
	CPU       time.Duration
	OverLimit int
}

// ChatChild is the pretend Twitch of Chat: it does what lines of in ask, until in ends.
func ChatChild(ctx context.Context, in io.Reader, out io.Writer) error {
	s := twitchsim.New(twitchsim.Options{Verified: true})
	defer s.Close()
	asks, answers := json.NewDecoder(in), json.NewEncoder(out)
	var channels []string
	var people []twitchsim.Line
	for {
		var ask chatAsk
		if err := asks.Decode(&ask); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var answer any
		switch {
		case ask.Channels > 0:
			p, err := beginPretend(ctx, s, ask.Channels)
			if err != nil {
				return err
			}
			channels, answer = p.Channels, p
			if people, err = everyday(); err != nil {
				return err
			}
		case ask.PerS > 0:
			answer = chatTyped{showLines(ctx, s, channels, people, ask)}
		default:
			u, err := selfUsage()
			if err != nil {
				return err
			}
			answer = chatUsage{u.CPU, s.OverLimit()}
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}

func beginPretend(ctx context.Context, s *twitchsim.Sim, channels int) (*chatPlace, error) {
	var lc net.ListenConfig
	irc, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	web, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		_ = irc.Close()
		return nil, err
	}
	p := &chatPlace{
		API: "http://" + web.Addr().String() + "/helix", Auth: "http://" + web.Addr().String() + "/oauth2", IRC: "irc://" + irc.Addr().String(),
		EventSub: "ws://" + web.Addr().String() + "/ws", Bot: "2002", BotLogin: "hawkerbot",
	}
	s.AddUser(twitchsim.User{ID: p.Bot, Login: p.BotLogin})
	for i := range channels {
		id := strconv.Itoa(1_000_000 + i)
		p.Channels = append(p.Channels, id)
		s.AddUser(twitchsim.User{ID: id, Login: "room" + id})
		s.Grant(id, twitch.BroadcasterScopes()...) // then hearing it over EventSub costs nothing
		s.Mod(id, p.Bot, true)
	}
	t := s.Grant(p.Bot, twitch.BotScopes()...)
	p.Access, p.Refresh = t.Access, t.Refresh
	s.Start(irc, web)
	return p, nil
}

// everyday is the chat that is shown: who says what.
func everyday() ([]twitchsim.Line, error) {
	var all []twitchsim.Line
	for _, raw := range talk.Lines(chatLines, talk.Everyday, 1) {
		m := said(raw)
		if m == nil {
			return nil, fmt.Errorf("the library does not read %q", raw)
		}
		all = append(all, twitchsim.Line{User: twitchsim.User{ID: m.User.ID, Login: m.User.Name, Name: m.User.DisplayName}, Text: m.Message, Bits: m.Bits})
	}
	return all, nil
}

// showLines shows lines evenly and gives their number. What is late is made up for.
func showLines(ctx context.Context, s *twitchsim.Sim, channels []string, people []twitchsim.Line, ask chatAsk) (n int64) {
	total := int64(ask.For.Seconds() * float64(ask.PerS))
	began := time.Now()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for n < total {
		select {
		case <-ctx.Done():
			return n
		case <-tick.C:
		}
		for due := min(total, int64(time.Since(began).Seconds()*float64(ask.PerS))); n < due; n++ {
			l := people[n%int64(len(people))]
			l.Channel = channels[n%int64(len(channels))]
			s.Post(l)
		}
	}
	return n
}
