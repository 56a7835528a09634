package live

import (
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/tail"
)

// Lengths of what a show remembers for its pages. What was decided is in SQL for ever; this is for reading along.
const (
	feedKept = 300
	chatKept = 120
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
	// Sentence says it in words, in the show's language.
	Sentence string
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

// showMemory is what a merchant remembers of a show for its pages.
type showMemory struct {
	feed tail.Tail[FeedLine]
	chat tail.Tail[ChatLine]
	// viewers who spoke and who claimed, for the funnel
	spoke, claimed map[chat.Viewer]bool
	// streamed counts chat lines published in this second, so that a fast chat does not flood the pages.
	second   int64
	streamed int
	// why is each viewer's last line and its reason, for !why.
	why     map[chat.Viewer]whyLine
	whyMost int // entries of why at which old ones go
}

type whyLine struct {
	at     time.Time
	reason commerce.Reason
	out    commerce.Outcome
}

func newShowMemory() *showMemory {
	return &showMemory{
		feed: tail.Tail[FeedLine]{N: feedKept}, chat: tail.Tail[ChatLine]{N: chatKept}, spoke: map[chat.Viewer]bool{}, claimed: map[chat.Viewer]bool{},
		why: map[chat.Viewer]whyLine{},
	}
}
