// Package rival notices when another bot of a chat answers the commands that ours answers too: viewers would get two answers to one
// line. It reads along with the lines of a channel and keeps nothing of people but of the last seconds.
package rival

import (
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"hawker/internal/chat"
	"hawker/rules"
)

// How it is told that a line answers a command.
const (
	answersIn = 4 * time.Second // what comes later answers something else
	remember  = 64              // commands of the last seconds
	longest   = 24              // code points of a command's word
	most      = 200             // pairs of a word and a bot that are counted
	textsKept = 32              // texts of a bot that came without a command: those are its timers
)

// Times is how often a bot must answer the same command before it is told.
const Times = 2

// Found is a command that another bot answers.
type Found struct {
	Word  string // as typed, folded, without its sign
	Bot   chat.Viewer
	Times int
	Last  time.Time
}

// Ear reads along in one channel. The zero value is ready; its methods may be called by many goroutines.
type Ear struct {
	mu     sync.Mutex
	asked  []asked // the oldest first
	found  map[pair]*Found
	timers map[string][]string // of a bot, texts that answered nothing
}

type asked struct {
	id, word, name string
	viewer         string
	at             time.Time
	done           bool
}

type pair struct{ word, bot string }

// bots are names of chat bots that many channels have; on Twitch and YouTube nothing else marks them.
func known(name string) bool {
	switch strings.ToLower(name) {
	case "nightbot", "streamelements", "streamlabs", "moobot", "fossabot", "wizebot", "botrixoficial", "botrix", "sery_bot", "streamlootsbot", "own3d", "ownedbot", "phantombot",
		"deepbot", "coebot", "ankhbot", "botisimo", "stay_hydrated_bot", "soundalerts", "kofistreambot", "mixitupapp", "mikuia", "pokemoncommunitygame":
		return true
	}
	return false
}

// Hears takes a line. Only lines of other people and programs count, none that was recovered or typed elsewhere.
func (e *Ear) Hears(m *chat.Message) {
	if m.Own || m.Recovered || m.Edited || m.Source != "" || m.Text == "" {
		return
	}
	bot := m.Bot || known(m.Viewer.Name)
	if !bot {
		if m.Text[0] == '!' && !m.Command {
			e.ask(m)
		}
		if !m.Roles.Has(chat.Moderator | chat.Owner) { // a bot that nobody knows is one of them, or it could not speak as fast
			return
		}
	}
	e.says(m, bot)
}

func (e *Ear) ask(m *chat.Message) {
	word, _, _ := strings.Cut(m.Text[1:], " ")
	if word == "" || utf8.RuneCountInString(word) > longest {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.asked) == remember {
		e.asked = append(e.asked[:0], e.asked[1:]...)
	}
	e.asked = append(e.asked, asked{id: m.ID, word: rules.Fold(word), name: strings.ToLower(m.Viewer.Name), viewer: m.Viewer.ID, at: m.Received})
}

// says takes a line of who may be a bot. It answers a command when it is a reply to it or names who typed it; of a bot that is
// known as one also when it is the only command of the last seconds and the bot does not say that text at other times.
func (e *Ear) says(m *chat.Message, bot bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.asked) > 0 && m.Received.Sub(e.asked[0].at) > answersIn {
		e.asked = append(e.asked[:0], e.asked[1:]...)
	}
	text := strings.ToLower(m.Text)
	var sure, only *asked
	open := 0
	for i := range e.asked {
		x := &e.asked[i]
		if x.done || x.viewer == m.Viewer.ID {
			continue
		}
		open++
		only = x
		if x.id != "" && x.id == m.ReplyTo || x.name != "" && len(x.name) > 2 && strings.Contains(text, x.name) {
			sure = x
		}
	}
	if open == 0 && bot {
		e.timer(m.Viewer.ID, text)
		return
	}
	x := sure
	if x == nil && bot && open == 1 && !e.isTimer(m.Viewer.ID, text) {
		x = only
	}
	if x == nil || !bot && m.ReplyTo == "" && strings.HasPrefix(text, "!") { // a person who types a command answers nobody
		return
	}
	x.done = true
	k := pair{x.word, m.Viewer.ID}
	f := e.found[k]
	if f == nil {
		if len(e.found) >= most {
			return
		}
		if e.found == nil {
			e.found = map[pair]*Found{}
		}
		f = &Found{Word: x.word}
		e.found[k] = f
	}
	f.Bot, f.Last = m.Viewer, m.Received
	f.Times++
}

func (e *Ear) timer(bot, text string) {
	if e.isTimer(bot, text) {
		return
	}
	if e.timers == nil || len(e.timers) > most {
		e.timers = map[string][]string{}
	}
	all := append(e.timers[bot], text)
	e.timers[bot] = all[max(0, len(all)-textsKept):]
}

func (e *Ear) isTimer(bot, text string) bool {
	for _, t := range e.timers[bot] {
		if t == text {
			return true
		}
	}
	return false
}

// Found are the commands that another bot answered often enough, in no order.
func (e *Ear) Found() []Found {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Found
	for _, f := range e.found {
		if f.Times >= Times {
			out = append(out, *f)
		}
	}
	return out
}
