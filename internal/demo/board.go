package demo

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"sync"

	"hawker/internal/chat"
	"hawker/internal/demo/crowd"
)

// line is a line of a chat as the page shows it.
type line struct {
	Platform chat.Platform `json:"p"`
	ID       string        `json:"id"`
	Who      string        `json:"who"`
	Text     string        `json:"text"`
	At       int64         `json:"at"` // ms
	// Bot marks what the hub said, Role an owner or moderator.
	Bot   bool     `json:"bot,omitempty"`
	Role  string   `json:"role,omitempty"`
	Reply *quote   `json:"reply,omitempty"`
	Links []button `json:"buttons,omitempty"`
	// Private is seen by one viewer alone; Thinking is one that is still to come.
	Private  bool `json:"private,omitempty"`
	Thinking bool `json:"thinking,omitempty"`
	Gone     bool `json:"gone,omitempty"`
	// Mine is what this newcomer said, ToMe what answers it. They differ from page to page.
	Mine bool `json:"mine,omitempty"`
	ToMe bool `json:"tome,omitempty"`

	viewer, replyTo, only string // who said it, what it answers, who alone sees it: ids of the platform
}

// quote is the line that another one answers.
type quote struct {
	Who  string `json:"who"`
	Text string `json:"text"`
}

type button struct {
	Label string `json:"label"`
	URL   string `json:"url,omitempty"`
	Press string `json:"press,omitempty"` // what to send when it is pressed
}

// event is one message to a page.
type event struct {
	name string
	data any
}

// Bounds of what the board keeps.
const (
	keepLines = 80  // of each chat, for pages that come new
	pageQueue = 256 // events that wait for a page; one that is slower is let go, comes again and begins anew
	ownLines  = 500 // of one newcomer, whose answers are marked
)

// board shows what happens to the pages that are open.
type board struct {
	mu     sync.Mutex
	closed bool
	lines  map[chat.Platform][]line
	pages  map[*page]bool
	last   map[string]any // the newest of each event that replaces the one before
	boot   string         // differs from start to start
}

// page is an open page of a newcomer.
type page struct {
	me     newcomer
	events chan event // closed when the page was let go or the demo ends
	own    map[string]bool
}

func newBoard() *board {
	return &board{lines: map[chat.Platform][]line{}, pages: map[*page]bool{}, last: map[string]any{}, boot: rand.Text()}
}

// open adds a page; its first events are the present state. nil when the demo is over.
func (b *board) open(me newcomer) *page {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	p := &page{me: me, events: make(chan event, pageQueue+3*keepLines), own: map[string]bool{}}
	p.events <- event{"hello", map[string]string{"boot": b.boot}}
	for name, data := range b.last {
		p.events <- event{name, data}
	}
	for _, platform := range platforms() {
		for i := range b.lines[platform] {
			p.tell(b.lines[platform][i])
		}
	}
	b.pages[p] = true
	return p
}

func (b *board) drop(p *page) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages[p] {
		delete(b.pages, p)
		close(p.events)
	}
}

func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for p := range b.pages {
		close(p.events)
	}
	clear(b.pages)
}

// tell queues a line for a page, unless it is not for its eyes; false when the page is too slow.
func (p *page) tell(l line) bool {
	me := p.me.on(l.Platform)
	if l.only != "" && l.only != me.ID {
		return true
	}
	l.Mine = !l.Bot && l.viewer == me.ID
	l.ToMe = l.Bot && (l.only != "" || p.own[l.replyTo] || l.replyTo == "" && crowd.Names(l.Text, "@"+me.Name))
	if l.Mine && len(p.own) < ownLines {
		p.own[l.ID] = true
	}
	select {
	case p.events <- event{"line", l}:
		return true
	default:
		return false
	}
}

// show puts a line, or its newer state, before all pages.
func (b *board) show(l line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.lines[l.Platform]
	i := slices.IndexFunc(all, func(o line) bool { return o.ID == l.ID })
	if l.replyTo != "" && l.Reply == nil {
		if j := slices.IndexFunc(all, func(o line) bool { return o.ID == l.replyTo }); j >= 0 {
			l.Reply = &quote{all[j].Who, all[j].Text}
		}
	}
	switch {
	case l.Gone && i >= 0:
		all = slices.Delete(all, i, i+1)
	case l.Gone:
	case i >= 0:
		all[i] = l
	default:
		if all = append(all, l); len(all) > keepLines {
			all = slices.Delete(all, 0, len(all)-keepLines)
		}
	}
	b.lines[l.Platform] = all
	for p := range b.pages {
		if !p.tell(l) {
			delete(b.pages, p)
			close(p.events)
		}
	}
}

// wrote reports whether a line that is still shown was written by a viewer.
func (b *board) wrote(p chat.Platform, viewer, id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.lines[p], func(l line) bool { return l.ID == id && l.viewer == viewer && !l.Bot && !l.Private })
}

// state puts the newest state of something before all pages; one that is the same as before is not told again.
func (b *board) state(name string, data any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if was, ok := b.last[name]; ok && equal(was, data) {
		return
	}
	b.last[name] = data
	for p := range b.pages {
		select {
		case p.events <- event{name, data}:
		default:
			delete(b.pages, p)
			close(p.events)
		}
	}
}

func equal(a, b any) bool {
	x, _ := json.Marshal(a) // plain types of ours
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func platforms() []chat.Platform { return []chat.Platform{chat.Twitch, chat.YouTube, chat.Discord} }
