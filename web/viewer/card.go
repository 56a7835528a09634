package viewer

import (
	"strings"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
)

// How long a card of a rule stands on the overlay, where the rule does not say, and at most.
const (
	cardFor  = 8 * time.Second
	cardMost = 2 * time.Minute
)

// cardView is a card of a rule: a text, and a picture and a sound where it has them. A sound ends with its card.
type cardView struct{ ID, Text, Image, Sound string }

// cards are the cards that stand on the overlays of shows. A newer one takes the place of the one before.
type cards struct {
	mu sync.Mutex
	of map[commerce.ID]shownCard
}

type shownCard struct {
	live.Card
	until time.Time
}

// put shows a card. Told twice it is shown once.
func (x *cards) put(show commerce.ID, c live.Card, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.of == nil {
		x.of = map[commerce.ID]shownCard{}
	}
	if x.of[show].ID == c.ID {
		return
	}
	lasts := min(c.For, cardMost)
	if lasts <= 0 {
		lasts = cardFor
	}
	x.of[show] = shownCard{c, now.Add(lasts)}
}

// at is the card of a show, nil when none stands there.
func (x *cards) at(show commerce.ID, now time.Time) *cardView {
	x.mu.Lock()
	defer x.mu.Unlock()
	c, ok := x.of[show]
	if !ok || now.After(c.until) {
		return nil // it stays known, so that it is not shown again
	}
	v := &cardView{ID: c.ID.String(), Text: c.Text, Image: c.Picture}
	if strings.HasPrefix(c.Sound, "https://") { // nothing else may be loaded (ui.Frame.Sounds)
		v.Sound = c.Sound
	}
	return v
}
