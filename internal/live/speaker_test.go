package live

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live/speaker"
	"hawker/internal/live/wording"
)

// platform is a chat that counts what it is sent, as a platform does. The real ones are tried in cmd/hawker, which may import
// connectors.
type platform struct {
	budget chat.Budget
	slow   time.Duration

	mu     sync.Mutex
	said   []chat.Line
	at     []time.Time
	over   int
	refuse []error
	gone   atomic.Bool // lines that are answered are not there any more
}

func (p *platform) Listen(ctx context.Context, _ func(chat.Event)) error { <-ctx.Done(); return nil }

func (p *platform) Budget(chat.Channel) chat.Budget { return p.budget }

func (p *platform) States() []chat.State { return nil }

func (p *platform) Say(_ context.Context, l chat.Line) (chat.Sent, error) {
	time.Sleep(p.slow)
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.To.Kind == chat.ToReply && p.gone.Load() {
		return chat.Sent{}, &chat.Refused{Code: chat.ReplyGone}
	}
	now := time.Now()
	if len(p.refuse) > 0 {
		err := p.refuse[0]
		p.refuse = p.refuse[1:]
		if err != nil {
			return chat.Sent{}, err
		}
	}
	if !l.To.Private() {
		in := 1
		for _, t := range p.at {
			if now.Sub(t) < p.budget.Per {
				in++
			}
		}
		if in > p.budget.Lines || len(p.at) > 0 && now.Sub(p.at[len(p.at)-1]) < p.budget.Every {
			p.over++
		}
		p.at = append(p.at, now)
	}
	p.said = append(p.said, l)
	return chat.Sent{ID: fmt.Sprint(len(p.said)), At: now}, nil
}

func (p *platform) lines() []chat.Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.said)
}

func (p *platform) texts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, l := range p.said {
		out = append(out, l.Text)
	}
	return out
}

var here = chat.Channel{Platform: chat.Twitch, ID: "1001"}

// teller is a merchant with just what putting outcomes into words needs.
func teller(p *platform) (*Merchant, *speaker.Speaker) {
	m := &Merchant{hub: &Hub{Public: "https://shop.example"}, voice: wording.Teller{Lang: lang.For("en"), Zone: time.UTC}, speakers: map[chat.Channel]*speaker.Speaker{}}
	m.shows.Store(&map[commerce.ID]showFacts{7: {name: "spring"}})
	s := &speaker.Speaker{Chat: p, Log: discard(), Join: m.join}
	m.speakers[here] = s
	return m, s
}

func held(name string) *commerce.Outcome {
	return &commerce.Outcome{
		What: commerce.Claimed, Reason: commerce.Held, Show: 7, Number: 12, Title: "Mug", Label: "M", Wanted: 1, Holding: 1,
		Due: time.Now().Add(commerce.SeeAnswer + 10*time.Minute), Viewer: chat.Viewer{Platform: chat.Twitch, ID: name, Name: name},
	}
}

// utter makes an utterance of an outcome.
func utter(m *Merchant, o *commerce.Outcome, rank speaker.Rank, done func(error)) *speaker.Utterance {
	s := Speech{To: chat.Answer{Kind: chat.ToChannel, Channel: here}, Outcome: o}
	return &speaker.Utterance{
		Rank: rank, To: s.To, Joined: o, Words: func(private bool) speaker.Words { return m.sayOutcome(&s, private) },
		Done: func(_ time.Time, err error) {
			if done != nil {
				done(err)
			}
		},
	}
}

func twitchLike() *platform {
	return &platform{budget: chat.Budget{Lines: 20, Per: 30 * time.Second, Pool: "x", Every: time.Second, NoRepeat: 30 * time.Second, MaxRunes: 500, Replies: true}, slow: 50 * time.Millisecond}
}

// run runs a speaker inside a bubble until f returns.
func speaking(t *testing.T, s *speaker.Speaker, f func()) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	f()
	stop()
	<-done
}

// 300 people claim at once: each is named once in a line, and the platform's rate is never exceeded.
func TestSpeakerCoversEverybodyWithinTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := twitchLike()
		m, s := teller(p)
		var mu sync.Mutex
		told := 0
		speaking(t, s, func() {
			for i := range 300 {
				s.Say(utter(m, held(fmt.Sprintf("viewer%03d", i)), speaker.RankHeld, func(err error) {
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						told++
					}
				}))
			}
			time.Sleep(30 * time.Second)
			synctest.Wait()
		})
		if told != 300 || p.over != 0 {
			t.Errorf("%d of 300 told, %d sends over the limit", told, p.over)
		}
		all := strings.Join(p.texts(), " ")
		for i := range 300 {
			if name := fmt.Sprintf("viewer%03d", i); strings.Count(all, name) != 1 {
				t.Errorf("%s is named %d times", name, strings.Count(all, name))
			}
		}
		for _, x := range p.texts() {
			if utf8.RuneCountInString(x) > 500 || strings.Contains(x, "…") || strings.Contains(x, "/c/") {
				t.Errorf("line of %d characters, cut or with a personal link: %q", utf8.RuneCountInString(x), x)
			}
		}
		t.Logf("%d lines for 300 people, first: %q", len(p.said), p.said[0].Text)
	})
}

func TestSpeakerRanks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := twitchLike()
		_, s := teller(p)
		say := func(text string, r speaker.Rank, notAfter time.Time) {
			s.Say(&speaker.Utterance{
				Rank: r, To: chat.Answer{Kind: chat.ToChannel, Channel: here}, NotAfter: notAfter, Words: func(bool) speaker.Words { return speaker.Words{Text: text} },
				Done: func(time.Time, error) {},
			})
		}
		speaking(t, s, func() {
			say("first", speaker.RankInfo, time.Time{})
			synctest.Wait()
			say("info", speaker.RankInfo, time.Time{})
			say("too late", speaker.RankHeld, time.Now().Add(-time.Second))
			say("held", speaker.RankHeld, time.Time{})
			say("promoted", speaker.RankPromoted, time.Time{})
			say("held", speaker.RankHeld, time.Time{})
			time.Sleep(20 * time.Second)
		})
		if got, want := p.texts(), []string{"first", "promoted", "held", "info"}; !slices.Equal(got, want) {
			t.Errorf("said %q, want %q", got, want)
		}
	})
}

func TestSpeakerRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := twitchLike()
		p.refuse = []error{
			&chat.Refused{Code: "429", RetryAfter: 5 * time.Second}, nil,
			&chat.Refused{Code: "network", Unknown: true, RetryAfter: time.Second},
			&chat.Refused{Code: "msg_banned"},
		}
		_, s := teller(p)
		ended := map[string]error{}
		var mu sync.Mutex
		say := func(text string) {
			s.Say(&speaker.Utterance{
				To: chat.Answer{Kind: chat.ToChannel, Channel: here}, Words: func(bool) speaker.Words { return speaker.Words{Text: text} },
				Done: func(_ time.Time, err error) { mu.Lock(); defer mu.Unlock(); ended[text] = err },
			})
			time.Sleep(10 * time.Second)
		}
		start := time.Now()
		speaking(t, s, func() { say("paced"); say("unknown"); say("banned"); say("fine") })
		if got, want := p.texts(), []string{"paced", "fine"}; !slices.Equal(got, want) {
			t.Errorf("said %q, want %q", got, want)
		}
		if ended["paced"] != nil || ended["unknown"] == nil || ended["banned"] == nil || ended["fine"] != nil {
			t.Errorf("ends: %v", ended)
		}
		if p.at[0].Sub(start) < 5*time.Second {
			t.Errorf("said again %v after it was asked to wait 5 s", p.at[0].Sub(start))
		}
	})
}

// A private answer neither waits for the channel's pace nor joins.
func TestSpeakerPrivate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := twitchLike()
		p.budget.Lines = 1
		_, s := teller(p)
		speaking(t, s, func() {
			for i := range 5 {
				s.Say(&speaker.Utterance{
					To: chat.Answer{Kind: chat.ToPrivate, Channel: here, Token: "t"}, Words: func(private bool) speaker.Words { return speaker.Words{Text: fmt.Sprint(i, private)} },
					Done: func(time.Time, error) {},
				})
			}
			time.Sleep(time.Second)
		})
		if len(p.said) != 5 || !strings.Contains(p.texts()[0], "true") {
			t.Errorf("said %q", p.texts())
		}
	})
}

func TestSpeakerBacklogIsBounded(t *testing.T) {
	p := twitchLike()
	_, s := teller(p)
	full := 0
	for range speaker.Backlog + 10 {
		s.Say(&speaker.Utterance{
			To: chat.Answer{Kind: chat.ToChannel, Channel: here}, Words: func(bool) speaker.Words { return speaker.Words{Text: "x"} },
			Done: func(_ time.Time, err error) {
				if err == speaker.ErrFull {
					full++
				}
			},
		})
	}
	if n, dropped := s.Waiting(); n != speaker.Backlog || dropped != 10 || full != 10 {
		t.Errorf("%d wait, %d dropped, %d told; want %d, 10, 10", n, dropped, full, speaker.Backlog)
	}
}

// Shout-outs that wait go out together, behind answers, and none is lost.
func TestSpeakerMergesShoutOuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := twitchLike()
		p.budget.Every, p.budget.MaxRunes = 2*time.Second, 200
		m, s := teller(p)
		said := 0
		speaking(t, s, func() {
			s.Say(utter(m, held("first"), speaker.RankHeld, nil))
			synctest.Wait()
			for i := range 20 {
				s.Say(&speaker.Utterance{
					Rank: speaker.RankReminder, Merge: true, To: chat.Answer{Kind: chat.ToChannel, Channel: here},
					Words: func(bool) speaker.Words {
						return speaker.Words{Text: fmt.Sprintf("viewer%02d just bought a mug. Thank you!", i)}
					},
					Done: func(_ time.Time, err error) { said += map[bool]int{true: 1}[err == nil] },
				})
			}
			s.Say(utter(m, held("late"), speaker.RankHeld, nil))
			time.Sleep(20 * time.Second)
			synctest.Wait()
		})
		texts := p.texts()
		if said != 20 || p.over != 0 || len(texts) > 8 || !strings.Contains(texts[1], "late") {
			t.Errorf("%d of 20 said in %d lines, %d over the limit; the second is %q", said, len(texts)-2, p.over, texts[1])
		}
		for _, x := range texts {
			if utf8.RuneCountInString(x) > 200 || strings.Contains(x, "…") {
				t.Errorf("line of %d characters: %q", utf8.RuneCountInString(x), x)
			}
		}
	})
}
