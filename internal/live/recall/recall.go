// Package recall is what a merchant remembers of a show for its pages and for what viewers ask. What was decided is in SQL for
// ever; this is for reading along.
package recall

import (
	"slices"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/byhash"
	"hawker/internal/chat"
	"hawker/internal/live/preview"
	"hawker/internal/live/tail"
)

// How much is remembered.
const (
	feedKept    = 300
	chatKept    = 120
	saidKept    = 1000
	whyKept     = 10 * time.Minute
	viewersMost = 300_000
	streamMost  = 10 // chat lines a second that pages are sent; a person cannot read more
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
	feed          tail.Tail[FeedLine]
	chat          tail.Tail[ChatLine]
	said          tail.Tail[preview.Line] // to try claim styles on
	viewers       *byhash.Map[id, viewer]
	spoke, claims int // how many of them spoke and claimed
	last          *viewer
	lastID        id
	// streamed counts chat lines published in this second, so that a fast chat does not flood the pages.
	second   int64
	streamed int
	swept    time.Time
}

// id is a viewer without a name.
type id struct {
	platform chat.Platform
	id       string
}

// viewer is what is remembered of one.
type viewer struct {
	name           string
	spoke, claimed bool
	where          chat.Channel    // of the last command
	why            commerce.Reason // of the last line
	at             time.Time       // when that was
}

// New remembers nothing yet.
func New() *Show {
	return &Show{
		feed: tail.Tail[FeedLine]{N: feedKept}, chat: tail.Tail[ChatLine]{N: chatKept}, said: tail.Tail[preview.Line]{N: saidKept},
		viewers: byhash.New[id, viewer](),
	}
}

// who is a viewer without a name.
func who(v chat.Viewer) chat.Viewer { return chat.Viewer{Platform: v.Platform, ID: v.ID} }

// of is what is remembered of a viewer. A line asks for it several times, one after the other. When there are too many, those
// are forgotten who said nothing lately and never claimed; where that is not enough, nobody new is remembered.
func (s *Show) of(v chat.Viewer, now time.Time) *viewer {
	k := id{v.Platform, v.ID}
	if s.last != nil && s.lastID == k {
		return s.last
	}
	x := s.viewers.Get(k)
	if x == nil {
		if s.viewers.Len() >= viewersMost && now.Sub(s.swept) > whyKept {
			s.sweep(now)
		}
		if s.viewers.Len() < viewersMost {
			x, _ = s.viewers.Put(k)
		} else {
			x = &viewer{}
		}
	}
	s.last, s.lastID = x, k
	return x
}

// sweep forgets who said nothing lately and never claimed.
func (s *Show) sweep(now time.Time) {
	s.swept = now
	for k, x := range s.viewers.All() {
		if !x.claimed && now.Sub(x.at) > whyKept {
			s.viewers.Delete(k)
		}
	}
}

// Decided adds a line to the feed.
func (s *Show) Decided(l FeedLine) { s.feed.Add(l) }

// Feed is the feed, the oldest first.
func (s *Show) Feed() []FeedLine { return s.feed.List() }

// Heard adds a line of a chat; bot says that a program said it. stream says whether pages are sent it at once, first whether it
// is the first line of its viewer, as far as it is remembered.
func (s *Show) Heard(l ChatLine, read preview.Line, bot bool) (stream, first bool) {
	if !l.Own && !bot {
		x := s.of(l.Viewer, l.At)
		if first = !x.spoke; first {
			x.spoke = true
			s.spoke++
		}
		x.name = l.Viewer.Name
	}
	s.chat.Add(l)
	read.Viewer = who(l.Viewer)
	s.said.Add(read)
	if at := l.At.Unix(); at != s.second {
		s.second, s.streamed = at, 0
	}
	s.streamed++
	return s.streamed <= streamMost, first
}

// Chat is what was said last, the oldest first, Said the same as far as styles are tried on it.
func (s *Show) Chat() []ChatLine { return s.chat.List() }

// Gone takes lines of a channel out of what is shown that its platform shows no more: the one of an id, or with no id all of a viewer,
// of everybody where that is nobody. It returns which they were, by id and channel alone.
func (s *Show) Gone(c chat.Channel, line string, of chat.Viewer) (gone []ChatLine) {
	s.chat.Drop(func(l ChatLine) bool {
		is := l.ID == line
		if line == "" {
			is = of.ID == "" || who(l.Viewer) == who(of)
		}
		if is = is && l.Channel == c; is {
			gone = append(gone, ChatLine{ID: l.ID, Channel: c})
		}
		return is
	})
	return gone
}

// Said is said with Chat.
func (s *Show) Said() []preview.Line { return s.said.List() }

// Claimed notes that a viewer claimed, and what became of it.
func (s *Show) Claimed(v chat.Viewer, r commerce.Reason, now time.Time) {
	x := s.of(v, now)
	if !x.claimed {
		x.claimed = true
		s.claims++
	}
	x.why, x.at = r, now
}

// Figures are how many viewers spoke and how many claimed.
func (s *Show) Figures() (spoke, claimed int) { return s.spoke, s.claims }

// Named are the viewers of a platform who spoke under a name, in whatever case, by their ids.
func (s *Show) Named(p chat.Platform, name string) []chat.Viewer {
	var out []chat.Viewer
	for k, x := range s.viewers.All() {
		if x.spoke && k.platform == p && strings.EqualFold(x.name, name) {
			out = append(out, chat.Viewer{Platform: p, ID: k.id, Name: x.name})
		}
	}
	slices.SortFunc(out, func(a, b chat.Viewer) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// At notes the channel of a viewer's command, for what is told later.
func (s *Show) At(v chat.Viewer, c chat.Channel, now time.Time) { s.of(v, now).where = c }

// Where is the channel of a viewer's last command; false when none is known.
func (s *Show) Where(v chat.Viewer) (chat.Channel, bool) {
	x := s.viewers.Get(id{v.Platform, v.ID})
	if x == nil || x.where.ID == "" {
		return chat.Channel{}, false
	}
	return x.where, true
}

// SetWhy notes what became of a viewer's line.
func (s *Show) SetWhy(v chat.Viewer, r commerce.Reason, now time.Time) {
	x := s.of(v, now)
	x.why, x.at = r, now
}

// Why is what became of a viewer's last line; false when there was none in the last minutes.
func (s *Show) Why(v chat.Viewer, now time.Time) (commerce.Reason, bool) {
	x := s.viewers.Get(id{v.Platform, v.ID})
	if x == nil || x.why == "" || now.Sub(x.at) > whyKept {
		return "", false
	}
	return x.why, true
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
	if x := s.viewers.Get(id{v.Platform, v.ID}); x != nil {
		*x = viewer{spoke: x.spoke, claimed: x.claimed}
	}
}
