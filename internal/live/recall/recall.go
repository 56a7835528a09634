// Package recall is what a merchant remembers of a show for its pages and for what viewers ask. What was decided is in SQL for
// ever; this is for reading along.
package recall

import (
	"slices"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/preview"
	"hawker/internal/live/tail"
)

// How much is remembered.
const (
	feedKept   = 300
	chatKept   = 120
	saidKept   = 1000
	whyKept    = 10 * time.Minute
	whyMost    = 20_000
	spokeMost  = 200_000
	whereMost  = 100_000
	streamMost = 10 // chat lines a second that pages are sent; a person cannot read more
)

// FeedLine is one line of the feed of claims: who asked for what, and what came of it.
type FeedLine struct {
	At       time.Time
	Viewer   chat.Viewer
	Channel  chat.Channel
	Text     string
	What     commerce.What
	Reason   commerce.Reason
	Number   int
	Title    string
	Label    string
	Quantity int
	Holding  int
	Waiting  int
	Place    int
	Hold     commerce.ID
	Order    string
	Total    commerce.Money
}

// ChatLine is a line of a chat as pages show it.
type ChatLine struct {
	ID      string          `json:"id"`
	At      time.Time       `json:"at"`
	Channel chat.Channel    `json:"channel"`
	Viewer  chat.Viewer     `json:"viewer"`
	Text    string          `json:"text"`
	Own     bool            `json:"own,omitempty"`
	Roles   chat.Roles      `json:"roles,omitempty"`
	Reason  commerce.Reason `json:"reason,omitempty"`
}

// Show is the memory of one show. It is not safe for two goroutines.
type Show struct {
	feed tail.Tail[FeedLine]
	chat tail.Tail[ChatLine]
	said tail.Tail[preview.Line] // to try claim styles on
	// viewers who spoke (with their names) and who claimed, for the funnel
	spoke, claimed map[chat.Viewer]bool
	// where is the channel of each viewer's last command.
	where map[chat.Viewer]chat.Channel
	// streamed counts chat lines published in this second, so that a fast chat does not flood the pages.
	second   int64
	streamed int
	// why is each viewer's last line and its reason, for !why.
	why  map[chat.Viewer]why
	most int // entries of why at which old ones go
}

type why struct {
	at     time.Time
	reason commerce.Reason
}

// New remembers nothing yet.
func New() *Show {
	return &Show{
		feed: tail.Tail[FeedLine]{N: feedKept}, chat: tail.Tail[ChatLine]{N: chatKept}, said: tail.Tail[preview.Line]{N: saidKept},
		spoke: map[chat.Viewer]bool{}, claimed: map[chat.Viewer]bool{}, where: map[chat.Viewer]chat.Channel{}, why: map[chat.Viewer]why{},
	}
}

// who is a viewer without a name, as maps key it.
func who(v chat.Viewer) chat.Viewer { return chat.Viewer{Platform: v.Platform, ID: v.ID} }

// Decided adds a line to the feed.
func (s *Show) Decided(l FeedLine) { s.feed.Add(l) }

// Feed is the feed, the oldest first.
func (s *Show) Feed() []FeedLine { return s.feed.List() }

// Heard adds a line of a chat; bot says that a program said it. stream says whether pages are sent it at once.
func (s *Show) Heard(l ChatLine, read preview.Line, bot bool) (stream bool) {
	if !l.Own && !bot && len(s.spoke) < spokeMost {
		s.spoke[l.Viewer] = true
	}
	s.chat.Add(l)
	read.Viewer = who(l.Viewer)
	s.said.Add(read)
	if at := l.At.Unix(); at != s.second {
		s.second, s.streamed = at, 0
	}
	s.streamed++
	return s.streamed <= streamMost
}

// Chat is what was said last, the oldest first, Said the same as far as styles are tried on it.
func (s *Show) Chat() []ChatLine { return s.chat.List() }

// Said is said with Chat.
func (s *Show) Said() []preview.Line { return s.said.List() }

// Claimed notes that a viewer claimed.
func (s *Show) Claimed(v chat.Viewer) { s.claimed[who(v)] = true }

// Figures are how many viewers spoke and how many claimed.
func (s *Show) Figures() (spoke, claimed int) { return len(s.spoke), len(s.claimed) }

// Named are the viewers of a platform who spoke under a name, in whatever case, by their ids.
func (s *Show) Named(p chat.Platform, name string) []chat.Viewer {
	var out []chat.Viewer
	for v := range s.spoke {
		if v.Platform == p && strings.EqualFold(v.Name, name) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b chat.Viewer) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// At notes the channel of a viewer's command, for what is told later.
func (s *Show) At(v chat.Viewer, c chat.Channel) {
	if len(s.where) < whereMost {
		s.where[who(v)] = c
	}
}

// Where is the channel of a viewer's last command; false when none is known.
func (s *Show) Where(v chat.Viewer) (chat.Channel, bool) {
	c, ok := s.where[who(v)]
	return c, ok
}

// SetWhy notes what became of a viewer's line.
func (s *Show) SetWhy(v chat.Viewer, r commerce.Reason, now time.Time) {
	if len(s.why) > max(s.most, whyMost) {
		for k, x := range s.why {
			if now.Sub(x.at) > whyKept {
				delete(s.why, k)
			}
		}
		s.most = 2 * len(s.why) // not for every line of a crowd that has said something lately
	}
	s.why[who(v)] = why{now, r}
}

// Why is what became of a viewer's last line; false when there was none in the last minutes.
func (s *Show) Why(v chat.Viewer, now time.Time) (commerce.Reason, bool) {
	w, ok := s.why[who(v)]
	return w.reason, ok && now.Sub(w.at) <= whyKept
}

// Forget takes a viewer's name and texts out.
func (s *Show) Forget(v chat.Viewer) {
	nobody := who(v)
	is := func(x chat.Viewer) bool { return who(x) == nobody }
	s.feed.Each(func(l *FeedLine) {
		if is(l.Viewer) {
			l.Viewer, l.Text = nobody, ""
		}
	})
	s.chat.Each(func(l *ChatLine) {
		if is(l.Viewer) {
			l.Viewer, l.Text = nobody, ""
		}
	})
	s.said.Each(func(l *preview.Line) {
		if is(l.Viewer) {
			l.Text = ""
		}
	})
	delete(s.why, nobody)
	delete(s.where, nobody)
	for x := range s.spoke {
		if is(x) {
			delete(s.spoke, x)
			s.spoke[nobody] = true
		}
	}
}
