// Package account is a login on a platform as a merchant uses it: what is heard through it, what is said through it, and the truth
// about both as measured.
package account

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/manners"
	"hawker/internal/live/rival"
	"hawker/internal/live/speaker"
)

// Chat is a platform's connector as far as live needs it.
type Chat interface {
	// Listen calls hear for everything the platform tells, from one goroutine, until ctx ends.
	Listen(ctx context.Context, hear func(chat.Event)) error
	// Say posts a line. A refusal is a *chat.Refused.
	Say(ctx context.Context, l chat.Line) (chat.Sent, error)
	Budget(c chat.Channel) chat.Budget
	States() []chat.State
}

// Account is one login on a platform with the channels it serves.
type Account struct {
	Name     string
	Chat     Chat
	Channels []chat.Channel
	// Local says that the platform is on this machine too (a stand-in), so that a loopback link leads somewhere for its viewers.
	Local bool
}

// Run is an account at work. Set the fields, then Open; its methods may be called by many goroutines.
type Run struct {
	Account
	Speaker *speaker.Speaker
	Log     *slog.Logger

	mu       sync.Mutex
	trouble  string // why it stopped listening; empty while it does
	listens  time.Time
	channels map[chat.Channel]*measure // made by Open; what it holds is guarded by its own
}

// Open readies it.
func (r *Run) Open() {
	r.channels = map[chat.Channel]*measure{}
	for _, c := range r.Channels {
		r.channels[c] = &measure{}
	}
}

// Listen keeps the account's chat heard until ctx ends. Its client connects anew by itself; when it gives up, only the owner can
// help.
func (r *Run) Listen(ctx context.Context, hear func(chat.Event)) {
	r.mu.Lock()
	r.listens = time.Now()
	r.mu.Unlock()
	err := r.Chat.Listen(ctx, func(e chat.Event) {
		r.note(&e)
		hear(e)
	})
	if err != nil && ctx.Err() == nil {
		r.mu.Lock()
		r.trouble = err.Error()
		r.mu.Unlock()
		r.Log.Warn("chat is no longer heard", "account", r.Name, "err", err)
	}
}

// note measures what a chat tells.
func (r *Run) note(e *chat.Event) {
	x := r.channels[e.Channel]
	switch {
	case e.Kind == chat.Revoked:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.trouble = e.Reason
	case x != nil:
		x.note(e)
	}
}

// wellAfter is how long an account that listens without trouble must do so before it counts as well, where the platform tells
// nothing of it.
const wellAfter = 10 * time.Second

// Unwell says what is wrong with the account, empty when it is known to be well.
func (r *Run) Unwell() string {
	r.mu.Lock()
	trouble, since := r.trouble, r.listens
	r.mu.Unlock()
	if trouble != "" {
		return fmt.Sprintf("The account %s must be connected again: %s", r.Name, trouble)
	}
	known := !since.IsZero() && time.Since(since) > wellAfter
	for _, st := range r.Chat.States() {
		if len(st.Missing) > 0 {
			return fmt.Sprintf("The account %s lacks permissions.", r.Name)
		}
		known = known || st.Hears
	}
	if !known {
		return fmt.Sprintf("The account %s is being connected.", r.Name)
	}
	return ""
}

// State is a channel as measured.
type State struct {
	chat.State
	Account string
	// Waiting is how much waits to be said by the account, Dropped what was given up since the start.
	Waiting, Dropped int
	// Clock is by how much the platform's time stamps lie behind our clock at least.
	Clock time.Duration
	// Connected says that an account serves it. Gone says that it must be connected again: its permission was withdrawn, or its
	// client gave up.
	Connected, Gone bool
	// Says is how it stands with what is said in this channel alone.
	Says speaker.View
	Measured
	// Rivals are commands that another bot answers too.
	Rivals []rival.Found
	// Show is the live show of the channel, 0 for none. Muted is who silenced it, zero when nobody did.
	Show  commerce.ID
	Muted manners.Manner
}

// States are the states of the account's channels, in their order. since is when the merchant's day began.
func (r *Run) States(since time.Time) []State {
	r.mu.Lock()
	trouble := r.trouble
	r.mu.Unlock()
	known := map[chat.Channel]chat.State{}
	for _, st := range r.Chat.States() {
		known[st.Channel] = st
	}
	waiting, dropped := r.Speaker.Waiting()
	var out []State
	for _, c := range r.Channels {
		s := State{State: chat.State{Channel: c}, Account: r.Name, Waiting: waiting, Dropped: dropped, Connected: true, Gone: trouble != "", Says: r.Speaker.Look(c)}
		if st, ok := known[c]; ok {
			s.State = st
		}
		if trouble != "" {
			s.Trouble = trouble
		}
		if x := r.channels[c]; x != nil {
			s.Measured, s.Rivals = x.look(since), x.ear.Found()
		}
		out = append(out, s)
	}
	return out
}

// Unwell says what is wrong with the accounts of a merchant, empty when each is known to be well.
func Unwell(all []*Run) string {
	for _, r := range all {
		if why := r.Unwell(); why != "" {
			return why
		}
	}
	return ""
}

// States are the states of channels, in their order; a channel that no account serves says so. The day begins at midnight in zone.
func States(all []*Run, channels []chat.Channel, zone *time.Location) []State {
	now := time.Now().In(zone)
	since := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, zone)
	known := map[chat.Channel]State{}
	for _, r := range all {
		for _, s := range r.States(since) {
			known[s.Channel] = s
		}
	}
	out := make([]State, 0, len(channels))
	for _, c := range channels {
		s, ok := known[c]
		if !ok {
			s.State = chat.State{Channel: c, Trouble: "no account is connected for this channel"}
		}
		out = append(out, s)
	}
	return out
}
