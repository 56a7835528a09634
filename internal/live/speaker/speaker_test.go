package speaker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/speaker"
)

var here = chat.Channel{Platform: chat.Twitch, ID: "1001"}

// platform counts what it is sent in any window, as platforms do.
type platform struct {
	budget chat.Budget
	refuse []error
	slow   time.Duration // lines take up to that to arrive, and so do answers

	mu   sync.Mutex
	said []string
	at   []time.Time
	over int
}

func (p *platform) Budget(chat.Channel) chat.Budget { return p.budget }

func (p *platform) Say(_ context.Context, l chat.Line) (chat.Sent, error) {
	there, back := p.delay()
	time.Sleep(there)
	defer time.Sleep(back)
	p.mu.Lock()
	defer p.mu.Unlock()
	now, in := time.Now(), 1
	if len(p.refuse) > 0 {
		err := p.refuse[0]
		p.refuse = p.refuse[1:]
		return chat.Sent{}, err
	}
	for _, t := range p.at {
		if now.Sub(t) < p.budget.Per {
			in++
		}
	}
	if in > p.budget.Lines || len(p.at) > 0 && now.Sub(p.at[len(p.at)-1]) < p.budget.Every {
		p.over++
	}
	p.said, p.at = append(p.said, l.Text), append(p.at, now)
	return chat.Sent{ID: l.Text, At: now}, nil
}

func (p *platform) delay() (there, back time.Duration) {
	if p.slow == 0 {
		return 25 * time.Millisecond, 25 * time.Millisecond
	}
	return rand.N(p.slow), rand.N(p.slow)
}

// refuses has the next lines refused, and says how many are to be.
func (p *platform) refuses(all ...error) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = append(p.refuse, all...)
	return len(p.refuse)
}

func (p *platform) texts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.said)
}

// hall is a speaker before a platform, and what became of what was said.
type hall struct {
	*speaker.Speaker
	p    *platform
	mu   sync.Mutex
	ends map[string]error
}

func open(t *testing.T, b chat.Budget) *hall {
	h := &hall{p: &platform{budget: b}, ends: map[string]error{}}
	h.Speaker = &speaker.Speaker{Chat: h.p, Log: slog.New(slog.DiscardHandler), Join: func(_ chat.Channel, all []*commerce.Outcome, _ int, crowd bool) (speaker.Words, int) {
		if crowd {
			return speaker.Words{Text: fmt.Sprintf("%d people from %s", len(all), all[0].Title)}, len(all)
		}
		return speaker.Words{Text: fmt.Sprintf("some from %s", all[0].Title)}, min(len(all), 3)
	}}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); h.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return h
}

func (h *hall) say(text string, r speaker.Rank, c chat.Channel) {
	h.Say(&speaker.Utterance{
		Rank: r, To: chat.Answer{Kind: chat.ToChannel, Channel: c}, Words: func(bool) speaker.Words { return speaker.Words{Text: text} },
		Done: func(_ time.Time, err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.ends[text] = err
		},
	})
}

func (h *hall) end(text string) (err error, ended bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	err, ended = h.ends[text]
	return err, ended
}

func twitchLike() chat.Budget {
	return chat.Budget{Lines: 20, Per: 30 * time.Second, Pool: "x", Every: time.Second, NoRepeat: 30 * time.Second, MaxRunes: 500, Replies: true}
}

// TestNoSilence: whoever has much to say for minutes uses what the platform allows, never more, and there is no long pause in it.
func TestNoSilence(t *testing.T) {
	for _, b := range []chat.Budget{
		twitchLike(), {Lines: 100, Per: 30 * time.Second, Pool: "x", MaxRunes: 500}, {Lines: 5, Per: 5 * time.Second, Pool: "x"}, {Lines: 1, Per: 2 * time.Second, Pool: "x"},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := open(t, b)
			for i := range 3000 {
				h.say(fmt.Sprintf("line %d", i), speaker.RankHeld, here)
			}
			const over = 5 * time.Minute
			time.Sleep(over)
			h.p.mu.Lock()
			defer h.p.mu.Unlock()
			longest := time.Duration(0)
			for i := 1; i < len(h.p.at); i++ {
				longest = max(longest, h.p.at[i].Sub(h.p.at[i-1]))
			}
			if most := 2*b.Per/time.Duration(b.Lines) + 2*time.Second; longest > most {
				t.Errorf("%d in %v: silent for %v, want at most %v", b.Lines, b.Per, longest, most)
			}
			allowed := int(over / (b.Per + 300*time.Millisecond) * time.Duration(b.Lines))
			if n := len(h.p.at); h.p.over != 0 || n < allowed*9/10 {
				t.Errorf("%d in %v: %d lines of %d, %d over the limit", b.Lines, b.Per, n, allowed, h.p.over)
			}
		})
	}
}

// TestInfoLeavesRoom: help and lists never take the last quarter of what is allowed: a result is said at once all the same.
func TestInfoLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, twitchLike())
		for i := range 200 {
			h.say(fmt.Sprintf("help %d", i), speaker.RankInfo, here)
		}
		time.Sleep(28 * time.Second)
		if n := len(h.p.texts()); n > 15 {
			t.Errorf("information took %d of 20 lines", n)
		}
		began := time.Now()
		h.say("held", speaker.RankHeld, here)
		for {
			if _, ended := h.end("held"); ended {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("the result waited %v behind information", d)
		}
		time.Sleep(time.Minute)
		if h.p.over != 0 {
			t.Errorf("%d over the limit", h.p.over)
		}
	})
}

// TestMute: a muted channel is silent at once, and others are not; what waited is dropped, counted and not said later.
func TestMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, twitchLike())
		other := chat.Channel{Platform: chat.Twitch, ID: "1002"}
		for i := range 10 {
			h.say(fmt.Sprint("a", i), speaker.RankHeld, here)
		}
		time.Sleep(1500 * time.Millisecond) // a line or two
		h.Mute(here, true)
		said := len(h.p.texts())
		h.say("while muted", speaker.RankPromoted, here)
		h.say("elsewhere", speaker.RankHeld, other)
		private := make(chan error, 1)
		h.Say(&speaker.Utterance{
			To: chat.Answer{Kind: chat.ToPrivate, Channel: here, Token: "t"}, Words: func(bool) speaker.Words { return speaker.Words{Text: "private"} },
			Done: func(_ time.Time, err error) { private <- err },
		})
		time.Sleep(time.Minute)
		if got := h.p.texts()[said:]; !slices.Contains(got, "elsewhere") || len(got) != 2 || <-private != nil {
			t.Errorf("said %q", got)
		}
		for _, text := range []string{"a9", "while muted"} {
			if err, _ := h.end(text); !errors.Is(err, speaker.ErrMuted) {
				t.Errorf("%s: %v", text, err)
			}
		}
		if f := h.Figures(); f.Muted != 11-said {
			t.Errorf("%d muted, want %d", f.Muted, 11-said)
		}
		h.Mute(here, false)
		h.say("again", speaker.RankHeld, here)
		time.Sleep(time.Minute)
		if err, ended := h.end("again"); err != nil || !ended {
			t.Errorf("after it: %v, %v", err, ended)
		}
	})
}

// TestIdentical: the same text is not said twice in a row on any platform, and may be tried again when it was refused.
func TestIdentical(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twitchLike()
		b.NoRepeat = 0
		h := open(t, b)
		h.p.refuse = []error{&chat.Refused{Code: "msg_slowmode"}}
		for range 5 {
			h.say("sold out", speaker.RankNo, here)
			time.Sleep(2 * time.Second)
		}
		h.say("another", speaker.RankNo, here)
		time.Sleep(2 * time.Second)
		h.say("sold out", speaker.RankNo, here)
		time.Sleep(40 * time.Second)
		h.say("sold out", speaker.RankNo, here)
		time.Sleep(2 * time.Second)
		if got, want := h.p.texts(), []string{"sold out", "another", "sold out", "sold out"}; !slices.Equal(got, want) {
			t.Errorf("said %q, want %q", got, want)
		}
		if f := h.Figures(); f.Told != 3 || f.Failed != 1 || f.Lines != 4 {
			t.Errorf("figures %+v", f)
		}
	})
}

// TestCrowds: while everybody can be named in time everybody is; past that a line counts them.
func TestCrowds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, twitchLike())
		covered := 0
		claim := func(n int, who string) {
			for i := range n {
				h.Say(&speaker.Utterance{
					Rank: speaker.RankHeld, To: chat.Answer{Kind: chat.ToChannel, Channel: here}, Joined: &commerce.Outcome{Title: fmt.Sprint(who, i)},
					Words: func(bool) speaker.Words { return speaker.Words{Text: fmt.Sprint(who, i)} },
					Done: func(_ time.Time, err error) {
						h.mu.Lock()
						defer h.mu.Unlock()
						covered += map[bool]int{true: 1}[err == nil]
					},
				})
			}
		}
		claim(20, "a") // ten lines of three would do
		time.Sleep(speaker.CoverIn)
		synctest.Wait()
		if f := h.Figures(); f.Crowds != 0 || covered != 20 {
			t.Errorf("%d covered, %+v", covered, f)
		}
		time.Sleep(time.Minute)
		claim(1000, "b")
		time.Sleep(speaker.CoverIn)
		synctest.Wait()
		if f := h.Figures(); f.Crowds == 0 || covered != 1020 || h.p.over != 0 {
			t.Errorf("%d covered, %+v, %d over", covered, f, h.p.over)
		}
	})
}

// TestSlowNetwork: lines take between nothing and two seconds to arrive; the platform still never gets two too close, nor too many.
func TestSlowNetwork(t *testing.T) {
	for _, b := range []chat.Budget{{Lines: 20, Per: 30 * time.Second, Pool: "x"}, {Lines: 100, Per: 30 * time.Second, Pool: "x"}, {Lines: 5, Per: 5 * time.Second, Pool: "x"}} {
		synctest.Test(t, func(t *testing.T) {
			h := open(t, b)
			h.p.slow = 2 * time.Second
			for i := range 2000 {
				h.say(fmt.Sprintf("line %d", i), speaker.RankHeld, chat.Channel{Platform: chat.Twitch, ID: fmt.Sprint(i % 7)})
			}
			time.Sleep(10 * time.Minute)
			if h.p.over != 0 || len(h.p.texts()) < 20 {
				t.Errorf("%d in %v: %d lines, %d over the limit", b.Lines, b.Per, len(h.p.texts()), h.p.over)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		h := open(t, twitchLike())
		h.p.slow = 2 * time.Second
		for i := range 2000 {
			h.say(fmt.Sprintf("line %d", i), speaker.RankHeld, here)
		}
		time.Sleep(10 * time.Minute)
		if h.p.over != 0 || len(h.p.texts()) < 150 { // one at a time, each two and a half seconds or more with its rest: about 195
			t.Errorf("one channel: %d lines, %d over the limit", len(h.p.texts()), h.p.over)
		}
	})
}

// TestNeverLeft: a line for which no connection could be made is tried again and said once; one that may have arrived is not; and a
// platform that stays away is given up.
func TestNeverLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, twitchLike())
		away := &chat.Refused{Code: "network"}
		h.p.refuses(away, away, away)
		h.say("said in the end", speaker.RankHeld, here)
		time.Sleep(20 * time.Second)
		h.p.refuses(&chat.Refused{Code: "network", Unknown: true})
		h.say("may have arrived", speaker.RankHeld, here)
		time.Sleep(20 * time.Second)
		h.p.refuses(slices.Repeat([]error{away}, 10)...)
		h.say("given up", speaker.RankHeld, here)
		time.Sleep(2 * time.Minute)
		if got := h.p.texts(); !slices.Equal(got, []string{"said in the end"}) || h.p.refuses() != 4 {
			t.Errorf("said %q, %d refusals left", got, h.p.refuses())
		}
		for text, want := range map[string]bool{"said in the end": true, "may have arrived": false, "given up": false} {
			if err, ended := h.end(text); !ended || (err == nil) != want {
				t.Errorf("%s: %v, %v", text, err, ended)
			}
		}
	})
}
