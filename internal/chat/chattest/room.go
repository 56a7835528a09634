package chattest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hawker/internal/chat"
)

// waitFor is how long a state may take to come; a good client needs far less.
const waitFor = 30 * time.Second

// room is a pair whose client listens, with all it has heard and said.
type room struct {
	Pair
	t      *testing.T
	before map[string]bool // goroutines that ran before Listen
	stop   context.CancelFunc
	done   chan struct{} // closed when Listen returned
	err    error         // of Listen, after done

	mu     sync.Mutex
	events []chat.Event

	slow    atomic.Int64 // how long hear takes, in ns
	lastSay time.Time
	tried   []attempt
	n       int
}

type attempt struct {
	text string
	err  error
}

// open starts Listen and waits until the channel is heard.
func open(t *testing.T, p Pair) *room {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &room{Pair: p, t: t, before: map[string]bool{}, stop: stop, done: make(chan struct{})}
	for _, g := range stacks() {
		r.before[goroutineID(g)] = true
	}
	go func() {
		defer close(r.done)
		r.err = p.Chat.Listen(ctx, r.hear)
	}()
	t.Cleanup(func() { stop(); <-r.done })
	r.until("the channel is heard", func() bool {
		if r.ended() {
			t.Fatalf("Listen ended at once: %v", r.err)
		}
		return r.count(func(e chat.Event) bool { return e.Kind == chat.Joined && e.Channel == r.Channel }) > 0 || r.state().Hears
	})
	return r
}

func (r *room) hear(e chat.Event) {
	time.Sleep(time.Duration(r.slow.Load()))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *room) typed(v chat.Viewer, text string) string {
	v.Platform = r.Channel.Platform
	return r.Sim.Type(r.Channel, v, text)
}

// said is every viewer's line heard so far; own lines are left out.
func (r *room) said() []chat.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ms []chat.Message
	for _, e := range r.events {
		if e.Kind == chat.Said && !e.Message.Own {
			ms = append(ms, e.Message)
		}
	}
	return ms
}

func (r *room) count(is func(chat.Event) bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, e := range r.events {
		if is(e) {
			n++
		}
	}
	return n
}

func (r *room) hears(id string) {
	r.t.Helper()
	r.event("line "+id, func(e chat.Event) bool { return e.Kind == chat.Said && e.Message.ID == id })
}

func (r *room) event(what string, is func(chat.Event) bool) (found chat.Event) {
	r.t.Helper()
	r.until(what, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		i := slices.IndexFunc(r.events, is)
		if i < 0 {
			return false
		}
		found = r.events[i]
		return true
	})
	return found
}

// back types lines until one is heard: the connection is mended. Lines typed before may be lost.
func (r *room) back() {
	r.t.Helper()
	var ids []string
	var last time.Time
	r.until("a line after the connection came back", func() bool {
		if r.ended() {
			r.t.Fatalf("Listen ended: %v", r.err)
		}
		if time.Since(last) > 200*time.Millisecond {
			last = time.Now()
			r.n++
			ids = append(ids, r.typed(ana, fmt.Sprintf("are you back? %d", r.n)))
		}
		return r.count(func(e chat.Event) bool { return e.Kind == chat.Said && slices.Contains(ids, e.Message.ID) }) > 0
	})
}

func (r *room) say(text string) (chat.Sent, error) {
	r.t.Helper()
	return r.sayTo(chat.Answer{Kind: chat.ToChannel, Channel: r.Channel}, text)
}

// sayTo says a line as the Speaker would: never sooner than the channel's budget allows.
func (r *room) sayTo(a chat.Answer, text string) (chat.Sent, error) {
	r.t.Helper()
	if every := r.Chat.Budget(r.Channel).Every; every > 0 {
		// A platform measures between arrivals, which may be nearer than the departures were.
		time.Sleep(time.Until(r.lastSay.Add(every + every/20)))
	}
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	defer cancel()
	r.n++
	sent, err := r.Chat.Say(ctx, chat.Line{To: a, Text: text, Nonce: fmt.Sprintf("chattest-%d", r.n)})
	r.lastSay = time.Now()
	r.tried = append(r.tried, attempt{text, err})
	if err != nil {
		if re := refused(err); re == nil || re.Code == "" {
			r.t.Errorf("Say(%.40q): %v (%T), want *chat.Refused with a code", text, err, err)
		}
	}
	return sent, err
}

// sayUntilAccepted says a new line again and again, as far apart as the refusals ask.
func (r *room) sayUntilAccepted() {
	r.t.Helper()
	for i := range 8 {
		_, err := r.say(fmt.Sprintf("try %d: held 10 min", i))
		if err == nil {
			return
		}
		if re := refused(err); re != nil {
			time.Sleep(min(re.RetryAfter, waitFor))
		}
	}
	r.t.Error("no line was accepted in 8 tries")
}

func refused(err error) *chat.Refused {
	var re *chat.Refused
	if errors.As(err, &re) {
		return re
	}
	return nil
}

// settle checks what holds for every promise: lines said are accepted once, refused lines never posted, rates kept.
func (r *room) settle() {
	r.t.Helper()
	posted := map[string]int{}
	for _, s := range r.Sim.Spoken(r.Channel) {
		posted[s.Text]++
	}
	for _, a := range r.tried {
		n, re := posted[a.text], refused(a.err)
		switch {
		case n > 1:
			r.t.Errorf("%.40q was posted %d times", a.text, n)
		case a.err != nil && n > 0 && (re == nil || !re.Unknown):
			r.t.Errorf("%.40q was posted although Say said: %v", a.text, a.err)
		}
	}
	if n := r.Sim.OverLimit(); n != 0 {
		r.t.Errorf("%d sends over the platform's rate", n)
	}
}

// state is what the client says about the pair's channel.
func (r *room) state() chat.State {
	for _, s := range r.Chat.States() {
		if s.Channel == r.Channel {
			return s
		}
	}
	return chat.State{}
}

func (r *room) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func (r *room) listenErr() error { <-r.done; return r.err }

func (r *room) until(what string, ok func() bool) {
	r.t.Helper()
	if !poll(waitFor, ok) {
		r.t.Fatalf("waited in vain for: %s", what)
	}
}

func poll(d time.Duration, ok func() bool) bool {
	for end := time.Now().Add(d); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// goroutines are the stacks of those that began after before was taken and belong to a client: not net/http's idle
// connections, not a simulator's, not the test's own.
func goroutines(before map[string]bool) []string {
	return slices.DeleteFunc(stacks(), func(g string) bool {
		_, by, _ := strings.Cut(g, "created by ")
		by, _, _ = strings.Cut(by, " in goroutine")
		pkg, _, _ := strings.Cut(by[strings.LastIndex(by, "/")+1:], ".")
		return before[goroutineID(g)] || strings.HasPrefix(by, "net/http.") || strings.HasSuffix(pkg, "sim") ||
			strings.HasPrefix(by, "testing.") || strings.Contains(by, "/chattest.") || by == ""
	})
}

func stacks() []string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			return strings.Split(string(buf[:n]), "\n\n")
		}
		buf = make([]byte, 2*len(buf))
	}
}

func goroutineID(stack string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
	return id
}
