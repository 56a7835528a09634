// Package manners is how a merchant's bot behaves in chats, as it stands now: where it is silent, whose names it does not say, whom
// it does not hear, what its commands are called. What is asked of it is answered from memory; what changes is stored.
//
// Goroutines: Run is one, which stores what was changed by lines in chats. It ends with its ctx.
package manners

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live/speaker/names"
	"hawker/internal/sqldb/manners"
	"hawker/rules"
)

// The stored form; see package sqldb/manners.
type (
	Manner = manners.Manner
	Kind   = manners.Kind
)

// Kinds of manners.
const (
	Mute  = manners.Mute
	Word  = manners.Word
	Hide  = manners.Hide
	Block = manners.Block
	Veto  = manners.Veto
	Call  = manners.Call
	Leave = manners.Leave
	Alias = manners.Alias
)

// Bounds of what one merchant has.
const (
	WordsMost   = 500 // words not said in names
	AliasesMost = 500 // other names of values
	WordLong    = 60  // code points of one
	most        = 20_000
)

// FaultError is why a manner cannot be: a sentence for the member.
type FaultError struct{ Why string }

func (e *FaultError) Error() string { return e.Why }

// OfViewer is the name of a manner that is about a viewer.
func OfViewer(v chat.Viewer) string { return manners.OfViewer(v) }

// OfShow is the name of a manner that is about a show.
func OfShow(show commerce.ID) string { return manners.OfShow(show) }

// ByViewer is who changed something by a line in a chat.
func ByViewer(v chat.Viewer) string { return manners.ByViewer(v) }

// House are one merchant's manners. Set the fields, then Load; its methods may be called by many goroutines.
type House struct {
	Merchant commerce.ID
	Book     *manners.Book
	Log      *slog.Logger
	// Own are names that nobody else may be shown under: the shop's and the bot's.
	Own []string
	// Taken are words of commands that the merchant's rules have; nil for none.
	Taken func(ctx context.Context) ([]string, error)
	// Hold is how long a shout-out waits for the host's veto; 0 means VetoFor.
	Hold time.Duration

	now   atomic.Pointer[state]
	mu    sync.Mutex // held while something changes
	queue []Manner   // changed in memory and not stored yet
	wake  chan struct{}
}

// state never changes once it is there.
type state struct {
	all    map[key]Manner
	filter *names.Filter
	hidden map[string]bool // names as they would be shown
	calls  map[rules.Name][]string
	values map[string][]string
}

type key struct {
	kind Kind
	name string
}

// Load reads what is stored.
func (h *House) Load(ctx context.Context) error {
	all, err := h.Book.All(ctx, h.Merchant)
	if err != nil {
		return fmt.Errorf("manners: %w", err)
	}
	h.wake = make(chan struct{}, 1)
	h.use(h.with(map[key]Manner{}, all))
	return nil
}

func (h *House) with(was map[key]Manner, changes []Manner) map[key]Manner {
	all := maps.Clone(was)
	for _, m := range changes {
		k := key{m.Kind, m.Name}
		switch old, there := all[k]; {
		case m.Off:
			delete(all, k)
		case !there && len(all) < most || there && old.Value != m.Value:
			all[k] = m
		}
	}
	return all
}

// use puts manners into force.
func (h *House) use(all map[key]Manner) {
	s := &state{all: all, hidden: map[string]bool{}}
	var said []string
	called := map[string]string{}
	for k, m := range all {
		switch k.kind {
		case Word:
			said = append(said, k.name)
		case Hide:
			s.hidden[lang.Name(m.Value)] = true
		case Call:
			called[k.name] = m.Value
		}
	}
	s.values = manners.Aliases(maps.Values(all))
	s.filter, s.calls = names.New(h.Own, said), rules.Renamed(called)
	h.now.Store(s)
}

// Do stores changes and puts them into force. Errors: *FaultError, the database's own; then nothing changed.
func (h *House) Do(ctx context.Context, changes ...Manner) error {
	for i := range changes {
		if err := h.Check(&changes[i]); err != nil {
			return err
		}
		if m := &changes[i]; m.Kind == Call && !m.Off && h.Taken != nil {
			taken, err := h.Taken(ctx)
			if err != nil {
				return err
			}
			if slices.Contains(taken, m.Value) {
				return &FaultError{"It cannot be called “!" + m.Value + "”: one of your rules has that command."}
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.Book.Put(ctx, h.Merchant, slices.Concat(h.queue, changes)...); err != nil {
		return err
	}
	h.queue = nil
	h.tell(changes)
	h.use(h.with(h.now.Load().all, changes))
	return nil
}

// Note puts a change into force and has it stored. It waits for no disk.
func (h *House) Note(m Manner) {
	if h.Check(&m) != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queue = append(h.queue, m)
	h.tell([]Manner{m})
	h.use(h.with(h.now.Load().all, []Manner{m}))
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// tell logs who changed what.
func (h *House) tell(changes []Manner) {
	for _, m := range changes {
		by, _, _ := strings.Cut(m.By, " ")
		h.Log.Info("manners changed", "kind", string(m.Kind), "about", m.Name, "on", !m.Off, "by", by)
	}
}

// Times of storing.
const (
	storeFor   = 10 * time.Second
	storeAgain = time.Second
)

// Run stores what is noted until ctx ends, and what is left then last.
func (h *House) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
		case <-h.wake:
		}
		err := h.store(context.WithoutCancel(ctx))
		if err != nil {
			h.Log.Warn("manners were not stored; trying again", "err", err)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(storeAgain):
			}
			select {
			case h.wake <- struct{}{}:
			default:
			}
		}
	}
}

func (h *House) store(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.queue) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeFor)
	defer cancel()
	if err := h.Book.Put(ctx, h.Merchant, h.queue...); err != nil {
		return err
	}
	h.queue = nil
	return nil
}

// Forget erases a viewer's name.
func (h *House) Forget(ctx context.Context, v chat.Viewer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.Book.Put(ctx, h.Merchant, h.queue...); err != nil {
		return err
	}
	h.queue = nil
	if err := h.Book.Forget(ctx, h.Merchant, v); err != nil {
		return err
	}
	all, err := h.Book.All(ctx, h.Merchant)
	if err != nil {
		return err
	}
	h.use(h.with(map[key]Manner{}, all))
	return nil
}

// Muted is who silenced a channel in which a show is live (0 for none), and ok whether anybody did.
func (h *House) Muted(c chat.Channel, show commerce.ID) (by Manner, ok bool) {
	all := h.now.Load().all
	if by, ok = all[key{Mute, c.String()}]; !ok && show != 0 {
		by, ok = all[key{Mute, manners.OfShow(show)}]
	}
	return by, ok
}

// Allows reports whether a name may be shown, as lang.Name made it.
func (h *House) Allows(name string) bool {
	s := h.now.Load()
	return !s.hidden[name] && s.filter.Allows(name)
}

// Decent is a text that was made with a viewer's name in it, with somebody's in its place when that may not be shown any more.
func (h *House) Decent(v chat.Viewer, text, somebody string) string {
	if name := lang.Name(v.Name); name != "" && !h.Allows(name) {
		return Replace(text, name, somebody)
	}
	return text
}

// Blocked reports whether somebody cannot claim.
func (h *House) Blocked(v chat.Viewer) bool {
	all := h.now.Load().all
	if len(all) == 0 {
		return false
	}
	_, ok := all[key{Block, manners.OfViewer(v)}]
	return ok
}

// VetoFor is how long a shout-out waits so that the host can take its name out.
const VetoFor = 5 * time.Second

// Wait is how long shout-outs wait.
func (h *House) Wait() time.Duration {
	if _, ok := h.now.Load().all[key{Veto, ""}]; ok {
		return cmp.Or(h.Hold, VetoFor)
	}
	return 0
}

// Names are the words of those commands that have others than usual, for rules.Options.
func (h *House) Names() map[rules.Name][]string { return h.now.Load().calls }

// Aliases are the shop's other names for values of sizes, colours and the like, by value.
func (h *House) Aliases() map[string][]string { return h.now.Load().values }

// Told is a text with commands in it, as they are called here.
func (h *House) Told(text string) string {
	for k, m := range h.now.Load().all {
		if k.kind == Call {
			text = Replace(text, "!"+k.name, "!"+m.Value)
		}
	}
	return text
}

// Left reports whether a word stays as it is although another bot answers it too.
func (h *House) Left(word string) bool {
	_, ok := h.now.Load().all[key{Leave, word}]
	return ok
}

// Replace puts another name in a text where one stands as a word.
func Replace(text, name, with string) string {
	var b strings.Builder
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return b.String() + text[from:]
		}
		i += from
		end := i + len(name)
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[end:])
		b.WriteString(text[from:i])
		if i > 0 && letter(before) || end < len(text) && letter(after) {
			b.WriteString(name)
		} else {
			b.WriteString(with)
		}
		from = end
	}
}

func letter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// List are the manners of a kind that are in force, by name.
func (h *House) List(kind Kind) []Manner {
	var out []Manner
	for k, m := range h.now.Load().all {
		if k.kind == kind {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b Manner) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Changes are the last changes, the newest first.
func (h *House) Changes(ctx context.Context, most int) ([]Manner, error) {
	return h.Book.Changes(ctx, h.Merchant, most)
}
