package account

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"hawker/internal/chat"
	"hawker/internal/live/rival"
	"hawker/internal/live/speaker"
	"hawker/internal/live/tail"
)

// Absence is a time in which a channel was not heard, or lines may have been missed.
type Absence struct {
	From, To time.Time // To is zero while it lasts
	Reason   string
	// Recovered is how many lines were fetched for it afterwards; Lost says that the platform could not give all back.
	Recovered int
	Lost      bool
}

// Measured is what was measured of a channel since the start of the program.
type Measured struct {
	// Heard is when the last line came, ours or anybody's.
	Heard time.Time
	// Reconnects is how often the channel was heard again in the merchant's day, Recovered how many lines were fetched afterwards,
	// and Lost how many absences left a gap.
	Today struct{ Reconnects, Recovered, Lost int }
	// Absences are the last ones, the newest first.
	Absences []Absence
	Test     Test
}

// absencesKept is how many absences of a channel are remembered.
const absencesKept = 50

// lateFor is for how long after a channel is heard again the lines that come recovered are of its last absence.
const lateFor = 2 * time.Minute

type measure struct {
	mu     sync.Mutex
	heard  time.Time
	absent tail.Tail[*Absence] // the newest last
	open   *Absence            // that lasts, or ended a moment ago
	test   Test
	ear    rival.Ear
}

func (x *measure) note(e *chat.Event) {
	now := e.At
	if now.IsZero() {
		now = time.Now()
	}
	switch e.Kind {
	case chat.Said:
		x.line(&e.Message)
	case chat.Left:
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.open == nil || !x.open.To.IsZero() {
			x.begin(Absence{From: now, Reason: e.Reason})
		}
	case chat.Joined:
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.open != nil && x.open.To.IsZero() {
			x.open.To = now
		}
	case chat.Gap:
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.open == nil || !x.open.To.IsZero() && now.Sub(x.open.To) > lateFor { // nobody noticed that it was away
			from := x.heard
			if from.IsZero() {
				from = now
			}
			x.begin(Absence{From: from, To: now})
		}
		x.open.Lost = true
		if e.Reason != "" {
			x.open.Reason = e.Reason
		}
	}
}

// begin begins an absence; mu is held.
func (x *measure) begin(a Absence) {
	x.open = &a
	x.absent.N = absencesKept
	x.absent.Add(x.open)
}

func (x *measure) line(m *chat.Message) {
	at := m.Received
	if at.IsZero() {
		at = time.Now()
	}
	x.mu.Lock()
	if at.After(x.heard) {
		x.heard = at
	}
	if m.Recovered {
		if x.open == nil || !x.open.To.IsZero() && at.Sub(x.open.To) > lateFor {
			x.begin(Absence{From: m.Sent, To: at})
		}
		x.open.Recovered++
	}
	if m.Own && x.test.code != "" && strings.Contains(m.Text, x.test.code) && x.test.Heard.IsZero() {
		x.test.Heard = at
	}
	x.mu.Unlock()
	x.ear.Hears(m)
}

// look is what was measured; since is when the day began.
func (x *measure) look(since time.Time) Measured {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := Measured{Heard: x.heard, Test: x.test}
	all := x.absent.List()
	for i := len(all) - 1; i >= 0; i-- {
		a := *all[i]
		out.Absences = append(out.Absences, a)
		if !a.To.IsZero() && !a.To.Before(since) {
			out.Today.Reconnects++
			out.Today.Recovered += a.Recovered
			if a.Lost {
				out.Today.Lost++
			}
		}
	}
	return out
}

// Test is a line that was said to prove that a channel speaks and hears.
type Test struct {
	// Asked is when it was asked for, zero when none was; Said when the platform accepted it, Heard when it came back.
	Asked, Said, Heard time.Time
	By                 string
	// Refused is why it was not accepted, in a sentence; Code the platform's word for that.
	Refused, Code string

	code string
}

// TestFor is how long a test line may take until it is said to be lost.
const TestFor = 30 * time.Second

// Running reports whether the outcome of a test is still open.
func (t *Test) Running(now time.Time) bool {
	return !t.Asked.IsZero() && t.Refused == "" && t.Heard.IsZero() && now.Sub(t.Asked) < TestFor
}

// testText is what a channel's viewers read.
const testText = "Test line %s: this chat is connected."

// Try says a test line in a channel, unless one is under way; what comes of it is in State. It waits for nothing. changed is told
// when something is known. False when the account does not serve the channel.
func (r *Run) Try(c chat.Channel, by string, changed func()) bool {
	x := r.channels[c]
	if x == nil {
		return false
	}
	now, code := time.Now(), fmt.Sprintf("%04X", rand.N(1<<16))
	x.mu.Lock()
	running := x.test.Running(now)
	if !running {
		x.test = Test{Asked: now, By: by, code: code}
	}
	x.mu.Unlock()
	if running {
		return true
	}
	text := fmt.Sprintf(testText, code)
	r.Speaker.Say(&speaker.Utterance{
		Rank: speaker.RankPromoted, To: chat.Answer{Kind: chat.ToChannel, Channel: c}, NotAfter: now.Add(TestFor),
		Words: func(bool) speaker.Words { return speaker.Words{Text: text} },
		Done: func(at time.Time, err error) {
			x.tried(code, at, err)
			changed()
		},
	})
	return true
}

// tried notes what came of a test line.
func (x *measure) tried(code string, at time.Time, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.test.code != code { // a newer one was asked for
		return
	}
	if err == nil {
		x.test.Said = at
		return
	}
	var refused *chat.Refused
	switch {
	case errors.As(err, &refused):
		x.test.Refused, x.test.Code = refused.Reason, refused.Code
	case errors.Is(err, speaker.ErrMuted):
		x.test.Refused = "The bot is muted here."
	case errors.Is(err, speaker.ErrTooLate):
		x.test.Refused = "There was no room for it: more urgent answers took all lines that the platform allows."
	default:
		x.test.Refused = err.Error()
	}
	if x.test.Refused == "" {
		x.test.Refused = "The platform did not take it."
	}
}
