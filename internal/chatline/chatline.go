// Package chatline runs one chat in a terminal: what it tells is printed, what is typed is said. It is for operators who hunt a
// fault and for tests, decides nothing and stores nothing. What it prints holds no secret: see Hide.
package chatline

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"hawker/internal/chat"
)

// Chat is the connector that runs. Listen blocks until ctx ends (nil) or the account can do no more (an error); a refusal of Say is
// a *chat.Refused.
type Chat interface {
	Listen(ctx context.Context, hear func(chat.Event)) error
	Say(ctx context.Context, l chat.Line) (chat.Sent, error)
	Budget(c chat.Channel) chat.Budget
	States() []chat.State
}

// Options say what runs and where it is read and printed. All but JSON and Color are required.
type Options struct {
	Chat Chat
	// Name is how the operator calls a channel; Find is the channel of that name.
	Name func(chat.Channel) string
	Find func(name string) (chat.Channel, bool)
	// Join adds a channel by its name. Its error is printed; a *chat.Refused with its code.
	Join func(ctx context.Context, name string) error
	// JSON prints one object a line, see Line; else lines are for people, coloured when Color is set.
	JSON, Color bool
	In          io.Reader
	Out         io.Writer
}

// Line is what is printed of an event, and of what came of an operation. What is empty, 0 or false is left out.
type Line struct {
	// Type is "chat" for a line; "revoked" and "auth_failed" when only the account's owner can help, the latter when it never
	// worked; "sent" and "send_failed" for a line of ours; "join_failed", "trouble" (empty Reason: it is over), "bad_input"; else
	// the name of the event's kind (chat.Kind).
	Type    string `json:"type"`
	ID      string `json:"id,omitempty"`
	Channel string `json:"channel,omitempty"`
	UserID  string `json:"user_id,omitempty"`
	Text    string `json:"text,omitempty"`
	Bits    int    `json:"bits,omitempty"`
	ReplyTo string `json:"reply_to,omitempty"`
	// SourceRoomID is the channel the line was typed in when that is another.
	SourceRoomID string `json:"source_room_id,omitempty"`
	Mod          bool   `json:"mod,omitempty"`
	Sub          bool   `json:"sub,omitempty"`
	Broadcaster  bool   `json:"broadcaster,omitempty"`
	Action       bool   `json:"action,omitempty"`

	PaidMicros   int64  `json:"paid_micros,omitempty"`
	PaidCurrency string `json:"paid_currency,omitempty"`
	Own          bool   `json:"own,omitempty"`
	Bot          bool   `json:"bot,omitempty"`
	Recovered    bool   `json:"recovered,omitempty"`

	// Code is the platform's word for a refusal, Reason a sentence.
	Code    string   `json:"code,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Missing []string `json:"missing,omitempty"`

	Count      int    `json:"count,omitempty"`
	Months     int    `json:"months,omitempty"`
	Tier       string `json:"tier,omitempty"`
	Title      string `json:"title,omitempty"`
	Reward     string `json:"reward,omitempty"`
	Redemption string `json:"redemption,omitempty"`
	Seconds    int    `json:"seconds,omitempty"`

	name string // the viewer's, for people
}

// Operation is one line of input.
type Operation struct {
	Op      string `json:"op"` // say, join
	Channel string `json:"channel"`
	Text    string `json:"text"`
	ReplyTo string `json:"reply_to"`
}

// ErrAccount is Run's error when the account is of no use without its owner.
var ErrAccount = errors.New("the account must be connected again")

// Run prints what the chat tells and does what is asked until the end of input, when all of it was done, or of ctx.
func Run(ctx context.Context, o Options) error {
	r := &running{o: o, out: &printer{o: o}, spent: map[string][]time.Time{}, last: map[chat.Channel]time.Time{}}
	whole, stop := context.WithCancel(ctx)
	defer stop()
	var parts sync.WaitGroup
	defer parts.Wait()
	lines, read := make(chan string), make(chan error, 1)
	// The reader cannot be woken from a terminal; at the end of ctx it is left behind with what it waits for.
	go func() { read <- input(whole, o.In, lines) }()
	ended := make(chan error, 1)
	parts.Go(func() { ended <- o.Chat.Listen(whole, r.hear) })
	parts.Go(func() { r.watch(whole) })
	says, said := make(chan Operation, 256), make(chan struct{})
	parts.Go(func() {
		defer close(said)
		for op := range says {
			r.say(whole, op)
		}
	})
	finish := sync.OnceFunc(func() { close(says) })
	defer finish()
	for {
		select {
		case line, ok := <-lines:
			if ok {
				r.take(whole, line, says)
				continue
			}
			finish()
			select {
			case <-said:
			case <-ctx.Done():
			}
			stop()
			return errors.Join(<-read, r.end(<-ended))
		case err := <-ended:
			stop()
			return r.end(err)
		case <-ctx.Done():
			stop()
			return r.end(<-ended)
		}
	}
}

// input gives the lines of in.
func input(ctx context.Context, in io.Reader, lines chan<- string) error {
	defer close(lines)
	s := bufio.NewScanner(in)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		select {
		case lines <- s.Text():
		case <-ctx.Done():
			return nil
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("read input: %w", err)
	}
	return nil
}

// running is a Run.
type running struct {
	o   Options
	out *printer

	mu     sync.Mutex
	worked bool // a channel was heard
	gone   bool // and it was said that only the owner can help

	spent map[string][]time.Time // by pool: when lines were said. Of the goroutine that says alone, like last
	last  map[chat.Channel]time.Time
}

// end makes the error of Listen one for the operator.
func (r *running) end(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	var re *chat.Refused
	if errors.As(err, &re) {
		r.lost(re.Code, re.Reason)
		return fmt.Errorf("%w: %s", ErrAccount, re.Reason)
	}
	return err
}

// lost says once that only the account's owner can help.
func (r *running) lost(code, reason string) {
	r.mu.Lock()
	typ, told := "auth_failed", r.gone
	if r.worked {
		typ = "revoked"
	}
	r.gone = true
	r.mu.Unlock()
	if !told {
		r.out.print(Line{Type: typ, Code: code, Reason: reason})
	}
}

func (r *running) hear(e chat.Event) {
	switch e.Kind {
	case chat.Revoked:
		r.lost("", e.Reason)
		return
	case chat.Joined:
		r.mu.Lock()
		r.worked = true
		r.mu.Unlock()
	}
	r.out.print(r.line(&e))
}

func (r *running) line(e *chat.Event) Line {
	l := Line{
		Type: e.Kind.String(), Channel: r.o.Name(e.Channel), ID: e.ID, UserID: e.Viewer.ID, name: e.Viewer.Name, Reason: e.Reason,
		Mod: e.Roles.Has(chat.Moderator), Sub: e.Roles.Has(chat.Subscriber), Broadcaster: e.Roles.Has(chat.Owner),
	}
	switch e.Kind {
	case chat.Said, chat.Edited:
		m := &e.Message
		l.ID, l.UserID, l.name, l.Text, l.Bits, l.ReplyTo, l.SourceRoomID, l.Action = m.ID, m.Viewer.ID, m.Viewer.Name, m.Text, m.Bits, m.ReplyTo, m.Source, m.Action
		l.Mod, l.Sub, l.Broadcaster = m.Roles.Has(chat.Moderator), m.Roles.Has(chat.Subscriber), m.Roles.Has(chat.Owner)
		l.PaidMicros, l.PaidCurrency, l.Own, l.Bot, l.Recovered = m.PaidMicros, m.PaidCurrency, m.Own, m.Bot, m.Recovered
	default:
		s := e.Support
		l.Text, l.Count, l.Months, l.Tier, l.Title, l.Reward, l.Redemption, l.Seconds = s.Text, s.Count, s.Months, s.Tier, s.Title, s.Reward, s.Redemption, int(s.For/time.Second)
	}
	return l
}

// watch prints what is wrong with a channel when that changes.
func (r *running) watch(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	was := map[chat.Channel]string{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, s := range r.o.Chat.States() {
			now := s.Trouble + "\n" + strings.Join(s.Missing, " ")
			if old, known := was[s.Channel]; old == now || !known && now == "\n" {
				continue
			}
			was[s.Channel] = now
			r.out.print(Line{Type: "trouble", Channel: r.o.Name(s.Channel), Reason: s.Trouble, Missing: s.Missing})
		}
	}
}

// take does one line of input: an Operation, or for people the text to say.
func (r *running) take(ctx context.Context, line string, says chan<- Operation) {
	if strings.TrimSpace(line) == "" {
		return
	}
	var op Operation
	if err := json.Unmarshal([]byte(line), &op); err != nil {
		r.out.print(Line{Type: "bad_input", Reason: `Want {"op":"say","channel":"...","text":"..."} or {"op":"join","channel":"..."}.`})
		return
	}
	switch op.Op {
	case "say":
		select {
		case says <- op:
		case <-ctx.Done():
		}
	case "join":
		if err := r.o.Join(ctx, op.Channel); err != nil {
			re := refusal(err)
			r.out.print(Line{Type: "join_failed", Channel: op.Channel, Code: re.Code, Reason: re.Reason})
		}
	default:
		r.out.print(Line{Type: "bad_input", Reason: "No operation is called so: want say or join."})
	}
}

func refusal(err error) *chat.Refused {
	var re *chat.Refused
	if errors.As(err, &re) {
		return re
	}
	return &chat.Refused{Code: "failed", Reason: err.Error()}
}

// say says a line at the platform's pace, once.
func (r *running) say(ctx context.Context, op Operation) {
	c, ok := r.o.Find(op.Channel)
	if !ok {
		r.out.print(Line{Type: "send_failed", Channel: op.Channel, Code: "no_channel", Reason: "This channel was not joined."})
		return
	}
	if !r.pace(ctx, c) {
		r.out.print(Line{Type: "send_failed", Channel: op.Channel, Code: "stopped", Reason: "The program ended first."})
		return
	}
	l := chat.Line{To: chat.Answer{Kind: chat.ToChannel, Channel: c}, Text: op.Text}
	if op.ReplyTo != "" {
		l.To.Kind, l.To.Message = chat.ToReply, op.ReplyTo
	}
	do, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second) // a line under way is finished, else nobody would know
	defer cancel()
	sent, err := r.o.Chat.Say(do, l)
	r.spend(c)
	if err != nil {
		re := refusal(err)
		r.out.print(Line{Type: "send_failed", Channel: op.Channel, Code: re.Code, Reason: re.Reason})
		return
	}
	r.out.print(Line{Type: "sent", ID: sent.ID, Channel: op.Channel})
}

// pace waits until the platform lets another line into the channel; false when ctx ended first.
func (r *running) pace(ctx context.Context, c chat.Channel) bool {
	for {
		b, now := r.o.Chat.Budget(c), time.Now()
		at := now
		if last, ok := r.last[c]; ok && last.Add(b.Every).After(at) {
			at = last.Add(b.Every)
		}
		if sent := r.spent[b.Pool]; b.Lines > 0 && len(sent) >= b.Lines {
			if free := sent[len(sent)-b.Lines].Add(b.Per + 250*time.Millisecond); free.After(at) {
				at = free
			}
		}
		if at.After(now) {
			t := time.NewTimer(at.Sub(now))
			select {
			case <-t.C:
				continue
			case <-ctx.Done():
				t.Stop()
				return false
			}
		}
		return true
	}
}

// spend notes a line, at its answer: nobody knows when it reached the platform before that.
func (r *running) spend(c chat.Channel) {
	now, pool := time.Now(), r.o.Chat.Budget(c).Pool
	r.last[c] = now
	r.spent[pool] = append(r.spent[pool], now)
}

// Refused prints that the account is of no use without its owner, before anything runs.
func Refused(o Options, re *chat.Refused) {
	p := &printer{o: o}
	p.print(Line{Type: "auth_failed", Code: re.Code, Reason: re.Reason})
}
