package chattest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/internal/chat"
)

// A Sim may have more methods. Each tries a promise of its own; where a stand-in lacks it, the promise is not tried, and the log
// of the test says so.
type (
	// Poster shows a line with what it is asked to carry of Viewer, Text, Roles, ReplyTo, Bits, PaidMicros, PaidCurrency, Source, Bot,
	// Action and Sent; false for what the platform does not have.
	Poster interface {
		Post(c chat.Channel, m chat.Message) (id string, ok bool)
	}
	// Barer answers the next n sends with the platform's rate-limit error, without any header that says when to come again.
	Barer interface{ RefuseSendsBare(n int) }
	// Moder refuses the next send because of a mode of the room, such as slow mode.
	Moder interface{ RefuseMode(c chat.Channel) }
	// Banner bans the account from the channel, or ends that.
	Banner interface{ BanAccount(c chat.Channel, on bool) }
	// Narrower takes the permission to speak from the account, which can be heard with all the same.
	Narrower interface{ Narrow() }
	// Skewer sets the platform's clock off: its time stamps and the dates of its answers.
	Skewer interface{ Skew(d time.Duration) }
	// Closer has every connection that is listened on closed as soon as it stands, or ends that.
	Closer interface{ CloseAtOnce(on bool) }
	// Loser takes the next n sends and breaks the connection instead of answering.
	Loser interface{ LoseAnswers(n int) }
	// Refresher counts the refreshes of tokens since the start.
	Refresher interface{ Refreshes() int }
)

func has[T any](s Sim) bool { _, ok := s.(T); return ok }

// more are the promises that need a Sim's further methods.
func more() []promise {
	return []promise{
		{"a line carries its roles, what it answers and money", carriesAll, has[Poster]},
		{"lines of bots and of other channels never act", marksOthers, has[Poster]},
		{"lines out of the order of their times are each heard once", hearsReordered, has[Poster]},
		{"a rate limit without headers is kept", keepsBareLimit, has[Barer]},
		{"a room's mode is told, and nothing is sent again", tellsMode, has[Moder]},
		{"a banned account is told", tellsBan, has[Banner]},
		{"a missing permission is named", namesMissing, has[Narrower]},
		{"a clock off by two minutes harms nothing", survivesSkew, has[Skewer]},
		{"a platform that closes at once is not stormed", backsOff, has[Closer]},
		{"a line whose answer is lost is not said again", saysLostOnce, has[Loser]},
		{"many callers refresh one token once", refreshesOnce, has[Refresher]},
	}
}

func carriesAll(t *testing.T, r *room) {
	p := r.Sim.(Poster)
	parent := r.typed(bob, "the first")
	r.hears(parent)
	for _, want := range []chat.Message{
		{Roles: chat.Moderator, Text: "of a moderator"},
		{Roles: chat.Subscriber, Text: "of a supporter"},
		{Roles: chat.VIP, Text: "of a VIP"},
		{Text: "an answer", ReplyTo: parent},
		{Text: "cheer", Bits: 100},
		{Text: "super", PaidMicros: 5_000_000, PaidCurrency: "EUR"},
		{Text: "waves", Action: true},
		{Text: "!buy 3 x2 \U000E0000", Roles: chat.Subscriber | chat.Moderator},
	} {
		want.Channel, want.Viewer = r.Channel, ana
		want.Viewer.Platform = r.Channel.Platform
		id, ok := p.Post(r.Channel, want)
		if !ok {
			continue
		}
		r.hears(id)
		for _, m := range r.said() {
			if m.ID != id {
				continue
			}
			same := m.Text == want.Text && m.ReplyTo == want.ReplyTo && m.Bits == want.Bits && m.PaidMicros == want.PaidMicros && m.PaidCurrency == want.PaidCurrency && m.Action == want.Action
			if !same || m.Viewer.ID != ana.ID || want.Roles&^m.Roles != 0 || want.Roles == 0 && m.Roles != 0 {
				t.Errorf("heard %+v\nwant  %+v", m, want)
			}
		}
	}
}

func marksOthers(t *testing.T, r *room) {
	p := r.Sim.(Poster)
	r.hears(r.typed(ana, "before"))
	for _, want := range []chat.Message{{Text: "!buy 3", Bot: true}, {Text: "!buy 3", Source: "99999"}} {
		want.Channel, want.Viewer = r.Channel, bob
		id, ok := p.Post(r.Channel, want)
		if !ok {
			continue
		}
		r.hears(r.typed(ana, "after"))
		for _, m := range r.said() { // it may be left out, and must not be taken for a viewer's
			if m.ID == id && (m.Bot != want.Bot || m.Source != want.Source) {
				t.Errorf("heard as a viewer's: %+v", m)
			}
		}
	}
}

func hearsReordered(t *testing.T, r *room) {
	p := r.Sim.(Poster)
	now, ids := time.Now(), map[string]int{}
	for i, off := range []time.Duration{0, -3 * time.Second, time.Second, -30 * time.Second, 0} {
		m := chat.Message{Channel: r.Channel, Viewer: ana, Text: fmt.Sprintf("line %d", i), Sent: now.Add(off)}
		id, ok := p.Post(r.Channel, m)
		if !ok {
			return
		}
		ids[id] = 0
	}
	r.hears(r.typed(bob, "after"))
	for _, m := range r.said() {
		if _, mine := ids[m.ID]; mine {
			ids[m.ID]++
		}
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("line %q was heard %d times", id, n)
		}
	}
}

func keepsBareLimit(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	r.Sim.(Barer).RefuseSendsBare(1)
	_, err := r.say("too fast")
	if re := refused(err); re == nil || re.Unknown || re.RetryAfter <= 0 {
		t.Errorf("Say: %+v; want a refusal that says how long to wait", err)
	}
	r.sayUntilAccepted()
}

func tellsMode(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	before := len(r.Sim.Spoken(r.Channel))
	r.Sim.(Moder).RefuseMode(r.Channel)
	_, err := r.say("against the room's mode")
	re := refused(err)
	if re == nil || re.Unknown || re.Reconnect || re.Reason == "" {
		t.Errorf("Say: %+v; want a certain refusal with a reason", err)
	}
	r.sayUntilAccepted()
	if n := len(r.Sim.Spoken(r.Channel)) - before; n != 1 {
		t.Errorf("%d lines were posted, want the later one alone", n)
	}
}

func tellsBan(t *testing.T, r *room) {
	b := r.Sim.(Banner)
	r.hears(r.typed(ana, "before"))
	logins := r.Sim.Logins()
	b.BanAccount(r.Channel, true)
	_, err := r.say("while banned")
	re := refused(err)
	if re == nil || re.Unknown || re.Reason == "" {
		t.Fatalf("Say: %+v; want a certain refusal with a reason", err)
	}
	r.until("the state says it", func() bool { s := r.state(); return !s.Speaks && s.Trouble != "" })
	if n := r.Sim.Logins() - logins; n > 4 {
		t.Errorf("%d logins after the ban", n)
	}
	b.BanAccount(r.Channel, false)
	r.sayUntilAccepted()
}

func namesMissing(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	r.Sim.(Narrower).Narrow()
	_, err := r.say("without the permission")
	if re := refused(err); re == nil || re.Unknown || re.Reason == "" {
		t.Errorf("Say: %+v; want a certain refusal with a reason", err)
	}
	r.hears(r.typed(ana, "still heard"))
	if s := r.state(); len(s.Missing) == 0 && s.Trouble == "" {
		t.Errorf("state %+v; want what is missing", s)
	}
}

func survivesSkew(t *testing.T, r *room) {
	s := r.Sim.(Skewer)
	for _, off := range []time.Duration{-2 * time.Minute, 2 * time.Minute} {
		s.Skew(off)
		for i := range 3 {
			r.hears(r.typed(ana, fmt.Sprintf("at %v, %d", off, i)))
		}
		if _, err := r.say(fmt.Sprintf("at %v", off)); err != nil {
			t.Errorf("Say with a clock off by %v: %v", off, err)
		}
		r.Sim.RefuseSends(1)
		if re := refused(second(r.say(fmt.Sprintf("refused at %v", off)))); re == nil || re.RetryAfter > time.Minute {
			t.Errorf("a rate limit with a clock off by %v: %+v; want a wait of seconds", off, re)
		} else {
			time.Sleep(re.RetryAfter)
		}
	}
	s.Skew(0)
	for _, m := range r.said() {
		if d := time.Since(m.Received); d < 0 || d > time.Minute {
			t.Errorf("received %v: by the platform's clock", m.Received)
		}
	}
}

func second(_ chat.Sent, err error) error { return err }

func backsOff(t *testing.T, r *room) {
	c := r.Sim.(Closer)
	r.hears(r.typed(ana, "before"))
	logins := r.Sim.Logins()
	c.CloseAtOnce(true)
	r.Sim.Drop()
	time.Sleep(4 * time.Second) // long enough for a client without pauses to try thousands of times
	if n := r.Sim.Logins() - logins; n > 12 {
		t.Errorf("%d logins in four seconds", n)
	}
	c.CloseAtOnce(false)
	r.back()
}

func saysLostOnce(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	before := len(r.Sim.Spoken(r.Channel))
	r.Sim.(Loser).LoseAnswers(1)
	_, err := r.say("taken, and nobody says so")
	if re := refused(err); err != nil && (re == nil || !re.Unknown) {
		t.Errorf("Say: %+v; want that nobody knows", err)
	}
	r.sayUntilAccepted()
	n := 0
	for _, s := range r.Sim.Spoken(r.Channel)[before:] {
		if strings.HasPrefix(s.Text, "taken,") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the line was posted %d times", n)
	}
}

func refreshesOnce(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	before := r.Sim.(Refresher).Refreshes()
	r.Sim.ExpireToken()
	var all sync.WaitGroup
	for i := range 5 {
		to := chat.Answer{Kind: chat.ToChannel, Channel: r.Channel}
		time.Sleep(r.Chat.Budget(r.Channel).Every)
		all.Go(func() {
			if _, err := r.Chat.Say(t.Context(), chat.Line{To: to, Text: fmt.Sprintf("line %d with a new token", i), Nonce: fmt.Sprintf("refresh-%d", i)}); err != nil {
				t.Errorf("Say: %v", err)
			}
		})
	}
	all.Wait()
	if n := r.Sim.(Refresher).Refreshes() - before; n > 1 {
		t.Errorf("%d refreshes, want one at most", n)
	}
}
